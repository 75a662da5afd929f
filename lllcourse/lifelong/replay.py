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

from ..training import device_of
from .gem import check_count, competing
from .method import Method, nbytes


def reservoir(seen, n, size, generator):
    """Which of n further examples go into a memory of `size` places, and where: a dictionary {place: example}.

    seen: how many were offered before. The first `size` ones of all fill the places in order; from then on the t-th
    draws a number below t, and takes that place if the memory has it.

    >>> reservoir(0, 3, 5, torch.Generator())
    {0: 0, 1: 1, 2: 2}
    """
    before = torch.arange(seen, seen + n)
    drawn = torch.rand(n, generator=generator, dtype=torch.float64)
    place = torch.where(before < size, before, (drawn * (before + 1)).long())
    # a dictionary keeps what was written last: later examples replace earlier ones
    return {p: i for i, p in enumerate(place.tolist()) if p < size}


class Reservoir:
    """A memory of `size` examples, a uniform sample of all that were added. An example is a row of several tensors."""

    def __init__(self, size, seed=0):
        check_count("memory", size, "use Method() for no memory")
        self.size, self.seen, self.kept = size, 0, []
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self):
        return min(self.seen, self.size)

    def add(self, *examples):
        """Offer examples: tensors with the same number of rows, of the same kinds at every call."""
        n = len(examples[0])
        taken = reservoir(self.seen, n, self.size, self.generator)
        before, self.seen = len(self), self.seen + n
        if not self.kept:
            self.kept = [part[:0] for part in examples]
        for k, (old, new) in enumerate(zip(self.kept, examples, strict=True)):
            places, chosen = (
                torch.tensor(list(t), dtype=torch.long, device=new.device)
                for t in (taken.keys(), taken.values())
            )
            part = new.new_empty(len(self), *new.shape[1:])
            part[:before] = old
            part[places] = new[chosen]
            self.kept[k] = part

    def draw(self, n):
        """n examples at random, each at most once; all of them if there are fewer. A list of tensors."""
        chosen = torch.randperm(len(self), generator=self.generator)[:n]
        return [part[chosen.to(part.device)] for part in self.kept]


class Replay(Method):
    """Experience replay out of a reservoir. The first task is fine-tuning: there is nothing old yet.

    memory: how many examples are kept in all, however many tasks there are. batch: how many of them join every new
    batch, drawn anew for each. seed: of both draws. Raises ValueError where one of the two numbers is below 1.

    Old examples compete with the outputs that `competing` in `gem.py` tells.
    """

    def __init__(self, memory, batch=32, seed=0):
        check_count("batch", batch, "use Method() for no replay")
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
