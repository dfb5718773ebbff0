"""What a pruned network must beat: small ones trained from scratch, and the large one held back.

A small network trained as long as the large one has done less arithmetic than pruning, which trained
the large one first; so it is trained a second time with as many multiply-adds (Liu et al. 2019,
*Rethinking the value of network pruning*).  Early stopping and weight decay fight overfitting without
making anything smaller.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from treeprune.checks import check_count, check_number

if TYPE_CHECKING:
    from pandas import DataFrame


def scratch_baselines(
    estimator: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    n_keep: Sequence[int],
    seeds: Iterable[int] = range(5),
    epochs: int = 100,
    weight_decay: float = 1.0,
    fine_tune_epochs: int = 0,
) -> DataFrame:
    """Train the networks that one with a single pruned hidden layer is to be compared with.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        With one hidden layer and the solver sgd or adam. Is cloned, not fitted.
    X_train, y_train, X_test, y_test : array-like
    n_keep : sequence of int
        Sizes of the small networks.
    seeds : iterable of int, default=range(5)
        Each is the ``random_state`` of one network of every kind.
    epochs : int, default=100
        Of the dense network, all of them done.
    weight_decay : float, default=1.0
        The ``alpha`` of the dense network with weight decay.
    fine_tune_epochs : int, default=0
        What the pruned networks are given besides, which the small ones from scratch then get too.

    Returns
    -------
    DataFrame
        One row per seed and network: method, n_neurons, seed, epochs (done), macs_trained (multiply-
        adds per row of one forward pass, times epochs), train_score, test_score. The methods are
        ``dense``, ``early_stopping``, ``weight_decay``, ``scratch_equal_epochs`` and
        ``scratch_equal_macs``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import scratch_baselines
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(hidden_layer_sizes=20)
    >>> table = scratch_baselines(mlp, X[::2], y[::2], X[1::2], y[1::2], n_keep=[5], seeds=[0], epochs=3)
    >>> table["epochs"].tolist()[-2:]
    [3, 12]
    """
    from pandas import DataFrame

    check_baselines(estimator, n_keep, epochs, weight_decay)
    check_count("fine_tune_epochs", fine_tune_epochs, low=0)
    budget = epochs, weight_decay, fine_tune_epochs
    rows = []
    for seed in check_seeds(seeds):
        for method, mlp in scratch_networks(estimator, X_train, y_train, n_keep, seed, *budget):
            macs = mlp.n_iter_ * sum(w.size for w in mlp.coefs_)
            size = mlp.coefs_[0].shape[1]
            scores = mlp.score(X_train, y_train), mlp.score(X_test, y_test)
            rows.append((method, size, seed, mlp.n_iter_, macs, *scores))
    columns = ["method", "n_neurons", "seed", "epochs", "macs_trained", "train_score", "test_score"]
    return DataFrame(rows, columns=columns)


def scratch_networks(
    estimator: Any,
    X: Any,
    y: Any,
    n_keep: Sequence[int],
    seed: int,
    epochs: int,
    weight_decay: float,
    fine_tune_epochs: int = 0,
) -> Iterator[tuple[str, MLPClassifier | MLPRegressor]]:
    """Yield names and trained networks of one seed, the dense one first; see `scratch_baselines`."""
    for method, mlp in _candidates(estimator, n_keep, epochs, weight_decay, fine_tune_epochs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a budget
            yield method, mlp.set_params(random_state=seed).fit(X, y)


def _candidates(
    estimator: Any, n_keep: Sequence[int], epochs: int, weight_decay: float, fine_tune_epochs: int
) -> Iterator[tuple[str, MLPClassifier | MLPRegressor]]:
    """Yield names and unfitted networks; all but one do every epoch they are given."""
    whole = {"max_iter": epochs, "n_iter_no_change": epochs + 1, "early_stopping": False}
    dense = clone(estimator).set_params(**whole)
    yield "dense", dense
    yield "early_stopping", clone(estimator).set_params(max_iter=epochs, early_stopping=True)
    yield "weight_decay", clone(dense).set_params(alpha=weight_decay)
    for n in n_keep:
        small, equal = clone(dense).set_params(hidden_layer_sizes=n), epochs + fine_tune_epochs
        yield "scratch_equal_epochs", clone(small).set_params(max_iter=equal, n_iter_no_change=equal + 1)
        # the multiply-adds are in proportion to the neurons
        longer = round(epochs * _n_hidden(estimator) / n) + fine_tune_epochs
        yield "scratch_equal_macs", clone(small).set_params(max_iter=longer, n_iter_no_change=longer + 1)


def _n_hidden(estimator: Any) -> int:
    sizes = estimator.hidden_layer_sizes
    sizes = tuple(sizes) if hasattr(sizes, "__len__") else (sizes,)
    if len(sizes) != 1:
        raise ValueError(f"hidden_layer_sizes={sizes}: one hidden layer is expected")
    return int(sizes[0])


def check_baselines(estimator: Any, n_keep: Sequence[int], epochs: int, weight_decay: float) -> None:
    """Raise unless there is one hidden layer to compare with smaller ones, and epochs to count."""
    if not isinstance(estimator, MLPClassifier | MLPRegressor):
        raise TypeError(f"an MLPClassifier or MLPRegressor is expected, not {type(estimator).__name__}")
    if estimator.solver == "lbfgs":
        raise ValueError("solver='lbfgs' knows no epochs: sgd or adam is expected")
    check_count("epochs", epochs, low=1)
    check_number("weight_decay", weight_decay, low=0)
    if isinstance(n_keep, str) or not isinstance(n_keep, Iterable):
        raise ValueError(f"n_keep={n_keep!r}: a list of sizes is expected, [{n_keep!r}]")
    for n in n_keep:
        check_count("n_keep", n, low=1)
        if n > _n_hidden(estimator):
            raise ValueError(f"n_keep={n}: the network has {_n_hidden(estimator)} hidden neurons only")


def check_seeds(seeds: Iterable[int]) -> list[int]:
    """Return the seeds as a list, or raise ValueError."""
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        raise ValueError(f"seeds={seeds!r}: a list of whole numbers is expected, [{seeds!r}]")
    listed = list(seeds)
    if not listed:
        raise ValueError("seeds is empty: one at least is needed")
    for seed in listed:
        check_count("seeds", seed, low=0)
    return listed
