"""Statistics of more rows than memory holds: of chunks, of Parquet files, of Dask collections.

All that a method reads of its rows are sums over the nodes of the grown tree, so rows may come a chunk at a
time, or lie on several machines.  Chunks of a stream are added row after row, as if they were one
table: the sums are those of the table to the last bit.  Partitions of a Dask collection are summed
apart and the sums added: counts are exact all the same, sums of floats (weights, a numeric target)
agree to rounding, about 1e-12 of their size, below which costs count as tied.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from operator import add
from typing import Any

import numpy as np

from treeprune.checks import check_count
from treeprune.tree.fitted import FittedTree, NodeStatistics, check_each_weight, find_tree
from treeprune.workers import check_workers

TOGETHER = 8  # sums that one Dask task adds
BUFFER = 1 << 16  # bytes of a Parquet column read at a time


def chunk_statistics(fitted: Any, chunks: Iterable[Sequence[Any]]) -> NodeStatistics:
    """Sum rows that come a chunk at a time at every node of a fitted tree.

    Parameters
    ----------
    fitted : fitted estimator
        Whatever `prune` takes: a tree, alone, in a Pipeline, in a fitted search.
    chunks : iterable of (X, y) or (X, y, sample_weight)
        Read once, one chunk after the other; chunks without rows are passed over. sample_weight may be None.

    Returns
    -------
    NodeStatistics
        For ``tp.prune(fitted, method, statistics=...)``; to the last bit those of the chunks as one table.
        Statistics of the same tree add with ``+``, from several machines, say; then counts stay exact,
        and sums of floats agree to about 1e-12.

    Raises
    ------
    ValueError
        For rows that do not fit the tree (a note says in which chunk), no rows at all, and a tree grown with
        ``class_weight="balanced"``, whose weights need all rows at once.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[:400], y[:400])
    >>> chunks = ((X[i : i + 50], y[i : i + 50]) for i in range(400, len(X), 50))
    >>> statistics = tp.chunk_statistics(tree, chunks)
    >>> int(tp.prune(tree, "reduced_error", statistics=statistics).get_n_leaves())
    7
    """
    tree = _tree_of(fitted)
    if not isinstance(chunks, Iterable):
        raise TypeError(f"chunks is a {type(chunks).__name__}: an iterable of (X, y) is expected")
    so_far = tree.no_rows
    for k, chunk in enumerate(chunks):
        with _noted(f"in chunk {k}, counted from 0"):
            so_far = _with_rows(tree, so_far, *_parts(chunk))
    return _complete(tree, so_far)


def parquet_chunks(
    paths: Any, target: Any, *, fitted: Any = None, weight: str | None = None, batch_size: int = 100_000
) -> Iterator[tuple[Any, ...]]:
    """Read Parquet files a chunk at a time, for `chunk_statistics`.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, read in this order.
    target : str or list of str
        The column, or columns, of y.
    fitted : fitted estimator, optional
        Whose features to read, in its order (``feature_names_in_``); one that was grown on arrays gets arrays. Without
        it, data frames of all other columns.
    weight : str, optional
        The column of weights.
    batch_size : int, default=100_000
        Rows in memory at a time, at most.

    Yields
    ------
    tuple
        X and y, and the weights if there are any.

    Raises
    ------
    ImportError
        Without the extra ``parquet``.
    ValueError
        For a column that a file lacks.

    Examples
    --------
    >>> chunks = tp.parquet_chunks(["may.parquet", "june.parquet"], "late", fitted=tree)    # doctest: +SKIP
    >>> tp.prune(tree, "reduced_error", statistics=tp.chunk_statistics(tree, chunks))    # doctest: +SKIP
    """
    check_count("batch_size", batch_size, low=1)
    listed = _listed(paths)
    if not isinstance(target, str) and not (isinstance(target, list | tuple) and target):
        raise ValueError(f"target={target!r}: the name of a column, or a list of several, is expected")
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise ImportError("Parquet needs pyarrow: pip install 'treeprune[parquet]'") from None
    # by default it reads a whole row group ahead, which may be the whole file
    lean = partial(ParquetFile, pre_buffer=False, buffer_size=BUFFER)
    return _batches(lean, listed, target, fitted, weight, batch_size)


def dask_statistics(fitted: Any, X: Any, y: Any, sample_weight: Any = None) -> NodeStatistics:
    """Sum the rows of a Dask DataFrame or array at every node of a fitted tree, one task a partition.

    Parameters
    ----------
    fitted : fitted estimator
        As in `chunk_statistics`.
    X : dask DataFrame or dask array, shape (n_rows, n_features)
    y : dask Series, DataFrame or array, shape (n_rows,) or (n_rows, n_outputs)
        In partitions of the same rows as those of X.
    sample_weight : dask Series or array, shape (n_rows,), optional
        In the same partitions.

    Returns
    -------
    NodeStatistics
        Counts without weights are exact, sums of floats agree with those of one table to about 1e-12.

    Raises
    ------
    RuntimeError
        If a worker of the current ``distributed.Client`` has another version of what decides the results; asked
        before any work.
    ValueError
        As `chunk_statistics`, and for partitions that are not alike.

    Notes
    -----
    The work is done by the current ``distributed.Client``, or, without one, by Dask's own scheduler on this machine.

    Examples
    --------
    >>> import dask.array as da
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=2).fit(X, y)
    >>> statistics = tp.dask_statistics(tree, da.from_array(X, chunks=(40, 4)), da.from_array(y, chunks=40))
    >>> statistics.sums[0]
    array([[50, 50, 50]])
    """
    tree = _tree_of(fitted)
    try:
        from dask.delayed import delayed
    except ImportError:
        raise ImportError("Dask collections need dask: pip install 'treeprune[dask]'") from None
    partitions = _partitions(X, y, sample_weight)
    _check_current_workers()
    shipped = delayed(tree, traverse=False)  # once, not with every task
    sums = [delayed(_partition_sums)(shipped, k, *parts) for k, parts in enumerate(partitions)]
    while len(sums) > 1:
        sums = [delayed(_added)(sums[i : i + TOGETHER]) for i in range(0, len(sums), TOGETHER)]
    return _complete(tree, sums[0].compute())


def _tree_of(fitted: Any) -> FittedTree:
    tree = find_tree(fitted)
    if isinstance(getattr(tree.estimator, "class_weight", None), str):
        raise ValueError(
            f"class_weight={tree.estimator.class_weight!r} balances all rows at once, which chunks are not: count the "
            "rows in memory, or grow the tree with the weights as a dict, {label: weight}"
        )
    return tree


def _with_rows(tree: FittedTree, so_far: NodeStatistics, X: Any, y: Any, sample_weight: Any = None) -> NodeStatistics:
    """Add rows to sums at the leaves, weighted as `FittedTree.count` does."""
    if _is_empty(X) and _is_empty(y):
        return so_far  # an estimator refuses a table without rows
    target = tree.encode(y)
    leaf = tree.leaves_of(X, target)
    weight, by_class = check_each_weight(sample_weight, len(target)), tree.class_weight_of(target)
    if by_class is not None:
        weight = by_class if weight is None else by_class * weight
    return tree.at_leaves(leaf, target, weight, so_far)


def _is_empty(table: Any) -> bool:
    shape = getattr(table, "shape", None)  # a sparse matrix has no length
    return shape[:1] == (0,) if shape is not None else isinstance(table, list | tuple) and not table


def _complete(tree: FittedTree, at_leaves: NodeStatistics) -> NodeStatistics:
    if not at_leaves.leaf_rows.any():
        raise ValueError("there are no rows, or none of weight above 0: one at least is needed to count")
    return tree.summed_up(at_leaves)


def _parts(chunk: Any) -> Sequence[Any]:
    if isinstance(chunk, tuple | list) and len(chunk) in (2, 3):
        return chunk
    what = f"{type(chunk).__name__} of {len(chunk)}" if isinstance(chunk, tuple | list) else type(chunk).__name__
    raise TypeError(f"a chunk is a {what}: a tuple (X, y) or (X, y, sample_weight) is expected")


@contextmanager
def _noted(where: str) -> Iterator[None]:
    """Add to an error where it came up."""
    try:
        yield
    except Exception as error:
        error.add_note(where)
        raise


def _listed(paths: Any) -> list[Any]:
    listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not listed:
        raise ValueError("paths is empty: one Parquet file at least is needed")
    return listed


def _batches(
    open_file: Any, paths: list[Any], target: Any, fitted: Any, weight: str | None, batch_size: int
) -> Iterator[tuple[Any, ...]]:
    others = [*([target] if isinstance(target, str) else target), *([] if weight is None else [weight])]
    features: list[str] = []
    for path in paths:
        with open_file(path) as file:
            there = _features(path, file.schema_arrow.names, others, fitted)
            features = features or there  # a tree without names takes the order of the first file
            if set(there) != set(features):
                raise ValueError(f"{path} has the columns {there[:20]}, and the files before it {features[:20]}")
            columns = list(dict.fromkeys([*features, *others]))
            for batch in file.iter_batches(batch_size, columns=columns):
                frame = batch.to_pandas()
                X = frame[features]
                X = X if fitted is None or hasattr(fitted, "feature_names_in_") else X.to_numpy()
                yield (X, frame[target]) if weight is None else (X, frame[target], frame[weight])


def _features(path: Any, there: list[str], others: list[str], fitted: Any) -> list[str]:
    """Return the columns of X, after a look that the file has all that are needed."""
    names = getattr(fitted, "feature_names_in_", None)
    features = [name for name in there if name not in others] if names is None else list(names)
    missing = [name for name in [*features, *others] if name not in there]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}: its columns are {', '.join(there[:20])}")
    return features


def _partitions(X: Any, y: Any, sample_weight: Any) -> list[tuple[Any, ...]]:
    """Return X, y and weights of each partition, as Delayed."""
    tables = {"X": X, "y": y} | ({} if sample_weight is None else {"sample_weight": sample_weight})
    for name, table in tables.items():
        if not hasattr(table, "to_delayed"):
            raise TypeError(
                f"{name} is a {type(table).__name__}: a Dask DataFrame, Series or array is expected; rows in memory "
                "are for tp.prune, a stream of chunks for tp.chunk_statistics"
            )
    parts = {name: _by_rows(table) for name, table in tables.items()}
    numbers = {name: len(delayeds) for name, delayeds in parts.items()}
    if len(set(numbers.values())) > 1:
        said = ", ".join(f"{name} has {n}" for name, n in numbers.items())
        raise ValueError(f"the partitions are not alike, {said}: split all alike, with rechunk or repartition")
    return list(zip(*parts.values(), strict=True))


def _by_rows(table: Any) -> list[Any]:
    if hasattr(table, "chunks") and table.ndim == 2 and table.numblocks[1] > 1:
        table = table.rechunk({1: -1})  # a row in one piece
    parts = table.to_delayed()
    return list(parts.ravel()) if isinstance(parts, np.ndarray) else list(parts)


def _check_current_workers() -> None:
    try:
        from distributed import Client
    except ImportError:
        return  # Dask alone works in this process
    try:
        client = Client.current()  # type: ignore[no-untyped-call]
    except ValueError:  # there is none
        return
    check_workers(client)


def _partition_sums(tree: FittedTree, k: int, *parts: Any) -> NodeStatistics:
    with _noted(f"in partition {k}, counted from 0"):
        return _with_rows(tree, tree.no_rows, *parts)


def _added(sums: list[NodeStatistics]) -> NodeStatistics:
    return reduce(add, sums)
