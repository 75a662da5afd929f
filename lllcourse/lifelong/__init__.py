"""Life-long learning: one file a method, in the lecture's order. `method.py` holds the protocol that they share."""

from .agem import AGEM
from .cpg import CPG
from .curriculum import best_order, pairwise
from .ewc import EWC
from .gem import GEM
from .generative_replay import GenerativeReplay
from .icarl import ICaRL
from .l2 import L2
from .lwf import LwF
from .mas import MAS
from .method import Learned, Method, learn
from .online_ewc import OnlineEWC
from .packnet import PackNet
from .progressive import Progressive, ProgressiveMLP
from .replay import Replay
from .rwalk import RWalk
from .scp import SCP
from .separate import separate
from .si import SI

__all__ = [
    "AGEM",
    "CPG",
    "EWC",
    "GEM",
    "L2",
    "MAS",
    "SCP",
    "SI",
    "GenerativeReplay",
    "ICaRL",
    "Learned",
    "LwF",
    "Method",
    "OnlineEWC",
    "PackNet",
    "Progressive",
    "ProgressiveMLP",
    "RWalk",
    "Replay",
    "best_order",
    "learn",
    "pairwise",
    "separate",
]
