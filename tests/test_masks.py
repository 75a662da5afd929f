"""Which weights a mask keeps, by hand and against sorting; the gradient that passes a step."""

import pytest
import torch

from lllcourse import masks


def test_the_largest_of_the_candidates_by_hand():
    weight = torch.tensor([[-5.0, 1.0, 2.0], [0.0, -3.0, 9.0]])
    candidates = torch.tensor([[True, True, True], [True, True, False]])
    kept = masks.largest(weight, candidates, 0.4)  # 2 of 5; the 9 is none
    assert kept.tolist() == [[True, False, False], [False, True, False]]
    assert masks.largest(weight, candidates, 1.0).equal(candidates)
    assert not masks.largest(weight, candidates & False, 0.5).any()


@pytest.mark.parametrize("keep", [0.01, 0.3, 0.5, 0.99])
def test_the_largest_agree_with_sorting(keep):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(40, 30, generator=generator)
    candidates = torch.rand(40, 30, generator=generator) < 0.7
    n = round(keep * candidates.sum().item())
    least = weight[candidates].abs().sort(descending=True).values[n - 1]
    expected = candidates & (weight.abs() >= least)
    assert torch.equal(masks.largest(weight, candidates, keep), expected)


def test_the_gradient_passes_the_step_as_if_it_were_the_identity():
    score = torch.tensor([-1.0, 0.0, 1e-3, 2.0], requires_grad=True)
    on = masks.straight_through(score)
    assert on.tolist() == [0.0, 0.0, 1.0, 1.0]
    (on * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert score.grad.tolist() == [1.0, 2.0, 3.0, 4.0]
