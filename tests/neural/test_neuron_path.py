"""All sizes of a layer from one fitted network: the same networks, errors and scores as one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from test_neurons import TASKS, net

import treeprune as tp
from treeprune.neural import neuron_importance, neuron_path, prune_neurons
from treeprune.neural.criteria import CRITERIA
from treeprune.neural.observation import activations
from treeprune.repair import one_by_one, penalised_gram, refitted

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def random_layer(seed: int, n: int = 9, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, n)) @ rng.normal(size=(n, n)), rng.normal(size=(n, 4))


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_removing_one_by_one_in_closed_form_is_a_direct_solve_at_every_step(seed: int, given: bool) -> None:
    a, weights = random_layer(seed)
    gram = penalised_gram(a)
    order = np.random.default_rng(seed).permutation(9) if given else None
    kept, total = np.ones(9, dtype=bool), 0.0
    for j, rise, new in one_by_one(gram, weights, order):
        kept[j], total = False, total + rise
        direct = refitted(gram, weights, kept)
        np.testing.assert_allclose(new, direct, atol=1e-8)
        np.testing.assert_allclose(total, np.trace((direct - weights).T @ gram @ (direct - weights)), rtol=1e-9)
    assert not kept.any()


@pytest.mark.parametrize("seed", range(5))
def test_the_surgeons_choice_is_the_best_of_all_at_every_step(seed: int) -> None:
    a, weights = random_layer(seed)
    gram, kept = penalised_gram(a), np.ones(9, dtype=bool)
    for j, _, _ in one_by_one(gram, weights):
        errors = {}
        for candidate in np.flatnonzero(kept):
            without = kept & (np.arange(9) != candidate)
            change = refitted(gram, weights, without) - weights
            errors[int(candidate)] = np.trace(change.T @ gram @ change)
        assert errors[j] == pytest.approx(min(errors.values()), rel=1e-9)
        kept[j] = False


def test_without_a_ridge_the_predicted_error_is_the_mean_squared_error_measured() -> None:
    a, weights = random_layer(0)
    predicted, kept = 0.0, np.ones(9, dtype=bool)
    whole = (a - a.mean(axis=0)) @ weights
    for j, rise, new in one_by_one(penalised_gram(a, ridge=1e-13), weights):
        predicted, kept[j] = predicted + rise, False
        measured = (((a - a.mean(axis=0)) @ new - whole) ** 2).sum(axis=1).mean()
        assert predicted == pytest.approx(measured, rel=1e-8, abs=1e-10)


def test_the_path_predicts_the_penalised_error_of_its_networks() -> None:
    mlp, X, _ = net("classes", "tanh", (12,))
    path = neuron_path(mlp, X)
    gram = penalised_gram(activations(mlp, X)[1])
    for level in range(path.n_levels):
        kept = path.removed_at > level
        change = mlp.coefs_[1].copy()
        change[kept] -= path.network_at(mlp, level).coefs_[1]
        assert path.rise[level] == pytest.approx(np.trace(change.T @ gram @ change), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("compensate", ["least_squares", "mean", "none"])
@pytest.mark.parametrize("search", ["greedy", "one_shot"])
@pytest.mark.parametrize("criterion", ["obs", "magnitude", "ablation", "obd", "random"])
@pytest.mark.parametrize("task", TASKS)
def test_every_level_is_the_network_pruned_to_that_size(
    task: str, criterion: str, search: Any, compensate: Any
) -> None:
    mlp, X, y = net(task, sizes=(6, 5))
    means = {"criterion": criterion, "search": search, "compensate": compensate, "layer": 0}
    path = neuron_path(mlp, X, y, **means)
    predict = "predict" if task in ("numbers", "counts") else "predict_proba"
    for level, one in enumerate(path.networks(mlp)):
        alone = prune_neurons(mlp, X, y, n_keep=6 - level, **means)
        for other in (alone, path.network_at(mlp, level)):
            assert one.hidden_layer_sizes == other.hidden_layer_sizes == (6 - level, 5)
            np.testing.assert_allclose(getattr(one, predict)(X), getattr(other, predict)(X), atol=1e-9)
    np.testing.assert_array_equal(path.price, [6, 5, 4, 3, 2, 1])
    assert int(path.levels_at(3)) == 3


@pytest.mark.parametrize("criterion", [name for name in CRITERIA if name != "random"])
def test_a_row_of_weight_two_is_two_rows_and_one_of_weight_none_is_no_row(criterion: str) -> None:
    mlp, X, y = net("classes", "relu")
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    again = np.repeat(np.arange(len(X)), weight)
    weighted = neuron_importance(mlp, X, y, criterion=criterion, layer=1, sample_weight=weight)
    repeated = neuron_importance(mlp, X[again], y[again], criterion=criterion, layer=1)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-14)
    one = prune_neurons(mlp, X, y, n_keep=[4, 3], criterion=criterion, sample_weight=weight)
    other = prune_neurons(mlp, X[again], y[again], n_keep=[4, 3], criterion=criterion)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss", "f1_macro", None])
def test_the_curve_is_the_scores_of_the_networks(scoring: Any) -> None:
    mlp, X, y = net("classes", sizes=(7,))
    path = tp.pruning_path(mlp, "neuron", X[::2], y[::2])
    curve = tp.pruning_curve(mlp, path, X[::2], y[::2], X[1::2], y[1::2], scoring)
    scorer = get_scorer(scoring or "accuracy")
    for k, small in enumerate(path.networks(mlp)):
        assert curve.train[k] == pytest.approx(scorer(small, X[::2], y[::2]))
        assert curve.test[k] == pytest.approx(scorer(small, X[1::2], y[1::2]))
    assert (curve.unit, curve.parameter, curve.computed_from) == ("neurons", "n_keep", "predictions")
    display = tp.PruningCurveDisplay(curve, level=3).plot()
    assert display.ax_.get_xlabel() == "neurons"
    assert "chosen: 4 neurons" in display.ax_.get_legend().get_texts()[-1].get_text()
    assert len(display.figure_.axes) == 1, "n_keep is the size, it needs no second axis"


def test_the_display_computes_the_curve_of_a_network_itself() -> None:
    mlp, X, y = net("numbers", sizes=(7,))
    display = tp.PruningCurveDisplay.from_estimator(mlp, X[::2], y[::2], X[1::2], y[1::2], method="neuron")
    assert display.curve.n_leaves.tolist() == [7, 6, 5, 4, 3, 2, 1]


# in cross-validation


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_cross_validation_of_sizes_is_pruning_every_fold_to_every_size(task: str) -> None:
    mlp, X, y = net(task, sizes=(6,))
    search = tp.PrunerCV(tp.NeuronPruner(clone(mlp)), cv=3, selection="minimum").fit(X, y)
    splits = (KFold(3) if task == "numbers" else StratifiedKFold(3)).split(X, y)
    scorer = get_scorer("neg_mean_squared_error" if task == "numbers" else "accuracy")
    expected = [
        [scorer(prune_neurons(clone(mlp).fit(X[a], y[a]), X[a], n_keep=n), X[b], y[b]) for n in (6, 5, 4, 3, 2, 1)]
        for a, b in splits
    ]
    np.testing.assert_allclose(search.curve_.test.reshape(3, 6), expected, rtol=1e-9)
    best = search.n_neurons_
    assert search.best_price_ == best == 6 - search.best_level_
    assert search.estimator_.hidden_layer_sizes == (best,)
    np.testing.assert_allclose(search.estimator_.coefs_[1], prune_neurons(search.grown_, X, n_keep=best).coefs_[1])
    assert tp.PruningCurveDisplay.from_cv(search).ax_.get_xlabel() == "neurons (mean of repeats)"
    assert np.isfinite(search.honest_score_)
    assert not hasattr(search, "n_leaves_")


def test_a_grid_of_networks_is_grid_search_with_one_network_a_fold() -> None:
    mlp, X, y = net("classes", sizes=(6,))
    grid = {"n_keep": [2, 4], "criterion": ["obs", "magnitude"]}
    ours = tp.PrunerCV(tp.NeuronPruner(clone(mlp)), grid, cv=3, selection="minimum").fit(X, y)
    theirs = GridSearchCV(tp.NeuronPruner(clone(mlp)), grid, cv=3).fit(X, y)
    by_parameters = {tuple(sorted(p.items())): k for k, p in enumerate(theirs.cv_results_["params"])}
    for fold in range(3):
        scores = ours.curve_.of_repeat(fold)["test"]
        for k, parameters in enumerate(theirs.cv_results_["params"]):
            assert scores[by_parameters[tuple(sorted(parameters.items()))]] == pytest.approx(
                theirs.cv_results_[f"split{fold}_test_score"][k]
            )
    assert ours.n_neurons_ == ours.best_params_["n_keep"]


def test_networks_that_are_trained_on_have_no_path() -> None:
    mlp, X, y = net("classes", sizes=(6,))
    pruner = tp.NeuronPruner(clone(mlp), fine_tune_epochs=2)
    with pytest.raises(ValueError, match=r"fine_tune_epochs=2 trains every size on.*param_grid"):
        tp.PrunerCV(pruner, cv=3).fit(X, y)
    search = tp.PrunerCV(pruner, {"n_keep": [2, 4]}, cv=3).fit(X, y)
    assert search.curve_.parameter == "n_keep"


# inside other models


def wrapped() -> dict[str, Any]:
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((8,), solver="lbfgs", max_iter=40, random_state=0)).fit(
        X, y
    )
    search = GridSearchCV(clone(pipeline), {"mlpclassifier__alpha": [1e-3, 1e-2]}, cv=2).fit(X, y)
    return {"pipeline": pipeline, "search": search, "frozen": FrozenEstimator(pipeline)}


@pytest.mark.parametrize("name", ["pipeline", "search", "frozen"])
def test_a_network_is_pruned_where_it_is(name: str) -> None:
    X, y = load_iris(return_X_y=True)
    model = wrapped()[name]
    inner = model.best_estimator_ if name == "search" else model
    before = inner.predict_proba(X)
    small = tp.prune(model, "neuron", X, y, n_keep=3)
    alone = prune_neurons(inner[-1], inner[0].transform(X), n_keep=3)
    np.testing.assert_array_equal(small.predict_proba(X), alone.predict_proba(inner[0].transform(X)))
    small[0].mean_ += 1  # nothing is shared
    np.testing.assert_array_equal(inner.predict_proba(X), before)
    curve = tp.pruning_curve(model, tp.pruning_path(model, "neuron", X, y), X, y, X, y)
    assert curve.train[5] == pytest.approx(alone.score(inner[0].transform(X), y))


@pytest.mark.parametrize("epochs", [0, 3])
def test_a_pruner_trains_and_prunes_a_pipeline(epochs: int) -> None:
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=40, random_state=0))
    pruner = tp.NeuronPruner(pipeline, n_keep=3, fine_tune_epochs=epochs, random_state=0).fit(X, y)
    assert pruner.n_neurons_ == 3
    assert pruner.grown_[-1].hidden_layer_sizes == (8,)
    assert pruner.estimator_[-1].coefs_[0].shape == (4, 3)
    frozen = tp.NeuronPruner(FrozenEstimator(pruner.grown_), n_keep=3).fit(X, y)
    np.testing.assert_array_equal(frozen.grown_.predict(X), pruner.grown_.predict(X))
    if not epochs:
        np.testing.assert_allclose(frozen.predict_proba(X), pruner.predict_proba(X))


def test_weights_reach_the_network_and_its_pruning() -> None:
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).integers(1, 3, len(y)).astype(float)
    mlp = MLPClassifier((8,), solver="lbfgs", max_iter=60, random_state=0)
    try:
        dense = clone(mlp).fit(scale(X), y, sample_weight=weight)
    except TypeError:
        with pytest.raises(ValueError, match=r"sample_weight: networks are trained with weights by scikit-learn 1\.7"):
            tp.NeuronPruner(mlp, n_keep=3).fit(scale(X), y, sample_weight=weight)
        return
    pruner = tp.NeuronPruner(mlp, n_keep=3).fit(scale(X), y, sample_weight=weight)
    alone = prune_neurons(dense, scale(X), n_keep=3, sample_weight=weight)
    np.testing.assert_array_equal(pruner.predict_proba(scale(X)), alone.predict_proba(scale(X)))


# errors


def test_what_is_no_path_of_the_network_is_refused() -> None:
    mlp, X, y = net("classes", sizes=(7,))
    path = neuron_path(mlp, X)
    with pytest.raises(ValueError, match="level 7 does not exist: levels run from 0 to 6"):
        path.network_at(mlp, 7)
    other = clone(mlp).set_params(random_state=3).fit(X, y)
    for act in (lambda: path.network_at(other, 2), lambda: list(path.networks(other))):
        with pytest.raises(ValueError, match="this path is of another network"):
            act()
    with pytest.raises(TypeError, match="a fitted MLPClassifier or MLPRegressor of scikit-learn is wanted"):
        path.network_at("mlp", 2)
    with pytest.raises(ValueError, match="n_keep=3: a path holds the networks of every size"):
        tp.pruning_path(mlp, "neuron", X, y, n_keep=3)
    for act in (tp.prune, tp.pruning_path):
        with pytest.raises(ValueError, match="X is missing: neurons are ranked"):
            act(mlp, "neuron")
        more = {"n_keep": 3} if act is tp.prune else {}
        with pytest.raises(ValueError, match="neuron has no parameter 'm': it takes"):
            act(mlp, "neuron", X, y, m=2, **more)
    with pytest.raises(ValueError, match="n_keep must be given"):
        tp.prune(mlp, "neuron", X, y)
    with pytest.raises(NotFittedError):
        tp.pruning_path(MLPRegressor(), "neuron", X, y)


@pytest.mark.parametrize("weight", [np.ones(3), -np.ones(150), np.zeros(150), np.full(150, np.nan)])
def test_weights_that_are_none_are_refused(weight: np.ndarray) -> None:
    mlp, X, y = net("classes", sizes=(7,))
    with pytest.raises(ValueError, match="sample_weight"):
        neuron_importance(mlp, X, y, sample_weight=weight)


def test_leaves_of_a_network_are_not_refitted() -> None:
    mlp, X, y = net("classes", sizes=(7,))
    with pytest.raises(ValueError, match="refit='leaves' is for trees"):
        tp.PrunerCV(tp.NeuronPruner(clone(mlp)), cv=0.3, refit="leaves").fit(X, y)
    kept = tp.PrunerCV(tp.NeuronPruner(clone(mlp)), cv=0.3, refit="none", random_state=0).fit(X, y)
    assert kept.estimator_.hidden_layer_sizes == (kept.n_neurons_,)


def test_an_estimator_that_holds_no_network_is_named() -> None:
    X, y = load_digits(return_X_y=True)
    with pytest.raises(TypeError, match="got StandardScaler: an MLPClassifier or MLPRegressor"):
        tp.NeuronPruner(make_pipeline(StandardScaler())).fit(X, y)


def test_a_pruner_of_networks_may_be_given_for_its_name() -> None:
    mlp, X, y = net("classes", sizes=(7,))
    small = tp.prune(mlp, tp.NeuronPruner(n_keep=3, criterion="magnitude"), X, y)
    np.testing.assert_array_equal(small.coefs_[0], prune_neurons(mlp, X, n_keep=3, criterion="magnitude").coefs_[0])
    sparse = tp.prune(mlp, tp.WeightPruner(amount=0.5), X, y)
    np.testing.assert_array_equal(sparse.coefs_[0], tp.prune(mlp, "weight", X, y, amount=0.5).coefs_[0])
    with pytest.raises(ValueError, match="parameters are set on the pruner itself"):
        tp.prune(mlp, tp.NeuronPruner(n_keep=3), X, y, criterion="obs")
    with pytest.raises(ValueError, match="timing='before' prunes as it trains"):
        tp.prune(mlp, tp.WeightPruner(timing="before"), X, y)
    with pytest.raises(ValueError, match="no hidden layer: there are no neurons"):
        tp.prune(MLPClassifier((), max_iter=5, random_state=0).fit(X, y), "neuron", X, y, n_keep=3)
