"""Pessimistic error pruning against its definition, walked from the root."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import (
    chain,
    children,
    class_cases,
    leaves_below,
    nodes_of,
    structure_of,
    training_errors,
    trees_with_counts,
)

from treeprune import PessimisticErrorPruner, TreeStructure, check_cut, pessimistic_error_cut


def literal(structure, errors, n_rows, z=1.0, t=0):
    """Quinlan's test at t; only where it fails are the children looked at."""
    pair = children(structure, t)
    leaves = leaves_below(structure, t)
    below = sum(errors[leaf] + 0.5 for leaf in leaves)
    n = n_rows[t]
    standard_error = sqrt(max(below * (n - below), 0) / n) if n > 0 else 0
    if pair is None or errors[t] + 0.5 <= below + z * standard_error:
        return [t]
    return sorted(literal(structure, errors, n_rows, z, pair[0]) + literal(structure, errors, n_rows, z, pair[1]))


@given(trees_with_counts(most=30), st.sampled_from([0, 0.3, 1, 2.7]))
def test_the_tests_go_from_the_root_down_each_on_the_branch_as_grown(case, z):
    structure, counts = case
    errors, n = training_errors(counts), counts.sum(axis=1)
    cut = pessimistic_error_cut(structure, errors, n, z)
    check_cut(structure, cut)
    assert nodes_of(cut) == literal(structure, errors.tolist(), n.tolist(), z)


@pytest.mark.parametrize("seed", range(5))
def test_larger_trees_and_fractional_weights(seed):
    for structure, counts in class_cases(seed, n_cases=20, most=25, max_leaves=60):
        errors, n = training_errors(counts) * 0.37, counts.sum(axis=1) * 0.37
        assert nodes_of(pessimistic_error_cut(structure, errors, n)) == literal(structure, errors, n)


def test_a_branch_is_judged_whole_even_if_its_parts_would_go():
    """Bottom-up or on the pruned branch the answer differs, so the order of the tests is seen."""
    differs = 0
    for structure, counts in class_cases(seed=9, n_cases=300, most=30):
        errors, n = training_errors(counts).tolist(), counts.sum(axis=1).tolist()
        cut = nodes_of(pessimistic_error_cut(structure, errors, n))
        assert cut == literal(structure, errors, n)
        differs += cut != _bottom_up(structure, errors, n)
    assert differs > 0


def _bottom_up(structure, errors, n_rows):
    def prune(t):
        pair = children(structure, t)
        if pair is None:
            return [t]
        branch = prune(pair[0]) + prune(pair[1])
        below = sum(errors[leaf] + 0.5 for leaf in branch)
        spread = sqrt(max(below * (n_rows[t] - below), 0) / n_rows[t]) if n_rows[t] else 0
        return [t] if errors[t] + 0.5 <= below + spread else branch

    return sorted(prune(0))


def test_a_variance_that_would_be_negative_counts_as_none():
    # two leaves of no errors and one row in all: e' = 1 and n - e' = 0; with 3 leaves it is negative
    tree = structure_of((None, (None, None)))
    assert nodes_of(pessimistic_error_cut(tree, [0, 0, 0, 0, 0], [1, 1, 0, 0, 0])) == [0]
    assert nodes_of(pessimistic_error_cut(tree, [2, 0, 0, 0, 0], [1, 1, 0, 0, 0], z=9)) == [1, 2]


def test_an_exact_tie_prunes():
    tree = structure_of((None, None))
    # e' = 1.8 + 1 = 2.8 of n = 14: SE = sqrt(2.8 * 11.2 / 14) = 1.4966629547; z = 0: a tie at e = 2.3
    assert nodes_of(pessimistic_error_cut(tree, [2.3, 0.9, 0.9], [14, 7, 7], z=0)) == [0]
    assert nodes_of(pessimistic_error_cut(tree, [2.3 + 1e-6, 0.9, 0.9], [14, 7, 7], z=0)) == [1, 2]


def test_a_chain_of_5000_splits_is_cut_where_a_split_is_worth_its_half_errors():
    structure = chain(5000)
    n = structure.sum_up(np.full(structure.n_nodes, 100))
    errors = np.zeros(structure.n_nodes)
    errors[structure.inner] = np.where(np.arange(5000) < 3000, 1e6, 0)
    assert nodes_of(pessimistic_error_cut(structure, errors, n)) == [*range(1, 6000, 2), 6000]


@pytest.mark.parametrize("z", [-0.5, float("nan"), "1"])
def test_a_z_below_zero_is_refused(z):
    with pytest.raises(ValueError, match=r"z=.*a number in \[0, inf\] is expected"):
        pessimistic_error_cut(structure_of(None), [0], [1], z)
    with pytest.raises(ValueError, match=r"z=.*a number in \[0, inf\] is expected"):
        PessimisticErrorPruner(z=z).fit([[0.0], [1.0]], [0, 1])


def test_the_pruner_reads_errors_and_rows_of_the_growing_rows():
    X, y = make_classification(400, flip_y=0.3, random_state=0)
    pruner = PessimisticErrorPruner(DecisionTreeClassifier(random_state=0), z=0.5).fit(X, y)
    reaches = pruner.grown_.decision_path(X).toarray().astype(bool).T
    n = reaches.sum(axis=1).tolist()
    errors = [int(rows.sum() - np.bincount(y[rows]).max()) for rows in reaches]
    tree = pruner.grown_.tree_
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    assert nodes_of(pruner.cut_) == literal(structure, errors, n, 0.5)


def test_regression_trees_and_several_outputs_are_refused():
    X = np.arange(8.0)[:, None]
    with pytest.raises(ValueError, match="a numeric target"):
        PessimisticErrorPruner(DecisionTreeRegressor()).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="2 outputs"):
        PessimisticErrorPruner().fit(X, np.arange(16).reshape(8, 2) % 3)
