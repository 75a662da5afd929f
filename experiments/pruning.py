"""Pruning by how much is removed, of LeNet-300-100: at once and step by step, by several importances.

What chapter 12 shows of it. Every share is reached from the same dense network; "budget" is what each way may train in
all after the first removal.
"""

import copy

import torch

from lllcourse import training
from lllcourse.compression import dense, structured
from lllcourse.compression.pruning import iterate, prune
from lllcourse.data import digits
from lllcourse.lifelong.ewc import importance

NETWORK = "LeNet-300-100"
SEEDS = (0, 1, 2, 3, 4)
SETTINGS = {
    "sparsities": [0.5, 0.8, 0.9, 0.95, 0.98],
    "shares": [0.5, 0.25, 0.1],  # of the units, kept
    "budget": 5,  # epochs
    "steps": 5,
    "lr": 0.03,  # of .1, .03 and .01 the best on the validation images of seeds 10 and 11, over what is removed
}


def run(seed, sparsities, shares, budget, steps, lr) -> dict:
    """Accuracies: {what is removed, and how: {share: {"validation", "accuracy"}}}."""
    data, model = digits(), dense.trained(NETWORK, seed)
    x = data.train.x
    b = importance(model, x)
    theta = [p.detach() for p in model.parameters()]
    generator = torch.Generator().manual_seed(seed)
    scores = {
        "magnitude": [w.abs() for w in theta],
        "b": b,
        "b w^2": [i * w**2 for i, w in zip(b, theta, strict=True)],
        "chance": [torch.rand(w.shape, generator=generator) for w in theta],
    }
    unit_scores = {f"units by {name}": structured.unit_scores(model, x[:10], s) for name, s in scores.items()}
    unit_scores["units by activity"] = structured.activity(model, x)

    def facts(model):
        return {
            "validation": training.evaluate(model, data.validation),
            "accuracy": training.evaluate(model, data.test),
        }

    def train(model, epochs=budget):
        dense.train(model, NETWORK, seed=100 + seed, epochs=epochs, lr=lr)

    def before_and_after(name, pruned):
        found[f"{name}, at once"], found[name] = {}, {}
        for share, one in pruned:
            found[f"{name}, at once"][f"{share:g}"] = facts(one)
            train(one)
            found[name][f"{share:g}"] = facts(one)

    found = {"dense": facts(model)}
    for name, s in scores.items():
        before_and_after(name, [(p, prune(model, p, s)) for p in sparsities])
    for name, s in unit_scores.items():
        before_and_after(name, [(k, structured.prune_units(model, x[:10], k, s)) for k in shares])
    layers = [(p, prune(model, p, per_layer=True)) for p in sparsities]
    found["magnitude, per layer, at once"] = {f"{p:g}": facts(one) for p, one in layers}
    found["magnitude, step by step"] = {}
    for p in sparsities:
        way = [1 - (1 - p) ** (k / steps) for k in range(1, steps + 1)]
        found["magnitude, step by step"][f"{p:g}"] = facts(iterate(model, way, lambda m: train(m, budget // steps)))
    longer = copy.deepcopy(model)
    train(longer)
    return found | {"dense, trained on": facts(longer)}
