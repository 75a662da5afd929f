"""What an instructor does with assignments: python -m grader release | grade | doctor | lint | reference."""

import argparse
import sys
from pathlib import Path


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__.split(":")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    grade = commands.add_parser("grade", help="grade a class: points, feedback, a CSV file")
    grade.add_argument("folder", type=Path, metavar="CLASS", help="the folder of the class")
    grade.add_argument("assignment", metavar="ASSIGNMENT", help="the id of the assignment")
    grade.add_argument("--force", action="store_true", help="grade all again, also what has not changed")
    grade.add_argument("--student", action="append", default=[], help="only this one (may be given several times)")
    grade.add_argument("--jobs", type=int, help="how many at a time (by default one a core)")
    grade.add_argument("--timeout", type=float, default=180, help="seconds a call may take (180; a third of it of CPU)")
    grade.add_argument("--memory", type=float, default=4, help="GB that a submission may use (4)")
    grade.add_argument("--sandbox", choices=("bwrap", "none"), default="bwrap", help="none: unprotected")
    grade.add_argument("--cluster", metavar="ADDRESS", help="of a dask.distributed scheduler that does the work")
    grade.add_argument("--json", action="store_true", help="print the table as JSON")
    commands.add_parser("doctor", help="say whether this host allows the sandbox, and what is missing")
    commands.add_parser("release", help="make the students' notebooks, assignments/, from solutions/")
    commands.add_parser("lint", help="hold the sources of all assignments against the rules that their text can prove")
    reference = commands.add_parser("reference", help="make the reference metrics of graded experiments (minutes)")
    reference.add_argument("names", nargs="*", metavar="NAME", help="of these, by default of all")
    options, root = parser.parse_args(argv), Path(__file__).resolve().parents[1]
    # Each is imported when it is asked for: they bring nbgrader or torch.
    match options.command:
        case "grade":
            from .grade import grade_class
            from .sandbox.limits import Limits

            limits = Limits(cpu=options.timeout / 3, wall=options.timeout, memory=int(options.memory * 2**30))
            return grade_class(
                root, options.folder, options.assignment, force=options.force, only=options.student, jobs=options.jobs,
                limits=limits, sandbox=options.sandbox, cluster=options.cluster, as_json=options.json,
            )  # fmt: skip
        case "doctor":
            from .sandbox.limits import doctor

            return doctor()
        case "release":
            from .release import release_all

            return release_all(root)
        case "lint":
            from .lint import lint_all

            return lint_all(root)
        case "reference":
            from .reference import make_all

            return make_all(options.names)


if __name__ == "__main__":
    sys.exit(main())
