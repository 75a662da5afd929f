"""The twenty kinds of questions: right answers, disjoint splits, no answer without the story.

The answers are checked by a small interpreter of the printed text, which shares no code with the generator: it knows
nothing of worlds, only what sentences mean.
"""

import random
import re
from collections import Counter, defaultdict
from itertools import pairwise, product

import pytest
import torch

from lllcourse import tasks as all_tasks
from lllcourse.data import concatenate
from lllcourse.tasks.stories import ANSWERS, KINDS, LENGTH, ROWS, WORDS, questions, read

PARTS = ("train", "validation", "test")
NAMES = [kind.__name__.replace("_", " ") for kind, _ in KINDS]
each_kind = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def sequence():
    return {task.name: task for task in questions(seed=0)}


# --- an interpreter of the text -----------------------------------------------------------------------------------


def understand(text):
    """The answer to the question in the last line of `text`, or None where the story does not tell."""
    *story, question = re.sub(r"[.?]", "", text.lower()).split("\n")
    for pattern, answer in RULES:
        match = re.fullmatch(pattern, question)
        if match:
            return answer(story, *match.groups())
    raise AssertionError(f"what does {question!r} mean?")


def found(story, pattern):
    """The groups of every sentence that fits, in the order of the story."""
    return [m.groups() for m in (re.fullmatch(pattern, s) for s in story) if m]


def visits(story):
    """(person, place) in the order of the story, with pronouns resolved."""
    result, last = [], []
    for who, place in found(story, r"(.*) went to the (\w+)"):
        last = last if who.startswith("then") else who.split(" and ")
        result += [(person, place) for person in last]
    return result


def where_is(story, what):
    keeper = {t: p for p, t in found(story, r"(\w+) took the (\w+)")}
    return dict(visits(story))[keeper.get(what, what)]


def before(story, what, place):
    keeper = {t: p for p, t in found(story, r"(\w+) took the (\w+)")}
    if what in keeper:
        stations = [p for person, p in visits(story) if person == keeper[what]]
    else:
        days = found(story, rf"on (\w+) {what} was in the (\w+)")
        stations = [p for _, p in sorted(days, key=lambda d: "mtf".index(d[0][0]))]
    return {b: a for a, b in pairwise(stations)}[place]


def is_in(story, who, place):
    if visits(story):
        return "yes" if where_is(story, who) == place else "no"
    ((negated, places),) = found(story, rf"{who} is (not )?in the (.*)")
    if negated:
        return "no" if places == place else None
    if place not in places.split(" or "):
        return "no"
    return "maybe" if " or " in places else "yes"


def held(story, who):
    things = Counter()
    for person, verb, thing in found(story, r"(\w+) (took|dropped) the (\w+)"):
        things[thing] += (person == who) * (1 if verb == "took" else -1)
    return [thing for thing in ("lamp", "map", "key", "drum") if things[thing]]


def hold(story, who):
    return " and ".join(held(story, who)) or "nothing"


def how_many(story, who):
    return ["none", "one", "two", "three"][len(held(story, who))]


def find(group, pattern):
    """A rule that looks up one sentence: the pattern takes the question's words at {0}, {1}."""

    def rule(story, *words):
        (sentence,) = found(story, pattern.format(*words))
        return sentence[group]

    return rule


def likes(story, pet):
    ((animal,),) = found(story, rf"{pet} is a (\w+)")
    ((food,),) = found(story, rf"every {animal} likes (\w+)")
    return food


def colour(story, pet):
    kind = dict(found(story, r"(\w+) is a (\w+)"))
    shade = dict(found(story, r"(\w+) is (\w+)"))
    (answer,) = {shade[other] for other in shade if kind[other] == kind[pet]}
    return answer


AXES = {
    "east of": 1, "right of": 1, "west of": -1, "left of": -1,
    "north of": 1j, "above": 1j, "south of": -1j, "below": -1j,
}  # fmt: skip


def offset(story, here, there):
    """Where `here` lies as seen from `there`, as a complex number, by walking along the sentences."""
    edges = defaultdict(list)
    for a, way, b in found(story, rf"the (\w+) is ({'|'.join(AXES)}) the (\w+)"):
        edges[b].append((a, AXES[way]))
        edges[a].append((b, -AXES[way]))
    reached, waiting = {there: 0}, [there]
    for place in waiting:
        for other, step in edges[place]:
            if other not in reached:
                reached[other] = reached[place] + step
                waiting.append(other)
    return reached[here]


def on_side(story, a, way, b):
    z = offset(story, a, b) / AXES[way]
    return "yes" if z.real > 0 else "no"


def fits(story, a, b):
    larger = dict(found(story, r"the (\w+) fits in the (\w+)"))
    while a in larger:
        a = larger[a]
        if a == b:
            return "yes"
    return "no"


def path(story, start, end):
    (middle,) = {w for s in story for w in re.findall(r"the (\w+)", s)} - {start, end}
    legs = [offset(story, middle, start), offset(story, end, middle)]
    way = {1: "east", -1: "west", 1j: "north", -1j: "south"}
    return " then ".join(way[leg] for leg in legs)


def need(goals):
    def rule(story, who):
        (((feeling,),)) = found(story, rf"{who} is (\w+)")
        return goals[feeling]

    return rule


GO = {"dirty": "pond", "sleepy": "attic", "hungry": "market", "curious": "library"}
FETCH = {"dirty": "soap", "sleepy": "pillow", "hungry": "purse", "curious": "lens"}
RULES = [
    (r"where is (?:the )?(\w+)", where_is),
    (r"where was (?:the )?(\w+) before the (\w+)", before),
    (r"what is (\w+) of the (\w+)", find(0, r"the (\w+) is {0} of the {1}")),
    (r"the (\w+) is (\w+) of what", find(0, r"the {0} is {1} of the (\w+)")),
    (r"who gave the (\w+) to (\w+)", find(0, r"(\w+) gave the {0} to {1}")),
    (r"is (\w+) in the (\w+)", is_in),
    (r"how many things does (\w+) hold", how_many),
    (r"what does (\w+) hold", hold),
    (r"what does (\w+) like", likes),
    (r"what colour is (\w+)", colour),
    (rf"is the (\w+) ({'|'.join(AXES)}) the (\w+)", on_side),
    (r"does the (\w+) fit in the (\w+)", fits),
    (r"how to go from (\w+) to (\w+)", path),
    (r"where will (\w+) go", need(GO)),
    (r"what will (\w+) fetch", need(FETCH)),
]


@each_kind
def test_every_answer_follows_from_the_text(sequence, name):
    test = sequence[name].test
    for x, y in zip(test.x, test.y, strict=True):
        assert understand(read(x)) == ANSWERS[y], read(x)


def test_the_interpreter_notices_a_wrong_answer(sequence):
    """Exchange two places in the story, not in the question: most answers change with them."""
    test, changed = sequence["one fact"].test, 0
    for x, y in zip(test.x, test.y, strict=True):
        *story, question = read(x).split("\n")
        swapped = re.sub(
            "attic|barn",
            lambda m: {"attic": "barn"}.get(m[0], "attic"),
            "\n".join(story),
        )
        changed += understand(f"{swapped}\n{question}") != ANSWERS[y]
    assert changed == sum(ANSWERS[y] in ("attic", "barn") for y in test.y) > 0


# --- what a network could exploit -----------------------------------------------------------------------------------


@each_kind
def test_the_question_alone_does_not_give_the_answer(sequence, name):
    """The best guess from the question only, learned on all stories but those of the test."""
    task, seen = sequence[name], defaultdict(Counter)
    known = concatenate([task.train, task.validation])
    for x, y in zip(known.x, known.y.tolist(), strict=True):
        seen[tuple(x[-LENGTH:].tolist())][y] += 1
    guesses = [seen[tuple(x[-LENGTH:].tolist())].most_common(1) for x in task.test.x]
    right = [bool(guess) and guess[0][0] == y for guess, y in zip(guesses, task.test.y.tolist(), strict=True)]
    # 200 test stories: three standard errors of a coin are .11
    limit = {2: 0.61, 3: 0.5}.get(len(task.classes), 0.4)
    assert sum(right) / len(right) < limit


@each_kind
def test_all_answers_of_a_kind_are_equally_frequent(sequence, name):
    task = sequence[name]
    for part in PARTS:
        counts = getattr(task, part).y.bincount(minlength=len(ANSWERS))
        assert tuple(counts.nonzero().flatten().tolist()) == task.classes
        assert counts.max() - counts[list(task.classes)].min() <= 1


def test_a_position_does_not_hang_on_distances_that_nobody_told(sequence):
    """The sentences do not say how far: near or far, one or the other or both, the answer is the same."""
    task = sequence["position"]
    for x, y in zip(task.train.x, task.train.y.tolist(), strict=True):
        first, second, question = read(x).lower().replace(".", "").replace("?", "").split("\n")
        steps = [found([line], rf"the (\w+) is ({'|'.join(AXES)}) the (\w+)")[0] for line in (first, second)]
        ((a, way, c),) = found([question], rf"is the (\w+) ({'|'.join(AXES)}) the (\w+)")
        for near, far in product((1, 2, 3), repeat=2):
            place = {}
            for (here, side, there), length in zip(steps, (near, far), strict=True):
                place[here, there], place[there, here] = length * AXES[side], -length * AXES[side]
            (b,) = {s for step in steps for s in step[::2]} - {a, c}
            z = (place[a, b] + place[b, c]) / AXES[way]
            assert ANSWERS[y] == ("yes" if z.real > 0 else "no")


@each_kind
def test_no_story_with_its_question_occurs_twice(sequence, name):
    task = sequence[name]
    rows = torch.cat([getattr(task, part).x for part in PARTS])
    assert len(rows.unique(dim=0)) == len(rows) == 1400


# --- the form -------------------------------------------------------------------------------------------------------


def test_twenty_tasks_share_one_list_of_words_and_one_of_answers(sequence):
    assert list(sequence) == NAMES and len(NAMES) == 20
    assert len(set(WORDS)) == len(WORDS) and len(set(ANSWERS)) == len(ANSWERS)
    used = set()
    for task in sequence.values():
        assert [len(getattr(task, part)) for part in PARTS] == [1000, 200, 200]
        for part in PARTS:
            split = getattr(task, part)
            assert split.x.dtype == split.y.dtype == torch.int64
            assert split.x.shape[1] == ROWS * LENGTH
            assert 0 <= split.x.min() and split.x.max() < len(WORDS)
            used |= set(split.x.unique().tolist())
    assert used == set(range(len(WORDS)))  # no word is listed in vain
    assert {c for task in sequence.values() for c in task.classes} == set(range(len(ANSWERS)))


def test_padding_stands_after_the_words_and_between_story_and_question(sequence):
    for task in sequence.values():
        rows = task.train.x.view(-1, ROWS, LENGTH) > 0
        assert (rows[:, :, :-1] >= rows[:, :, 1:]).all()  # words first, in every row
        lines = rows.any(2)
        assert lines[:, [0, -1]].all()
        assert (lines[:, :-2] >= lines[:, 1:-1]).all()  # sentences first


def test_the_seed_decides_the_stories_and_the_length_of_the_sequence_does_not():
    a, b, other = (
        questions(3, seed=1, stories=50),
        questions(2, seed=1, stories=50),
        questions(2, seed=2, stories=50),
    )
    for first, second, third in zip(a, b, other, strict=False):
        assert torch.equal(first.train.x, second.train.x)
        assert torch.equal(first.test.y, second.test.y)
        assert not torch.equal(first.train.x, third.train.x)


def test_the_global_generators_are_left_alone():
    random.seed(3), torch.manual_seed(3)
    expected = random.random(), torch.rand(1)
    random.seed(3), torch.manual_seed(3)
    questions(2, stories=20)
    assert (random.random(), torch.rand(1)) == expected


@pytest.mark.parametrize("T", [0, 21, -1])
def test_there_are_twenty_kinds_and_no_more(T):
    with pytest.raises(ValueError, match=rf"T={T}\): there are 20 kinds"):
        questions(T)


@pytest.mark.parametrize("stories", [4, 2001])
def test_a_number_of_stories_out_of_range_is_named(stories):
    with pytest.raises(ValueError, match=f"stories={stories}"):
        questions(1, stories=stories)


@pytest.mark.prove
def test_the_largest_number_of_stories_can_be_drawn():
    assert all(len(task.train) == 2000 for task in questions(stories=2000))


def test_the_tokens_of_a_story_can_be_read(sequence):
    text = read(sequence["three arguments"].test.x[0])
    *story, question = text.split("\n")
    assert all(re.fullmatch(r"[A-Z]\w+ gave the \w+ to [A-Z]\w+\.", s) for s in story)
    assert re.fullmatch(r"Who gave the \w+ to [A-Z]\w+\?", question)


def test_the_questions_are_one_of_the_task_sequences():
    assert all_tasks.questions is questions and "questions" in all_tasks.__all__
    first, second = questions(20, stories=5)[4:6]
    mask = all_tasks.active_outputs([first, second], "class", 2, 1, len(ANSWERS))
    assert mask.sum() == len({*first.classes, *second.classes}) == 6
