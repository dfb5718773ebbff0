"""Significance pruning against scipy's own tests and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.frozen import FrozenEstimator
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


@pytest.mark.parametrize("shift", [0.0, 100.0, -7.0])
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error"])
def test_the_f_test_is_about_the_means_of_the_rows_whatever_the_tree_predicts(criterion, shift):
    rng = np.random.default_rng(1)
    X, X_new = rng.normal(size=(2, 80, 2))
    y, y_new = X[:, 0] + rng.normal(size=80), -X_new[:, 0] + rng.normal(size=80) + shift
    tree = DecisionTreeRegressor(max_depth=3, min_samples_leaf=8, criterion=criterion).fit(X, y)
    pruner = tp.SignificancePruner(FrozenEstimator(tree)).fit(X_new, y_new)
    way = tree.decision_path(X_new).toarray().astype(bool)
    children = tree.tree_.children_left, tree.tree_.children_right
    for node, p in pruner.trace()[["node", "right"]].to_numpy():
        left, right = (y_new[way[:, child[int(node)]]] for child in children)
        assert p == pytest.approx(stats.f_oneway(left, right).pvalue, rel=1e-9)


def test_where_all_rows_are_equal_no_split_is_significant():
    stumps = tp.TreeStructure.from_arrays([1, 2, -1, -1, -1], [4, 3, -1, -1, -1])
    p = tp.variance_p_values(stumps, [10.0, 0.0, 0.0, 0.0, 1.0], [20, 10, 5, 5, 10])
    assert p[1] == 1
    assert p[0] < 1e-6


@pytest.mark.parametrize("class_weight", [{0: 9.0}, "balanced"])
@pytest.mark.parametrize("test", ["chi2", "fisher"])
def test_a_class_weight_is_no_number_of_rows(test, class_weight):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 3))
    y = (rng.random(200) < 0.2).astype(int)
    tree = DecisionTreeClassifier(class_weight=class_weight, max_depth=2, random_state=0)
    pruner = tp.SignificancePruner(tree, test=test).fit(X, y)
    grown = pruner.grown_
    way = grown.decision_path(X).toarray().astype(bool)
    expected = []
    for t in np.flatnonzero(grown.tree_.children_left >= 0):
        sides = [way[:, child[t]] for child in (grown.tree_.children_left, grown.tree_.children_right)]
        table = np.array([np.bincount(y[side], minlength=2) for side in sides])
        whole = table.sum(axis=0).all()
        scipys = stats.fisher_exact if test == "fisher" else lambda t: stats.chi2_contingency(t, correction=False)
        expected.append(scipys(table).pvalue if whole else 1.0)
    np.testing.assert_allclose(pruner.trace().set_index("node").sort_index()["right"], expected, rtol=1e-9)
    again = tp.prune(grown, tp.SignificancePruner(test=test), X, y)
    assert again.get_n_leaves() == pruner.n_leaves_
    counted = tp.chunk_statistics(grown, [(X, y)]) if isinstance(class_weight, dict) else None
    if counted is not None:
        assert tp.prune(grown, "significance", test=test, statistics=counted).get_n_leaves() == pruner.n_leaves_
        assert tp.prune(grown, "significance", test=test).get_n_leaves() == pruner.n_leaves_
    else:
        with pytest.raises(ValueError, match=r"class_weight='balanced': .* pass the growing rows as X and y"):
            tp.prune(grown, "significance", test=test)


def test_fishers_test_of_many_rows_is_scipys():
    rng = np.random.default_rng(3)
    counts = rng.integers(1, 400, size=(30, 2, 2))
    stump = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    for table in [*counts, np.array([[900, 900], [900, 900]]), np.array([[0, 5], [0, 7]])]:
        p = tp.split_p_values(stump, [table.sum(axis=0), *table], "fisher")[0]
        assert p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_a_split_whose_p_value_is_the_level_stays():
    X, y = np.array([[0.0]] * 3 + [[1.0]] * 7), [0] * 6 + [1] * 4
    pruner = tp.SignificancePruner(test="fisher", significance=0.2).fit(X, y)
    assert stats.fisher_exact([[3, 0], [3, 4]]).pvalue == pytest.approx(0.2, rel=1e-14)
    assert pruner.n_leaves_ == 2
    assert pruner.explain(0).startswith("Node 0 was kept")


def test_bonferroni_counts_a_split_between_each_two_rows_of_each_feature():
    X = np.column_stack([np.arange(20), np.zeros(20)])
    y = np.r_[np.zeros(9), 1, np.ones(10)]
    y[[3, 15]] = 1 - y[[3, 15]]
    tree = DecisionTreeClassifier(max_depth=1).fit(X, y)
    (plain,) = tp.SignificancePruner(FrozenEstimator(tree)).fit(X, y).trace()["right"]
    (corrected,) = tp.SignificancePruner(FrozenEstimator(tree), correction="bonferroni").fit(X, y).trace()["right"]
    assert corrected == pytest.approx(2 * 19 * plain)
    assert corrected < 1
