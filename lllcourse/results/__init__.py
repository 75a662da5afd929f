"""Results that took too long to compute on a page, as `make results` recorded them, one JSON file each.

They lie inside the package so that a notebook finds them wherever it runs, on Colab too. What made `<name>.json` is
`experiments/<name>.py`.
"""

import json
from pathlib import Path

import torch

FOLDER = Path(__file__).parent


def recorded(name) -> dict:
    """The recorded result `name`: its "settings", "seeds", "runs" (what was measured, one entry a seed), "versions",
    "cpu_seconds" and "code", a hash of the code that made it.

    A result in families, a folder of files, is read as one: runs and settings hold those of all.

    Raises FileNotFoundError, with the names that there are, for an unknown one.
    """
    path = FOLDER / f"{name}.json"
    parts = [path] if path.is_file() else sorted(FOLDER.glob(f"{name}/*.json"))
    if not parts:
        names = {p.relative_to(FOLDER).parts[0] for p in FOLDER.glob("**/*.json")}
        there = ", ".join(sorted(n.removesuffix(".json") for n in names))
        raise FileNotFoundError(
            f"no result is recorded as {name!r}; there is: {there or 'none yet'}"
        )
    return _as_one([json.loads(part.read_text(encoding="utf-8")) for part in parts])


def _as_one(families):
    first, *others = families
    for other in others:
        if other["seeds"] != first["seeds"]:
            raise ValueError(
                f"families were recorded with different seeds, {first['seeds']} and {other['seeds']}: run make results"
            )
        first["cpu_seconds"] += other["cpu_seconds"]
        for both in ("settings", "runs"):
            _add(first[both], other[both])
    return first


def _add(found, more):
    """Put what `more` holds into `found`, dictionaries and lists of dictionaries alike."""
    for key, value in more.items() if isinstance(more, dict) else enumerate(more):
        if isinstance(more, dict) and not isinstance(found.get(key), dict):
            found[key] = value
        elif isinstance(value, dict):
            _add(found[key], value)


def over_seeds(record, *keys):
    """One number of a record for each of its seeds, (seeds,), float64. keys: the way to it in every run.

    >>> over_seeds({"runs": [{"EWC": {"10": 0.9}}, {"EWC": {"10": 0.8}}]}, "EWC", "10")
    tensor([0.9000, 0.8000], dtype=torch.float64)

    Raises KeyError, naming what there is, for a key that a run does not have.
    """
    numbers = []
    for place in record["runs"]:
        for key in keys:
            if key not in place:
                raise KeyError(
                    f"no {key!r} in the record; there is: {', '.join(place)}"
                )
            place = place[key]
        numbers.append(place)
    return torch.tensor(numbers, dtype=torch.float64)


def best_setting(record, *keys, by="validation"):
    """The setting of a record with the best mean over its seeds, a choice made on the validation images.

    keys: the way to the settings in every run, a dict from each to its facts. by: the fact that is compared.

    >>> run = {"EWC": {"1": {"validation": 0.8}, "10": {"validation": 0.9}}}
    >>> best_setting({"runs": [run]}, "EWC")
    '10'
    """
    settings = record["runs"][0]
    for key in keys:
        settings = settings[key]
    return max(settings, key=lambda s: over_seeds(record, *keys, s, by).mean())
