"""What a student's process can reach, and how it ends: nothing of the course's answers, no network, none of another's
files, and every limit.
"""

import os
import struct
import time

import pytest
import torch

from grader.assignment import OPEN
from grader.sandbox import limits, runner, seccomp
from lllcourse.models import MLP


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return limits.furnish(tmp_path_factory.mktemp("sandbox") / "worker")


@pytest.fixture(scope="module")
def start(folder):
    """Start a worker with these limits. A sandbox that is missing is a failure, never a skip."""
    limits.probe()
    started = []

    def start(**numbers):
        started.append(runner.Worker(folder, limits.Limits(**numbers)))
        return started[-1]

    yield start
    for worker in started:
        worker.end()


@pytest.fixture(scope="module")
def shared(start):
    """One worker for all that leaves it alive."""
    return start(wall=60)


def printed(worker, source):
    reply, _ = worker.run("cell", "added", source)
    assert reply.error is None, reply.error
    return worker.output().decode()


# --- what is there ---------------------------------------------------------------------------------------------------


def test_there_is_of_the_course_what_students_may_import_and_no_more(shared):
    everything = printed(
        shared, "import lllcourse, os\nprint(*os.listdir(os.path.dirname(lllcourse.__file__)))"
    ).split()
    modules = {name.removesuffix(".py") for name in everything} - {"__init__", "_lazy", "digits.npz", "grading"}
    assert modules == OPEN - {"device", "digits"}
    inside = printed(shared, "import lllcourse.grading as g, os; print(*os.listdir(os.path.dirname(g.__file__)))")
    assert set(inside.split()) == {"__init__.py", "check.py"}
    for module in ("lllcourse.lifelong", "lllcourse.compression", "lllcourse.results", "grader", "tools", "solutions"):
        reply, _ = shared.run("cell", "added", f"import {module}")
        assert reply.error[0] == "ModuleNotFoundError", module


def test_every_module_that_is_there_can_be_imported(shared):
    for module in sorted(OPEN - {"device", "digits"}):
        assert printed(shared, f"from lllcourse import {module}; print(len(dir({module})) > 9)") == "True\n"


def test_there_are_no_test_images(shared):
    text = printed(
        shared, "from lllcourse import digits\nprint(float(digits().test.x.abs().sum()), len(digits().train))"
    )
    assert text == "0.0 3500\n"


def test_a_withheld_module_is_not_there(tmp_path):
    made = limits.furnish(tmp_path / "worker", withheld=["metrics"])
    names = {path.stem for path in (made / "course" / "lllcourse").iterdir()}
    assert "metrics" not in names and "training" in names


def test_the_environment_is_ours_and_holds_no_secret(shared, monkeypatch):
    text = printed(shared, "import os; print(sorted(os.environ))")
    assert set(eval(text)) - {"PWD", "OLDPWD"} == set(limits.environment())


def test_it_sees_no_process_but_its_own(shared):
    assert set(printed(shared, "import os; print(*[n for n in os.listdir('/proc') if n.isdigit()])").split()) <= {
        "1",
        "2",
        "3",
    }


def test_it_reaches_no_network(shared):
    source = """
import socket
for place in (("8.8.8.8", 53), ("127.0.0.1", 22)):
    try:
        socket.create_connection(place, timeout=1)
        print("reached", place)
    except OSError:
        pass
"""
    assert printed(shared, source) == ""


def test_it_writes_into_its_own_small_folders_and_nowhere_else(shared):
    source = """
import os
library = os.path.dirname(os.__file__)
for root in ("/", "/dev", "/etc", "/usr", "/grading", "/proc", library, "/home", "/tmp", "/dev/shm"):
    try:
        open(os.path.join(root, "mark"), "w").close()
        print(root)
    except OSError:
        pass
open(os.path.expanduser("~/mark"), "w").close()
try:
    with open("/tmp/large", "wb") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    print("wrote 600 MB")
except OSError:
    pass
os.remove("/tmp/large")
"""
    assert printed(shared, source).split() == ["/tmp", "/dev/shm"]


def test_the_kernel_refuses_what_no_answer_needs(shared):
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
allowed = []
if libc.unshare(0x10000000) == 0: allowed.append("a namespace of its own")
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0: allowed.append("mount")
if libc.ptrace(0, 0, 0, 0) == 0: allowed.append("ptrace")
try:
    os.memfd_create("memory"); allowed.append("memory without a name")
except OSError:
    pass
try:
    os.setuid(0); allowed.append("root")
except OSError:
    pass
print(*allowed, sep=", ")
"""
    assert printed(shared, source) == "\n"


def test_threads_processes_and_torch_work_in_it(shared):
    source = """
import subprocess, threading, torch
thread = threading.Thread(target=lambda: print("a thread", flush=True)); thread.start(); thread.join()
print(subprocess.run(["echo", "a process"], capture_output=True, text=True).stdout, end="", flush=True)
x = torch.ones(3, requires_grad=True)
torch.optim.Adam([x]).step()
print(torch.nn.functional.softmax(x, 0).sum().item())
"""
    assert printed(shared, source).split("\n")[:2] == ["a thread", "a process"]


def test_the_filter_is_known_for_both_kinds_of_processors():
    for machine, (name, calls) in seccomp.MACHINES.items():
        content = seccomp.program(machine)
        lines = [struct.unpack_from("HBBI", content, at) for at in range(0, len(content), 8)]
        assert lines[1] == (seccomp.EQUAL, 1, 0, name) and lines[-1] == (seccomp.RETURN, 0, 0, seccomp.ALLOW)
        assert {line[3] for line in lines if line[0] == seccomp.EQUAL} >= set(calls.values())
        # A jump lands inside, and on an instruction that follows.
        assert all(
            at + 1 + max(line[1], line[2]) < len(lines) for at, line in enumerate(lines) if line[0] != seccomp.RETURN
        )
    assert seccomp.program("pdp11") is None


# --- calls -----------------------------------------------------------------------------------------------------------


def test_a_function_is_called_with_copies_and_its_result_comes_back(shared):
    source = "def twice(x, model, scale=2):\n    x *= scale\n    return [x, model]"
    reply, _ = shared.run("cell", "solution", source, ["twice", "other"])
    assert reply.callables == ["twice"] and reply.values == {}
    x = torch.ones(3)
    reply, reader = shared.call("twice", [x, MLP(3, 2, seed=4)], {"scale": 3}, bound=False)
    got, network = reader(reply.value)
    assert got.tolist() == [3, 3, 3] and x.tolist() == [1, 1, 1]
    assert all(map(torch.equal, network.parameters(), MLP(3, 2, seed=4).parameters()))


def test_an_error_comes_back_as_words_with_the_line(shared):
    shared.run("question", "solution", "def wrong():\n    return 1 / 0", ["wrong"])
    reply, _ = shared.call("wrong", [], {}, bound=False)
    assert reply.error == ("ZeroDivisionError", "division by zero (line 2 of the cell question)")


@pytest.mark.parametrize("how", ["raise SystemExit(0)", "raise KeyboardInterrupt", "exit()", "import sys; sys.exit(1)"])
def test_no_exception_ends_it(shared, how):
    reply, _ = shared.run("cell", "added", how)
    assert reply.error[0] in ("SystemExit", "KeyboardInterrupt")
    assert printed(shared, "print(1)") == "1\n"


def test_given_cells_keep_their_names_whatever_the_student_calls_theirs(shared):
    shared.run("setup", "given", "import copy")
    shared.run("answer", "solution", "from copy import copy\n\n\ndef own(x):\n    return copy(x)", ["own"])
    shared.run("given", "student-side", "def deep(x):\n    return copy.deepcopy(own(x))", ["deep"])
    reply, reader = shared.call("deep", [[1]], {}, bound=True)
    assert reply.error is None and reader(reply.value) == [1]


def test_a_student_side_function_is_the_given_one_also_after_the_student_redefines_it(shared):
    shared.run("given", "student-side", "def given():\n    return 1", ["given"])
    shared.run("cell", "added", "def given():\n    return 2\n\n\nglobals()['given'] = given")
    reply, reader = shared.call("given", [], {}, bound=True)
    assert reader(reply.value) == 1


@pytest.mark.parametrize(
    "source", ["%matplotlib inline\nx = 5", "!pip install torch\nx = 5", "%%time\nx = 5", "x = 5\nx?"]
)
def test_what_only_a_notebook_understands_breaks_nothing(shared, source):
    assert shared.run("cell", "added", source)[0].error is None
    assert printed(shared, "print(x)") == "5\n"


# --- how it ends -----------------------------------------------------------------------------------------------------

ENDLESS = """
while True:
    try:
        import time
        time.sleep(1)
    except BaseException:
        pass
"""
ENDS = {
    "a loop that catches everything": (ENDLESS, "longer than 2 s"),
    "an end of the process": ("import os; os._exit(0)", "ended in the middle"),
    "a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended in the middle"),
    "endless output": ("while True: print('x' * 100_000)", "printed more than 16 MB"),
    "bytes into every descriptor": (
        "import os\nfor n in range(3, 64):\n    try: os.write(n, b'\\0' * 64)\n    except OSError: pass",
        "sent",
    ),
}


@pytest.mark.parametrize("what", ENDS)
def test_it_is_ended_with_a_reason(start, what):
    source, words = ENDS[what]
    worker = start(wall=2)
    worker.start()
    with pytest.raises(runner.Ended, match=words):
        worker.run("cell", "added", source)
        worker.run("cell", "added", "pass")
    assert not worker.alive and worker.process.returncode is not None


def test_what_prints_faster_than_it_is_read_is_ended_too(start, monkeypatch):
    worker = start()
    worker.start()
    monkeypatch.setattr(runner.os, "read", lambda descriptor, n: b"x" * n)  # there is always more
    with pytest.raises(runner.Ended, match="printed more than 16 MB"):
        worker.output()
    monkeypatch.undo()
    assert worker.process.returncode is not None


def test_limits_on_memory_and_processes_fail_the_code_and_not_the_host(start):
    worker = start(wall=30, memory=2 << 30, processes=20)
    reply, _ = worker.run("cell", "added", "x = bytearray(50 << 30)")
    assert reply.error[0] == "MemoryError"
    fork = """
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        count += 1
except OSError:
    print(count)
"""
    assert int(printed(worker, fork)) < 25


def test_nothing_that_it_started_outlives_it(start, tmp_path):
    worker = start(wall=30)
    source = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(1)
    os._exit(0)
"""
    printed(worker, source)
    family = [process.pid for process in runner._family(worker.process.pid)]
    assert len(family) >= 3
    worker.end()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(os.path.exists(f"/proc/{pid}") for pid in family[1:]):
        time.sleep(0.05)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in family[1:])


def test_two_answers_to_one_question_end_it(start):
    worker = start(wall=20)
    source = """
import gc, socket, protocol
channel = next(o for o in gc.get_objects() if isinstance(o, socket.socket))
def forge():
    channel.sendall(protocol.write(protocol.Reply("00" * 8), []))
"""
    worker.run("cell", "solution", source, ["forge"])
    with pytest.raises(runner.Ended, match="sent"):
        worker.call("forge", [], {}, bound=False)


# --- the host --------------------------------------------------------------------------------------------------------


def test_without_bubblewrap_nothing_begins_and_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(limits.shutil, "which", lambda name: None)
    with pytest.raises(limits.Unavailable, match="apt-get install bubblewrap"):
        limits.probe()
    monkeypatch.setattr(limits.platform, "system", lambda: "Darwin")
    with pytest.raises(limits.Unavailable, match="needs Linux, and this is Darwin.*container"):
        limits.probe()


def test_the_doctor_says_what_the_host_allows(capsys):
    assert limits.doctor() == 0
    text = capsys.readouterr().out
    assert "bubblewrap  bubblewrap" in text and "sandbox     yes" in text


def test_without_a_sandbox_it_works_alike_on_request(folder):
    worker = runner.Worker(folder, limits.Limits(wall=60), sandbox="none")
    try:
        worker.run("cell", "solution", "def f(x):\n    return x + 1", ["f"])
        reply, reader = worker.call("f", [torch.ones(2)], {}, bound=False)
        assert reader(reply.value).tolist() == [2, 2]
    finally:
        worker.end()
