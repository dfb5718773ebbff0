"""The fitted tree inside what a user gives, and how rows reach it.

`find_tree` opens pipelines, fitted searches and frozen estimators; `FittedTree` is what the
pruning methods read: shape, node values, and statistics of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.tree import BaseDecisionTree
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from treeprune.tree import loss
from treeprune.tree.statistics import counts_at_leaves, moments_at_leaves
from treeprune.tree.structure import TreeStructure
from treeprune.wrapped import not_found, rewrap, through, unwrap

SQUARED_ERROR_CRITERIA = ("squared_error", "friedman_mse")
MEANS = (*SQUARED_ERROR_CRITERIA, "poisson")  # criteria whose nodes predict the mean of their rows
SOFT = "_values_by"  # attribute of a scikit-learn tree whose node values soft pruning has changed: the method


@dataclass(frozen=True, eq=False)
class NodeStatistics:
    """Sums over rows at every node of one tree; those of two sets of rows add with ``+``.

    Attributes
    ----------
    sums : ndarray, shape (n_nodes, n_outputs, n_classes) or (n_nodes, n_outputs, 3)
        Class counts for a classifier; moments about the root's value for a regressor.
    leaf_rows : ndarray of int, shape (n_nodes,)
        Rows at each grown leaf, not weighted; 0 at inner nodes.
    """

    sums: NDArray[Any]
    leaf_rows: NDArray[np.intp]

    def __add__(self, other: NodeStatistics) -> NodeStatistics:
        """Return the statistics of both sets of rows together."""
        if self.sums.shape != other.sums.shape:
            raise ValueError(f"statistics of two trees do not add up: sums of {self.sums.shape} and {other.sums.shape}")
        return NodeStatistics(self.sums + other.sums, self.leaf_rows + other.leaf_rows)


@dataclass(frozen=True, eq=False)
class FittedTree:
    """A fitted scikit-learn tree as the pruning methods see it.

    Attributes
    ----------
    estimator : DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier or ExtraTreeRegressor
        Never changed.
    steps : tuple of fitted transformers
        What rows go through before they reach the tree (the first steps of a Pipeline).
    """

    estimator: Any
    steps: tuple[Any, ...] = ()

    @cached_property
    def structure(self) -> TreeStructure:
        """The shape of the grown tree; scikit-learn's arrays need no check."""
        tree = self.estimator.tree_
        return TreeStructure(
            tree.children_left.astype(np.intp),
            tree.children_right.astype(np.intp),
            tree.feature,
            tree.threshold,
            tree.missing_go_to_left.astype(bool),
        )

    @property
    def is_classifier(self) -> bool:
        """Whether the tree predicts classes."""
        return hasattr(self.estimator, "classes_")

    @property
    def classes(self) -> list[NDArray[Any]]:
        """The class labels of each output."""
        known = self.estimator.classes_
        return known if isinstance(known, list) else [known]

    @cached_property
    def value(self) -> NDArray[np.float64]:
        """Node values, shape (n_nodes, n_outputs, n_classes), or (n_nodes, n_outputs) of a regressor."""
        value = self.estimator.tree_.value
        return value if self.is_classifier else value[:, :, 0]

    @cached_property
    def label(self) -> NDArray[np.intp]:
        """The class index that each node predicts, ties to the lowest; shape (n_nodes, n_outputs)."""
        return self.value.argmax(axis=-1)

    @cached_property
    def growing_weight(self) -> NDArray[np.float64]:
        """Weight of the growing rows at each node, shape (n_nodes,)."""
        return self.estimator.tree_.weighted_n_node_samples

    def apply(self, X: Any) -> NDArray[np.intp]:
        """Return the grown leaf that each row reaches, through the estimator's own ``apply``."""
        return self.estimator.apply(through(self.steps, X))

    def encode(self, y: Any) -> NDArray[Any]:
        """Return the target as class codes, or as numbers for a regressor; shape (n_rows, n_outputs)."""
        target = self.encode_known(y)
        if self.is_classifier and (target < 0).any():
            output = int(np.flatnonzero((target < 0).any(axis=0))[0])
            strange = np.asarray(y).reshape(target.shape)[target[:, output] < 0, output]
            raise ValueError(_unseen(self.classes[output], strange))
        return target

    def encode_known(self, y: Any) -> NDArray[Any]:
        """Do as `encode`, but give classes that the tree was not grown with the code -1."""
        if y is None:
            raise ValueError("y is None: the rows of X need their targets, in the order of the rows")
        n_outputs = self.value.shape[1]
        if self.is_classifier and n_outputs == 1 and _is_column_of_words(y):
            return _codes_of_words(self.classes[0], y).reshape(-1, 1)
        y = np.asarray(y)
        y = y.reshape(-1, 1) if y.ndim < 2 else y
        if y.ndim != 2 or y.shape[1] != n_outputs:
            raise ValueError(f"y has shape {y.shape}: the tree was grown with {n_outputs} output(s)")
        if not self.is_classifier:
            return _finite_numbers(y)
        codes = [_codes(known, y[:, j]) for j, known in enumerate(self.classes)]
        return np.column_stack(codes)

    def statistics(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> NodeStatistics:
        """Sum the rows at every node.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
            Whatever the fitted model takes.
        y : array-like, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like, shape (n_rows,), optional
            Frequencies. Class weights of the tree are *not* applied: see `count`.
        """
        return self._sum(X, self.encode(y), sample_weight)

    def _sum(self, X: Any, target: NDArray[Any], sample_weight: ArrayLike | None) -> NodeStatistics:
        return self.statistics_at(self.leaves_of(X, target), target, check_weight(sample_weight, len(target)))

    def leaves_of(self, X: Any, target: NDArray[Any]) -> NDArray[np.intp]:
        """Return the grown leaf of each row, after a look that each has its encoded target."""
        leaf = self.apply(X)
        if len(leaf) != len(target):
            raise ValueError(f"X has {len(leaf)} rows, y {len(target)}: they must agree")
        return leaf

    def statistics_at(
        self, leaf: NDArray[np.intp], target: NDArray[Any], weight: NDArray[Any] | None
    ) -> NodeStatistics:
        """Sum encoded rows whose leaves are known."""
        return self.summed_up(self.at_leaves(leaf, target, weight))

    def at_leaves(
        self,
        leaf: NDArray[np.intp],
        target: NDArray[Any],
        weight: NDArray[Any] | None,
        so_far: NodeStatistics | None = None,
    ) -> NodeStatistics:
        """Sum encoded rows at the grown leaves only, after those of earlier rows as if all came at once."""
        n, before = self.structure.n_nodes, None if so_far is None else so_far.sums
        if self.is_classifier:
            sums = counts_at_leaves(n, leaf, target, self.value.shape[2], weight, before)
        else:
            sums = moments_at_leaves(n, leaf, target, self.value[0], weight, before)
        counted = leaf if weight is None else leaf[weight > 0]  # growing leaves rows of no weight out
        rows = np.bincount(counted, minlength=n)
        return NodeStatistics(sums, rows if so_far is None else so_far.leaf_rows + rows)

    def summed_up(self, at_leaves: NodeStatistics) -> NodeStatistics:
        """Return the statistics of every node, from those of the grown leaves."""
        return NodeStatistics(self.structure.sum_up(at_leaves.sums), at_leaves.leaf_rows)

    @property
    def no_rows(self) -> NodeStatistics:
        """The statistics of no rows: zeros."""
        n_nodes, n_outputs = self.value.shape[:2]
        shape = self.value.shape if self.is_classifier else (n_nodes, n_outputs, 3)
        return NodeStatistics(np.zeros(shape, np.intp), np.zeros(n_nodes, np.intp))

    def coded_rows(
        self, X: Any, y: Any, sample_weight: ArrayLike | None = None
    ) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[np.float64]]:
        """Return rows as the tree sees them, their encoded targets, and their weights times its class weights."""
        target = self.encode(y)
        rows = check_array(through(self.steps, X), accept_sparse="csr", dtype=np.float32, ensure_all_finite="allow-nan")
        rows = rows.toarray() if hasattr(rows, "toarray") else rows
        weight, by_class = check_weight(sample_weight, len(target)), self.class_weight_of(target)
        weight = np.ones(len(target)) if weight is None else weight
        return rows, target, weight if by_class is None else weight * by_class

    def count(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> NodeStatistics:
        """Sum rows as the tree was grown: their weights times its class weights.

        ``class_weight="balanced"`` balances the rows that are given.
        """
        target = self.encode(y)
        by_class = self.class_weight_of(target)
        if by_class is None:
            return self._sum(X, target, sample_weight)
        weight = check_weight(sample_weight, len(target))
        return self._sum(X, target, by_class if weight is None else by_class * weight)

    def class_weight_of(self, codes: NDArray[Any]) -> NDArray[np.float64] | None:
        """Weight of each row by its classes; a class that no row has is no error here."""
        given = getattr(self.estimator, "class_weight", None)
        if given is None:
            return None
        if isinstance(given, str):
            return compute_sample_weight(given, codes)
        by_output = given if isinstance(given, list) else [given]
        weight = np.ones(len(codes))
        for known, weights, column in zip(self.classes, by_output, codes.T, strict=True):
            weight *= np.array([weights.get(label, 1.0) for label in known.tolist()])[column]
        return weight

    @property
    def is_constrained(self) -> bool:
        """Whether monotone constraints may have clipped the node values."""
        return getattr(self.estimator, "monotonic_cst", None) is not None

    @property
    def is_soft(self) -> bool:
        """Whether soft pruning has changed the node values."""
        return hasattr(self.estimator, SOFT)

    def check_values(self) -> None:
        """Raise ValueError if inner nodes do not say the mean of what their leaves say.

        As in the trees of gradient boosting with most losses: their leaves were given other values after the
        growth, so that what an inner node holds is not what it should say as a leaf.
        """
        if self.is_classifier or self.is_constrained or self.is_soft or self.estimator.criterion not in MEANS:
            return
        leaf, n, value = self.structure.is_leaf, self.growing_weight, self.value
        mean = n[leaf] @ value[leaf] / n[0]
        allowed = 1e-6 * np.ptp(value[leaf], axis=0) + 1e-9 * np.abs(value).max()
        if (np.abs(mean - value[0]) > allowed).any():
            raise ValueError(
                "the inner nodes of this tree do not say the mean of what their leaves say, as in the trees of "
                "gradient boosting with most losses: as leaves they would need values that its loss gives. tp.simplify "
                "takes such trees, and treeprune.adapters.boosters those of LightGBM and XGBoost"
            )

    @property
    def remembers_rows(self) -> bool:
        """Whether `own_statistics` are those of the growing rows with their own weights."""
        if self.is_constrained or self.is_soft:
            return False
        if self.is_classifier:
            return self.estimator.class_weight is None
        is_variance = self.estimator.criterion in SQUARED_ERROR_CRITERIA and self.value.shape[1] == 1
        return is_variance and not self._is_far_from_zero

    @property
    def _is_far_from_zero(self) -> bool:
        """Whether the impurities that a regression tree stored, E[y^2] - E[y]^2, lost digits to a large mean."""
        return bool((self.value[0] ** 2).max() > 1e4 * self.estimator.tree_.impurity[0])

    @cached_property
    def own_statistics(self) -> NodeStatistics:
        """The statistics of the growing rows, read off the fitted tree.

        Raises
        ------
        ValueError
            Where the tree does not hold them: values clipped by monotone constraints or changed by soft
            pruning, or a regression criterion whose impurity is no squared error.
        """
        if self.is_soft:
            raise ValueError(
                f"{getattr(self.estimator, SOFT)} has changed the node values of this tree, so the statistics of its "
                "rows cannot be read back: pass the growing rows as X and y"
            )
        sums = self._own_counts() if self.is_classifier else self._own_moments()
        if self.is_constrained and not self._adds_up(sums):
            raise ValueError(
                "the node values of this tree are no means of its rows (monotone constraints clip "
                "them), so its statistics cannot be read back: pass the growing rows as X and y"
            )
        return NodeStatistics(sums, np.where(self.structure.is_leaf, self.estimator.tree_.n_node_samples, 0))

    def _adds_up(self, sums: NDArray[Any]) -> bool:
        return np.allclose(self.structure.sum_up(sums), sums, rtol=1e-6, atol=1e-6 * np.abs(sums[0]).max())

    def _own_counts(self) -> NDArray[np.float64]:
        counts = self.value * self.growing_weight[:, None, None]
        unweighted = np.array_equal(self.growing_weight, self.estimator.tree_.n_node_samples)
        return np.rint(counts) if unweighted else counts

    def _own_moments(self) -> NDArray[np.float64]:
        if self.estimator.criterion not in SQUARED_ERROR_CRITERIA or self.value.shape[1] > 1:
            raise ValueError(
                f"a tree grown by criterion={self.estimator.criterion!r} with {self.value.shape[1]} output(s) "
                "does not hold the sums of squares of its rows: pass the growing rows as X and y"
            )
        n = self.growing_weight
        offset = self.value[:, 0] - self.value[0, 0]
        squares = n * (np.maximum(self.estimator.tree_.impurity, 0) + offset**2)
        if self._is_far_from_zero and not self.is_constrained:
            squares = self.structure.sum_up(squares)  # what the impurities of inner nodes lost, the leaves still have
        return np.stack([n, n * offset, squares], axis=-1)[:, None, :]

    def counts(self, statistics: NodeStatistics | None) -> NDArray[Any]:
        """Class counts, shape (n_nodes, n_outputs, n_classes); None: of the growing rows."""
        return (self.own_statistics if statistics is None else statistics).sums

    def require_one_class_variable(self, what: str) -> None:
        """Raise ValueError unless this is a classification tree with one output."""
        if not self.is_classifier or self.value.shape[1] > 1:
            given = f"{self.value.shape[1]} outputs" if self.is_classifier else "a numeric target (regression)"
            raise ValueError(f"{what} is defined for classification with one output; this tree has {given}")

    def rows(self, statistics: NodeStatistics | None) -> NDArray[Any]:
        """Weight of the rows at each node, shape (n_nodes,); None: of the growing rows."""
        if statistics is None:
            return self.growing_weight
        first_output = statistics.sums[:, 0]
        return first_output.sum(axis=-1) if self.is_classifier else first_output[:, 0]

    def error(self, statistics: NodeStatistics | None) -> NDArray[Any]:
        """What each node costs as a leaf: misclassified weight, or squared error; shape (n_nodes,).

        Statistics None: on the growing rows, as far as the fitted tree remembers them.
        """
        sums = (self.own_statistics if statistics is None else statistics).sums
        if self.is_classifier:
            return loss.misclassified(sums, self.label)
        return loss.squared_error(sums, self.value - self.value[0])

    def impurity(self, statistics: NodeStatistics | None) -> NDArray[Any]:
        """Impurity of the rows times their weight, by the tree's own criterion; shape (n_nodes,).

        Statistics None: what the fitted tree stored as it grew, so that every criterion works.
        """
        if statistics is None:
            return self._own_impurity()
        criterion = self.estimator.criterion
        if criterion in SQUARED_ERROR_CRITERIA:
            return loss.variance(statistics.sums)
        if criterion == "gini":
            return loss.gini(statistics.sums)
        if criterion in ("entropy", "log_loss"):
            return loss.entropy(statistics.sums)
        raise ValueError(
            f"impurity by criterion={criterion!r} is no sum of moments, so it cannot be had for new "
            "rows: leave X and y out (the fitted tree knows its own), or use risk='error'"
        )

    def _own_impurity(self) -> NDArray[np.float64]:
        """What the tree stored; where rounding ate it, the leaves' plus what the means say every split gained."""
        stored = self.estimator.tree_.impurity * self.growing_weight
        if self.is_classifier or self.is_constrained or self.estimator.criterion not in SQUARED_ERROR_CRITERIA:
            return stored
        if not self._is_far_from_zero:
            return stored
        n, total = self.growing_weight, np.maximum(stored, 0)
        for t, left, right in self.structure.upward():
            apart = ((self.value[left] - self.value[right]) ** 2).mean(axis=-1)
            total[t] = total[left] + total[right] + n[left] * n[right] / n[t] * apart
        return total


def find_tree(model: Any) -> FittedTree:
    """Find the one fitted tree inside a tree, a Pipeline, a fitted search or a FrozenEstimator.

    Raises
    ------
    TypeError
        If there is none, saying what was looked for.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    tree, steps = unwrap(model, BaseDecisionTree)
    if tree is None:
        raise not_found(model, "a fitted DecisionTree* or ExtraTree* of scikit-learn")
    check_is_fitted(tree)
    return FittedTree(tree, steps)


def replace_tree(model: Any, new_tree: Any) -> Any:
    """Return what `find_tree` was given with another tree in it; a search becomes its best estimator."""
    return rewrap(model, BaseDecisionTree, new_tree)


def check_weight(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64] | None:
    """Return weights as floats, or say what is wrong with them; None stays None."""
    weight = check_each_weight(sample_weight, n_rows)
    if weight is not None and len(weight) and not weight.any():
        raise ValueError("sample_weight is zero for every row: there is nothing to count")
    return weight


def check_each_weight(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64] | None:
    """Do as `check_weight`, but let all be zero, as in one chunk of many."""
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim == 0:
        weight = np.full(n_rows, weight)
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight has shape {weight.shape}: one weight for each of the {n_rows} rows is needed")
    if not np.isfinite(weight).all() or (weight < 0).any():
        wrong = weight[~(np.isfinite(weight) & (weight >= 0))][0]
        raise ValueError(f"sample_weight holds {wrong}: weights are frequencies, finite and not negative")
    return weight


def _finite_numbers(y: NDArray[Any]) -> NDArray[np.float64]:
    try:
        numbers = y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y of a regression tree must be numbers: {error}") from error
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers).all(axis=1))[0])
        raise ValueError(f"y holds {numbers[row].tolist()} in row {row}: finite numbers are needed")
    return numbers


def _codes(known: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.intp]:
    """Positions of the labels among the known classes, -1 for others."""
    kinds = known.dtype.kind, labels.dtype.kind
    if kinds not in (("U", "U"), ("S", "S")) and not {"O", "U", "S"}.isdisjoint(kinds):
        position = {label: code for code, label in enumerate(known.tolist())}
        codes = np.fromiter(map(position.get, labels.tolist(), repeat(-1)), np.intp, len(labels))
    elif {*kinds} <= {"i", "u"} and np.array_equal(known, np.arange(len(known))):
        codes = labels.astype(np.intp)
        codes[(labels < 0) | (labels >= len(known))] = -1
    else:
        codes = np.minimum(np.searchsorted(known, labels), len(known) - 1)
        codes[known[codes] != labels] = -1
    return codes


def _is_column_of_words(y: Any) -> bool:
    return hasattr(y, "factorize") and getattr(getattr(y, "dtype", None), "kind", "") == "O"  # of pandas


def _codes_of_words(known: NDArray[Any], column: Any) -> NDArray[np.intp]:
    """Do as `_codes`, but look every different label up once."""
    place, labels = column.factorize()
    return np.append(_codes(known, np.asarray(labels)), -1)[place]  # a gap has the place -1


def _unseen(known: NDArray[Any], strange: NDArray[Any]) -> str:
    examples = list(dict.fromkeys(strange.tolist()))[:3]
    hint = ""
    if known.dtype.kind in "fiu" and np.array_equal(known, np.arange(len(known))):
        hint = "; a member tree of a forest knows classes by code: pass np.searchsorted(forest.classes_, y)"
    return f"y holds {examples}, classes that the tree was not grown with: it knows {known.tolist()[:20]}{hint}"
