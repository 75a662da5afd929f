"""Execute the chapters, then build the book into _build/html.

jupyter-cache knows a notebook by its code cells, but not what they import. So every entry states its key, a hash of all
else that its outputs can depend on, and counts only while the chapter still has this key: no page shows new code beside
old output, and a chapter that nothing touches is not executed. Only what ran to the end is stored, so that an error
fails every build until it is mended.
"""

import argparse
import fcntl
import hashlib
import importlib.metadata
import os
import re
import resource
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import nbformat
from sphinx_external_toc.parsing import parse_toc_yaml

from .imports import Repository
from .kernels import ENVIRONMENT
from .workers import end_with

CELL_TIMEOUT = 600  # seconds
CACHE_LIMIT = 100  # entries of a megabyte or two; those that were not used for longest go
# Run after a chapter's last cell: what the package really loaded, against which a test holds what the key counts.
LOADED = "print(*(name for name in __import__('sys').modules if name.split('.')[0] == 'lllcourse'))"


def keys_of(root: Path, names: list[str]) -> dict[str, str]:
    """For each chapter a hash of all that its outputs depend on, its own code apart."""
    repository = Repository(root)
    versions = [importlib.metadata.version(package) for package in ("torch", "numpy", "matplotlib")]
    around = f"{sys.version_info[:2]} {versions} {ENVIRONMENT}"
    return {
        name: hashlib.sha256(f"{around} {repository.key(root / name, text=True)}".encode()).hexdigest()[:16]
        for name in names
    }


def chapters(root: Path) -> list[str]:
    """The notebooks of the table of contents that are executed, relative to root."""
    names = [str(name) for name in parse_toc_yaml(root / "_toc.yml")]
    names = [re.sub(r"\.ipynb$", "", name) + ".ipynb" for name in names if not name.startswith("assignments/")]
    return [name for name in names if (root / name).is_file()]


def execute(root: Path, name: str, question: str = LOADED):
    """Run one chapter in a kernel of its own: the notebook, its facts, and the error if there is one.

    The facts are what it cost, and what `question`, run after its last cell, printed."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(root / name, as_version=4)
    last = nbformat.v4.new_code_cell(question)
    notebook.cells.append(last)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        record_timing=False,  # timings are cell metadata, which the cache takes for part of the source
        extra_arguments=["--log-level=ERROR"],  # else every kernel warns of its local, unencrypted socket
        resources={"metadata": {"path": str((root / name).parent)}},
    )
    error, start, used = None, time.perf_counter(), cpu_of_children()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        error = describe(name, notebook, problem)
    notebook.cells.pop()
    facts = {"seconds": round(time.perf_counter() - start, 1), "cpu_seconds": round(cpu_of_children() - used, 1)}
    facts["answer"] = "".join(output.get("text", "") for output in last.outputs).split()
    return notebook, facts, error


def cpu_of_children() -> float:
    """CPU seconds of this process's ended children. The kernel is one, so that imports count, as for a reader."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def describe(name: str, notebook, problem: Exception) -> str:
    ran = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.execution_count]
    failed = [i for i in ran if any(output.output_type == "error" for output in notebook.cells[i].get("outputs", []))]
    index = (failed or ran or [0])[-1]
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(problem))
    return f"{name}, cell {index} (id {notebook.cells[index].get('id', 'none')}):\n{text}"


def entry(root: Path, name: str, cache, key: str):
    """The cache's record of a chapter as it is now, made by what it now depends on; None where there is none."""
    try:
        record = cache.match_cache_notebook(nbformat.read(root / name, as_version=4))
    except KeyError:
        return None
    return record if record.data.get("key") == key else None


def fill_cache(root: Path, keys: dict, cache, jobs: int) -> list[str]:
    """Execute what the cache lacks, the longest first, and store what succeeded. Returns the errors."""
    from jupyter_cache.base import CacheBundleIn

    took = {record.uri: record.data.get("seconds") for record in cache.list_cache_records()}  # the newest comes last
    missing = []
    for name, key in keys.items():
        if record := entry(root, name, cache, key):
            print(f"{name}: cached ({record.data['cpu_seconds']} s of CPU when it ran)")
        else:
            missing.append(name)
    missing.sort(key=lambda name: -(took.get(name) or float("inf")))
    errors = []
    workers = {"initializer": end_with, "initargs": (os.getpid(),)}
    with ProcessPoolExecutor(max(1, min(jobs, len(missing))), **workers) as pool:
        running = {pool.submit(execute, root, name): name for name in missing}
        for done in as_completed(running):
            name = running[done]
            notebook, facts, error = done.result()
            verb = "FAILED after" if error else "executed in"
            print(f"{name}: {verb} {facts['seconds']} s ({facts['cpu_seconds']} s of CPU)", flush=True)
            if error:
                errors.append(error)
            elif keys_of(root, [name])[name] == keys[name]:  # else it is not known which code ran
                facts |= {"key": keys[name], "modules": sorted(facts.pop("answer"))}
                bundle = CacheBundleIn(notebook, name, data=facts)
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return errors


def edited(root: Path, keys: dict, cache) -> list[str]:
    """The chapters that changed since their keys were taken, by themselves or by what they depend on."""
    now = keys_of(root, list(keys))
    changed = [name for name, key in keys.items() if now[name] != key or not entry(root, name, cache, key)]
    return [f"{name}, or what it imports, was edited during the build. Run it again." for name in changed]


def export(root: Path, names: list[str], cache) -> None:
    """Write the executed chapters to _build/executed, where the tests read the verdicts."""
    folder = root / "_build" / "executed"
    for name in names:
        pk, notebook = cache.merge_match_into_notebook(nbformat.read(root / name, as_version=4))
        notebook.metadata["lllcourse_build"] = cache.get_cache_record(pk).data
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / name)


def render(root: Path, cache_path: Path) -> bool:
    """Build the pages beside the old ones, in _build/html.new. False if there was an error or a warning."""
    from jupyter_book.sphinx import build_sphinx

    build = root / "_build"
    fresh = build / "html.new"
    for leftover in (fresh, build / "html.old", build / "jupyter_execute"):
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
        (fresh / "index.html").write_text(f'<meta http-equiv="Refresh" content="0; url={first}.html" />\n')
    return True


def plain_notebooks(root: Path) -> list[str]:
    """Write the notebooks for Colab beside the pages. Returns the errors."""
    from . import plain, release

    try:
        count = plain.build(root, root / "_build/html.new", root / "_build/colab")
    except (ValueError, KeyError) as error:
        return [f"The plain notebooks for Colab were not written: {error}"]
    print(f"{count} plain notebooks in _build/colab")
    if release.is_placeholder(root):
        print("they and the Colab buttons lead nowhere until _config.yml has the repository's address")
    return []


def show(root: Path) -> None:
    """Put the pages that `render` made in the place of the old ones."""
    html, old = root / "_build/html", root / "_build/html.old"
    if html.exists():
        html.rename(old)
    (root / "_build/html.new").rename(html)
    shutil.rmtree(old, ignore_errors=True)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = Path(__file__).parent.parent
    parser.add_argument("--root", type=Path, default=root, help="the book's repository")
    parser.add_argument("--execute-only", action="store_true", help="fill the cache and _build/executed, no pages")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="chapters executed at a time")
    options = parser.parse_args(argv)
    root, start = options.root.resolve(), time.perf_counter()
    build = root / "_build"
    build.mkdir(exist_ok=True)
    lock = (build / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # both would write the same folders
        print("another build of this book is running: waiting for it", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)

    os.environ.update(ENVIRONMENT)
    # The kernels import the package of this tree, even where another copy is installed.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))

    from jupyter_cache import get_cache

    shutil.rmtree(build / "executed", ignore_errors=True)  # after a failure there is nothing to read there
    cache = get_cache(str(build / ".cache"))
    cache.change_cache_limit(CACHE_LIMIT)
    keys = keys_of(root, chapters(root))
    errors = fill_cache(root, keys, cache, options.jobs) or edited(root, keys, cache)
    if not errors:
        export(root, list(keys), cache)
        if not options.execute_only:
            if render(root, cache.path):
                errors = edited(root, keys, cache) or plain_notebooks(root)
            else:
                errors = ["Mend the warnings or errors above."]
    if errors:
        print("\n\n".join(["", *errors]), file=sys.stderr)
        print("\nThe book was not built; what _build/html held before is untouched.", file=sys.stderr)
        return 1
    if not options.execute_only:
        show(root)
    print(f"{len(keys)} chapters in {time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
