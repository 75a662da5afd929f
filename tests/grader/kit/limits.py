"""Attacks by using too much: output, time, memory, files, processes, threads, descriptors."""

# ruff: noqa: E501 (sources in strings)

from . import looks
from .attack import Attack, everywhere, only

CATCHES = """
import time
while True:
    try:
        while True:
            time.sleep(0.05)
    except BaseException:
        pass
"""
OUTSIDE = """
import ctypes, mmap, os
libc, written, kept = ctypes.CDLL(None, use_errno=True), 0, []
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
piece = bytes(1 << 20)
try:
    for n in range(24):  # 250 MB each, in files that no process holds in its address space
        fd = os.memfd_create("kit")
        kept.append(fd)
        for _ in range(250):
            written += os.write(fd, piece)
except (OSError, AttributeError):
    pass
print("files in memory, MB:", written >> 20, flush=True)
shared = 0
for n in range(24):
    number = libc.shmget(0, 250 << 20, 0o1600)
    place = libc.shmat(number, None, 0) if number >= 0 else -1
    if place in (-1, None, 2**64 - 1):
        break
    ctypes.memset(place, 1, 250 << 20)
    libc.shmdt(place)
    shared += 250 << 20
print("shared memory, MB:", shared >> 20, flush=True)
if written + shared > 4.5 * 2**30:
    print("LE" + "AK:memory beyond the limit", written + shared)
print("LOO" + "KED:memory outside")
"""
OWN_TMPFS = """
import ctypes, os
libc, written = ctypes.CDLL(None, use_errno=True), 0
user, group = os.getuid(), os.getgid()
if libc.unshare(0x10000000 | 0x00020000) == 0:
    for path, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        try:
            open("/proc/self/" + path, "w").write(text)
        except OSError as error:
            print(path, error)
    if libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"size=8g") == 0:
        piece = bytes(1 << 20)
        try:
            for n in range(22):
                with open(f"/tmp/{n}", "wb") as file:
                    for _ in range(230):
                        written += file.write(piece)
        except OSError as error:
            print(error)
if written > 4.5 * 2**30:
    print("LE" + "AK:a file system of its own beyond the limit", written)
print("LOO" + "KED:tmpfs")
"""

LIMITS = [
    Attack("prints 1 GB", "the grader's memory, the feedback's size",
           first="for _ in range(10**7):\n    print('x' * 100)", review=True),
    Attack("prints one line of 300 MB", "as above", first="print('x' * 300_000_000)", review=True),
    Attack("prints 1 GB to stderr in a function", "as above",
           only("importance", "import sys\nfor _ in range(1000):\n    sys.stderr.write('x' * 10**6)\nreturn like"),
           review=True),
    Attack("prints escapes and scripts", "the instructor's terminal and browser", first="print('\\x1b]0;owned\\x07\\x1b[2J"
           "\\x1b[31m\\r<script>alert(1)</script>\\u202e\\0' * 3)\ndisplay('<img src=x onerror=alert(1)>')"),
    Attack("a cell that catches everything", "a batch that never ends", first=CATCHES.strip(), slow=True, review=True),
    Attack("a function that catches everything", "as above", only("importance", CATCHES), slow=True, review=True),
    Attack("sleeps", "as above", only("penalty", "import time\ntime.sleep(1e9)"), slow=True, review=True),
    Attack("computes without end in C", "a limit that a signal handler would keep",
           only("importance", "return 10 ** 10 ** 10"), slow=True, review=True),
    Attack("a pattern that never ends", "as above",
           only("importance", "import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b')"), slow=True, review=True),
    Attack("waits for an answer", "a grader that waits", only("importance", "import sys\ninput()\nsys.stdin.read()\nreturn like")),
    Attack("recursion into the stack", "a crash", only("importance", """
import sys
sys.setrecursionlimit(10**9)
def deeper(x):
    return sorted([x], key=deeper)
return deeper(1)""")),
    Attack("100 GB at once", "the host's memory", only("importance", "return torch.ones(25_000_000_000)")),
    Attack("memory bit by bit", "the host's memory",
           only("importance", "kept = []\nwhile True:\n    kept.append(torch.ones(25_000_000))")),
    Attack("memory in many processes", "the host's memory, where each process has a limit of its own", only("importance", """
import os, time
for _ in range(6):
    if os.fork() == 0:
        kept = [torch.ones(25_000_000) for _ in range(14)]
        time.sleep(60)
        os._exit(0)
time.sleep(60)
return like"""), slow=True, review=True),
    Attack("memory in files without a name", "the host's memory, in no process's account", first=OUTSIDE.strip(),
           says=(f"{looks.LOOKED}memory outside",), slow=True),
    Attack("memory in a file system of its own", "as above, through a namespace", first=OWN_TMPFS.strip(),
           says=(f"{looks.LOOKED}tmpfs",), slow=True),
    Attack("fills all folders", "the host's disk and memory", first="""
import os
piece, total = bytes(1 << 20), 0
for place in ("/tmp", "/dev/shm", os.path.expanduser("~"), os.getcwd(), "/var/tmp", "/run", "/dev", "/"):
    for n in range(20):
        try:
            with open(f"{place}/kit-marker-fill-{n}", "wb") as file:
                for _ in range(100):
                    total += file.write(piece)
        except OSError:
            break
if total > 2 << 30:
    print("LE" + "AK:wrote", total)
for n in range(20_000):
    try:
        open(f"/tmp/kit-marker-{n}", "w").close()
    except OSError:
        break
try:
    os.truncate("/tmp/kit-marker-1", 10**13)
except OSError:
    pass
print("LOO" + "KED:filled")""".strip(), says=(f"{looks.LOOKED}filled",)),
    Attack("processes without end", "the host's table of processes", only("importance", """
import os, time
for _ in range(20_000):
    try:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
    except OSError:
        break
time.sleep(2)
return like"""), slow=True),
    Attack("processes that make processes", "as above", only("importance", """
import os
os.system(":(){ :|:& };:")
while True:
    try:
        os.fork()
    except OSError:
        pass"""), slow=True, review=True),
    Attack("threads without end", "as above", only("importance", """
import threading, time
for _ in range(20_000):
    try:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    except (RuntimeError, MemoryError):
        break
return like""")),
    Attack("all cores for ever", "the other students' time", only("importance", """
import os
for _ in range(30):
    if os.fork() == 0:
        while True:
            pass
while True:
    pass"""), slow=True, review=True),
    Attack("descriptors without end", "the worker's own last ones", only("importance", """
import os, socket
kept = []
try:
    while True:
        kept += [os.open("/dev/null", 0), socket.socketpair(), os.pipe()]
except OSError:
    globals()["kept"] = kept
return like""")),
    Attack("twenty minutes in small pieces", "each call below its limit, all together without end", everywhere("""
import time
time.sleep(1.5)
return like"""), slow=True),
]  # fmt: skip
