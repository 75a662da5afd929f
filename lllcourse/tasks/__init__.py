"""Sequences of tasks, the scenarios to learn them in, and the tiny stories of the question-answering tasks."""

from .._lazy import lazy

_NAMES = {
    "sequences": (
        "PAIRS",
        "Split",
        "Task",
        "digits",
        "noisy_then_clean",
        "permuted",
        "rotated",
        "split",
    ),
    "datasets": ("DATASETS", "dataset"),
    "scenarios": ("SCENARIOS", "active_outputs", "check_tasks", "relabelled"),
    "stories": ("questions",),
}
__getattr__, __dir__, __all__ = lazy(__name__, _NAMES)
