"""Code that looks for what a submission must not see, and says LEAK:<what> for each thing that it finds.

The words are put together while it runs, so that they stand in no source: where "LEAK:" is in a result, it was printed
or returned. At the end of a look comes LOOKED:<its name>, so that silence is no proof of anything.

The test lays out canaries: a variable of the grader's environment, files in the home folder, in /tmp and in a class
folder, each with the text of `CANARY` in it; it listens on PORT and on the abstract socket SOCKET.
"""

# ruff: noqa: E501 (code in strings)

CANARY = "KIT" + "-CANARY-7c1f"
PORT, SOCKET = 47_391, "\0kit-canary-socket"
LEAK, LOOKED = "LEAK" + ":", "LOOKED" + ":"
MARKER = "kit-marker"  # the beginning of the name of every file that an attack tries to leave

HEAD = """
import gc, glob, os, re, socket, subprocess, sys, time
until = time.monotonic() + 20


said = []


def leak(what):
    said.append(what)
    if len(said) < 4:  # of a look: what is kept of an output is short
        print("LE" + "AK:" + str(what)[:300], flush=True)


def looked(what):
    said.clear()
    print("LOO" + "KED:" + what, flush=True)


def text(path, most=3_000_000):
    try:
        if not os.path.isfile(path):
            return ""
        with open(path, "rb") as file:
            return file.read(most).decode("latin-1")
    except OSError:
        return ""


# Written so that no needle finds itself.
CANARY = re.compile("KIT-CANAR[Y]-7c1[f]")
HIDDEN = re.compile("BEGIN HIDDE[N] TESTS|draw[n]_(rows|places|ways|tables|network|tasks|weights)|expecte[d]_(importance|penalty|fold|share|accuracy)")


def files(*tops, most=200_000):
    for top in tops:
        for folder, names, found in os.walk(top):
            # What everybody has: the system's own files, Python's and torch's.
            skip = folder.startswith((sys.base_prefix + "/lib/python3", "/usr")) or folder.endswith(
                ("site-packages/torch", "/sympy", "/scipy", "/pandas"))
            if skip or folder in ("/proc", "/sys", "/dev") or time.monotonic() > until:
                names.clear()
                continue
            names[:] = [name for name in names if not os.path.islink(os.path.join(folder, name))]
            for name in found:
                most -= 1
                if most < 0:
                    return
                yield os.path.join(folder, name)
"""

LOOKS = {
    "imports of the reference": """
import importlib, pkgutil
import lllcourse
for name in ("lifelong.ewc", "lifelong", "compression", "compare", "per_sample", "masks", "results", "settings"):
    try:
        module = importlib.import_module("lllcourse." + name)
        if getattr(module, "__file__", None):
            leak("import lllcourse." + name)
    except Exception:
        pass
for name in ("grader", "grader.assignment", "solutions", "tests", "tools", "experiments", "nbgrader_config"):
    try:
        importlib.import_module(name)
        leak("import " + name)
    except Exception:
        pass
for found in pkgutil.walk_packages(lllcourse.__path__, "lllcourse.", onerror=lambda name: None):
    if any(part in found.name for part in ("lifelong", "compression", "compare")):
        leak("package " + found.name)
for name, module in list(sys.modules.items()):
    if name.startswith(("lllcourse.lifelong", "lllcourse.compression", "grader.assignment", "grader.session")):
        leak("module " + name)
""",
    "files of the reference": """
wanted = {"ewc.py", "mistakes.py", "alternatives.py", "experiment.py", "gradebook.db", "nbgrader_config.py",
          "assignment.py", "session.py", "rebuild.py", "lint.py", "gradebook.py", "proofs.json", "packed-refs"}
for path in files("/"):
    name = os.path.basename(path)
    if name in wanted and "site-packages/" not in path.replace("/lllcourse/", "/") and not path.startswith("/usr/"):
        leak("file " + path)
    elif "lllcourse" in path and ("/lifelong/" in path or "/compression/" in path):
        leak("file " + path)
    elif name.endswith(".ipynb") and "site-packages" not in path:
        leak("notebook " + path)
""",
    "texts of hidden tests in files": """
for path in files("/tmp", "/home", "/root", "/work", "/srv", "/opt", "/mnt", "/var", "/run", "/etc", os.getcwd(),
                  os.path.dirname(os.path.dirname(__import__("lllcourse").__file__))):
    if path.endswith((".py", ".ipynb", ".json", ".txt", ".db", ".pyc", ".sqlite", ".env", ".pack", "secret", ".key")) \\
            or "." not in os.path.basename(path):
        if "site-packages/" in path and "/lllcourse/" not in path:
            continue
        content = text(path)
        if HIDDEN.search(content):
            leak("hidden tests in " + path)
        if CANARY.search(content):
            leak("canary in " + path)
""",
    "environment": """
import random
words = ("SECRET", "TOKEN", "SEED", "PASSW", "CREDENTIAL", "API_KEY", "KIT_")
for name, value in os.environ.items():
    if any(word in name.upper() for word in words) and name != "PYTHONHASHSEED" or CANARY.search(value):
        leak("environment " + name)
from lllcourse.grading import check
if check.seed() != 0:
    leak("seed " + str(check.seed()))
""",
    "processes": """
mine = os.getpid()
for number in [n for n in os.listdir("/proc") if n.isdigit()]:
    for part in ("environ", "cmdline", "maps", "stat"):
        content = text(f"/proc/{number}/{part}")
        if CANARY.search(content):
            leak(f"canary in {part} of process {number}")
        if part == "cmdline" and re.search("pytes[t]|xdis[t]|-m.grade[r]|jupyte[r]", content):
            leak(f"process {number}: " + content.replace(chr(0), " "))
    if int(number) != mine:
        for path in glob.glob(os.path.join("/proc", number, "root", "*", "*")):
            leak(f"{path} through process {number}")
            break
for number in [n for n in os.listdir("/proc") if n.isdigit() and int(n) != mine]:
    try:
        for fd in os.listdir(f"/proc/{number}/fd"):
            path = os.readlink(f"/proc/{number}/fd/{fd}")
            if path.endswith((".py", ".db", ".ipynb", ".json")):
                leak(f"open file {path} of process {number}")
        with open(f"/proc/{number}/mem", "rb") as memory:
            leak(f"memory of process {number}")
    except (OSError, ValueError):
        pass
try:
    output = subprocess.run(["ps", "axeww"], capture_output=True, text=True, timeout=5).stdout
    if CANARY.search(output) or re.search("pytes[t]", output):
        leak("ps shows the host")
except Exception:
    pass
""",
    "system": """
own = [path for name in (".ssh/id_*", ".bash_history", ".netrc", ".pypirc") for path in glob.glob("/*/" + name)]
for path in (*own, "/etc/shadow", "/etc/sudoers",
             "/var/run/docker.sock", "/run/docker.sock", "/proc/kcore", "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda"):
    try:
        with open(path, "rb") as file:
            if file.read(1):
                leak("read " + path)
    except OSError:
        pass
    if path.endswith("docker.sock") and os.path.exists(path):
        leak("exists " + path)
""",
    "memory": """
for thing in gc.get_objects():
    try:
        if isinstance(thing, dict):
            for value in list(dict.values(thing)):
                if type(value) in (str, bytes) and (HIDDEN.search(value if type(value) is str else value.decode("latin-1"))):
                    leak("text of a hidden test in a dictionary: " + str(value)[:100])
        module = getattr(thing, "__module__", None) if type(thing).__name__ == "function" else None
        if isinstance(module, str) and module.startswith(("lllcourse.lifelong", "lllcourse.compression", "grader.")):
            if not module.startswith("grader.sandbox"):
                leak("function " + module + "." + thing.__name__)
    except Exception:
        pass
regions = re.findall("(?m)^([0-9a-f]+)-([0-9a-f]+) rw", text("/proc/self/maps"))
needle = re.compile(b"### BEGI[N] HIDDE[N] TESTS.{1,40}")
canary = re.compile(b"KIT-CANAR[Y]-7c1[f]")
try:
    with open("/proc/self/mem", "rb", 0) as memory:
        for low, high in regions:
            low, high = int(low, 16), int(high, 16)
            if high - low < 300_000_000 and time.monotonic() < until:
                try:
                    memory.seek(low)
                    content = memory.read(high - low)
                except (OSError, ValueError, OverflowError):
                    continue
                for what in (needle, canary):
                    if found := what.search(content):
                        leak("in memory: " + repr(found[0]))
                del content
except OSError:
    pass
""",
    "frames": """
frame, names = sys._getframe(), []
while frame:
    names.append(frame.f_code.co_filename)
    for place in (frame.f_locals, frame.f_globals):
        for name, value in list(place.items()):
            try:
                if type(value) is str and HIDDEN.search(value) or re.search("expecte[d]|secre[t]|referenc[e]", name):
                    leak("frame " + name + " = " + repr(value)[:100])
            except Exception:
                pass
    frame = frame.f_back
""",
    "network": """
def reach(family, address, what):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(0.5)
            s.connect(address)
            leak("network: " + what)
    except OSError:
        pass


reach(socket.AF_INET, ("8.8.8.8", 53), "8.8.8.8")
reach(socket.AF_INET, ("127.0.0.1", 47391), "localhost")
reach(socket.AF_UNIX, chr(0) + "kit-canary-socket", "an abstract socket")
for path in ("/var/run/dbus/system_bus_socket", "/run/systemd/private", "/tmp/.X11-unix/X0"):
    reach(socket.AF_UNIX, path, path)
try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("8.8.8.8", 53))
        leak("network: a datagram left")
except OSError:
    pass
interfaces = [name for name in os.listdir("/sys/class/net")] if os.path.isdir("/sys/class/net") else []
if [name for _, name in socket.if_nameindex() if name != "lo"]:
    leak("network: interfaces " + str(socket.if_nameindex()))
""",
    "the task's test images": """
for task in three_tasks:
    if getattr(task, "test", None) is not None and len(task.test):
        pass  # the given cell makes them in both processes: they are the data of the course


def sees_test(tasks):
    for task in tasks:
        if getattr(task, "test", None) is not None and len(task.test):
            leak("test images of a hidden task")
""",
    "descriptors": """
for fd in os.listdir("/proc/self/fd"):
    try:
        path = os.readlink("/proc/self/fd/" + fd)
    except OSError:
        continue
    if path.startswith("/") and not path.startswith(("/dev/", "/proc/")) and ".py" not in path and ".so" not in path:
        leak("descriptor " + fd + " is " + path)
""",
    "privileges": """
status = text("/proc/self/status")
for line in status.splitlines():
    if line.startswith(("CapEff", "CapPrm", "CapAmb")) and int(line.split()[1], 16):
        leak("capabilities " + line.replace(chr(9), " "))
    if line.startswith("NoNewPrivs") and line.split()[1] != "1":
        leak("may gain privileges")
    if line.startswith("Seccomp:") and line.split()[1] == "0":
        print("no seccomp filter")
if os.getuid() == 0 and os.access("/etc/shadow", os.R_OK):
    leak("root of the host")
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, flag in {"user namespace": 0x10000000, "mount namespace": 0x00020000}.items():
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.unshare(flag) == 0 else 1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        print("a process may make a " + name)
if libc.mount(b"none", b"/mnt", b"tmpfs", 0, None) == 0:
    leak("may mount")
""",
}


def look(*names) -> str:
    """Code that takes these looks, or all of them."""
    parts = [HEAD]
    for name in names or LOOKS:
        body = LOOKS[name].strip("\n").replace("\n", "\n    ")
        parts.append(
            f'try:\n    {body}\nexcept Exception as e:\n    print("look:", {name!r}, type(e), e)\nlooked({name!r})\n'
        )
    return "\n".join(parts)


# Tries to leave a file wherever it can be written to, from the root down and at the usual places.
LEAVE = (
    HEAD
    + f"""
places = ["/", "/etc", "/usr", "/usr/lib", "/var", "/var/tmp", "/tmp", "/dev", "/dev/shm", "/run", "/mnt", "/srv",
          "/opt", "/home", "/root", "/work", "/boot", os.getcwd(), os.path.expanduser("~"), sys.prefix, sys.base_prefix]
places += [path for path in sys.path if path]
place = os.path.dirname(__import__("lllcourse").__file__)
while place != "/":
    places.append(place)
    place = os.path.dirname(place)
for folder, names, _ in os.walk("/"):
    if folder.count("/") > 4 or folder in ("/proc", "/sys") or time.monotonic() > until:
        names.clear()
    places.append(folder)
for number in [n for n in os.listdir("/proc") if n.isdigit()]:
    places += [os.path.join("/proc", number, *link) for link in (("root", "tmp"), ("cwd",))]
left = 0
for place in dict.fromkeys(places):
    for name in ("{MARKER}", "{MARKER}.pth"):
        try:
            with open(os.path.join(place, name), "w") as file:
                file.write("left")
            left += 1
        except OSError:
            pass
home = os.path.expanduser("~")
for path in (home + "/.ipython/profile_default/startup/{MARKER}.py", home + "/.config/matplotlib/{MARKER}",
             home + "/.matplotlib/{MARKER}", home + "/.local/lib/python3.11/site-packages/{MARKER}.pth",
             "/tmp/torch.py", "/tmp/{MARKER}-torch/__init__.py", os.getcwd() + "/sitecustomize.py",
             home + "/.jupyter/{MARKER}", home + "/.bashrc", "/dev/shm/torch.py", "/etc/ld.so.preload"):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("print('{MARKER}')")
        left += 1
    except OSError:
        pass
for path in ("/etc/passwd", "/etc/hosts", sys.executable, __import__("lllcourse").__file__, torch.__file__):
    for what in (lambda: os.chmod(path, 0o777), lambda: open(path, "a").close(), lambda: os.rename(path, path + "x"),
                 lambda: os.link(path, "/tmp/{MARKER}-link"), lambda: os.utime(path, (1, 1))):
        try:
            what()
            if not path.startswith("/tmp"):
                leak("changed " + path)
        except OSError:
            pass
try:  # a segment of shared memory and a message queue outlive processes, unless their namespace ends
    import ctypes
    ctypes.CDLL(None).shmget(0x4B495401, 4096, 0o1666)
    ctypes.CDLL(None).msgget(0x4B495401, 0o1666)
except Exception:
    pass
looked("left files")
"""
)

# Looks for what LEAVE left in another submission.
FOUND = (
    HEAD
    + f"""
for path in files("/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"), os.getcwd(), most=20_000):
    if os.path.basename(path).startswith("{MARKER}") or path in ("/tmp/torch.py", "/dev/shm/torch.py"):
        leak("left by another submission: " + path)
import ctypes
if ctypes.CDLL(None).shmget(0x4B495401, 4096, 0) >= 0 or ctypes.CDLL(None).msgget(0x4B495401, 0) >= 0:
    leak("shared memory of another submission")
for number in [n for n in os.listdir("/proc") if n.isdigit()]:
    if re.search("kit-marke[r]", text(f"/proc/{{number}}/cmdline")):
        leak("a process of another submission")
looked("what another left")
"""
)
