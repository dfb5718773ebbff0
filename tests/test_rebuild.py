"""A cut becomes a real, compact scikit-learn tree."""

from __future__ import annotations

import pickle
from typing import Any

import matplotlib
import numpy as np
import pytest
from models import NAMES, grown, random_cut, ways
from numpy.typing import NDArray
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier, export_text, plot_tree
from sklearn.tree._tree import Tree, _build_pruned_tree_py  # the oracle

from treeprune.tree.fitted import find_tree
from treeprune.tree.rebuild import materialise

matplotlib.use("Agg")


def cuts_of(tree: Any, n_cuts: int = 8) -> list[NDArray[np.bool_]]:
    rng = np.random.default_rng(1)
    whole = tree.tree_.children_left < 0
    root = np.arange(tree.tree_.node_count) == 0
    return [whole, root, *(random_cut(tree, rng, share) for share in np.linspace(0.05, 0.5, n_cuts))]


def pruned(tree: Any, cut: NDArray[np.bool_], **fields: Any) -> Any:
    return materialise(tree, find_tree(tree).structure, cut, **fields)


def by_scikit_learn(tree: Any, cut: NDArray[np.bool_]) -> Tree:
    result = Tree(*tree.tree_.__reduce__()[1])
    _build_pruned_tree_py(result, tree.tree_, cut.astype(np.uint8))
    return result


def preorder(tree: Tree) -> list[int]:
    order, waiting = [], [0]
    while waiting:
        t = waiting.pop()
        order.append(t)
        if tree.children_left[t] >= 0:
            waiting += [int(tree.children_right[t]), int(tree.children_left[t])]
    return order


def in_preorder(tree: Tree) -> dict[str, NDArray[Any]]:
    order = preorder(tree)
    position = np.full(tree.node_count + 1, -1)  # the last entry serves id -1
    position[order] = np.arange(tree.node_count)
    nodes = tree.__getstate__()["nodes"][order]
    fields = {name: nodes[name] for name in nodes.dtype.names}
    for side in ("left_child", "right_child"):
        fields[side] = position[fields[side]]
    return {**fields, "value": tree.value[order]}


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_that_of_scikit_learns_own_pruned_tree(name: str) -> None:
    tree = grown(name).tree
    for cut in cuts_of(tree):
        ours, theirs = pruned(tree, cut).tree_, by_scikit_learn(tree, cut)
        for field, expected in in_preorder(theirs).items():
            np.testing.assert_array_equal(in_preorder(ours)[field], expected, err_msg=field)
        for attribute in ("max_depth", "node_count", "n_leaves", "n_outputs", "n_features", "max_n_classes"):
            assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
        np.testing.assert_array_equal(ours.n_classes, theirs.n_classes)


def test_trees_grown_depth_first_keep_the_very_ids_of_scikit_learn() -> None:
    tree = grown("DecisionTreeClassifier gini").tree
    for cut in cuts_of(tree):
        ours, theirs = (t.__getstate__()["nodes"] for t in (pruned(tree, cut).tree_, by_scikit_learn(tree, cut)))
        for field in ours.dtype.names:
            np.testing.assert_array_equal(ours[field], theirs[field], err_msg=field)


def test_best_first_trees_have_other_ids_so_that_the_test_above_sees_reordering() -> None:
    tree = grown("DecisionTreeClassifier best first").tree
    assert preorder(tree.tree_) != sorted(preorder(tree.tree_))


@pytest.mark.parametrize("name", NAMES)
def test_rows_get_the_value_of_the_ancestor_that_covers_them(name: str) -> None:
    case = grown(name)
    way = ways(case.tree, case.X)
    for cut in cuts_of(case.tree):
        covering = (way & cut).argmax(axis=1)  # each row meets the cut once
        np.testing.assert_array_equal((way & cut).sum(axis=1), 1)
        small = pruned(case.tree, cut)
        np.testing.assert_array_equal(small.tree_.value[small.apply(case.X)], case.tree.tree_.value[covering])


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_values_in_the_words_of_the_estimator(name: str) -> None:
    case = grown(name)
    small = pruned(case.tree, cuts_of(case.tree)[3])
    value = small.tree_.value[small.apply(case.X)]
    expected = value[:, :, 0]
    if hasattr(small, "classes_"):
        classes = small.classes_ if isinstance(small.classes_, list) else [small.classes_]
        columns = [known[value[:, j, : len(known)].argmax(axis=1)] for j, known in enumerate(classes)]
        expected = np.column_stack(columns)
    np.testing.assert_array_equal(small.predict(case.X).reshape(expected.shape), expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_input_is_the_same_byte_for_byte(name: str) -> None:
    tree = grown(name).tree
    before = pickle.dumps(tree)
    for cut in cuts_of(tree):
        small = pruned(tree, cut)
        small.tree_.value[:] = -1  # the memory is not shared either
    assert pickle.dumps(tree) == before


def test_what_a_user_does_to_the_pruned_tree_does_not_reach_the_grown_one() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    tree = DecisionTreeClassifier(random_state=np.random.RandomState(0)).fit(X, y)
    before = pickle.dumps(tree)
    small = pruned(tree, cuts_of(tree)[2])
    small.classes_[:] = 7
    small.feature_names_in_[:] = "x"
    small.random_state.rand()
    assert pickle.dumps(tree) == before


@pytest.mark.parametrize("name", NAMES)
def test_what_scikit_learn_offers_for_trees_works(name: str) -> None:
    case = grown(name)
    small = pruned(case.tree, cuts_of(case.tree)[4])
    assert type(small) is type(case.tree)
    assert small.get_params() == case.tree.get_params()
    assert small.get_n_leaves() == cuts_of(case.tree)[4].sum() == (small.tree_.children_left < 0).sum()
    assert set(small.apply(case.X)) <= set(np.flatnonzero(small.tree_.children_left < 0))
    if not name.startswith("missing"):  # decision_path lost those in old releases
        np.testing.assert_array_equal(small.decision_path(case.X).toarray(), ways(small, case.X))
    again = pickle.loads(pickle.dumps(small))
    np.testing.assert_array_equal(again.predict(case.X), small.predict(case.X))
    importance = small.feature_importances_
    assert importance.sum() == pytest.approx(1.0 if small.get_depth() else 0.0)


def test_depth_is_that_of_the_deepest_leaf_left() -> None:
    tree = grown("DecisionTreeClassifier gini").tree
    for cut in cuts_of(tree):
        small = pruned(tree, cut)
        ways = small.decision_path(grown("DecisionTreeClassifier gini").X).sum(axis=1)
        assert small.get_depth() == ways.max() - 1


def test_importances_add_up_the_splits_that_are_left() -> None:
    tree = grown("DecisionTreeRegressor squared_error").tree
    cut = cuts_of(tree)[5]
    small, t = pruned(tree, cut).tree_, tree.tree_
    expected = np.zeros(tree.n_features_in_)
    waiting = [0]
    while waiting:
        node = waiting.pop()
        if cut[node]:
            continue
        left, right = int(t.children_left[node]), int(t.children_right[node])
        total = t.impurity * t.weighted_n_node_samples
        expected[t.feature[node]] += total[node] - total[left] - total[right]
        waiting += [left, right]
    np.testing.assert_allclose(small.compute_feature_importances(), expected / expected.sum())


@pytest.mark.parametrize("name", ["DecisionTreeClassifier gini", "DecisionTreeRegressor best first"])
def test_pruned_trees_can_be_printed_and_drawn(name: str) -> None:
    import matplotlib.pyplot as plt

    small = pruned(grown(name).tree, cuts_of(grown(name).tree)[4])
    text = export_text(small, max_depth=100)
    assert text.count("class:") + text.count("value:") == small.get_n_leaves()
    boxes = plot_tree(small, ax=plt.figure().subplots())
    plt.close()
    assert sum("<=" not in box.get_text() and "samples" in box.get_text() for box in boxes) == small.get_n_leaves()


def test_new_fields_are_taken_over_for_the_nodes_that_stay() -> None:
    tree = grown("DecisionTreeClassifier gini").tree
    cut = cuts_of(tree)[4]
    n_nodes = tree.tree_.node_count
    value = np.random.default_rng(0).random(tree.tree_.value.shape)
    small = pruned(tree, cut, value=value, impurity=np.arange(n_nodes, dtype=float), n_node_samples=np.arange(n_nodes))
    kept = small.tree_.n_node_samples
    np.testing.assert_array_equal(small.tree_.value, value[kept])
    np.testing.assert_array_equal(small.tree_.impurity, kept)
    np.testing.assert_array_equal(small.tree_.weighted_n_node_samples, tree.tree_.weighted_n_node_samples[kept])


def test_a_pruned_tree_can_be_pruned_again() -> None:
    tree = grown("DecisionTreeClassifier gini").tree
    once = pruned(tree, cuts_of(tree)[2])
    for cut in cuts_of(once):
        twice = pruned(once, cut)
        assert twice.get_n_leaves() == cut.sum()
        np.testing.assert_array_equal(twice.tree_.value[0], tree.tree_.value[0])
