"""The loss of single rows at the nodes above them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.path import PruningPath
from treeprune.tree.fitted import FittedTree

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Changes = tuple[Ints, Ints, Floats, Floats]


def loss_at(tree: FittedTree, scoring: str, node: Ints, target: NDArray[Any]) -> Floats:
    """Loss of rows, were they predicted by these nodes.

    Parameters
    ----------
    tree : FittedTree
    scoring : str
        A key of `ROW_LOSSES`.
    node : ndarray of int, shape (..., n_rows)
    target : ndarray, shape (n_rows, n_outputs)
        Encoded; code -1 is a class that the tree does not know.

    Returns
    -------
    ndarray of float, shape (..., n_rows)
        Averaged over outputs.
    """
    return ROW_LOSSES[scoring](tree, node, target).mean(axis=-1)


def loss_changes(
    tree: FittedTree, path: PruningPath, scoring: str, leaf: Ints, target: NDArray[Any]
) -> tuple[Floats, Changes]:
    """Loss of each row at level 0, and where along the path it changes.

    Returns
    -------
    base : ndarray of float, shape (n_rows,)
    changes : (row, level, before, after), each of shape (n_changes,)
        Levels rise within each row.
    """
    way = _ways_up(tree, leaf)
    level, loss = path.removed_at[way], loss_at(tree, scoring, way, target)
    in_force = np.ones(way.shape, dtype=bool)  # a node that goes together with its parent never is
    in_force[:-1] = level[:-1] < level[1:]
    step = np.arange(len(way))[:, None]
    last = np.maximum.accumulate(np.where(in_force, step, 0), axis=0)
    held = np.take_along_axis(loss, np.vstack([last[:1], last[:-1]]), axis=0)
    row, at = np.nonzero((in_force & (loss != held)).T)
    return loss[0], (row, level[at, row], held[at, row], loss[at, row])


def _ways_up(tree: FittedTree, leaf: Ints) -> Ints:
    """The nodes from each row's leaf to the root, shape (longest way, n_rows); the root repeats."""
    parent = np.maximum(tree.structure.parent, 0)
    way = [leaf]
    for _ in range(int(tree.structure.depth[leaf].max(initial=0))):
        way.append(parent[way[-1]])
    return np.array(way)


def _misclassified(tree: FittedTree, node: Ints, code: Ints) -> Floats:
    return (tree.label[node] != code).astype(np.float64)


def _probability(tree: FittedTree, node: Ints, code: Ints) -> Floats:
    """What the node gives to the row's class, 0 if the tree does not know the class."""
    outputs = np.arange(code.shape[1])
    return np.where(code < 0, 0.0, tree.value[node[..., None], outputs, code])


def _log_loss(tree: FittedTree, node: Ints, code: Ints) -> Floats:
    eps = np.finfo(np.float64).eps
    return -np.log(np.clip(_probability(tree, node, code), eps, 1 - eps))


def _brier(tree: FittedTree, node: Ints, code: Ints) -> Floats:
    squares = (tree.value**2).sum(axis=-1)[node]
    return (1 + squares - 2 * _probability(tree, node, code)) / (2 if len(tree.classes[0]) == 2 else 1)


def _squared_error(tree: FittedTree, node: Ints, y: Floats) -> Floats:
    return (tree.value[node] - y) ** 2


ROW_LOSSES: dict[str, Callable[[FittedTree, Ints, NDArray[Any]], Floats]] = {
    "accuracy": _misclassified,
    "neg_log_loss": _log_loss,
    "neg_brier_score": _brier,
    "neg_mean_squared_error": _squared_error,
}
