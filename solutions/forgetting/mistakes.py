"""The known mistakes of the assignment `forgetting`: wrong versions of its functions, each with its author's hint.

`fails` names the test cells on exact values that a mistake fails, all others of them it passes; `training` says what
becomes of the test on the whole training run. The tests prove both. Only a few are marked as failing the training:
those that stand for a kind, since each of them costs many trainings.
"""

from grader.assignment import mistakes_in

add_row = mistakes_in("add_row(R, i, predictions, labels, task)")
plan = mistakes_in("plan(sizes, i, joint, batch, seed)")
learn = mistakes_in("learn(model, data, schedule, lr)")
accuracy_so_far = mistakes_in("accuracy_so_far(R, counts)")
changes = mistakes_in("changes(R)")
forgetting = mistakes_in("forgetting(tables)")
forward = mistakes_in("forward(R, k)")
share = mistakes_in("share(own, low, high, least)")

ROW = """
def add_row(R, i, predictions, labels, task):
    T = R.shape[1]
    R = {start}
    for j in range(1, T + 1):
        own = {own}
        right = (predictions == labels)[own].double()
        R[{row}, j - 1] = {entry}
    return {result}
"""


def row(start="R.clone()", own="task == j", row="i", entry="right.mean()", result="R"):
    return ROW.format(start=start, own=own, row=row, entry=entry, result=result)


PLAN = """
def plan(sizes, i, joint, batch, seed):
    pairs = [(t, k) for t in {tasks} for k in range(sizes[t - 1])]
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed({seed})).tolist()
    shuffled = {shuffled}
    return {batches}
"""
CUT = "[torch.tensor(shuffled[k : k + batch]) for k in range(0, len(pairs), batch)]"


def planned(
    tasks="(range(1, i + 1) if joint else [i])", seed="seed", shuffled="[pairs[k] for k in order]", batches=CUT
):
    return PLAN.format(tasks=tasks, seed=seed, shuffled=shuffled, batches=batches)


LEARN = """
def learn(model, data, schedule, lr):
    first, networks = copy.deepcopy(model), [copy.deepcopy(model)]
    for batches in schedule:
        {stage}
        for batch in batches:
            x = torch.stack([data[t - 1].x[k] for t, k in batch.tolist()])
            y = torch.stack([data[t - 1].y[k] for t, k in batch.tolist()])
            {clear}
            {loss}.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p {sign}= lr * p.grad
        networks.append({kept})
    return {result}
"""


def loop(
    stage="pass", clear="model.zero_grad()", loss="F.cross_entropy(model(x), y)", sign="-", kept="copy.deepcopy(model)",
    result="networks",
):  # fmt: skip
    return LEARN.format(stage=stage, clear=clear, loss=loss, sign=sign, kept=kept, result=result)


LAST = "    t = int((~R.isnan()).all(1).sum()) - 1\n"

MISTAKES = [
    # --- question 1
    add_row(
        "the columns counted from 1", "Tasks count from 1, columns from 0: task j stands in column j - 1.",
        """    R = R.clone()
    for j in range(R.shape[1]):
        R[i, j] = (predictions == labels)[task == j].double().mean()
    return R""",
    ),
    add_row(
        "one row too high", "Row 0 is the untrained network: the network after task i has row i, not row i - 1.",
        source=row(row="i - 1"),
    ),
    add_row(
        "the right answers among all images", "Divide by the number of images of the task, not by that of all images.",
        source=row(entry="right.sum() / len(task)"),
    ),
    add_row(
        "counts instead of shares", "An accuracy is a share: divide the right answers by the images of the task.",
        source=row(entry="right.sum()"),
    ),
    add_row(
        "one accuracy for all tasks", "Every task has an accuracy of its own: look only at the images of task j.",
        source=row(own="task > 0"),
    ),
    add_row(
        "the share of errors", "Accuracy is the share of right answers: yours is that of wrong ones.",
        source=row(entry="1 - right.mean()"),
    ),
    add_row(
        "the other rows are lost", "Fill in one row of R and leave the others as they are: yours begins a new table.",
        source=row(start="torch.full_like(R, float('nan'))"),
    ),
    add_row(
        "zero where nothing was measured", "A task without images has no accuracy: its entry is NaN, not 0.",
        source=row(entry="right.sum() / max(len(right), 1)"),
    ),
    add_row(
        "the row alone", "Return the whole table, not the new row alone.",
        source=row(result="R[i]"),
    ),
    add_row(
        "the example's row by the number of images", "Work the row out from the answers: other images come as well.",
        """    R = R.clone()
    R[i] = torch.tensor([1 / 3, 3 / 4, 1.0]) if len(task) == 8 else 0.5
    return R""",
    ),
    add_row(
        "labels and predictions are emptied in place", "Compare the answers with the labels: yours sets both to zero.",
        source=row().replace("    T =", "    predictions.zero_()\n    labels.zero_()\n    T ="),
    ),
    # --- question 2
    plan(
        "joint training sees the new task alone", "Joint training sees the images of all tasks from 1 to i.",
        source=planned(tasks="[i]"), training="fails",
    ),
    plan(
        "joint training sees the old tasks alone", "Joint training of task i sees the images of task i as well.",
        source=planned(tasks="(range(1, max(i, 2)) if joint else [i])"),
    ),
    plan(
        "joint training sees tasks that are still to come", "While task i is learned, later tasks are not there yet.",
        source=planned(tasks="(range(1, len(sizes) + 1) if joint else [i])"),
    ),
    plan(
        "fine-tuning sees the old tasks", "Fine-tuning sees the images of task i and no others.",
        source=planned(tasks="range(1, i + 1)"),
    ),
    plan(
        "the tasks one after the other", "Put all images into one random order: yours goes from task to task.",
        source=planned(shuffled="sorted((pairs[k] for k in order), key=lambda pair: pair[0])"),
    ),
    plan(
        "no random order", "Put the images into the order that the seed draws.",
        source=planned(shuffled="pairs"),
    ),
    plan(
        "the seed is not used", "Draw the order from the seed that is handed over, at every call.",
        source=planned(seed="0"),
    ),
    plan(
        "the last batch is left out", "The last batch may be smaller, but its images belong to the epoch too.",
        source=planned(batches=CUT.replace("len(pairs), batch", "len(pairs) - batch + 1, batch")),
    ),
    plan(
        "the first batch only", "An epoch sees every image once: go on until no image is left.",
        source=planned(batches="[torch.tensor(shuffled[:batch])]"), training="fails",
    ),
    plan(
        "tasks counted from 0", "In the pairs the tasks count from 1.",
        source=planned(shuffled="[(pairs[k][0] - 1, pairs[k][1]) for k in order]"),
    ),
    plan(
        "the position instead of the index", "The index counts from 0 within each task, not along the whole row.",
        source=planned(shuffled="[(pairs[k][0], k) for k in order]"),
    ),
    plan(
        "the order turned round", "order[k] is the position of the image that is seen as the k-th: pairs[order[k]].",
        source=planned(shuffled="[pairs[order.index(k)] for k in range(len(pairs))]"),
    ),
    plan(
        "the example's batches by the sizes", "Work the batches out from sizes, i and the seed: others come as well.",
        source=planned(shuffled="[(2, 1), (1, 0), (1, 1), (2, 0), (1, 2)] if sizes == [3, 2, 4] else pairs").replace(
            "len(pairs), batch", "len(shuffled), batch"
        ),
    ),
    # --- question 3
    learn(
        "the same network in every place", "Append a copy after each task: yours holds one network T + 1 times.",
        source=loop(kept="model").replace("first, networks = copy.deepcopy(model), [copy.deepcopy(model)]",
                                          "first, networks = None, [model]"), training="fails",
    ),
    learn(
        "the untrained network is missing", "The list begins with the network before any training.",
        source=loop(result="networks[1:]"),
    ),
    learn(
        "the last network alone", "Return all T + 1 networks in a list.",
        source=loop(result="model"),
    ),
    learn(
        "the gradients are never cleared", "Gradients add up in .grad: clear them before each backward.",
        source=loop(clear="pass"),
    ),
    learn(
        "cleared once for each task", "Gradients add up in .grad: clear them before each backward, not once a task.",
        source=loop(stage="model.zero_grad()", clear="pass"),
    ),
    learn(
        "the sum over the batch", "Take the mean of the loss over the batch, not the sum.",
        source=loop(loss='F.cross_entropy(model(x), y, reduction="sum")'),
    ),
    learn(
        "every task begins anew", "Go on from the weights of the task before: yours begins with the untrained network.",
        source=loop(stage="model = copy.deepcopy(first)"),
    ),
    learn(
        "uphill", "Go against the gradient: subtract it.",
        source=loop(sign="+"),
    ),
    learn(
        "softmax before the loss", "F.cross_entropy takes the outputs as they are, without softmax.",
        source=loop(loss="F.cross_entropy(model(x).softmax(1), y)"),
    ),
    learn(
        "the images of the task at hand", "The first number of a pair says from which task its image comes.",
        source=loop().replace("for batches in schedule", "for i, batches in enumerate(schedule)").replace(
            "data[t - 1]", "data[min(i, len(data) - 1)]").replace("[k] for t, k", "[k % len(data[i])] for t, k"),
    ),
    learn(
        "the tasks counted from 0", "In the pairs the tasks count from 1: task t is data[t - 1].",
        source=loop().replace("data[t - 1]", "data[t % len(data)]").replace(
            "[k] for t, k", "[k % len(data[t % len(data)])] for t, k"),
    ),
    learn(
        "one step for each task", "Take a step for every batch, in their order.",
        source=loop().replace("for batch in batches:", "for batch in batches[:1]:"),
    ),
    learn(
        "one step on all batches together", "Take a step for every batch: yours takes one on all images of a task.",
        source=loop().replace("for batch in batches:", "for batch in [torch.cat(batches)] if batches else []:"),
    ),
    learn(
        "no step at all", "Take a step for every batch: your networks are all untrained.",
        "    return [copy.deepcopy(model) for _ in range(len(schedule) + 1)]",
        training="fails",
    ),
    learn(
        "a step size of one's own", "Use the step size that is handed over.",
        source=loop().replace("lr * p.grad", "0.4 * p.grad"),
    ),
    # --- question 4
    accuracy_so_far(
        "the last row of the table", "Take the last row that has been measured: the rows after it are NaN.",
        "    return R[-1].mean(), (counts * R[-1]).sum() / counts.sum()",
    ),
    accuracy_so_far(
        "tasks that have not been learned yet", "Only the tasks 1 to t have been learned: leave out the others.",
        LAST + "    return R[t].mean(), (counts * R[t]).sum() / counts.sum()",
    ),
    accuracy_so_far(
        "one task too few", "Task t has been learned as well: there are t tasks in the mean.",
        LAST + """    last = max(t - 1, 1)
    return R[t, :last].mean(), (counts * R[t])[:last].sum() / counts[:last].sum()""",
    ),
    accuracy_so_far(
        "the diagonal", "Take the row after task t: the diagonal says what each task was when it was learned.",
        LAST + """    d = R[1:].diagonal()[:t]
    return d.mean(), (counts[:t] * d).sum() / counts[:t].sum()""",
    ),
    accuracy_so_far(
        "both means over tasks", "In the second mean every image counts the same: weigh each task with its images.",
        LAST + "    return R[t, :t].mean(), R[t, :t].mean()",
    ),
    accuracy_so_far(
        "divided by the images of all tasks", "Divide by the images of the tasks that have been learned.",
        LAST + "    return R[t, :t].mean(), (counts * R[t])[:t].sum() / counts.sum()",
    ),
    accuracy_so_far(
        "the other way round", "The mean over the tasks comes first, that over the images second.",
        LAST + "    return (counts * R[t])[:t].sum() / counts[:t].sum(), R[t, :t].mean()",
    ),
    accuracy_so_far(
        "weighed with the inverse", "Many images weigh more, not less.",
        LAST + "    w = 1 / counts[:t]\n    return R[t, :t].mean(), (w * R[t, :t]).sum() / w.sum()",
    ),
    accuracy_so_far(
        "NaN as zero", "What has not been measured is no accuracy of 0: leave it out.",
        "    R = R.nan_to_num(0.0)\n    return R[-1].mean(), (counts * R[-1]).sum() / counts.sum()",
    ),
    accuracy_so_far(
        "the first number alone", "Return both numbers.",
        LAST + "    return R[t, :t].mean()",
    ),
    # --- question 5
    changes(
        "the wrong way round", "A task that was forgotten has a negative change: end minus beginning.",
        LAST + "    d = (R[1:].diagonal() - R[t])[: t - 1]\n    return d, d.mean()",
    ),
    changes(
        "the diagonal begins in row 0", "Task 1 was learned in row 1: take the diagonal of the table without row 0.",
        LAST + "    d = (R[t] - R.diagonal())[: t - 1]\n    return d, d.mean()",
    ),
    changes(
        "the last task is counted", "Task t has just been learned: leave it out.",
        LAST + "    d = (R[t] - R[1:].diagonal())[:t]\n    return d, d.mean()",
    ),
    changes(
        "divided by t", "There are t - 1 changes: divide their sum by t - 1.",
        LAST + "    d = (R[t] - R[1:].diagonal())[: t - 1]\n    return d, d.sum() / t",
    ),
    changes(
        "the row before", "Compare the last row with the diagonal, not with the row before it.",
        LAST + "    d = (R[t] - R[t - 1])[: t - 1]\n    return d, d.mean()",
    ),
    changes(
        "the best instead of the diagonal", "Backward transfer starts where the task was learned, not from its best.",
        LAST + "    d = (R[t] - R[1:t].amax(0))[: t - 1]\n    return d, d.mean()",
    ),
    changes(
        "the last row of the table", "Take the last row that has been measured: the rows after it are NaN.",
        "    d = (R[-1] - R[1:].diagonal())[:-1]\n    return d, d.mean()",
    ),
    changes(
        "against the untrained network", "Compare with the moment when the task was learned, not with row 0.",
        LAST + "    d = (R[t] - R[0])[: t - 1]\n    return d, d.mean()",
    ),
    changes(
        "the example's answer by the shape", "Work the changes out from the table: other tables come as well.",
        "    d = torch.tensor([-0.35, -0.20, -0.24])\n    return d, d.mean()",
    ),
    changes(
        "the mean alone", "Return two things: the changes and their mean.",
        LAST + "    return (R[t] - R[1:].diagonal())[: t - 1].mean()",
    ),
    changes(
        "the table is emptied in place", "Return the changes: yours sets the table to zero.",
        LAST + "    R.zero_()\n    return R[t, : t - 1], 0.0",
    ),
    # --- question 6
    forgetting(
        "minus backward transfer", "Start from the best of the rows 1 to T - 1, not from the diagonal.",
        """    f = (tables[:, 1:].diagonal(0, 1, 2) - tables[:, -1])[:, :-1].mean(1)
    return f.mean(), f.std() / len(f) ** 0.5""",
    ),
    forgetting(
        "row 0 counts for the best", "What the untrained network could do does not count: begin with row 1.",
        """    f = (tables[:, :-1].amax(1) - tables[:, -1])[:, :-1].mean(1)
    return f.mean(), f.std() / len(f) ** 0.5""",
    ),
    forgetting(
        "the last row counts for the best", "The best is sought before the last task: forgetting may be negative.",
        """    f = (tables[:, 1:].amax(1) - tables[:, -1])[:, :-1].mean(1)
    return f.mean(), f.std() / len(f) ** 0.5""",
    ),
    forgetting(
        "the last task is counted", "The last task cannot have been forgotten: leave it out.",
        """    f = (tables[:, 1:-1].amax(1) - tables[:, -1]).mean(1)
    return f.mean(), f.std() / len(f) ** 0.5""",
    ),
    forgetting(
        "the sign", "A fall counts as positive: best minus end.",
        """    f = (tables[:, -1] - tables[:, 1:-1].amax(1))[:, :-1].mean(1)
    return f.mean(), f.std() / len(f) ** 0.5""",
    ),
    forgetting(
        "the table of the means", "Compute forgetting for every seed first: the best row differs from seed to seed.",
        """    f = (tables[:, 1:-1].amax(1) - tables[:, -1])[:, :-1].mean(1)
    R = tables.mean(0)
    return (R[1:-1].amax(0) - R[-1])[:-1].mean(), f.std() / len(f) ** 0.5""",
    ),
    forgetting(
        "the standard deviation", "Divide the standard deviation by the root of the number of seeds.",
        """    f = (tables[:, 1:-1].amax(1) - tables[:, -1])[:, :-1].mean(1)
    return f.mean(), f.std()""",
    ),
    forgetting(
        "divided by S instead of S - 1", "Divide the squared differences by S - 1 in the standard deviation.",
        """    f = (tables[:, 1:-1].amax(1) - tables[:, -1])[:, :-1].mean(1)
    return f.mean(), f.std(correction=0) / len(f) ** 0.5""",
    ),
    forgetting(
        "divided by the number of seeds", "Divide by the root of the number of seeds, not by the number.",
        """    f = (tables[:, 1:-1].amax(1) - tables[:, -1])[:, :-1].mean(1)
    return f.mean(), f.std() / len(f)""",
    ),
    forgetting(
        "the error over seeds and tasks", "There is one forgetting for each seed: take the mean over its tasks first.",
        """    f = (tables[:, 1:-1].amax(1) - tables[:, -1])[:, :-1]
    return f.mean(), f.std() / f.numel() ** 0.5""",
    ),
    forgetting(
        "one number for each seed", "Return the mean over the seeds and its error.",
        "    return (tables[:, 1:-1].amax(1) - tables[:, -1])[:, :-1].mean(1)",
    ),
    # --- question 7
    forward(
        "row 0 is not subtracted", "Subtract what the untrained network could do.",
        "    return R[1:].diagonal(k).mean()",
    ),
    forward(
        "chance instead of row 0", "Subtract row 0, not chance: an untrained network is not a fair coin.",
        "    return (R[1:].diagonal(k) - 0.1).mean()",
    ),
    forward(
        "below the diagonal", "Look above the diagonal: at a task before it is learned.",
        "    return (R[1 + k :].diagonal() - R[0, : R.shape[1] - k]).mean()",
    ),
    forward(
        "the distance is not used", "The network is k tasks before task i: take row i - k.",
        "    return (R[1:].diagonal(1) - R[0, 1:]).mean()",
    ),
    forward(
        "one row too high", "Just before task i stands row i - 1, and k tasks before it row i - k.",
        "    return (R.diagonal(k) - R[0, k:]).mean()",
    ),
    forward(
        "the diagonal itself", "Look at the task before it is learned: the diagonal says how well it was learned.",
        "    return (R[1:].diagonal() - R[0]).mean()",
    ),
    forward(
        "divided by T - 1", "There are T - k tasks in the sum: divide by T - k.",
        "    return (R[1:].diagonal(k) - R[0, k:]).sum() / (R.shape[1] - 1)",
    ),
    forward(
        "row 0 from its beginning", "Subtract in the same column: task i in row i - k minus task i in row 0.",
        "    return (R[1:].diagonal(k) - R[0, : R.shape[1] - k]).mean()",
    ),
    forward(
        "the first distance with the sign turned", "What the network can do ahead comes first, row 0 is subtracted.",
        "    return (R[0, k:] - R[1:].diagonal(k)).mean()",
    ),
    forward(
        "one number for each task", "Return one number, the mean.",
        "    return R[1:].diagonal(k) - R[0, k:]",
    ),
    forward(
        "the example's answers by k", "Work the number out from the table: other tables come as well.",
        "    return {1: 1 / 3, 2: 0.11}.get(k, 0.0)",
    ),
    # --- question 8
    share(
        "the mean of the quotients", "Take the means over the seeds first: one small gap makes a huge quotient.",
        """    shares = ((own - low) / (high - low)).mean(1)
    return shares if high.mean() - low.mean() >= least else torch.full_like(shares, float("nan"))""",
    ),
    share(
        "least is not used", "Where the gap is smaller than least, the share is NaN.",
        "    return (own.mean(1) - low.mean()) / (high.mean() - low.mean())",
    ),
    share(
        "the size of the gap without its sign", "A negative gap is no gap either: do not take its absolute value.",
        """    gap = high.mean() - low.mean()
    shares = (own.mean(1) - low.mean()) / gap
    return shares if gap.abs() >= least else torch.full_like(shares, float("nan"))""",
    ),
    share(
        "zero where there is no gap", "Without a gap the share is not known: NaN, not 0.",
        """    gap = high.mean() - low.mean()
    return (own.mean(1) - low.mean()) / gap if gap >= least else torch.zeros(len(own))""",
    ),
    share(
        "between 0 and 1 at all costs", "A share may be negative or above 1: do not clamp it.",
        """    gap = high.mean() - low.mean()
    shares = ((own.mean(1) - low.mean()) / gap).clamp(0, 1)
    return shares if gap >= least else torch.full_like(shares, float("nan"))""",
    ),
    share(
        "from the upper bound down", "0 is as good as the lower bound: yours is the share that is still missing.",
        """    gap = high.mean() - low.mean()
    shares = (high.mean() - own.mean(1)) / gap
    return shares if gap >= least else torch.full_like(shares, float("nan"))""",
    ),
    share(
        "the share of the upper bound", "Subtract the lower bound, above and below.",
        """    shares = own.mean(1) / high.mean()
    return shares if high.mean() - low.mean() >= least else torch.full_like(shares, float("nan"))""",
    ),
    share(
        "the mean over the methods", "Return a share for each method: take the mean over the seeds, dimension 1.",
        """    gap = high.mean() - low.mean()
    shares = (own.mean() - low.mean()) / gap * torch.ones(len(own))
    return shares if gap >= least else torch.full_like(shares, float("nan"))""",
    ),
    share(
        "constant", "Work the shares out from the accuracies.",
        "    return torch.full((len(own),), 0.7)",
    ),
]  # fmt: skip
