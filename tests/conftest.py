"""Settings that all tests share: one thread, so that results repeat, and no windows; and what `make prove` notes."""

import matplotlib
import pytest
import torch

from . import proofs

matplotlib.use("Agg")
torch.set_num_threads(1)
passed = {}


def pytest_runtest_logreport(report):
    """A proof hands over its name and the hash of its code; under xdist the report brings them to the main process."""
    if report.when == "call" and report.passed:
        passed.update(pair for key, pair in report.user_properties if key == "proved")


def pytest_sessionfinish(session):
    if passed and not hasattr(session.config, "workerinput"):
        proofs.write(passed)


@pytest.fixture
def proved(record_property):
    """`proved(name, code)`, the last line of a proof."""
    return lambda name, code: record_property("proved", (name, code))
