"""What a network costs: numbers, bytes, multiplications, milliseconds; and what it gives for them, accuracy.

Counted are the parameters, those of them that are not zero, the bytes of the file that `storage.save` writes, and the
multiply-accumulate operations (MACs) that one example takes in linear and convolutional layers and attention, by
torch's own counter. Additions of biases, batch norm, activations and pooling are not counted, as is usual.

Measured are the milliseconds of a batch, by `torch.utils.benchmark`: on one thread, after warming up, the median of
many runs and the range of the middle half of them. They depend on the machine and on what else it does: compare
only what was measured in one run.
"""

from dataclasses import dataclass

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

from .. import checks, training
from ..training import device_of, evaluating
from .pruning import without_masks
from .storage import written


@dataclass(frozen=True)
class Footprint:
    """parameters, nonzero: numbers. bytes: on disk. macs: for one example. accuracy: a share.

    latency_ms: for each batch size (median, lower quartile, upper quartile), of the whole batch.
    """

    parameters: int
    nonzero: int
    bytes: int
    macs: int
    accuracy: float
    latency_ms: dict


def footprint(model, data, *, batch_sizes=(1, 64), threads=1) -> Footprint:
    """What `model` costs, and its accuracy on `data`, a Split. The network is only looked at; a mask is a tool of
    training, so measured is the plain network with zeros in its place.

    batch_sizes: those whose latency is measured; () measures none. threads: of the CPU.
    Raises ValueError for an empty split, and for operations whose multiplications torch's counter does not know.
    """
    checks.require(len(data), "data is empty: give some examples")
    model = without_masks(model)
    times = {n: latency(model, data.x, n, threads=threads) for n in batch_sizes}
    accuracy = training.evaluate(model, data)
    return Footprint(**size(model, data.x), accuracy=accuracy, latency_ms=times)


def size(model, x) -> dict:
    """What is counted: parameters, nonzero, bytes and macs, by name. x: examples, of which the first is used."""
    model = without_masks(model)
    weights = list(model.parameters())
    return {
        "parameters": sum(w.numel() for w in weights),
        "nonzero": sum(int((w != 0).sum()) for w in weights),
        "bytes": len(written(model)),
        "macs": macs(model, x),
    }


# --- multiplications -------------------------------------------------------------------

aten = torch.ops.aten
#: Operations without multiply-accumulates, besides those on single numbers and changes of shape.
FREE = {
    getattr(aten, name)
    for name in """
    native_batch_norm cudnn_batch_norm native_layer_norm native_group_norm
    max_pool2d_with_indices avg_pool2d _adaptive_avg_pool2d mean sum max amax argmax
    _softmax _log_softmax native_dropout empty scalar_tensor zeros ones full arange
    stack cat index gather embedding where clone copy_ _to_copy _unsafe_view
    constant_pad_nd sparse_compressed_tensor
    """.split()
}


def macs(model, x) -> int:
    """The multiply-accumulates that one example takes: half of what torch's counter calls floating-point operations.

    x: examples, (n, ...), of which the first is used. A product with a sparse matrix (CSR) takes its stored numbers.
    Raises ValueError, naming it, for an operation that the counter does not know.
    """
    counter = FlopCounterMode(display=False, custom_mapping=SPARSE)
    one = x[:1].to(device_of(model))
    with torch.no_grad(), evaluating(model), counter, OnlyKnown(counter):
        model(one)
    return counter.get_total_flops() // 2


class OnlyKnown(TorchDispatchMode):
    """Refuses operations that would be counted as nothing and may be something."""

    def __init__(self, counter):
        super().__init__()
        self.known = FREE | set(counter.flop_registry)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        single = torch.Tag.pointwise in function.tags
        known = function.is_view or single or function.overloadpacket in self.known
        checks.require(
            known,
            f"nobody knows how many multiplications {function} takes: write this part of the network with linear "
            "layers, convolutions or matrix products",
        )
        return function(*args, **(kwargs or {}))


def of_product(*args, out_val=None, **_):
    """Floating-point operations of a matrix product, of which one factor may be sparse."""
    *_, a, b = (t for t in args if isinstance(t, torch.Tensor))
    for sparse, other in ((a, b.shape[1]), (b, a.shape[0])):
        if sparse.layout == torch.sparse_csr:
            return 2 * len(sparse.values()) * other
    return 2 * a.shape[0] * a.shape[1] * b.shape[1]


of_product._get_raw = True  # the counter hands over tensors, not their shapes
SPARSE = {aten.mm: of_product, aten.addmm: of_product}


# --- time ------------------------------------------------------------------------------


def latency(model, x, n, *, threads=1, seconds=0.2):
    """Milliseconds for a batch of n examples: median, lower and upper quartile over the runs of `seconds`.

    x: examples, repeated where there are fewer than n.
    """
    n = checks.whole("batch_sizes", n, least=1)
    batch = x[torch.arange(n) % len(x)].to(device_of(model))
    names = {"model": model, "x": batch}
    with torch.no_grad(), evaluating(model):
        timer = Timer("model(x)", globals=names, num_threads=threads)
        timer.timeit(3)  # the first calls allocate, and choose how to compute
        times = timer.blocked_autorange(min_run_time=seconds).times
    return middle(1000 * torch.tensor(times))


def ratios(models, x, n, *, threads=1, rounds=15):
    """How long each network takes for a batch of n examples beside the first one: median and quartiles over the rounds.

    models: a dictionary from a name to a network. In every round each has its turn, so that what else the machine does
    meets them all alike. Returns a dictionary from the names to (median, lower quartile, upper quartile).
    """
    times = {name: [] for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            found = latency(model, x, n, threads=threads, seconds=0.02)
            times[name].append(found[0])
    times = {name: torch.tensor(found) for name, found in times.items()}
    first = next(iter(times.values()))
    return {name: middle(found / first) for name, found in times.items()}


def middle(values):
    return tuple(values.double().quantile(q).item() for q in (0.5, 0.25, 0.75))
