"""Bad input gives an error that names what is wrong and what would be right, before it does any harm."""

from dataclasses import replace

import pytest
import torch

from lllcourse import tasks, training
from lllcourse.data import Split, Task
from lllcourse.lifelong import EWC, Method, ewc, learn
from lllcourse.models import MLP

from .harness import weights


def net():
    return MLP(784, 10)


def test_a_task_without_data_is_named_before_anything_is_trained():
    model, sequence = net(), tasks.permuted(2)
    sequence[1] = replace(sequence[1], train=sequence[1].train[:0])
    before = weights(model)
    with pytest.raises(ValueError, match="task 2 .'permuted 2'. has no examples in its train split"):
        learn(Method(), model, sequence)
    assert torch.equal(before, weights(model))
    sequence[1] = replace(tasks.permuted(2)[1], test=sequence[1].test[:0])
    with pytest.raises(ValueError, match="no examples in its test split"):
        learn(Method(), net(), sequence)


def test_a_label_outside_the_classes_is_named():
    pair = tasks.split()[0]
    strange = Split(pair.train.x[:1], torch.tensor([7]))
    with pytest.raises(ValueError, match="task '0/1': label 7 occurs in train, but classes is"):
        replace(pair, train=strange)
    with pytest.raises(ValueError, match="label 7 occurs in test"):
        Task("odd", pair.train, pair.validation, strange, (0, 1))


def test_tasks_of_two_shapes_are_named():
    sequence = tasks.permuted(2)
    small = Split(sequence[1].train.x[:, :100], sequence[1].train.y)
    sequence[1] = replace(sequence[1], train=small)
    with pytest.raises(ValueError, match=r"task 2 .*shape \(100,\), those of task 1 \(784,\)"):
        learn(Method(), net(), sequence)


def test_a_network_of_another_width_is_named():
    with pytest.raises(ValueError, match=r"does not take examples of shape \(784,\)"):
        learn(Method(), MLP(100, 10), tasks.permuted(2))
    with pytest.raises(ValueError, match=r"does not take examples of shape \(784,\)"):
        training.train(MLP(100, 10), tasks.permuted(1)[0].train)


class Vector(torch.nn.Module):
    """A network with one number an example, not a row."""

    def __init__(self):
        super().__init__()
        self.inner = net()

    def forward(self, x):
        return self.inner(x)[:, 0]


def test_a_network_without_rows_of_outputs_is_named():
    with pytest.raises(ValueError, match="one row of outputs an example"):
        learn(Method(), Vector(), tasks.permuted(1))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_examples_that_are_not_finite_are_named(bad):
    task = tasks.permuted(1)[0]
    x = task.train.x.clone()
    x[17, 3] = bad
    with pytest.raises(ValueError, match="x of the training split holds values that are not finite"):
        training.train(net(), Split(x, task.train.y))


def test_a_loss_that_is_not_a_number_stops_training_at_once():
    """In the very step, before the weights take any harm."""

    class Spoilt(Method):
        steps = 0

        def loss(self, model, x, y, active):
            self.steps += 1
            value = super().loss(model, x, y, active)
            return value * float("nan") if self.steps == 5 else value

    method, model = Spoilt(), net()
    with pytest.raises(training.Diverged, match="the loss is nan in step 5 of epoch 1.*smaller lr"):
        learn(method, model, tasks.permuted(1))
    assert method.steps == 5 and weights(model).isfinite().all()


def test_a_run_that_diverges_says_so():
    with pytest.raises(training.Diverged, match="try a smaller lr than 1e"):
        learn(EWC(1.0), MLP(784, 50, 50, 10), tasks.permuted(2), lr=1e20)


def test_weights_that_the_last_step_spoilt_are_not_passed_on():
    class Spoilt(Method):
        def after_step(self, model):
            next(model.parameters()).data.fill_(float("inf"))

    with pytest.raises(training.Diverged, match="last step left weights"):
        learn(Spoilt(), net(), tasks.permuted(1), epochs=1, batch_size=3500)


@pytest.mark.parametrize("name", ["importance", "anchor"])
def test_the_penalty_names_the_list_that_does_not_fit(name):
    """Without a check, a guard of shape (1,) would be stretched over the whole layer."""
    lists = {"importance": [torch.ones(3)], "anchor": [torch.zeros(3)]}
    theta = [torch.ones(3)]
    for wrong in ([torch.ones(1)], [torch.ones(3), torch.ones(3)], []):
        with pytest.raises(ValueError, match=f"{name} must hold tensors of the shapes of parameters"):
            ewc.penalty(theta, **lists | {name: wrong}, lam=1.0)
