"""Simplified trees say what they said, and no split of them says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp


def data(seed, classes=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(150, 3)).round(1)
    return X, (X[:, 0] > 0).astype(int) + rng.integers(0, classes - 1, 150) * (rng.random(150) < 0.4)


@given(st.integers(0, 10_000), st.integers(2, 12), st.sampled_from(["predict", "proba"]))
def test_no_row_there_could_be_is_told_anything_else(seed, size, preserve):
    X, y = data(seed)
    tree = DecisionTreeClassifier(max_leaf_nodes=size, random_state=0).fit(X, y)
    small = tp.simplify(tree, preserve)
    rows = np.random.default_rng(seed).normal(scale=2, size=(400, 3))
    np.testing.assert_array_equal(small.predict(rows), tree.predict(rows))
    if preserve == "proba":
        np.testing.assert_allclose(small.predict_proba(rows), tree.predict_proba(rows), atol=1e-12)
    left, right = small.tree_.children_left, small.tree_.children_right
    said = small.tree_.value[:, 0].argmax(axis=1) if preserve == "predict" else small.tree_.value[:, 0]
    for t in np.flatnonzero(left >= 0):
        if left[left[t]] < 0 and left[right[t]] < 0:  # a split of two leaves
            assert not np.allclose(said[left[t]], said[right[t]], atol=1e-13)


def test_a_split_that_only_moves_shares_goes_for_predict_and_stays_for_proba():
    X, y = load_iris(return_X_y=True)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    assert tp.simplify(tree).get_n_leaves() < tp.simplify(tree, "proba").get_n_leaves() == tree.get_n_leaves()


def test_regressions_several_outputs_and_pipelines_are_simplified():
    X, y = load_diabetes(return_X_y=True)
    steps = np.where(y > 150, 1.0, 0.0)
    tree = DecisionTreeRegressor(min_samples_leaf=5, random_state=0).fit(X, steps)
    np.testing.assert_allclose(tp.simplify(tree).predict(X), tree.predict(X), atol=1e-12)
    both = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, np.column_stack([steps, y > 100]))
    np.testing.assert_array_equal(tp.simplify(both).predict(X), both.predict(X))
    piped = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=5, random_state=0)).fit(X, steps)
    np.testing.assert_array_equal(tp.simplify(piped).predict(X), piped.predict(X))


def test_the_tree_is_not_changed_and_other_words_are_refused():
    X, y = data(0)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    before = tree.tree_.node_count
    tp.simplify(tree)
    assert tree.tree_.node_count == before
    with pytest.raises(ValueError, match="preserve='score': one of 'predict', 'proba'"):
        tp.simplify(tree, "score")


@pytest.mark.parametrize("preserve", ["predict", "proba"])
@pytest.mark.parametrize("soft", [tp.TreeAverager, tp.HierarchicalShrinker])
def test_soft_trees_and_those_of_boosting_say_the_same_when_simplified(soft, preserve):
    rng = np.random.default_rng(0)
    smaller = 0
    for _ in range(30):
        X, y = rng.integers(0, 4, (60, 2)).astype(float), rng.integers(0, 3, 60)
        grown = DecisionTreeClassifier(random_state=0).fit(X, y)
        tree = soft(FrozenEstimator(grown), **({"beta": 2.0} if soft is tp.TreeAverager else {})).fit(X, y).estimator_
        small = tp.simplify(tree, preserve=preserve)
        np.testing.assert_array_equal(small.predict(X), tree.predict(X))
        if preserve == "proba":
            np.testing.assert_allclose(small.predict_proba(X), tree.predict_proba(X), rtol=1e-11, atol=0)
        smaller += small.get_n_leaves() < tree.get_n_leaves()
        number = soft(DecisionTreeRegressor(random_state=0)).fit(X, y).estimator_
        np.testing.assert_allclose(tp.simplify(number).predict(X), number.predict(X), rtol=1e-11)
    assert smaller or preserve == "proba"
    X = rng.integers(0, 6, (200, 3)).astype(float)
    y = X[:, 0] + rng.integers(0, 3, 200)
    for loss in ("quantile", "absolute_error", "huber", "squared_error"):
        boosted = GradientBoostingRegressor(loss=loss, n_estimators=1, max_depth=5, random_state=0).fit(X, y)
        member = boosted.estimators_[0, 0]
        np.testing.assert_allclose(tp.simplify(member).predict(X), member.predict(X), rtol=1e-11)


def test_one_large_number_does_not_make_small_ones_the_same():
    X, y = np.arange(10.0)[:, None], [*range(1, 10), 1e13]
    tree = DecisionTreeRegressor().fit(X, y)
    np.testing.assert_array_equal(tp.simplify(tree).predict(X), tree.predict(X))


@pytest.mark.parametrize("loss", ["quantile", "absolute_error", "squared_error"])
def test_trees_of_boosting_are_pruned_only_where_inner_nodes_hold_what_they_would_say(loss):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 3))
    y = np.exp(X[:, 0]) + rng.normal(size=200)
    member = GradientBoostingRegressor(loss=loss, n_estimators=1, random_state=0).fit(X, y).estimators_[0, 0]
    ways = (
        lambda: tp.prune(member, nodes=[1]),
        lambda: tp.prune(member, "max_depth", max_depth=1),
        lambda: tp.pruning_path(member),
        lambda: tp.pruning_cuts(member, "minimum_error", X, y),
        lambda: tp.CostComplexityPruner(FrozenEstimator(member), alpha=0.1).fit(X, y),
    )
    for way in ways:
        if loss == "squared_error":
            way()
        else:
            with pytest.raises(ValueError, match="as in the trees of gradient boosting"):
                way()
