"""Right answers to the assignment `gem` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

LOOPS = {  # plain Python wherever it will do; .backward() and .grad; lists of indices
    "choose": """
def choose(y, n, seed):
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed)).tolist()
    queues = {}
    for i in order:
        queues.setdefault(int(y[i]), []).append(i)
    chosen = []
    while len(chosen) < min(n, len(y)):
        for label in sorted(queues):
            if queues[label] and len(chosen) < n:
                chosen.append(queues[label].pop(0))
    return chosen
""",
    "old_gradients": """
def old_gradients(model, memory):
    rows = []
    for kept in memory:
        for p in model.parameters():
            p.grad = None
        log_p = model(kept.x).log_softmax(1)
        (-log_p[range(len(kept)), kept.y].sum() / len(kept)).backward()
        rows.append(flat([p.grad for p in model.parameters()]))
    return torch.stack(rows)
""",
    "objections": """
def objections(g, G, tolerance):
    found = []
    for k in range(len(G)):
        length = float(g.norm()) * float(G[k].norm())
        if length > 0 and float(G[k] @ g) < -tolerance * length:
            found.append((float(G[k] @ g) / length, k))
    return [k for _, k in sorted(found)]
""",
    "project_one": """
def project_one(g, b, least):
    if not b.any():
        return g
    v = max(0.0, (least - float(g @ b)) / float(b @ b))
    return torch.stack([x + v * y for x, y in zip(g, b)])
""",
    "pushes": """
def pushes(K, s, gamma):
    t, K, s = len(s), K.tolist(), s.tolist()
    v = [float(gamma)] * t
    for _ in range(10_000):
        change = 0.0
        for k in range(t):
            if K[k][k] == 0:
                continue
            others = sum(K[k][j] * v[j] for j in range(t) if j != k)
            new = max(gamma, -(s[k] + others) / K[k][k])
            change = max(change, abs(new - v[k]))
            v[k] = new
        if change < 1e-7:
            break
    return torch.tensor(v)
""",
    "corrected": """
def corrected(g, G, v):
    new = g.clone()
    for k in range(len(G)):
        new += v[k] * G[k]
    lowest, idle = 1.0, 0.0
    for k in range(len(G)):
        length = float(G[k].norm() * new.norm())
        lowest = min(lowest, float(G[k] @ new) / length if length else 0.0)
        idle = max(idle, abs(float(v[k]) * float(G[k] @ new)))
    return [new, lowest, idle]
""",
    "averaged": """
def averaged(g, G, sizes):
    ref = torch.zeros_like(g)
    for n, row in zip(sizes, G):
        ref += n * row
    ref /= sum(sizes)
    if torch.dot(g, ref) >= 0:
        return g
    return g - torch.dot(g, ref) / torch.dot(ref, ref) * ref
""",
    "enough": """
def enough(sizes, table):
    rows = dict(zip(sizes, table.tolist()))
    means = {n: sum(row) / len(row) for n, row in rows.items()}
    best = max(means, key=means.get)
    S = len(rows[best])
    variance = sum((a - means[best]) ** 2 for a in rows[best]) / (S - 1)
    for n in sorted(rows):
        if means[n] >= means[best] - (variance / S) ** 0.5:
            return n
""",
}

NUMPY = {  # numpy and scipy, float64 results
    "choose": """
def choose(y, n, seed):
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed)).numpy()
    labels, ranks = y.numpy()[order], np.zeros(len(y), dtype=int)
    for label in np.unique(labels):
        ranks[labels == label] = np.arange((labels == label).sum())
    return order[np.lexsort((labels, ranks))][:n]
""",
    "old_gradients": """
def old_gradients(model, memory):
    copied = copy.deepcopy(model).double()
    rows = []
    for kept in memory:
        loss = torch.nn.CrossEntropyLoss()(copied(kept.x.double()), kept.y)
        gradient = torch.autograd.grad(loss, list(copied.parameters()))
        rows.append(np.concatenate([part.numpy().ravel() for part in gradient]))
    return np.stack(rows)
""",
    "objections": """
def objections(g, G, tolerance):
    g, G = g.double().numpy(), G.double().numpy()
    lengths = np.linalg.norm(G, axis=1) * np.linalg.norm(g)
    cosines = np.divide(G @ g, lengths, out=np.zeros(len(G)), where=lengths > 0)
    found = np.flatnonzero(cosines < -tolerance)
    return found[np.argsort(cosines[found])]
""",
    "project_one": """
def project_one(g, b, least):
    g, b = g.double(), b.double()
    if g @ b >= least or b.norm() == 0:
        return g
    unit = b / b.norm()
    return g - (g @ unit) * unit + least / b.norm() * unit
""",
    "pushes": """
def pushes(K, s, gamma):
    # the bound of u = v - gamma is 0, and then it is a small non-negative least squares problem
    from scipy.optimize import nnls

    K, s = K.double().numpy(), s.double().numpy()
    values, vectors = np.linalg.eigh(K)
    root = np.sqrt(np.maximum(values, 1e-9 * values.max()))
    A = root[:, None] * vectors.T
    u, _ = nnls(A, vectors.T @ -(s + gamma * K.sum(1)) / root)
    return u + gamma
""",
    "corrected": """
def corrected(g, G, v):
    g, G, v = g.double().numpy(), G.double().numpy(), v.double().numpy()
    new = g + G.T @ v
    products = G @ new
    lengths = np.linalg.norm(G, axis=1) * np.linalg.norm(new)
    cosines = np.divide(products, lengths, out=np.zeros(len(G)), where=lengths > 0)
    return torch.from_numpy(new), cosines.min(), np.abs(v * products).max()
""",
    "averaged": """
def averaged(g, G, sizes):
    g, ref = g.double().numpy(), np.average(G.double().numpy(), axis=0, weights=sizes)
    return g - min(0.0, g @ ref) / (ref @ ref) * ref
""",
    "enough": """
def enough(sizes, table):
    sizes, table = np.array(sizes), table.double().numpy()
    means, best = table.mean(1), table.mean(1).argmax()
    error = table[best].std(ddof=1) / np.sqrt(table.shape[1])
    return sizes[means >= means[best] - error].min()
""",
}

FUNCTIONAL = {  # torch.func, einsum, an active set over all subsets, everything in vectors
    "choose": """
def choose(y, n, seed):
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    same = y[order][:, None] == y[order][None]
    ranks = same.tril(-1).sum(1)
    keys = ranks * (int(y.max()) + 1) + y[order]
    return order[keys.argsort(stable=True)[:n]].sort().values
""",
    "old_gradients": """
from torch.func import functional_call, grad


def old_gradients(model, memory):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters, x, y):
        return F.cross_entropy(functional_call(model, parameters, (x,)), y)

    return torch.stack([flat(grad(loss)(parameters, kept.x, kept.y).values()) for kept in memory])
""",
    "objections": """
def objections(g, G, tolerance):
    cosines = F.cosine_similarity(G, g.expand_as(G), dim=1)
    object_ = (cosines < -tolerance).nonzero().squeeze(1)
    return tuple(object_[cosines[object_].sort().indices].tolist())
""",
    "project_one": """
def project_one(g, b, least):
    v = torch.relu(least - torch.einsum("p,p->", g, b)) / (b**2).sum().clamp(min=1e-30)
    return torch.lerp(g, g + b, v) if b.any() else g.clone()
""",
    "pushes": """
import itertools


def pushes(K, s, gamma):
    # for every set of tasks above the bound: balance them, and look whether all signs are right
    K, s, t = K.double(), s.double(), len(s)
    best, lowest = None, float("inf")
    for free in itertools.product((False, True), repeat=t):
        free = torch.tensor(free)
        v = torch.full((t,), float(gamma), dtype=torch.float64)
        A = K[free][:, free]
        v[free] = -torch.linalg.pinv(A, hermitian=True) @ (s + K @ torch.where(free, 0, v))[free]
        value = v @ K @ v / 2 + s @ v
        if (v >= gamma - 1e-9).all() and value < lowest - 1e-12:
            best, lowest = v, value
    return best
""",
    "corrected": """
def corrected(g, G, v):
    new = torch.addmv(g, G.T, v)
    return (
        new,
        F.cosine_similarity(G, new[None]).amin(),
        torch.linalg.vector_norm(torch.einsum("k,kp,p->k", v, G, new), ord=torch.inf),
    )
""",
    "averaged": """
def averaged(g, G, sizes):
    weights = torch.as_tensor(sizes, dtype=torch.float64)
    ref = ((weights / weights.sum())[:, None] * G.double()).sum(0)
    unit = F.normalize(ref, dim=0)
    return g.double() - (g.double() @ unit).clamp(max=0) * unit
""",
    "enough": """
def enough(sizes, table):
    deviation, mean = torch.std_mean(table.double(), dim=1)
    best = mean.argmax()
    good = mean >= mean[best] - deviation[best] / table.shape[1] ** 0.5
    return torch.tensor(sizes)[good].amin()
""",
}

ALTERNATIVES = {"loops": LOOPS, "numpy": NUMPY, "functional": FUNCTIONAL}
