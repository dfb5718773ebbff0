"""A limit on leaves, applied after growing: the tree that best-first growth would have stopped at.

Shi (2007), *Best-first decision tree learning*; scikit-learn's ``max_leaf_nodes``.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_count
from treeprune.path import PruningPath
from treeprune.tree.cuts import level_sizes, node_numbers
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import PathPruner
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure


def max_leaf_nodes_path(structure: TreeStructure, improvement: ArrayLike) -> PruningPath:
    """Replay the growth best split first, and take the splits back in the opposite order.

    Parameters
    ----------
    structure : TreeStructure
    improvement : array-like of float, shape (n_nodes,)
        By how much the split of each inner node lowers the impurity of the whole tree. Of equal
        improvements the node with the lower id is split first.

    Returns
    -------
    PruningPath
        ``price[k]`` is the number of leaves at level k: that of the grown tree, less k.

    Examples
    --------
    >>> from treeprune import TreeStructure, max_leaf_nodes_path
    >>> tree = TreeStructure.from_arrays([1, 3, 5, -1, -1, -1, -1], [2, 4, 6, -1, -1, -1, -1])
    >>> max_leaf_nodes_path(tree, [0.5, 0.1, 0.2, 0, 0, 0, 0]).removed_at  # node 2 is split before 1
    array([3, 1, 2, 0, 0, 0, 0])
    """
    gain = node_numbers(structure, improvement, "improvement", at=~structure.is_leaf)
    order = _best_first(structure, gain)
    removed_at = np.zeros(structure.n_nodes, dtype=np.intp)
    removed_at[order] = np.arange(len(order), 0, -1)
    price = np.arange(structure.n_leaves, 0, -1, dtype=np.float64)
    return PruningPath("max_leaf_nodes", removed_at, price, level_sizes(structure, removed_at), "up_to")


class MaxLeafNodesPruner(PathPruner):
    """Keep the splits that best-first growth would have made first.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    max_leaf_nodes : int
        Number of leaves allowed, 1 or more. Must be given.

    Notes
    -----
    Equal to growing with ``max_leaf_nodes`` where no node had to break a tie. Pruning rows change
    nothing: the splits are ordered by the impurities that the tree stored as it grew.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import MaxLeafNodesPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> MaxLeafNodesPruner(max_leaf_nodes=6).fit(X, y).n_leaves_
    6
    """

    method = "max_leaf_nodes"
    strength = "max_leaf_nodes"

    def __init__(self, estimator: Any = None, *, max_leaf_nodes: int | None = None) -> None:
        super().__init__(estimator)
        self.max_leaf_nodes = max_leaf_nodes

    def _check_parameters(self) -> None:
        check_count("max_leaf_nodes", self.max_leaf_nodes, low=1)

    def _needs_counts(self) -> bool:
        return False

    def _find_path(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningPath:
        total, improvement = tree.impurity(None), np.zeros(tree.structure.n_nodes)
        t = tree.structure.inner
        below = total[tree.structure.children_left[t]] + total[tree.structure.children_right[t]]
        improvement[t] = total[t] - below
        return max_leaf_nodes_path(tree.structure, improvement)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        path = self._find_path(tree, statistics)
        before = path.n_leaves[np.maximum(path.removed_at - 1, 0)].astype(np.float64) - 1
        limit = np.full(len(before), float(self.max_leaf_nodes or 1))
        return Sides("limit on leaves", limit, "leaves before its split", before, order="weakest first")


def _best_first(structure: TreeStructure, improvement: NDArray[np.float64]) -> NDArray[np.intp]:
    """Inner nodes in the order in which best-first growth splits them.

    A node that is better than one above it has to wait for that one, and follows at once: so nodes
    are sorted by the worst on their way from the root, and only those that wait for the same one
    need a queue.
    """
    inner = structure.inner
    turn = np.zeros(structure.n_nodes, dtype=np.intp)
    turn[inner[np.lexsort((inner, -improvement[inner]))]] = np.arange(len(inner))
    waits_for = turn.copy()
    for t, left, right in structure.downward():
        waits_for[left] = np.maximum(waits_for[left], waits_for[t])
        waits_for[right] = np.maximum(waits_for[right], waits_for[t])
    order = inner[np.lexsort((turn[inner] != waits_for[inner], waits_for[inner]))]  # who is waited for comes first
    n_together = np.bincount(waits_for[inner], minlength=1)
    start = np.cumsum(n_together) - n_together
    for k in np.flatnonzero(n_together > 1).tolist():
        first, size = start[k], n_together[k]
        order[first : first + size] = _queue(structure, order[first : first + size], turn)
    return order


def _queue(structure: TreeStructure, together: NDArray[np.intp], turn: NDArray[np.intp]) -> list[int]:
    """Split these nodes, the first of which is above all others, in turn as their parents allow."""
    split, waiting = [], [(-1, int(together[0]))]
    mine = set(together.tolist())
    while waiting:
        _, t = heappop(waiting)
        split.append(t)
        for child in (int(structure.children_left[t]), int(structure.children_right[t])):
            if child in mine:
                heappush(waiting, (int(turn[child]), child))
    return split
