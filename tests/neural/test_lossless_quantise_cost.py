"""Networks made smaller without loss, rounded, finalised and put into a table of costs."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale
from sklearn.tree import DecisionTreeClassifier

from treeprune.neural import cost_table, finalize, prune_lossless, quantization_grid, quantize_weights
from treeprune.neural.deployment import with_weights

ACTIVATIONS = ["identity", "relu", "tanh", "logistic"]
iris = load_iris()
X, y = scale(iris.data), iris.target
rng = np.random.default_rng(0)


def random_net(sizes=(6, 3), activation="relu", **parameters):
    """A fitted network with weights drawn anew, so that no two neurons are alike."""
    quick = {"solver": "lbfgs", "max_iter": 10_000, "tol": 1e-2, "random_state": 0} | parameters
    mlp = MLPClassifier(sizes, activation=activation, **quick).fit(X, y)
    for part in (*mlp.coefs_, *mlp.intercepts_):
        part[:] = np.random.default_rng(part.size).normal(size=part.shape)
    return mlp


def with_neurons(mlp, columns, biases, rows):
    """Add neurons to the first hidden layer."""
    coefs = [np.column_stack([mlp.coefs_[0], *columns]), np.vstack([mlp.coefs_[1], *rows]), *mlp.coefs_[2:]]
    return with_weights(mlp, coefs, [np.append(mlp.intercepts_[0], biases), *mlp.intercepts_[1:]])


def inflated(mlp):
    """Add a duplicate, an unread and a constant neuron, and one that is the first up to its activation."""
    w, b = mlp.coefs_[0], mlp.intercepts_[0]
    factor = {"identity": -2.5, "relu": 2.5, "tanh": -1.0, "logistic": -1.0}[mlp.activation]
    columns = [w[:, 1], w[:, 0] + 1, np.zeros(4), factor * w[:, 0]]
    rows = rng.normal(size=(4, mlp.coefs_[1].shape[1]))
    rows[1] = 0
    return with_neurons(mlp, columns, [b[1], 0.3, 0.7, factor * b[0]], rows)


def logits(mlp, rows):
    return np.log(mlp.predict_proba(rows))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_inflated_network_shrinks_to_its_own_size_and_predicts_the_same(activation):
    sizes = (3, 3) if activation == "identity" else (6, 3)  # more than four identity neurons of four inputs depend
    fat = inflated(random_net(sizes, activation))
    small = prune_lossless(fat)
    assert fat.hidden_layer_sizes == (sizes[0] + 4, 3)
    assert small.hidden_layer_sizes == sizes
    np.testing.assert_allclose(logits(small, X), logits(fat, X), atol=1e-10)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_a_network_without_spare_neurons_keeps_all_of_them(activation):
    mlp = random_net((6, 3), activation)
    small = prune_lossless(mlp)
    for part, own in zip(small.coefs_ + small.intercepts_, mlp.coefs_ + mlp.intercepts_, strict=True):
        np.testing.assert_allclose(part, own, rtol=1e-13, atol=1e-14)


def test_identity_neurons_go_where_they_depend_on_others_linearly():
    mlp = random_net((9, 3), "identity")
    small = prune_lossless(mlp)
    assert small.hidden_layer_sizes == (4, 3)
    np.testing.assert_allclose(logits(small, X), logits(mlp, X), atol=1e-10)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity"])
def test_proportional_neurons_are_merged_for_relu_only(activation):
    mlp = random_net((2, 3), activation)
    fat = with_neurons(mlp, [2 * mlp.coefs_[0][:, 0]], [2 * mlp.intercepts_[0][0]], [np.ones(3)])
    assert prune_lossless(fat).hidden_layer_sizes[0] == (2 if activation == "identity" else 3)


def test_a_relu_and_its_mirror_image_both_stay():
    mlp = random_net((2, 3))
    fat = with_neurons(mlp, [-mlp.coefs_[0][:, 0]], [-mlp.intercepts_[0][0]], [np.ones(3)])
    assert prune_lossless(fat).hidden_layer_sizes == (3, 3)


def test_what_only_an_unread_neuron_reads_goes_with_it():
    mlp = random_net((4, 3))
    mlp.coefs_[1][2, :2] = 0  # neuron 2 of the first layer is read by neuron 2 of the second alone
    mlp.coefs_[2][2] = 0
    assert prune_lossless(mlp).hidden_layer_sizes == (3, 2)


def test_relu_is_dead_within_bounds_and_alive_without():
    mlp = random_net((5, 3))
    mlp.intercepts_[0][1] = -np.abs(mlp.coefs_[0][:, 1]).sum()
    rows = rng.uniform(-1, 1, size=(500, 4))
    assert prune_lossless(mlp).hidden_layer_sizes == (5, 3)
    small = prune_lossless(mlp, bounds=(-1, np.ones(4)))
    assert small.hidden_layer_sizes[0] == 4
    np.testing.assert_allclose(logits(small, rows), logits(mlp, rows), atol=1e-12)
    assert prune_lossless(mlp, bounds=(-1.01, 1.01)).hidden_layer_sizes == (5, 3)


def test_a_layer_that_says_nothing_keeps_one_neuron():
    mlp = random_net((4, 3))
    mlp.coefs_[0][:] = 0
    small = prune_lossless(mlp)
    assert small.hidden_layer_sizes == (1, 1)
    np.testing.assert_allclose(logits(small, X), logits(mlp, X), atol=1e-12)


@pytest.mark.parametrize("bounds", [(1, 0), (np.nan, 1)])
def test_bounds_in_the_wrong_order_or_no_numbers_are_refused(bounds):
    with pytest.raises(ValueError, match="lowest value"):
        prune_lossless(random_net(), bounds=bounds)


@pytest.mark.parametrize("call", [prune_lossless, finalize, quantize_weights])
def test_what_is_no_fitted_network_is_refused(call):
    with pytest.raises(TypeError, match="DecisionTreeClassifier"):
        call(DecisionTreeClassifier().fit(X, y))
    with pytest.raises(ValueError, match="not fitted"):
        call(MLPClassifier())


@pytest.mark.parametrize("call", [prune_lossless, finalize, quantize_weights])
def test_the_network_given_is_not_changed(call):
    mlp = inflated(random_net())
    before = pickle.dumps(mlp)
    call(mlp)
    assert pickle.dumps(mlp) == before


# ---- training afterwards ---------------------------------------------------------------------------------------------


def trained(solver, early_stopping=False):
    rows, target = load_breast_cancer(return_X_y=True)
    mlp = MLPClassifier(
        (12, 4), solver=solver, early_stopping=early_stopping, max_iter=400, tol=1e-2, random_state=0, warm_start=True
    )
    return mlp.fit(scale(rows), target), scale(rows), target


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_a_smaller_network_trains_on_in_its_own_size(solver, early_stopping):
    mlp, rows, target = trained(solver, early_stopping)
    mlp.coefs_[1][3] = 0
    small = prune_lossless(mlp)
    size = small.hidden_layer_sizes
    assert size[0] == 11
    score = small.score(rows, target)
    again = small.fit(rows, target)
    assert [w.shape[1] for w in again.coefs_] == [*size, 1]
    assert again.score(rows, target) > score - 0.02
    assert clone(small).fit(rows, target).coefs_[0].shape[1] == 11


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_smaller_network_takes_partial_fits(solver):
    mlp, rows, target = trained(solver)
    mlp.coefs_[1][3] = 0
    before = prune_lossless(mlp)
    after = prune_lossless(mlp).partial_fit(rows, target)
    assert after.coefs_[0].shape == before.coefs_[0].shape
    assert not np.array_equal(after.coefs_[0], before.coefs_[0])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_finalised_network_predicts_the_same_and_is_less_than_half_as_large(early_stopping):
    rows, target = load_diabetes(return_X_y=True)
    quick = {"max_iter": 20, "tol": 1e9, "n_iter_no_change": 1, "random_state": 0}
    mlp = MLPRegressor(hidden_layer_sizes=300, early_stopping=early_stopping, **quick)
    mlp.fit(rows, target)
    final = pickle.loads(pickle.dumps(finalize(mlp)))
    np.testing.assert_array_equal(final.predict(rows), mlp.predict(rows))
    assert len(pickle.dumps(final)) < 0.45 * len(pickle.dumps(mlp))
    assert len(pickle.dumps(final)) < 1.1 * sum(part.nbytes for part in mlp.coefs_ + mlp.intercepts_) + 3000


# ---- rounding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_no_weight_moves_by_more_than_half_a_step_and_the_values_are_few(bits):
    mlp = random_net((6, 3))
    small = quantize_weights(mlp, bits)
    for rounded, w in zip(small.coefs_, mlp.coefs_, strict=True):
        step = np.abs(w).max(axis=0) / (2 ** (bits - 1) - 1)
        assert (np.abs(rounded - w) <= step / 2 * (1 + 1e-12)).all()
        np.testing.assert_allclose(rounded / step, np.round(rounded / step), atol=1e-9)
        assert np.abs(np.round(rounded / step)).max() == 2 ** (bits - 1) - 1
    np.testing.assert_array_equal(np.concatenate(small.intercepts_), np.concatenate(mlp.intercepts_))


def test_a_column_of_zeros_stays_zero():
    mlp = random_net()
    mlp.coefs_[0][:, 2] = 0
    assert not quantize_weights(mlp, 4).coefs_[0][:, 2].any()


@pytest.mark.parametrize("bits", [1, 2.5, None, True])
def test_bits_that_are_no_whole_number_from_two_are_refused(bits):
    with pytest.raises(ValueError, match="bits"):
        quantize_weights(random_net(), bits)


def test_the_grid_holds_the_score_of_every_network_at_every_precision():
    models = {"wide": random_net((6, 3)), "narrow": random_net((4, 2))}
    grid = quantization_grid(models, X, y, bits=(4, 2)).set_index(["model", "bits"])["test_score"]
    assert len(grid) == 6
    for (name, bits), score in grid.items():
        assert score == (models[name] if bits == 64 else quantize_weights(models[name], bits)).score(X, y)


# ---- cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_table_counts_what_the_arrays_hold(activation):
    fat = inflated(random_net((3, 3), activation))
    small = prune_lossless(fat)
    small.coefs_[0][0] = 0
    table = cost_table({"dense": fat, "small": small}, X[::2], y[::2], X[1::2], y[1::2])
    dense, row = table.iloc[0], table.iloc[1]
    assert (dense.n_params, dense.macs) == ((4 + 1) * 7 + (7 + 1) * 3 + (3 + 1) * 3, 4 * 7 + 7 * 3 + 3 * 3)
    assert (row.n_params, row.macs) == ((4 + 1) * 3 + (3 + 1) * 3 + (3 + 1) * 3, 4 * 3 + 3 * 3 + 3 * 3)
    assert row.n_nonzero == row.n_params - 3
    assert row.compression_ratio == dense.n_params / row.n_nonzero
    assert row.theoretical_speedup == dense.macs / row.macs
    assert (row.train_score, row.test_score) == (small.score(X[::2], y[::2]), small.score(X[1::2], y[1::2]))
    assert row.gap == row.train_score - row.test_score
    assert row.file_bytes == len(pickle.dumps(finalize(small), protocol=5)) < dense.file_bytes


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_reconstruction_error_is_that_of_the_outputs(activation):
    rows, target = load_diabetes(return_X_y=True)
    quick = {"activation": activation, "solver": "lbfgs", "max_iter": 10_000, "tol": 100.0, "random_state": 0}
    mlp = MLPRegressor(hidden_layer_sizes=5, **quick).fit(rows, target)
    rough = quantize_weights(mlp, 3)
    table = cost_table({"dense": mlp, "rough": rough}, rows, target, rows, target)
    assert table.reconstruction_mse[0] == 0
    np.testing.assert_allclose(table.reconstruction_mse[1], np.mean((mlp.predict(rows) - rough.predict(rows)) ** 2))


def test_latency_is_measured_where_it_is_asked_for():
    table = cost_table({"net": random_net()}, X, y, X, y, latency_rows=400)
    assert 0 < table.latency_us_p50[0] <= table.latency_us_p95[0]
    assert "latency_us_p50" not in cost_table({"net": random_net()}, X, y, X, y)


def test_models_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="empty"):
        cost_table({}, X, y, X, y)
    other = MLPClassifier(3, solver="lbfgs", max_iter=10_000, tol=1e-2).fit(X, y > 0)
    with pytest.raises(ValueError, match="differ in outputs"):
        cost_table({"three": random_net(), "two": other}, X, y, X, y > 0)
