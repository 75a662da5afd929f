"""The course's figures: one style, and one function a kind of figure."""

from .._lazy import lazy

_NAMES = {
    "style": (
        "COLOURS",
        "DASHES",
        "HATCHES",
        "INK",
        "MARKERS",
        "STYLE",
        "look",
        "use_style",
    ),
    "charts": (
        "bars",
        "curves",
        "landmarks",
        "matrix",
        "path",
        "r_table",
        "surface",
    ),
    "plane": ("Plane", "position"),
    "drawings": ("columns", "cone", "cycle", "images", "owners", "tree"),
}
__getattr__, __dir__, __all__ = lazy(__name__, _NAMES)
