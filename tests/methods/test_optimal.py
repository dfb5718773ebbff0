"""Optimal pruning by size against all cuts of every size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier
from trees import (
    calls_made,
    chain,
    cuts_of,
    leaves_below,
    nodes_of,
    random_tree,
    structure_of,
    trees_with_costs,
)

from treeprune import (
    OptimalPruner,
    PrunerCV,
    TreeStructure,
    check_cut,
    optimal_cut,
    optimal_cut_of_size,
    optimal_cuts,
    pruning_cuts,
)


def least_costs(structure, cost):
    """The least cost of every size, from all cuts."""
    least = {}
    for cut in cuts_of(structure):
        total = sum(cost[t] for t in cut)
        least[len(cut)] = min(total, least.get(len(cut), total))
    return least


@given(trees_with_costs())
def test_the_cut_of_each_size_is_the_cheapest_of_that_size(case):
    structure, cost = case
    cuts, least = optimal_cuts(structure, cost), least_costs(structure, cost)
    assert cuts.n_leaves.tolist() == cuts.price.tolist() == sorted(least, reverse=True)
    for cut in cuts.cuts:
        check_cut(structure, cut)
        assert cost[cut].sum() == least[cut.sum()]


@given(trees_with_costs(most=3))
def test_where_cuts_of_one_size_tie_the_left_branch_gets_fewer_leaves(case):
    structure, cost = case
    least = least_costs(structure, cost)
    for cut in optimal_cuts(structure, cost).cuts:
        n_leaves = int(cut.sum())
        rivals = [set(c) for c in cuts_of(structure) if len(c) == n_leaves]
        rivals = [c for c in rivals if sum(cost[t] for t in c) == least[n_leaves]]
        if n_leaves > 1:
            left = set(_branch(structure, int(structure.children_left[0])))
            assert len(left & set(nodes_of(cut))) == min(len(left & c) for c in rivals)


def _branch(structure, t):
    left, right = int(structure.children_left[t]), int(structure.children_right[t])
    return [t] if left < 0 else [t, *_branch(structure, left), *_branch(structure, right)]


@given(trees_with_costs(), st.integers(1, 9))
def test_with_at_most_so_many_leaves_the_smallest_of_the_cheapest_is_taken(case, most):
    structure, cost = case
    scored = sorted((total, size) for size, total in least_costs(structure, cost).items() if size <= most)
    cut = optimal_cut_of_size(structure, cost, most)
    check_cut(structure, cut)
    assert (cost[cut].sum(), cut.sum()) == scored[0]
    bounded = optimal_cuts(structure, cost, most)
    assert bounded.n_leaves.tolist() == list(range(min(most, structure.n_leaves), 0, -1))
    assert [cost[c].sum() for c in bounded.cuts] == [least_costs(structure, cost)[n] for n in bounded.n_leaves]


@pytest.mark.parametrize("seed", range(4))
def test_over_all_sizes_it_is_the_optimal_cut(seed):
    rng = np.random.default_rng(seed)
    structure = random_tree(rng, 150)
    cost = rng.random(structure.n_nodes) * (1 + structure.sum_up(structure.is_leaf)) ** 0.9
    best = optimal_cut_of_size(structure, cost, 150)
    assert nodes_of(best) == nodes_of(optimal_cut(structure, cost))
    cuts = optimal_cuts(structure, cost)
    assert min(cost[cut].sum() for cut in cuts.cuts) == pytest.approx(cost[best].sum())
    for cut in cuts.cuts:
        check_cut(structure, cut)


def test_the_cuts_need_not_be_nested():
    tree = structure_of(((None, (None, None)), (None, None)))  # 0 -> 1 (2, 3 (4, 5)), 6 (7, 8)
    cost = [99, 10, 0, 10, 0, 0, 6, 1, 0]  # branch 1 pays only when split twice
    cuts = optimal_cuts(tree, cost)
    assert [nodes_of(cut) for cut in cuts.cuts] == [[2, 4, 5, 7, 8], [2, 4, 5, 6], [1, 7, 8], [1, 6], [0]]


def test_the_cheapest_cuts_of_a_chain_keep_its_top():
    structure = chain(1200)
    cost = np.zeros(structure.n_nodes)
    cost[structure.inner] = np.arange(1200, 0, -1)
    cuts = optimal_cuts(structure, cost, 40)
    assert [cost[cut].sum() for cut in cuts.cuts] == [1200 - 39 + k for k in range(39)] + [1200]


def test_a_chain_of_5000_splits_is_handled_without_recursion():
    structure = chain(5000)
    cost = np.zeros(structure.n_nodes)
    cost[structure.inner] = np.arange(5000, 0, -1)
    cut = optimal_cut_of_size(structure, cost, 3)
    assert nodes_of(cut) == [1, 3, 4]


@pytest.mark.parametrize("deep", ["left", "right"])
def test_a_chain_of_twice_the_depth_is_twice_the_work_for_all_sizes(deep):
    def work(depth):
        sides = chain(depth).children_left, chain(depth).children_right
        structure = TreeStructure.from_arrays(*(sides[::-1] if deep == "left" else sides))
        return calls_made(lambda: optimal_cuts(structure, np.ones(structure.n_nodes)))

    assert work(120) < 2.5 * work(60)  # going over the branch with more sizes would make it four times


@pytest.mark.parametrize("most", [0, -1, 2.0, None, True])
def test_a_size_that_is_no_whole_number_from_one_up_is_refused(most):
    with pytest.raises(ValueError, match="max_leaf_nodes"):
        optimal_cut_of_size(structure_of(None), [1.0], most)
    with pytest.raises(ValueError, match="max_leaf_nodes"):
        OptimalPruner(max_leaf_nodes=most).fit([[0.0], [1.0]], [0, 1])
    if most is not None:
        with pytest.raises(ValueError, match="max_leaf_nodes"):
            optimal_cuts(structure_of(None), [1.0], most)


@pytest.mark.parametrize("risk", ["error", "impurity"])
def test_the_pruner_charges_errors_or_impurity_of_the_growing_rows(risk):
    X, y = make_classification(200, flip_y=0.3, random_state=0)
    grown = DecisionTreeClassifier(random_state=0, max_leaf_nodes=9).fit(X, y)
    tree = grown.tree_
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    n = tree.n_node_samples
    cost = np.rint(n * (1 - tree.value[:, 0].max(axis=1))) if risk == "error" else n * tree.impurity
    cuts, least = pruning_cuts(grown, "optimal", risk=risk), least_costs(structure, cost)
    assert cuts.n_leaves.tolist() == list(range(9, 0, -1))
    assert [cost[cut].sum() for cut in cuts.cuts] == pytest.approx([least[k] for k in range(9, 0, -1)])
    pruner = OptimalPruner(DecisionTreeClassifier(random_state=0, max_leaf_nodes=9), max_leaf_nodes=4, risk=risk)
    assert cost[pruner.fit(X, y).cut_].sum() == pytest.approx(min(least[k] for k in range(1, 5)))


def test_an_unknown_risk_is_refused():
    with pytest.raises(ValueError, match="risk='gini': one of 'error', 'impurity'"):
        OptimalPruner(max_leaf_nodes=2, risk="gini").fit([[0.0], [1.0]], [0, 1])


def test_every_grown_leaf_is_kept_at_the_largest_size():
    structure = random_tree(np.random.default_rng(0), 30)
    assert nodes_of(optimal_cuts(structure, np.ones(59)).cuts[0]) == sorted(leaves_below(structure, 0))


def test_all_sizes_of_a_large_tree_are_refused_with_the_size_that_is_not():
    large = chain(9_000)
    with pytest.raises(
        ValueError,
        match=r"all sizes up to 9001 of a tree with 18001 nodes are 155 MB of cuts: give max_leaf_nodes, 3728 at most",
    ):
        optimal_cuts(large, np.ones(large.n_nodes))
    assert optimal_cuts(large, np.ones(large.n_nodes), max_leaf_nodes=3).n_leaves.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    "grid",
    [
        {"max_leaf_nodes": [8, 2, 500, 1, 5]},
        {"max_leaf_nodes": [2, 6], "risk": ["error", "brier"]},
        {"max_leaf_nodes": [2, 6], "estimator__min_samples_leaf": [1, 9]},
        {"risk": ["brier", "error"]},
    ],
)
def test_a_search_over_sizes_is_that_of_scikit_learn(grid):
    X, y = make_classification(300, flip_y=0.3, random_state=1)
    pruner = OptimalPruner(DecisionTreeClassifier(random_state=0), max_leaf_nodes=7)
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    search = PrunerCV(pruner, grid, cv=folds, scoring="neg_brier_score", selection="minimum").fit(X, y)
    reference = GridSearchCV(pruner, grid, cv=folds, scoring="neg_brier_score").fit(X, y)
    scores = [reference.cv_results_[f"split{k}_test_score"] for k in range(4)]
    np.testing.assert_allclose(search.curve_.test.reshape(4, -1), scores, rtol=1e-12)
    assert pruner.get_params()["max_leaf_nodes"] == 7
