"""What an instructor does with assignments: python -m grader release | grade | lint | reference."""

import argparse
import sys
from pathlib import Path


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__.split(":")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    grade = commands.add_parser("grade", help="grade a class: points, feedback, a CSV file")
    grade.add_argument("folder", type=Path, metavar="CLASS", help="the folder of the class")
    grade.add_argument("assignment", metavar="ASSIGNMENT", help="the id of the assignment")
    grade.add_argument("--force", action="store_true", help="grade all again")
    commands.add_parser("release", help="make the students' notebooks, assignments/, from solutions/")
    commands.add_parser("lint", help="hold the sources of all assignments against the rules that their text can prove")
    commands.add_parser("reference", help="make the reference metrics of all graded experiments (minutes)")
    options, root = parser.parse_args(argv), Path(__file__).resolve().parents[1]
    # Each is imported when it is asked for: they bring nbgrader or torch.
    match options.command:
        case "grade":
            from .grade import grade_class

            return grade_class(root, options.folder, options.assignment, options.force)
        case "release":
            from .release import release_all

            return release_all(root)
        case "lint":
            from .lint import lint_all

            return lint_all(root)
        case "reference":
            from .reference import make_all

            return make_all()


if __name__ == "__main__":
    sys.exit(main())
