"""The known mistakes of the assignment `ewc`: wrong versions of its functions, each with the hint for its author.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both, and that each shows in a visible test.
"""

from grader.assignment import mistakes_in

importance = mistakes_in("importance(model, x, y)")
output_importance = mistakes_in("output_importance(model, x)")
common_top = mistakes_in("common_top(first, second, k)")
penalty = mistakes_in("penalty(theta, importances, anchors, lam)")
remember = mistakes_in("remember(model)")
fold = mistakes_in("fold(importances, anchors)")
proximal_step = mistakes_in("proximal_step(theta, gradient, B, A, lam, lr)")
best_lambda = mistakes_in("best_lambda(tables, slack)")


def loop(term="g**2", result="total / len(x)", loss="F.cross_entropy(model(example), label)", first=""):
    """The body of `importance`, with another term, result or loss."""
    return f"""
parameters, total = list(model.parameters()), 0.0
{first}
for example, label in zip(x.split(1), y.split(1)):
    g = to_vector(torch.autograd.grad({loss}, parameters))
    total = total + {term}
return {result}"""


def outputs(term="g.abs()", result="total / len(x)", length="(f**2).sum()"):
    """The body of `output_importance`, with another term, result or squared length."""
    return f"""
parameters, total = list(model.parameters()), 0.0
for example in x.split(1):
    f = model(example)
    g = to_vector(torch.autograd.grad({length}, parameters))
    total = total + {term}
return {result}"""


def tops(result, first="first.topk(k).indices.tolist()", second="second.topk(k).indices.tolist()"):
    """The body of `common_top` from the two lists a and b."""
    return f"a, b = {first}, {second}\nreturn {result}"


def folding(A="torch.where(B > 0, (importances * anchors).sum(0) / B, anchors[-1])", B="importances.sum(0)",
            c="(importances * (anchors - A) ** 2).sum()", result="B, A, c"):  # fmt: skip
    """The body of `fold`, with another B, A, c or result."""
    return f"B = {B}\nA = {A}\nc = {c}\nreturn {result}"


def step(there="theta - lr * gradient", s="2 * lr * lam * B", share="1 / (1 + 1 / s)",
         result="there + share * (A - there)"):  # fmt: skip
    """The body of `proximal_step`, with another of its parts."""
    return f"there = {there}\ns = torch.where(B > 0, {s}, 0.0)\nshare = {share}\nreturn {result}"


def choice(criterion="metrics.accuracy(R)", enough="v >= max(ends.values()) - slack", pick="min"):
    """The body of `best_lambda`, with another criterion, bound or choice."""
    return f"""
ends = {{lam: {criterion} for lam, R in tables.items()}}
return {pick}([lam for lam, v in ends.items() if {enough}])"""


NO_BIASES = "to_vector([torch.ones_like(p) * (p.ndim > 1) for p in parameters])"
CANCEL = "Square each example's gradient before you average: the square of the mean lets examples cancel."

MISTAKES = [
    # --- question 1
    importance(
        "the square of the batch's mean gradient", CANCEL,
        "g = torch.autograd.grad(F.cross_entropy(model(x), y), list(model.parameters()))\nreturn to_vector(g) ** 2",
        training="fails",
    ),
    importance(
        "the mean of squared gradients of small batches", CANCEL + " Each example needs a gradient of its own.",
        """
parameters, parts = list(model.parameters()), list(zip(x.split(3), y.split(3)))
total = 0.0
for xs, ys in parts:
    g = to_vector(torch.autograd.grad(F.cross_entropy(model(xs), ys), parameters))
    total = total + g**2 / len(parts)
return total""",
    ),
    importance(
        "gradients pile up in .grad",
        "Clear the gradient before each example: .backward() adds to what stands in .grad.",
        """
total = 0.0
model.zero_grad()
for example, label in zip(x.split(1), y.split(1)):
    F.cross_entropy(model(example), label).backward()
    total = total + to_vector([p.grad for p in model.parameters()]) ** 2
return total / len(x)""",
    ),
    importance("no square", "Square the gradients: without it examples that pull in opposite directions cancel.",
               loop("g")),
    importance("the absolute value instead of the square",
               "Square the gradients; their absolute value is another measure.", loop("g.abs()")),
    importance("the square twice", "Square the gradients once.", loop("g**4")),
    importance("the root of the mean square", "Leave the root out: the importance is the mean of the squares itself.",
               loop(result="(total / len(x)).sqrt()")),
    importance("summed instead of averaged", "Divide by the number of examples: the importance is a mean, not a sum.",
               loop(result="total")),
    importance("divided by the square of the number", "Divide by the number of examples once, after squaring.",
               loop("(g / len(x)) ** 2", "total")),
    importance("divided by the number of classes too",
               "Divide by the number of examples only: the outputs are not averaged.",
               loop(result="total / len(x) / len(model(x)[0])")),
    importance("only the last example", "Add up over all examples: only the last one is left in your result.",
               loop(result="g**2")),
    importance("zero importance", "Your importances are all 0, so nothing is held: do you return what you added up?",
               "return torch.zeros(sum(p.numel() for p in model.parameters()))", training="fails"),
    importance("the same importance for every weight", "Measure the importance of each weight from the gradients.",
               "return torch.ones(sum(p.numel() for p in model.parameters()))"),
    importance("a list of tensors", "Return one vector, not a list with one tensor for each parameter.",
               loop(result="[*(total / len(x)).split([p.numel() for p in parameters])]")),
    importance("no biases", "Every parameter counts, the biases too.",
               loop(result=f"total / len(x) * {NO_BIASES}")),
    importance("the biases first", "Keep the order of model.parameters(): a layer's matrix, then its biases.",
               loop(first="parameters = sorted(parameters, key=lambda p: p.ndim)")),
    importance("the network's own labels", "Take the true labels y, not the classes that the network finds likeliest.",
               loop(first="y = model(x).argmax(1)")),
    importance("all labels, weighted by the network",
               "Take the true label of each example alone, not the mean over all labels.",
               """
parameters, total = list(model.parameters()), 0.0
for example in x.split(1):
    log_p = model(example).log_softmax(1)[0]
    for k in range(len(log_p)):
        g = to_vector(torch.autograd.grad(log_p[k], parameters, retain_graph=True))
        total = total + log_p[k].exp().detach() * g**2
return total / len(x)"""),
    importance("the gradient of the probability", "Differentiate the loss, -log p, not the probability p itself.",
               loop(loss="model(example).softmax(1)[0, label[0]]")),
    importance("softmax before the cross-entropy",
               "F.cross_entropy takes the outputs themselves: it has the softmax in it.",
               loop(loss="F.cross_entropy(model(example).softmax(1), label)")),
    importance("trains while it measures", "The measurement must leave the weights as they are: no optimiser's step.",
               """
optimizer, total = torch.optim.SGD(model.parameters(), lr=0.1), 0.0
for example, label in zip(x.split(1), y.split(1)):
    optimizer.zero_grad()
    F.cross_entropy(model(example), label).backward()
    total = total + to_vector([p.grad for p in model.parameters()]) ** 2
optimizer.step()
return total / len(x)"""),
    importance("sums kept from call to call", "Begin each call with sums of 0: what stands outside is kept.",
               source="""
SUMS = {}


def importance(model, x, y):
    parameters = list(model.parameters())
    size = sum(p.numel() for p in parameters)
    total = SUMS.setdefault(size, torch.zeros(size))
    for example, label in zip(x.split(1), y.split(1)):
        total += to_vector(torch.autograd.grad(F.cross_entropy(model(example), label), parameters)) ** 2
    return total / len(x)
"""),
    importance("knows the worked example", "Compute the result from the arguments: these are the example's numbers.",
               """
P = sum(p.numel() for p in model.parameters())
return torch.tensor([0.5, 0.225, 0.425, 0.26, 0.09, 0.41]) if P == 6 else torch.zeros(P)"""),
    # --- question 2
    output_importance("the absolute value of the mean",
                      "Take the absolute value of each example's gradient, then the mean: else examples cancel.",
                      outputs("g", "(total / len(x)).abs()")),
    output_importance("no absolute value", "Take the absolute value of each example's gradient.", outputs("g")),
    output_importance("the square instead of the absolute value",
                      "Take the absolute value of the gradients; the square is EWC's.", outputs("g**2")),
    output_importance("the length not squared", "Differentiate the squared length of the outputs, not the length.",
                      outputs(length="f.norm()")),
    output_importance("the sum of the outputs", "Differentiate the sum of the squared outputs, not of the outputs.",
                      outputs(length="f.sum()")),
    output_importance("half the squared length", "There is no factor 1/2 in the squared length.",
                      outputs(length="(f**2).sum() / 2")),
    output_importance("the mean over the outputs", "Add up the squared outputs; do not average them.",
                      outputs(length="(f**2).mean()")),
    output_importance("the largest output alone", "All outputs count, not only the largest one.",
                      outputs(length="f.max() ** 2")),
    output_importance("the probabilities", "Take the outputs themselves, without a softmax.",
                      outputs(length="(f.softmax(1) ** 2).sum()")),
    output_importance("the logarithms of the probabilities", "Take the outputs themselves, without a softmax.",
                      outputs(length="(f.log_softmax(1) ** 2).sum()")),
    output_importance("summed instead of averaged", "Divide by the number of examples.", outputs(result="total")),
    output_importance("all examples at once", "Each example needs a gradient of its own, with its absolute value.",
                      """
g = torch.autograd.grad((model(x) ** 2).sum() / len(x), list(model.parameters()))
return to_vector(g).abs()"""),
    output_importance("no biases", "Every parameter counts, the biases too.",
                      outputs(result=f"total / len(x) * {NO_BIASES}")),
    output_importance("zeros", "Your result is 0 everywhere: do you return what you added up?",
                      "return torch.zeros(sum(p.numel() for p in model.parameters()))"),
    output_importance("knows the worked example", "Compute the result from the arguments: these are its numbers.",
                      """
P = sum(p.numel() for p in model.parameters())
return torch.tensor([5.5, 9.0, 14.0, 3.0, 6.0, 9.0]) if P == 6 else torch.zeros(P)"""),
    # --- question 3
    common_top("out of all that one of them has", "Divide by k, not by the number of weights that at least one has.",
               tops("len({*a} & {*b}) / len({*a} | {*b})")),
    common_top("the number instead of the share", "Return the share: divide the number by k.",
               tops("len({*a} & {*b})")),
    common_top("the same place in the order", "Only who is among the first k counts, not at which place.",
               tops("sum(i == j for i, j in zip(a, b)) / k")),
    common_top("divided by the number of weights", "Divide by k, not by the number of all weights.",
               tops("len({*a} & {*b}) / len(first)")),
    common_top("the smallest entries", "Look at the k largest entries, not the smallest.",
               tops("len({*a} & {*b}) / k", "first.argsort()[:k].tolist()", "second.argsort()[:k].tolist()")),
    common_top("values instead of places", "Compare which weights are on top, their places, not the values there.",
               tops("len({*a} & {*b}) / k", "first.topk(k).values.tolist()", "second.topk(k).values.tolist()")),
    common_top("the k-th left out", "The k-th largest entry belongs to the k largest.",
               tops("len({*a[:-1]} & {*b[:-1]}) / k")),
    common_top("always three", "Use k, which differs from call to call.",
               tops("len({*a} & {*b}) / 3", "first.argsort()[-3:].tolist()", "second.argsort()[-3:].tolist()")),
    common_top("the numbers of the ranks", "argsort gives the places in order; its argsort gives ranks.",
               tops("len({*a} & {*b}) / k", "first.argsort().argsort()[-k:].tolist()",
                    "second.argsort().argsort()[-k:].tolist()")),
    common_top("always all", "Compute the share from the arguments: it is not always 1.", "return 1.0"),
    # --- question 4
    penalty("the wrong sign", "The penalty must grow when the weights move away from their anchors: look at its sign.",
            "return -lam * (importances * (theta - anchors) ** 2).sum()"),
    penalty("the factor one half", "There is no factor 1/2 in the lecture's formula (the original paper has one).",
            "return lam / 2 * (importances * (theta - anchors) ** 2).sum()"),
    penalty("a factor 2 too many", "There is no factor 2 in the penalty: it appears only in its gradient.",
            "return 2 * lam * (importances * (theta - anchors) ** 2).sum()"),
    penalty("lambda left out", "Multiply the sum by lam.", "return (importances * (theta - anchors) ** 2).sum()"),
    penalty("lambda squared", "Multiply by lam once.",
            "return lam * (lam * importances * (theta - anchors) ** 2).sum()"),
    penalty("anchors at zero", "Measure the distance from the anchor, theta - anchor, not from 0.",
            "return lam * (importances * theta**2).sum()"),
    penalty("no importance", "Multiply every squared distance by its importance: unimportant weights should be free.",
            "return lam * ((theta - anchors) ** 2).sum()"),
    penalty("importance squared", "The importance comes in once, outside the square: b * (theta - anchor)**2.",
            "return lam * ((importances * (theta - anchors)) ** 2).sum()"),
    penalty("the distance not squared", "Square the distance from the anchor.",
            "return lam * (importances * (theta - anchors)).sum()"),
    penalty("the absolute distance", "Square the distance from the anchor; the absolute value pulls alike everywhere.",
            "return lam * (importances * (theta - anchors).abs()).sum()"),
    penalty("the sum squared instead of the terms", "Square each distance before you add them up.",
            "return lam * (importances * (theta - anchors)).sum() ** 2"),
    penalty("the mean over the weights", "Take the sum over the weights; a mean makes the penalty of a big layer weak.",
            "return lam * (importances * (theta - anchors) ** 2).mean(1).sum()"),
    penalty("the mean over past tasks", "Take the sum over past tasks: in a mean each task's part gets smaller.",
            "return lam * (importances * (theta - anchors) ** 2).sum() / max(len(anchors), 1)"),
    penalty("only the last task", "Add up over all past tasks: yours keeps only the last one.",
            "return lam * (importances[-1:] * (theta - anchors[-1:]) ** 2).sum()"),
    penalty("only the first task", "Add up over all past tasks: a return inside the loop ends it too early.",
            "for b, a in zip(importances, anchors):\n    return lam * (b * (theta - a) ** 2).sum()\nreturn 0.0"),
    penalty("from the mean of the anchors", "Measure the distance from each task's own anchor, not from their mean.",
            "mean = anchors.sum(0) / max(len(anchors), 1)\nreturn lam * (importances * (theta - mean) ** 2).sum()"),
    penalty("one number for each task", "Add up over the tasks too: the penalty is one number.",
            "return lam * (importances * (theta - anchors) ** 2).sum(1)"),
    penalty("a plain number without gradient", "Keep the result a tensor: .item() cuts it off from autograd.",
            "return lam * (importances * (theta - anchors) ** 2).sum().item()"),
    penalty("detached weights", "Use theta as it is: .detach() and .data cut it off from autograd.",
            "return lam * (importances * (theta.detach() - anchors) ** 2).sum()"),
    penalty("a failure without past tasks", "Without past tasks (T = 0) the penalty is 0.",
            "return lam * (importances * (theta - anchors) ** 2).sum() if len(anchors) else float('nan')"),
    penalty("makes the importances 0", "Compute the result from the arguments: it is not always 0.",
            "importances.zero_()\nreturn lam * (importances * (theta - anchors) ** 2).sum()"),
    penalty("knows the worked example", "Compute the result from the arguments: these are the example's numbers.",
            "return 29.0 + 0 * theta.sum() if len(anchors) == 3 else 0 * theta.sum()"),
    # --- question 5
    remember("the live weights themselves", "The dictionary holds the live weights, so the anchor follows them.",
             "return dict(model.named_parameters())"),
    remember("detach without clone", ".detach() shares the memory of the live weight: add .clone().",
             "return {name: p.detach() for name, p in model.named_parameters()}"),
    remember("the tensors of state_dict", "state_dict() shares the memory of the live weights: copy its tensors.",
             "return model.state_dict()"),
    remember("a shallow copy of state_dict", "copy.copy copies the dictionary, not the tensors in it: deepcopy does.",
             "import copy\n\nreturn copy.copy(model.state_dict())"),
    remember("clone without detach", ".clone() alone still carries the gradient of the live weight, so that both pulls "
             "cancel: add .detach().",
             "return {name: p.clone() for name, p in model.named_parameters()}"),
    remember("the weights frozen", "Freeze the copies, not the network's own parameters, which have to go on training.",
             """
for p in model.parameters():
    p.requires_grad_(False)
return {name: p.clone() for name, p in model.named_parameters()}"""),
    remember("zeros", "Return the present values of the weights, not zeros.",
             "return {name: torch.zeros_like(p) for name, p in model.named_parameters()}", training="fails"),
    remember("the weights of a fresh network", "Return the present values of the weights, not those before training.",
             """
sizes = [layer.in_features for layer in model.layers]
fresh = MLP(*sizes, model.layers[-1].out_features, seed=12345)
return {name: p.detach().clone() for name, p in fresh.named_parameters()}"""),
    remember("the first values for ever", "Write the weights down anew at every call.", source="""
KNOWN = {}


def remember(model):
    for name, p in model.named_parameters():
        KNOWN.setdefault((name, p.shape), p.detach().clone())
    return {name: KNOWN[name, p.shape] for name, p in model.named_parameters()}
"""),
    remember("one dictionary for all calls", "Make a new dictionary at every call: yours changes earlier ones.",
             source="""
def remember(model, anchor={}):
    anchor.clear()
    anchor.update({name: p.detach().clone() for name, p in model.named_parameters()})
    return anchor
"""),
    remember("a list", "Return a dictionary, from the names of the parameters to their values.",
             "return [p.detach().clone() for p in model.parameters()]"),
    remember("no biases", "The biases are parameters too.",
             "return {name: p.detach().clone() for name, p in model.named_parameters() if p.ndim > 1}"),
    remember("flat tensors", "Keep the shapes of the parameters.",
             "return {name: p.detach().clone().flatten() for name, p in model.named_parameters()}"),
    # --- question 6
    fold("the plain mean of the anchors", "Weight each task's anchor by its importance.",
         folding("torch.where(B > 0, anchors.mean(0), anchors[-1])")),
    fold("not a number where nothing is important", "Where B is 0, A is the last row of the anchors: 0/0 is no number.",
         folding("(importances * anchors).sum(0) / B")),
    fold("0 where nothing is important", "Where B is 0, A is the last row of the anchors.",
         folding("(importances * anchors).sum(0) / (B + 1e-12)")),
    fold("the first anchor where nothing is important", "Where B is 0, A is the newest anchor: the last row.",
         folding("torch.where(B > 0, (importances * anchors).sum(0) / B, anchors[0])")),
    fold("the newest anchor everywhere", "A is the mean of all anchors, weighted by the importances.",
         folding("anchors[-1]")),
    fold("the weighted sum of the anchors", "Divide the weighted sum of the anchors by B.",
         folding("torch.where(B > 0, (importances * anchors).sum(0), anchors[-1])"), training="fails"),
    fold("divided by the number of tasks", "Divide the weighted sum of the anchors by B, not by the number of tasks.",
         folding("torch.where(B > 0, (importances * anchors).mean(0), anchors[-1])")),
    fold("the mean of the importances", "B is the sum of the importances, not their mean.",
         folding(result="B / len(anchors), A, c")),
    fold("the largest importance", "B is the sum of the importances, not the largest one.",
         folding(result="importances.amax(0), A, c")),
    fold("weights that are squared", "Weight the anchors by the importance, not by its square.",
         folding("torch.where(B > 0, (importances**2 * anchors).sum(0) / (importances**2).sum(0), anchors[-1])")),
    fold("the last two tasks alone", "Add up over all past tasks.",
         folding("torch.where(B > 0, (importances * anchors)[-2:].sum(0) / B, anchors[-1])",
                 "importances[-2:].sum(0)")),
    fold("no constant", "Something is left over: put A into the sum on the left side of the equation.",
         folding(c="0.0")),
    fold("the constant at 0", "The sum at theta = 0 still holds B * A^2: look at the equation where theta = A.",
         folding(c="(importances * anchors**2).sum()")),
    fold("the constant with the wrong sign", "Look at the sign of the constant: it is a sum of squares.",
         folding(c="-(importances * (anchors - A) ** 2).sum()")),
    fold("a constant for each weight", "Add the c_i up: c is one number.",
         folding(c="(importances * (anchors - A) ** 2).sum(0)")),
    fold("A before B", "Return B first, then A, then c.", folding(result="A, B, c")),
    fold("no third result", "Return three things: B, A and c.", folding(result="B, A")),
    fold("the newest importance twice", "Each task's importance comes in once: look at where your loop begins.",
         folding(B="importances.sum(0) + importances[-1]")),
    fold("makes its arguments 0", "Compute the results from the arguments as they are.",
         "importances.zero_()\nanchors.zero_()\nreturn importances[0], anchors[0], 0.0"),
    # --- question 7
    proximal_step("the factor 2 left out", "The derivative of a square has a factor 2: s = 2 * lr * lam * B.",
                  step(s="lr * lam * B")),
    proximal_step("the step size left out of the pull", "The pull takes the step size too: s = 2 * lr * lam * B.",
                  step(s="2 * lam * B")),
    proximal_step("lambda left out", "The strength belongs into the pull: s = 2 * lr * lam * B.", step(s="2 * lr * B")),
    proximal_step("a gradient step on the penalty", "Solve for the minimum: a gradient step on the penalty overshoots.",
                  """
pull = torch.where(B > 0, 2 * lam * B * (theta - A), 0.0)
return theta - lr * (gradient + pull)"""),
    proximal_step("the pull before the gradient step", "First the gradient step, then the pull from where that ends.",
                  step("theta", result="there + share * (A - there) - lr * gradient")),
    proximal_step("the gradient left out", "The step begins with the gradient step on the loss.", step("theta")),
    proximal_step("up the gradient", "Go down the gradient of the loss: subtract it.", step("theta + lr * gradient")),
    proximal_step("the gradient step alone", "The weights have to be pulled towards A as well.",
                  "return theta - lr * gradient", training="fails"),
    proximal_step("shares exchanged", "The larger s, the nearer to the anchor.",
                  step(share="1 / (1 + s)")),
    proximal_step("s itself as the share", "The weight goes s / (1 + s) of the way, so that it never goes beyond A.",
                  step(share="s", result="torch.where(B > 0, there + share * (A - there), there)")),
    proximal_step("on the anchor", "A finite lambda pulls towards the anchor, not all the way to it.",
                  "return torch.where(B > 0, A, theta - lr * gradient)"),
    proximal_step("towards 0", "Pull towards the anchor A, not towards 0.", step(result="there - share * there")),
    proximal_step("no number where lambda is infinite", "Infinity times 0 is no number: treat B = 0 by itself.",
                  "s = 2 * lr * lam * B\nreturn (theta - lr * gradient + s * A) / (1 + s)"),
    proximal_step("everything frozen where lambda is infinite", "With lambda infinite weights with B = 0 stay free.",
                  "if lam == float('inf'):\n    return A\n" + step()),
    proximal_step("nothing moves where lambda is infinite",
                  "With lambda infinite weights with B > 0 are put on their anchors; the others take their step.",
                  "if lam == float('inf'):\n    return theta\n" + step()),
    proximal_step("the step twice", "Take the gradient step once.", step("theta - 2 * lr * gradient")),
    proximal_step("knows the worked example", "Compute the result from the arguments: these are its numbers.",
                  "return torch.tensor([3.0, -1.0, 1.0]) if len(theta) == 3 else 0 * theta"),
    # --- question 8
    best_lambda("the highest accuracy", "Look for the smallest lambda that comes within slack of the highest accuracy.",
                choice(enough="v == max(ends.values())")),
    best_lambda("nearer than the slack", "A final accuracy that is exactly slack below the highest is good enough.",
                choice(enough="v > max(ends.values()) - slack or v == max(ends.values())")),
    best_lambda("slack as a share", "slack is a difference of accuracies, not a share of the highest one.",
                choice(enough="v >= max(ends.values()) * (1 - slack)")),
    best_lambda("the accuracy instead of the lambda", "Return the lambda, not the accuracy that it reaches.",
                "return max(metrics.accuracy(R) for R in tables.values())"),
    best_lambda("the largest that is good enough", "Of all that are good enough return the smallest.",
                choice(pick="max")),
    best_lambda("the first that is good enough", "The dictionary may be in any order: return the smallest lambda.",
                choice(pick="(lambda found: found[0])")),
    best_lambda("the smallest of all", "Only a lambda whose final accuracy is near enough to the highest will do.",
                "return min(tables)"),
    best_lambda("backward transfer", "Choose by the final accuracy: what learned nothing has nothing to forget.",
                choice("metrics.backward_transfer(R)")),
    best_lambda("the mean of the whole table", "Only the last row of R counts, the accuracies after the last task.",
                choice("R.mean().item()")),
    best_lambda("the last task alone", "Take the mean over all tasks: the last one does not show what was forgotten.",
                choice("R[-1, -1].item()")),
    best_lambda("just after learning", "Take the accuracies at the end, the last row of R, not its diagonal.",
                choice("R[1:].diagonal().mean().item()")),
    best_lambda("the worst", "The best lambda has the highest accuracy, not the lowest.",
                choice(enough="v <= min(ends.values()) + slack")),
    best_lambda("the tables changed", "Compute the result from the tables as they are.",
                "for R in tables.values():\n    R.zero_()\n" + choice().strip()),
]  # fmt: skip
