"""The course's benchmarks: what is trained on what, and how, where a page has no reason for anything else.

Every row holds what its tasks are made from, the widths of the network (`MLP(*sizes)`) and how `learn` trains it. The
recorded results are made with them: `experiments/`.
"""

#: Five permutations of the pixels.
PERMUTED = {
    "T": 5,
    "sizes": [784, 100, 100, 10],
    "train": {"epochs": 5, "batch_size": 32, "lr": 0.1},
}
#: Digits turned further and further.
ROTATED = {
    "angles": [0, 30, 60, 90, 120],
    "sizes": [784, 100, 100, 10],
    "train": {"epochs": 3, "batch_size": 32, "lr": 0.1},
}
#: Five pairs of digits, in the three scenarios.
SPLIT = {
    "sizes": [784, 100, 100, 10],
    "train": {"epochs": 5, "batch_size": 32, "lr": 0.1},
}
#: Noisy digits, then clean ones: the first example of the lecture.
NOISY_THEN_CLEAN = {
    "noise": 0.2,
    "sizes": [784, 50, 50, 50, 10],
    "train": {"epochs": 10, "batch_size": 64, "optimizer": "adam", "lr": 0.003},
}
#: Twenty kinds of questions: the second example of the lecture. The network is a `Reader`.
QUESTIONS = {
    "T": 20,
    "stories": 800,
    "train": {"epochs": 10, "batch_size": 80, "optimizer": "adam", "lr": 0.002},
}
