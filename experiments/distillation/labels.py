"""Soft labels against hard ones, by the number of images and the temperature; with controls on the fewest images.

"teacher": its own accuracy. "labels": {images: {"hard", or the temperature: what `facts` tells}}. "controls": 100
images with the teacher's answers hardened (the largest becomes the label), with labels smoothed by a uniform share that
no teacher chose, and with the soft labels of a LeNet-5, "better", whose own accuracy is "better teacher".
"""

from torch.nn import functional as F

from lllcourse.compression import dense
from lllcourse.compression.distillation import ask, taught

from ._runs import SEEDS, SHARED, TEACHER, facts, few, student

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = SHARED | {
    "temperatures": {"100": [1, 2, 4, 8, 20], "400": [1, 4], "3500": [1, 4]},
    "smoothing": 0.1,
}


def run(seed, sizes, T, epochs, temperatures, smoothing) -> dict:
    teacher = dense.trained(TEACHER, seed)
    labels = {}
    for n, several in temperatures.items():
        how = sizes, seed, few(int(n), seed), epochs[n]
        labels[n] = {"hard": facts(student(*how))}
        for t in several:
            labels[n][str(t)] = facts(student(*how, taught(teacher, T=t)))

    def hardened(model, x, y, active):
        return F.cross_entropy(model(x), ask(teacher, x).argmax(1))

    def smoothed(model, x, y, active):
        return F.cross_entropy(model(x), y, label_smoothing=smoothing)

    better, few_images = dense.trained("LeNet-5", seed), few(100, seed)
    losses = {"hardened": hardened, "smoothed": smoothed, "better": taught(better, T=T)}
    controls = {name: facts(student(sizes, seed, few_images, epochs["100"], loss)) for name, loss in losses.items()}
    controls["better teacher"] = facts(better)
    return {"teacher": facts(teacher), "labels": labels, "controls": controls}
