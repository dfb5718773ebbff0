"""Significance pruning against scipy's own tests and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.tree.fitted import find_tree


def random_tree(seed, classes=3, n=150):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).round(1)
    y = (X[:, 0] > 0).astype(int) + rng.integers(0, 2, n) * (rng.random(n) < 0.4) * (classes - 1)
    return DecisionTreeClassifier(random_state=0).fit(X, np.minimum(y, classes - 1)), X


def tables(tree):
    structure, counts = find_tree(tree).structure, find_tree(tree).counts(None)[:, 0]
    for t in structure.inner:
        table = counts[[structure.children_left[t], structure.children_right[t]]]
        yield t, table[:, table.sum(axis=0) > 0]


@pytest.mark.parametrize("test", ["chi2", "g2"])
@pytest.mark.parametrize("seed", range(4))
def test_p_values_of_classes_are_scipys(seed, test):
    tree, _ = random_tree(seed)
    p = tp.split_p_values(find_tree(tree).structure, find_tree(tree).counts(None)[:, 0], test)
    for t, table in tables(tree):
        expected = 1.0
        if table.shape[1] > 1:
            named = "pearson" if test == "chi2" else "log-likelihood"
            expected = stats.chi2_contingency(table, correction=False, lambda_=named).pvalue
        assert p[t] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_fishers_test_is_scipys(seed):
    tree, _ = random_tree(seed, classes=2)
    p = tp.split_p_values(find_tree(tree).structure, find_tree(tree).counts(None)[:, 0], "fisher")
    for t, table in tables(tree):
        expected = stats.fisher_exact(table).pvalue if table.shape[1] > 1 else 1.0
        assert p[t] == pytest.approx(expected, rel=1e-7)
    many, X = random_tree(seed, classes=3)
    with pytest.raises(ValueError, match="exact for two classes"):
        tp.prune(many, tp.SignificancePruner(test="fisher"))
    with pytest.raises(ValueError, match="counts rows"):
        tp.prune(tree, tp.SignificancePruner(test="fisher"), X, tree.predict(X), sample_weight=np.full(len(X), 0.3))


def test_the_f_test_of_a_regression_is_that_of_the_analysis_of_variance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = X[:, 0] + rng.normal(size=120)
    tree = DecisionTreeRegressor(min_samples_leaf=4, random_state=0).fit(X, y)
    fitted = find_tree(tree)
    p = tp.variance_p_values(fitted.structure, fitted.error(None), fitted.rows(None))
    at = tree.decision_path(X).toarray().astype(bool)
    for t in fitted.structure.inner:
        groups = [y[at[:, child]] for child in (tree.tree_.children_left[t], tree.tree_.children_right[t])]
        assert p[t] == pytest.approx(stats.f_oneway(*groups).pvalue, rel=1e-6)


def by_hand(structure, p, level):
    """Take away, one by one, splits of two leaves that are not significant, until none is left."""
    left, right, leaf = structure.children_left, structure.children_right, structure.is_leaf.copy()
    while True:
        gone = [t for t in structure.inner if not leaf[t] and leaf[left[t]] and leaf[right[t]] and p[t] > level]
        if not gone:
            return tp.topmost(structure, leaf)
        leaf[gone[0]] = True


@pytest.mark.parametrize("seed", range(10))
def test_the_cut_is_what_is_left_when_no_split_of_two_leaves_may_go(seed):
    tree, _ = random_tree(seed)
    structure = find_tree(tree).structure
    p = np.random.default_rng(seed).random(structure.n_nodes)
    for level in (0.0, 0.2, 0.5, 0.9, 1.0):
        np.testing.assert_array_equal(tp.significance_cut(structure, p, level), by_hand(structure, p, level))


def test_bonferroni_multiplies_by_the_splits_there_were_to_choose_from():
    tree, _ = random_tree(0)
    fitted = find_tree(tree)
    p = tp.split_p_values(fitted.structure, fitted.counts(None)[:, 0])
    corrected = np.minimum(p * 4 * np.maximum(fitted.rows(None) - 1, 1), 1)
    expected = tp.significance_cut(fitted.structure, corrected, 0.05)
    pruned = tp.prune(tree, tp.SignificancePruner(correction="bonferroni"))
    assert pruned.get_n_leaves() == expected.sum() < tp.prune(tree, "significance").get_n_leaves()


def test_tests_are_for_their_kind_of_tree():
    tree, X = random_tree(0)
    with pytest.raises(ValueError, match="test='f' is not for classification trees"):
        tp.prune(tree, tp.SignificancePruner(test="f"))
    numbers = DecisionTreeRegressor(max_depth=3).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="test='chi2' is not for regression trees"):
        tp.prune(numbers, tp.SignificancePruner(test="chi2"))


@pytest.mark.parametrize("test", ["chi2", "g2", "fisher"])
def test_splits_that_no_pruning_row_reaches_say_nothing(test):
    stump = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    assert tp.split_p_values(stump, [[0, 0], [0, 0], [0, 0]], test).tolist() == [1, 1, 1]


@pytest.mark.parametrize("test", ["chi2", "g2"])
def test_splits_of_one_class_or_to_one_side_say_nothing_whatever_the_rows_weigh(test):
    """Rounding leaves crumbs in a table of weights, and the p-value is 1 all the same."""
    stump = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    rng = np.random.default_rng(0)
    for a, b, c in rng.uniform(0.1, 1e6, (200, 3)):
        for left, right in (([a, 0], [b, 0]), ([a, b], [0, 0]), ([0, 0, 0], [a, b, c]), ([0, 0, a], [0, 0, b])):
            p = tp.split_p_values(stump, [np.add(left, right), left, right], test)
            assert p.tolist() == [1, 1, 1]
