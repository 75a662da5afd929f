"""Attacks by processes: exits, signals, forks, threads; and on the setup, which runs in both processes."""

# ruff: noqa: E501 (sources in strings)

from . import looks
from .attack import Attack, everywhere, only

DETACHED = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time\\n# kit-marker-process\\ntime.sleep(600)"])
    os._exit(0)
os.wait()
if os.fork() == 0:
    os.setsid()
    for fd in range(256):
        try:
            os.close(fd)
        except OSError:
            pass
    time.sleep(5)
    for place in ("/tmp", "/dev/shm", os.path.expanduser("~"), "/var/tmp"):
        try:
            open(place + "/kit-marker-late", "w").close()
        except OSError:
            pass
    time.sleep(600)
    os._exit(0)
print("LOO" + "KED:detached")
"""

PROCESSES = [
    Attack("ends the process in a cell", "an exit code of 0 looks like success", first="import os\nos._exit(0)",
           review=True),
    Attack("exits a cell in every way", "an exit ends the batch, or looks like success", added=(
        (None, "import sys\nsys.exit(0)"), (None, "raise SystemExit"), (None, "raise KeyboardInterrupt"),
        (None, "raise GeneratorExit"), (None, "exit(0)"), (None, "quit()"),
        (None, "class Own(BaseException):\n    __str__ = lambda self: 1 / 0\nraise Own"),
        (None, "raise BaseExceptionGroup('x', [SystemExit(0), KeyboardInterrupt()])"),
    )),
    Attack("ends the process in a function", "as above, from within a call",
           only("importance", "import os\nos._exit(0)"), review=True),
    Attack("crashes", "a signal instead of an exit code", only("importance", "import ctypes\nctypes.string_at(0)"),
           review=True),
    Attack("aborts", "a signal instead of an exit code", only("best-lambda", "import os\nos.abort()"), review=True),
    Attack("kills all that it can", "the grader and the other students", first="""
import os, signal
for number in [int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) not in (os.getpid(),)]:
    for what in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(number, what)
        except OSError:
            pass
for what in (lambda: os.kill(os.getppid(), 9), lambda: os.killpg(0, 9), lambda: os.kill(-1, 9)):
    try:
        what()
    except OSError:
        pass""".strip()),
    Attack("stops itself", "a grader that waits without end", first="import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
           slow=True, review=True),
    Attack("asks to be no more than a debugger", "to change its parent, or to outlive it", first="""
import ctypes, os, resource, signal
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(1, 0)  # no signal when the parent ends
for number in [int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) != os.getpid()]:
    if libc.ptrace(16, number, 0, 0) == 0:
        print("LE" + "AK:ptrace of", number)
    try:
        with open(f"/proc/{number}/mem", "r+b") as memory:
            print("LE" + "AK:memory of", number)
    except OSError:
        pass
for kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
    try:
        soft, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        if hard != resource.RLIM_INFINITY:
            print("LE" + "AK:limit lifted", kind)
    except (OSError, ValueError):
        pass
try:
    os.setuid(0)
    print("LE" + "AK:is root")
except OSError:
    pass
try:
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    print("LE" + "AK:priority")
except OSError:
    pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
for number in range(1, 64):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("LOO" + "KED:privileges")""".strip(), says=(f"{looks.LOOKED}privileges",)),
    Attack("leaves processes that outlive it", "to change grades later", first=DETACHED.strip(),
           says=(f"{looks.LOOKED}detached",)),
    Attack("replies from a fork", "two answers to one question", everywhere("""
import os
if os.fork():
    return like
return like""")),
    Attack("becomes another program", "a program that holds the channel", only("importance", """
import os, sys
for fd in range(3, 256):
    try:
        os.set_inheritable(fd, True)
    except OSError:
        pass
os.execv("/bin/sh", ["sh", "-c", "cat <&3 >&3; sleep 1000"])"""), slow=True, review=True),
    Attack("threads that go on", "to print and to change results later", first="""
import threading, time
def go_on():
    while True:
        time.sleep(0.01)
        print("still here", flush=True)
        for name, thing in list(globals().items()):
            if isinstance(thing, list):
                thing.append(torch.zeros(1))
for _ in range(8):
    threading.Thread(target=go_on, daemon=True).start()""".strip()),
]  # fmt: skip


SETUP = [
    Attack("breaks the imports of the setup", "a given cell that fails in the student's process stops the grader", added=(
        (None, "import builtins\ndef refuse(*given, **named):\n    raise ImportError('no')\nbuiltins.__import__ = refuse"),
    ), review=True),
    Attack("breaks the data of the setup", "as above", added=(
        (None, "import lllcourse.tasks, lllcourse.data\ndef broken(*given, **named):\n    raise SystemExit(0)\n"
         "lllcourse.tasks.permuted = lllcourse.tasks.sequences.permuted = lllcourse.data.digits = broken"),
    ), review=True),
    Attack("ends while the setup runs", "as above", added=(
        (None, "import os, lllcourse.tasks\nlllcourse.tasks.permuted = lambda *given, **named: os._exit(0)"),
    ), review=True),
    Attack("never ends the setup", "as above", added=(
        (None, "import time, lllcourse.tasks\nlllcourse.tasks.permuted = lambda *given, **named: time.sleep(1e6)"),
    ), slow=True, review=True),
    Attack("gives the setup its own code", "what the given cells define is the student's", added=(
        (None, "import ast, builtins\nold = builtins.compile\n"
         "builtins.compile = lambda *given, **named: old('tasks = check = tiny = None', 'x', 'exec')"),
    ), review=True),
]  # fmt: skip
