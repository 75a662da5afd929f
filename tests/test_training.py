"""Training and evaluating on one split: against a plain loop, per seed, and on any device."""

import pytest
import torch
from torch.nn import functional as F

from lllcourse import training
from lllcourse.data import Split, digits
from lllcourse.figures import position as weights
from lllcourse.models import MLP

ALL = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def small():
    return digits().train[:256]


@pytest.mark.parametrize("name", ALL)
def test_training_is_the_plain_loop_that_one_would_write(name):
    split, ours, theirs = small(), MLP(784, 20, 10), MLP(784, 20, 10)
    training.train(ours, split, epochs=2, batch_size=32, lr=0.01, seed=3, optimizer=name)
    optimizer, generator = (
        ALL[name](theirs.parameters(), lr=0.01),
        torch.Generator().manual_seed(3),
    )
    for _ in range(2):
        order = torch.randperm(len(split), generator=generator)
        for start in range(0, len(split), 32):
            batch = order[start : start + 32]
            optimizer.zero_grad()
            F.cross_entropy(theirs(split.x[batch]), split.y[batch]).backward()
            optimizer.step()
    assert torch.equal(weights(ours), weights(theirs))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    runs = []
    for seed in (0, 0, 1):
        model = MLP(784, 20, 10, seed=0)
        training.train(model, small(), epochs=1, seed=seed)
        runs.append(weights(model))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_nothing_touches_the_global_random_state():
    state = torch.get_rng_state()
    training.train(MLP(784, 20, 10, seed=5), small(), epochs=1, seed=7)
    assert torch.equal(state, torch.get_rng_state())


def test_the_seed_of_a_network_decides_its_weights():
    assert torch.equal(weights(MLP(784, 20, 10, seed=1)), weights(MLP(784, 20, 10, seed=1)))
    assert not torch.equal(weights(MLP(784, 20, 10, seed=1)), weights(MLP(784, 20, 10, seed=2)))
    with pytest.raises(ValueError, match="width of the input and of the output"):
        MLP(784)


def test_the_returned_loss_is_the_mean_over_the_examples_and_falls():
    model, split = MLP(784, 20, 10), small()
    before = training.cross_entropy(model, split.x, split.y).item()
    losses = training.train(model, split, epochs=5, batch_size=100)  # the last batch is smaller
    assert losses.shape == (5,) and losses[0] < before and losses[-1] < losses[0]


def test_inactive_outputs_get_no_probability_and_no_gradient():
    model, x = MLP(784, 10), digits().test.x[:50]
    active = torch.zeros(10, dtype=torch.bool)
    active[[2, 3]] = True
    assert set(training.predict(model, x, active).tolist()) <= {2, 3}
    training.cross_entropy(model, x, torch.full((50,), 2), active).backward()
    assert model.layers[0].weight.grad[~active].abs().max() == 0
    assert model.layers[0].weight.grad[active].abs().max() > 0


def test_a_mask_for_each_example_is_the_mask_of_its_row():
    model, x = MLP(784, 10), digits().test.x[:4]
    y = torch.tensor([0, 1, 8, 9])
    masks = torch.zeros(4, 10, dtype=torch.bool)
    masks[:2, :2] = masks[2:, 8:] = True
    apart = [training.cross_entropy(model, x[i : i + 2], y[i : i + 2], masks[i]) for i in (0, 2)]
    assert torch.allclose(training.cross_entropy(model, x, y, masks), sum(apart) / 2)
    training.train(model, Split(x, y), active=masks, epochs=1, batch_size=2)


def test_accuracy_is_the_share_of_right_labels():
    split = digits().test
    right = Split(split.x, training.predict(MLP(784, 10), split.x))
    assert training.evaluate(MLP(784, 10), right) == 1.0
    half = Split(right.x, torch.where(torch.arange(1000) < 500, right.y, (right.y + 1) % 10))
    assert training.evaluate(MLP(784, 10), half) == 0.5


def test_evaluation_leaves_the_mode_of_the_model_alone():
    model = MLP(784, 10)
    for mode in (True, False):
        model.train(mode)
        training.evaluate(model, digits().test)
        assert model.training is mode


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"optimizer": "rmsprop"}, "'rmsprop'; it must be one of 'sgd'"),
        ({"lr": 0}, "lr is 0; .* above 0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"batch_size": 0}, "batch_size is 0; .* 1 or more"),
        (
            {"active": torch.ones(9, dtype=torch.bool)},
            "boolean mask over the 10 outputs",
        ),
        ({"active": torch.arange(10) < 5}, "output is not active"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        training.train(MLP(784, 10), small(), **settings)


def test_labels_outside_the_outputs_and_empty_splits_are_named():
    with pytest.raises(ValueError, match="labels run from 0 to 9, but the network has 4 outputs"):
        training.train(MLP(784, 4), small())
    with pytest.raises(ValueError, match="empty"):
        training.train(MLP(784, 10), small()[:0])
    with pytest.raises(ValueError, match="empty"):
        training.evaluate(MLP(784, 10), small()[:0])


def test_a_run_that_diverges_says_so_and_names_the_step_size():
    with pytest.raises(training.Diverged, match="smaller lr than 1e\\+30"):
        training.train(MLP(784, 20, 10), small(), lr=1e30)


@pytest.mark.parametrize("optimizer", training.OPTIMIZERS)
def test_training_is_device_agnostic(optimizer):
    """On meta tensors everything but the values exists, and mixing devices in float operations raises."""
    model = MLP(784, 20, 10).to("meta")
    losses = training.train(
        model,
        small(),
        active=torch.ones(10, dtype=torch.bool),
        epochs=1,
        optimizer=optimizer,
    )
    assert losses.is_meta and next(model.parameters()).is_meta
    assert training.predict(model, small().x.to("meta")).is_meta


def test_the_progress_bar_shows_and_changes_nothing(capsys):
    plain, shown = MLP(784, 10), MLP(784, 10)
    training.train(plain, small(), epochs=2)
    training.train(shown, small(), epochs=2, progress=True)
    assert "epochs" in capsys.readouterr().err
    assert torch.equal(weights(plain), weights(shown))
