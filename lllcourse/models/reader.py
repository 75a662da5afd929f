"""An attention network for stories."""

import torch
from torch import nn
from torch.nn.utils import skip_init

from .. import checks
from .initial import draw


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
                    draw(layer, generator)

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
