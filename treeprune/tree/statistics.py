"""What a set of rows says about every pruned tree at once.

Sums over the rows that reach each node: class counts, or moments of the target.  They are plain
arrays, so the statistics of chunks of rows, or of rows on several machines, are added with ``+``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.tree.structure import TreeStructure


def class_counts(
    structure: TreeStructure,
    leaf: ArrayLike,
    codes: ArrayLike,
    n_classes: int,
    sample_weight: ArrayLike | None = None,
) -> NDArray[Any]:
    """Count the rows of each class at every node.

    Parameters
    ----------
    structure : TreeStructure
    leaf : array-like of int, shape (n_rows,)
        The grown leaf that each row reaches.
    codes : array-like of int, shape (n_rows,) or (n_rows, n_outputs)
        Classes as 0, ..., n_classes - 1.
    n_classes : int
        Classes that none of the rows has get zeros.
    sample_weight : array-like of float, shape (n_rows,), optional
        Frequencies: a row of weight 2 counts as two rows.

    Returns
    -------
    ndarray, shape (n_nodes, n_classes) or (n_nodes, n_outputs, n_classes)
        Integers without weights, floats with.

    Raises
    ------
    ValueError
        For a code that is no class, or a leaf that is no node.

    Examples
    --------
    >>> from treeprune import TreeStructure, class_counts
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> class_counts(stump, leaf=[1, 1, 2], codes=[0, 1, 1], n_classes=2)
    array([[1, 2],
           [1, 1],
           [0, 1]])
    """
    leaf, codes = np.asarray(leaf), np.asarray(codes)
    _check_range("codes", codes, n_classes, "the n_classes classes")
    _check_range("leaf", leaf, structure.n_nodes, "the nodes of the tree")
    columns = np.atleast_2d(codes.T)  # outputs first
    by_output = [
        _histogram(leaf * n_classes + column, structure.n_nodes * n_classes, sample_weight) for column in columns
    ]
    counts = np.hstack([c.reshape(structure.n_nodes, n_classes) for c in by_output])
    return structure.sum_up(counts).reshape(structure.n_nodes, *codes.shape[1:], n_classes)


def target_moments(
    structure: TreeStructure,
    leaf: ArrayLike,
    y: ArrayLike,
    center: ArrayLike = 0.0,
    sample_weight: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Sum the moments of a numeric target about a common centre at every node.

    Parameters
    ----------
    structure : TreeStructure
    leaf : array-like of int, shape (n_rows,)
        The grown leaf that each row reaches.
    y : array-like of float, shape (n_rows,) or (n_rows, n_outputs)
    center : float or array-like of float, shape (n_outputs,), default=0
        Give the mean of the target, say. Squares of numbers far from 0 lose the digits that
        squared errors are made of.
    sample_weight : array-like of float, shape (n_rows,), optional
        Frequencies: a row of weight 2 counts as two rows.

    Returns
    -------
    ndarray of float, shape (n_nodes, 3) or (n_nodes, n_outputs, 3)
        The sums of w, w (y - center) and w (y - center)^2.

    Examples
    --------
    >>> from treeprune import TreeStructure, target_moments
    >>> tree = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> target_moments(tree, [1, 1, 2], [2.0, 4.0, 6.0], center=4.0)
    array([[ 3.,  0.,  8.],
           [ 2., -2.,  4.],
           [ 1.,  2.,  4.]])
    """
    leaf, y = np.asarray(leaf), np.asarray(y, dtype=np.float64)
    _check_range("leaf", leaf, structure.n_nodes, "the nodes of the tree")
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    sums = []
    for column in np.atleast_2d((y - center).T):  # output by output
        first = weight * column
        sums += [_histogram(leaf, structure.n_nodes, term) for term in (weight, first, first * column)]
    return structure.sum_up(np.stack(sums, axis=1)).reshape(structure.n_nodes, *y.shape[1:], 3)


def _histogram(bins: NDArray[Any], n_bins: int, weight: ArrayLike | None) -> NDArray[Any]:
    return np.bincount(bins, weights=None if weight is None else np.asarray(weight), minlength=n_bins)


def _check_range(name: str, values: NDArray[Any], n: int, what: str) -> None:
    """Raise ValueError unless all are whole numbers from 0 to n - 1: a histogram would count others elsewhere."""
    if len(values) and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= n):
        raise ValueError(f"{name} must be whole numbers from 0 to {n - 1}, {what}; got {values.dtype} {_ends(values)}")


def _ends(values: NDArray[Any]) -> str:
    return f"from {values.min()} to {values.max()}" if values.dtype.kind in "biuf" else f"{values.ravel()[0]!r}, ..."
