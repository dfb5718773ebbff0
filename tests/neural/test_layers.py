"""Networks with a hidden layer less."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from treeprune.neural import prune_layer

digits = load_digits()
X, y = digits.data / 16, digits.target
TRAIN, TEST = slice(0, None, 2), slice(1, None, 2)
rng = np.random.default_rng(0)


def regressor(activation, sizes=(5, 4, 3)):
    rows, target = rng.normal(size=(200, 6)), rng.normal(size=(200, 2))
    mlp = MLPRegressor(hidden_layer_sizes=sizes, activation=activation, solver="lbfgs", tol=1.0, random_state=0)
    return mlp.fit(rows, target), rows


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_layer_of_identity_goes_without_loss_on_any_row(layer):
    mlp, rows = regressor("identity")
    small = prune_layer(mlp, rows, layer)
    other = rng.normal(size=(50, 6))
    np.testing.assert_allclose(small.predict(other), mlp.predict(other), rtol=1e-12, atol=1e-12)
    assert small.n_layers_ == mlp.n_layers_ - 1
    assert small.hidden_layer_sizes == tuple(np.delete((5, 4, 3), layer))


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_the_last_layer_of_a_regressor_is_replaced_by_the_linear_regression_of_its_predictions(activation):
    mlp, rows = regressor(activation, (5,))
    small = prune_layer(mlp, rows, 0)
    line = LinearRegression().fit(rows, mlp.predict(rows))
    np.testing.assert_allclose(small.coefs_[0], line.coef_.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(small.intercepts_[0], line.intercept_, rtol=1e-9, atol=1e-12)
    assert small.hidden_layer_sizes == ()


@pytest.mark.parametrize("layer", [0, 1])
def test_digits_are_read_nearly_as_well_with_a_layer_less(layer):
    mlp = MLPClassifier((64, 48), solver="lbfgs", alpha=1.0, tol=1e-2, max_iter=2000, random_state=0)
    mlp.fit(X[TRAIN], y[TRAIN])
    small = prune_layer(mlp, X[TRAIN], layer)
    assert small.score(X[TEST], y[TEST]) > mlp.score(X[TEST], y[TEST]) - 0.06
    shapes = [w.shape for w in small.coefs_]
    again = small.set_params(warm_start=True).fit(X[TRAIN], y[TRAIN])
    assert [w.shape for w in again.coefs_] == shapes


def test_the_network_given_is_not_changed():
    mlp, rows = regressor("tanh")
    before = pickle.dumps(mlp)
    prune_layer(mlp, rows, 1)
    assert pickle.dumps(mlp) == before


@pytest.mark.parametrize("layer", [3, -1, 0.5, None])
def test_layers_that_do_not_exist_are_refused(layer):
    mlp, rows = regressor("relu")
    with pytest.raises(ValueError, match="layer"):
        prune_layer(mlp, rows, layer)


@pytest.mark.parametrize("rows", [np.zeros((5, 3)), np.full((5, 6), np.nan), np.zeros(6)])
def test_rows_of_another_shape_or_with_gaps_are_refused(rows):
    with pytest.raises(ValueError, match=r"X |Expected 2D array"):
        prune_layer(regressor("relu")[0], rows, 0)
