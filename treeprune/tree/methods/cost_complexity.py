"""Cost-complexity (weakest-link) pruning.

Breiman, Friedman, Olshen & Stone (1984), *Classification and Regression Trees*, chapters 3 and 10.

Every leaf is charged alpha on top of the risk R.  A branch is worth keeping while alpha is below

    g(t) = (R(t) - R(T_t)) / (|L(T_t)| - 1),

the risk its split saves for each leaf it adds.  The book removes the weakest link, looks at what
is left, and begins again, which takes a scan of the tree for every level.  Here one sweep upwards
finds for every node the alpha at which it collapses *within its own branch*; the tree at alpha
then keeps the nodes whose own alpha, and those of all nodes above, are larger.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_number
from treeprune.path import PruningPath
from treeprune.tree.cuts import largest, node_numbers, path_from_prices
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import PathPruner
from treeprune.tree.risk import Risk, check_risk, leaf_risk
from treeprune.tree.sides import Sides, best_branch
from treeprune.tree.structure import TreeStructure

Collapses = list[tuple[float, float, int]]  # heap of (-alpha, risk saved by the split, leaves added)

ROUNDING = 1e-14  # risks are known to this share of the largest: gains below it are 0


def cost_complexity_path(structure: TreeStructure, risk: ArrayLike) -> PruningPath:
    """Find the nested family of smallest minimisers of R(T) + alpha |leaves of T|.

    Parameters
    ----------
    structure : TreeStructure
    risk : array-like of float, shape (n_nodes,)
        R(t), the risk of each node as a leaf; risks of leaves add up. Alpha has its unit.

    Returns
    -------
    PruningPath
        ``price[k]`` is the alpha from which level k holds. Level 0 is the grown tree at price 0;
        if some splits gain nothing, level 1 has price 0 too. Nodes with tied alphas fall together.

    Notes
    -----
    O(n log^2 n) for n nodes: each branch keeps its collapses in a heap, the shorter heap is
    poured into the longer, and every collapse is undone at most once.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), sections 3.3 and 10.2.

    Examples
    --------
    A branch that saves 2 by one split, below a root that saves 10 by another:

    >>> from treeprune import TreeStructure, cost_complexity_path
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> path = cost_complexity_path(tree, [20, 4, 6, 3, 1])
    >>> path.price
    array([ 0.,  2., 10.])
    >>> path.n_leaves
    array([3, 2, 1])
    """
    risk = node_numbers(structure, risk, "risk")
    alpha = _own_alphas(structure, risk)
    inner = structure.inner
    children = structure.children_left[inner].tolist(), structure.children_right[inner].tolist()
    for t, left, right in zip(inner.tolist(), *children, strict=True):  # from the root down
        above = alpha[t]
        if above < alpha[left]:
            alpha[left] = above
        if above < alpha[right]:
            alpha[right] = above
    noise = ROUNDING * largest(risk)
    return path_from_prices(structure, np.array(alpha), "cost_complexity", rounding=noise)


class CostComplexityPruner(PathPruner):
    """Cost-complexity pruning at a given alpha.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    alpha : float, default=0.0
        Price of a leaf, not negative, in units of risk per unit of total weight (the unit of
        scikit-learn's ``ccp_alpha``; rpart's cp is alpha divided by the risk of the root). At 0
        only splits that gain nothing go, which ``ccp_alpha=0`` leaves alone.
    risk : {"impurity", "error", "brier", "log_loss"} or callable, default="impurity"
        Impurity of the leaves, as scikit-learn has it, or, as in the book and in rpart, their
        misclassification rate (squared error of a regression tree); the Brier score or log loss of their
        probabilities; a `MisclassificationCost`; or a function of one's own: ``risk(sums, value)`` returns what
        each node costs as a leaf, shape (n_nodes,), of ``sums``, shape (n_nodes, n_outputs, n_classes) (weight
        of each class) or (n_nodes, n_outputs, 3) (the moments of `target_moments` about the root's value), and
        of ``value``, what each node predicts, shape (n_nodes, n_outputs[, n_classes]), of a regression tree
        less the root's.

    Attributes
    ----------
    path_ : PruningPath
        All levels, whatever alpha is.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), chapters 3 and 10.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import CostComplexityPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = CostComplexityPruner(alpha=0.01).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 6)
    """

    method = "cost_complexity"
    strength = "alpha"

    def __init__(self, estimator: Any = None, *, alpha: float = 0.0, risk: Risk = "impurity") -> None:
        super().__init__(estimator)
        self.alpha = alpha
        self.risk = risk

    def _check_parameters(self) -> None:
        check_number("alpha", self.alpha, low=0)
        check_risk(self.risk)

    def _needs_counts(self) -> bool:
        return self.risk != "impurity"

    def _find_path(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningPath:
        return cost_complexity_path(tree.structure, self._risk(tree, statistics))

    def _risk(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.float64]:
        """R(t) per unit of total weight, shape (n_nodes,)."""
        return leaf_risk(tree, statistics, self.risk) / tree.rows(statistics)[0]

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        cost = self._risk(tree, statistics) + self.alpha
        branch = best_branch(tree.structure, cost)
        says = "as a leaf, R(t) + alpha", "with its branch, R(T) + alpha x leaves"
        return Sides(says[0], cost, says[1], branch, order="weakest first")


def _own_alphas(structure: TreeStructure, risk: NDArray[np.float64]) -> list[float]:
    """Alpha at which each node collapses within its own branch; infinite at leaves."""
    noise = ROUNDING * largest(risk)
    inner = structure.inner[::-1]
    left, right = structure.children_left[inner], structure.children_right[inner]
    gains = risk[inner] - risk[left] - risk[right]
    alpha = [np.inf] * structure.n_nodes
    branches: list[Collapses | None] = [None] * structure.n_nodes
    for t, a, b, gain in zip(inner.tolist(), left.tolist(), right.tolist(), gains.tolist(), strict=True):
        collapses = _poured_together(branches[a], branches[b])
        branches[a] = branches[b] = None
        # with everything below collapsed, t's branch is its two children: undo what came later
        saved, added, weakest = gain, 1, gain
        while collapses and -collapses[0][0] >= weakest - noise - 1e-12 * weakest:
            _, loss, leaves = heappop(collapses)
            saved += loss
            added += leaves
            weakest = saved / added
        heappush(collapses, (-weakest, saved, added))
        branches[t] = collapses
        alpha[t] = weakest if weakest > noise else 0.0
    return alpha


def _poured_together(one: Collapses | None, other: Collapses | None) -> Collapses:
    """Pour the shorter of two heaps into the longer; leaves have none."""
    if one is None or other is None:
        return one or other or []
    if len(one) < len(other):
        one, other = other, one
    for collapse in other:
        heappush(one, collapse)
    return one
