"""Record the results that are too long for a page: `python -m tools.results [NAME ...]`, all of them by default.

Every module `experiments/<name>.py` has SEEDS, SETTINGS and `run(seed, **SETTINGS)`, which returns plain numbers; or
`run_seeds(seeds, **SETTINGS)`, a list of them, where the seeds are trained together. What is done goes into
`lllcourse/results/<name>.json` at once, so that an interrupted recording goes on where it stopped. A result in families
is a folder: `<name>/<family>`. It is recorded by as many processes as there are cores, the longest first. A result
knows the hash of the code that made it: `--check` says which have grown stale.
"""

import argparse
import importlib
import importlib.metadata
import json
import math
import multiprocessing
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .imports import Repository
from .workers import end_with

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "lllcourse/results"


def names() -> list[str]:
    folder = ROOT / "experiments"
    found = folder.glob("[!_]*.py"), folder.glob("[!_]*/[!_]*.py")
    paths = [path.relative_to(folder) for part in found for path in part]
    return sorted(path.with_suffix("").as_posix() for path in paths)


def load(name: str):
    return importlib.import_module(f"experiments.{name.replace('/', '.')}")


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
    missing = [seed for seed in module.SEEDS if seed not in result["seeds"]]
    together = hasattr(module, "run_seeds")
    for seeds in [missing] if together and missing else [[seed] for seed in missing]:
        start = time.process_time()
        run = module.run_seeds if together else module.run
        runs = run(seeds if together else seeds[0], **module.SETTINGS)
        result["runs"] += runs if together else [runs]
        result["seeds"] += seeds
        result["cpu_seconds"] += round(time.process_time() - start)
        text = json.dumps(result, indent=1, allow_nan=False) + "\n"
        target.parent.mkdir(exist_ok=True)
        new = target.with_suffix(".tmp")
        new.write_text(text, "utf-8")
        new.replace(target)
        print(f"{name}: recorded for seed {', '.join(map(str, seeds))}", flush=True)


def cost(name: str) -> float:
    """The CPU seconds that it took the last time; what is new comes first."""
    target = RESULTS / f"{name}.json"
    return json.loads(target.read_text("utf-8"))["cpu_seconds"] if target.is_file() else math.inf


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
    chosen.sort(key=cost, reverse=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=begin, initargs=(os.getpid(),)) as pool:
        done = [(name, pool.submit(record, name)) for name in chosen]
    failed = {name: run.exception() for name, run in done if run.exception()}
    for name, error in failed.items():
        print(f"{name}: {type(error).__name__}: {error}")
    return int(bool(failed))


def begin(parent):
    import torch

    end_with(parent)
    torch.set_num_threads(1)


if __name__ == "__main__":
    sys.exit(main())
