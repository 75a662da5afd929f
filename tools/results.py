"""Record the results that are too long for a page: `python -m tools.results [NAME ...]`, all of them by default.

Every module `experiments/<name>.py` has SEEDS, SETTINGS and `run(seed, **SETTINGS)`, which returns plain numbers.
Each run goes into `lllcourse/results/<name>.json` as soon as it is done, so that an interrupted recording goes on where
it stopped. A result knows the hash of the code that made it: `--check` says which have grown stale.
"""

import argparse
import importlib
import importlib.metadata
import json
import platform
import sys
import time
from pathlib import Path

from .imports import Repository

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "lllcourse/results"


def names() -> list[str]:
    return sorted(path.stem for path in ROOT.glob("experiments/[!_]*.py"))


def load(name: str):
    return importlib.import_module(f"experiments.{name}")


def code_hash(name: str, repository: Repository) -> str:
    """Hash of what an experiment computes with: its code, all that it imports, and the locked versions of libraries."""
    return repository.key(repository.root / f"experiments/{name}.py", text=False)


def versions() -> dict:
    libraries = {name: importlib.metadata.version(name).split("+")[0] for name in ("torch", "numpy")}
    return {"python": platform.python_version()} | libraries


def record(name: str) -> None:
    target, module, code = RESULTS / f"{name}.json", load(name), code_hash(name, Repository(ROOT))
    settings = json.loads(json.dumps(module.SETTINGS))  # as they will be read
    result = {"settings": settings, "code": code, "versions": versions()}
    result |= {"seeds": [], "runs": [], "cpu_seconds": 0}
    if target.is_file():
        old = json.loads(target.read_text("utf-8"))
        if all(old[key] == result[key] for key in ("settings", "code", "versions")):
            result = old
    for seed in module.SEEDS:
        if seed in result["seeds"]:
            continue
        start = time.process_time()
        result["runs"].append(module.run(seed, **module.SETTINGS))
        result["seeds"].append(seed)
        result["cpu_seconds"] += round(time.process_time() - start)
        text = json.dumps(result, indent=1, allow_nan=False) + "\n"
        new = target.with_suffix(".tmp")
        new.write_text(text, "utf-8")
        new.replace(target)
        print(f"{name}: seed {seed} is recorded", flush=True)


def stale(names: list[str]) -> dict[str, str]:
    """For each result that is missing, incomplete, or made by other code, a sentence that says so."""
    found, repository = {}, Repository(ROOT)
    for name in names:
        target = RESULTS / f"{name}.json"
        result = json.loads(target.read_text("utf-8")) if target.is_file() else {}
        if result.get("code") != code_hash(name, repository):
            found[name] = f"{name}: made by other code than there is now; run make results"
        elif set(result["seeds"]) < set(load(name).SEEDS):
            found[name] = f"{name}: seeds are missing; run make results"
    return found


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(names())
    if unknown:
        parser.error(f"no such result: {', '.join(unknown)}; there is {', '.join(names())}")
    chosen = arguments.names or names()
    if arguments.check:
        found = stale(chosen)
        for line in found.values():
            print(line)
        return int(bool(found))
    import torch

    torch.set_num_threads(1)
    for name in chosen:
        record(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
