"""The same experiment with several seeds: one run says little, since seeds differ by more than many methods do."""

from .method import learn
from .recorder import Learned


def learn_seeds(
    make_method, make_model, make_tasks, seeds, **settings
) -> list[Learned]:
    """`learn` once for each seed, which draws the tasks, the initial weights and the order of the examples.

    make_method(), make_model(seed), make_tasks(seed): what is new in every run. settings: of `learn`, but `seed`.
    """
    return [
        learn(
            make_method(), make_model(seed), make_tasks(seed), seed=seed, **settings
        )
        for seed in seeds
    ]
