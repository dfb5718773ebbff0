"""What a review of the methods found untested, or answered with numpy's own errors."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from golden_models import as_estimator
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.tree.fitted import find_tree
from treeprune.tree.methods.error_based import collapsed_nodes

STUMP = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1], [0, -2, -2], [0.5, -2, -2])
X, Y = load_breast_cancer(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0).fit(X, Y)


# ---- systems ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "side"), [("weka-3.8-j48", 0.6), ("c4.5-r8", 0.4)])
def test_of_two_branches_as_large_weka_raises_the_last_and_c45_the_first(name, side):
    left, right = [1, 3, 5, -1, -1, -1, -1], [2, 4, 6, -1, -1, -1, -1]
    tests = [0, 1, 1, -2, -2, -2, -2], [0.5, 0.4, 0.6, -2, -2, -2, -2]
    structure = tp.TreeStructure.from_arrays(left, right, *tests)
    rows = np.array([[a, b] for a in (0.0, 1.0) for b in (0.0, 0.39, 0.41, 0.5, 0.59, 0.61, 1.0) for _ in range(20)])
    rows = rows[(rows[:, 1] < 0.4) | (rows[:, 1] > 0.6)]
    y = (rows[:, 1] > 0.5).astype(int)
    grown, seen = as_estimator(structure, rows, y, slice(None))
    grown.tree_.threshold[[1, 2]] = [1.4, 1.6]  # ranks of the second column: 0, 1, 2, 3
    found = tp.preset(name, FrozenEstimator(grown)).fit(seen, y).estimator_.tree_
    assert found.node_count == 3
    assert found.threshold[0] == pytest.approx(1 + side)


def test_the_table_of_presets_has_the_options_of_the_systems():
    table = tp.presets()  # J48's -S and -O, and C4.5, raise and collapse unless told otherwise; the others cannot
    quinlans = ["c4.5-r8", "weka-3.8-j48"]
    assert table.index[table["raising"]].tolist() == quinlans
    assert table.index[table["collapse"]].tolist() == quinlans
    assert table.loc[quinlans, "confidence"].tolist() == [0.25, 0.25]
    assert table.loc[quinlans, "raising_ties"].tolist() == ["left", "right"]
    assert table.loc[["rpart", "scikit-learn"], "risk"].tolist() == ["error", "impurity"]


def test_a_branch_is_collapsed_unless_it_saves_a_thousandth_of_an_error():
    assert collapsed_nodes(STUMP, [5.0, 2.0, 2.9995])[0]
    assert not collapsed_nodes(STUMP, [5.0, 2.0, 2.998])[0]


@pytest.mark.parametrize(("limit", "slack"), [("weka", 0.1 + 1e-6), ("c4.5", 0.1)])
def test_a_leaf_may_be_worse_by_the_slack_of_the_system(limit, slack):
    n = np.array([100.0, 60.0, 40.0])

    def worse_by(errors):
        e = np.array([errors, 5.0, 20.0])
        root, left, right = e + tp.added_errors(n, e, 0.25, limit)
        return root - left - right

    low, high = 20.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if worse_by(middle) < slack else (low, middle)
    for errors, leaves in ((low - 2e-7, 1), (high + 2e-7, 2)):
        cut = tp.error_based_cut(STUMP, [errors, 5.0, 20.0], n, 0.25, limit)
        assert cut.sum() == leaves


# ---- numbers worked by hand ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("c", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_kearns_and_mansours_cut_is_that_of_their_recursion(seed, c):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(300, 3))
    y = (rows[:, 0] + rng.normal(0, 0.7, 300) > 0).astype(int)
    tree = DecisionTreeClassifier(random_state=0).fit(rows, y)
    t, m, leaves = tree.tree_, 300, []
    n, errors = t.n_node_samples, t.n_node_samples * (1 - t.value[:, 0].max(axis=1))

    def prune(node, depth):
        """Errors and nodes of the pruned branch, and its leaves."""
        if t.children_left[node] < 0:
            return errors[node], 1, [node]
        one, other = (prune(child[node], depth + 1) for child in (t.children_left, t.children_right))
        lost, size = one[0] + other[0], one[1] + other[1] + 1
        allowed = np.sqrt(((depth + size) * np.log(3 * (m - 1)) + np.log(m / 0.05)) / n[node])
        if errors[node] / n[node] <= lost / n[node] + c * allowed:
            return errors[node], 1, [node]
        return lost, size, one[2] + other[2]

    lost, size, leaves = prune(0, 0)
    pruner = tp.KearnsMansourPruner(FrozenEstimator(tree), c=c).fit(rows, y)
    assert np.flatnonzero(pruner.cut_).tolist() == sorted(leaves)
    bound = lost / m + np.sqrt((size * np.log(3 * (m - 1)) + np.log(m / 0.05)) / m)
    assert pruner.bound_ == pytest.approx(bound, rel=1e-12)


def test_the_bits_of_a_test_name_a_feature_and_one_of_the_gaps_between_rows():
    tree = DecisionTreeClassifier(max_depth=1).fit([[0, 0], [1, 0], [2, 0], [3, 0], [4, 0]], [0, 0, 0, 1, 1])
    (row,) = (
        tp.DescriptionLengthPruner(FrozenEstimator(tree))
        .fit(*([[[i, 0] for i in range(5)]]), [0, 0, 0, 1, 1])
        .trace()
        .to_dict("records")
    )
    leaf = {2: np.log2(3), 3: np.log2(4)}  # pure leaves of n rows: one of n + 1 compositions
    assert row["right"] == pytest.approx(1 + np.log2(2) + np.log2(4) + 2 + leaf[2] + leaf[3])
    assert row["left"] == pytest.approx(1 + np.log2(6 * 10))  # one of 6 compositions, one of 10 orders


@pytest.mark.parametrize("limit", [0.0, 1e-16, 2e-16, 3e-16, 1e-15])
def test_a_split_without_gain_is_made_at_limits_that_rounding_could_miss(limit):
    rows, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]  # the first split of exclusive or gains nothing
    grown = DecisionTreeClassifier(random_state=0).fit(rows, y)
    again = DecisionTreeClassifier(random_state=0, min_impurity_decrease=limit).fit(rows, y)
    small = tp.prune(grown, "min_impurity_decrease", min_impurity_decrease=limit)
    assert small.get_n_leaves() == again.get_n_leaves()


def test_values_that_differ_by_a_ten_millionth_are_two_values():
    tree = DecisionTreeRegressor().fit([[0.0], [1.0], [2.0]], [1.0, 1.0 + 1e-7, 5.0])
    assert tree.get_n_leaves() == tp.simplify(tree).get_n_leaves() == 3


class Counting(DecisionTreeClassifier):
    """Counts how often it is grown."""

    grown = 0

    def fit(self, X, y, sample_weight=None):
        Counting.grown += 1
        return super().fit(X, y, sample_weight=sample_weight)


@pytest.mark.parametrize("kind", [tp.HierarchicalShrinker, tp.ErrorBasedPruner])
def test_a_curve_over_the_strength_grows_one_tree(kind):
    Counting.grown = 0
    strengths = {"shrinkage": [0, 1, 2]} if kind is tp.HierarchicalShrinker else {"confidence": [0.1, 0.2, 0.3]}
    tp.strength_curve(kind(Counting(random_state=0)), strengths, X[:300], Y[:300], X[300:], Y[300:])
    assert Counting.grown == 1


# ---- what was set, and what was pruned by ----------------------------------------------------------------------------


@pytest.mark.parametrize("raising", [False, True])
def test_a_trace_is_of_the_parameters_that_the_tree_was_pruned_by(raising):
    pruner = tp.ErrorBasedPruner(confidence=0.4, subtree_raising=raising).fit(X, Y)
    before = pruner.trace()
    pruner.set_params(confidence=0.01)
    for ask in (pruner.trace, pruner.trace_text, lambda: pruner.explain(0)):
        with pytest.raises(ValueError, match=r"confidence was set after the tree was pruned.* call prune\(\) first"):
            ask()
    pruner.set_params(confidence=float("0.4"))  # another object, the same number
    assert pruner.trace().equals(before)
    pruner.set_params(confidence=0.01)
    pruner = pruner.fit(X, Y) if raising else pruner.prune()
    assert not pruner.trace().equals(before)


def test_statistics_that_are_no_sums_of_rows_are_refused():
    counted = find_tree(TREE).count(X, Y)
    for wrong in (replace(counted, sums=counted.sums[::-1]), replace(counted, sums=-counted.sums)):
        with pytest.raises(ValueError, match="statistics are no sums of rows"):
            tp.prune(TREE, "reduced_error", statistics=wrong)
    stump = DecisionTreeClassifier(max_depth=1).fit(X, Y)
    with pytest.raises(ValueError, match="statistics of two trees do not add up"):
        counted + find_tree(stump).count(X, Y)


# ---- bad input -------------------------------------------------------------------------------------------------------

ROWS, CODES = np.array([[0.0], [1.0], [1.0]]), [0, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limit": "zz"}, "limit='zz'"),
        ({"ties": "first"}, "ties='first'"),
        ({"slack": "a"}, "slack='a'"),
        ({"y": ["a", "b", "b"]}, "y must hold class codes"),
        ({"y": [0.0, 1.0, 1.0]}, "y must hold class codes"),
        ({"y": [0, -1, 1]}, "y must be whole numbers from 0"),
        ({"n_classes": 1}, "y must be whole numbers from 0 to 0"),
        ({"X": np.zeros((3, 0))}, "0 feature"),
        ({"X": np.zeros(3)}, "Expected 2D array"),
        ({"X": np.zeros((0, 1)), "y": []}, "0 sample"),
        ({"sample_weight": [1, -1, 1]}, "weights are frequencies"),
        ({"sample_weight": [1, np.nan, 1]}, "weights are frequencies"),
    ],
)
def test_rows_that_cannot_be_raised_are_said(change, message):
    given = {"structure": STUMP, "X": ROWS, "y": CODES, **change}
    with pytest.raises(ValueError, match=message):
        tp.error_based_raising(**given)


def test_rows_with_fewer_features_than_the_tree_tests_are_said():
    structure = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1], [2, -2, -2], [0.5, -2, -2])
    with pytest.raises(ValueError, match=r"X has shape \(3, 1\): rows of 3 features"):
        tp.error_based_raising(structure, ROWS, CODES)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: tp.leaf_bits([[-1, 2]]), "class_counts holds -1.0"),
        (lambda: tp.leaf_bits([[np.nan, 2]]), "class_counts holds nan"),
        (lambda: tp.leaf_bits([1, 2]), "class_counts has shape"),
        (lambda: tp.leaf_bits([["a", "b"]]), "class_counts must be numbers"),
        (
            lambda: tp.MisclassificationCost([[0, 1], [1, 0]]).score(
                DecisionTreeClassifier().fit(ROWS, np.c_[CODES, CODES]), ROWS, np.c_[CODES, CODES]
            ),
            "a matrix of costs is for one class variable, not for 2",
        ),
        (
            lambda: tp.prune(DecisionTreeClassifier(class_weight={0: 0.0}).fit(ROWS, CODES), "significance"),
            "rows of weight 0 are not remembered",
        ),
        (lambda: tp.class_evidence([[-1, 2]]), "class_counts holds -1.0"),
        (lambda: tp.class_evidence([1, 2]), "class_counts has shape"),
        (lambda: tp.normal_evidence([[3, 0, 1], [-1, 0, 0]]), "moments holds -1.0"),
        (lambda: tp.normal_evidence([[3, 0], [1, 0]]), "moments has shape"),
        (lambda: tp.shrunken_values(STUMP, [1.0, 2.0], [3, 2, 1], 1), "value has shape"),
        (lambda: tp.shrunken_values(STUMP, [1.0, 2.0, 3.0], [3, 2, 1], 10**400), "whole number of 401 digits"),
        (lambda: tp.stopping_posterior(STUMP, [0, 0, 0], "a"), "stop_prior='a'"),
        (lambda: tp.global_phase_cut(STUMP, [-1, 0, 0], [3, 2, 1]), "errors is -1.0"),
        (lambda: tp.global_phase_cut(STUMP, [1, 0, 2], [3, 2, 1]), "errors are more than n_rows at node 2"),
        (lambda: tp.pruning_path(TREE).at(price=[1, 2]), "price="),
        (lambda: tp.pruning_path(TREE).at(price="a"), "price='a'"),
        (lambda: tp.prune(TREE, nodes=[[1], [2, 3]]), "ids of the tree's nodes are expected"),
        (lambda: tp.preset(["rpart"]), "is unknown: use one of"),
        (lambda: tp.prune(TREE, tp.preset("rpart"), X, Y), "method is a PrunerCV, which is no pruner of fitted trees"),
        (lambda: tp.prune(TREE, nodes=TREE.tree_.feature > 3), "nodes= holds booleans"),
        (lambda: tp.parquet_chunks("x.parquet", None), "target=None: the name of a column"),
        (lambda: tp.parquet_chunks("x.parquet", []), "the name of a column, or a list"),
    ],
)
def test_numbers_and_names_that_will_not_do_are_said(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_fractions_are_numbers():
    third = Fraction(1, 3)
    exact = tp.HierarchicalShrinker(shrinkage=third).fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(exact, tp.HierarchicalShrinker(shrinkage=1 / 3).fit(X, Y).predict_proba(X))
    exact = tp.TreeAverager(stop_prior=third).fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(exact, tp.TreeAverager(stop_prior=1 / 3).fit(X, Y).predict_proba(X))


def test_what_is_no_pruner_is_not_drawn_and_what_is_not_fitted_not_explained():
    iris, species = load_iris(return_X_y=True)
    for given in (tp.HierarchicalShrinker().fit(iris, species), TREE, tp.PrunerCV(cv=3).fit(iris, species)):
        with pytest.raises(TypeError, match="a fitted pruner of treeprune is expected"):
            tp.CutDisplay.from_pruner(given)
    for ask in (lambda: tp.ErrorBasedPruner().explain(0), lambda: tp.ErrorBasedPruner().trace()):
        with pytest.raises(NotFittedError):
            ask()
    with pytest.raises(TypeError, match="chunks is a NoneType"):
        tp.chunk_statistics(TREE, None)
    with pytest.raises(ValueError, match="y_train is None"):
        tp.strength_curve(tp.HierarchicalShrinker(), {"shrinkage": [1]}, iris, None, iris, species)


@pytest.mark.parametrize("pruner", [tp.MaxDepthPruner, tp.CostComplexityPruner, tp.MinSamplesSplitPruner])
def test_levels_of_trees_that_do_not_remember_their_rows_are_written_too(pruner):
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(80, 3)), rng.normal(size=(80, 2))
    limit = {"max_depth": 3} if pruner is tp.MaxDepthPruner else {}
    text = pruner(DecisionTreeRegressor(random_state=0), **limit).fit(rows, y).trace_text(5)
    assert "rel error" in text.splitlines()[0]
