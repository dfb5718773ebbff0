"""Reduced-error pruning against all cuts of small trees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trees import chain, class_cases, literal_cut, nodes_of, random_tree, smallest_best, trees_with_costs

from treeprune import reduced_error_cut, target_moments
from treeprune.tree import loss


@given(trees_with_costs(most=4))
def test_the_cut_is_the_smallest_among_the_most_accurate(case):
    structure, errors = case
    assert nodes_of(reduced_error_cut(structure, errors)) == smallest_best(structure, errors.tolist())


@given(trees_with_costs(most=4))
def test_ties_stay_if_they_shall_be_kept(case):
    structure, errors = case

    def goes(t, branch):
        return errors[t] < sum(errors[leaf] for leaf in branch)

    assert nodes_of(reduced_error_cut(structure, errors, ties="keep")) == literal_cut(structure, goes)


@pytest.mark.parametrize("scale", [1, 0.1, 1 / 3, 1e-9, 1e12])
@pytest.mark.parametrize("ties", ["prune", "keep"])
def test_weights_of_any_scale_tie_as_whole_rows_do(scale, ties):
    for structure, held_out in class_cases(seed=1, n_cases=60):
        label = np.random.default_rng(structure.n_nodes).integers(0, 3, structure.n_nodes)
        errors = loss.misclassified(held_out, label)
        scaled = loss.misclassified(held_out * scale, label)
        expected = reduced_error_cut(structure, errors, ties)
        assert np.array_equal(reduced_error_cut(structure, scaled, ties), expected)


def test_held_out_rows_of_a_tree_that_predicts_classes():
    for structure, held_out in class_cases(seed=2, n_cases=200):
        label = np.random.default_rng(structure.n_nodes).integers(0, 3, structure.n_nodes)
        errors = held_out.sum(axis=1) - held_out[np.arange(len(held_out)), label]
        expected = smallest_best(structure, errors.tolist())
        assert nodes_of(reduced_error_cut(structure, loss.misclassified(held_out, label))) == expected


@pytest.mark.parametrize("offset", [0, 1e6, 1e9])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_cut_of_a_regression_tree_minimises_the_squared_error_of_the_rows(offset, weighted):
    rng = np.random.default_rng(3)
    for _ in range(40):
        structure = random_tree(rng, int(rng.integers(1, 9)))
        leaf = rng.choice(np.flatnonzero(structure.is_leaf), 12)
        y, value = rng.integers(0, 8, 12) / 4, rng.integers(0, 8, structure.n_nodes) / 4
        weight = rng.integers(1, 4, 12) if weighted else np.ones(12, dtype=int)
        rows = structure.sum_up(np.arange(structure.n_nodes)[:, None] == leaf)
        errors = [(weight * at * (y - v) ** 2).sum() for at, v in zip(rows, value, strict=True)]
        moments = target_moments(structure, leaf, y + offset, value[0] + offset, weight)
        cut = reduced_error_cut(structure, loss.squared_error(moments, value - value[0]))
        assert nodes_of(cut) == smallest_best(structure, errors)


@given(st.integers(1, 12), st.sampled_from(["prune", "keep"]))
def test_branches_that_no_row_reaches_go_where_ties_go(n_leaves, ties):
    structure = random_tree(np.random.default_rng(n_leaves), n_leaves)
    n_left = reduced_error_cut(structure, np.zeros(structure.n_nodes), ties).sum()
    assert n_left == (1 if ties == "prune" else n_leaves)


def test_an_unknown_way_with_ties_is_refused():
    with pytest.raises(ValueError, match="ties='drop': one of 'prune', 'keep' is expected"):
        reduced_error_cut(chain(1), [1, 0, 0], ties="drop")


def test_a_chain_of_5000_splits_keeps_what_saves_an_error():
    structure = chain(5000)
    errors = np.zeros(structure.n_nodes)
    errors[structure.inner] = np.maximum(2000 - np.arange(5000), 0)  # each split saves one, down to depth 2000
    assert nodes_of(reduced_error_cut(structure, errors)) == [*range(1, 4000, 2), 4000]
