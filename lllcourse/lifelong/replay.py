"""Experience replay: keep a few old examples, and train on them together with the new ones.

    L = the mean of the loss over the new batch and a batch out of the memory, taken as one batch

Every example weighs the same: with as many old as new ones, each side is half of the loss. The memory is of fixed size.
Reservoir sampling makes it a uniform sample of everything seen, without knowing how much is still to come: the t-th
example stays with probability size / t, in the place of a random one.

Chaudhry et al. 2019, "On tiny episodic memories in continual learning" (arXiv:1902.10486). The reservoir: Vitter 1985,
"Random sampling with a reservoir" (ACM Transactions on Mathematical Software 11), algorithm R. The paper sees every
example once and stores it on the way; here a task is seen in several epochs, and offered to the memory after them.
"""

import torch

from .. import checks
from ..training import device_of
from .memory import Reservoir, competing
from .method import Method
from .recorder import nbytes


class Replay(Method):
    """Experience replay out of a reservoir. The first task is fine-tuning: there is nothing old yet.

    memory: how many examples are kept in all, however many tasks there are. batch: how many of them join every new
    batch, drawn anew for each. seed: of both draws. Raises ValueError where one of the two numbers is below 1.

    Old examples compete with the outputs that `competing` in `memory.py` tells.
    """

    def __init__(self, memory, batch=32, seed=0):
        checks.count("batch", batch, "use Method() for no replay")
        self.memory, self.batch = Reservoir(memory, seed), batch

    def loss(self, model, x, y, active):
        if len(self.memory):
            old_x, old_y, own = self.memory.draw(self.batch)
            if active is not None:
                parts = active.expand(len(y), -1), competing(own, active)
                active = torch.cat(parts)
            x, y = torch.cat([x, old_x]), torch.cat([y, old_y])
        return super().loss(model, x, y, active)

    def after_task(self, model, task, active):
        data = task.train.to(device_of(model))
        self.memory.add(data.x, data.y, active.expand(len(data), -1))

    def storage(self):
        return nbytes(*self.memory.kept)
