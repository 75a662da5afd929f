"""Attacks on the channel between the two processes: forged, early, late and endless messages."""

# ruff: noqa: E501 (sources in strings)

from . import WRONG
from .attack import Attack, only

DESCRIPTORS = """
import os, socket


def channels():
    for fd in range(3, 256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        yield fd


def say(content):
    for fd in channels():
        try:
            os.write(fd, content)
        except OSError:
            pass
"""
# In a worker, `protocol` can be imported; the reply that it makes is well formed.
FORGE = (
    DESCRIPTORS
    + """
import sys
try:
    protocol = sys.modules["protocol"]
    replies = [protocol.write(protocol.Reply(id), []) for id in ("", "0", "ready", "1")]
    replies += [protocol.write(protocol.Reply("0", value=v), []) for v in (True, 1.0, "passed")]
except Exception as error:
    replies = [b"passed"]
"""
)
SEEN = """
import sys
frame, calls = sys._getframe(), []
while frame:
    calls += [v for v in frame.f_locals.values() if type(v).__name__ in ("Call", "Run")]
    frame = frame.f_back
"""


def forged(name, why, body, **settings) -> Attack:
    """An attack that writes to the channel from within a call: `id` is the call's, `send` writes to it."""
    lines = f"""
import time
{SEEN.strip()}
protocol = sys.modules["protocol"]
id = calls[0].id if calls else "0"
def send(content):
    say(content)
{body.strip()}
return like"""
    return Attack(name, why, only("importance", lines), first=FORGE.strip(), review=True, **settings)


BLOCK = """
import json, struct
entry = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
header = protocol.msgspec.msgpack.encode(protocol.Reply(id, value=protocol.Array(0, False)))
text = json.dumps(LIE).encode()
lie = struct.pack("<Q", len(text)) + text + bytes(16)
send(protocol.PREFIX.pack(len(header), len(lie)) + header + lie)
time.sleep(1e6)"""
LIES = [
    forged(
        f"tensors whose header lies: {what}",
        "memory outside the block, or of any size",
        BLOCK.replace("LIE", lie, 1),
        slow=True,
    )
    for what, lie in {
        "a shape of 2**60": '{"0": entry | {"shape": [2**40, 2**20]}}',
        "bytes beyond the end": '{"0": entry | {"data_offsets": [0, 2**40]}}',
        "a negative shape": '{"0": entry | {"shape": [-4]}}',
        "the same bytes twice": '{"0": entry, "1": entry}',
        "empty, and huge": '{"0": entry | {"shape": [0, 2**63], "data_offsets": [0, 0]}}',
        "another number": '{"-1": entry}',
        "a name": '{"x": entry}',
    }.items()
]


CHANNEL = [
    Attack("early replies", "an answer to a question that comes later",
           first=FORGE.strip() + "\nfor reply in replies:\n    say(reply)", review=True),
    Attack("random bytes to all descriptors", "a reader that stops, or takes them for an answer",
           first=DESCRIPTORS.strip() + "\nsay(os.urandom(3000))", review=True),
    Attack("closes all descriptors", "a grader that waits without end",
           first=DESCRIPTORS.strip() + "\nos.closerange(0, 256)", review=True),
    Attack("puts other files in the place of all descriptors", "as above", first=DESCRIPTORS.strip()
           + "\nfor fd in channels():\n    os.dup2(os.open('/dev/zero', os.O_RDWR), fd)", slow=True, review=True),
    Attack("reads the calls itself", "to answer in place of the worker, or never", first=DESCRIPTORS.strip() + """
import threading
def steal(fd):
    while True:
        try:
            content = os.read(fd, 100_000)
            print("LE" + "AK: a hidden test's text" if b"HIDDE" b"N TESTS" in content else "read something", flush=True)
            if not content:
                return
        except OSError:
            return
for fd in channels():
    threading.Thread(target=steal, args=(fd,), daemon=True).start()""", slow=True),
    Attack("floods the channel", "the grader's memory", first=DESCRIPTORS.strip() + """
for _ in range(3000):
    say(bytes(1 << 20))""", slow=True, review=True),
    Attack("changes what every function gives, in the channel", "a value that says it is right", answers=WRONG,
           first="import sys\nprotocol = sys.modules['protocol']\n"
           "protocol.Writer.__call__ = lambda self, value, depth=9: True"),
    forged("two replies", "the second is taken for the next call's answer",
           "send(protocol.write(protocol.Reply(id, value=1.0), []) * 2)"),
    forged("a reply, and then the worker's own", "as above", "send(protocol.write(protocol.Reply(id, value=1.0), []))"),
    forged("a reply to a later call", "success for a call that comes",
           "send(protocol.write(protocol.Reply('f' * 16, value=1.0), []))\nos.read(0, 1)\ntime.sleep(1)"),
    forged("a length of 4 GB", "the grader's memory", "send(b'\\xff' * 8)\ntime.sleep(1e6)", slow=True),
    forged("half a reply", "a grader that waits without end",
           "send(protocol.write(protocol.Reply(id), [])[:-1])\ntime.sleep(1e6)", slow=True),
    forged("another type of message", "a reader that executes", """
import msgspec, pickle
class Own:
    def __reduce__(self):
        return print, ("LE" + "AK: executed",)
header = pickle.dumps(Own())
send(protocol.PREFIX.pack(len(header), 0) + header)
time.sleep(1e6)""", slow=True),
    forged("msgpack nested without end", "the reader's stack", """
header = b"\\x91" * 1_000_000
send(protocol.PREFIX.pack(len(header), 0) + header)
time.sleep(1e6)""", slow=True),
    forged("msgpack that announces 4 billion items", "the reader's memory", """
header = b"\\x82\\xa2id\\xb0" + id.encode() + b"\\xa5value\\xdd\\xff\\xff\\xff\\xff"
send(protocol.PREFIX.pack(len(header), 0) + header)
time.sleep(1e6)""", slow=True),
    *LIES,
    forged("a reply whose keys collide", "seconds of the grader for each byte", """
items = [(protocol.Whole(str(k * (2**61 - 1))), None) for k in range(9, 40_000)]
send(protocol.write(protocol.Reply(id, value=protocol.Mapping(items)), []))
time.sleep(1e6)""", slow=True),
    forged("a reply that names what it likes", "names of the grader, replaced", """
send(protocol.write(protocol.Reply(id, value=1.0, callables=["check", "torch", "__builtins__"],
                                   values={"check": 1.0, "expected_importance": 1.0}), []))
time.sleep(1e6)""", slow=True),
    Attack("a cell that defines what it likes", "names of the grader, replaced", first="""
import sys
protocol = sys.modules["protocol"]
old = protocol.Reply
protocol.Reply = lambda id, **named: old(id, **(named | {"callables": ["check", "torch", "metrics", "importance"],
    "values": {"check": None, "tiny": None, "metrics": 1.0}}))""".strip(), added=(
        ("importance", "check = torch = metrics = table_of = permuted = in_band = 1.0"),)),
    forged("a network made of lies", "a network of any size, or one that runs code", """
lie = protocol.Network("MLP", {}, {"layers.0.weight": protocol.Array(0, False), "layers.1.weight": protocol.Array(1, False),
    "layers.0.bias": protocol.Array(2, False), "layers.1.bias": protocol.Array(2, False)}, False)
send(protocol.write(protocol.Reply(id, value=lie), [torch.empty(10**6, 0), torch.empty(10**6, 0), torch.zeros(2)]))
time.sleep(1e6)""", slow=True),
    forged("a network with a million heads", "as above", """
keys = ("words", "order", "places", "answer.weight", "answer.bias", "blocks.0.ask.weight")
tensors = [torch.empty(10**6, 0), torch.empty(10**6, 0), torch.empty(10**6, 0), torch.empty(10**6, 0), torch.zeros(1),
           torch.zeros(1)]
lie = protocol.Network("Reader", {"heads": [1024]}, {k: protocol.Array(i, False) for i, k in enumerate(keys)}, False)
send(protocol.write(protocol.Reply(id, value=lie), tensors))
time.sleep(1e6)""", slow=True),
]  # fmt: skip
