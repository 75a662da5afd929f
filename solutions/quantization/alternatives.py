"""Right answers to the assignment `quantization` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

NUMPY = {  # numpy in double precision; an autograd function of its own
    "range_of": """
import numpy as np


def range_of(w, bits):
    values = np.append(w.detach().numpy().astype(np.float64).ravel(), 0.0)
    scale = np.ptp(values) / (2**bits - 1)
    if scale == 0:
        scale = np.float64(1.0)
    return scale, np.int64(-(2 ** (bits - 1)) - np.rint(values.min() / scale))
""",
    "to_codes": """
import numpy as np


def to_codes(w, scale, zero_point, bits):
    q = np.rint(np.asarray(w, np.float64) / np.asarray(scale)) + np.asarray(zero_point)
    return np.clip(q, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(np.int8)
""",
    "from_codes": """
import numpy as np


def from_codes(codes, scale, zero_point):
    return (np.asarray(codes, np.int64) - np.asarray(zero_point)) * np.asarray(scale)
""",
    "channel_ranges": """
import numpy as np


def channel_ranges(w, bits, dim):
    values = np.moveaxis(w.detach().numpy().astype(np.float64), dim, 0)
    values = values.reshape(len(values), -1)
    lo, hi = np.minimum(values.min(axis=1), 0), np.maximum(values.max(axis=1), 0)
    scales = np.where(hi > lo, (hi - lo) / (2**bits - 1), 1.0)
    return scales, (-(2 ** (bits - 1)) - np.rint(lo / scales)).astype(np.int64)
""",
    "bits_needed": """
import numpy as np


def bits_needed(lo, hi, tolerance):
    bits = np.arange(2, 9)
    bounds = np.ptp([lo, hi, 0.0]) / (2.0**bits - 1) / 2
    return bits[bounds <= tolerance].min() if (bounds <= tolerance).any() else None
""",
    "fake_quantize": """
class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, scale, zero_point, bits):
        q = (w / scale).round() + zero_point
        ctx.save_for_backward((q >= -(2 ** (bits - 1))) & (q < 2 ** (bits - 1)))
        return (q.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) - zero_point) * scale

    @staticmethod
    def backward(ctx, arriving):
        (inside,) = ctx.saved_tensors
        return arriving * inside, None, None, None


def fake_quantize(w, scale, zero_point, bits):
    return StraightThrough.apply(w, scale, zero_point, bits)
""",
    "assign": """
import numpy as np


def assign(values, codebook):
    distances = np.abs(np.asarray(values)[..., None] - np.asarray(codebook))
    return distances.argmin(axis=-1)
""",
    "update": """
def update(values, index, codebook):
    v, i = values.flatten().double(), index.flatten()
    n = torch.bincount(i, minlength=len(codebook))
    sums = torch.bincount(i, weights=v, minlength=len(codebook))
    return torch.where(n > 0, sums / n.clamp(min=1), codebook.double()).to(values.dtype)
""",
    "prefix_code": """
import numpy as np


def prefix_code(counts):
    # the tree as two arrays: the parent of each node and the bit that leads to it
    k = len(counts)
    weight = np.array([n if n else np.inf for n in counts] + [np.inf] * k, dtype=np.float64)
    parent, bit = [None] * (2 * k), [""] * (2 * k)
    for node in range(k, k + sum(n > 0 for n in counts) - 1):
        total = 0
        for b in "10":
            i = int(weight.argmin())
            total, parent[i], bit[i] = total + weight[i], node, b
            weight[i] = np.inf
        weight[node] = total
    code = []
    for symbol in range(k):
        word, i = "", symbol
        while parent[i] is not None:
            word, i = bit[i] + word, parent[i]
        code.append(word or "1" * (counts[symbol] > 0))
    return code
""",
    "layer_bytes": """
import numpy as np


def layer_bytes(index, code):
    k, n = len(code), index.numel()
    counts = np.bincount(index.numpy().ravel(), minlength=k)
    p = counts / n
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(p * np.log2(p))
    each = np.array([len(word) for word in code])
    fixed = 2 * k + np.ceil(n * np.ceil(np.log2(k)) / 8)
    return [fixed, 3 * k + np.ceil(counts @ each / 8), 2 * k + n * entropy / 8]
""",
}

LOOPS = {  # loops in plain Python wherever that is fast enough
    "range_of": """
def range_of(w, bits):
    lo = hi = 0.0
    for extreme in (float(w.min()), float(w.max())):
        lo, hi = min(lo, extreme), max(hi, extreme)
    scale = 1.0
    if hi - lo > 0:
        scale = (hi - lo) / (2**bits - 1)
    steps = lo / scale
    nearest = math.floor(steps)
    if steps - nearest > 0.5:
        nearest += 1
    return [scale, -(2**bits) // 2 - nearest]
""",
    "to_codes": """
def to_codes(w, scale, zero_point, bits):
    scale = torch.as_tensor(scale).expand(w.shape).flatten().tolist()
    zero_point = torch.as_tensor(zero_point).expand(w.shape).flatten().tolist()
    codes = []
    for value, s, z in zip(w.flatten().tolist(), scale, zero_point):
        code = round(value / s) + z
        codes.append(int(min(max(code, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)))
    return torch.tensor(codes, dtype=torch.int8).reshape(w.shape)
""",
    "from_codes": """
def from_codes(codes, scale, zero_point):
    result = torch.zeros(codes.shape)
    result += codes
    result -= zero_point
    result *= scale
    return result
""",
    "channel_ranges": """
def channel_ranges(w, bits, dim):
    n = w.shape[dim]
    scales, zero_points = torch.ones(n), torch.zeros(n, dtype=torch.long)
    for c, channel in enumerate(w.unbind(dim)):
        lo, hi = min(0.0, channel.min().item()), max(0.0, channel.max().item())
        if hi > lo:
            scales[c] = (hi - lo) / (2**bits - 1)
        zero_points[c] = -(2 ** (bits - 1)) - round(lo / scales[c].item())
    return [scales, zero_points]
""",
    "bits_needed": """
def bits_needed(lo, hi, tolerance):
    if lo > 0:
        lo = 0
    if hi < 0:
        hi = 0
    bits = 2
    while (hi - lo) / (2**bits - 1) > 2 * tolerance:
        bits += 1
        if bits > 8:
            return None
    return bits
""",
    "fake_quantize": """
def fake_quantize(w, scale, zero_point, bits):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    q = w / scale
    q = q + (torch.round(q) - q).detach() + zero_point
    return (torch.clamp(q, low, high) - zero_point) * scale
""",
    "assign": """
def assign(values, codebook):
    indices = []
    for value in values.flatten().tolist():
        best, distance = 0, float("inf")
        for j, centre in enumerate(codebook.tolist()):
            if abs(value - centre) < distance:
                best, distance = j, abs(value - centre)
        indices.append(best)
    return torch.tensor(indices).reshape(values.shape)
""",
    "update": """
def update(values, index, codebook):
    sums, counts = [0.0] * len(codebook), [0] * len(codebook)
    for value, j in zip(values.flatten().tolist(), index.flatten().tolist()):
        sums[j] += value
        counts[j] += 1
    new = codebook.tolist()
    for j in range(len(new)):
        if counts[j] > 0:
            new[j] = sums[j] / counts[j]
    return torch.tensor(new, dtype=torch.float64)
""",
    "prefix_code": """
def prefix_code(counts):
    groups = [[n, [(k, "")]] for k, n in enumerate(counts) if n]
    while len(groups) > 1:
        groups.sort(key=lambda group: -group[0])
        last, before = groups.pop(), groups.pop()
        joined = [(k, "1" + word) for k, word in last[1]] + [(k, "0" + word) for k, word in before[1]]
        groups.append([last[0] + before[0], joined])
    code = dict(groups[0][1])
    return [code.get(k, "") or ("0" if n else "") for k, n in enumerate(counts)]
""",
    "layer_bytes": """
def layer_bytes(index, code):
    k, seen = len(code), {}
    for j in index.flatten().tolist():
        seen[j] = seen.get(j, 0) + 1
    n = sum(seen.values())
    width = 0
    while 2**width < k:
        width += 1
    coded, entropy = 0, 0.0
    for j, count in seen.items():
        coded += count * len(code[j])
        entropy += count / n * math.log2(n / count)
    return 2 * k + (n * width + 7) // 8, 3 * k + (coded + 7) // 8, 2 * k + n * entropy / 8
""",
}

LIBRARY = {  # what libraries have already
    "range_of": """
def range_of(w, bits):
    lo, hi = torch.aminmax(torch.cat([w.flatten().double(), torch.zeros(1, dtype=torch.float64)]))
    scale = (hi - lo) / (2**bits - 1)
    if scale == 0:
        return torch.tensor(1.0), torch.tensor(-(2 ** (bits - 1)))
    return scale, (-(2 ** (bits - 1)) - torch.round(lo / scale)).to(torch.int32)
""",
    "to_codes": """
def to_codes(w, scale, zero_point, bits):
    q = torch.div(w, scale).round().add(zero_point)
    limits = torch.iinfo(torch.int8)
    shift = 2 ** (8 - bits)
    return torch.clip(q, limits.min // shift, limits.max // shift).char()
""",
    "from_codes": """
def from_codes(codes, scale, zero_point):
    return torch.mul(torch.sub(codes.to(torch.float64), zero_point), scale).float()
""",
    "channel_ranges": """
def channel_ranges(w, bits, dim):
    others = [d for d in range(w.ndim) if d != dim % w.ndim]
    lo = torch.minimum(torch.amin(w, others), torch.tensor(0.0))
    hi = torch.relu(torch.amax(w, others))
    scales = (hi - lo) / (2**bits - 1)
    scales[scales == 0] = 1
    return scales, (-(2 ** (bits - 1)) - (lo / scales).round()).to(torch.int16)
""",
    "bits_needed": """
def bits_needed(lo, hi, tolerance):
    wide = max(lo, hi, 0) - min(lo, hi, 0)
    bits = max(2, math.ceil(math.log2(wide / (2 * tolerance) + 1)))
    return bits if bits <= 8 else None
""",
    "fake_quantize": """
def fake_quantize(w, scale, zero_point, bits):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if not isinstance(scale, torch.Tensor) or scale.numel() == 1:
        return torch.fake_quantize_per_tensor_affine(w, float(scale), int(zero_point), low, high)
    dim = max(range(scale.ndim), key=lambda d: scale.shape[d]) - scale.ndim
    zero_points = zero_point.flatten().to(torch.int32)
    return torch.fake_quantize_per_channel_affine(w, scale.flatten(), zero_points, w.ndim + dim, low, high)
""",
    "assign": """
def assign(values, codebook):
    order = torch.stack([(values - c).square() for c in codebook])
    return order.min(0).indices
""",
    "update": """
def update(values, index, codebook):
    codebook.scatter_reduce_(0, index.flatten(), values.flatten(), "mean", include_self=False)
    return codebook
""",
    "prefix_code": """
import heapq
from collections import deque


def prefix_code(counts):
    # only lengths from the tree, and then the canonical codes
    heap = [(n, (k,)) for k, n in enumerate(counts) if n]
    lengths = dict.fromkeys((k for _, (k,) in heap), int(len(heap) == 1))
    heapq.heapify(heap)
    while len(heap) > 1:
        n, some = heapq.heappop(heap)
        m, others = heap[0]
        for k in some + others:
            lengths[k] += 1
        heapq.heapreplace(heap, (n + m, some + others))
    code, number, before = [""] * len(counts), 0, 0
    waiting = deque(sorted(lengths, key=lambda k: (lengths[k], k)))
    while waiting:
        k = waiting.popleft()
        number <<= lengths[k] - before
        before = lengths[k]
        code[k] = bin(number)[2:].zfill(before)
        number += 1
    return code
""",
    "layer_bytes": """
from collections import Counter


def layer_bytes(index, code):
    n, k = index.numel(), len(code)
    text = "".join(code[j] for j in index.flatten().tolist())
    shares = torch.tensor(list(Counter(index.flatten().tolist()).values())) / n
    entropy = torch.distributions.Categorical(probs=shares).entropy() / math.log(2)
    fixed = -(-n * (k - 1).bit_length() // 8)
    return torch.tensor([fixed + 2 * k, -(-len(text) // 8) + 3 * k]).tolist() + [2 * k + n / 8 * entropy]
""",
}

COMPOSED = {  # each question by the functions of the ones before
    "range_of": """
def range_of(w, bits):
    values = w.flatten().tolist() + [0.0]
    scale = (max(values) - min(values)) / (2**bits - 1) or 1
    return scale, -(2**bits // 2) - int(torch.round(torch.tensor(min(values) / scale)))
""",
    "to_codes": """
def to_codes(w, scale, zero_point, bits):
    half = 2 ** (bits - 1)
    unsigned = (torch.round(w / scale) + (zero_point + half)).clamp(min=0).clamp(max=2 * half - 1)
    return (unsigned - half).type(torch.int8)
""",
    "from_codes": """
def from_codes(codes, scale, zero_point):
    return codes.double() * scale - scale * zero_point
""",
    "channel_ranges": """
def channel_ranges(w, bits, dim):
    def pair(channel):
        lo, hi = channel.min().clamp(max=0), channel.max().clamp(min=0)
        scale = (hi - lo) / (2**bits - 1)
        scale = scale + (scale == 0)
        return scale, -(2 ** (bits - 1)) - torch.round(lo / scale)

    return torch.vmap(pair, in_dims=dim)(w)
""",
    "bits_needed": """
def bits_needed(lo, hi, tolerance):
    for bits in range(2, 9):
        scale, _ = range_of(torch.tensor([lo, hi], dtype=torch.float64), bits)
        if scale / 2 <= tolerance:
            return float(bits)
    return None
""",
    "fake_quantize": """
def fake_quantize(w, scale, zero_point, bits):
    value = from_codes(to_codes(w.detach(), scale, zero_point, bits), scale, zero_point).to(w.dtype)
    half = 2 ** (bits - 1)
    low, high = scale * (-half - 0.5 - zero_point), scale * (half - 0.5 - zero_point)
    inside = ((w > low) & (w < high)).to(w.dtype)
    passed = inside * w
    return passed + (value - passed).detach()
""",
    "assign": """
def assign(values, codebook):
    index = torch.zeros(values.shape, dtype=torch.int64)
    for j in range(1, len(codebook)):
        nearer = (values - codebook[j]).abs() < (values - codebook[index]).abs()
        index[nearer] = j
    return index
""",
    "update": """
def update(values, index, codebook):
    chosen = F.one_hot(index.flatten(), len(codebook)).double()
    n = chosen.sum(0)
    means = torch.einsum("ij,i->j", chosen, values.flatten().double()) / n
    means[n == 0] = codebook[n == 0].double()
    return means
""",
    "prefix_code": """
def prefix_code(counts):
    def words(tree, so_far):
        if isinstance(tree, int):
            return {tree: so_far or "0"}
        return words(tree[0], so_far + "0") | words(tree[1], so_far + "1")

    trees = sorted((n, k, k) for k, n in enumerate(counts) if n > 0)
    while len(trees) > 1:
        (n, k, one), (m, _, other), *rest = trees
        trees = sorted([*rest, (n + m, k, (one, other))], key=lambda t: t[:2])
    found = words(trees[0][2], "")
    return tuple(found.get(k, "") for k in range(len(counts)))
""",
    "layer_bytes": """
def layer_bytes(index, code):
    k = len(code)
    bits = {"fixed": 0, "coded": 0, "bound": 0.0}
    for j, word in enumerate(code):
        n = int((index == j).sum())
        bits["fixed"] += n * math.ceil(math.log2(k))
        bits["coded"] += n * len(word)
        bits["bound"] -= n * math.log2(n / index.numel()) if n else 0
    table = {"fixed": 2 * k, "coded": 3 * k}
    whole = [torch.tensor(math.ceil(bits[way] / 8) + table[way]) for way in table]
    return *whole, bits["bound"] / 8 + 2 * k
""",
}

ALTERNATIVES = {"numpy": NUMPY, "loops": LOOPS, "library": LIBRARY, "composed": COMPOSED}
