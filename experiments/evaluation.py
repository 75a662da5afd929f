"""R tables of fine-tuning on six task sequences, and of what chapter 03 sets beside it: joint training and EWC with a
lambda that is too large, on permuted digits; and a network that was trained on one of its tasks beforehand.

The page takes, for each seed, the lambda of EWC whose accuracy on the validation images comes closest to fine-tuning's.
"""

from lllcourse import training
from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.method import Method
from lllcourse.lifelong.seeds import learn_seeds
from lllcourse.models import MLP
from lllcourse.settings import NOISY_THEN_CLEAN, PERMUTED, ROTATED
from lllcourse.tasks import SCENARIOS, noisy_then_clean, permuted, rotated, split

SEEDS = (0, 1, 2, 3, 4)
SETTINGS = PERMUTED | {
    "angles": ROTATED["angles"],
    "noise": NOISY_THEN_CLEAN["noise"],
    "lams": [30, 45, 70, 100, 150, 220, 330, 500, 750],
}


def run_seeds(seeds, T, sizes, train, angles, noise, lams) -> list[dict]:
    """For each seed {sequence: {method: what was measured}}, for EWC {lambda: what was measured}."""
    results = [{} for _ in seeds]

    def network(seed):
        return MLP(*sizes, seed=seed)

    def pretrained(seed):
        model = network(seed)
        training.train(model, permuted(2, seed)[0].train, seed=seed, **train)
        return model

    def measure(sequence, *way, tasks, method=Method, network=network, **how):
        runs = learn_seeds(method, network, tasks, seeds, **how, **train)
        for seed, result, learned in zip(seeds, results, runs, strict=True):
            place = result.setdefault(sequence, {})
            for key in way[:-1]:
                place = place.setdefault(key, {})
            place[way[-1]] = facts(learned, tasks(seed) if sequence == "permuted" else None)

    def shuffled(seed):
        return permuted(T, seed)

    def plain_last(seed):
        return permuted(2, seed)[::-1]

    measure("permuted", "fine-tuning", tasks=shuffled)
    measure("permuted", "joint training", tasks=shuffled, joint=True)
    for lam in lams:
        measure("permuted", "EWC", f"{lam:g}", tasks=shuffled, method=lambda lam=lam: EWC(lam))
    measure("rotated", "fine-tuning", tasks=lambda seed: rotated(angles))
    for scenario in SCENARIOS:
        measure(f"split, {scenario}", "fine-tuning", tasks=lambda seed: split(), scenario=scenario)
    measure("noisy, clean", "fine-tuning", tasks=lambda seed: noisy_then_clean(seed, noise))
    for name, begin in {"new": network, "pretrained": pretrained}.items():
        measure("permuted, plain", name, tasks=plain_last, network=begin)
    return results


def facts(learned, tasks):
    """R, its entries rounded; with `tasks` the accuracy at the end on their validation images too."""
    found = {"R": learned.R.round(decimals=4).tolist()}
    if tasks:
        validation = [training.evaluate(learned.model, task.validation) for task in tasks]
        found["validation"] = round(sum(validation) / len(tasks), 4)
    return found
