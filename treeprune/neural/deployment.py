"""A fitted network without what only its training needs, or with other weights in its place.

The moments of Adam alone are twice the size of the weights, and early stopping keeps a second copy
of them: a fitted network pickles at up to four times its parameters.
"""

from __future__ import annotations

from copy import copy, deepcopy
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

from treeprune.wrapped import not_found, rewrap, unwrap

Array = NDArray[np.floating[Any]]
Arrays = list[Array]

NETWORKS = (MLPClassifier, MLPRegressor)
MOMENTS = ("ms", "vs", "velocities")  # of adam and of sgd
TRAINING_STATE = ("_optimizer", "_best_coefs", "_best_intercepts", "_random_state", "_coef_indptr")


def finalize(mlp: Any) -> Any:
    """Return a copy of a fitted network without the state of its training.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline, search or FrozenEstimator with one inside. Is not changed.

    Returns
    -------
    MLPClassifier or MLPRegressor, or a Pipeline that ends in one
        Predicts the same. Further training starts with fresh moments of the optimizer.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.neural_network import MLPRegressor
    >>> from treeprune.neural import finalize
    >>> X, y = load_diabetes(return_X_y=True)
    >>> mlp = MLPRegressor(hidden_layer_sizes=200, max_iter=20, tol=1e9, n_iter_no_change=1).fit(X, y)
    >>> len(pickle.dumps(finalize(mlp))) < 0.5 * len(pickle.dumps(mlp))
    True
    """
    network = find_network(mlp)[0]
    return rewrap(mlp, NETWORKS, _finalized(network))


def _finalized(mlp: Any) -> Any:
    final = copy(mlp)
    for name in TRAINING_STATE:
        vars(final).pop(name, None)
    if final.early_stopping and hasattr(final, "best_validation_score_"):
        final.best_validation_score_ = -np.inf  # further training takes its first weights for the best so far
    return deepcopy(final)


def with_weights(mlp: Any, coefs: Arrays, intercepts: Arrays) -> Any:
    """Return a finalised copy of a fitted network with other weights, perhaps of another size.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
    coefs : list of ndarray, shapes (n_in, n_out)
    intercepts : list of ndarray, shapes (n_out,)

    Returns
    -------
    MLPClassifier or MLPRegressor
        Its best loss so far is forgotten, as it is another network's: a warm-started `fit` would
        stop for not beating it, or bring the other network back.
    """
    other = _finalized(mlp)
    other.coefs_, other.intercepts_ = [w.copy() for w in coefs], [b.copy() for b in intercepts]
    other.set_params(hidden_layer_sizes=tuple(w.shape[1] for w in coefs[:-1]))
    other.n_layers_ = len(coefs) + 1
    if [w.shape for w in coefs] != [w.shape for w in mlp.coefs_]:
        other._left_of_training = None
    if other.solver == "lbfgs":
        return other
    other._no_improvement_count = 0
    if other.early_stopping:
        other.best_validation_score_ = -np.inf
    else:
        other.best_loss_ = np.inf
    return other


def without_neurons(mlp: Any, layer: int, kept: NDArray[np.bool_], outgoing: Array, bias: Array) -> Any:
    """Return a fitted network without some neurons of a hidden layer, ready to train on.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Is not changed.
    layer : int
        Hidden layer, from 0.
    kept : ndarray of bool, shape (n_neurons,)
    outgoing : ndarray, shape (n_neurons, n_next)
        New weights out of the layer; those of neurons that go are not read.
    bias : ndarray, shape (n_next,)
        New bias of the next layer.

    Returns
    -------
    MLPClassifier or MLPRegressor
        With the optimizer's moments of the weights that are left: without them training recovers
        more slowly.
    """
    coefs, intercepts = list(mlp.coefs_), list(mlp.intercepts_)
    dtype = coefs[layer].dtype
    coefs[layer], intercepts[layer] = coefs[layer][:, kept], intercepts[layer][kept]
    coefs[layer + 1], intercepts[layer + 1] = outgoing[kept].astype(dtype), bias.astype(dtype)
    smaller = with_weights(mlp, coefs, intercepts)
    trained = left_of_training(mlp)
    if trained is not None:
        left = [tuple(np.array(k)[kept].tolist()) if i == layer else k for i, k in enumerate(trained[1])]
        smaller._left_of_training = trained[0], left
    if hasattr(mlp, "_optimizer"):
        smaller._optimizer = _narrower(mlp._optimizer, layer, kept, len(coefs))
    if getattr(mlp, "_best_coefs", None) is not None:  # early stopping would bring the larger ones back
        smaller._best_coefs = [w.copy() for w in smaller.coefs_]
        smaller._best_intercepts = [b.copy() for b in smaller.intercepts_]
    return smaller


def left_of_training(mlp: Any) -> tuple[tuple[int, ...], list[tuple[int, ...]]] | None:
    """Sizes of the hidden layers that were trained, and which neurons of each are left; None if that is not known."""
    sizes = tuple(w.shape[1] for w in mlp.coefs_[:-1])
    return getattr(mlp, "_left_of_training", (sizes, [tuple(range(n)) for n in sizes]))


def _narrower(optimizer: Any, layer: int, kept: NDArray[np.bool_], n_coefs: int) -> Any:
    """Slice the moments as the parameters are; they stand in one list, weights first, then biases."""
    narrower = deepcopy(optimizer)
    for name in MOMENTS:
        if (moments := getattr(narrower, name, None)) is not None:
            moments[layer] = moments[layer][:, kept]
            moments[layer + 1] = moments[layer + 1][kept]
            moments[n_coefs + layer] = moments[n_coefs + layer][kept]
    return narrower


def check_takes_weights(sample_weight: Any) -> None:
    """Raise ValueError where there are weights and this release of scikit-learn trains no network by them."""
    if sample_weight is not None and "sample_weight" not in signature(MLPClassifier.fit).parameters:
        raise ValueError("sample_weight: networks are trained with weights by scikit-learn 1.7 and newer")


def find_network(model: Any) -> tuple[Any, tuple[Any, ...]]:
    """Find the fitted network inside a Pipeline, a search or a FrozenEstimator, and the steps before it."""
    mlp, steps = unwrap(model, NETWORKS)
    if mlp is None:
        raise not_found(model, "a fitted MLPClassifier or MLPRegressor of scikit-learn")
    check_is_fitted(mlp)
    return mlp, steps
