"""A variational autoencoder, which generative replay draws old examples from."""

import torch
from torch import nn
from torch.nn import functional as F

from .mlp import MLP


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
