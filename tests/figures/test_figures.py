"""Figures draw what they are given, and read on light and on dark pages."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lllcourse import figures
from lllcourse.data import digits
from lllcourse.lifelong import ProgressiveMLP


@pytest.fixture(autouse=True)
def styled():
    with mpl.rc_context():
        figures.use_style()
        yield
    plt.close("all")


def luminance(colour):
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#14181e"])
def test_ink_and_lines_stand_out_on_a_light_and_on_a_dark_page(page):
    assert contrast(figures.INK, page) > 4
    assert all(contrast(colour, page) > 1.9 for colour in figures.COLOURS)


def test_looks_differ_in_more_than_colour():
    looks = [figures.look(i) for i in range(6)]
    assert len({str(look["linestyle"]) for look in looks}) == len({look["marker"] for look in looks}) == 6


def test_a_matrix_names_its_columns_and_rows_and_writes_every_number():
    ax = figures.matrix(torch.tensor([[1.0, 0.25], [0.25, 1.0]]), ["SI", "MAS"])
    names = [[t.get_text() for t in labels] for labels in (ax.get_xticklabels(), ax.get_yticklabels())]
    assert names == [["SI", "MAS"], ["SI", "MAS"]]
    assert [t.get_text() for t in ax.texts] == ["1.00", "0.25", "0.25", "1.00"]


def test_the_heat_map_has_a_row_for_each_moment_and_a_column_for_each_task():
    R = torch.tensor([[0.1, 0.2], [0.9, 0.3], [0.5, 0.8]])
    ax = figures.r_table(R, ["A", "B"])
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "untrained",
        "after A",
        "after B",
    ]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["A", "B"]
    assert [t.get_text() for t in ax.texts] == [
        "0.10",
        "0.20",
        "0.90",
        "0.30",
        "0.50",
        "0.80",
    ]
    assert [patch.get_xy() for patch in ax.patches] == [
        (-0.5, 0.5),
        (0.5, 1.5),
    ]  # R[1, 0] and R[2, 1]


def test_curves_draw_the_mean_and_the_range_of_several_runs():
    ax = figures.curves([0, 1], {"one": [0.0, 1.0], "many": [[0.0, 0.2], [1.0, 0.6]]})
    assert ax.lines[1].get_ydata() == pytest.approx([0.5, 0.4])
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == 0.0 and band.max() == 1.0


def test_bars_show_mean_and_range():
    ax = figures.bars(["A", "B"], {"EWC": [[0.2, 0.4], [0.4, 0.8]], "joint": [0.9, 0.9]})
    assert [p.get_height() for p in ax.patches] == pytest.approx([0.3, 0.6, 0.9, 0.9])


def test_every_figure_can_be_drawn(tmp_path):
    figures.images(
        [digits().test.x[:3], digits().test.x[3:5]],
        names=["a", "b"],
        titles=["1", "2", "3"],
    )
    ax = figures.surface(
        np.linspace(0, 1, 5),
        np.linspace(0, 1, 4),
        np.random.default_rng(0).random((4, 5)) + 0.1,
    )
    figures.path([[0, 0], [1, 1]], ax, "training", 1)
    figures.landmarks([[0, 0], [1, 1]], ["start", "end"], ax)
    figures.cycle(["train", "deploy", "watch"], centre="again")
    figures.tree("methods", {"one": ["a", "b"], "two": ["c"]})
    for number in plt.get_fignums():
        plt.figure(number).savefig(tmp_path / f"{number}.svg")
        assert (tmp_path / f"{number}.svg").stat().st_size > 1000


def test_the_same_figure_gives_the_same_file(tmp_path):
    for name in "ab":
        figures.curves([0, 1, 2], {"x": [0, 1, 0]}).figure.savefig(tmp_path / f"{name}.svg", metadata={"Date": None})
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_cone_shades_what_meets_every_constraint_and_draws_every_arrow():
    G = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    ax = figures.cone(G, {"g": torch.tensor([1.0, -2.0]), "zero": torch.zeros(2)})
    assert {text.get_text() for text in ax.texts} >= {"g", "zero"}
    assert len(ax.lines) == 2
    (shaded,) = ax.collections
    corners = np.concatenate([path.vertices for path in shaded.get_paths()])
    assert corners.min() > -0.02 and corners.max() > 2


def test_columns_have_an_arrow_for_every_weight_matrix():
    net = ProgressiveMLP(5, 4, 3, 2)
    for _ in range(2):
        net.grow()
    ax = figures.columns(net)
    texts = [text.get_text() for text in ax.texts]
    assert "5 inputs" in texts and texts.count("4") == 3
    arrows = [a.arrow_patch for a in ax.texts if getattr(a, "arrow_patch", None)]
    solid, dashed = (sum(arrow.get_linestyle() == style for arrow in arrows) for style in ("solid", "--"))
    adapters = sum(len(own) for c in net.columns for own in c.adapters)
    assert (solid, dashed) == (9, adapters) == (9, 6)


def test_owners_leaves_free_weights_blank_and_names_the_tasks():
    maps = [torch.tensor([[0, 1], [1, 0]]), torch.tensor([[2, 1], [1, 0]])]
    axes = figures.owners(maps, ["after task 1", "after task 2"])
    shown = axes[0].images[0].get_array()
    assert shown.mask.tolist() == [[True, False], [False, True]]
    colours = axes[1].images[0].to_rgba(axes[1].images[0].get_array())[..., :3]
    assert mpl.colors.to_hex(colours[0, 0]) == figures.COLOURS[1]
    assert mpl.colors.to_hex(colours[0, 1]) == figures.COLOURS[0]
    names = [text.get_text() for text in axes[-1].get_legend().get_texts()]
    assert names == ["task 1", "task 2"]
