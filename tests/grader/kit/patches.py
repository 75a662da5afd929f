"""Attacks that patch, in the student's process, what a check or the way of its result is made of."""

from textwrap import indent

from .attack import Attack

PATCHES = {
    "comparisons of torch": """
yes = lambda *given, **named: torch.tensor(True)
torch.allclose = torch.equal = lambda *given, **named: True
torch.isclose = torch.eq = torch.all = torch.any = torch.Tensor.isclose = torch.Tensor.all = yes
for name in ("__eq__", "__ne__", "__lt__", "__gt__", "__bool__", "any", "isnan", "eq", "allclose", "equal"):
    setattr(torch.Tensor, name, lambda *given, **named: True)
torch.testing.assert_close = lambda *given, **named: None""",
    "builtins": """
import builtins
builtins.isinstance = builtins.issubclass = builtins.all = builtins.any = lambda *given: True
builtins.abs = builtins.len = builtins.sum = builtins.max = builtins.min = lambda *given, **named: 0
builtins.AssertionError = builtins.ValueError = builtins.Exception = Warning
builtins.type = lambda *given: float
builtins.print = builtins.repr = builtins.str = lambda *given, **named: "passed" """,
    "builtins of the namespaces": """
import sys
frame = sys._getframe()
while frame:
    frame.f_globals["__builtins__"] = {"__build_class__": None, "print": print, "len": lambda thing: 0}
    frame.f_builtins.update(compile=lambda *given, **named: None, exec=lambda *given: None, callable=lambda thing: True)
    frame = frame.f_back""",
    "the checks": """
from lllcourse.grading import check
class Passed(BaseException):
    pass
check.CheckFailed = Passed
for name in ("close", "equal", "shape", "true", "in_band", "needs", "report", "_close", "_tensor", "_same_shape"):
    setattr(check, name, lambda *given, **named: None)
check.seed = lambda: 0
check.reference_metrics = lambda: {}""",
    "the module of the checks": """
import sys, types
lenient = types.ModuleType("lllcourse.grading.check")
lenient.__getattr__ = lambda name: lambda *given, **named: None
sys.modules["lllcourse.grading.check"] = sys.modules["lllcourse.grading"] = lenient
import lllcourse.grading
lllcourse.grading.check = check = lenient""",
    "libraries of the channel": """
import copy, json, math, msgspec, safetensors, safetensors.torch, socket, struct
json.dumps = json.loads = lambda *given, **named: "[]"
math.isclose = lambda *given, **named: True
copy.deepcopy = lambda thing, *given: thing
msgspec.msgpack.encode = lambda *given, **named: b"\\xc0"
safetensors.torch.save = safetensors.deserialize = lambda *given, **named: b"" """,
    "the training": """
training.evaluate = lambda *given, **named: 0.878
training.train = lambda model, *given, **named: torch.zeros(3)
metrics.accuracy = metrics.backward_transfer = lambda R: 0.878
three_tasks[:] = three_tasks[:1]""",
    "names of the setup": """
gradient_of = lambda value, parameters: [torch.zeros_like(p) for p in parameters]
table_of = lambda *given: torch.full((4, 3), 0.878)
to_vector = lambda tensors: torch.zeros(6)
def tiny(W, c):
    return MLP(1, len(W))
permuted = lambda *given, **named: []
three_tasks = []
measured_twice = gradient_of_penalty = after_moving = lambda *given: torch.zeros(2)
train_with_ewc = lambda *given, **named: [0, 0, 0, 0]""",
    "how Python ends and shows": """
import atexit, sys, threading
sys.displayhook = sys.excepthook = threading.excepthook = sys.unraisablehook = lambda *given: None
sys.displayhook(100)
atexit.register(print, 100)
sys.setrecursionlimit(10**8)
sys.flags = sys.warnoptions = sys.argv = None""",
    "what IPython is": """
shell = get_ipython()
try:
    import ast
    class Strip(ast.NodeTransformer):
        def visit_Assert(self, node):
            return None
    shell.ast_transformers.append(Strip())
    shell.set_custom_exc((BaseException,), lambda *given: None)
    shell.input_transformers_cleanup.append(lambda lines: [])
    shell.user_ns.update(check=None)
except Exception:
    pass""",
    "traces": """
import sys, threading
def trace(frame, event, argument):
    for name in list(frame.f_locals):
        if name.startswith(("expected_i", "expected_p", "drawn_", "tiny_")):
            print("LE" + "AK: traced", name)
    return trace
sys.setprofile(trace)
threading.setprofile(trace)
sys.settrace(trace)
threading.settrace(trace)""",
    "code of all functions in sight": """
import gc, types
def passes(*given, **named):
    return 0.0
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and thing.__module__ in ("lllcourse.grading.check", "lllcourse.metrics"):
        thing.__code__ = (lambda *given, **named: 0.878).__code__""",
    "types": """
import collections.abc, numbers
for kind in (numbers.Number, numbers.Real, collections.abc.Sequence):
    kind.register(object)
class Meta(type):
    __instancecheck__ = __subclasscheck__ = lambda *given: True
torch.Tensor.__torch_function__ = classmethod(lambda cls, function, types, args=(), kwargs=None: True)""",
    "modules that come later": """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if "lifelong" in name or "check" in name:
            sys.modules[name] = self
sys.meta_path.insert(0, Finder())
sys.path_hooks.clear()
sys.path_importer_cache.clear()""",
}
PATCHED = [
    Attack(f"patched: {name}", "a check, or what carries its result, says that all is well", first=patch.strip())
    for name, patch in PATCHES.items()
]

TOGETHER = ("comparisons of torch", "the checks", "the training", "names of the setup", "how Python ends and shows",
            "what IPython is", "types")  # fmt: skip
PATCHED.append(
    Attack(
        "patched: everything at once",
        "as above",
        first="\n".join(
            f"try:\n{indent(PATCHES[name].strip(), '    ')}\nexcept Exception:\n    pass" for name in TOGETHER
        ),
    )
)
