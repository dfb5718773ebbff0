"""Hierarchical shrinkage against its formula, path by path."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import treeprune as tp

SHRINKERS = [
    tp.HierarchicalShrinker(DecisionTreeClassifier(random_state=0)),
    tp.HierarchicalShrinker(DecisionTreeRegressor(random_state=0), shrinkage=3.0),
]


@parametrize_with_checks(SHRINKERS)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("weight", [None, np.random.default_rng(0).integers(1, 4, 150)])
@pytest.mark.parametrize("shrinkage", [0.0, 1.0, 25.0, 1e6])
def test_each_row_is_told_the_formula_of_its_path(shrinkage, weight):
    X, y = load_iris(return_X_y=True)
    soft = tp.HierarchicalShrinker(shrinkage=shrinkage).fit(X, y, weight)
    tree = soft.grown_.tree_
    paths = soft.grown_.decision_path(X)
    found = soft.predict_proba(X)
    for i in range(0, 150, 7):
        ways = paths[i].indices
        expected = tree.value[0, 0].copy()
        for parent, t in pairwise(ways):
            n = tree.weighted_n_node_samples[parent]
            expected += (tree.value[t, 0] - tree.value[parent, 0]) / (1 + shrinkage / n)
        np.testing.assert_allclose(found[i], expected, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_none_changes_nothing_and_all_leaves_the_root():
    X, y = load_diabetes(return_X_y=True)
    tree = DecisionTreeRegressor(random_state=0)
    np.testing.assert_allclose(
        tp.HierarchicalShrinker(tree, shrinkage=0).fit(X, y).predict(X), clone(tree).fit(X, y).predict(X), rtol=1e-12
    )
    np.testing.assert_allclose(tp.HierarchicalShrinker(tree, shrinkage=np.inf).fit(X, y).predict(X), y.mean())


def test_the_result_is_a_tree_of_scikit_learn_with_the_same_splits():
    X, y = load_breast_cancer(return_X_y=True)
    soft = tp.HierarchicalShrinker().fit(X, y)
    assert type(soft.estimator_) is DecisionTreeClassifier
    np.testing.assert_array_equal(soft.estimator_.tree_.threshold, soft.grown_.tree_.threshold)
    assert soft.score(X, y) == soft.estimator_.score(X, y)
    assert soft.predict_proba(X).min() > 0


def test_searches_pipelines_and_frozen_trees_take_it():
    X, y = load_breast_cancer(return_X_y=True)
    grid = {"shrinkage": [0.0, 5.0, 50.0], "estimator__min_samples_leaf": [1, 5]}
    search = GridSearchCV(tp.HierarchicalShrinker(DecisionTreeClassifier(random_state=0)), grid, scoring="neg_log_loss")
    assert search.fit(X, y).best_params_["shrinkage"] > 0
    piped = make_pipeline(StandardScaler(), tp.HierarchicalShrinker())
    assert cross_val_score(piped, X, y, cv=3).mean() > 0.9
    inside = tp.HierarchicalShrinker(make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))).fit(X, y)
    assert inside.estimator_[-1].tree_.node_count == inside.grown_[-1].tree_.node_count
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    frozen = tp.HierarchicalShrinker(FrozenEstimator(tree)).fit(X[:5], y[:5])
    assert frozen.grown_ is tree


def test_several_outputs_are_shrunk_each():
    X, y = load_iris(return_X_y=True)
    both = np.column_stack([y, y > 0])
    found = tp.HierarchicalShrinker().fit(X, both).predict_proba(X)
    alone = tp.HierarchicalShrinker(FrozenEstimator(DecisionTreeClassifier(random_state=0).fit(X, both))).fit(X, both)
    np.testing.assert_allclose(found[1], alone.predict_proba(X)[1])
    np.testing.assert_allclose(found[0].sum(axis=1), 1)


@pytest.mark.parametrize("wrong", [-1, "1", None, np.nan])
def test_a_shrinkage_out_of_range_is_said(wrong):
    with pytest.raises(ValueError, match="shrinkage="):
        tp.HierarchicalShrinker(shrinkage=wrong).fit(*load_iris(return_X_y=True))
