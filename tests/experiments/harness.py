"""What the tests of recorded runs share."""

from lllcourse.results import recorded
from tools import results


def experiment(name):
    """The module of a recorded result and its first recorded run."""
    return results.load(name), recorded(name)["runs"][0]
