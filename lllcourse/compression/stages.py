"""Where the bytes go while a network is pruned, shared and coded.

    dense     4 bytes for each number
    pruned    4 bytes for each weight that is not zero, and the gaps between them
    shared    an index of ceil(log2 k) bits for each of these weights, the gaps, and k centres for each layer
    coded     the file: gaps and indices Huffman-coded

Before the last step a gap has a fixed number of bits, the best one for each layer, as in Han, Mao and Dally 2016, "Deep
Compression" (arXiv:1510.00149), figure 2.
"""

from .coding import ALPHABETS, gaps


def stages(result):
    """The bytes of each kind at every stage, {stage: {kind: bytes}}; only the last stage is a file that was written.

    result: the `Compressed` that `deep_compression.code` returned.
    """
    state, rest, weights = result.restore().state_dict(), 0, {}
    for name, one in result.coded.items():
        if one.scheme == "shared" and len(one.shape) > 1:
            weights[name] = one.parts
        else:
            rest += sum(map(len, one.parts.values()))
    every = sum(4 * value.numel() for value in state.values())
    plain = sum(4 * state[name].numel() for name in weights)
    kept = sum(4 * int((state[name] != 0).sum()) for name in weights)
    places = sum(positions(state[name].flatten() != 0) for name in weights)
    coded = {
        kind: sum(len(parts[kind]) for parts in weights.values())
        for kind in ("indices", "positions", "codebook")
    }
    index = sum(
        packed(int((state[name] != 0).sum()), len(parts["codebook"]) // 2)
        for name, parts in weights.items()
    )
    few = {"indices": index, "positions": places, "codebook": coded["codebook"]}
    others = {"biases and norms": every - plain}
    return {
        "dense": {"weights": plain} | others,
        "pruned": {"weights": kept, "positions": places} | others,
        "shared": few | {"biases and norms": rest},
        "coded": coded
        | {"biases and norms": rest, "header": result.parts["header"]},
    }


def packed(n, values):
    """The bytes of n whole numbers below `values`, each of the same number of bits."""
    return -(-n * (values - 1).bit_length() // 8)


def positions(there):
    """The bytes of the gaps between the True of a boolean tensor (n,), each of the same number of bits, the best."""
    return min(packed(len(gaps(there, G)), G) for G in ALPHABETS)
