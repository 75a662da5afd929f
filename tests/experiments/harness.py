"""What the tests of recorded runs share."""

import pytest

from lllcourse.results import recorded
from tools import results


def experiment(name):
    """The module of a recorded result and its first recorded run; the test is skipped while the result is stale."""
    for reason in results.stale([name]).values():
        pytest.skip(reason)
    return results.load(name), recorded(name)["runs"][0]
