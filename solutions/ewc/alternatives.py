"""Right answers to the assignment `ewc` that are written differently: a grade must not depend on the style.

Each is a complete solution, from the name of a function to its source.
"""

VMAP = {
    "importance": """
from torch.func import functional_call, grad, vmap


def importance(model, x, y):
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters, example, label):
        logits = functional_call(model, parameters, (example[None],))
        return F.cross_entropy(logits, label[None])

    squares = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    return [(g**2).mean(0) for g in squares.values()]
""",
    "penalty": """
def penalty(parameters, importance, anchor, lam):
    total = torch.zeros(())
    for theta, b, a in zip(parameters, importance, anchor):
        distance = theta - a
        total = total + torch.einsum("i,i,i->", b.ravel(), distance.ravel(), distance.ravel())
    return total * lam
""",
    "remember": """
def remember(model):
    return list(copy.deepcopy(model).requires_grad_(False).parameters())
""",
    "guarded_loss": """
def guarded_loss(model, x, y, springs, lam):
    weights = list(model.parameters())
    log_p = model(x).log_softmax(1)
    return -log_p[torch.arange(len(y)), y].mean() + sum(penalty(weights, b, a, lam) for b, a in springs)
""",
    "best_lambda": """
def best_lambda(tables):
    best = max(R[-1].mean().item() for R in tables.values())
    return sorted(lam for lam, R in tables.items() if R[-1].mean().item() == best)[0]
""",
}

BACKWARD = {  # .backward() and .grad, anchors by torch.no_grad, everything else spelled out in loops
    "importance": """
def importance(model, x, y):
    guards = []
    for p in model.parameters():
        guards.append(torch.zeros(p.shape))
    for n in range(x.shape[0]):
        model.zero_grad()
        loss = torch.nn.CrossEntropyLoss()(model(x[n : n + 1]), y[n : n + 1])
        loss.backward()
        for i, p in enumerate(model.parameters()):
            guards[i] = guards[i] + p.grad.detach() ** 2
    model.zero_grad()
    return [guard / x.shape[0] for guard in guards]
""",
    "penalty": """
def penalty(parameters, importance, anchor, lam):
    total = 0
    for i in range(len(parameters)):
        total = total + torch.sum(importance[i] * torch.square(parameters[i] - anchor[i]))
    return lam * total
""",
    "remember": """
def remember(model):
    anchors = []
    with torch.no_grad():
        for p in model.parameters():
            anchors.append(p.clone())
    return anchors
""",
    "guarded_loss": """
def guarded_loss(model, x, y, springs, lam):
    total = torch.nn.functional.cross_entropy(model(x), y)
    for i in range(len(springs)):
        total += penalty(list(model.parameters()), springs[i][0], springs[i][1], lam)
    return total
""",
    "best_lambda": """
def best_lambda(tables):
    best, highest = None, -1.0
    for lam in sorted(tables):
        value = metrics.accuracy(tables[lam])
        if value > highest:
            best, highest = lam, value
    return best
""",
}

MATMUL = {  # the gradient of a linear layer by hand, flat vectors inside, deep copies
    "importance": """
def importance(model, x, y):
    inputs, outputs = [], []

    def look(layer, arguments, output):
        inputs.append(arguments[0].detach())
        outputs.append(output)

    hooks = [layer.register_forward_hook(look) for layer in model.layers]
    loss = F.cross_entropy(model(x), y, reduction="sum")
    for hook in hooks:
        hook.remove()
    result = []
    for a, delta in zip(inputs, torch.autograd.grad(loss, outputs)):
        result += [(delta**2).T @ a**2 / len(x), (delta**2).mean(0)]
    return result
""",
    "penalty": """
def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def penalty(parameters, importance, anchor, lam):
    distance = flat(parameters) - flat(anchor)
    return lam * (flat(importance) @ distance.square())
""",
    "remember": """
def remember(model):
    return copy.deepcopy(list(model.parameters()))
""",
    "guarded_loss": """
def guarded_loss(model, x, y, springs, lam):
    parameters = list(model.parameters())
    penalties = [penalty(parameters, *spring, lam) for spring in springs]
    return torch.stack([F.cross_entropy(model(x), y), *penalties]).sum()
""",
    "best_lambda": """
import numpy as np


def best_lambda(tables):
    strengths = np.array(sorted(tables))
    return strengths[np.argmax([metrics.accuracy(tables[lam]) for lam in strengths])].item()
""",
}

ALTERNATIVES = {"vmap": VMAP, "backward": BACKWARD, "matmul": MATMUL}
