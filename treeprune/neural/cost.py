"""What networks cost and what they are worth, one row each, in the units the field compares by.

Parameters count biases, multiply-adds do not; the compression ratio is the first network's
parameters over those not zero, the theoretical speed-up its multiply-adds over those done
(Blalock et al. 2020, *What is the state of neural network pruning?*).  Zeros that are stored are
multiplied too: they make the zipped file smaller, and nothing else.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.checks import check_count
from treeprune.neural.deployment import finalize, find_network
from treeprune.neural.observation import activations, loss_of_outputs
from treeprune.neural.removal import checked_rows

if TYPE_CHECKING:
    from pandas import DataFrame

LATENCY_CALLS = 60
WARM_UP_CALLS = 5


def cost_table(
    models: Mapping[str, Any],
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    latency_rows: int | None = None,
    *,
    X_valid: Any = None,
    y_valid: Any = None,
) -> DataFrame:
    """Tabulate size, arithmetic and scores of fitted networks.

    Parameters
    ----------
    models : mapping from names to fitted MLPClassifier or MLPRegressor, or to Pipelines that end in one
        The first one is what the others are compared with, so let it be the dense network.
    X_train, y_train, X_test, y_test : array-like
        Rows to score; ``gap`` is the training score minus the test score.
    latency_rows : int, default=None
        Measure `predict` on so many test rows too: the columns ``latency_us_p50`` and
        ``latency_us_p95``, in microseconds of this machine.
    X_valid, y_valid : array-like, optional
        Rows of a validation score: the column ``valid_score``.

    Returns
    -------
    DataFrame
        Columns model, n_neurons, n_params, n_nonzero, sparsity, compression_ratio, macs (per row),
        theoretical_speedup, macs_nonzero (of weights that are not zero, which nothing is faster by), param_bytes,
        file_bytes and file_bytes_zip (pickled, of the finalised network), train_score, train_loss, valid_score if
        asked for, test_score, test_loss, gap, reconstruction_mse (of the pre-activations of the output on the test
        rows, against those of the first network). The loss is that of training without its penalty, a mean over
        rows. Its ``attrs`` hold the numbers of rows and of threads.

    Examples
    --------
    >>> from sklearn.base import clone
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import cost_table
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(solver="lbfgs", tol=0.1, max_iter=5000, random_state=0)
    >>> nets = {str(n): clone(mlp).set_params(hidden_layer_sizes=n).fit(X, y) for n in (20, 5)}
    >>> cost_table(nets, X, y, X, y)[["model", "n_params", "macs", "theoretical_speedup"]]
      model  n_params  macs  theoretical_speedup
    0    20       163   140                  1.0
    1     5        43    35                  4.0
    """
    from pandas import DataFrame

    if not models:
        raise ValueError("models is empty: give a mapping from names to fitted networks")
    for mlp in models.values():
        find_network(mlp)
    if (X_valid is None) != (y_valid is None):
        raise ValueError("X_valid and y_valid belong together: give both, or none")
    if latency_rows is not None:
        check_count("latency_rows", latency_rows, low=1)
    first = next(iter(models.values()))
    rows = []
    for name, mlp in models.items():
        network = find_network(mlp)[0]
        row = {"model": name, **_size(network), **_file(network), **_scores(mlp, X_train, y_train, X_test, y_test)}
        if X_valid is not None:
            row["valid_score"] = mlp.score(X_valid, y_valid)
        row["reconstruction_mse"] = _distance(mlp, first, X_test)
        rows.append(row | ({} if latency_rows is None else _latency(mlp, X_test, latency_rows)))
    table = _compared_with_first(DataFrame(rows))
    table.attrs.update(train_rows=len(y_train), test_rows=len(y_test), latency_rows=latency_rows, threads=_threads())
    return table


def _size(mlp: Any) -> dict[str, Any]:
    parts = [*mlp.coefs_, *mlp.intercepts_]
    n_params, n_nonzero = sum(part.size for part in parts), sum(np.count_nonzero(part) for part in parts)
    return {
        "n_neurons": sum(w.shape[1] for w in mlp.coefs_[:-1]),
        "n_params": n_params,
        "n_nonzero": n_nonzero,
        "sparsity": 1 - n_nonzero / n_params,
        "macs": sum(w.size for w in mlp.coefs_),
        "macs_nonzero": sum(int(np.count_nonzero(w)) for w in mlp.coefs_),
        "param_bytes": sum(part.nbytes for part in parts),
    }


def _file(mlp: Any) -> dict[str, int]:
    pickled = pickle.dumps(finalize(mlp), protocol=5)
    return {"file_bytes": len(pickled), "file_bytes_zip": len(zlib.compress(pickled))}


def _scores(mlp: Any, X_train: Any, y_train: Any, X_test: Any, y_test: Any) -> dict[str, float]:
    train, test = mlp.score(X_train, y_train), mlp.score(X_test, y_test)
    losses = {"train_loss": _loss(mlp, X_train, y_train), "test_loss": _loss(mlp, X_test, y_test)}
    return {"train_score": train, "test_score": test, "gap": train - test, **losses}


def _loss(mlp: Any, X: Any, y: Any) -> float:
    """Loss of training without its penalty, NaN for classes that the network does not know."""
    try:
        network, rows = checked_rows(mlp, X, y, None, True, True)
    except ValueError:
        return float("nan")
    assert rows.target is not None  # asked for
    return float(loss_of_outputs(network, activations(network, rows.X)[-1], rows.target).mean())


def _distance(mlp: Any, reference: Any, X: Any) -> float:
    z, z_reference = _output(mlp, X), _output(reference, X)
    if z.shape != z_reference.shape:
        raise ValueError(f"the networks differ in outputs: {z.shape[1]} and, in the first one, {z_reference.shape[1]}")
    return float(np.mean((z - z_reference) ** 2))


def _output(mlp: Any, X: Any) -> NDArray[np.float64]:
    """Return the pre-activations of the output layer."""
    network, rows = checked_rows(mlp, X, None, None, False, True)
    return activations(network, rows.X)[-1]


def _latency(mlp: Any, X: Any, n_rows: int) -> dict[str, float]:
    at = np.arange(n_rows) % len(X)
    rows = X.iloc[at] if hasattr(X, "iloc") else np.asarray(X)[at]
    seconds = []
    for _ in range(WARM_UP_CALLS + LATENCY_CALLS):
        start = perf_counter()
        mlp.predict(rows)
        seconds.append(perf_counter() - start)
    median, late = np.percentile(seconds[WARM_UP_CALLS:], [50, 95])
    return {"latency_us_p50": 1e6 * median, "latency_us_p95": 1e6 * late}


def _compared_with_first(table: DataFrame) -> DataFrame:
    table.insert(5, "compression_ratio", table["n_params"].iloc[0] / table["n_nonzero"])
    table.insert(7, "theoretical_speedup", table["macs"].iloc[0] / table["macs"])
    return table


def _threads() -> int:
    """Threads that products of matrices may use here."""
    from threadpoolctl import threadpool_info

    return max((pool["num_threads"] for pool in threadpool_info()), default=1)
