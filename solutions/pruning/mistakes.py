"""The known mistakes of the assignment `pruning`: wrong versions of its functions, each with the hint for its author.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both.
"""

from grader.assignment import mistakes_in

# --- question 1 -------------------------------------------------------------------------------------------------------


kept_indices = mistakes_in("kept_indices(weight, keep)")


KEPT = [
    kept_indices(
        "without the absolute value",
        "Rank by the absolute value: a large negative weight matters, too.",
        "    return weight.flatten().argsort(descending=True, stable=True)[:keep].sort().values",
    ),
    kept_indices(
        "a threshold",
        "A threshold keeps all weights that are equal to it, so that more than `keep` stay.",
        """
    size = weight.abs().flatten()
    return (size >= size.sort(descending=True).values[keep - 1]).nonzero().flatten()
""",
    ),
    kept_indices(
        "topk, whichever equals it takes",
        "torch.topk promises nothing about the order of equals; take a stable argsort.",
        "    return weight.abs().flatten().topk(keep).indices.sort().values",
    ),
    kept_indices(
        "the last of equals",
        "Of equally large weights those at the lower positions stay, and yours are the last ones.",
        "    return weight.abs().flatten().argsort(stable=True)[-keep:].sort().values",
    ),
    kept_indices(
        "in the order of size",
        "Sort the positions at the end: they are returned in ascending order, not by size.",
        "    return weight.abs().flatten().argsort(descending=True, stable=True)[:keep]",
    ),
    kept_indices(
        "the smallest",
        "Yours are the smallest weights: the largest ones stay.",
        "    return weight.abs().flatten().argsort(stable=True)[:keep].sort().values",
    ),
    kept_indices(
        "a mask instead of positions",
        "Return the positions themselves, not a mask over the weights.",
        """
    mask = torch.zeros(weight.numel(), dtype=torch.bool)
    mask[weight.abs().flatten().argsort(descending=True, stable=True)[:keep]] = True
    return mask.view_as(weight)
""",
    ),
    kept_indices(
        "rows and columns",
        "Return one number for each position, counted through weight.flatten(), not its row and column.",
        """
    order = weight.abs().flatten().argsort(descending=True, stable=True)[:keep].sort().values
    return torch.stack([order // weight.shape[-1], order % weight.shape[-1]], 1)
""",
    ),
    kept_indices(
        "counted by columns",
        "Count the positions row by row, as weight.flatten() does.",
        """
    size = weight.T.abs().flatten() if weight.ndim == 2 else -weight.abs().flatten()
    return size.argsort(descending=True, stable=True)[:keep].sort().values
""",
    ),
    kept_indices(
        "the first positions",
        "Your result does not depend on the weights: rank them by their absolute value.",
        "    return torch.arange(keep)",
    ),
    kept_indices(
        "the argument made equal to the answer",
        "Your result does not depend on what the weights were: rank them by their absolute value.",
        """
    weight.flatten()[:] = 1
    return torch.arange(weight.numel())[weight.abs().flatten() == 1][:keep]
""",
    ),
    kept_indices(
        "right for the example only",
        "Your function knows the example; other weights need the ranking.",
        """
    if weight.shape == (2, 3):
        return torch.tensor([1, 2, 3])
    return torch.arange(weight.numel())[-keep:]
""",
    ),
]

# --- question 2 -------------------------------------------------------------------------------------------------------

RANKED = """
    sizes = [{size} for w in weights]
    for size in sizes:
        size[size.argsort(descending=True, stable=True)[:{least}]] = torch.inf
    size = torch.cat(sizes)
    mask = torch.zeros(len(size), dtype=torch.bool)
    mask[{chosen}] = True
    return [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]
"""


_global_masks = mistakes_in("global_masks(weights, keep, least)")


def global_masks(
    name, hint, body=None, *, size="w.abs().flatten()", least="least",
    chosen="size.argsort(descending=True, stable=True)[:keep]", training="either",
):  # fmt: skip
    """A mistake in the ranking, or a body of its own."""
    body = body or RANKED.format(size=size, least=least, chosen=chosen)
    return _global_masks(name, hint, body, training=training)


MASKS = [
    global_masks(
        "no weights of each layer are safe",
        "Step 1 is missing: the `least` largest weights of every layer stay in any case.",
        least="0",
    ),
    global_masks(
        "one weight of each layer is safe",
        "In every layer `least` weights are safe; in yours it is a single one.",
        least="1",
    ),
    global_masks(
        "the safe weights on top of keep",
        "The safe weights are among the `keep`: yours come on top of them, so that more stay in all.",
        """
    size = torch.cat([w.abs().flatten() for w in weights])
    mask = torch.zeros(len(size), dtype=torch.bool)
    mask[size.argsort(descending=True, stable=True)[:keep]] = True
    masks = [m.view(w.shape) for m, w in zip(mask.split([w.numel() for w in weights]), weights)]
    for m, w in zip(masks, weights):
        m.view(-1)[w.abs().flatten().argsort(descending=True, stable=True)[:least]] = True
    return masks
""",
    ),
    global_masks(
        "keep counted without the safe weights",
        "The `keep` weights hold the safe ones: only `keep` less these are left for step 2.",
        chosen="size.argsort(descending=True, stable=True)[: keep + least * len(weights)]",
    ),
    global_masks(
        "the same share of every layer",
        "Rank all weights together: yours keeps the same share of every layer.",
        """
    share, masks = keep / sum(w.numel() for w in weights), []
    for w in weights:
        mask = torch.zeros(w.numel(), dtype=torch.bool)
        mask[w.abs().flatten().argsort(descending=True, stable=True)[: max(least, round(share * w.numel()))]] = True
        masks.append(mask.view(w.shape))
    return masks
""",
    ),
    global_masks(
        "without the absolute value",
        "Rank by the absolute value: a large negative weight matters, too.",
        size="w.clone().flatten()",
    ),
    global_masks(
        "scaled by the largest of the layer",
        "Compare the weights as they are: yours are divided by the largest of their layer.",
        size="(w.abs() / w.abs().max()).flatten()",
    ),
    global_masks(
        "the last of equals",
        "Of equally large weights the earlier layer and the lower position go first.",
        chosen="size.argsort(stable=True)[-keep:]",
    ),
    global_masks(
        "a threshold",
        "A threshold keeps all weights that are equal to it, so that more than `keep` stay.",
        chosen="size >= size.sort(descending=True).values[keep - 1]",
    ),
    global_masks(
        "the smallest",
        "Yours keeps the smallest of the other weights: the largest ones stay.",
        chosen="torch.cat([(size == torch.inf).nonzero().flatten(), size.argsort(stable=True)])[:keep]",
        training="fails",
    ),
    global_masks(
        "inverted",
        "A mask is True where a weight stays; yours is True where it goes.",
        chosen="size.argsort(descending=True, stable=True)[keep:]",
    ),
    global_masks(
        "the weights instead of masks",
        "Return masks, True where a weight stays, not the weights under them.",
        RANKED.format(
            size="w.abs().flatten()", least="least", chosen="size.argsort(descending=True, stable=True)[:keep]"
        ).replace("[m.view(w.shape) ", "[m.view(w.shape) * w "),
    ),
    global_masks(
        "everything",
        "Your masks are True everywhere: only `keep` weights may stay.",
        "    return [torch.ones_like(w, dtype=torch.bool) for w in weights]",
    ),
    global_masks(
        "the arguments made equal to the answer",
        "Your masks do not depend on what the weights were: rank them by their absolute value.",
        """
    for w in weights:
        w.fill_(1.0)
    left, masks = keep - least * len(weights), []
    for w in weights:
        more = min(left, w.numel() - least)
        left -= more
        masks.append((torch.arange(w.numel()) < least + more).view(w.shape))
    return masks
""",
    ),
]

# --- question 3 -------------------------------------------------------------------------------------------------------

LEFT = """
    numbers = []
    for r in range({first}, rounds + {first}):
        if shape == "geometric":
            n = {geometric}
        else:
            n = {cubic}
        numbers.append({number})
    return numbers
"""


_schedule = mistakes_in("schedule(total, keep, rounds, shape)")


def schedule(
    name, hint, body=None, *, first=1, geometric="total * (keep / total) ** (r / rounds)",
    cubic="keep + (total - keep) * (1 - r / rounds) ** 3", number="round(n)", training="either",
):  # fmt: skip
    """A mistake in one of the formulas, or a body of its own."""
    body = body or LEFT.format(first=first, geometric=geometric, cubic=cubic, number=number)
    return _schedule(name, hint, body, training=training)


SCHEDULES = [
    schedule(
        "the same number in each round",
        "Both schedules take many weights at first and few at the end; yours takes the same number in each round.",
        geometric="total + (keep - total) * r / rounds",
        cubic="total + (keep - total) * r / rounds",
        training="fails",
    ),
    schedule("one round early", "Begin with the number after round 1: yours begins with all weights.", first=0),
    schedule(
        "cut off instead of rounded", "Round to the nearest whole number: int() cuts the fraction off.", number="int(n)"
    ),
    schedule("rounded up", "Round to the nearest whole number, not always up.", number="-int(-n // 1)"),
    schedule(
        "how many go",
        "Return how many weights are left after each round, not how many are gone.",
        number="total - round(n)",
    ),
    schedule(
        "shares instead of numbers",
        "Return numbers of weights, not shares of them.",
        number="n / total",
    ),
    schedule(
        "the whole factor in each round",
        "The exponent of the geometric schedule is r / R: it takes all R rounds to come from n to k.",
        geometric="total * (keep / total) ** r",
    ),
    schedule(
        "rounded from round to round",
        "Compute each number from the formula: you go on from the rounded number of the round before.",
        """
    if shape == "cubic":
        return [round(keep + (total - keep) * (1 - r / rounds) ** 3) for r in range(1, rounds + 1)]
    numbers, n = [], total
    for r in range(rounds):
        n = round(n * (keep / total) ** (1 / rounds))
        numbers.append(n)
    return numbers
""",
    ),
    schedule(
        "a square in the cubic one",
        "The cubic schedule has the third power of 1 - r / R.",
        cubic="keep + (total - keep) * (1 - r / rounds) ** 2",
    ),
    schedule(
        "the cubic one the wrong way round",
        "The cubic schedule takes most weights at first: the power is of 1 - r / R, not of r / R.",
        cubic="total - (total - keep) * (r / rounds) ** 3",
    ),
    schedule(
        "the cubic one down to zero",
        "The cubic schedule ends at k: the power multiplies n - k, and k is added.",
        cubic="total * (1 - r / rounds) ** 3",
    ),
    schedule(
        "always geometric",
        "Look at `shape`: yours is geometric in both cases.",
        cubic="total * (keep / total) ** (r / rounds)",
    ),
    schedule(
        "right for the example only",
        "Your function knows the example; other numbers need the formula.",
        """
    return {"geometric": [300, 90, 27], "cubic": [315, 63, 27]}[shape][:rounds]
""",
    ),
]

# --- question 4 -------------------------------------------------------------------------------------------------------


masked_step = mistakes_in("masked_step(weight, gradient, velocity, mask, lr, momentum, decay)")


STEPS = [
    masked_step(
        "only the gradient is masked",
        "A masked gradient is not enough: momentum and decay still move the weight, and its old value is still there.",
        """
    velocity = momentum * velocity + mask * gradient + decay * weight
    return weight - lr * velocity, velocity
""",
    ),
    masked_step(
        "the velocity is masked, the weight is not",
        "Mask the weight as well: one that has just been pruned still has its old value.",
        """
    velocity = mask * (momentum * velocity + gradient + decay * weight)
    return weight - lr * velocity, velocity
""",
    ),
    masked_step(
        "the weight is masked, the velocity is not",
        "The velocity is zero as well wherever the mask is.",
        """
    velocity = momentum * velocity + gradient + decay * weight
    return mask * (weight - lr * velocity), velocity
""",
    ),
    masked_step(
        "the mask inverted",
        "The mask is True for weights that stay; yours sets these to zero.",
        """
    velocity = ~mask * (momentum * velocity + gradient + decay * weight)
    return ~mask * (weight - lr * velocity), velocity
""",
    ),
    masked_step(
        "the velocity before the step",
        "Move the weight by the new velocity, not by the one that came in.",
        "    return mask * (weight - lr * velocity), mask * (momentum * velocity + gradient + decay * weight)",
    ),
    masked_step(
        "the wrong way",
        "Subtract the step: yours climbs the loss.",
        """
    velocity = mask * (momentum * velocity + gradient + decay * weight)
    return mask * (weight + lr * velocity), velocity
""",
        training="fails",
    ),
    masked_step(
        "no decay",
        "The decay is missing: it adds decay * weight to the velocity.",
        """
    velocity = mask * (momentum * velocity + gradient)
    return mask * (weight - lr * velocity), velocity
""",
    ),
    masked_step(
        "the decay apart from the velocity",
        "In this formula the decay comes in through the velocity, as torch.optim.SGD has it.",
        """
    velocity = mask * (momentum * velocity + gradient)
    return mask * (weight - lr * velocity - lr * decay * weight), velocity
""",
    ),
    masked_step(
        "no momentum",
        "The momentum is missing: the new velocity holds momentum * velocity.",
        """
    velocity = mask * (gradient + decay * weight)
    return mask * (weight - lr * velocity), velocity
""",
    ),
    masked_step(
        "the gradient times one minus the momentum",
        "The gradient comes in whole, without a factor 1 - momentum.",
        """
    velocity = mask * (momentum * velocity + (1 - momentum) * (gradient + decay * weight))
    return mask * (weight - lr * velocity), velocity
""",
    ),
    masked_step(
        "the step size in the velocity",
        "The step size multiplies the velocity when the weight moves, and is no part of it.",
        """
    velocity = mask * (momentum * velocity + lr * (gradient + decay * weight))
    return mask * (weight - velocity), velocity
""",
    ),
    masked_step(
        "a look ahead",
        "Move by lr * v' alone: yours adds the gradient once more, as Nesterov's momentum does.",
        """
    slope = gradient + decay * weight
    velocity = mask * (momentum * velocity + slope)
    return mask * (weight - lr * (slope + momentum * velocity)), velocity
""",
    ),
    masked_step(
        "velocity first",
        "Return the weight first and then the velocity.",
        """
    velocity = mask * (momentum * velocity + gradient + decay * weight)
    return velocity, mask * (weight - lr * velocity)
""",
    ),
    masked_step(
        "everything at zero",
        "Only masked weights are zero; the others take their step.",
        "    return weight.zero_(), velocity.zero_()",
    ),
]

# --- question 5 -------------------------------------------------------------------------------------------------------

START = """
    if kind == "ticket":
        return {ticket}
    new = noise / {number}.sqrt()
    if kind == "signs":
        new = {signs}
    return {result}
"""


_restart = mistakes_in("restart(initial, mask, noise, kind)")


def restart(
    name, hint, body=None, *, ticket="mask * initial", number="mask.sum(1, keepdim=True).clamp(min=1)",
    signs="new.abs() * initial.sign()", result="mask * new", training="either",
):  # fmt: skip
    """A mistake in one of the starts, or a body of its own."""
    body = body or START.format(ticket=ticket, number=number, signs=signs, result=result)
    return _restart(name, hint, body, training=training)


STARTS = [
    restart("a ticket without its mask", "The ticket is zero where the mask is.", ticket="initial.clone()"),
    restart("new values without the mask", "New values are zero where the mask is, too.", result="new"),
    restart(
        "the number of all inputs",
        "Divide by the root of the number of weights that the unit keeps, not of all its inputs.",
        number="torch.tensor(float(mask.shape[1]))",
    ),
    restart(
        "no root",
        "Divide by the root of the number of kept weights, not by the number itself.",
        number="mask.sum(1, keepdim=True).clamp(min=1).square()",
    ),
    restart(
        "the number of the whole layer",
        "Count the kept weights of each unit (row) by itself, not of the whole layer.",
        number="mask.sum().clamp(min=1)",
    ),
    restart(
        "a mean over the units",
        "Each unit has its own number of kept weights; yours takes their mean for all.",
        number="mask.sum(1).float().mean().clamp(min=1)",
    ),
    restart(
        "0/0 in a row without weights",
        "A unit that keeps nothing divides by 0: its row has to be zero, not nan.",
        number="mask.sum(1, keepdim=True)",
        result="mask * new",
    ),
    restart(
        "one weight more",
        "Divide by the root of k itself; to add 1 to every number changes all rows.",
        number="(mask.sum(1, keepdim=True) + 1)",
    ),
    restart(
        "signs times signs",
        "With old signs the size is an absolute value: yours turns the sign where the noise is negative.",
        signs="new * initial.sign()",
    ),
    restart(
        "old sizes, new signs",
        "Keep the old signs and take new sizes: yours has it the other way round.",
        signs="initial.abs() * new.sign()",
    ),
    restart(
        "always new values", 'Look at `kind`: with "signs" the signs are those of the initial weights.', signs="new"
    ),
    restart("always the ticket", "Look at `kind`: yours is the ticket in every case.", "    return mask * initial"),
    restart(
        "everything at zero",
        "The kept weights begin with values: yours are all zero.",
        "    return initial.zero_()",
        training="fails",
    ),
]

# --- question 6 -------------------------------------------------------------------------------------------------------

REMOVED = """
    listens, is_read = {listens}, {is_read}
    b2 = {bias}
    stays = {stays}
    return {result}
"""


_remove_units = mistakes_in("remove_units(w1, b1, w2, b2)")


def remove_units(
    name, hint, body=None, *, listens="(w1 != 0).any(1)", is_read="(w2 != 0).any(0)",
    bias="b2 + w2[:, ~listens] @ b1[~listens].clamp(min=0)", stays="listens & is_read",
    result="w1[stays], b1[stays], w2[:, stays], b2", training="either",
):  # fmt: skip
    """A mistake in one of the steps, or a body of its own."""
    body = body or REMOVED.format(listens=listens, is_read=is_read, bias=bias, stays=stays, result=result)
    return _remove_units(name, hint, body, training=training)


UNITS = [
    remove_units(
        "nothing is added to the bias",
        "A constant unit still says max(0, b1): add what it says to b2 before it goes.",
        bias="b2.clone()",
        training="fails",
    ),
    remove_units(
        "added without the ReLU",
        "A constant unit says max(0, b1): one with a negative bias says nothing.",
        bias="b2 + w2[:, ~listens] @ b1[~listens]",
    ),
    remove_units(
        "one is added instead of the bias",
        "A constant unit says max(0, b1), and not 1.",
        bias="b2 + w2[:, ~listens] @ (b1[~listens] > 0).float()",
    ),
    remove_units(
        "every bias is added",
        "Only constant units add to b2; those that stay say something of their own for each input.",
        bias="b2 + w2 @ b1.clamp(min=0)",
    ),
    remove_units(
        "subtracted",
        "What a constant unit says is added to b2, not subtracted.",
        bias="b2 - w2[:, ~listens] @ b1[~listens].clamp(min=0)",
    ),
    remove_units(
        "the old bias is lost",
        "Add to b2 what the constant units say; the bias that was there stays.",
        bias="w2[:, ~listens] @ b1[~listens].clamp(min=0)",
    ),
    remove_units(
        "only constant units go",
        "Units that nobody reads (a zero column in w2) go as well.",
        stays="listens",
    ),
    remove_units(
        "only units that are not read go",
        "Constant units (a zero row in w1) go as well.",
        bias="b2.clone()",
        stays="is_read",
    ),
    remove_units(
        "only units that are zero on both sides go",
        "One side is enough: a unit goes if its row or its column is zero.",
        stays="listens | is_read",
    ),
    remove_units(
        "constant units stay and are added",
        "A constant unit whose part was added to b2 has to go, or it counts twice.",
        stays="is_read",
    ),
    remove_units(
        "the sum of a row instead of its weights",
        "A row is zero if all its weights are: the sum is zero as well where weights cancel.",
        listens="w1.sum(1) != 0",
        is_read="w2.sum(0) != 0",
    ),
    remove_units(
        "a single zero is enough",
        "A unit goes only if all weights on one side are zero, not one of them.",
        listens="(w1 != 0).all(1)",
        is_read="(w2 != 0).all(0)",
    ),
    remove_units(
        "units without a bias go",
        "A bias of zero removes nobody: look at the weights.",
        stays="listens & is_read & (b1 != 0)",
    ),
    remove_units(
        "the second matrix as it was",
        "A unit that goes takes its column of w2 along.",
        result="w1[stays], b1[stays], w2, b2",
    ),
    remove_units(
        "columns of the first matrix",
        "The units are the rows of w1 and the columns of w2.",
        result="w1[:, : int(stays.sum())], b1[stays], w2[:, stays], b2",
    ),
    remove_units(
        "in another order",
        "The units that stay keep their order.",
        result="w1[stays].flip(0), b1[stays].flip(0), w2[:, stays].flip(1), b2",
    ),
    remove_units(
        "nothing goes", "Nothing is removed: leave out units with a zero row or column.", "    return w1, b1, w2, b2"
    ),
    remove_units(
        "everything at zero",
        "Units without weights go, and all others keep their values.",
        "    return w1[:2].zero_(), b1[:2].zero_(), w2[:, :2].zero_(), b2.zero_()",
    ),
]

# --- question 7 -------------------------------------------------------------------------------------------------------

BYTES = """
    def width(n):
        return {width}

    total, all_dense = 0, 0
    for w in weights:
        (rows, columns), stored = w.shape, {stored}
        csr, dense = {csr}, 4 * rows * columns
        total += {added}
        all_dense += dense
    return {result}
"""


_file_bytes = mistakes_in("file_bytes(weights)")


def file_bytes(
    name, hint, body=None, *, width="1 if n < 256 else 2 if n < 65536 else 4", stored="int((w != 0).sum())",
    csr="stored * (4 + width(columns - 1)) + (rows + 1) * width(stored)", added="min(csr, dense)", result="total",
):  # fmt: skip
    """A mistake in one of the counts, or a body of its own."""
    body = body or BYTES.format(width=width, stored=stored, csr=csr, added=added, result=result)
    return _file_bytes(name, hint, body)


SIZES = [
    file_bytes("always dense", "Zeros can be left out: take CSR where it is shorter.", added="dense"),
    file_bytes("always CSR", "A matrix with few zeros is shorter dense: take the shorter way for each.", added="csr"),
    file_bytes(
        "one way for all matrices",
        "Each matrix is stored in the way that is shorter for it, not all in the same way.",
        added="csr",
        result="min(total, all_dense)",
    ),
    file_bytes(
        "always four bytes",
        "Whole numbers take 1, 2 or 4 bytes, the smallest width that is enough.",
        width="4",
    ),
    file_bytes("always one byte", "One byte holds numbers up to 255: larger ones take 2 or 4.", width="1"),
    file_bytes(
        "up to 256 in a byte",
        "One byte holds 0 to 255, two bytes 0 to 65,535.",
        width="1 if n <= 256 else 2 if n <= 65536 else 4",
    ),
    file_bytes("three bytes", "There are widths of 1, 2 and 4 bytes only.", width="max(1, -(-n.bit_length() // 8))"),
    file_bytes(
        "the number of columns instead of the largest",
        "Columns are counted from 0: the largest is n - 1.",
        csr="stored * (4 + width(columns)) + (rows + 1) * width(stored)",
    ),
    file_bytes(
        "beginnings below z only",
        "The end of the last row is stored as well, and it is z itself.",
        csr="stored * (4 + width(columns - 1)) + (rows + 1) * width(stored - 1)",
    ),
    file_bytes(
        "one width for both",
        "Columns and beginnings have a width each, by the largest number that may occur.",
        csr="stored * (4 + width(columns - 1)) + (rows + 1) * width(columns - 1)",
    ),
    file_bytes(
        "as many beginnings as rows",
        "There are m + 1 beginnings: the last one says where the last row ends.",
        csr="stored * (4 + width(columns - 1)) + rows * width(stored)",
    ),
    file_bytes(
        "no columns",
        "The column of every value is stored, too.",
        csr="stored * 4 + (rows + 1) * width(stored)",
    ),
    file_bytes(
        "no beginnings",
        "The beginnings of the rows are stored, too.",
        csr="stored * (4 + width(columns - 1))",
    ),
    file_bytes(
        "rows and columns exchanged",
        "A matrix has the shape (rows, columns), and the columns are stored for each value.",
        csr="stored * (4 + width(rows - 1)) + (columns + 1) * width(stored)",
    ),
    file_bytes(
        "positive weights only",
        "Negative weights are stored as well: count what is not zero.",
        stored="int((w > 0).sum())",
    ),
    file_bytes(
        "values of one byte",
        "A value takes 4 bytes.",
        csr="stored * (1 + width(columns - 1)) + (rows + 1) * width(stored)",
    ),
    file_bytes("bits", "Return bytes, not bits.", result="8 * total"),
    file_bytes("right for the example only", "Your number does not depend on the matrices.", "    return 29"),
]

MISTAKES = [*KEPT, *MASKS, *SCHEDULES, *STEPS, *STARTS, *UNITS, *SIZES]
