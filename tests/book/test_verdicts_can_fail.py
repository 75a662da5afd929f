"""A page whose verdict cannot fail proves nothing: break a method on purpose, and its chapter has to notice."""

import os
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from lllcourse.notebook import CLAIM_TYPE

from .. import proofs

ROOT = Path(__file__).parents[2]


@dataclass
class Break:
    """One way to break a chapter.

    rows: whose verdicts must become worse. code: runs before the chapter. cells: those that the verdicts are computed
    from; all up to the exercises if not given. settings: runs after the parameters, mostly to save time. nothing: no
    part of the verdicts may be left to hold. proof: only `make prove` runs it; each chapter has one that is none.
    """

    chapter: str
    rows: set
    code: str = ""
    cells: str = ""
    settings: str = ""
    nothing: bool = False
    proof: bool = False

    @property
    def path(self):
        return next((ROOT / "book").glob(f"*/{self.chapter}.ipynb")).relative_to(ROOT).as_posix()

    def notebook(self):
        """The chapter, or the cells of it that are needed, after breaking it."""
        notebook = nbformat.read(ROOT / self.path, as_version=4)
        by_id = {cell.id: cell for cell in notebook.cells}
        by_id["parameters"].source += f"\n{self.settings}"
        titles = [cell.source.startswith("## Exercises") for cell in notebook.cells]
        cells = [by_id[i] for i in self.cells.split()] or notebook.cells[: titles.index(True)]
        notebook.cells = [nbformat.v4.new_code_cell(self.code), *cells]
        return notebook

    def rests_on(self):
        cells = [cell.source for cell in self.notebook().cells if cell.cell_type == "code"]
        return proofs.rests_on(self.path, *cells, str(sorted(self.rows)), str(self.nothing))


LAMBDA_IS_0 = """
from lllcourse.lifelong import anchored
original = anchored.Anchored.__init__
def broken(self, lam):
    original(self, 0.0)
anchored.Anchored.__init__ = broken
"""
# Chapter 04 with one epoch and few images, and its cells from the sweep of lambda on.
IN_SHORT = "epochs, lllcourse.scale = 1, 'smoke'"
FROM_LAMBDA_ON = "l19-frozen l19-claim l19-box l21-tenths l21-claim l21-box l22-l2 l22-tradeoff l22-judge l22-claim"

LEAST_SURE = """
from lllcourse.compression import exits
exits.sure = lambda logits: 1 - logits.softmax(1).amax(1)
"""

# What several breaks of a chapter run: of chapter 01 the two examples, of 03 what transfer is computed from, and 05.
NOISY = "parameters picture ex1-define l3-loop l3-by-hand l3-run l3-claim l4-run l4-bars l4-claim"
KINDS = "parameters ex2-stories ex2-sequence l5-curve l5-claim l6-run l6-bars l6-claim"
MEASURES = "parameters picture tasks l23-five shuffled inputs l23-live l23-claim"
TRANSFER = "run scenario-run scenario-table l13-runs l14-run l14-figure"

BREAKS = {
    "transfer: the second task has nothing in common with the first": Break(
        "02_bounds",
        {"L9", "L10"},
        """
from lllcourse import tasks
tasks.rotated = lambda angles, permuted=tasks.permuted: permuted(2, seed=0)
""",
        "parameters picture l8-run l9-storage l9-few l9-transfer l9-transfer-run l9-figure l9-leads l9-claim l10-run "
        "l10-watch l10-verdict",
        "T, again = 1, 20",
    ),
    "joint training: it sees the new task only": Break(
        "02_bounds",
        {"L8"},
        """
from lllcourse.lifelong.recorder import Recorder
Recorder.all_so_far = lambda self, i: (self.tasks[i - 1].train, self.active(i, i))
""",
        "parameters picture l8-run l8-accuracy l8-verdict",
        "epochs = 2",
        proof=True,
    ),
    "Example 1: without the noise": Break(
        "01_catastrophic_forgetting",
        {"L3", "L4"},
        """
from lllcourse import tasks
original = tasks.noisy_then_clean
tasks.noisy_then_clean = lambda seed=0, noise=0.2: original(seed, 0)
""",
        NOISY,
        "epochs = 3",
    ),
    "Example 1: nothing is forgotten": Break(
        "01_catastrophic_forgetting",
        {"L3", "L4"},
        """
from lllcourse import lifelong
original = lifelong.learn
lifelong.learn = lambda *run, **how: original(*run, **how, joint=True)
""",
        NOISY,
        proof=True,
    ),
    "Example 2: every kind comes with the stories of all": Break(
        "01_catastrophic_forgetting",
        {"L5", "L6"},
        """
from dataclasses import replace
import torch
from lllcourse.data import concatenate
from lllcourse.tasks import stories
original = stories.questions
def broken(T, seed, stories):
    kinds = original(T, seed, stories)
    everything, n = concatenate(kind.train for kind in kinds), len(kinds[0].train)
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(0)).split(n)
    classes = tuple(sorted({k for kind in kinds for k in kind.classes}))
    return [replace(kind, train=everything[o], classes=classes) for kind, o in zip(kinds, order)]
stories.questions = broken
""",
        KINDS,
        proof=True,
    ),
    "Example 2: the network is shown the question alone": Break(
        "01_catastrophic_forgetting",
        {"L5", "L6"},
        """
from lllcourse.models import Reader
original = Reader.forward
def broken(self, x):
    x = x.clone()
    x[:, : -self.length] = 0
    return original(self, x)
Reader.forward = broken
""",
        KINDS,
        proof=True,
    ),
    "evaluation: nothing is learned": Break(
        "03_evaluation",
        {"L12", "L13", "L14", "L15"},
        cells=f"parameters picture {TRANSFER} l12-claim l13-claim l14-claim l15-figure l15-claim",
        settings="epochs = 0",
    ),
    "evaluation: rotated digits are permuted": Break(
        "03_evaluation",
        {"L12", "L15"},
        """
from lllcourse import tasks
tasks.rotated = lambda angles: tasks.permuted(len(angles))
""",
        f"parameters picture {TRANSFER} l12-claim l15-figure l15-claim",
        "epochs = 1",
        proof=True,
    ),
    "evaluation: lambda is 0": Break(
        "03_evaluation",
        {"L13"},
        LAMBDA_IS_0,
        "parameters picture run l13-runs l13-claim",
        proof=True,
    ),
    "evaluation: fine-tuning keeps the old data": Break(
        "03_evaluation",
        {"L14"},
        """
from lllcourse import lifelong
original = lifelong.learn
lifelong.learn = lambda *args, **settings: original(*args, joint=True, **settings)
""",
        f"parameters picture {TRANSFER} l14-claim",
        "epochs = 1",
        proof=True,
    ),
    "evaluation: forward transfer leaves out row 0": Break(
        "03_evaluation",
        {"L15"},
        """
from lllcourse import metrics
metrics.forward_transfer = lambda R: R[1:-1].diagonal(1).mean().item()
""",
        f"parameters picture {TRANSFER} l15-figure l15-claim",
        "epochs = 1",
        proof=True,
    ),
    "EWC: lambda is 0": Break(
        "04_selective_synaptic_plasticity",
        {"L17", "L19", "L21", "L22"},
        LAMBDA_IS_0,
        f"parameters picture run live walks l17-claim l20-importance l20-check {FROM_LAMBDA_ON}",
        IN_SHORT,
    ),
    "EWC: importance is zeroed": Break(
        "04_selective_synaptic_plasticity",
        {"L17", "L19", "L20", "L21", "L22"},
        """
import torch
from lllcourse.lifelong import ewc
ewc.importance = lambda model, *args, **settings: [torch.zeros_like(p) for p in model.parameters()]
""",
        "parameters picture run live walks l17-claim l20-importance l20-check l20-differences l20-claim "
        f"{FROM_LAMBDA_ON}",
        IN_SHORT,
        proof=True,
    ),
    "five measures of importance: lambda is 0": Break(
        "05_importance",
        {"L23"},
        LAMBDA_IS_0,
        MEASURES,
        "epochs = 3",
    ),
    "synaptic intelligence: the memory of where a weight was is an alias": Break(
        "05_importance",
        {"L23"},
        """
from lllcourse.lifelong import SI
original = SI.before_task
def broken(self, model, task):
    original(self, model, task)
    self.here = [theta.detach() for theta in model.parameters()]
SI.before_task = broken
""",
        MEASURES,
        "epochs = 3",
        proof=True,
    ),
    "GEM: no projection": Break(
        "06_gradient_episodic_memory",
        {"L26"},
        """
from lllcourse.lifelong import gem
gem.project = lambda g, G, margin=0.0: g
""",
        "parameters picture watched run live-gem live-others accuracies claim",
        "epochs = 1",
    ),
    "progressive networks: old columns are trained on": Break(
        "07_neural_resource_allocation",
        {"L27"},
        """
from lllcourse.lifelong import Method, Progressive
grow = Progressive.before_task
def broken(self, model, task):
    grow(self, model, task)
    model.requires_grad_(True)
Progressive.before_task = broken
def trains_all(self, model, x, y, active):
    return sum(Method.loss(self, lambda x, k=k: model(x, k + 1), x, y, active) for k in range(len(model.columns)))
Progressive.loss = trains_all
""",
        "parameters picture calm tasks l27-run l27-same l27-bounds l27-kept",
        "images, epochs = 1000, 3",
        proof=True,
    ),
    "progressive networks: no lateral connections": Break(
        "07_neural_resource_allocation",
        {"L27"},
        """
from lllcourse.lifelong import progressive
progressive.layer_with_laterals = lambda layer, h, adapters, old: layer(h)
""",
        "parameters picture l27-kinds l27-rivals l27-control l27-few l27-carried",
    ),
    "PackNet and CPG: old weights are trained on": Break(
        "07_neural_resource_allocation",
        {"L28"},
        """
from lllcourse.lifelong import Method, PackNet
PackNet.after_gradient, PackNet.after_step = Method.after_gradient, Method.after_step
""",
        "parameters picture calm tasks l27-count l27-run l27-same l27-bounds l27-kept l28-run cpg-run l28-claim",
        proof=True,
    ),
    "generative replay: an untrained generator": Break(
        "08_memory_replay",
        {"L29"},
        cells="parameters picture learn-split generative-kept weighed stored l29-claim",
        settings="steps = 0",
    ),
    "iCaRL: the farthest mean answers": Break(
        "09_new_classes",
        {"L30"},
        """
import torch
from lllcourse.lifelong import icarl
icarl.nearest = lambda features, means: torch.cdist(features, means).argmax(1)
""",
        "parameters picture growing run icarl-run closed l30-claim",
        "epochs = 2",
    ),
    "the table: replay and EWC do nothing": Break(
        "09_new_classes",
        {"L31"},
        """
from lllcourse.lifelong import EWC, Method, Replay
Replay.loss, EWC.after_step = Method.loss, Method.after_step
""",
        "parameters picture growing run icarl-run closed scenarios-figure live live-table l31-verdict",
        "epochs = 2",
        proof=True,
    ),
    "Example 1: more noise": Break(
        "10_curriculum_learning",
        {"L32"},
        """
from lllcourse import tasks
original = tasks.noisy_then_clean
tasks.noisy_then_clean = lambda seed=0, noise=0.2: original(seed, 0.7)
""",
        "parameters picture two-tasks l32-run l32-table l32-claim",
        "adam_epochs = 3",
        proof=True,
    ),
    "orders: all tasks are alike": Break(
        "10_curriculum_learning",
        {"L24"},
        """
from lllcourse import tasks
original = tasks.rotated
tasks.rotated = lambda angles: original([0] * len(angles))
""",
        "parameters picture tasks l24-ends l24-run l24-claim",
        "sgd_epochs = 1",
    ),
    "orders: the worst one is searched for": Break(
        "10_curriculum_learning",
        {"L32"},
        """
from lllcourse import lifelong
original = lifelong.best_order
lifelong.best_order = lambda W, fade=0.5: original(-W, fade)
""",
        "parameters picture tasks l32-alone l32-fades l32-live l32-search-claim",
        "sgd_epochs = 1",
        nothing=True,
        proof=True,
    ),
    "pruning: the mask is inverted": Break(
        "12_pruning",
        {"C3"},
        """
from lllcourse import masks
original = masks.largest
masks.largest = lambda weight, candidates, keep: candidates & ~original(weight, candidates, 1 - keep)
""",
        "parameters picture train layers-table c3-claim",
        "epochs = 3",
    ),
    "pruning: nothing is trained between the steps": Break(
        "12_pruning",
        {"C4"},
        """
from lllcourse.compression import pruning
original = pruning.iterate
pruning.iterate = lambda model, sparsities, fine_tune: original(model, sparsities[-1:], fine_tune)
""",
        "parameters picture train run-iterate c4-claim",
        proof=True,
    ),
    "pruning: units stay where they are": Break(
        "12_pruning",
        {"C6"},
        """
import copy
from lllcourse.compression import structured
structured.prune_units = lambda model, x, keep: copy.deepcopy(model)
""",
        "parameters picture train forms forms-table card-table c6-judge c6-claim",
        "epochs = 1",
        proof=True,
    ),
    "tickets: the initial weights are shuffled": Break(
        "13_lottery_tickets",
        {"C8"},
        """
import torch
from lllcourse.compression import tickets
generator = torch.Generator().manual_seed(0)
def shuffled(old, new):  # anew in every round: to one fixed shuffle the next mask would adapt
    return old.flatten()[torch.randperm(old.numel(), generator=generator)].view_as(old)
tickets.RESTARTS["ticket"] = shuffled
""",
        "parameters picture small-run ticket-run random-run ticket-picture ticket-scores ticket-claim",
    ),
    "rethinking: new weights are all zero": Break(
        "13_lottery_tickets",
        {"C11"},
        """
import torch
from lllcourse import models
class Small(models.MLP):
    def __init__(self, *sizes, seed=0):
        super().__init__(*sizes, seed=seed)
        if 16 in sizes:
            with torch.no_grad():
                for p in self.parameters():
                    p.zero_()
models.MLP = Small
""",
        "parameters picture small-run widen-run ways-run ticket-run random-run ticket-picture ticket-scores longer-run "
        "rethink-table rethink-claim",
        "epochs = 2",
        proof=True,
    ),
    "distillation: soft labels are hardened": Break(
        "14_knowledge_distillation",
        {"C12", "C13"},
        """
from torch.nn import functional as F
from lllcourse.compression import distillation
distillation.distillation = lambda z, v, T: F.cross_entropy(z, v.argmax(1))
""",
        "parameters picture teacher few new-student hundred hundred-table c12-claim never fix never-table c13-claim",
    ),
    "distillation: only one of the ensemble is asked": Break(
        "14_knowledge_distillation",
        {"C14"},
        """
from lllcourse.compression import distillation
original = distillation.taught
distillation.taught = lambda one, *others, T=4.0, weight=1.0, in_turn=False: original(one, T=T, weight=weight)
""",
        "parameters picture teacher few new-student hundred averages many many-table c14-claim",
        proof=True,
    ),
    "distillation: the bias is not corrected": Break(
        "14_knowledge_distillation",
        {"C13"},
        """
from lllcourse.compression import unseen
unseen.shift = lambda q, r, T: 1e-9 * (r / q).log()
""",
        "parameters picture teacher few new-student hundred never fix never-table c13-claim",
        "epochs[100] = 1",
        proof=True,
    ),
    "weight sharing: the indices are drawn at random": Break(
        "16_weight_sharing_and_coding",
        {"C17", "C18"},
        """
import torch
from lllcourse.compression import clustering
generator = torch.Generator().manual_seed(0)
clustering.nearest = lambda values, centres: torch.randint(len(centres), values.shape, generator=generator)
""",
        "parameters picture dense tune clusters-table c17-claim prune-share then-share file file-facts ratio-judge "
        "ratio-claim",
        "epochs, last, tuning = 3, 1, 1",
    ),
    "coding: the frequent symbols get the long codes": Break(
        "16_weight_sharing_and_coding",
        {"C18"},
        """
from lllcourse.compression import huffman
original = huffman.lengths
def broken(counts):
    bits = original(counts)
    rare_first = sorted(bits, key=bits.get, reverse=True)
    return dict(zip(rare_first, sorted(bits.values())))
huffman.lengths = broken
""",
        "parameters picture dense tune prune-share then-share bits bits-table entropy-claim",
        "epochs, last, tuning = 2, 1, 1",
        proof=True,
    ),
    "low rank: the largest singular values are dropped": Break(
        "17_architecture_design",
        {"C22"},
        """
import torch
from lllcourse.compression import low_rank
def broken(W, K):
    left, values, right = torch.linalg.svd(W, full_matrices=False)
    size = values[-K:].sqrt()
    return left[:, -K:] * size, size[:, None] * right[-K:]
low_rank.factors = broken
""",
        "parameters picture dense cut ranks tenth tenth-claim",
        "epochs, longer = 3, 0",
    ),
    "blocks: depthwise convolutions are not in groups": Break(
        "17_architecture_design",
        {"C23"},
        """
from lllcourse.compression import blocks
original = blocks.conv
blocks.conv = lambda inputs, outputs, k=1, groups=1, act=True: original(inputs, outputs, k, 1, act)
""",
        "parameters picture equal-run equal-table equal-claim",
        "block_epochs, calm = 1, 0",
        proof=True,
    ),
    "early exits: the images that are least sure leave first": Break(
        "18_dynamic_computation",
        {"C27"},
        LEAST_SURE,
        "parameters picture costs train helpers leave quarter-claim random random-claim",
        "epochs['exits'] = 2",
    ),
    "early exits: the images that are least sure leave first, after the whole training": Break(
        "18_dynamic_computation",
        {"C25", "C27"},
        LEAST_SURE,
        "parameters picture costs train helpers leave quarter-claim random random-claim",
        proof=True,
    ),
    "slimmable: all widths share one batch norm": Break(
        "18_dynamic_computation",
        {"C26"},
        """
from lllcourse.compression.slimmable import Slimmable
original = Slimmable.__init__
def broken(self, model, x, widths):
    original(self, model, x, widths, switchable=False)
Slimmable.__init__ = broken
""",
        "parameters picture costs train slim widths-table width-claim norm-claim",
        "epochs['exits'] = 1",
        proof=True,
    ),
    "controller: it takes the cheapest setting": Break(
        "18_dynamic_computation",
        {"C24"},
        """
from lllcourse.compression import controller
controller.choose = lambda costs, accuracies, budget: min(range(len(costs)), key=costs.__getitem__)
""",
        "parameters picture costs train helpers both control fixed control-claim",
        "epochs['exits'] = 1",
        proof=True,
    ),
    "a memory of few bits: what is unpacked is black": Break(
        "19_conclusion",
        {"C28"},
        """
import torch
from lllcourse.lifelong import quantized_replay
quantized_replay.values = lambda codes, bits, dtype=torch.float32: (bits > 1) * codes.to(dtype) / (2**bits - 1)
""",
        "parameters picture pairs imports few-run few-picture few-table few-claim",
        "epochs = 0",
    ),
    "a budget in bytes: the weights that are kept are drawn by lot": Break(
        "19_conclusion",
        {"C28"},
        """
import torch
from lllcourse.compression import budget, pruning
def broken(model, sparsity):
    draw = torch.Generator().manual_seed(0)
    return pruning.prune(model, sparsity, [torch.rand(p.shape, generator=draw) for p in model.parameters()])
budget.prune = broken
""",
        "parameters picture teacher direct student stages stages-claim",
        proof=True,
    ),
    "quantisation: zero is met by the code beside it, and no gradient passes": Break(
        "15_quantization",
        {"C16"},
        """
from lllcourse.compression import quantization
quantization.dequantize = lambda codes, scale, zero_point: scale * (codes - zero_point + 1)
quantization.straight_through = lambda value, w, passed=1: value.detach() + 0 * w
""",
        "parameters picture train ptq-table ptq-claim qat qat-claim",
    ),
    "binary: no gradient passes through the sign": Break(
        "15_quantization",
        {"C19"},
        """
from lllcourse.compression import binary
binary.straight_through = lambda value, w, passed=1: value.detach() + 0 * w
""",
        "parameters picture mlp binary-run binary-table c19-claim",
        proof=True,
    ),
}


def verdicts(notebook):
    """The parts of the verdicts in an executed notebook, each a dictionary, by row and statement."""
    facts = [
        output.data[CLAIM_TYPE]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if CLAIM_TYPE in output.get("data", {})
    ]
    return {(one["row"], one["statement"]): one["parts"] for one in facts}


def run_broken(how):
    """The verdicts that come out of the broken chapter."""
    notebook = how.notebook()
    environment = os.environ | {"LLLCOURSE_SCALE": "laptop", "OMP_NUM_THREADS": "1"}
    NotebookClient(notebook, timeout=600, allow_errors=not how.cells, kernel_name="python3").execute(env=environment)
    return verdicts(notebook)


def parameter(name, how):
    return pytest.param(name, marks=[pytest.mark.prove(on=how.rests_on)] if how.proof else [])


@pytest.mark.parametrize("name", [parameter(*one) for one in BREAKS.items()])
def test_a_broken_method_changes_the_verdicts_of_its_chapter(name):
    how = BREAKS[name]
    intact = verdicts(nbformat.read(ROOT / "_build/executed" / how.path, as_version=4))
    after = run_broken(how)

    def share(parts):
        return sum(parts.values()) / len(parts)

    # Of a cell that fails, there is no verdict. Where cells are named, these have to run.
    assert {row for row, _ in after} >= (how.rows if how.cells else set())
    for key, parts in after.items():
        if key[0] in how.rows:
            assert share(parts) < share(intact[key]), f"{key} holds as before"
            assert not how.nothing or not any(parts.values()), f"{key} holds in part"


def test_every_chapter_that_is_broken_at_all_is_broken_in_each_test():
    assert {how.chapter for how in BREAKS.values()} == {how.chapter for how in BREAKS.values() if not how.proof}
