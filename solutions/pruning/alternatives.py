"""Right answers to the assignment `pruning` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

LOOPS = {  # Python's own lists and sorted(), one weight at a time where that is not too slow
    "kept_indices": """
def kept_indices(weight, keep):
    sizes = [abs(value) for value in weight.flatten().tolist()]
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
    return torch.tensor(sorted(order[:keep]))
""",
    "global_masks": """
def global_masks(weights, keep, least):
    masks, others = [], []
    for number, weight in enumerate(weights):
        sizes = [abs(value) for value in weight.flatten().tolist()]
        order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], i))
        masks.append(torch.zeros(len(sizes)))
        masks[-1][order[:least]] = 1
        others += [(-sizes[i], number, i) for i in order[least:]]
        keep -= least
    for _, number, i in sorted(others)[:keep]:
        masks[number][i] = 1
    return [mask.reshape(weight.shape) for mask, weight in zip(masks, weights)]
""",
    "schedule": """
def schedule(total, keep, rounds, shape):
    left = []
    for r in range(1, rounds + 1):
        if shape == "cubic":
            left.append(round(keep + (total - keep) * ((rounds - r) / rounds) ** 3))
        else:
            left.append(round(total ** (1 - r / rounds) * keep ** (r / rounds)))
    return left
""",
    "masked_step": """
def masked_step(weight, gradient, velocity, mask, lr, momentum, decay):
    velocity.mul_(momentum).add_(gradient).add_(weight, alpha=decay)
    velocity[~mask] = 0
    weight.sub_(lr * velocity)
    weight[~mask] = 0
    return weight, velocity
""",
    "restart": """
def restart(initial, mask, noise, kind):
    result = torch.zeros(initial.shape)
    for i in range(len(initial)):
        places = mask[i].nonzero().flatten()
        if kind == "ticket":
            result[i, places] = initial[i, places]
        elif len(places):
            size = noise[i, places] / len(places) ** 0.5
            result[i, places] = size.abs() * torch.sign(initial[i, places]) if kind == "signs" else size
    return result
""",
    "remove_units": """
def remove_units(w1, b1, w2, b2):
    b2, kept = b2.clone(), []
    for unit in range(len(b1)):
        if not w1[unit].any():
            b2 += w2[:, unit] * max(0.0, b1[unit].item())
        elif w2[:, unit].any():
            kept.append(unit)
    return [w1[kept], b1[kept], w2[:, kept], b2]
""",
    "file_bytes": """
def file_bytes(weights):
    def whole(largest):
        for size in (1, 2, 4):
            if largest <= 256**size - 1:
                return size

    total = 0
    for matrix in weights:
        m, n = matrix.shape
        z = torch.count_nonzero(matrix).item()
        values, columns, beginnings = 4 * z, whole(n - 1) * z, whole(z) * (m + 1)
        sparse, dense = values + columns + beginnings, 4 * m * n
        total += sparse if sparse < dense else dense
    return total
""",
}

NUMPY = {  # arrays of numpy, in float64 inside
    "kept_indices": """
import numpy as np


def kept_indices(weight, keep):
    sizes = np.abs(weight.numpy()).ravel()
    return np.sort(np.argsort(-sizes, kind="stable")[:keep])
""",
    "global_masks": """
import numpy as np


def global_masks(weights, keep, least):
    sizes = [np.abs(w.numpy().astype(np.float64)).ravel() for w in weights]
    layer = np.repeat(np.arange(len(sizes)), [len(s) for s in sizes])
    safe = np.concatenate([np.argsort(np.argsort(-s, kind="stable")) < least for s in sizes])
    position = np.arange(len(layer))
    order = np.lexsort((position, layer, -np.concatenate(sizes), ~safe))
    mask = np.zeros(len(layer), dtype=bool)
    mask[order[:keep]] = True
    return tuple(mask[layer == i].reshape(w.shape) for i, w in enumerate(weights))
""",
    "schedule": """
import numpy as np


def schedule(total, keep, rounds, shape):
    part = np.arange(1, rounds + 1) / rounds
    if shape == "geometric":
        left = np.exp((1 - part) * np.log(total) + part * np.log(keep))
    else:
        left = keep + (total - keep) * (1 - part) ** 3
    return list(np.rint(left))
""",
    "masked_step": """
import numpy as np


def masked_step(weight, gradient, velocity, mask, lr, momentum, decay):
    weight, gradient, velocity, mask = (np.asarray(t, np.float64) for t in (weight, gradient, velocity, mask))
    velocity = (momentum * velocity + gradient + decay * weight) * mask
    weight = (weight - lr * velocity) * mask
    return torch.from_numpy(weight), torch.from_numpy(velocity)
""",
    "restart": """
import numpy as np


def restart(initial, mask, noise, kind):
    initial, mask, noise = (np.asarray(t, np.float64) for t in (initial, mask, noise))
    number = np.maximum(mask.sum(axis=1), 1)[:, np.newaxis]
    starts = {
        "ticket": initial,
        "new": noise / np.sqrt(number),
        "signs": np.copysign(noise, initial) / np.sqrt(number),
    }
    return starts[kind] * mask
""",
    "remove_units": """
import numpy as np


def remove_units(w1, b1, w2, b2):
    w1, b1, w2, b2 = (np.asarray(t, np.float64) for t in (w1, b1, w2, b2))
    constant = np.abs(w1).sum(axis=1) == 0
    unread = np.abs(w2).sum(axis=0) == 0
    b2 = b2 + (w2 * np.where(constant, np.maximum(b1, 0), 0)).sum(axis=1)
    gone = np.flatnonzero(constant | unread)
    return np.delete(w1, gone, 0), np.delete(b1, gone), np.delete(w2, gone, 1), b2
""",
    "file_bytes": """
import numpy as np


def file_bytes(weights):
    sizes = []
    for w in weights:
        z = np.count_nonzero(w.numpy())
        columns = np.min_scalar_type(w.shape[1] - 1).itemsize
        beginnings = np.min_scalar_type(int(z)).itemsize
        sizes.append(min(4 * w.numel(), z * (4 + columns) + (len(w) + 1) * beginnings))
    return np.sum(sizes)
""",
}

TORCH = {  # other calls of torch: topk on broken ties, einsum, torch.optim, real CSR tensors
    "kept_indices": """
def kept_indices(weight, keep):
    sizes = weight.abs().flatten().double()
    distinct, rank = sizes.unique(return_inverse=True)
    n = len(sizes)
    return (rank * n + torch.arange(n - 1, -1, -1)).topk(keep).indices.sort()[0]
""",
    "global_masks": """
def largest(sizes, number):
    return sizes.sort(descending=True, stable=True).indices[:number]


def global_masks(weights, keep, least):
    masks = []
    for w in weights:
        mask = torch.zeros(w.numel(), dtype=torch.int64)
        mask[largest(w.abs().reshape(-1), least)] = 1
        masks.append(mask)
    mask = torch.cat(masks)
    sizes = torch.cat([w.abs().reshape(-1) for w in weights])
    sizes = torch.where(mask == 1, -1.0, sizes)
    mask[largest(sizes, keep - int(mask.sum()))] = 1
    start, result = 0, []
    for w in weights:
        result.append(mask[start : start + w.numel()].reshape(w.shape))
        start += w.numel()
    return result
""",
    "schedule": """
def schedule(total, keep, rounds, shape):
    part = torch.linspace(0, 1, rounds + 1, dtype=torch.float64)[1:]
    if shape == "geometric":
        left = total * torch.pow(torch.tensor(keep / total, dtype=torch.float64), part)
    else:
        left = torch.lerp(torch.tensor(keep).double(), torch.tensor(total).double(), (1 - part) ** 3)
    return [int(n) for n in left.round()]
""",
    "masked_step": """
def masked_step(weight, gradient, velocity, mask, lr, momentum, decay):
    numbers = mask.to(weight.dtype)
    new_velocity = torch.lerp(torch.zeros_like(velocity), momentum * velocity + gradient + weight * decay, numbers)
    new_weight = torch.add(weight, new_velocity, alpha=-lr).masked_fill(~mask, 0.0)
    return [new_weight, new_velocity]
""",
    "restart": """
def restart(initial, mask, noise, kind):
    start = initial
    if kind != "ticket":
        scale = mask.double().sum(1).rsqrt().nan_to_num(0, posinf=0)
        start = torch.einsum("u,ui->ui", scale, noise.double())
    if kind == "signs":
        start = torch.copysign(start, initial.double())
    return start.masked_fill(~mask, 0)
""",
    "remove_units": """
def remove_units(w1, b1, w2, b2):
    norms = w1.norm(dim=1), w2.norm(dim=0)
    constant = norms[0] == 0
    added = torch.einsum("ou,u->o", w2, F.relu(b1) * constant)
    kept = torch.nonzero(norms[0] * norms[1], as_tuple=True)[0]
    layers = w1.index_select(0, kept), b1.index_select(0, kept), w2.index_select(1, kept)
    return *layers, b2 + added
""",
    "file_bytes": """
import warnings


def file_bytes(weights):
    total = 0
    for w in weights:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            csr = w.to_sparse_csr()
        z, largest = csr.values().numel(), w.shape[1] - 1
        widths = [next(size for size in (1, 2, 4) if number >> 8 * size == 0) for number in (largest, z)]
        sparse = csr.values().numel() * 4 + csr.col_indices().numel() * widths[0]
        sparse += csr.crow_indices().numel() * widths[1]
        total += torch.minimum(torch.tensor(sparse), torch.tensor(4 * w.numel()))
    return total
""",
}

ALTERNATIVES = {"loops": LOOPS, "numpy": NUMPY, "torch": TORCH}
