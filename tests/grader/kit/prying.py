"""Attacks that look for what they must not see, and that leave things for others."""

# ruff: noqa: E501 (sources in strings)

from . import POINTS, RIGHT, looks
from .attack import Attack, everywhere

READING = [
    Attack(
        "looks for everything",
        "the reference, hidden tests, the seed, other students, the host, the network",
        first=looks.look(),
        says=tuple(f"{looks.LOOKED}{name}" for name in looks.LOOKS),
    ),
    Attack(
        "looks from within a call",
        "what is in sight only while a test runs: frames, memory, descriptors",
        answers={
            "importance": "from textwrap import dedent\n\n\ndef importance(model, x, y):\n"
            f"    exec(dedent({looks.look('frames', 'descriptors', 'environment', 'memory')!r}), globals())\n"
            "    return []"
        },
        says=(f"{looks.LOOKED}memory",),
    ),
    Attack(
        "carries out what hidden tests asked",
        "the arguments of hidden tests, in prints, errors and results of later calls",
        answers=everywhere("""
import sys
told = "LE" + "AK:" + str(SEEN[1:]) if len(SEEN) > 1 else "nothing yet"
print(told)
print(told, file=sys.stderr, flush=True)
raise ValueError(told)""")
        | {"importance": RIGHT["importance"].replace("    return total", "    SEEN.append(x)\n    return total")},
        first="SEEN = []",
        added=(
            (
                "test-importance",
                "if len(SEEN) > 1:\n    print('LE' + 'AK:' + str(SEEN[1:]))\n    "
                "raise ValueError('LE' + 'AK:' + str(SEEN[1:]))",
            ),
            (
                "test-best-lambda",
                "print('LE' + 'AK:' + str(SEEN[1:]))\nassert not SEEN[1:], 'LE' + 'AK:' + str(SEEN[1:])",
            ),
        ),
        earns={"test-importance": POINTS["test-importance"]},
    ),
    Attack(
        "imports the reference",
        "the right answers",
        first="""
def fetch(name):
    import importlib, glob, os, sys, zipfile
    for module in ("lllcourse.lifelong.ewc", "lllcourse.lifelong", "ewc"):
        try:
            return getattr(importlib.import_module(module), name)
        except Exception:
            pass
    for top in (*sys.path, "/home", "/", "/usr/lib/python3", os.getcwd()):
        for path in glob.glob(top + "/**/lifelong/ewc.py", recursive=len(top) > 1):
            names = {}
            try:
                exec(open(path).read(), names)
                return names[name]
            except Exception:
                pass
    raise LookupError(name)
""".strip(),
        answers={
            "importance": "def importance(model, x, y):\n    return fetch('importance')(model, x, y, labels='true')",
            "penalty": "def penalty(*given):\n    return fetch('penalty')(*given)",
        },
    ),
    Attack(
        "installs the reference",
        "the right answers, from a registry or a repository",
        first="%pip install --quiet lllcourse avalanche-lib\n!git clone https://github.com/OWNER/lllcourse /tmp/course\n"
        "import subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'pip', 'download', 'tiny'], capture_output=True, timeout=20)\n"
        "print('LE' + 'AK:pip works' if done.returncode == 0 else 'LOO' + 'KED:pip')",
        says=(f"{looks.LOOKED}pip",),
    ),
]
LEAVING = Attack("leaves files wherever it can", "to meet the next student, the grader or the instructor there",
                 first=looks.LEAVE, says=(f"{looks.LOOKED}left files",))  # fmt: skip
FINDING = Attack("looks for what another left", "to hand results on", first=looks.FOUND,
                 says=(f"{looks.LOOKED}what another left",))  # fmt: skip
