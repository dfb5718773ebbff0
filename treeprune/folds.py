"""What one fold contributes: one grown model, scored at all levels (or for all candidates)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import hash as hash_of
from numpy.typing import NDArray
from sklearn.base import clone

from treeprune.out_of_fold import changes_in_table
from treeprune.rows import take_rows
from treeprune.tree.curve import Scoring
from treeprune.tree.pruner import GROWING_PARAMETERS
from treeprune.tree.row_loss import Changes
from treeprune.wrapped import is_frozen

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
    computed_from : {"statistics", "predictions"}
        As in `GeneralizationCurve`.
    family
        The grown model and its prunings, if it is wanted later.
    """

    held_out: Ints
    price: Floats
    n_leaves: Floats
    train: Floats
    test: Floats | None
    base: Floats | None
    changes: Changes | None
    computed_from: str = "predictions"
    family: Any = None


def path_fold(
    pruner: Any, data: tuple[Any, Any, Any], growing: Ints, held_out: Ints, scoring: Scoring, keep: bool
) -> Fold:
    """Grow on some rows, find the path, score every level of it on the others.

    ``data`` is X, y and the weights (or None); ``keep`` says whether the family itself is wanted.
    """
    to_grow, (X, y, weight) = take_rows(growing, *data), take_rows(held_out, *data)
    family = pruner._family(*to_grow)
    train = family.training_scores(*to_grow, scoring)
    losses = family.row_losses(X, y, scoring)
    test = None if losses else family.scores(X, y, weight, scoring)
    base, changes = losses or (None, None)
    price, n_leaves, way = family.levels.price, family.levels.n_leaves.astype(float), family.computed_from(scoring)
    return Fold(held_out, price, n_leaves, train, test, base, changes, way, family if keep else None)


def grid_fold(
    pruner: Any,
    candidates: Sequence[Mapping[str, Any]],
    data: tuple[Any, Any, Any],
    growing: Ints,
    held_out: Ints,
    scoring: Scoring,
    groups: Any,
) -> Fold:
    """Grow once for all candidates that only prune differently, and score each of them."""
    to_grow, (X, y, weight) = take_rows(growing, *data), take_rows(held_out, *data)
    models = _pruned_models(pruner, candidates, to_grow, *take_rows(growing, groups))
    families = [pruner._family_of_one(model) for model in models]
    train = np.array([family.scores(*to_grow, scoring)[0] for family in families])
    losses = [family.row_losses(X, y, scoring) for family in families]
    n_leaves = np.array([float(family.levels.n_leaves[0]) for family in families])
    numbers = np.arange(len(models), dtype=float)
    if None in losses:
        test = np.array([family.scores(X, y, weight, scoring)[0] for family in families])
        return Fold(held_out, numbers, n_leaves, train, test, None, None)
    table = np.column_stack([loss[0] for loss in losses if loss])
    return Fold(held_out, numbers, n_leaves, train, None, table[:, 0], changes_in_table(table))


def fit_in_groups(pruner: Any, rows: Sequence[Any], groups: Any) -> Any:
    """Fit; a pruner that holds rows out by a splitter keeps groups together too."""
    splits = hasattr(getattr(pruner, "validation_fraction", None), "split") and not is_frozen(pruner.estimator)
    return pruner.fit(*rows, **({"groups": groups} if splits and groups is not None else {}))


def _pruned_models(pruner: Any, candidates: Sequence[Mapping[str, Any]], rows: Sequence[Any], groups: Any) -> list[Any]:
    """Prune once for each candidate, and grow once for each setting of what changes the growth."""
    given = {k: v for k, v in pruner.get_params(deep=False).items() if k not in GROWING_PARAMETERS}
    alike: dict[str, list[int]] = {}
    for place, parameters in enumerate(candidates):
        growth = {k: v for k, v in parameters.items() if k.split("__")[0] in GROWING_PARAMETERS}
        alike.setdefault(hash_of(growth), []).append(place)
    models: dict[int, Any] = {}
    for places in alike.values():
        fitted = fit_in_groups(clone(pruner).set_params(**candidates[places[0]]), rows, groups)
        # what a candidate leaves open is as the pruner has it, not as the last one had
        settings = [{**given, **candidates[place]} for place in places]
        models.update(zip(places, _models_of(fitted, settings, rows), strict=True))
    return [models[place] for place in range(len(candidates))]


def _models_of(fitted: Any, settings: Sequence[Mapping[str, Any]], rows: Sequence[Any]) -> list[Any]:
    """Prune the grown model by each of the settings; all of them at once where the method can."""
    together = getattr(fitted, "_models_at_once", None)
    return (together and together(settings)) or [
        fitted.estimator_ if k == 0 else fitted.set_params(**setting)._again(*rows).estimator_
        for k, setting in enumerate(settings)
    ]
