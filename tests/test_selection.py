"""Selection rules, restated as a search through all levels in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treeprune.curve import GeneralizationCurve, LevelScores, join_curves
from treeprune.selection import fixed_size, minimum, one_standard_error, within_tolerance


def scores(test: Any, n_leaves: Any, error: Any = None, gap: Any = None) -> LevelScores:
    test, n_leaves = np.asarray(test, dtype=float), np.asarray(n_leaves, dtype=float)
    none = np.zeros(len(test))
    error, gap = (None if given is None else np.asarray(given, dtype=float) for given in (error, gap))
    return LevelScores(np.arange(len(test)), n_leaves, test, test, none, none, error, gap)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Test scores and errors in tenths, so that exact ties are common, and sizes in any order."""
    n = draw(st.integers(1, 8))
    column = st.lists(st.integers(0, 10), min_size=n, max_size=n)
    sizes = st.lists(st.integers(1, 12), min_size=n, max_size=n)
    return draw(column), draw(sizes), draw(column)


def smallest(sizes: list[int], allowed: Callable[[int], bool]) -> int:
    """Of the levels allowed the one of fewest leaves; the last one of those."""
    return min((size, -k) for k, size in enumerate(sizes) if allowed(k))[1] * -1


def tenths(numbers: list[int]) -> list[float]:
    return [number / 10 for number in numbers]


@given(tables())
def test_minimum_takes_the_fewest_leaves_of_the_best(table: tuple[list[int], list[int], list[int]]) -> None:
    test, sizes, _ = table
    expected = smallest(sizes, lambda k: test[k] == max(test))
    assert minimum(scores(tenths(test), sizes)) == expected


@given(tables())
def test_one_standard_error_takes_the_fewest_leaves_within_the_error_of_the_best(
    table: tuple[list[int], list[int], list[int]],
) -> None:
    test, sizes, error = table
    best = smallest(sizes, lambda k: test[k] == max(test))
    expected = smallest(sizes, lambda k: test[k] >= test[best] - error[best])
    assert one_standard_error(scores(tenths(test), sizes, tenths(error))) == expected


@given(tables())
def test_one_standard_error_of_pairs_compares_every_level_by_its_own_gap(
    table: tuple[list[int], list[int], list[int]],
) -> None:
    test, sizes, gap = table
    expected = smallest(sizes, lambda k: test[k] >= max(test) - gap[k])
    assert one_standard_error(scores(tenths(test), sizes, tenths(test), tenths(gap))) == expected


@given(tables(), st.integers(0, 10))
def test_within_tolerance_takes_the_fewest_leaves_that_lose_no_more(
    table: tuple[list[int], list[int], list[int]], tolerance: int
) -> None:
    test, sizes, _ = table
    expected = smallest(sizes, lambda k: max(test) - test[k] <= tolerance)
    assert within_tolerance(scores(tenths(test), sizes), tolerance / 10) == expected


@given(tables(), st.integers(1, 12))
def test_fixed_size_takes_the_best_of_those_small_enough(
    table: tuple[list[int], list[int], list[int]], n_leaves: int
) -> None:
    test, sizes, _ = table
    small = [k for k, size in enumerate(sizes) if size <= n_leaves]
    if not small:
        with pytest.raises(ValueError, match=rf"n_leaves={n_leaves}: the smallest pruning has {min(sizes)} leaves"):
            fixed_size(scores(tenths(test), sizes), n_leaves)
        return
    best = max(test[k] for k in small)
    expected = smallest(sizes, lambda k: k in small and test[k] == best)
    assert fixed_size(scores(tenths(test), sizes), n_leaves) == expected


def test_scores_that_differ_by_rounding_tie() -> None:
    third = float(Fraction(1, 3))
    almost = scores([third, np.nextafter(third, 0), 0.1], [9, 4, 1])
    assert minimum(almost) == 1
    assert fixed_size(almost, 9) == 1
    assert within_tolerance(scores([0.8, 0.7], [2, 1]), 0.1) == 1  # 0.8 - 0.1 > 0.7 in floats
    assert one_standard_error(scores([0.8, 0.7], [2, 1], [0.1, 0.1])) == 1


def test_negative_scores_tie_like_others() -> None:
    loss = scores([-3.0, -3.0, -3.1], [4, 2, 1])
    assert minimum(loss) == 1
    assert within_tolerance(loss, 0.2) == 2


def test_without_a_standard_error_there_is_no_rule_of_one() -> None:
    with pytest.raises(ValueError, match="one_standard_error needs a standard error"):
        one_standard_error(scores([0.5, 0.4], [2, 1]))


@pytest.mark.parametrize("rule", [minimum, within_tolerance, lambda s: fixed_size(s, 2), one_standard_error])
def test_a_score_that_is_no_number_is_refused(rule: Callable[[Any], int]) -> None:
    with pytest.raises(ValueError, match=r"test score of level 1 is nan"):
        rule(scores([0.5, np.nan], [2, 1], [0.1, 0.1]))


@pytest.mark.parametrize("tolerance", [-0.1, np.nan, "0.1", None, True])
def test_a_tolerance_is_a_number_not_negative(tolerance: Any) -> None:
    with pytest.raises(ValueError, match="tolerance="):
        within_tolerance(scores([0.5], [1]), tolerance)


@pytest.mark.parametrize("n_leaves", [0, -1, 2.5, None, True])
def test_a_size_is_a_whole_number_of_leaves(n_leaves: Any) -> None:
    with pytest.raises(ValueError, match="n_leaves"):
        fixed_size(scores([0.5], [1]), n_leaves)


def curve(test: list[float]) -> GeneralizationCurve:
    n = len(test)
    return GeneralizationCurve(
        "cost_complexity",
        "alpha",
        "accuracy",
        True,
        "statistics",
        "from",
        np.zeros(n, dtype=np.intp),
        np.arange(n),
        np.arange(n, dtype=float),
        np.arange(n, 0, -1),
        np.ones(n),
        np.array(test),
    )


def test_curves_are_read_by_their_summary() -> None:
    one, other = curve([0.7, 0.9, 0.6]), curve([0.9, 0.8, 0.6])
    joined = join_curves([one, other])
    assert minimum(one) == 1
    assert fixed_size(one, 1) == 2
    assert minimum(joined) == 1  # means 0.8, 0.85, 0.6
    assert within_tolerance(joined, 0.24) == 1
    assert within_tolerance(joined, 0.26) == 2
    assert one_standard_error(joined) == minimum(joined)  # error 0.05 of the best
    with pytest.raises(ValueError, match="one repeat \\(a single split\\) has none"):
        one_standard_error(one)
