"""What only looks at a network leaves it as it was: weights, gradients, statistics and modes; nor does it draw."""

import pytest
import torch

from lllcourse import figures, training
from lllcourse.compression import distillation, footprint, pruning, structured, supermask, tickets, unseen, widening
from lllcourse.data import Split, Task
from lllcourse.lifelong import ewc, gem, icarl, learn, mas, scp
from lllcourse.per_sample import summed_gradients

from .lifelong.harness import METHODS
from .looking import Net, same, state

DRAW = torch.Generator().manual_seed(0)
X, Y = torch.rand(20, 6, generator=DRAW), torch.arange(20) % 3


def plane(net):
    at = figures.position(net)
    draw = torch.Generator().manual_seed(1)
    corners = (at + torch.randn(len(at), generator=draw) for _ in range(2))
    figures.Plane.through(at, *corners).loss(net, Split(X, Y), torch.zeros(1), torch.zeros(1))


LOOKS = {
    "predict": lambda net: training.predict(net, X),
    "evaluate": lambda net: training.evaluate(net, Split(X, Y)),
    "count_outputs": lambda net: training.count_outputs(net, X),
    "summed_gradients": lambda net: summed_gradients(net, X, lambda outputs: [outputs]),
    **{
        f"the Fisher information, {labels}": lambda net, labels=labels: ewc.importance(net, X, Y, labels=labels)
        for labels in ewc.LABELS
    },
    "mas.importance": lambda net: mas.importance(net, X),
    "scp.importance": lambda net: scp.importance(net, X),
    "gem.gradient": lambda net: gem.gradient(net, X, Y),
    "icarl.phi": lambda net: icarl.phi(net, X),
    "footprint": lambda net: footprint.footprint(net, Split(X, Y), batch_sizes=(2,)),
    "unit_norms": lambda net: structured.unit_norms(net, X),
    "activity": lambda net: structured.activity(net, X),
    "unseen.prior": lambda net: unseen.prior(net, Split(X, Y), 2.0),
    "a teacher's answers": lambda net: distillation.ask(net, X),
    # what makes a new network only looks at the old one
    "prune": lambda net: pruning.prune(net, 0.5),
    "prune_units": lambda net: structured.prune_units(net, X, 0.5),
    "restart": lambda net: tickets.restart(pruning.prune(net, 0.5), net, "random"),
    "signed_constants": supermask.signed_constants,
    "learn_mask": lambda net: supermask.learn_mask(net, lambda new: training.train(new, Split(X, Y), epochs=1)),
    "widen": lambda net: widening.widen(net, X, 2),
    "position": figures.position,
    "Plane.loss": plane,
}


@pytest.mark.parametrize("name", LOOKS)
def test_looking_changes_nothing(name):
    net = Net()
    net(X).sum().backward()
    before = state(net)
    LOOKS[name](net)
    after = state(net)
    assert not [key for key in before if not same(before[key], after[key])]


ON_ANY_NETWORK = [name for name, make in METHODS.items() if "domain" in make().scenarios]


@pytest.mark.parametrize("name", ON_ANY_NETWORK)
def test_a_run_without_an_epoch_changes_nothing_but_the_mode(name):
    net, tasks = Net(), [Task(str(t), *3 * [Split(X, Y)], classes=range(3)) for t in (1, 2)]
    before = state(net)
    learn(METHODS[name](), net, tasks, epochs=0)
    after = state(net)
    assert not [key for key in before if key != "modes" and not same(before[key], after[key])]
