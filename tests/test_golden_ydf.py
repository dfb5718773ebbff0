"""YDF's CART, which prunes on a part of its rows: its trees, pruned here on the same rows."""

import numpy as np
import pytest
from golden_trees import below, files, read, same_tree, table, ydf_nodes

from treeprune import TreeStructure, class_counts, reduced_error_cut, target_moments
from treeprune.tree import loss

FILES = [name for name in files("ydf") if "validation_ratio_0.3" in read(f"ydf/{name}")]


def _structure(nodes):
    threshold = [node.get("threshold", 0.0) for node in nodes]
    return TreeStructure.from_arrays(
        [node.get("left", -1) for node in nodes],
        [node.get("right", -1) for node in nodes],
        [node.get("feature", -2) for node in nodes],
        below(threshold, np.float32),
    )


def _value(node):
    held = node if node["leaf"] else node["value"]
    return held.get("probability", held.get("value"))


def _tests(nodes):
    return [None if node["leaf"] else (node["feature"], node["threshold"]) for node in nodes]


@pytest.mark.parametrize("name", FILES)
def test_reduced_error_pruning_of_the_unpruned_tree_gives_the_pruned_one(name):
    case = read(f"ydf/{name}")
    run = case["validation_ratio_0.3"]
    nodes, after = ydf_nodes(run["unpruned"]["tree"]), ydf_nodes(run["pruned"]["tree"])
    structure, rows = _structure(nodes), run["prune_rows"]
    X, y = table(case["dataset"])
    leaf, value = structure.route(X[rows].astype(np.float32)), np.array([_value(node) for node in nodes])
    if value.ndim == 1:
        cost = loss.squared_error(target_moments(structure, leaf, y[rows], value[0]), value - value[0])
    else:
        cost = loss.misclassified(class_counts(structure, leaf, y[rows], value.shape[1]), value.argmax(axis=1))
    cut = reduced_error_cut(structure, cost)
    assert 2 * cut.sum() - 1 == run["pruned"]["n_nodes"]
    assert same_tree(structure, _tests(nodes), cut, _structure(after), _tests(after))


def test_four_data_sets_are_compared_and_most_are_pruned():
    runs = [read(f"ydf/{name}")["validation_ratio_0.3"] for name in FILES]
    assert len(runs) == 4
    assert sum(run["pruned"]["n_nodes"] < run["unpruned"]["n_nodes"] for run in runs) >= 3
