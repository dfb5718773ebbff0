"""Both sides of the comparison that a method makes at a node, in the words of its authors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.tree.cuts import TIE, level_sizes
from treeprune.tree.fitted import FittedTree
from treeprune.tree.methods.critical_value import impurity_decrease
from treeprune.tree.methods.error_based import added_errors
from treeprune.tree.methods.minimum_error import expected_errors, expected_squares

Floats = NDArray[np.float64]
SLACK = 0.1  # of error-based pruning, as C4.5 and Weka have it


@dataclass(frozen=True)
class Sides:
    """What is compared, at every node of one pruning.

    Attributes
    ----------
    left_says, right_says : str
    left, right : ndarray of float, shape (n_nodes,)
        A split is pruned where left <= right (optimal pruning decides by size as well). Infinity or no number where
        there was no split.
    """

    left_says: str
    left: Floats
    right_says: str
    right: Floats


def sides_of(tree: FittedTree, method: str, price: float, cut: NDArray[np.bool_], family: Any) -> Sides:
    """Return both sides at the nodes of one pruning.

    Parameters
    ----------
    tree : FittedTree
    method : str
    price : float
        The method's own parameter.
    cut : ndarray of bool, shape (n_nodes,)
        The pruning.
    family : PruningPath or PruningCuts
        That the pruning is of.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune import pruning_path
    >>> from treeprune.explorer.sides import sides_of
    >>> from treeprune.tree.fitted import find_tree
    >>> tree = find_tree(DecisionTreeClassifier(random_state=0).fit(*load_iris(return_X_y=True)))
    >>> path = pruning_path(tree.estimator)
    >>> found = sides_of(tree, "cost_complexity", 0.0, tree.structure.is_leaf, path)
    >>> found.left_says, float(found.left[0].round(3)), found.right_says, float(found.right[0])
    ('as a leaf, R(t) + alpha', 0.667, 'with its branch, R(T) + alpha x leaves', 0.0)
    """
    return _SIDES[method](tree, price, cut, family)


def _cost_complexity(tree: FittedTree, alpha: float, cut: NDArray[np.bool_], _: Any) -> Sides:
    cost = tree.impurity(None) / tree.rows(None)[0] + alpha
    return Sides("as a leaf, R(t) + alpha", cost, "with its branch, R(T) + alpha x leaves", _best_branch(tree, cost))


def _critical_value(tree: FittedTree, value: float, cut: NDArray[np.bool_], _: Any) -> Sides:
    best = impurity_decrease(tree.structure, tree.impurity(None), tree.rows(None))
    for t, left, right in tree.structure.upward():
        best[t] = np.maximum(best[t], np.maximum(best[left], best[right]))
    return Sides("best split in its branch", best, "critical value", np.full(len(best), value))


def _max_depth(tree: FittedTree, limit: float, cut: NDArray[np.bool_], _: Any) -> Sides:
    depth = tree.structure.depth.astype(float)
    return Sides("limit on depth", np.full(len(depth), limit), "depth of the node", depth)


def _max_leaf_nodes(tree: FittedTree, limit: float, cut: NDArray[np.bool_], path: Any) -> Sides:
    sizes = level_sizes(tree.structure, path.removed_at)
    needed = np.where(tree.structure.is_leaf, np.inf, sizes[np.maximum(path.removed_at - 1, 0)])
    return Sides("limit on leaves", np.full(len(needed), limit), "leaves before its split", needed - 1)


def _error_based(tree: FittedTree, confidence: float, cut: NDArray[np.bool_], _: Any) -> Sides:
    errors, rows = tree.error(None), tree.rows(None)
    cost = errors + added_errors(rows, errors, confidence)
    branch = _best_branch(tree, cost, SLACK)
    return Sides("errors expected as a leaf", cost, f"errors expected of its branch + {SLACK}", branch)


def _minimum_error(tree: FittedTree, m: float, cut: NDArray[np.bool_], _: Any) -> Sides:
    if tree.is_classifier:
        cost = expected_errors(tree.counts(None), m)
        return Sides("errors expected as a leaf", cost, "errors expected of its branch", _best_branch(tree, cost))
    cost = expected_squares(tree.error(None), tree.rows(None), m)
    return Sides("squared error expected as a leaf", cost, "that of its branch", _best_branch(tree, cost))


def _pessimistic_error(tree: FittedTree, z: float, cut: NDArray[np.bool_], _: Any) -> Sides:
    errors, rows, structure = tree.error(None), tree.rows(None), tree.structure
    below = structure.sum_up(np.where(structure.is_leaf, errors + 0.5, 0))
    error = np.sqrt(np.maximum(below * (rows - below), 0) / rows)
    return Sides("errors as a leaf + 1/2", errors + 0.5, "errors of its branch + leaves/2 + z SE", below + z * error)


def _optimal(tree: FittedTree, size: float, cut: NDArray[np.bool_], _: Any) -> Sides:
    cost = tree.error(None).astype(float)
    what = "errors" if tree.is_classifier else "squared error"
    return Sides(f"{what} as a leaf", cost, f"{what} of its branch", _below(tree, cost, cut))


def _best_branch(tree: FittedTree, cost: Floats, slack: float = 0.0) -> Floats:
    """What each node is weighed against, going up: the best of both children, each as it was decided before."""
    best, branch = cost.copy(), np.full(len(cost), np.inf)
    for t, left, right in tree.structure.upward():
        branch[t] = best[left] + best[right] + slack
        best[t] = np.where(cost[t] <= branch[t] + TIE * abs(cost[0]), cost[t], branch[t] - slack)
    return branch


def _below(tree: FittedTree, cost: Floats, cut: NDArray[np.bool_]) -> Floats:
    """Cost of the branch of each node: of the pruning where it has one there, of the grown tree where it has none."""
    total = cost.copy()
    for t, left, right in tree.structure.upward():
        total[t] = np.where(cut[t], cost[t], total[left] + total[right])
    return np.where(cut, tree.structure.sum_up(cost), total)


_SIDES: dict[str, Callable[[FittedTree, float, NDArray[np.bool_], Any], Sides]] = {
    "cost_complexity": _cost_complexity,
    "critical_value": _critical_value,
    "max_depth": _max_depth,
    "max_leaf_nodes": _max_leaf_nodes,
    "error_based": _error_based,
    "minimum_error": _minimum_error,
    "pessimistic_error": _pessimistic_error,
    "optimal": _optimal,
}
METHODS = tuple(_SIDES)
