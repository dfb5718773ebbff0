"""What a set of rows says about every pruned tree at once.

Sums over the rows that reach each node: class counts, or moments of the target.  They are plain
arrays, so the statistics of chunks of rows, or of rows on several machines, are added with ``+``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_count
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
    counts = counts_at_leaves(structure.n_nodes, leaf, codes, n_classes, sample_weight)
    return structure.sum_up(counts).reshape(structure.n_nodes, *codes.shape[1:], n_classes)


def check_codes(codes: ArrayLike, n_classes: int | None = None) -> tuple[NDArray[np.intp], int]:
    """Return class codes as integers, and how many classes there are: given, or up to the highest code."""
    found = np.asarray(codes)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise ValueError(f"y must hold class codes, whole numbers from 0, one a row; got {found.dtype}, {found.shape}")
    k = int(found.max(initial=0)) + 1 if n_classes is None else n_classes
    check_count("n_classes", k, low=1)
    _check_range("y", found, k, "the n_classes classes")
    return found.astype(np.intp), k


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
    moments = moments_at_leaves(structure.n_nodes, leaf, y, center, sample_weight)
    return structure.sum_up(moments).reshape(structure.n_nodes, *y.shape[1:], 3)


def counts_at_leaves(
    n_nodes: int,
    leaf: NDArray[Any],
    codes: NDArray[Any],
    n_classes: int,
    sample_weight: ArrayLike | None,
    so_far: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Count the rows of each class at the grown leaves; shape (n_nodes, n_outputs, n_classes), 0 at inner nodes.

    With counts ``so_far``, of earlier rows, these rows are added to them one after the other: what comes
    out is, to the last bit, what all rows at once give.
    """
    columns = np.atleast_2d(codes.T)  # outputs first
    before = [None if so_far is None else so_far[:, j].ravel() for j in range(len(columns))]
    by_output = [
        _histogram(leaf * n_classes + column, n_nodes * n_classes, sample_weight, start).reshape(n_nodes, n_classes)
        for column, start in zip(columns, before, strict=True)
    ]
    return np.stack(by_output, axis=1)


def moments_at_leaves(
    n_nodes: int,
    leaf: NDArray[Any],
    y: NDArray[Any],
    center: ArrayLike,
    sample_weight: ArrayLike | None,
    so_far: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Sum moments at the grown leaves as `counts_at_leaves` counts; shape (n_nodes, n_outputs, 3)."""
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    sums = []
    for j, column in enumerate(np.atleast_2d((y - center).T)):  # output by output
        first = weight * column
        for k, term in enumerate((weight, first, first * column)):
            sums.append(_histogram(leaf, n_nodes, term, None if so_far is None else so_far[:, j, k]))
    return np.stack(sums, axis=1).reshape(n_nodes, -1, 3)


def _histogram(
    bins: NDArray[Any], n_bins: int, weight: ArrayLike | None, so_far: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Sum the weights in each bin, one row after the other; what was summed so far is the first row of its bin."""
    if so_far is None:
        return np.bincount(bins, weights=None if weight is None else np.asarray(weight), minlength=n_bins)
    if weight is None and so_far.dtype.kind == "i":
        return so_far + np.bincount(bins, minlength=n_bins)
    terms = np.ones(len(bins)) if weight is None else np.asarray(weight)
    return np.bincount(np.concatenate([np.arange(n_bins), bins]), np.concatenate([so_far, terms]), n_bins)


def _check_range(name: str, values: NDArray[Any], n: int, what: str) -> None:
    """Raise ValueError unless all are whole numbers from 0 to n - 1: a histogram would count others elsewhere."""
    if len(values) and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= n):
        raise ValueError(f"{name} must be whole numbers from 0 to {n - 1}, {what}; got {values.dtype} {_ends(values)}")


def _ends(values: NDArray[Any]) -> str:
    return f"from {values.min()} to {values.max()}" if values.dtype.kind in "biuf" else f"{values.ravel()[0]!r}, ..."
