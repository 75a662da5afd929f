"""Grade one submission: the pristine notebook runs here, the student's code in a worker, in lock-step.

Solution cells, cells that the student added and given cells tagged student-side run in the worker; untagged given cells
in both; demos in neither; tests here alone. What a test calls of the student's is a `Proxy`, which sends the arguments
over and brings the result back. A worker that ends in the middle is started again without what ended it.
"""

import contextlib
import copy
import io
import re
import sys
import time
import traceback
from dataclasses import dataclass, field

import torch

from lllcourse.grading import check

from . import outcome
from .assignment import Assignment
from .outcome import Cell, Result, Test
from .rebuild import Step, rebuild
from .sandbox import protocol
from .sandbox.limits import Limits
from .sandbox.runner import Ended, NotStarted, Worker

LINES, LETTERS = 40, 4000  # of a message or of an output that is kept
NO_ANSWER = "There is no answer to this question yet."
STOPPED = "Your code took more time or memory than grading allows, or ended its process."
RAISED = "Your code raised an error there, or returned something that no test can use."
HIDDEN = "A test that you do not see failed."


class Raised(Exception):
    """The student's code raised something, or gave nothing that a test can use.

    ours: the text is the grader's own, so that a student may read it in every case.
    """

    def __init__(self, text, ours=False):
        super().__init__(text)
        self.ours = ours


@dataclass
class Proxy:
    """A student's function. Calling it calls theirs."""

    session: "Session"
    name: str
    bound: bool

    def __call__(self, *args, **kwargs):
        return self.session.call(self, args, kwargs)


class Missing:
    """Stands for a name that a cell should have defined and did not."""

    def __init__(self, name, why):
        self.name, self.why = name, why

    def _used(self, *_, **__):
        raise Raised(self.why or f"Your cell does not define {self.name}.", ours=self.why in ("", NO_ANSWER))

    __call__ = __getattr__ = __iter__ = __len__ = __float__ = _used


@dataclass
class Session:
    """The state of one submission while it is graded."""

    make_worker: object  # () -> Worker
    limits: Limits
    given: dict = field(default_factory=lambda: {"__name__": "__main__"})  # what the given cells define here
    names: dict = field(default_factory=dict)  # that, and what crossed
    worker: Worker | None = None
    ran: list = field(default_factory=list)  # what a new worker has to run again
    test: str = ""  # the present one, and the line from which on it is hidden
    hidden_from: int = 0
    recorded: bool = False
    calls: list = field(default_factory=list)  # of the present test, where it is recorded: name, arguments, result
    notes: list = field(default_factory=list)
    hidden: bool = False  # has a hidden test called the student's code?
    spent: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def call(self, proxy, args, kwargs):
        hidden = self.in_hidden_lines()
        self.hidden = self.hidden or hidden
        recorded = self.recorded and hidden
        copies = copy.deepcopy((args, kwargs)) if recorded else ()
        try:
            reply, reader = self.alive().call(proxy.name, args, kwargs, bound=proxy.bound)
            if reply.refused:
                raise Raised(f"What {proxy.name} returned cannot be used: {cleaned(reply.refused)}.")
            if reply.error:
                raise self.raised(*map(cleaned, reply.error))
            try:
                value = reader(reply.value)
            except protocol.Refused as why:
                raise Raised(f"What {proxy.name} returned cannot be used: {why}.", ours=True) from None
        except Ended as why:
            self.lost(f"while {proxy.name} was called", why)
            raise Raised(str(why), ours=True) from None
        if recorded:
            self.calls.append((proxy.name, *copies, copy.deepcopy(value)))
        return value

    def raised(self, kind, text) -> Raised:
        """What the student's code raised; where a given function lacked an answer, which one."""
        missing = [m.name for m in self.names.values() if isinstance(m, Missing) and m.why == NO_ANSWER]
        lacking = [name for name in missing if kind == "NameError" and f"name {name!r} is not defined" in text]
        if lacking:
            return Raised(f"There is no answer to the question that asks for {lacking[0]} yet.", ours=True)
        return Raised(f"{kind}: {text}")

    def in_hidden_lines(self) -> bool:
        """Is the present call made by a hidden line of the test?"""
        frame = sys._getframe(1)
        while frame and frame.f_code.co_filename != f"<{self.test}>":
            frame = frame.f_back
        while frame and frame.f_code.co_name != "<module>":
            frame = frame.f_back
        return frame is not None and frame.f_lineno >= self.hidden_from

    def run(self, step: Step, names) -> tuple[dict, str]:
        """Run a cell in the worker. Returns what crosses, by name, and why the cell stopped, else ""."""
        try:
            reply, reader = self.alive().run(step.id, step.role, step.source, names)
        except Ended as why:
            self.lost(f"in the cell {step.id}", why)
            return {}, str(why)
        self.ran.append((step, names))
        crossing = {name: Proxy(self, name, step.role == "student-side") for name in reply.callables if name in names}
        for name in set(reply.values) & set(names):
            with contextlib.suppress(protocol.Refused):
                crossing[name] = reader(reply.values[name])
        error = f"{cleaned(reply.error[0])}: {cleaned(reply.error[1])}" if reply.error else cleaned(reply.refused or "")
        return crossing, error

    def blame(self, step, error):
        """A given cell failed in the worker. Note it where the student's code made it fail; else raise RuntimeError."""
        worker = started(self.make_worker)
        try:
            for other in [*(s for s, _ in self.ran if s.role == "given" and s.id != step.id), step]:
                reply, _ = worker.run(other.id, other.role, other.source)
                if reply.error:
                    raise RuntimeError(f"the given cell {step.id} fails in the students' process: {reply.error}")
        finally:
            worker.end()
        self.notes.append(f"The given cell {step.id} fails after this student's own cells: {error}")

    def alive(self) -> Worker:
        """The worker; a new one, which has run what the last one had, where that has ended. Raises Ended."""
        if time.monotonic() - self.began > self.limits.total:
            raise Ended(f"All of it together took longer than {self.limits.total:g} s.")
        if self.worker is None or not self.worker.alive:
            self.worker = started(self.make_worker)
            for step, names in self.ran:
                self.worker.run(step.id, step.role, step.source, names)
            self.worker.output()
        return self.worker

    def output(self) -> str:
        if self.worker is None or not self.worker.alive:
            return ""
        try:
            return cleaned(self.worker.output().decode("utf-8", "replace"))
        except Ended as why:
            self.lost("by what it printed", why)
            return ""

    def lost(self, where, why):
        self.end()
        self.worker = None
        self.notes.append(f"The process of this submission was ended {where}: {why}")

    def end(self):
        if self.worker:
            self.spent += self.worker.spent
            self.worker.end()


def started(make_worker, tries=3) -> Worker:
    """A worker that is ready. A process that could not start is no student's fault, so it is tried again."""
    for left in reversed(range(tries)):
        try:
            worker = make_worker()
            worker.start()
            return worker
        except NotStarted:
            if not left:
                raise


def grade(
    pristine: Assignment,
    content: bytes,
    *,
    student: str,
    seed: int,
    make_worker,
    limits: Limits,
    mistakes=(),
    key: str = "",
) -> Result:
    """The result of one submission. Nothing that it does raises.

    content: the bytes of the notebook that was handed in. seed: of the hidden inputs, `course.seed_of`. make_worker: a
    function that starts a `Worker`. mistakes: the catalogue of known mistakes, for their hints.
    Raises rebuild.Unreadable where the file cannot be read, and NotStarted where no worker starts.
    """
    submission, session = rebuild(pristine, content), Session(make_worker, limits)
    tests, cells = [], []
    check.use(seed=seed)
    try:
        for step in submission.steps:
            if step.role == "test":
                tests.append(_test(session, pristine, step, seed, mistakes))
                check.outcomes[step.id] = tests[-1].state == "passed"
            cells.append(_cell(session, pristine, step))
    finally:
        session.end()
        check.use()
    notes = [*submission.notes, *session.notes]
    return Result(
        pristine.path.stem, student, key, tests, cells, submission.waiting, notes,
        round(time.monotonic() - session.began, 2), round(session.spent, 2),
    )  # fmt: skip


def _cell(session, pristine, step) -> Cell:
    """Run a cell where it belongs, and take over what it defines."""
    error = output = ""
    if step.role == "given":
        exec(compile(step.source, f"<{step.id}>", "exec"), session.given)
        session.names.update(session.given)
        _, error = session.run(step, [])
        if error:
            session.blame(step, error)
            error = ""
    elif step.role in ("solution", "student-side", "added"):
        names = pristine.cell(step.id).functions if step.role != "added" else []
        if step.role == "solution" and not step.touched:
            crossing, error = {}, NO_ANSWER
        else:
            crossing, error = session.run(step, names)
        session.names.update({name: Missing(name, error) for name in names})
        session.names.update(crossing)
        if step.role == "added":
            _answered_again(session, pristine)
        output = "" if session.hidden else session.output()
        error = "" if session.hidden and step.touched else error
    error = error if step.role != "student-side" else ""
    return Cell(step.id, step.role, step.source, step.touched, output, error, step.pictures)


def _answered_again(session, pristine):
    """A cell that a student added may define the function of an answer: from then on it counts, as in a kernel."""
    known = {name for cell in pristine.role("solution") for name in cell.functions}
    missing = [name for name in known if isinstance(session.names.get(name), Missing)]
    if missing:
        probe = Step("probe", "added", "")
        crossing, _ = session.run(probe, missing)
        session.names.update(crossing)
        session.ran = [pair for pair in session.ran if pair[0] is not probe]


def _test(session, pristine, step, seed, mistakes) -> Test:
    """What a test cell earns."""
    began, names = time.monotonic(), dict(session.names)
    session.calls.clear()
    session.test, session.hidden_from = step.id, pristine.cell(step.id).hidden_from
    session.recorded = any(step.id in mistake.fails for mistake in mistakes)
    torch.manual_seed(seed)
    state, shown, details, hidden = "passed", "", "", False
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            exec(compile(step.source, f"<{step.id}>", "exec"), names)
    except NotStarted:
        raise
    except check.Waits as error:
        state, shown = "waits", str(error)
    except Exception as error:  # what a test does with a value that nobody thought of may raise anything
        hidden = _line(error, step) >= session.hidden_from
        state = "stopped" if isinstance(error, Raised) and session.worker is None else "failed"
        details = cleaned(f"{type(error).__name__}: {error}" if not isinstance(error, Raised) else str(error))
        shown = _shown(session, pristine, step, error, hidden, mistakes)
        if state == "stopped":
            shown = f"{HIDDEN if hidden else ''}\n{STOPPED}".strip()
    points = step.points if state == "passed" else 0.0
    seconds = round(time.monotonic() - began, 2)
    return Test(step.id, points, step.points, state, shown, details, hidden, seconds)


def _shown(session, pristine, step, error, hidden, mistakes) -> str:
    """What the student may read of a failed test. Nothing in it can carry what a hidden test asked."""
    known = isinstance(error, check.CheckFailed)
    if hidden:
        if getattr(error, "ours", False):
            return f"{HIDDEN}\n{error}"
        hint = _hint(session, pristine, step, mistakes) or (error.hint if known else RAISED)
        return f"{HIDDEN}\n{hint}".strip()
    if not session.hidden or getattr(error, "ours", False):
        return cleaned(str(error))
    # The details show values that came from the student's process, which has seen hidden inputs by now.
    again = "Run your notebook from the top to see what came."
    return f"{error.hint}\n{again}" if known else f"Your code stopped or returned something else. {again}"


def _hint(session, pristine, step, mistakes) -> str:
    """The hint of the one known mistake that gives what the student's functions gave in this test."""
    fitting = [mistake for mistake in mistakes if step.id in mistake.fails and _fits(session, pristine, mistake)]
    if len(fitting) > 1:
        # Up to the check that failed several give the same: let the whole test ask, whatever comes.
        session.calls.clear()
        with contextlib.suppress(Exception):
            exec(compile(step.source, f"<{step.id}>", "exec"), session.names | {"check": _Lenient()})
        fitting = [mistake for mistake in fitting if _fits(session, pristine, mistake)]
    hints = {mistake.hint for mistake in fitting}
    return hints.pop() if len(hints) == 1 else ""


def _fits(session, pristine, mistake) -> bool:
    """Does this mistake give what the student's functions gave, wherever the hidden part called them?"""
    with contextlib.suppress(Exception):
        functions = pristine.namespace({mistake.function: mistake.source}, session.given)
        calls = copy.deepcopy(session.calls)
        return all(_same(functions[name](*args, **kwargs), value) for name, args, kwargs, value in calls)
    return False


class _Lenient:
    """Checks nothing."""

    seed = staticmethod(check.seed)

    def __getattr__(self, name):
        return lambda *_, **__: None


def _same(a, b) -> bool:
    try:
        check.close(a, b, "")
    except check.CheckFailed:
        return False
    except Exception:
        return a == b
    return True


def cleaned(text: str) -> str:
    """Text from a student's process, cleaned, and no longer than a person would read."""
    # Halves of characters, and signs that turn the text around.
    text = re.sub("[\ud800-\udfff\ufffe\uffff\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text[: 4 * LETTERS])
    text = outcome.cleaned(text)
    lines = text.split("\n")
    cut = "\n".join(lines[:LINES])[:LETTERS]
    return cut if len(cut) == len(text) else f"{cut}\n[...]"


def _line(error, step) -> int:
    """The line of the test cell in which `error` arose."""
    places = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in places if f.filename == f"<{step.id}>"), 0)
