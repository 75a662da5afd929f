"""Does a ticket need small steps? Dense network, ticket and new random weights under its mask, all with large ones."""

import copy

from lllcourse.compression import dense, tickets

from ._runs import NETWORK, SEEDS, SPARSITIES, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "network": NETWORK,
    "sparsities": SPARSITIES[:2],
    # five times those of `dense.train`: of the epochs as many are long and short, one after the other
    "large_steps": [{"epochs": 8, "lr": 0.5}, {"epochs": 2, "lr": 0.1}],
}


def run(seed, network, sparsities, large_steps) -> dict:
    """{"large steps": {"dense", "ticket" and "random": facts}}, the last two at the last sparsity."""

    def train(model):
        for part, how in enumerate(large_steps):
            dense.train(model, network, seed=seed + 10_000 * part, **how)

    initial = dense.untrained(network, seed)
    full = copy.deepcopy(initial)
    train(full)
    start, ticket = list(tickets.rounds(initial, full, sparsities, train))[-1]
    new = tickets.restart(start, initial, "random", seed=seed)
    train(new)
    return {"large steps": {"dense": facts(full), "ticket": facts(ticket), "random": facts(new)}}
