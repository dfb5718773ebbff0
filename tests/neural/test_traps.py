"""What scikit-learn keeps of a network beside its weights, and what that does to a smaller one that trains on."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor

import treeprune as tp
from treeprune.neural import finalize, prune_neurons

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X = X / 16
TRAIN, TEST = slice(0, 600), slice(600, 1200)
SOLVERS = [("adam", False), ("adam", True), ("sgd", False), ("sgd", True), ("lbfgs", False)]


def dense(solver: str = "adam", early_stopping: bool = False, sizes: Any = (64, 32), **parameters: Any) -> Any:
    options = {"max_iter": 25, "random_state": 0, "warm_start": True, "learning_rate_init": 0.01, **parameters}
    return MLPClassifier(sizes, solver=solver, early_stopping=early_stopping, **options).fit(X[TRAIN], Y[TRAIN])


def tables(value: Any, name: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of all arrays that hang on an estimator."""
    if isinstance(value, np.ndarray):
        yield name, value.shape
    elif isinstance(value, list | tuple):
        for k, part in enumerate(value):
            yield from tables(part, f"{name}[{k}]")
    elif type(value).__module__.startswith("sklearn.neural_network"):
        for key, part in vars(value).items():
            yield from tables(part, f"{name}.{key}")


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(("solver", "early_stopping"), SOLVERS)
def test_every_array_has_the_shape_it_has_in_a_network_of_this_size(
    kind: Any, solver: str, early_stopping: bool
) -> None:
    mlp = kind(hidden_layer_sizes=(9, 7), solver=solver, early_stopping=early_stopping, max_iter=3, random_state=0)
    small = prune_neurons(mlp.fit(X[TRAIN], Y[TRAIN]), X[TRAIN], n_keep=[5, 3])
    fresh = clone(mlp).set_params(hidden_layer_sizes=(5, 3)).fit(X[TRAIN], Y[TRAIN])
    expected = dict(tables(fresh, "mlp"))
    # the solver's own record of the scores it saw, as long as it trained
    for name, shape in tables(small, "mlp"):
        assert shape == expected[name]
    if solver != "lbfgs":
        kept = {name for name, _ in tables(small._optimizer, "mlp._optimizer")}
        assert kept == {name for name in expected if name.startswith("mlp._optimizer")}, "moments were dropped"


def test_moments_are_those_of_the_weights_that_are_left() -> None:
    mlp = dense(sizes=(20,))
    small = prune_neurons(mlp, X[TRAIN], n_keep=8)
    kept = [int(np.flatnonzero((column == mlp.coefs_[0].T).all(axis=1))[0]) for column in small.coefs_[0].T]
    for name in ("ms", "vs"):
        before, after = getattr(mlp._optimizer, name), getattr(small._optimizer, name)
        np.testing.assert_array_equal(after[0], before[0][:, kept])
        np.testing.assert_array_equal(after[1], before[1][kept])
        np.testing.assert_array_equal(after[2], before[2][kept])
        np.testing.assert_array_equal(after[3], before[3])
    small._optimizer.ms[0][:] = 7
    assert not (mlp._optimizer.ms[0] == 7).any(), "they are copies"


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_goes_on_from_the_smaller_network(solver: str) -> None:
    small = prune_neurons(dense(solver), X[TRAIN], n_keep=[16, 8], compensate="none", criterion="magnitude")
    before = small.score(X[TEST], Y[TEST])
    for _ in range(30):
        small.partial_fit(X[TRAIN], Y[TRAIN])
    assert [w.shape for w in small.coefs_] == [(64, 16), (16, 8), (8, 10)]
    assert small.score(X[TEST], Y[TEST]) > before


@pytest.mark.parametrize(("solver", "early_stopping"), SOLVERS)
def test_a_warm_started_fit_trains_the_smaller_network_and_does_not_stop_for_the_larger_ones_record(
    solver: str, early_stopping: bool
) -> None:
    mlp = dense(solver, early_stopping)
    small = prune_neurons(mlp, X[TRAIN], n_keep=[12, 8], compensate="none", criterion="magnitude")
    before = small.score(X[TRAIN], Y[TRAIN])
    small.fit(X[TRAIN], Y[TRAIN])
    assert [w.shape for w in small.coefs_] == [(64, 12), (12, 8), (8, 10)]
    assert small.score(X[TRAIN], Y[TRAIN]) > before
    if solver != "lbfgs" and not early_stopping:
        assert small.n_iter_ == 25, "it stopped, as nothing beats the loss of the larger network"


@pytest.mark.parametrize(("solver", "early_stopping"), SOLVERS)
def test_a_cold_fit_and_a_clone_are_of_the_smaller_size(solver: str, early_stopping: bool) -> None:
    small = prune_neurons(dense(solver, early_stopping), X[TRAIN], n_keep=[12, 8])
    cold = deepcopy(small).set_params(warm_start=False).fit(X[TRAIN], Y[TRAIN])
    again = clone(small).set_params(warm_start=False).fit(X[TRAIN], Y[TRAIN])
    fresh = clone(dense(solver, early_stopping)).set_params(hidden_layer_sizes=(12, 8)).fit(X[TRAIN], Y[TRAIN])
    for other in (cold, again):
        for w, expected in zip(other.coefs_, fresh.coefs_, strict=True):
            np.testing.assert_array_equal(w, expected)


def test_early_stopping_does_not_bring_the_larger_network_back() -> None:
    small = prune_neurons(dense(early_stopping=True), X[TRAIN], n_keep=[12, 8])
    assert [w.shape for w in small._best_coefs] == [(64, 12), (12, 8), (8, 10)]
    assert small.best_validation_score_ == -np.inf
    assert all(best is not now for best, now in zip(small._best_coefs, small.coefs_, strict=True)), "mutated in place"


def test_further_training_sees_the_rows_in_another_order_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = []
    trained = MLPClassifier.partial_fit

    def noted(self: Any, rows: Any, y: Any, *more: Any, **others: Any) -> Any:
        orders.append(np.asarray(y).tolist())
        return trained(self, rows, y, *more, **others)

    monkeypatch.setattr(MLPClassifier, "partial_fit", noted)
    estimator = MLPClassifier((16,), max_iter=3, random_state=0)
    tp.NeuronPruner(estimator, n_keep=8, fine_tune_epochs=3, random_state=0).fit(X[TRAIN], Y[TRAIN])
    epochs = [[*orders[k], *orders[k + 1], *orders[k + 2]] for k in (0, 3, 6)]  # in batches of 200
    assert len(orders) == 9
    assert epochs[0] != epochs[1] != epochs[2]
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(Y[TRAIN].tolist())


def test_finalised_networks_have_no_state_of_training() -> None:
    small = finalize(prune_neurons(dense(early_stopping=True), X[TRAIN], n_keep=[12, 8]))
    assert not [name for name in ("_optimizer", "_best_coefs", "_best_intercepts") if hasattr(small, name)]
