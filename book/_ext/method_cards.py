"""The {method-card} and {method-cards} directives: what a method is, needs and costs, in the same box everywhere.

    ```{method-card} gem
    ```

shows the card `gem` of book/methods.yml; {method-cards} shows all of them, a heading for each family. (The name {card}
belongs to sphinx-design.) Numbers that were measured are read from the recorded results, never written down. A card of
a method of compression says what it `saves` instead of what it `stores`.
"""

import re
from statistics import mean

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

CARDS = "book/methods.yml"
ALL = "book/methods"  # the page with all of them


class MethodCard(SphinxDirective):
    required_arguments = 1

    def run(self):
        path = self.env.srcdir / CARDS
        self.env.note_dependency(str(path))
        cards = yaml.safe_load(path.read_text(encoding="utf-8"))
        name = self.arguments[0]
        if name not in cards:
            raise self.error(f"{CARDS} has no card {name!r}; it has {', '.join(cards)}")
        return [self.card(name, cards[name])]

    def card(self, name, facts):
        text = as_markdown(facts, links=self.links(facts))
        box = nodes.container(classes=["lll-card"], ids=[f"card-{name}"])
        self.state.nested_parse(StringList(text.splitlines(), CARDS), self.content_offset, box)
        return box

    def links(self, facts):
        """Markdown links to the method's chapter and to all cards, where those pages are and this is another."""
        pages = {facts["chapter"]: "chapter", ALL: "all methods"}
        pages = {f"book/{page.removeprefix('book/')}": text for page, text in pages.items()}
        there = [page for page in pages if page in self.env.found_docs and page != self.env.docname]
        return [f"{{doc}}`{pages[page]} </{page}>`" for page in there]


class MethodCards(MethodCard):
    required_arguments = 0

    def run(self):
        path = self.env.srcdir / CARDS
        self.env.note_dependency(str(path))
        families = {}
        for name, facts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            section = families.setdefault(facts["family"], self.section(facts["family"]))
            section += self.card(name, facts)
        return list(families.values())

    def section(self, title):
        section = nodes.section(ids=[nodes.make_id(title)], names=[nodes.fully_normalize_name(title)])
        section += nodes.title(title, title)
        return section


def as_markdown(facts, links=()):
    """A card as MyST Markdown. links: Markdown, that follow the name."""
    wing = "compression" if "saves" in facts else "lifelong"
    line = [f"**{facts['name']}** {{cite}}`{facts['source']}`", f"`lllcourse.{wing}.{facts['class']}`", *links]
    told = "; ".join(f"{what}: {answer}" for what, answer in facts["told"].items())
    kept = {"Saves": facts["saves"]} if "saves" in facts else {"Stores": stored(facts)}
    rows = {"Told": told, **kept, "Costs": facts["cost"], "Fails": facts["fails"]}
    if "figures" in facts:
        rows["Measured"] = (compressed if "saves" in facts else measured)(**facts["figures"])
    parts = [" · ".join(line), f"$$\n{facts['formula'].strip()}\n$$", f"```text\n{facts['pseudo'].rstrip()}\n```"]
    parts += [f"{name}\n: {text}" for name, text in rows.items()]
    return "\n\n".join(parts)


def stored(facts):
    """The bytes that a method keeps, as a formula: in the file it is one that Python reads."""
    if facts["stores"] == "0":
        return "nothing"
    formula = re.sub(r" ?\* ?", r" \\, ", facts["stores"])
    return f"${formula}$ bytes: {facts['where']}"


def measured(record, method):
    """The accuracies and bytes of a method in `record`, whose runs are {scenario: {method: {setting: facts}}}.

    In each scenario the setting with the best validation accuracy, the mean over the seeds.
    """
    # Imported here, since builds without cards need not find the package.
    from lllcourse.results import recorded

    found = recorded(record)
    runs = [{s: by[method] for s, by in run.items() if method in by} for run in found["runs"]]

    def over_seeds(scenario, setting, fact):
        return mean(run[scenario][setting][fact] for run in runs)

    best = {s: max(runs[0][s], key=lambda setting: over_seeds(s, setting, "validation")) for s in runs[0]}
    accuracies = ", ".join(f"{s} {100 * over_seeds(s, best[s], 'accuracy'):.1f}\u00a0%" for s in best)
    first = next(iter(best))
    stores = over_seeds(first, best[first], "storage")
    text = f"accuracy on five pairs of digits by scenario, mean of {len(runs)} seeds: {accuracies}"
    return f"{text}; {stores / 1000:,.0f}\u00a0kB kept" if stores else text


def compressed(record, row):
    """What a row of the running table costs, and what it knows, beside the dense network: means over the seeds."""
    from lllcourse.results import recorded

    runs = recorded(record)["runs"]

    def over_seeds(network, name, fact):
        return mean(run[network][name][fact] for run in runs)

    parts = []
    for network in (n for n, rows in runs[0].items() if row in rows):
        now, before = ({f: over_seeds(network, r, f) for f in runs[0][network]["dense"]} for r in (row, "dense"))
        parts.append(
            f"{network}: {now['nonzero']:,.0f} of {before['nonzero']:,.0f} numbers not zero, "
            f"{now['macs'] / 1000:,.0f} of {before['macs'] / 1000:,.0f} thousand MACs, "
            f"{now['bytes'] / 1000:,.1f} of {before['bytes'] / 1000:,.1f}\u00a0kB, "
            f"{100 * now['accuracy']:.1f}\u00a0% (dense {100 * before['accuracy']:.1f}\u00a0%)"
        )
    return f"{row}, mean of {len(runs)} seeds: " + "; ".join(parts)


def setup(app):
    app.add_directive("method-card", MethodCard)
    app.add_directive("method-cards", MethodCards)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
