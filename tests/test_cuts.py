"""Cuts and families of cuts, against all cuts of small trees written out."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trees import (
    chain,
    costs,
    cut_matrix,
    cuts_of,
    leaves_below,
    literal_cut,
    nodes_below,
    nodes_of,
    random_tree,
    smallest_best,
    structure_of,
    structures,
    trees_with_costs,
)

import treeprune as tp
from treeprune import (
    PruningCuts,
    PruningPath,
    bottom_up,
    check_cut,
    critical_value_path,
    cut_at,
    max_leaf_nodes_path,
    optimal_cut,
    path_sums,
    topmost,
)
from treeprune.tree.cuts import covering, path_from_prices

TREE = structure_of((None, (None, None)))  # 0 -> 1, 2; 2 -> 3, 4


@given(trees_with_costs())
def test_the_optimal_cut_is_the_smallest_among_the_cheapest_of_all_cuts(case):
    structure, cost = case
    assert nodes_of(optimal_cut(structure, cost)) == smallest_best(structure, cost.tolist())


@given(trees_with_costs(), st.integers(0, 5))
def test_a_split_cost_charges_every_split_that_is_kept(case, price):
    structure, cost = case
    expected = smallest_best(structure, cost.tolist(), price)  # a cut of L leaves keeps L - 1 splits
    assert nodes_of(optimal_cut(structure, cost, split_cost=price)) == expected
    assert nodes_of(optimal_cut(structure, cost, split_cost=np.full(len(cost), price))) == expected


@given(trees_with_costs(), st.integers(-4, 4))
def test_a_slack_is_allowed_at_each_node_as_the_recursion_says(case, quarters):
    structure, cost = case
    slack = quarters / 4

    def goes(t, branch):
        return cost[t] <= sum(cost[leaf] for leaf in branch) + slack

    assert nodes_of(optimal_cut(structure, cost, slack=slack)) == literal_cut(structure, goes)


def test_costs_that_differ_by_rounding_only_tie():
    cost = [0.3, 0.1, 0.2, 0.1, 0.1]
    assert 0.1 + 0.2 != 0.3
    assert nodes_of(optimal_cut(TREE, cost)) == [0]
    assert nodes_of(optimal_cut(TREE, [0.3 + 1e-9, *cost[1:]])) == [1, 2]


@given(structures(), st.data())
def test_bottom_up_asks_children_first_and_cuts_at_the_highest_yes(structure, data):
    n = structure.n_nodes
    yes = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    expected = literal_cut(structure, lambda t, _: bool(yes[t]))
    asked = np.zeros(n, dtype=bool)

    def decide(t, left, right):
        assert np.all(asked[left] | structure.is_leaf[left])
        assert np.all(asked[right] | structure.is_leaf[right])
        asked[t] = True
        return yes[t]

    assert nodes_of(bottom_up(structure, decide)) == expected
    assert nodes_of(topmost(structure, yes)) == expected


@given(structures())
def test_every_cut_and_nothing_else_passes_the_check(structure):
    cuts = {cut.tobytes() for cut in cut_matrix(structure)}
    if structure.n_nodes > 9:  # 2^n subsets
        return
    for number in range(2**structure.n_nodes):
        subset = np.array([number >> t & 1 for t in range(structure.n_nodes)], dtype=bool)
        if subset.tobytes() in cuts:
            assert check_cut(structure, subset) is subset
        else:
            with pytest.raises(ValueError, match="not a cut: the way from the root to leaf"):
                check_cut(structure, subset)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ([False, False, True, False, False], "leaf 1 meets it 0 times, not once"),
        ([False, True, True, True, False], "leaf 3 meets it 2 times, not once"),
        ([0, 1, 1, 0, 0], r"one boolean a node, shape \(5,\); got int64 of shape \(5,\)"),
        ([False, True, True], r"got bool of shape \(3,\)"),
    ],
)
def test_what_is_no_cut_is_refused_with_the_reason(cut, message):
    with pytest.raises(ValueError, match=message):
        check_cut(TREE, cut)


@given(structures(), st.data())
def test_every_node_is_covered_by_the_one_node_of_the_cut_above_it(structure, data):
    cut = data.draw(st.sampled_from(list(cut_matrix(structure))))
    cover = covering(structure, cut)
    expected = np.full(structure.n_nodes, -1)
    for t in np.flatnonzero(cut):
        expected[nodes_below(structure, t)] = t
    assert cover.tolist() == expected.tolist()


@st.composite
def families(draw):
    """Draw a nested family: levels rise with the levels below, and none is empty."""
    structure = draw(structures())
    removed_at = np.zeros(structure.n_nodes, dtype=int)
    for t in structure.inner[::-1]:
        below = max(removed_at[structure.children_left[t]], removed_at[structure.children_right[t]])
        removed_at[t] = max(1, below + draw(st.integers(0, 2)))
    used = np.unique(removed_at)
    return structure, np.searchsorted(used, removed_at)


@given(families(), st.data())
def test_sums_over_all_levels_are_the_sums_over_each_cut(family, data):
    structure, removed_at = family
    values = data.draw(costs(structure))
    sums = path_sums(structure, removed_at, values)
    table = path_sums(structure, removed_at, np.stack([values, 2 * values], axis=1))
    assert sums.dtype == values.dtype
    assert len(sums) == removed_at[0] + 1
    for level, total in enumerate(sums):
        cut = cut_at(structure, removed_at, level)
        check_cut(structure, cut)
        assert total == values[cut].sum()
        assert table[level].tolist() == [total, 2 * total]


@given(families())
def test_a_level_prunes_exactly_the_nodes_that_have_gone_by_then(family):
    structure, removed_at = family
    for level in range(removed_at[0] + 1):
        expected = literal_cut(structure, lambda t, _, level=level: removed_at[t] <= level)
        assert nodes_of(cut_at(structure, removed_at, level)) == expected
    assert nodes_of(cut_at(structure, removed_at, 0)) == sorted(leaves_below(structure, 0))
    assert nodes_of(cut_at(structure, removed_at, removed_at[0])) == [0]


def test_float_sums_are_those_of_each_cut_to_rounding():
    rng = np.random.default_rng(5)
    structure = random_tree(rng, 80)
    path = path_from_prices(structure, 1.0 + structure.sum_up(structure.is_leaf), "size")
    values = rng.random(structure.n_nodes)
    sums = path_sums(structure, path.removed_at, values)
    expected = [values[cut_at(structure, path.removed_at, k)].sum() for k in range(path.n_levels)]
    assert np.allclose(sums, expected, rtol=1e-13)


@pytest.mark.parametrize("level", [-1, 3])
def test_a_level_that_does_not_exist_is_refused(level):
    with pytest.raises(ValueError, match=rf"level {level} does not exist: levels run from 0 \(grown\) to 2"):
        cut_at(TREE, [2, 0, 1, 0, 0], level)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, 3], r"node_values must have one entry for each of the 5 nodes, got shape \(3,\)"),
        (7, r"got shape \(\)"),
        ([1, 2, np.nan, 0, 0], "node_values is NaN at node 2"),
        ([True, False, True, False, False], "must be numbers, got booleans"),
    ],
)
def test_values_that_do_not_fit_the_tree_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        path_sums(TREE, [2, 0, 1, 0, 0], values)


def test_prices_that_differ_by_rounding_only_are_one_level():
    structure = structure_of(((None, None), (None, None)))  # 0 -> 1, 4
    price = np.array([0.9, 0.1 + 0.2, 0, 0, 0.3, 0, 0])
    path = path_from_prices(structure, price, "any")
    assert path.price.tolist() == [0.0, 0.3, 0.9]
    assert path.removed_at.tolist() == [2, 1, 0, 0, 1, 0, 0]
    assert path.n_leaves.tolist() == [4, 2, 1]


def test_a_single_node_is_a_family_of_one():
    path = path_from_prices(structure_of(None), np.array([np.inf]), "any")
    assert path.n_levels == 1
    assert path.n_leaves.tolist() == [1]
    assert path.levels_at([0, 5]).tolist() == [0, 0]
    assert path.representative_prices().tolist() == [np.inf]


def _level_by_scan(path, value):
    """Read the docstring aloud: the last level whose price lets it hold, or the first."""
    if path.holds == "up_to":
        small_enough = [k for k, p in enumerate(path.price) if p <= value]
        return small_enough[0] if small_enough else path.n_levels - 1
    good = [k for k, p in enumerate(path.price) if (value >= p if path.holds == "from" else value > p)]
    return max(good, default=0)


@pytest.mark.parametrize("holds", ["from", "above", "up_to"])
@pytest.mark.parametrize("price", [[0.0], [0.0, 0.0, 0.5], [0.0, 0.25, 0.25, 2.0, 7.5]])
def test_the_level_of_a_price_is_the_last_one_that_holds(holds, price):
    prices = np.array(price[::-1] if holds == "up_to" else price)
    path = PruningPath("any", np.array([len(price) - 1]), prices, np.arange(len(price), 0, -1), holds)
    asked = [-1.0, 0.0, 0.1, 0.25, 0.5, 2.0, 3.0, 7.5, np.inf]
    if holds == "up_to":
        asked = [a for a in asked if a not in (0.25,)]  # equal depths do not occur
    assert path.levels_at(asked).tolist() == [_level_by_scan(path, a) for a in asked]
    assert [int(path.levels_at(a)) for a in asked] == path.levels_at(asked).tolist()


def test_a_price_that_is_no_number_is_refused():
    path = PruningPath("any", np.array([0]), np.array([0.0]), np.array([1]))
    with pytest.raises(ValueError, match="price is NaN"):
        path.levels_at([0.1, np.nan])


def test_representative_prices_lie_inside_their_levels():
    price = np.array([0.0, 1.0, 4.0, 9.0])
    path = PruningPath("any", np.array([3]), price, np.array([4, 3, 2, 1]))
    assert path.representative_prices().tolist() == [0.5, 2.0, 6.0, np.inf]
    assert path.levels_at(path.representative_prices()).tolist() == [0, 1, 2, 3]


def test_levels_of_price_zero_share_the_first_interval():
    path = PruningPath("any", np.array([2]), np.array([0.0, 0.0, 4.0]), np.array([3, 2, 1]))
    assert path.representative_prices().tolist() == [-1.0, 2.0, np.inf]
    assert path.levels_at(path.representative_prices()).tolist() == [0, 1, 2]


def test_whole_number_prices_stand_for_themselves():
    path = PruningPath("any", np.array([2]), np.array([2.0, 1.0, 0.0]), np.array([3, 2, 1]), "up_to")
    assert path.representative_prices().tolist() == [2.0, 1.0, 0.0]


def test_extreme_prices_have_a_finite_middle():
    path = PruningPath("any", np.array([2]), np.array([0.0, 1e200, 1e300]), np.array([3, 2, 1]))
    assert path.representative_prices()[1] == pytest.approx(1e250)


def test_families_that_are_not_nested_count_the_leaves_of_each_cut():
    cuts = PruningCuts("any", "m", np.array([1.0, 2.0]), np.array([[0, 1, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=bool))
    assert cuts.n_leaves.tolist() == [2, 1]
    assert cuts.n_levels == 2


def test_the_optimal_cut_of_a_chain_of_5000_splits_is_found_without_recursion():
    structure = chain(5000)
    cost = np.zeros(structure.n_nodes)
    cost[1::2] = 1  # every side leaf costs 1, the last leaf 1, every inner node 2 more than its depth is worth
    cost[structure.inner] = np.arange(5001, 1, -1) + np.where(np.arange(5000) < 4000, 0.5, 0.0)
    cost[10000] = 1
    # below depth 4000 an inner node costs as much as its leaves and ties prune; above it costs more
    assert nodes_of(optimal_cut(structure, cost)) == [*range(1, 8000, 2), 8000]


def test_the_reference_itself_knows_how_many_cuts_there_are():
    full = structure_of((((None, None), (None, None)), ((None, None), (None, None))))
    assert len(cuts_of(full)) == 26  # c(d) = 1 + c(d - 1)^2
    assert len(set(cuts_of(full))) == 26
    assert smallest_best(TREE, [Fraction(3), 1, 2, 1, 1]) == [0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"leaf_cost": [9, np.inf, 1, 0, 0]}, "leaf_cost is inf at node 1: finite numbers are expected"),
        ({"leaf_cost": [9, 1, np.nan, 0, 0]}, "leaf_cost is nan at node 2"),
        ({"leaf_cost": list("abcde")}, "leaf_cost must be numbers"),
        ({"leaf_cost": [9, 1, 1, 0, 0], "split_cost": [0, 0, -np.inf, 0, 0]}, "split_cost is -inf at node 2"),
        ({"leaf_cost": [9, 1, 1, 0, 0], "split_cost": [0, 0]}, "split_cost must have one entry for each of the 5"),
        ({"leaf_cost": [9, 1, 1, 0, 0], "slack": np.nan}, "slack=nan: a number"),
    ],
)
def test_costs_that_no_sum_survives_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        optimal_cut(TREE, **given)


@pytest.mark.parametrize("make", [critical_value_path, max_leaf_nodes_path])
def test_what_stands_at_leaves_is_not_read_where_splits_are_judged(make):
    goodness = np.array([3.0, np.nan, 2.0, np.inf, -np.inf])
    path = make(TREE, goodness)
    assert np.array_equal(path.removed_at, make(TREE, [3, 0, 2, 0, 0]).removed_at)
    assert np.isnan(goodness[1]), "the array given was changed"
    with pytest.raises(ValueError, match="is nan at node 2"):
        make(TREE, [3, 0, np.nan, 0, 0])


STUMP = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: tp.minimum_error_cut(STUMP, [[8, -2], [7, -1], [1, -1]]),
            "class_counts is .* at node 0",
        ),
        (lambda: tp.minimum_error_cut(STUMP, [[0, 0]] * 3), "class_counts is 0 for all classes at the root"),
        (lambda: tp.minimum_error_cut(STUMP, [1, 2, 3]), r"class_counts has shape \(3,\): an array of 2 or 3 dim"),
        (lambda: tp.minimum_squared_error_cut(STUMP, [9, 1, 1], [-2, 1, 1]), "n_rows is -2.0 at node 0"),
        (lambda: tp.minimum_squared_error_cut(STUMP, [9, 1, 1], [0, 1, 1]), "n_rows is 0 at the root"),
        (lambda: tp.pessimistic_error_cut(STUMP, [-3, 1, 0], [20, 10, 10]), "errors is -3.0 at node 0"),
        (lambda: tp.pessimistic_error_cut(STUMP, [3, 1, 0], [-20, 10, 10]), "n_rows is -20.0 at node 0"),
        (lambda: tp.added_errors(np.nan, np.nan), "errors must lie between 0 and the number of rows"),
        (lambda: tp.cost_complexity_path(STUMP, np.ones((3, 2))), r"risk has shape \(3, 2\): an array of 1 dim"),
        (lambda: tp.reduced_error_cut(STUMP, np.ones((3, 2))), r"holdout_cost has shape \(3, 2\)"),
    ],
)
def test_numbers_that_no_rows_can_have_are_named(act, message):
    with pytest.raises(ValueError, match=message):
        act()


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_numbers_below_what_they_can_be_by_rounding_only_pass(unit):
    """Sums of weights that cancel leave crumbs on either side of 0, to the scale of the largest."""
    crumbs, too_much = (unit * np.array([30.0, 20, share * 30]) for share in (-0.9e-9, -1.1e-9))
    assert nodes_of(tp.pessimistic_error_cut(STUMP, [0, 0, 0], crumbs)) == [0]
    with pytest.raises(ValueError, match=r"n_rows is .* at node 2: it cannot be below 0"):
        tp.pessimistic_error_cut(STUMP, [0, 0, 0], too_much)
