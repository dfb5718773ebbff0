"""Pruners as well-known systems configure them, by the systems' names, and what they differ in.

A preset prunes as its system does.  It grows as scikit-learn does: to prune a tree that the system itself grew, read it
in as arrays and call the array functions with the same parameters.  Every preset is tested against trees or numbers of
the real system.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from sklearn.model_selection import KFold

from treeprune.cv import PrunerCV
from treeprune.tree.methods.cost_complexity import CostComplexityPruner
from treeprune.tree.methods.error_based import ErrorBasedPruner
from treeprune.tree.methods.reduced_error import ReducedErrorPruner

if TYPE_CHECKING:
    from pandas import DataFrame


class Preset(NamedTuple):
    """How one system prunes, in words where no parameter of the pruner says it.

    Attributes
    ----------
    make : callable
        From an estimator to the configured pruner.
    tested : str
        What of the real system the tests compare with.
    order : str
        In which the nodes are asked.
    slack : str
        By how much a leaf may be worse than the branch it replaces.
    limit : str
        Where the upper limits of error rates come from.
    rows : str
        What is held out to prune by.
    """

    make: Callable[[Any], Any]
    tested: str
    order: str = "bottom-up"
    slack: str = "none"
    limit: str = "none"
    rows: str = "none"


def _error_based(**parameters: Any) -> Callable[[Any], Any]:
    return lambda estimator: ErrorBasedPruner(estimator, subtree_raising=True, collapse=True, **parameters)


def _reduced_error(fraction: float, refit: bool = False) -> Callable[[Any], Any]:
    return lambda estimator: ReducedErrorPruner(
        estimator, validation_fraction=fraction, refit_leaves=refit, random_state=0
    )


def _rpart(estimator: Any) -> Any:
    folds = KFold(10, shuffle=True, random_state=0)  # rpart draws its groups, whatever the classes
    pruner = CostComplexityPruner(estimator, risk="error")
    return PrunerCV(pruner, cv=folds, selection="one_standard_error", standard_error="case", random_state=0)


WEAKEST = "weakest link first"
PRESETS = {
    "c4.5-r8": Preset(
        _error_based(confidence=0.25, limit="c4.5", raising_ties="left"),
        "Quinlan's printed limits and his congressional subtree",
        slack="0.1 errors",
        limit="table of z, .6925 at .25",
    ),
    "weka-3.8-j48": Preset(
        _error_based(confidence=0.25, limit="weka", raising_ties="right"),
        "trees of J48, Weka 3.9.6",
        slack="0.1 errors + 1e-6",
        limit="exact z, .67449 at .25",
    ),
    "weka-3.8-j48-r": Preset(_reduced_error(1 / 3), "trees of J48 -R, Weka 3.9.6", rows="1/3"),
    "weka-reptree": Preset(_reduced_error(1 / 3, refit=True), "trees of REPTree, Weka 3.9.6", rows="1/3"),
    "ydf-cart": Preset(_reduced_error(1 / 10), "trees of YDF 0.16.1, pruned on rows that are known", rows="1/10"),
    "rpart": Preset(
        _rpart, "cp tables and choices of rpart 4.1.19", WEAKEST, rows="none (10 folds, one standard error)"
    ),
    "scikit-learn": Preset(
        lambda estimator: CostComplexityPruner(estimator, risk="impurity"),
        "ccp_alpha of scikit-learn 1.9.1, above 0",
        WEAKEST,
    ),
}


def preset(name: str, estimator: Any = None) -> Any:
    """Return a pruner configured as a well-known system prunes.

    Parameters
    ----------
    name : str
        A row of `presets`.
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.

    Returns
    -------
    pruner
        For ``"rpart"`` a `PrunerCV`, which chooses a level as its users do. Its parameters may be changed.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> j48 = tp.preset("weka-3.8-j48").fit(X, y)
    >>> int(j48.grown_.get_n_leaves()), j48.n_leaves_
    (22, 13)
    """
    if not isinstance(name, str) or name not in PRESETS:
        close = difflib.get_close_matches(str(name), PRESETS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"preset {name!r} is unknown: use one of {', '.join(PRESETS)}.{hint}")
    return PRESETS[name].make(estimator)


def presets() -> DataFrame:
    """Table the presets, and what the systems differ in when they prune.

    Returns
    -------
    DataFrame
        One row a preset: pruner, risk (what a leaf costs), confidence, ties, slack, limit, order, rows (held out),
        leaves (rows their values are of), raising, raising_ties (the branch taken of two as large), collapse, tested.

    Examples
    --------
    >>> import treeprune as tp
    >>> tp.presets()[["rows", "leaves", "raising"]]
                                                 rows             leaves  raising
    name
    c4.5-r8                                      none                all     True
    weka-3.8-j48                                 none                all     True
    weka-3.8-j48-r                                1/3    those grown on    False
    weka-reptree                                  1/3  all (backfitting)    False
    ydf-cart                                     1/10     those grown on    False
    rpart         none (10 folds, one standard error)                all    False
    scikit-learn                                 none                all    False
    """
    from pandas import DataFrame, Index

    rows = [_described(found) for found in PRESETS.values()]
    return DataFrame(rows, index=Index(PRESETS, name="name"))


def _described(found: Preset) -> dict[str, Any]:
    pruner = found.make(None)
    parameters = pruner.get_params(deep=False)
    grown_on = "those grown on" if found.rows.count("/") else "all"
    return {
        "pruner": type(pruner).__name__,
        "risk": parameters.get("risk") or (pruner.pruner.risk if isinstance(pruner, PrunerCV) else "error"),
        "confidence": parameters.get("confidence", "none"),
        "ties": "keep" if parameters.get("ties") == "keep" else "go",
        "slack": found.slack,
        "limit": found.limit,
        "order": found.order,
        "rows": found.rows,
        "leaves": "all (backfitting)" if parameters.get("refit_leaves") else grown_on,
        "raising": parameters.get("subtree_raising", False),
        "raising_ties": parameters["raising_ties"] if parameters.get("subtree_raising") else "none",
        "collapse": parameters.get("collapse", False),
        "tested": found.tested,
    }
