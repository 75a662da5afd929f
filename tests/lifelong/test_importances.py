"""Every importance on networks of every kind, against its definition, worked out one example at a time."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lllcourse.lifelong import ewc, mas, scp

from .. import zoo


def looked_at(name, seed):
    """The network, and a copy in evaluation mode all parameters of which are trained."""
    model = zoo.network(name, seed)
    return model, copy.deepcopy(model).eval().requires_grad_()


def gradients(scalar, model):
    return torch.autograd.grad(scalar, list(model.parameters()), retain_graph=True, materialize_grads=True)


def mean_over_examples(model, x, of_example):
    """The mean of what `of_example(outputs (K,), n)` returns, a list of tensors, over the examples."""
    lists = [of_example(model(x[n : n + 1])[0], n) for n in range(len(x))]
    return [sum(parts) / len(x) for parts in zip(*lists, strict=True)]


def squares_of_log_likelihood(model, x, y, masks, labels):
    def of_example(z, n):
        log_p = z.masked_fill(~masks[n], -torch.inf).log_softmax(0)
        chosen = masks[n].nonzero().flatten().tolist() if labels == "expected" else [int(y[n])]
        weights = log_p.detach().exp() if labels == "expected" else torch.ones_like(log_p)
        terms = [[weights[k] * g**2 for g in gradients(log_p[k], model)] for k in chosen]
        return [sum(parts) for parts in zip(*terms, strict=True)]

    return mean_over_examples(model, x, of_example)


def check(found, right):
    for a, b in zip(found, right, strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-6)


names, masks = st.sampled_from(list(zoo.ZOO)), st.lists(st.booleans(), min_size=3, max_size=3).filter(any)
drawn = given(name=names, seed=st.integers(0, 99), n=st.integers(1, 6), mask=masks, batch=st.integers(1, 6))
few = settings(max_examples=40, deadline=None, derandomize=True)


@few
@drawn
def test_expected_labels_on_any_network(name, seed, n, mask, batch):
    (model, plain), (x, y), mask = looked_at(name, seed), zoo.examples(name, n, seed), torch.tensor(mask)
    found = ewc.importance(model, x, active=mask, batch_size=batch)
    check(found, squares_of_log_likelihood(plain, x, y, mask.expand(n, -1), "expected"))


@few
@drawn
def test_true_labels_with_a_mask_for_each_example_on_any_network(name, seed, n, mask, batch):
    (model, plain), (x, y) = looked_at(name, seed), zoo.examples(name, n, seed)
    own = torch.tensor(mask) | (torch.arange(3) == y[:, None])
    found = ewc.importance(model, x, y, own, labels="true", batch_size=batch)
    check(found, squares_of_log_likelihood(plain, x, y, own, "true"))


@few
@drawn
def test_mas_on_any_network(name, seed, n, mask, batch):
    (model, plain), (x, _), mask = looked_at(name, seed), zoo.examples(name, n, seed), torch.tensor(mask)

    def sizes(z, n):
        return [g.abs() for g in gradients((z[mask] ** 2).sum(), plain)]

    check(mas.importance(model, x, mask, batch_size=batch), mean_over_examples(plain, x, sizes))


@few
@drawn
def test_scp_on_any_network(name, seed, n, mask, batch):
    (model, plain), (x, _), mask = looked_at(name, seed), zoo.examples(name, n, seed), torch.tensor(mask)
    squares = [[g**2 for g in gradients(z, plain)] for z in plain(x).mean(0)[mask]]
    right = [sum(parts) / mask.sum() for parts in zip(*squares, strict=True)]
    check(scp.importance(model, x, mask), right)


@pytest.mark.parametrize("name", ["dropout", "convolution"])
def test_dropout_has_no_part_in_an_importance(name):
    model, (x, y) = zoo.network(name), zoo.examples(name, 6)
    for measure in (lambda: ewc.importance(model, x, y), lambda: mas.importance(model, x)):
        for a, b in zip(measure(), measure(), strict=True):
            assert torch.equal(a, b)
