"""Right answers to the assignment `distillation` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

LIBRARY = {  # torch's own losses with their arguments, torch.func, masks by multiplication
    "log_soft": """
def log_soft(logits, T):
    if T == 0:
        top = logits.max(dim=-1, keepdim=True).values
        ties = logits == top
        return torch.where(ties, -ties.sum(-1, keepdim=True).log(), -torch.inf)
    if T == float("inf"):
        return torch.zeros_like(logits).log_softmax(-1)
    return F.log_softmax(logits / T, dim=-1)
""",
    "distillation_loss": """
def distillation_loss(z, v, y, T, w):
    soft = F.kl_div(
        F.log_softmax(z / T, 1), F.log_softmax(v / T, 1), reduction="batchmean", log_target=True
    )
    labels = int((y != -1).sum())
    hard = F.cross_entropy(z, y, ignore_index=-1, reduction="sum") / max(labels, 1)
    return (1 - w) * hard + w * T * T * soft
""",
    "logit_gradient": """
def logit_gradient(z, v, y, T, w):
    n, K = z.shape
    mask = (y >= 0).float()
    ones = F.one_hot(y.clamp(min=0), K).float()
    hard = mask[:, None] * (F.softmax(z, 1) - ones) / mask.sum().clamp(min=1)
    soft = T * (F.softmax(z / T, 1) - F.softmax(v / T, 1)) / n
    return (1 - w) * hard + w * soft
""",
    "together": """
def together(logits, counts, T, how):
    a = counts.float() / counts.sum()
    if how == "probabilities":
        log_q = F.log_softmax(logits / T, dim=-1)
        return torch.logsumexp(log_q + torch.log(a).view(-1, 1, 1), dim=0)
    return F.log_softmax(torch.einsum("m,mnk->nk", a, F.log_softmax(logits / T, dim=-1)), dim=-1)
""",
    "lookalikes": """
def lookalikes(v, y, T):
    K = v.shape[1]
    member = F.one_hot(y, K).float()
    share = member.T @ F.softmax(v / T, dim=1)
    share.fill_diagonal_(-torch.inf)
    return torch.where(member.sum(0) > 0, share.argmax(1), -1)
""",
    "raised_bias": """
def raised_bias(bias, v, u, T, r):
    log_q = torch.logsumexp(F.log_softmax(v / T, 1)[:, u], 0) - torch.log(torch.tensor(float(len(v))))
    log_odds = log_q - torch.log1p(-log_q.exp())
    wanted = torch.log(torch.tensor(r / (1 - r)))
    return bias + T * (wanted - log_odds) * F.one_hot(torch.tensor(u), len(bias))
""",
    "choose": """
def choose(accuracies, temperatures, weights):
    A, B, S = accuracies.shape
    flat = accuracies.reshape(A * B, S)
    best = flat.mean(1).argmax()
    limit = flat[best].mean() - torch.std(flat[best], correction=1) / torch.tensor(S).sqrt()
    pairs = sorted((T, w, i) for i, (T, w) in enumerate((T, w) for T in temperatures for w in weights))
    for T, w, i in pairs:
        if flat[i].mean() >= limit:
            return [T, w]
""",
}

LOOPS = {  # example by example and class by class, in float64
    "log_soft": """
def log_soft(logits, T):
    rows = logits.double().reshape(-1, logits.shape[-1])
    result = torch.empty_like(rows)
    for i, row in enumerate(rows):
        largest = row.max()
        if T == 0:
            ties = int((row == largest).sum())
            for k in range(len(row)):
                result[i, k] = -torch.log(torch.tensor(float(ties))) if row[k] == largest else -float("inf")
        else:
            s = (row - largest) / T
            result[i] = s - torch.log(torch.exp(s).sum())
    return result.reshape(logits.shape)
""",
    "distillation_loss": """
def distillation_loss(z, v, y, T, w):
    a, b = z.double() / T, v.double() / T
    total_p, total_q = torch.logsumexp(a, 1), torch.logsumexp(b, 1)
    soft = 0.0
    for k in range(z.shape[1]):
        log_p, log_q = a[:, k] - total_p, b[:, k] - total_q
        soft = soft + (torch.exp(log_q) * (log_q - log_p)).sum()
    hard, labelled = 0.0, 0
    for i, label in enumerate(y.tolist()):
        if label != -1:
            labelled += 1
            hard = hard + torch.logsumexp(z[i].double(), 0) - z[i, label].double()
    if labelled > 0:
        hard = hard / labelled
    return (1 - w) * hard + w * T**2 * soft / len(z)
""",
    "logit_gradient": """
def logit_gradient(z, v, y, T, w):
    n, K = z.shape
    z, v = z.double(), v.double()
    labelled = sum(1 for label in y.tolist() if label != -1)
    result = torch.zeros(n, K, dtype=torch.float64)
    for i in range(n):
        p, q = torch.softmax(z[i] / T, 0), torch.softmax(v[i] / T, 0)
        for k in range(K):
            result[i, k] = w * T * (p[k] - q[k]) / n
        if int(y[i]) != -1:
            hard = torch.softmax(z[i], 0)
            hard[int(y[i])] -= 1
            result[i] += (1 - w) * hard / labelled
    return result
""",
    "together": """
def together(logits, counts, T, how):
    total = sum(float(N) for N in counts)
    M, n, K = logits.shape
    rows = []
    for i in range(n):
        if how == "logits":
            mean = sum(float(counts[m]) / total * logits[m, i].double() for m in range(M)) / T
            rows.append(mean - torch.logsumexp(mean, 0))
        else:
            terms = []
            for m in range(M):
                if counts[m] > 0:
                    s = logits[m, i].double() / T
                    share = torch.tensor(float(counts[m]) / total, dtype=torch.float64)
                    terms.append(s - torch.logsumexp(s, 0) + torch.log(share))
            rows.append(torch.logsumexp(torch.stack(terms), 0))
    return torch.stack(rows)
""",
    "lookalikes": """
def lookalikes(v, y, T):
    K, result = v.shape[1], []
    for c in range(K):
        images = [torch.softmax(v[i].double() / T, 0) for i in range(len(v)) if int(y[i]) == c]
        if not images:
            result.append(-1)
            continue
        mean = sum(images) / len(images)
        others = [k for k in range(K) if k != c]
        result.append(max(others, key=lambda k: mean[k].item()))
    return torch.tensor(result)
""",
    "raised_bias": """
import math


def raised_bias(bias, v, u, T, r):
    q = sum(torch.softmax(row.double() / T, 0)[u].item() for row in v) / len(v)
    new = bias.tolist()
    new[u] = new[u] + T * (math.log(r) - math.log(1 - r) - math.log(q) + math.log(1 - q))
    return torch.tensor(new)
""",
    "choose": """
import statistics


def choose(accuracies, temperatures, weights):
    runs = {}
    for i, T in enumerate(temperatures):
        for j, w in enumerate(weights):
            runs[T, w] = accuracies[i, j].tolist()
    best = max(runs.values(), key=statistics.mean)
    limit = statistics.mean(best) - statistics.stdev(best) / len(best) ** 0.5
    for pair in sorted(runs):
        if statistics.mean(runs[pair]) >= limit:
            return pair
""",
}

NUMPY = {  # numpy wherever no gradient is asked for, arguments changed in place
    "log_soft": """
import numpy as np


def log_soft(logits, T):
    v = logits.numpy().astype(np.float64)
    v -= v.max(axis=-1, keepdims=True)
    if T == 0:
        e = np.where(v == 0, 1.0, 0.0)
        with np.errstate(divide="ignore"):
            return np.log(e / e.sum(axis=-1, keepdims=True))
    v /= T
    return v - np.log(np.exp(v).sum(axis=-1, keepdims=True))
""",
    "distillation_loss": """
def distillation_loss(z, v, y, T, w):
    def log_softmax(a):
        a = a - a.max(1, keepdim=True).values
        return a - a.exp().sum(1, keepdim=True).log()

    v /= T
    log_q = log_softmax(v)
    q = log_q.exp()
    soft = -torch.einsum("nk,nk->n", q, log_softmax(z / T)) + (q * log_q).sum(1)
    rows = torch.nonzero(y + 1).squeeze(1)
    picked = log_softmax(z)[rows, y[rows]]
    hard = -picked.sum() / max(len(rows), 1)
    return hard * (1 - w) + soft.mean() * T**2 * w
""",
    "logit_gradient": """
import numpy as np


def logit_gradient(z, v, y, T, w):
    def softmax(a):
        e = np.exp(a - a.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    z, v, y = z.numpy(), v.numpy(), y.numpy()
    gradient = w * T * (softmax(z / T) - softmax(v / T)) / len(z)
    rows = np.flatnonzero(y >= 0)
    hard = softmax(z)
    hard[rows, y[rows]] -= 1
    gradient[rows] += (1 - w) * hard[rows] / max(len(rows), 1)
    return gradient
""",
    "together": """
import numpy as np


def together(logits, counts, T, how):
    v, a = logits.numpy().astype(float) / T, counts.numpy() / counts.numpy().sum()
    v -= v.max(2, keepdims=True)
    if how == "logits":
        v = np.tensordot(a, v, 1)
        v -= v.max(1, keepdims=True)
        return v - np.log(np.exp(v).sum(1, keepdims=True))
    heard = a > 0
    v = v[heard] - np.log(np.exp(v[heard]).sum(2, keepdims=True)) + np.log(a[heard])[:, None, None]
    return np.logaddexp.reduce(v, axis=0)
""",
    "lookalikes": """
import numpy as np


def lookalikes(v, y, T):
    logits, labels = v.numpy() / T, y.numpy()
    e = np.exp(logits - logits.max(1, keepdims=True))
    q = e / e.sum(1, keepdims=True)
    sums = np.zeros((q.shape[1], q.shape[1]))
    np.add.at(sums, labels, q)
    np.fill_diagonal(sums, -1)
    result = sums.argmax(1)
    result[np.bincount(labels, minlength=q.shape[1]) == 0] = -1
    return result
""",
    "raised_bias": """
import numpy as np


def raised_bias(bias, v, u, T, r):
    e = np.exp((v - v.max(1, keepdim=True).values).numpy().astype(float) / T)
    q = (e[:, u] / e.sum(1)).mean()
    b = bias.numpy()
    b[u] += T * np.log(r * (1 - q) / (q * (1 - r)))
    return b
""",
    "choose": """
import numpy as np


def choose(accuracies, temperatures, weights):
    table = accuracies.numpy()
    means = table.mean(axis=2)
    i, j = np.unravel_index(means.argmax(), means.shape)
    limit = means[i, j] - table[i, j].std(ddof=1) / np.sqrt(table.shape[2])
    Ts, ws = np.array(temperatures), np.array(weights)
    good = means >= limit
    T = Ts[good.any(axis=1)].min()
    w = ws[good[Ts == T][0]].min()
    return T, w
""",
}

FUNC = {  # torch.func, maps over examples, other formulas for the same numbers
    "log_soft": """
def log_soft(logits, T):
    if T == 0:
        gaps = logits.amax(-1, keepdim=True) - logits
        return torch.where(gaps == 0, 0.0, -torch.inf).log_softmax(-1)
    scaled = logits.div(T)
    return scaled - scaled.logsumexp(-1, keepdim=True)
""",
    "distillation_loss": """
def distillation_loss(z, v, y, T, w):
    def one(z, v, y):
        log_q = torch.log_softmax(v / T, 0)
        kl = torch.exp(log_q) @ (log_q - torch.log_softmax(z / T, 0))
        has = (y >= 0).to(z.dtype)
        return kl, -torch.log_softmax(z, 0).gather(0, y.clamp(min=0)[None]).sum() * has, has

    kl, hard, has = torch.vmap(one)(z, v, y)
    return w * T**2 * kl.mean() + (1 - w) * hard.sum() / has.sum().clamp(min=1)
""",
    "logit_gradient": """
def logit_gradient(z, v, y, T, w):
    gradient = w * T * ((z / T).softmax(1) - (v / T).softmax(1)) / z.size(0)
    chosen = torch.where(y >= 0)[0]
    for i in chosen:
        gradient[i] = gradient[i] + (1 - w) / len(chosen) * z[i].softmax(0)
        gradient[i, y[i]] -= (1 - w) / len(chosen)
    return gradient
""",
    "together": """
def together(logits, counts, T, how):
    heard = counts > 0
    v, N = logits[heard] / T, counts[heard]
    if how == "logits":
        mean = (v * N.reshape(-1, 1, 1)).sum(0) / N.sum()
        return mean - mean.logsumexp(1, keepdim=True)
    log_q = v - v.logsumexp(2, keepdim=True)
    total = log_q[0] + N[0].log()
    for one, number in zip(log_q[1:], N[1:]):
        total = torch.logaddexp(total, one + number.log())
    return total - N.sum().log()
""",
    "lookalikes": """
def lookalikes(v, y, T):
    q = torch.softmax(v / T, dim=-1)
    K = q.shape[-1]
    sums = torch.zeros(K, K).index_add(0, y, q)
    order = sums.argsort(1, descending=True)
    first, second = order[:, 0], order[:, 1]
    other = torch.where(first == torch.arange(K), second, first)
    other[torch.bincount(y, minlength=K) == 0] = -1
    return other.int()
""",
    "raised_bias": """
def raised_bias(bias, v, u, T, r):
    p = torch.softmax(v / T, dim=1).mean(dim=0)
    this, others = p[u], torch.cat([p[:u], p[u + 1 :]]).sum()
    step = torch.zeros_like(bias)
    step[u] = T * (torch.log(others / this) - torch.log(torch.tensor((1 - r) / r)))
    return step.add(bias)
""",
    "choose": """
def choose(accuracies, temperatures, weights):
    a = accuracies.double()
    means = a.mean(-1)
    errors = a.var(-1).div(a.shape[-1]).sqrt()
    best = torch.nonzero(means == means.max())[0]
    limit = means.max() - errors[tuple(best)]
    T, w = (torch.tensor(numbers, dtype=torch.float64) for numbers in (temperatures, weights))
    T, w = torch.meshgrid(T, w, indexing="ij")
    lowest = T[means >= limit].min()
    return lowest, w[(means >= limit) & (T == lowest)].min()
""",
}

ALTERNATIVES = {"library": LIBRARY, "loops": LOOPS, "numpy": NUMPY, "func": FUNC}
