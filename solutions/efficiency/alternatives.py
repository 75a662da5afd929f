"""Right answers to the assignment `efficiency` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

LOOPS = {  # plain Python wherever it will do, nothing in place, lists and Python numbers
    "separable": """
def separable(x, depthwise, pointwise, stride):
    inputs, m, k, _ = depthwise.shape
    y = 0
    for i in range(inputs):
        for j in range(m):
            h = F.conv2d(x[:, i : i + 1], depthwise[i, j][None, None], stride=stride, padding=(k - 1) // 2)
            y = y + pointwise[:, i, j][None, :, None, None] * h
    return y
""",
    "costs": """
def costs(inputs, outputs, k, m, size, stride, padding):
    places = 1
    for side in size:
        places *= len(range(0, side + 2 * padding - k + 1, stride))
    full = separable = 0
    for i in range(inputs):
        separable += m * k**2
        for o in range(outputs):
            full += k**2
            separable += m
    return [full, full * places, separable, separable * places]
""",
    "multiplier_needed": """
def multiplier_needed(weight, tolerance):
    needed = 0
    for i in range(weight.shape[1]):
        matrix = torch.stack([weight[o, i].reshape(-1) for o in range(weight.shape[0])])
        values = torch.linalg.svd(matrix)[1].tolist()
        needed = max(needed, sum(v > tolerance * values[0] for v in values))
    return needed
""",
    "factor": """
def factor(weight, error):
    M, N = weight.shape
    u, s, v = torch.linalg.svd(weight, full_matrices=False)
    for K in range(1, len(s) + 1):
        U, V = u[:, :K] @ torch.diag(s[:K]), v[:K, :]
        if (weight - U @ V).norm() <= error * weight.norm() + 1e-7 * weight.norm():
            break
    if U.numel() + V.numel() >= M * N:
        return None
    return [U, V]
""",
    "exits_of": """
def exits_of(outputs, threshold):
    E, n, C = outputs.shape
    leave = []
    for i in range(n):
        for e in range(E):
            q = outputs[e, i].softmax(0).tolist()
            H = -sum(p * math.log(p) for p in q if p > 0) / math.log(C)
            if H <= threshold:
                break
        leave.append(e)
    return leave
""",
    "measured": """
def measured(outputs, y, exits, stages, heads):
    right, spent = 0, 0
    for i, e in enumerate(exits.tolist()):
        right += int(outputs[e, i].argmax()) == int(y[i])
        spent += sum(stages[: e + 1]) + sum(heads[: e + 1])
    return [right / len(y), spent / len(y)]
""",
    "choose": """
def choose(thresholds, accuracies, macs, budget, slack):
    best = None
    for a, c in zip(accuracies, macs):
        if c <= budget and (best is None or a > best):
            best = a
    answer, cheapest = None, float("inf")
    for t, a, c in zip(thresholds, accuracies, macs):
        if c <= budget and a >= best - slack and c < cheapest:
            answer, cheapest = t, c
    return answer
""",
    "joint_loss": """
def joint_loss(outputs, y, alpha):
    with torch.no_grad():
        p = torch.softmax(outputs[-1], dim=1)
    n = len(y)
    total = -outputs[-1].log_softmax(1)[range(n), y].sum() / n
    for z in outputs[:-1]:
        log_q = z - torch.log(torch.exp(z).sum(1)).reshape(-1, 1)
        total = total - (1 - alpha) * log_q[range(n), y].sum() / n
        for c in range(z.shape[1]):
            total = total - alpha * (p[:, c] * log_q[:, c]).sum() / n
    return total
""",
    "slim_layer": """
def slim_layer(x, weight, gain, shift, statistics):
    u, a = len(gain), x.size(1)
    z = torch.matmul(x, torch.transpose(weight, 0, 1)[:a, :u])
    if statistics is None:
        mu = z.sum(0) / len(z)
        v = ((z - mu) ** 2).sum(0) / len(z)
    else:
        mu, v = statistics
    h = gain * (z - mu) / torch.sqrt(v + EPS) + shift
    return [torch.clamp(h, min=0), mu, v]
""",
}

NUMPY = {  # numpy and float64 where no gradient is needed; F.batch_norm where one is
    "separable": """
def separable(x, depthwise, pointwise, stride):
    D, P, k = depthwise.numpy().astype(float), pointwise.numpy().astype(float), depthwise.shape[-1]
    r = k // 2
    image = np.pad(x.numpy().astype(float), ((0, 0), (0, 0), (r, r), (r, r)))
    windows = np.lib.stride_tricks.sliding_window_view(image, (k, k), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nihwab,ijab,oij->nohw", windows, D, P)
""",
    "costs": """
def costs(inputs, outputs, k, m, size, stride, padding):
    places = np.prod(np.floor((np.array(size) + 2 * padding - k) / stride) + 1)
    weights = np.array([inputs * outputs * k**2, inputs * m * (k**2 + outputs)])
    return weights[0], weights[0] * places, weights[1], weights[1] * places
""",
    "multiplier_needed": """
def multiplier_needed(weight, tolerance):
    O, I = weight.shape[:2]
    matrices = weight.double().numpy().transpose(1, 0, 2, 3).reshape(I, O, -1)
    values = np.linalg.svd(matrices, compute_uv=False)
    return (values > tolerance * values.max(1, keepdims=True)).sum(1).max()
""",
    "factor": """
def factor(weight, error):
    W = weight.double().numpy()
    u, s, v = np.linalg.svd(W, full_matrices=False)
    kept = np.cumsum(s**2)
    K = int(np.argmax(kept >= (1 - error**2) * kept[-1])) + 1
    if K >= W.size / sum(W.shape):
        return None
    return W @ v[:K].T, v[:K]
""",
    "exits_of": """
def exits_of(outputs, threshold):
    z = outputs.numpy().astype(np.float64)
    q = np.exp(z - z.max(2, keepdims=True))
    q /= q.sum(2, keepdims=True)
    H = -np.where(q > 0, q * np.log(np.where(q > 0, q, 1)), 0).sum(2) / np.log(z.shape[2])
    sure = np.vstack([H[:-1] <= threshold, np.ones((1, z.shape[1]), bool)])
    return sure.argmax(0)
""",
    "measured": """
def measured(outputs, y, exits, stages, heads):
    e = exits.numpy()
    answers = outputs.numpy().argmax(2)[e, np.arange(len(e))]
    prices = np.cumsum(np.array(stages) + np.array(heads))
    return (answers == y.numpy()).mean(), prices[e].mean()
""",
    "choose": """
def choose(thresholds, accuracies, macs, budget, slack):
    t, a, c = (np.array(values, dtype=float) for values in (thresholds, accuracies, macs))
    a = np.where(c <= budget, a, -np.inf)
    if np.isinf(a.max()):
        return None
    return t[np.where(a >= a.max() - slack, c, np.inf).argmin()]
""",
    "joint_loss": """
def joint_loss(outputs, y, alpha):
    outputs = [z.double() for z in outputs]
    classes = outputs[-1].shape[1]
    truth = F.one_hot(y, classes).double()
    targets = [(1 - alpha) * truth + alpha * outputs[-1].softmax(1).detach() for _ in outputs[:-1]] + [truth]
    return sum(F.cross_entropy(z, t) for z, t in zip(outputs, targets)).reshape(1)
""",
    "slim_layer": """
def slim_layer(x, weight, gain, shift, statistics):
    z = F.linear(x.double(), weight[: gain.shape[0], : x.shape[1]].double())
    gain, shift = gain.double(), shift.double()
    if statistics is None:
        h = F.batch_norm(z, None, None, gain, shift, training=True, eps=EPS)
        return h.relu(), z.mean(0), z.var(0, unbiased=False)
    mean, variance = (t.double() for t in statistics)
    return F.batch_norm(z, mean, variance, gain, shift, training=False, eps=EPS).relu(), mean, variance
""",
}

OTHER = {  # other library calls: unfold, einsum, matrix_rank, eigenvalues, torch.func, sorting
    "separable": """
def separable(x, depthwise, pointwise, stride):
    k = depthwise.shape[-1]
    full = torch.einsum("oij,ijab->oiab", pointwise, depthwise)
    return torch.nn.functional.conv2d(x, full, stride=(stride, stride), padding=(k - 1) // 2)
""",
    "costs": """
def costs(inputs, outputs, k, m, size, stride, padding):
    image = torch.zeros(1, 1, *size)
    places = F.conv2d(image, torch.zeros(1, 1, k, k), stride=stride, padding=padding).numel()
    full = torch.zeros(outputs, inputs, k, k).numel()
    apart = torch.zeros(inputs, m, k, k).numel() + torch.zeros(outputs, inputs, m).numel()
    return torch.tensor(full), torch.tensor(full * places), float(apart), float(apart * places)
""",
    "multiplier_needed": """
def multiplier_needed(weight, tolerance):
    matrices = weight.permute(1, 0, 2, 3).flatten(2).double()
    return torch.linalg.matrix_rank(matrices, rtol=tolerance).amax()
""",
    "factor": """
def factor(weight, error):
    W = weight.double()
    squares, vectors = torch.linalg.eigh(W.T @ W)
    squares, vectors = squares.flip(0).clamp(min=0), vectors.flip(1)
    left_out = squares.sum() - squares.cumsum(0)
    K = int((left_out <= error**2 * squares.sum()).nonzero()[0]) + 1
    V = vectors[:, :K].T
    U = W @ V.T
    return (U.to(weight.dtype), V.to(weight.dtype)) if U.numel() + V.numel() < W.numel() else None
""",
    "exits_of": """
def exits_of(outputs, threshold):
    H = torch.distributions.Categorical(logits=outputs).entropy() / torch.tensor(float(outputs.shape[-1])).log()
    leave = torch.full((outputs.shape[1],), len(outputs) - 1)
    for e in reversed(range(len(outputs) - 1)):
        leave = torch.where(H[e] <= threshold, e, leave)
    return leave
""",
    "measured": """
def measured(outputs, y, exits, stages, heads):
    where = F.one_hot(exits, len(outputs)).bool()
    right = (outputs.argmax(2) == y).T[where].float().mean()
    passed = torch.arange(len(outputs)) <= exits[:, None]
    price = torch.tensor(stages, dtype=torch.float64) + torch.tensor(heads)
    return right, (passed * price).sum(1).mean()
""",
    "choose": """
def choose(thresholds, accuracies, macs, budget, slack):
    order = sorted(range(len(macs)), key=macs.__getitem__)
    order = [k for k in order if macs[k] <= budget]
    top = max((accuracies[k] for k in order), default=None)
    return next((thresholds[k] for k in order if top - accuracies[k] <= slack), None)
""",
    "joint_loss": """
def joint_loss(outputs, y, alpha):
    large = outputs[-1]
    p = large.detach().softmax(-1)
    hard = torch.stack([torch.nn.CrossEntropyLoss()(z, y) for z in outputs])
    if len(outputs) == 1:
        return hard[0]
    log_q = torch.stack(list(outputs[:-1])).log_softmax(-1)
    soft = -torch.einsum("nc,lnc->l", p, log_q) / len(y)
    return hard[-1] + ((1 - alpha) * hard[:-1] + alpha * soft).sum()
""",
    "slim_layer": """
def slim_layer(x, weight, gain, shift, statistics):
    rows = weight.narrow(0, 0, gain.numel()).narrow(1, 0, x.shape[1])
    z = torch.einsum("na,ua->nu", x, rows)
    mean = z.mean(dim=0) if statistics is None else statistics[0]
    variance = z.square().mean(0) - z.mean(0).square() if statistics is None else statistics[1]
    factor = gain * torch.rsqrt(variance.clamp(min=0) + EPS)
    return torch.where((h := factor * z + (shift - factor * mean)) > 0, h, torch.zeros_like(h)), mean, variance
""",
}

ALTERNATIVES = {"loops": LOOPS, "numpy": NUMPY, "other": OTHER}
