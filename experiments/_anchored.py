"""The methods that anchor weights, by their names on the pages; each is made from its lambda."""

from lllcourse.lifelong.ewc import EWC
from lllcourse.lifelong.l2 import L2
from lllcourse.lifelong.mas import MAS
from lllcourse.lifelong.online_ewc import OnlineEWC
from lllcourse.lifelong.rwalk import RWalk
from lllcourse.lifelong.scp import SCP
from lllcourse.lifelong.si import SI

ANCHORED = {
    "L2": L2,
    "EWC": EWC,
    "online EWC": OnlineEWC,
    "SI": SI,
    "MAS": MAS,
    "RWalk": RWalk,
    "SCP": SCP,
}
