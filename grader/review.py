"""What a student's code says that a person should look at, seen from its text alone: nothing is run.

Notes for a review, no defence: whoever wants to hide a name from this can.
"""

import ast
import pkgutil
import re
import warnings
from functools import lru_cache

import lllcourse

from .assignment import OPEN, Assignment

MODULES = {module.name for module in pkgutil.iter_modules(lllcourse.__path__)}
LONGEST = 50_000  # characters of a cell that are looked at: a tree takes a thousand times as many bytes
HARMLESS = {"time", "timeit", "capture", "prun", "python", "python3"}  # cell magics around Python
FRAMES = {"f_back", "f_globals", "f_locals", "tb_frame", "gi_frame", "__globals__", "__subclasses__", "__builtins__"}
#: What code does that uses names with these beginnings.
WATCHED = {
    "starts or ends processes": "os.fork os.forkpty os._exit os.abort os.kill os.system os.popen os.posix_spawn "
    "os.execv os.execve os.execvp os.spawnv subprocess multiprocessing pty",
    "asks for the network": "socket _socket urllib.request requests http.client",
    "reaches into Python's memory": "ctypes _ctypes cffi gc.get_objects gc.get_referrers",
    "looks at frames": "sys._getframe sys._current_frames sys.settrace sys.setprofile inspect.currentframe "
    "inspect.stack inspect.getouterframes inspect.trace",
    "reaches for the loaded modules": "sys.modules",
    "imports a module by its name": "importlib.import_module importlib.reload",
    "imports the grader": "grader",
}


def parse(text: str) -> ast.Module | None:
    """The text as Python, its magics as IPython would transform them; None where it is neither."""
    if len(text) > LONGEST:
        return None
    tree = _parse(text)
    return _parse(_transformed(text)) if tree is None else tree


@lru_cache(maxsize=256)
def _transformed(text):
    if text.lstrip().startswith("%%"):  # the body of %%time and its like is Python
        return text.lstrip().partition("\n")[2]
    magics = len(re.findall(r"(?m)^[ \t]*[%!?]|=[ \t]*[%!]|\?[ \t]*$", text))
    if magics > 10:  # IPython reads the whole text again for each
        return text
    from IPython.core.inputtransformer2 import TransformerManager

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return TransformerManager().transform_cell(text)
        except Exception:  # it reads tokens, and may stumble over anything
            return text


def _parse(text):
    with warnings.catch_warnings():  # of invalid escapes and the like
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def defined(text: str) -> set[str]:
    """The names of the functions that a cell defines at its top level, `name = lambda` and classes among them."""
    tree = parse(text)
    if tree is None:
        return set(re.findall(r"(?m)^(?:async )?def (\w+)", text))
    return {name for node in _top_level(tree) for name in _defined(node)}


def is_prose(text: str) -> bool:
    """Is it a text rather than code: comments and strings alone, or not Python at all?"""
    tree = parse(text)
    if tree is None:
        return not defined(text)
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in tree.body)


def _defined(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _top_level(tree):
    """The statements outside functions and classes, also those within `if`, `try`, `for` and `with`."""
    waiting = [tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            yield node
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
                waiting.append(node)


def bound(tree: ast.AST | None) -> set[str]:
    """The names that the top level binds, but for imports, and those that any function declares global."""
    names, waiting = set(), [tree] if tree else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            names.update(name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            names.add(node.name)
            waiting += ast.iter_child_nodes(node)
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            waiting += ast.iter_child_nodes(node)
    return names


def imports(nodes) -> list[tuple[str, str, str]]:
    """For every import among the nodes: the name that it binds, what this stands for, and all that is imported."""
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                found.append((alias.asname or top, alias.name if alias.asname else top, alias.name))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module or ''}.{alias.name}"
                found.append((alias.asname or alias.name, whole, whole))
    return found


def notes(pristine: Assignment, steps) -> list[str]:
    """What a person should look at, one sentence each. steps: (id, role, source) of the student's code as it runs."""
    given = {}  # from a name to the cell that binds it, and to what it imports
    for cell in pristine.role("given", "student-side"):
        tree = parse(cell.source)
        given |= dict.fromkeys(bound(tree), (cell.id, None))
        given |= {name: (cell.id, target) for name, target, _ in imports(_top_level(tree))}
    answers = {name for cell in pristine.role("solution") for name in cell.functions}
    aliases = {name: target for name, (_, target) in given.items() if target}
    found = []
    for step, role, source in steps:
        says = _reads(source, role, given, answers, aliases, pristine.withheld)
        found += [f"The cell {step} {what}." for what in sorted(set(says))]
    return found


def _reads(source, role, given, answers, aliases, withheld):
    """What a cell does, as ends of sentences. aliases: what imported names stand for; those of this cell are added."""
    magic = re.match(r"\s*%%(\S*)", source)
    if magic and magic[1] not in HARMLESS:
        yield f"runs the magic %%{magic[1]}"
    if len(source) > LONGEST:
        yield f"has {len(source)} characters, too many to look at"
    tree = parse(source)
    if tree is None:
        return
    nodes, names = list(ast.walk(tree)), bound(tree)
    yield from (f"binds {name!r}, which the given cell {given[name][0]} defines" for name in names & {*given})
    if role == "added":
        yield from (f"binds {name!r}, the name of an answer" for name in names & answers)
    for name, target, _ in imports(_top_level(tree)):
        if name in given and given[name][1] != target:
            yield f"imports {target} as {name!r}, which the given cell {given[name][0]} defines otherwise"
    for name, target, whole in imports(nodes):
        aliases[name] = target
        yield from _watched(whole, withheld)
    for node in nodes:
        yield from _looks(node, aliases, withheld)


def _looks(node, aliases, withheld):
    if isinstance(node, ast.Name) and node.id in ("__import__", "__builtins__"):
        yield f"uses {node.id}"
    elif isinstance(node, ast.Attribute):
        name = _dotted(node, aliases)
        if node.attr in FRAMES:
            yield f"uses {node.attr}"
        if name:
            yield from _watched(name, withheld)
            if not isinstance(node.ctx, ast.Load) or node.attr == "__dict__":
                yield f"changes {name}"
    elif isinstance(node, ast.Call) and node.args:
        called, first = node.func, node.args[0]
        if isinstance(called, ast.Name) and called.id in ("setattr", "delattr") and _dotted(first, aliases):
            yield f"changes {_dotted(first, aliases)} by {called.id}"
        if isinstance(called, ast.Attribute) and called.attr in ("system", "getoutput"):  # what ! becomes
            command = first.value if isinstance(first, ast.Constant) else ""
            if _is_ipython(called.value) and not re.match(r"\s*(pip|conda|mamba|uv)\b", str(command)):
                yield "runs a command of the shell"


def _is_ipython(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_ipython"


def _dotted(node, aliases):
    """The dotted name that an expression is, from an imported name on; None where it is none."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id in aliases:
        return ".".join([aliases[node.id], *reversed(parts)])
    return None


def _watched(name, withheld):
    for what, beginnings in WATCHED.items():
        for beginning in beginnings.split():
            if f"{name}.".startswith(f"{beginning}."):
                yield f"{what} ({beginning})"
    package, *parts = name.split(".")
    if package == "lllcourse" and parts:
        closed = parts[0] in withheld or parts[0] in MODULES - OPEN - {"grading"}
        if closed or parts[0] == "grading" and parts[1:2] not in ([], ["check"]):
            yield f"imports lllcourse.{'.'.join(parts[:2])}, which no answer may use"
