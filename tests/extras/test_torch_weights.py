"""Weights of modules of PyTorch: the masks of torch itself, and criteria it does not have."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn
from torch.nn.utils import prune
from torch_nets import rows, same_state, stack, state

from treeprune.adapters.torch import apply_masks, finalize, fine_tune, masks_of, weight_masks
from treeprune.adapters.torch.weight_evidence import flow, weight_evidence
from treeprune.adapters.torch.weights import AVAILABLE
from treeprune.neural.masks import weight_masks as masks_of_scikit_learn
from treeprune.neural.weight_scores import WEIGHT_CRITERIA, WeightEvidence

pytestmark = pytest.mark.extras

X, CLASSES = rows(60, 4), np.random.default_rng(5).integers(3, size=60)


def torchs_masks(module: nn.Module, *amounts: float) -> dict[str, np.ndarray]:
    """Prune a module by torch's global magnitude, in place, round after round."""
    layers = {name: part for name, part in module.named_modules() if isinstance(part, nn.Linear)}
    for amount in amounts:
        prune.global_unstructured([(part, "weight") for part in layers.values()], prune.L1Unstructured, amount=amount)
    return {name: part.weight_mask.numpy().astype(bool) for name, part in layers.items()}


def assert_equal(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    assert ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_the_lowest_three_tenths_of_a_100_50_10_network_are_those_that_torch_takes() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10))
    masks = weight_masks(module, amount=0.3)
    assert sum((~mask).sum() for mask in masks.values()) == 1650
    assert_equal(masks, torchs_masks(module, 0.3))


def test_global_magnitude_equals_torch_on_200_random_networks_over_two_rounds() -> None:
    rng = np.random.default_rng(0)
    for seed in range(200):
        sizes = rng.integers(2, 12, size=rng.integers(3, 6))
        first, second = rng.uniform(0, 0.9, size=2).tolist()
        once = weight_masks(stack(*sizes, seed=seed), amount=first)
        twice = weight_masks(apply_masks(stack(*sizes, seed=seed), once), amount=second)
        assert_equal(once, torchs_masks(stack(*sizes, seed=seed), first))
        assert_equal(twice, torchs_masks(stack(*sizes, seed=seed), first, second))


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 0, 1, 7, 20])
def test_amounts_within_each_layer_count_as_torch_counts(amount: float) -> None:
    module = stack(4, 5, 4)
    ours = weight_masks(module, amount=amount, scope="layer")
    for name in ("0", "2"):
        prune.l1_unstructured(module.get_submodule(name), "weight", amount)
        assert np.array_equal(ours[name], module.get_submodule(name).weight_mask.numpy().astype(bool))


def test_lamp_equals_its_definition_and_empties_no_layer() -> None:
    weight = rows(5, 4)
    expected = [[w**2 / (weight[np.abs(weight) >= abs(w)] ** 2).sum() for w in row] for row in weight]
    rng = np.random.default_rng(0)
    assert WEIGHT_CRITERIA["lamp"](WeightEvidence(weight, rng)) == pytest.approx(np.array(expected))
    assert (WEIGHT_CRITERIA["lamp"](WeightEvidence(np.zeros((2, 2)), rng)) == 0).all()
    module = stack(4, 30, 3)
    with torch.no_grad():
        module[2].weight *= 1e-6
    assert not weight_masks(module, amount=0.9)["2"].any()
    assert weight_masks(module, amount=0.9, criterion="lamp")["2"].any()


def test_snip_equals_finite_differences_of_the_loss() -> None:
    module, step = stack(4, 3, 3, activation=nn.Tanh), 1e-5
    loss = nn.functional.cross_entropy
    weight, slopes = module[0].weight, np.empty((3, 4))
    for at in np.ndindex(3, 4):
        values = []
        for change in (step, -step):
            with torch.no_grad():
                weight[at] += change
                values.append(loss(module(torch.as_tensor(X)), torch.as_tensor(CLASSES)).item())
                weight[at] -= change
        slopes[at] = (values[0] - values[1]) / (2 * step)
    sensitivity = np.abs(slopes * weight.detach().numpy())
    off = ~weight_masks(module, X, CLASSES, amount=6, criterion="snip", scope="layer")["0"]
    assert sensitivity[off].max() < sensitivity[~off].min()


@pytest.mark.parametrize("criterion", [name for name in AVAILABLE if name != "random"])
@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_network_of_scikit_learn_has_the_same_masks_in_torch(task: str, criterion: str) -> None:
    labels = CLASSES if task == "classes" else np.random.default_rng(1).normal(size=(len(X), 3))
    kind = MLPClassifier if task == "classes" else MLPRegressor
    mlp = kind(hidden_layer_sizes=(6, 5), activation="relu", max_iter=20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp.fit(X, labels)
    module = stack(4, 6, 5, 3)
    with torch.no_grad():
        for name, w, b in zip(("0", "2", "4"), mlp.coefs_, mlp.intercepts_, strict=True):
            module.get_submodule(name).weight.copy_(torch.as_tensor(w.T))
            module.get_submodule(name).bias.copy_(torch.as_tensor(b))
    ours = weight_masks(module, X, labels, amount=0.6, criterion=criterion)
    theirs = masks_of_scikit_learn(mlp, X, labels, amount=0.6, criterion=criterion)
    for name, mask in zip(("0", "2", "4"), theirs, strict=True):
        assert np.array_equal(ours[name].T, mask)


def test_synaptic_flow_is_conserved_in_any_module() -> None:
    module = stack(4, 6, 5, 3)
    sums = [part.sum() for part in flow(module, X).values()]
    assert sums == pytest.approx([sums[0]] * 3, rel=1e-12)


def test_what_a_layer_without_a_name_receives_is_seen() -> None:
    module = nn.Linear(4, 3).double()
    seen = weight_evidence(module, X, CLASSES, "wanda", np.random.default_rng(0))
    assert list(seen) == [""]
    assert weight_masks(module, X, amount=4, criterion="wanda")[""].sum() == 8


@pytest.mark.parametrize("criterion", [name for name in AVAILABLE if name != "synflow"])
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_rounds_act_on_what_is_left_and_change_no_module(criterion: str, scope: str) -> None:
    module = apply_masks(stack(4, 5, 4), weight_masks(stack(4, 5, 4), amount=0.5, criterion="random", scope=scope))
    before, was = state(module), masks_of(module)
    masks = weight_masks(module, X, CLASSES, amount=0.5, criterion=criterion, scope=scope)
    assert same_state(module, before)
    assert all((was[name] >= masks[name]).all() for name in masks)
    assert sum(mask.sum() for mask in masks.values()) == 10


def test_gradual_pruning_is_a_loop_of_masks_and_training() -> None:
    module = stack(4, 5, 3)
    for amount in (0.2, 0.2, 0.2):
        module = apply_masks(module, weight_masks(module, amount=amount))
        module = fine_tune(module, X, CLASSES, epochs=3)
    zeros = sum((part.weight == 0).sum().item() for part in finalize(module) if isinstance(part, nn.Linear))
    assert zeros == sum((~mask).sum() for mask in masks_of(module).values()) == 35 - 18


def test_a_schedule_prunes_while_training_and_ends_where_it_says() -> None:
    module, off = apply_masks(stack(4, 5, 3), weight_masks(stack(4, 5, 3), amount=2)), []
    before = state(module)

    def cubic(n_steps: int) -> float:
        off.append(n_steps)
        return 0.8 * (1 - (1 - n_steps / 40) ** 3)

    tuned = fine_tune(module, X, CLASSES, epochs=20, schedule=cubic)
    assert off == list(range(1, 41)) and same_state(module, before)
    was, masks = masks_of(module), masks_of(tuned)
    assert sum(mask.sum() for mask in masks.values()) == 35 - 28
    assert all((was[name] >= masks[name]).all() for name in masks)
    final = finalize(tuned)
    assert all((final.get_submodule(name).weight.detach().numpy()[~mask] == 0).all() for name, mask in masks.items())


def test_pruning_on_a_schedule_keeps_more_than_pruning_at_once() -> None:
    data = load_digits()
    inputs, labels = data.data / 16, data.target
    module = fine_tune(stack(64, 50, 10).float(), inputs, labels, epochs=15)
    n_steps = 15 * 57
    gradual = fine_tune(module, inputs, labels, 15, schedule=lambda n: 0.96 * (1 - max(0, 1 - n / (n_steps / 2)) ** 3))
    at_once = fine_tune(apply_masks(module, weight_masks(module, amount=0.96)), inputs, labels, 15)
    scores = [
        (tuned(torch.as_tensor(inputs).float()).argmax(1).numpy() == labels).mean() for tuned in (gradual, at_once)
    ]
    assert scores[0] > scores[1] + 0.02


def test_a_schedule_that_is_no_share_or_comes_with_a_loop_is_refused() -> None:
    with pytest.raises(ValueError, match="schedule must return a share from 0 to 1, got 2"):
        fine_tune(stack(4, 5, 3), X, CLASSES, 1, schedule=lambda n_steps: 2.0)
    with pytest.raises(ValueError, match="a schedule belongs to the default loop"):
        fine_tune(stack(4, 5, 3), X, CLASSES, 1, print, schedule=lambda n_steps: 0.5)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"amount": 36}, "amount must be a share from 0.0 to 1.0 or a number up to the 35 weights left, got 36"),
        ({"amount": 1.5}, "amount must be a share"),
        ({"amount": -1}, "amount must be a share"),
        ({"criterion": "hessian"}, r"no criterion 'hessian': choose from \['magnitude', 'lamp'"),
        ({"criterion": "snip"}, "'snip' looks at gradients of the loss: give X and y"),
        ({"criterion": "wanda"}, "'wanda' looks at what the layers receive: give X"),
        ({"criterion": "synflow", "X": X, "scope": "layer"}, "scope is 'global', not 'layer'"),
        ({"scope": "row"}, "scope must be 'global' or 'layer', got 'row'"),
    ],
)
def test_what_cannot_be_done_is_said(how: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        weight_masks(stack(4, 5, 3), **({"amount": 0.5} | how))
