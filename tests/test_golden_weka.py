"""Weka's J48 and REPTree: their unpruned trees, pruned here, are their pruned trees."""

import numpy as np
import pytest
from golden_trees import GOLDEN, files, read, same_tree, table, weka_structure

from treeprune import added_errors, class_counts, error_based_cut, reduced_error_cut, target_moments
from treeprune.tree import loss

FILES = files("weka")
CLASSIFICATION = [name for name in FILES if name != "cpu.json"]
WITHOUT_RAISING = [  # unpruned, pruned by replacement alone, confidence
    ("J48_U", "J48_C025_noraise", 0.25),
    ("J48_U", "J48_C010_noraise", 0.1),
    ("J48_U_nocollapse", "J48_C025_nocollapse_noraise", 0.25),
]


def _tests(nodes):
    return [None if node["leaf"] else (node["feature"], node["threshold"]) for node in nodes]


def _becomes(unpruned, cut, pruned):
    before, after = weka_structure(unpruned["nodes"]), weka_structure(pruned["nodes"])
    return same_tree(before, _tests(unpruned["nodes"]), cut, after, _tests(pruned["nodes"]))


@pytest.mark.parametrize("name", CLASSIFICATION)
@pytest.mark.parametrize(("before", "after", "confidence"), WITHOUT_RAISING)
def test_error_based_pruning_of_the_unpruned_j48_gives_the_pruned_one(name, before, after, confidence):
    trees = read(f"weka/{name}")["trees"]
    nodes = trees[before]["nodes"]
    errors, n = [node["errors"] for node in nodes], [node["n"] for node in nodes]
    cut = error_based_cut(weka_structure(nodes), errors, n, confidence, limit="weka")
    assert cut.sum() == trees[after]["leaves"]
    assert _becomes(trees[before], cut, trees[after])


def test_some_of_these_trees_are_pruned_and_some_are_not():
    sizes = [
        (trees[before]["leaves"], trees[after]["leaves"])
        for trees in (read(f"weka/{name}")["trees"] for name in CLASSIFICATION)
        for before, after, _ in WITHOUT_RAISING
    ]
    assert sum(after < before for before, after in sizes) >= 6


def test_added_errors_are_wekas():
    n, e, confidence, added = np.array(read("weka/_addErrs.json")["rows"], dtype=float).T
    assert len(n) == 1944
    for cf in np.unique(confidence):
        rows = confidence == cf
        assert np.allclose(added_errors(n[rows], e[rows], cf, "weka"), added[rows], rtol=1e-12, atol=1e-12)


def test_added_errors_of_a_few_more_leaves_are_wekas():
    for n, e, confidence, added in np.loadtxt(GOLDEN / "small" / "weka_addErrs.csv", delimiter=","):
        assert added_errors(n, e, confidence, "weka") == pytest.approx(added, rel=1e-12)


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_reduced_error_pruning_of_the_unpruned_j48_gives_the_pruned_one(name):
    trees = read(f"weka/{name}")["trees"]
    nodes = trees["J48_REP_unpruned"]["nodes"]
    held_out = np.array([node["prune_counts"] for node in nodes])
    errors = loss.misclassified(held_out, np.array([node["majority"] for node in nodes]))
    cut = reduced_error_cut(weka_structure(nodes), errors)
    assert cut.sum() == trees["J48_REP"]["leaves"]
    assert _becomes(trees["J48_REP_unpruned"], cut, trees["J48_REP"])


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_pruning_counts_are_those_of_the_rows_routed_down_the_tree(name):
    case = read(f"weka/{name}")
    nodes, rows = case["trees"]["J48_REP_unpruned"]["nodes"], case["J48_REP_split"]["prune_rows"]
    X, y = table(case["dataset"])
    structure = weka_structure(nodes)
    counts = class_counts(structure, structure.route(X[rows]), y[rows], len(nodes[0]["class_counts"]))
    assert counts.tolist() == [node["prune_counts"] for node in nodes]


@pytest.mark.parametrize("name", FILES)
def test_reduced_error_pruning_of_the_unpruned_reptree_gives_the_pruned_one(name):
    case = read(f"weka/{name}")
    trees, rows = case["trees"], case["REPTree_split"]["prune_rows"]
    nodes = trees["REPTree_unpruned_on_grow_rows"]["nodes"]
    structure = weka_structure(nodes, strict=True)
    X, y = table(case["dataset"])
    leaf, value = structure.route(X[rows]), np.array([node["class_probs"] for node in nodes])
    if name == "cpu.json":
        offset = value[0, 0]
        cost = loss.squared_error(target_moments(structure, leaf, y[rows], offset), value[:, 0] - offset)
        at_root = trees["REPTree"]["nodes"][0]["holdout_error"]
        assert cost[0] == pytest.approx(at_root)
    else:
        cost = loss.misclassified(class_counts(structure, leaf, y[rows], value.shape[1]), value.argmax(axis=1))
    cut = reduced_error_cut(structure, cost)
    assert 2 * cut.sum() - 1 == trees["REPTree"]["size"]
    assert _becomes(trees["REPTree_unpruned_on_grow_rows"], cut, trees["REPTree"])
