"""Minimum-error pruning against all cuts, in exact fractions."""

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import (
    chain,
    class_cases,
    literal_cut,
    literal_sums,
    nodes_of,
    random_tree,
    smallest_best,
    structure_of,
    trees_with_counts,
)

import treeprune as tp
from treeprune import MinimumErrorPruner, TreeStructure, minimum_error_cut, minimum_squared_error_cut


def expected_errors(counts, m, prior=None):
    """Rows times expected error rate of each node, as fractions."""
    root = [Fraction(int(c), int(counts[0].sum())) for c in counts[0]]
    p = root if prior is None else prior
    return [_rows_in_error([int(c) for c in node], Fraction(m), p) for node in counts]


def _rows_in_error(node, m, p):
    n = sum(node)
    if n == 0:
        return Fraction(0)
    return n * min((n - n_i + (1 - p_i) * m) / (n + m) for n_i, p_i in zip(node, p, strict=True))


@given(trees_with_counts(), st.fractions(0, 30, max_denominator=4))
def test_the_cut_is_the_smallest_among_those_of_least_expected_error(case, m):
    structure, counts = case
    expected = smallest_best(structure, expected_errors(counts, m))
    assert nodes_of(minimum_error_cut(structure, counts, float(m))) == expected


@given(trees_with_counts())
def test_laplace_form_of_niblett_and_bratko(case):
    structure, counts = case
    k = counts.shape[1]
    # their formula as printed in 1986: (n - n_c + k - 1) / (n + k)
    errors = [Fraction(int(n.sum()) * int(n.sum() - n.max() + k - 1), int(n.sum()) + k) for n in counts]
    cut = minimum_error_cut(structure, counts, m=k, prior=[1 / k] * k)
    assert nodes_of(cut) == smallest_best(structure, errors)


@given(trees_with_counts(), st.integers(1, 12))
def test_any_prior_may_be_given(case, m):
    structure, counts = case
    expected = smallest_best(structure, expected_errors(counts, m, [Fraction(1, 2), Fraction(3, 8), Fraction(1, 8)]))
    assert nodes_of(minimum_error_cut(structure, counts, m, prior=[0.5, 0.375, 0.125])) == expected


def test_backing_up_by_shares_of_rows_as_published_gives_the_same_cut():
    for structure, counts in class_cases(seed=1, n_cases=200):
        n = [int(node.sum()) for node in counts]
        rate = [Fraction(0) if not n_t else e / n_t for e, n_t in zip(expected_errors(counts, 3), n, strict=True)]

        def goes(t, branch, n=n, rate=rate):
            if n[t] == 0:
                return True
            return rate[t] <= sum(Fraction(n[leaf], n[t]) * rate[leaf] for leaf in branch)

        assert nodes_of(minimum_error_cut(structure, counts, 3)) == literal_cut(structure, goes)


def test_fractional_weights_are_frequencies():
    for structure, counts in class_cases(seed=2, n_cases=200):
        eighths = [[Fraction(int(c), 8) for c in node] for node in counts]
        root = [c / sum(eighths[0]) for c in eighths[0]]
        errors = [
            min((sum(c) - c_i + (1 - p_i) * 2) * sum(c) / (sum(c) + 2) for c_i, p_i in zip(c, root, strict=True))
            for c in eighths
        ]
        assert nodes_of(minimum_error_cut(structure, counts / 8, 2)) == smallest_best(structure, errors)


@pytest.mark.parametrize("n_leaves", [2, 50, 800])
def test_an_infinite_m_leaves_the_root_alone(n_leaves):
    rng = np.random.default_rng(n_leaves)
    structure = random_tree(rng, n_leaves)
    counts = literal_sums(structure, rng.integers(0, 50, (structure.n_nodes, 7)))
    assert nodes_of(minimum_error_cut(structure, counts, np.inf)) == [0]
    assert nodes_of(minimum_error_cut(structure, counts * 0.1, np.inf)) == [0]
    assert nodes_of(minimum_error_cut(structure, counts, np.inf, prior=[1 / 7] * 7)) == [0]
    squares = rng.random(structure.n_nodes)
    assert nodes_of(minimum_squared_error_cut(structure, squares, counts.sum(axis=1), np.inf)) == [0]


def test_the_prunings_are_not_nested_in_m():
    back = 0
    for structure, counts in class_cases(seed=3, n_cases=120, most=8):
        sizes = [int(minimum_error_cut(structure, counts, m).sum()) for m in (0, 1, 2, 4, 8, 16, 32)]
        exact = [len(smallest_best(structure, expected_errors(counts, m))) for m in (0, 1, 2, 4, 8, 16, 32)]
        assert sizes == exact
        back += any(b > a for a, b in itertools.pairwise(sizes))
    assert back > 0


@given(trees_with_counts(), st.integers(0, 20))
def test_several_outputs_are_averaged(case, m):
    structure, counts = case
    other = literal_sums(structure, np.roll(counts, 1, axis=0) + 1)  # any second output that adds up
    errors = [(a + b) / 2 for a, b in zip(expected_errors(counts, m), expected_errors(other, m), strict=True)]
    cut = minimum_error_cut(structure, np.stack([counts, other], axis=1), m)
    assert nodes_of(cut) == smallest_best(structure, errors)


@pytest.mark.parametrize("m", [0, 1, 5, 40])
def test_regression_trees_shrink_the_squared_error_of_a_node_towards_the_roots(m):
    rng = np.random.default_rng(m)
    for _ in range(100):
        structure = random_tree(rng, int(rng.integers(1, 9)))
        n = literal_sums(structure, rng.integers(1, 5, structure.n_nodes))
        mse = rng.integers(0, 9, structure.n_nodes)
        errors = [
            int(n_t) * Fraction(int(n_t) * int(mse_t) + m * int(mse[0]), int(n_t) + m)
            for n_t, mse_t in zip(n, mse, strict=True)
        ]
        cut = minimum_squared_error_cut(structure, n * mse, n, m)
        assert nodes_of(cut) == smallest_best(structure, errors)


def test_nodes_without_rows_go():
    tree = structure_of((None, (None, None)))
    counts = np.array([[3, 3], [3, 0], [0, 3], [0, 3], [0, 0]])
    assert nodes_of(minimum_error_cut(tree, counts, m=0)) == [1, 2]
    assert nodes_of(minimum_squared_error_cut(tree, [9.0, 0, 0, 0, 0], counts.sum(axis=1), m=0)) == [1, 2]


def test_a_chain_of_5000_splits_is_pruned_where_counts_no_longer_pay():
    structure = chain(5000)
    counts = np.zeros((structure.n_nodes, 2))
    counts[1::2, 0] = counts[10000, 1] = 1
    counts = structure.sum_up(counts)
    # the one odd row is split off last, so every split above it has to pay for itself by that row alone
    assert nodes_of(minimum_error_cut(structure, counts, m=0)) == [*range(1, 10000, 2), 10000]
    assert nodes_of(minimum_error_cut(structure, counts, m=2)) == [0]


@pytest.mark.parametrize(
    ("prior", "message"),
    [([0.5, 0.5], "3 probabilities"), ([0.5, 0.6, -0.1], "sum to 1"), ([0.5, 0.5, 0.5], "sum to 1")],
)
def test_what_is_no_prior_is_refused(prior, message):
    with pytest.raises(ValueError, match=message):
        minimum_error_cut(structure_of(None), [[1, 2, 3]], prior=prior)


@pytest.mark.parametrize("m", [-1, float("nan"), "2", None, True])
def test_an_m_that_is_no_number_from_zero_up_is_refused(m):
    for call in (minimum_error_cut, minimum_squared_error_cut):
        with pytest.raises(ValueError, match=r"m=.*a number in \[0, inf\] is expected"):
            call(structure_of(None), [[1, 2]], *(() if call is minimum_error_cut else ([3],)), m=m)


def test_the_pruner_counts_the_rows_that_grew_the_tree():
    X, y = make_classification(300, n_classes=3, n_informative=5, flip_y=0.3, random_state=0)
    weight = np.random.default_rng(0).integers(1, 4, 300)
    pruner = MinimumErrorPruner(DecisionTreeClassifier(random_state=0, max_leaf_nodes=9), m=6)
    pruner.fit(X, y, sample_weight=weight)
    path = pruner.grown_.decision_path(X).toarray().astype(bool)
    counts = np.array([[weight[rows & (y == c)].sum() for c in range(3)] for rows in path.T])
    structure = _structure(pruner.grown_)
    assert nodes_of(pruner.cut_) == smallest_best(structure, expected_errors(counts, 6))


def test_the_pruner_of_a_regression_tree_takes_its_squared_errors():
    X, y = make_regression(150, n_features=4, noise=20, random_state=0)
    pruner = MinimumErrorPruner(DecisionTreeRegressor(random_state=0, max_leaf_nodes=9), m=30).fit(X, y)
    path = pruner.grown_.decision_path(X).toarray().astype(bool)
    n, mse = path.sum(axis=0), np.array([y[rows].var() for rows in path.T])
    errors = (n * (n * mse + 30 * mse[0]) / (n + 30)).tolist()
    assert nodes_of(pruner.cut_) == smallest_best(_structure(pruner.grown_), errors)
    with pytest.raises(ValueError, match="is for classification trees"):
        MinimumErrorPruner(DecisionTreeRegressor(), prior=[0.5, 0.5]).fit(X, y)


def _structure(estimator):
    return TreeStructure.from_arrays(estimator.tree_.children_left, estimator.tree_.children_right)


@pytest.mark.parametrize("kind", [list, tuple, pd.Series])
def test_a_prior_of_any_kind_is_traced_and_explained(kind):
    X, y = load_iris(return_X_y=True)
    shares = [0.2, 0.3, 0.5]
    pruner = tp.MinimumErrorPruner(prior=kind(shares)).fit(X, y)
    by_array = tp.MinimumErrorPruner(prior=np.array(shares)).fit(X, y)
    pd.testing.assert_frame_equal(pruner.trace(), by_array.trace())
    assert pruner.explain(0) == by_array.explain(0)
