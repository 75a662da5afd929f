"""Learned gates, and a controller under a budget, against brute force."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lllcourse import training
from lllcourse.compression.controller import choose, daring, fixed, frontier
from lllcourse.compression.skipping import SkipNet, macs_of, priced
from lllcourse.data import Split

from ..looking import same, state

X = torch.rand(40, 64, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) % 3


def net(seed=0):
    """A network whose gates differ from example to example."""
    model = SkipNet(6, 3, 3, image=(1, 8, 8), seed=seed)
    with torch.no_grad():
        h = model.start(X.view(-1, 1, 8, 8)).mean((2, 3))
        for gate in model.gates:
            gate.weight.mul_(20)
            gate.bias.copy_(-(h @ gate.weight[0]).median())
    return model


def test_what_is_computed_for_the_open_gates_is_what_a_full_pass_masks():
    model = net().eval()
    with torch.no_grad():
        logits, gates = model.with_gates(X)
        h = model.start(X.view(-1, 1, 8, 8))
        for k, (gate, block) in enumerate(zip(model.gates, model.blocks, strict=True)):
            g = (gate(h.mean((2, 3)))[:, 0] > 0).float()
            assert torch.equal(g, gates[:, k])
            h = torch.relu(h + g[:, None, None, None] * block(h))
        assert torch.allclose(model.answer(h), logits, atol=1e-5)
    assert 0 < gates.mean() < 1


def test_closed_gates_compute_no_block():
    model, seen = net().eval(), []
    for block in model.blocks:
        block.register_forward_hook(lambda module, inputs, output: seen.append(len(output)))
    with torch.no_grad():
        _, gates = model.with_gates(X)
        assert seen == [int(n) for n in gates.sum(0) if n]
        for gate in model.gates:
            gate.weight.zero_(), gate.bias.fill_(-1)
        seen.clear()
        logits, gates = model.with_gates(X)
    assert not seen and not gates.any()
    assert torch.allclose(logits, model.answer(model.start(X.view(-1, 1, 8, 8))))


def test_gates_start_open_and_a_price_closes_them():
    shares = []
    for price in (0.0, 5.0):
        model = SkipNet(6, 3, 3, image=(1, 8, 8))
        assert model.eval().with_gates(X)[1].mean() > 0.9
        training.train(model, Split(X, Y), epochs=6, batch_size=10, lr=0.1, loss=priced(price))
        shares.append(model.eval().with_gates(X)[1].mean().item())
    assert shares[1] == 0 < shares[0]


def test_the_price_reaches_the_gates_as_if_they_were_sigmoids():
    model, asked = net().train(), []
    model.gates[0].register_forward_hook(lambda module, inputs, output: asked.append(output.detach()[:, 0]))
    _, gates = model.with_gates(X)
    assert set(gates.flatten().tolist()) == {0.0, 1.0}
    (5.0 * gates[:, 0].sum()).backward()
    soft = asked[0].sigmoid()
    assert model.gates[0].bias.grad.item() == pytest.approx(5 * (soft * (1 - soft)).sum().item(), rel=1e-5)


def test_paths_that_are_given_are_taken():
    model = net().eval()
    with torch.no_grad():
        logits, gates = model.with_gates(X)
        assert torch.equal(model.with_gates(X, gates)[0], logits)
        none = model.with_gates(X, torch.zeros(1, 3).expand(40, -1))[0]
    assert torch.equal(none, model.answer(model.start(X.view(-1, 1, 8, 8))))


def test_an_example_pays_for_the_blocks_that_it_passes():
    model = net()
    block, rest = 2 * 9 * 6 * 6 * 4, 9 * 6 * 16 + 9 * 6 * 6 * 4 + 16 * 6 * 3 + 3 * 6
    decided = torch.tensor([[0.0, 0, 0], [1, 0, 1], [1, 1, 1]])
    assert macs_of(model, X, decided).tolist() == [rest, rest + 2 * block, rest + 3 * block]


def test_looking_at_gates_changes_nothing():
    model = net().eval()
    before = state(model)
    with torch.no_grad():
        model.with_gates(X)
    macs_of(model.train(), X, torch.ones(1, 3))
    model.eval()
    after = state(model)
    assert not [key for key in before if not same(before[key], after[key])]


def test_it_follows_from_its_seed():
    drawn = torch.get_rng_state()
    assert all(map(torch.equal, SkipNet(seed=2).parameters(), SkipNet(seed=2).parameters()))
    assert torch.equal(drawn, torch.get_rng_state())


numbers = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9)


@given(numbers, st.integers(0, 9))
def test_the_controller_takes_what_brute_force_takes(pairs, budget):
    costs, accuracies = zip(*pairs, strict=True)
    there = [k for k in range(len(pairs)) if costs[k] <= budget]
    if not there:
        with pytest.raises(ValueError, match="the cheapest setting costs"):
            choose(costs, accuracies, budget)
        return
    best = max(accuracies[k] for k in there)
    cheapest = min(costs[k] for k in there if accuracies[k] == best)
    k = choose(costs, accuracies, budget)
    assert (costs[k], accuracies[k]) == (cheapest, best)


@given(numbers)
def test_on_the_frontier_nothing_is_beaten_in_both(pairs):
    costs, accuracies = zip(*pairs, strict=True)
    kept = frontier(costs, accuracies)
    assert kept == sorted(kept, key=lambda k: costs[k])
    for k in range(len(pairs)):
        beaten = any(
            costs[j] <= costs[k] and accuracies[j] >= accuracies[k] and pairs[j] != pairs[k] for j in range(len(pairs))
        )
        assert (pairs[k] in [pairs[j] for j in kept]) == (not beaten)


def test_a_fixed_choice_has_to_pay_the_smallest_budget():
    costs, accuracies = [1, 5, 10], [0.7, 0.9, 0.95]
    assert [choose(costs, accuracies, b) for b in (20, 9, 1)] == [2, 1, 0]
    assert fixed(costs, accuracies, [20, 9, 1]) == 0 and fixed(costs, accuracies, [20, 9]) == 1


@given(numbers, st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_a_daring_choice_is_the_best_single_one_that_may_guess(pairs, budgets):
    costs, accuracies = [c for c, _ in pairs], [0.1 + a / 10 for _, a in pairs]

    def gets(k):
        return sum(accuracies[k] if costs[k] <= b else 0.1 for b in budgets)

    assert gets(daring(costs, accuracies, budgets, 0.1)) == pytest.approx(max(map(gets, range(len(pairs)))))


def test_what_the_controller_cannot_work_with_is_refused():
    with pytest.raises(ValueError, match="nothing to pay"):
        daring([1], [0.5], [], 0.1)
    with pytest.raises(ValueError, match="chance is 2"):
        daring([1], [0.5], [1], 2)
    with pytest.raises(ValueError, match="2 costs and 1 accuracies"):
        choose([1, 2], [0.5], 1)


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf")])
def test_a_price_that_cannot_be_is_refused(price):
    with pytest.raises(ValueError, match="price is"):
        priced(price)
