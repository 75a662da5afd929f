"""The networks of the course. Each takes images, or stories as tokens, and returns one output (logit) a class.

The initial weights depend on `seed` alone, not on what was drawn before.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from . import checks, device


class MLP(nn.Module):
    """Fully connected layers with ReLU between them.

    sizes: the width of every layer, input and output included; `MLP(784, 100, 100, 10)` has two hidden layers.
    Input (n, ...) with sizes[0] values an example, output (n, sizes[-1]).

    >>> MLP(2, 3, seed=0)(torch.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(self, *sizes, seed=0):
        super().__init__()
        if len(sizes) < 2:
            raise ValueError(
                f"MLP{sizes}: give at least the width of the input and of the output"
            )
        self.layers = nn.ModuleList(
            skip_init(nn.Linear, i, o)
            for i, o in zip(sizes, sizes[1:], strict=False)
        )
        generator = checks.generator(seed)
        with torch.no_grad():
            for layer in self.layers:
                _draw(layer, generator)

    def forward(self, x):
        return self.layers[-1](self.features(x))

    def features(self, x):
        """What the last hidden layer says of x, (n, sizes[-2]); without hidden layers, x itself."""
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return x


def network(seed=0, hidden=(100, 100)):
    """The course's network for digits, on `lllcourse.device()`: an MLP with 784 inputs and ten outputs.

    hidden: the widths of the layers between them.
    """
    return MLP(784, *hidden, 10, seed=seed).to(device())


class VAE(nn.Module):
    """A variational autoencoder: it learns a distribution of images, from which new ones are drawn.

    The encoder turns an image x into a normal distribution over short codes z, the decoder a code into the probability
    of white at every pixel. What is minimised, -log p(x | z) + KL(q(z | x) || N(0, I)), is never below -log p(x).

    inputs: how many pixels; an image is (n, ...) with that many values in [0, 1]. hidden: the width of the one hidden
    layer of each part. code: the numbers in z.

    Kingma and Welling 2014, "Auto-encoding variational Bayes" (arXiv:1312.6114).

    >>> VAE(784).sample(5, torch.Generator().manual_seed(0)).shape
    torch.Size([5, 784])
    """

    def __init__(self, inputs, hidden=256, code=16, *, seed=0):
        super().__init__()
        self.code = code
        self.encoder = MLP(inputs, hidden, 2 * code, seed=2 * seed)
        self.decoder = MLP(code, hidden, inputs, seed=2 * seed + 1)

    def loss(self, x, generator):
        """The mean over the images x, (n, ...), of what is minimised, in nats, a scalar.

        generator: on the CPU, draws one code for each image.
        """
        x = x.flatten(1)
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        noise = torch.randn(mean.shape, generator=generator).to(mean)
        logits = self.decoder(mean + (log_variance / 2).exp() * noise)
        pixels = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        to_prior = (mean**2 + log_variance.exp() - 1 - log_variance) / 2
        return pixels.sum(1).mean() + to_prior.sum(1).mean()

    @torch.no_grad()
    def sample(self, n, generator):
        """n new images, (n, inputs), each the decoder's mean at a code that `generator`, on the CPU, draws."""
        z = torch.randn(n, self.code, generator=generator)
        return self.decoder(z.to(self.decoder.layers[0].weight)).sigmoid()


class Reader(nn.Module):
    """A small attention network that reads a story and answers the question in its last row.

    Each row of the story becomes one vector: the sum of its words' vectors, each multiplied by a vector that belongs to
    the place of the word in the row (so "a before b" is not "b before a"). Blocks of self-attention (Vaswani et al.
    2017, arXiv:1706.03762) let the rows look at each other. The answer is read from the question's row.

    words, answers: how many there are. rows, length: of a story. width: of every vector; heads must divide it.
    Input int64 tokens (n, rows * length) with 0 for no word, output (n, answers).

    >>> Reader(words=95, answers=44)(torch.zeros(5, 42, dtype=torch.long)).shape
    torch.Size([5, 44])
    """

    def __init__(
        self,
        words,
        answers,
        rows=6,
        length=7,
        *,
        width=64,
        blocks=2,
        heads=4,
        seed=0,
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f"width={width} must be a multiple of heads={heads}")
        self.rows, self.length = rows, length
        self.words = nn.Parameter(torch.empty(words, width))
        self.places = nn.Parameter(torch.empty(length, width))
        self.order = nn.Parameter(torch.empty(rows, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.answer = skip_init(nn.Linear, width, answers)
        generator = checks.generator(seed)
        with torch.no_grad():
            self.words.normal_(0, 0.4, generator=generator)
            self.places.normal_(1, 0.5, generator=generator)
            self.order.normal_(0, 0.5, generator=generator)
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    _draw(layer, generator)

    def forward(self, x):
        self.check(x)
        x = x.view(len(x), self.rows, self.length)
        # a free place (token 0) adds nothing
        h = (self.words[x] * (x > 0)[..., None] * self.places).sum(2) + self.order
        for block in self.blocks:
            h = block(h)
        return self.answer(self.norm(h[:, -1]))

    def check(self, x):
        checks.require(
            x.shape[1:] == (self.rows * self.length,),
            f"a story has {self.rows} rows of {self.length} words, so tokens are "
            f"(n, {self.rows * self.length}), not {tuple(x.shape)}",
        )


class Block(nn.Module):
    """Self-attention, then a small network for each row; both add to what they read: (n, rows, width) to the same."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        # queries, keys and values
        self.ask = skip_init(nn.Linear, width, 3 * width)
        self.tell = skip_init(nn.Linear, width, width)
        self.up = skip_init(nn.Linear, width, width)
        self.down = skip_init(nn.Linear, width, width)

    def forward(self, h):
        n, rows, width = h.shape
        parts = self.ask(self.norms[0](h)).view(n, rows, 3, self.heads, -1)
        # each (n, heads, rows, ...)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        # (n, heads, rows, rows)
        match = query @ key.mT / (width // self.heads) ** 0.5
        heard = (match.softmax(-1) @ value).transpose(1, 2).reshape(n, rows, width)
        h = h + self.tell(heard)
        return h + self.down(torch.relu(self.up(self.norms[1](h))))


def _draw(layer, generator):
    """Weights and bias uniform in +-1/sqrt(inputs), torch's own default."""
    bound = layer.in_features**-0.5
    layer.weight.uniform_(-bound, bound, generator=generator)
    layer.bias.uniform_(-bound, bound, generator=generator)
