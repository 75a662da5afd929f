"""Every assignment through the runner and through plain nbgrader: the same points, and those that it promises."""

import json
import os
import subprocess
import sys
from pathlib import Path

from grader import reference

from . import harness
from .submissions import automatic_points, hand_in

RUNNING = [*sorted((harness.ROOT / "grader").rglob("*.py")), harness.ROOT / "nbgrader_config.py", __file__]


def submission(name, functions=None) -> dict:
    """The release with the solution in it, and these functions in the place of some of its own; None: untouched."""
    notebook = json.loads((harness.ROOT / "assignments" / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    # A student may well delete the demos, which take the longest.
    notebook["cells"] = [cell for cell in notebook["cells"] if "demo" not in cell["metadata"].get("tags", [])]
    solutions = {cell.id: cell for cell in harness.source(name).role("solution")} if functions is not None else {}
    for cell in notebook["cells"]:
        if cell["id"] in solutions:
            ours = solutions[cell["id"]]
            theirs = [functions[function] for function in ours.functions if function in functions]
            whole = [ours.source] if len(theirs) < len(ours.functions) else []
            cell["source"] = "\n\n\n".join([*whole, *theirs])
    return notebook


def graded(folder, name, submissions) -> dict:
    """The automatic points of these submissions by the runner, by student and test."""
    for student, notebook in submissions.items():
        hand_in(folder, student, notebook, assignment=name)
    run("grader", "grade", folder, name, cwd=harness.ROOT)
    return points(folder, name, submissions)


def by_nbgrader(folder, name, submissions) -> dict:
    """The same by plain nbgrader."""
    (folder / "autograded").rename(folder / "ours")
    (folder / "gradebook.db").rename(folder / "ours.db")
    run("nbgrader", "generate_assignment", name, "--force", cwd=folder)
    run("nbgrader", "autograde", name, "--force", cwd=folder)
    return points(folder, name, submissions)


def run(module, *words, cwd):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def points(folder, name, students):
    return {student: automatic_points(folder, student, name) for student in students}


@harness.prove_each(*RUNNING)
def test_both_graders_give_what_the_assignment_promises(name, tmp_path):
    """Solution, release, every alternative, and for each question one mistake; a training waits for its parts."""
    chosen = {mistake.function: mistake for mistake in harness.mistakes(name)}.values()
    submissions = {"solution": submission(name, {}), "untouched": submission(name)}
    submissions |= {f"right-{key}": submission(name, answers) for key, answers in harness.alternatives(name).items()}
    submissions |= {f"wrong-{m.function}": submission(name, {m.function: m.source}) for m in chosen}
    ours = graded(tmp_path, name, submissions)

    whole = harness.source(name).points
    trainings = {e.test for e in reference.experiments().values() if e.assignment == name}
    assert ours["untouched"] == dict.fromkeys(whole, 0.0)
    for student in submissions:
        if student == "solution" or student.startswith("right-"):
            assert ours[student] == whole, student
    for mistake in chosen:
        lost = {test for test, earned in ours[f"wrong-{mistake.function}"].items() if earned < whole[test]}
        assert lost - trainings == set(mistake.fails), mistake.function

    assert by_nbgrader(tmp_path, name, submissions) == ours


def test_both_graders_give_the_same_for_ewc(tmp_path):
    """The slice of it that is fast: the solution, and one mistake."""
    mistake = harness.mistakes("ewc")[0]
    submissions = {"right": submission("ewc", {}), "wrong": submission("ewc", {mistake.function: mistake.source})}
    ours = graded(tmp_path, "ewc", submissions)
    assert sum(ours["wrong"].values()) < sum(ours["right"].values()) == 90
    assert by_nbgrader(tmp_path, "ewc", submissions) == ours
