"""The known mistakes of the assignment `replay`: wrong versions of its functions, each with the hint for its author.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training runs. The tests prove both. Only a few are marked as failing the training:
those that stand for a kind, since each of them costs many trainings.
"""

from grader.assignment import mistakes_in

reservoir = mistakes_in("reservoir(kept, seen, new, size, u)")
places = mistakes_in("places(available, size)")
weights = mistakes_in("weights(from_memory, r)")
masked_losses = mistakes_in("masked_losses(z, y, seen)")
distilled = mistakes_in("distilled(z, z_old, groups, T)")
herd = mistakes_in("herd(features, taken, m)")
nearest = mistakes_in("nearest(features, exemplars, labels)")
answered = mistakes_in("answered(answers, y, groups)")
memory_for = mistakes_in("memory_for(sizes, accuracies, goal)")

RESERVOIR = """
def reservoir(kept, seen, new, size, u):
    kept = list(kept)
    for t, (example, number) in enumerate(zip(new, u), {start}):
        place = {place}
        if len(kept) < size:
            kept.append(example)
        elif {taken}:
            {put}
    return kept, {seen}
"""


def stream(start="seen + 1", place="int(number * t)", taken="place < size", put="kept[place] = example",
           seen="seen + len(new)"):  # fmt: skip
    return RESERVOIR.format(start=start, place=place, taken=taken, put=put, seen=seen)


DISTILLED = """
def distilled(z, z_old, groups, T):
    distance = 0
    for group in {groups}:
        log_q = {q}
        log_p = {p}
        distance = distance + {one}
    return {result}
"""


def distances(groups="groups", q="(z[:, group] / T).log_softmax(1)", p="(z_old[:, group] / T).log_softmax(1)",
              one="(log_p.exp() * (log_p - log_q)).sum(1)", result="T**2 * distance"):  # fmt: skip
    return DISTILLED.format(groups=groups, q=q, p=p, one=one, result=result)


HERD = """
def herd(features, taken, m):
    phi = {phi}
    mean = {mean}
    free = torch.ones(len(phi), dtype=torch.bool)
    free[taken] = False
    total, chosen = {total}, []
    for k in range({before}, {before} + min(m, len(phi) - len(taken))):
        distance = {distance}
        best = int(distance.where(free, torch.inf).argmin())
        free[best], total = {again}, total + phi[best]
        chosen.append(best)
    return {result}
"""


def choice(phi="F.normalize(features, dim=1)", mean="phi.mean(0)", total="phi[taken].sum(0)", before="len(taken)",
           distance="(mean - (total + phi) / (k + 1)).norm(dim=1)", again="False", result="chosen"):  # fmt: skip
    return HERD.format(phi=phi, mean=mean, total=total, before=before, distance=distance, again=again, result=result)


NEAREST = """
def nearest(features, exemplars, labels):
    classes = {classes}
    phi = {phi}
    means = {means}
    distance = torch.cdist({asked}, means)
    return {result}
"""
UNIT = "F.normalize(torch.stack([phi[labels == c].mean(0) for c in classes]), dim=1)"


def means(classes="labels.unique()", phi="F.normalize(exemplars, dim=1)", means=UNIT,
          asked="F.normalize(features, dim=1)", result="classes[distance.argmin(1)]"):  # fmt: skip
    return NEAREST.format(classes=classes, phi=phi, means=means, asked=asked, result=result)


ANSWERED = """
def answered(answers, y, groups):
    counts = torch.zeros(len(groups), len(groups))
    for j, own in enumerate(groups):
        for k, other in enumerate(groups):
            both = torch.isin(y, torch.tensor(own)) & torch.isin(answers, torch.tensor(other))
            counts[j, k] = both.sum()
    return {result}
"""

MEMORY_FOR = """
def memory_for(sizes, accuracies, goal):
    if accuracies[0] >= goal:
        return sizes[0]
    for k in {order}:
        low, high = accuracies[k - 1], accuracies[k]
        if {reached}:
            f = (goal - low) / (high - low)
            return {result}
    return {never}
"""


def crossing(order="range(1, len(sizes))", reached="low < goal <= high", never='float("inf")',
             result="sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** f"):  # fmt: skip
    return MEMORY_FOR.format(order=order, reached=reached, never=never, result=result)


MISTAKES = [
    # --- question 1
    reservoir(
        "a random place for every example",
        "The place is a number below t, not below size: an example may also miss the memory.",
        source=stream(place="int(number * size)"),
        training="fails",
    ),
    reservoir(
        "t without the example itself",
        "t counts the example itself too: the first of the stream has t = 1.",
        source=stream(place="int(number * (t - 1))"),
    ),
    reservoir(
        "the count starts anew with every batch",
        "t counts the whole stream: begin the batch with seen + 1.",
        source=stream(start="1"),
    ),
    reservoir(
        "counted by what is in the memory",
        "t counts the examples that came by, not those in the memory.",
        source=stream(place="int(number * (len(kept) + 1))"),
    ),
    reservoir(
        "rounded",
        "The place is u times t rounded down, not to the nearest number.",
        source=stream(place="round(number * t)"),
    ),
    reservoir(
        "a queue",
        "An example goes to the place that its number names: yours takes the place of the oldest.",
        source=stream(taken="place < size", put="kept = [*kept[1:], example]"),
    ),
    reservoir(
        "put at the end",
        "The new example goes to the very place of the lost one, not to the end of the list.",
        source=stream(put="kept = [*kept[:place], *kept[place + 1 :], example]"),
    ),
    reservoir(
        "seen is that of the batch",
        "Return how many examples came by in all, not just in this batch.",
        source=stream(seen="len(new)"),
    ),
    reservoir(
        "seen is not counted on",
        "Add this batch to seen.",
        source=stream(seen="seen"),
    ),
    reservoir(
        "numbers only used when needed",
        "Every example has the number at its own position, also the examples that go to a free place.",
        """    kept, numbers = list(kept), iter(u)
    for t, example in enumerate(new, seen + 1):
        if len(kept) < size:
            kept.append(example)
        else:
            place = int(next(numbers) * t)
            if place < size:
                kept[place] = example
    return kept, seen + len(new)""",
    ),
    reservoir(
        "nothing comes in once it is full",
        "A full memory goes on taking examples: yours keeps the first ones.",
        source=stream(taken="False"),
        training="fails",
    ),
    reservoir(
        "a second place from the same number",
        "The number that lets an example in names its place as well: do not compute another one.",
        source=stream(taken="place < size", put="kept[int(number * size)] = example"),
    ),
    reservoir(
        "the example's answer by its length",
        "Work the memory out from the arguments: other batches come as well.",
        "    return ([40, 44, 43] if len(new) == 6 else list(kept)[:size], seen + len(new))",
    ),
    # --- question 2
    places(
        "the rest is lost",
        "Give out all places: what does not divide, and what a class cannot use, goes to others.",
        "    return [min(images, size // len(available)) for images in available]",
    ),
    places(
        "what a class cannot use is lost",
        "The places that a class has no images for go to the others.",
        """    share, rest = divmod(size, len(available))
    return [min(images, share + (k < rest)) for k, images in enumerate(available)]""",
    ),
    places(
        "the images are not looked at",
        "No class gets more places than it has images.",
        """    share, rest = divmod(size, len(available))
    return [share + (k < rest) for k in range(len(available))]""",
    ),
    places(
        "the rest to the last classes",
        "Within a round the classes come in the order of the list, from the first on.",
        """    given, left = [0] * len(available), min(size, sum(available))
    while left:
        for k in reversed(range(len(available))):
            if left and given[k] < available[k]:
                given[k] += 1
                left -= 1
    return given""",
    ),
    places(
        "shared out anew only once",
        "What is left over after the second sharing has to be given out as well: go on until nothing is left.",
        """    share, n = size // len(available), len(available)
    given = [min(images, share) for images in available]
    left, room = size - sum(given), [k for k in range(n) if available[k] > given[k]]
    for i, k in enumerate(room):
        more = left // len(room) + (i < left % len(room))
        given[k] = min(available[k], given[k] + more)
    return given""",
    ),
    places(
        "in proportion to the images",
        "Every class has the same share, however many images it has.",
        "    return [min(images, round(size * images / sum(available))) for images in available]",
    ),
    places(
        "the first classes take all",
        "Go in rounds: yours gives the first classes all that they can use.",
        """    given, left = [], size
    for images in available:
        given.append(min(images, left))
        left -= given[-1]
    return given""",
        training="fails",
    ),
    places(
        "the last round is finished",
        "Stop as soon as `size` places are given, also within a round.",
        """    given = [0] * len(available)
    while sum(given) < min(size, sum(available)):
        given = [min(images, n + 1) for images, n in zip(available, given)]
    return given""",
    ),
    places(
        "the list is emptied",
        "Return the places: yours empties the list of images and gives nothing.",
        "    available[:] = [0] * len(available)\n    return available",
    ),
    # --- question 3
    weights(
        "the mean of the batch",
        "The new images share r of the loss, the old ones the rest: yours all weigh the same.",
        "    return torch.full((len(from_memory),), 1 / len(from_memory))",
    ),
    weights(
        "new and old swapped",
        "r is the share of the new images, those where from_memory is False.",
        """    n, old = len(from_memory), int(from_memory.sum())
    if old in (0, n):
        return torch.full((n,), 1 / n)
    return torch.where(from_memory, r / old, (1 - r) / (n - old))""",
    ),
    weights(
        "divided by the whole batch",
        "Divide r by the number of new images, and 1 - r by that of old ones, not by n.",
        """    n, old = len(from_memory), int(from_memory.sum())
    if old in (0, n):
        return torch.full((n,), 1 / n)
    return torch.where(from_memory, (1 - r) / n, r / n)""",
    ),
    weights(
        "not divided at all",
        "r is the share of all new images together: divide it among them.",
        """    n, old = len(from_memory), int(from_memory.sum())
    if old in (0, n):
        return torch.full((n,), 1 / n)
    return torch.where(from_memory, 1 - r, float(r))""",
    ),
    weights(
        "no case for a batch without old images",
        "Where all images are new, or all are old, they share the whole loss, not just r or 1 - r of it.",
        """    n, old = len(from_memory), int(from_memory.sum())
    return torch.where(from_memory, (1 - r) / max(old, 1), r / max(n - old, 1))""",
    ),
    weights(
        "two means added",
        "The two means weigh r and 1 - r: yours count fully, both of them.",
        """    n, old = len(from_memory), int(from_memory.sum())
    return torch.where(from_memory, 1 / max(old, 1), 1 / max(n - old, 1))""",
    ),
    weights(
        "as many old as new ones",
        "Count the new and the old images: they need not be half of the batch each.",
        """    n, old = len(from_memory), int(from_memory.sum())
    if old in (0, n):
        return torch.full((n,), 1 / n)
    return torch.where(from_memory, 2 * (1 - r) / n, 2 * r / n)""",
    ),
    weights(
        "old images do not count",
        "The images from the memory share 1 - r of the loss: yours weigh nothing.",
        """    new = (~from_memory).float()
    return new / new.sum().clamp(min=1) if new.any() else torch.full((len(new),), 1 / len(new))""",
        training="fails",
    ),
    # --- question 4
    masked_losses(
        "all outputs compete",
        "Leave the outputs of classes that have not come yet out of the softmax.",
        "    return F.cross_entropy(z, y, reduction='none')",
    ),
    masked_losses(
        "the others set to zero",
        "An output of 0 still competes, with exp(0) = 1: set it to minus infinity.",
        """    mask = torch.zeros(z.shape[1])
    mask[seen] = 1
    return F.cross_entropy(z * mask, y, reduction="none")""",
    ),
    masked_losses(
        "a thousand subtracted from the outputs that are not seen",
        "An output that is not in seen may be larger than what you subtract: set it to minus infinity.",
        """    mask = torch.full((z.shape[1],), -1000.0)
    mask[seen] = 0
    return F.cross_entropy(z + mask, y, reduction="none")""",
    ),
    masked_losses(
        "the exp of all outputs",
        "Choose the outputs before the exp: that of a large one is infinite, and the gradient is lost.",
        """    competing = torch.zeros(z.shape[1], dtype=torch.bool)
    competing[seen] = True
    return torch.where(competing, z.exp(), 0.0).sum(1).log() - z.gather(1, y[:, None])[:, 0]""",
    ),
    masked_losses(
        "the mean",
        "Return the loss of each example, not their mean.",
        """    mask = torch.full((z.shape[1],), -torch.inf)
    mask[seen] = 0
    return F.cross_entropy(z + mask, y)""",
    ),
    masked_losses(
        "the first outputs compete",
        "seen names the outputs that compete; they need not be the first ones.",
        "    return F.cross_entropy(z[:, : len(seen)], y.clamp(max=len(seen) - 1), reduction='none')",
    ),
    masked_losses(
        "labels not looked up in seen",
        "In z[:, seen] the output of a label stands at the label's position in seen.",
        "    return F.cross_entropy(z[:, seen], y, reduction='none')",
    ),
    masked_losses(
        "labels by another order than the columns",
        "Where you pick the columns in the order of seen, a label's column is its position in seen.",
        """    order = sorted(seen)
    places = torch.tensor([order.index(int(label)) for label in y])
    return F.cross_entropy(z[:, seen], places, reduction="none")""",
    ),
    masked_losses(
        "without a gradient",
        "The gradient has to flow from the losses to z: do not detach.",
        """    mask = torch.full((z.shape[1],), -torch.inf)
    mask[seen] = 0
    return F.cross_entropy(z.detach() + mask, y, reduction="none")""",
    ),
    masked_losses(
        "the wrong sign",
        "The loss is minus the logarithm of the probability.",
        "    return z.gather(1, y[:, None])[:, 0] - z[:, seen].logsumexp(1)",
    ),
    masked_losses(
        "one minus the probability",
        "The loss is the logarithm of the probability, with a minus sign.",
        "    return 1 - (z.gather(1, y[:, None])[:, 0] - z[:, seen].logsumexp(1)).exp()",
    ),
    masked_losses(
        "the label is not among its competitors",
        "The label itself is one of the classes in the sum below.",
        """    mask = torch.full(z.shape, -torch.inf)
    mask[:, seen] = 0
    mask[torch.arange(len(y)), y] = -torch.inf
    return (z + mask).logsumexp(1) - z.gather(1, y[:, None])[:, 0]""",
    ),
    masked_losses("zeros", "Return the cross-entropy of each example: yours is 0.", "    return 0 * z[:, 0]"),
    # --- question 5
    distilled("no factor T squared", "The factor T^2 is missing.", source=distances(result="distance")),
    distilled("T once", "The factor is T^2, not T.", source=distances(result="T * distance")),
    distilled(
        "T squared added",
        "T^2 multiplies the distance: yours adds it.",
        source=distances(result="T**2 + distance"),
    ),
    distilled(
        "T squared anew with every group",
        "T^2 multiplies the sum over all groups once.",
        source=distances(result="distance").replace("distance = distance +", "distance = T**2 * distance + T**2 *"),
    ),
    distilled(
        "the divergence the other way round",
        "The old network's probabilities are the ones that weigh: p log(p / q).",
        source=distances(one="(log_q.exp() * (log_q - log_p)).sum(1)"),
    ),
    distilled(
        "only the old answers are softened",
        "Divide the present outputs by T as well.",
        source=distances(q="z[:, group].log_softmax(1)"),
    ),
    distilled(
        "the softmax over all outputs",
        "Each group has a softmax of its own: pick its columns first.",
        source=distances(q="(z / T).log_softmax(1)[:, group]", p="(z_old / T).log_softmax(1)[:, group]"),
    ),
    distilled(
        "one softmax for all groups",
        "Each group has a softmax of its own: yours joins them.",
        source=distances(groups="[sum(groups, [])]"),
    ),
    distilled("the first group only", "Sum over all groups.", source=distances(groups="groups[:1]")),
    distilled(
        "the mean over the groups",
        "Sum over the groups, do not average.",
        source=distances(result="T**2 * distance / len(groups)"),
    ),
    distilled(
        "the mean over the images",
        "Return the distance of each image, not their mean.",
        source=distances(result="T**2 * distance.mean()"),
    ),
    distilled(
        "the mean over the outputs",
        "Sum over the outputs of a group, do not average.",
        source=distances(one="(log_p.exp() * (log_p - log_q)).mean(1)"),
    ),
    distilled(
        "the cross-entropy",
        "Take p log(p / q), not -p log q: the distance is 0 where nothing has changed.",
        source=distances(one="-(log_p.exp() * log_q).sum(1)"),
    ),
    distilled(
        "the old network's label",
        "Compare the whole distributions, not just with the old network's first choice.",
        source=distances(one="-log_q[torch.arange(len(z)), log_p.argmax(1)]"),
    ),
    distilled(
        "without a gradient",
        "The gradient has to flow to z: do not detach it.",
        source=distances(q="(z.detach()[:, group] / T).log_softmax(1)"),
    ),
    distilled(
        "zeros",
        "Your distances are all 0: the old answers would be forgotten.",
        "    return 0 * z.sum(1)",
    ),
    # --- question 6
    herd("not scaled", "Scale every row of the features to length 1 first.", source=choice(phi="features")),
    herd(
        "the mean scaled again",
        "The mean of the scaled features is taken as it is: do not scale it to length 1.",
        source=choice(mean="F.normalize(phi.mean(0), dim=0)"),
    ),
    herd(
        "the closest images",
        "Look at the mean of all that are taken with the next one, not at each image alone.",
        source=choice(distance="(mean - phi).norm(dim=1)"),
    ),
    herd(
        "the same image again",
        "No image is taken twice.",
        source=choice(again="True"),
    ),
    herd(
        "with those taken before",
        "Return the new choices alone, without `taken`.",
        source=choice(result="[*taken, *chosen]"),
    ),
    herd(
        "those taken before do not count",
        "The images in `taken` belong to the sum and to k from the start.",
        source=choice(total="torch.zeros(phi.shape[1])", before="0"),
    ),
    herd(
        "k counts the new ones only",
        "k counts all images that are taken, those in `taken` too.",
        source=choice(before="0"),
    ),
    herd(
        "the mean of those left",
        "The mean is that of the whole class, taken or not.",
        source=choice(
            mean="phi[[i for i in range(len(phi)) if i not in taken]].mean(0) if len(taken) < len(phi) else 0"
        ),
    ),
    herd(
        "the sum instead of the mean",
        "Divide the sum of the taken and the next one by how many they are.",
        source=choice(distance="(mean - (total + phi)).norm(dim=1)"),
    ),
    herd(
        "divided by k",
        "With the next image there are k + 1: divide by that.",
        source=choice(distance="(mean - (total + phi) / max(k, 1)).norm(dim=1)"),
    ),
    herd(
        "in ascending order",
        "Return the images in the order of your choice: a class drops the last ones.",
        source=choice(result="sorted(chosen)"),
    ),
    herd(
        "the farthest",
        "Take the image with the smallest distance, not with the largest.",
        source=choice(distance="-(mean - (total + phi) / (k + 1)).norm(dim=1)"),
    ),
    herd(
        "the first ones",
        "Choose by the distance of the means: yours takes the first images.",
        "    return [i for i in range(len(features)) if i not in taken][:m]",
    ),
    herd(
        "a mask",
        "Return indices in the order of the choice, not a mask.",
        source=choice(result="[i in chosen for i in range(len(phi))]"),
    ),
    # --- question 7
    nearest(
        "positions instead of labels",
        "Return the labels of the classes, not their positions.",
        source=means(result="distance.argmin(1)"),
    ),
    nearest(
        "labels in another order than the means",
        "Keep one order: the k-th mean belongs to the k-th label.",
        source=means(result="torch.tensor(list(dict.fromkeys(labels.tolist())))[distance.argmin(1)]").replace(
            "phi[labels == c].mean(0) for c in classes", "phi[labels == c].mean(0) for c in labels.unique()"
        ),
    ),
    nearest(
        "exemplars not scaled",
        "Scale every exemplar to length 1 before you take the mean.",
        source=means(phi="exemplars"),
    ),
    nearest(
        "means not scaled",
        "Scale the means to length 1 as well.",
        source=means(means="torch.stack([phi[labels == c].mean(0) for c in classes])"),
    ),
    nearest(
        "nothing scaled",
        "Scale images, exemplars and means to length 1.",
        source=means(
            phi="exemplars", means="torch.stack([phi[labels == c].mean(0) for c in classes])", asked="features"
        ),
    ),
    nearest(
        "the nearest exemplar",
        "Compare with the mean of each class, not with single exemplars.",
        "    near = F.normalize(features, dim=1) @ F.normalize(exemplars, dim=1).T\n    return labels[near.argmax(1)]",
    ),
    nearest(
        "the farthest",
        "The answer is the class with the smallest distance.",
        source=means(result="classes[distance.argmax(1)]"),
        training="fails",
    ),
    nearest(
        "scaled along the wrong dimension",
        "Scale each row, an image's features, not each column.",
        source=means(phi="F.normalize(exemplars, dim=0)"),
    ),
    nearest(
        "the most frequent class",
        "Look at the features: yours is always the class with most exemplars.",
        "    return labels.mode().values.expand(len(features))",
    ),
    # --- question 8
    answered(
        "rows and columns swapped",
        "A row belongs to the true labels, a column to the answers.",
        source=ANSWERED.format(result="(counts / counts.sum(1, keepdim=True)).T"),
    ),
    answered("counts", "Divide by the number of images of the row's group.", source=ANSWERED.format(result="counts")),
    answered(
        "shares of all images",
        "Divide each row by the images of its own group, not by all.",
        source=ANSWERED.format(result="counts / len(y)"),
    ),
    answered(
        "shares of the answers",
        "Each row sums to 1, not each column.",
        source=ANSWERED.format(result="counts / counts.sum(0, keepdim=True).clamp(min=1)"),
    ),
    answered(
        "right answers only",
        "An answer within the group counts, also where it is the wrong label.",
        source=ANSWERED.format(result="counts / counts.sum(1, keepdim=True)").replace(
            "answers, torch.tensor(other))", "answers, torch.tensor(other)) & ((answers == y) | (j != k))"
        ),
    ),
    answered(
        "the unit matrix", "Count the answers: yours says that all are right.", "    return torch.eye(len(groups))"
    ),
    # --- question 9
    memory_for(
        "linear in the size",
        "The axis of sizes is logarithmic: interpolate the logarithm of the size.",
        source=crossing(result="sizes[k - 1] + f * (sizes[k] - sizes[k - 1])"),
    ),
    memory_for(
        "the first size that is good enough",
        "Interpolate: the line reaches the goal before this size.",
        source=crossing(result="sizes[k]"),
    ),
    memory_for(
        "the last size that is not good enough",
        "Interpolate: the line reaches the goal after this size.",
        source=crossing(result="sizes[k - 1]"),
    ),
    memory_for(
        "the last crossing",
        "Begin with the smallest size: the first crossing counts.",
        source=crossing(order="reversed(range(1, len(sizes)))"),
    ),
    memory_for(
        "the largest size where the goal is never reached",
        "Where no size reaches the goal, return infinity.",
        source=crossing(never="sizes[-1]"),
    ),
    memory_for(
        "drawn on beyond the smallest size",
        "If the smallest size reaches the goal, return it.",
        source=crossing(reached="goal <= high").replace(
            "return sizes[0]",
            "return sizes[0] * (sizes[1] / sizes[0]) ** ((goal - accuracies[0]) / (accuracies[1] - accuracies[0]))",
        ),
    ),
    memory_for(
        "rounded",
        "Do not round the size.",
        source=crossing(result="round(sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** f)"),
    ),
]
