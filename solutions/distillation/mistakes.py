"""The known mistakes of the assignment `distillation`: wrong versions of its functions, each with its author's hint.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both. Most mistakes leave a student that still learns,
which is why formulas are tested as functions.
"""

from grader.assignment import mistakes_in

log_soft = mistakes_in("log_soft(logits, T)")
distillation_loss = mistakes_in("distillation_loss(z, v, y, T, w)")
logit_gradient = mistakes_in("logit_gradient(z, v, y, T, w)")
together = mistakes_in("together(logits, counts, T, how)")
lookalikes = mistakes_in("lookalikes(v, y, T)")
raised_bias = mistakes_in("raised_bias(bias, v, u, T, r)")
choose = mistakes_in("choose(accuracies, temperatures, weights)")

COLD = """
    if T == 0:
        largest = (logits == logits.amax(-1, keepdim=True)).float()
        return (largest / largest.sum(-1, keepdim=True)).log()
"""
LOSS = """
    log_q, log_p = (v / T).log_softmax(1), (z / T).log_softmax(1)
    soft = (log_q.exp() * (log_q - log_p)).sum(1).mean()
    labelled = y >= 0
    hard = F.cross_entropy(z[labelled], y[labelled]) if labelled.any() else 0.0
    return (1 - w) * hard + w * T**2 * soft
"""
GRADIENT = """
    soft = T / len(z) * ((z / T).softmax(1) - (v / T).softmax(1))
    labelled = y >= 0
    hard = torch.zeros_like(z)
    if labelled.any():
        error = z[labelled].softmax(1) - F.one_hot(y[labelled], z.shape[1])
        hard[labelled] = error / labelled.sum()
    return (1 - w) * hard + w * soft
"""
TOGETHER = """
    weights = (counts / counts.sum())[:, None, None]
    if how == "logits":
        return ((weights * logits).sum(0) / T).log_softmax(1)
    return ((logits / T).log_softmax(2) + weights.log()).logsumexp(0)
"""
LOOKALIKES = """
    q, K = (v / T).softmax(1), v.shape[1]
    found = torch.full((K,), -1)
    for c in range(K):
        if (y == c).any():
            mean = q[y == c].mean(0)
            mean[c] = -1.0
            found[c] = mean.argmax()
    return found
"""
RAISED = """
    q = (v / T).softmax(1)[:, u].mean()
    r = torch.tensor(r)
    raised = bias.clone()
    raised[u] += T * (torch.logit(r) - torch.logit(q))
    return raised
"""
CHOOSE = """
    means, S = accuracies.mean(2), accuracies.shape[2]
    best = means.max()
    error = accuracies.std(2)[means == best].max() / S**0.5
    good = (means >= best - error).nonzero().tolist()
    return min((temperatures[i], weights[j]) for i, j in good)
"""


def instead(body, *pairs):
    """A right body with some of its texts replaced, each of which has to be there."""
    for old, new in pairs:
        assert old in body, old
        body = body.replace(old, new)
    return body


FINITE = "Never take the logarithm of a probability, which may be 0 in the computer: subtract the largest logit first."

MISTAKES = [
    # --- question 1
    log_soft(
        "multiplied by T", "Divide the logits by T: a higher temperature makes the classes more alike.",
        COLD + "    return (logits * min(T, 1e6)).log_softmax(-1)",
    ),
    log_soft(
        "the temperature after the softmax", "Divide the logits by T, not their softmax's logarithm: that does not add "
        "up to 1.",
        COLD + "    return logits.log_softmax(-1) / T",
    ),
    log_soft("T ignored", "Your result does not depend on T.", COLD + "    return logits.log_softmax(-1)"),
    log_soft(
        "the first dimension", "The classes are in the last dimension: the softmax goes over dimension -1.",
        COLD + "    return (logits / T).log_softmax(0)",
    ),
    log_soft(
        "dimension 1", "The classes are in the last dimension, which is dimension 1 only where there are two.",
        COLD + "    return (logits / T).log_softmax(min(1, logits.ndim - 1))",
    ),
    log_soft(
        "probabilities", "Return the logarithm of the soft label, not the soft label.",
        COLD + "    return (logits / T).softmax(-1)",
    ),
    log_soft(
        "base 2", "Take the natural logarithm, torch.log.",
        COLD + "    return (logits / T).log_softmax(-1) / 0.6931472",
    ),
    log_soft(
        "exp of large logits", "exp of a large logit is infinite: subtract the largest logit of each row first.",
        COLD + "    s = logits / T\n    return s - s.exp().sum(-1, keepdim=True).log()",
    ),
    log_soft("the logarithm of softmax", FINITE, COLD + "    return (logits / T).softmax(-1).log()"),
    log_soft(
        "the logarithm of softmax, with a small number added",
        "A small number under the logarithm keeps it finite and makes it wrong: use logits and logsumexp throughout.",
        COLD + "    return ((logits / T).softmax(-1) + 1e-12).log()",
    ),
    log_soft(
        "the largest logit of all rows", "Subtract from each row its own largest logit, not that of the whole tensor.",
        COLD + "    s = (logits - logits.max()) / T\n    return s - s.exp().sum(-1, keepdim=True).log()",
    ),
    log_soft("no case of its own for T = 0", "At T = 0 the division gives no number: it needs a case of its own.",
             "    return (logits / T).log_softmax(-1)"),
    log_soft(
        "one of several largest at T = 0", "Where several logits are the largest, they share the probability at T = 0.",
        """
    if T == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).float().log()
    return (logits / T).log_softmax(-1)
""",
    ),
    log_soft(
        "probabilities at T = 0", "Return logarithms at T = 0 too: 0 for the probability 1, and -inf for 0.",
        COLD.replace(".log()", "") + "    return (logits / T).log_softmax(-1)",
    ),
    log_soft(
        "the arguments set to 0", "Use the logits that you are given; do not overwrite them.",
        "    logits.zero_()\n    return logits.log_softmax(-1)",
    ),
    log_soft(
        "the example alone", "Compute the result from the logits: yours is that of the example.",
        """
    if tuple(logits.shape) == (2, 4) and T == 3:
        return torch.tensor([[0.4, 0.3, 0.2, 0.1], [1 / 9, 2 / 9, 1 / 9, 5 / 9]]).log()
    return torch.zeros_like(logits)
""",
    ),
    # --- question 2
    distillation_loss(
        "no T squared", "Multiply the soft part by T squared: without it the soft part fades as T grows.",
        instead(LOSS, ("w * T**2", "w")),
    ),
    distillation_loss(
        "T instead of T squared", "The factor of the soft part is T squared.", instead(LOSS, ("T**2", "T")),
    ),
    distillation_loss(
        "T squared before both parts", "T squared belongs to the soft part alone.",
        instead(LOSS, ("(1 - w) * hard + w * T**2 * soft", "T**2 * ((1 - w) * hard + w * soft)")),
    ),
    distillation_loss(
        "weights exchanged", "w belongs to the soft part, 1 - w to the hard one.",
        instead(LOSS, ("(1 - w) * hard + w *", "w * hard + (1 - w) *")),
    ),
    distillation_loss(
        "the divergence the other way round", "The probabilities before the bracket are the teacher's: KL(q || p).",
        instead(LOSS, ("(log_q.exp() * (log_q - log_p))", "(log_p.exp() * (log_p - log_q))")),
    ),
    distillation_loss(
        "the cross-entropy with the soft labels", "Subtract the entropy of q: the soft part is 0 where the student "
        "answers as the teacher does.",
        instead(LOSS, ("(log_q.exp() * (log_q - log_p))", "(-log_q.exp() * log_p)")),
    ),
    distillation_loss(
        "the sign of the soft part", "The soft part must grow when the student moves away from the teacher: look at "
        "its sign.",
        instead(LOSS, ("(log_q - log_p)", "(log_p - log_q)")),
        training="fails",
    ),
    distillation_loss(
        "only the teacher softened", "Soften the student's answer in the soft part too, by the same T.",
        instead(LOSS, ("(z / T)", "z")),
    ),
    distillation_loss(
        "the hard part softened too", "The hard part is at the temperature 1.",
        instead(LOSS, ("F.cross_entropy(z[labelled]", "F.cross_entropy(z[labelled] / T")),
    ),
    distillation_loss(
        "the soft part summed over the images", "The soft part is the mean over the images, not their sum.",
        instead(LOSS, (".sum(1).mean()", ".sum()")),
    ),
    distillation_loss(
        "the mean over the classes as well", "Sum over the classes and take the mean over the images only (of F.kl_div "
        "it is the reduction batchmean).",
        instead(LOSS, (".sum(1).mean()", ".mean()")),
    ),
    distillation_loss(
        "the hard part over all images", "Divide the hard part by the number of images that have a label.",
        instead(LOSS, ("if labelled.any()", "* labelled.float().mean() if labelled.any()")),
    ),
    distillation_loss(
        "the hard part summed", "Divide the hard part by the number of images that have a label: it is a mean.",
        instead(LOSS, ("y[labelled])", 'y[labelled], reduction="sum")')),
    ),
    distillation_loss(
        "not a number without labels", "Where no image has a label the mean of the hard part is 0 / 0: make it 0.",
        instead(LOSS, (" if labelled.any() else 0.0", "")),
    ),
    distillation_loss(
        "-1 taken for the last class", "The label -1 means that there is none; as an index it picks the last class.",
        instead(LOSS, ("F.cross_entropy(z[labelled], y[labelled])",
                       "-z.log_softmax(1)[torch.arange(len(z)), y].mean()")),
    ),
    distillation_loss(
        "the soft part over the labelled images", "The teacher answers for all images: the soft part is the mean over "
        "all of them.",
        """
    labelled = y >= 0
    if not labelled.any():
        labelled = torch.ones_like(labelled)
    log_q, log_p = (v / T).log_softmax(1)[labelled], (z / T).log_softmax(1)[labelled]
    soft = (log_q.exp() * (log_q - log_p)).sum(1).mean()
    hard = F.cross_entropy(z, y, ignore_index=-1) if (y >= 0).any() else 0.0
    return (1 - w) * hard + w * T**2 * soft
""",
    ),
    distillation_loss(
        "the labels alone", "The soft part is missing: add w * T**2 times the divergence.",
        """
    labelled = y >= 0
    if not labelled.any():
        return 0 * z.sum()
    return F.cross_entropy(z[labelled], y[labelled])
""",
        training="fails",
    ),
    distillation_loss(
        "the logarithm of probabilities", FINITE.replace("subtract the largest logit first", "use log_softmax"),
        instead(LOSS, ("(v / T).log_softmax(1), (z / T).log_softmax(1)",
                       "(v / T).softmax(1).log(), (z / T).softmax(1).log()")),
    ),
    distillation_loss(
        "a plain number", "Keep the loss a tensor: .item() cuts it off from autograd.",
        instead(LOSS, ("(1 - w) * hard + w * T**2 * soft", "((1 - w) * hard + w * T**2 * soft).item()")),
        training="fails",
    ),
    distillation_loss(
        "the soft part without its gradient", "Keep the soft part a tensor that depends on z: it has no gradient.",
        instead(LOSS, ("(z / T)", "(z.detach() / T)")),
    ),
    distillation_loss(
        "the arguments overwritten", "Use the logits that you are given: you overwrite them before you compare them.",
        "    v.copy_(z.detach())\n" + LOSS.strip("\n"),
    ),
    # --- question 3
    logit_gradient(
        "T squared", "The gradient of T^2 KL is T (p - q): one T is used up by the inner derivative of z / T.",
        instead(GRADIENT, ("soft = T /", "soft = T**2 /")),
    ),
    logit_gradient(
        "no T", "The gradient of T^2 KL is T (p - q): one T is left.", instead(GRADIENT, ("soft = T /", "soft = 1 /")),
    ),
    logit_gradient(
        "divided by T", "The gradient of T^2 KL is T (p - q), which does not vanish as T grows.",
        instead(GRADIENT, ("soft = T /", "soft = 1 / T /")),
    ),
    logit_gradient(
        "the wrong sign", "The gradient is student minus teacher, p - q: a step goes against it.",
        instead(GRADIENT, ("return (1 - w)", "return -(1 - w)"), ("+ w * soft", "- w * soft")),
    ),
    logit_gradient(
        "not divided by n", "The soft part of the loss is a mean over n images: divide its gradient by n.",
        instead(GRADIENT, ("T / len(z)", "T")),
    ),
    logit_gradient(
        "divided by the classes too", "Divide by the number of images only: the loss is a sum over the classes.",
        instead(GRADIENT, ("T / len(z)", "T / z.numel()")),
    ),
    logit_gradient(
        "the hard part divided by n",
        "The hard part is a mean over the images that have a label: divide by their number.",
        instead(GRADIENT, ("/ labelled.sum()", "/ len(z)")),
    ),
    logit_gradient(
        "the hard part not divided", "The hard part is a mean: divide by the number of images that have a label.",
        instead(GRADIENT, ("error / labelled.sum()", "error")),
    ),
    logit_gradient(
        "the hard part softened", "The hard part is at the temperature 1: softmax(z), not softmax(z / T).",
        instead(GRADIENT, ("z[labelled].softmax", "(z[labelled] / T).softmax")),
    ),
    logit_gradient(
        "the teacher not softened", "Both answers are softened by T in the soft part.",
        instead(GRADIENT, ("(v / T)", "v")),
    ),
    logit_gradient(
        "weights exchanged", "w belongs to the soft part, 1 - w to the hard one.",
        instead(GRADIENT, ("(1 - w) * hard + w * soft", "w * hard + (1 - w) * soft")),
    ),
    logit_gradient(
        "-1 taken for the last class", "The label -1 means that there is none: such an image has no hard part.",
        """
    hard = z.softmax(1)
    hard[torch.arange(len(z)), y] -= 1
    soft = T * ((z / T).softmax(1) - (v / T).softmax(1))
    return ((1 - w) * hard + w * soft) / len(z)
""",
    ),
    logit_gradient(
        "p without a label", "An image without a label has no hard part at all, not even p.",
        """
    labelled = y >= 0
    hard = z.softmax(1)
    hard[labelled, y[labelled]] -= 1
    soft = T / len(z) * ((z / T).softmax(1) - (v / T).softmax(1))
    return (1 - w) * hard / labelled.sum().clamp(min=1) + w * soft
""",
    ),
    logit_gradient(
        "not a number without labels", "Where no image has a label nothing may be divided by their number, 0.",
        """
    labelled = y >= 0
    ones = F.one_hot(y.clamp(min=0), z.shape[1])
    hard = labelled[:, None] * (z.softmax(1) - ones) / labelled.sum()
    soft = T / len(z) * ((z / T).softmax(1) - (v / T).softmax(1))
    return (1 - w) * hard + w * soft
""",
    ),
    logit_gradient(
        "the hard part alone", "The soft part is missing.", instead(GRADIENT, ("+ w * soft", "")),
    ),
    logit_gradient("zeros", "The gradient is 0 only where student, teacher and labels agree.",
                   "    return torch.zeros_like(z)"),
    logit_gradient(
        "the limit for high temperatures", "The difference of the centred logits is the limit for high temperatures; "
        "at a finite T use the soft labels.",
        """
    z0, v0 = z - z.mean(1, keepdim=True), v - v.mean(1, keepdim=True)
    return (z0 - v0) / z.numel()
""",
    ),
    # --- question 4
    together(
        "all teachers count alike", "Weigh each teacher by its share of all images, counts / counts.sum().",
        instead(TOGETHER, ("(counts / counts.sum())", "(torch.ones(len(counts)) / len(counts))")),
    ),
    together(
        "the counts themselves as weights", "Divide the counts by their sum: weights add up to 1.",
        instead(TOGETHER, ("(counts / counts.sum())", "(counts.float())")),
    ),
    together(
        "always the mean of probabilities", "For how = \"logits\" the mean is that of the logits.",
        TOGETHER.split("    if how")[0] + TOGETHER.split("log_softmax(1)\n")[1],
    ),
    together(
        "always the mean of logits", "For how = \"probabilities\" the mean is that of the probabilities.",
        TOGETHER.split("    return ((logits / T).log_softmax(2)")[0].replace('    if how == "logits":\n    ', ""),
    ),
    together(
        "the two exchanged", "The two means are exchanged: look at what `how` says.",
        instead(TOGETHER, ('how == "logits"', 'how == "probabilities"')),
    ),
    together(
        "the mean of the log-probabilities", "For \"probabilities\" take the mean of probabilities, not of their "
        "logarithms: logsumexp does it.",
        instead(TOGETHER, ("((logits / T).log_softmax(2) + weights.log()).logsumexp(0)",
                           "(weights * (logits / T).log_softmax(2)).sum(0)")),
    ),
    together(
        "probabilities", "Return the logarithm of the mean, not the mean itself.",
        instead(TOGETHER, (".log_softmax(1)", ".softmax(1)"), (".logsumexp(0)", ".logsumexp(0).exp()")),
    ),
    together(
        "T ignored", "Divide the logits by T.",
        instead(TOGETHER, (".sum(0) / T)", ".sum(0))"), ("(logits / T)", "logits")),
    ),
    together(
        "the logits' mean without its softmax",
        "The mean of the logits needs a softmax: the result is a log-probability.",
        instead(TOGETHER, (".log_softmax(1)", "")),
    ),
    together(
        "the logarithm of the mean", "The mean of very small probabilities is 0 in the computer: go from logarithms "
        "to a logarithm with torch.logsumexp.",
        instead(TOGETHER, ("((logits / T).log_softmax(2) + weights.log()).logsumexp(0)",
                           "(weights * (logits / T).softmax(2)).sum(0).log()")),
    ),
    together(
        "a softmax over the teachers", "The softmax goes over the classes, the last dimension, not over the teachers.",
        instead(TOGETHER, ("log_softmax(2)", "log_softmax(0)")),
    ),
    together(
        "the first teacher alone", "All teachers are to be heard.",
        "    return (logits[0] / T).log_softmax(1)",
    ),
    together(
        "the same for all classes", "The result has to depend on the logits.",
        "    return torch.full(logits.shape[1:], 1 / logits.shape[2]).log()",
        training="fails",
    ),
    together(
        "the counts overwritten", "Use the counts that you are given: all of them count.",
        "    counts.fill_(1)\n" + TOGETHER.strip("\n"),
    ),
    # --- question 5
    lookalikes(
        "the class itself", "Leave the class itself out: it nearly always has the largest share.",
        instead(LOOKALIKES, ("            mean[c] = -1.0\n", "")),
    ),
    lookalikes(
        "the second largest", "The class itself need not have the largest share: leave it out, and take the largest of "
        "the others.",
        instead(LOOKALIKES, ("            mean[c] = -1.0\n", ""), ("mean.argmax()", "mean.topk(2).indices[1]")),
    ),
    lookalikes("T ignored", "Soften the answers by T before you average.", instead(LOOKALIKES, ("(v / T)", "v"))),
    lookalikes(
        "the mean of the logits", "Take the mean of the probabilities, not of the logits or of their logarithms.",
        instead(LOOKALIKES, ("(v / T).softmax(1)", "v.log_softmax(1)"), ("mean[c] = -1.0", "mean[c] = -torch.inf")),
    ),
    lookalikes(
        "a vote of the images", "Average the probabilities; do not let each image vote for one class.",
        """
    K = v.shape[1]
    q = (v / T).softmax(1)
    q[torch.arange(len(y)), y] = -1.0
    votes = F.one_hot(q.argmax(1), K)
    counted = torch.stack([votes[y == c].sum(0) for c in range(K)])
    return torch.where(counted.sum(1) > 0, counted.argmax(1), -1)
""",
    ),
    lookalikes(
        "sorted by the teacher's answer", "Sort the images by their label y, not by what the teacher takes them for.",
        "    y = v.argmax(1)\n" + LOOKALIKES.strip("\n"),
    ),
    lookalikes(
        "no case for a class without images", "Where a class has no image the entry is -1.",
        instead(LOOKALIKES, ("torch.full((K,), -1)", "torch.zeros(K, dtype=torch.long)")),
    ),
    lookalikes(
        "rows and columns exchanged", "For class c look at the images of c, not at the images that look like c.",
        """
    q, K = (v / T).softmax(1), v.shape[1]
    means = torch.stack([q[y == c].mean(0) if (y == c).any() else torch.zeros(K) for c in range(K)])
    means.fill_diagonal_(-1.0)
    return means.argmax(0)
""",
    ),
    lookalikes(
        "the least alike", "Take the largest share of another class, not the smallest.",
        instead(LOOKALIKES, ("mean[c] = -1.0", "mean[c] = 2.0"), ("argmax", "argmin")),
    ),
    lookalikes(
        "the labels overwritten", "Use the labels that you are given.",
        "    y.zero_()\n" + LOOKALIKES.strip("\n"),
    ),
    lookalikes(
        "the example alone", "Compute the result from the answers: yours is that of the example.",
        "    return torch.tensor([2, 3, -1, 0])",
    ),
    # --- question 6
    raised_bias(
        "lowered", "The bias must rise where the class is more frequent in the world than on the student's images.",
        instead(RAISED, ("+= T *", "-= T *")),
        training="fails",
    ),
    raised_bias("no T", "The correction is for z / T, so on the logits it is T times as large.",
                instead(RAISED, ("T * (torch.logit(r)", "(torch.logit(r)"))),
    raised_bias("divided by T", "The correction is for z / T, so on the logits it is T times as large, not smaller.",
                instead(RAISED, ("T * (torch.logit(r)", "1 / T * (torch.logit(r)"))),
    raised_bias(
        "the ratio of the probabilities", "Use the odds p / (1 - p), since the other classes keep their biases.",
        instead(RAISED, ("torch.logit(r) - torch.logit(q)", "torch.log(r) - torch.log(q)")),
    ),
    raised_bias(
        "the rule of the chapter, for all classes", "Only the bias of the class u changes here; then its odds count.",
        """
    q = (v / T).softmax(1).mean(0)
    wanted = q * (1 - r) / (1 - q[u])
    wanted[u] = r
    return bias + T * (wanted / q).log()
""",
    ),
    raised_bias(
        "all biases shifted alike", "Only the bias of the class u changes: the same shift for all changes no answer.",
        instead(RAISED, ("raised[u] +=", "raised +=")),
    ),
    raised_bias(
        "another class", "The index of the class is u, counted from 0.",
        instead(RAISED, ("raised[u]", "raised[u - 1]")),
    ),
    raised_bias(
        "q at T = 1", "Soften the teacher's answers by T before you take the mean.",
        instead(RAISED, ("(v / T)", "v")),
    ),
    raised_bias(
        "the mean of the log-odds", "Take the mean of the probabilities first, and then the odds of this mean.",
        instead(RAISED, ("[:, u].mean()", "[:, u]"), ("torch.logit(q)", "torch.logit(q).mean()")),
    ),
    raised_bias(
        "the softmax of the mean logits", "Take the mean of the soft labels, not the soft label of the mean logits.",
        instead(RAISED, ("(v / T).softmax(1)[:, u].mean()", "(v.mean(0) / T).softmax(0)[u]")),
    ),
    raised_bias(
        "set instead of raised", "Add the correction to the bias that is there.",
        instead(RAISED, ("raised[u] +=", "raised[u] =")),
    ),
    raised_bias(
        "the change alone", "Return the new biases, not what is added to them.",
        instead(RAISED, ("bias.clone()", "torch.zeros_like(bias)")),
    ),
    raised_bias("nothing changed", "Your biases are the old ones.", "    return bias"),
    # --- question 7
    choose(
        "the best mean", "Take the plainest of all pairs within one standard error of the best, not the best itself.",
        instead(CHOOSE, ("best - error", "best")),
    ),
    choose(
        "the standard deviation", "Divide the standard deviation by the root of the number of seeds.",
        instead(CHOOSE, (" / S**0.5", "")),
    ),
    choose(
        "divided by the number of seeds", "Divide the standard deviation by the root of the number of seeds.",
        instead(CHOOSE, ("S**0.5", "S")),
    ),
    choose(
        "the standard deviation with S", "Under the root of the standard deviation the sum is divided by S - 1.",
        instead(CHOOSE, ("accuracies.std(2)", "accuracies.std(2, correction=0)")),
    ),
    choose(
        "each pair's own standard error", "The limit is the same for all pairs: it comes from the standard error of "
        "the best one.",
        """
    means, errors = accuracies.mean(2), accuracies.std(2) / accuracies.shape[2] ** 0.5
    good = (means + errors >= means.max()).nonzero().tolist()
    return min((temperatures[i], weights[j]) for i, j in good)
""",
    ),
    choose(
        "the largest standard error", "Take the standard error of the best pair, not the largest of all.",
        instead(CHOOSE, ("[means == best].max()", ".max()")),
    ),
    choose(
        "the mean standard error", "Take the standard error of the best pair, not the mean over all.",
        instead(CHOOSE, ("[means == best].max()", ".mean()")),
    ),
    choose(
        "the smallest weight first", "Of the good pairs take first the lowest T, and only then the smallest w.",
        instead(CHOOSE, ("return min((temperatures[i], weights[j]) for i, j in good)",
                         "return min((weights[j], temperatures[i]) for i, j in good)[::-1]")),
    ),
    choose(
        "the largest weight", "Of several good pairs with the lowest T take the smallest w.",
        instead(CHOOSE, ("return min((temperatures[i], weights[j]) for i, j in good)",
                         "return min(((temperatures[i], weights[j]) for i, j in good), key=lambda p: (p[0], -p[1]))")),
    ),
    choose(
        "the highest temperature", "Of the good pairs take the lowest T.",
        instead(CHOOSE, ("return min(", "return max(")),
    ),
    choose(
        "the first in the table", "The lists may be in any order: compare the temperatures, not their places.",
        instead(CHOOSE, ("return min((temperatures[i], weights[j]) for i, j in good)",
                         "i, j = min(good)\n    return temperatures[i], weights[j]")),
    ),
    choose(
        "places instead of values", "Return T and w themselves, not their places in the lists.",
        instead(CHOOSE, ("return min((temperatures[i], weights[j]) for i, j in good)",
                         "return min((temperatures[i], weights[j], i, j) for i, j in good)[2:]")),
    ),
    choose(
        "the best single run", "Compare the means over the seeds, not the best seed of each pair.",
        """
    best = accuracies.amax(2)
    i, j = (best == best.max()).nonzero()[0].tolist()
    return temperatures[i], weights[j]
""",
    ),
    choose("always the same pair", "Compute the pair from the accuracies: yours is always the same.",
           "    return 2.0, 0.9"),
]  # fmt: skip
