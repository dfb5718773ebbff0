"""Error-based pruning with subtree raising: a branch may take the place of the node above it.

Quinlan (1993), *C4.5: Programs for Machine Learning*, chapter 4.

Where the larger branch of a node, given all rows of the node, is expected to err no more than the whole, the
other branch and the node's own test go.  The result is no cut of the grown tree: rows go other ways than they
did, so raising needs the rows themselves.  Nodes keep their number as a *place*; a place may take over the test
of another node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_choice
from treeprune.tree.structure import LEAF, TreeStructure
from treeprune.tree.trace import KEPT, PRUNED, REPLACED

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Ties = Literal["left", "right"]
Cost = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class RaisedTree:
    """What is left of a grown tree, and what was compared at each of its nodes.

    Attributes
    ----------
    place : ndarray of int, shape (n_kept,)
        The nodes of the grown tree that are left, the root first.
    origin : ndarray of int, shape (n_kept,)
        The node of the grown tree whose test each has now: its own, or one that was raised.
    children_left, children_right : ndarray of int, shape (n_kept,)
        Positions in ``place``, -1 at leaves.
    counts : ndarray of float, shape (n_kept, n_classes)
        Weight of the rows of each class.
    n_rows : ndarray of int, shape (n_kept,)
        Rows of any weight above 0.
    as_leaf, as_tree, as_branch : ndarray of float, shape (n_nodes of the grown tree,)
        Errors expected when a node's test was asked last: as a leaf, of its subtree, and of its larger branch
        with all rows. The slack is not in them. NaN at leaves of the grown tree.
    asked_at : ndarray of int, shape (n_nodes of the grown tree,)
        The place where the test was then.
    verdict : ndarray of str, shape (n_nodes of the grown tree,)
        What came of it: "kept", "pruned" or "replaced" by the larger branch.
    """

    place: Ints
    origin: Ints
    children_left: Ints
    children_right: Ints
    counts: Floats
    n_rows: Ints
    as_leaf: Floats
    as_tree: Floats
    as_branch: Floats
    asked_at: Ints
    verdict: NDArray[np.str_]

    @property
    def depth(self) -> int:
        """Splits on the longest way to a leaf."""
        return int(TreeStructure(self.children_left, self.children_right).depth.max())


def raise_subtrees(
    structure: TreeStructure,
    X: NDArray[Any],
    leaf: ArrayLike,
    y: ArrayLike,
    n_classes: int,
    cost: Cost,
    slack: float = 0.1,
    ties: Ties = "left",
    sample_weight: ArrayLike | None = None,
) -> RaisedTree:
    """Prune a tree by replacement and raising, all in one pass from the leaves to the root.

    A node becomes a leaf if that costs at most the slack more than its subtree, and than its larger branch with
    all rows. If not, the branch takes its place if it costs at most the slack more than the subtree, and is pruned
    again with the rows that it got.

    Parameters
    ----------
    structure : TreeStructure
        With its tests.
    X : ndarray, shape (n_rows, n_features)
        The growing rows.
    leaf : array-like of int, shape (n_rows,)
        The grown leaf of each.
    y : array-like of int, shape (n_rows,)
        Class codes.
    n_classes : int
    cost : callable
        From counts, shape (m, n_classes), to what m nodes would cost as leaves.
    slack : float, default=0.1
    ties : {"left", "right"}, default="left"
        Which of two branches with equally many rows is the larger one: C4.5 takes the first, Weka the last.
    sample_weight : array-like, shape (n_rows,), optional

    References
    ----------
    Quinlan (1993), chapter 4; the order of the two comparisons is that of C4.5 release 8 and of Weka's J48.
    """
    check_choice("ties", ties, ("left", "right"))
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    pruning = _Pruning(structure, X, np.array(leaf), np.asarray(y), weight, n_classes, cost, slack, ties)
    pruning.prune(np.zeros(1, dtype=np.intp), np.arange(len(X)))
    return pruning.result()


class _Pruning:
    """The tree as it is now, and where each row is in it."""

    def __init__(
        self,
        structure: TreeStructure,
        X: NDArray[Any],
        leaf: Ints,
        y: Ints,
        weight: Floats,
        n_classes: int,
        cost: Cost,
        slack: float,
        ties: Ties,
    ) -> None:
        n, missing = structure.n_nodes, structure.missing_go_to_left
        self.left, self.right = structure.children_left.copy(), structure.children_right.copy()
        self.parent, self.depth = structure.parent.copy(), structure.depth
        self.origin, self.feature, self.threshold = np.arange(n), _given(structure.feature), _given(structure.threshold)
        self.missing_left = np.zeros(n, dtype=bool) if missing is None else missing
        self.X, self.leaf, self.y, self.weight = X, leaf, y, weight
        self.counts = structure.sum_up(self._count(leaf, np.arange(len(y)), n, n_classes))
        self.cost_of, self.slack, self.ties = cost, slack, ties
        self.cost, self.larger = np.zeros(n), np.full(n, -1, dtype=np.intp)
        self.asked, self.asked_at = np.full((3, n), np.nan), np.arange(n)
        self.verdict = np.full(n, KEPT, dtype="<U8")  # as long as the longest verdict

    def prune(self, roots: Ints, rows: Ints) -> None:
        """Prune below these places, which are of one depth and have these rows."""
        while len(roots):
            layers, leaves = self._layers_below(roots)
            for t in layers:
                self.counts[t] = self.counts[self.left[t]] + self.counts[self.right[t]]
            self.cost[leaves] = self.cost_of(self.counts[leaves])
            at, again = self.leaf[rows], np.zeros(0, dtype=np.intp)  # what each row has been followed up to
            for t in layers:
                here = self._among(t)[self.parent[at]]
                raised = self._decide(t, rows[here], at[here])
                at[here] = self.parent[at[here]]
                if not len(raised):
                    continue
                inside = rows[self._among(raised)[at]]
                if t is layers[-1]:
                    again, rows = raised, inside
                else:
                    self.prune(raised, inside)
            roots = again

    def _decide(self, t: Ints, rows: Ints, at: Ints) -> Ints:
        """Make leaves of some places of one depth, raise the larger branch of others, and return those."""
        left, right = self.left[t], self.right[t]
        n_left, n_right = self.counts[left].sum(axis=1), self.counts[right].sum(axis=1)
        larger = np.where(n_right > n_left if self.ties == "left" else n_right >= n_left, right, left)
        self.larger[t] = larger
        foreign = at != self.larger[self.parent[at]]
        others, place = rows[foreign], self.parent[at[foreign]]
        stop = self._route(others, self.larger[place])
        as_leaf, as_tree = self.cost_of(self.counts[t]), self.cost[left] + self.cost[right]
        as_branch = self.cost[larger] + self._rise(stop, others, place)[t]
        to_leaf = (as_leaf <= as_tree + self.slack) & (as_leaf <= as_branch + self.slack)
        to_branch = ~to_leaf & (as_branch <= as_tree + self.slack)
        self._note(t, (as_leaf, as_tree, as_branch), np.select([to_leaf, to_branch], [PRUNED, REPLACED], KEPT))
        self.cost[t] = np.where(to_leaf, as_leaf, as_tree)
        self._make_leaves(t[to_leaf], rows, self.parent[at])
        moved = self._among(t[to_branch])[place]
        self._raise(t[to_branch], others[moved], stop[moved])
        return t[to_branch]

    def _note(self, t: Ints, sides: tuple[Floats, Floats, Floats], verdict: NDArray[np.str_]) -> None:
        test = self.origin[t]
        self.asked[:, test], self.asked_at[test], self.verdict[test] = sides, t, verdict

    def _rise(self, stop: Ints, rows: Ints, place: Ints) -> Floats:
        """By how much the cost of the larger branch of each place rises with these rows, who would stop there."""
        leaves, which = np.unique(stop, return_inverse=True)
        more = self._count(which, rows, len(leaves), self.counts.shape[1])
        of = np.zeros(len(leaves), dtype=np.intp)
        of[which] = place
        rises = self.cost_of(self.counts[leaves] + more) - self.cost[leaves]
        return np.bincount(of, rises, minlength=len(self.left)).astype(np.float64)  # without rows it counts in ints

    def _make_leaves(self, t: Ints, rows: Ints, place: Ints) -> None:
        self.left[t] = self.right[t] = LEAF
        inside = self._among(t)[place]
        self.leaf[rows[inside]] = place[inside]

    def _raise(self, t: Ints, rows: Ints, stop: Ints) -> None:
        """Let the larger branch take these places; the rows of the other one go where they stop in it."""
        branch = self.larger[t]
        self.leaf[rows] = stop
        leaves, which = np.unique(stop, return_inverse=True)
        self.counts[leaves] += self._count(which, rows, len(leaves), self.counts.shape[1])
        self.left[t], self.right[t], self.origin[t] = self.left[branch], self.right[branch], self.origin[branch]
        for child in (self.left[t], self.right[t]):
            self.parent[child] = t

    def _among(self, t: Ints) -> NDArray[np.bool_]:
        among = np.zeros(len(self.left), dtype=bool)
        among[t] = True
        return among

    def _layers_below(self, roots: Ints) -> tuple[list[Ints], Ints]:
        """Inner places in and below these, the deepest first, and the leaves."""
        found, layer = [roots], roots
        while len(layer := layer[self.left[layer] != LEAF]):
            layer = np.concatenate([self.left[layer], self.right[layer]])
            found.append(layer)
        places = np.concatenate(found)
        inner = places[self.left[places] != LEAF]
        inner = inner[np.argsort(-self.depth[inner], kind="stable")]
        starts = np.flatnonzero(np.diff(self.depth[inner])) + 1
        return [part for part in np.split(inner, starts) if len(part)], places[self.left[places] == LEAF]

    def _route(self, rows: Ints, place: Ints) -> Ints:
        """Send rows down from places to the leaves there are now."""
        place = place.copy()
        moving = np.flatnonzero(self.left[place] != LEAF)
        while len(moving):
            at = place[moving]
            test = self.origin[at]
            value = self.X[rows[moving], self.feature[test]]
            goes_left = np.where(np.isnan(value), self.missing_left[test], value <= self.threshold[test])
            place[moving] = np.where(goes_left, self.left[at], self.right[at])
            moving = moving[self.left[place[moving]] != LEAF]
        return place

    def _count(self, bins: Ints, rows: Ints, n_bins: int, n_classes: int) -> Floats:
        flat = np.bincount(bins * n_classes + self.y[rows], self.weight[rows], minlength=n_bins * n_classes)
        return flat.reshape(n_bins, n_classes).astype(np.float64)

    def result(self) -> RaisedTree:
        """The places that are left, renumbered."""
        layers, leaves = self._layers_below(np.zeros(1, dtype=np.intp))
        place = np.sort(np.concatenate([*layers, leaves]))
        number = np.full(len(self.left), LEAF)
        number[place] = np.arange(len(place))
        left, right = (np.where(side[place] == LEAF, LEAF, number[side[place]]) for side in (self.left, self.right))
        n_rows = np.bincount(self.leaf[self.weight > 0], minlength=len(self.left))[place]
        n_rows = TreeStructure(left, right).sum_up(n_rows)
        noted = *self.asked, self.asked_at, self.verdict
        return RaisedTree(place, self.origin[place], left, right, self.counts[place], n_rows, *noted)


def _given(tests: NDArray[Any] | None) -> NDArray[Any]:
    if tests is None:
        raise ValueError("this structure has no tests, which raising sends rows by: give feature= and threshold=")
    return tests
