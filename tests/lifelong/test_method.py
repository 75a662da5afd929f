"""The protocol and its loop: what R holds, joint training, one model per task, storage, and errors."""

import pytest
import torch

from lllcourse import metrics, tasks, training
from lllcourse.data import concatenate
from lllcourse.lifelong import EWC, Method, learn, separate
from lllcourse.models import MLP

from .harness import short, weights


def net(seed=0):
    return MLP(784, 20, 10, seed=seed)


def test_R_holds_every_task_at_every_moment():
    sequence, model = tasks.permuted(3), net()
    start = [training.evaluate(net(), task.test) for task in sequence]
    learned = learn(Method(), model, sequence, epochs=1)
    assert learned.R.shape == (4, 3)
    assert learned.R[0].tolist() == pytest.approx(start)
    assert learned.R[3].tolist() == pytest.approx([training.evaluate(model, task.test) for task in sequence])
    assert learned.model is model


def test_fine_tuning_is_training_on_one_task_after_another():
    sequence, ours, plain = tasks.permuted(2), net(), net()
    learn(Method(), ours, sequence, epochs=1, seed=4)
    for i, task in enumerate(sequence, 1):
        training.train(plain, task.train, epochs=1, seed=4000 + i)
    assert torch.equal(weights(ours), weights(plain))


def test_the_same_seed_gives_the_same_table():
    runs = [learn(Method(), net(), tasks.split(), epochs=1, seed=seed).R for seed in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_measuring_on_validation_looks_at_no_test_image():
    sequence = tasks.permuted(2)
    validation = learn(Method(), net(), sequence, epochs=1, on="validation")
    last = [training.evaluate(validation.model, task.validation) for task in sequence]
    assert validation.R[2].tolist() == pytest.approx(last)


def test_joint_training_trains_on_all_data_so_far():
    sequence, ours, plain = tasks.permuted(2), net(), net()
    learned = learn(Method(), ours, sequence, joint=True, epochs=1)
    training.train(plain, sequence[0].train, epochs=1, seed=1)
    training.train(plain, concatenate(task.train for task in sequence), epochs=1, seed=2)
    assert torch.equal(weights(ours), weights(plain))
    assert learned.storage == 3500 * (784 * 4 + 8)


@pytest.mark.prove
@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
def test_joint_training_bounds_fine_tuning_from_above_in_every_scenario(scenario):
    for seed in range(3):
        fine_tuned, joint = (
            learn(
                Method(),
                net(seed),
                tasks.split(),
                scenario=scenario,
                joint=j,
                epochs=3,
                seed=seed,
            ).R
            for j in (False, True)
        )
        assert metrics.accuracy(joint) > metrics.accuracy(fine_tuned)
        assert metrics.accuracy(joint) > 0.8


def test_class_incremental_fine_tuning_keeps_only_the_last_pair():
    R = learn(Method(), net(), tasks.split(), scenario="class", epochs=3).R
    assert R[5, 4] > 0.9 and R[5, :4].max() < 0.1


def test_the_curve_starts_before_training_and_ends_with_R():
    learned = learn(
        Method(),
        net(),
        tasks.permuted(2),
        epochs=1,
        every=40,
        watch=lambda m: weights(m).norm().item(),
    )
    assert learned.steps.tolist() == [0, 40, 80, 110, 120, 160, 200, 220]
    assert torch.equal(learned.curve[0], learned.R[0]) and torch.equal(learned.curve[-1], learned.R[2])
    assert torch.equal(learned.curve[3], learned.R[1])
    assert len(learned.watched) == len(learned.steps)


def test_watching_changes_nothing():
    plain, watched = (learn(Method(), net(), tasks.permuted(2), epochs=1, every=every) for every in (None, 10))
    assert torch.equal(weights(plain.model), weights(watched.model))


def test_the_examples_of_each_training_are_counted():
    sequence = short(3)  # of 1,000 images each
    assert learn(Method(), net(), sequence, epochs=2).examples == [2000, 2000, 2000]
    assert learn(Method(), net(), sequence, epochs=2, joint=True).examples == [2000, 4000, 6000]
    assert separate(net, sequence, epochs=2).examples == [2000, 2000, 2000]


def test_time_is_counted_for_each_task():
    learned = learn(Method(), net(), tasks.permuted(3), epochs=1)
    assert len(learned.seconds) == len(learned.cpu_seconds) == 3
    assert all(s > 0 for s in learned.seconds)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"scenario": "online"}, "'online'"),
        ({"on": "train"}, "one of 'test', 'validation'"),
        ({"every": 0}, "every is 0"),
        ({"optimizer": "rmsprop"}, "rmsprop"),
        ({"lr": -1.0}, "lr is -1.0"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        learn(Method(), net(), tasks.permuted(2), **settings)


@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
def test_a_method_is_told_the_task_in_the_task_incremental_scenario_only(scenario):
    class Listening(Method):
        heard = ()

        def loss(self, model, x, y, active):
            self.heard += (("train", self.asked),)
            return super().loss(model, x, y, active)

        def predict(self, model, x, active):
            self.heard += (("ask", self.asked),)
            return super().predict(model, x, active)

    method = Listening()
    few = {"epochs": 1, "batch_size": 1000, "every": 1}
    learn(method, net(), tasks.split()[:2], scenario=scenario, **few)
    expected = [("ask", 1), ("ask", 2)]  # row 0
    for i in (1, 2):  # one step each, and a look at both tasks after it
        expected += [("train", i), ("ask", 1), ("ask", 2), ("ask", 1), ("ask", 2)]
    if scenario != "task":
        expected = [(moment, None) for moment, _ in expected]
    assert list(method.heard) == expected


def test_a_method_refuses_a_scenario_in_which_it_is_not_defined():
    class Told(Method):
        scenarios = ("task",)

    with pytest.raises(ValueError, match="Told works with scenario 'task', not 'class'"):
        learn(Told(), net(), tasks.split(), scenario="class")


def test_no_tasks_and_too_few_outputs_are_named():
    with pytest.raises(ValueError, match="at least one task"):
        learn(Method(), net(), [])
    with pytest.raises(ValueError, match="give it at least 10"):
        learn(Method(), MLP(784, 4), tasks.permuted(2))


def test_a_method_serves_one_model_only():
    method, model = EWC(1.0), net()
    learn(method, model, tasks.permuted(2), epochs=1)
    learn(method, model, tasks.permuted(2)[1:], epochs=1)  # going on with the same network is life-long learning
    with pytest.raises(ValueError, match="make a new one for this run"):
        learn(method, net(), tasks.permuted(2), epochs=1)
