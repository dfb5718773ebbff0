"""Training that goes on under masks: what is off stays off.

Zeroing after an epoch is not the same training as zeroing after every mini-batch, and a zero that is left
alone comes back at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from treeprune.checks import check_count, random_numbers
from treeprune.neural.deployment import NETWORKS, find_network, with_weights
from treeprune.neural.masks import checked_masks
from treeprune.neural.removal import check_names, shares
from treeprune.neural.weight_scores import lowest_off
from treeprune.rows import take_rows
from treeprune.wrapped import rewrap, through

Masks = list[NDArray[np.bool_]]
Schedule = Callable[[int], float]
BATCH = 200  # what batch_size="auto" means to scikit-learn, or all rows if they are fewer


def fine_tune(
    mlp: Any,
    X: Any,
    y: Any,
    epochs: int,
    *,
    masks: Sequence[ArrayLike] | None = None,
    schedule: Schedule | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: Any = 0,
) -> Any:
    """Return a network trained further, in mini-batches, with weights held at zero.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline, search or FrozenEstimator with one inside. Not changed. The solver is sgd or
        adam, whose moments go on from where they are; for lbfgs see `fit_masked`.
    X, y : array-like
    epochs : int
        Passes over the rows; early stopping does not interfere.
    masks : sequence of array-like of bool, optional
        From `weight_masks`: False is off. By default no weight is.
    schedule : callable, optional
        Prunes as it trains: the share of all weights to be off after so many mini-batches
        (`PolynomialDecay`, `ConstantSparsity`); the smallest go, and none comes back.
    sample_weight : array-like, shape (n_rows,), optional
        With scikit-learn 1.7 or newer.
    random_state : int, RandomState, Generator or None, default=0
        Shuffles the rows before every epoch.

    Returns
    -------
    MLPClassifier or MLPRegressor, or a Pipeline that ends in one

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import PolynomialDecay, fine_tune
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, batch_size=50, tol=1e9, n_iter_no_change=1, random_state=0).fit(X, y)
    >>> small = fine_tune(mlp, X, y, epochs=20, schedule=PolynomialDecay(final=0.5, end=60))
    >>> sum(int((w != 0).sum()) for w in small.coefs_)  # of 56
    28
    """
    check_count("epochs", epochs, low=1)
    network, steps = find_network(mlp)
    if network.solver == "lbfgs":
        raise ValueError("solver='lbfgs' knows no mini-batches: use sgd or adam, or fit_masked, which fits as a whole")
    rows, target = through(steps, X), np.asarray(y)
    check_consistent_length(rows, target, sample_weight)
    check_names(network, rows)
    weight = _checked_weight(sample_weight, len(target))
    on, tuned = checked_masks(network, masks), deepcopy(network)
    _hold(tuned, on)
    with _ByBatches(tuned) as one_batch:
        for step, batch in enumerate(_batches(tuned, len(target), epochs, random_state), start=1):
            one_batch(len(batch), len(target))
            weights = {} if weight is None else {"sample_weight": weight[batch]}
            tuned.partial_fit(*take_rows(batch, rows, target), **weights)
            if schedule is not None:
                on = _more_off(tuned, on, schedule(step))
            _hold(tuned, on)
    return rewrap(mlp, NETWORKS, tuned)


def fit_masked(mlp: Any, X: Any, y: Any, masks: Sequence[ArrayLike], sample_weight: ArrayLike | None = None) -> Any:
    """Return a network fitted from where it is, as ``fit`` does it, with weights held at zero.

    For every solver, early stopping included: their gradients are zero, so nothing moves them.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline, search or FrozenEstimator with one inside. Its weights are the start; `rewind`
        and `initial_network` give the first ones. Not changed.
    X, y : array-like
    masks : sequence of array-like of bool
        From `weight_masks`: False is off.
    sample_weight : array-like, shape (n_rows,), optional
        With scikit-learn 1.7 or newer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import fit_masked, weight_masks
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> again = fit_masked(mlp, X, y, weight_masks(mlp, amount=0.5))
    >>> sum(int((w != 0).sum()) for w in again.coefs_), type(again).__name__
    (28, 'MLPClassifier')
    """
    network, steps = find_network(mlp)
    weight = _checked_weight(sample_weight, len(np.asarray(y)))
    on, kind = checked_masks(network, masks), type(network)
    # with_weights forgets the best loss so far, the dense network's: training would stop for not beating it
    off = [w * mask for w, mask in zip(network.coefs_, on, strict=True)]
    fitted = with_weights(network, off, network.intercepts_).set_params(warm_start=True)

    class Masked(kind):  # type: ignore[misc, valid-type]
        def _backprop(self, *given: Any, **named: Any) -> Any:
            loss, coef_grads, intercept_grads = super()._backprop(*given, **named)
            for gradient, mask in zip(coef_grads, on, strict=True):
                gradient *= mask
            return loss, coef_grads, intercept_grads

    fitted.__class__ = Masked
    try:
        fitted.fit(through(steps, X), y, **({} if weight is None else {"sample_weight": weight}))
    finally:
        fitted.__class__ = kind
    return rewrap(mlp, NETWORKS, fitted.set_params(warm_start=network.warm_start))


def _checked_weight(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64] | None:
    """Return the weights as they are: scikit-learn's networks would train on negative ones."""
    if sample_weight is None:
        return None
    shares(sample_weight, n_rows)
    return np.asarray(sample_weight, dtype=np.float64)


class _ByBatches:
    """While a network is trained by ``partial_fit`` on single batches: nothing counts them as epochs."""

    def __init__(self, mlp: Any) -> None:
        self.mlp = mlp
        changed = ("early_stopping", "n_iter_no_change", "shuffle", "batch_size")
        self.own = {name: getattr(mlp, name) for name in changed}
        self.losses, self.epochs = len(mlp.loss_curve_), mlp.n_iter_
        self.n_seen = 0  # rows of this epoch

    def __enter__(self) -> Callable[[int, int], None]:
        # learning_rate="adaptive" would take batches without progress for epochs
        self.mlp.set_params(early_stopping=False, n_iter_no_change=np.inf, shuffle=False)
        self.mlp.best_loss_ = np.inf
        return self.next_batch

    def next_batch(self, size: int, n_rows: int) -> None:
        """Make the next ``partial_fit`` one step; learning_rate="invscaling" falls by rows of whole epochs."""
        self.mlp.batch_size = size  # the last batch may be smaller
        self.n_seen += size
        self.mlp.t_ -= size
        if self.n_seen == n_rows:
            self.mlp.t_, self.n_seen, self.epochs = self.mlp.t_ + n_rows, 0, self.epochs + 1

    def __exit__(self, *error: Any) -> None:
        self.mlp.set_params(**self.own)
        del self.mlp.loss_curve_[self.losses :]  # of batches, where a user expects epochs
        self.mlp.n_iter_ = self.epochs
        _forget_the_best(self.mlp)


def _forget_the_best(mlp: Any) -> None:
    """A warm-started `fit` would stop for not beating the best batch, or bring the dense weights back."""
    mlp._no_improvement_count = 0
    if not mlp.early_stopping:
        mlp.best_loss_ = np.inf
        return
    mlp.best_loss_, mlp.best_validation_score_ = None, -np.inf
    mlp._best_coefs = [w.copy() for w in mlp.coefs_]
    mlp._best_intercepts = [b.copy() for b in mlp.intercepts_]


def _batches(mlp: Any, n_rows: int, epochs: int, random_state: Any) -> Iterator[NDArray[np.intp]]:
    """Shuffle the rows for every epoch: with a fixed seed of its own ``partial_fit`` would repeat one order."""
    rng = random_numbers(random_state)
    size = min(BATCH, n_rows) if mlp.batch_size == "auto" else int(np.clip(mlp.batch_size, 1, n_rows))
    for _ in range(epochs):
        order = rng.permutation(n_rows)
        for start in range(0, n_rows, size):
            yield order[start : start + size]


def _more_off(mlp: Any, masks: Masks, sparsity: float) -> Masks:
    """Switch off the smallest weights until this share of all is off."""
    if not 0 <= sparsity <= 1:
        raise ValueError(f"a schedule must return a share from 0 to 1, got {sparsity}")
    n_weights, n_on = sum(mask.size for mask in masks), sum(int(mask.sum()) for mask in masks)
    more = round(sparsity * n_weights) - (n_weights - n_on)
    return lowest_off(masks, [np.abs(w) for w in mlp.coefs_], more) if more > 0 else masks


def _hold(mlp: Any, masks: Masks) -> None:
    for w, mask in zip(mlp.coefs_, masks, strict=True):
        w *= mask
