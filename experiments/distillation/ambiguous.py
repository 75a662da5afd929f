"""The test images of which the teacher is least sure, with its logits: the soft labels at any temperature follow."""

from lllcourse.compression import dense
from lllcourse.compression.distillation import ask
from lllcourse.data import digits

from ._runs import SEEDS, TEACHER

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {"images": 12}


def run(seed, images) -> dict:
    """ "ambiguous": of each image its number among the test images, its label, and the teacher's ten logits."""
    teacher, test = dense.trained(TEACHER, seed), digits().test
    v = ask(teacher, test.x)
    q = v.softmax(1)
    entropy = -(q * q.clamp(min=1e-30).log()).sum(1)
    chosen = entropy.argsort(descending=True)[:images].tolist()
    found = [{"image": i, "label": test.y[i].item(), "logits": [round(x, 4) for x in v[i].tolist()]} for i in chosen]
    return {"ambiguous": found}
