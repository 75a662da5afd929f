"""Run `book/guides/full_size.ipynb` at its gpu scale and record its tables: `python -m tools.full_size [SECTION ...]`.

SECTION: the heading of one, or its beginning; all by default. On the GPU where there is one; on a CPU the tickets and
Deep Compression take minutes, the rest hours. MNIST and CIFAR-10 are fetched by torchvision into `book/guides/data`.
`lllcourse/results/full_size.json` keeps what other sections gave before.
"""

import html
import json
import os
import platform
import re
import sys
from pathlib import Path

import nbformat
import torch
from nbclient import NotebookClient

from .kernels import ENVIRONMENT

ROOT = Path(__file__).parents[1]
PAGE = "book/guides/full_size.ipynb"
ALWAYS = ("", "The data")


def main(names=(), root=ROOT) -> None:
    record = root / "lllcourse/results/full_size.json"
    known = json.loads(record.read_text("utf-8")) if record.is_file() else {}
    parts = sections(nbformat.read(root / PAGE, as_version=4))
    chosen = [title for title in parts if title in ALWAYS or not names or title.startswith(tuple(names))]
    notebook = nbformat.v4.new_notebook(cells=[cell for title in chosen for cell in parts[title]])
    os.environ.update(ENVIRONMENT | {"LLLCOURSE_SCALE": "gpu"})
    quiet = ["--log-level=ERROR"]  # else the kernel warns of its local, unencrypted socket
    path = {"metadata": {"path": str((root / PAGE).parent)}}
    NotebookClient(notebook, timeout=None, extra_arguments=quiet, resources=path).execute()
    cpu = f"one thread of a CPU ({platform.machine()})"
    made = {"machine": torch.cuda.get_device_name() if torch.cuda.is_available() else cpu, "torch": torch.__version__}
    for title in chosen:
        if title not in ALWAYS:
            known |= {cell: table | made for cell, table in tables(parts[title]).items()}
    record.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")


def sections(notebook):
    """{heading: its cells}, "" for what comes before the first."""
    found, title = {"": []}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title = cell.source.split("\n")[0].removeprefix("## ")
        found.setdefault(title, []).append(cell)
    return found


def tables(cells):
    """What `table` displayed in the cells that make one, {cell id: {"caption", "header", "rows"}}."""
    found = {}
    for cell in cells:
        for output in cell.get("outputs", []) if cell.id.endswith("-table") else []:
            text = "".join(output.get("data", {}).get("text/html", ""))
            if 'class="lll-table"' in text:
                parts = [re.findall(r"<t[hd][^>]*>(.*?)<", row) for row in text.split("<tr>")[1:]]
                header, *rows = [[html.unescape(part) for part in row] for row in parts]
                caption = html.unescape("".join(re.findall("<caption>(.*?)<", text)))
                found[cell.id] = {"caption": caption, "header": header, "rows": rows}
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
