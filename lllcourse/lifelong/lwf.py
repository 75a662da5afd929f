"""Learning without forgetting: no old data; on the new images, the network must go on answering as it did before.

    L' = L + lambda * sum over old tasks of  T^2 * KL( softmax(z_old / T) || softmax(z / T) )

z are the network's logits for a new image, over the outputs of an old task; z_old those of a copy that was frozen
before the new task. It works as far as new images show what the old network knew: well where the task is told, hardly
where classes are added, since nothing ever asks an old class against a new one on an old image.

Li and Hoiem 2016, "Learning without forgetting" (arXiv:1606.09282). The paper writes the cross-entropy for KL, which
differs by a constant, and no T^2, which keeps the gradient's size as T grows (Hinton et al. 2015, arXiv:1503.02531):
its lambda of 1, with T = 2, is 1/4 here. It trains new outputs alone at first, which is left out.
"""

import copy
import math

from torch.nn import functional as F

from .. import checks
from ..losses import distillation, only_active
from .method import Method
from .recorder import nbytes


class LwF(Method):
    """Learning without forgetting, in every scenario.

    lam: the weight of the old answers, from 0 (fine-tuning) on; the default is the paper's. T: the temperature. Raises
    ValueError for a lam that is negative or not finite, and as `distillation` does.

    The gradient grows as lam * T * (old tasks): where that times lr is above about 1, training breaks down without a
    word. A large lam needs a small lr.

    What is distilled follows from the masks: in "task" the outputs of every old task, each on its own; in "domain" the
    shared outputs; in "class" those seen before.
    """

    def __init__(self, lam=0.25, T=2.0):
        if not 0 <= lam < math.inf:
            raise ValueError(
                f"lam is {lam}; it must be a finite number from 0 (fine-tuning) on"
            )
        checks.temperature(T)
        self.lam, self.T = lam, T
        self.teacher = None  # the frozen network
        self.old = []  # the groups of its outputs that are distilled, each a mask (outputs,)

    def loss(self, model, x, y, active):
        now = model(x)
        loss = F.cross_entropy(only_active(now, active), y)
        if self.teacher is None or self.lam == 0:
            return loss
        before = self.teacher(x)
        return loss + self.lam * sum(
            distillation(now[:, group], before[:, group], self.T)
            for group in self.groups
        )

    def after_task(self, model, task, active):
        self.teacher = frozen(model)
        # A group that the new one includes is answered within it from now on.
        apart = [own for own in self.old if (own & ~active).any()]
        self.old = [*apart, active]
        # as numbers: to count a mask's outputs in every step would make a GPU wait
        self.groups = [own.nonzero().flatten() for own in self.old]

    def storage(self):
        return nbytes(*weights(self.teacher), *self.old)


def frozen(model):
    """A copy of the network that is only asked: it takes no gradient, and stays as it is."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def weights(network):
    """All that a kept network consists of, a list of tensors; none for None."""
    return [] if network is None else [*network.parameters(), *network.buffers()]
