"""The prunings of a tree by one method: how each scores, which nodes each has, and which one cross-validation takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.model_selection import KFold, StratifiedKFold

from treeprune.cv import PrunerCV
from treeprune.dispatch import FAMILIES, METHODS, pruning_cuts, pruning_path
from treeprune.path import PruningPath
from treeprune.tree.curve import pruning_curve
from treeprune.tree.cuts import cut_at
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import PathPruner
from treeprune.tree.sides import Sides

SHOWN = tuple(m for m, kind in METHODS.items() if issubclass(kind, PathPruner) or m in FAMILIES or m == "optimal")
HIDDEN, INNER, LEAF = 0, 1, 2  # what a node is in a pruning
MOST_LEAVES = 200  # of a tree that is drawn


@dataclass(frozen=True, eq=False)
class Family:
    """The prunings of a tree by one method, from the largest that is shown to the root.

    Attributes
    ----------
    method, parameter : str
    nested : bool
        Whether a node that is gone stays gone.
    price, n_leaves, train, test : ndarray, shape (n_levels,)
    state : ndarray of int8, shape (n_levels, n_nodes)
        HIDDEN, INNER or LEAF.
    sides : list of Sides
        For each level.
    left_out : int
        Larger prunings that are not shown.
    chosen : int or None
        Level that cross-validation on the training rows takes; None where it was not asked.
    within : ndarray of bool, shape (n_levels,)
        Levels within one standard error of the best.
    """

    method: str
    parameter: str
    nested: bool
    price: NDArray[np.float64]
    n_leaves: NDArray[np.intp]
    train: NDArray[np.float64]
    test: NDArray[np.float64]
    state: NDArray[np.int8]
    sides: list[Sides]
    left_out: int
    chosen: int | None
    within: NDArray[np.bool_]

    @property
    def n_levels(self) -> int:
        """Prunings that are shown."""
        return len(self.price)


def find_family(tree: FittedTree, model: Any, method: str, data: tuple[Any, Any, Any, Any], folds: int) -> Family:
    """Find all prunings of a fitted tree by a method, and score them.

    Parameters
    ----------
    tree : FittedTree
    model : estimator
        The same tree as it was given, perhaps within a Pipeline.
    method : str
    data : tuple
        X_train, y_train, X_test, y_test.
    folds : int
        Of the cross-validation that chooses; 0 for none.
    """
    rows = () if tree.remembers_rows or not METHODS[method]()._needs_counts() else data[:2]
    if issubclass(METHODS[method], PathPruner):
        family: Any = pruning_path(model, method, *rows)
        cuts = np.array([cut_at(tree.structure, family.removed_at, k) for k in range(family.n_levels)])
    else:
        family = _by_size(pruning_cuts(model, method, *rows))
        cuts = family.cuts
    statistics = tree.count(*rows) if rows else None
    curve = pruning_curve(model, family, *data, scoring="accuracy" if tree.is_classifier else "r2")
    shown = np.flatnonzero(cuts.sum(axis=1) <= MOST_LEAVES)
    chosen, within = _chosen(model, method, family, data, folds) if folds else (None, np.zeros(len(cuts), bool))
    return Family(
        method=method,
        parameter=family.parameter,
        nested=isinstance(family, PruningPath),
        price=family.price[shown],
        n_leaves=cuts[shown].sum(axis=1),
        train=curve.train[shown],
        test=curve.test[shown],
        state=np.array([_state(tree, cut) for cut in cuts[shown]]),
        sides=[_sides(tree, method, family, int(k), statistics) for k in shown],
        left_out=len(cuts) - len(shown),
        chosen=None if chosen is None or chosen not in shown else int(np.searchsorted(shown, chosen)),
        within=within[shown],
    )


def _sides(tree: FittedTree, method: str, family: Any, level: int, statistics: NodeStatistics | None) -> Sides:
    """What the method compares at the strength of a level."""
    if isinstance(family, PruningPath):
        strength = {METHODS[method].strength: family.price_inside(level)}
    else:
        strength = {_running(method): _plain(family.price[level])}
    return METHODS[method](**strength)._sides(tree, statistics)


def _by_size(family: Any) -> Any:
    """The same cuts, the largest first, as the levels of a path are."""
    order = np.argsort(-family.cuts.sum(axis=1), kind="stable")
    return type(family)(family.method, family.parameter, family.price[order], family.cuts[order])


def _state(tree: FittedTree, cut: NDArray[np.bool_]) -> NDArray[np.int8]:
    """A node is there if its parent is an inner node of the pruning."""
    state = np.zeros(tree.structure.n_nodes, dtype=np.int8)
    state[0] = LEAF if cut[0] else INNER
    for t, left, right in tree.structure.downward():
        for child in (left, right):
            state[child] = np.where(state[t] == INNER, np.where(cut[child], LEAF, INNER), HIDDEN)
    return state


def _chosen(
    model: Any, method: str, family: Any, data: tuple[Any, Any, Any, Any], folds: int
) -> tuple[int, NDArray[np.bool_]]:
    """The level that one standard error takes, and those within it of the best."""
    nested = isinstance(family, PruningPath)
    pruner = METHODS[method](estimator=clone(model))
    grid = None if nested else {_running(method): [_plain(price) for price in family.price]}
    kind = StratifiedKFold if is_classifier(model) else KFold
    cv = kind(folds, shuffle=True, random_state=0)  # rows of a file may lie in an order that says much
    search = PrunerCV(pruner, grid, cv=cv, selection="one_standard_error").fit(data[0], data[1])
    scores = search.scores_
    best = int(np.argmax(scores.test))
    near = scores.test >= scores.test[best] - scores.standard_error[best]
    if not nested:
        return int(search.best_level_), near
    # the tree of the search may have been grown with other random numbers: its levels are met by price
    at = family.levels_at([search.path_.price_inside(k) for k in range(search.path_.n_levels)])
    within = np.zeros(family.n_levels, dtype=bool)
    within[np.unique(at[near])] = True
    return int(at[search.best_level_]), within


def _running(method: str) -> str:
    return "max_leaf_nodes" if method == "optimal" else FAMILIES[method][0]


def _plain(price: float) -> Any:
    return int(price) if float(price).is_integer() else float(price)
