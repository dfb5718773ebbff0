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
from treeprune.selection import minimum, one_standard_error


def level_stability(pruner: Any, X: Any, y: Any, *, folds: int = 10, seeds: Iterable[int] = range(30)) -> Answer:
    """Choose the prune level anew with other folds, by the minimum and by one standard error.

    Parameters
    ----------
    pruner : pruner whose prunings are nested
        `CostComplexityPruner`, say.
    X, y : array-like
    folds : int, default=10
    seeds : iterable of int, default=range(30)
        Of the folds; the tree of all rows is the same every time.

    Returns
    -------
    Answer
        Columns seed, rule ("minimum", "one_standard_error"), level, leaves, price, cv_score (of the level
        that was chosen).

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
    from sklearn.model_selection import KFold, StratifiedKFold

    check_count("folds", folds, low=2)
    kind = StratifiedKFold if is_classifier(pruner) else KFold
    rows = []
    for seed in seeds:
        cv = kind(folds, shuffle=True, random_state=seed)
        search = PrunerCV(clone(pruner), cv=cv, selection="minimum").fit(X, y)
        for rule in (minimum, one_standard_error):
            level = rule(search.scores_)
            found = {"level": level, "leaves": int(search.path_.n_leaves[level]), "price": search.path_.price[level]}
            rows.append({"seed": seed, "rule": rule.__name__, **found, "cv_score": search.scores_.test[level]})
    table = DataFrame(rows)
    return Answer("How much of the chosen size is luck of the folds?", table, "rule", ("leaves",))
