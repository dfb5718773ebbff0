"""What do statistics of a holdout set that is streamed in chunks cost beside sending its rows down the tree?

The peer is scikit-learn's ``apply`` on the same chunks, read from the same stream; the time that
making or reading a chunk takes counts for neither.  Memory is the peak of the whole process, libraries and tree
included, so each kind of stream runs in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pairs import Report, Timer, in_turns, options
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp

N_FEATURES = 20
CHUNK = 100_000
GROWING = 100_000
PAIRS = 3
KINDS = {
    "classes": "whole numbers for classes",
    "weights": "classes, with weights",
    "words": "words for classes, as pandas has them",
    "numbers": "a numeric target",
    "parquet": "classes, from a Parquet file",
}
Chunks = Callable[[], Iterator[Any]]


def main() -> int:
    chosen = options(__doc__, numbers={"rows": (10_000_000, "rows of holdout")}, words={"only": KINDS})
    if chosen.only:
        return one_kind(chosen.only, chosen.rows, chosen.check)
    missed = 0
    for kind in KINDS:  # the peak of a process never falls again
        command = [sys.executable, __file__, "--only", kind, "--rows", str(chosen.rows)]
        missed += subprocess.run([*command, *(["--check"] if chosen.check else [])], check=False).returncode != 0
    return int(missed > 0)


def one_kind(kind: str, n_rows: int, check: bool) -> int:
    report = Report(__doc__)
    grow = DecisionTreeRegressor if kind == "numbers" else DecisionTreeClassifier
    tree = grow(random_state=0, min_samples_leaf=5).fit(*rows(kind, GROWING, seed=0)[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "holdout.parquet"
        if kind == "parquet":
            write = multiprocessing.get_context("spawn").Process(target=write_rows, args=(path, n_rows))
            write.start()
            write.join()
        chunks = read(path) if kind == "parquet" else drawn(kind, n_rows)
        gigabytes = n_rows * N_FEATURES * 8 / 1e9
        report.heading(f"{KINDS[kind]}: {n_rows:,} rows, X of {gigabytes:.2g} GB, {tree.tree_.node_count:,} nodes")
        apply = timed(lambda given: [len(tree.apply(chunk[0])) for chunk in given], chunks)
        ratios = in_turns(timed(lambda given: tp.chunk_statistics(tree, given), chunks), apply, PAIRS)
    report.at_most("time, over apply on the same chunks", ratios, 1.3)
    report.at_most("peak memory of the process, in GB", np.array([peak_gigabytes()]), 1.0)
    return report.exit_code(check)


def timed(consume: Callable[[Iterable[Any]], object], chunks: Chunks) -> Timer:
    """Return a function that measures the CPU seconds of reading a stream, less those of the stream itself."""

    def measure() -> float:
        made = 0.0

        def stream() -> Iterator[Any]:
            nonlocal made
            source, start = chunks(), time.process_time()
            for chunk in source:
                made += time.process_time() - start
                yield chunk
                start = time.process_time()
            made += time.process_time() - start

        start = time.process_time()
        consume(stream())
        return time.process_time() - start - made

    return measure


def rows(kind: str, n_rows: int, seed: int) -> tuple[Any, ...]:
    """Draw X, y and, where asked, weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_FEATURES))
    signal = X[:, 0] * X[:, 1] + np.abs(X[:, 2]) + rng.normal(scale=0.7, size=n_rows)
    if kind == "numbers":
        return X, signal
    y = np.digitize(signal, [0.3, 1.2])
    if kind == "words":
        return X, pd.Series(np.array(["low", "middle", "high"])[y])
    return (X, y, rng.uniform(0.5, 2, n_rows)) if kind == "weights" else (X, y)


def drawn(kind: str, n_rows: int) -> Chunks:
    sizes = [min(CHUNK, n_rows - start) for start in range(0, n_rows, CHUNK)]
    return lambda: (rows(kind, size, seed) for seed, size in enumerate(sizes, start=1))


def read(path: Path) -> Chunks:
    # the tree was grown on arrays, so arrays are what it gets
    return lambda: ((X.to_numpy(), y) for X, y in tp.parquet_chunks(path, "y", batch_size=CHUNK))


def write_rows(path: Path, n_rows: int) -> None:
    """Write a file in row groups of a million, ten chunks each, as pyarrow and pandas do."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([(f"x{j}", pa.float64()) for j in range(N_FEATURES)] + [("y", pa.int64())])
    with ParquetWriter(path, schema) as writer:
        for group in batched(drawn("parquet", n_rows)(), 10):
            tables = [pa.table([*X.T, y], schema=schema) for X, y in group]
            writer.write_table(pa.concat_tables(tables), row_group_size=10 * CHUNK)


def batched(stream: Iterator[Any], n: int) -> Iterator[list[Any]]:
    while some := list(islice(stream, n)):
        yield some


def peak_gigabytes() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / 1e9


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
