"""Cuts: the sets of nodes that may be the leaves of a pruned tree.

A cut is met exactly once on every way from the root to a leaf.  It is one boolean per node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_number
from treeprune.path import PruningPath
from treeprune.tree.structure import Nodes, TreeStructure

TIE = 1e-12  # costs that differ by less than this share of the largest are equal


def optimal_cut(
    structure: TreeStructure, leaf_cost: ArrayLike, split_cost: ArrayLike = 0.0, slack: float = 0.0
) -> NDArray[np.bool_]:
    """Find the cut of least total cost, the smallest one where costs tie.

    One pass from the leaves to the root: a node becomes a leaf if that costs no more than its
    split and the best of what its two branches cost,

    ``leaf_cost[t] <= split_cost[t] + best(left) + best(right) + slack``.

    Parameters
    ----------
    structure : TreeStructure
    leaf_cost : array-like of float, shape (n_nodes,)
        What each node would cost as a leaf; costs of leaves add up.
    split_cost : float or array-like of float, shape (n_nodes,), default=0
        What keeping the split of an inner node costs; at leaves it is not read.
    slack : float, default=0
        By how much a leaf may cost more than the branch it replaces. With a slack other than 0
        the result is that of the recursion above, and no minimum of anything.

    Returns
    -------
    ndarray of bool, shape (n_nodes,)
        The cut. **Ties prune**: costs within 1e-12 of the largest cost (mostly the root's) count as equal.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), section 10.2, give this recursion for the smallest
    minimising subtree; nearly every bottom-up pruning method is an instance of it.

    Examples
    --------
    >>> from treeprune import TreeStructure, optimal_cut
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> optimal_cut(tree, [4, 1, 2, 1, 1])  # node 2 ties with its leaves, the root does not
    array([False,  True,  True, False, False])
    """
    check_number("slack", slack)
    cost = node_numbers(structure, leaf_cost, "leaf_cost")
    if np.ndim(split_cost) == 0:
        split_cost = np.full(structure.n_nodes, split_cost)
    split_cost = node_numbers(structure, split_cost, "split_cost", at=~structure.is_leaf)
    allowance = slack + TIE * largest(cost)

    def decide(t: Nodes, left: Nodes, right: Nodes) -> Any:
        as_branch = split_cost[t] + cost[left] + cost[right]
        as_leaf = cost[t] <= as_branch + allowance
        cost[t] = np.where(as_leaf, cost[t], as_branch)
        return as_leaf

    return bottom_up(structure, decide)


def largest(cost: NDArray[Any]) -> float:
    """The size of the largest cost; that of the root may be 0 where classes cost differently."""
    return float(np.abs(cost).max())


def bottom_up(structure: TreeStructure, decide: Callable[[Nodes, Nodes, Nodes], Any]) -> NDArray[np.bool_]:
    """Ask of every inner node, children first, whether it shall be a leaf; cut at the highest yes.

    Parameters
    ----------
    structure : TreeStructure
    decide : callable
        ``decide(t, left, right)`` with nodes and their children, as index arrays for a layer or
        as plain integers; returns a boolean for each ``t``. What it must remember of the branches
        it has seen (a cost, a size) it keeps in arrays of its own.

    Returns
    -------
    ndarray of bool, shape (n_nodes,)
        The cut.

    Examples
    --------
    Nodes of fewer than five rows shall not be split:

    >>> import numpy as np
    >>> from treeprune import TreeStructure, bottom_up
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> n_rows = np.array([9, 5, 4, 3, 1])
    >>> bottom_up(tree, lambda t, left, right: n_rows[t] < 5)
    array([False,  True,  True, False, False])
    """
    collapsed = structure.is_leaf.copy()
    for t, left, right in structure.upward():
        collapsed[t] = decide(t, left, right)
    return topmost(structure, collapsed)


def topmost(structure: TreeStructure, collapsed: ArrayLike) -> NDArray[np.bool_]:
    """Keep of the collapsed nodes those with no collapsed node above: they are a cut.

    Parameters
    ----------
    structure : TreeStructure
    collapsed : array-like of bool, shape (n_nodes,)
        Inner nodes that shall be leaves; the grown leaves count as collapsed in any case.

    Examples
    --------
    >>> from treeprune import TreeStructure, topmost
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> topmost(tree, [False, False, True, False, False])
    array([False,  True,  True, False, False])
    """
    cut = node_array(structure, collapsed, "collapsed").astype(bool) | structure.is_leaf
    gone = np.zeros(structure.n_nodes, dtype=bool)
    for t, left, right in structure.downward():
        gone[left] = gone[right] = gone[t] | cut[t]
    return cut & ~gone


def covering(structure: TreeStructure, cut: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return for each node on or below the cut the node of the cut above it; -1 above the cut."""
    cover = np.where(cut, np.arange(structure.n_nodes), -1)
    for t, left, right in structure.downward():
        cover[left] = np.maximum(cover[left], cover[t])
        cover[right] = np.maximum(cover[right], cover[t])
    return cover


def cut_at(structure: TreeStructure, removed_at: ArrayLike, level: int) -> NDArray[np.bool_]:
    """Return the cut of one level of a nested family.

    Node t is a leaf of level k if its split is gone and its parent's is not:
    ``removed_at[t] <= k < removed_at[parent]``.

    Parameters
    ----------
    structure : TreeStructure
    removed_at : array-like of int, shape (n_nodes,)
        First level at which each node's split is gone; 0 at grown leaves.
    level : int
        From 0, the grown tree, to ``removed_at[0]``, the root alone.

    Raises
    ------
    ValueError
        If there is no such level.

    Examples
    --------
    >>> from treeprune import TreeStructure, cut_at
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> cut_at(tree, [2, 0, 1, 0, 0], level=1)
    array([False,  True,  True, False, False])
    """
    removed_at = node_array(structure, removed_at, "removed_at")
    last = int(removed_at[0])
    if not 0 <= level <= last:
        raise ValueError(f"level {level} does not exist: levels run from 0 (grown) to {last} (root)")
    return (removed_at <= level) & (level < _parents_removal(structure, removed_at))


def path_sums(structure: TreeStructure, removed_at: ArrayLike, node_values: ArrayLike) -> NDArray[Any]:
    """Sum a node quantity over the leaves of every level of a nested family, all levels at once.

    A node enters the sum at the level at which its split goes and leaves it when its parent's
    does: two histograms over levels and a running sum.

    Parameters
    ----------
    structure : TreeStructure
    removed_at : array-like of int, shape (n_nodes,)
        First level at which each node's split is gone; 0 at grown leaves.
    node_values : array-like, shape (n_nodes, ...)
        For example the errors each node would make as a leaf.

    Returns
    -------
    ndarray, shape (n_levels, ...)
        Integers stay integers, and exact.

    Examples
    --------
    >>> from treeprune import TreeStructure, path_sums
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> path_sums(tree, [2, 0, 1, 0, 0], [4, 1, 2, 1, 0])  # errors at 3, 2 and 1 leaves
    array([2, 3, 4])
    """
    removed_at = node_array(structure, removed_at, "removed_at")
    values = node_array(structure, node_values, "node_values")
    n_levels = int(removed_at[0]) + 1
    leaves_at = _parents_removal(structure, removed_at)
    if values.dtype == bool:
        raise ValueError("node_values must be numbers, got booleans: sum counts instead")
    ever = leaves_at > removed_at  # a node that goes together with its parent is never a leaf
    enters = _sums_by_level(removed_at[ever], values[ever], n_levels + 1)
    change = enters - _sums_by_level(leaves_at[ever], values[ever], n_levels + 1)
    return np.cumsum(change[:n_levels], axis=0)


def path_from_prices(
    structure: TreeStructure,
    price: NDArray[np.float64],
    method: str,
    holds: Literal["from", "above"] = "from",
    rounding: float = 0.0,
) -> PruningPath:
    """Order the nodes into levels by the price at which each one's split goes.

    Parameters
    ----------
    structure : TreeStructure
    price : ndarray of float, shape (n_nodes,)
        At inner nodes, never less below than above; leaves are not read. Prices that differ by
        rounding only are one level, at the smallest of them.
    method, holds : str
        As in `PruningPath`.
    rounding : float, default=0
        What rounding may do to a price on top of 1e-12 of its size: prices that are differences
        of much larger numbers share the rounding of those.
    """
    inner = structure.inner
    order = np.argsort(price[inner], kind="stable")
    ascending = price[inner][order]
    new_level = np.ones(len(inner), dtype=bool)
    new_level[1:] = np.diff(ascending) > TIE * np.abs(ascending[1:]) + rounding
    removed_at = np.zeros(structure.n_nodes, dtype=np.intp)
    removed_at[inner[order]] = np.cumsum(new_level)
    prices = np.append(0.0, ascending[new_level])
    return PruningPath(method, removed_at, prices, level_sizes(structure, removed_at), holds)


def level_sizes(structure: TreeStructure, removed_at: NDArray[np.intp]) -> NDArray[np.intp]:
    """Count the leaves at every level of a nested family."""
    return path_sums(structure, removed_at, np.ones(structure.n_nodes, dtype=np.intp))


def level_depths(structure: TreeStructure, removed_at: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the depth of the tree at every level of a nested family."""
    there_until = _parents_removal(structure, removed_at) - 1  # the last level that has the node
    deepest = np.zeros(int(removed_at[0]) + 1, dtype=np.intp)
    np.maximum.at(deepest, np.minimum(there_until, len(deepest) - 1), structure.depth)
    return np.maximum.accumulate(deepest[::-1])[::-1]


def check_cut(structure: TreeStructure, cut: ArrayLike) -> NDArray[np.bool_]:
    """Return ``cut`` as a boolean array, or say at which node it fails to be a cut.

    Parameters
    ----------
    structure : TreeStructure
    cut : array-like of bool, shape (n_nodes,)
        True at the nodes that shall be leaves.

    Raises
    ------
    ValueError
        If some way from the root to a leaf meets the cut never, or more than once.

    Examples
    --------
    >>> from treeprune import TreeStructure, check_cut
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> check_cut(tree, [False, True, False, True, False])
    Traceback (most recent call last):
        ...
    ValueError: not a cut: the way from the root to leaf 4 meets it 0 times, not once
    """
    given = np.asarray(cut)
    if given.dtype != bool or given.shape != (structure.n_nodes,):
        raise ValueError(
            f"a cut is one boolean a node, shape ({structure.n_nodes},); got {given.dtype} of shape {given.shape}"
        )
    met = given.astype(np.intp)
    for t, left, right in structure.downward():
        met[left] += met[t]
        met[right] += met[t]
    wrong = np.flatnonzero(structure.is_leaf & (met != 1))
    if len(wrong):
        leaf = int(wrong[0])
        raise ValueError(f"not a cut: the way from the root to leaf {leaf} meets it {met[leaf]} times, not once")
    return given


def node_array(structure: TreeStructure, values: ArrayLike, name: str) -> NDArray[Any]:
    """Return ``values`` as an array with one entry (or row) a node, or say what is wrong."""
    array = _one_a_node(structure, values, name)
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name} is NaN at node {int(np.argwhere(np.isnan(array))[0, 0])}")
    return array


def node_numbers(
    structure: TreeStructure,
    values: ArrayLike,
    name: str,
    at: NDArray[np.bool_] | None = None,
    ndims: tuple[int, ...] = (1,),
    low: float = -np.inf,
) -> NDArray[np.float64]:
    """Return ``values`` as new floats, finite at the nodes ``at`` (None: all); others are 0, whatever they were."""
    array = _one_a_node(structure, values, name)
    if array.ndim not in ndims:
        expected = " or ".join(map(str, ndims))
        raise ValueError(
            f"{name} has shape {array.shape}: an array of {expected} dimension(s) is expected, nodes first"
        )
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from error
    if at is not None:
        numbers[~at] = 0.0
    if not np.isfinite(numbers).all():
        t = int(np.argwhere(~np.isfinite(numbers))[0, 0])
        raise ValueError(f"{name} is {numbers[t]} at node {t}: finite numbers are expected")
    below = numbers < low - 1e-9 * np.abs(numbers).max(initial=0)  # but for rounding
    if below.any():
        t = int(np.argwhere(below)[0, 0])
        raise ValueError(f"{name} is {numbers[t].tolist()} at node {t}: it cannot be below {low:g}")
    return numbers


def check_counts(values: ArrayLike, name: str, ndims: tuple[int, ...]) -> NDArray[np.float64]:
    """Return counts of whatever nodes there are as floats, finite and not negative."""
    try:
        counts = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers: {error}") from error
    if counts.ndim not in ndims:
        expected = " or ".join(map(str, ndims))
        raise ValueError(f"{name} has shape {counts.shape}: {expected} dimensions are expected, nodes first")
    if not (np.isfinite(counts) & (counts >= 0)).all():
        wrong = counts[~(np.isfinite(counts) & (counts >= 0))][0]
        raise ValueError(f"{name} holds {wrong}: finite numbers, not negative, are expected")
    return counts


def _one_a_node(structure: TreeStructure, values: ArrayLike, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim < 1 or len(array) != structure.n_nodes:
        raise ValueError(
            f"{name} must have one entry for each of the {structure.n_nodes} nodes, got shape {array.shape}"
        )
    return array


def _sums_by_level(level: NDArray[np.intp], values: NDArray[Any], n_levels: int) -> NDArray[Any]:
    """Sum the values of the nodes of each level, in the type of the values."""
    columns = values.reshape(len(values), -1)
    cell = level[:, None] * columns.shape[1] + np.arange(columns.shape[1])
    sums = np.zeros(n_levels * columns.shape[1], dtype=values.dtype)
    np.add.at(sums, cell.ravel(), columns.ravel())  # in one dimension, where numpy is quick at it
    return sums.reshape(n_levels, *values.shape[1:])


def _parents_removal(structure: TreeStructure, removed_at: NDArray[Any]) -> NDArray[Any]:
    """Level at which each node ceases to be there; one past the last level at the root."""
    parents = removed_at[structure.parent]  # id -1 reads the last entry, overwritten next
    parents[0] = removed_at[0] + 1
    return parents
