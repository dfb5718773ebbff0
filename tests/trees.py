"""Small trees to prune by hand, and the slow, literal answers that the package is compared with.

Nothing here uses the sweeps, cuts or paths of the package: a tree is walked by plain recursion over
its two arrays of children, and its cuts are written out one by one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from treeprune import TreeStructure

Shape = Any  # None for a leaf, a pair of shapes for an inner node
Cost = int | float | Fraction


def structure_of(shape: Shape, order: list[int] | None = None) -> TreeStructure:
    """Build a nested pair of pairs; ``order`` renames the preorder ids (the root must stay 0)."""
    left: list[int] = []
    right: list[int] = []

    def add(part: Shape) -> int:
        t = len(left)
        left.append(-1)
        right.append(-1)
        if part is not None:
            left[t], right[t] = add(part[0]), add(part[1])
        return t

    add(shape)
    new = list(range(len(left))) if order is None else order
    children = np.full((2, len(left)), -1)
    for t, pair in enumerate(zip(left, right, strict=True)):
        for side in (0, 1):
            children[side, new[t]] = -1 if pair[side] < 0 else new[pair[side]]
    return TreeStructure.from_arrays(*children)


def chain(depth: int) -> TreeStructure:
    """Build the deepest tree: every right child is split, every left child is a leaf."""
    left, right = np.full((2, 2 * depth + 1), -1)
    left[0 : 2 * depth : 2] = np.arange(1, 2 * depth, 2)
    right[0 : 2 * depth : 2] = np.arange(2, 2 * depth + 1, 2)
    return TreeStructure.from_arrays(left, right)


def calls_made(do: Callable[[], object]) -> int:
    """Count the functions called meanwhile, Python's and C's: work that no clock blurs."""
    n = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal n
        n += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(before)
    return n


def all_shapes(n_leaves: int) -> Iterator[Shape]:
    """Yield every binary tree with so many leaves: 1, 1, 2, 5, 14, 42, 132, 429, ... of them."""
    if n_leaves == 1:
        yield None
    for n_left in range(1, n_leaves):
        yield from product(list(all_shapes(n_left)), list(all_shapes(n_leaves - n_left)))


def random_shape(rng: np.random.Generator, n_leaves: int) -> Shape:
    """Share the leaves out at random, all the way down."""
    if n_leaves == 1:
        return None
    n_left = int(rng.integers(1, n_leaves))
    return random_shape(rng, n_left), random_shape(rng, n_leaves - n_left)


def random_order(rng: np.random.Generator, n_nodes: int) -> list[int]:
    """Draw new ids for the nodes, 0 for the root."""
    return [0, *(1 + rng.permutation(n_nodes - 1)).tolist()]


def random_tree(rng: np.random.Generator, n_leaves: int) -> TreeStructure:
    """Draw a tree whose ids come in any order."""
    return structure_of(random_shape(rng, n_leaves), random_order(rng, 2 * n_leaves - 1))


def children(structure: TreeStructure, t: int) -> tuple[int, int] | None:
    """Return the children of a node, None of a leaf."""
    left, right = int(structure.children_left[t]), int(structure.children_right[t])
    return None if left < 0 else (left, right)


def leaves_below(structure: TreeStructure, t: int) -> list[int]:
    """List the grown leaves of a branch."""
    pair = children(structure, t)
    return [t] if pair is None else [leaf for child in pair for leaf in leaves_below(structure, child)]


def nodes_below(structure: TreeStructure, t: int) -> list[int]:
    """List the nodes of a branch, its root first."""
    pair = children(structure, t)
    return [t] if pair is None else [t, *(u for child in pair for u in nodes_below(structure, child))]


def literal_sums(structure: TreeStructure, leaf_values: NDArray[Any]) -> NDArray[Any]:
    """Add up the leaves below each node, one node at a time."""
    sums = [leaf_values[leaves_below(structure, t)].sum(axis=0) for t in range(structure.n_nodes)]
    return np.array(sums)


def cuts_of(structure: TreeStructure, t: int = 0) -> list[tuple[int, ...]]:
    """List all cuts of a branch, each as the nodes that are its leaves."""
    pair = children(structure, t)
    if pair is None:
        return [(t,)]
    both = product(cuts_of(structure, pair[0]), cuts_of(structure, pair[1]))
    return [(t,), *(a + b for a, b in both)]


def cut_matrix(structure: TreeStructure) -> NDArray[np.bool_]:
    """Stack all cuts, one a row."""
    cuts = cuts_of(structure)
    matrix = np.zeros((len(cuts), structure.n_nodes), dtype=bool)
    for row, cut in enumerate(cuts):
        matrix[row, list(cut)] = True
    return matrix


def smallest_best(structure: TreeStructure, leaf_cost: Any, price: Cost = 0) -> list[int]:
    """Find, among all cuts, the one of least cost and then of fewest leaves; there is only one."""
    scored = sorted((sum(leaf_cost[t] for t in cut) + price * len(cut), len(cut), cut) for cut in cuts_of(structure))
    assert len(scored) == 1 or scored[0][:2] < scored[1][:2], "two smallest minimisers"
    return sorted(scored[0][2])


def literal_cut(structure: TreeStructure, goes: Callable[[int, list[int]], bool]) -> list[int]:
    """Prune bottom-up by the letter: ``goes(t, cut of its branch)`` for every inner node."""

    def prune(t: int) -> list[int]:
        pair = children(structure, t)
        if pair is None:
            return [t]
        branch = [leaf for child in pair for leaf in prune(child)]
        return [t] if goes(t, branch) else branch

    return sorted(prune(0))


def nodes_of(cut: NDArray[np.bool_]) -> list[int]:
    """List the nodes of a cut in rising order."""
    return np.flatnonzero(cut).tolist()


def class_cases(
    seed: int, n_cases: int, n_classes: int = 3, most: int = 4, max_leaves: int = 8
) -> Iterator[tuple[TreeStructure, NDArray[np.intp]]]:
    """Yield random trees with random integer class counts that add up; empty leaves occur."""
    rng = np.random.default_rng(seed)
    for _ in range(n_cases):
        structure = random_tree(rng, int(rng.integers(1, max_leaves + 1)))
        counts = rng.integers(0, most + 1, (structure.n_nodes, n_classes))
        counts[leaves_below(structure, 0)[0], 0] += 1  # one row at least
        yield structure, literal_sums(structure, counts)


def training_errors(counts: NDArray[Any]) -> NDArray[Any]:
    """Errors of the majority class."""
    return counts.sum(axis=1) - counts.max(axis=1)


@st.composite
def structures(draw: st.DrawFn, max_leaves: int = 8) -> TreeStructure:
    """Any tree of a few leaves, with ids in any order; shrinks towards the single node."""
    shape = draw(st.recursive(st.none(), lambda part: st.tuples(part, part), max_leaves=max_leaves))
    n_nodes = structure_of(shape).n_nodes
    return structure_of(shape, [0, *draw(st.permutations(range(1, n_nodes)))])


@st.composite
def costs(draw: st.DrawFn, structure: TreeStructure, most: int = 9) -> NDArray[np.intp]:
    """Any integer cost at every node, as held-out rows may give."""
    n = structure.n_nodes
    return np.array(draw(st.lists(st.integers(0, most), min_size=n, max_size=n)))


@st.composite
def trees_with_costs(draw: st.DrawFn, most: int = 9) -> tuple[TreeStructure, NDArray[np.intp]]:
    """Any tree with any integer costs."""
    structure = draw(structures())
    return structure, draw(costs(structure, most))


@st.composite
def trees_with_counts(draw: st.DrawFn, most: int = 5) -> tuple[TreeStructure, NDArray[np.intp]]:
    """Any tree with class counts that add up, one row at least."""
    structure = draw(structures())
    n = structure.n_nodes
    rows = draw(st.lists(st.tuples(*3 * [st.integers(0, most)]), min_size=n, max_size=n))
    counts = np.array(rows)
    counts[leaves_below(structure, 0)[0], 0] += 1
    return structure, literal_sums(structure, counts)
