"""Example 2 of the lecture: twenty kinds of questions about tiny stories, for a network that reads.

The kinds test the skills of the bAbI tasks (Weston et al. 2015, arXiv:1502.05698): one supporting fact, two, three,
counting, deduction and so on. Words and sentences are our own, and so nothing has to be downloaded. Each kind is a
function that draws a small world, tells a story about it, and works out the answer from the world, not from the text.

A story is (ROWS, LENGTH) words: its sentences from the top, free rows in between, the question in the last row.
"""

import random
from collections import Counter
from itertools import combinations

import torch

from .. import checks
from ..data import Split, Task

ROWS, LENGTH = 6, 7  # five sentences and the question; words in each

PEOPLE = {"ada": "she", "ben": "he", "cleo": "she", "hugo": "he"}
PLACES = ("attic", "barn", "cellar", "library", "market", "pond")
THINGS = ("lamp", "map", "key", "drum")
DIRECTIONS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
SIDES = {"left of": (-1, 0), "right of": (1, 0), "above": (0, 1), "below": (0, -1)}
DAYS = ("monday", "tuesday", "friday")
PETS, ANIMALS = ("pip", "nell", "toto", "rudi"), ("fox", "hen", "goat", "toad")
FOODS = ("plums", "nuts", "corn", "honey")
COLOURS = ("red", "blue", "green", "gold")
SHAPES = ("star", "ring", "cube", "cone")
VESSELS = ("tin", "basket", "crate", "barrel", "chest")
NEEDS = {
    "dirty": ("pond", "soap"),
    "sleepy": ("attic", "pillow"),
    "hungry": ("market", "purse"),
    "curious": ("library", "lens"),
}
NUMBERS = ("none", "one", "two", "three")
PAIRS = tuple(f"{a} and {b}" for a, b in combinations(THINGS[:3], 2))
TURNS = tuple(
    f"{a} then {b}"
    for a, (x, y) in DIRECTIONS.items()
    for b, (u, v) in DIRECTIONS.items()
    if x * u + y * v == 0
)


class World:
    """Who is where and who holds what. Each event changes the world and tells a sentence of the story."""

    def __init__(self):
        self.story, self.been, self.holder = [], {}, {}

    def go(self, names, place, subject=None):
        for name in names:
            self.been.setdefault(name, []).append(place)
        self.story.append(f"{subject or ' and '.join(names)} went to the {place}")

    def take(self, name, thing):
        self.holder[thing] = name
        self.story.append(f"{name} took the {thing}")

    def drop(self, name, thing):
        del self.holder[thing]
        self.story.append(f"{name} dropped the {thing}")

    def held(self, name):
        return [thing for thing in THINGS if self.holder.get(thing) == name]

    def place(self, name):
        return self.been[name][-1]


# --- the twenty kinds: draw -> story (a list of sentences), question, answer ----------------------------------------


def people(draw, n):
    return draw.sample(list(PEOPLE), n)


def walks(draw, names, n):
    """A world in which n times one of `names` goes somewhere, each of them at least once."""
    world = World()
    walkers = [*names, *draw.choices(names, k=n - len(names))]
    for name in shuffled(draw, walkers):
        world.go([name], draw.choice(PLACES))
    return world


def shuffled(draw, items):
    return draw.sample(items, len(items))


def one_fact(draw):
    names = people(draw, 2)
    world = walks(draw, names, 4)
    return world.story, f"where is {names[0]}", world.place(names[0])


def two_facts(draw):
    (a, b), (thing, other) = people(draw, 2), draw.sample(THINGS, 2)
    world = World()
    for name, event in shuffled(draw, [(a, thing), (b, other), (a, ""), (b, "")]):
        if event:
            world.take(name, event)
        else:
            world.go([name], draw.choice(PLACES))
    return world.story, f"where is the {thing}", world.place(world.holder[thing])


def three_facts(draw):
    (a, b), thing = people(draw, 2), draw.choice(THINGS)
    world = World()
    world.take(a, thing)
    routes = {name: draw.sample(PLACES, 2) for name in (a, b)}
    for name in shuffled(draw, [a, a, b, b]):
        world.go([name], routes[name].pop())
    before, last = world.been[world.holder[thing]]
    return world.story, f"where was the {thing} before the {last}", before


def two_arguments(draw):
    row, way = draw.sample(PLACES, 3), draw.choice(list(DIRECTIONS))
    facts = [
        f"the {a} is {way} of the {b}" for a, b in zip(row, row[1:], strict=False)
    ]
    i = draw.randrange(2)
    if draw.random() < 0.5:
        return shuffled(draw, facts), f"what is {way} of the {row[i + 1]}", row[i]
    return shuffled(draw, facts), f"the {row[i]} is {way} of what", row[i + 1]


def three_arguments(draw):
    gifts = [(*people(draw, 2), thing) for thing in draw.sample(THINGS, 3)]
    story = [
        f"{giver} gave the {thing} to {taker}" for giver, taker, thing in gifts
    ]
    giver, taker, thing = draw.choice(gifts)
    return story, f"who gave the {thing} to {taker}", giver


def yes_or_no(draw):
    names = people(draw, 2)
    world = walks(draw, names, 4)
    place = draw.choice([place for been in world.been.values() for place in been])
    answer = "yes" if world.place(names[0]) == place else "no"
    return world.story, f"is {names[0]} in the {place}", answer


def takes_and_drops(draw, things):
    """A world in which two people take things, and drop some again."""
    names, world = people(draw, 2), World()
    for _ in range(5):
        name, thing = draw.choice(names), draw.choice(things)
        if thing not in world.holder:
            world.take(name, thing)
        elif draw.random() < 0.5:
            world.drop(world.holder[thing], thing)
    return world, names[0]


def counting(draw):
    world, name = takes_and_drops(draw, THINGS[:3])
    number = NUMBERS[len(world.held(name))]
    return world.story, f"how many things does {name} hold", number


def lists(draw):
    world, name = takes_and_drops(draw, THINGS[:3])
    held = world.held(name)
    if len(held) > 2:
        return lists(draw)
    return world.story, f"what does {name} hold", " and ".join(held) or "nothing"


def negation(draw):
    facts = [
        (name, draw.choice(PLACES), draw.random() < 0.7) for name in people(draw, 3)
    ]
    story = [f"{n} is {'' if true else 'not '}in the {p}" for n, p, true in facts]
    name, place, true = draw.choice(facts)
    if true and draw.random() < 0.3:
        place, true = (
            draw.choice([other for other in PLACES if other != place]),
            False,
        )
    return story, f"is {name} in the {place}", "yes" if true else "no"


def indefinite(draw):
    story, where = [], {}
    for name in people(draw, 3):
        where[name] = draw.sample(PLACES, draw.choice([1, 2]))
        story.append(f"{name} is in the {' or '.join(where[name])}")
    name = draw.choice(list(where))
    place = draw.choice([*where[name], draw.choice(PLACES)])
    answer = (
        "no" if place not in where[name] else ("yes", "maybe")[len(where[name]) - 1]
    )
    return story, f"is {name} in the {place}", answer


def coreference(draw):
    names, world = people(draw, 2), World()
    for name in names:
        world.go([name], draw.choice(PLACES))
        if draw.random() < 0.75:
            world.go([name], draw.choice(PLACES), f"then {PEOPLE[name]}")
    name = draw.choice(names)
    return world.story, f"where is {name}", world.place(name)


def conjunction(draw):
    world = World()
    for _ in range(3):
        world.go(people(draw, 2), draw.choice(PLACES))
    name = draw.choice(list(world.been))
    return world.story, f"where is {name}", world.place(name)


def compound_coreference(draw):
    names, world = people(draw, 4), World()
    for pair in (names[:2], names[2:]):
        world.go(pair, draw.choice(PLACES))
        if draw.random() < 0.75:
            world.go(pair, draw.choice(PLACES), "then they")
    name = draw.choice(names)
    return world.story, f"where is {name}", world.place(name)


def time(draw):
    a, b = people(draw, 2)
    diary = {a: draw.sample(PLACES, 3), b: draw.sample(PLACES, 2)}
    story = [
        f"on {day} {name} was in the {place}"
        for name, places in diary.items()
        for day, place in zip(DAYS, places, strict=False)
    ]
    before, after = draw.choice(list(zip(diary[a], diary[a][1:], strict=False)))
    return shuffled(draw, story), f"where was {a} before the {after}", before


def deduction(draw):
    animals, foods, pets = (draw.sample(w, 2) for w in (ANIMALS, FOODS, PETS))
    likes = dict(zip(animals, foods, strict=True))
    kinds = dict(zip(pets, animals, strict=True))
    story = [f"every {animal} likes {food}" for animal, food in likes.items()]
    story += [f"{pet} is a {animal}" for pet, animal in kinds.items()]
    return shuffled(draw, story), f"what does {pets[0]} like", likes[kinds[pets[0]]]


def induction(draw):
    animals, colours = draw.sample(ANIMALS, 2), draw.sample(COLOURS, 2)
    *known, new = draw.sample(PETS, 3)
    story = [
        f"{pet} is a {animal}" for pet, animal in zip(known, animals, strict=True)
    ]
    story += [
        f"{pet} is {colour}" for pet, colour in zip(known, colours, strict=True)
    ]
    i = draw.randrange(2)
    story = shuffled(draw, [*story, f"{new} is a {animals[i]}"])
    return story, f"what colour is {new}", colours[i]


def position(draw):
    a, b, c = draw.sample(SHAPES, 3)
    first, second = draw.choices(list(SIDES), k=2)
    (x, y), (u, v) = SIDES[first], SIDES[second]  # from b to a, from c to b
    if (x, y) == (-u, -v):  # there and back: nothing tells how far, so try again
        return position(draw)
    story = [f"the {a} is {first} the {b}", f"the {b} is {second} the {c}"]
    asked = draw.choice(list(SIDES))
    far = (x + u) * SIDES[asked][0] + (y + v) * SIDES[asked][
        1
    ]  # of a from c, that way
    if draw.random() < 0.5:
        a, c, far = c, a, -far
    answer = "yes" if far > 0 else "no"
    return shuffled(draw, story), f"is the {a} {asked} the {c}", answer


def size(draw):
    order = draw.sample(VESSELS, 4)  # the smallest first
    story = [
        f"the {a} fits in the {b}" for a, b in zip(order, order[1:], strict=False)
    ]
    i, j = draw.sample(range(4), 2)
    answer = "yes" if i < j else "no"
    return (
        shuffled(draw, story),
        f"does the {order[i]} fit in the {order[j]}",
        answer,
    )


def path_finding(draw):
    start, middle, end = draw.sample(PLACES, 3)
    turn = draw.choice(TURNS)
    story = []
    for way, here, there in zip(
        turn.split(" then "), (start, middle), (middle, end), strict=True
    ):
        if draw.random() < 0.5:
            story.append(f"the {there} is {way} of the {here}")
        else:
            story.append(f"the {here} is {OPPOSITE[way]} of the {there}")
    return shuffled(draw, story), f"how to go from {start} to {end}", turn


def motivations(draw):
    needs = dict(zip(people(draw, 3), draw.sample(list(NEEDS), 3), strict=True))
    story = [f"{name} is {need}" for name, need in needs.items()]
    name = draw.choice(list(needs))
    place, thing = NEEDS[needs[name]]
    if draw.random() < 0.5:
        return story, f"where will {name} go", place
    return story, f"what will {name} fetch", thing


#: The twenty kinds, each with the answers that it can have, in the order in which they are learned.
KINDS = (
    (one_fact, PLACES),
    (two_facts, PLACES),
    (three_facts, PLACES),
    (two_arguments, PLACES),
    (three_arguments, tuple(PEOPLE)),
    (yes_or_no, ("yes", "no")),
    (counting, NUMBERS),
    (lists, ("nothing", *THINGS[:3], *PAIRS)),
    (negation, ("yes", "no")),
    (indefinite, ("yes", "no", "maybe")),
    (coreference, PLACES),
    (conjunction, PLACES),
    (compound_coreference, PLACES),
    (time, PLACES),
    (deduction, FOODS),
    (induction, COLOURS),
    (position, ("yes", "no")),
    (size, ("yes", "no")),
    (path_finding, TURNS),
    (motivations, tuple(word for pair in NEEDS.values() for word in pair)),
)

# --- from text to tokens and back -----------------------------------------------------------------------------------

_GRAMMAR = """the to in is was a on or and not of then they she he went took dropped gave every likes like
fits fit what where who how does will many things hold before colour go from fetch left right above below"""
_NOUNS = (*PEOPLE, *PLACES, *THINGS, *DIRECTIONS, *DAYS, *PETS, *ANIMALS, *FOODS)
#: All words; the position of a word is its token, and token 0 stands for no word.
WORDS = ("", *_GRAMMAR.split(), *_NOUNS, *COLOURS, *SHAPES, *VESSELS, *NEEDS)
#: All answers; the position of an answer is its label.
ANSWERS = tuple(dict.fromkeys(answer for _, answers in KINDS for answer in answers))
_TOKEN = {word: token for token, word in enumerate(WORDS)}


def tokens(story, question):
    """The story (a list of sentences) and its question as a list of ROWS * LENGTH tokens."""
    free = [""] * (ROWS - 1 - len(story))
    rows = [line.split() for line in (*story, *free, question)]
    return [
        _TOKEN[word] for row in rows for word in row + [""] * (LENGTH - len(row))
    ]


def read(story) -> str:
    """The text of one story, a sentence a line, from its tokens, int64 (ROWS * LENGTH,)."""
    rows = [
        [WORDS[token] for token in row if token] for row in story.view(ROWS, -1)
    ]
    names = {*PEOPLE, *PETS, *DAYS}
    lines = [
        " ".join(
            w.capitalize() if i == 0 or w in names else w for i, w in enumerate(row)
        )
        for row in rows
    ]
    *sentences, question = [line for line in lines if line]
    return "\n".join([*(sentence + "." for sentence in sentences), question + "?"])


def questions(T=20, seed=0, stories=1000) -> list[Task]:
    """Twenty kinds of questions (or the first T of them) about tiny stories, a task each.

    stories: how many each task has for training; a fifth as many are for validation, and again for testing. In each of
    these all answers of the kind are equally frequent (their numbers differ by one at most). No story with its question
    occurs twice in a task.

    x: int64 tokens (n, ROWS * LENGTH), see `tokens`; y: labels in ANSWERS; classes: the answers of this kind. Several
    kinds share answers, so what competes should be all answers met so far: scenario "class". (In "domain" one output
    would stand for another answer in each kind.)
    Raises ValueError for T out of 1 to 20, and for fewer than 5 or more than 2,000 stories.
    """
    if not 1 <= T <= len(KINDS):
        raise ValueError(
            f"questions(T={T}): there are {len(KINDS)} kinds, so T is 1 to 20"
        )
    if not 5 <= stories <= 2000:
        raise ValueError(f"questions(stories={stories}): ask for 5 to 2,000 a task")
    seed = checks.whole("seed", seed)
    sizes = {"train": stories, "validation": stories // 5, "test": stories // 5}
    tasks = []
    for kind, answers in KINDS[:T]:
        name = kind.__name__.replace("_", " ")
        draw, seen = random.Random(f"{name} {seed}"), set()
        splits = {
            part: _split(kind, answers, n, draw, seen) for part, n in sizes.items()
        }
        classes = tuple(sorted(ANSWERS.index(answer) for answer in answers))
        tasks.append(Task(name, **splits, classes=classes))
    return tasks


def _split(kind, answers, n, draw, seen):
    """n stories of a kind that are not in `seen` yet, with its answers in equal shares, up to one story."""
    # as many of each, and what is left over to answers drawn by lot
    room = Counter(answers * (n // len(answers)))
    room.update(draw.sample(answers, n % len(answers)))
    x, y = [], []
    while len(x) < n:
        story, question, answer = kind(draw)
        text = (*story, question)
        if room[answer] and text not in seen:
            seen.add(text)
            room[answer] -= 1
            x.append(tokens(story, question))
            y.append(ANSWERS.index(answer))
    return Split(torch.tensor(x), torch.tensor(y))
