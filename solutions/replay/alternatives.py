"""Right answers to the assignment `replay` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

LOOPS = {  # plain Python wherever it will do
    "reservoir": """
import math


def reservoir(kept, seen, new, size, u):
    for i in range(len(new)):
        seen += 1
        if len(kept) < size:
            kept += [new[i]]
            continue
        place = math.floor(u[i] * seen)
        if place in range(size):
            kept[place] = new[i]
    return [kept, seen]
""",
    "places": """
def places(available, size):
    if sum(available) <= size:
        return tuple(available)
    full = 0
    while sum(min(n, full + 1) for n in available) <= size:
        full += 1
    given = [min(n, full) for n in available]
    for k, n in enumerate(available):
        if sum(given) < size and n > full:
            given[k] += 1
    return tuple(given)
""",
    "weights": """
def weights(from_memory, r):
    flags = from_memory.tolist()
    old, new = flags.count(True), flags.count(False)
    result = []
    for flag in flags:
        if not old or not new:
            result.append(1 / len(flags))
        elif flag:
            result.append((1 - r) / old)
        else:
            result.append(r / new)
    return torch.tensor(result)
""",
    "masked_losses": """
def masked_losses(z, y, seen):
    own = torch.stack([row[label] for row, label in zip(z, y)])
    below = 0
    for c in seen:
        below = below + torch.exp(z[:, c] - own)
    return torch.log(below)
""",
    "distilled": """
def distilled(z, z_old, groups, T):
    total = torch.zeros(len(z))
    for group in groups:
        below = [sum(torch.exp(one[:, c] / T) for c in group) for one in (z_old, z)]
        for c in group:
            p, q = (torch.exp(one[:, c] / T) / b for one, b in zip((z_old, z), below))
            total = total + T * T * p * (p.log() - q.log())
    return total
""",
    "herd": """
def herd(features, taken, m):
    rows = [row / max(row.norm(), torch.tensor(1e-12)) for row in features]
    mean, used, chosen = sum(rows) / len(rows), list(taken), []
    for _ in range(m):
        best, smallest = None, None
        for i in range(len(rows)):
            if i in used:
                continue
            together = sum((rows[j] for j in used), rows[i]) / (len(used) + 1)
            distance = float((mean - together).norm())
            if best is None or distance < smallest:
                best, smallest = i, distance
        if best is None:
            break
        used.append(best)
        chosen.append(best)
    return chosen
""",
    "nearest": """
def nearest(features, exemplars, labels):
    groups = {}
    for x, label in zip(exemplars, labels.tolist()):
        groups.setdefault(label, []).append(x / x.norm())
    means = {label: sum(rows) / len(rows) for label, rows in groups.items()}
    means = {label: mean / mean.norm() for label, mean in means.items()}
    # the lengths of the images themselves do not change which mean is nearest
    return [max(means, key=lambda label: float(x @ means[label])) for x in features]
""",
    "answered": """
def answered(answers, y, groups):
    where = {label: k for k, group in enumerate(groups) for label in group}
    counts = torch.zeros(len(groups), len(groups))
    for a, b in zip(answers.tolist(), y.tolist()):
        counts[where[b], where[a]] += 1
    return counts / counts.sum(1)[:, None]
""",
    "memory_for": """
import math


def memory_for(sizes, accuracies, goal):
    points = list(zip(sizes, accuracies))
    if points[0][1] >= goal:
        return points[0][0]
    for (s1, a1), (s2, a2) in zip(points, points[1:]):
        if a1 < goal <= a2:
            f = (goal - a1) / (a2 - a1)
            return math.exp((1 - f) * math.log(s1) + f * math.log(s2))
    return math.inf
""",
}

NUMPY = {  # arrays where no gradient is asked for
    "reservoir": """
def reservoir(kept, seen, new, size, u):
    t = seen + 1 + np.arange(len(new))
    place = np.where(t <= size, t - 1, np.floor(np.asarray(u) * t).astype(int))
    memory = np.full(size, -1)
    memory[: len(kept)] = kept
    for p, example in zip(place, new):
        if p < size:
            memory[p] = example
    return memory[: min(t[-1], size)], t[-1]
""",
    "places": """
def places(available, size):
    available = np.array(available)
    rounds = np.concatenate([np.arange(n) for n in available])
    classes = np.repeat(np.arange(len(available)), available)
    first = np.lexsort((classes, rounds))[:size]
    return np.bincount(classes[first], minlength=len(available))
""",
    "weights": """
def weights(from_memory, r):
    old = np.asarray(from_memory)
    if old.all() or not old.any():
        return np.ones(len(old)) / len(old)
    return r * ~old / (~old).sum() + (1 - r) * old / old.sum()
""",
    "masked_losses": """
def masked_losses(z, y, seen):
    columns = torch.from_numpy(np.asarray(seen))
    position = (y[:, None] == columns[None]).int().argmax(1)
    return F.nll_loss(F.log_softmax(z[:, columns], 1), position, reduction="none")
""",
    "distilled": """
def distilled(z, z_old, groups, T):
    parts = [
        F.kl_div(
            F.log_softmax(z[:, g] / T, 1), F.softmax(z_old[:, g] / T, 1), reduction="none"
        ).sum(1)
        for g in groups
    ]
    return torch.stack(parts).sum(0) * T**2
""",
    "herd": """
def herd(features, taken, m):
    x = features.numpy().astype(np.float64)
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    mean, chosen, left = x.mean(0), list(taken), [i for i in range(len(x)) if i not in taken]
    while left and len(chosen) - len(taken) < m:
        means = (x[chosen].sum(0) + x[left]) / (len(chosen) + 1)
        chosen.append(left.pop(int(((means - mean) ** 2).sum(1).argmin())))
    return np.array(chosen[len(taken) :], dtype=np.int64)
""",
    "nearest": """
def nearest(features, exemplars, labels):
    def unit(v):
        return v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-12)

    labels = labels.numpy()
    known, which = np.unique(labels, return_inverse=True)
    means = np.zeros((len(known), exemplars.shape[1]))
    np.add.at(means, which, unit(exemplars.numpy().astype(float)))
    apart = unit(features.numpy().astype(float))[:, None] - unit(means)[None]
    return known[np.linalg.norm(apart, axis=2).argmin(1)]
""",
    "answered": """
def answered(answers, y, groups):
    shares = np.empty((len(groups), len(groups)))
    for j, own in enumerate(groups):
        said = answers.numpy()[np.isin(y.numpy(), own)]
        shares[j] = [np.isin(said, other).mean() for other in groups]
    return shares
""",
    "memory_for": """
def memory_for(sizes, accuracies, goal):
    good = np.flatnonzero(np.array(accuracies) >= goal)
    if not len(good):
        return np.inf
    k = good[0]
    if k == 0:
        return np.float64(sizes[0])
    return np.exp(np.interp(goal, accuracies[k - 1 : k + 1], np.log(sizes[k - 1 : k + 1])))
""",
}

VECTORS = {  # float64, einsum, no loop where it can be avoided
    "reservoir": """
def reservoir(kept, seen, new, size, u):
    t = torch.arange(seen, seen + len(new)) + 1
    place = torch.where(t > size, (torch.tensor(u, dtype=torch.float64) * t).long(), t - 1)
    memory = dict(enumerate(kept))
    memory |= {p: x for p, x in zip(place.tolist(), new, strict=True) if p < size}
    return torch.tensor([memory[p] for p in sorted(memory)]), torch.tensor(seen + len(new))
""",
    "places": """
def places(available, size):
    available = torch.tensor(available)
    turn = torch.arange(1, int(available.max()) + 1)[:, None]
    round_ = (turn <= available).long()  # a row for each round
    order = round_.flatten().cumsum(0).view_as(round_)
    return (round_ * (order <= size)).sum(0)
""",
    "weights": """
def weights(from_memory, r):
    kinds = torch.stack([~from_memory, from_memory]).double()
    shares = torch.tensor([r, 1 - r], dtype=torch.float64) * kinds.any(1)
    shares = shares / shares.sum()
    return torch.einsum("k,kn->n", shares / kinds.sum(1).clamp(min=1), kinds)
""",
    "masked_losses": """
def masked_losses(z, y, seen):
    logits = z.double()
    label = torch.einsum("nk,nk->n", logits, F.one_hot(y, z.shape[1]).double())
    return torch.logsumexp(logits[:, seen], 1) - label
""",
    "distilled": """
def distilled(z, z_old, groups, T):
    member = torch.zeros(len(groups), z.shape[1], dtype=torch.bool)
    for k, group in enumerate(groups):
        member[k, group] = True

    def log_probabilities(logits):
        logits = (logits.double() / T)[:, None]
        below = logits.masked_fill(~member, -torch.inf).logsumexp(2, keepdim=True)
        return logits - below

    p, q = log_probabilities(z_old), log_probabilities(z)
    return T * T * torch.einsum("ngk,gk->n", p.exp() * (p - q), member.double())
""",
    "herd": """
def herd(features, taken, m):
    x = F.normalize(features.double(), dim=1)
    gram, target = x @ x.T, x @ x.mean(0)
    used = torch.zeros(len(x), dtype=torch.bool)
    used[taken] = True
    order, m = [], min(m, int((~used).sum()))
    for n in range(int(used.sum()) + 1, int(used.sum()) + m + 1):
        # the squared distance of the means, without what is the same for all
        inner = 2 * gram[:, used].sum(1) + gram.diagonal()
        score = inner / n**2 - 2 * target / n
        score[used] = torch.inf
        order.append(score.argmin())
        used[order[-1]] = True
    return torch.stack(order) if order else torch.zeros(0, dtype=torch.long)
""",
    "nearest": """
def nearest(features, exemplars, labels):
    known, which = torch.unique(labels, return_inverse=True)
    unit = exemplars.double() / exemplars.double().norm(dim=1, keepdim=True)
    means = torch.zeros(len(known), unit.shape[1]).double().index_add(0, which, unit)
    cosines = F.cosine_similarity(features.double()[:, None], means[None], dim=2)
    return known[cosines.argmax(1)]
""",
    "answered": """
def answered(answers, y, groups):
    group = torch.zeros(1 + max(map(max, groups)), dtype=torch.long)
    for k, labels in enumerate(groups):
        group[labels] = k
    true, said = (F.one_hot(group[v], len(groups)).double() for v in (y, answers))
    return torch.einsum("nj,nk->jk", true, said) / true.sum(0)[:, None]
""",
    "memory_for": """
def memory_for(sizes, accuracies, goal):
    s, a = (torch.tensor(v, dtype=torch.float64) for v in (sizes, accuracies))
    good = (a >= goal).nonzero()
    if not len(good):
        return torch.tensor(torch.inf)
    k = int(good[0])
    if k == 0:
        return s[:1]
    return torch.lerp(s[k - 1].log(), s[k].log(), (goal - a[k - 1]) / (a[k] - a[k - 1])).exp()
""",
}

ALTERNATIVES = {"loops": LOOPS, "numpy": NUMPY, "vectors": VECTORS}
