"""The package as a whole: what importing it costs, its scales, its device."""

import importlib
import subprocess
import sys

import pytest
import torch

import lllcourse


def test_importing_the_package_loads_neither_torch_nor_matplotlib():
    code = "import sys, lllcourse; sys.exit(sum(m in sys.modules for m in ('torch', 'numpy', 'matplotlib', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_the_core_runs_without_the_extras():
    code = """
import sys
for module in ("nbgrader", "nbformat", "IPython", "tqdm", "pandas", "scipy"):
    sys.modules[module] = None  # as if it were not installed
from lllcourse import claim, digits, figures, lifelong, metrics, models, tasks
figures.use_style()
learned = lifelong.learn(lifelong.EWC(1.0), models.MLP(784, 10), tasks.permuted(2), epochs=1)
claim("L3", "It runs", holds={"seed 0": metrics.accuracy(learned.R) > 0.5}, lecture="", here="")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Holds here")


def test_at_scale_picks_the_value_of_the_present_scale(monkeypatch):
    for name, value in {"smoke": 1, "laptop": 3, "gpu": 10}.items():
        monkeypatch.setattr(lllcourse, "scale", name)
        assert lllcourse.at_scale(smoke=1, laptop=3, gpu=10) == value


def test_an_unknown_scale_says_which_there_are(monkeypatch):
    monkeypatch.setattr(lllcourse, "scale", "huge")
    with pytest.raises(ValueError, match="'huge'.*'smoke', 'laptop', 'gpu'"):
        lllcourse.at_scale(smoke=1, laptop=3, gpu=10)


@pytest.mark.parametrize(
    ("device", "environment", "chosen"),
    [("cpu", None, "laptop"), ("cuda", None, "gpu"), ("cuda", "smoke", "smoke")],
)
def test_a_notebook_on_colab_takes_the_scale_of_the_machine_and_says_so(
    device, environment, chosen, monkeypatch, capsys
):
    monkeypatch.setattr(lllcourse, "scale", environment or "laptop")
    monkeypatch.setattr(lllcourse, "device", lambda: torch.device(device))
    monkeypatch.delenv("LLLCOURSE_SCALE", raising=False)
    if environment:
        monkeypatch.setenv("LLLCOURSE_SCALE", environment)
    lllcourse.choose_scale()
    assert lllcourse.scale == chosen
    assert capsys.readouterr().out == f'This notebook computes at the scale "{chosen}", on {device}.\n'


def test_the_device_is_one_that_works_here():
    assert torch.ones(2, device=lllcourse.device()).sum().item() == 2


PACKAGES = ("lllcourse", "lllcourse.tasks", "lllcourse.figures", "lllcourse.lifelong")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_a_package_promises_is_there_however_often_it_is_asked_for(package):
    package = importlib.import_module(package)
    handed_on = [name for names in package._NAMES.values() for name in names]
    assert not set(package._NAMES) & set(handed_on), "a module would take the place of the name that it hands on"
    for _ in range(2):
        for name in package.__all__:
            assert getattr(package, name) is not None
        for module in package._NAMES:
            importlib.import_module(f"{package.__name__}.{module}")
    with pytest.raises(AttributeError, match="no attribute 'elsewhere'"):
        package.elsewhere  # noqa: B018


def test_a_method_is_not_imported_before_it_is_used():
    code = "import sys; from lllcourse.lifelong import EWC; print(*(m for m in sys.modules if 'lllcourse' in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "lllcourse.lifelong.ewc" in loaded
    assert not {"lllcourse.lifelong.gem", "lllcourse.lifelong.l2", "lllcourse.tasks.stories"} & set(loaded)
