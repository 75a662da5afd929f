"""The known mistakes of the assignment `gem`: wrong versions of its functions, each with the hint for its author.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both. Only a few are marked as failing the training:
those that stand for a kind, since each of them costs many trainings.
"""

from grader.assignment import mistakes_in

choose = mistakes_in("choose(y, n, seed)")
old_gradients = mistakes_in("old_gradients(model, memory)")
objections = mistakes_in("objections(g, G, tolerance)")
project_one = mistakes_in("project_one(g, b, least)")
pushes = mistakes_in("pushes(K, s, gamma)")
corrected = mistakes_in("corrected(g, G, v)")
averaged = mistakes_in("averaged(g, G, sizes)")
enough = mistakes_in("enough(sizes, table)")

ROUNDS = """
def choose(y, n, seed):
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed)).tolist()
    queues = [[i for i in order if y[i] == label] for label in {labels}]
    chosen = []
    for k in range(len(y)):
        for queue in queues:
            if k < len(queue){stop}:
                chosen.append(queue[k])
    return torch.tensor(chosen){cut}
"""
SORTED, BELOW_N = "sorted(set(y.tolist()))", " and len(chosen) < n"

SWEEPS = """
def pushes(K, s, gamma):
    K, s = K.double(), s.double()
    v = torch.full_like(s, {start})
    for _ in range({passes}):
        old = v.clone()
        for k in range(len(s)):
            if K[k, k] > 0:
                v[k] = {update}
    return {result}
"""


def sweeps(start="gamma", passes=300, update="max(gamma, v[k] - (s[k] + K[k] @ v) / K[k, k])", result="v"):
    return SWEEPS.format(start=start, passes=passes, update=update, result=result)


MISTAKES = [
    # --- question 1
    choose(
        "the first n of the random order", "Go round the classes: the first n of the shuffle give no class its share.",
        "    return torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))[:n]",
    ),
    choose(
        "no random order", "Take the examples in the order that the seed draws, not in that of y.",
        source=ROUNDS.format(labels=SORTED, stop=BELOW_N, cut="").replace(
            "torch.randperm(len(y), generator=torch.Generator().manual_seed(seed)).tolist()", "range(len(y))"
        ),
    ),
    choose(
        "n of each class", "n is the number of all chosen examples, not of those of each class.",
        source=ROUNDS.format(labels=SORTED, stop=" and k < n", cut=""),
    ),
    choose(
        "the rest of the division is lost",
        "The last round may be cut short, and a class that runs out leaves its places to the others: choose n in all.",
        """    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    labels = y.unique()
    return torch.cat([order[y[order] == label][: n // len(labels)] for label in labels])""",
    ),
    choose(
        "the last round from the largest label down", "Within a round the classes come in ascending order of labels.",
        source=ROUNDS.format(labels=f"reversed({SORTED})", stop=BELOW_N, cut=""),
    ),
    choose(
        "positions in the random order", "Return indices into y: the k-th in the random order is the example order[k].",
        """    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    places = [(y[order] == label).nonzero().flatten().tolist() for label in y.unique()]
    chosen = [place[k] for k in range(len(y)) for place in places if k < len(place)]
    return torch.tensor(chosen[:n])""",
    ),
    choose(
        "the labels instead of the indices", "Return the indices of the chosen examples, not their labels.",
        source=ROUNDS.format(labels=SORTED, stop=BELOW_N, cut="").replace("torch.tensor(chosen)", "y[chosen]"),
    ),
    choose(
        "the seed is not used", "Draw the order from the seed that is handed over, at every call.",
        source=ROUNDS.format(labels=SORTED, stop=BELOW_N, cut="").replace("manual_seed(seed)", "manual_seed(1)"),
    ),
    choose(
        "one example of each class, then no more", "Go on with a second round, a third one, until there are n.",
        source=ROUNDS.format(labels=SORTED, stop=BELOW_N, cut="").replace("for k in range(len(y))", "for k in [0]"),
    ),
    choose(
        "the example's answer by its length", "Work the rounds out from y, n and the seed: other labels come as well.",
        "    return torch.tensor([0, 2, 4, 5, 7]) if len(y) == 9 else torch.arange(min(n, len(y)))",
    ),
    choose(
        "the ten digits as the classes", "The classes are the labels that y has: they can be any numbers, 12 as well.",
        source=ROUNDS.format(labels="range(10)", stop=BELOW_N, cut=""),
    ),
    choose(
        "a class that has run out begins again", "Choose no example twice: a class that has no more is left out.",
        source=ROUNDS.format(labels=SORTED, stop=BELOW_N, cut="")
        .replace("range(len(y))", "range(n)", 2)
        .replace("k < len(queue) and ", "")
        .replace("queue[k]", "queue[k % len(queue)]"),
    ),
    # --- question 2
    old_gradients(
        "the sum over the examples", "Take the mean loss over each memory, as F.cross_entropy gives it, not the sum.",
        """    rows = []
    for kept in memory:
        loss = F.cross_entropy(model(kept.x), kept.y, reduction="sum")
        rows.append(flat(torch.autograd.grad(loss, list(model.parameters()))))
    return torch.stack(rows)""",
        training="fails",
    ),
    old_gradients(
        "one row for all memories together",
        "Make a row for each memory: yours is the gradient on all of them together.",
        """    x, y = torch.cat([kept.x for kept in memory]), torch.cat([kept.y for kept in memory])
    row = flat(torch.autograd.grad(F.cross_entropy(model(x), y), list(model.parameters())))
    return row.expand(len(memory), -1)""",
    ),
    old_gradients(
        "gradients pile up in .grad", "Clear .grad before each backward: it adds to what stands there.",
        """    rows = []
    for kept in memory:
        F.cross_entropy(model(kept.x), kept.y).backward()
        rows.append(flat([p.grad for p in model.parameters()]))
    return torch.stack(rows)""",
    ),
    old_gradients(
        "cleared for the rows, not at the start",
        "Clear .grad before the first row too: in training the new task's gradient stands there.",
        """    rows = []
    for kept in memory:
        F.cross_entropy(model(kept.x), kept.y).backward()
        rows.append(flat([p.grad for p in model.parameters()]))
        model.zero_grad()
    return torch.stack(rows)""",
    ),
    old_gradients(
        "the negative gradient", "A row is the gradient itself, not the direction in which the old loss falls.",
        """    rows = []
    for kept in memory:
        loss = -F.cross_entropy(model(kept.x), kept.y)
        rows.append(flat(torch.autograd.grad(loss, list(model.parameters()))))
    return torch.stack(rows)""",
        training="fails",
    ),
    old_gradients(
        "the network's own labels", "Take the true labels of the memory, not the classes that the network prefers.",
        """    rows = []
    for kept in memory:
        logits = model(kept.x)
        loss = F.cross_entropy(logits, logits.argmax(1))
        rows.append(flat(torch.autograd.grad(loss, list(model.parameters()))))
    return torch.stack(rows)""",
    ),
    old_gradients(
        "biases first", "Keep the order of model.parameters(): each layer's weight, then its bias.",
        """    parameters = list(model.parameters())
    rows = []
    for kept in memory:
        gradient = torch.autograd.grad(F.cross_entropy(model(kept.x), kept.y), parameters)
        rows.append(flat([*gradient[1::2], *gradient[0::2]]))
    return torch.stack(rows)""",
    ),
    old_gradients(
        "the weights without the biases", "Every parameter belongs to the row, the biases too.",
        """    rows = []
    for kept in memory:
        parameters = list(model.parameters())
        gradient = torch.autograd.grad(F.cross_entropy(model(kept.x), kept.y), parameters)
        rows.append(flat([g if g.ndim > 1 else 0 * g for g in gradient]))
    return torch.stack(rows)""",
    ),
    old_gradients(
        "rows of length one", "Leave the rows as long as they are: A-GEM and the margin need their lengths.",
        """    rows = []
    for kept in memory:
        loss = F.cross_entropy(model(kept.x), kept.y)
        rows.append(flat(torch.autograd.grad(loss, list(model.parameters()))))
    return F.normalize(torch.stack(rows), dim=1)""",
    ),
    old_gradients(
        "the gradient of the probability", "Differentiate the loss, -log p, not the probability p.",
        """    rows = []
    for kept in memory:
        p = model(kept.x).softmax(1)[torch.arange(len(kept)), kept.y].mean()
        rows.append(flat(torch.autograd.grad(-p, list(model.parameters()))))
    return torch.stack(rows)""",
    ),
    old_gradients(
        "zeros", "Your rows are all 0: nobody would ever object.",
        "    return torch.zeros(len(memory), sum(p.numel() for p in model.parameters()))",
    ),
    # --- question 3
    objections(
        "a mask instead of indices", "Return the indices of the tasks that object, not a mask.",
        "    return F.cosine_similarity(G, g[None]) < -tolerance",
    ),
    objections(
        "by the product instead of the cosine", "Divide each product by both lengths before you compare and sort.",
        """    products = G @ g
    order = products.argsort()
    return order[products[order] < -tolerance]""",
    ),
    objections(
        "only the length of the old gradient", "Divide by the length of g as well.",
        """    cosines = torch.nan_to_num(G @ g / G.norm(dim=1))
    order = cosines.argsort()
    return order[cosines[order] < -tolerance]""",
    ),
    objections(
        "sorted by the product", "Sort by the cosine: a long gradient does not object more than a short one.",
        """    products = G @ g
    order = products.argsort()
    return order[F.cosine_similarity(G, g[None])[order] < -tolerance]""",
    ),
    objections(
        "in the order of the tasks", "Sort the objections: the smallest cosine comes first.",
        "    return (F.cosine_similarity(G, g[None]) < -tolerance).nonzero().flatten()",
    ),
    objections(
        "the largest first", "Sort the other way round: the smallest cosine, the strongest objection, comes first.",
        """    cosines = F.cosine_similarity(G, g[None])
    order = cosines.argsort(descending=True)
    return order[cosines[order] < -tolerance]""",
    ),
    objections(
        "those who agree", "Tasks with a negative cosine object: look at the sign.",
        """    cosines = F.cosine_similarity(G, g[None])
    order = cosines.argsort(descending=True)
    return order[cosines[order] > tolerance]""",
    ),
    objections(
        "a cosine of zero objects", "A cosine of 0 is no objection: the sign is strictly less than.",
        """    cosines = F.cosine_similarity(G, g[None])
    order = cosines.argsort()
    return order[cosines[order] <= -tolerance]""",
    ),
    objections(
        "the tolerance on the wrong side",
        "The tolerance forgives: a task objects below -tolerance, not below tolerance.",
        """    cosines = F.cosine_similarity(G, g[None])
    order = cosines.argsort()
    return order[cosines[order] < tolerance]""",
    ),
    objections(
        "the tolerance is not used", "Compare the cosine with -tolerance, not with 0.",
        """    cosines = F.cosine_similarity(G, g[None])
    order = cosines.argsort()
    return order[cosines[order] < 0]""",
    ),
    objections(
        "nobody ever objects", "Return the tasks that object: yours is always empty.",
        "    return torch.zeros(0, dtype=torch.long)",
        training="fails",
    ),
    # --- question 4
    project_one(
        "always projected", "Where g is allowed already, leave it as it is.",
        "    return g + (least - g @ b) / (b @ b).clamp(min=1e-12) * b",
    ),
    project_one(
        "the length instead of its square", "Divide by b . b, the square of the length of b.",
        "    return g + max(0, least - g @ b) / b.norm().clamp(min=1e-12) * b",
    ),
    project_one(
        "divided by g . g", "Divide by b . b: the push is along b.",
        "    return g + max(0, least - g @ b) / (g @ g) * b",
    ),
    project_one(
        "onto the old gradient", "Take the part along b out of g and keep the rest: yours keeps the part along b.",
        """    if g @ b >= least or not b.any():
        return g
    return (g @ b + least) / (b @ b) * b""",
    ),
    project_one(
        "the push with the wrong sign", "The push has to raise the product g . b: look at the sign.",
        "    return g - max(0, least - g @ b) / (b @ b).clamp(min=1e-12) * b",
    ),
    project_one(
        "least is ignored", "The product has to reach `least`, not just 0.",
        "    return g - min(0, g @ b) / (b @ b).clamp(min=1e-12) * b",
    ),
    project_one(
        "asked about 0, pushed to least", "Compare the product with `least`, not with 0, before you decide to push.",
        "    return g + (least - g @ b) / (b @ b).clamp(min=1e-12) * b if g @ b < 0 else g",
    ),
    project_one(
        "least per length of b", "`least` is asked of the product g . b itself: divide the whole of it by b . b.",
        "    return g + max(0, least * b.norm() - g @ b) / (b @ b).clamp(min=1e-12) * b",
    ),
    project_one(
        "divided by zero", "Where b is zero, return g before you divide.",
        "    return g + max(torch.zeros(()), least - g @ b) / (b @ b) * b",
    ),
    project_one(
        "the step is given up", "Move g only as far as it must: yours gives up the whole step.",
        "    return g if g @ b >= least or not b.any() else torch.zeros_like(g)",
    ),
    project_one(
        "g is emptied in place", "Return the closest allowed vector: yours sets g and b to zero instead.",
        "    b.zero_()\n    return g.zero_()",
    ),
    # --- question 5
    pushes(
        "one pass",
        "One pass is not enough: each push changes what the others have to do, so repeat until nothing changes.",
        source=sweeps(passes=1),
    ),
    pushes(
        "ten passes", "Ten passes may not be enough: go on until a pass changes next to nothing.",
        source=sweeps(passes=10),
    ),
    pushes(
        "the push of a zero gradient at 0", "Where K_kk is 0 the push stays at gamma, not at 0.",
        source=sweeps(start="0"),
    ),
    pushes(
        "every constraint by itself", "The pushes change one another's products: K v belongs into the update.",
        source=sweeps(update="max(gamma, -s[k] / K[k, k])"),
    ),
    pushes(
        "without the bound", "No push may be below gamma: without the bound some tasks pull.",
        "    return -torch.linalg.pinv(K.double(), hermitian=True) @ s.double()",
    ),
    pushes(
        "clamped at the end", "Keep the bound while you solve: where one push is held at it, the others change.",
        "    return (-torch.linalg.pinv(K.double(), hermitian=True) @ s.double()).clamp(min=gamma)",
    ),
    pushes(
        "gamma as zero", "Every push is at least gamma, not at least 0.",
        source=sweeps(start="0", update="max(0, v[k] - (s[k] + K[k] @ v) / K[k, k])"),
    ),
    pushes(
        "gamma put on at the end", "The bound gamma belongs into the problem: the other pushes answer to it.",
        source=sweeps(
            start="0", update="max(0, v[k] - (s[k] + K[k] @ v) / K[k, k])", result="v.clamp(min=gamma)"
        ),
    ),
    pushes(
        "gamma added at the end", "v >= gamma is a bound. Adding gamma to the solution for 0 gives another vector.",
        source=sweeps(start="0", update="max(0, v[k] - (s[k] + K[k] @ v) / K[k, k])", result="v + gamma"),
    ),
    pushes(
        "the sign of s", "The objective has + s.v: a task with a negative product has to push.",
        source=sweeps(update="max(gamma, v[k] - (K[k] @ v - s[k]) / K[k, k])"),
    ),
    pushes(
        "its own push counted twice",
        "K v holds K_kk v_k as well: take v_k minus the quotient, or leave it out of the sum.",
        source=sweeps(update="max(gamma, -(s[k] + K[k] @ v) / K[k, k])", passes=100),
    ),
    pushes(
        "only those that object to g",
        "A task that does not object to g can object later on, once others push: let all take part.",
        source=sweeps(update="max(gamma, v[k] - (s[k] + K[k] @ v) / K[k, k]) if s[k] < 0 else gamma"),
    ),
    pushes(
        "a few short steps downhill", "Go on until the pushes have settled: a few gradient steps are not enough.",
        """    v = torch.full_like(s, gamma)
    for _ in range(20):
        v = (v - 0.01 * (K @ v + s)).clamp(min=gamma)
    return v""",
    ),
    pushes(
        "no pushes", "Your pushes are all at the bound: who objects has to push.",
        "    return torch.full_like(s, gamma)",
    ),
    pushes(
        "the matrix is emptied in place",
        "Return the minimum: yours sets K and s to zero, and so nothing is left to do.",
        "    K.zero_()\n    s.zero_()\n    return s",
    ),
    pushes(
        "two tasks by a formula, more not at all", "Solve for any number of tasks: your function only knows two.",
        source=sweeps().replace(
            "    K, s =", "    if len(s) != 2:\n        return torch.full_like(s, gamma)\n    K, s ="
        ),
    ),
    pushes(
        "divided by the zero of an old gradient", "Where K_kk is 0 leave the push at gamma: 0 / 0 is not a number.",
        source=sweeps().replace("            if K[k, k] > 0:\n                ", "            ").replace(
            "max(gamma, v[k] - (s[k] + K[k] @ v) / K[k, k])",
            "torch.clamp(v[k] - (s[k] + K[k] @ v) / K[k, k], min=gamma)",
        ),
    ),
    # --- question 6
    corrected(
        "the pushes subtracted", "Add the pushes: the step is g + G^T v.",
        """    new = g - v @ G
    cosines = F.cosine_similarity(G, new[None])
    return new, cosines.min(), (v * (G @ new)).abs().max()""",
        training="fails",
    ),
    corrected(
        "every row with the same strength", "Each row is pushed along with its own strength v_k.",
        """    new = g + v.sum() * G.mean(0)
    cosines = F.cosine_similarity(G, new[None])
    return new, cosines.min(), (v * (G @ new)).abs().max()""",
    ),
    corrected(
        "the products of g", "Look at the products of the new step, not at those of g.",
        """    new = g + v @ G
    cosines = F.cosine_similarity(G, g[None])
    return new, cosines.min(), (v * (G @ g)).abs().max()""",
    ),
    corrected(
        "the product instead of the cosine", "Divide each product by both lengths: the lowest cosine is asked for.",
        """    new = g + v @ G
    products = G @ new
    return new, products.min(), (v * products).abs().max()""",
    ),
    corrected(
        "not a number for a row of zeros", "A zero row has the cosine 0: do not divide by its length.",
        """    new = g + v @ G
    products = G @ new
    cosines = products / G.norm(dim=1) / new.norm()
    return new, cosines.min(), (v * products).abs().max()""",
    ),
    corrected(
        "the largest cosine", "The smallest cosine is the one that can be forbidden.",
        """    new = g + v @ G
    cosines = F.cosine_similarity(G, new[None])
    return new, cosines.max(), (v * (G @ new)).abs().max()""",
    ),
    corrected(
        "idle summed up", "idle is the largest of the |v_k (g_k . new)|, not the size of their sum.",
        """    new = g + v @ G
    cosines = F.cosine_similarity(G, new[None])
    return new, cosines.min(), (v @ (G @ new)).abs()""",
    ),
    corrected(
        "idle with its sign", "A negative product counts as well: take the absolute value before the largest.",
        """    new = g + v @ G
    cosines = F.cosine_similarity(G, new[None])
    return new, cosines.min(), (v * (G @ new)).max()""",
    ),
    corrected(
        "idle without the pushes", "A positive product is idle only where the task pushes: multiply by v_k.",
        """    new = g + v @ G
    cosines = F.cosine_similarity(G, new[None])
    return new, cosines.min(), (G @ new).abs().max()""",
    ),
    corrected(
        "a step that is always proved", "Compute the two numbers from the step: yours are always 0.",
        "    return g + v @ G, 0.0, 0.0",
    ),
    corrected(
        "the old gradient again", "The first result is the new step, g + G^T v, not g.",
        """    new = g + v @ G
    cosines = F.cosine_similarity(G, new[None])
    return g, cosines.min(), (v * (G @ new)).abs().max()""",
    ),
    corrected(
        "the step alone", "Return three things: the step, the lowest cosine and the largest idle push.",
        "    return g + v @ G",
    ),
    # --- question 7
    averaged(
        "the plain mean of the rows", "Weigh each row with its number of examples.",
        """    ref = G.mean(0)
    product = g @ ref
    return g - product / (ref @ ref) * ref if product < 0 else g""",
    ),
    averaged(
        "always projected", "Where the product with the reference is not negative, g is used as it is.",
        """    ref = torch.tensor(sizes, dtype=G.dtype) @ G / sum(sizes)
    return g - (g @ ref) / (ref @ ref) * ref""",
    ),
    averaged(
        "weights turned round", "More examples weigh more: multiply each row by n_k, do not divide by it.",
        """    weights = 1 / torch.tensor(sizes, dtype=G.dtype)
    ref = weights @ G / weights.sum()
    product = g @ ref
    return g - product / (ref @ ref) * ref if product < 0 else g""",
    ),
    averaged(
        "one task after the other", "Ask once, about the mean: yours projects on one old gradient after the other.",
        """    for row in G:
        product = g @ row
        g = g - product / (row @ row) * row if product < 0 else g
    return g""",
    ),
    averaged(
        "not divided by the square of the length", "Divide by g_ref . g_ref.",
        """    ref = torch.tensor(sizes, dtype=G.dtype) @ G / sum(sizes)
    product = g @ ref
    return g - product * ref if product < 0 else g""",
    ),
    averaged(
        "the reference itself", "Return g without its part along the reference, not the reference.",
        """    ref = torch.tensor(sizes, dtype=G.dtype) @ G / sum(sizes)
    return ref if g @ ref < 0 else g""",
    ),
    averaged(
        "doubled", "Take the part along the reference out once: then the product is 0, not positive.",
        """    ref = torch.tensor(sizes, dtype=G.dtype) @ G / sum(sizes)
    product = g @ ref
    return g - 2 * product / (ref @ ref) * ref if product < 0 else g""",
    ),
    averaged(
        "nothing is changed", "Where the mean old loss objects, g has to be changed.",
        "    return g",
    ),
    # --- question 8
    enough(
        "the best size", "Look for the smallest size that is close enough to the best one, not for the best.",
        "    return sizes[int(table.mean(1).argmax())]",
    ),
    enough(
        "the standard deviation", "Divide the standard deviation by the root of the number of seeds.",
        """    means, best = table.mean(1), table.mean(1).argmax()
    return min(n for n, mean in zip(sizes, means) if mean >= means[best] - table[best].std())""",
    ),
    enough(
        "divided by S instead of S - 1", "Divide the squared differences by S - 1 in the standard deviation.",
        """    means, best = table.mean(1), table.mean(1).argmax()
    error = table[best].std(correction=0) / table.shape[1] ** 0.5
    return min(n for n, mean in zip(sizes, means) if mean >= means[best] - error)""",
    ),
    enough(
        "divided by the number of seeds", "Divide by the root of the number of seeds, not by the number.",
        """    means, best = table.mean(1), table.mean(1).argmax()
    error = table[best].std() / table.shape[1]
    return min(n for n, mean in zip(sizes, means) if mean >= means[best] - error)""",
    ),
    enough(
        "each size's own error", "Take the standard error of the best size, not that of the size in question.",
        """    means, errors = table.mean(1), table.std(1) / table.shape[1] ** 0.5
    return min(n for n, mean, e in zip(sizes, means, errors) if mean >= means.max() - e)""",
    ),
    enough(
        "the first in the list", "The sizes come in any order: return the smallest one, not the first in the list.",
        """    means, best = table.mean(1), table.mean(1).argmax()
    error = table[best].std() / table.shape[1] ** 0.5
    return next(n for n, mean in zip(sizes, means) if mean >= means[best] - error)""",
    ),
    enough(
        "the place instead of the size", "Return the size, not its place in the list.",
        """    means, best = table.mean(1), table.mean(1).argmax()
    error = table[best].std() / table.shape[1] ** 0.5
    return min(range(len(sizes)), key=lambda k: (means[k] < means[best] - error, sizes[k]))""",
    ),
    enough(
        "the best seed of each size", "Compare means over the seeds: the best seed is luck.",
        """    best = table.mean(1).argmax()
    error = table[best].std() / table.shape[1] ** 0.5
    return min(n for n, row in zip(sizes, table) if row.max() >= table[best].mean() - error)""",
    ),
    enough(
        "the largest of those", "Return the smallest size that will do, not the largest.",
        """    means, best = table.mean(1), table.mean(1).argmax()
    error = table[best].std() / table.shape[1] ** 0.5
    return max(n for n, mean in zip(sizes, means) if mean >= means[best] - error)""",
    ),
    enough(
        "always the smallest", "A size counts only if its mean is close enough to the best one.",
        "    return min(sizes)",
    ),
]  # fmt: skip
