"""Pruners as well-known systems configure them, by the systems' names, and what they differ in.

A preset prunes as its system does.  It grows as scikit-learn does: to prune a tree that the system itself grew, read it
in as arrays and call the array functions with the same parameters.  Every preset is tested against trees or numbers of
the real system.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from treeprune.cv import PrunerCV
from treeprune.tree.methods.cost_complexity import CostComplexityPruner
from treeprune.tree.methods.error_based import ErrorBasedPruner
from treeprune.tree.methods.reduced_error import ReducedErrorPruner

if TYPE_CHECKING:
    from pandas import DataFrame


class Preset(NamedTuple):
    """How one system prunes.

    Attributes
    ----------
    make : callable
        From an estimator to the configured pruner.
    ties : str
        What becomes of a branch that is worth as much as a leaf.
    slack : str
        By how much a leaf may be worse.
    limit : str
        Where the upper limits of error rates come from.
    order : str
        In which the nodes are asked.
    rows : str
        What is held out to prune by.
    leaves : str
        Which rows the values of the leaves are of.
    raising, collapse : bool
        Whether subtrees are raised, and whether branches without fewer training errors go first.
    tested : str
        What of the real system the tests compare with.
    """

    make: Callable[[Any], Any]
    ties: str
    slack: str
    limit: str
    order: str
    rows: str
    leaves: str
    raising: bool
    collapse: bool
    tested: str


def _error_based(**parameters: Any) -> Callable[[Any], Any]:
    return lambda estimator: ErrorBasedPruner(estimator, subtree_raising=True, collapse=True, **parameters)


def _reduced_error(fraction: float, refit: bool = False) -> Callable[[Any], Any]:
    return lambda estimator: ReducedErrorPruner(
        estimator, validation_fraction=fraction, refit_leaves=refit, random_state=0
    )


def _rpart(estimator: Any) -> Any:
    pruner = CostComplexityPruner(estimator, risk="error")
    return PrunerCV(pruner, cv=10, selection="one_standard_error", standard_error="case", random_state=0)


UPWARD, WEAKEST = "bottom-up", "weakest link first"
NONE, GO = "none", "go"
PRESETS = {
    "c4.5-r8": Preset(
        _error_based(confidence=0.25, limit="c4.5", raising_ties="left"),
        ties=GO,
        slack="0.1 errors",
        limit="table of z, .6925 at .25",
        order=UPWARD,
        rows=NONE,
        leaves="all",
        raising=True,
        collapse=True,
        tested="Quinlan's printed limits and his congressional subtree",
    ),
    "weka-3.8-j48": Preset(
        _error_based(confidence=0.25, limit="weka", raising_ties="right"),
        ties=GO,
        slack="0.1 errors + 1e-6",
        limit="exact z, .67449 at .25",
        order=UPWARD,
        rows=NONE,
        leaves="all",
        raising=True,
        collapse=True,
        tested="trees of J48, Weka 3.9.6",
    ),
    "weka-3.8-j48-r": Preset(
        _reduced_error(1 / 3),
        ties=GO,
        slack=NONE,
        limit=NONE,
        order=UPWARD,
        rows="1/3",
        leaves="those grown on",
        raising=False,
        collapse=False,
        tested="trees of J48 -R, Weka 3.9.6",
    ),
    "weka-reptree": Preset(
        _reduced_error(1 / 3, refit=True),
        ties=GO,
        slack=NONE,
        limit=NONE,
        order=UPWARD,
        rows="1/3",
        leaves="all (backfitting)",
        raising=False,
        collapse=False,
        tested="trees of REPTree, Weka 3.9.6",
    ),
    "ydf-cart": Preset(
        _reduced_error(1 / 10),
        ties=GO,
        slack=NONE,
        limit=NONE,
        order=UPWARD,
        rows="1/10",
        leaves="those grown on",
        raising=False,
        collapse=False,
        tested="trees of YDF 0.16.1, pruned on rows that are known",
    ),
    "rpart": Preset(
        _rpart,
        ties=GO,
        slack=NONE,
        limit=NONE,
        order=WEAKEST,
        rows="none (10 folds, one standard error)",
        leaves="all",
        raising=False,
        collapse=False,
        tested="cp tables and choices of rpart 4.1.19",
    ),
    "scikit-learn": Preset(
        lambda estimator: CostComplexityPruner(estimator, risk="impurity"),
        ties=GO,
        slack=NONE,
        limit=NONE,
        order=WEAKEST,
        rows=NONE,
        leaves="all",
        raising=False,
        collapse=False,
        tested="ccp_alpha of scikit-learn 1.9.1, above 0",
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
    if name not in PRESETS:
        close = difflib.get_close_matches(str(name), PRESETS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"preset {name!r} is unknown: use one of {', '.join(PRESETS)}.{hint}")
    return PRESETS[name].make(estimator)


def presets() -> DataFrame:
    """Table the presets, and what the systems differ in when they prune.

    Returns
    -------
    DataFrame
        One row a preset: pruner, ties, slack, limit, order, rows (held out), leaves (rows their values are of),
        raising, collapse, tested.

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

    columns = Preset._fields[1:]
    table = DataFrame([found[1:] for found in PRESETS.values()], columns=columns, index=Index(PRESETS, name="name"))
    table.insert(0, "pruner", [type(found.make(None)).__name__ for found in PRESETS.values()])
    return table
