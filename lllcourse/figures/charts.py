"""Charts of results: tables as heat maps, curves, bars, surfaces.

Every function takes results and an `ax` (or makes one) and returns it.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from .style import COLOURS, HATCHES, INK, MARKERS, look, to_numpy


def matrix(values, columns, ax=None, *, rows=None, title=None, label=""):
    """A table of numbers in [0, 1] as a heat map with the number in every field.

    values: (rows, columns). columns, rows: names; the rows have those of the columns if not told otherwise.
    label: what the numbers are, below the columns.
    """
    values, rows = to_numpy(values), rows or columns
    ax = (
        ax
        or plt.subplots(figsize=(1.1 * len(columns) + 2, 0.5 * len(rows) + 0.9))[1]
    )
    ax.imshow(values, vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        how = {"ha": "center", "va": "center"}
        ax.text(
            j, i, f"{value:.2f}", color="white" if value < 0.6 else "black", **how
        )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel=label, title=title or "")
    ax.grid(False)
    return ax


def r_table(R, names=None, ax=None, title=None):
    """The R table as a heat map: rows from "untrained" down to "after task T", a column for each task.

    R: (T + 1, T), accuracies in [0, 1]. names: of the tasks. The frame marks the task that has just been learned.
    """
    R = to_numpy(R)
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
    x = to_numpy(x)
    for i, (name, runs) in enumerate(series.items()):
        runs = np.atleast_2d(to_numpy(runs))
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
        runs = np.atleast_2d(to_numpy(runs))
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
    loss = to_numpy(loss)
    steps = np.geomspace(loss.min(), loss.max(), levels)
    filled = ax.contourf(
        to_numpy(xs),
        to_numpy(ys),
        loss,
        levels=steps,
        norm=mpl.colors.LogNorm(),
        cmap="viridis_r",
        alpha=0.85,
    )
    ax.contour(
        to_numpy(xs),
        to_numpy(ys),
        loss,
        levels=steps,
        colors="white",
        linewidths=0.4,
    )
    colour_bar = ax.figure.colorbar(filled, ax=ax, format="%.2g", label=label)
    colour_bar.outline.set_edgecolor(INK)
    ax.set(title=title or "", xticks=[], yticks=[])
    ax.grid(False)
    return ax


def path(points, ax, name, i=0):
    """The way of training over a `surface`. points: (n, 2) in its coordinates; i: which look it takes."""
    points = to_numpy(points)
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
    for point, name in zip(to_numpy(points), names, strict=True):
        ax.plot(*point, "o", color="black", markeredgecolor="white", ms=7, zorder=6)
        how = {
            "textcoords": "offset points",
            "color": "black",
            "bbox": box,
            "zorder": 7,
        }
        ax.annotate(name, point, (8, 6), **how)
    return ax
