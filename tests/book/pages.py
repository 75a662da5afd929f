"""Pages built with Sphinx and our own directives, for their tests."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(folder, extensions, pages):
    """Build the pages, a dictionary {file: text} with an index.md, warnings as errors; the result and {page: HTML}."""
    (folder / "conf.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'book/_ext')!r})\n"
        f"extensions = {['myst_parser', *extensions]}\nbibtex_bibfiles = ['book/references.bib']\n"
        "myst_enable_extensions = ['colon_fence', 'deflist', 'dollarmath']\nhtml_theme = 'basic'\n"
        "exclude_patterns = ['_build']\n"
    )
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(folder),
        str(folder / "out"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    out = folder / "out"
    html = {p.relative_to(out).as_posix(): p.read_text(encoding="utf-8") for p in out.rglob("*.html")}
    return result, html if result.returncode == 0 else {}
