"""Record the results that are too long for a page: `python -m tools.results [NAME ...]`, all of them by default.

Every script `benchmarks/record/<name>.py` has SEEDS, SETTINGS and `run(seed, **SETTINGS)`, which returns plain numbers.
Each run goes into `lllcourse/results/<name>.json` as soon as it is done, so that an interrupted recording goes on where
it stopped. A result knows the hash of the code that made it: `--check` says which have grown stale.
"""

import argparse
import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS, RESULTS = ROOT / "benchmarks/record", ROOT / "lllcourse/results"


def load(script: Path):
    spec = importlib.util.spec_from_file_location(f"record_{script.stem}", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code_hash(script: Path) -> str:
    """Hash of what `script` computes with: its code and that of the package's modules that it imports, directly or not.

    Comments, docstrings and lay-out do not count.
    """
    digest, files, waiting = hashlib.sha256(), {}, [script]
    while waiting:
        path = waiting.pop()
        if path in files:
            continue
        files[path] = tree = without_docstrings(ast.parse(path.read_text("utf-8")))
        waiting += [p for p in imported(tree, path) if p not in files]
    for path in sorted(files):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(ast.dump(files[path]).encode())
    return digest.hexdigest()[:16]


def without_docstrings(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(getattr(body[0], "value", None), ast.Constant)
        ):
            body[0].value.value = ""
    return tree


def imported(tree: ast.AST, path: Path) -> list[Path]:
    """The package's files that the imports of a file name."""
    package = path.parent.relative_to(ROOT).parts
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1])
            base = ".".join(filter(None, [base if node.level else "", node.module]))
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            at = ROOT / name.replace(".", "/")
            if name.split(".")[0] == "lllcourse":
                found += [at.with_suffix(".py"), at / "__init__.py"]
    return [p for p in found if p.is_file()]


def versions() -> dict:
    packages = ("torch", "numpy")
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name).split("+")[0] for name in packages
    }


def record(name: str) -> None:
    script, target = SCRIPTS / f"{name}.py", RESULTS / f"{name}.json"
    module, code = load(script), code_hash(script)
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


def stale() -> list[str]:
    """A sentence for every script whose result is missing, incomplete, or made by other code."""
    found = []
    for script in sorted(SCRIPTS.glob("*.py")):
        target = RESULTS / f"{script.stem}.json"
        result = json.loads(target.read_text("utf-8")) if target.is_file() else {}
        if result.get("code") != code_hash(script):
            found.append(f"{script.stem}: made by other code than there is now")
        elif set(result["seeds"]) < set(load(script).SEEDS):
            found.append(f"{script.stem}: seeds are missing")
    return found


def main(argv=None) -> int:
    names = sorted(path.stem for path in SCRIPTS.glob("*.py"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(names)
    if unknown:
        parser.error(f"no such result: {', '.join(unknown)}; there is {names}")
    if arguments.check:
        found = stale()
        print("\n".join(f"{line}; run make results" for line in found), end="")
        return int(bool(found))
    import torch

    torch.set_num_threads(1)
    for name in arguments.names or names:
        record(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
