"""What a leaf costs: by name, by a matrix of costs, or by a function of the user's own.

Every method that adds up a loss over leaves takes any of them as ``risk``: cost-complexity, reduced-error and optimal
pruning. Class priors need no such thing: they are weights of the rows, see `prior_weight`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_choice
from treeprune.tree import loss
from treeprune.tree.cuts import node_numbers
from treeprune.tree.fitted import FittedTree, NodeStatistics, check_weight

Floats = NDArray[np.float64]
Risk = str | Callable[[NDArray[Any], NDArray[Any]], ArrayLike]

RISKS = ("error", "impurity", "brier", "log_loss")
WORDS = {"impurity": "impurity", "brier": "Brier loss", "log_loss": "log loss"}


def check_risk(risk: Any) -> None:
    """Raise ValueError unless it is a name, or can be called."""
    if not callable(risk):
        hint = "; of a matrix of costs make a MisclassificationCost" if np.ndim(risk) else ""
        if not isinstance(risk, str) or risk not in RISKS:
            raise ValueError(f"risk={risk!r}: one of {', '.join(map(repr, RISKS))} or a function is expected{hint}")


def leaf_risk(tree: FittedTree, statistics: NodeStatistics | None, risk: Risk) -> Floats:
    """Return what each node costs as a leaf, shape (n_nodes,); statistics None: on the growing rows."""
    if risk == "error":
        return tree.error(statistics)
    if risk == "impurity":
        return tree.impurity(statistics)
    sums = (tree.own_statistics if statistics is None else statistics).sums
    if isinstance(risk, str):
        if not tree.is_classifier:
            raise ValueError(f"risk={risk!r} is of probabilities, and this is a regression tree: use 'error'")
        return {"brier": loss.brier, "log_loss": loss.log_loss}[risk](sums, tree.value)
    if isinstance(risk, MisclassificationCost) and not tree.is_classifier:
        raise ValueError("risk=MisclassificationCost(...) is of classes, and this is a regression tree: use 'error'")
    value = tree.value.copy() if tree.is_classifier else tree.value - tree.value[0]
    return node_numbers(tree.structure, risk(sums.copy(), value), "what risk returned")  # copies, to be changed at will


def risk_words(tree: FittedTree, risk: Risk) -> str:
    """Say what is added up."""
    if risk == "error":
        return "errors" if tree.is_classifier else "squared error"
    return WORDS[risk] if isinstance(risk, str) else "risk"


@dataclass(frozen=True, eq=False)
class MisclassificationCost:
    """What a leaf costs if some errors are worse than others: a ``risk`` for pruners of classification trees.

    Attributes
    ----------
    costs : array-like of float, shape (n_classes, n_classes)
        Row: the true class, column: the class predicted, both in the order of ``classes_``. The diagonal is
        usually 0; gains may be negative costs.
    label : {"predicted", "cheapest"}, default="predicted"
        What a leaf says: the class that the tree predicts there, or, as in rpart, the class of least cost on the
        rows counted, whatever the tree predicts.

    Notes
    -----
    Pruning does not change what nodes predict, and a search scores by accuracy unless it is told otherwise: give it
    ``scoring=costs.score``. Let the tree see the costs as it grows
    (``DecisionTreeClassifier(class_weight=...)``; for two classes weights say the same as costs), and prune by
    rows weighted alike, or use ``label="cheapest"`` for a path like rpart's.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), section 4.4.

    Examples
    --------
    To miss the first class (malignant) is ten times as bad as a false alarm:

    >>> import treeprune as tp
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[:400], y[:400])
    >>> risks = "error", tp.MisclassificationCost([[0, 10], [1, 0]])
    >>> [int(tp.prune(tree, "reduced_error", X[400:], y[400:], risk=risk).get_n_leaves()) for risk in risks]
    [7, 15]
    """

    costs: Any
    label: Literal["predicted", "cheapest"] = "predicted"

    def __call__(self, sums: NDArray[Any], value: NDArray[Any]) -> Floats:
        """Cost of each node as a leaf.

        Parameters
        ----------
        sums : ndarray, shape (n_nodes, 1, n_classes)
            Weight of the rows of each class.
        value : ndarray, shape (n_nodes, 1, n_classes)
            What the nodes predict.
        """
        check_choice("label", self.label, ("predicted", "cheapest"))
        costs = checked_costs(self.costs, sums)
        by_label = sums[:, 0] @ costs
        if self.label == "cheapest":
            return by_label.min(axis=1)
        return np.take_along_axis(by_label, value[:, 0].argmax(axis=1)[:, None], axis=1)[:, 0]

    def score(self, estimator: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Mean cost of predictions, negative so that larger is better: a ``scoring`` for searches and curves.

        Parameters
        ----------
        estimator : fitted classifier
        X, y, sample_weight : array-like
            Classes of ``y`` are in the order of ``estimator.classes_``.

        Examples
        --------
        >>> from sklearn.datasets import load_breast_cancer
        >>> from treeprune import CostComplexityPruner, MisclassificationCost, PrunerCV
        >>> costs = MisclassificationCost([[0, 10], [1, 0]])
        >>> search = PrunerCV(CostComplexityPruner(risk=costs), cv=5, scoring=costs.score)
        >>> search.fit(*load_breast_cancer(return_X_y=True)).n_leaves_
        4
        """
        if isinstance(estimator.classes_, list):
            raise ValueError(f"a matrix of costs is for one class variable, not for {len(estimator.classes_)}")
        known = np.asarray(estimator.classes_)
        costs = checked_costs(self.costs, np.empty((0, 1, len(known))))
        true, said = (_places(known, labels) for labels in (y, estimator.predict(X)))
        return -float(np.average(costs[true, said], weights=check_weight(sample_weight, len(true))))


def _places(known: NDArray[Any], labels: Any) -> NDArray[np.intp]:
    """Position of each label among the classes."""
    place = {label: code for code, label in enumerate(known.tolist())}
    wanted = np.asarray(labels).tolist()
    found = [place.get(label, -1) for label in wanted]
    if -1 in found:
        raise ValueError(f"y holds {wanted[found.index(-1)]!r}, for which there are no costs")
    return np.array(found, dtype=np.intp)


def checked_costs(costs: Any, counts: NDArray[Any]) -> Floats:
    """Return a matrix of costs for one class variable with these counts, or say what is wrong with it."""
    if counts.ndim != 3 or counts.shape[1] != 1:
        raise ValueError(f"a matrix of costs is for one class variable, not for {counts.shape[1]}")
    n_classes = counts.shape[2]
    try:
        matrix = np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (n_classes, n_classes) or not np.isfinite(matrix).all():
        raise ValueError(
            f"costs={costs!r}: {n_classes} x {n_classes} finite numbers are expected, a row for each true class and a "
            "column for each class predicted"
        )
    return matrix


def prior_weight(y: ArrayLike, priors: Mapping[Any, float], sample_weight: ArrayLike | None = None) -> Floats:
    """Weigh rows so that the shares of the classes are priors, the total weight kept.

    Parameters
    ----------
    y : array-like, shape (n_rows,)
        Classes.
    priors : mapping of class to float
        One for each class of ``y``; they sum to 1.
    sample_weight : array-like, shape (n_rows,), optional
        Weights that the rows have already.

    Returns
    -------
    ndarray of float, shape (n_rows,)
        For ``sample_weight`` of any fit, method, curve or search.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), section 4.4: priors multiply the loss of a row by
    prior over frequency of its class.

    Examples
    --------
    >>> from treeprune import prior_weight
    >>> prior_weight(["ill", "well", "well", "well"], {"ill": 0.5, "well": 0.5}).round(2)
    array([2.  , 0.67, 0.67, 0.67])
    """
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise ValueError(f"y has shape {labels.shape}: one class a row is expected")
    if labels.dtype == object and any(label is None or label != label for label in labels.tolist()):
        raise ValueError("y has gaps: a class for every row is expected")
    known, codes = np.unique(labels, return_inverse=True)
    if not isinstance(priors, Mapping) or not all(isinstance(p, Real) and p == p for p in priors.values()):
        raise ValueError(f"priors={priors!r}: a probability for each class is expected, {{'ill': 0.1, 'well': 0.9}}")
    given = {key: float(value) for key, value in priors.items()}
    absent = [label for label in known.tolist() if label not in given]
    if absent:
        raise ValueError(f"priors={priors!r} lack the classes {absent[:5]}")
    prior = np.array([given[label] for label in known.tolist()])
    if not (prior >= 0).all() or not np.isclose(sum(given.values()), 1) or not np.isclose(prior.sum(), 1):
        raise ValueError(f"priors={priors!r}: probabilities of the classes {known.tolist()[:9]} are expected, 1 in all")
    weight = check_weight(sample_weight, len(labels))
    weight = np.ones(len(labels)) if weight is None else weight
    total = np.bincount(codes, weight, minlength=len(known))
    if ((total == 0) & (prior > 0)).any():
        raise ValueError("a class has a prior above 0, and no row with a weight above 0")
    return weight * (prior * total.sum() / np.where(total > 0, total, 1))[codes]
