"""What reviews found: each test failed before it was mended."""

from __future__ import annotations

import warnings
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import treeprune as tp
from treeprune import neural as N

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
COLUMNS = ["method", "n_neurons", "seed", "test_score"]


def net(**parameters):
    given = {"hidden_layer_sizes": 8, "max_iter": 30, "random_state": 0, **parameters}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MLPClassifier(**given).fit(X, Y)


def test_obs_of_each_layer_keeps_digits_far_better_than_magnitude():
    data, label = load_digits(return_X_y=True)
    data = StandardScaler().fit_transform(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp = MLPClassifier(40, max_iter=100, random_state=0).fit(data[:1200], label[:1200])
    score = {
        criterion: N.prune_weights(mlp, data[:1200], amount=0.9, criterion=criterion, scope="layer").score(
            data[1200:], label[1200:]
        )
        for criterion in ("magnitude", "obs_layer")
    }
    assert score["obs_layer"] > score["magnitude"] + 0.1


def test_small_networks_from_scratch_get_the_epochs_of_fine_tuning_too():
    table = N.compare_neurons(
        MLPClassifier(16), X[::2], Y[::2], X[1::2], Y[1::2], n_keep=[8], seeds=[0], epochs=10, fine_tune_epochs=5
    ).set_index("method")
    assert table.loc["scratch_equal_epochs", "epochs"] == table.loc["obs", "epochs"] == 15
    assert table.loc["scratch_equal_macs", "macs_trained"] == table.loc["obs", "macs_trained"]


def test_what_is_not_repaired_is_no_claim_and_a_bad_dense_score_is_no_collapse():
    def collapse(rows):
        table = pd.DataFrame(rows, columns=["method", "n_neurons", "seed", "test_score"])
        return N.honest_checklist(table).set_index("item").loc["a size at which the score collapses", "passed"]

    rows = [("dense", 20, 0, 0.66), ("obs", 10, 0, 0.645), ("magnitude_no_repair", 10, 0, 0.2)]
    assert not collapse(rows)
    assert not collapse([("dense", 20, 0, -4.66), ("obs", 10, 0, -4.68)])
    assert collapse([("dense", 20, 0, 0.66), ("obs", 10, 0, 0.5)])


def test_a_network_without_neurons_rewinds_to_what_is_left_of_its_own_start():
    mlp = net()
    small = tp.prune(tp.prune(mlp, "neuron", X, Y, n_keep=6), "neuron", X, Y, n_keep=3)
    start, rewound = N.initial_network(mlp, X, Y), N.rewind(small, X, Y)
    own, left = start.coefs_[0].T, rewound.coefs_[0].T
    gaps = np.abs(left[:, None] - own[None]).max(axis=2)
    kept = gaps.argmin(axis=1)
    assert (gaps.min(axis=1) == 0).all()
    np.testing.assert_array_equal(start.coefs_[1][kept], rewound.coefs_[1])
    deep = net(hidden_layer_sizes=(8, 6))
    with pytest.raises(ValueError, match="trained at another size"):
        N.rewind(N.prune_layer(deep, X, 1), X, Y)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_training_from_the_start_works_with_early_stopping(kind, early_stopping):
    mlp = kind(hidden_layer_sizes=(8,), early_stopping=early_stopping, random_state=3, max_iter=15)
    target = Y if kind is MLPClassifier else Y.astype(float)
    pruner = tp.WeightPruner(mlp, timing="before").fit(X, target)
    assert pruner.achieved_ == pytest.approx(0.5, abs=0.02)
    ticket = tp.WeightPruner(mlp, rewind=True).fit(X, target)
    assert ticket.achieved_ == pytest.approx(0.5, abs=0.02)
    started = N.initial_network(mlp, X, target).set_params(warm_start=True).fit(X, target)
    direct = kind(hidden_layer_sizes=(8,), early_stopping=early_stopping, random_state=3, max_iter=15).fit(X, target)
    np.testing.assert_allclose(started.coefs_[0].shape, direct.coefs_[0].shape)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_finalised_network_with_early_stopping_trains_on(solver):
    mlp = net(early_stopping=True, warm_start=True, solver=solver)
    again = N.finalize(mlp).fit(X, Y)
    assert again.n_iter_ >= 1
    assert again.score(X, Y) > 0.3


def test_columns_of_another_order_or_name_are_refused_as_predict_refuses_them():
    frame = pd.DataFrame(X, columns=list("abcd"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp = MLPClassifier((8, 4), max_iter=10, random_state=0).fit(frame, Y)
    for strange in (frame[list("dcba")], frame.rename(columns={"a": "z"})):
        for call in (
            lambda rows: tp.prune(mlp, "neuron", rows, Y, n_keep=4, layer=0),
            lambda rows: tp.prune(mlp, "weight", rows, amount=0.5),
            lambda rows: N.neuron_importance(mlp, rows, Y, layer=0),
            lambda rows: N.prune_layer(mlp, rows, 0),
            lambda rows: N.fine_tune(mlp, rows, Y, 1),
        ):
            with pytest.raises(ValueError, match="feature names"):
                call(strange)
    assert tp.prune(mlp, "neuron", frame, Y, n_keep=4, layer=0).score(frame, Y) > 0


@pytest.mark.parametrize(
    "rows", [(X, Y[:50], None), (X[:50], Y, None), (X, Y, np.ones(20))], ids=["short y", "short X", "short weight"]
)
def test_rows_that_do_not_belong_together_are_refused(rows):
    data, target, weight = rows
    with pytest.raises(ValueError, match=r"inconsistent numbers|must agree|one weight for each"):
        N.fine_tune(net(), data, target, 1, sample_weight=weight)
    with pytest.raises(ValueError, match=r"inconsistent numbers|must agree|one weight for each"):
        N.prune_neurons(net(), data, target, n_keep=2, sample_weight=weight)


@pytest.mark.parametrize("timing", ["after", "before", "during"])
def test_amounts_mean_the_same_at_every_time_and_others_are_refused(timing):
    mlp = MLPClassifier(8, max_iter=8, random_state=0)
    assert tp.WeightPruner(mlp, timing=timing, amount=np.float32(0.5)).fit(X, Y).achieved_ == pytest.approx(0.5)
    for wrong in (True, "x", None, 1.5, -1):
        with pytest.raises(ValueError, match="amount must be"):
            tp.WeightPruner(mlp, timing=timing, amount=wrong).fit(X, Y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"compensate": "foo"}, "compensate='foo'"),
        ({"compensate": "least_squares", "timing": "before"}, "needs no repair"),
        ({"compensate": "none", "rewind": True}, "needs no repair"),
        ({"scope": "foo", "timing": "during"}, "scope='foo'"),
        ({"scope": "layer", "timing": "during"}, "the smallest weights of all go"),
        ({"criterion": "snip", "timing": "during"}, "the smallest weights of all go"),
        ({"criterion": "wanda", "timing": "before"}, "one of snip, synflow, random, magnitude"),
    ],
)
def test_parameters_that_would_not_be_read_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        tp.WeightPruner(MLPClassifier(8, max_iter=5), **parameters).fit(X, Y)


def test_generators_are_random_states_everywhere():
    mlp = net()
    N.fine_tune(mlp, X, Y, 1, random_state=np.random.default_rng(0))
    tp.NeuronPruner(mlp, n_keep=3, criterion="random", random_state=np.random.default_rng(0)).fit(X, Y)
    N.prune_weights(mlp, amount=0.5, criterion="random", random_state=np.random.default_rng(0))


def test_what_is_asked_of_a_network_is_answered_for_networks():
    mlp = net()
    for method, message in (
        ("neurons", "did you mean 'neuron'"),
        (None, "pruned by 'neuron', 'weight'"),
        ("layer", "prune_layer"),
    ):
        with pytest.raises(ValueError, match=message):
            tp.prune(mlp, method)
    with pytest.raises(ValueError, match="has no parameter 'keep'"):
        tp.prune(mlp, "neuron", X, Y, keep=2)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier())
    for call in (lambda: tp.WeightPruner(pipeline).fit(X, Y), lambda: N.initial_network(pipeline, X, Y)):
        with pytest.raises(TypeError, match="of a Pipeline take the last step"):
            call()


def test_pipelines_are_taken_wherever_networks_are():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(StandardScaler(), MLPClassifier((8, 6), max_iter=20, random_state=0)).fit(X, Y)
    mlp, scaled = pipeline[-1], pipeline[0].transform(X)
    for work in (
        N.finalize,
        N.quantize_weights,
        N.prune_lossless,
        lambda model: N.prune_layer(model, X if model is pipeline else scaled, 1),
    ):
        inside = work(pipeline)
        np.testing.assert_allclose(inside.predict_proba(X), work(mlp).predict_proba(scaled), atol=1e-12)
        assert inside is not pipeline
    table = N.cost_table({"inside": pipeline}, X, Y, X, Y, latency_rows=3)
    alone = N.cost_table({"inside": mlp}, scaled, Y, scaled, Y)
    pd.testing.assert_frame_equal(table[list(alone)], alone)
    assert len(N.quantization_grid({"inside": pipeline}, X, Y)) == 4


def test_costs_name_the_loss_the_multiply_adds_that_are_not_zero_and_what_was_measured():
    mlp = net()
    sparse = N.prune_weights(mlp, amount=0.5)
    table = N.cost_table({"dense": mlp, "sparse": sparse}, X, Y, X[::2], Y[::2])
    assert table["macs_nonzero"].tolist() == [sum((w != 0).sum() for w in m.coefs_) for m in (mlp, sparse)]
    assert table["test_loss"][0] == pytest.approx(log_loss(Y[::2], mlp.predict_proba(X[::2])))
    assert table.attrs["test_rows"] == 75
    with pytest.raises(ValueError, match="X_valid and y_valid belong together"):
        N.cost_table({"dense": mlp}, X, Y, X, Y, y_valid=Y)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_keep": 3}, "a list of sizes is expected"),
        ({"criteria": "obs"}, "a list of names is expected"),
        ({"criteria": ["obbs"]}, "criteria='obbs'"),
        ({"seeds": []}, "seeds is empty"),
        ({"seeds": 3}, "a list of whole numbers"),
        ({"compensate": "lstsq"}, "compensate='lstsq'"),
        ({"fine_tune_epochs": -1}, "fine_tune_epochs=-1"),
    ],
)
def test_comparisons_that_will_not_do_are_refused_before_any_training(wrong, message, monkeypatch):
    monkeypatch.setattr("treeprune.neural.comparison.scratch_networks", None)
    given = {"n_keep": [3], **wrong}
    with pytest.raises(ValueError, match=message):
        N.compare_neurons(MLPClassifier(8), X, Y, X, Y, **given)


def test_epochs_of_further_training_are_counted_and_bits_have_an_end():
    mlp = net()
    assert N.fine_tune(mlp, X, Y, 7).n_iter_ == mlp.n_iter_ + 7
    with pytest.raises(ValueError, match="64 at most"):
        N.quantize_weights(mlp, 2000)


def test_pruned_deep_networks_do_no_worse_repaired_than_not():
    data, label = make_classification(600, 12, n_informative=8, n_classes=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp = MLPClassifier((30, 20), max_iter=150, random_state=0).fit(data, label)
    plain, repaired = (
        N.prune_weights(mlp, data, amount=0.8, compensate=repair).score(data, label)
        for repair in ("none", "least_squares")
    )
    assert repaired > plain


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_a_column_of_labels_is_the_labels():
    pruner = tp.NeuronPruner(MLPClassifier(8, solver="lbfgs", max_iter=60, random_state=0))
    flat, column = (tp.PrunerCV(pruner, cv=4).fit(X, y) for y in (Y, Y[:, None]))
    np.testing.assert_array_equal(column.scores_.test, flat.scores_.test)
    assert flat.scores_.test.max() > 0.9
    with pytest.raises(ValueError, match="classes that the network was not fitted with"):
        N.neuron_importance(net(), X, (Y + 5)[:, None], criterion="ablation")


@pytest.mark.skipif(
    "sample_weight" not in signature(MLPClassifier.fit).parameters, reason="scikit-learn 1.7 trains by weights"
)
def test_weights_of_rows_count_before_training_too():
    weight = np.r_[np.ones(60), np.zeros(90)]
    mlp = MLPClassifier(12, max_iter=5, random_state=0)
    found = tp.WeightPruner(mlp, criterion="snip", timing="before").fit(X, Y, sample_weight=weight).masks_
    start = N.initial_network(mlp, X, Y)
    weighted, plain = (
        N.weight_masks(start, X, Y, amount=0.5, criterion="snip", sample_weight=w) for w in (weight, None)
    )
    assert all((a == b).all() for a, b in zip(found, weighted, strict=True))
    assert any((a != b).any() for a, b in zip(found, plain, strict=True))


def test_targets_that_are_no_numbers_are_refused():
    target = np.where(np.arange(150) == 3, np.nan, X[:, 0])
    mlp = MLPRegressor(hidden_layer_sizes=6, max_iter=5, random_state=0).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="y holds values that are not finite"):
        N.neuron_importance(mlp, X, target, criterion="ablation")


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("scale", [np.array([1e13, 1, 1, 1]), np.full(4, 1e-13)], ids=["one feature", "all"])
def test_pruning_without_loss_loses_nothing_in_any_units(activation, scale):
    mlp = MLPRegressor(hidden_layer_sizes=6, activation=activation, max_iter=30, random_state=0).fit(X, Y)
    mlp.coefs_[0] *= scale[:, None]
    mlp.coefs_[0][:, 3], mlp.intercepts_[0][3] = mlp.coefs_[0][:, 2], mlp.intercepts_[0][2]
    small = N.prune_lossless(mlp)
    assert small.hidden_layer_sizes == ((4,) if activation == "identity" else (5,))
    np.testing.assert_allclose(small.predict(X / scale), mlp.predict(X / scale), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("bounds", [3, (0,), "ab", (np.zeros(3), np.ones(4)), (np.zeros((4, 2)), 1)])
def test_bounds_of_another_shape_are_refused(bounds):
    with pytest.raises(ValueError, match="a pair is expected, lowest and highest, each a number or one for each of"):
        N.prune_lossless(net(), bounds=bounds)


def test_bounds_that_nothing_would_read_are_refused():
    with pytest.raises(ValueError, match="activation='tanh': leave them out"):
        N.prune_lossless(net(activation="tanh"), bounds=(0, 1))


@pytest.mark.parametrize("weight", [-np.ones(150), np.full(150, np.nan), np.zeros(150)])
def test_weights_of_rows_that_are_none_train_nothing(weight):
    mlp = net()
    with pytest.raises(ValueError, match="finite, not negative, and not all zero"):
        N.fine_tune(mlp, X, Y, 1, sample_weight=weight)
    with pytest.raises(ValueError, match="finite, not negative, and not all zero"):
        N.fit_masked(mlp, X, Y, N.weight_masks(mlp, amount=0.5), weight)


def test_a_network_without_weights_on_flows_nowhere():
    off = [np.zeros(w.shape, dtype=bool) for w in net().coefs_]
    assert not any(mask.any() for mask in N.weight_masks(net(), amount=0.5, criterion="synflow", masks=off))


def test_rewinding_asks_for_a_fitted_network():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        N.rewind(MLPClassifier(8, random_state=0), X, Y)


def test_a_path_takes_a_pruner_of_neurons_and_says_that_weights_have_none():
    mlp = net()
    path = tp.pruning_path(mlp, tp.NeuronPruner(criterion="magnitude"), X, Y)
    np.testing.assert_array_equal(path.order, N.neuron_path(mlp, X, criterion="magnitude").order)
    with pytest.raises(ValueError, match="compensate: set parameters on the pruner itself"):
        tp.pruning_path(mlp, tp.NeuronPruner(), X, Y, compensate="none")
    for weights in ("weight", tp.WeightPruner()):
        with pytest.raises(ValueError, match="weights have no path"):
            tp.pruning_path(mlp, weights, X, Y)


def test_numbers_of_neurons_come_as_a_series_too():
    deep = net(hidden_layer_sizes=(8, 4))
    assert N.prune_neurons(deep, X, n_keep=pd.Series([3, 2])).hidden_layer_sizes == (3, 2)


@pytest.mark.parametrize("rotation", range(8))
def test_no_two_curves_of_a_figure_look_alike(rotation):
    names = [*("random", "magnitude", "scratch_equal_epochs", "scratch_equal_macs"), "early_stopping", "weight_decay"]
    names += [f"method {k}" for k in range(rotation)]
    table = pd.DataFrame([(name, n, 0, 0.9) for name in names for n in (4, 2)], columns=COLUMNS)
    lines = N.CostCurveDisplay(table).plot().ax_.get_lines()
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
    pyplot.close("all")
    assert len(looks) == len(lines) == len(names)


def test_the_legend_of_a_figure_covers_no_curve():
    grid = N.quantization_grid({"dense": net()}, X, Y)
    display = N.QuantizationDisplay(grid).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.x0 >= display.ax_.get_window_extent().x1
    assert legend.x1 <= display.figure_.bbox.x1
    pyplot.close("all")
