"""The course's figures: one matplotlib style and one function a kind of figure.

Every function takes results and an `ax` (or makes one) and returns it. Backgrounds are transparent and the ink is a
middle grey, so a figure reads on a light and on a dark page; lines differ in dash and marker as well as in colour.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler

INK = "#7d7d7d"  # contrast about 4:1 both on white and on the dark theme's background
# Okabe and Ito's colours, which the colour-blind can tell apart
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
HATCHES = ("", "//", "..", "xx", "\\\\", "++")

STYLE = {
    "figure.figsize": (6.4, 3.6),
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=DASHES),
    "grid.color": INK,
    "grid.alpha": 0.25,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "image.cmap": "viridis",
    "savefig.facecolor": "none",
    "svg.hashsalt": "lllcourse",  # the same figure gives the same file
}


def use_style():
    """Make the course's style the default of this session, and sharp SVG the format of a notebook's figures."""
    mpl.rcParams.update(STYLE)
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg")


def look(i):
    """Colour, dash and marker of the i-th thing that is compared (0, 1, ...), as keywords for `plot`."""
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": DASHES[i % len(DASHES)],
        "marker": MARKERS[i % len(MARKERS)],
    }


def images(rows, names=None, titles=None, axes=None):
    """A grid of digits, one row of pictures for each entry of `rows`.

    rows: a list of tensors (n, 784) or (n, 28, 28) with values in [0, 1]. names: a label for each row.
    titles: a title for each column. Returns the array of axes (rows, n).
    """
    height, width = len(rows), max(len(row) for row in rows)
    if axes is None:
        _, axes = plt.subplots(
            height, width, figsize=(0.75 * width + 1.2, 0.8 * height), squeeze=False
        )
    for r, row in enumerate(rows):
        for c in range(width):
            ax = axes[r, c]
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.spines[:].set_visible(False)
            if c < len(row):
                ax.imshow(_numpy(row[c]).reshape(28, 28), cmap="gray", vmin=0, vmax=1)
            if titles and r == 0 and c < len(titles):
                ax.set_title(titles[c])
        if names:
            axes[r, 0].set_ylabel(names[r], rotation=0, ha="right", va="center")
    return axes


def matrix(values, columns, ax=None, *, rows=None, title=None, label=""):
    """A table of numbers in [0, 1] as a heat map with the number in every field.

    values: (rows, columns). columns, rows: names; the rows have those of the columns if not told otherwise.
    label: what the numbers are, below the columns.
    """
    values, rows = _numpy(values), rows or columns
    ax = ax or plt.subplots(figsize=(1.1 * len(columns) + 2, 0.5 * len(rows) + 0.9))[1]
    ax.imshow(values, vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        how = {"ha": "center", "va": "center"}
        ax.text(j, i, f"{value:.2f}", color="white" if value < 0.6 else "black", **how)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel=label, title=title or "")
    ax.grid(False)
    return ax


def r_table(R, names=None, ax=None, title=None):
    """The R table as a heat map: rows from "untrained" down to "after task T", a column for each task.

    R: (T + 1, T), accuracies in [0, 1]. names: of the tasks. The frame marks the task that has just been learned.
    """
    R = _numpy(R)
    T = R.shape[1]
    names = names or [str(j) for j in range(1, T + 1)]
    moments = ["untrained", *(f"after {name}" for name in names)]
    label = "accuracy on the test images of task"
    ax = matrix(R, names, ax, rows=moments, title=title, label=label)
    for i in range(1, T + 1):
        frame = plt.Rectangle((i - 1.5, i - 0.5), 1, 1, fill=False)
        frame.set(edgecolor=COLOURS[1], linewidth=2)
        ax.add_patch(frame)
    return ax


def curves(x, series, ax=None, *, xlabel="", ylabel="accuracy", boundaries=()):
    """Lines over x, one for each name in `series`; where a series holds several runs, their mean and their range.

    x: (points,). series: a dict from name to (points,) or (runs, points). boundaries: vertical lines, as for the steps
    at which a new task begins.
    """
    ax = ax or plt.subplots()[1]
    x = _numpy(x)
    for i, (name, runs) in enumerate(series.items()):
        runs = np.atleast_2d(_numpy(runs))
        style = look(i) | ({"marker": ""} if len(x) > 25 else {"markersize": 5})
        ax.plot(x, runs.mean(0), label=name, **style)
        if len(runs) > 1:
            ax.fill_between(
                x,
                runs.min(0),
                runs.max(0),
                color=style["color"],
                alpha=0.2,
                linewidth=0,
            )
    for boundary in boundaries:
        ax.axvline(boundary, color=INK, linestyle=":", linewidth=1)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(series) > 1:
        ax.legend()
    return ax


def bars(groups, series, ax=None, *, ylabel="accuracy", ylim=(0, 1)):
    """Bars side by side: a group for each name in `groups`, in it a bar for each name in `series`.

    series: a dict from name to (groups,) or (runs, groups); with several runs the bar is their mean, the line their
    range.
    """
    ax = ax or plt.subplots()[1]
    width = 0.8 / len(series)
    for i, (name, runs) in enumerate(series.items()):
        runs = np.atleast_2d(_numpy(runs))
        mean = runs.mean(0)
        spread = (
            np.stack([mean - runs.min(0), runs.max(0) - mean])
            if len(runs) > 1
            else None
        )
        place = np.arange(len(groups)) + (i - (len(series) - 1) / 2) * width
        ax.bar(
            place,
            mean,
            width * 0.92,
            yerr=spread,
            label=name,
            color=COLOURS[i],
            hatch=HATCHES[i],
            edgecolor="white",
            linewidth=0,
            error_kw={"ecolor": INK, "capsize": 3},
        )
    ax.set_xticks(range(len(groups)), groups)
    ax.set(ylabel=ylabel, ylim=ylim)
    ax.grid(False, axis="x")
    if len(series) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def surface(xs, ys, loss, ax=None, *, levels=14, title=None, label="loss"):
    """Contours of a loss over a plane, on a logarithmic scale. xs: (a,), ys: (b,), loss: (b, a), positive."""
    ax = ax or plt.subplots(figsize=(5, 4))[1]
    loss = _numpy(loss)
    steps = np.geomspace(loss.min(), loss.max(), levels)
    filled = ax.contourf(
        _numpy(xs),
        _numpy(ys),
        loss,
        levels=steps,
        norm=mpl.colors.LogNorm(),
        cmap="viridis_r",
        alpha=0.85,
    )
    ax.contour(
        _numpy(xs), _numpy(ys), loss, levels=steps, colors="white", linewidths=0.4
    )
    colour_bar = ax.figure.colorbar(filled, ax=ax, format="%.2g", label=label)
    colour_bar.outline.set_edgecolor(INK)
    ax.set(title=title or "", xticks=[], yticks=[])
    ax.grid(False)
    return ax


def path(points, ax, name, i=0):
    """The way of training over a `surface`. points: (n, 2) in its coordinates; i: which look it takes."""
    points = _numpy(points)
    style = look(i) | {"marker": ""}
    ax.plot(*points.T, color="white", lw=3.4, zorder=3)
    ax.plot(*points.T, **style, label=name, zorder=4)
    ax.plot(
        *points[-1],
        marker=MARKERS[i],
        color=style["color"],
        markeredgecolor="white",
        ms=9,
        zorder=5,
    )
    return ax


def landmarks(points, names, ax):
    """Named places on a `surface`. points: (n, 2) in its coordinates; names: a short text for each."""
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75}
    for point, name in zip(_numpy(points), names, strict=True):
        ax.plot(*point, "o", color="black", markeredgecolor="white", ms=7, zorder=6)
        how = {
            "textcoords": "offset points",
            "color": "black",
            "bbox": box,
            "zorder": 7,
        }
        ax.annotate(name, point, (8, 6), **how)
    return ax


def cone(G, arrows, ax=None, *, reach=2.5):
    """The plane of two weights: shaded, where no row of G is contradicted; dotted, the edge of each constraint.

    G: (t, 2). The region holds the x with G x >= 0. arrows: a dict from name to a vector (2,), drawn from the origin.
    """
    ax, G = ax or plt.subplots(figsize=(3.6, 3.6))[1], _numpy(G)
    line = np.linspace(-reach, reach, 401)
    inside = (np.stack(np.meshgrid(line, line), -1) @ G.T >= 0).all(-1)
    ax.contourf(line, line, inside, levels=[0.5, 1.5], colors=[INK], alpha=0.2)
    for row in G:
        ax.axline((0, 0), (-row[1], row[0]), color=INK, linestyle=":", linewidth=1.2)
    for i, (name, tip) in enumerate(arrows.items()):
        tip, style = _numpy(tip), look(i)
        del style["marker"]  # an arrow has none
        ax.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "lw": 2} | style)
        ax.annotate(
            name,
            tip,
            8 * tip / np.hypot(*tip).clip(1e-9),
            textcoords="offset points",
            color=style["color"],
            ha="center",
            va="center",
        )
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
    ax.set_aspect("equal")
    ax.grid(False)
    return ax


def cycle(steps, ax=None, *, centre=""):
    """A loop of named steps with arrows between them, clockwise from the top. steps: a list of short texts."""
    ax = ax or plt.subplots(figsize=(5.6, 3.8))[1]
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(steps)) / len(steps)
    xy = np.stack([1.55 * np.cos(angles), np.sin(angles)], 1)
    box = {
        "boxstyle": "round,pad=0.5",
        "facecolor": "none",
        "edgecolor": COLOURS[0],
        "linewidth": 1.5,
    }
    texts = [
        ax.text(*p, s, ha="center", va="center", bbox=box)
        for p, s in zip(xy, steps, strict=True)
    ]
    for here, there in zip(texts, [*texts[1:], texts[0]], strict=True):
        arrow = {
            "arrowstyle": "-|>",
            "connectionstyle": "arc3,rad=-0.15",
            "color": INK,
            "lw": 1.4,
            "patchA": here.get_bbox_patch(),
            "patchB": there.get_bbox_patch(),
            "shrinkA": 6,
            "shrinkB": 6,
        }
        ax.annotate("", there.get_position(), here.get_position(), arrowprops=arrow)
    ax.text(0, 0, centre, ha="center", va="center")
    ax.set(xlim=(-2.4, 2.4), ylim=(-1.4, 1.4))
    ax.axis("off")
    return ax


def tree(root, branches, ax=None):
    """A root, its named branches and the leaves of each, drawn from left to right.

    branches: a dict from name to a list of short texts; a name may hold a line break.
    """
    # a row for each leaf, and a free one between two branches
    rows = sum(map(len, branches.values())) + len(branches) - 1
    ax = ax or plt.subplots(figsize=(6.4, 0.29 * rows))[1]
    line, top, middles = {"color": INK, "linestyle": "-", "linewidth": 1.2}, 0.0, []
    for i, (name, leaves) in enumerate(branches.items()):
        ys = top - np.arange(len(leaves))
        top, middle = ys[-1] - 2, ys.mean()
        for leaf, y in zip(leaves, ys, strict=True):
            ax.plot([3.5, 4.1, 4.3], [middle, y, y], **line)
            ax.text(4.4, y, leaf, va="center")
        ax.add_patch(
            plt.Rectangle(
                (1, middle - 0.85), 2.5, 1.7, fill=False, ec=COLOURS[i], lw=1.5
            )
        )
        ax.text(2.25, middle, name, ha="center", va="center")
        middles.append(middle)
    for middle in middles:
        ax.plot([0.35, 0.8, 1], [np.mean(middles), middle, middle], **line)
    ax.text(0.15, np.mean(middles), root, rotation=90, ha="center", va="center")
    ax.set(xlim=(0, 7.5), ylim=(top + 1, 1))
    ax.axis("off")
    return ax


def columns(net, ax=None):
    """The layers of a `ProgressiveMLP`: a box with its width for each, and an arrow for every weight matrix.

    Arrows within a column are solid; dashed ones are adapters, by which a column reads an older one.
    """
    T, sizes = len(net.columns), net.sizes
    ax = ax or plt.subplots(figsize=(1.7 * T + 1.6, 0.9 * len(sizes)))[1]
    solid = {"arrowstyle": "-|>", "color": INK, "lw": 1.4, "shrinkA": 16, "shrinkB": 16}
    for k, column in enumerate(net.columns):
        colour = COLOURS[k % len(COLOURS)]
        dashed = solid | {"linestyle": "--", "color": colour}
        box = {"boxstyle": "round,pad=0.4", "fc": "none", "ec": colour, "lw": 1.5}
        for i, width in enumerate(sizes[1:], 1):
            ax.annotate(
                "", (k, i), (k if i > 1 else (T - 1) / 2, i - 1), arrowprops=solid
            )
            for j in range(len(column.adapters[i - 2]) if i > 1 else 0):
                ax.annotate("", (k, i), (j, i - 1), arrowprops=dashed)
            ax.text(k, i, width, ha="center", va="center", bbox=box)
        ax.text(k, len(sizes) - 0.35, f"task {k + 1}", ha="center", color=colour)
    box = {"boxstyle": "round,pad=0.4", "fc": "none", "ec": INK}
    ax.text((T - 1) / 2, 0, f"{sizes[0]} inputs", ha="center", va="center", bbox=box)
    ax.set(xlim=(-0.6, T - 0.4), ylim=(-0.4, len(sizes)))
    ax.axis("off")
    return ax


def owners(maps, titles, axes=None):
    """Which task owns each weight: a picture for every entry of `maps`, a colour a task, blank where it is free.

    maps: a list of integer tensors (rows, columns), 0 for a free weight, k for task k's. titles: of the pictures.
    Returns the array of axes.
    """
    maps = [_numpy(owner) for owner in maps]
    T = max(int(owner.max()) for owner in maps)
    colours = [COLOURS[k % len(COLOURS)] for k in range(T)]
    if axes is None:
        size = 1.45 * len(maps) + 1, 1.9
        axes = plt.subplots(1, len(maps), figsize=size, squeeze=False)[1][0]
    for ax, owner, title in zip(axes, maps, titles, strict=True):
        ax.imshow(
            np.ma.masked_equal(owner, 0),
            cmap=mpl.colors.ListedColormap(colours),
            vmin=0.5,
            vmax=T + 0.5,
            interpolation="nearest",
        )
        ax.set(title=title, xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
        ax.grid(False)
    patches = [
        mpl.patches.Patch(color=c, label=f"task {k}") for k, c in enumerate(colours, 1)
    ]
    axes[-1].legend(handles=patches, loc="center left", bbox_to_anchor=(1, 0.5))
    return axes


def _numpy(values):
    return (
        values.detach().cpu().numpy()
        if isinstance(values, torch.Tensor)
        else np.asarray(values)
    )
