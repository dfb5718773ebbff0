"""Depth and number of leaves as limits set after growing, against replay by the letter and refits."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.datasets import load_iris, make_regression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import chain, children, literal_cut, nodes_of, random_tree, structure_of, structures, trees_with_costs

import treeprune as tp
from treeprune import (
    MaxDepthPruner,
    MaxLeafNodesPruner,
    cut_at,
    max_depth_path,
    max_leaf_nodes_path,
    prune,
    pruning_path,
)


@given(structures())
def test_a_depth_makes_leaves_of_all_nodes_at_it(structure):
    path = max_depth_path(structure)
    deepest = int(structure.depth.max())
    assert path.price.tolist() == list(range(deepest, -1, -1))
    for limit in range(deepest + 2):
        cut = cut_at(structure, path.removed_at, int(path.levels_at(limit)))
        expected = literal_cut(structure, lambda t, _, limit=limit: structure.depth[t] >= limit)
        assert nodes_of(cut) == expected


def replay(structure, gain, n_leaves):
    """Split the leaf of largest gain until there are so many leaves; equal gains: the lower id."""
    leaves = [0]
    while len(leaves) < n_leaves:
        best = max((t for t in leaves if children(structure, t)), key=lambda t: (gain[t], -t))
        leaves = [t for t in leaves if t != best] + list(children(structure, best))
    return sorted(leaves)


@given(trees_with_costs(most=4))
def test_a_number_of_leaves_keeps_what_best_first_growth_splits_first(case):
    structure, gain = case
    path = max_leaf_nodes_path(structure, gain)
    assert path.n_leaves.tolist() == path.price.tolist() == list(range(structure.n_leaves, 0, -1))
    for n_leaves in range(1, structure.n_leaves + 1):
        cut = cut_at(structure, path.removed_at, int(path.levels_at(n_leaves)))
        assert nodes_of(cut) == replay(structure, gain, n_leaves)


@pytest.mark.parametrize("weighted", [False, True])
def test_limits_equal_those_of_growing_where_no_split_was_a_tie(weighted):
    X, y = make_regression(400, n_features=4, noise=5, random_state=1)
    weight = np.random.default_rng(0).uniform(0.5, 2, 400) if weighted else None

    def grow(**limits):
        return DecisionTreeRegressor(min_samples_leaf=5, random_state=0, **limits).fit(X, y, sample_weight=weight)

    grown = grow()
    by_depth, by_leaves = pruning_path(grown, "max_depth"), pruning_path(grown, "max_leaf_nodes")
    structure_leaf = grown.apply(X)
    for limit in (1, 2, 3, 5, 7):
        assert by_depth.n_leaves[by_depth.levels_at(limit)] == grow(max_depth=limit).get_n_leaves()
    for limit in (2, 5, 13, 30):
        pruned = MaxLeafNodesPruner(DecisionTreeRegressor(min_samples_leaf=5, random_state=0), max_leaf_nodes=limit)
        pruned.fit(X, y, sample_weight=weight)
        again = grow(max_leaf_nodes=limit)
        assert by_leaves.n_leaves[by_leaves.levels_at(limit)] == limit == again.get_n_leaves()
        assert np.allclose(pruned.predict(X), again.predict(X))
    pruned = MaxDepthPruner(DecisionTreeRegressor(min_samples_leaf=5, random_state=0), max_depth=3)
    pruned.fit(X, y, sample_weight=weight)
    assert np.allclose(pruned.predict(X), grow(max_depth=3).predict(X))
    assert np.array_equal(grown.apply(X), structure_leaf)


def test_a_root_alone_has_one_level():
    single = structure_of(None)
    assert max_depth_path(single).price.tolist() == [0.0]
    assert max_leaf_nodes_path(single, [0.0]).price.tolist() == [1.0]


def test_a_chain_of_5000_splits_loses_them_from_its_end():
    structure = chain(5000)
    falling = np.zeros(structure.n_nodes)
    falling[structure.inner] = np.arange(5000, 0, -1)
    for path in (max_depth_path(structure), max_leaf_nodes_path(structure, falling)):
        assert path.n_leaves.tolist() == list(range(5001, 0, -1))
        assert nodes_of(cut_at(structure, path.removed_at, 4998)) == [1, 3, 4]


def test_a_large_tree_is_replayed_in_the_order_of_its_gains():
    rng = np.random.default_rng(0)
    structure = random_tree(rng, 300)
    gain = rng.random(structure.n_nodes)
    path = max_leaf_nodes_path(structure, gain)
    for n_leaves in (2, 57, 211, 299):
        assert nodes_of(cut_at(structure, path.removed_at, 300 - n_leaves)) == replay(structure, gain, n_leaves)


@pytest.mark.parametrize(
    ("pruner", "message"),
    [
        (MaxDepthPruner(), "max_depth must be given: a whole number, 0 or more"),
        (MaxDepthPruner(max_depth=-1), "max_depth=-1: a whole number, 0 or more, is expected"),
        (MaxLeafNodesPruner(), "max_leaf_nodes must be given"),
        (MaxLeafNodesPruner(max_leaf_nodes=0), "max_leaf_nodes=0: a whole number, 1 or more, is expected"),
        (MaxLeafNodesPruner(max_leaf_nodes=2.5), "max_leaf_nodes=2.5"),
    ],
)
def test_limits_that_are_no_whole_numbers_are_refused(pruner, message):
    with pytest.raises(ValueError, match=message):
        pruner.fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize(
    ("limit", "values"),
    [("min_impurity_decrease", [0.0, 0.002, 0.01, 0.03, 0.1]), ("min_samples_split", [2, 11, 20, 37, 80, 301])],
)
def test_limits_on_nodes_after_growing_are_those_while_growing(limit, values):
    rng = np.random.default_rng(1)  # of no two splits the same worth: ties break by the order of growth
    X = rng.normal(size=(300, 5))
    y = X[:, 0] + np.sin(3 * X[:, 1]) + rng.normal(size=300)
    tree = DecisionTreeRegressor(min_samples_leaf=5, random_state=0).fit(X, y)
    sizes = []
    for value in values:
        refit = DecisionTreeRegressor(min_samples_leaf=5, random_state=0, **{limit: value}).fit(X, y)
        small = prune(tree, limit, **{limit: value}) if value not in (0.0, 2) else tree
        assert (small.tree_.feature == refit.tree_.feature).all()
        assert (small.tree_.threshold == refit.tree_.threshold).all()
        sizes.append(refit.get_n_leaves())
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) > 3


@pytest.mark.parametrize("class_weight", [{0: 1, 1: 5, 2: 2}, "balanced"])
@pytest.mark.parametrize("limit", [10, 15, 40, 0.3, 1.0])
def test_class_weights_are_no_rows_and_a_share_is_of_the_rows(class_weight, limit):
    X, y = load_iris(return_X_y=True)
    X = X + np.random.default_rng(0).normal(0, 0.6, X.shape)  # best splits that do not tie
    grown = DecisionTreeClassifier(class_weight=class_weight, random_state=0).fit(X, y)
    again = DecisionTreeClassifier(class_weight=class_weight, min_samples_split=limit, random_state=0).fit(X, y)
    small = tp.prune(grown, "min_samples_split", min_samples_split=limit)
    assert small.get_n_leaves() == again.get_n_leaves()
    np.testing.assert_array_equal(small.predict_proba(X), again.predict_proba(X))
