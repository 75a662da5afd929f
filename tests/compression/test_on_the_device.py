"""Every way to make a network smaller gives on another device what it gives on the CPU, and stays there."""

import copy

import pytest
import torch

from lllcourse import training
from lllcourse.compression import distillation, footprint, hints, pruning, storage, structured, supermask, tickets
from lllcourse.compression import unseen as unseen_digit
from lllcourse.compression.adjustable import Adjustable, all_settings, measured
from lllcourse.compression.binary import binarized
from lllcourse.compression.clustering import share, without_sharing
from lllcourse.compression.exits import ExitNet, Exits, all_exits, leave, macs_to
from lllcourse.compression.low_rank import low_rank
from lllcourse.compression.multi_scale import MultiScaleNet
from lllcourse.compression.quantization import quantized
from lllcourse.compression.rounding import rounded
from lllcourse.compression.separable import separate
from lllcourse.compression.skipping import SkipNet, macs_of, priced
from lllcourse.compression.slimmable import Slimmable, all_widths
from lllcourse.compression.widening import widen
from lllcourse.data import Split
from lllcourse.models import MLP

from ..fake_device import DEVICE, fake_device
from .zoo import SMALL

Y = torch.arange(12) % 5
EXAMPLE = {"MLP": 20, "LeNet5": 256, "SmallResNet": 64}  # numbers of one


def on(x):
    """The examples and their labels, where x is."""
    return Split(x, Y.to(x.device))


def train(model, x, epochs=1):
    training.train(model, on(x), epochs=epochs, batch_size=6, lr=0.05)


def trained(model, x):
    train(model, x)
    return model


def ticket(model, x):
    *_, (_, pruned) = tickets.rounds(model, trained(copy.deepcopy(model), x), [0.5], lambda net: train(net, x))
    return tickets.restart(pruned, model)


def taught(model, x):
    student = copy.deepcopy(model)
    loss = distillation.taught(model, copy.deepcopy(model), T=2.0, weight=0.5)
    training.train(student, on(x), epochs=1, batch_size=6, lr=0.05, loss=loss)
    return student


def corrected(model, x):
    q = unseen_digit.prior(model, on(x), 2.0)
    return unseen_digit.corrected(model, unseen_digit.shift(q, q.flip(0), 2.0))


WAYS = {
    "prune": lambda model, x: trained(pruning.prune(model, 0.5), x),
    "prune, per layer": lambda model, x: pruning.prune(model, 0.5, per_layer=True),
    "prune, by given scores": lambda model, x: pruning.prune(model, 0.5, [p.abs() for p in model.parameters()]),
    "iterate": lambda model, x: pruning.iterate(model, [0.3, 0.6], lambda net: train(net, x)),
    "without_masks": lambda model, x: pruning.without_masks(pruning.prune(model, 0.5)),
    "prune_units": lambda model, x: trained(structured.prune_units(model, x, 0.5), x),
    "prune_units, by activity": lambda model, x: structured.prune_units(model, x, 0.5, structured.activity(model, x)),
    "a ticket": ticket,
    **{f"restart, {kind}": lambda m, x, kind=kind: tickets.with_weights(m, kind, seed=1) for kind in tickets.RESTARTS},
    "signed constants": lambda model, x: supermask.signed_constants(model),
    "a supermask": lambda model, x: supermask.learn_mask(model, lambda net: train(net, x)),
    "widen": lambda model, x: trained(widen(model, x, 2.0, seed=3), x),
    "widen, evenly": lambda model, x: widen(model, x, 2.0, even=True, seed=3),
    "share": lambda model, x: trained(share(pruning.prune(model, 0.5), 4), x),
    "without_sharing": lambda model, x: without_sharing(share(model, 3)),
    "quantized": lambda model, x: rounded(trained(quantized(model, 3, per_channel=True), x)),
    "binarized": lambda model, x: rounded(trained(binarized(model, scaled=True), x)),
    "low_rank": lambda model, x: trained(low_rank(model, share=0.5), x),
    "separate": lambda model, x: trained(separate(model), x),
    "slimmed, of fewer units": lambda model, x: Slimmable(model, x, (0.5, 1.0)).plain(0),
    "taught": taught,
    "corrected": corrected,
}


def twice(name):
    """A network of the course and examples for it, on the device and on the CPU."""
    model = SMALL[name]()
    x = torch.rand(12, EXAMPLE[name], generator=torch.Generator().manual_seed(0))
    return (copy.deepcopy(model).to(DEVICE), x.to(DEVICE)), (model, x)


@pytest.fixture(autouse=True)
def device():
    with fake_device():
        yield


# LeNet-5 has every kind of layer; what follows units also meets a sum of them
PAIRS = [*(("LeNet5", way) for way in WAYS), *(("SmallResNet", way) for way in WAYS if "unit" in way or "wide" in way)]


@pytest.mark.parametrize(("name", "way"), PAIRS)
def test_a_smaller_network_is_that_of_the_cpu(name, way):
    (there, x_there), (here, x) = twice(name)
    ours, theirs = WAYS[way](there, x_there), WAYS[way](here, x)
    state, expected = ours.state_dict(), theirs.state_dict()
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        assert state[name].device == DEVICE, name
        torch.testing.assert_close(state[name].cpu(), value, rtol=1e-5, atol=1e-6)
    theirs.eval(), ours.eval()
    torch.testing.assert_close(ours(x_there).cpu(), theirs(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("way", [structured.unit_norms, structured.activity])
def test_scores_of_units_are_those_of_the_cpu(name, way):
    (there, x_there), (here, x) = twice(name)
    for ours, theirs in zip(way(there, x_there), way(here, x), strict=True):
        torch.testing.assert_close(ours.cpu(), theirs)


@pytest.mark.parametrize("name", SMALL)
def test_a_footprint_is_that_of_the_cpu(name):
    ours, theirs = (footprint.footprint(m, on(x), batch_sizes=(2,)) for m, x in twice(name))
    for what in ("parameters", "nonzero", "bytes", "macs", "accuracy"):
        assert getattr(ours, what) == getattr(theirs, what)


@pytest.mark.parametrize("name", SMALL)
def test_a_file_brings_a_network_to_any_device(name, tmp_path):
    (there, x_there), (here, x) = twice(name)
    small = structured.prune_units(there, x_there, 0.5)
    storage.save(small, tmp_path / "there.pt")
    for like, examples in ((there, x_there), (here, x)):
        found = storage.load(tmp_path / "there.pt", like)
        assert {p.device for p in found.parameters()} == {examples.device}
        torch.testing.assert_close(found(examples).cpu(), small.eval()(x_there).cpu())


def test_hints_are_those_of_the_cpu():
    teacher, student = MLP(20, 12, 8, 5, seed=1), MLP(20, 6, 4, 5, seed=2)
    mapped, x = hints.Mapped(student, 4, 8, seed=3), torch.rand(12, 20)
    expected = hints.hint(teacher)(mapped, x, Y)
    loss = hints.hint(teacher.to(DEVICE))(mapped.to(DEVICE), x.to(DEVICE), Y.to(DEVICE))
    assert loss.device == DEVICE
    torch.testing.assert_close(loss.cpu(), expected)


def losses(model, loss, x):
    found = training.train(model, on(x), epochs=1, batch_size=6, lr=0.05, loss=loss)
    assert found.device == x.device
    return found.cpu()


def test_dynamic_networks_train_and_answer_as_on_the_cpu():
    (there, x_there), (here, x) = twice("LeNet5")
    pairs = [
        (Slimmable(there, x_there, (0.5, 1.0)), Slimmable(here, x, (0.5, 1.0)), all_widths),
        (
            Slimmable(there, x_there, (0.5, 1.0), switchable=False),
            Slimmable(here, x, (0.5, 1.0), switchable=False),
            all_widths,
        ),
        (MultiScaleNet(3, 2, 2, 2, image=(1, 16, 16)), MultiScaleNet(3, 2, 2, 2, image=(1, 16, 16)), all_exits),
        (ExitNet((3, 4, 5), image=(1, 16, 16)), ExitNet((3, 4, 5), image=(1, 16, 16)), all_exits),
        (SkipNet(4, 2, image=(1, 16, 16)), SkipNet(4, 2, image=(1, 16, 16)), priced(0.1)),
    ]
    for ours, theirs, loss in pairs:
        ours = ours.to(DEVICE)
        torch.testing.assert_close(losses(ours, loss, x_there), losses(theirs, loss, x))
        torch.testing.assert_close(ours.eval()(x_there).cpu(), theirs.eval()(x), rtol=1e-4, atol=1e-5)
        if isinstance(ours, SkipNet):
            decided = [net.with_gates(images)[1] for net, images in ((ours, x_there), (theirs, x))]
            assert torch.equal(macs_of(ours, x_there, decided[0]).cpu(), macs_of(theirs, x, decided[1]))
        if isinstance(ours, Exits):
            for one, other in zip(leave(ours, x_there, 0.15), leave(theirs, x, 0.15), strict=True):
                assert torch.equal(one.cpu(), other)
            paid = [macs_to(net, images)[leave(net, images, 0.15)[1]] for net, images in ((ours, x_there), (theirs, x))]
            assert torch.equal(paid[0].cpu(), paid[1])


def test_exits_and_widths_are_measured_as_on_the_cpu():
    x = torch.rand(12, 256)
    ours, theirs = (Adjustable(ExitNet((3, 4, 5), image=(1, 16, 16)), x, (0.5, 1.0)) for _ in range(2))
    ours = ours.to(DEVICE)
    torch.testing.assert_close(losses(ours, all_settings, x.to(DEVICE)), losses(theirs, all_settings, x))
    assert measured(ours, on(x)) == measured(theirs, on(x))
