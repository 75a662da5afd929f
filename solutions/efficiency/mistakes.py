"""The known mistakes of the assignment `efficiency`: wrong versions of its functions, each with a hint for the author.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both. Only a few are marked as failing the training:
those that stand for a kind, since each of them costs many trainings.
"""

from grader.assignment import mistakes_in

separable = mistakes_in("separable(x, depthwise, pointwise, stride)", training="passes")
costs = mistakes_in("costs(inputs, outputs, k, m, size, stride, padding)", training="passes")
multiplier_needed = mistakes_in("multiplier_needed(weight, tolerance)", training="passes")
factor = mistakes_in("factor(weight, error)", training="passes")
exits_of = mistakes_in("exits_of(outputs, threshold)", training="passes")
measured = mistakes_in("measured(outputs, y, exits, stages, heads)", training="passes")
choose = mistakes_in("choose(thresholds, accuracies, macs, budget, slack)", training="passes")
joint_loss = mistakes_in("joint_loss(outputs, y, alpha)")
slim_layer = mistakes_in("slim_layer(x, weight, gain, shift, statistics)")


def separable_with(*, filters="depthwise.flatten(0, 1)[:, None]", padding="k // 2", first="stride=stride",
                   mixed="pointwise.flatten(1)", second="", x="x"):  # fmt: skip
    return f"""    inputs, k = depthwise.shape[0], depthwise.shape[-1]
    filters = {filters}
    h = F.conv2d({x}, filters, padding={padding}, groups=inputs, {first})
    return F.conv2d(h, {mixed}[:, :, None, None], {second})"""


def costs_with(*, places="(side + 2 * padding - k) // stride + 1", full="inputs * outputs * k * k",
               apart="inputs * m * k * k + inputs * m * outputs", many="rows * columns",
               result="full, full * places, apart, apart * places"):  # fmt: skip
    return f"""    rows, columns = ({places} for side in size)
    full = {full}
    apart = {apart}
    places = {many}
    return {result}"""


def multiplier_with(*, channels="weight.transpose(0, 1).flatten(2)", limit="tolerance * values[:, :1]",
                    result="ranks.max().item()"):  # fmt: skip
    return f"""    channels = {channels}
    values = torch.linalg.svdvals(channels)
    ranks = (values > {limit}).sum(1)
    return {result}"""


def factor_with(*, lost="sigma[K:].norm()", limit="error * sigma.norm()", first="1", pair="u[:, :K] * sigma[:K], v[:K]",
                saves="K * (M + N) < M * N"):  # fmt: skip
    return f"""    M, N = weight.shape
    u, sigma, v = torch.linalg.svd(weight, full_matrices=False)
    lost = torch.stack([{lost} for K in range(1, len(sigma) + 1)])
    K = {first} + int((lost > {limit}).sum())
    return ({pair}) if {saves} else None"""


def exits_with(*, entropy="-(log_q.exp() * log_q).sum(2) / math.log(outputs.shape[2])", sure="entropy <= threshold",
               last="sure[-1] = True", result="sure.int().argmax(0)"):  # fmt: skip
    return f"""    log_q = outputs.log_softmax(2)
    entropy = {entropy}
    sure = {sure}
    {last}
    return {result}"""


def measured_with(*, answers="outputs.argmax(2).gather(0, exits[None])[0]", price="(s + h).cumsum(0)",
                  accuracy="(answers == y).double().mean().item()", spent="price[exits].mean().item()"):  # fmt: skip
    return f"""    s, h = torch.tensor(stages).double(), torch.tensor(heads).double()
    answers = {answers}
    price = {price}
    return {accuracy}, {spent}"""


def choose_with(*, paid="p[0] <= budget", pool="paid", good="p[1] >= best - slack", pick="min(good)[2]"):
    return f"""    every = list(zip(macs, accuracies, thresholds))
    paid = [p for p in every if {paid}]
    if not paid:
        return None
    best = max(accuracy for _, accuracy, _ in {pool})
    good = [p for p in paid if {good}] or paid
    return {pick}"""


def joint_with(*, p="large.detach().softmax(1)", large="F.cross_entropy(large, y)", hard="F.cross_entropy(z, y)",
               soft="F.cross_entropy(z, p)", both="(1 - alpha) * hard + alpha * soft", total="loss"):  # fmt: skip
    return f"""    *small, large = outputs
    p = {p}
    loss = {large}
    for z in small:
        hard, soft = {hard}, {soft}
        loss = loss + {both}
    return {total}"""


def slim_with(*, part="weight[: len(gain), : x.shape[1]]", batch="z.mean(0), z.var(0, correction=0)",
              when="statistics is None", root="(variance + EPS).sqrt()", h="torch.relu(gain * normed + shift)",
              returned="mean, variance", before=""):  # fmt: skip
    return f"""    {before or "pass"}
    z = x @ {part}.T
    used = statistics
    if {when}:
        used = {batch}
    mean, variance = used
    normed = (z - mean) / {root}
    return {h}, {returned}"""


PLACES = "There are floor((side + 2 * padding - k) / stride) + 1 places in each direction."
EACH = "Make a matrix (O, k * k) of each input channel, and take the largest of their ranks."
NORMS = "The error is a ratio of norms, not of their squares."
PAID = "Only thresholds whose mean cost is at most the budget may be chosen."

MISTAKES = [
    # --- question 1
    separable(
        "the weights in the order of the filters",
        "Filter j of channel i is the map number i * m + j: pointwise is (O, I, m), so flatten it as it is.",
        separable_with(mixed="pointwise.transpose(1, 2).flatten(1)"),
    ),
    separable(
        "the filters in the wrong groups",
        "With groups=I the first m filters see channel 0: bring the filters into the order of the channels.",
        separable_with(filters="depthwise.transpose(0, 1).flatten(0, 1)[:, None]"),
    ),
    separable(
        "flipped filters", "Do not flip the filters: conv2d computes the formula of the question as it is.",
        separable_with(filters="depthwise.flatten(0, 1)[:, None].flip(2, 3)"),
    ),
    separable(
        "rows and columns exchanged", "Leave the filters as they are: their rows and columns are exchanged.",
        separable_with(filters="depthwise.flatten(0, 1)[:, None].transpose(2, 3)"),
    ),
    separable(
        "no padding", "Pad with (k - 1) / 2 zeros on every side, so that stride 1 keeps the size.",
        separable_with(padding="0"),
    ),
    separable(
        "always one zero around", "The padding is (k - 1) / 2: it depends on the side of the filters.",
        separable_with(padding="1"),
    ),
    separable("no stride", "Hand the stride on to the depthwise step.", separable_with(first="stride=1")),
    separable(
        "the stride twice", "The stride belongs to the depthwise step alone, not to the pointwise one.",
        separable_with(second="stride=stride"),
    ),
    separable(
        "the filters added up first", "Each filter has a weight of its own: mix after filtering, not before.",
        """    inputs, k = depthwise.shape[0], depthwise.shape[-1]
    h = F.conv2d(x, depthwise.sum(1)[:, None], stride=stride, padding=k // 2, groups=inputs)
    return F.conv2d(h, pointwise.mean(2)[:, :, None, None])""",
    ),
    separable(
        "zeros", "Compute the output: yours is zero everywhere.",
        """    k = depthwise.shape[-1]
    sides = ((side - 1) // stride + 1 for side in x.shape[2:])
    return x.new_zeros(len(x), len(pointwise), *sides)""",
    ),
    separable(
        "the filters emptied in place", "Do not set the filters to zero before you use them.",
        "    depthwise.zero_()\n" + separable_with(),
    ),
    # --- question 2
    costs("the fraction not cut off", PLACES, costs_with(places="(side + 2 * padding - k) / stride + 1")),
    costs("the one forgotten", PLACES, costs_with(places="(side + 2 * padding - k) // stride")),
    costs("rounded up", PLACES, costs_with(places="-(-(side + 2 * padding - k) // stride) + 1")),
    costs("the padding on one side", PLACES, costs_with(places="(side + padding - k) // stride + 1")),
    costs("the places of the image", "Count the places of the output, not those of the image.",
          costs_with(places="side")),
    costs("square images", "The image has two sides: count the places in each direction.",
          costs_with(many="rows * rows")),
    costs(
        "the multiplier in one step only",
        "The pointwise step reads m maps for each input channel, so it has I * m * O weights.",
        costs_with(apart="inputs * m * k * k + inputs * outputs"),
    ),
    costs(
        "a filter for every pair", "The depthwise step has m filters for each input channel, whatever the outputs are.",
        costs_with(apart="inputs * outputs * m * k * k + inputs * m * outputs"),
    ),
    costs(
        "the depthwise step at every place of the image",
        "The stride is in the depthwise step, so both steps are computed at h' * w' places only.",
        costs_with(result="full, full * places, apart, (inputs * m * k * k * size[0] * size[1]"
                          " + inputs * m * outputs * places)"),
    ),
    costs(
        "weights and multiplications in another order",
        "Return the weights and the MACs of the full convolution first, then those of the separable one.",
        costs_with(result="full, apart, full * places, apart * places"),
    ),
    costs("with biases", "Count without biases.", costs_with(full="inputs * outputs * k * k + outputs")),
    costs("the example's answer", "Compute the numbers from the arguments: yours are those of the example.",
          "    return 135, 2700, 84, 1680"),
    # --- question 3
    multiplier_needed(
        "the rank of the whole matrix", EACH,
        multiplier_with(channels="weight.flatten(1)[None]"),
    ),
    multiplier_needed(
        "a matrix for each output", "The filters of one input channel to all outputs make a matrix, not those of one "
        "output to all inputs.",
        multiplier_with(channels="weight.flatten(2)"),
    ),
    multiplier_needed("the smallest rank", EACH, multiplier_with(result="ranks.min().item()")),
    multiplier_needed(
        "the first channel", "The multiplier has to do for every channel, not for the first alone.",
        multiplier_with(result="ranks[0].item()"),
    ),
    multiplier_needed(
        "the sum of the ranks", "The multiplier is the number of filters of one channel: take the largest rank.",
        multiplier_with(result="ranks.sum().item()"),
    ),
    multiplier_needed(
        "an absolute tolerance", "Compare a singular value with the tolerance times the largest one of its channel.",
        multiplier_with(limit="tolerance"),
    ),
    multiplier_needed(
        "the largest value of all channels", "Each channel has a scale of its own: compare within the channel.",
        multiplier_with(limit="tolerance * values.max()"),
    ),
    multiplier_needed(
        "squared singular values", "Compare the singular values themselves, not their squares.",
        """    values = torch.linalg.svdvals(weight.transpose(0, 1).flatten(2)).square()
    return (values > tolerance * values[:, :1]).sum(1).max().item()""",
    ),
    multiplier_needed(
        "the tolerance not used", "Use the tolerance: values up to this share of the largest count as zero.",
        multiplier_with(limit="1e-5 * values[:, :1]"),
    ),
    multiplier_needed(
        "reshaped instead of transposed",
        "The matrix of channel i has the rows weight[o, i]: transpose, do not reshape.",
        multiplier_with(channels="weight.reshape(weight.shape[1], weight.shape[0], -1)"),
    ),
    multiplier_needed("as many as fit", "Many filters are multiples or sums of others: count the independent ones.",
                      "    return min(weight.shape[0], weight.shape[2] * weight.shape[3])"),
    multiplier_needed("always two", "Compute the answer: two is that of the example.", "    return 2"),
    multiplier_needed(
        "one filter at least", "A channel whose filters are all zero needs no filter: where all are zero return 0.",
        multiplier_with(result="max(1, ranks.max().item())"),
    ),
    multiplier_needed(
        "zeros counted",
        "Count the values that are larger than the limit: where all filters are zero, the limit is 0, and so are all "
        "values.",
        multiplier_with().replace("values >", "values >="),
    ),
    # --- question 4
    factor("the squared error", NORMS,
           factor_with(lost="sigma[K:].square().sum()", limit="error * sigma.square().sum()")),
    factor("the sum of the singular values",
           "The norm of a matrix is the root of the sum of the squared singular values.",
           factor_with(lost="sigma[K:].sum()", limit="error * sigma.sum()")),
    factor("an absolute error", "Divide by the norm of W: the error is a ratio.", factor_with(limit="error")),
    factor("beside the largest value", "Divide by the norm of W, not by its largest singular value.",
           factor_with(limit="error * sigma[0]")),
    factor("the first value that is left out", "What is lost is all the singular values that are left out, not one.",
           factor_with(lost="(sigma[K] if K < len(sigma) else sigma.new_zeros(()))")),
    factor("one rank too many", "Take the smallest rank whose error is at most the given one: yours is one larger.",
           factor_with(first="2")),
    factor("the roots in both factors", "Here all of the singular values go into U, so that V's rows are orthonormal.",
           factor_with(pair="u[:, :K] * sigma[:K].sqrt(), sigma[:K, None].sqrt() * v[:K]")),
    factor("the values in V", "The singular values belong to U: the rows of V are to be orthonormal.",
           factor_with(pair="u[:, :K], sigma[:K, None] * v[:K]")),
    factor("V transposed", "V has the shape (K, N): torch gives it as it is needed.",
           factor_with(pair="u[:, :K] * sigma[:K], v[:K].T")),
    factor("always two factors", "Where the factors have as many numbers as W or more, return None.",
           factor_with(saves="True")),
    factor("as many numbers still save", "With exactly as many numbers as before nothing is saved: return None.",
           factor_with(saves="K * (M + N) <= M * N")),
    factor("below the full rank", "A rank below the full one is not enough: numbers are saved where K (M + N) < M N.",
           factor_with(saves="K < min(M, N)")),
    factor("never factored", "Where the factors have fewer numbers than W, return them.", "    return None"),
    # --- question 5
    exits_of("the largest probability", "An exit is sure where its entropy is at most the threshold.",
             exits_with(sure="log_q.exp().amax(2) >= threshold")),
    exits_of("not divided by log C",
             "Divide the entropy by log C.", exits_with(entropy="-(log_q.exp() * log_q).sum(2)")),
    exits_of("in bits", "Divide the entropy by log C, not by log 2.",
             exits_with(entropy="-(log_q.exp() * log_q).sum(2) / math.log(2)")),
    exits_of("sure where the entropy is high", "A low entropy is a sure exit: at most the threshold.",
             exits_with(sure="entropy >= threshold")),
    exits_of("below the threshold", "An entropy equal to the threshold is low enough: at most, not below.",
             exits_with(sure="entropy < threshold")),
    exits_of("a small number for a probability that is zero",
             "q log q counts as exactly 0 where q is 0: with a small number in place of q the entropy is larger than "
             "0.",
             exits_with(entropy="-(lambda q: q * q.log())(log_q.exp().clamp(min=1e-8)).sum(2) / "
                                "math.log(outputs.shape[2])")),
    exits_of("the log of a probability that is zero", "q log q counts as 0 where q is 0: yours is not a number there.",
             exits_with(entropy="-(log_q.exp() * log_q.exp().log()).sum(2) / math.log(outputs.shape[2])")),
    exits_of("nobody sure leaves first", "An image that no exit is sure of leaves at the last one, not at the first.",
             exits_with(last="pass")),
    exits_of("the last sure exit", "An image leaves at the first exit that is sure of it.",
             exits_with(result="torch.where(sure[:-1].any(0), sure.shape[0] - 2 - sure[:-1].flip(0).int().argmax(0), "
                               "sure.shape[0] - 1)")),
    exits_of("the surest exit", "An image leaves at the first exit that is sure enough, not at the surest.",
             exits_with(result="entropy.argmin(0)")),
    exits_of("counted from 1", "Count the exits from 0.", exits_with(result="sure.int().argmax(0) + 1")),
    exits_of("a softmax over the images",
             "The probabilities of an exit add up to 1 over the classes, the last dimension.",
             "    outputs = outputs - outputs.logsumexp(1, keepdim=True)\n" + exits_with().replace(
                 "log_q = outputs.log_softmax(2)", "log_q = outputs")),
    exits_of("all at exit 0", "Not every image leaves at the first exit.", "    return [0] * outputs.shape[1]"),
    exits_of("the example's answer", "Compute the exits: yours are those of the example.",
             "    return [0, 1, 2, 2] if outputs.shape[1] == 4 else [0] * outputs.shape[1]"),
    # --- question 6
    measured("the answer of the last exit", "An image's answer is that of the exit where it leaves.",
             measured_with(answers="outputs[-1].argmax(1)")),
    measured("the answer of all exits together", "An image's answer is that of one exit, not of the sum of all.",
             measured_with(answers="outputs.sum(0).argmax(1)")),
    measured("only the last exit is paid", "An image pays for all the exits on its way, not for its own alone.",
             measured_with(price="s.cumsum(0) + h")),
    measured("only one stage is paid", "An image pays for all stages up to its exit, not for the last one alone.",
             measured_with(price="s + h.cumsum(0)")),
    measured("exits for nothing", "The exits on the way cost something, too: add the heads.",
             measured_with(price="s.cumsum(0)")),
    measured("nobody leaves", "An image pays up to the exit where it leaves, not for the whole network.",
             measured_with(spent="price[-1].item()")),
    measured("the mean of the exits' prices", "The mean is over the images: exits where many leave count more.",
             measured_with(spent="price.mean().item()")),
    measured("the sum instead of the mean", "Return the mean cost of an image, not the sum over the images.",
             measured_with(spent="price[exits].sum().item()")),
    measured("the right ones counted", "The accuracy is a share: divide the number of right answers by n.",
             measured_with(accuracy="(answers == y).sum().item()")),
    measured("the share of errors", "The accuracy is the share of right answers, not of wrong ones.",
             measured_with(accuracy="(answers != y).double().mean().item()")),
    measured("one exit too far",
             "Exits are counted from 0: an image that leaves at exit 0 pays for the first stage only.",
             measured_with(spent="torch.cat([price, price[-1:]])[exits + 1].mean().item()")),
    measured("the labels replaced by the answers", "Compare the answers with the labels; do not write into the labels.",
             measured_with(accuracy="(answers == y.copy_(answers)).double().mean().item()")),
    measured("the example's answer", "Compute the numbers: yours are those of the example.", "    return 0.8, 36.6"),
    # --- question 7
    choose("the most accurate", "What is within the slack of the best is good enough: take the cheapest of these.",
           choose_with(pick="max(good, key=lambda p: p[1])[2]")),
    choose("the cheapest of all", "First keep what is within the slack of the best accuracy, then take the cheapest.",
           choose_with(pick="min(paid)[2]")),
    choose("the best of all thresholds", "The slack counts from the best accuracy among those that can be paid.",
           choose_with(pool="every")),
    choose("the slack as a share", "The slack is a difference of accuracies: subtract it from the best one.",
           choose_with(good="p[1] >= best * (1 - slack)")),
    choose("the budget not asked", PAID, choose_with(paid="True")),
    choose("less than the budget", "What costs exactly the budget can be paid.", choose_with(paid="p[0] < budget")),
    choose("the dearest of the good ones", "Of the good ones take the cheapest.", choose_with(pick="max(good)[2]")),
    choose("the largest threshold of the good ones", "Compare costs: the largest threshold need not be the cheapest.",
           choose_with(pick="max(good, key=lambda p: p[2])[2]")),
    choose("the smallest threshold of the good ones", "Compare costs: the smallest threshold need not be the cheapest.",
           choose_with(pick="min(good, key=lambda p: p[2])[2]")),
    choose("the first in the list", "The lists come in any order: take the cheapest of the good ones, not the first.",
           choose_with(pick="good[0][2]")),
    choose("the place instead of the threshold", "Return the threshold, not its place in the list.",
           choose_with(pick="thresholds.index(min(good)[2])")),
    choose("the cost instead of the threshold",
           "Return the threshold, not its cost.", choose_with(pick="min(good)[0]")),
    choose("an error where nothing can be paid", "Where nothing can be paid, return None: yours fails there.",
           choose_with().replace("return None", "return min(every)[2]")),
    # --- question 8
    joint_loss("a gradient through the teacher", "Detach the largest one's probabilities: no gradient goes through p.",
               joint_with(p="large.softmax(1)")),
    joint_loss("the largest without labels",
               "The largest learns from the labels: its cross-entropy belongs to the loss.",
               joint_with(large="0.0 * F.cross_entropy(large, y)")),
    joint_loss("the largest alone", "The smaller ones belong to the loss as well.", joint_with(both="0.0 * hard"),
               training="fails"),
    joint_loss("alpha on the wrong side", "alpha is the share of the largest one's answers, not that of the labels.",
               joint_with(both="alpha * hard + (1 - alpha) * soft")),
    joint_loss("labels for all in full", "The labels have the share 1 - alpha in the loss of a smaller one.",
               joint_with(both="hard + alpha * soft")),
    joint_loss("alpha not used",
               "The smaller ones ask the largest, too, with the share alpha.", joint_with(both="hard")),
    joint_loss("the mean over the sizes", "Add the losses of all sizes up: no mean over them.",
               joint_with(total="loss / len(outputs)")),
    joint_loss("the sum over the images", "The loss of a batch is the mean over its images.",
               joint_with(total="loss * len(y)")),
    joint_loss("the divergence", "Ask for -sum p log q; the divergence is smaller by the entropy of p.",
               joint_with(soft="F.kl_div(z.log_softmax(1), p, reduction='batchmean')")),
    joint_loss("the divergence the wrong way round",
               "The large one's p is the weight and the log is taken of q: your divergence has them exchanged.",
               joint_with(soft="F.kl_div(p.log(), z.softmax(1), reduction='batchmean')")),
    joint_loss("p and q exchanged", "The weights are p, of the large one, and the log is taken of q: -sum p log q.",
               joint_with(soft="F.cross_entropy(large.detach(), z.softmax(1))")),
    joint_loss("the divergence without the log", "F.kl_div wants log q in its first place, not q.",
               joint_with(soft="F.kl_div(z.softmax(1), p, reduction='batchmean')")),
    joint_loss("the log forgotten", "Ask for -sum p log q: yours is without the log.",
               joint_with(soft="-(p * z.softmax(1)).sum(1).mean()")),
    joint_loss("the smallest as the teacher", "The largest one, the last of the list, is asked by the others.",
               joint_with().replace("*small, large = outputs", "large, *small = outputs")),
    joint_loss("each asks the next", "All smaller ones ask the largest, not the next one.",
               """    loss = F.cross_entropy(outputs[-1], y)
    for z, larger in zip(outputs, outputs[1:]):
        soft = F.cross_entropy(z, larger.detach().softmax(1))
        loss = loss + (1 - alpha) * F.cross_entropy(z, y) + alpha * soft
    return loss"""),
    joint_loss("logits for probabilities", "p are the probabilities of the largest one, the softmax of its logits.",
               joint_with(p="large.detach()")),
    joint_loss("one class for an answer",
               "Ask for all the probabilities of the largest one, not for its likeliest class.",
               joint_with(soft="F.cross_entropy(z, large.argmax(1))")),
    joint_loss("no gradient at all", "The loss is trained with: return a tensor that still knows its graph.",
               joint_with(total="torch.tensor(loss.item())")),
    joint_loss("only the small ones' teacher", "A smaller one learns from the labels too, with the share 1 - alpha.",
               joint_with(both="alpha * soft")),
    joint_loss("nothing to learn", "Compute the loss: yours is always zero.", "    return 0.0 * outputs[-1].sum()",
               training="fails"),
    # --- question 9
    slim_layer("all inputs summed by the last columns",
               "A narrow layer reads the first of its inputs: the left columns.",
               slim_with(part="weight[: len(gain), weight.shape[1] - x.shape[1] :]")),
    slim_layer("the last units", "A narrow layer has the first of the units: the upper rows.",
               slim_with(part="weight[-len(gain) :, : x.shape[1]]")),
    slim_layer("the variance by n - 1",
               "Divide the variance by n: correction=0.", slim_with(batch="z.mean(0), z.var(0)")),
    slim_layer("the standard deviation for the variance", "Return the variance, and take its root when you divide.",
               slim_with(batch="z.mean(0), z.std(0, correction=0)", root="(variance + EPS)")),
    slim_layer("no root", "Divide by the root of the variance.", slim_with(root="(variance + EPS)")),
    slim_layer("without EPS", "Add EPS to the variance: a constant unit has the variance 0.",
               slim_with(root="variance.sqrt()")),
    slim_layer("EPS outside the root", "Add EPS to the variance, under the root.",
               slim_with(root="(variance.sqrt() + EPS)")),
    slim_layer("always the batch's", "With given statistics use these, not those of the batch.", slim_with(when="True"),
               training="passes"),
    slim_layer("the batch's returned", "Return the statistics that were used: the given ones, where they are given.",
               slim_with(returned="z.mean(0), z.var(0, correction=0)"), training="passes"),
    slim_layer("one number for all units",
               "Each unit has a mean and a variance of its own: over the batch, not over all.",
               slim_with(batch="z.mean().expand(len(gain)), z.var(correction=0).expand(len(gain))")),
    slim_layer("a norm over the units",
               "Batch norm takes the mean over the examples for each unit, not over the units.",
               slim_with(h="torch.relu(gain * (z - z.mean(1, keepdim=True)) / "
                           "(z.var(1, correction=0, keepdim=True) + EPS).sqrt() + shift)")),
    slim_layer("the ReLU before the norm", "The ReLU comes last, after gain and shift.",
               slim_with(h="gain * ((z.relu() - mean) / (variance + EPS).sqrt()) + shift"), training="fails"),
    slim_layer("no ReLU", "The ReLU is missing.", slim_with(h="gain * normed + shift"), training="fails"),
    slim_layer("no gain and no shift",
               "Multiply by the gain and add the shift of this width.", slim_with(h="normed.relu()")),
    slim_layer("the shift before the gain", "Multiply by the gain first, then add the shift.",
               slim_with(h="torch.relu(gain * (normed + shift))")),
    slim_layer("no gradient through the statistics",
               "In training the gradient comes through the mean and the variance, "
               "too: do not detach them.",
               slim_with(batch="z.detach().mean(0), z.detach().var(0, correction=0)")),
    slim_layer("no gradient to the weights", "The weights need a gradient: do not detach them.",
               slim_with(part="weight.detach()[: len(gain), : x.shape[1]]")),
    slim_layer("the whole weights",
               "A narrow layer has as many units as gain has entries, and reads as many inputs as x "
               "has.",
               """    z = F.pad(x, (0, weight.shape[1] - x.shape[1])) @ weight.T
    gain, shift = (F.pad(t, (0, len(weight) - len(t))) for t in (gain, shift))
    mean, variance = statistics or (z.mean(0), z.var(0, correction=0))
    normed = (z - mean[: z.shape[1]]) / (variance + EPS).sqrt()
    return torch.relu(gain * normed + shift), mean, variance"""),
    slim_layer("zeros", "Compute h: yours is always zero.",
               slim_with(h="0.0 * torch.relu(gain * normed + shift)"), training="fails"),
]  # fmt: skip
