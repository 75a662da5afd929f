"""The cage: the command that starts a worker in bubblewrap, and what this host must allow for it.

A worker sees the system's libraries and Python read-only, what students may import of the course, and two small folders
of its own in memory. It has no network, no other process in sight, nothing of the repository, the class or the grader,
and an empty environment.
"""

import os
import platform
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..assignment import OPEN
from . import seccomp

#: The modules of lllcourse that a student's code may import while it is graded; an assignment may withhold some.
MODULES = OPEN - {"device", "digits"}  # which are no modules
ALWAYS = ("__init__.py", "_lazy.py", "grading/__init__.py", "grading/check.py")
OUTSIDE = (
    'Run the grader in a container or a virtual machine with Linux: CONTRIBUTING.md, "Grading without Linux". '
    "--sandbox none runs students' code on this machine with your rights: only where you trust every one of them."
)


@dataclass(frozen=True)
class Limits:
    """What one submission may use. cpu, wall: seconds a call; total: seconds a submission; memory: bytes."""

    cpu: float = 60
    wall: float = 180
    total: float = 1200
    memory: int = 4 << 30
    processes: int = 64
    output: int = 1 << 20
    folder: int = 256 << 20  # bytes in /tmp, and as many in HOME


class Unavailable(Exception):
    """There is no sandbox here: why, and what to do."""


def furnish(folder: Path, withheld=()) -> Path:
    """Make the folder that a worker sees: its own two files, and in course/ what students may import of lllcourse.

    The test images and their labels are left out of the digits.
    """
    import lllcourse

    package, own = Path(lllcourse.__file__).parent, Path(__file__).parent
    target = folder / "course" / "lllcourse"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ALWAYS:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(package / name, target / name)
    for name in sorted(MODULES - {*withheld}):
        source = package / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source.with_suffix(".py"), target / f"{name}.py")
    with np.load(package / "digits.npz") as digits:
        arrays = dict(digits)
    arrays["x_test"] = np.zeros_like(arrays["x_test"])
    arrays["y_test"] = np.sort(arrays["y_test"])  # as many of each digit
    np.savez_compressed(target / "digits.npz", **arrays)
    for name in ("protocol.py", "worker.py"):
        shutil.copy(own / name, folder / name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def command(folder: Path, descriptor: int, limits: Limits, sandbox="bwrap", calls=None) -> list[str]:
    """The command line of a worker. folder: as `furnish` made it. descriptor: its end of the channel.

    calls: a descriptor with the filter of the kernel's calls, `seccomp.descriptor()`.
    """
    # Root is held to no number of processes. So a worker that root starts becomes a user of its own.
    user = random.SystemRandom().randrange(200_000, 2_000_000) if sandbox == "bwrap" and os.getuid() == 0 else 0
    numbers = (limits.memory, limits.processes, 256, limits.folder)
    script = (folder if sandbox == "none" else Path("/grading")) / "worker.py"
    inner = [sys.executable, "-sP", "-X", "utf8", str(script), str(descriptor), str(user), *map(str, numbers)]
    if sandbox == "none":
        return inner
    return [*_cage(folder, limits.folder, user, calls), *inner]


def environment(folder="/grading", home="/home/student") -> dict[str, str]:
    """All that a worker's environment holds. folder: as `furnish` made it."""
    return {
        "PYTHONPATH": f"{folder}:{folder}/course",
        "HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip


def _cage(folder, size, user, calls=None):
    python = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix)} | {Path(sys.prefix)}
    system = [Path("/usr"), *(Path("/", name) for name in ("bin", "lib", "lib32", "lib64", "sbin"))]
    files = [Path("/etc", name) for name in ("ld.so.cache", "localtime", "fonts", "ssl/certs")]
    shown = [p for p in (*system, *files, *sorted(python)) if p.exists() and Path("/usr") not in p.parents]
    args = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    args += ["--die-with-parent", "--new-session", "--hostname", "student", "--clearenv"]
    if user:
        args += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        args += ["--unshare-user"]
    if calls is not None:
        args += ["--seccomp", str(calls)]
    # First the folders to write into: Python may stand below one of them.
    args += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    for place in ("/tmp", "/home/student", "/dev/shm"):
        args += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    for place in sorted({parent for path in shown for parent in path.parents} - {Path("/"), Path("/tmp")}):
        args += ["--perms", "0755", "--dir", str(place)]  # else bubblewrap makes them for the owner alone
    for path in shown:
        args += ["--symlink", os.readlink(path), str(path)] if path.is_symlink() and path in system else (
            ["--ro-bind", str(path), str(path)])  # fmt: skip
    args += ["--ro-bind", str(folder), "/grading", *_masks()]
    args += ["--remount-ro", "/"]
    for name, value in environment().items():
        args += ["--setenv", name, value]
    return [*args, "--chdir", "/home/student", "--"]


def _masks():
    """The course itself, where it is installed among the libraries that a worker sees: an empty folder in its place."""
    import lllcourse

    package = Path(lllcourse.__file__).resolve().parent
    inside = any(Path(p).resolve() in package.parents for p in (sys.prefix, sys.base_prefix))
    return ["--tmpfs", str(package), "--remount-ro", str(package)] if inside else []


# --- what the host allows ---------------------------------------------------------------------------------------------


def probe() -> None:
    """Start an empty cage. Raises Unavailable, with the cause and the remedy."""
    if platform.system() != "Linux":
        raise Unavailable(f"bubblewrap needs Linux, and this is {platform.system()}. {OUTSIDE}")
    if shutil.which("bwrap") is None:
        raise Unavailable("bubblewrap is missing: apt-get install bubblewrap (dnf, pacman and zypper know it too).")
    user = 65_534 if os.getuid() == 0 else 0
    calls = seccomp.descriptor()
    try:
        words = [*_cage(Path(__file__).parent, 1 << 20, user, calls), "/usr/bin/env", "true"]
        tried = subprocess.run(words, capture_output=True, text=True, pass_fds=[calls] if calls is not None else [])
    finally:
        if calls is not None:
            os.close(calls)
    if tried.returncode:
        raise Unavailable(f"bubblewrap cannot start here: {tried.stderr.strip()[:300]} {_cause()}")


def _cause():
    """What forbids it, as far as the kernel's settings tell, and the exact remedy."""
    known = (
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
         "AppArmor keeps users' namespaces for known programs (Ubuntu 23.10 and later). Allow it, once, as root: "
         "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) "
         "{\\n  userns,\\n}\\n' > /etc/apparmor.d/bwrap && apparmor_parser -r /etc/apparmor.d/bwrap"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0",
         "The kernel gives users no namespaces of their own. Allow it, once, as root: "
         "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("/proc/sys/user/max_user_namespaces", "0",
         "The kernel gives users no namespaces of their own. Allow it, once, as root: "
         "sysctl -w user.max_user_namespaces=10000"),
    )  # fmt: skip
    for path, bad, remedy in known:
        if Path(path).is_file() and Path(path).read_text().strip() == bad:
            return remedy
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return (
            "This is a container, whose own rules forbid it: start it as a user that is not root, with --security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined."
        )
    return OUTSIDE


def doctor() -> int:
    """Print what this host allows. Returns 0 where students' code can be graded in a sandbox, else 1."""
    print(f"system      {platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    found = shutil.which("bwrap")
    version = subprocess.run(["bwrap", "--version"], capture_output=True, text=True).stdout.strip() if found else "none"
    print(f"bubblewrap  {version}")
    print(f"rights      {'root: a worker becomes a user of its own' if os.getuid() == 0 else 'a user without rights'}")
    try:
        probe()
    except Unavailable as error:
        print(f"sandbox     no. {error}")
        return 1
    if seccomp.program() is None:
        print(f"calls       not filtered: the kernel's numbers of a {platform.machine()} are not known here")
    print("sandbox     yes: no network, nothing of the course's answers, own memory for files")
    return 0
