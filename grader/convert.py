"""Run nbgrader's converters, which release and publish, and say in a line what one stopped at."""

import io
import logging
import os
import sys
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader
from traitlets.log import get_logger

# nbgrader calls `alembic` by its name, also where the environment of this Python is not activated.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


class Stopped(Exception):
    """Something cannot be released or graded: why, in a line."""


def load_config(folder: Path):
    return PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()


def convert(kind, config) -> str:
    """Run one of nbgrader's converters; return its log. A failure raises Stopped, with the reason."""
    text, log = io.StringIO(), get_logger()
    handler, level = logging.StreamHandler(text), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        kind(coursedir=CourseDirectory(config=config), config=config).start()
    except Exception as error:
        text.flush()
        raise Stopped(reason(text.getvalue()) or str(error)) from error
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    return text.getvalue()


def reason(log: str) -> str:
    """The line of nbgrader's log that says what went wrong: the end of the first traceback in it."""
    lines = log.split("\n")
    starts = [n for n, line in enumerate(lines) if line.startswith("Traceback (")]
    ends = [line for line in lines[starts[0] + 1 :] if line[:1].strip()] if starts else []
    return ends[0] if ends else ""
