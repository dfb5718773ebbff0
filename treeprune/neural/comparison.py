"""Pruned networks beside all that they must beat, with what each costs, in one table.

Repair beats ranking, and a small network trained from scratch is hard to beat: so neurons chosen at
random and by magnitude, repaired alike, magnitude without a repair, small networks trained from scratch with
equal epochs and with equal multiply-adds, early stopping and weight decay are always in the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from treeprune.checks import check_choice, check_count
from treeprune.neural.baselines import check_baselines, check_seeds, scratch_networks
from treeprune.neural.cost import cost_table
from treeprune.neural.criteria import CRITERIA, REPAIRS
from treeprune.neural.neurons import prune_neurons
from treeprune.neural.training import fine_tune

if TYPE_CHECKING:
    from pandas import DataFrame

ALWAYS = ("random", "magnitude")


def compare_neurons(
    estimator: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    n_keep: Sequence[int],
    criteria: Sequence[str] = ("obs",),
    compensate: Literal["least_squares", "mean", "none"] = "least_squares",
    seeds: Iterable[int] = range(5),
    epochs: int = 100,
    fine_tune_epochs: int = 0,
    weight_decay: float = 1.0,
    X_valid: Any = None,
    y_valid: Any = None,
    latency_rows: int | None = None,
) -> DataFrame:
    """Prune networks of several seeds to several sizes, and tabulate them with their baselines.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        With one hidden layer and the solver sgd or adam. Is cloned, not fitted.
    X_train, y_train, X_test, y_test : array-like
        Neurons are chosen on training rows; test rows are for scores alone.
    n_keep : sequence of int
        Sizes of the small networks.
    criteria : sequence of str, default=("obs",)
        Of `prune_neurons`. ``"random"`` and ``"magnitude"`` are there in any case.
    compensate : {"least_squares", "mean", "none"}
        The repair, the same for all criteria; ``magnitude_no_repair`` stands beside them.
    seeds : iterable of int, default=range(5)
        Each is the ``random_state`` of one network of every kind.
    epochs : int, default=100
        Of the dense network, all of them done.
    fine_tune_epochs : int, default=0
        Of every pruned network; the small ones from scratch get as many more.
    weight_decay : float, default=1.0
        The ``alpha`` of the dense network with weight decay.
    X_valid, y_valid : array-like, optional
        Rows for a validation score.
    latency_rows : int, optional
        As in `cost_table`.

    Returns
    -------
    DataFrame
        One row per seed, method and size: family, method, criterion, compensation, granularity,
        timing, seed, requested, achieved (neurons), fine_tune_epochs, epochs and macs_trained (of the
        network itself or the one it was cut from, fine-tuning included), selected_on, and the columns
        of `cost_table`, compared with the dense network of the same seed.

    References
    ----------
    Blalock et al. (2020); Liu et al. (2019). `honest_checklist` asks the table what it lacks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import compare_neurons
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(12)
    >>> table = compare_neurons(mlp, X[::2], y[::2], X[1::2], y[1::2], n_keep=[4], seeds=[0], epochs=5)
    >>> table["method"].tolist()[:4]
    ['dense', 'early_stopping', 'weight_decay', 'scratch_equal_epochs']
    >>> table.loc[table["method"] == "obs", ["requested", "achieved", "compression_ratio"]].values.tolist()
    [[4.0, 4.0, 2.8285714285714287]]
    """
    from pandas import DataFrame, concat

    check_baselines(estimator, n_keep, epochs, weight_decay)
    check_count("fine_tune_epochs", fine_tune_epochs, low=0)
    check_choice("compensate", compensate, tuple(REPAIRS))
    methods, budget, tables = _pruned(criteria, compensate), (epochs, weight_decay, fine_tune_epochs), []
    for seed in check_seeds(seeds):
        networks, notes = {}, []
        for method, mlp in scratch_networks(estimator, X_train, y_train, n_keep, seed, *budget):
            size = mlp.coefs_[0].shape[1]
            networks[f"{method} {size}"] = mlp
            notes.append(_note(method, seed, size, mlp.n_iter_, mlp.n_iter_ * _macs(mlp)))
        dense = next(iter(networks.values()))
        for method, criterion, repair in methods:
            for n in n_keep:
                means: dict[str, Any] = {"criterion": criterion, "compensate": repair, "random_state": seed}
                small = prune_neurons(dense, X_train, y_train, n_keep=n, **means)
                if fine_tune_epochs:
                    small = fine_tune(small, X_train, y_train, fine_tune_epochs, random_state=seed)
                networks[f"{method} {n}"] = small
                macs = epochs * _macs(dense) + fine_tune_epochs * _macs(small)
                note = _note(method, seed, n, epochs + fine_tune_epochs, macs)
                pruning = {"criterion": criterion, "compensation": repair, "granularity": "neuron", "timing": "after"}
                notes.append({**note, **pruning, "fine_tune_epochs": fine_tune_epochs})
        rows = X_train, y_train, X_test, y_test
        costs = cost_table(networks, *rows, latency_rows, X_valid=X_valid, y_valid=y_valid).drop(columns="model")
        tables.append(DataFrame(notes).assign(achieved=costs["n_neurons"]).join(costs))
    return concat(tables, ignore_index=True)


def _pruned(criteria: Sequence[str], compensate: str) -> list[tuple[str, str, str]]:
    """Methods of pruning: name, criterion, repair."""
    if isinstance(criteria, str) or not isinstance(criteria, Iterable):
        raise ValueError(f"criteria={criteria!r}: a list of names is expected, [{criteria!r}]")
    for name in criteria:
        check_choice("criteria", name, tuple(CRITERIA))
    chosen = [(name, name, compensate) for name in dict.fromkeys([*criteria, *ALWAYS])]
    return [*chosen, ("magnitude_no_repair", "magnitude", "none")] if compensate != "none" else chosen


def _note(method: str, seed: int, size: int, epochs: int, macs: int) -> dict[str, Any]:
    """What a row says beside costs and scores; of networks that nothing was removed from."""
    return {
        "family": "mlp",
        "method": method,
        "criterion": "",
        "compensation": "",
        "granularity": "",
        "timing": "",
        "seed": seed,
        "requested": size,
        "fine_tune_epochs": 0,
        "epochs": epochs,
        "macs_trained": macs,
        "selected_on": "train",
    }


def _macs(mlp: Any) -> int:
    return sum(w.size for w in mlp.coefs_)
