"""Results that no test should take for the right one, and that should cost the grader neither memory nor time.

Each is an expression, evaluated inside a student's function, where `like` is a wrong result of the right kind and shape
(a list or a dictionary of tensors, a tensor or a number) and `each(f)` is `like` with f in the place of every tensor.
"""

from dataclasses import dataclass

FUNCTIONS = {  # cell -> the line that opens its function, and what `like` is in it
    "importance": ("def importance(model, x, y):", "to_vector([p.detach() * 0 - 1 for p in model.parameters()])"),
    "output-importance": (
        "def output_importance(model, x):", "to_vector([p.detach() * 0 - 1 for p in model.parameters()])"),
    "common-top": ("def common_top(first, second, k):", "torch.tensor(-1.0)"),
    "penalty": ("def penalty(theta, importances, anchors, lam):", "torch.tensor(-1.0)"),
    "remember": ("def remember(model):", "{n: torch.zeros_like(p) - 1 for n, p in model.named_parameters()}"),
    "fold": ("def fold(importances, anchors):", "[anchors[0] * 0 - 1, anchors[0] * 0 - 1, torch.tensor(-1.0)]"),
    "proximal-step": ("def proximal_step(theta, gradient, B, A, lam, lr):", "theta * 0 - 1"),
    "best-lambda": ("def best_lambda(tables, slack):", "-1.0"),
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """name: what it is. made: the expression. before: the lines that it needs, put into the function.

    slow: it ends by a limit alone, or costs seconds. heavy: it takes so much memory that it should be alone.
    """

    name: str
    made: str
    before: str = ""
    slow: bool = False
    heavy: bool = False


def answer(value: Value, cell: str) -> str:
    """The source of the function of this cell that gives the value."""
    head, like = FUNCTIONS[cell]
    lines = [
        f"like = {like}",
        "each = lambda f: [f(t) for t in like] if isinstance(like, list) else "
        "{k: f(t) for k, t in like.items()} if isinstance(like, dict) else f(like)",
    ]
    return "\n    ".join([head, *lines, *value.before.strip().split("\n"), f"return {value.made}"])


def a_class(body, base="", made="Hostile()"):
    """Lines that define the class Hostile with this body, and make one."""
    lines = [f"class Hostile({base}):", *(f"    {line}" for line in body.strip().split("\n"))]
    return "\n".join([*lines, f"hostile = {made}"])


EQUAL = """
__eq__ = __ne__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
__hash__ = lambda self: 0
__bool__ = lambda self: True
__sub__ = __rsub__ = __abs__ = __neg__ = __add__ = __radd__ = __mul__ = lambda self, *given: self
__float__ = lambda self: 0.0
__int__ = __index__ = __len__ = lambda self: 2
__iter__ = lambda self: iter([self, self])
__getitem__ = lambda self, key: self
shape = (2, 1)
dtype = torch.float32
ndim = 0
isnan = detach = cpu = double = any = all = reshape = numel = item = lambda self, *given, **named: self"""
TENSOR = """
@classmethod
def __torch_function__(cls, function, types, args=(), kwargs=None):
    if function.__name__ in ("isclose", "eq", "__eq__", "allclose", "equal", "all"):
        return torch.tensor(True)
    return super().__torch_function__(function, types, args, kwargs or {})"""
MARK = "open('/tmp/kit-marker-value', 'w').close()"

VALUES = [
    # Numbers that are none.
    Value("nan", "each(lambda t: t * float('nan'))"),
    Value("infinity", "each(lambda t: t * float('inf'))"),
    Value("minus infinity in a float", "-float('inf')"),
    Value("a whole number of 100,000 digits", "10**100_000"),
    Value("a negative whole number of 500 digits", "-(10**500)"),
    Value("complex", "1j"),
    Value("true", "True"),
    Value("nothing", "None"),
    Value("ellipsis", "..."),
    Value("not implemented", "NotImplemented"),
    Value("fraction", "Fraction(1, 3)", "from fractions import Fraction"),
    Value("decimal sNaN", "Decimal('sNaN')", "from decimal import Decimal"),
    Value("always equal float", "hostile", a_class(EQUAL.split("shape")[0], "float", "Hostile(0.5)")),
    Value("always equal int", "hostile", a_class(EQUAL.split("shape")[0], "int", "Hostile(1)")),
    Value("always equal text", "hostile", a_class(EQUAL.split("shape")[0], "str", "Hostile('1.0')")),
    # Tensors that are none.
    Value("sparse", "each(lambda t: torch.as_tensor(t).to_sparse())"),
    Value("compressed rows", "each(lambda t: torch.eye(3).to_sparse_csr())"),
    Value("quantized", "each(lambda t: torch.quantize_per_tensor(torch.ones(2, 1), 0.1, 0, torch.qint8))"),
    Value("meta", "each(lambda t: torch.as_tensor(t).to('meta'))"),
    Value("complex tensor", "each(lambda t: torch.as_tensor(t) + 1j)"),
    Value("float8", "each(lambda t: torch.as_tensor(t).to(torch.float8_e4m3fn))"),
    Value("unsigned 64", "each(lambda t: torch.as_tensor(t).abs().to(torch.uint64))"),
    Value("2**40 elements by expand", "each(lambda t: torch.zeros(1).expand(2**40))"),
    Value("2**40 elements by strides", "each(lambda t: torch.zeros(1).as_strided((2**20, 2**20), (0, 0)))"),
    Value("overlapping strides", "each(lambda t: torch.arange(9.0).as_strided((5, 5), (1, 1)))"),
    Value("a view into a large storage", "each(lambda t: torch.zeros(30_000_000)[5:7, None])"),
    Value("a tensor of 400 MB", "each(lambda t: torch.zeros(100_000_000))", heavy=True),
    Value("64 dimensions", "each(lambda t: torch.zeros([1] * 64))"),
    Value("a dimension of none and a huge one", "each(lambda t: torch.zeros(0, 2**50))"),
    Value("nested tensor", "each(lambda t: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]))"),
    Value("always equal tensor", "each(lambda t: torch.as_tensor(t).as_subclass(Hostile))",
          a_class(TENSOR, "torch.Tensor", "None")),
    Value("tensor with a graph", "each(lambda t: (torch.as_tensor(t) * 1.0).requires_grad_() * 2)"),
    Value("tensor whose hooks raise", "[h.retain_grad() or h for h in [hostile]]",
          "hostile = torch.ones(2, 1, requires_grad=True) * 2\nhostile.register_hook(lambda g: 1 / 0)"),
    Value("uninitialized parameter", "each(lambda t: torch.nn.UninitializedParameter())"),
    Value("parameter of a class of its own", "each(lambda t: Hostile(torch.as_tensor(t) * 1.0))",
          a_class("pass", "torch.nn.Parameter", "None")),
    Value("tensor out of vmap", "kept",
          "kept = []\ntorch.func.vmap(lambda t: kept.append(t) or t)(torch.zeros(2, 2))"),
    Value("tensor with a patched class", "each(lambda t: setattr(t, '__class__', Hostile) or t)",
          a_class(TENSOR, "torch.Tensor", "None")),
    Value("storage", "torch.zeros(3).untyped_storage()"),
    Value("tensor of an inference mode", "like", "with torch.inference_mode():\n    like = each(lambda t: t * 1)"),
    # Arrays.
    Value("array of objects", "objects",
          "import numpy as np\n" + a_class(EQUAL) + "\nobjects = np.empty(2, dtype=object)\nobjects[0] = hostile"),
    Value("array of records", "np.zeros(2, dtype=[('a', 'f4'), ('b', 'O')])", "import numpy as np"),
    Value("array of texts", "np.array(['1.0'])", "import numpy as np"),
    Value("array of dates", "np.array(['2026-01-01'], dtype='datetime64[D]')", "import numpy as np"),
    Value("array of wide floats", "np.zeros(2, dtype=np.longdouble)", "import numpy as np"),
    Value("a scalar of wide floats", "np.longdouble(1)", "import numpy as np"),
    Value("array of 2**40 elements", "np.broadcast_to(np.float32(0), 2**40)", "import numpy as np"),
    Value("masked array", "np.ma.masked_all(2)", "import numpy as np"),
    Value("always equal array", "np.zeros((2, 1)).view(Hostile)", "import numpy as np\n" + a_class(
        "__array_priority__ = 1e9\n__array_ufunc__ = lambda self, *given, **named: True", "np.ndarray", "None")),
    Value("array in a file", "np.memmap('/etc/passwd', mode='r', dtype='u1')", "import numpy as np"),
    # Shapes without an end.
    Value("nested 100,000 deep", "deep", "deep = []\nfor _ in range(100_000):\n    deep = [deep]"),
    Value("tuples nested 100,000 deep", "deep", "deep = ()\nfor _ in range(100_000):\n    deep = (deep,)"),
    Value("a list that holds itself", "cyclic", "cyclic = []\ncyclic += [cyclic, cyclic]"),
    Value("a dictionary that holds itself", "cyclic", "cyclic = {}\ncyclic[1] = cyclic"),
    Value("a list that doubles 60 times", "twice", "twice = [like]\nfor _ in range(60):\n    twice = [twice, twice]"),
    Value("a generator without end", "itertools.count()", "import itertools"),
    Value("a generator that sleeps", "(time.sleep(1e6) for _ in range(3))", "import time", slow=True),
    Value("a generator that raises SystemExit", "(sys.exit(0) for _ in range(3))", "import sys"),
    Value("an iterator without end", "hostile", a_class(
        "__iter__ = lambda self: self\n__next__ = lambda self: torch.zeros(1)\n__len__ = lambda self: 2")),
    Value("a list of 2**62", "hostile", a_class("__len__ = lambda self: 2**62", "list")),
    Value("a list without end", "hostile", a_class(
        "def __iter__(self):\n    while True:\n        yield torch.zeros(2, 1)", "list", "Hostile([1, 2])")),
    Value("a dictionary without end", "hostile", a_class(
        "def items(self):\n    while True:\n        yield 1, 1\nkeys = __iter__ = items", "dict")),
    Value("a dictionary of 3 million keys", "dict.fromkeys(range(3_000_000))", heavy=True),
    Value("a list of 30 million", "[None] * 30_000_000", heavy=True),
    Value("a dictionary whose keys collide", "dict.fromkeys(k * (2**61 - 1) for k in range(9, 6000))"),
    Value("a dictionary with lists in its keys", "{(1, (2, 'x')): like, frozenset([1]): like}"),
    Value("a text of 1 GB", "'x' * 10**9", heavy=True),
    Value("half a character", "'\\ud800'"),
    Value("bytes of 1 GB", "bytes(10**9)", heavy=True),
    Value("a memory view", "memoryview(bytearray(100))"),
    Value("range(10**18)", "range(10**18)"),
    Value("a set", "{1.0}"),
    Value("a list that another thread goes on changing", "alias",
          "import threading\nalias = list(like) if isinstance(like, list) else [like]\n"
          "threading.Thread(target=lambda: [alias.append(1) or alias.pop() for _ in range(10**6)], daemon=True).start()"
          ),
    # What is no value.
    Value("a function", "lambda *given: 1.0"),
    Value("a bound method", "like.__class__.__call__ if False else 'x'.join"),
    Value("a class", "AssertionError"),
    Value("a module", "torch"),
    Value("an exception", "SystemExit(0)"),
    Value("a coroutine", "(lambda: (yield))()"),
    Value("a file", "open('/etc/hostname')"),
    Value("a random generator", "torch.Generator()"),
    Value("a dtype", "torch.float32"),
    Value("a mock of everything", "MagicMock()", "from unittest.mock import MagicMock"),
    Value("a tuple with fields of its own", "namedtuple('Split', 'x y')(like, like)",
          "from collections import namedtuple"),
    Value("always equal object", "hostile", a_class(EQUAL)),
    Value("a repr without end", "hostile", a_class(
        "def __repr__(self):\n    while True:\n        pass\n__str__ = __repr__")),
    Value("a repr of 1 GB", "hostile", a_class("__repr__ = __str__ = __format__ = lambda self, *given: 'x' * 10**9")),
    Value("a repr that exits", "hostile", a_class("def __repr__(self):\n    raise SystemExit(0)\n__str__ = __repr__")),
    Value("pickles into a command", "hostile", a_class(
        f"__reduce__ = __reduce_ex__ = lambda self, *given: (exec, (\"{MARK}\",))")),
    Value("rebuilds itself as a tensor", "hostile", a_class(
        "__array__ = __tensor__ = __dlpack__ = lambda self, *given, **named: torch.zeros(2, 1).numpy()\n"
        "__class__ = property(lambda self: torch.Tensor)\n"
        "__torch_function__ = classmethod(lambda cls, *given, **named: torch.tensor(True))")),
    Value("has every attribute", "hostile", a_class(
        "__getattr__ = lambda self, name: self\n__call__ = lambda *given: True")),
    Value("raises at every attribute", "hostile", a_class(
        "def __getattribute__(self, name):\n    raise SystemExit(0)")),
    Value("says it is a Split", "hostile", a_class(
        "x = y = property(lambda self: torch.zeros(1).expand(2**40))\n__module__ = 'lllcourse.data'\n",
        made="type('Split', (Hostile,), {'__module__': 'lllcourse.data'})()")),
    Value("a metaclass that lies", "hostile", "class Meta(type):\n    __instancecheck__ = __subclasscheck__ = __eq__ = "
          "lambda *given: True\n    __hash__ = type.__hash__\n    __name__ = property(lambda cls: 'x' * 10**7)\n"
          "class Hostile(metaclass=Meta):\n    pass\nhostile = Hostile()"),
    # Networks.
    Value("a network of another class", "torch.nn.Linear(1, 2)"),
    Value("a network with weights that are no numbers", "network",
          "network = MLP(1, 2)\nnetwork.layers[0].weight.data *= float('nan')"),
    Value("a network too large for any memory", "network",
          "with torch.device('meta'):\n    network = MLP(10**6, 10**6)"),
    Value("a network whose state asks for 4 TB", "network",
          "network = MLP(1, 2)\nempty = torch.empty(10**6, 0)\n"
          "network.state_dict = lambda *given, **named: {'layers.0.weight': empty, 'layers.0.bias': torch.zeros(2),\n"
          "    'layers.1.weight': empty, 'layers.1.bias': torch.zeros(2)}"),
    Value("a network of 30,000 layers", "network",
          "network, one = MLP(1, 1), torch.zeros(1, 1)\n"
          "network.state_dict = lambda *given, **named: {f'layers.{i}.weight': one for i in range(30_000)}"),
    Value("a network with hostile keys", "network",
          "network = MLP(1, 2)\nnetwork.state_dict = lambda *given, **named: {'layers.0.weight': torch.zeros(2, 1),\n"
          "    'layers.0.bias': torch.zeros(2), '__class__': torch.zeros(1), '../../x': torch.zeros(1),\n"
          "    'layers.0.__dict__': torch.zeros(1), '\\0': torch.zeros(1)}"),
    Value("a network whose forward cheats", "hostile", a_class(
        "def forward(self, x):\n    return x", "MLP", "Hostile(1, 2)")),
    Value("a network with a hook", "network",
          "network = MLP(1, 2)\nnetwork.register_forward_hook(lambda *given: torch.ones(1, 2))"),
    Value("a network whose forward was replaced", "network",
          "network = MLP(1, 2)\nnetwork.forward = lambda x: torch.ones(len(x), 2)"),
    Value("a network of other layers", "network", "network = MLP(1, 2)\nnetwork.layers[0] = torch.nn.Identity()"),
    Value("a network of whole numbers", "network",
          "network = MLP(1, 2)\nfor p in network.parameters():\n    p.requires_grad_(False).data = p.data.long()"),
    Value("a network of two types", "network", "network = MLP(1, 2, 2)\nnetwork.layers[0].double()"),
    Value("networks of every kind, cut", "networks",
          "from lllcourse import models\nnetworks = [models.LeNet5(), models.VAE(4)]\nfor network in networks:\n"
          "    state = dict(list(network.state_dict().items())[1:])\n"
          "    network.state_dict = lambda *given, state=state, **named: state"),
]  # fmt: skip

# What a function may raise.
RAISES = [
    Value("raises SystemExit", "sys.exit(0)", "import sys"),
    Value("raises KeyboardInterrupt", "next(hostile)",
          "def hostile():\n    raise KeyboardInterrupt\n    yield\nhostile = hostile()"),
    Value("raises GeneratorExit", "(_ for _ in ()).throw(GeneratorExit)"),
    Value("raises StopIteration", "next(iter(()))"),
    Value("raises what is no Exception", "(_ for _ in ()).throw(Hostile())", a_class("pass", "BaseException", "None")),
    Value("raises a CheckFailed of its own", "(_ for _ in ()).throw(CheckFailed('passed', 'passed'))",
          "class CheckFailed(BaseException):\n    hint = details = ''\n    __module__ = 'lllcourse.grading.check'"),
    Value("raises the real CheckFailed", "check.true(False, 'You passed this test.')"),
    Value("raises with a text of 1 GB", "(_ for _ in ()).throw(ValueError('x' * 10**9))", heavy=True),
    Value("raises with a text that raises", "(_ for _ in ()).throw(Hostile())",
          a_class("def __str__(self):\n    raise SystemExit(0)\n__repr__ = __str__", "Exception", "None")),
    Value("raises with a text that never ends", "(_ for _ in ()).throw(Hostile())",
          a_class("def __str__(self):\n    while True:\n        pass\n__repr__ = __str__", "Exception", "None"),
          slow=True),
    Value("raises with scripts and control characters", "(_ for _ in ()).throw(Hostile())",
          "Hostile = type('<script>alert(1)</script>\\x1b[2J', (Exception,), {'__str__': lambda self: "
          "'<img src=x onerror=alert(1)>\\x1b]0;owned\\x07\\x1b[2J\\r\\0\\ud800'})"),
    Value("raises with a million causes", "(_ for _ in ()).throw(error)",
          "error = ValueError('x')\nfor _ in range(1_000_000):\n    fresh = ValueError('x')\n    "
          "fresh.__cause__ = error\n    error = fresh", heavy=True),
    Value("raises a group of groups", "(_ for _ in ()).throw(error)",
          "error = ValueError('x')\nfor _ in range(2000):\n    error = ExceptionGroup('g', [error])"),
    Value("raises with a cause that is itself", "(_ for _ in ()).throw(error)",
          "error = ValueError('x')\nerror.__context__ = error.__cause__ = error"),
    Value("recurses without end", "endless()", "def endless():\n    return endless()"),
    Value("raises MemoryError", "bytearray(2**62)"),
]  # fmt: skip
