"""Reduced-error pruning.

Quinlan (1987), *International Journal of Man-Machine Studies* 27:221-234; Esposito, Malerba &
Semeraro (1997), *IEEE PAMI* 19:476-491; Elomaa & Kaariainen (2001), *JAIR* 15:163-187.

Rows that the tree was not grown on are sent down it.  A branch becomes a leaf unless it makes
fewer errors on them than its root would as a leaf.  In one pass from the leaves up this gives the
smallest of the most accurate prunings on those rows.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import indexable

from treeprune.checks import check_choice
from treeprune.rows import take_rows
from treeprune.tree.cuts import TIE, largest, node_numbers, optimal_cut
from treeprune.tree.fitted import FittedTree, NodeStatistics, find_tree
from treeprune.tree.holdout import holdout_split
from treeprune.tree.pruner import BasePruner, grow
from treeprune.tree.refit import refitted_fields
from treeprune.tree.risk import Risk, check_risk, leaf_risk, risk_words
from treeprune.tree.sides import Sides, best_branch
from treeprune.tree.structure import TreeStructure
from treeprune.wrapped import is_frozen


def reduced_error_cut(
    structure: TreeStructure, holdout_cost: ArrayLike, ties: Literal["prune", "keep"] = "prune"
) -> NDArray[np.bool_]:
    """Find the cut with least cost on held-out rows.

    Parameters
    ----------
    structure : TreeStructure
    holdout_cost : array-like of float, shape (n_nodes,)
        Errors (or squared error) of the held-out rows at each node, were it a leaf.
    ties : {"prune", "keep"}, default="prune"
        Whether a branch goes that costs the same as a leaf in its place, as every branch does
        that no held-out row reaches.

    Examples
    --------
    >>> from treeprune import TreeStructure, reduced_error_cut
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> reduced_error_cut(tree, [5, 1, 2, 1, 1])
    array([False,  True,  True, False, False])
    >>> reduced_error_cut(tree, [5, 1, 2, 1, 1], ties="keep")
    array([False,  True, False,  True,  True])
    """
    check_choice("ties", ties, ("prune", "keep"))
    cost = node_numbers(structure, holdout_cost, "holdout_cost")
    strictly = -max(2 * TIE * largest(cost), np.finfo(float).tiny)
    return optimal_cut(structure, cost, slack=0.0 if ties == "prune" else strictly)


class ReducedErrorPruner(BasePruner):
    """Reduced-error pruning: hold rows out, grow on the others, keep what the held-out rows confirm.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    ties : {"prune", "keep"}, default="prune"
        Whether a branch goes that is no better and no worse than a leaf. Keeping ties leaves
        about twice as many leaves.
    risk : {"error", "impurity", "brier", "log_loss"} or callable, default="error"
        What a leaf costs on the held-out rows: those misclassified (squared error of a regression tree), or any
        other that `CostComplexityPruner` takes. Impurity is that of the held-out rows themselves, whatever the
        leaf predicts, so that no branch is ever worse than a leaf.
    validation_fraction : float in (0, 1), or cross-validation splitter, default=0.25
        Share of the rows that `fit` holds out, stratified by class; or a splitter (for groups,
        say), whose first split is taken.
    refit_leaves : bool, default=False
        After pruning, let all rows of `fit` set the values of the nodes that are left (also
        called backfitting).
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows before they are split.

    Attributes
    ----------
    validation_index_ : ndarray of int
        The rows that `fit` held out.

    References
    ----------
    Quinlan (1987); Esposito, Malerba & Semeraro (1997).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import ReducedErrorPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = ReducedErrorPruner(random_state=0).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (18, 8)
    """

    method = "reduced_error"

    def __init__(
        self,
        estimator: Any = None,
        *,
        ties: Literal["prune", "keep"] = "prune",
        risk: Risk = "error",
        validation_fraction: Any = 0.25,
        refit_leaves: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator)
        self.ties = ties
        self.risk = risk
        self.validation_fraction = validation_fraction
        self.refit_leaves = refit_leaves
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self:
        """Hold rows out, grow on the others, prune by those held out.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : array-like, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like, shape (n_rows,), optional
            Frequencies.
        groups : array-like, shape (n_rows,), optional
            For a splitter that keeps groups together.
        """
        self._check_parameters()
        if is_frozen(self.estimator):
            super().fit(X, y, sample_weight)
            self.__dict__.pop("validation_index_", None)  # of an earlier fit
            return self
        X, y, sample_weight, groups = indexable(X, y, sample_weight, groups)
        growing, held_out = holdout_split(self.validation_fraction, self._to_grow(), X, y, groups, self.random_state)
        to_grow = take_rows(growing, X, y, sample_weight)
        grown = grow(self._to_grow(), *to_grow)
        seen = find_tree(grown).count(*to_grow) if self.refit_leaves else None
        X, y, sample_weight = take_rows(held_out, X, y, sample_weight)
        self._prune_grown(grown, X, y, sample_weight, growing=seen)
        self.validation_index_ = held_out
        return self

    def _check_parameters(self) -> None:
        check_choice("ties", self.ties, ("prune", "keep"))
        check_risk(self.risk)

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        if statistics is None:
            raise ValueError(
                "reduced-error pruning needs rows that the tree was not grown on: give them as X and y, "
                "or their sums as statistics"
            )
        return reduced_error_cut(tree.structure, leaf_risk(tree, statistics, self.risk), self.ties)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        cost = np.asarray(leaf_risk(tree, statistics, self.risk), dtype=np.float64)
        what = risk_words(tree, self.risk)
        branch = best_branch(tree.structure, cost)
        return Sides(f"held-out {what} as a leaf", cost, f"held-out {what} of its branch", branch, self.ties)

    def _new_fields(
        self, tree: FittedTree, statistics: NodeStatistics | None, growing: NodeStatistics | None
    ) -> dict[str, NDArray[Any]]:
        if not self.refit_leaves or statistics is None:
            return {}
        return refitted_fields(tree, growing, statistics)
