"""Many small random trees: every method against an exact reference, without one difference.

The reference knows all cuts of every shape with up to eight leaves as a 0-1 matrix, so that a tree
costs one product of integers.  TREEPRUNE_TREES sets how many trees the long run takes.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from math import lcm
from multiprocessing import get_context

import numpy as np
import pytest
from trees import all_shapes, children, cut_matrix, nodes_below, random_order, structure_of

from treeprune import (
    cost_complexity_path,
    cut_at,
    minimum_error_cut,
    optimal_cut,
    optimal_cut_of_size,
    optimal_cuts,
    reduced_error_cut,
)

MOST_LEAVES = 8
BATCH = 2_000


class Reference:
    """All cuts of one tree, and the exact answers that follow from them."""

    def __init__(self, structure):
        cuts = cut_matrix(structure)
        cuts = cuts[np.argsort(cuts.sum(axis=1), kind="stable")]
        self.structure = structure
        self.cuts = cuts
        self.as_numbers = cuts.astype(np.int64)
        self.sizes = self.as_numbers.sum(axis=1)
        self.first_of_size = np.searchsorted(self.sizes, np.arange(1, structure.n_leaves + 1))
        upward = [t for t in reversed(nodes_below(structure, 0)) if children(structure, t)]
        self.upward = [(t, *children(structure, t)) for t in upward]
        self.leaves = np.flatnonzero(structure.is_leaf)

    def smallest_best(self, cost, numerator=0, denominator=1):
        """Cut of least cost at a price of a leaf, then of fewest leaves, in whole numbers."""
        key = denominator * (self.as_numbers @ cost) + numerator * self.sizes
        return self.cuts[np.argmin(key)]  # the first of equals is the smallest

    def least_costs(self, cost):
        """Least cost with 1, 2, ... leaves."""
        return np.minimum.reduceat(self.as_numbers @ cost, self.first_of_size)

    def sums(self, leaf_counts):
        """Sums over the leaves below, in plain integers."""
        total = leaf_counts.copy()
        for t, left, right in self.upward:
            total[t] = total[left] + total[right]
        return total

    def minimum_error(self, counts, m):
        """Recursion on integers: all expected errors times one common denominator."""
        rows = counts.tolist()
        n = [sum(row) for row in rows]
        common = lcm(*(n_t + m for n_t in n if n_t + m))
        cost = [0] * len(n)
        for t, row in enumerate(rows):
            if n[t]:
                least = min(n[0] * (n[t] - c) + (n[0] - c_0) * m for c, c_0 in zip(row, rows[0], strict=True))
                cost[t] = n[t] * least * (common // (n[t] + m))
        keeps = {}
        for t, left, right in self.upward:
            keeps[t] = cost[left] + cost[right] < cost[t]
            if keeps[t]:
                cost[t] = cost[left] + cost[right]
        cut, waiting = np.zeros(len(n), dtype=bool), [0]
        while waiting:
            t = waiting.pop()
            if keeps.get(t):
                waiting += children(self.structure, t)
            else:
                cut[t] = True
        return cut


@cache
def references():
    """Every shape three times, with its ids in different orders."""
    rng = np.random.default_rng(0)
    return [
        Reference(structure_of(shape, random_order(rng, 2 * n_leaves - 1)))
        for n_leaves in range(1, MOST_LEAVES + 1)
        for shape in all_shapes(n_leaves)
        for _ in range(3)
    ]


def differences(seed_and_trees):
    """Prune a batch of random trees by every method; name the methods that differ from the reference."""
    seed, n_trees = seed_and_trees
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n_trees):
        known = references()[rng.integers(len(references()))]
        most = int(rng.integers(1, 12))
        counts = rng.integers(0, most + 1, (known.structure.n_nodes, int(rng.integers(2, 5))))
        counts[known.leaves[0], 0] += 1
        found += [f"{name}, seed {seed}" for name in _wrong(rng, known, known.sums(counts), most)]
    return found


def _wrong(rng, known, counts, most):
    structure = known.structure
    errors = counts.sum(axis=1) - counts.max(axis=1)
    cost = rng.integers(0, most + 1, structure.n_nodes)  # as held-out rows give it: a split may cost
    weighted = cost / 8  # exact in binary
    expected = known.smallest_best(cost)
    if not np.array_equal(reduced_error_cut(structure, cost), expected):
        yield "reduced_error"
    if not np.array_equal(optimal_cut(structure, weighted), expected):
        yield "optimal_cut with weights"
    yield from _wrong_cost_complexity(rng, known, errors)
    m = int(rng.integers(0, 20))
    if not np.array_equal(minimum_error_cut(structure, counts, m), known.minimum_error(counts, m)):
        yield f"minimum_error at m={m}"
    yield from _wrong_optimal(rng, known, cost)


def _wrong_cost_complexity(rng, known, risk):
    """At a random price, at every price of the path itself (where links tie), and at zero."""
    path = cost_complexity_path(known.structure, risk)
    numerator, denominator = int(rng.integers(0, 30)), int(rng.integers(1, 12))
    level = int(path.levels_at(numerator / denominator))
    cut = cut_at(known.structure, path.removed_at, level)
    if not np.array_equal(cut, known.smallest_best(risk, numerator, denominator)):
        yield f"cost_complexity at {numerator}/{denominator}"
    below = risk[known.structure.is_leaf].sum(), known.structure.n_leaves
    for k in range(1, path.n_levels):
        cut = cut_at(known.structure, path.removed_at, k)
        here = risk[cut].sum(), int(cut.sum())
        lost, saved = int(here[0] - below[0]), int(below[1] - here[1])
        if path.price[k] != lost / saved:
            yield f"cost_complexity: price of level {k}"
        if not np.array_equal(cut, known.smallest_best(risk, lost, saved)):
            yield f"cost_complexity at its own {lost}/{saved}"
        below = here


def _wrong_optimal(rng, known, cost):
    least = known.least_costs(cost)
    cuts = optimal_cuts(known.structure, cost).cuts
    sizes = np.arange(len(least), 0, -1)
    if not (np.array_equal(cuts.sum(axis=1), sizes) and np.array_equal(cuts @ cost, least[sizes - 1])):
        yield "optimal by size"
    most = int(rng.integers(1, MOST_LEAVES + 1))
    cut = optimal_cut_of_size(known.structure, cost, most)
    if cut.sum() != 1 + np.argmin(least[:most]) or cost[cut].sum() != least[:most].min():
        yield f"optimal with at most {most} leaves"


def test_two_thousand_random_trees_are_pruned_as_the_exact_reference_says():
    assert differences((0, 2_000)) == []


def test_the_reference_knows_every_shape_and_sees_a_wrong_answer():
    assert len(references()) == 3 * (1 + 1 + 2 + 5 + 14 + 42 + 132 + 429)
    known = references()[-1]
    cost = np.where(known.structure.is_leaf, 1, 2)
    assert known.smallest_best(cost)[0]
    cost[0] = 100
    assert not known.smallest_best(cost)[0]


@pytest.mark.slow
def test_a_million_random_trees_are_pruned_as_the_exact_reference_says():
    n_trees = int(os.environ.get("TREEPRUNE_TREES", "1_000_000"))
    batches = [(1 + k, min(BATCH, n_trees - k * BATCH)) for k in range(-(-n_trees // BATCH))]
    workers = min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = [name for batch in pool.map(differences, batches) for name in batch]
    assert found == []
