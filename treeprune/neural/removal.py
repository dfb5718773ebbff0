"""The order in which neurons of a layer go, and the network without them: the work behind the public functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from treeprune.checks import check_choice
from treeprune.neural.criteria import CRITERIA, OF_THE_LOSS, REPAIRS, Evidence
from treeprune.neural.deployment import find_network, without_neurons
from treeprune.neural.observation import curvature, observe, rise_without
from treeprune.repair import one_by_one
from treeprune.wrapped import through

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Training rows as the network sees them.

    Attributes
    ----------
    X : ndarray, shape (n_rows, n_features)
    target : ndarray, shape (n_rows, n_outputs), or None
        As the output layer is trained on it.
    share : ndarray, shape (n_rows,)
        Weight of each row, 1 in all.
    """

    X: Floats
    target: Floats | None
    share: Floats


@dataclass(frozen=True, eq=False)
class Removal:
    """Neurons of a layer in the order they go.

    Attributes
    ----------
    seen : Evidence
        Of the whole layer.
    order : ndarray of int, shape (n_gone,)
    rise : ndarray of float, shape (n_gone,)
        Penalised error that each removal adds after the repair; NaN unless the surgeon chose.
    """

    seen: Evidence
    order: NDArray[np.intp]
    rise: Floats


def choose(
    mlp: Any, rows: Rows, layer: int, n_keep: int, criterion: str, compensate: str, search: str, rng: Any
) -> Removal:
    """Choose which neurons go, one after another."""
    seen = evidence(mlp, rows, criterion, layer, rng)
    n_gone = len(seen.bias) - n_keep
    unknown = np.full(n_gone, np.nan)
    if search == "one_shot":
        return Removal(seen, np.argsort(CRITERIA[criterion](seen), kind="stable")[:n_gone], unknown)
    if criterion == "obs" and compensate == "least_squares":
        steps = [step[:2] for step in islice(one_by_one(seen.gram, seen.outgoing), n_gone)]
        return Removal(seen, np.array([j for j, _ in steps], dtype=np.intp), np.array([rise for _, rise in steps]))
    return Removal(seen, _scored_again_and_again(mlp, rows, layer, n_gone, seen, criterion, compensate, rng), unknown)


def _scored_again_and_again(
    mlp: Any, rows: Rows, layer: int, n_gone: int, seen: Evidence, criterion: str, compensate: str, rng: Any
) -> NDArray[np.intp]:
    """Score what is left, after its repair, before each neuron goes."""
    left, order, now = np.arange(len(seen.bias)), [], seen
    for _ in range(n_gone):
        worst = int(np.argmin(CRITERIA[criterion](now)))
        order.append(int(left[worst]))
        left = np.delete(left, worst)
        smaller = cut_out(mlp, seen, np.isin(np.arange(len(seen.bias)), left), compensate, layer)
        now = evidence(smaller, rows, criterion, layer, rng)
    return np.array(order, dtype=np.intp)


def cut_out(mlp: Any, seen: Evidence, kept: NDArray[np.bool_], compensate: str, layer: int) -> Any:
    """Return the network without some neurons, the next layer repaired."""
    outgoing, bias = REPAIRS[compensate](seen, kept, mlp.intercepts_[layer + 1])
    return without_neurons(mlp, layer, kept, outgoing, bias)


def evidence(mlp: Any, rows: Rows, criterion: str, layer: int, rng: Any) -> Evidence:
    """Gather what a criterion looks at."""
    seen = observe(mlp, rows.X, rows.target, layer, rng, rows.share)
    if criterion == "ablation":
        assert rows.target is not None  # a criterion of the loss
        return replace(seen, rise=rise_without(mlp, rows.X, rows.target, layer, rows.share))
    if criterion == "obd":
        return replace(seen, curvature=curvature(mlp, rows.X, layer, rows.share))
    return seen


def checked(model: Any, X: Any, y: Any, sample_weight: ArrayLike | None, criterion: str) -> tuple[Any, Rows]:
    """Find the network, and the rows as it sees them."""
    check_choice("criterion", criterion, tuple(CRITERIA))
    mlp, rows = checked_rows(model, X, y, sample_weight, criterion in OF_THE_LOSS, True)
    if criterion == "apoz" and mlp.activation != "relu":
        raise ValueError(
            f"criterion='apoz' counts zeros, which are meaningless for activation={mlp.activation!r}: neurons rest at "
            "zero with 'relu' only, choose another criterion"
        )
    return mlp, rows


def checked_rows(
    model: Any, X: Any, y: Any, sample_weight: ArrayLike | None, of_the_loss: bool, of_rows: bool
) -> tuple[Any, Rows]:
    """Find the network, and the rows as it sees them: with targets, without, or none at all."""
    mlp, steps = find_network(model)
    if not of_rows:
        return mlp, Rows(np.empty((0, mlp.n_features_in_)), None, np.empty(0))
    if X is None:
        raise ValueError("X is missing: this looks at what the network does on its training rows")
    X = through(steps, X)
    check_names(mlp, X)
    X = check_array(X, dtype=np.float64, input_name="X")
    y = None if y is None else np.asarray(y)
    if y is not None and len(y) != len(X):
        raise ValueError(f"X has {len(X)} rows and y {len(y)}: they must agree")
    if X.shape[1] != mlp.n_features_in_:
        raise ValueError(f"X has {X.shape[1]} features: the network was fitted with {mlp.n_features_in_}")
    share = shares(sample_weight, len(X))
    if not of_the_loss:
        return mlp, Rows(X, None, share)
    if y is None:
        raise ValueError("y is missing: this criterion looks at the loss")
    return mlp, Rows(X, _as_trained(mlp, y), share)


def check_names(mlp: Any, X: Any) -> None:
    """Raise ValueError for a table whose columns are not those of the fit, or are in another order."""
    known = getattr(mlp, "feature_names_in_", None)
    if known is not None and hasattr(X, "columns"):
        mlp.predict(X[:1])  # scikit-learn's own check, with its own words


def one_layer(mlp: Any, layer: int | None) -> int:
    """Return the hidden layer meant, from 0; the only one if there is one."""
    n_hidden = len(mlp.coefs_) - 1
    if not n_hidden:
        raise ValueError("the network has no hidden layer: there are no neurons to prune")
    if layer is None and n_hidden == 1:
        return 0
    if layer is None:
        raise ValueError(f"layer must be given: the network has {n_hidden} hidden layers, numbered from 0")
    if isinstance(layer, bool) or not isinstance(layer, Integral) or not 0 <= layer < n_hidden:
        raise ValueError(f"layer={layer!r}: the network has {n_hidden} hidden layer(s), numbered from 0")
    return int(layer)


def shares(sample_weight: ArrayLike | None, n_rows: int) -> Floats:
    """Return each row's part of the whole weight, or raise ValueError for weights that are none."""
    if sample_weight is None:
        return np.full(n_rows, 1 / n_rows)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight has shape {weight.shape}: one weight for each of the {n_rows} rows is needed")
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError("sample_weight must be finite, not negative, and not all zero")
    return weight / weight.sum()


def _as_trained(mlp: Any, y: NDArray[Any]) -> Floats:
    y = y[:, 0] if y.shape[1:] == (1,) else y
    if not hasattr(mlp, "classes_"):
        target = y.reshape(len(y), -1).astype(np.float64)
        if not np.isfinite(target).all():
            raise ValueError("y holds values that are not finite: drop those rows")
    else:
        strange = np.setdiff1d(y, mlp.classes_) if y.ndim == 1 else np.array([])
        if len(strange):
            raise ValueError(f"y holds {strange[:5].tolist()}, classes that the network was not fitted with")
        target = mlp._label_binarizer.transform(y).astype(np.float64)
    if target.shape[1] != mlp.n_outputs_:
        raise ValueError(f"y has {target.shape[1]} column(s): the network was fitted with {mlp.n_outputs_} output(s)")
    return target
