"""The shape of a tree: what is accepted, in any order of ids, and how rows and sums move in it."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.datasets import make_classification
from sklearn.tree import DecisionTreeClassifier
from trees import chain, children, leaves_below, literal_sums, nodes_below, random_tree, structures

from treeprune import TreeStructure

STUMP = ([1, -1, -1], [2, -1, -1])


@given(structures())
def test_parent_depth_and_leaves_are_those_of_a_walk_from_the_root(structure):
    parent, depth = [-1] * structure.n_nodes, [0] * structure.n_nodes
    for t in nodes_below(structure, 0):
        for child in children(structure, t) or ():
            parent[child], depth[child] = t, depth[t] + 1
    assert structure.parent.tolist() == parent
    assert structure.depth.tolist() == depth
    assert np.flatnonzero(structure.is_leaf).tolist() == sorted(leaves_below(structure, 0))
    assert structure.n_leaves == len(leaves_below(structure, 0))


@given(structures())
def test_inner_nodes_come_once_each_and_parents_before_children(structure):
    inner = structure.inner.tolist()
    assert sorted(inner) == [t for t in range(structure.n_nodes) if children(structure, t)]
    position = {t: i for i, t in enumerate(inner)}
    assert all(structure.parent[t] < 0 or position[structure.parent[t]] < position[t] for t in inner)


@pytest.mark.parametrize("n_leaves", [1, 2, 7, 60, 300])  # wide layers are swept as arrays, narrow ones singly
def test_sweeps_meet_every_inner_node_once_children_on_the_right_side_of_their_parents(n_leaves):
    structure = random_tree(np.random.default_rng(n_leaves), n_leaves)
    for sweep, sign in ((structure.downward(), 1), (structure.upward(), -1)):
        seen = np.full(structure.n_nodes, -1)
        for step, (t, left, right) in enumerate(sweep):
            assert np.all(seen[t] < 0)
            assert np.array_equal(left, structure.children_left[t])
            assert np.array_equal(right, structure.children_right[t])
            seen[t] = step
        inner = structure.inner
        assert (seen[inner] >= 0).all()
        assert (seen[structure.is_leaf] < 0).all()
        below = inner[inner != 0]
        assert (sign * (seen[below] - seen[structure.parent[below]]) > 0).all()


@pytest.mark.parametrize("n_leaves", [1, 2, 9, 200])
@pytest.mark.parametrize("extra", [(), (3,), (2, 3)])
def test_sums_over_leaves_are_exact_and_leave_the_input_alone(n_leaves, extra):
    rng = np.random.default_rng(n_leaves)
    structure = random_tree(rng, n_leaves)
    values = rng.integers(-(2**60), 2**60, (structure.n_nodes, *extra)) // n_leaves
    before = values.copy()
    total = structure.sum_up(values)
    assert total.dtype == values.dtype
    assert np.array_equal(total, literal_sums(structure, values))
    assert np.array_equal(values, before)


def test_booleans_are_counted():
    structure = random_tree(np.random.default_rng(1), 40)
    assert np.array_equal(structure.sum_up(structure.is_leaf), [len(leaves_below(structure, t)) for t in range(79)])


def test_the_order_of_ids_changes_nothing_but_the_names():
    rng = np.random.default_rng(2)
    structure = random_tree(rng, 50)
    new = np.append(0, 1 + rng.permutation(structure.n_nodes - 1))
    old = np.argsort(new)

    def renamed(ids):
        return np.where(ids[old] < 0, -1, new[ids[old]])

    other = TreeStructure.from_arrays(renamed(structure.children_left), renamed(structure.children_right))
    values = rng.integers(0, 9, structure.n_nodes)
    assert np.array_equal(other.depth[new], structure.depth)
    assert np.array_equal(other.parent[new[1:]], new[structure.parent[1:]])
    assert np.array_equal(other.sum_up(values[old])[new], structure.sum_up(values))


def test_a_chain_of_5000_splits_is_summed_from_the_last_leaf_to_the_root():
    structure = chain(5000)
    assert structure.depth.max() == 5000
    assert structure.sum_up(structure.is_leaf)[0] == 5001
    assert structure.sum_up(np.arange(10001))[[0, 9998, 9996]].tolist() == [25_000_000 + 10_000, 19_999, 29_996]


def test_any_negative_number_marks_a_leaf():
    assert TreeStructure.from_arrays([1, -2, -7], [2, -9, -1]).children_left.tolist() == [1, -1, -1]


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ([], [], r"children_left must be one-dimensional with a node at least, got shape \(0,\)"),
        ([[1, -1, -1]], STUMP[1], r"got shape \(1, 3\)"),
        (STUMP[0], 3, r"children_right must be one-dimensional"),
        ([1.0, -1.0, -1.0], STUMP[1], "must hold integers .* got float64"),
        ([1, -1, -1, -1], STUMP[1], "children_left has 4 nodes, children_right 3"),
        ([1, -1, -1], [-1, -1, -1], "node 0 has one child only"),
        ([1, -1, -1], [3, -1, -1], "child id 3 is out of range: there are 3 nodes"),
        ([1, -1, -1], [1, -1, -1], "node 1 is a child 2 times"),
        ([-1, -1, -1], [-1, -1, -1], "node 1 is a child 0 times"),
        ([0, -1, -1], [2, -1, -1], "node 0 is a child 1 times"),
        ([1, -1, -1, 4, 3], [2, -1, -1, -1, -1], "node 4 has one child|node 3 has one child"),
        ([1, -1, -1, 4, -1, 3, -1], [2, -1, -1, 5, -1, 6, -1], "their own ancestors"),
    ],
)
def test_arrays_that_are_no_tree_are_refused_with_the_node_at_fault(left, right, message):
    with pytest.raises(ValueError, match=message):
        TreeStructure.from_arrays(left, right)


@pytest.mark.parametrize("name", ["feature", "threshold", "missing_go_to_left"])
def test_tests_of_the_wrong_length_are_refused(name):
    with pytest.raises(ValueError, match=rf"{name} must have one entry a node, shape \(3,\), got \(2,\)"):
        TreeStructure.from_arrays(*STUMP, **{name: [0, 1]})


def _routed(tree):
    return TreeStructure.from_arrays(
        tree.children_left, tree.children_right, tree.feature, tree.threshold, tree.missing_go_to_left
    )


@pytest.mark.parametrize("share_missing", [0, 0.2])
def test_rows_reach_the_leaves_that_scikit_learn_sends_them_to(share_missing):
    X, y = make_classification(600, random_state=3)
    X = X.astype(np.float32)  # as scikit-learn casts them
    X[np.random.default_rng(4).random(X.shape) < share_missing] = np.nan
    model = DecisionTreeClassifier(random_state=0).fit(X[:300], y[:300])
    if share_missing:
        directions = model.tree_.missing_go_to_left[model.tree_.children_left >= 0]
        assert set(directions.tolist()) == {0, 1}
    assert np.array_equal(_routed(model.tree_).route(X), model.apply(X))


def test_missing_values_go_right_if_nothing_is_said_of_them():
    stump = TreeStructure.from_arrays(*STUMP, feature=[0, -2, -2], threshold=[0.5, 0, 0])
    assert stump.route([[0.5], [0.6], [np.nan], [-np.inf]]).tolist() == [1, 2, 2, 1]


def test_a_single_node_holds_every_row():
    assert TreeStructure.from_arrays([-1], [-1], [-2], [0.0]).route(np.zeros((3, 1))).tolist() == [0, 0, 0]


@pytest.mark.parametrize("given", [{}, {"feature": [0, -2, -2]}])
def test_rows_cannot_be_routed_without_tests(given):
    with pytest.raises(ValueError, match="no tests to route rows by"):
        TreeStructure.from_arrays(*STUMP, **given).route([[0.0]])
