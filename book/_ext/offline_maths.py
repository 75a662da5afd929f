"""Put MathJax beside the pages, so that formulas show without a network.

One file holds the whole of it, with SVG output: no fonts and no further scripts to find, so that pages opened
straight from the disk work too (browsers refuse fonts there).
"""

import importlib.util
import shutil
from pathlib import Path


def copy_mathjax(app, exception):
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None:
        raise RuntimeError("MathJax's files are missing: pip install sphinx-mathjax-offline")
    if exception is None and app.builder.format == "html":
        source = Path(package.origin).parent / "static" / "mathjax" / "tex-svg-full.js"
        shutil.copy(source, Path(app.outdir) / "_static" / "mathjax.js")


def setup(app):
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
