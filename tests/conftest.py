"""Settings that all tests share: one thread, so that results repeat, and no windows."""

import matplotlib
import torch

matplotlib.use("Agg")
torch.set_num_threads(1)
