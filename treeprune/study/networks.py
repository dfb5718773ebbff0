"""The part of a study that is about small networks: neurons removed, beside all that they must beat.

A unit of work is one split of one data set: a network is trained on the training rows, its neurons are
removed to several sizes, and the baselines of the same seed are trained on the same rows.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.study.design import Study
from treeprune.study.units import Unit, growing_rows, noisy_labels, split_rows

if TYPE_CHECKING:
    import pandas as pd

HIDDEN = 50
SIZES = (25, 12, 6, 3)
EPOCHS = 60
BITS = (8, 4, 2)
COLUMNS = (
    *("data", "task", "scoring", "repeat", "family", "method", "criterion", "compensation", "granularity", "timing"),
    *("seed", "requested", "achieved", "fine_tune_epochs", "epochs", "macs_trained", "selected_on"),
    *("n_neurons", "n_params", "n_nonzero", "sparsity", "compression_ratio", "macs", "theoretical_speedup"),
    *("param_bytes", "file_bytes", "file_bytes_zip", "train_score", "test_score", "gap", "reconstruction_mse", "error"),
)
GRID_COLUMNS = ("data", "repeat", "model", "n_neurons", "bits", "test_score")


def run_network(study: Study, unit: Unit, X: NDArray[Any], y: NDArray[Any]) -> dict[str, list[dict[str, Any]]]:
    """Do one unit of work; what goes wrong in it is an entry of its rows.

    Parameters
    ----------
    study : Study
    unit : Unit
    X : ndarray, shape (n_rows, n_features)
        NaN is filled with the median of the training rows, and columns are scaled.
    y : ndarray, shape (n_rows,)
        Numbers are scaled too.

    Returns
    -------
    dict
        ``networks``, rows of the comparison, and ``quantization``, scores of rounded networks.
    """
    try:
        rows, grid = _compared(study, unit, X, y)
    except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        return failed_network(unit, f"{type(error).__name__}: {error}")
    about: dict[str, Any] = {"data": unit.data, "task": unit.task, "repeat": unit.repeat, "seed": unit.seed}
    score: dict[str, Any] = {"scoring": "accuracy" if unit.task == "classification" else "r2", "error": ""}
    found: Any = rows.assign(**about, **score).to_dict("records")
    entries: Any = grid.assign(data=unit.data, repeat=unit.repeat).to_dict("records")
    return {"networks": found, "quantization": entries}


def failed_network(unit: Unit, error: str) -> dict[str, list[dict[str, Any]]]:
    """Return the row of a network of which nothing came."""
    return {"networks": [{"data": unit.data, "task": unit.task, "repeat": unit.repeat, "error": error}]}


def _compared(study: Study, unit: Unit, X: NDArray[Any], y: NDArray[Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from treeprune.neural import compare_neurons, neuron_path, quantization_grid
    from treeprune.neural.baselines import scratch_networks

    classifies = unit.task == "classification"
    mlp = (MLPClassifier if classifies else MLPRegressor)(hidden_layer_sizes=(HIDDEN,))
    everything, test = split_rows(study, unit, mlp, X, y)
    training = growing_rows(unit, everything)
    labels = noisy_labels(unit, y[training], np.unique(y)) if unit.label_noise else y[training]
    rows = _scaled(X[training], labels, X[test], y[test], classifies)
    seed = unit.seed % 2**31
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        table = compare_neurons(mlp, *rows, n_keep=SIZES, seeds=[seed], epochs=EPOCHS)
        dense = next(scratch_networks(mlp, *rows[:2], SIZES, seed, EPOCHS, 1.0))[1]
    path = neuron_path(dense, *rows[:2])
    sizes = {str(n): path.network_at(dense, int(path.levels_at(n))) for n in (HIDDEN, *SIZES)}
    return table, quantization_grid(sizes, *rows[2:], bits=BITS)


def _scaled(X: Any, y: Any, X_test: Any, y_test: Any, classifies: bool) -> tuple[Any, Any, Any, Any]:
    """Fill and scale by what the training rows say."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    steps = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()).fit(X)
    if classifies:  # as codes: some releases of scikit-learn stumble over words when they stop early
        classes = np.unique(np.concatenate([y, y_test]))
        y, y_test = np.searchsorted(classes, y), np.searchsorted(classes, y_test)
    else:
        centre, spread = y.mean(), y.std() or 1.0
        y, y_test = (y - centre) / spread, (y_test - centre) / spread
    return steps.transform(X).astype(np.float64), y, steps.transform(X_test).astype(np.float64), y_test
