"""The running table, rows of chapter 16: pruned, shared and coded, as a file.

Parameters and MACs are those of the network in the file; bytes are those of the file. "stages": where the bytes go on
the way. "codes": for gaps and indices of all layers together the bits of their Huffman codes without the tables, those
that the entropies of the layers allow, and those of codes of equal length. The shares that are left and the number of
values were chosen on the validation images of seeds 10 and 11, those of LeNet-5 of seed 10 alone: seed 11, tried
afterwards, lost 1.8 points there.
"""

import torch

from lllcourse.compression import dense
from lllcourse.compression.coding import gaps
from lllcourse.compression.deep_compression import deep_compressed
from lllcourse.compression.huffman import encode, entropy, lengths
from lllcourse.compression.stages import packed, stages
from lllcourse.compression.varint import number_at

from ..coding._runs import TUNING, train_pruned, tune
from ._table import SEEDS, facts

__all__ = ["SEEDS", "SETTINGS", "run"]

SETTINGS = {
    "sparsities": {
        "LeNet-300-100": [0.8, 0.9, 0.94, 0.96],
        "LeNet-5": [0.7, 0.85, 0.92, 0.95, 0.96],
    },
    "clusters": 8,
    "few": 8,
    "between": 2,  # epochs after each pruning but the last
    "last": 8,
    "tuning": TUNING,
}


def run(seed, sparsities, clusters, few, between, last, tuning) -> dict:
    rows = {}
    for name, way in sparsities.items():
        train = train_pruned(name, seed, len(way), between, last)
        model = dense.trained(name, seed)
        result = deep_compressed(model, way, clusters, train, lambda m: tune(m, seed, **tuning), few=few)
        found = facts(result.restore()) | {"bytes": result.bytes, "stages": stages(result), "codes": codes(result)}
        rows[name] = {"pruned, shared and coded": found}
    return rows


def codes(result) -> dict:
    """Bits of the layers' symbols: {"gaps" or "indices": {"huffman", "entropy", "fixed", "table"}}."""
    found = {kind: dict.fromkeys(("huffman", "entropy", "fixed", "table"), 0) for kind in ("gaps", "indices")}
    for name, value in result.restore().state_dict().items():
        if value.ndim < 2:
            continue
        flat, k = value.flatten(), len(result.coded[name].parts["codebook"]) // 2
        positions = result.coded[name].parts["positions"]
        G = positions[number_at(positions, 0)[1]] + 1
        steps = gaps(flat, G)
        kinds = flat[flat != 0].unique(return_inverse=True)[1]
        for kind, symbols, size in (("gaps", steps, G), ("indices", kinds, k)):
            counts = torch.bincount(symbols).tolist()
            bits = sum(counts[s] * length for s, length in lengths(counts).items())
            one = found[kind]
            one["huffman"] += bits
            one["entropy"] += len(symbols) * entropy(counts)
            one["fixed"] += 8 * packed(len(symbols), size)
            one["table"] += 8 * len(encode(symbols)) - bits
    return found
