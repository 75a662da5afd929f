"""The known mistakes of the assignment `ewc`: wrong versions of its functions, each with the hint for its author.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both. Where training "passes", the mistake is one that a
trained network hides, which is why formulas are tested as functions.
"""

from grader.assignment import Mistake

IMPORTANCE_LOOP = """
def importance(model, x, y):
    parameters = list(model.parameters())
    total = [torch.zeros_like(p) for p in parameters]
    for example, label in zip(x.split(1), y.split(1)):
        loss = F.cross_entropy(model(example), label)
        gradient = torch.autograd.grad(loss, parameters)
        for b, g in zip(total, gradient):
            b += {term}
    return {result}
"""


def importance(name, hint, source=None, *, term="g**2 / len(x)", result="total", training="either"):
    """A mistake in `importance`: the loop over the examples with another term or result, or a source of its own."""
    source = source or IMPORTANCE_LOOP.format(term=term, result=result)
    return Mistake(name, "importance", hint, source, ("test-importance",), training)


def penalty(name, hint, body, *, training="either", fails=("test-penalty",)):
    source = f"def penalty(parameters, importance, anchor, lam):\n{body}\n"
    return Mistake(name, "penalty", hint, source, fails, training)


def remember(name, hint, body, *, training="either"):
    source = f"def remember(model):\n{body}\n"
    return Mistake(name, "remember", hint, source, ("test-remember",), training)


def guarded_loss(name, hint, body, *, training="either"):
    source = f"def guarded_loss(model, x, y, springs, lam):\n{body}\n"
    return Mistake(name, "guarded_loss", hint, source, ("test-guarded-loss",), training)


def best_lambda(name, hint, body):
    source = f"def best_lambda(tables):\n{body}\n"
    return Mistake(name, "best_lambda", hint, source, ("test-best-lambda",), training="passes")


CANCEL = "Square each example's gradient before you average: the square of the mean lets examples cancel."

MISTAKES = [
    # --- question 1
    importance(
        "the square of the batch's mean gradient", CANCEL,
        """
def importance(model, x, y):
    loss = F.cross_entropy(model(x), y)
    return [g**2 for g in torch.autograd.grad(loss, list(model.parameters()))]
""",
        training="fails",
    ),
    importance(
        "the mean of squared gradients of small batches", CANCEL + " Each example needs a gradient of its own.",
        """
def importance(model, x, y):
    parameters, batches = list(model.parameters()), list(zip(x.split(3), y.split(3)))
    total = [torch.zeros_like(p) for p in parameters]
    for xs, ys in batches:
        gradient = torch.autograd.grad(F.cross_entropy(model(xs), ys), parameters)
        for b, g in zip(total, gradient):
            b += g**2 / len(batches)
    return total
""",
    ),
    importance(
        "gradients pile up in .grad",
        "Clear the gradient before each example: .backward() adds to what stands in .grad.",
        """
def importance(model, x, y):
    total = [torch.zeros_like(p) for p in model.parameters()]
    model.zero_grad()
    for example, label in zip(x.split(1), y.split(1)):
        F.cross_entropy(model(example), label).backward()
        for b, p in zip(total, model.parameters()):
            b += p.grad**2 / len(x)
    return total
""",
    ),
    importance(
        "no square", "Square the gradients: without it examples that pull in opposite directions cancel.",
        term="g / len(x)",
        training="fails",
    ),
    importance(
        "the absolute value instead of the square", "Square the gradients; their absolute value is another measure.",
        term="g.abs() / len(x)",
    ),
    importance(
        "the square twice", "Square the gradients once: your result is already a square before the last one.",
        term="(g**2) ** 2 / len(x)",
    ),
    importance(
        "the root of the mean square", "Leave the root out: the guard is the mean of the squares itself.",
        result="[b.sqrt() for b in total]",
    ),
    importance(
        "summed instead of averaged", "Divide by the number of examples: the guard is a mean, not a sum.",
        term="g**2",
    ),
    importance(
        "divided by the square of the number", "Divide by the number of examples once, after squaring.",
        term="(g / len(x)) ** 2",
        training="fails",
    ),
    importance(
        "divided by the number of classes too",
        "Divide by the number of examples only: the sum over examples is the one that is averaged.",
        term="g**2 / len(x) / len(model(x)[0])",
    ),
    importance(
        "only the last example", "Add up over all examples: only the last one is left in your result.",
        """
def importance(model, x, y):
    for example, label in zip(x.split(1), y.split(1)):
        loss = F.cross_entropy(model(example), label)
        total = [g**2 for g in torch.autograd.grad(loss, list(model.parameters()))]
    return total
""",
        training="fails",
    ),
    importance(
        "zero importance", "Your guards are all 0, so no spring holds anything: do you return what you added up?",
        """
def importance(model, x, y):
    return [torch.zeros_like(p) for p in model.parameters()]
""",
        training="fails",
    ),
    importance(
        "the same importance for every weight",
        "Measure the guards from the gradients: springs alike for all weights hold back what does not matter too.",
        """
def importance(model, x, y):
    return [torch.ones_like(p) for p in model.parameters()]
""",
        training="fails",
    ),
    importance(
        "one flat tensor", "Return a list with one tensor for each parameter, not one long vector.",
        result="torch.cat([b.flatten() for b in total])", training="fails",
    ),
    importance(
        "no biases", "Every parameter gets a guard, the biases too.",
        result="[b if b.ndim > 1 else torch.zeros_like(b) for b in total]",
    ),
    importance(
        "the network's own labels", "Take the true labels y, not the classes that the network finds most likely.",
        IMPORTANCE_LOOP.format(term="g**2 / len(x)", result="total").replace(
            "parameters = ", "y = model(x).argmax(1)\n    parameters = ", 1
        ),
    ),
    importance(
        "the gradient of the probability", "Differentiate the loss, -log p, not the probability p itself.",
        IMPORTANCE_LOOP.format(term="g**2 / len(x)", result="total").replace(
            "F.cross_entropy(model(example), label)", "model(example).softmax(1)[0, label[0]]"
        ),
    ),
    # --- question 2
    penalty(
        "the wrong sign", "The penalty must grow when the weights move away from their anchors: look at its sign.",
        "    return -lam * sum((b * (p - a) ** 2).sum() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    penalty(
        "the factor one half", "There is no factor 1/2 in the lecture's formula (the original paper has one).",
        "    return lam / 2 * sum((b * (p - a) ** 2).sum() for p, b, a in zip(parameters, importance, anchor))",
    ),
    penalty(
        "a factor 2 too many", "There is no factor 2 in the penalty: it appears only in its gradient.",
        "    return 2 * lam * sum((b * (p - a) ** 2).sum() for p, b, a in zip(parameters, importance, anchor))",
    ),
    penalty(
        "lambda left out", "Multiply the sum by lam.",
        "    return sum((b * (p - a) ** 2).sum() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    penalty(
        "lambda squared", "Multiply by lam once: yours comes in with every tensor and again at the end.",
        "    return lam * sum((lam * b * (p - a) ** 2).sum() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    penalty(
        "anchors at zero", "Measure the distance from the anchor, theta - anchor, not from 0.",
        "    return lam * sum((b * p**2).sum() for p, b in zip(parameters, importance))",
        training="fails",
    ),
    penalty(
        "no importance", "Weigh every squared distance with its guard b: unimportant weights should be free.",
        "    return lam * sum(((p - a) ** 2).sum() for p, a in zip(parameters, anchor))",
        training="fails",
    ),
    penalty(
        "importance squared", "The guard comes in once, outside the square: b * (theta - anchor)**2.",
        "    return lam * sum(((b * (p - a)) ** 2).sum() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    penalty(
        "the distance not squared", "Square the distance from the anchor.",
        "    return lam * sum((b * (p - a)).sum() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    penalty(
        "the absolute distance", "Square the distance from the anchor; its absolute value pulls alike near and far.",
        "    return lam * sum((b * (p - a).abs()).sum() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    penalty(
        "the sum squared instead of the terms", "Square each distance before you add them up.",
        "    return lam * sum((b * (p - a)).sum() for p, b, a in zip(parameters, importance, anchor)) ** 2",
        training="fails",
    ),
    penalty(
        "the mean instead of the sum", "Take the sum over the weights; a mean makes the springs of a big layer weak.",
        "    return lam * sum((b * (p - a) ** 2).mean() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    penalty(
        "only the first tensor", "Add up over all tensors of the list: a return inside the loop ends it too early.",
        """    for p, b, a in zip(parameters, importance, anchor):
        return lam * (b * (p - a) ** 2).sum()""",
    ),
    penalty(
        "one number a tensor", "Add up over the tensors too: the penalty is one number.",
        "    return [lam * (b * (p - a) ** 2).sum() for p, b, a in zip(parameters, importance, anchor)]",
        training="fails",
        fails=("test-penalty", "test-guarded-loss"),  # a list cannot be added to a loss
    ),
    penalty(
        "a plain number without gradient", "Keep the result a tensor: .item() cuts it off from autograd.",
        """    return lam * sum(
        (b * (p - a) ** 2).sum().item() for p, b, a in zip(parameters, importance, anchor)
    )""",
        training="fails",
    ),
    penalty(
        "detached weights", "Use the weights as they are: .detach() and .data cut them off from autograd.",
        "    return lam * sum((b * (p.detach() - a) ** 2).sum() for p, b, a in zip(parameters, importance, anchor))",
        training="fails",
    ),
    # --- question 3
    remember(
        "the live weights themselves", "The list holds the live weights, so the anchors follow them: copy the values.",
        "    return list(model.parameters())",
        training="fails",
    ),
    remember(
        "detach without clone", ".detach() shares the live weight's memory, so the anchor follows it: add .clone().",
        "    return [p.detach() for p in model.parameters()]",
        training="fails",
    ),
    remember(
        "the tensors of state_dict", "state_dict() shares the memory of the live weights: copy its tensors.",
        "    return list(model.state_dict().values())",
        training="fails",
    ),
    remember(
        "clone without detach", ".clone() alone still carries the gradient of the live weight, and both pulls cancel: "
        "add .detach().",
        "    return [p.clone() for p in model.parameters()]",
        training="fails",
    ),
    remember(
        "zeros", "Return the present values of the weights, not zeros.",
        "    return [torch.zeros_like(p) for p in model.parameters()]",
        training="fails",
    ),
    remember(
        "the weights of a fresh network", "Return the present values of the weights, not those before training.",
        """    sizes = [layer.in_features for layer in model.layers]
    fresh = MLP(*sizes, model.layers[-1].out_features, seed=12345)
    return [p.detach().clone() for p in fresh.parameters()]""",
        training="fails",
    ),
    remember(
        "one flat tensor", "Return a list with one tensor for each parameter, not one long vector.",
        "    return torch.cat([p.detach().flatten() for p in model.parameters()])",
        training="fails",
    ),
    # --- question 4
    guarded_loss(
        "springs left out", "Add the penalty of every past task to the cross-entropy.",
        "    return F.cross_entropy(model(x), y)",
        training="fails",
    ),
    guarded_loss(
        "only the last task's spring", "Add the penalty of every past task: yours keeps only the last one.",
        """    loss = F.cross_entropy(model(x), y)
    for guard, anchor in springs[-1:]:
        loss = loss + penalty(list(model.parameters()), guard, anchor, lam)
    return loss""",
    ),
    guarded_loss(
        "only the first task's spring", "Add the penalty of every past task: yours returns after the first one.",
        """    loss = F.cross_entropy(model(x), y)
    for guard, anchor in springs:
        return loss + penalty(list(model.parameters()), guard, anchor, lam)
    return loss""",
    ),
    guarded_loss(
        "lambda applied twice", "Your penalty already holds lam: do not multiply by it again.",
        """    loss = F.cross_entropy(model(x), y)
    for guard, anchor in springs:
        loss = loss + lam * penalty(list(model.parameters()), guard, anchor, lam)
    return loss""",
        training="fails",
    ),
    guarded_loss(
        "lambda ignored", "Hand lam on to your penalty.",
        """    loss = F.cross_entropy(model(x), y)
    for guard, anchor in springs:
        loss = loss + penalty(list(model.parameters()), guard, anchor, 1.0)
    return loss""",
        training="fails",
    ),
    guarded_loss(
        "the mean over past tasks", "Take the sum over past tasks: in a mean each task's springs get weaker with time.",
        """    loss = F.cross_entropy(model(x), y)
    for guard, anchor in springs:
        loss = loss + penalty(list(model.parameters()), guard, anchor, lam) / len(springs)
    return loss""",
    ),
    guarded_loss(
        "the penalty subtracted", "Add the penalty: it is a cost, and the training lowers the loss.",
        """    loss = F.cross_entropy(model(x), y)
    for guard, anchor in springs:
        loss = loss - penalty(list(model.parameters()), guard, anchor, lam)
    return loss""",
        training="fails",
    ),
    guarded_loss(
        "the penalty without its gradient", "Keep the penalty a tensor: .item() and float() cut it off from autograd.",
        """    loss = F.cross_entropy(model(x), y)
    for guard, anchor in springs:
        loss = loss + penalty(list(model.parameters()), guard, anchor, lam).item()
    return loss""",
        training="fails",
    ),
    guarded_loss(
        "guard and anchor exchanged", "Each pair is (importance, anchor), and penalty takes them in this order.",
        """    loss = F.cross_entropy(model(x), y)
    for anchor, guard in springs:
        loss = loss + penalty(list(model.parameters()), guard, anchor, lam)
    return loss""",
        training="fails",
    ),
    guarded_loss(
        "cross-entropy summed over the batch", "Take the mean cross-entropy of the batch, as F.cross_entropy gives it.",
        """    loss = F.cross_entropy(model(x), y, reduction="sum")
    for guard, anchor in springs:
        loss = loss + penalty(list(model.parameters()), guard, anchor, lam)
    return loss""",
        training="fails",
    ),
    guarded_loss(
        "the penalty alone", "Keep the cross-entropy of the batch in the loss: without it nothing new is learned.",
        """    loss = 0 * model(x).sum()
    for guard, anchor in springs:
        loss = loss + penalty(list(model.parameters()), guard, anchor, lam)
    return loss""",
        training="fails",
    ),
    # --- question 5
    best_lambda(
        "the accuracy instead of the lambda", "Return the lambda, not the accuracy that it reaches.",
        "    return max(metrics.accuracy(R) for R in tables.values())",
    ),
    best_lambda(
        "the best backward transfer", "Choose by the final accuracy: what learned nothing has nothing to forget.",
        "    return min(tables, key=lambda lam: (-metrics.backward_transfer(tables[lam]), lam))",
    ),
    best_lambda(
        "the largest on a tie", "Where several lambdas share the best accuracy, return the smallest of them.",
        "    return max(tables, key=lambda lam: (metrics.accuracy(tables[lam]), lam))",
    ),
    best_lambda(
        "the first on a tie", "Return the smallest lambda of those that share the best accuracy, whatever the order of "
        "the dictionary.",
        "    return max(tables, key=lambda lam: metrics.accuracy(tables[lam]))",
    ),
    best_lambda(
        "the worst", "The best lambda has the highest accuracy, not the lowest.",
        "    return min(tables, key=lambda lam: (metrics.accuracy(tables[lam]), lam))",
    ),
    best_lambda(
        "the mean of the whole table", "Only the last row of R counts, the accuracies after the last task.",
        "    return min(tables, key=lambda lam: (-tables[lam].mean().item(), lam))",
    ),
    best_lambda(
        "the last task alone", "Take the mean over all tasks: the last one alone does not show what was forgotten.",
        "    return min(tables, key=lambda lam: (-tables[lam][-1, -1].item(), lam))",
    ),
    best_lambda(
        "just after learning", "Take the accuracies at the end, the last row of R, not its diagonal.",
        "    return min(tables, key=lambda lam: (-tables[lam][1:].diagonal().mean().item(), lam))",
    ),
]  # fmt: skip
