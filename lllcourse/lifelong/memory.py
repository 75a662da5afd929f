"""A memory of old examples: which are kept, and among which outputs they are asked later on.

The reservoir: Vitter 1985, "Random sampling with a reservoir" (ACM Transactions on Mathematical Software 11),
algorithm R. It makes the memory a uniform sample of everything seen, without knowing how much is still to come.
"""

import torch

from .. import checks


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
        checks.count("memory", size, "use Method() for no memory")
        self.size, self.seen, self.kept = size, 0, []
        self.generator = checks.generator(seed)

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
        return some(self.kept, n, self.generator)


def some(parts, n, generator):
    """n rows of the tensors, the same of each, drawn without replacement; all of them if there are fewer. A list.

    generator: on the CPU, where the draw is made; a GPU that gets it goes on without a wait.
    """
    chosen = torch.randperm(len(parts[0]), generator=generator)[:n]
    chosen = chosen.to(parts[0].device, non_blocking=True)
    return [part[chosen] for part in parts]


def competing(own, present):
    """The outputs among which an old example is asked now: masks (outputs,), or own (n, outputs).

    Those of its own task; but where the present task's outputs include them all, as when classes are added one after
    another, old and new have to compete: then those of the present task.
    """
    if present is None:
        return None
    present = present if present.ndim == 1 else present.any(0)
    return torch.where((own & ~present).any(-1, keepdim=True), own, present)
