"""What a binary tree looks like, without what its leaves say.

Everything the pruning rules do is a sweep over the nodes, upwards (children before parents) or
downwards.  A sweep goes a layer at a time, so that wide layers are a handful of numpy calls; a
layer of one or a few nodes goes node by node, because on a chain of 5,000 nodes the same calls on
arrays of length one would cost fifty times the arithmetic.  The body of a sweep is the same text
for both: ``t``, ``left`` and ``right`` are index arrays or plain integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAF = -1
NARROW = 6  # below this width a layer is cheaper node by node (measured)

Nodes = Any  # an index array, or one integer: the body of a sweep need not know


@dataclass(frozen=True, eq=False)
class TreeStructure:
    """The shape of a binary tree: who is whose child, and, if given, how rows are routed.

    Build one with `from_arrays`, which checks it; ids may come in any order, the root is 0.

    Attributes
    ----------
    children_left, children_right : ndarray of int, shape (n_nodes,)
        Ids of the children, -1 at leaves.
    feature, threshold, missing_go_to_left : ndarray or None, shape (n_nodes,)
        The tests at the inner nodes: rows with ``X[:, feature] <= threshold`` go left.

    Examples
    --------
    >>> from treeprune import TreeStructure
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> tree.sum_up([0, 5, 0, 2, 1])
    array([8, 5, 3, 2, 1])
    """

    children_left: NDArray[np.intp]
    children_right: NDArray[np.intp]
    feature: NDArray[np.intp] | None = None
    threshold: NDArray[np.float64] | None = None
    missing_go_to_left: NDArray[np.bool_] | None = None

    @classmethod
    def from_arrays(
        cls,
        children_left: ArrayLike,
        children_right: ArrayLike,
        feature: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        missing_go_to_left: ArrayLike | None = None,
    ) -> TreeStructure:
        """Check the arrays of a tree from any system and build its structure.

        Parameters
        ----------
        children_left, children_right : array-like of int, shape (n_nodes,)
            Ids of the children, -1 (any negative number) at leaves. Node 0 is the root.
        feature, threshold, missing_go_to_left : array-like, shape (n_nodes,), optional
            The tests, needed by `route` only. A row goes left if its value is at most the
            threshold, or missing where ``missing_go_to_left`` is true.

        Raises
        ------
        ValueError
            If the arrays do not describe one binary tree rooted at node 0.
        """
        left, right = _as_ids(children_left, "children_left"), _as_ids(children_right, "children_right")
        _check_tree(left, right)
        return cls(
            left,
            right,
            *(
                None if given is None else _as_column(given, dtype, name, len(left))
                for given, dtype, name in (
                    (feature, np.intp, "feature"),
                    (threshold, np.float64, "threshold"),
                    (missing_go_to_left, np.bool_, "missing_go_to_left"),
                )
            ),
        )

    @property
    def n_nodes(self) -> int:
        """Number of nodes, leaves included."""
        return len(self.children_left)

    @cached_property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Which nodes are leaves of the grown tree, shape (n_nodes,)."""
        return self.children_left < 0

    @cached_property
    def n_leaves(self) -> int:
        """Number of leaves of the grown tree."""
        return int(self.is_leaf.sum())

    @cached_property
    def parent(self) -> NDArray[np.intp]:
        """Id of each node's parent, -1 at the root, shape (n_nodes,)."""
        parent = np.full(self.n_nodes, -1, dtype=np.intp)
        inner = np.flatnonzero(~self.is_leaf)
        parent[self.children_left[inner]] = inner
        parent[self.children_right[inner]] = inner
        return parent

    @cached_property
    def depth(self) -> NDArray[np.intp]:
        """Number of splits above each node, shape (n_nodes,); 0 at the root."""
        depth = _depth(self.parent)
        assert depth is not None  # _check_tree has seen to it
        return depth

    @cached_property
    def inner(self) -> NDArray[np.intp]:
        """Ids of the inner nodes, every parent before its children."""
        inner = np.flatnonzero(~self.is_leaf)
        in_order = (self.children_left[inner] > inner).all() and (self.children_right[inner] > inner).all()
        return inner if in_order else inner[np.argsort(self.depth[inner], kind="stable")]

    @cached_property
    def _sweep(self) -> list[tuple[Nodes, Nodes, Nodes]]:
        """Inner nodes with their children, the root first."""
        inner = self.inner[np.argsort(self.depth[self.inner], kind="stable")]
        left, right = self.children_left[inner], self.children_right[inner]
        widths = np.bincount(self.depth[inner])
        sweep: list[tuple[Nodes, Nodes, Nodes]] = []
        stop = 0
        for width in widths.tolist():
            start, stop = stop, stop + width
            layer = inner[start:stop], left[start:stop], right[start:stop]
            if width < NARROW:
                sweep.extend(zip(*(ids.tolist() for ids in layer), strict=True))
            else:
                sweep.append(layer)
        return sweep

    def upward(self) -> Iterator[tuple[Nodes, Nodes, Nodes]]:
        """Yield ``(t, left, right)`` over the inner nodes, children always before parents."""
        return reversed(self._sweep)

    def downward(self) -> Iterator[tuple[Nodes, Nodes, Nodes]]:
        """Yield ``(t, left, right)`` over the inner nodes, parents always before children."""
        return iter(self._sweep)

    def sum_up(self, leaf_values: ArrayLike) -> NDArray[Any]:
        """Sum over the leaves below each node.

        Parameters
        ----------
        leaf_values : array-like, shape (n_nodes, ...)
            What each leaf holds; what stands at inner nodes is not read.

        Returns
        -------
        ndarray, shape (n_nodes, ...)
            Same type as the input (booleans are counted); integers stay exact.
        """
        total = np.array(leaf_values)
        if total.dtype == bool:
            total = total.astype(np.intp)  # booleans are counted
        for t, left, right in self.upward():
            total[t] = total[left] + total[right]
        return total

    def route(self, X: ArrayLike) -> NDArray[np.intp]:
        """Send rows down to the leaves of the grown tree.

        For trees that came as arrays; rows of a scikit-learn tree go through its own ``apply``,
        which also casts to float32.

        Parameters
        ----------
        X : array-like of float, shape (n_rows, n_features)
            NaN is a missing value.

        Returns
        -------
        ndarray of int, shape (n_rows,)
            The leaf that each row reaches.
        """
        if self.feature is None or self.threshold is None:
            raise ValueError(
                "this structure has no tests to route rows by: give feature= and threshold= to "
                "TreeStructure.from_arrays"
            )
        X = np.asarray(X, dtype=np.float64)
        needed = int(self.feature[~self.is_leaf].max(initial=-1)) + 1
        if X.ndim != 2 or X.shape[1] < needed:
            raise ValueError(f"X has shape {X.shape}: rows of {needed} features, or more, are expected")
        missing_left = np.zeros(self.n_nodes, bool) if self.missing_go_to_left is None else self.missing_go_to_left
        node = np.zeros(len(X), dtype=np.intp)
        moving = np.flatnonzero(~self.is_leaf[node])
        while len(moving):
            at = node[moving]
            value = X[moving, self.feature[at]]
            goes_left = np.where(np.isnan(value), missing_left[at], value <= self.threshold[at])
            node[moving] = np.where(goes_left, self.children_left[at], self.children_right[at])
            moving = moving[~self.is_leaf[node[moving]]]
        return node


def _depth(parent: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Depths by pointer doubling: each round looks twice as far up; None if some way never ends."""
    n_nodes = len(parent)
    above = np.append(parent, -1)  # the last entry stands for "above the root", id -1
    above[above < 0] = n_nodes
    steps = (above != n_nodes).astype(np.intp)
    for _ in range(n_nodes.bit_length() + 1):
        if (above == n_nodes).all():
            return steps[:n_nodes]
        steps += steps[above]
        above = above[above]
    return None


def _as_ids(children: ArrayLike, name: str) -> NDArray[np.intp]:
    ids = np.asarray(children)
    if ids.ndim != 1 or not len(ids):
        raise ValueError(f"{name} must be one-dimensional with a node at least, got shape {ids.shape}")
    if not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(f"{name} must hold integers (ids, -1 at leaves), got {ids.dtype}")
    return np.where(ids < 0, LEAF, ids).astype(np.intp)


def _as_column(given: ArrayLike, dtype: Any, name: str, n_nodes: int) -> NDArray[Any]:
    column = np.asarray(given, dtype=dtype)
    if column.shape != (n_nodes,):
        raise ValueError(f"{name} must have one entry a node, shape ({n_nodes},), got {column.shape}")
    return column


def _check_tree(left: NDArray[np.intp], right: NDArray[np.intp]) -> None:
    n_nodes = len(left)
    if len(right) != n_nodes:
        raise ValueError(f"children_left has {n_nodes} nodes, children_right {len(right)}: they must agree")
    if not np.array_equal(left < 0, right < 0):
        t = int(np.flatnonzero((left < 0) != (right < 0))[0])
        raise ValueError(f"node {t} has one child only: every inner node needs two")
    children = np.concatenate([left[left >= 0], right[right >= 0]])
    if len(children) and children.max() >= n_nodes:
        raise ValueError(f"child id {children.max()} is out of range: there are {n_nodes} nodes")
    times_child = np.bincount(children, minlength=n_nodes)
    wrong = np.flatnonzero(times_child != (np.arange(n_nodes) > 0))
    if len(wrong):
        t = int(wrong[0])
        raise ValueError(
            f"node {t} is a child {times_child[t]} times: the root (node 0) must be nobody's child, "
            "every other node exactly one node's"
        )
    parent = np.full(n_nodes, -1, dtype=np.intp)
    inner = np.flatnonzero(left >= 0)
    parent[left[inner]] = parent[right[inner]] = inner
    if _depth(parent) is None:
        raise ValueError("some nodes are their own ancestors: the arrays hold a cycle apart from the root")
