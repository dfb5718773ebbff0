"""Which rows are held out from growing."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from treeprune.checks import check_number

Rows = NDArray[np.intp]


def holdout_split(fraction: Any, estimator: Any, X: Any, y: Any, groups: Any, random_state: Any) -> tuple[Rows, Rows]:
    """Split the rows into those to grow on and those to hold out.

    Parameters
    ----------
    fraction : float in (0, 1), or splitter
        Share to hold out; or an object with ``split(X, y, groups)``, whose first split is taken.
    estimator : estimator
        Classifiers get a stratified share wherever every class has two rows and either part can
        hold them all. A row that is the only one of its class is grown on.
    X, y, groups : array-like
    random_state : int, RandomState instance or None

    Returns
    -------
    growing, held_out : ndarray of int
        Ascending row numbers.
    """
    if y is None:
        raise ValueError("a pruner requires y to be passed, but the target y is None")
    if hasattr(fraction, "split") and not isinstance(fraction, str | type):
        growing, held_out = next(iter(fraction.split(X, y, groups)))
        return np.sort(growing), np.sort(held_out)
    if groups is not None:
        raise ValueError("groups are used by a splitter only: give validation_fraction=GroupShuffleSplit(1), say")
    if not isinstance(fraction, Real):
        raise ValueError(f"validation_fraction={fraction!r}: a number in (0, 1) or a splitter is expected")
    check_number("validation_fraction", fraction, low=0, high=1, open_ends=True)
    target = np.asarray(y)
    labels = target.reshape(-1) if is_classifier(estimator) and target.shape[1:] in ((), (1,)) else None
    return _split(float(fraction), len(target), labels, random_state)


def _split(fraction: float, n_rows: int, labels: NDArray[Any] | None, random_state: Any) -> tuple[Rows, Rows]:
    from sklearn.model_selection import train_test_split  # heavy, and not needed to prune

    parts = train_test_split(
        np.arange(n_rows), test_size=fraction, random_state=random_state, stratify=_strata(labels, fraction)
    )
    growing, held_out = (np.sort(part) for part in parts)
    if labels is not None:
        unknown = ~np.isin(labels[held_out], labels[growing])
        growing, held_out = np.sort(np.append(growing, held_out[unknown])), held_out[~unknown]
    return growing, held_out


def _strata(labels: NDArray[Any] | None, fraction: float) -> NDArray[Any] | None:
    if labels is None or not len(labels):
        return None
    n_rows = np.unique(labels, return_counts=True)[1]
    smaller_part = np.floor(min(fraction, 1 - fraction) * len(labels))
    return labels if n_rows.min() >= 2 and smaller_part >= len(n_rows) else None
