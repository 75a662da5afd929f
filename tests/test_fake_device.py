"""The fake device computes as the CPU does, and refuses what a GPU refuses."""

import pytest
import torch
from torch.func import grad, vmap

from lllcourse.models import MLP

from .fake_device import fake_device, synchronisations


@pytest.fixture(autouse=True)
def device():
    with fake_device() as device:
        yield device


def test_it_computes_as_the_cpu_does(device):
    x = torch.rand(5, 6)
    ours, theirs = MLP(6, 4, 3), MLP(6, 4, 3).to(device)
    assert {p.device for p in theirs.parameters()} == {device}
    ours(x).square().sum().backward()
    theirs(x.to(device)).square().sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert q.grad.device == device and torch.equal(p.grad, q.grad.cpu())
    square = vmap(grad(lambda v: (v**2).sum()))
    assert torch.equal(square(x), square(x.to(device)).cpu())


def test_a_new_tensor_is_where_the_other_is(device):
    new = torch.ones(2, device=device).new_tensor([3])
    assert new.device == device and torch.equal(new.cpu(), torch.tensor([3.0]))


def test_data_that_is_replaced_is_computed_with(device):
    layer = torch.nn.Linear(3, 2, bias=False).to(device)
    layer.weight.data = torch.ones(2, 3, device=device)
    assert layer(torch.ones(1, 3, device=device)).cpu().tolist() == [[3, 3]]


def test_numbers_are_formatted_and_vectors_times_matrices_keep_their_shape(device):
    a, b = torch.arange(3.0, device=device), torch.arange(6.0, device=device).view(3, 2)
    assert f"{a.sum():.2f}" == "3.00"
    assert (a @ b).shape == (2,) and (a @ b).cpu().tolist() == [10, 13]
    assert (b @ (a @ b)).cpu().tolist() == [13, 59, 105]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a, b: a + b,
        lambda a, b: a @ b.T,
        lambda a, b: torch.cat([a, b]),
        lambda a, b: a.index_select(0, torch.arange(2)),
        lambda a, b: a.gather(0, torch.zeros(1, 3, dtype=torch.long)),
        lambda a, b: b[torch.zeros(1, dtype=torch.long, device=a.device)],
        lambda a, b: torch.where(a > 0, b, a),
        lambda a, b: a.normal_(generator=torch.Generator()),
        lambda a, b: torch.randperm(3, generator=torch.Generator(), device=a.device),
    ],
)
def test_it_refuses_operands_and_generators_of_the_cpu(device, wrong):
    with pytest.raises(RuntimeError, match="fake"):
        wrong(torch.ones(2, 3, device=device), torch.ones(2, 3))


def test_it_does_not_become_an_array(device):
    with pytest.raises(TypeError, match="copy it to the CPU"):
        torch.ones(2, device=device).numpy()


def test_it_takes_from_the_cpu_what_a_gpu_takes(device):
    a = torch.arange(6.0, device=device).view(2, 3)
    assert (a * torch.tensor(2.0)).cpu().tolist() == [[0, 2, 4], [6, 8, 10]]
    assert a[torch.tensor([1])].cpu().tolist() == a[[1]].cpu().tolist() == [[3, 4, 5]]
    a[torch.tensor([0])] = 7.0
    assert a.cpu().tolist() == [[7, 7, 7], [3, 4, 5]]


def test_it_counts_what_would_make_the_cpu_wait(device):
    a = torch.ones(3, device=device)
    synchronisations.clear()
    a = a + 1
    assert not synchronisations
    assert a.sum().item() == 6.0 and a.cpu().tolist() == [2, 2, 2]
    assert len(synchronisations) == 2
