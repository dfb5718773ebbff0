"""Weights of scikit-learn's networks switched off: scores by finite differences, counts as torch has them."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_neurons import TASKS, net

import treeprune as tp
from treeprune.neural import prune_weights, weight_masks, with_masks
from treeprune.neural.masks import ALL_CRITERIA, achieved, weight_evidence
from treeprune.neural.observation import _loss_from, activations, gauss_newton
from treeprune.neural.removal import checked_rows
from treeprune.neural.weight_scores import WEIGHT_CRITERIA, WeightEvidence, count_of, synflow
from treeprune.repair import penalised_gram

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def losses(mlp: Any, X: Any, y: Any) -> np.ndarray:
    network, rows = checked_rows(mlp, X, y, None, True, True)
    return _loss_from(network, activations(network, rows.X)[-1], rows.target, len(network.coefs_) - 1)


def moved(mlp: Any, layer: int, at: tuple[int, int], by: float) -> Any:
    other = deepcopy(mlp)
    other.coefs_[layer][at] += by
    return other


def scores(mlp: Any, X: Any, y: Any, criterion: str) -> list[np.ndarray]:
    network, rows = checked_rows(mlp, X, y, None, True, True)
    on = [np.ones(w.shape, dtype=bool) for w in network.coefs_]
    seen = weight_evidence(network, rows, on, criterion, np.random.default_rng(0))
    return [WEIGHT_CRITERIA[criterion](layer) for layer in seen]


def some_weights(mlp: Any) -> list[tuple[int, tuple[int, int]]]:
    rng = np.random.default_rng(0)
    layers = np.repeat(np.arange(len(mlp.coefs_)), 6).tolist()
    shapes = [mlp.coefs_[k].shape for k in layers]
    return [(k, (int(rng.integers(n)), int(rng.integers(m)))) for k, (n, m) in zip(layers, shapes, strict=True)]


# ---- scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "logistic", "identity"])
@pytest.mark.parametrize("task", TASKS)
def test_scores_of_the_gradient_equal_finite_differences(task: str, activation: str) -> None:
    mlp, X, y = net(task, activation)
    snip, fisher, step = scores(mlp, X, y, "snip"), scores(mlp, X, y, "fisher"), 1e-5
    for layer, at in some_weights(mlp):
        slope = (losses(moved(mlp, layer, at, step), X, y) - losses(moved(mlp, layer, at, -step), X, y)) / (2 * step)
        w = mlp.coefs_[layer][at]
        assert snip[layer][at] == pytest.approx(abs(w * slope.mean()), rel=1e-5, abs=1e-9)
        assert fisher[layer][at] == pytest.approx((w * slope) ** 2 @ np.full(len(X), 1 / len(X)), rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("task", TASKS)
def test_obd_of_the_last_layer_is_half_the_second_derivative(task: str) -> None:
    mlp, X, y = net(task, "tanh")
    obd, step = scores(mlp, X, y, "obd"), 1e-3
    for layer, at in [(k, at) for k, at in some_weights(mlp) if k == 2]:
        low, middle, high = (losses(moved(mlp, layer, at, by), X, y).mean() for by in (-step, 0, step))
        expected = mlp.coefs_[layer][at] ** 2 * (low - 2 * middle + high) / step**2 / 2
        assert obd[layer][at] == pytest.approx(expected, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("task", TASKS)
def test_the_diagonal_of_the_gauss_newton_matrix_is_the_curvature_of_obd(task: str) -> None:
    mlp, X, y = net(task, "tanh", (4, 3))
    matrix = gauss_newton(mlp, X, np.full(len(X), 1 / len(X)))
    weights = np.concatenate([w.ravel() for w in mlp.coefs_])
    expected = np.concatenate([s.ravel() for s in scores(mlp, X, y, "obd")])
    np.testing.assert_allclose(weights**2 * np.diag(matrix) / 2, expected, rtol=1e-9)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9


def test_lamp_is_its_definition_and_empties_no_layer() -> None:
    mlp, _, _ = net("classes")
    for w in mlp.coefs_:
        seen = WEIGHT_CRITERIA["lamp"](WeightEvidence(w, np.random.default_rng(0)))
        for at, weight in np.ndenumerate(w):
            assert seen[at] == pytest.approx(weight**2 / (w[np.abs(w) >= abs(weight)] ** 2).sum())
    n = sum(w.size for w in mlp.coefs_)
    masks = weight_masks(mlp, amount=n - 3, criterion="lamp")
    assert [int(mask.sum()) for mask in masks] == [1, 1, 1]


def test_wanda_weighs_by_the_norm_of_what_comes_in_and_compares_within_neurons() -> None:
    mlp, X, y = net("classes")
    received = activations(mlp, X)
    for k, found in enumerate(scores(mlp, X, y, "wanda")):
        expected = np.abs(mlp.coefs_[k]) * np.linalg.norm(received[k], axis=0)[:, None] / np.sqrt(len(X))
        np.testing.assert_allclose(found, expected)
    masks = weight_masks(mlp, X, amount=0.5, criterion="wanda", scope="neuron")
    for mask in masks:
        assert (mask.sum(axis=0) == len(mask) - count_of(0.5, len(mask))).all()


def test_obs_of_a_layer_removes_weight_after_weight_by_the_least_rise_of_the_penalised_error() -> None:
    mlp, X, y = net("classes", sizes=(7,))
    for rows in (1.0, np.where(np.arange(7) == 2, 0.0, 1.0)[:, None]):  # with weights that are off too
        mlp.coefs_[1] = mlp.coefs_[1] * rows
        found = scores(mlp, X, y, "obs_layer")[1]
        gram = penalised_gram(activations(mlp, X)[1])
        for w, score in zip(mlp.coefs_[1].T, found.T, strict=True):

            def error(left, w=w, gram=gram):
                kept = np.isin(np.arange(7), list(left))
                new = np.zeros(7)
                new[kept] = np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept] @ w)
                return (new - w) @ gram @ (new - w)

            left, highest = set(np.flatnonzero(w)), 0.0
            assert (score[w == 0] == 0).all()
            while left:
                rises = {i: error(left - {i}) - error(left) for i in left}
                i = min(rises, key=lambda i: rises[i])
                highest = max(highest, rises[i])
                assert score[i] == pytest.approx(highest, rel=1e-6, abs=1e-12)
                left.remove(i)


@pytest.mark.parametrize("sizes", [(5,), (6, 4), (6, 4, 5)])
def test_synflow_conserves_what_flows_through_layers_and_neurons(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    shapes = [3, *sizes, 2]
    weights = [rng.normal(size=(a, b)) for a, b in pairwise(shapes)]
    flow = np.ones(3)
    for w in weights:
        flow = flow @ np.abs(w)
    found = synflow(weights)
    for part in found:
        assert part.sum() == pytest.approx(flow.sum(), rel=1e-13)
    for into, out_of in pairwise(found):
        np.testing.assert_allclose(into.sum(axis=0), out_of.sum(axis=1), rtol=1e-13)
    step, w = 1e-6, weights[0].copy()
    w[1, 2] *= 1 + step
    more = np.ones(3) @ np.abs(w)
    for other in weights[1:]:
        more = more @ np.abs(other)
    assert found[0][1, 2] == pytest.approx((more.sum() - flow.sum()) / step, rel=1e-5)


def test_synflow_leaves_a_way_through_at_98_per_cent_where_magnitude_does_not() -> None:
    X, y = load_digits(return_X_y=True)
    start = tp.neural.initial_network(MLPClassifier((30, 30, 30, 30), random_state=0), X, y)
    by_flow = weight_masks(start, amount=0.98, criterion="synflow")
    assert achieved(by_flow) == pytest.approx(0.98, abs=1e-3)
    assert min(int(mask.sum()) for mask in by_flow) > 0
    way = np.ones(64, dtype=bool)
    for mask in by_flow:
        way = (mask & way[:, None]).any(axis=0)
    assert way.any()


# ---- masks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "n", "gone"),
    [(0.5, 5, 2), (0.3, 5, 2), (0.1, 5, 0), (0.7, 5, 4), (0.9, 5, 4), (1, 5, 1), (1.0, 5, 5), (0, 5, 0), (5, 5, 5)],
)
def test_amounts_are_counted_as_torch_counts(amount: float, n: int, gone: int) -> None:
    assert count_of(amount, n) == gone


@pytest.mark.parametrize("amount", [6, -1, 1.5, -0.1, True, "half", None, np.nan])
def test_amounts_that_are_none_are_refused(amount: Any) -> None:
    with pytest.raises(ValueError, match=r"amount must be a share from 0\.0 to 1\.0 or a number up to the 5 weights"):
        count_of(amount, 5)


@pytest.mark.parametrize("scope", ["global", "layer", "neuron"])
@pytest.mark.parametrize("criterion", ALL_CRITERIA)
def test_the_lowest_go_and_rounds_act_on_what_is_left(criterion: str, scope: Any) -> None:
    mlp, X, y = net("classes", sizes=(6,))
    if criterion in ("synflow", "obs") and scope != "global":
        with pytest.raises(ValueError, match="compares all weights, so scope is 'global'"):
            weight_masks(mlp, X, y, amount=0.5, criterion=criterion, scope=scope)
        return
    before = deepcopy(mlp)
    first = weight_masks(mlp, X, y, amount=0.5, criterion=criterion, scope=scope)
    second = weight_masks(mlp, X, y, amount=0.5, criterion=criterion, scope=scope, masks=first)
    n, left = sum(w.size for w in mlp.coefs_), sum(int(m.sum()) for m in first)
    if scope == "global":
        assert left == n - count_of(0.5, n)
        assert sum(int(m.sum()) for m in second) == left - count_of(0.5, left)
    for one, two in zip(first, second, strict=True):
        assert not (two & ~one).any(), "a weight came back"
        assert two.sum() <= one.sum()
    if criterion in WEIGHT_CRITERIA and scope == "global" and criterion != "random":
        found = scores(mlp, X, y, criterion)
        on = np.concatenate([s[m] for s, m in zip(found, first, strict=True)])
        off = np.concatenate([s[~m] for s, m in zip(found, first, strict=True)])
        assert off.max() <= on.min()
    for w, old in zip(mlp.coefs_, before.coefs_, strict=True):
        np.testing.assert_array_equal(w, old)


def test_without_a_repair_the_other_weights_stay_and_with_one_they_are_the_least_squares() -> None:
    mlp, X, _ = net("classes", sizes=(6,))
    masks = weight_masks(mlp, amount=0.5)
    plain = with_masks(mlp, masks)
    for w, mask, new in zip(mlp.coefs_, masks, plain.coefs_, strict=True):
        np.testing.assert_array_equal(new, w * mask)
    repaired = with_masks(mlp, masks, X)
    before, now = activations(mlp, X), activations(repaired, X)
    for k, mask in enumerate(masks):
        wanted = before[k] @ mlp.coefs_[k] + mlp.intercepts_[k]
        centred, n = now[k] - now[k].mean(axis=0), len(X)
        pull = 1e-3 * centred.var(axis=0).mean()
        for j, on in enumerate(mask.T):
            w, new = mlp.coefs_[k][:, j], repaired.coefs_[k][:, j]
            assert (new[~on] == 0).all()
            left = np.vstack([centred[:, on] / np.sqrt(n), np.sqrt(pull) * np.eye(on.sum())])
            right = np.append((wanted[:, j] - wanted[:, j].mean()) / np.sqrt(n), np.sqrt(pull) * w[on])
            np.testing.assert_allclose(new[on], np.linalg.lstsq(left, right, rcond=None)[0], atol=1e-8)
            assert repaired.intercepts_[k][j] == pytest.approx(wanted[:, j].mean() - now[k].mean(axis=0) @ new)


def test_deep_networks_are_repaired_by_what_the_pruned_layers_send() -> None:
    X, y = load_digits(return_X_y=True)
    X = X / 16
    mlp = MLPClassifier((40, 30, 20), max_iter=120, random_state=0).fit(X[::2], y[::2])
    scores = [
        prune_weights(mlp, X[::2], amount=0.85, compensate=repair).score(X[1::2], y[1::2])
        for repair in ("none", "least_squares")
    ]
    assert scores[1] > max(0.8, scores[0] + 0.1)


def test_weights_at_zero_count_as_off_when_a_network_is_pruned_again() -> None:
    mlp, X, _ = net("classes", sizes=(10,))
    once = prune_weights(mlp, X, amount=0.5)
    twice = prune_weights(once, X, amount=0.5)
    n_on = [sum(int((w != 0).sum()) for w in model.coefs_) for model in (mlp, once, twice)]
    assert n_on[1:] == [n_on[0] - round(n_on[0] / 2), n_on[1] - round(n_on[1] / 2)]


def test_the_surgeon_moves_the_other_weights_to_where_the_second_order_loss_is_least() -> None:
    mlp, X, y = net("classes", "tanh", (4,), alpha=1e-2, solver="lbfgs")
    small = prune_weights(mlp, X, y, amount=1, criterion="obs")
    matrix = gauss_newton(mlp, X, np.full(len(X), 1 / len(X)))
    matrix += 1e-3 * np.trace(matrix) / len(matrix) * np.eye(len(matrix))
    w, new = (np.concatenate([part.ravel() for part in model.coefs_]) for model in (mlp, small))
    gone = np.flatnonzero(new == 0)
    assert len(gone) == 1
    inverse = np.linalg.inv(matrix)
    rises = w**2 / (2 * np.diag(inverse))
    assert gone[0] == rises.argmin()
    np.testing.assert_allclose(new - w, -w[gone[0]] / inverse[gone[0], gone[0]] * inverse[:, gone[0]], atol=1e-9)


def test_a_network_of_many_weights_is_too_much_for_the_surgeon() -> None:
    X, y = load_digits(return_X_y=True)
    mlp = MLPClassifier((100,), max_iter=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="7400 are more than 3000: use 'obs_layer'"):
        weight_masks(mlp, X, amount=0.5, criterion="obs")


# ---- what the field measured -----------------------------------------------------------------------------------------


def monk_1() -> tuple[np.ndarray, np.ndarray]:
    """All 432 cases of the first Monk's problem, by its rule (Thrun et al. 1991)."""
    cases = np.array(list(product(range(3), range(3), range(2), range(3), range(4), range(2))))
    columns = [np.eye(k)[cases[:, i]] for i, k in enumerate((3, 3, 2, 3, 4, 2))]
    return np.hstack(columns), ((cases[:, 0] == cases[:, 1]) | (cases[:, 4] == 0)).astype(int)


def weights_left_at_full_accuracy(mlp: Any, X: Any, y: Any, criterion: str) -> int:
    n = sum(w.size for w in mlp.coefs_)
    compensate: Any = None if criterion == "obs" else "none"
    for gone in range(1, n):
        small = prune_weights(mlp, X, y, amount=gone, criterion=criterion, compensate=compensate)
        if small.score(X, y) < 1:
            return n - gone + 1
    return 1


@pytest.mark.slow
def test_monk_1_needs_fewer_weights_by_obs_than_by_obd_than_by_magnitude() -> None:
    """As Hassibi & Stork (1993) found on the three Monk's problems; the median of ten seeds."""
    X, y = monk_1()
    left = []
    for seed in range(10):
        rows = np.sort(np.random.default_rng(seed).permutation(432)[:124])
        mlp = MLPClassifier(3, activation="tanh", solver="lbfgs", alpha=0.01, max_iter=2000)
        fits = (clone(mlp).set_params(random_state=100 * seed + k).fit(X[rows], y[rows]) for k in range(50))
        trained = next(fit for fit in fits if fit.score(X[rows], y[rows]) == 1)
        left.append([weights_left_at_full_accuracy(trained, X[rows], y[rows], c) for c in ("obs", "obd", "magnitude")])
    obs, obd, magnitude = np.median(left, axis=0)
    assert obs < obd < magnitude
    assert obs <= 20


def test_on_digits_the_layerwise_surgeon_keeps_what_magnitude_loses() -> None:
    X, y = load_digits(return_X_y=True)
    X = X / 16
    mlp = MLPClassifier((50,), max_iter=60, random_state=0).fit(X[:1000], y[:1000])
    at = {
        (criterion, compensate): prune_weights(
            mlp, X[:1000], y[:1000], amount=0.9, criterion=criterion, compensate=compensate
        ).score(X[1000:], y[1000:])
        for criterion, compensate in (("obs_layer", "least_squares"), ("magnitude", "none"), ("random", "none"))
    }
    assert at["obs_layer", "least_squares"] > at["magnitude", "none"] + 0.1
    assert at["magnitude", "none"] > at["random", "none"]


# ---- where it is used ------------------------------------------------------------------------------------------------


def test_tp_prune_knows_weights_and_opens_pipelines() -> None:
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(StandardScaler(), MLPClassifier((20,), max_iter=15, random_state=0)).fit(X, y)
    small = tp.prune(model, "weight", X, y, amount=0.6)
    assert sum(int((w == 0).sum()) for w in small[-1].coefs_) == round(0.6 * (64 * 20 + 20 * 10))
    direct = prune_weights(model[-1], model[0].transform(X), amount=0.6)
    np.testing.assert_array_equal(small.predict_proba(X), direct.predict_proba(model[0].transform(X)))
    with pytest.raises(ValueError, match="amount must be given"):
        tp.prune(model, "weight", X, y)
    with pytest.raises(ValueError, match="weight has no parameter 'n_keep': it takes amount"):
        tp.prune(model, "weight", X, y, amount=0.5, n_keep=3)
    with pytest.raises(ValueError, match="nodes= is for trees"):
        tp.prune(model, "weight", amount=0.5, nodes=[1])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"criterion": "best"}, "criterion='best'"),
        ({"scope": "network"}, "scope='network'"),
        ({"amount": 1.5}, "amount must be a share"),
        ({"criterion": "snip"}, "y is missing"),
        ({"criterion": "wanda", "X": None}, "X is missing"),
        ({"masks": [np.ones((2, 2), dtype=bool)]}, r"masks must be bool of the shapes \[\(4, 6\), \(6, 3\)\]"),
        ({"masks": [np.ones((4, 6)), np.ones((6, 3))]}, "masks must be bool"),
        ({"compensate": "hope"}, "compensate='hope'"),
    ],
)
def test_what_cannot_be_done_is_said(parameters: dict[str, Any], message: str) -> None:
    mlp, X, _ = net("classes", sizes=(6,))
    with pytest.raises(ValueError, match=message):
        prune_weights(mlp, **{"X": X, "amount": 0.5, **parameters})
