"""Whether mixed precision pays on a GPU: `python benchmarks/precision_time.py`, on a machine that has one.

One epoch on made-up images (the time does not depend on what they show): in full precision, with the products in TF32,
and inside `torch.autocast`. Printed are the seconds of full precision, the least of three, and how many times as fast
the others are.
"""

import time
from contextlib import contextmanager, nullcontext
from functools import partial

import torch

from lllcourse import device
from lllcourse.data import Split
from lllcourse.models import MLP, SmallResNet
from lllcourse.training import train

DEVICE = device()
NETWORKS = {  # what makes it, the pixels of an image, the batch size
    "784-100-100-10": (partial(MLP, 784, 100, 100, 10), 784, 32),
    "784-1000-1000-10": (partial(MLP, 784, 1000, 1000, 10), 784, 256),
    "residual, 32-64-128 maps": (partial(SmallResNet, (32, 64, 128), image=(3, 32, 32)), 3072, 128),
    "residual, 128-256-512 maps": (partial(SmallResNet, (128, 256, 512), image=(3, 32, 32)), 3072, 128),
}


@contextmanager
def tf32():
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    yield
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


WAYS = {
    "full": nullcontext,
    "TF32": tf32,
    "bfloat16": lambda: torch.autocast(DEVICE.type, torch.bfloat16),
    "float16": lambda: torch.autocast(DEVICE.type, torch.float16),
}


def seconds(make_model, pixels, batch_size, way, batches=100):
    draws = torch.Generator().manual_seed(0)
    n = batches * batch_size
    split = Split(torch.rand(n, pixels, generator=draws), torch.arange(n) % 10).to(DEVICE)
    best = float("inf")
    for _ in range(3):
        model = make_model().to(DEVICE)
        start = time.perf_counter()
        with way():
            train(model, split, epochs=1, batch_size=batch_size, lr=0.01)  # waits for the device at its end
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    torch.backends.cudnn.allow_tf32 = False  # which torch uses by default in convolutions
    print(f"{torch.cuda.get_device_name() if DEVICE.type == 'cuda' else DEVICE}, torch {torch.__version__}")
    print(f"{'':28}" + "".join(f"{way:>10}" for way in WAYS))
    for name, (make_model, pixels, batch_size) in NETWORKS.items():
        full, *others = [seconds(make_model, pixels, batch_size, way) for way in WAYS.values()]
        print(f"{name:28}{full:8.2f} s" + "".join(f"{full / other:8.2f} x" for other in others), flush=True)
