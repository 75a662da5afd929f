"""lllcourse: the reference implementation of a course on life-long learning and network compression.

The package is read beside the book: a chapter `book/lifelong/04_...` has its code in `lllcourse/lifelong/`.
Importing it is instant, because the modules (and torch with them) are loaded when they are first used.
"""

import os

from ._lazy import lazy

__version__ = "0.1.0"

SCALES = ("smoke", "laptop", "gpu")

#: How much the notebooks compute: "smoke" (seconds, to see that every cell runs), "laptop" (the book),
#: "gpu" (the book, and full data sets on the page that has them). A notebook may assign to it; grades never depend on
#: it.
scale = os.environ.get("LLLCOURSE_SCALE", "laptop")

_NAMES = {
    "checks": (),
    "compare": (),
    "compression": (),
    "data": ("digits",),
    "figures": (),
    "grading": (),
    "lifelong": (),
    "losses": (),
    "masks": (),
    "metrics": (),
    "models": (),
    "notebook": ("claim", "in_words", "keep", "show", "spread", "table"),
    "per_sample": (),
    "results": (),
    "settings": (),
    "tasks": (),
    "training": (),
}
__getattr__, _listed, _handed_on = lazy(__name__, _NAMES)
__all__ = ["SCALES", "at_scale", "choose_scale", "device", "scale", *_handed_on]


def at_scale(*, smoke, laptop, gpu):
    """The value that belongs to the present `lllcourse.scale`.

    >>> at_scale(smoke=1, laptop=3, gpu=10)  # the number of seeds, say
    3

    Raises ValueError where `lllcourse.scale` is none of the three names.
    """
    values = {"smoke": smoke, "laptop": laptop, "gpu": gpu}
    if scale not in values:
        raise ValueError(
            f"lllcourse.scale is {scale!r}; set it to one of {', '.join(map(repr, SCALES))}"
        )
    return values[scale]


def choose_scale():
    """Take the scale "gpu" where there is a GPU, and print scale and device. What LLLCOURSE_SCALE names stays.

    The notebooks on Colab call it. To compute less, set `lllcourse.scale = "laptop"` after it.
    """
    global scale
    if device().type != "cpu" and "LLLCOURSE_SCALE" not in os.environ:
        scale = "gpu"
    print(f'This notebook computes at the scale "{scale}", on {device()}.')


def device():
    """The fastest torch device of this machine that the course can use: a CUDA GPU where there is one, else the CPU.

    A GPU of Apple's (MPS) is not taken: it has no float64, in which training looks for what is not finite, and GEM,
    factoring and the removal of units compute. There, `model.to("mps")` fails at the first of these steps.
    """
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def __dir__():
    return sorted([*globals(), *_listed()])
