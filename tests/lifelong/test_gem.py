"""GEM's projection against closed forms, brute force and a general solver; GEM and A-GEM as methods."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, nnls

from lllcourse import metrics, tasks, training
from lllcourse.data import digits
from lllcourse.lifelong import AGEM, GEM, Method, agem, gem, learn
from lllcourse.models import MLP

from .harness import weights


def draw(seed, *shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


def least_product(g, G, start):
    """min_k g . g_k / (|start| |g_k|) over the rows that are not zero: no less than 0, up to rounding, if all hold."""
    g, G, start = g.double(), G.double(), start.double()
    sizes = G.norm(dim=1)
    some = sizes > 0
    return (G[some] @ g / sizes[some] / start.norm()).min().item() if some.any() else 0


def by_enumeration(g, G):
    """The projection, exact: of all subsets of constraints held with equality, the feasible point closest to g."""
    best, distance = None, math.inf
    for n in range(len(G) + 1):
        for rows in itertools.combinations(range(len(G)), n):
            A = G[list(rows)]
            near = g - A.T @ (torch.linalg.pinv(A.T) @ g) if n else g
            if least_product(near, G, g) > -1e-9 and (near - g).norm() < distance - 1e-12:
                best, distance = near, (near - g).norm()
    return best


# --- the projection -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "g, G, expected",
    [
        ([1.0, 1.0], [[1.0, 0.0]], [1.0, 1.0]),  # nothing violated
        ([1.0, -2.0], [[0.0, 3.0]], [1.0, 0.0]),  # onto one edge
        ([1.0, -1.0], [[1.0, 1.0], [0.0, 1.0]], [1.0, 0.0]),  # only one of two is met
        ([-1.0, -2.0], [[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]),  # into the corner
        ([-3.0, 1.0], [[1.0, 1.0]], [-2.0, 2.0]),  # onto the diagonal
    ],
)
def test_the_projection_in_two_dimensions_by_hand(g, G, expected):
    ours = gem.project(torch.tensor(g), torch.tensor(G))
    assert ours.tolist() == pytest.approx(expected, abs=1e-7)


def test_a_gradient_that_violates_nothing_is_returned_itself():
    g = torch.tensor([1.0, 2.0])
    assert gem.project(g, torch.tensor([[1.0, 0.0], [0.0, 0.0]])) is g
    assert gem.project(g, torch.tensor([[1.0, 0.0]]), margin=0.5) is g
    assert gem.project(g, torch.zeros(0, 2)) is g


@pytest.mark.parametrize("t", range(1, 21))
def test_the_projection_satisfies_every_constraint(t):
    for seed in range(10):
        for P in (3, 12, 200):
            # a common part makes the constraints compete; its sign makes most of them violated, or few
            common = draw(seed, P)
            G = draw(1000 + seed, t, P) + (seed % 3) * common
            g = draw(2000 + seed, P) - common
            assert least_product(gem.project(g, G), G, g) > -1e-9
            single = gem.project(g.float(), G.float())
            assert single.dtype == torch.float32
            assert least_product(single, G.float(), g.float()) > -1e-6


@pytest.mark.parametrize("t", range(1, 8))
def test_the_projection_is_the_closest_vector_by_enumeration_of_all_active_sets(t):
    for seed in range(5):
        for P in (2, 4, 10):
            g, G = draw(seed, P), draw(100 + seed, t, P)
            assert torch.allclose(gem.project(g, G), by_enumeration(g, G), atol=1e-6 * g.norm().item())


@pytest.mark.parametrize("t", [10, 15, 20])
def test_the_projection_is_as_close_as_that_of_general_solvers(t):
    """SLSQP on the primal problem, and SciPy's non-negative least squares on the dual one."""
    for seed in range(3):
        g, G = draw(seed, 30), draw(50 + seed, t, 30) + draw(seed + 90, 30)
        G[0] = -g + G[0] / 10  # violated at least once
        ours = gem.project(g, G)
        v, _ = nnls(G.T.numpy(), -g.numpy())
        assert torch.allclose(ours, g + G.T @ torch.from_numpy(v), atol=1e-6)
        general = minimize(
            lambda x, g=g: ((x - g.numpy()) ** 2).sum(),
            np.zeros(30),
            jac=lambda x, g=g: 2 * (x - g.numpy()),
            constraints={
                "type": "ineq",
                "fun": lambda x, G=G: G.numpy() @ x,
                "jac": lambda x, G=G: G.numpy(),
            },
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-12},
        )
        assert general.success
        assert (ours - g).norm().item() == pytest.approx(general.fun**0.5, rel=1e-4)


def test_the_dual_variables_meet_the_conditions_of_the_optimum():
    """v >= 0, products >= 0, and no v on a constraint that does not bind."""
    for seed in range(20):
        g, G = draw(seed, 50), draw(100 + seed, 12, 50) - draw(seed, 50) / 2
        v = gem.solve_dual(G @ G.T, G @ g)
        products = G @ (g + v @ G)
        assert v.min() >= 0
        assert products.min() > -1e-8
        assert (v * products).abs().max() < 1e-8


@pytest.mark.parametrize("t", [1, 3, 20])
def test_projecting_twice_is_projecting_once(t):
    for seed in range(10):
        g, G = draw(seed, 100), draw(10 + seed, t, 100) - draw(seed, 100)
        once = gem.project(g, G)
        assert torch.allclose(gem.project(once, G), once, atol=1e-8)


def test_one_constraint_is_the_formula_of_a_gem():
    for seed in range(20):
        g, g_ref = draw(seed, 60), draw(100 + seed, 60)
        assert torch.allclose(gem.project(g, g_ref[None]), agem.project(g, g_ref), atol=1e-9)


def test_the_order_of_the_constraints_does_not_matter():
    for seed in range(10):
        g, G = draw(seed, 40), draw(10 + seed, 15, 40) - draw(seed, 40) / 3
        assert torch.allclose(gem.project(g, G), gem.project(g, G.flip(0)), atol=1e-8)


def degenerate(seed):
    """A problem whose rows repeat, oppose one another, depend on one another, or are zero, in float32."""
    choose = np.random.default_rng(seed)
    t, P = int(choose.integers(1, 21)), int(choose.choice([1, 2, 5, 50, 1000]))
    few = draw(seed, int(choose.integers(1, t + 1)), P, dtype=torch.float32)
    G = few[torch.from_numpy(choose.integers(0, len(few), t))]
    kind = choose.integers(0, 5)
    if kind == 0:
        G = G * torch.from_numpy(choose.choice([-1.0, 0.0, 1.0], (t, 1))).float()
    if kind == 1:  # nearly the same, or nearly opposite
        G = G * torch.from_numpy(choose.choice([-1.0, 1.0], (t, 1))).float()
        G = G + 10.0 ** -choose.integers(2, 9) * draw(seed + 1, t, P, dtype=torch.float32)
    if kind == 2:  # rows of very different size
        G = G * 10.0 ** torch.from_numpy(choose.integers(-15, 15, (t, 1))).float()
    if kind == 3:
        G = torch.zeros_like(G)
    g = draw(seed + 2, P, dtype=torch.float32) - (G / G.norm(dim=1, keepdim=True).clamp(min=1e-30)).sum(0)
    return (g if seed % 10 else torch.zeros(P)), G


def test_singular_memories_never_raise_and_their_constraints_hold():
    for seed in range(800):
        g, G = degenerate(seed)
        ours = gem.project(g, G)
        assert ours.isfinite().all()
        assert ours.norm() <= g.norm() * (1 + 1e-6)
        if g.any():
            assert least_product(ours, G, g) > -1e-6, seed


def test_repeated_opposite_and_zero_rows_change_nothing_or_close_a_direction():
    g, a = torch.tensor([-1.0, 2.0, 0.5]), torch.tensor([1.0, 0.0, 0.0])
    expected = gem.project(g, a[None])
    repeated = torch.stack([a, a, 0 * a, 3 * a])
    assert torch.allclose(gem.project(g, repeated), expected, atol=1e-6)
    both = torch.stack([a, -a])  # neither to the left nor to the right
    for sign in (1, -1):
        at_wall = gem.project(sign * g, both)
        assert torch.allclose(at_wall, sign * torch.tensor([0, 2, 0.5]), atol=1e-6)


@pytest.mark.parametrize("size", [1e-20, 1e-10, 1.0, 1e10, 1e20])
def test_the_projection_does_not_depend_on_the_size_of_the_gradients(size):
    for seed in range(5):
        g = draw(seed, 80, dtype=torch.float32)
        G = draw(20 + seed, 9, 80, dtype=torch.float32) - g / 2
        plain = gem.project(g, G)
        for other in (gem.project(g, size * G), gem.project(size * g, G) / size):
            assert torch.allclose(other, plain, rtol=1e-5, atol=1e-5)
        both = gem.project(size * g, size * G) / size
        assert torch.allclose(both, plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("margin", [0.1, 0.5, 3.0])
def test_the_margin_is_the_papers_a_lower_bound_of_the_dual_variables(margin):
    """min over v >= margin of v' G G' v / 2 + g' G' v, by a general solver."""
    for seed in range(3):
        g, G = draw(seed, 20), draw(10 + seed, 6, 20) - draw(seed, 20) / 2
        K, s = (G @ G.T).numpy(), (G @ g).numpy()
        dual = minimize(
            lambda v, K=K, s=s: v @ K @ v / 2 + s @ v,
            np.full(6, margin),
            jac=lambda v, K=K, s=s: K @ v + s,
            bounds=[(margin, None)] * 6,
            options={"ftol": 1e-15, "gtol": 1e-10},
        )
        ours = gem.project(g, G, margin)
        assert torch.allclose(ours, g + G.T @ torch.from_numpy(dual.x), atol=1e-4)
        assert least_product(ours, G, g) > -1e-9


@pytest.mark.parametrize(
    "g, G, name",
    [
        (torch.ones(2, 2), torch.ones(1, 2), "g has shape"),
        (torch.ones(2), torch.ones(2), "G has shape"),
        (torch.ones(2), torch.ones(1, 3), "G has shape"),
        (torch.tensor([1.0, math.nan]), torch.ones(1, 2), "g has values"),
        (torch.tensor([1.0, math.inf]), torch.ones(1, 2), "g has values"),
        (torch.ones(2), torch.tensor([[1.0, 1.0], [math.nan, 0.0]]), "G has values"),
        (torch.ones(2), torch.tensor([[1.0, math.inf]]), "G has values"),
    ],
)
def test_what_cannot_be_projected_is_named(g, G, name):
    with pytest.raises(ValueError, match=name):
        gem.project(g, G)


# --- A-GEM's formula ----------------------------------------------------------------------------------------------


def test_the_averaged_constraint_by_hand():
    ours = agem.project(torch.tensor([1.0, -2.0]), torch.tensor([0.0, 3.0]))
    assert ours.tolist() == [1.0, 0.0]
    g = torch.tensor([1.0, 2.0])
    assert torch.equal(agem.project(g, torch.tensor([1.0, 0.0])), g)
    assert torch.equal(agem.project(g, torch.zeros(2)), g)


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e20])
def test_the_averaged_constraint_at_any_size(size):
    g, g_ref = torch.tensor([1.0, -2.0]), torch.tensor([3.0, 3.0])
    ours = agem.project(size * g, size * g_ref) / size
    assert ours.tolist() == pytest.approx([1.5, -1.5], rel=1e-5)


def test_a_gem_names_what_it_cannot_project():
    with pytest.raises(ValueError, match="g_ref has values"):
        agem.project(torch.ones(2), torch.tensor([math.nan, 1.0]))
    with pytest.raises(ValueError, match=r"g_ref \(3,\)"):
        agem.project(torch.ones(2), torch.ones(3))


# --- the methods --------------------------------------------------------------------------------------------------


def net(seed=0):
    return MLP(784, 20, 10, seed=seed)


def test_the_gradient_is_that_of_the_mean_loss():
    model, (x, y) = net(), (digits().test.x[:30], digits().test.y[:30])
    training.cross_entropy(model, x, y).backward()
    expected = torch.cat([p.grad.flatten() for p in model.parameters()])
    with torch.no_grad():
        assert torch.allclose(gem.gradient(model, x, y), expected, atol=1e-8)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
@pytest.mark.parametrize("make", [GEM, AGEM])
def test_it_works_in_every_scenario_with_every_optimiser(make, scenario, optimizer):
    lr = 0.001 if optimizer == "adam" else 0.05
    pairs = tasks.split(tasks.PAIRS[:3])
    settings = {"scenario": scenario, "epochs": 1, "optimizer": optimizer, "lr": lr}
    learned, plain = (learn(method, net(), pairs, **settings) for method in (make(5), Method()))
    assert learned.R.isfinite().all()
    assert torch.equal(learned.R[1], plain.R[1])  # the first task has no constraint
    assert not torch.equal(weights(learned.model), weights(plain.model))


def test_where_nothing_is_ever_violated_gem_is_fine_tuning_bit_for_bit(monkeypatch):
    plain = learn(Method(), net(), tasks.permuted(2), epochs=1)
    monkeypatch.setattr(gem, "project", lambda g, G, margin=0.0: g)
    ours = learn(GEM(10), net(), tasks.permuted(2), epochs=1)
    assert torch.equal(weights(ours.model), weights(plain.model))


def mid_training(scenario="domain", memory=50):
    """GEM after three tasks, in the middle of the fourth: its model, the gradient g, and the mask at present."""
    sequence = tasks.permuted(4) if scenario == "domain" else tasks.relabelled(tasks.split(), scenario)[:4]
    method, model = GEM(memory), MLP(784, 50, 10)
    learn(method, model, sequence[:3], scenario=scenario, epochs=2)
    active = tasks.active_outputs(sequence, scenario, 4, 4, 10)
    part = sequence[3].train[:32]
    method.before_task(model, sequence[3])
    method.loss(model, part.x, part.y, active)
    return method, model, gem.gradient(model, part.x, part.y, active), active


@pytest.mark.parametrize("scenario", tasks.SCENARIOS)
def test_a_small_step_raises_no_old_loss(scenario):
    method, model, g, active = mid_training(scenario)

    def old_losses(model):
        with torch.no_grad():
            return torch.stack(
                [training.cross_entropy(model, x, y, gem.competing(own, active)) for x, y, own in method.memory]
            )

    model.double()
    method.memory = [(x.double(), y, own) for x, y, own in method.memory]
    method.before_task(model, None)  # puts the memories together
    G = method.past_gradients(model)
    g = g.double() - G.sum(0)  # violated for certain
    assert (G @ g < 0).any()
    before, start = old_losses(model), weights(model)
    for way, rises in ((g, True), (gem.project(g, G), False)):
        step = 1e-6 / way.norm()
        torch.nn.utils.vector_to_parameters(start - step * way, model.parameters())
        change = (old_losses(model) - before) / (step * way.norm())
        assert (change.max() > 1e-4) == rises
        torch.nn.utils.vector_to_parameters(start, model.parameters())


def test_old_examples_compete_with_new_classes_where_classes_are_added():
    own, later = torch.arange(10) < 2, torch.arange(10) < 6
    other = (torch.arange(10) == 4) | (torch.arange(10) == 5)
    assert torch.equal(gem.competing(own, later), later)  # class-incremental
    assert torch.equal(gem.competing(own, other), own)  # task-incremental
    assert gem.competing(own, None) is None
    each = torch.stack([own, other])  # one mask for each example, as A-GEM has them
    assert torch.equal(gem.competing(each, later), torch.stack([later, later]))
    assert torch.equal(gem.competing(each, own), each)


def test_the_memory_is_a_random_choice_from_the_training_examples_of_each_task():
    method, sequence = GEM(7, seed=3), tasks.split(tasks.PAIRS[:2])
    learn(method, net(), sequence, scenario="task", epochs=1)
    for (x, y, own), task in zip(method.memory, sequence, strict=True):
        assert x.shape == (7, 784) and len(y) == 7
        assert own.nonzero().flatten().tolist() == list(task.classes)
        for example, label in zip(x, y, strict=True):
            same = (task.train.x == example).all(1)
            assert same.any() and (task.train.y[same] == label).any()
        assert not torch.equal(x, task.train.x[:7])


def test_a_memory_larger_than_the_task_keeps_all_of_it():
    method = GEM(10**6)
    learn(method, net(), tasks.split(tasks.PAIRS[:1]), epochs=1)
    assert len(method.memory[0][1]) == 700


@pytest.mark.parametrize("make", [GEM, AGEM])
def test_storage_counts_images_labels_and_masks(make):
    learned = learn(make(12), net(), tasks.permuted(3), epochs=1)
    assert learned.storage == 3 * (12 * (784 * 4 + 8) + 10)
    assert make(12).storage() == 0


@pytest.mark.parametrize("make", [GEM, AGEM])
def test_the_seed_decides_the_memory_and_with_it_the_run(make):
    first, same, other = (weights(learn(make(10, seed=s), net(), tasks.permuted(2), epochs=1).model) for s in (0, 0, 1))
    assert torch.equal(first, same) and not torch.equal(first, other)


@pytest.mark.parametrize("make", [GEM, AGEM])
def test_the_global_generators_are_left_alone(make):
    torch.manual_seed(0)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    learn(make(10), net(), tasks.permuted(2), epochs=1)
    assert torch.equal(before, torch.get_rng_state())
    assert (numpy_before == np.random.get_state()[1]).all()


@pytest.mark.parametrize("memory", [0, -3, 2.5, "25", None, True, math.nan])
@pytest.mark.parametrize("make", [GEM, AGEM])
def test_the_memory_must_be_a_whole_number_from_one_on(make, memory):
    with pytest.raises(ValueError, match=f"memory is {memory!r}.*1 or more.*Method"):
        make(memory)


@pytest.mark.parametrize("margin", [-0.1, math.nan, math.inf])
def test_the_margin_must_be_a_number_from_zero_on(margin):
    with pytest.raises(ValueError, match=f"margin is {margin}"):
        GEM(5, margin=margin)
    with pytest.raises(ValueError, match=f"margin is {margin}"):
        gem.project(torch.ones(2), torch.ones(1, 2), margin)


@pytest.mark.parametrize("batch", [0, -1, 1.5])
def test_the_batch_of_a_gem_must_be_a_whole_number_from_one_on(batch):
    with pytest.raises(ValueError, match=f"batch is {batch}"):
        AGEM(5, batch=batch)


def test_a_memory_serves_one_model_only():
    method = GEM(5)
    learn(method, net(), tasks.permuted(2), epochs=1)
    with pytest.raises(ValueError, match="make a new one"):
        learn(method, net(), tasks.permuted(2), epochs=1)


def test_a_frozen_layer_stays_as_it_is():
    model = MLP(784, 20, 10)
    for p in model.layers[0].parameters():
        p.requires_grad_(False)
    frozen = model.layers[0].weight.clone()
    learn(GEM(10), model, tasks.permuted(2), epochs=1)
    assert torch.equal(model.layers[0].weight, frozen)


# --- what it is for -----------------------------------------------------------------------------------------------


def run(method, sequence, seed, **settings):
    model = MLP(784, 50, 50, 10, seed=seed)
    return learn(method, model, sequence, seed=seed, **settings).R


@pytest.mark.prove
def test_gem_and_a_gem_forget_less_than_fine_tuning_on_permuted_digits():
    """Means over three seeds; margins .03 and .02 where four other triples gave .07 and .05 at the least."""
    settings = {"epochs": 3, "lr": 0.3, "batch_size": 64}
    totals = torch.zeros(3)
    for seed in range(3):
        methods = Method(), GEM(100, seed=seed), AGEM(100, seed=seed)
        for i, method in enumerate(methods):
            R = run(method, tasks.permuted(4, seed), seed, **settings)
            totals[i] += metrics.forgetting(R) / 3
    plain, ours, averaged = totals
    assert ours < plain - 0.03
    assert averaged < plain - 0.02


@pytest.mark.prove
def test_with_a_margin_gem_remembers_classes_where_fine_tuning_keeps_the_last_pair():
    """Margin .3 where five other seeds gave .52 at the least; without the paper's margin it is .1 to .2 only."""
    for seed in range(3):
        settings = {"scenario": "class", "epochs": 2}
        plain, ours = (
            metrics.accuracy(run(method, tasks.split(), seed, **settings))
            for method in (Method(), GEM(25, margin=0.5, seed=seed))
        )
        assert ours > plain + 0.3
