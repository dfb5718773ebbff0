"""Simplified trees say what they said, and no split of them says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_iris
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
