"""Results that took too long to compute on a page, as `make results` recorded them, one JSON file each.

They lie inside the package so that a notebook finds them wherever it runs, on Colab too. What made `<name>.json` is
`benchmarks/record/<name>.py`.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parent


def recorded(name) -> dict:
    """The recorded result `name`: its "settings", "seeds", "runs" (what was measured, one entry a seed), "versions",
    "cpu_seconds" and "code", a hash of the code that made it.

    Raises FileNotFoundError, with the names that there are, for an unknown one.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        names = (
            ", ".join(sorted(p.stem for p in FOLDER.glob("*.json"))) or "none yet"
        )
        raise FileNotFoundError(
            f"no result is recorded as {name!r}; there is: {names}"
        )
    return json.loads(path.read_text(encoding="utf-8"))
