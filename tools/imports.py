"""Which files of the repository a notebook or a Python file depends on. The build, the records and the checks ask here.

Who imports whom inside a package is grimp's answer. What grimp does not see is read from the syntax tree: the code of
notebooks; the names that a lazy `__init__` hands on, each of which its table `_NAMES` leads to a module;
`recorded("x")`, which is `results/x.json`; and data, which the code names as a file beside it. Where a name cannot be
resolved (a star, a package handed around as a value, an import by string, a shell line), the whole package counts.
"""

import ast
import hashlib
import json
import re
import subprocess
import symtable
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TABLE = "_NAMES"  # of a lazy __init__: a dict from a submodule to the names that are handed on from it
LOADER = "lllcourse._lazy"  # imports by string, and only what the tables name
RESULTS = "lllcourse/results"
RECORDED = "lllcourse.results.recorded"
BY_STRING = {"importlib.import_module", "importlib.util.spec_from_file_location", "runpy.run_module", "runpy.run_path"}
BUILTIN = ("__import__", "eval", "exec")
HARMLESS_MAGICS = ("config", "matplotlib", "pip")
NUMERIC = {"numpy", "scipy", "torch"}  # libraries whose version may change a recorded number
UNTOLD = {TABLE, "__version__"}  # what no recorded number depends on
GRAPH = """
import grimp, json, sys
graph = grimp.build_graph(sys.argv[1], cache_dir=None)
print(json.dumps({name: sorted(graph.find_modules_directly_imported_by(name)) for name in graph.modules}))
"""


def recorded_files(folder, name):
    """What `recorded(name)` reads: a file, or all in a folder of families."""
    return {*folder.glob(f"{name}/*.json")} or {folder / f"{name}.json"}


@dataclass
class Needs:
    """files: of the repository, without the asking one. names: what lazy tables answered. libraries: what else is
    imported, by the name of the import, without the standard library.
    """

    files: set = field(default_factory=set)
    names: set = field(default_factory=set)
    libraries: set = field(default_factory=set)

    def add(self, other):
        self.files |= other.files
        self.names |= other.names
        self.libraries |= other.libraries


class Repository:
    """The files under `root` as they are now: after an edit, make a new one."""

    def __init__(self, root: Path):
        self.root = Path(root).resolve()
        self.packages = sorted(path.parent.name for path in self.root.glob("*/__init__.py"))
        for slow in ("file", "graph", "hash", "init", "read"):
            setattr(self, slow, cache(getattr(self, slow)))

    def needs(self, path: Path) -> Needs:
        """What `path` depends on, directly or through what it imports."""
        path, needs = Path(path).resolve(), Needs()
        waiting, seen = {path}, set()
        while waiting:
            seen |= waiting
            for file in waiting:
                needs.add(self.read(file).needs)
            waiting = {file for file in needs.files - seen if file.suffix == ".py"}
        needs.files.discard(path)
        return needs

    def key(self, path: Path, *, text: bool) -> str:
        """A hash of what `path` needs. text: of every letter, since pages show code; else of what the code does: of
        `path` too, but not of comments, docstrings and layout, nor of libraries that compute nothing in it.

        Of a lazy table the answers count, not the table: a name more, handed on from a package, makes nothing stale.
        """
        needs, digest = self.needs(path), hashlib.sha256()
        lock = self.root / "requirements.lock"
        locked = lock.read_text("utf-8").splitlines() if lock.is_file() else []
        if not text:
            locked = [line for line in locked if line.split("==")[0] in needs.libraries & NUMERIC]
        for line in [*sorted(needs.names), *locked]:
            digest.update(f"{line}\n".encode())
        for file in sorted(needs.files if text else {*needs.files, Path(path).resolve()}):
            digest.update(f"{file.relative_to(self.root).as_posix()}\n".encode() + self.hash(file, text))
        return digest.hexdigest()[:16]

    def hash(self, file: Path, text: bool) -> bytes:
        content = file.read_bytes() if file.is_file() else b"missing"
        if not text and file.suffix == ".py":
            content = meaning_of(content)
        elif text and file.name == "__init__.py":
            content = text_of(content)
        elif file.is_relative_to(self.root / RESULTS):
            content = numbers_of(content)
        return hashlib.sha256(content).digest()

    def read(self, path: Path) -> "Reader":
        return Reader(self, path)

    def graph(self, package: str) -> dict:
        """The modules that each module of a package imports. A process of its own looks in `root` first."""
        command = [sys.executable, "-c", GRAPH, package]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the imports of {package} cannot be read:\n{done.stderr}")
        return json.loads(done.stdout)

    def module(self, path: Path) -> str | None:
        """The dotted name of a file; None where it lies in no package."""
        parts = path.relative_to(self.root).with_suffix("").parts
        if path.suffix != ".py" or parts[0] not in self.packages:
            return None
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def file(self, module: str) -> Path | None:
        """The file of a module; None where there is no such module."""
        stem = self.root.joinpath(*module.split("."))
        files = (stem / "__init__.py", stem.with_name(f"{stem.name}.py"))
        return next((file for file in files if file.is_file()), None)

    def is_package(self, module: str) -> bool:
        file = self.file(module)
        return file is not None and file.name == "__init__.py"

    def files(self, module: str) -> set:
        """What an import of a module reads: its own file and the `__init__` of every package around it."""
        parts = module.split(".")
        return {self.file(".".join(parts[:n])) for n in range(1, len(parts) + 1)} - {None}

    def whole(self, package: str) -> Needs:
        """A package with all that lies in its folder."""
        folder = self.file(package).parent
        found = {file for file in folder.rglob("*") if file.is_file()}
        made = {f for f in found if any(p.startswith((".", "__pycache__")) for p in f.relative_to(folder).parts)}
        return Needs(self.files(package) | found - made, {f"{package}: {self.init(package)[0]}"})

    def init(self, package: str) -> tuple[dict, set]:
        """The table of a package, name -> submodule, and the names that its `__init__` defines itself."""
        text = self.file(package).read_text("utf-8")
        literal = table_in(ast.parse(text))
        table = ast.literal_eval(literal.value) if literal else {}
        symbols = symtable.symtable(text, package, "exec").get_symbols()
        own = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
        return {name: module for module, names in table.items() for name in names}, own

    def follow(self, dotted: str) -> tuple[Needs, str]:
        """Where `package.module.name` leads to through lazy tables: what is read on the way, and the dotted name there,
        which ends in a star if a package does not know it.
        """
        here, *names = dotted.split(".")
        needs = Needs(self.files(here))
        while names and self.is_package(here):
            table, own = self.init(here)
            if names[0] in own or re.fullmatch("__.*__", names[0]):
                break
            if names[0] in table:  # look it up there too, which may be a lazy package again
                needs.names.add(f"{here}.{names[0]}: {table[names[0]]}")
                here = f"{here}.{table[names[0]]}"
            elif self.file(f"{here}.{names[0]}"):
                here = f"{here}.{names.pop(0)}"
            else:
                names = ["*"]
                break
            needs.files |= self.files(here)
        return needs, ".".join([here, *names])


class Reader(ast.NodeVisitor):
    """What one file names: `needs`; with their lines, `handed_on`, what a lazy table answered, and `unresolved`."""

    def __init__(self, repository: Repository, path: Path):
        self.repository, self.path, self.needs = repository, path, Needs()
        self.handed_on, self.unresolved = [], []
        self.module = repository.module(path)
        package = (self.module or "").split(".")
        self.package = package if path.name == "__init__.py" else package[:-1]
        self.bound = {name: {f"builtins.{name}"} for name in BUILTIN}  # name -> the dotted names that it may stand for
        if self.module:
            for module in [self.module, *repository.graph(package[0]).get(self.module, ())]:
                self.needs.files |= repository.files(module)
        trees = trees_in(path)
        if trees is None:
            self.anything(1, "code that does not parse")
        for node in (node for tree in trees or () for node in ast.walk(tree)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.bind(node)
        for tree in trees or ():
            self.visit(tree)
        self.needs.files.discard(path)

    def bind(self, node):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if isinstance(node, ast.ImportFrom) and node.level:
            package = self.package[: len(self.package) - node.level + 1]
            module = ".".join([*package, *filter(None, [module])])
        for alias in node.names:
            target = f"{module}.{alias.name}" if module else alias.name
            if alias.name == "*":
                self.meet(target, node, used=True)
                continue
            self.meet(target, node, used=False)
            if not module and not alias.asname:  # import a.b binds a
                target = target.split(".")[0]
            self.bound.setdefault(alias.asname or target.split(".")[-1], set()).add(target)

    def meet(self, dotted, node, used):
        """A name, imported or used. Whoever uses a package, not a name in it, may do with it what no text tells."""
        repository, top = self.repository, dotted.split(".")[0]
        if top in repository.packages:
            needs, end = repository.follow(dotted)
            self.needs.add(needs)
            self.handed_on += [(node.lineno, answer) for answer in needs.names]
            if end.endswith("*"):
                self.anything(node.lineno, dotted)
            if used and repository.is_package(end):
                self.unresolved.append((node.lineno, end))
                self.needs.add(repository.whole(end))
            if used and end == RECORDED:
                self.needs.files |= set((repository.root / RESULTS).glob("**/*.json"))
        elif dotted in BY_STRING or top == "builtins":
            if used and self.module != LOADER:
                self.anything(node.lineno, dotted)
        elif not self.module and (self.path.parent / f"{top}.py").is_file():
            self.needs.files.add(self.path.parent / f"{top}.py")
        elif top not in sys.stdlib_module_names:
            self.needs.libraries.add(top)

    def anything(self, line, what):
        """It cannot be known what is named: the course's package, whole, and the file's own."""
        self.unresolved.append((line, what))
        for package in {"lllcourse", *self.package[:1]} & {*self.repository.packages}:
            self.needs.add(self.repository.whole(package))

    def targets(self, node) -> list[str]:
        """The dotted names that an expression such as `figures.curves` may stand for."""
        names = []
        while isinstance(node, ast.Attribute):
            names, node = [node.attr, *names], node.value
        bound = self.bound.get(node.id, ()) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else ()
        return [".".join([target, *names]) for target in sorted(bound)]

    def visit_Name(self, node):
        targets = self.targets(node)
        for target in targets:
            self.meet(target, node, used=True)
        if not targets:
            self.generic_visit(node)

    visit_Attribute = visit_Name

    def visit_Call(self, node):
        function, arguments = node.func, [*node.args, *node.keywords]
        first, second = literal(node.args, 0), literal(node.args, 1)
        ours = [target for target in self.targets(function) if target.split(".")[0] in self.repository.packages]
        if first and any(self.repository.follow(target)[1] == RECORDED for target in ours):
            self.needs.files |= recorded_files(self.repository.root / RESULTS, first)
            for target in ours:
                self.meet(target, node, used=False)
        elif isinstance(function, ast.Name) and function.id == "getattr" and second:
            self.visit(ast.copy_location(ast.Attribute(node.args[0], second, ast.Load()), node))
            arguments = arguments[2:]
        elif isinstance(function, ast.Attribute) and ast.unparse(function.value) == "get_ipython()":
            if function.attr != "run_line_magic" or first not in HARMLESS_MAGICS:
                self.anything(node.lineno, function.attr)  # what IPython makes of a line that begins with % or !
        else:
            self.visit(function)
        for argument in arguments:
            self.visit(argument)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and re.fullmatch(r"[\w./-]{1,99}\.\w+", node.value):
            file = (self.path.parent / node.value).resolve()
            if file.is_file() and file.is_relative_to(self.repository.root):
                self.needs.files.add(file)


def literal(arguments: list, n: int) -> str:
    """The n-th argument if it is a string that stands there, else nothing."""
    value = arguments[n].value if n < len(arguments) and isinstance(arguments[n], ast.Constant) else ""
    return value if isinstance(value, str) else ""


def trees_in(path: Path) -> list[ast.Module] | None:
    """The code of a file, a tree for each cell of a notebook; None where it does not parse."""
    text = path.read_text("utf-8")
    try:
        if path.suffix == ".py":
            return [ast.parse(text)]
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        return [parsed("".join(cell["source"])) for cell in cells]
    except SyntaxError:
        return None


def parsed(cell: str) -> ast.Module:
    try:
        return ast.parse(cell)
    except SyntaxError:  # a line that IPython understands
        from IPython.core.inputtransformer2 import TransformerManager

        return ast.parse(TransformerManager().transform_cell(cell))


def table_in(tree: ast.Module) -> ast.Assign | None:
    tables = [n for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == TABLE]
    return tables[0] if tables else None


@cache
def text_of(init: bytes) -> bytes:
    """The text of an `__init__` but for its lazy table."""
    table, lines = table_in(ast.parse(init)), init.splitlines(keepends=True)
    return init if table is None else b"".join(lines[: table.lineno - 1] + lines[table.end_lineno :])


def numbers_of(record: bytes) -> bytes:
    """A recorded result without the hash of the code that made it, which changes no page."""
    return re.sub(rb'^ "code": "\w+",\n', b"", record, flags=re.MULTILINE)


@cache
def meaning_of(code: bytes) -> bytes:
    """What Python, of any version, makes of code: no comments, docstrings and layout, nor a lazy table."""
    tree = ast.parse(code)
    tree.body = [n for n in tree.body if not isinstance(n, ast.Assign) or ast.unparse(n.targets[0]) not in UNTOLD]
    return repr(shape(tree)).encode()


def shape(node):
    """A syntax tree as nested lists; fields that are empty, which newer Pythons have more of, left out."""
    if isinstance(node, list):
        return [shape(n) for n in node if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, []) and name != "ctx"]
        return [type(node).__name__, *((name, shape(value)) for name, value in fields)]
    return node
