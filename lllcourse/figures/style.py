"""The look of the course's figures: one matplotlib style, colours, dashes and markers.

Backgrounds are transparent and the ink is a middle grey, so a figure reads on a light and on a dark page; lines differ
in dash and marker as well as in colour.
"""

import matplotlib as mpl
import numpy as np
import torch
from cycler import cycler

INK = (
    "#7d7d7d"  # contrast about 4:1 both on white and on the dark theme's background
)
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


def to_numpy(values):
    return (
        values.detach().cpu().numpy()
        if isinstance(values, torch.Tensor)
        else np.asarray(values)
    )
