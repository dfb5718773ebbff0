"""Training under masks, by schedules and from the first weights, and the estimator that does all of it."""

from __future__ import annotations

from copy import deepcopy
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

import treeprune as tp
from treeprune.neural import (
    ConstantSparsity,
    PolynomialDecay,
    fine_tune,
    fit_masked,
    initial_network,
    rewind,
    weight_masks,
)
from treeprune.neural.weight_pruner import WeightPruner

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X = X[:400] / 16
Y = Y[:400]


def mlp_of(solver: str = "adam", **parameters: Any) -> Any:
    return MLPClassifier((12,), solver=solver, **{"max_iter": 8, "random_state": 0, **parameters})


def off(masks: Any) -> int:
    return sum(int((~mask).sum()) for mask in masks)


# ---- schedules -------------------------------------------------------------------------------------------------------


def test_polynomial_decay_is_the_formula_of_zhu_and_gupta() -> None:
    schedule = PolynomialDecay(initial=0.2, final=0.9, begin=10, end=50)
    for t in range(60):
        inside = min(max(t - 10, 0), 40) / 40
        expected = 0.0 if t < 10 else 0.9 + (0.2 - 0.9) * (1 - inside) ** 3
        assert schedule(t) == pytest.approx(expected, abs=1e-15)
    line = PolynomialDecay(final=0.8, end=4, power=1)
    assert [line(t) for t in range(6)] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 0.8])
    assert [ConstantSparsity(0.5, begin=2)(t) for t in range(4)] == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PolynomialDecay(final=1.2, end=5), "final=1.2"),
        (lambda: PolynomialDecay(final=0.2, end=5, initial=0.5), "final=0.2"),
        (lambda: PolynomialDecay(final=0.5, end=5, begin=5), "end=5"),
        (lambda: PolynomialDecay(final=0.5, end=5, power=-1), "power=-1"),
        (lambda: ConstantSparsity(2.0), "final=2.0"),
        (lambda: ConstantSparsity(0.5, begin=-1), "begin=-1"),
    ],
)
def test_schedules_that_make_no_sense_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# ---- training under masks --------------------------------------------------------------------------------------------


def test_fifty_masked_steps_are_those_of_a_plain_loop() -> None:
    """Gradient descent by hand on the penalised cross-entropy, every weight that is off at zero after each step."""
    rows, target = X[:50], Y[:50]
    mlp = mlp_of("sgd", learning_rate_init=0.1, momentum=0.0, batch_size=50, alpha=0.01, activation="tanh").fit(X, Y)
    masks = weight_masks(mlp, amount=0.6)
    tuned = fine_tune(mlp, rows, target, 50, masks=masks, random_state=0)
    (w1, w2), (b1, b2) = [w * m for w, m in zip(mlp.coefs_, masks, strict=True)], mlp.intercepts_
    wanted = np.eye(10)[target]
    rng = np.random.RandomState(0)
    for _ in range(50):
        order = rng.permutation(50)
        a0 = rows[order]
        a1 = np.tanh(a0 @ w1 + b1)
        z = a1 @ w2 + b2
        p = np.exp(z - z.max(axis=1, keepdims=True))
        d2 = p / p.sum(axis=1, keepdims=True) - wanted[order]
        d1 = d2 @ w2.T * (1 - a1**2)
        w2, b2 = w2 - 0.1 * (a1.T @ d2 + 0.01 * w2) / 50, b2 - 0.1 * d2.mean(axis=0)
        w1, b1 = w1 - 0.1 * (a0.T @ d1 + 0.01 * w1) / 50, b1 - 0.1 * d1.mean(axis=0)
        w1, w2 = w1 * masks[0], w2 * masks[1]
    for ours, by_hand in zip([*tuned.coefs_, *tuned.intercepts_], [w1, w2, b1, b2], strict=True):
        np.testing.assert_allclose(ours, by_hand, atol=1e-12)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_zeroing_after_each_batch_is_training_with_masked_gradients(kind: Any, solver: str) -> None:
    """Two ways to hold a mask, one with public methods only: ten epochs, the same weights."""
    mlp = kind(hidden_layer_sizes=(9,), solver=solver, max_iter=3, batch_size=400, shuffle=False, random_state=0)
    mlp.fit(X, Y)
    masks = weight_masks(mlp, amount=0.7)
    start = rewind(mlp, X, Y, masks)
    start.set_params(max_iter=10, n_iter_no_change=20)
    whole = fit_masked(start, X, Y, masks)
    epochs = deepcopy(start)
    for w in epochs.coefs_:
        assert (w == 0).any()
    for _ in range(10):
        epochs.partial_fit(X, Y)
        for w, mask in zip(epochs.coefs_, masks, strict=True):
            w *= mask
    for one, other in zip(whole.coefs_, epochs.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_no_weight_comes_back_in_a_whole_fit(solver: str, early_stopping: bool) -> None:
    mlp = mlp_of(solver, early_stopping=early_stopping and solver != "lbfgs").fit(X, Y)
    masks = weight_masks(mlp, amount=0.8)
    fitted = fit_masked(mlp, X, Y, masks)
    assert type(fitted) is MLPClassifier
    assert not fitted.warm_start
    for w, mask, before in zip(fitted.coefs_, masks, mlp.coefs_, strict=True):
        assert (w[~mask] == 0).all()
        assert not np.array_equal(w[mask], before[mask]), "nothing was trained"


def test_a_mask_and_a_schedule_hold_through_batches_of_any_size_and_every_kind_of_table() -> None:
    frame = pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)])
    mlp = mlp_of(batch_size=64).fit(frame, Y)
    n = sum(w.size for w in mlp.coefs_)
    schedule = PolynomialDecay(final=0.9, end=30)
    tuned = fine_tune(mlp, frame, Y, 6, schedule=schedule)
    assert sum(int((w == 0).sum()) for w in tuned.coefs_) == round(0.9 * n)
    held = fine_tune(tuned, frame, Y, 2, masks=[w != 0 for w in tuned.coefs_])
    for before, after in zip(tuned.coefs_, held.coefs_, strict=True):
        np.testing.assert_array_equal(before == 0, after == 0)
    assert mlp.loss_curve_ == tuned.loss_curve_, "losses of batches are no losses of epochs"
    assert tuned.get_params() == mlp.get_params()


def test_pruning_on_a_schedule_keeps_more_than_pruning_at_once() -> None:
    rows, target = load_digits(return_X_y=True)
    rows = rows / 16
    mlp = MLPClassifier((50,), learning_rate_init=0.01, max_iter=40, random_state=0).fit(rows[:1000], target[:1000])
    steps = 5 * 30
    slowly = fine_tune(mlp, rows[:1000], target[:1000], 30, schedule=PolynomialDecay(final=0.97, end=steps * 3 // 4))
    masks = weight_masks(mlp, amount=0.97)
    at_once = fine_tune(mlp, rows[:1000], target[:1000], 30, masks=masks)
    assert sum(int((w == 0).sum()) for w in slowly.coefs_) == off(masks)
    assert slowly.score(rows[1000:], target[1000:]) > at_once.score(rows[1000:], target[1000:]) + 0.05


def test_an_adaptive_learning_rate_does_not_take_batches_for_epochs() -> None:
    mlp = mlp_of("sgd", learning_rate="adaptive", learning_rate_init=0.1, batch_size=20, n_iter_no_change=2, tol=10.0)
    mlp.fit(X, Y)
    before = mlp._optimizer.learning_rate
    assert fine_tune(mlp, X, Y, 3)._optimizer.learning_rate == before


def test_a_warm_started_fit_after_further_training_does_not_stop_for_the_best_batch_nor_bring_weights_back() -> None:
    for early_stopping in (False, True):
        mlp = mlp_of(early_stopping=early_stopping, warm_start=True, learning_rate_init=0.01).fit(X, Y)
        tuned = fine_tune(mlp, X, Y, 3)
        later = deepcopy(tuned).fit(X, Y)
        assert later.n_iter_ == 8
        assert not np.array_equal(later.coefs_[0], mlp.coefs_[0])


@pytest.mark.parametrize("learning_rate", ["constant", "invscaling"])
def test_further_training_in_batches_is_the_solvers_own_epoch(learning_rate: str) -> None:
    """One batch an epoch, so that `partial_fit` on all rows is the same step."""
    mlp = mlp_of("sgd", learning_rate=learning_rate, batch_size=400, max_iter=3).fit(X, Y)
    tuned, own = fine_tune(mlp, X, Y, 4), deepcopy(mlp).set_params(shuffle=False)
    rng = np.random.RandomState(0)
    for _ in range(4):
        order = rng.permutation(400)
        own.partial_fit(X[order], Y[order])
    np.testing.assert_allclose(tuned.coefs_[0], own.coefs_[0], atol=1e-12)
    assert tuned.t_ == own.t_ == mlp.t_ + 1600


def test_a_whole_fit_under_masks_opens_pipelines() -> None:
    model = make_pipeline(StandardScaler(), mlp_of()).fit(X, Y)
    masks = weight_masks(model, amount=0.5)
    fitted = fit_masked(model, X, Y, masks)
    direct = fit_masked(model[-1], model[0].transform(X), Y, masks)
    np.testing.assert_array_equal(fitted[-1].coefs_[0], direct.coefs_[0])


# ---- back to the start -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_initial_weights_are_exactly_those_that_fit_begins_with(
    solver: str, early_stopping: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlp, begun = mlp_of(solver, early_stopping=early_stopping and solver != "lbfgs"), []
    initialised = MLPClassifier._initialize

    def noted(self: Any, *given: Any) -> None:
        initialised(self, *given)
        begun.append([*(w.copy() for w in self.coefs_), *(b.copy() for b in self.intercepts_)])

    monkeypatch.setattr(MLPClassifier, "_initialize", noted)
    fitted = mlp.fit(X, Y)
    start = initial_network(fitted, X, Y)
    for ours, theirs in zip([*start.coefs_, *start.intercepts_], begun[0], strict=True):
        assert np.abs(ours - theirs).max() == 0.0
    assert start.get_params() == fitted.get_params()


def test_training_from_the_initial_weights_is_the_fit_itself() -> None:
    mlp = mlp_of(max_iter=12, shuffle=False).fit(X, Y)
    again = fit_masked(initial_network(mlp, X, Y), X, Y, [np.ones(w.shape, dtype=bool) for w in mlp.coefs_])
    for one, other in zip(mlp.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_ticket_has_its_first_weights_where_it_is_on() -> None:
    mlp = mlp_of().fit(X, Y)
    masks, start = weight_masks(mlp, amount=0.8), initial_network(mlp, X, Y)
    ticket = rewind(mlp, X, Y, masks)
    for w, mask, first in zip(ticket.coefs_, masks, start.coefs_, strict=True):
        np.testing.assert_array_equal(w, first * mask)
    small = tp.neural.prune_weights(mlp, amount=0.8)
    for w, same in zip(ticket.coefs_, rewind(small, X, Y).coefs_, strict=True):
        np.testing.assert_array_equal(w, same)
    with pytest.raises(ValueError, match="random_state=None: every fit begins with other weights"):
        rewind(mlp_of(random_state=None).fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="masks must be bool"):
        rewind(mlp, X, Y, masks[:1])


# ---- the estimator ---------------------------------------------------------------------------------------------------


def small_net(kind: Any = MLPClassifier, **parameters: Any) -> Any:
    return kind(hidden_layer_sizes=(8,), **{"max_iter": 60, "random_state": 0, "solver": "lbfgs", **parameters})


@parametrize_with_checks(
    [
        WeightPruner(small_net(), amount=0.2),
        WeightPruner(small_net(MLPRegressor), amount=0.2),
        WeightPruner(small_net(), amount=0.2, timing="before"),
        WeightPruner(small_net(solver="adam", learning_rate_init=0.1), amount=0.2, timing="during"),
    ]
)
def test_it_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    name = getattr(check, "func", check).__name__
    if name in ("check_array_api_input", "check_classifiers_multilabel_output_format_decision_function"):
        return  # scikit-learn itself skips them here
    if "sample_weight" in name and "sample_weight" not in signature(MLPClassifier.fit).parameters:
        return  # before scikit-learn 1.7
    check(estimator)


@pytest.mark.parametrize("criterion", ["magnitude", "snip", "synflow", "random"])
def test_weights_switched_off_before_training_are_never_trained(criterion: str) -> None:
    pruner = tp.WeightPruner(
        mlp_of(max_iter=30, learning_rate_init=0.03), amount=0.7, criterion=criterion, timing="before"
    ).fit(X, Y)
    start = initial_network(mlp_of(max_iter=30, learning_rate_init=0.03), X, Y)
    for one, other in zip(pruner.masks_, weight_masks(start, X, Y, amount=0.7, criterion=criterion), strict=True):
        np.testing.assert_array_equal(one, other)
    assert pruner.achieved_ == pytest.approx(0.7, abs=1e-3)
    assert all((w[~m] == 0).all() for w, m in zip(pruner.estimator_.coefs_, pruner.masks_, strict=True))
    assert pruner.score(X, Y) > pruner.grown_.score(X, Y) + 0.3
    with pytest.raises(ValueError, match="timing='before' prunes as it trains"):
        pruner.prune(X, Y)


def test_weights_switched_off_during_training_reach_the_amount() -> None:
    mlp = mlp_of(max_iter=30, learning_rate_init=0.03)
    pruner = tp.WeightPruner(mlp, amount=0.8, timing="during").fit(X, Y)
    assert pruner.achieved_ == pytest.approx(0.8, abs=1e-3)
    assert pruner.score(X, Y) > 0.5
    own = tp.WeightPruner(mlp, timing="during", schedule=ConstantSparsity(0.6, begin=3)).fit(X, Y)
    assert own.achieved_ == pytest.approx(0.6, abs=1e-3)


def test_after_training_it_does_what_the_functions_do() -> None:
    pruner = tp.WeightPruner(mlp_of(max_iter=30, learning_rate_init=0.03), amount=0.7).fit(X, Y)
    dense = mlp_of(max_iter=30, learning_rate_init=0.03).fit(X, Y)
    direct = tp.neural.prune_weights(dense, X, amount=0.7)
    np.testing.assert_array_equal(pruner.predict_proba(X), direct.predict_proba(X))
    assert (pruner.achieved_, pruner.n_nonzero_) == (
        pytest.approx(0.7, abs=1e-3),
        sum(int((w != 0).sum()) for w in direct.coefs_),
    )
    pruner.set_params(amount=0.9, compensate="none").prune(X, Y)
    assert pruner.achieved_ == pytest.approx(0.9, abs=1e-3)
    again = tp.WeightPruner(FrozenEstimator(dense), amount=0.7).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), direct.predict_proba(X))


def test_rewound_and_tuned_networks_keep_their_zeros_and_so_do_later_epochs() -> None:
    for more in ({"rewind": True}, {"fine_tune_epochs": 3}, {"rewind": True, "fine_tune_epochs": 2}):
        pruner = tp.WeightPruner(mlp_of(max_iter=20), amount=0.8, **more).fit(X, Y)
        zeros = [~mask for mask in pruner.masks_]
        later = fine_tune(pruner.estimator_, X, Y, 2, masks=pruner.masks_)
        for model in (pruner.estimator_, later):
            assert all((w[z] == 0).all() for w, z in zip(model.coefs_, zeros, strict=True))
        assert not np.array_equal(later.coefs_[0], pruner.estimator_.coefs_[0])


def test_the_surgeon_is_a_criterion_of_the_estimator() -> None:
    iris, kinds = load_iris(return_X_y=True)
    pruner = tp.WeightPruner(small_net(), amount=0.6, criterion="obs").fit(scale(iris), kinds)
    direct = tp.neural.prune_weights(pruner.grown_, scale(iris), amount=0.6, criterion="obs")
    np.testing.assert_array_equal(pruner.estimator_.coefs_[0], direct.coefs_[0])
    assert pruner.n_nonzero_ == 56 - round(0.6 * 56)


def test_it_works_in_searches_pipelines_and_cross_validation() -> None:
    iris, kinds = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), tp.WeightPruner(small_net()))
    search = GridSearchCV(pipeline, {"weightpruner__amount": [0.2, 0.9]}, cv=3).fit(iris, kinds)
    assert search.best_score_ > 0.8
    grid = {"amount": [0.1, 0.5, 0.95]}
    ours = tp.PrunerCV(tp.WeightPruner(small_net()), grid, cv=3, selection="minimum").fit(scale(iris), kinds)
    theirs = GridSearchCV(tp.WeightPruner(small_net()), grid, cv=3).fit(scale(iris), kinds)
    np.testing.assert_allclose(ours.scores_.test, theirs.cv_results_["mean_test_score"])
    assert ours.n_nonzero_ == 56 - round(ours.best_params_["amount"] * 56)
    assert ours.curve_.unit == "weights"
    assert tp.PruningCurveDisplay.from_cv(ours).ax_.get_xlabel() == "weights (mean of repeats)"
    with pytest.raises(ValueError, match="no path to choose from: give param_grid"):
        tp.PrunerCV(tp.WeightPruner(small_net()), cv=3).fit(iris, kinds)


def test_regression_and_clones_work() -> None:
    rows, y = load_diabetes(return_X_y=True)
    pruner = tp.WeightPruner(small_net(MLPRegressor, max_iter=300), amount=0.3).fit(scale(rows), scale(y))
    assert pruner.score(scale(rows), scale(y)) > 0.4
    assert clone(pruner).get_params()["amount"] == 0.3


@pytest.mark.parametrize(
    ("pruner", "error", "message"),
    [
        (tp.WeightPruner(mlp_of(), criterion="best"), ValueError, "criterion='best'"),
        (tp.WeightPruner(mlp_of(), timing="later"), ValueError, "timing='later'"),
        (tp.WeightPruner(mlp_of(), amount=2.0), ValueError, "amount must be a share"),
        (tp.WeightPruner(mlp_of(), timing="before", rewind=True), ValueError, "rewind=True, timing='before'"),
        (tp.WeightPruner(mlp_of(), schedule=ConstantSparsity(0.5)), ValueError, "schedule is for timing='during'"),
        (tp.WeightPruner(mlp_of("lbfgs"), fine_tune_epochs=2), ValueError, "lbfgs' knows no epochs"),
        (tp.WeightPruner(mlp_of("lbfgs"), timing="during"), ValueError, "lbfgs' knows no epochs"),
        (tp.WeightPruner(mlp_of(random_state=None), timing="before"), ValueError, "random_state=None"),
        (tp.WeightPruner(StandardScaler()), TypeError, "an MLPClassifier or MLPRegressor itself"),
        (tp.WeightPruner(mlp_of(), timing="during", schedule=lambda step: 2.0), ValueError, "must return a share"),
    ],
)
def test_what_makes_no_sense_is_refused(pruner: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        pruner.fit(X, Y)


def test_an_error_leaves_the_pruner_as_it_was() -> None:
    pruner = tp.WeightPruner(mlp_of(), amount=0.5).fit(X, Y)
    before = pruner.estimator_
    with pytest.raises(ValueError, match="amount must be"):
        pruner.set_params(amount=7.0).prune(X, Y)
    assert pruner.estimator_ is before
    with pytest.raises(ValueError, match="knows no mini-batches"):
        fine_tune(mlp_of("lbfgs").fit(X, Y), X, Y, 2)
    with pytest.raises(ValueError, match="epochs=0"):
        fine_tune(before, X, Y, 0)
