"""What one fold contributes: one grown tree, scored at all levels (or for all candidates)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import hash as hash_of
from numpy.typing import NDArray
from sklearn.base import clone

from treeprune.out_of_fold import changes_in_table
from treeprune.path import PruningCuts, PruningPath
from treeprune.tree.curve import Scoring, additive_scores, from_statistics, is_additive, scores_by_level, scoring_name
from treeprune.tree.fitted import FittedTree, find_tree, is_frozen
from treeprune.tree.holdout import take_rows
from treeprune.tree.pruner import GROWING_PARAMETERS, BasePruner, PathPruner, grow
from treeprune.tree.row_loss import ROW_LOSSES, Changes, loss_at, loss_changes

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Fold:
    """Scores of one fold at its own levels.

    Attributes
    ----------
    held_out : ndarray of int
        Rows that were scored.
    price, n_leaves, train : ndarray, shape (n_levels,)
    test : ndarray of float, shape (n_levels,), or None
        Scores of the rows held out, where the score is no mean over rows.
    base, changes
        Losses of these rows where it is: at level 0, and where they change.
    grown, path
        The tree and its family, to prune it later.
    computed_from : {"statistics", "predictions"}
        As in `GeneralizationCurve`.
    """

    held_out: Ints
    price: Floats
    n_leaves: Floats
    train: Floats
    test: Floats | None
    base: Floats | None
    changes: Changes | None
    grown: Any = None
    path: PruningPath | None = None
    computed_from: str = "predictions"


def path_fold(
    pruner: PathPruner, data: tuple[Any, Any, Any], growing: Ints, held_out: Ints, scoring: Scoring, keep: bool
) -> Fold:
    """Grow on some rows, find the path, score every level of it on the others.

    ``data`` is X, y and the weights (or None); ``keep`` says whether the tree itself is wanted.
    """
    X, y, weight = take_rows(growing, *data)
    grown = grow(pruner._to_grow(), X, y, weight)
    tree = find_tree(grown)
    path = pruner._find_path(tree, tree.count(X, y, weight) if pruner._needs_counts() else None)
    train = training_scores(tree, path, (X, y, weight), scoring, grown)
    X, y, weight = take_rows(held_out, *data)
    test, base, changes = None, None, None
    name = scoring_name(tree.is_classifier, scoring)
    if by_rows(tree, scoring):
        base, changes = loss_changes(tree, path, name, tree.apply(X), tree.encode_known(y))
    else:
        test = scores_by_level(tree, path, X, y, scoring, weight, whole=grown)
    fold = Fold(held_out, path.price, path.n_leaves.astype(float), train, test, base, changes)
    way = "statistics" if from_statistics(tree, name, scoring) else "predictions"
    return replace(fold, grown=grown if keep else None, path=path if keep else None, computed_from=way)


def grid_fold(
    pruner: BasePruner,
    candidates: Sequence[Mapping[str, Any]],
    data: tuple[Any, Any, Any],
    growing: Ints,
    held_out: Ints,
    scoring: Scoring,
    groups: Any,
) -> Fold:
    """Grow once for all candidates that only prune differently, and score each of them."""
    models = _pruned_models(pruner, candidates, take_rows(growing, *data), *take_rows(growing, groups))
    train = np.array([_score(model, scoring, *take_rows(growing, *data)) for model in models])
    X, y, weight = take_rows(held_out, *data)
    trees = [find_tree(model) for model in models]
    test, base, changes = None, None, None
    if by_rows(trees[0], scoring):
        name = scoring_name(trees[0].is_classifier, scoring)
        table = np.column_stack([loss_at(tree, name, tree.apply(X), tree.encode_known(y)) for tree in trees])
        base, changes = table[:, 0], changes_in_table(table)
    else:
        test = np.array([_score(model, scoring, X, y, weight) for model in models])
    n_leaves = np.array([float(tree.structure.n_leaves) for tree in trees])
    return Fold(held_out, np.arange(len(models), dtype=float), n_leaves, train, test, base, changes)


def training_scores(
    tree: FittedTree, path: PruningPath, rows: tuple[Any, Any, Any], scoring: Scoring, grown: Any
) -> Floats:
    """Score the growing rows at every level; off the tree, where it remembers enough of them."""
    name = scoring_name(tree.is_classifier, scoring)
    if not callable(scoring) and is_additive(tree, name) and tree.remembers_rows:
        return additive_scores(tree, path, tree.own_statistics, name)
    X, y, weight = rows
    return scores_by_level(tree, path, X, y, scoring, weight, whole=grown)


def by_rows(tree: FittedTree, scoring: Scoring) -> bool:
    """Whether the score is a mean of losses of single rows."""
    if callable(scoring):
        return False
    name = scoring_name(tree.is_classifier, scoring)
    return name in ROW_LOSSES and is_additive(tree, name)


def fit_in_groups(pruner: BasePruner, rows: Sequence[Any], groups: Any) -> BasePruner:
    """Fit; a pruner that holds rows out by a splitter keeps groups together too."""
    splits = hasattr(getattr(pruner, "validation_fraction", None), "split") and not is_frozen(pruner.estimator)
    return pruner.fit(*rows, **({"groups": groups} if splits and groups is not None else {}))


def _pruned_models(
    pruner: BasePruner, candidates: Sequence[Mapping[str, Any]], rows: Sequence[Any], groups: Any
) -> list[Any]:
    """Prune once for each candidate, and grow once for each setting of what changes the growth."""
    given = {k: v for k, v in pruner.get_params(deep=False).items() if k not in GROWING_PARAMETERS}
    models, fitted = [], dict[str, BasePruner]()
    for parameters in candidates:
        growth = hash_of({k: v for k, v in parameters.items() if k.split("__")[0] in GROWING_PARAMETERS})
        if growth in fitted:  # what this candidate leaves open is as the pruner has it, not as the last one had
            fitted[growth].set_params(**{**given, **parameters}).prune()
        else:
            fitted[growth] = fit_in_groups(clone(pruner).set_params(**parameters), rows, groups)
        models.append(fitted[growth].estimator_)
    return models


def _score(model: Any, scoring: Scoring, X: Any, y: Any, weight: Any) -> float:
    tree = find_tree(model)
    as_it_is = PruningCuts("none", "none", np.zeros(1), tree.structure.is_leaf[None])
    return float(scores_by_level(tree, as_it_is, X, y, scoring, weight, whole=model)[0])
