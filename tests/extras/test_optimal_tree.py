"""Optimal trees by GOSDT, as trees of scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.tree import DecisionTreeClassifier, export_text

import treeprune as tp
from treeprune.study.design import DesignError, Study
from treeprune.study.optimal_tree import OptimalTreeClassifier
from treeprune.study.runner import run_study

pytest.importorskip("gosdt")
pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def fitted():
    X, y = load_breast_cancer(return_X_y=True)
    return OptimalTreeClassifier(regularization=0.01, random_state=0).fit(X, np.array(["m", "b"])[y]), X, y


def test_it_is_a_tree_of_scikit_learn_whose_counts_are_those_of_its_rows(fitted):
    tree, X, y = fitted
    leaf = tree.apply(X)
    labels = np.array(["m", "b"])[y]
    for node in np.unique(leaf):
        rows = labels[leaf == node]
        assert tree.tree_.n_node_samples[node] == len(rows)
        np.testing.assert_allclose(tree.tree_.value[node, 0], [(rows == "b").mean(), (rows == "m").mean()])
    assert "class: m" in export_text(tree)
    assert tree.tree_.impurity[0] == pytest.approx(DecisionTreeClassifier(max_depth=1).fit(X, y).tree_.impurity[0])


def test_no_tree_of_two_splits_over_its_thresholds_is_better():
    X, y = load_iris(return_X_y=True)
    X, y = X[50:, 2:], y[50:]
    tree = OptimalTreeClassifier(regularization=0.011, depth_budget=3, random_state=0).fit(X, y)
    splits = {(f, t) for f, t in zip(tree.tree_.feature, tree.tree_.threshold, strict=True) if f >= 0}
    price = 0.011

    def objective(right, leaves):
        return 1 - right + price * leaves

    mine = objective(tree.score(X, y), tree.get_n_leaves())
    for (f, t), (g, u) in itertools.product(splits, repeat=2):
        groups = 2 * (X[:, f] > t) + (X[:, g] > u)
        right = sum(np.bincount(y[groups == k] - 1).max() for k in np.unique(groups)) / len(y)
        assert mine <= objective(right, len(np.unique(groups))) + 1e-9


def test_it_can_be_pruned_further_and_is_a_grower_of_studies(fitted):
    tree = fitted[0]
    assert tp.pruning_path(tree).n_leaves[-1] == 1
    growers = {"greedy": {}, "optimal": {"kind": "optimal_tree", "regularization": 0.02}}
    study = Study(data=["breast_cancer"], methods=["cost_complexity"], growers=growers, repeats=2, networks="none")
    rows = run_study(study).rows
    assert (rows["error"] == "").all()
    leaves = rows[rows["method"] == "unpruned"].groupby("grower")["leaves"].mean()
    assert leaves["optimal"] < leaves["greedy"]
    with pytest.raises(DesignError, match="is for classification, and the data hold a regression"):
        Study(data=["cpu"], growers=growers).load()
