"""Neurons of scikit-learn's networks: scores by finite differences, removal by the zeroed network."""

from __future__ import annotations

from copy import deepcopy
from inspect import signature
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss, mean_poisson_deviance
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale

from treeprune.neural import neuron_importance, prune_neurons
from treeprune.neural.criteria import CRITERIA
from treeprune.neural.observation import _loss_from, activations
from treeprune.neural.removal import checked
from treeprune.repair import penalised_gram

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Poisson regression came with scikit-learn 1.7
POISSON = {"loss": "poisson"} if "loss" in signature(MLPRegressor).parameters else {}
ACTIVATIONS = ["relu", "tanh", "logistic", "identity"]
TASKS = ["classes", "binary", "labels", "numbers", "counts"]


def net(task: str, activation: str = "tanh", sizes: Any = (7, 5), **parameters: Any) -> tuple[Any, Any, Any]:
    options = {"activation": activation, "max_iter": 30, "random_state": 0, **parameters}
    if task == "numbers":
        X, y = load_diabetes(return_X_y=True)
        X, y = scale(X)[:80], scale(y)[:80]
        return MLPRegressor(hidden_layer_sizes=sizes, **options).fit(X, y), X, y
    if task == "counts":
        X, y = load_diabetes(return_X_y=True)
        X, y = scale(X)[:80], np.round(y[:80] / 50)
        return MLPRegressor(hidden_layer_sizes=sizes, **POISSON, **options).fit(X, y), X, y
    if task == "labels":
        X, y = make_multilabel_classification(80, n_features=6, n_classes=3, random_state=0)
    else:
        X, y = load_iris(return_X_y=True)
        X, y = (X[:100], y[:100]) if task == "binary" else (X, y)
    return MLPClassifier(hidden_layer_sizes=sizes, **options).fit(scale(X), y), scale(X), y


def loss_with_gates(mlp: Any, X: Any, y: Any, layer: int, gates: np.ndarray) -> np.ndarray:
    """Loss of each row with the neurons of a layer multiplied by gates."""
    _, rows = checked(mlp, X, y, None, "ablation")
    gated = deepcopy(mlp)
    gated.coefs_[layer + 1] = gates[:, None] * gated.coefs_[layer + 1]
    return _loss_from(gated, activations(gated, rows.X)[-1], rows.target, len(mlp.coefs_) - 1)


def _gated_outputs(mlp: Any, X: Any, gates: np.ndarray) -> np.ndarray:
    """Pre-activations of the output with the first layer's neurons multiplied by gates."""
    gated = deepcopy(mlp)
    gated.coefs_[1] = gates[:, None] * gated.coefs_[1]
    return activations(gated, X)[-1]


def slopes(mlp: Any, X: Any, y: Any, layer: int) -> np.ndarray:
    """Derivative of each row's loss by each gate, from central differences."""
    step, n = 1e-6, len(mlp.intercepts_[layer])
    moved = np.eye(n) * step
    return np.column_stack(
        [
            (loss_with_gates(mlp, X, y, layer, 1 + d) - loss_with_gates(mlp, X, y, layer, 1 - d)) / (2 * step)
            for d in moved
        ]
    )


def test_the_loss_is_that_of_scikit_learn() -> None:
    mlp, X, y = net("classes")
    losses = loss_with_gates(mlp, X, y, 0, np.ones(7))
    assert losses.mean() == pytest.approx(log_loss(y, mlp.predict_proba(X)), rel=1e-12)
    mlp, X, y = net("counts")
    if POISSON:  # up to what no network changes
        rises = loss_with_gates(mlp, X, y, 0, np.ones(7)) - loss_with_gates(mlp, X, y, 0, np.zeros(7))
        shut = deepcopy(mlp)
        shut.coefs_[1] *= 0
        expected = mean_poisson_deviance(y, mlp.predict(X)) - mean_poisson_deviance(y, shut.predict(X))
        assert rises.mean() == pytest.approx(expected / 2, rel=1e-9)
    mlp, X, y = net("numbers")
    np.testing.assert_allclose(loss_with_gates(mlp, X, y, 0, np.ones(7)), (mlp.predict(X) - y) ** 2 / 2)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity"])
@pytest.mark.parametrize("task", TASKS)
def test_criteria_of_the_gradient_equal_finite_differences(task: str, activation: str, layer: int) -> None:
    mlp, X, y = net(task, activation)
    by_gate = slopes(mlp, X, y, layer)
    for name, expected in (
        ("skeletonization", -by_gate.mean(axis=0)),
        ("taylor_2017", np.abs(by_gate).mean(axis=0)),
        ("taylor_2019", (by_gate**2).mean(axis=0)),
    ):
        found = neuron_importance(mlp, X, y, criterion=name, layer=layer)
        np.testing.assert_allclose(found, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity"])
@pytest.mark.parametrize("task", TASKS)
def test_curvature_of_the_last_hidden_layer_equals_finite_differences(task: str, activation: str) -> None:
    mlp, X, y = net(task, activation)
    step, n = 1e-3, 5
    at = [[loss_with_gates(mlp, X, y, 1, 1 + k * d).mean() for k in (-1, 0, 1)] for d in np.eye(n) * step]
    second = [(low - 2 * middle + high) / step**2 for low, middle, high in at]
    found = neuron_importance(mlp, X, y, criterion="obd", layer=1)
    np.testing.assert_allclose(found, np.array(second) / 2, rtol=1e-5, atol=1e-7)


def test_curvature_of_an_earlier_layer_is_gauss_newtons() -> None:
    mlp, X, y = net("classes", "tanh")
    step, n = 1e-6, 7
    p = mlp.predict_proba(X)
    found = neuron_importance(mlp, X, y, criterion="obd", layer=0)
    for j, d in enumerate(np.eye(n) * step):
        slope = (_gated_outputs(mlp, X, 1 + d) - _gated_outputs(mlp, X, 1 - d)) / (2 * step)
        expected = ((p * slope**2).sum(axis=1) - (p * slope).sum(axis=1) ** 2).mean() / 2
        assert found[j] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("task", TASKS)
def test_ablation_in_one_pass_equals_the_loop_over_neurons(task: str, activation: str, layer: int) -> None:
    mlp, X, y = net(task, activation)
    n = len(mlp.intercepts_[layer])
    whole = loss_with_gates(mlp, X, y, layer, np.ones(n)).mean()
    loop = [loss_with_gates(mlp, X, y, layer, 1.0 - np.eye(n)[j]).mean() - whole for j in range(n)]
    np.testing.assert_allclose(neuron_importance(mlp, X, y, criterion="ablation", layer=layer), loop, atol=1e-12)


@pytest.mark.parametrize("criterion", [name for name in CRITERIA if name != "apoz"])
@pytest.mark.parametrize("search", ["greedy", "one_shot"])
@pytest.mark.parametrize("task", TASKS)
def test_a_network_without_neurons_equals_the_one_with_zeros_in_their_place(
    task: str, search: Any, criterion: str
) -> None:
    mlp, X, y = net(task)
    small = prune_neurons(mlp, X, y, n_keep=3, layer=0, criterion=criterion, compensate="none", search=search)
    kept = [j for j in range(7) if (mlp.coefs_[0][:, j] == small.coefs_[0].T).all(axis=1).any()]
    assert len(kept) == 3
    assert small.hidden_layer_sizes == (3, 5)
    zeroed = deepcopy(mlp)
    zeroed.coefs_[1][[j for j in range(7) if j not in kept]] = 0
    predict = "predict" if task in ("numbers", "counts") else "predict_proba"
    np.testing.assert_allclose(getattr(small, predict)(X), getattr(zeroed, predict)(X), atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_repaired_weights_solve_the_penalised_problem(activation: str) -> None:
    """Minimise |a (W - V)|^2 / n + ridge |W - V|^2 over the rows of V that stay, the others zero."""
    mlp, X, _ = net("classes", activation, (12,))
    small = prune_neurons(mlp, X, n_keep=5)
    kept = np.array([(column == small.coefs_[0].T).all(axis=1).any() for column in mlp.coefs_[0].T])
    a = activations(mlp, X)[1]
    centred = a - a.mean(axis=0)
    ridge = penalised_gram(a)[0, 0] - centred[:, 0] @ centred[:, 0] / len(a)
    stacked = np.vstack([centred / np.sqrt(len(a)), np.sqrt(ridge) * np.eye(12)])
    direct = np.linalg.lstsq(stacked[:, kept], stacked @ mlp.coefs_[1], rcond=None)[0]
    np.testing.assert_allclose(small.coefs_[1], direct, atol=1e-8)


def test_the_surgeons_closed_form_equals_removing_one_neuron_at_a_time() -> None:
    mlp, X, _ = net("classes", "tanh", (12,))
    scores = neuron_importance(mlp, X)
    one_less = prune_neurons(mlp, X, n_keep=11)
    gone = int(scores.argmin())
    np.testing.assert_array_equal(one_less.coefs_[0], np.delete(mlp.coefs_[0], gone, axis=1))
    a = activations(mlp, X)[1]
    delta = mlp.coefs_[1].copy()
    delta[np.arange(12) != gone] -= one_less.coefs_[1]
    rise = np.trace(delta.T @ penalised_gram(a) @ delta)
    assert rise == pytest.approx(scores[gone], rel=1e-9)


@pytest.mark.parametrize("task", TASKS)
def test_all_neurons_kept_is_the_same_network(task: str) -> None:
    mlp, X, _ = net(task)
    np.testing.assert_allclose(prune_neurons(mlp, X, n_keep=[7, 5]).predict(X), mlp.predict(X), atol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pruned_network_trains_on_and_keeps_its_size(solver: str, early_stopping: bool) -> None:
    early_stopping = early_stopping and solver != "lbfgs"
    mlp, X, y = net("classes", solver=solver, early_stopping=early_stopping, warm_start=True)
    before = deepcopy(mlp)
    small = prune_neurons(mlp, X, y, n_keep=[4, 3])
    np.testing.assert_array_equal(mlp.coefs_[1], before.coefs_[1])
    assert mlp.hidden_layer_sizes == (7, 5)
    assert deepcopy(small).fit(X, y).coefs_[1].shape == (4, 3)
    assert clone(small).fit(X, y).coefs_[1].shape == (4, 3)
    if solver != "lbfgs" and not early_stopping:
        assert deepcopy(small).partial_fit(X, y).coefs_[1].shape == (4, 3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_keep": 0, "layer": 0}, "n_keep=0: a whole number from 1 to the 7 neurons"),
        ({"n_keep": 8, "layer": 0}, "n_keep=8"),
        ({"n_keep": 2.0, "layer": 0}, "n_keep=2.0"),
        ({"n_keep": 3, "layer": 2}, r"layer=2: the network has 2 hidden layer\(s\)"),
        ({"n_keep": 3}, "layer must be given: the network has 2 hidden layers"),
        ({"n_keep": [3]}, "a number for each of the 2 hidden layers"),
        ({"n_keep": 3, "layer": 0, "criterion": "best"}, "criterion='best'"),
        ({"n_keep": 3, "layer": 0, "criterion": "ablation"}, "y is missing: this criterion looks at the loss"),
        ({"n_keep": 3, "layer": 0, "compensate": "hope"}, "compensate='hope'"),
    ],
)
def test_bad_parameters_are_refused(parameters: Any, message: str) -> None:
    mlp, X, _ = net("classes")
    with pytest.raises(ValueError, match=message):
        prune_neurons(mlp, X, **parameters)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity"])
def test_counting_zeros_is_refused_where_neurons_do_not_rest_at_zero(activation: str) -> None:
    mlp, X, _ = net("classes", activation)
    with pytest.raises(ValueError, match=f"meaningless for activation='{activation}'"):
        neuron_importance(mlp, np.zeros_like(X), criterion="apoz", layer=0)


def test_counting_zeros_goes_on_when_every_neuron_left_is_always_awake() -> None:
    mlp, X, _ = net("classes", "relu", (7,))
    mlp.intercepts_[0][:4] = 100  # awake on every row
    awake = (activations(mlp, X)[1] > 0).mean(axis=0)
    np.testing.assert_allclose(neuron_importance(mlp, X, criterion="apoz"), awake)
    small = prune_neurons(mlp, X, n_keep=2, criterion="apoz", compensate="none")
    np.testing.assert_array_equal(small.coefs_[0], mlp.coefs_[0][:, 2:4])


def test_bad_rows_are_refused() -> None:
    mlp, X, y = net("classes")
    for rows, target, message in (
        (X[:, :2], y, "X has 2 features"),
        (np.where(X > 1, np.nan, X), y, "NaN"),
        (X, y[:-1], "they must agree"),
        (X, np.where(y == 1, 9, y), r"y holds \[9\]"),
        (X, np.column_stack([y, y]), "Multioutput target data"),
    ):
        with pytest.raises(ValueError, match=message):
            prune_neurons(mlp, rows, target, n_keep=2, layer=0, criterion="ablation")
    with pytest.raises(NotFittedError):
        prune_neurons(MLPClassifier(), X, n_keep=2)
    with pytest.raises(TypeError, match="a fitted MLPClassifier or MLPRegressor of scikit-learn is wanted"):
        prune_neurons(object(), X, n_keep=2)


@pytest.mark.slow
def test_digits_keep_their_accuracy_at_25_and_at_10_neurons_without_retraining() -> None:
    X, y = load_digits(return_X_y=True)
    found = []
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.3, random_state=seed, stratify=y)
        mlp = MLPClassifier(100, random_state=seed, max_iter=300).fit(X_train, y_train)
        found.append([prune_neurons(mlp, X_train, n_keep=n).score(X_test, y_test) for n in (25, 10)])
    at_25, at_10 = np.mean(found, axis=0)
    assert at_25 >= 0.95
    assert at_10 >= 0.90
