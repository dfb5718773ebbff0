"""The loss of single rows at the nodes above them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.path import PruningPath
from treeprune.tree.fitted import FittedTree
from treeprune.tree.structure import TreeStructure

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Changes = tuple[Ints, Ints, Floats, Floats]
ROWS_AT_A_TIME = 2000  # times the depth of the tree, which may be thousands


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
    up = _next_in_force(tree.structure, path.removed_at)
    blocks = range(0, max(len(leaf), 1), ROWS_AT_A_TIME)
    block = [slice(k, k + ROWS_AT_A_TIME) for k in blocks]
    parts = [_changes_of(tree, path, scoring, _ways_up(up, leaf[rows]), target[rows]) for rows in block]
    base = np.concatenate([part[0] for part in parts])
    row = np.concatenate([part[1][0] + k for part, k in zip(parts, blocks, strict=True)])
    level, before, after = (np.concatenate([part[1][i] for part in parts]) for i in (1, 2, 3))
    return base, (row, level, before, after)


def _changes_of(
    tree: FittedTree, path: PruningPath, scoring: str, way: Ints, target: NDArray[Any]
) -> tuple[Floats, Changes]:
    """Follow the rows of one block up their ways, shape (longest way, n_rows)."""
    level, loss = path.removed_at[way], loss_at(tree, scoring, way, target)
    in_force = np.ones(way.shape, dtype=bool)  # the root, repeated where a way is short, is so at the last step
    in_force[:-1] = level[:-1] < level[1:]
    step = np.arange(len(way))[:, None]
    last = np.maximum.accumulate(np.where(in_force, step, 0), axis=0)
    held = np.take_along_axis(loss, np.vstack([last[:1], last[:-1]]), axis=0)
    row, at = np.nonzero((in_force & (loss != held)).T)
    return loss[0], (row, level[at, row], held[at, row], loss[at, row])


def _next_in_force(structure: TreeStructure, removed_at: Ints) -> Ints:
    """For each node the nearest one above it that is ever a leaf: not one that goes together with its parent."""
    parent = np.maximum(structure.parent, 0)
    ever = removed_at < removed_at[parent]
    ever[0] = True
    up = parent.copy()
    for split, left, right in structure.downward():
        up[left] = up[right] = np.where(ever[split], split, up[split])
    return up


def _ways_up(up: Ints, leaf: Ints) -> Ints:
    """The nodes ever in force from each row's leaf to the root, shape (longest way, n_rows); the root repeats."""
    way = [leaf]
    while way[-1].any():
        way.append(up[way[-1]])
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
