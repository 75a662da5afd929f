"""What the tests of all assignments share: known mistakes, the tests that judge them, and which hidden inputs."""

from grader import reference

from ..grader.harness import NAMES, mistakes, source

# Of the hidden inputs: the first few, and the many of a proof.
FEW, MANY = range(10), range(10, 200)
EXPERIMENTS = reference.experiments()
MISTAKES = {f"{name}: {m.function}: {m.name}": (name, m) for name in NAMES for m in mistakes(name)}


def trainings(name):
    """The tests of whole trainings, which have a band."""
    return [experiment.test for experiment in EXPERIMENTS.values() if experiment.assignment == name]


def exact(name):
    """The tests on exact values."""
    return [cell for cell in source(name).points if cell not in trainings(name)]
