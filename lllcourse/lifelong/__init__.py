"""Life-long learning: one file a method, in the lecture's order. `method.py` holds the protocol that they share."""

from .agem import AGEM
from .ewc import EWC
from .gem import GEM
from .l2 import L2
from .mas import MAS
from .method import Learned, Method, learn
from .online_ewc import OnlineEWC
from .rwalk import RWalk
from .scp import SCP
from .separate import separate
from .si import SI

__all__ = [
    "AGEM",
    "EWC",
    "GEM",
    "L2",
    "MAS",
    "SCP",
    "SI",
    "Learned",
    "Method",
    "OnlineEWC",
    "RWalk",
    "learn",
    "separate",
]
