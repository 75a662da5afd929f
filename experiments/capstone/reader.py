"""What of Part II carries over, as it is, to the course's attention network: four kinds of questions.

{row: {what `size` counts, "bytes" of the file where there is one, "validation", "accuracy"}}; "refused": {function:
its words, the first sentence of them}. Steps and epochs were chosen on the validation stories of seed 10. Words, places
and order of rows are numbers of the network itself, not of a layer: no method reaches them.
"""

from lllcourse import training
from lllcourse.compression.binary import binarized
from lllcourse.compression.clustering import share
from lllcourse.compression.compressed import compressed
from lllcourse.compression.deep_compression import code
from lllcourse.compression.distillation import taught
from lllcourse.compression.footprint import size
from lllcourse.compression.low_rank import low_rank
from lllcourse.compression.pruning import prune
from lllcourse.compression.quantization import quantized
from lllcourse.compression.rounding import coded, rounded
from lllcourse.compression.separable import separate
from lllcourse.compression.slimmable import Slimmable
from lllcourse.compression.structured import prune_units
from lllcourse.compression.widening import widen
from lllcourse.data import concatenate
from lllcourse.losses import cross_entropy
from lllcourse.models import Reader
from lllcourse.tasks.stories import ANSWERS, WORDS, questions

from ._runs import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "kinds": ["one fact", "lists", "time", "motivations"],
    "count": 400,  # stories of each kind
    "epochs": 9,
    "calm": 3,  # epochs of shorter steps behind them
    "again": 3,  # epochs of training on
    "lr": 0.002,
    "sparsity": 0.8,
    "clusters": 8,
    "rank": 16,
    "small": {"width": 32, "blocks": 1},
    "T": 4,
}


def stories(kinds, count, seed):
    """Training, validation and test stories of these kinds together."""
    tasks = [task for task in questions(seed=seed, stories=count) if task.name in kinds]
    return [concatenate(getattr(task, part) for task in tasks) for part in ("train", "validation", "test")]


def trained(model, data, seed, epochs, calm, lr, loss=cross_entropy):
    for k, length, step in ((0, epochs, lr), (1, calm, lr / 4)):
        how = {"batch_size": 40, "optimizer": "adam", "loss": loss}
        training.train(model, data, epochs=length, lr=step, seed=10 * seed + k, **how)
    return model


def run(seed, kinds, count, epochs, calm, again, lr, sparsity, clusters, rank, small, T) -> dict:
    train, validation, test = stories(kinds, count, seed)

    def new(**shape):
        return Reader(len(WORDS), len(ANSWERS), seed=seed, **shape)

    def on(net):
        return trained(net, train, 100 + seed, again, 0, lr / 2)

    model = trained(new(), train, seed, epochs, calm, lr)
    pruned = on(prune(model, sparsity))
    shared = on(share(pruned, clusters))
    student, alone = (
        trained(new(**small), train, seed, epochs, calm, lr, loss) for loss in (taught(model, T=T), cross_entropy)
    )
    rows = {
        "dense": model,
        "pruned": pruned,
        "4 bits": file_of(quantized(model, 4, per_channel=True)),
        "2 bits, trained": file_of(on(quantized(model, 2, per_channel=True))),
        "1 bit, trained": file_of(on(binarized(model, scaled=True))),
        "pruned, shared and coded": code(shared, few=clusters),
        "low rank, trained": on(low_rank(model, rank)),
        "small, alone": alone,
        "small, taught": student,
    }
    found = {name: row(net, train.x, validation, test) for name, net in rows.items()}
    return found | {"refused": refusals(model, train.x[:10])}


def file_of(net):
    return compressed(rounded(net), coded(net))


def row(result, x, validation, test) -> dict:
    model = result.restore() if hasattr(result, "restore") else result
    counts = size(model, x)
    if model is not result:
        counts["bytes"] = result.bytes
    return counts | facts(model, validation, test)


def refusals(model, x) -> dict:
    asked = {
        "prune_units": lambda: prune_units(model, x, 0.5),
        "widen": lambda: widen(model, x, 2),
        "Slimmable": lambda: Slimmable(model, x),
        "separate": lambda: separate(model),
    }
    words = {}
    for name, ask in asked.items():
        try:
            ask()
        except ValueError as error:
            words[name] = str(error).split(". ")[0]
    return words
