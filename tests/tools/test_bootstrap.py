"""The first cell of a notebook, in an environment that has IPython and nothing of the course."""

import re
import subprocess
import sys
import venv

import pytest

from tools.notebooks import bootstrap_text, version

from .. import proofs

ROOT = proofs.ROOT
NOW = version(ROOT)


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a fresh environment, and a wheel of the package as it is and one of an older version."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "env", with_pip=True)
    run(folder / "env/bin/python", "-m", "pip", "install", "-qc", ROOT / "requirements.lock", "ipython", cwd=folder)
    for number in (NOW, "0.0.1"):
        source = folder / number
        source.mkdir()
        run("cp", "-r", ROOT / "lllcourse", ROOT / "LICENSE", ROOT / "README.md", source, cwd=ROOT)
        text = (ROOT / "pyproject.toml").read_text("utf-8")
        text = re.sub(r'^version = ".*"', f'version = "{number}"', text, flags=re.MULTILINE)
        (source / "pyproject.toml").write_text(text, "utf-8")
        made = run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source, cwd=folder)
        assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.prove(on=proofs.files("tools/notebooks.py", "pyproject.toml", "tests/tools/test_bootstrap.py"))
@pytest.mark.parametrize("before", ["nothing", "an older version", "a folder of that name", "no address"])
def test_the_first_cell_installs_the_page_s_own_version_or_says_what_to_do(place, tmp_path, before):
    python = place / "env/bin/python"
    run(python, "-m", "pip", "uninstall", "-qy", "lllcourse", cwd=tmp_path)
    if before == "an older version":
        wheel = place / "lllcourse-0.0.1-py3-none-any.whl"
        assert run(python, "-m", "pip", "install", "-q", "--no-deps", wheel, cwd=tmp_path).returncode == 0
    if before == "a folder of that name":
        (tmp_path / "lllcourse").mkdir()
    there = tmp_path if before == "no address" else place
    wheel = f"WHEEL = '{there}/lllcourse-{NOW}-py3-none-any.whl'"
    cell = re.sub(r"^WHEEL = .*$", wheel, bootstrap_text(ROOT), flags=re.MULTILINE)
    (tmp_path / "cell.ipy").write_text(
        f"{cell}\nimport lllcourse\nprint('has', lllcourse.__version__, lllcourse.__file__)\n"
    )
    done = run(python, "-m", "IPython", "--colors=NoColor", "cell.ipy", cwd=tmp_path)
    said = done.stdout + done.stderr
    if before == "no address":
        assert f"ImportError: lllcourse {NOW} is not installed, and its address cannot be reached. Download" in said
    else:
        assert re.search(rf"has {re.escape(NOW)} .*env/lib.*__init__\.py", said), said
