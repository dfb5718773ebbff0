"""Error-based pruning: the limits against their definitions, the cut against the recursion."""

from math import inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm
from sklearn.datasets import make_classification
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import (
    chain,
    class_cases,
    cuts_of,
    literal_cut,
    nodes_of,
    random_tree,
    structure_of,
    training_errors,
    trees_with_counts,
)

from treeprune import ErrorBasedPruner, TreeStructure, added_errors, error_based_cut

LIMITS = ["c4.5", "weka", "exact"]
CONFIDENCES = [0.01, 0.1, 0.25, 0.4]


def c45_added(n, e, cf):
    """C4.5 release 8, one leaf at a time."""
    table = [(0, 4.0), (0.001, 3.09), (0.005, 2.58), (0.01, 2.33), (0.05, 1.65), (0.1, 1.28), (0.2, 0.84)]
    table += [(0.4, 0.25), (1.0, 0.0)]
    i = next(i for i in range(1, len(table)) if cf <= table[i][0])
    (p, zp), (q, zq) = table[i - 1], table[i]
    c = (zp + (zq - zp) * (cf - p) / (q - p)) ** 2
    if e < 1e-6:
        return n * (1 - cf ** (1 / n))
    if e < 0.9999:
        without = n * (1 - cf ** (1 / n))
        return without + e * (c45_added(n, 1, cf) - without)
    if e + 0.5 >= n:
        return 0.67 * (n - e)
    p = (e + 0.5 + c / 2 + sqrt(c * ((e + 0.5) * (1 - (e + 0.5) / n) + c / 4))) / (n + c)
    return n * p - e


@given(st.integers(1, 400), st.floats(0, 1), st.floats(1e-6, 0.999) | st.floats(1e-6, 0.01))
def test_the_limit_of_c45_is_that_of_its_release_8(n, share, cf):
    for e in (0.0, float(round(n * share)), n * share):
        assert added_errors(n, e, cf, "c4.5") == pytest.approx(c45_added(n, e, cf), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "e", "weka", "c45"),
    [
        (1, 0, 0.75, 0.75),
        (2, 0, 1, 1),
        (6, 0, 1.2378, 1.2378),
        (9, 0, 1.2848, 1.2848),
        (16, 1, 1.4757, 1.5069),
        (14, 5, 1.7611, 1.7950),
        (2, 1, 0.7915, 0.7962),
        (168, 2, 1.7998, 1.8417),
    ],
)
def test_limits_at_a_confidence_of_a_quarter(n, e, weka, c45):
    assert added_errors(n, e, 0.25, "weka") == pytest.approx(weka, abs=5e-5)
    assert added_errors(n, e, 0.25, "c4.5") == pytest.approx(c45, abs=5e-5)


@given(st.integers(1, 300), st.floats(0, 1), st.floats(0.001, 0.999))
def test_the_exact_limit_leaves_the_confidence_in_the_binomial_tail(n, share, cf):
    e = min(round(n * share), n - 1)
    rate = (e + added_errors(n, e, cf, "exact")) / n
    assert binom.cdf(e, n, rate) == pytest.approx(cf, rel=1e-8)
    assert added_errors(n, n, cf, "exact") == 0


def test_without_errors_all_limits_are_the_exact_one():
    n = np.arange(1, 200)
    exact = added_errors(n, np.zeros(199), 0.25, "exact")
    assert np.allclose(exact, n * (1 - np.exp(log(0.25) / n)), rtol=1e-12)
    for limit in LIMITS:
        assert np.allclose(added_errors(n, np.zeros(199), 0.25, limit), exact, rtol=1e-12)


def test_weka_is_a_score_interval_with_half_an_error_more():
    """Inverting the test of a proportion: (limit - (e + 0.5))^2 = z^2 n p (1 - p)."""
    n, e = np.array([10, 50, 100, 300]), np.array([2.0, 17, 30, 60])
    limit = e + added_errors(n, e, 0.25, "weka")
    p = limit / n
    assert np.allclose((limit - (e + 0.5)) / np.sqrt(n * p * (1 - p)), norm.isf(0.25), rtol=1e-12)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_smaller_confidence_adds_more(limit):
    n, e = np.array([3.0, 10, 100, 100]), np.array([0, 2.5, 0, 30.0])
    added = np.array([added_errors(n, e, cf, limit) for cf in (0.01, 0.05, 0.1, 0.25, 0.4)])
    assert (np.diff(added, axis=0) < 0).all()


def test_weka_adds_nothing_at_confidences_above_a_half():
    assert added_errors([5, 9], [0, 4], 0.500001, "weka").tolist() == [0, 0]
    assert (added_errors([5, 9], [0, 4], 0.5, "weka") > 0).all()


@pytest.mark.parametrize("limit", LIMITS)
def test_nodes_without_rows_have_no_errors(limit):
    assert added_errors([0, 4], [0, 1], 0.25, limit)[0] == 0


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_without_slack_the_cut_is_the_smallest_of_those_with_fewest_pessimistic_errors(limit, confidence):
    for structure, counts in class_cases(seed=1, n_cases=40, n_classes=2, most=15):
        errors, n = training_errors(counts), counts.sum(axis=1)
        pessimistic = (errors + added_errors(n, errors, confidence, limit)).tolist()
        scored = [(sum(pessimistic[t] for t in cut), len(cut), sorted(cut)) for cut in cuts_of(structure)]
        least = min(scored)[0]
        smallest = min((size, cut) for cost, size, cut in scored if cost <= least + 1e-9)[1]
        assert nodes_of(error_based_cut(structure, errors, n, confidence, limit, slack=0)) == smallest


@given(trees_with_counts(most=15), st.sampled_from(CONFIDENCES), st.sampled_from(LIMITS))
def test_with_the_slack_of_c45_the_cut_is_that_of_the_recursion(case, confidence, limit):
    structure, counts = case
    errors, n = training_errors(counts), counts.sum(axis=1)
    pessimistic = errors + added_errors(n, errors, confidence, limit)

    def goes(t, branch):
        return pessimistic[t] <= sum(pessimistic[leaf] for leaf in branch) + 0.1

    assert nodes_of(error_based_cut(structure, errors, n, confidence, limit)) == literal_cut(structure, goes)


def test_the_slack_is_given_at_every_node_anew():
    tree = structure_of((None, (None, None)))  # each merge costs 0.08 more than its parts
    n, e = [30, 10, 20, 10, 10], [3.16, 1, 2.08, 1, 1]
    costs = np.array(e) + added_errors(n, e)
    assert costs[2] - costs[3] - costs[4] < 0.1
    assert nodes_of(error_based_cut(tree, e, n, slack=inf)) == [0]
    assert nodes_of(error_based_cut(tree, e, n)) == [0]


def test_a_chain_of_5000_splits_is_replaced_from_its_end():
    structure = chain(5000)
    n = structure.sum_up(np.full(structure.n_nodes, 100.0))
    errors = np.zeros(structure.n_nodes)
    errors[structure.inner] = np.where(np.arange(5000) < 3000, 2e4, 0)
    assert nodes_of(error_based_cut(structure, errors, n)) == [*range(1, 6000, 2), 6000]


@pytest.mark.parametrize("confidence", [0, 1, -0.1, 25, float("nan"), "a quarter", None])
def test_a_confidence_outside_0_and_1_is_refused(confidence):
    for call in (lambda c: added_errors(1, 0, c), lambda c: ErrorBasedPruner(confidence=c).fit([[0], [1]], [0, 1])):
        with pytest.raises(ValueError, match=r"confidence=.*a number in \(0, 1\) is expected"):
            call(confidence)


def test_an_unknown_limit_is_refused():
    with pytest.raises(ValueError, match=r"limit='wald': one of 'c4\.5', 'weka', 'exact' is expected"):
        added_errors(1, 0, limit="wald")


@pytest.mark.parametrize(("n", "e"), [(-1, 0), (3, -0.5), (3, 4), ([3, 3], [1, 3.1])])
def test_errors_that_are_no_part_of_the_rows_are_refused(n, e):
    with pytest.raises(ValueError, match="errors must lie between 0 and the number of rows"):
        added_errors(n, e)


@pytest.mark.parametrize("limit", LIMITS)
def test_errors_above_the_rows_by_rounding_only_are_all_of_them(limit):
    assert 1.1 + 2.2 > 3.3
    assert added_errors(3.3, 1.1 + 2.2, 0.25, limit) == 0
    with pytest.raises(ValueError, match="errors must lie between 0 and the number of rows"):
        added_errors(3.3, 3.3 + 1e-7, 0.25, limit)


def test_the_pruner_counts_errors_of_the_growing_rows():
    X, y = make_classification(300, flip_y=0.3, random_state=0)
    pruner = ErrorBasedPruner(DecisionTreeClassifier(random_state=0), confidence=0.1).fit(X, y)
    reaches = pruner.grown_.decision_path(X).toarray().astype(bool).T
    u = [rows.sum() - np.bincount(y[rows]).max() for rows in reaches]
    u = [e + c45_added(rows.sum(), e, 0.1) for e, rows in zip(u, reaches, strict=True)]
    tree = pruner.grown_.tree_
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    assert nodes_of(pruner.cut_) == literal_cut(structure, lambda t, branch: u[t] <= sum(u[b] for b in branch) + 0.1)


def test_regression_trees_are_refused():
    with pytest.raises(ValueError, match="error-based pruning is defined for classification"):
        ErrorBasedPruner(DecisionTreeRegressor()).fit([[0.0], [1.0]], [0.0, 1.0])


def test_fractional_rows_are_accepted():
    structure = random_tree(np.random.default_rng(0), 6)
    n = structure.sum_up(np.full(structure.n_nodes, 0.3))
    assert error_based_cut(structure, 0.4 * n, n).sum() == 1
