"""Both sides of the comparison that a method makes at a node, in the words of its authors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.tree.cuts import TIE, largest
from treeprune.tree.structure import TreeStructure

Floats = NDArray[np.float64]
Order = Literal["bottom-up", "top-down", "weakest first"]


@dataclass(frozen=True, eq=False)
class Sides:
    """What a method compares at every inner node of a grown tree; a split goes where the left is not above the right.

    Attributes
    ----------
    left_says, right_says : str
        What the two are.
    left, right : ndarray of float, shape (n_nodes,)
        At leaves of the grown tree they mean nothing.
    ties : {"prune", "keep"}
        What becomes of a split where both are equal.
    order : {"bottom-up", "top-down", "weakest first"}
        In which order the nodes are asked.
    """

    left_says: str
    left: Floats
    right_says: str
    right: Floats
    ties: Literal["prune", "keep"] = "prune"
    order: Order = "bottom-up"

    def tied(self) -> NDArray[np.bool_]:
        """Nodes where both sides are equal up to rounding."""
        scale = np.maximum(np.abs(self.left), np.abs(self.right))
        with np.errstate(invalid="ignore"):
            return np.abs(self.left - self.right) <= 1e-12 * np.where(np.isfinite(scale), scale, 0.0)

    def says_prune(self) -> NDArray[np.bool_]:
        """Nodes that go by this comparison alone."""
        tied = self.tied()
        return (tied if self.ties == "prune" else np.zeros_like(tied)) | ((self.left < self.right) & ~tied)


def best_branch(
    structure: TreeStructure, leaf_cost: ArrayLike, split_cost: ArrayLike = 0.0, slack: float = 0.0
) -> Floats:
    """Return what `optimal_cut` weighs each node's cost against.

    Parameters
    ----------
    structure, leaf_cost, split_cost, slack
        As in `treeprune.tree.cuts.optimal_cut`.

    Returns
    -------
    ndarray of float, shape (n_nodes,)
        The split and the best of both branches, each as it was decided before, and the slack; infinity at leaves.

    Examples
    --------
    >>> from treeprune import TreeStructure
    >>> from treeprune.tree.sides import best_branch
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> best_branch(tree, [4, 1, 2, 1, 1])
    array([ 3., inf,  2., inf, inf])
    """
    best = np.array(leaf_cost, dtype=np.float64)
    split = np.broadcast_to(np.asarray(split_cost, dtype=np.float64), best.shape)
    branch, allowance = np.full(len(best), np.inf), slack + TIE * largest(best)
    for t, left, right in structure.upward():
        branch[t] = split[t] + best[left] + best[right]
        best[t] = np.where(best[t] <= branch[t] + allowance, best[t], branch[t])
    return branch + slack
