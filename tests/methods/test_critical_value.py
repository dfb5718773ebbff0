"""Critical-value pruning against its definition, and its measures against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, entropy
from sklearn.datasets import make_classification, make_regression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import (
    chain,
    children,
    class_cases,
    leaves_below,
    literal_cut,
    nodes_below,
    nodes_of,
    structure_of,
    trees_with_costs,
)

from treeprune import CriticalValuePruner, TreeStructure, critical_value_path, cut_at
from treeprune.tree.methods.critical_value import chi2, gain_ratio


def survivors(structure, goodness, v):
    """A node survives v iff it or some inner node below it reaches v."""

    def goes(t, _):
        return not any(goodness[u] >= v for u in nodes_below(structure, t) if children(structure, u))

    return literal_cut(structure, goes)


@given(trees_with_costs(most=6), st.integers(1, 12))
def test_a_branch_stays_if_some_split_in_it_reaches_the_critical_value(case, halves):
    structure, goodness = case
    path = critical_value_path(structure, goodness)
    v = halves / 2
    cut = cut_at(structure, path.removed_at, int(path.levels_at(v)))
    assert nodes_of(cut) == survivors(structure, goodness, v)


@given(trees_with_costs(most=6))
def test_a_critical_value_of_zero_prunes_nothing(case):
    structure, goodness = case
    path = critical_value_path(structure, goodness)
    assert path.levels_at(0.0) == 0
    assert nodes_of(cut_at(structure, path.removed_at, 0)) == sorted(leaves_below(structure, 0))


@given(trees_with_costs(most=6))
def test_prices_are_the_goodness_of_the_best_splits_and_rise(case):
    structure, goodness = case
    path = critical_value_path(structure, goodness)
    assert (np.diff(path.price[1:]) > 0).all()
    for k in range(1, path.n_levels):
        above = cut_at(structure, path.removed_at, k)
        assert nodes_of(above) == survivors(structure, goodness, np.nextafter(path.price[k], np.inf))


def test_negative_goodness_counts_as_none():
    tree = structure_of(((None, None), None))
    path = critical_value_path(tree, [0.5, -3.0, 9, 9, 9])
    assert path.price.tolist() == [0.0, 0.0, 0.5]


def test_a_chain_of_5000_splits_is_held_up_by_its_last():
    structure = chain(5000)
    goodness = np.zeros(structure.n_nodes)
    goodness[structure.inner] = 0.1
    goodness[structure.inner[-1]] = 0.2
    path = critical_value_path(structure, goodness)
    assert path.price.tolist() == [0.0, 0.2]
    goodness[structure.inner[-1]] = 0.05
    assert critical_value_path(structure, goodness).price.tolist() == [0.0, 0.05, 0.1]


def test_chi_square_is_the_statistic_of_the_table_of_children_by_classes():
    for structure, counts in class_cases(seed=1, n_cases=60, most=9):
        ours = chi2(structure, counts)
        for t in range(structure.n_nodes):
            table = np.zeros((2, 0))
            if pair := children(structure, t):
                table = counts[list(pair)]
                table = table[:, table.sum(axis=0) > 0]
            filled = table.size and (table.sum(axis=1) > 0).all()
            expected = chi2_contingency(table, correction=False).statistic if filled else 0
            assert ours[t] == pytest.approx(expected, abs=1e-10)


def test_gain_ratio_is_information_gained_over_information_in_the_split():
    for structure, counts in class_cases(seed=2, n_cases=60, most=9):
        ours = gain_ratio(structure, counts)
        for t in range(structure.n_nodes):
            assert ours[t] == pytest.approx(_quinlan(counts, t, children(structure, t)), abs=1e-10)


def _quinlan(counts, t, pair):
    if pair is None or not counts[t].sum() or any(counts[child].sum() in (0, counts[t].sum()) for child in pair):
        return 0.0
    n = counts[list(pair)].sum(axis=1)
    within = sum(n_child * entropy(counts[c], base=2) for c, n_child in zip(pair, n, strict=True)) / n.sum()
    return (entropy(counts[t], base=2) - within) / entropy(n, base=2)


@pytest.mark.parametrize("model", [DecisionTreeClassifier, DecisionTreeRegressor])
def test_by_default_a_split_is_worth_the_impurity_it_takes_from_its_own_rows(model):
    make = make_classification if model is DecisionTreeClassifier else make_regression
    X, y = make(200, random_state=0)
    pruner = CriticalValuePruner(model(random_state=0, min_samples_leaf=3)).fit(X, y)
    tree = pruner.grown_.tree_
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    n, impurity = tree.n_node_samples, tree.impurity
    goodness = np.zeros(structure.n_nodes)
    for t in structure.inner:
        left, right = children(structure, t)
        goodness[t] = impurity[t] - (n[left] * impurity[left] + n[right] * impurity[right]) / n[t]
    for v in np.quantile(goodness[structure.inner], [0.2, 0.6, 0.95]) * 1.000001:
        pruner.set_params(critical_value=v).prune()
        assert nodes_of(pruner.cut_) == survivors(structure, goodness, v)


@pytest.mark.parametrize(("goodness", "measure"), [("chi2", chi2), ("gain_ratio", gain_ratio)])
def test_other_measures_are_taken_from_the_class_counts(goodness, measure):
    X, y = make_classification(200, flip_y=0.2, random_state=0)
    pruner = CriticalValuePruner(DecisionTreeClassifier(random_state=0), goodness=goodness).fit(X, y)
    reaches = pruner.grown_.decision_path(X).toarray().astype(bool).T
    counts = np.array([np.bincount(y[rows], minlength=2) for rows in reaches])
    tree = pruner.grown_.tree_
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    expected = critical_value_path(structure, measure(structure, counts))
    assert np.array_equal(pruner.path_.removed_at, expected.removed_at)
    assert np.allclose(pruner.path_.price, expected.price)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"critical_value": -1}, "critical_value=-1 is out of range"),
        ({"goodness": "gini"}, "goodness='gini': one of 'impurity_decrease', 'gain_ratio', 'chi2'"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        CriticalValuePruner(**parameters).fit([[0.0], [1.0]], [0, 1])


def test_class_measures_are_refused_for_regression():
    with pytest.raises(ValueError, match="goodness='chi2' is defined for classification"):
        CriticalValuePruner(DecisionTreeRegressor(), goodness="chi2").fit([[0.0], [1.0]], [0.0, 1.0])
