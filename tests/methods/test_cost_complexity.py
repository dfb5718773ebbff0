"""Cost-complexity pruning against all cuts, the book's own loop, and the properties it proves."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification, make_regression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import (
    calls_made,
    chain,
    class_cases,
    leaves_below,
    nodes_of,
    random_tree,
    smallest_best,
    structure_of,
    training_errors,
    trees_with_costs,
    trees_with_counts,
)

from treeprune import (
    CostComplexityPruner,
    TreeStructure,
    cost_complexity_path,
    cut_at,
    optimal_cuts,
    path_sums,
    pruning_path,
)


def cut_at_alpha(structure, path, alpha):
    return nodes_of(cut_at(structure, path.removed_at, int(path.levels_at(alpha))))


def weakest_link(structure, risk):
    """Prune as the book does, in exact arithmetic: the weakest links go, and all is looked at anew."""
    leaves = set(leaves_below(structure, 0))
    levels = []
    while leaves != {0}:
        g = {}
        for t in structure.inner.tolist():
            branch = [u for u in leaves if u != t and _is_below(structure, u, t)]
            if branch:
                g[t] = (Fraction(risk[t]) - sum(Fraction(risk[u]) for u in branch)) / (len(branch) - 1)
        alpha = min(g.values())
        for t in (t for t in g if g[t] == alpha):
            leaves = {u for u in leaves if not _is_below(structure, u, t)} | {t}
        leaves = {u for u in leaves if not any(v != u and _is_below(structure, u, v) for v in leaves)}
        levels.append((alpha, sorted(leaves)))
    return levels


def _is_below(structure, u, t):
    while u >= 0 and u != t:
        u = int(structure.parent[u])
    return u == t


@given(trees_with_counts(), st.fractions(0, 4, max_denominator=12))
def test_the_tree_at_an_alpha_is_the_smallest_minimiser_over_all_cuts(case, alpha):
    structure, counts = case
    errors = training_errors(counts)
    path = cost_complexity_path(structure, errors)
    assert cut_at_alpha(structure, path, float(alpha)) == smallest_best(structure, errors.tolist(), alpha)


@given(trees_with_costs(), st.fractions(0, 6, max_denominator=12))
def test_the_smallest_minimiser_is_found_for_risks_that_a_split_may_raise(case, alpha):
    structure, risk = case
    path = cost_complexity_path(structure, risk)
    assert cut_at_alpha(structure, path, float(alpha)) == smallest_best(structure, risk.tolist(), alpha)


@given(trees_with_counts())
def test_at_the_exact_alphas_where_links_tie_the_smallest_minimiser_is_taken(case):
    structure, counts = case
    errors = training_errors(counts)
    path = cost_complexity_path(structure, errors)
    for alpha, leaves in weakest_link(structure, errors.tolist()):
        assert leaves == smallest_best(structure, errors.tolist(), alpha)  # the two references agree
        assert cut_at_alpha(structure, path, float(alpha)) == leaves


@given(trees_with_counts())
def test_levels_and_prices_are_those_of_the_book(case):
    structure, counts = case
    errors = training_errors(counts)
    path = cost_complexity_path(structure, errors)
    book = weakest_link(structure, errors.tolist())
    assert path.price.tolist() == [0.0, *(float(alpha) for alpha, _ in book)]
    for level, (_, leaves) in enumerate(book, start=1):
        assert nodes_of(cut_at(structure, path.removed_at, level)) == leaves
    assert nodes_of(cut_at(structure, path.removed_at, 0)) == sorted(leaves_below(structure, 0))


@pytest.mark.parametrize("seed", range(6))
def test_each_alpha_is_the_risk_lost_for_each_leaf_saved_and_they_rise(seed):
    rng = np.random.default_rng(seed)
    structure = random_tree(rng, 120)
    path, risk = _random_path(rng, structure)
    total = path_sums(structure, path.removed_at, risk)
    lost, saved = np.diff(total), -np.diff(path.n_leaves)
    assert np.allclose(path.price[1:], lost / saved, rtol=1e-9, atol=1e-12 * risk[0])
    assert (np.diff(path.price[1:]) > 0).all()
    assert (saved > 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_path_is_the_lower_convex_hull_of_the_optimal_trees_of_every_size(seed):
    rng = np.random.default_rng(seed)
    structure = random_tree(rng, 60)
    path, risk = _random_path(rng, structure)
    best = optimal_cuts(structure, risk)
    points = [(int(n), float(risk[cut].sum())) for n, cut in zip(best.n_leaves, best.cuts, strict=True)][::-1]
    total = path_sums(structure, path.removed_at, risk)
    on_path = list(zip(path.n_leaves.tolist(), total.tolist(), strict=True))[::-1]
    hull = _lower_hull(points)
    assert [n for n, _ in on_path] == [n for n, _ in hull]
    assert np.allclose([r for _, r in on_path], [r for _, r in hull], rtol=1e-12)


def _random_path(rng, structure):
    """Risks as training rows give them: a split never raises the sum."""
    gain = np.where(structure.is_leaf, 0, rng.exponential(size=structure.n_nodes) ** 2)
    risk = structure.sum_up(np.where(structure.is_leaf, rng.random(structure.n_nodes), 0))
    for t, left, right in structure.upward():
        gain[t] += gain[left] + gain[right]
    risk = risk + gain
    return cost_complexity_path(structure, risk), risk


def _lower_hull(points):
    """Walk once over the points, ordered by size, dropping those above a line between neighbours."""
    hull = []
    for x, y in points:
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) >= (y - hull[-2][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append((x, y))
    return hull


@pytest.mark.parametrize("seed", range(6))
def test_trees_are_nested_and_shrink_at_every_level(seed):
    rng = np.random.default_rng(seed)
    structure = random_tree(rng, 80)
    path, _ = _random_path(rng, structure)
    assert path.n_leaves[0] == 80
    assert path.n_leaves[-1] == 1
    assert (np.diff(path.n_leaves) < 0).all()
    inner = structure.inner[1:]  # a node's split is never gone later than its parent's
    assert (path.removed_at[inner] <= path.removed_at[structure.parent[inner]]).all()


def test_links_that_tie_fall_together():
    tree = structure_of(((None, None), (None, None)))  # 0 -> 1, 4
    path = cost_complexity_path(tree, [20, 3, 1, 0, 5, 2, 1])  # both branches save 2
    assert path.price.tolist() == [0.0, 2.0, 12.0]
    assert path.n_leaves.tolist() == [4, 2, 1]


def test_a_link_and_the_one_above_that_tie_fall_together():
    tree = structure_of((None, (None, None)))
    path = cost_complexity_path(tree, [5, 1, 2, 0, 0])  # 2 for the lower split, 2 for the upper
    assert path.price.tolist() == [0.0, 2.0]
    assert path.n_leaves.tolist() == [3, 1]


@pytest.mark.parametrize("scale", [0.1, 1 / 3, 1e-7, 1e9 / 7])
def test_ties_survive_rounding(scale):
    for structure, counts in class_cases(seed=4, n_cases=60, max_leaves=20):
        errors = training_errors(counts)
        whole, scaled = cost_complexity_path(structure, errors), cost_complexity_path(structure, errors * scale)
        assert np.array_equal(scaled.removed_at, whole.removed_at)
        assert np.allclose(scaled.price, whole.price * scale, rtol=1e-12)


def test_splits_that_gain_nothing_make_a_second_level_of_price_zero():
    tree = structure_of(((None, None), None))
    path = cost_complexity_path(tree, [9, 2, 1, 1, 3])
    assert path.price.tolist() == [0.0, 0.0, 4.0]
    assert path.n_leaves.tolist() == [3, 2, 1]
    assert path.levels_at(0.0) == 1


def test_gains_that_are_rounding_alone_count_as_nothing():
    tree = structure_of(((None, None), None))
    path = cost_complexity_path(tree, [0.9, 0.1 + 0.2, 0.1, 0.2, 0.3])
    assert path.price[:2].tolist() == [0.0, 0.0]
    assert cost_complexity_path(tree, [0.0] * 5).price.tolist() == [0.0, 0.0]


def test_a_root_alone_has_one_level():
    path = cost_complexity_path(structure_of(None), [3.0])
    assert path.price.tolist() == [0.0]
    assert path.n_leaves.tolist() == [1]


def test_a_chain_of_5000_splits_falls_from_its_end():
    structure = chain(5000)
    risk = np.zeros(structure.n_nodes)
    gains = np.arange(5000, 0, -1)  # the deeper, the smaller: every split is a level of its own
    risk[structure.inner] = np.cumsum(gains[::-1])[::-1]
    path = cost_complexity_path(structure, risk)
    assert path.price.tolist() == list(range(5001))
    assert path.n_leaves.tolist() == list(range(5001, 0, -1))


def test_a_chain_whose_best_split_is_the_last_falls_at_once():
    structure = chain(5000)
    risk = np.zeros(structure.n_nodes)
    risk[structure.inner] = 5000.0
    path = cost_complexity_path(structure, risk)
    assert path.price.tolist() == [0.0, 1.0]
    assert path.n_leaves.tolist() == [5001, 1]


@pytest.mark.parametrize("deep", ["left", "right"])
def test_twice_the_depth_is_little_more_than_twice_the_work(deep):
    def work(depth):
        shape = None
        for _ in range(depth):  # a branch of one split beside each split of a long one
            shape = (shape, (None, None)) if deep == "left" else ((None, None), shape)
        structure = structure_of(shape)
        risk = np.zeros(structure.n_nodes)
        for gain, t in enumerate(structure.inner[::-1], 1):  # the higher, the greater: each split is a level of its own
            risk[t] = gain + risk[structure.children_left[t]] + risk[structure.children_right[t]]
        return calls_made(lambda: cost_complexity_path(structure, risk))

    assert work(300) < 2.5 * work(150)  # pouring what is long into what is short would make it four times


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_sizes_are_those_of_a_refit_between_the_levels(kind, weighted):
    if kind == "classification":
        X, y = make_classification(300, flip_y=0.2, random_state=0)
        model = DecisionTreeClassifier(random_state=0)
    else:
        X, y = make_regression(120, n_features=5, noise=30, random_state=0)
        model = DecisionTreeRegressor(random_state=0)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    grown = model.fit(X, y, sample_weight=weight)
    path = pruning_path(grown, "cost_complexity")
    between = path.representative_prices()
    for k in range(1, path.n_levels - 1, 4):
        again = type(model)(random_state=0, ccp_alpha=between[k]).fit(X, y, sample_weight=weight)
        assert again.get_n_leaves() == path.n_leaves[k]


def test_risk_may_be_the_error_in_units_of_all_rows():
    X, y = make_classification(300, flip_y=0.2, random_state=1)
    grown = DecisionTreeClassifier(random_state=0, min_samples_leaf=3).fit(X, y)
    path = pruning_path(grown, "cost_complexity", risk="error")
    tree = grown.tree_
    errors = np.rint((1 - tree.value[:, 0].max(axis=1)) * tree.n_node_samples)
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    expected = cost_complexity_path(structure, errors)
    assert np.array_equal(path.removed_at, expected.removed_at)
    assert np.allclose(path.price, expected.price / 300, rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"alpha": -0.1}, "alpha=-0.1 is out of range"), ({"risk": "gini"}, "risk='gini': one of 'error', 'impurity'")],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        CostComplexityPruner(**parameters).fit([[0.0], [1.0]], [0, 1])
