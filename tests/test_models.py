"""The networks: shapes, seeds, devices, and what the reader can and cannot tell apart."""

import pytest
import torch
from torch.func import functional_call, grad, vmap

from lllcourse import training
from lllcourse.data import Split
from lllcourse.models import MLP, LeNet5, Reader, SmallResNet

SMALL = {"rows": 3, "length": 4, "width": 8, "heads": 2}


def reader(seed=0, **changes):
    return Reader(11, 5, seed=seed, **SMALL | changes)


def stories(n=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 11, (n, 12), generator=generator)


@pytest.mark.parametrize(
    "make", [lambda s: MLP(4, 3, seed=s), reader, lambda s: LeNet5(seed=s), lambda s: SmallResNet(seed=s)]
)
def test_the_seed_alone_decides_the_weights(make):
    first = make(1).state_dict()
    torch.rand(3)
    again, other = make(1).state_dict(), make(2).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_making_a_network_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    reader(), LeNet5(), SmallResNet(), MLP(4, 3)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("make", [LeNet5, SmallResNet])
def test_images_are_taken_flat_or_square(make):
    model, x = make().eval(), torch.rand(4, 784)
    assert torch.equal(model(x), model(x.view(4, 1, 28, 28))) and model(x).shape == (4, 10)
    assert model(x[:0]).shape == (0, 10)
    assert make(image=(3, 32, 32))(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    with pytest.raises(ValueError, match=r"does not take examples of shape \(700,\)"):
        training.count_outputs(model, torch.rand(2, 700))


def test_a_convolution_starts_like_torchs_own():
    """Uniform in +-1/sqrt(inputs of a unit): torch's default has the same bound."""
    for layer in LeNet5(seed=3).convolutions:
        bound = layer.weight[0].numel() ** -0.5
        assert 0.95 * bound < layer.weight.abs().max() <= bound
        torch.manual_seed(0)
        fresh = torch.nn.Conv2d(layer.in_channels, layer.out_channels, 5).weight
        assert 0.95 * bound < fresh.abs().max() <= bound


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeNet5(channels=(4,)), "two convolutions, so give two numbers"),
        (lambda: LeNet5(image=(1, 15, 28)), "16 or more"),
        (lambda: SmallResNet(channels=()), "channels is empty"),
    ],
)
def test_networks_that_cannot_be_made_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_reader_gives_one_logit_an_answer():
    assert reader()(stories(7)).shape == (7, 5)
    assert reader(blocks=3)(stories(1)).shape == (1, 5)


def test_the_reader_of_the_book_is_small():
    parameters = sum(p.numel() for p in Reader(95, 44).parameters())
    assert 50_000 < parameters < 115_000


def test_stories_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"3 rows of 4 words.*\(n, 12\)"):
        reader()(torch.zeros(2, 11, dtype=torch.long))
    with pytest.raises(ValueError, match="multiple of heads=3"):
        reader(heads=3)


def test_stories_of_a_batch_do_not_look_at_each_other():
    model, x = reader(), stories(6)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    assert torch.allclose(model(x)[order], model(x[order]), atol=1e-6)
    assert torch.allclose(model(x)[:1], model(x[:1]), atol=1e-6)


def test_the_order_of_words_and_of_sentences_matters():
    model, x = reader(), torch.arange(1, 13)[None] % 11
    words, sentences = x.clone(), x.clone()
    words[0, [0, 1]] = x[0, [1, 0]]
    sentences[0, :8] = x[0, [4, 5, 6, 7, 0, 1, 2, 3]]
    assert not torch.allclose(model(x), model(words), atol=1e-4)
    assert not torch.allclose(model(x), model(sentences), atol=1e-4)


def test_a_free_place_adds_nothing():
    model, x = reader(), stories()
    before = model(x)
    with torch.no_grad():
        model.words[0] += 10
    assert torch.allclose(model(x), before)


def test_attention_is_that_of_the_library():
    """The block's attention, against torch's own function on the same queries, keys and values."""
    model, h = reader().blocks[0], torch.randn(2, 3, 8, generator=torch.manual_seed(0))
    parts = model.ask(model.norms[0](h)).view(2, 3, 3, 2, 4).permute(2, 0, 3, 1, 4)
    heard = torch.nn.functional.scaled_dot_product_attention(*parts)
    h1 = h + model.tell(heard.transpose(1, 2).reshape(2, 3, 8))
    expected = h1 + model.down(torch.relu(model.up(model.norms[1](h1))))
    assert torch.allclose(model(h), expected, atol=1e-6)


def test_gradients_of_single_stories_add_up_to_that_of_the_batch():
    model, x, y = reader(), stories(), torch.tensor([0, 1, 2, 3, 4, 0])
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(p, x, y):
        return torch.nn.functional.cross_entropy(functional_call(model, p, (x,)), y)

    single = vmap(grad(lambda p, x, y: loss(p, x[None], y[None])), (None, 0, 0))
    whole = grad(loss)(parameters, x, y)
    for name, gradients in single(parameters, x, y).items():
        assert torch.allclose(gradients.mean(0), whole[name], atol=1e-6), name


def test_the_reader_trains_on_whatever_device_it_lives():
    """On meta tensors everything but the values exists, and mixing devices in float operations raises."""
    model, split = reader().to("meta"), Split(stories(), torch.zeros(6).long())
    losses = training.train(model, split, epochs=1, optimizer="adam", lr=1e-3)
    assert losses.is_meta and model(split.x.to("meta")).is_meta


@pytest.mark.prove
def test_the_reader_learns_to_find_a_word():
    """Which word stands in the row that begins as the question does? One hop of attention is enough."""
    generator = torch.Generator().manual_seed(0)
    keys = torch.rand(600, 2, generator=generator).argsort(1) + 1  # 1, 2 or 2, 1
    values = torch.randint(5, (600, 2), generator=generator)
    x, asked = torch.zeros(600, 3, 4).long(), torch.arange(600) % 2
    x[:, :2, 0], x[:, :2, 1], x[:, 2, 0] = keys, values + 3, asked + 1
    y = values[keys == asked[:, None] + 1]
    split, model = Split(x.flatten(1), y), reader(width=16)
    training.train(model, split[:500], epochs=25, optimizer="adam", lr=0.01)
    assert training.evaluate(model, split[500:]) > 0.95
