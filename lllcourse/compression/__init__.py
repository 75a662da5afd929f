"""Network compression: one file a method. `footprint.py` measures what a network costs."""

from .._lazy import lazy

_NAMES = {
    "footprint": ("Footprint",),
    "report": ("Report",),
    "units": ("Units",),
    "pruning": ("iterate", "masked", "prune", "without_masks"),
    "structured": ("activity", "prune_units", "unit_norms", "unit_scores"),
    "storage": ("load", "save"),
    "tickets": ("restart", "rounds", "with_weights"),
    "supermask": ("learn_mask", "signed_constants"),
    "widening": ("widen",),
    "distillation": ("averaged", "soft_labels", "taught"),
    "hints": ("Mapped", "hint"),
    "unseen": ("corrected", "prior", "shift"),
    "quantization": ("quantized",),
    "rounding": ("coded", "rounded"),
    "binary": ("binarized",),
    "clustering": ("kmeans", "share", "without_sharing"),
    "huffman": ("decode", "encode", "entropy"),
    "deep_compression": ("code", "deep_compressed"),
    "budget": ("pruned_to", "within"),
    "low_rank": ("factors",),
    "separable": ("Separable", "separate"),
    "blocks": ("BLOCKS", "BlockNet"),
    "exits": ("ExitNet", "Exits", "all_exits", "leave"),
    "multi_scale": ("MultiScaleNet",),
    "slimmable": ("Slimmable", "all_widths"),
    "adjustable": ("Adjustable", "all_settings"),
    "skipping": ("SkipNet", "priced"),
    "controller": ("choose", "fixed"),
}
__getattr__, __dir__, __all__ = lazy(__name__, _NAMES)
