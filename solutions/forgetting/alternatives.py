"""Right answers to the assignment `forgetting` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

LOOPS = {  # plain Python wherever it will do; changes in place; .tolist()
    "add_row": """
def add_row(R, i, predictions, labels, task):
    for j in range(1, R.shape[1] + 1):
        images = right = 0
        for p, y, t in zip(predictions.tolist(), labels.tolist(), task.tolist()):
            if t == j:
                images += 1
                right += p == y
        R[i, j - 1] = right / images if images else float("nan")
    return R
""",
    "plan": """
def plan(sizes, i, joint, batch, seed):
    tasks = range(1, i + 1) if joint else [i]
    pairs = [[t, k] for t in tasks for k in range(sizes[t - 1])]
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed))
    batches, now = [], []
    for k in order.tolist():
        now.append(pairs[k])
        if len(now) == batch:
            batches.append(now)
            now = []
    if now:
        batches.append(now)
    return batches
""",
    "learn": """
def learn(model, data, schedule, lr):
    networks = [copy.deepcopy(model)]
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for batches in schedule:
        for batch in batches:
            x, y = [], []
            for t, k in batch.tolist():
                x.append(data[t - 1].x[k])
                y.append(data[t - 1].y[k])
            optimizer.zero_grad()
            loss = F.cross_entropy(model(torch.stack(x)), torch.stack(y))
            loss.backward()
            optimizer.step()
        networks.append(copy.deepcopy(model))
    return networks
""",
    "accuracy_so_far": """
def accuracy_so_far(R, counts):
    rows = [row for row in R.tolist() if row[0] == row[0]]
    t = len(rows) - 1
    images = right = 0.0
    for j in range(t):
        images += float(counts[j])
        right += float(counts[j]) * rows[-1][j]
    return sum(rows[-1][:t]) / t, right / images
""",
    "changes": """
def changes(R):
    rows = [row for row in R.tolist() if row[0] == row[0]]
    t = len(rows) - 1
    d = [rows[t][j - 1] - rows[j][j - 1] for j in range(1, t)]
    return [torch.tensor(d), sum(d) / len(d)]
""",
    "forgetting": """
def forgetting(tables):
    f = []
    for R in tables.tolist():
        T = len(R) - 1
        fallen = [max(R[l][j] for l in range(1, T)) - R[T][j] for j in range(T - 1)]
        f.append(sum(fallen) / (T - 1))
    mean = sum(f) / len(f)
    variance = sum((x - mean) ** 2 for x in f) / (len(f) - 1)
    return [mean, (variance / len(f)) ** 0.5]
""",
    "forward": """
def forward(R, k):
    T = R.shape[1]
    parts = [float(R[i - k, i - 1]) - float(R[0, i - 1]) for i in range(k + 1, T + 1)]
    return sum(parts) / (T - k)
""",
    "share": """
def share(own, low, high, least):
    bottom = sum(low.tolist()) / len(low)
    top = sum(high.tolist()) / len(high)
    if top - bottom < least:
        return torch.tensor([float("nan")] * len(own))
    return torch.tensor([(sum(a) / len(a) - bottom) / (top - bottom) for a in own.tolist()])
""",
}

NUMPY = {  # numpy and float64 wherever it will do
    "add_row": """
def add_row(R, i, predictions, labels, task):
    R, task = R.double().numpy().copy(), task.numpy()
    right = predictions.numpy() == labels.numpy()
    images = np.array([(task == j + 1).sum() for j in range(R.shape[1])])
    hits = np.array([right[task == j + 1].sum() for j in range(R.shape[1])])
    R[i] = np.where(images > 0, hits / np.maximum(images, 1), np.nan)
    return R
""",
    "plan": """
def plan(sizes, i, joint, batch, seed):
    ends = np.cumsum(sizes[:i] if joint else [sizes[i - 1]])
    order = torch.randperm(int(ends[-1]), generator=torch.Generator().manual_seed(seed)).numpy()
    block = np.searchsorted(ends, order, side="right")
    index = order - np.concatenate([[0], ends])[block]
    pairs = np.stack([block + (1 if joint else i), index], axis=1)
    return [pairs[first : first + batch] for first in range(0, len(pairs), batch)]
""",
    "learn": """
def learn(model, data, schedule, lr):
    starts = np.cumsum([0] + [len(split.y) for split in data])
    x, y = torch.cat([split.x for split in data]), torch.cat([split.y for split in data])
    networks = [model]
    for batches in schedule:
        model = copy.deepcopy(model)
        for batch in batches:
            place = torch.as_tensor(starts)[batch[:, 0] - 1] + batch[:, 1]
            log_p = model(x[place]).log_softmax(1)
            loss = -log_p[torch.arange(len(place)), y[place]].mean()
            weights = list(model.parameters())
            for p, g in zip(weights, torch.autograd.grad(loss, weights)):
                p.data = p.data - lr * g
        networks.append(model)
    return tuple(networks)
""",
    "accuracy_so_far": """
def accuracy_so_far(R, counts):
    R, counts = R.double().numpy(), counts.numpy()
    t = int(np.flatnonzero(~np.isnan(R).any(axis=1))[-1])
    return np.array([R[t, :t].mean(), np.average(R[t, :t], weights=counts[:t])])
""",
    "changes": """
def changes(R):
    R = R.double().numpy()
    t = int(np.flatnonzero(~np.isnan(R).any(axis=1))[-1])
    d = R[t, : t - 1] - np.diag(R[1:])[: t - 1]
    return d, d.mean()
""",
    "forgetting": """
def forgetting(tables):
    tables = tables.double().numpy()
    f = (tables[:, 1:-1, :-1].max(axis=1) - tables[:, -1, :-1]).mean(axis=1)
    return np.array([f.mean(), f.std(ddof=1) / np.sqrt(len(f))])
""",
    "forward": """
def forward(R, k):
    R = R.double().numpy()
    return np.diag(R[1:], k).mean() - R[0, k:].mean()
""",
    "share": """
def share(own, low, high, least):
    own, low, high = (a.double().numpy() for a in (own, low, high))
    gap = (high - low).mean()
    if not gap >= least:
        return np.full(len(own), np.nan)
    return (own - low).mean(axis=1) / gap
""",
}

FUNCTIONAL = {  # torch.func, einsum, masks; nothing in place
    "add_row": """
def add_row(R, i, predictions, labels, task):
    T = R.shape[1]
    belongs = F.one_hot(task - 1, T).double()
    new = torch.einsum("n,nt->t", (predictions == labels).double(), belongs) / belongs.sum(0)
    here = torch.arange(T + 1)[:, None] == i
    return torch.where(here, new, R.double())
""",
    "plan": """
def plan(sizes, i, joint, batch, seed):
    n = torch.tensor(sizes)
    task = torch.arange(1, len(sizes) + 1).repeat_interleave(n)
    index = torch.cat([torch.arange(size) for size in sizes])
    wanted = task <= i if joint else task == i
    pairs = torch.stack([task[wanted], index[wanted]], dim=1)
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed))
    return pairs[order].split(batch)
""",
    "learn": """
def learn(model, data, schedule, lr):
    def loss(weights, x, y):
        return F.cross_entropy(torch.func.functional_call(model, weights, (x,)), y)

    def frozen(weights):
        network = copy.deepcopy(model)
        network.load_state_dict(weights)
        return network

    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    networks = [frozen(weights)]
    for batches in schedule:
        for batch in batches:
            own = [(batch[:, 0] == t + 1, split) for t, split in enumerate(data)]
            x = torch.cat([split.x[batch[mask, 1]] for mask, split in own])
            y = torch.cat([split.y[batch[mask, 1]] for mask, split in own])
            g = torch.func.grad(loss)(weights, x, y)
            weights = {name: w - lr * g[name] for name, w in weights.items()}
        networks.append(frozen(weights))
    return networks
""",
    "accuracy_so_far": """
def accuracy_so_far(R, counts):
    t = max(i for i in range(len(R)) if not R[i].isnan().any())
    n = counts[:t].double()
    return torch.stack([R[t, :t].double().mean(), n @ R[t, :t].double() / n.sum()])
""",
    "changes": """
def changes(R):
    t = max(i for i in range(len(R)) if not R[i].isnan().any())
    j = torch.arange(1, t)
    d = R[t, j - 1].double() - R[j, j - 1].double()
    return d, d.mean().reshape(1)
""",
    "forgetting": """
def forgetting(tables):
    def one(R):
        return (R[1:-1, :-1] - R[-1, :-1]).amax(0).mean()

    f = torch.func.vmap(one)(tables.double())
    return f.mean(), torch.sqrt(f.var() / len(f))
""",
    "forward": """
def forward(R, k):
    T = R.shape[1]
    i = torch.arange(k + 1, T + 1)
    return (R[i - k, i - 1].double() - R[torch.zeros_like(i), i - 1].double()).mean()
""",
    "share": """
def share(own, low, high, least):
    means = torch.cat([low[None], high[None], own]).double().mean(1)
    gap = means[1] - means[0]
    return torch.where(gap < least, torch.nan, (means[2:] - means[0]) / gap)
""",
}

AUTODIFF = {  # sort of an engineer's: comprehensions, scatter, dictionaries of tensors, numbers as Python floats
    "add_row": """
def add_row(R, i, predictions, labels, task):
    sums = torch.zeros(2, R.shape[1] + 1)
    sums[0].scatter_add_(0, task, torch.ones(len(task)))
    sums[1].scatter_add_(0, task, (predictions == labels).float())
    new = (sums[1] / sums[0])[1:]
    return torch.cat([R[:i], new[None].to(R.dtype), R[i + 1 :]])
""",
    "plan": """
def plan(sizes, i, joint, batch, seed):
    first = 0 if joint else i - 1
    starts = [sum(sizes[first:t]) for t in range(first, i)]
    N = sum(sizes[first:i])
    order = torch.randperm(N, generator=torch.Generator().manual_seed(seed)).tolist()

    def pair(position):
        t = max(t for t, start in enumerate(starts) if start <= position)
        return (first + t + 1, position - starts[t])

    return [tuple(pair(q) for q in order[k : k + batch]) for k in range(0, N, batch)]
""",
    "learn": """
def learn(model, data, schedule, lr):
    found = [copy.deepcopy(model).double()]
    for batches in schedule:
        now = copy.deepcopy(found[-1])
        for batch in batches:
            total = 0
            for t in sorted(set(batch[:, 0].tolist())):
                own = batch[batch[:, 0] == t][:, 1]
                z, y = now(data[t - 1].x[own].double()), data[t - 1].y[own]
                total = total + F.cross_entropy(z, y, reduction="sum")
            now.zero_grad()
            (total / len(batch)).backward()
            for p in now.parameters():
                p.data -= lr * p.grad
        now.zero_grad()
        found.append(now)
    return [network.float() for network in found]
""",
    "accuracy_so_far": """
def accuracy_so_far(R, counts):
    t = len(R) - 1
    while R[t].isnan().any():
        t -= 1
    learned, weights = R[t].double()[:t], counts.double()[:t]
    return (learned.sum() / t).item(), torch.dot(learned, weights / weights.sum()).item()
""",
    "changes": """
def changes(R):
    t = len(R) - 1
    while R[t].isnan().any():
        t -= 1
    square = R[1 : t + 1, :t].double()
    d = (square - torch.diag(square))[-1, :-1]
    return d.tolist(), d.mean().item()
""",
    "forgetting": """
def forgetting(tables):
    S, rows, T = tables.shape
    best = tables.double()[:, 1:T].sort(dim=1).values[:, -1, : T - 1]
    f = (best - tables.double()[:, T, : T - 1]).sum(1) / (T - 1)
    return f.mean().item(), float(np.std(f.tolist(), ddof=1) / S**0.5)
""",
    "forward": """
def forward(R, k):
    above = (R[1:] - R[0]).triu(k).tril(k)
    return (above.sum() / (R.shape[1] - k)).item()
""",
    "share": """
def share(own, low, high, least):
    bottom, top = low.mean().item(), high.mean().item()
    return [(a - bottom) / (top - bottom) if top - bottom >= least else math.nan for a in own.mean(1).tolist()]
""",
}

ALTERNATIVES = {
    "plain loops": LOOPS,
    "numpy in double precision": NUMPY,
    "torch.func and einsum": FUNCTIONAL,
    "scatter, comprehensions and Python numbers": AUTODIFF,
}
