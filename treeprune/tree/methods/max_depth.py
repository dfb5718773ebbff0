"""A limit on depth, applied after growing: the tree that ``max_depth`` would have stopped at."""

from __future__ import annotations

from typing import Any

import numpy as np

from treeprune.checks import check_count
from treeprune.path import PruningPath
from treeprune.tree.cuts import level_sizes
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import PathPruner
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure


def max_depth_path(structure: TreeStructure) -> PruningPath:
    """Take the deepest layer away, level by level.

    Parameters
    ----------
    structure : TreeStructure

    Returns
    -------
    PruningPath
        ``price[k]`` is the depth allowed at level k: that of the grown tree, less k.

    Examples
    --------
    >>> from treeprune import TreeStructure, max_depth_path
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> path = max_depth_path(tree)
    >>> path.price, path.n_leaves
    (array([2., 1., 0.]), array([3, 2, 1]))
    """
    deepest = int(structure.depth.max())
    removed_at = np.where(structure.is_leaf, 0, deepest - structure.depth)
    price = np.arange(deepest, -1, -1, dtype=np.float64)
    return PruningPath("max_depth", removed_at, price, level_sizes(structure, removed_at), "up_to")


class MaxDepthPruner(PathPruner):
    """Cut the grown tree at a depth.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    max_depth : int
        Depth allowed, 0 (the root alone) or more. Must be given.

    Notes
    -----
    Equal to growing with ``max_depth`` where no node had to break a tie between best splits: the
    order in which ties are broken depends on what was grown before. Pruning rows change nothing.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import MaxDepthPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> MaxDepthPruner(max_depth=2).fit(X, y).n_leaves_
    4
    """

    method = "max_depth"
    strength = "max_depth"

    def __init__(self, estimator: Any = None, *, max_depth: int | None = None) -> None:
        super().__init__(estimator)
        self.max_depth = max_depth

    def _check_parameters(self) -> None:
        check_count("max_depth", self.max_depth, low=0)

    def _needs_counts(self) -> bool:
        return False

    def _find_path(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningPath:
        return max_depth_path(tree.structure)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        depth = tree.structure.depth.astype(np.float64)
        limit = np.full(len(depth), float(self.max_depth or 0))
        return Sides("limit on depth", limit, "depth of the node", depth, order="weakest first")
