"""Record the results that are too long for a page: `python -m tools.results [NAME ...]`, all of them by default.

Every module `experiments/<name>.py` has SEEDS, SETTINGS and `run(seed, **SETTINGS)`, which returns plain numbers; or
`run_seeds(seeds, **SETTINGS)`, a list of them, where the seeds are trained together. What is done goes into
`lllcourse/results/<name>.json` at once, so that an interrupted recording goes on where it stopped. A result in families
is a folder: `<name>/<family>`. It is recorded by as many processes as there are cores, the longest first. A result
knows the hash of the code that made it: `--check` says which have grown stale. After a change that should move no
number, `--carry COMMIT` keeps the results that the code of COMMIT made, where both codes give the same for one seed.
"""

import argparse
import importlib
import importlib.metadata
import json
import math
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .imports import Repository
from .workers import end_with

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "lllcourse/results"
FIRST_RUN = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
seed = module.SEEDS[0]
several = hasattr(module, "run_seeds")
run = module.run_seeds([seed], **module.SETTINGS)[0] if several else module.run(seed, **module.SETTINGS)
print(json.dumps(run))
"""


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
        write(target, result)
        print(f"{name}: recorded for seed {', '.join(map(str, seeds))}", flush=True)


def write(target: Path, result: dict) -> None:
    target.parent.mkdir(exist_ok=True)
    new = target.with_suffix(".tmp")
    new.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", "utf-8")
    new.replace(target)


def first_run(name: str, root: Path) -> dict:
    """The plain numbers of an experiment's first seed, as the code under `root` computes them."""
    command = [sys.executable, "-c", FIRST_RUN, f"experiments.{name.replace('/', '.')}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # torch's threads, as in begin()
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the experiment fails under {root}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def without(keys: set, found):
    """Plain numbers without what stands under these keys, at any depth."""
    if isinstance(found, dict):
        return {key: without(keys, value) for key, value in found.items() if key not in keys}
    return [without(keys, value) for value in found] if isinstance(found, list) else found


def carry(name: str, old: Path) -> str:
    """Let a stale result keep its numbers, which the code under `old` made, if present code gives the same for the
    first seed, to the last bit: the same as is recorded or, on a processor that rounds otherwise, as the old code here.
    What a clock measured is left out: `cpu_seconds`, and the keys that an experiment calls TIMES.
    """
    target = RESULTS / f"{name}.json"
    result = json.loads(target.read_text("utf-8"))
    if result["code"] != code_hash(name, Repository(old)):
        return f"{name}: was not made by that code either; run make results"
    if result["settings"] != json.loads(json.dumps(load(name).SETTINGS)) or result["seeds"] != [*load(name).SEEDS]:
        return f"{name}: has other settings or seeds now; run make results"
    times = {"cpu_seconds", *getattr(load(name), "TIMES", ())}
    here = without(times, first_run(name, ROOT))
    if here != without(times, result["runs"][0]) and here != without(times, first_run(name, old)):
        return f"{name}: the numbers of the first seed are others now; run make results"
    write(target, result | {"code": code_hash(name, Repository(ROOT))})
    return ""


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
    parser.add_argument("--carry", metavar="COMMIT", help="keep results that COMMIT made and present code makes again")
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
    if arguments.carry:
        with tempfile.TemporaryDirectory() as old:
            archive = subprocess.run(["git", "archive", arguments.carry], cwd=ROOT, capture_output=True, check=True)
            subprocess.run(["tar", "--extract"], cwd=old, input=archive.stdout, check=True)
            return in_processes(carry, [*stale(chosen)], Path(old))
    return in_processes(record, chosen)


def in_processes(work, names, *arguments) -> int:
    """Do it for each name, in a process for each core; print what it answers and what fails, which is no success."""
    context, wrong = multiprocessing.get_context("spawn"), 0
    with ProcessPoolExecutor(mp_context=context, initializer=begin, initargs=(os.getpid(),)) as pool:
        for name, run in [(name, pool.submit(work, name, *arguments)) for name in names]:
            error = run.exception()
            line = f"{name}: {type(error).__name__}: {error}" if error else run.result()
            if line:
                print(line, flush=True)
            wrong |= bool(line)
    return int(wrong)


def begin(parent):
    import torch

    end_with(parent)
    torch.set_num_threads(1)


if __name__ == "__main__":
    sys.exit(main())
