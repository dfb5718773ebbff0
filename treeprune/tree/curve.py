"""Scores at every prune level of a fitted tree, from one fit.

Four ways, the first that suffices is taken:

* losses that are sums over rows: a sum over the leaves of every level, from node statistics;
* scores of a confusion matrix: the matrices of all levels are such sums (`confusion`);
* areas under curves: the leaves of a level are ranked, not its rows (`ranking`);
* anything else, openly by prediction: the scorer sees what each level predicts for every row.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from treeprune.curve import GeneralizationCurve
from treeprune.path import PruningCuts, PruningPath
from treeprune.rows import take_rows
from treeprune.tree import loss
from treeprune.tree.confusion import confusion_scores, has_formula
from treeprune.tree.cuts import covering, cut_at, path_sums
from treeprune.tree.fitted import FittedTree, NodeStatistics, check_weight, find_tree, replace_tree
from treeprune.tree.ranking import AREAS, can_rank, ranking_scores
from treeprune.tree.rebuild import materialise
from treeprune.tree.statistics import class_counts
from treeprune.tree.structure import TreeStructure

Family = PruningPath | PruningCuts
Floats = NDArray[np.float64]
Scoring = str | Callable[..., float] | None


def pruning_curve(
    tree: Any,
    path_or_cuts: Family,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    scoring: Scoring = None,
    *,
    sample_weight_train: ArrayLike | None = None,
    sample_weight_test: ArrayLike | None = None,
) -> GeneralizationCurve:
    """Score every pruning of a fitted tree on two sets of rows; nothing is fitted again.

    Parameters
    ----------
    tree : fitted tree, or Pipeline, search or FrozenEstimator with one in it
        Or a network, for a path of its neurons.
    path_or_cuts : PruningPath or PruningCuts
        Of this model, from `pruning_path` or `pruning_cuts`.
    X_train, y_train, X_test, y_test : array-like
        Rows to score; the first are usually those the tree was grown on.
    scoring : str or callable, default=None
        A scorer name of scikit-learn, or ``scorer(estimator, X, y)``, which gets ``sample_weight``
        too if there are weights. None means ``"accuracy"``,
        ``"neg_mean_squared_error"`` for regression trees.
    sample_weight_train, sample_weight_test : array-like, optional
        Weights of the rows in the score.

    Returns
    -------
    GeneralizationCurve
        With one repeat. ``computed_from`` says which way was taken.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[:400], y[:400])
    >>> path = tp.pruning_path(tree, "cost_complexity")
    >>> curve = tp.pruning_curve(tree, path, X[:400], y[:400], X[400:], y[400:])
    >>> print(curve.frame()[["n_leaves", "train", "test"]].tail(3).round(3).to_string(index=False))
     n_leaves  train  test
            3  0.942 0.864
            2  0.925 0.893
            1  0.568 0.769
    """
    if isinstance(path_or_cuts, PruningPath) and path_or_cuts.unit == "neurons":
        from treeprune.neural.family import neuron_curve  # scikit-learn's networks take long to import

        rows = X_train, y_train, X_test, y_test
        return neuron_curve(tree, path_or_cuts, *rows, scoring, sample_weight_train, sample_weight_test)
    fitted = find_tree(tree)
    _check_family(fitted, path_or_cuts)
    name = scoring_name(fitted.is_classifier, scoring)
    for y in (y_train, y_test):
        fitted.encode(y)  # says what is wrong with y, if anything is
    train, test = (
        scores_by_level(fitted, path_or_cuts, X, y, scoring, weight, whole=tree)
        for X, y, weight in ((X_train, y_train, sample_weight_train), (X_test, y_test, sample_weight_test))
    )
    n_levels = path_or_cuts.n_levels
    nested = isinstance(path_or_cuts, PruningPath)
    return GeneralizationCurve(
        method=path_or_cuts.method,
        parameter=path_or_cuts.parameter,
        scoring=name,
        nested=nested,
        computed_from="statistics" if from_statistics(fitted, name, scoring) else "predictions",
        holds=path_or_cuts.holds if isinstance(path_or_cuts, PruningPath) else "up_to",
        repeat=np.zeros(n_levels, dtype=np.intp),
        level=np.arange(n_levels),
        price=path_or_cuts.price.copy(),
        n_leaves=path_or_cuts.n_leaves.copy(),
        train=train,
        test=test,
    )


def scoring_name(classifier: bool, scoring: Scoring) -> str:
    """Name of the score, the task's default if none is given."""
    if scoring is None:
        return "accuracy" if classifier else "neg_mean_squared_error"
    return scoring if isinstance(scoring, str) else getattr(scoring, "__name__", str(scoring))


def scores_by_level(
    tree: FittedTree,
    family: Family,
    X: Any,
    y: Any,
    scoring: Scoring = None,
    sample_weight: ArrayLike | None = None,
    whole: Any = None,
) -> Floats:
    """Score one set of rows at every level, shape (n_levels,).

    ``whole`` is the model that the tree is the last part of, for callables that want X as given.
    """
    name = scoring_name(tree.is_classifier, scoring)
    if callable(scoring):
        model = tree.estimator if whole is None else whole
        return _by_materialising(tree, family, scoring, model, X, y, sample_weight)
    if is_additive(tree, name):
        return _by_sums(tree, family, name, X, y, sample_weight)
    if from_statistics(tree, name, scoring):
        way = _by_ranking if name in AREAS else _by_confusion
        return way(tree, family, name, X, y, sample_weight)
    return _by_prediction(tree, family, name, X, y, sample_weight)


def _by_sums(tree: FittedTree, family: Family, name: str, X: Any, y: Any, weight: ArrayLike | None) -> Floats:
    """Sum losses; rows of classes that the tree was not grown with are missed at every level."""
    known = _known(tree, y) if name == "accuracy" and tree.value.shape[1] == 1 else np.ones(1, dtype=bool)
    if known.all():
        return additive_scores(tree, family, tree.statistics(X, y, weight), name)
    of_all = check_weight(weight, len(known))
    of_all = np.ones(len(known)) if of_all is None else of_all
    share = of_all[known].sum() / of_all.sum()
    if not share:
        return np.zeros(family.n_levels)
    rows = take_rows(np.flatnonzero(known), X, np.asarray(y), of_all)
    return share * additive_scores(tree, family, tree.statistics(*rows), name)


def _known(tree: FittedTree, y: Any) -> NDArray[np.bool_]:
    return tree.encode_known(y)[:, 0] >= 0


def level_sums(structure: TreeStructure, family: Family, node_values: NDArray[Any]) -> NDArray[Any]:
    """Sum a node quantity over the leaves of every level, shape (n_levels, ...)."""
    if isinstance(family, PruningPath):
        return path_sums(structure, family.removed_at, node_values)
    return np.array([node_values[cut].sum(axis=0) for cut in family.cuts])


def additive_scores(tree: FittedTree, family: Family, statistics: NodeStatistics, name: str) -> Floats:
    """Scores that are a function of summed losses, from node statistics; shape (n_levels,)."""
    if tree.is_classifier:
        cost = CLASSIFICATION_LOSSES[name](tree, statistics)
        return _per_row(level_sums(tree.structure, family, cost), tree.rows(statistics)[0], name)
    if name == "r2" and statistics.leaf_rows.sum() < 2:
        return np.full(family.n_levels, np.nan)  # as in scikit-learn: one row has no variance to explain
    prediction = tree.value - tree.value[0]
    by_output = [
        level_sums(tree.structure, family, loss.squared_error(statistics.sums[:, j], prediction[:, j]))
        for j in range(prediction.shape[1])
    ]
    return REGRESSION_SCORES[name](np.stack(by_output, axis=1), statistics.sums[0])


def _per_row(total: NDArray[Any], weight: float, name: str) -> Floats:
    return 1 - total / weight if name == "accuracy" else -total / weight


def _brier(tree: FittedTree, statistics: NodeStatistics) -> Floats:
    # scikit-learn halves it for two classes, so that it is the squared error of one probability
    return loss.brier(statistics.sums, tree.value) / (2 if len(tree.classes[0]) == 2 else 1)


CLASSIFICATION_LOSSES: dict[str, Callable[[FittedTree, NodeStatistics], Floats]] = {
    "accuracy": lambda tree, statistics: loss.misclassified(statistics.sums, tree.label),
    "neg_log_loss": lambda tree, statistics: loss.log_loss(statistics.sums, tree.value),
    "neg_brier_score": _brier,
}


def _r2(squares: Floats, root_moments: Floats) -> Floats:
    n, first, second = root_moments.T
    total = second - first**2 / n
    constant = total <= 1e-15 * np.maximum(second, 1e-300)
    score = 1 - squares / np.where(constant, 1, total)
    return np.where(constant, (squares == 0).astype(float), score).mean(axis=1)


REGRESSION_SCORES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "neg_mean_squared_error": lambda squares, root: -(squares / root[:, 0]).mean(axis=1),
    "neg_root_mean_squared_error": lambda squares, root: -np.sqrt(squares / root[:, 0]).mean(axis=1),
    "r2": _r2,
}


def is_additive(tree: FittedTree, name: str) -> bool:
    """Whether the score is a function of losses summed over rows."""
    if not tree.is_classifier:
        return name in REGRESSION_SCORES
    return name == "accuracy" or (name in CLASSIFICATION_LOSSES and tree.value.shape[1] == 1)


def from_statistics(tree: FittedTree, name: str, scoring: Scoring) -> bool:
    """Whether the score of every level follows from node statistics, without predictions."""
    if callable(scoring):
        return False
    one_output = tree.is_classifier and tree.value.shape[1] == 1
    if is_additive(tree, name) or not one_output:
        return is_additive(tree, name)
    known = tree.classes[0]
    return has_formula(name, known) or can_rank(name, known, np.ones(len(known)), weighted=False)


def _by_confusion(tree: FittedTree, family: Family, name: str, X: Any, y: Any, weight: ArrayLike | None) -> Floats:
    """Count the confusion matrix of every level, and score all of them at once."""
    target = tree.encode_known(y)
    leaf, weight = tree.leaves_of(X, target), check_weight(weight, len(target))
    classes, codes = _with_unseen(tree.classes[0], target[:, 0], y)
    if not has_formula(name, classes):  # a third class, where the score is of two
        return _by_prediction(tree, family, name, X, y, weight)
    rows = _class_sums(tree, family, leaf, codes, len(classes), None)
    occurs = (rows[1] > 0) | (rows[2] > 0)
    if weight is None:
        return confusion_scores(name, *rows, occurs, classes)
    # running sums of weights leave crumbs where no row is, those of whole rows do not
    heavy = _class_sums(tree, family, leaf, codes, len(classes), weight > 0)
    by_weight = _class_sums(tree, family, leaf, codes, len(classes), weight)
    right, predicted, true = (np.where(h > 0, w, 0) for h, w in zip(heavy, by_weight, strict=True))
    return confusion_scores(name, right, predicted, true, occurs, classes)


def _by_ranking(tree: FittedTree, family: Family, name: str, X: Any, y: Any, weight: ArrayLike | None) -> Floats:
    """Rank the leaves of every level; classes that are not there, or not known, are for scikit-learn to refuse."""
    target = tree.encode_known(y)
    leaf, weight = tree.leaves_of(X, target), check_weight(weight, len(target))
    n_classes = len(tree.classes[0])
    if (target < 0).any():
        return _by_prediction(tree, family, name, X, y, weight)
    counts = class_counts(tree.structure, leaf, target[:, 0], n_classes, weight).astype(np.float64)
    if not can_rank(name, tree.classes[0], counts[0], weight is not None):
        return _by_prediction(tree, family, name, X, y, weight)
    return ranking_scores(name, tree.value[:, 0], counts, _cuts(tree, family))


def _with_unseen(known: NDArray[Any], codes: NDArray[np.intp], y: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Append the classes that the tree was not grown with, which a fold may hold: no level predicts them."""
    strange = codes < 0
    if not strange.any():
        return known, codes
    unseen, position = np.unique(np.asarray(y).reshape(-1)[strange], return_inverse=True)
    codes = codes.copy()
    codes[strange] = len(known) + position.reshape(-1)
    return np.concatenate([known, unseen]), codes


def _class_sums(
    tree: FittedTree,
    family: Family,
    leaf: NDArray[np.intp],
    codes: NDArray[np.intp],
    n_classes: int,
    weight: NDArray[Any] | None,
) -> tuple[Floats, Floats, Floats]:
    """Rows of each class at every level that are right, that are predicted, that there are; (n_levels, n_classes)."""
    counts = class_counts(tree.structure, leaf, codes, n_classes, weight)
    predicts = tree.label == np.arange(n_classes)  # node, class
    right = level_sums(tree.structure, family, counts * predicts)
    predicted = level_sums(tree.structure, family, counts.sum(axis=1, keepdims=True) * predicts)
    true = np.broadcast_to(counts[0], right.shape)
    return right.astype(np.float64), predicted.astype(np.float64), true.astype(np.float64)


def _by_prediction(tree: FittedTree, family: Family, name: str, X: Any, y: Any, weight: ArrayLike | None) -> Floats:
    """Let scikit-learn's scorer see what each level predicts for every row."""
    from sklearn.metrics import get_scorer

    scorer, leaf, y = get_scorer(name), tree.apply(X), np.asarray(y)
    weight = check_weight(weight, len(y))
    weights = {} if weight is None else {"sample_weight": weight}
    recall = _recall(tree)
    return np.array(
        [scorer(recall, covering(tree.structure, cut)[leaf][:, None], y, **weights) for cut in _cuts(tree, family)]
    )


def _by_materialising(
    tree: FittedTree, family: Family, scorer: Callable[..., float], whole: Any, X: Any, y: Any, weight: Any
) -> Floats:
    if weight is not None and not _takes_weight(scorer):
        name = getattr(scorer, "__name__", scorer)
        raise ValueError(
            f"scoring={name} takes no sample_weight, and there are weights: give a scorer that does, "
            "scorer(estimator, X, y, sample_weight), or leave the weights out"
        )
    weights = {} if weight is None else {"sample_weight": weight}
    pruned = (materialise(tree.estimator, tree.structure, cut) for cut in _cuts(tree, family))
    return np.array([float(scorer(replace_tree(whole, model), X, y, **weights)) for model in pruned])


def _takes_weight(scorer: Callable[..., float]) -> bool:
    parameters = signature(scorer).parameters.values()
    return any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters)


def _cuts(tree: FittedTree, family: Family) -> Any:
    if isinstance(family, PruningCuts):
        return iter(family.cuts)
    return (cut_at(tree.structure, family.removed_at, level) for level in range(family.n_levels))


def _check_family(tree: FittedTree, family: Family) -> None:
    if not isinstance(family, PruningPath | PruningCuts):
        raise TypeError(
            f"got {type(family).__name__}: a PruningPath (from pruning_path) or PruningCuts (from pruning_cuts) "
            "is expected"
        )
    n_nodes = len(family.removed_at) if isinstance(family, PruningPath) else family.cuts.shape[1]
    if n_nodes != tree.structure.n_nodes:
        raise ValueError(f"these prunings are of a tree with {n_nodes} nodes, the tree has {tree.structure.n_nodes}")
    if not _fits(tree.structure, family):
        raise ValueError("these prunings are of another tree with as many nodes: make them from this one")


def _fits(structure: TreeStructure, family: Family) -> bool:
    """Whether no split outlasts its parent's and no leaf is split; whether every way down meets every cut once."""
    if isinstance(family, PruningCuts):
        return _are_cuts(structure, family.cuts.T)
    removed_at, parent = family.removed_at, np.maximum(structure.parent, 0)
    nested = (removed_at <= removed_at[parent]).all()
    return bool(nested and ((removed_at == 0) == structure.is_leaf).all() and removed_at[0] == family.n_levels - 1)


def _are_cuts(structure: TreeStructure, cuts: NDArray[np.bool_]) -> bool:
    """Whether each column, shape (n_nodes, n_cuts), is a cut."""
    cut_above = np.zeros(cuts.shape, dtype=bool)
    for t, left, right in structure.downward():
        cut_above[left] = cut_above[right] = cut_above[t] | cuts[t]
    return bool(not (cuts & cut_above).any() and (cuts | cut_above)[structure.is_leaf].all())


class _Remembered(ClassifierMixin, BaseEstimator):
    """A classifier for scorers: row i holds a number, the prediction stands in a table at that number."""

    def __init__(self, label: Any = None, probability: Any = None, classes: Any = None) -> None:
        self.label = label
        self.probability = probability
        self.classes = classes

    @property
    def classes_(self) -> Any:
        return self.label[:, 0] if self.classes is None else self.classes

    def predict(self, at: NDArray[np.intp]) -> Any:
        predicted = self.label[at[:, 0]]
        return predicted[:, 0] if predicted.shape[1] == 1 else predicted

    def predict_proba(self, at: NDArray[np.intp]) -> Any:
        by_output = [p[at[:, 0]] for p in self.probability]
        return by_output[0] if len(by_output) == 1 else by_output


class _RememberedNumbers(RegressorMixin, BaseEstimator):
    """The same for numbers."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def predict(self, at: NDArray[np.intp]) -> Any:
        predicted = self.value[at[:, 0]]
        return predicted[:, 0] if predicted.shape[1] == 1 else predicted


def _recall(tree: FittedTree) -> Any:
    """Stand-in for the tree whose rows are nodes, so that scorers need not route rows again."""
    if not tree.is_classifier:
        return _RememberedNumbers(tree.value)
    labels = np.column_stack([known[tree.label[:, j]] for j, known in enumerate(tree.classes)])
    probabilities = [tree.value[:, j, : len(known)] for j, known in enumerate(tree.classes)]
    return _Remembered(labels, probabilities, tree.estimator.classes_)
