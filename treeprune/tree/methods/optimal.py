"""Optimal pruning by size.

Bohanec & Bratko (1994), *Trading accuracy for simplicity in decision trees*, Machine Learning
15:223-250 (OPT); Almuallim (1996), *An efficient algorithm for optimal pruning of decision trees*,
Artificial Intelligence 83:347-362 (OPT-2).

Of all prunings with k leaves, which is the best?  The least cost of a branch with k leaves comes
from sharing k among its two children in the best way: a dynamic program over sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_count
from treeprune.path import PruningCuts
from treeprune.tree.cuts import TIE, largest, node_numbers
from treeprune.tree.fitted import FittedTree, NodeStatistics, replace_tree
from treeprune.tree.pruner import BasePruner
from treeprune.tree.rebuild import materialise
from treeprune.tree.risk import Risk, check_risk, leaf_risk, risk_words
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure

MOST_CELLS = 2**26  # booleans of a family of cuts


def optimal_cuts(structure: TreeStructure, leaf_cost: ArrayLike, max_leaf_nodes: int | None = None) -> PruningCuts:
    """Find the cheapest cut of every size.

    Parameters
    ----------
    structure : TreeStructure
    leaf_cost : array-like of float, shape (n_nodes,)
        What each node would cost as a leaf; costs of leaves add up.
    max_leaf_nodes : int, optional
        Largest size wanted; the grown tree's by default. The result holds one boolean for each
        size and node, and trees of many thousand leaves must have a bound: 64 MB of them are refused.

    Returns
    -------
    PruningCuts
        From the largest size down to the root; ``price`` is the number of leaves. Where cuts of
        one size tie, the left branch gets the fewer leaves.

    Notes
    -----
    O(L^2) for L leaves. The prunings are not nested in general; the lower convex hull of their
    costs over size is the cost-complexity path.

    Examples
    --------
    >>> from treeprune import TreeStructure, optimal_cuts
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> optimal_cuts(tree, [9, 1, 4, 1, 1]).n_leaves
    array([3, 2, 1])
    """
    cost = node_numbers(structure, leaf_cost, "leaf_cost")
    most = structure.n_leaves
    if max_leaf_nodes is not None:
        check_count("max_leaf_nodes", max_leaf_nodes, low=1)
        most = min(most, int(max_leaf_nodes))
    if most * structure.n_nodes > MOST_CELLS:
        n = structure.n_nodes
        raise ValueError(
            f"all sizes up to {most} of a tree with {n} nodes are {most * n / 2**20:,.0f} MB of cuts: give "
            f"max_leaf_nodes, {MOST_CELLS // n} at most"
        )
    sizes = np.arange(most, 0, -1)
    shares = _least_costs(structure, cost, most)[1]
    return PruningCuts("optimal", "max_leaf_nodes", sizes.astype(np.float64), _cuts_of(structure, shares, sizes))


def optimal_cut_of_size(structure: TreeStructure, leaf_cost: ArrayLike, max_leaf_nodes: int) -> NDArray[np.bool_]:
    """Find the cheapest cut with at most so many leaves; of cuts that cost the same, the smallest.

    Parameters
    ----------
    structure : TreeStructure
    leaf_cost : array-like of float, shape (n_nodes,)
        What each node would cost as a leaf; costs of leaves add up.
    max_leaf_nodes : int
        Number of leaves allowed, 1 or more.

    Returns
    -------
    ndarray of bool, shape (n_nodes,)
        The cut.

    Examples
    --------
    >>> from treeprune import TreeStructure, optimal_cut_of_size
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> optimal_cut_of_size(tree, [9, 1, 4, 1, 1], max_leaf_nodes=2)
    array([False,  True,  True, False, False])
    """
    check_count("max_leaf_nodes", max_leaf_nodes, low=1)
    return _cuts_within(structure, node_numbers(structure, leaf_cost, "leaf_cost"), [int(max_leaf_nodes)])[0]


class OptimalPruner(BasePruner):
    """The pruning of least training cost with at most so many leaves.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    max_leaf_nodes : int
        Number of leaves allowed, 1 or more. Must be given.
    risk : {"error", "impurity", "brier", "log_loss"} or callable, default="error"
        What a leaf costs: misclassified rows (squared error of a regression tree), impurity, or any other that
        `CostComplexityPruner` takes.

    Notes
    -----
    On held-out rows, ``prune(X, y)`` gives the ceiling by which other methods are judged.

    References
    ----------
    Bohanec & Bratko (1994); Almuallim (1996).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import OptimalPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> OptimalPruner(max_leaf_nodes=5).fit(X, y).n_leaves_
    5
    """

    method = "optimal"

    def __init__(self, estimator: Any = None, *, max_leaf_nodes: int | None = None, risk: Risk = "error") -> None:
        super().__init__(estimator)
        self.max_leaf_nodes = max_leaf_nodes
        self.risk = risk

    def _check_parameters(self) -> None:
        check_count("max_leaf_nodes", self.max_leaf_nodes, low=1)
        check_risk(self.risk)

    def _needs_counts(self) -> bool:
        return self.risk != "impurity"

    def _leaf_cost(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[Any]:
        return leaf_risk(tree, statistics, self.risk)

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        assert self.max_leaf_nodes is not None  # checked before
        return optimal_cut_of_size(tree.structure, self._leaf_cost(tree, statistics), self.max_leaf_nodes)

    def _models_at_once(self, settings: Sequence[Mapping[str, Any]]) -> list[Any] | None:
        """Prune the grown tree to each of several sizes, for the price of the largest; None for other settings."""
        others = [{k: v for k, v in setting.items() if k != "max_leaf_nodes"} for setting in settings]
        if any(other != others[0] for other in others):
            return None
        for setting in settings:
            self.set_params(**setting)._check_parameters()
        tree, counted = self._counted()
        sizes = [int(setting["max_leaf_nodes"]) for setting in settings]
        cuts = _cuts_within(tree.structure, np.asarray(self._leaf_cost(tree, counted), dtype=np.float64), sizes)
        return [replace_tree(self.grown_, materialise(tree.estimator, tree.structure, cut)) for cut in cuts]

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        cost = np.asarray(self._leaf_cost(tree, statistics), dtype=np.float64)
        below = tree.structure.sum_up(cost)
        what = risk_words(tree, self.risk)
        return Sides(f"{what} as a leaf (the size decides)", cost, f"{what} of its grown branch", below)

    def _find_cuts(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningCuts:
        return optimal_cuts(tree.structure, self._leaf_cost(tree, statistics), self.max_leaf_nodes)


def _cuts_within(structure: TreeStructure, cost: NDArray[np.float64], limits: Sequence[int]) -> NDArray[np.bool_]:
    """For each limit the cheapest cut with at most so many leaves, the smallest of equals."""
    least, shares = _least_costs(structure, cost, min(structure.n_leaves, max(limits)))
    allowed = [least[:limit] for limit in limits]
    sizes = [1 + int(np.flatnonzero(some <= some.min() + TIE * largest(cost))[0]) for some in allowed]
    return _cuts_of(structure, shares, np.array(sizes))


def _least_costs(
    structure: TreeStructure, cost: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], dict[int, NDArray[np.intp]]]:
    """Least cost of the whole tree with 1, ..., most leaves, and each node's best share for its left child."""
    least = {int(t): cost[t : t + 1] for t in np.flatnonzero(structure.is_leaf)}
    shares: dict[int, NDArray[np.intp]] = {}
    for t in structure.inner[::-1].tolist():
        left, right = least.pop(int(structure.children_left[t])), least.pop(int(structure.children_right[t]))
        least[t], shares[t] = _share_out(float(cost[t]), left, right, most)
    return least[0], shares


def _share_out(
    as_leaf: float, left: NDArray[np.float64], right: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Min-plus product of two branches: entry k - 1 is for k leaves in all."""
    n_sizes = min(len(left) + len(right), most)
    best, share = np.full(n_sizes, np.inf), np.zeros(n_sizes, dtype=np.intp)
    best[0] = as_leaf
    swap = len(left) > len(right)  # the loop goes over the branch with fewer sizes
    few, many = (right, left) if swap else (left, right)
    for i in range(1, min(len(few), n_sizes - 1) + 1):
        sizes = np.arange(i, min(i + len(many), n_sizes))  # index of i + 1, i + 2, ... leaves
        candidate = few[i - 1] + many[: len(sizes)]
        to_left = sizes + 1 - i if swap else i
        better = (candidate < best[sizes]) | ((candidate == best[sizes]) & (to_left < share[sizes]))
        best[sizes] = np.where(better, candidate, best[sizes])
        share[sizes] = np.where(better, to_left, share[sizes])
    return best, share


def _cuts_of(
    structure: TreeStructure, shares: dict[int, NDArray[np.intp]], sizes: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Hand the leaves of each wanted size down from the root; a node that gets one is a leaf."""
    cuts = np.zeros((len(sizes), structure.n_nodes), dtype=bool)
    waiting = [(0, np.arange(len(sizes)), sizes)]  # node, which of the sizes have it, leaves it gets
    while waiting:
        t, which, given = waiting.pop()
        cuts[which[given == 1], t] = True
        more = given > 1
        if more.any():
            which, given = which[more], given[more]
            to_left = shares[t][given - 1]
            waiting.append((int(structure.children_left[t]), which, to_left))
            waiting.append((int(structure.children_right[t]), which, given - to_left))
    return cuts
