"""A PostgreSQL server of its own for a test: in a folder, reached by a socket in it, and by nobody else."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PLACES = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.environ["PATH"].split(os.pathsep))]
FOUND = [place for place in PLACES if (place / "initdb").is_file()]
SERVER = FOUND[0] if FOUND and importlib.util.find_spec("psycopg") else None


@contextlib.contextmanager
def serve():
    """Meanwhile a server runs on new data; yields the SQLAlchemy URL of an empty database."""
    account = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        account = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    home = Path(tempfile.mkdtemp(prefix="pg"))  # a socket's path may have 107 bytes
    try:
        if account:
            os.chown(home, 65534, 65534)
        data, log = home / "data", home / "log"

        def run(program, *options):
            done = subprocess.run(
                [*account, SERVER / program, *options], cwd=home, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stdout + done.stderr

        run("initdb", "-D", data, "-U", "grader", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        settings = f"-k {home} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-D", data, "-l", log, "-w", "-o", settings, "start")
        try:
            run("createdb", "-h", home, "-U", "grader", "gradebook")
            yield f"postgresql+psycopg://grader@/gradebook?host={home}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
