"""The initial weights of all networks."""


def draw(layer, generator):
    """Weights and bias of a linear or convolutional layer uniform in +-1/sqrt(inputs of a unit), torch's default."""
    bound = layer.weight[0].numel() ** -0.5
    layer.weight.uniform_(-bound, bound, generator=generator)
    if layer.bias is not None:
        layer.bias.uniform_(-bound, bound, generator=generator)
