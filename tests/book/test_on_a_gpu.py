"""What the page on Colab says of a GPU is what `make gpu` recorded there."""

import re

import pytest

from lllcourse.results import recorded
from tools.build_book import chapters
from tools.measure import ROOT

PAGE = (ROOT / "book/guides/colab.md").read_text("utf-8")
RECORD = recorded("gpu")
PERCENT = 100


def lines(benchmark):
    """The lines of a benchmark's table, each as its name and its numbers."""
    found = RECORD["benchmarks"][benchmark]["lines"]
    return [(line[:26].strip(), [float(x) for x in re.findall(r"-?\d+\.\d+", line[22:])]) for line in found[2:]]


def said(pattern):
    [numbers] = re.findall(pattern, PAGE.replace("\n", " "))
    return [float(number) for number in numbers]


def test_it_names_the_card_and_torch():
    assert RECORD["card"] in PAGE and f"torch {'.'.join(RECORD['torch'].split('.')[:2])}" in PAGE


def test_every_chapter_has_its_seconds():
    stated = dict(re.findall(r"(\d\d) \| (\d+) \|", PAGE))
    measured = {name.split("/")[-1][:2]: f"{facts['seconds']:.0f}" for name, facts in RECORD["notebooks"].items()}
    assert stated == measured
    assert set(stated) == {name.split("/")[-1][:2] for name in chapters(ROOT) if "/guides/" not in name}
    assert {facts["at a time"] for facts in RECORD["notebooks"].values()} == {6}


def test_none_takes_more_memory_than_is_said():
    assert max(int(facts["MiB"]) for facts in RECORD["notebooks"].values()) * 2**20 < 0.5e9


@pytest.mark.parametrize(
    ("seeds", "pattern"), [(3, r"between (\d+) and (\d+) % of"), (10, r"ten between (\d+) and (\d+) %")]
)
def test_seeds_at_once_take_the_share_that_is_said(seeds, pattern):
    shares = [PERCENT / numbers[2] for name, numbers in lines("seeds_time") if f" {seeds} seeds" in name]
    assert len(shares) == 3 and [min(shares), max(shares)] == pytest.approx(said(pattern), abs=0.6)


def test_all_methods_learn_what_is_said():
    apart = [numbers[:2] for _, numbers in lines("gpu_time")]
    assert len(apart) == 17 and max(full for full, _ in apart) <= 0.005 and max(half for _, half in apart) <= 0.02


def test_half_precision_does_not_pay():
    speed = [x for _, numbers in lines("precision_time") for x in numbers[-2:]]
    assert len(speed) == 8 and 0.5 < min(speed) and max(speed) < 1.1
