"""Right answers to the assignment `ewc` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

VMAP = {  # torch.func, einsum, no change in place; numbers as tensors with one entry
    "importance": """
from torch.func import functional_call, grad, vmap


def importance(model, x, y):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters, example, label):
        logits = functional_call(model, parameters, (example[None],))
        return F.cross_entropy(logits, label[None])

    squares = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    return to_vector([(g**2).mean(0) for g in squares.values()])
""",
    "output_importance": """
from torch.func import functional_call, grad, vmap


def output_importance(model, x):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def length(parameters, example):
        return functional_call(model, parameters, (example[None],)).square().sum()

    sizes = vmap(grad(length), in_dims=(None, 0))(parameters, x)
    return to_vector([g.abs().mean(0) for g in sizes.values()])
""",
    "common_top": """
def common_top(first, second, k):
    on_top = [torch.zeros(len(b)).index_fill(0, b.argsort(descending=True)[:k], 1.0) for b in (first, second)]
    return (on_top[0] @ on_top[1]).reshape(1) / k
""",
    "penalty": """
def penalty(theta, importances, anchors, lam):
    distance = theta[None] - anchors
    return torch.einsum("tp,tp,tp->", importances, distance, distance).reshape(1) * lam
""",
    "remember": """
import copy


def remember(model):
    return dict(copy.deepcopy(model).requires_grad_(False).named_parameters())
""",
    "fold": """
def fold(importances, anchors):
    B = torch.einsum("tp->p", importances)
    weights = torch.where(B == 0, 0.0, importances / B)
    weights[-1] += B == 0
    A = torch.einsum("tp,tp->p", weights, anchors)
    squares = torch.einsum("tp,tp,tp->", importances, anchors, anchors)
    return [B, A, (squares - B @ A**2).reshape(1)]
""",
    "proximal_step": """
def proximal_step(theta, gradient, B, A, lam, lr):
    there = torch.add(theta, gradient, alpha=-lr)
    if lam == float("inf"):
        return torch.where(B > 0, A, there)
    return (there + 2 * lr * lam * B * A) / (1 + 2 * lr * lam * B)
""",
    "best_lambda": """
def best_lambda(tables, slack):
    best = max(R[-1].mean().item() for R in tables.values())
    return sorted(lam for lam, R in tables.items() if best - R[-1].mean().item() <= slack)[0]
""",
}

LOOPS = {  # .backward() and .grad, torch.no_grad, everything spelled out, changes in place, plain Python numbers
    "importance": """
def importance(model, x, y):
    total = torch.zeros(sum(p.numel() for p in model.parameters()))
    for n in range(x.shape[0]):
        model.zero_grad()
        loss = torch.nn.CrossEntropyLoss()(model(x[n : n + 1]), y[n : n + 1])
        loss.backward()
        start = 0
        for p in model.parameters():
            total[start : start + p.numel()] += p.grad.flatten() ** 2
            start += p.numel()
    model.zero_grad()
    return total / x.shape[0]
""",
    "output_importance": """
def output_importance(model, x):
    total = torch.zeros(sum(p.numel() for p in model.parameters()))
    for n in range(x.shape[0]):
        model.zero_grad()
        torch.norm(model(x[n : n + 1])).square().backward()
        total += torch.cat([p.grad.flatten() for p in model.parameters()]).abs()
    model.zero_grad()
    return total / x.shape[0]
""",
    "common_top": """
def common_top(first, second, k):
    order = sorted(range(len(first)), key=lambda i: -first[i].item())
    other = sorted(range(len(second)), key=lambda i: -second[i].item())
    common = 0
    for i in order[:k]:
        if i in other[:k]:
            common += 1
    return common / k
""",
    "penalty": """
def penalty(theta, importances, anchors, lam):
    total = 0
    for t in range(len(anchors)):
        for i in range(len(theta)):
            total = total + importances[t, i] * (theta[i] - anchors[t, i]) ** 2
    return lam * total
""",
    "remember": """
def remember(model):
    anchors = {}
    with torch.no_grad():
        for name, p in model.named_parameters():
            anchors[name] = p.clone()
    return anchors
""",
    "fold": """
def fold(importances, anchors):
    B, weighted, c = torch.zeros_like(anchors[0]), torch.zeros_like(anchors[0]), 0.0
    for b, a in zip(importances, anchors):
        B += b
        weighted += b * a
    A, some = anchors[-1].clone(), B > 0
    A[some] = weighted[some] / B[some]
    for b, a in zip(importances, anchors):
        c += float((b * (a - A) ** 2).sum())
    return (B, A, c)
""",
    "proximal_step": """
def proximal_step(theta, gradient, B, A, lam, lr):
    there = theta - lr * gradient
    tied = B > 0
    s = 2 * lr * B[tied] * lam
    there[tied] -= (there[tied] - A[tied]) * (1 - 1 / (1 + s))
    return there
""",
    "best_lambda": """
def best_lambda(tables, slack):
    highest = -1.0
    for lam in tables:
        highest = max(highest, metrics.accuracy(tables[lam]))
    for lam in sorted(tables):
        if metrics.accuracy(tables[lam]) >= highest - slack:
            return int(lam) if lam == int(lam) else lam
""",
}

NUMPY = {  # the gradient of a linear layer by hand, double precision, arrays and numpy scalars as results
    "importance": """
def importance(model, x, y):
    inputs, outputs = [], []

    def look(layer, arguments, output):
        inputs.append(arguments[0].detach().double())
        outputs.append(output)

    hooks = [layer.register_forward_hook(look) for layer in model.layers]
    loss = F.cross_entropy(model(x), y, reduction="sum")
    for hook in hooks:
        hook.remove()
    result = []
    for a, delta in zip(inputs, torch.autograd.grad(loss, outputs)):
        delta = delta.double()
        result += [(delta**2).T @ a**2 / len(x), (delta**2).mean(0)]
    return torch.cat([part.flatten() for part in result])
""",
    "output_importance": """
import copy


def output_importance(model, x):
    model = copy.deepcopy(model).double()
    rows = []
    for example in x.double().split(1):
        gradient = torch.autograd.grad(torch.sum(model(example) ** 2), list(model.parameters()))
        rows.append(to_vector(gradient).abs())
    return torch.stack(rows).mean(0).numpy()
""",
    "common_top": """
import numpy as np


def common_top(first, second, k):
    return np.mean(np.isin(np.argsort(-first.numpy())[:k], np.argsort(-second.numpy())[:k]))
""",
    "penalty": """
def penalty(theta, importances, anchors, lam):
    tasks = [lam * (b.double() @ (theta.double() - a).square()) for b, a in zip(importances, anchors)]
    return torch.stack(tasks).sum() if tasks else 0
""",
    "remember": """
import copy


def remember(model):
    return copy.deepcopy(model.state_dict())
""",
    "fold": """
import numpy as np


def fold(importances, anchors):
    b, a = importances.double().numpy(), anchors.double().numpy()
    B = b.sum(0)
    A = np.where(B > 0, (b * a).sum(0) / np.where(B > 0, B, 1), a[-1])
    return B, A, np.sum(b * a**2) - np.sum(B * A**2)
""",
    "proximal_step": """
import numpy as np


def proximal_step(theta, gradient, B, A, lam, lr):
    theta, gradient, B, A = (v.detach().double().numpy() for v in (theta, gradient, B, A))
    there = theta - lr * gradient
    if np.isinf(lam):
        return np.where(B > 0, A, there)
    s = 2 * lr * lam * B
    return (there + s * A) / (1 + s)
""",
    "best_lambda": """
import numpy as np


def best_lambda(tables, slack):
    strengths = np.array(sorted(tables))
    ends = np.array([metrics.accuracy(tables[lam]) for lam in strengths])
    return strengths[np.argmax(ends >= ends.max() - slack)]
""",
}

ALTERNATIVES = {"vmap": VMAP, "loops": LOOPS, "numpy": NUMPY}
