"""Life-long learning: one file a method. `method.py` holds the protocol that they share, and `learn`."""

from .._lazy import lazy

_NAMES = {
    "method": ("Method", "learn"),
    "recorder": ("Learned",),
    "seeds": ("learn_seeds",),
    "separate_models": ("separate",),
    "anchored": (),
    "l2": ("L2",),
    "ewc": ("EWC",),
    "online_ewc": ("OnlineEWC",),
    "si": ("SI",),
    "mas": ("MAS",),
    "rwalk": ("RWalk",),
    "scp": ("SCP",),
    "memory": (),
    "gem": ("GEM",),
    "agem": ("AGEM",),
    "progressive": ("Progressive", "ProgressiveMLP"),
    "packnet": ("PackNet",),
    "cpg": ("CPG",),
    "replay": ("Replay",),
    "quantized_replay": ("QuantizedReplay",),
    "generative_replay": ("GenerativeReplay",),
    "lwf": ("LwF",),
    "icarl": ("ICaRL",),
    "curriculum": ("best_order", "pairwise"),
}
__getattr__, __dir__, __all__ = lazy(__name__, _NAMES)
