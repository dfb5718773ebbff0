"""Presets prune the trees that the real systems grew into the trees that the real systems pruned."""

from __future__ import annotations

import numpy as np
import pytest
from golden_models import as_estimator
from golden_trees import below, files, read, table, weka_structure, ydf_nodes
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.curve import LevelScores
from treeprune.selection import RULES
from treeprune.systems import PRESETS

CLASSIFICATION = [name for name in files("weka") if name != "cpu.json"]


def counts_of(estimator, rows, y):
    """Class counts of the rows at each node, in preorder."""
    tree = estimator.tree_
    at = np.asarray(estimator.decision_path(rows.astype(np.float32)).todense(), dtype=bool)
    order, stack = [], [0]
    while stack:
        t = stack.pop()
        order.append(t)
        if tree.children_left[t] >= 0:
            stack += [tree.children_right[t], tree.children_left[t]]
    n_classes = int(y.max()) + 1
    return [np.bincount(y[at[:, t]], minlength=n_classes).astype(float).tolist() for t in order]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_j48_grows_collapses_prunes_and_raises_to_the_tree_of_weka(name):
    case = read(f"weka/{name}")
    X, y = table(case["dataset"])
    grown, X = as_estimator(weka_structure(case["trees"]["J48_U_nocollapse"]["nodes"]), X, y, slice(None))
    found = tp.preset("weka-3.8-j48", FrozenEstimator(grown)).fit(X, y)
    wanted = case["trees"]["J48_C025"]
    assert found.n_leaves_ == wanted["leaves"]
    assert counts_of(found.estimator_, X, y) == [node["class_counts"] for node in wanted["nodes"]]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_j48_with_reduced_errors_is_that_of_weka(name):
    case = read(f"weka/{name}")
    X, y = table(case["dataset"])
    grow, held = (case["J48_REP_split"][key] for key in ("grow_rows", "prune_rows"))
    grown, X = as_estimator(weka_structure(case["trees"]["J48_REP_unpruned"]["nodes"]), X, y, grow)
    found = tp.preset("weka-3.8-j48-r", FrozenEstimator(grown)).fit(X[held], y[held])
    wanted = case["trees"]["J48_REP"]
    assert found.n_leaves_ == wanted["leaves"]
    assert counts_of(found.estimator_, X[grow], y[grow]) == [node["class_counts"] for node in wanted["nodes"]]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_reptree_is_that_of_weka_with_its_backfitted_leaves(name):
    case = read(f"weka/{name}")
    X, y = table(case["dataset"])
    grow, held = (case["REPTree_split"][key] for key in ("grow_rows", "prune_rows"))
    structure = weka_structure(case["trees"]["REPTree_unpruned_on_grow_rows"]["nodes"], strict=True)
    grown, X = as_estimator(structure, X, y, grow)
    found = tp.preset("weka-reptree", FrozenEstimator(grown)).fit(X[held], y[held]).estimator_
    wanted = case["trees"]["REPTree"]["nodes"]
    assert found.tree_.node_count == len(wanted)
    assert found.tree_.value[:, 0] == pytest.approx(np.array([node["class_probs"] for node in wanted]), abs=1e-12)


YDF = [name for name in files("ydf") if "validation_ratio_0.3" in read(f"ydf/{name}") and name != "cpu.json"]


@pytest.mark.parametrize("name", YDF)
def test_ydfs_cart_is_that_of_ydf(name):
    case = read(f"ydf/{name}")
    run = case["validation_ratio_0.3"]
    nodes, pruned = ydf_nodes(run["unpruned"]["tree"]), ydf_nodes(run["pruned"]["tree"])
    sides = ([node.get(side, -1) for node in nodes] for side in ("left", "right"))
    feature, threshold = ([node.get(key, d) for node in nodes] for key, d in (("feature", -2), ("threshold", 0.0)))
    structure = tp.TreeStructure.from_arrays(*sides, feature, below(threshold, np.float32))
    X, y = table(case["dataset"])
    X, grow, held = X.astype(np.float32), run["grow_rows"], run["prune_rows"]
    grown, X = as_estimator(structure, X, y, grow)
    found = tp.preset("ydf-cart", FrozenEstimator(grown)).fit(X[held], y[held]).estimator_
    assert found.tree_.node_count == len(pruned)
    wanted = np.array([(node if node["leaf"] else node["value"])["probability"] for node in pruned])
    assert found.tree_.value[:, 0] == pytest.approx(wanted, abs=1e-6)


def test_c45_replaces_quinlans_congressional_subtree():
    # had the six rows of the first branch no other answer below, that test alone would be raised
    X = np.array([[0.0, 1.0]] * 6 + [[1.0, 0.0]] * 9 + [[1.0, 1.0]])
    y = np.array([0] * 15 + [1])
    structure = tp.TreeStructure.from_arrays(
        [1, -1, 3, -1, -1], [2, -1, 4, -1, -1], [0, -2, 1, -2, -2], [0.5, -2, 0.5, -2, -2]
    )
    grown, X = as_estimator(structure, X, y, slice(None))
    found = tp.preset("c4.5-r8", FrozenEstimator(grown)).fit(X, y)
    book = read("textbook.json")["quinlan_c45_vote"]
    assert found.n_leaves_ == 1
    asked = found.trace().set_index("node").loc[0]
    assert asked["left"] == pytest.approx(book["published_leaf"], abs=6e-3)


@pytest.mark.parametrize("name", files("rpart"))
def test_rpart_chooses_the_row_of_one_standard_error(name):
    case = read(f"rpart/{name}")
    search = tp.preset("rpart")
    rows = case["cptable"][::-1]  # levels begin with the grown tree
    size = np.array([row["nsplit"] + 1.0 for row in rows])
    test, spread = (np.array([row[key] for row in rows]) for key in ("xerror", "xstd"))
    scores = LevelScores(size, size, -test, -test, 0 * test, 0 * test, spread)
    rule = RULES[search.selection]
    assert len(rows) - 1 - rule(scores) == case["one_se_row"]
    assert (search.cv.n_splits, search.standard_error, search.pruner.risk) == (10, "case", "error")


@pytest.mark.parametrize("alpha", [0.002, 0.01, 0.03])
def test_scikit_learns_is_a_refit_with_ccp_alpha(alpha):
    X, y = load_breast_cancer(return_X_y=True)
    found = tp.preset("scikit-learn").set_params(alpha=alpha).fit(X, y)
    refit = DecisionTreeClassifier(ccp_alpha=alpha, random_state=0).fit(X, y)
    assert found.estimator_.tree_.threshold.tolist() == refit.tree_.threshold.tolist()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_pruner_that_fits(name):
    X, y = load_breast_cancer(return_X_y=True)
    found = clone(tp.preset(name, DecisionTreeClassifier(random_state=3))).fit(X, y)
    assert 1 < found.n_leaves_ <= found.grown_.get_n_leaves()
    assert found.grown_.random_state == 3


def test_the_table_says_what_they_differ_in():
    found = tp.presets()
    assert list(found.index) == list(PRESETS)
    assert found.notna().all(axis=None)
    assert not found.drop(columns="tested").duplicated().any()
    for name, row in found.iterrows():
        parameters = tp.preset(name).get_params(deep=False)
        assert row["raising"] == parameters.get("subtree_raising", False)
        assert row["collapse"] == parameters.get("collapse", False)
        assert ("backfitting" in row["leaves"]) == parameters.get("refit_leaves", False)
        if "/" in row["rows"]:
            above, beneath = row["rows"].split("/")
            assert parameters["validation_fraction"] == int(above) / int(beneath)


def test_a_name_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"preset 'weka-j48' is unknown.*Did you mean 'weka-3.8-j48'"):
        tp.preset("weka-j48")
