"""What grading one submission gives: stored as JSON, shown to the student, written into the gradebook."""

import re
import unicodedata

import msgspec


class Test(msgspec.Struct, frozen=True):
    """One test cell. points: earned, of `most`. shown: what the student may read; details: for the instructor alone.

    state: "passed", "failed", "waits" (for the questions that it rests on), "stopped" (it took too long, or its process
    ended). hidden: did a part fail that the student does not see?
    """

    id: str
    points: float
    most: float
    state: str
    shown: str = ""
    details: str = ""
    hidden: bool = False
    seconds: float = 0.0


class Cell(msgspec.Struct, frozen=True):
    """One cell of the rebuilt notebook, in order, as `rebuild.Step` has it, and what running it in the worker gave.

    output: what the student's code printed there, cleaned and cut; empty once a hidden test has run, since it could
    carry what that test asked. error: why the cell stopped, in a line; empty where it ran.
    """

    id: str
    role: str
    source: str
    touched: bool = True
    output: str = ""
    error: str = ""
    pictures: dict[str, str] = {}

    @property
    def attachments(self) -> dict[str, dict[str, str]]:
        """The pictures as a notebook holds them: from a name to the type and the base64."""
        return {name: dict([url.removeprefix("data:").split(";base64,")]) for name, url in self.pictures.items()}


class Result(msgspec.Struct, frozen=True):
    """All of one submission. key: of what the result depends on; a result with another key is no longer valid.

    waiting: ids of the answers that a person has to read. notes: one sentence each, for the instructor's review.
    """

    assignment: str
    student: str
    key: str
    tests: list[Test]
    cells: list[Cell]
    waiting: list[str]
    notes: list[str]
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def points(self) -> float:
        return sum(test.points for test in self.tests)


def to_json(result: Result) -> bytes:
    return msgspec.json.format(msgspec.json.encode(result), indent=1)


def from_json(content: bytes) -> Result:
    """Raises msgspec.DecodeError for what is no result."""
    return msgspec.json.decode(content, type=Result)


def cleaned(text: str) -> str:
    """Text without colours and control characters, which could rewrite a console or a page, nor half characters."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.replace("\r\n", "\n")).encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
