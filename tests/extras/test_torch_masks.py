"""Masks on modules of PyTorch: torch's own, held while training, baked in at the end."""

from __future__ import annotations

import copy
import doctest
import importlib
import pkgutil

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn
from torch.nn.utils import prune
from torch_nets import DEVICES, rows, same_state, stack, state

import treeprune.adapters.torch as adapter
from treeprune.adapters.torch import apply_masks, finalize, fine_tune, masks_of, weight_masks

pytestmark = pytest.mark.extras

MODULES = [f"{adapter.__name__}.{found.name}" for found in pkgutil.iter_modules(adapter.__path__)]
HALF = {"0": np.indices((5, 4)).sum(0) % 2 == 0}


def masked() -> nn.Module:
    return apply_masks(stack(4, 5, 3), HALF)


def weights(module: nn.Module) -> list[np.ndarray]:
    values = finalize(module).state_dict()
    return [values[name].numpy().copy() for name in ("0.weight", "0.bias", "2.weight", "2.bias")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0


def test_masks_are_torchs_own_and_read_back_as_given() -> None:
    module = masked()
    assert prune.is_pruned(module)
    assert torch.equal(module[0].weight, module[0].weight_orig * module[0].weight_mask)
    assert np.array_equal(masks_of(module)["0"], HALF["0"])
    assert masks_of(module)["2"].all()


def test_masks_upon_masks_leave_a_weight_on_only_where_all_say_so() -> None:
    top = {"0": np.arange(20).reshape(5, 4) < 10}
    assert np.array_equal(masks_of(apply_masks(masked(), top))["0"], HALF["0"] & top["0"])


@pytest.mark.parametrize("forward_before", [False, True])
def test_no_function_changes_a_masked_module(forward_before: bool) -> None:
    module, X = masked(), rows(20, 4)
    if forward_before:
        module(torch.as_tensor(X)).sum().backward()
    before, weight = state(module), module[0].weight
    for function in (finalize, lambda m: apply_masks(m, HALF), lambda m: fine_tune(m, X, rows(20, 3), epochs=1)):
        function(module)
    assert same_state(module, before)
    assert module[0].weight is weight and prune.is_pruned(module)


def test_a_finalized_module_predicts_the_same_is_copied_and_reloads() -> None:
    module, X = masked(), torch.as_tensor(rows(20, 4))
    final = finalize(module)
    assert not prune.is_pruned(final) and not any(part._forward_pre_hooks for part in final.modules())
    assert torch.equal(final(X), module(X)) and torch.equal(copy.deepcopy(final)(X), module(X))
    fresh = stack(4, 5, 3, seed=1)
    fresh.load_state_dict(final.state_dict())
    assert torch.equal(fresh(X), module(X))
    assert (final[0].weight.detach().numpy()[~HALF["0"]] == 0).all()


def test_finalize_bakes_in_masks_over_biases_and_keeps_other_buffers() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    prune.l1_unstructured(module[0], "bias", amount=2)
    module[1].register_buffer("row_mask", torch.ones(3))
    final = finalize(module)
    assert (final[0].bias == 0).sum() == 2 and "1.row_mask" in final.state_dict()


def test_training_goes_on_under_the_mask_and_never_regrows_a_weight() -> None:
    X, y = rows(60, 4), np.random.default_rng(1).integers(3, size=60)
    tuned = fine_tune(masked(), X, y, epochs=30, learning_rate=0.02)
    assert (finalize(tuned)[0].weight.detach().numpy()[~HALF["0"]] == 0).all()
    loss = nn.functional.cross_entropy
    inputs, targets = torch.as_tensor(X), torch.as_tensor(y)
    assert loss(tuned(inputs), targets) < 0.9 * loss(masked()(inputs), targets)


def test_the_weight_is_up_to_date_after_training() -> None:
    tuned = fine_tune(masked(), rows(20, 4), rows(20, 3), epochs=1)
    assert torch.equal(tuned[0].weight, tuned[0].weight_orig * tuned[0].weight_mask)


def test_a_loop_of_the_users_trains_the_copy_and_the_mode_comes_back() -> None:
    module, seen = masked().eval(), []

    def loop(model: nn.Module, X: np.ndarray, y: np.ndarray, epochs: int) -> None:
        seen.append((model is module, model.training, X.shape, epochs))
        with torch.no_grad():
            model[2].bias += 1

    tuned = fine_tune(module, rows(20, 4), rows(20, 3), 7, loop)
    assert seen == [(False, True, (20, 4), 7)]
    assert not tuned.training and torch.allclose(tuned[2].bias, module[2].bias + 1)


def test_the_default_loop_repeats_itself_and_survives_batch_normalisation_of_an_odd_number_of_rows() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))
    X, y = rows(65, 4), rows(65, 1)
    once, again = (fine_tune(module, X, y, epochs=2, batch_size=32, random_state=3) for _ in range(2))
    assert same_state(once, state(again))


def test_fifty_masked_steps_of_gradient_descent_equal_a_plain_loop_that_zeroes_after_each_step() -> None:
    X, y, rate = rows(80, 4), rows(80, 3, seed=1), 0.1

    def sgd(model: nn.Module, X: np.ndarray, y: np.ndarray, epochs: int) -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        for _ in range(epochs):
            optimizer.zero_grad()
            nn.functional.mse_loss(model(torch.as_tensor(X)), torch.as_tensor(y)).backward()
            optimizer.step()

    tuned = fine_tune(masked(), X, y, 50, sgd)
    W1, b1, W2, b2 = weights(masked())
    for _ in range(50):
        hidden = np.maximum(X @ W1.T + b1, 0)
        error = 2 * (hidden @ W2.T + b2 - y) / y.size
        back = (error @ W2) * (hidden > 0)
        W1, b1, W2, b2 = (
            value - rate * slope
            for value, slope in zip(
                (W1, b1, W2, b2), (back.T @ X, back.sum(0), error.T @ hidden, error.sum(0)), strict=True
            )
        )
        W1 = W1 * HALF["0"]
    for value, expected in zip(weights(tuned), (W1, b1, W2, b2), strict=True):
        assert np.abs(value - expected).max() < 1e-12


def test_fifty_masked_steps_of_scikit_learns_network_equal_those_of_torch() -> None:
    X, y, rate, alpha = rows(80, 4), np.random.default_rng(1).integers(3, size=80), 0.1, 0.5
    ours = MLPClassifier(
        (5,), solver="sgd", momentum=0, learning_rate_init=rate, alpha=alpha, batch_size=80, random_state=0
    ).partial_fit(X, y, classes=[0, 1, 2])
    module = stack(4, 5, 3)
    values = [value for pair in zip(ours.coefs_, ours.intercepts_, strict=True) for value in pair]
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(torch.as_tensor(value.T))
    ours.coefs_[0] *= HALF["0"].T
    for _ in range(50):
        ours.partial_fit(X, y)
        ours.coefs_[0] *= HALF["0"].T

    def sgd(model: nn.Module, X: np.ndarray, y: np.ndarray, epochs: int) -> None:
        decayed = [value for name, value in model.named_parameters() if "weight" in name]
        others = [value for name, value in model.named_parameters() if "weight" not in name]
        groups = [{"params": decayed, "weight_decay": alpha / len(X)}, {"params": others}]
        optimizer = torch.optim.SGD(groups, lr=rate)
        for _ in range(epochs):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.as_tensor(X)), torch.as_tensor(y)).backward()
            optimizer.step()

    W1, b1, W2, b2 = weights(fine_tune(apply_masks(module, HALF), X, y, 50, sgd))
    for theirs, value in ((W1.T, ours.coefs_[0]), (b1, ours.intercepts_[0]), (W2.T, ours.coefs_[1])):
        assert np.abs(theirs - value).max() < 1e-12
    assert np.abs(b2 - ours.intercepts_[1]).max() < 1e-12


@pytest.mark.parametrize("device", DEVICES)
def test_a_module_stays_on_its_device_in_its_precision(device: str) -> None:
    module = stack(4, 5, 3).to(device).float()
    tuned = finalize(fine_tune(apply_masks(module, HALF), rows(20, 4), np.arange(20) % 3, epochs=1))
    assert {(value.device.type, value.dtype) for value in tuned.parameters()} == {(device, torch.float32)}


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ({"1": HALF["0"]}, r"no Linear layer named '1': choose from \['0', '2'\]"),
        ({"0": HALF["0"].T}, r"mask of layer '0' must be bool of shape \(5, 4\), got bool of \(4, 5\)"),
        ({"0": HALF["0"].astype(float)}, r"must be bool of shape \(5, 4\), got float64"),
    ],
)
def test_masks_that_fit_no_layer_are_refused(masks: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        apply_masks(stack(4, 5, 3), masks)


def test_what_is_no_module_or_has_no_linear_layer_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a torch.nn.Module, got ndarray"):
        masks_of(np.zeros(3))
    with pytest.raises(ValueError, match="ReLU has no Linear layer"):
        masks_of(nn.ReLU())


def test_targets_of_another_shape_and_no_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape of the module's output, \(20, 3\), got \(20,\)"):
        fine_tune(stack(4, 5, 3), rows(20, 4), rows(20, 1)[:, 0], epochs=1)
    with pytest.raises(ValueError, match="epochs=0: a whole number, 1 or more"):
        fine_tune(stack(4, 5, 3), rows(20, 4), rows(20, 3), epochs=0)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"X": rows(10, 4)}, "X has 10 rows and y has 20: give one target per row"),
        ({"X": torch.full((20, 4), torch.nan)}, "X holds NaN or infinite values"),
        ({"y": torch.full((20, 3), torch.inf)}, "y holds NaN or infinite values"),
        ({"batch_size": 0}, "batch_size=0: a whole number, 1 or more"),
    ],
)
def test_rows_that_cannot_train_are_refused(how: dict, words: str) -> None:
    given = {"X": rows(20, 4), "y": rows(20, 3), "epochs": 1, **how}
    with pytest.raises(ValueError, match=words):
        fine_tune(stack(4, 5, 3), **given)


@pytest.mark.parametrize("criterion", ["snip", "fisher", "obd", "wanda", "obs_layer", "synflow"])
def test_weights_are_not_ranked_by_rows_that_are_no_numbers(criterion: str) -> None:
    bad = rows(20, 4)
    bad[3, 1] = torch.nan
    with pytest.raises(ValueError, match="X holds NaN or infinite values"):
        weight_masks(stack(4, 5, 3), bad, rows(20, 3), amount=0.5, criterion=criterion)
