"""The figure of a cut: what is left is dark, what went is pale, and nodes stand where they can be told apart."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.cut_display import GONE, KEPT, LEAF, places
from treeprune.tree.fitted import find_tree

matplotlib.use("agg")


@pytest.fixture(scope="module")
def drawn():
    X, y = load_breast_cancer(return_X_y=True)
    pruner = tp.ErrorBasedPruner(confidence=0.1).fit(X, y)
    return pruner, tp.CutDisplay.from_pruner(pruner)


def test_every_node_is_drawn_once_in_the_colour_of_what_became_of_it(drawn):
    pruner, display = drawn
    n = {
        tuple(c.get_facecolor()[0]): len(c.get_offsets())
        for c in display.ax_.collections
        if len(c.get_offsets()) and c.get_facecolor().size
    }
    n_left = pruner.estimator_.tree_.node_count
    assert n[to_rgba(LEAF)] == pruner.n_leaves_
    assert n[to_rgba(KEPT)] == n_left - pruner.n_leaves_
    assert n[to_rgba(GONE)] == pruner.grown_.tree_.node_count - n_left


def test_rules_stand_at_the_splits_that_are_left_in_the_words_of_the_table(drawn):
    pruner, display = drawn
    assert len(display.ax_.texts) == pruner.n_leaves_ - 1
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    named = tp.CutDisplay.from_pruner(tp.MaxDepthPruner(max_depth=1).fit(X, y))
    (text,) = named.ax_.texts
    assert text.get_text().split(" ≤ ")[0] in set(X.columns)
    with pytest.raises(ValueError, match="feature_names are 1, and the tree has 30"):
        tp.CutDisplay.from_pruner(pruner, feature_names=["a"])


def test_leaves_stand_apart_and_parents_between_their_children():
    X, y = load_digits(return_X_y=True)
    structure = find_tree(tp.ErrorBasedPruner().fit(X, y).grown_).structure
    x, height = places(structure)
    leaves = x[structure.is_leaf]
    assert sorted(leaves) == list(range(structure.n_leaves))
    for t in structure.inner:
        left, right = structure.children_left[t], structure.children_right[t]
        assert x[left] < x[t] < x[right]
        assert height[left] == height[t] - 1


def test_a_root_alone_and_a_crowded_tree_are_drawn():
    X, y = load_digits(return_X_y=True)
    root = tp.MaxDepthPruner(max_depth=0).fit(X, y)
    assert len(tp.CutDisplay.from_pruner(root).ax_.texts) == 0
    crowded = tp.MaxLeafNodesPruner(max_leaf_nodes=60).fit(pd.DataFrame(X), np.array(list("abcdefghij"))[y])
    assert len(tp.CutDisplay.from_pruner(crowded).ax_.texts) == 0  # too many rules to be read


def test_names_of_features_with_dollars_are_no_formulas():
    X, y = load_iris(return_X_y=True, as_frame=True)
    X = X.set_axis(["pay in $", r"tax $\frac $", "x_1", "$"], axis=1)
    pruner = tp.CostComplexityPruner(DecisionTreeClassifier(random_state=0)).fit(X, y)
    display = tp.CutDisplay.from_pruner(pruner)
    display.figure_.canvas.draw()
    rules = {text.get_text() for text in display.ax_.texts}
    assert rules
    assert all("$" in rule or "x_1" in rule for rule in rules)
