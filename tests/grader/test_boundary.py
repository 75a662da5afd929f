"""The trust boundary is a folder: nothing that a student's process imports leads into grader/ or solutions/."""

from pathlib import Path

import setuptools

from tools.imports import Repository

ROOT = Path(__file__).parents[2]


def test_neither_the_package_nor_the_tools_import_the_grader():
    repository = Repository(ROOT)
    files = [*(ROOT / "lllcourse").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    assert len(files) > 30
    for file in files:
        reached = {needed.relative_to(ROOT).parts[0] for needed in repository.needs(file).files}
        assert not reached & {"grader", "solutions"}, file


def test_the_wheel_holds_the_package_alone():
    found = setuptools.find_packages(ROOT, include=["lllcourse*"])
    assert "lllcourse.grading" in found and {name.split(".")[0] for name in found} == {"lllcourse"}
