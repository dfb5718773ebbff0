"""Scores of how a tree ranks rows, from the class counts of its nodes: areas under curves.

All rows at a leaf get the same probability, so a level's ranking is that of its leaves, each with as
many rows of every class as reach it.  Rows that tie count half, as scikit-learn counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Area = Callable[[Floats, Floats], float]

AREAS = ("roc_auc", "roc_auc_ovr", "roc_auc_ovr_weighted", "roc_auc_ovo", "roc_auc_ovo_weighted", "average_precision")


def can_rank(name: str, classes: NDArray[np.generic], counts: Floats, weighted: bool) -> bool:
    """Whether the score of this scikit-learn name follows from counts; what it refuses is for scikit-learn to say.

    Parameters
    ----------
    name : str
    classes : ndarray, shape (n_classes,)
    counts : ndarray, shape (n_classes,)
        Weight of the rows of each class.
    weighted : bool
        Whether the rows have weights.
    """
    if name not in AREAS or not (counts > 0).all():
        return False
    if name == "average_precision":  # of the class 1
        return len(classes) == 2 and classes.dtype.kind in "biuf" and bool(classes[1] == 1)
    if name == "roc_auc":
        return len(classes) == 2
    return len(classes) > 2 and not (weighted and "ovo" in name)


def ranking_scores(name: str, probability: Floats, counts: Floats, cuts: Iterable[NDArray[np.bool_]]) -> Floats:
    """Score every level, shape (n_levels,).

    Parameters
    ----------
    name : str
        One of `AREAS`.
    probability : ndarray, shape (n_nodes, n_classes)
        What each node predicts.
    counts : ndarray, shape (n_nodes, n_classes)
        Weight of the rows of each class that reach each node.
    cuts : iterable of ndarray of bool, shape (n_nodes,)

    Examples
    --------
    >>> counts = np.array([[2.0, 2.0], [2.0, 1.0], [0.0, 1.0]])
    >>> cuts = [np.array([False, True, True]), np.array([True, False, False])]
    >>> ranking_scores("roc_auc", counts / counts.sum(axis=1, keepdims=True), counts, cuts)
    array([0.75, 0.5 ])
    """
    orders = np.argsort(probability, axis=0, kind="stable").T
    pairs, weight = _pairs(name, counts[0])
    area: Area = _average_precision if name == "average_precision" else _under_roc
    levels = []
    for cut in cuts:
        ranked = [order[cut[order]] for order in orders]
        tied = [np.flatnonzero(np.diff(probability[at, c], prepend=-1)) for c, at in enumerate(ranked)]
        scores = [area(*_groups(counts[ranked[c]], tied[c], c, others)) for c, others in pairs]
        levels.append(np.average(scores, weights=weight))
    return np.array(levels)


def _pairs(name: str, total: Floats) -> tuple[list[tuple[int, list[int]]], Floats]:
    """Which class is ranked above which others, and what each of these areas counts in the mean."""
    n = len(total)
    if name in ("roc_auc", "average_precision"):
        return [(1, [0])], np.ones(1)
    if "ovr" in name:
        pairs = [(c, [k for k in range(n) if k != c]) for c in range(n)]
        return pairs, total if name.endswith("weighted") else np.ones(n)
    ordered = list(permutations(range(n), 2))
    weight = np.array([total[a] + total[b] for a, b in ordered]) if name.endswith("weighted") else np.ones(len(ordered))
    return [(a, [b]) for a, b in ordered], weight


def _groups(counts: Floats, first: NDArray[np.intp], own: int, others: list[int]) -> tuple[Floats, Floats]:
    """Weight of the class and of the others at every probability, ascending."""
    return np.add.reduceat(counts[:, own], first), np.add.reduceat(counts[:, others].sum(axis=1), first)


def _under_roc(own: Floats, other: Floats) -> float:
    """Share of the pairs of rows that stand in the right order."""
    below = np.cumsum(other) - other
    return float(own @ (below + other / 2) / (own.sum() * other.sum()))


def _average_precision(own: Floats, other: Floats) -> float:
    """Precision at every probability from the top, averaged by the recall that it adds."""
    own, other = own[::-1], other[::-1]
    right, all_rows = np.cumsum(own), np.cumsum(own + other)
    precision = np.divide(right, all_rows, out=np.zeros(len(own)), where=all_rows > 0)
    return float(own @ precision / own.sum())
