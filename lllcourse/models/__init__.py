"""The networks of the course. Each takes images, or stories as tokens, and returns one output (logit) a class.

The initial weights depend on `seed` alone, not on what was drawn before.
"""

from .._lazy import lazy

_NAMES = {
    "mlp": ("MLP", "network"),
    "lenet": ("LeNet5",),
    "residual": ("SmallResNet",),
    "vae": ("VAE",),
    "reader": ("Block", "Reader"),
    "initial": ("draw",),
}
__getattr__, __dir__, __all__ = lazy(__name__, _NAMES)
