"""Averaging over all prunings of a tree, and the likeliest one of them.

Willems, Shtarkov & Tjalkens (1995); Buntine (1992); Helmbold & Schapire (1997): see `treeprune.tree.stopping`.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treeprune.checks import check_choice
from treeprune.tree.cuts import optimal_cut
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import BasePruner
from treeprune.tree.sides import Sides, best_branch
from treeprune.tree.soft import SoftPruner
from treeprune.tree.stopping import (
    averaged_values,
    check_beta,
    check_stop_prior,
    class_evidence,
    node_means,
    normal_evidence,
    stopping_costs,
    stopping_posterior,
)

Estimate = Literal["smoothed", "observed"]
PRIOR_ROWS = 1.0  # of a numeric target: what the prior is worth


class AveragingPruner(BasePruner):
    """Keep the likeliest of all prunings.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    beta : float, default=0.5
        What the prior is worth, in rows a class: a half is Krichevsky and Trofimov's. Regression does not read it, see
        `treeprune.normal_evidence`.
    stop_prior : float, default=0.5
        How likely a node is to be a leaf before any rows are seen, between 0 and 1. Towards 1 trees get
        small; towards 0 it is dear to stop elsewhere than at grown leaves, and splits stay or go by whole branches.

    Attributes
    ----------
    stopping_ : ndarray of float, shape (n_nodes of the grown tree,)
        How likely each node is a leaf, given the rows and that none above it is; 1 at grown leaves.

    Notes
    -----
    The rows that chose the splits are the evidence for them, as if the splits had been given: on noisy data the pruning
    errs towards large trees. Rows held out (`prune`) are free of that. The prunings are not nested in ``stop_prior``.
    Several outputs are independent of each other at a node: an output given twice is evidence twice.

    References
    ----------
    Willems, Shtarkov & Tjalkens (1995); Buntine (1992); for regression Chipman, George & McCulloch (1998).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import AveragingPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = AveragingPruner(stop_prior=0.9).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 13)
    """

    method = "averaging"

    def __init__(self, estimator: Any = None, *, beta: float = 0.5, stop_prior: float = 0.5) -> None:
        super().__init__(estimator)
        self.beta = beta
        self.stop_prior = stop_prior

    def _check_parameters(self) -> None:
        check_beta(self.beta)
        check_stop_prior(self.stop_prior)

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        return self._find(tree, statistics)["cut_"]

    def _find(self, tree: FittedTree, statistics: NodeStatistics | None) -> dict[str, Any]:
        evidence = log_evidence(tree, tree.counts(statistics), self.beta)
        cut = optimal_cut(tree.structure, *stopping_costs(tree.structure, evidence, self.stop_prior))
        return {"cut_": cut, "stopping_": stopping_posterior(tree.structure, evidence, self.stop_prior)}

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        evidence = log_evidence(tree, tree.counts(statistics), self.beta)
        cost, split = stopping_costs(tree.structure, evidence, self.stop_prior)
        branch = best_branch(tree.structure, cost, split)
        return Sides("-log probability of stopping here", cost, "-log probability of its likeliest branch", branch)


class TreeAverager(SoftPruner):
    """Grow a tree, and let each leaf say the average over all prunings of it.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``. A ``FrozenEstimator`` is not grown again:
        the rows of `fit` only say how likely its nodes are leaves, and what they say.
    beta, stop_prior : float, default=0.5
        As in `AveragingPruner`.
    estimate : {"smoothed", "observed"}, default="smoothed"
        What a node says as a leaf: (n_c + beta) / (n + K beta) of K classes, or the shares of its rows. In regression
        the mean with one row more, which lies at the mean of all, or the mean; of any criterion.

    Attributes
    ----------
    grown_ : estimator
        The tree as it was grown.
    estimator_ : estimator
        An ordinary scikit-learn tree with the same splits and other values.
    stopping_ : ndarray of float, shape (n_nodes,)
        How likely each node is a leaf, given the rows and that none above it is; 1 at grown leaves.
    n_leaves_ : int

    Notes
    -----
    Exactly the average over all prunings, of which there may be more than atoms, for the price of two sweeps over the
    nodes. Weights are frequencies. Trees with monotone constraints are refused: the average need not keep to them.

    References
    ----------
    Willems, Shtarkov & Tjalkens (1995); Buntine (1992); Helmbold & Schapire (1997).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.metrics import log_loss
    >>> from treeprune import TreeAverager
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> soft = TreeAverager().fit(X[:300], y[:300])
    >>> hard, better = (log_loss(y[300:], tree.predict_proba(X[300:])) for tree in (soft.grown_, soft))
    >>> bool(better < 0.5 * hard), bool(soft.n_leaves_ == soft.grown_.get_n_leaves())
    (True, True)
    """

    method = "averaging_soft"

    def __init__(
        self, estimator: Any = None, *, beta: float = 0.5, stop_prior: float = 0.5, estimate: Estimate = "smoothed"
    ) -> None:
        self.estimator = estimator
        self.beta = beta
        self.stop_prior = stop_prior
        self.estimate = estimate

    def _check_parameters(self) -> None:
        check_beta(self.beta)
        check_stop_prior(self.stop_prior)
        check_choice("estimate", self.estimate, ("smoothed", "observed"))

    def _find(self, tree: FittedTree, statistics: NodeStatistics | None) -> dict[str, Any]:
        if tree.is_constrained:
            raise ValueError("monotonic_cst: an average over prunings need not keep to monotone constraints")
        sums = tree.counts(statistics)
        stopping = stopping_posterior(tree.structure, log_evidence(tree, sums, self.beta), self.stop_prior)
        value = averaged_values(tree.structure, stopping, self._own_values(tree, sums))
        return {"value": value.clip(0, 1) if tree.is_classifier else value, "stopping_": stopping}

    def _own_values(self, tree: FittedTree, sums: NDArray[Any]) -> NDArray[np.float64]:
        smooth = self.estimate == "smoothed"
        if tree.is_classifier:
            return class_shares(tree, sums, self.beta if smooth else 0.0)
        return target_means(tree, sums, PRIOR_ROWS if smooth else 0.0)


def log_evidence(tree: FittedTree, sums: NDArray[Any], beta: float) -> NDArray[np.float64]:
    """Return the log probability of the rows at each node if it is a leaf, from their counts or moments."""
    return class_evidence(sums, beta, n_classes(tree)) if tree.is_classifier else normal_evidence(sums, PRIOR_ROWS)


def class_shares(tree: FittedTree, counts: NDArray[Any], beta: float) -> NDArray[np.float64]:
    """Return (n_c + beta) / (n + K beta), shape (n_nodes, n_outputs, n_classes)."""
    of_output = np.arange(counts.shape[-1]) < n_classes(tree)[:, None]  # outputs of fewer classes have empty columns
    total = np.where(of_output, counts + beta, 0.0)
    return node_means(tree.structure, total, total.sum(axis=-1, keepdims=True))


def target_means(tree: FittedTree, moments: NDArray[Any], prior_rows: float) -> NDArray[np.float64]:
    """Return the mean of each node's rows and some at the mean of all, shape (n_nodes, n_outputs)."""
    n, first = moments[..., 0], moments[..., 1]
    total = first + prior_rows * first[0] / n[0]
    return tree.value[0] + node_means(tree.structure, total, n + prior_rows)


def n_classes(tree: FittedTree) -> NDArray[np.intp]:
    """Count the classes of each output."""
    return np.array([len(known) for known in tree.classes])
