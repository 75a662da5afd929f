"""A release: refused where its notebooks could not work, else a wheel, and the branch that Colab opens."""

import subprocess

import pytest

from tools import release

from .. import proofs


@pytest.fixture
def course(tmp_path):
    """A repository with an address, a version, a package and plain notebooks."""
    root = tmp_path / "course"
    (root / "lllcourse").mkdir(parents=True)
    (root / "lllcourse/__init__.py").write_text("")
    (root / "_config.yml").write_text("repository:\n  url: https://github.com/someone/lllcourse\n")
    (root / "pyproject.toml").write_text('[project]\nname = "lllcourse"\nversion = "0.2"\n')
    for name in ("book/lifelong/01_x.ipynb", "assignments/ewc/ewc.ipynb"):
        (root / "_build/colab" / name).parent.mkdir(parents=True)
        (root / "_build/colab" / name).write_text("{}")
    (root / ".gitignore").write_text("_build\n")
    git(root, "init", "-q", "-b", "main")
    for key, value in (("user.name", "A teacher"), ("user.email", "teacher@example.org")):
        git(root, "config", key, value)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "The course")
    return root


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_it_refuses_another_tag_a_missing_address_and_a_missing_book(course, capsys):
    def said(tag):
        assert release.main([tag, "--root", str(course)]) == 1
        return capsys.readouterr().err

    assert "the tag has to be v0.2, not v0.3" in said("v0.3")
    (course / "_build/colab").rename(course / "_build/other")
    assert "run make book" in said("v0.2")
    (course / "_config.yml").write_text("repository:\n  url: https://github.com/OWNER/lllcourse\n")
    assert "no address of a repository yet" in said("v0.2")
    assert not (course / "_build/release").exists()


def test_the_branch_holds_the_plain_notebooks_of_the_last_release_and_nothing_else(course, tmp_path):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    release.push(course, str(remote), "v0.1")
    (course / "_build/colab/book/lifelong/01_x.ipynb").rename(course / "_build/colab/book/lifelong/01_y.ipynb")
    release.push(course, str(remote), "v0.2")
    files = git(remote, "ls-tree", "-r", "--name-only", "colab").split()
    assert files == ["assignments/ewc/ewc.ipynb", "book/lifelong/01_y.ipynb"]
    assert git(remote, "log", "--format=%s", "colab").split("\n")[0] == "Plain notebooks of v0.2"
    assert git(course, "status", "--short") == "" and git(course, "branch").split() == ["*", "main"]


@pytest.mark.prove(on=proofs.files("tools/release.py", "tests/tools/test_release.py", "pyproject.toml"))
def test_the_wheel_has_the_name_that_first_cells_ask_for(course):
    assert release.main(["v0.2", "--root", str(course)]) == 0
    assert (course / "_build/release/lllcourse-0.2-py3-none-any.whl").is_file()
