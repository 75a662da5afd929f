"""What can be proved of an assignment from its notebook's text: the rules by which one process or two grade alike.

`problems(notebook)` lists what breaks a rule, each as a sentence that says what to do.
"""

import ast
import builtins
import json
import symtable
from pathlib import Path

import nbformat
from nbgrader.nbgraderformat import MetadataValidator

from . import assignment, review
from .assignment import BEGIN_HIDDEN, BEGIN_SOLUTION, END_HIDDEN, END_SOLUTION, GIVEN_TAGS, OPEN

DRAWS = {
    "rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "rand_like", "randn_like", "uniform_",
    "normal_", "exponential_", "random_",
}  # fmt: skip
NO_CHECKS = ("check.begin", "check.needs", "check.seed")
RETURNS_NOTHING = ("check.", "print", "plt.show", "figures.use_style")


def lint_all(root: Path) -> int:
    """Print every broken rule of every assignment's source. Returns 1 where there is one, else 0."""
    names, wrong = assignment.names(root), 0
    for name in names:
        source = root / "solutions" / name / f"{name}.ipynb"
        for problem in problems(json.loads(source.read_text(encoding="utf-8"))):
            print(f"{name}: {problem}")
            wrong += 1
    print(f"lint: {wrong} problems in {len(names)} assignments ({', '.join(names)})")
    return int(wrong > 0)


def problems(notebook):
    """Every broken rule of a notebook (its JSON), as a list of sentences."""
    found = list(_metadata(notebook))
    if found:  # without its roles nothing else can be said
        return found
    a = assignment.parse(notebook)
    code = a.role("given", "student-side", "demo", "solution", "test")
    for cell in code:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            return [f"{cell.id}: does not parse ({error})"]
    for rule in (_markers, _solutions, _imports, _names, _begins, _needs, _ends, _seeds, _checks):
        found += rule(a, code)
    return found


def _metadata(notebook):
    """nbgrader's own validation; ids and tags."""
    try:
        MetadataValidator().validate_nb(nbformat.from_dict(notebook))
    except Exception as error:
        yield f"nbgrader refuses the metadata: {str(error).splitlines()[0]}"
        return
    seen = set()
    for index, cell in enumerate(notebook["cells"]):
        meta, tags = (
            cell["metadata"].get("nbgrader", {}),
            cell["metadata"].get("tags", []),
        )
        name = meta.get("grade_id") or cell.get("id") or f"cell {index}"
        if name in seen:
            yield f"{name}: two cells have this id; a grade id has to be unique"
        seen.add(name)
        if meta and cell.get("id") != meta["grade_id"]:
            yield f"{name}: its cell id is {cell.get('id')!r}; make it equal to the grade id"
        graded, solution = meta.get("grade"), meta.get("solution")
        if meta.get("schema_version", 3) != 3 or meta.get("task"):
            yield f"{name}: use nbgrader's schema version 3, and no task cells"
        if graded and not meta.get("points", 0) > 0:
            yield f"{name}: a graded cell needs points"
        if cell["cell_type"] != "code":
            continue
        roles = [tag for tag in tags if tag in GIVEN_TAGS]
        if (graded or solution) and roles:
            yield f"{name}: a tag {roles[0]!r} is for given cells, this one is a test or a solution"
        elif len(roles) > 1 or set(tags) - {*GIVEN_TAGS, "hide-input", "remove-cell"}:
            yield f"{name}: given cells carry no tag, or one of {', '.join(GIVEN_TAGS)}; this one {tags}"
        if "bootstrap" not in tags and not solution and not meta.get("locked"):
            yield f"{name}: given cells and test cells have to be locked"


def _markers(a, code):
    for cell in a.cells:
        hidden = [cell.source.count(marker) for marker in (BEGIN_HIDDEN, END_HIDDEN)]
        solution = [cell.source.count(marker) for marker in (BEGIN_SOLUTION, END_SOLUTION)]
        if cell.role == "test":
            if hidden != [1, 1] or not cell.hidden.strip():
                yield f"{cell.id}: a test cell needs one region of hidden tests between its two markers"
            elif not cell.source.rstrip().endswith(END_HIDDEN) or not cell.visible.strip():
                yield f"{cell.id}: the visible tests come first, the hidden ones last"
        elif any(hidden):
            yield f"{cell.id}: hidden tests belong into test cells only"
        if cell.role == "solution":
            if solution[0] != solution[1] or not solution[0]:
                yield f"{cell.id}: a solution stands between {BEGIN_SOLUTION} and {END_SOLUTION}"
        elif any(solution):
            yield f"{cell.id}: solution markers belong into solution cells only"


def _solutions(a, code):
    for cell in a.role("solution"):
        body = ast.parse(cell.source).body
        if not body or not all(isinstance(node, ast.FunctionDef) for node in body):
            yield f"{cell.id}: a solution cell defines functions and nothing else, so that only they cross"
        for node in body:
            if isinstance(node, ast.FunctionDef):
                lines = cell.source.splitlines()[node.lineno - 1 : node.end_lineno + 1]
                if not any(BEGIN_SOLUTION in line for line in lines):
                    yield f"{cell.id}: {node.name} has no solution region, so the release would hold its answer"
                if not ast.get_docstring(node):
                    yield f"{cell.id}: {node.name} needs a docstring that says what it takes and returns"


def _imports(a, code):
    for cell in code:
        for node in ast.walk(ast.parse(cell.source)):
            for module, bound in _imported(node):
                hidden = node.lineno > cell.hidden_from
                if hidden and module != "grading.check" and not bound.startswith("expected_"):
                    yield f"{cell.id}: import {module} as expected_..., so that it never shadows the student's"
                if hidden or module == "grading.check":
                    continue
                if module.split(".")[0] not in OPEN:
                    yield f"{cell.id}: lllcourse.{module} may be imported in hidden tests only"
                elif module.split(".")[0] in a.withheld:
                    yield f"{cell.id}: lllcourse.{module} is withheld from the student, import it in hidden tests only"


def _names(a, code):
    """Who may use whose names: what a test made, nobody; what a demo made, demos; the student's, no untagged cell."""
    by_role, tested = (
        {},
        {},
    )  # role -> names bound there; name -> the test that bound it
    for cell in code:
        by_role.setdefault(cell.role, set()).update(_bound(cell.source))
    elsewhere = set().union(*(names for role, names in by_role.items() if role != "test"))
    students = by_role.get("solution", set()) | by_role.get("student-side", set())
    shared = by_role.get("given", set())
    safe = shared | students
    for cell in code:
        bound, used = _bound(cell.source), _used(cell.source)
        if cell.role == "test":
            for name in sorted(bound & elsewhere):
                yield f"{cell.id}: a test must not bind {name!r}, which another cell defines: take another name"
            for name in sorted(_used(cell.visible) - _bound(cell.visible) - elsewhere - set(tested)):
                yield f"{cell.id}: {name!r} is defined nowhere before"
            for name in sorted(_used(cell.source) - bound - elsewhere - set(tested)):
                yield f"{cell.id}: {name!r} is defined nowhere before"
            own = bound & _bound(cell.visible) | (bound - _used(cell.visible))
        else:
            own = bound
        for name in sorted((used - own) & set(tested)):
            yield f"{cell.id}: uses {name!r}, which the test {tested[name]} made: later cells must not need a test"
        if cell.role == "given":
            for name in sorted(used & students - shared):
                yield f"{cell.id}: an untagged given cell must not use the student's {name!r}: tag it student-side"
        if cell.role != "demo":
            for name in sorted((used - own - safe) & by_role.get("demo", set())):
                yield f"{cell.id}: uses {name!r}, which a demo makes: a demo runs in no grader"
        if cell.role == "test":
            tested.update(dict.fromkeys(bound, cell.id))


def _begins(a, code):
    for cell in a.role("test"):
        if ast.unparse(ast.parse(cell.source).body[0]) != f"check.begin({cell.id!r})":
            yield f'{cell.id}: begin with check.begin("{cell.id}"), so that later tests know what became of it'


def _needs(a, code):
    """A test may rest on tests that stand above it; and the setup says which modules an answer may use."""
    known, said = [], False
    for cell in code:
        for node in ast.walk(ast.parse(cell.source)):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name == "check.needs":
                for test in (arg.value for arg in node.args if isinstance(arg, ast.Constant)):
                    if test not in known:
                        yield f"{cell.id}: needs {test!r}, which is no test above it"
            if name == "check.modules" and cell.role == "given":
                said = True
                listed = eval(compile(ast.Expression(node.args[0]), cell.id, "eval"), {})
                expected = sorted(OPEN - {"device", "digits"} - {*a.withheld})
                if list(listed) != expected:
                    yield f"{cell.id}: check.modules has to name what a student's process has: {' '.join(expected)}"
        if cell.role == "test":
            known.append(cell.id)
    if not said:
        yield "setup: call check.modules with the modules of lllcourse that an answer may use"


def _ends(a, code):
    """A number at the end of a test cell is taken for its points; so no cell ends in a value."""
    for cell in code:
        for text in {cell.source, cell.visible}:
            body = ast.parse(text).body
            if body and isinstance(body[-1], ast.Expr):
                value = body[-1].value
                name = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
                allowed = RETURNS_NOTHING if cell.role != "test" else ("check.",)
                if not any(name == a or (a.endswith(".") and name.startswith(a)) for a in allowed):
                    yield f"{cell.id}: ends in a value, which may be taken for points: end in a check or a statement"


def _seeds(a, code):
    for cell in code:
        if cell.role == "test" and "check.seed()" not in cell.hidden:
            yield f"{cell.id}: draw the hidden inputs from check.seed()"
        for node in ast.walk(ast.parse(cell.source)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            last = name.split(".")[-1]
            fixed = node.args and not any(
                isinstance(n, ast.Call) and ast.unparse(n) != "check.seed()" for n in ast.walk(node.args[0])
            )
            if name.startswith(("random.", "np.random.", "numpy.random.")):
                if not (last == "default_rng" and fixed):
                    yield f"{cell.id}: {name} draws from a global state: use a torch.Generator with a fixed seed"
            elif last in DRAWS and not any(k.arg == "generator" for k in node.keywords):
                yield f"{cell.id}: {name} draws without a generator: hand one over that has a fixed seed"
            elif last in ("manual_seed", "seed") and name != "check.seed" and not fixed:
                yield f"{cell.id}: {name} needs a fixed number or check.seed()"


def _checks(a, code):
    for cell in a.role("test"):
        for part, text in (("visible", cell.visible), ("hidden", cell.hidden)):
            calls = [
                node
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("check.")
            ]
            calls = [node for node in calls if ast.unparse(node.func) not in NO_CHECKS]
            if not calls:
                yield f"{cell.id}: its {part} part checks nothing"
            for call in calls:
                values = [
                    *call.args,
                    *(k.value for k in call.keywords if k.arg == "hint"),
                ]
                hints = [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
                if not any(" " in hint and hint.endswith((".", "?", "!")) for hint in hints):
                    yield f"{cell.id}: {ast.unparse(call.func)} needs a hint, a full sentence to the student"
            if any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(text))):
                yield f"{cell.id}: use check instead of assert: its message speaks to the student"


def _imported(node):
    """(module below lllcourse, the name that it is bound to) for every import of the package in `node`."""
    for name, _, whole in review.imports([node]):
        package, *parts = whole.split(".")
        if package == "lllcourse":  # `import lllcourse` alone reaches everything
            yield ".".join(parts) or "everything", name


def _bound(source):
    """The names that a cell's top level binds; not `_`, which nobody reads."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()} - {"_"}


def _used(source):
    """The names of the notebook that a cell refers to, also from inside its functions and comprehensions."""

    def globals_of(table):
        for child in table.get_children():
            yield from (s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced())
            yield from globals_of(child)

    table = symtable.symtable(source, "cell", "exec")
    top = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    return (top | set(globals_of(table))) - set(dir(builtins))
