"""The mechanical part of what a chapter owes its reader (test_chapters.py says it in words)."""

import re
from statistics import median

import yaml

from lllcourse.notebook import CLAIM_TYPE, NUMBERS_TYPE
from tools.measure import FOLDED_INPUT, ROOT, measure

MOST = {"words": 3500, "lines": 160, "before_picture": 250}
WIDTH = 84
PLUMBING = {
    "draws": r"\b(figures|plt|axe?s?)\.",
    "tabulates": r"\btable\(",
    "judges": r"\bclaim\(",
    "reads a record": r"\brecorded\(",
    "keeps numbers": r"\bkeep\(",
    "loops over seeds": r"\bfor seed\b",
}
MARK = r": (paper|code|paper and code), \d+ minutes, (easy|medium|hard)"


def faults(notebook, name):
    """What an executed chapter lacks, a sentence each. name: lifelong/06_gradient_episodic_memory."""
    folder = ROOT / "book" / name.split("/")[0]
    found = measure(notebook, folder)
    return [
        *faults_of_opening(notebook, found),
        *faults_of_measure(found),
        *faults_of_picture(notebook),
        *faults_of_cells(notebook),
        *faults_of_claims(notebook),
        *faults_of_text(notebook, name),
    ]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def folded(cell):
    return bool(FOLDED_INPUT & set(cell.metadata.get("tags", [])))


def opening(cell):
    """How far live numbers may lie beyond the recorded seeds, in the cell that draws the opening picture; else None."""
    return cell.metadata.get("lllcourse", {}).get("opening")


def kept(notebook):
    """What `keep(opening, live)` put into the outputs: of each call {"opening": {name: number}, "live": ...}."""
    data = [output.get("data", {}) for cell in code_cells(notebook) for output in cell.outputs]
    return [one[NUMBERS_TYPE] for one in data if NUMBERS_TYPE in one]


def has_picture(cell):
    return any(kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {}))


# --- the parts ----------------------------------------------------------------------------------------------------


def faults_of_opening(notebook, found):
    title, bootstrap, parameters, picture, answer, *_ = notebook.cells
    if not re.fullmatch(r"# [^\n]+\n\n\S[^?]*\?", title.source.strip()):
        yield "the first cell is not a title and one sentence that asks the question"
    if (bootstrap.id, parameters.id) != ("bootstrap", "parameters") or not folded(parameters):
        yield "after the title come the cells `bootstrap` and `parameters`, the second folded"
    if picture.cell_type != "code" or not opening(picture):
        yield "the fourth cell is not the one with lllcourse.opening, which draws the chapter in one picture"
    said, learn, rest = answer.source.partition("**You will learn**")
    goals, prerequisites, rest = rest.partition("**Prerequisites**")
    if not learn or not prerequisites:
        return (yield "the fifth cell has no **You will learn** and **Prerequisites**")
    if len(re.findall(r"[.!?](?=\s|$)", said)) != 2:
        yield "two sentences answer the question, before **You will learn**"
    if not 3 <= len(re.findall(r"^- ", goals, re.MULTILINE)) <= 5:
        yield "a chapter has 3 to 5 goals, each a line that begins with '- '"
    yield from faults_of_times(notebook, found, re.sub(r"\s+", " ", rest))


def faults_of_times(notebook, found, text):
    stated = re.search(r"(\d+) minutes to read.* (\d+) s of CPU", text)
    if not stated:
        return (yield "the fifth cell does not say 'N minutes to read ... N s of CPU'")
    minutes, seconds = map(int, stated.groups())
    if abs(minutes - found.minutes) > 0.2 * found.minutes:
        yield f"{minutes} minutes to read are stated, {found.minutes:.0f} measured"
    if seconds != notebook.metadata.lllcourse["cpu_seconds"]:
        yield f"the text says {seconds} s of CPU, the metadata {notebook.metadata.lllcourse['cpu_seconds']}"


def faults_of_measure(found):
    for what, most in MOST.items():
        if (value := getattr(found, what)) is None:
            yield "there is no picture"
        elif value > most:
            yield f"{what} is {value}, and may be {most}"
    if not found.derivations:
        yield "no derivation is folded into the text ({dropdown}, or an admonition of the class dropdown)"
    for title, words in found.derivations.items():
        if words > 300:
            yield f"the folded derivation {title!r} has {words} words, and may have 300"


def faults_of_picture(notebook):
    cells = [cell for cell in code_cells(notebook) if opening(cell)]
    if len(cells) != 1 or not folded(cells[0]) or not has_picture(cells[0]) or "recorded(" not in cells[0].source:
        return (yield "one folded cell with the metadata lllcourse.opening draws a picture from recorded(...)")
    if len(numbers := kept(notebook)) != 1:
        return (yield "one cell calls keep(opening, live), with what the picture shows and the same computed live")
    recorded, live = numbers[0]["opening"], numbers[0]["live"]
    if set(recorded) != set(live):
        yield f"the opening picture shows {sorted(recorded)}, the live run gives {sorted(live)}"
    for what in recorded.keys() & live.keys():
        seeds = recorded[what] if isinstance(recorded[what], list) else [recorded[what]]
        within = opening(cells[0])
        if not min(seeds) - within <= live[what] <= max(seeds) + within:
            yield f"{what} is {live[what]:g} live, and {min(seeds):g} to {max(seeds):g} in the record"


def faults_of_cells(notebook):
    lengths = []
    for cell in code_cells(notebook):
        if cell.id == "bootstrap":
            continue
        lines = cell.source.splitlines()
        if max(map(len, lines)) > WIDTH:
            yield f"{cell.id} has lines of more than {WIDTH} characters"
        if len(lines) > (most := 30 if folded(cell) else 15):
            yield f"{cell.id} has {len(lines)} lines, and may have {most}"
        if folded(cell):
            continue
        lengths.append(len(lines))
        for what, pattern in PLUMBING.items():
            if re.search(pattern, cell.source):
                yield f"{cell.id} {what} and is not folded"
    if lengths and median(lengths) > 9:
        yield f"half of the cells that are not folded have {median(lengths)} lines or more, and may have 9"


def faults_of_claims(notebook):
    for cell in code_cells(notebook):
        for facts in (output.get("data", {}).get(CLAIM_TYPE) for output in cell.outputs):
            if facts and not any(part.startswith("live, seed ") for part in facts["parts"]):
                yield f"{cell.id}: the claim {facts['statement']!r} has no part 'live, seed ...'"
            if facts and not any(part.startswith("seed ") for part in facts["parts"]):
                yield f"{cell.id}: the claim {facts['statement']!r} has no part 'seed ...', from the record"


def faults_of_text(notebook, name):
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    cards = yaml.safe_load((ROOT / "book/methods.yml").read_text(encoding="utf-8"))
    for card in [card for card, facts in cards.items() if facts["chapter"] == name]:
        if f"{{method-card}} {card}\n" not in text:
            yield f"the card {card} is not on the page"
    titles = re.findall(r"^```\{exercise(?:-start)?\} ?(.*)$", text, re.MULTILINE)
    if len(titles) < 4:
        yield f"there are {len(titles)} exercises, and should be 4 or more"
    for title in titles:
        if not re.search(MARK + "$", title):
            yield f"the exercise {title!r} is not marked, as in 'By hand: paper, 10 minutes, easy'"
