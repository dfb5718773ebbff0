"""The global phase of C5.0 against a literal reading of it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.tree import DecisionTreeClassifier
from trees import cut_matrix, random_tree

import treeprune as tp
from treeprune.tree.fitted import find_tree

X, Y = load_digits(return_X_y=True)
Y = np.where(np.random.default_rng(0).random(len(Y)) < 0.2, (Y + 1) % 10, Y)
GROWER = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)


def literal(structure, errors, n, before):
    """Prune all the weakest links at a time, the errors of every pruning counted anew."""
    gone = before.copy()

    def below(t, leaves):
        if leaves[t]:
            return [t]
        return below(structure.children_left[t], leaves) + below(structure.children_right[t], leaves)

    def inner(leaves, t=0):
        if leaves[t]:
            return []
        both = structure.children_left[t], structure.children_right[t]
        return [t, *(u for child in both for u in inner(leaves, child))]

    first = errors[below(0, gone)].sum()
    allowed = first + np.sqrt(first * (1 - first / n))
    while splits := inner(gone):
        price = {}
        for t in splits:
            leaves = below(t, gone)
            price[t] = (errors[t] - errors[leaves].sum()) / (len(leaves) - 1)
        weakest = min(price.values())
        tried = gone.copy()
        tried[[t for t in splits if price[t] <= weakest + 1e-9]] = True
        if errors[below(0, tried)].sum() > allowed + 1e-9:
            break
        gone = tried
    cut = np.zeros(len(gone), dtype=bool)
    cut[below(0, gone)] = True
    return cut


@pytest.mark.parametrize("seed", range(40))
def test_random_trees_are_pruned_as_the_literal_reading_says(seed):
    rng = np.random.default_rng(seed)
    structure = random_tree(rng, int(rng.integers(2, 9)))
    per_leaf = rng.integers(0, 6, structure.n_nodes)
    errors = structure.sum_up(np.where(structure.is_leaf, per_leaf, 0)).astype(float)
    errors[~structure.is_leaf] += np.array([rng.integers(0, 5) for _ in range((~structure.is_leaf).sum())])
    for t, left, right in structure.upward():
        errors[t] = max(errors[t], errors[left] + errors[right])
    before = cut_matrix(structure)[rng.integers(len(cut_matrix(structure)))]
    n = np.full(structure.n_nodes, 2 * errors[0] + 10)
    expected = literal(structure, errors, n[0], before)
    np.testing.assert_array_equal(tp.global_phase_cut(structure, errors, n, before), expected)


@pytest.mark.parametrize("raising", [False, True])
def test_the_pruner_prunes_further_by_no_more_errors_than_one_standard_error(raising):
    one, two = (
        tp.ErrorBasedPruner(GROWER, subtree_raising=raising, global_phase=phase).fit(X, Y) for phase in (False, True)
    )
    before, after = ((p.predict(X) != Y).sum() for p in (one, two))
    assert two.n_leaves_ < one.n_leaves_
    assert before < after <= before + np.sqrt(before * (1 - before / len(Y)))
    assert two.estimator_.get_n_leaves() == two.n_leaves_


@pytest.mark.parametrize("raising", [False, True])
def test_the_trace_says_which_nodes_went_globally(raising):
    one, two = (
        tp.ErrorBasedPruner(GROWER, subtree_raising=raising, global_phase=phase).fit(X, Y) for phase in (False, True)
    )
    trace, first = two.trace().set_index("node"), one.trace().set_index("node")
    globally = trace.index[trace["decision"] == "globally"]
    assert len(globally) > 0
    assert first.loc[globally, "decision"].isin(["kept", "moved"]).all()
    assert not (first["decision"] == "globally").any()
    for node in globally:
        assert "was pruned in the global phase" in two.explain(int(node))
    leaf = find_tree(two.grown_).structure.is_leaf
    assert all(two.explain(t) for t in range(len(leaf)))


def test_a_tree_without_training_errors_loses_only_what_gains_nothing():
    data, label = load_breast_cancer(return_X_y=True)
    tree = find_tree(DecisionTreeClassifier(random_state=0).fit(data, label))
    cut = tp.global_phase_cut(tree.structure, tree.error(None), tree.rows(None))
    np.testing.assert_array_equal(cut, tree.structure.is_leaf)


def test_a_cut_that_is_none_is_refused():
    tree = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    with pytest.raises(ValueError, match="not a cut"):
        tp.global_phase_cut(tree, [2, 1, 1], [9, 5, 4], [False, True, False])
