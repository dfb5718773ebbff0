"""Minimum-error pruning.

Niblett & Bratko (1986), *Learning decision rules in noisy domains*; Cestnik & Bratko (1991), *On
estimating probabilities in tree pruning*, EWSL, 138-150.

A node's error rate is expected, not observed: the class frequencies at the node are shrunk
towards their prior as if m more rows had come from it.  A branch is kept if the error expected
of its children, each weighted by its share of the rows, is below that of the node as a leaf.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_number
from treeprune.tree.cuts import node_numbers, optimal_cut
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.loss import mean_over_outputs
from treeprune.tree.pruner import BasePruner
from treeprune.tree.risk import checked_costs
from treeprune.tree.sides import Sides, best_branch
from treeprune.tree.structure import TreeStructure


def minimum_error_cut(
    structure: TreeStructure,
    class_counts: ArrayLike,
    m: float = 2.0,
    prior: ArrayLike | None = None,
    costs: ArrayLike | None = None,
) -> NDArray[np.bool_]:
    """Find the cut of least expected error under the m-estimate of probability.

    The expected error rate of node t with n rows is ``min over classes i of
    (n - n_i + (1 - p_i) m) / (n + m)``.

    Parameters
    ----------
    structure : TreeStructure
    class_counts : array-like, shape (n_nodes, n_classes) or (n_nodes, n_outputs, n_classes)
        Rows of each class at every node. Outputs are averaged.
    m : float, default=2.0
        Strength of the prior, in rows. 0 trusts the counts, infinity leaves the root alone.
    prior : array-like of float, shape (n_classes,), optional
        Prior probabilities p; the frequencies at the root by default. ``m=n_classes`` with a
        uniform prior is the Laplace form of Niblett & Bratko.
    costs : array-like of float, shape (n_classes, n_classes), optional
        What it costs to take the class of the row for that of the column; all errors cost 1 by default. The
        expected cost of a node is ``min over classes j of sum over i of p_i costs[i, j]`` of the same estimate.

    References
    ----------
    Cestnik & Bratko (1991), section 3.

    Examples
    --------
    >>> from treeprune import TreeStructure, minimum_error_cut
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> minimum_error_cut(stump, [[8, 2], [7, 1], [1, 1]], m=2)
    array([False,  True,  True])
    >>> minimum_error_cut(stump, [[8, 2], [4, 1], [4, 1]], m=2)  # the split says nothing
    array([ True, False, False])
    """
    check_number("m", m, low=0)
    counts = node_numbers(structure, class_counts, "class_counts", ndims=(2, 3), low=0)
    if not counts[0].any(axis=-1).all():
        raise ValueError("class_counts is 0 for all classes at the root: there are no rows to prune by")
    return optimal_cut(structure, expected_errors(counts, m, prior, costs))


def expected_errors(counts: NDArray[Any], m: float, prior: Any = None, costs: Any = None) -> NDArray[np.float64]:
    """Return n times the expected error rate (or cost) of each node as a leaf, the mean over outputs."""
    n = counts.sum(axis=-1, keepdims=True)
    prior = counts[0] / n[0] if prior is None else _check_prior(prior, counts.shape[-1])
    # n cancels against the share of rows: n * EER adds up over leaves
    observed = 1 - np.divide(counts, n, out=np.zeros_like(counts, dtype=np.float64), where=n > 0)
    expected = observed + _shrinkage(n, m) * (1 - prior - observed)
    if costs is not None:
        by_output = counts if counts.ndim == 3 else counts[:, None]
        expected = (1 - expected) @ checked_costs(costs, by_output)
    return mean_over_outputs(n[..., 0] * expected.min(axis=-1))


def minimum_squared_error_cut(
    structure: TreeStructure, squared_error: ArrayLike, n_rows: ArrayLike, m: float = 2.0
) -> NDArray[np.bool_]:
    """Find the cut of least expected squared error: minimum-error pruning of regression trees.

    The expected error of node t is ``(n mse(t) + m mse(root)) / (n + m)``.

    Parameters
    ----------
    structure : TreeStructure
    squared_error : array-like of float, shape (n_nodes,)
        Sum of squares at each node about its prediction.
    n_rows : array-like of float, shape (n_nodes,)
        Weight of the rows at each node.
    m : float, default=2.0
        Strength of the prior, in rows.

    References
    ----------
    The regression form in use in Orange 2.

    Examples
    --------
    >>> from treeprune import TreeStructure, minimum_squared_error_cut
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> minimum_squared_error_cut(tree, [90, 8, 12, 5, 4], n_rows=[20, 12, 8, 5, 3], m=2)
    array([False,  True,  True, False, False])
    """
    check_number("m", m, low=0)
    total = node_numbers(structure, squared_error, "squared_error", low=0)
    n = node_numbers(structure, n_rows, "n_rows", low=0)
    if n[0] == 0:
        raise ValueError("n_rows is 0 at the root: there are no rows to prune by")
    return optimal_cut(structure, expected_squares(total, n, m))


def expected_squares(total: NDArray[np.float64], n: NDArray[np.float64], m: float) -> NDArray[np.float64]:
    """Return n times the expected squared error of each node as a leaf."""
    return total + _shrinkage(n, m) * (n * (total[0] / n[0]) - total)


class MinimumErrorPruner(BasePruner):
    """Minimum-error pruning by the m-estimate.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    m : float, default=2.0
        Rows that the prior is worth, at least 0; the noisier the data, the larger. Weights count
        as rows.
    prior : array-like of float, shape (n_classes,), default=None
        Prior probabilities; None means the frequencies at the root. Classification only.
    costs : array-like of float, shape (n_classes, n_classes), default=None
        Cost of each error, the true class in the rows; None means 1. For classification with one output.

    Notes
    -----
    The prunings are not nested in m: a branch may come back at a larger m.

    References
    ----------
    Niblett & Bratko (1986); Cestnik & Bratko (1991). For regression trees the squared error of a
    node is shrunk towards the root's, as Orange 2 does.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import MinimumErrorPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = MinimumErrorPruner(m=12).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 13)
    """

    method = "minimum_error"

    def __init__(
        self, estimator: Any = None, *, m: float = 2.0, prior: ArrayLike | None = None, costs: ArrayLike | None = None
    ) -> None:
        super().__init__(estimator)
        self.m = m
        self.prior = prior
        self.costs = costs

    def _check_parameters(self) -> None:
        check_number("m", self.m, low=0)

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        if tree.is_classifier:
            return minimum_error_cut(tree.structure, tree.counts(statistics), self.m, self.prior, self.costs)
        for name in ("prior", "costs"):
            if getattr(self, name) is not None:
                given = f"{name}={getattr(self, name)!r}"
                raise ValueError(f"{given} is for classification trees, this is a regression tree")
        return minimum_squared_error_cut(tree.structure, tree.error(statistics), tree.rows(statistics), self.m)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        classified = "errors expected" if self.costs is None else "cost expected"
        what = classified if tree.is_classifier else "squared error expected"
        if tree.is_classifier:
            counts = np.asarray(tree.counts(statistics), dtype=np.float64)
            cost = expected_errors(counts, self.m, self.prior, self.costs)
        else:
            cost = expected_squares(tree.error(statistics), tree.rows(statistics), self.m)
        return Sides(f"{what} as a leaf", cost, f"{what} of its branch", best_branch(tree.structure, cost))


def _shrinkage(n: NDArray[np.float64], m: float) -> NDArray[np.float64]:
    """Share of the prior in the estimate: m / (n + m)."""
    if np.isinf(m):
        return np.ones_like(n)
    return np.divide(m, n + m, out=np.zeros_like(n), where=n + m > 0)


def _check_prior(prior: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    try:
        p = np.asarray(prior, dtype=np.float64)
    except (TypeError, ValueError):
        p = np.empty(0)
    if p.shape != (n_classes,) or not (p >= 0).all() or not np.isclose(p.sum(), 1):
        raise ValueError(f"prior={prior!r}: {n_classes} probabilities that sum to 1 are expected, one a class")
    return p
