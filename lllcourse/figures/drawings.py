"""Pictures of things: digits, networks, loops, the geometry of a step.

Every function takes results and an `ax` (or makes one) and returns it.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from .style import COLOURS, INK, look, to_numpy


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
                ax.imshow(
                    to_numpy(row[c]).reshape(28, 28), cmap="gray", vmin=0, vmax=1
                )
            if titles and r == 0 and c < len(titles):
                ax.set_title(titles[c])
        if names:
            axes[r, 0].set_ylabel(names[r], rotation=0, ha="right", va="center")
    return axes


def cone(G, arrows, ax=None, *, reach=2.5):
    """The plane of two weights: shaded, where no row of G is contradicted; dotted, the edge of each constraint.

    G: (t, 2). The region holds the x with G x >= 0. arrows: a dict from name to a vector (2,), drawn from the origin.
    """
    ax, G = ax or plt.subplots(figsize=(3.6, 3.6))[1], to_numpy(G)
    line = np.linspace(-reach, reach, 401)
    inside = (np.stack(np.meshgrid(line, line), -1) @ G.T >= 0).all(-1)
    ax.contourf(line, line, inside, levels=[0.5, 1.5], colors=[INK], alpha=0.2)
    for row in G:
        ax.axline(
            (0, 0), (-row[1], row[0]), color=INK, linestyle=":", linewidth=1.2
        )
    for i, (name, tip) in enumerate(arrows.items()):
        tip, style = to_numpy(tip), look(i)
        del style["marker"]  # an arrow has none
        ax.annotate(
            "", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "lw": 2} | style
        )
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
    solid = {
        "arrowstyle": "-|>",
        "color": INK,
        "lw": 1.4,
        "shrinkA": 16,
        "shrinkB": 16,
    }
    for k, column in enumerate(net.columns):
        colour = COLOURS[k % len(COLOURS)]
        dashed = solid | {"linestyle": "--", "color": colour}
        box = {"boxstyle": "round,pad=0.4", "fc": "none", "ec": colour, "lw": 1.5}
        for i, width in enumerate(sizes[1:], 1):
            # an arrow from the inputs begins above their wide box, not behind it
            below = (k, i - 1) if i > 1 else ((T - 1 + k) / 3, 0.15)
            ax.annotate("", (k, i), below, arrowprops=solid)
            for j in range(len(column.adapters[i - 2]) if i > 1 else 0):
                ax.annotate("", (k, i), (j, i - 1), arrowprops=dashed)
            ax.text(k, i, width, ha="center", va="center", bbox=box)
        ax.text(k, len(sizes) - 0.35, f"task {k + 1}", ha="center", color=colour)
    box = {"boxstyle": "round,pad=0.4", "fc": "none", "ec": INK}
    ax.text(
        (T - 1) / 2, 0, f"{sizes[0]} inputs", ha="center", va="center", bbox=box
    )
    ax.set(xlim=(-0.6, T - 0.4), ylim=(-0.4, len(sizes)))
    ax.axis("off")
    return ax


def owners(maps, titles, axes=None):
    """Which task owns each weight: a picture for every entry of `maps`, a colour a task, blank where it is free.

    maps: a list of integer tensors (rows, columns), 0 for a free weight, k for task k's. titles: of the pictures.
    Returns the array of axes.
    """
    maps = [to_numpy(owner) for owner in maps]
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
        mpl.patches.Patch(color=c, label=f"task {k}")
        for k, c in enumerate(colours, 1)
    ]
    axes[-1].legend(handles=patches, loc="center left", bbox_to_anchor=(1, 0.5))
    return axes
