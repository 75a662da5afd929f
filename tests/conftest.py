"""Settings that all tests share: one thread, so that results repeat, and no windows; and what `make prove` notes."""

import matplotlib
import pytest
import torch

from . import proofs

matplotlib.use("Agg")
torch.set_num_threads(1)
ALL_PROOFS = pytest.StashKey()
passed = {}


def pytest_addoption(parser):
    parser.addoption("--stale", action="store_true", help="of the proofs, only those not made on the present code")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    config.stash[ALL_PROOFS] = [item for item in items if proofs.is_one(item)]  # before -m leaves some out
    if config.getoption("stale"):
        fresh = {item for item in config.stash[ALL_PROOFS] if not proofs.is_stale(item)}
        config.hook.pytest_deselected(items=[item for item in items if item in fresh])
        items[:] = [item for item in items if item not in fresh]


@pytest.fixture
def all_proofs(request):
    """Every proof that was collected, also those that this run leaves out."""
    return request.config.stash[ALL_PROOFS]


def pytest_runtest_call(item):
    """A proof hands over its name and the hash of its code; under xdist the report brings them to the main process."""
    if proofs.is_one(item):
        item.user_properties.append(("proved", (proofs.name(item), proofs.code(item))))


def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed:
        passed.update(pair for key, pair in report.user_properties if key == "proved")


def pytest_sessionfinish(session):
    if passed and not hasattr(session.config, "workerinput"):
        proofs.write(passed)
