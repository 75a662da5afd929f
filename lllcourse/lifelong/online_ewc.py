"""Online EWC: one running importance for all past tasks, tied to where the network is now.

    L'(theta) = L(theta) + lambda * sum_i B_i (theta_i - theta_i^b)^2,    B <- decay * B + b after each task

EWC sums the parabolas of all past tasks exactly, each around its own anchor. The online variant lets old
importances fade by the factor `decay` and ties all of them to the newest weights. With decay < 1 it slowly forgets what
is long past, and so it never runs out of freedom. (In the paper's penalty the newest importance has faded once too: it
is `decay` times this one, which a larger lambda makes up for.)

Schwarz et al. 2018, "Progress & Compress" (arXiv:1805.06370), section 3.2; the idea is from Huszár 2018
(arXiv:1712.03847).
"""

from .. import checks
from .ewc import EWC


class OnlineEWC(EWC):
    """EWC with decaying importances around the newest weights. lam, labels, seed: as for `EWC`.

    decay: what is left of the old importances after a further task, from 0 (only the last task counts) to 1.
    Raises ValueError for a lam or a decay out of range.
    """

    def __init__(self, lam, *, decay=0.9, labels="expected", seed=0):
        super().__init__(lam, labels=labels, seed=seed)
        checks.require(
            0 <= decay <= 1,
            f"decay is {decay}; it must lie between 0 (keep the last task only) and 1 (keep all alike)",
        )
        self.decay = decay

    def fold(self, new, theta):
        both = zip(self.importance, new, strict=True)
        return [self.decay * B + b for B, b in both], theta
