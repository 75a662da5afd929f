"""Execute the chapters, then build the book into _build/html.

jupyter-cache knows notebooks but not what they import. So the name of the cache folder carries a hash over all
else that an output can depend on, and a change there starts an empty cache: no page shows new code beside old
output. Only chapters that ran to the end are stored, so that an error fails every build until it is mended.
"""

import argparse
import fcntl
import hashlib
import importlib.metadata
import json
import os
import re
import resource
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import nbformat
from .kernels import ENVIRONMENT
from sphinx_external_toc.parsing import parse_toc_yaml

CELL_TIMEOUT = 600  # seconds
SHAPES_OUTPUTS = ("lllcourse", "requirements.lock")


def code_hash(root: Path) -> str:
    """Hash of all that outputs depend on, apart from the notebooks themselves."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ENVIRONMENT}".encode())
    for package in ("torch", "numpy", "matplotlib"):
        digest.update(f"{package} {importlib.metadata.version(package)}".encode())
    for name in SHAPES_OUTPUTS:
        top = root / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if (
                path.is_file()
                and "__pycache__" not in path.parts
                and not path.name.startswith(".")
            ):
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def chapters(root: Path) -> list[str]:
    """The notebooks of the table of contents that are executed, relative to root."""
    names = [str(name) for name in parse_toc_yaml(root / "_toc.yml")]
    names = [
        re.sub(r"\.ipynb$", "", name) + ".ipynb"
        for name in names
        if not name.startswith("assignments/")
    ]
    return [name for name in names if (root / name).is_file()]


def execute(root: Path, name: str):
    """Run one chapter in a kernel of its own; return it with wall and CPU seconds, and the error if there is one."""
    from nbclient import NotebookClient
    from nbclient.exceptions import (
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )

    notebook = nbformat.read(root / name, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        record_timing=False,  # timings are cell metadata, which the cache takes for part of the source
        extra_arguments=[
            "--log-level=ERROR"
        ],  # else every kernel warns of its local, unencrypted socket
        resources={"metadata": {"path": str((root / name).parent)}},
    )
    error, start, used = None, time.perf_counter(), cpu_of_children()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        error = describe(name, notebook, problem)
    return notebook, time.perf_counter() - start, cpu_of_children() - used, error


def cpu_of_children() -> float:
    """CPU seconds of this process's ended children. The kernel is one, so that imports count, as for a reader."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def describe(name: str, notebook, problem: Exception) -> str:
    ran = [
        i
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.execution_count
    ]
    failed = [
        i
        for i in ran
        if any(
            output.output_type == "error"
            for output in notebook.cells[i].get("outputs", [])
        )
    ]
    index = (failed or ran or [0])[-1]
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(problem))
    return (
        f"{name}, cell {index} (id {notebook.cells[index].get('id', 'none')}):\n{text}"
    )


def uncached(root: Path, names: list[str], cache) -> list[str]:
    """The chapters that the cache does not hold as they are now."""
    missing = []
    for name in names:
        try:
            cache.match_cache_notebook(nbformat.read(root / name, as_version=4))
        except KeyError:
            missing.append(name)
    return missing


def fill_cache(
    root: Path, names: list[str], cache, times: dict, jobs: int
) -> list[str]:
    """Execute what the cache lacks, the longest first, and store what succeeded. Returns the errors."""
    missing = uncached(root, names, cache)
    missing.sort(key=lambda name: -times.get(name, {}).get("seconds", float("inf")))
    from jupyter_cache.base import CacheBundleIn

    for name in names:
        if name not in missing:
            print(
                f"{name}: cached ({times.get(name, {}).get('cpu_seconds', '?')} s of CPU when it ran)"
            )
    errors = []
    with ProcessPoolExecutor(max(1, min(jobs, len(missing)))) as pool:
        running = {pool.submit(execute, root, name): name for name in missing}
        for done in as_completed(running):
            name = running[done]
            notebook, seconds, cpu, error = done.result()
            print(
                f"{name}: {'FAILED after' if error else 'executed in'} {seconds:.1f} s ({cpu:.1f} s of CPU)",
                flush=True,
            )
            if error:
                errors.append(error)
                continue
            times[name] = {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}
            data = {"execution_seconds": seconds, "cpu_seconds": cpu}
            bundle = CacheBundleIn(notebook, str(root / name), data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return errors


def export(root: Path, names: list[str], cache, code: str) -> None:
    """Write the executed chapters to _build/executed, where the tests read the verdicts."""
    folder = root / "_build" / "executed"
    for name in names:
        pk, notebook = cache.merge_match_into_notebook(
            nbformat.read(root / name, as_version=4)
        )
        data = cache.get_cache_record(pk).data
        notebook.metadata["lllcourse_build"] = {
            "code": code,
            "seconds": round(data["execution_seconds"], 1),
            "cpu_seconds": round(data["cpu_seconds"], 1),
        }
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / name)


def render(root: Path, cache_path: Path) -> bool:
    """Build the pages next to the old ones and swap them in if there was neither an error nor a warning."""
    from jupyter_book.sphinx import build_sphinx

    build = root / "_build"
    fresh, html, old = build / "html.new", build / "html", build / "html.old"
    for leftover in (fresh, old, build / "jupyter_execute"):
        shutil.rmtree(leftover, ignore_errors=True)
    result = build_sphinx(
        root,
        fresh,
        path_config=root / "_config.yml",
        noconfig=True,
        doctreedir=build / ".doctrees",
        freshenv=True,  # Sphinx's memory of pages knows neither the package's code nor our cache
        warningiserror=True,
        keep_going=True,  # all the warnings at once, not one a build
        quiet=True,
        confoverrides={
            "external_toc_path": str(root / "_toc.yml"),
            "latex_individualpages": False,
            "nitpicky": True,
            "nb_execution_mode": "cache",
            "nb_execution_cache_path": str(cache_path),
            "nb_execution_raise_on_error": True,
        },
    )
    if result != 0:
        return False
    first = parse_toc_yaml(root / "_toc.yml").root.docname
    if first != "index":
        (fresh / "index.html").write_text(
            f'<meta http-equiv="Refresh" content="0; url={first}.html" />\n'
        )
    if html.exists():
        html.rename(old)
    fresh.rename(html)
    shutil.rmtree(old, ignore_errors=True)
    return True


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).parent.parent,
        help="the book's repository",
    )
    parser.add_argument(
        "--execute-only",
        action="store_true",
        help="fill the cache and _build/executed, no pages",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="chapters executed at a time",
    )
    options = parser.parse_args(argv)
    root, start = options.root.resolve(), time.perf_counter()
    build = root / "_build"
    build.mkdir(exist_ok=True)
    lock = (build / ".lock").open("w")
    fcntl.flock(
        lock, fcntl.LOCK_EX
    )  # a second build waits: both would write the same folders

    os.environ.update(ENVIRONMENT)
    # The kernels import the package of this tree, even where another copy is installed.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(root), os.environ.get("PYTHONPATH")])
    )

    from jupyter_cache import get_cache

    code = code_hash(root)
    cache_path = build / f".cache-{code}"
    for stale in build.glob(".cache-*"):
        if stale != cache_path:
            shutil.rmtree(stale)
    shutil.rmtree(
        build / "executed", ignore_errors=True
    )  # after a failure there is nothing to read there
    cache = get_cache(str(cache_path))
    times_file = build / "times.json"
    times = json.loads(times_file.read_text()) if times_file.is_file() else {}

    names = chapters(root)
    errors = fill_cache(root, names, cache, times, options.jobs)
    times_file.write_text(json.dumps(times, indent=1, sort_keys=True))
    if code_hash(root) != code:
        shutil.rmtree(cache_path)
        errors.append("The package or its data changed during the build. Run it again.")
    elif not errors:
        edited = uncached(root, names, cache)
        errors += [
            f"{name} was edited during the build. Run it again." for name in edited
        ]
    if errors:
        print("\n\n".join(["", *errors]), file=sys.stderr)
        print(
            "\nThe book was not built; what _build/html held before is untouched.",
            file=sys.stderr,
        )
        return 1
    export(root, names, cache, code)
    if not options.execute_only and not render(root, cache_path):
        print(
            "\nThe book was not built: mend the warnings or errors above. _build/html is untouched.",
            file=sys.stderr,
        )
        return 1
    print(f"{len(names)} chapters in {time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
