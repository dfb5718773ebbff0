"""How much of the chosen size is luck of the folds?

The same rows, the same trees, other folds: a textbook's protocol may pick three leaves or thirty.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn.base import clone, is_classifier

from treeprune.checks import check_count
from treeprune.cv import PrunerCV
from treeprune.diagnostics.answer import Answer
from treeprune.diagnostics.trials import levels
from treeprune.selection import minimum, one_standard_error


def level_stability(
    pruner: Any, X: Any, y: Any, *, folds: int = 10, repeats: int = 1, seeds: Iterable[int] = range(30)
) -> Answer:
    """Choose the prune level anew with other folds, by the minimum and by one standard error.

    Parameters
    ----------
    pruner : pruner whose prunings are nested
        `CostComplexityPruner`, say.
    X, y : array-like
    folds : int, default=10
    repeats : int, default=1
        With 2 or more, both rules choose by repeated cross-validation too: the mean over this many draws
        of the folds. That is ``repeats`` times the work.
    seeds : iterable of int, default=range(30)
        Of the folds; the tree of all rows is the same every time.

    Returns
    -------
    Answer
        Columns seed, rule ("minimum", "one_standard_error", and with 5 repeats "minimum_of_5_repeats",
        "one_standard_error_of_5_repeats"), level, leaves, price, cv_score (of the level that was chosen).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import CostComplexityPruner
    >>> from treeprune.diagnostics import level_stability
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> answer = level_stability(CostComplexityPruner(), X, y, seeds=range(8))
    >>> by_rule = answer.table.groupby("rule")["leaves"]
    >>> bool((by_rule.max() >= by_rule.min()).all())
    True
    """
    from pandas import DataFrame

    check_count("folds", folds, low=2)
    check_count("repeats", repeats, low=1)
    rows = []
    for seed in levels("seeds", seeds):
        check_count("seeds", seed, low=0)
        for ending, cv in _fold_draws(is_classifier(pruner), folds, repeats, seed).items():
            search = PrunerCV(clone(pruner), cv=cv, selection="minimum").fit(X, y)
            path, scores = search.path_, search.scores_
            for rule in (minimum, one_standard_error):
                level = rule(scores)
                found = {"level": level, "leaves": int(path.n_leaves[level]), "price": path.price[level]}
                rows.append({"seed": seed, "rule": rule.__name__ + ending, **found, "cv_score": scores.test[level]})
    table = DataFrame(rows)
    return Answer("How much of the chosen size is luck of the folds?", table, "rule", ("leaves",))


def _fold_draws(classes: bool, folds: int, repeats: int, seed: int) -> dict[str, Any]:
    """Splitters of one cross-validation and, if asked for, of a repeated one; by what is added to the rule's name."""
    from sklearn.model_selection import KFold, RepeatedKFold, RepeatedStratifiedKFold, StratifiedKFold

    once = (StratifiedKFold if classes else KFold)(folds, shuffle=True, random_state=seed)
    if repeats == 1:
        return {"": once}
    repeated = RepeatedStratifiedKFold if classes else RepeatedKFold
    return {"": once, f"_of_{repeats}_repeats": repeated(n_splits=folds, n_repeats=repeats, random_state=seed)}
