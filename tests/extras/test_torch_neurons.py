"""Neurons of modules of PyTorch: removed for real, ranked as their sources say, repaired by least squares."""

from __future__ import annotations

import copy
import inspect
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
import torch_pruning
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch_nets import DEVICES, rows, same_state, stack, state

from treeprune.adapters.torch import apply_masks, fine_tune, neuron_curve, neuron_importance, prune_neurons
from treeprune.adapters.torch.observation import look_at
from treeprune.adapters.torch.surgery import hidden_layer
from treeprune.neural.criteria import CRITERIA, REPAIRS
from treeprune.repair import penalised_gram

pytestmark = pytest.mark.extras

X, CLASSES = rows(60, 4), np.random.default_rng(5).integers(3, size=60)
INPUTS = torch.as_tensor(X)


SINGLE = 1e-6  # torch-pruning adds up in single precision


class TwoHeads(nn.Module):
    """Neurons that two layers read, one of them without a bias, by way of batch normalisation and dropout."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body, self.norm, self.drop = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)
        self.one, self.two = nn.Linear(8, 2, bias=False), nn.Linear(8, 1)
        self.double()
        self(INPUTS)  # batch normalisation has seen something

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.drop(torch.tanh(self.norm(self.body(x))))
        return torch.cat([self.one(hidden), self.two(hidden)], dim=1)


class Skip(nn.Module):
    """What the inner layer sends is added to other things."""

    def __init__(self, to: str) -> None:
        super().__init__()
        self.first, self.inner, self.last, self.to = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3), to
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        other = x if self.to == "input" else self.first(x)
        return self.last(torch.relu(other + self.inner(torch.relu(self.first(x)))))


class Branches(nn.Module):
    """Two readers, each by a function of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.one, self.two = nn.Linear(4, 5), nn.Linear(5, 3), nn.Linear(5, 3)
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.one(torch.relu(self.body(x))) + self.two(torch.tanh(self.body(x)))


class Twice(nn.Module):
    """One layer reads two others, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.other, self.last = nn.Linear(4, 5), nn.Linear(4, 5), nn.Linear(5, 3)
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.body(x))) + self.last(torch.relu(self.other(x)))


class Again(Twice):
    """One layer reads the same neurons by two functions."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.body(x))) + self.last(torch.tanh(self.body(x)))


class Words(nn.Module):
    """Whole numbers come in, and are no classes."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.body, self.last = nn.Embedding(7, 4), nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.body(self.words(x)))).mean(dim=1)


class Encoder(nn.Module):
    """A transformer whose feed-forward parts have neurons too."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        block = nn.TransformerEncoderLayer(8, 2, 24, batch_first=True)
        self.blocks, self.last = nn.TransformerEncoder(block, 2, enable_nested_tensor=False), nn.Linear(8, 3)
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.blocks(x).mean(dim=1))


class Answers(nn.Module):
    """A module that returns more than a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.last = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.last(torch.relu(self.body(x)))}


def seen_of(module: nn.Module, layer: str, y: np.ndarray | None = CLASSES):
    hidden = hidden_layer(module, layer, X)
    return look_at(module, hidden, X, y, np.random.default_rng(0))


def kept_neurons(small: nn.Linear, dense: nn.Linear) -> list[int]:
    return [int((dense.weight == row).all(dim=1).nonzero()) for row in small.weight]


# ---- removal ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Identity, nn.GELU])
@pytest.mark.parametrize("layer", ["0", "2"])
def test_a_module_without_neurons_equals_one_that_does_not_listen_to_them(
    layer: str, activation: type[nn.Module]
) -> None:
    module = stack(4, 9, 7, 3, activation=activation)
    small = prune_neurons(module, X, layer=layer, n_keep=4, criterion="magnitude", compensate="none")
    deaf, reader = copy.deepcopy(module), str(int(layer) + 2)
    kept = kept_neurons(small.get_submodule(layer), module.get_submodule(layer))
    gone = np.setdiff1d(np.arange(module.get_submodule(layer).out_features), kept)
    with torch.no_grad():
        deaf.get_submodule(reader).weight[:, gone] = 0
    assert kept == sorted(kept) and len(kept) == 4
    assert (small(INPUTS) - deaf(INPUTS)).abs().max() < 1e-12


def test_batch_normalisation_dropout_and_two_readers_are_no_hindrance() -> None:
    module = TwoHeads()
    small = prune_neurons(module, X, layer="body", n_keep=3, compensate="none")
    assert (small.body.out_features, small.norm.num_features, small.one.in_features, small.two.in_features) == (3,) * 4
    assert small.one.bias is None and small.training and small.drop.training
    repaired = prune_neurons(module, X, layer="body", n_keep=6)
    module.eval(), repaired.eval(), small.eval()
    assert repaired.one.bias is not None
    assert (repaired(INPUTS) - module(INPUTS)).square().mean() < (small(INPUTS) - module(INPUTS)).square().mean()


def test_positions_of_a_sequence_count_as_rows() -> None:
    module, sequences = stack(4, 6, 3), torch.as_tensor(rows(70, 4)).reshape(10, 7, 4)
    flat = prune_neurons(module, sequences.reshape(70, 4), layer="0", n_keep=3)
    assert same_state(prune_neurons(module, sequences, layer="0", n_keep=3), state(flat))


@pytest.mark.parametrize("criterion", [name for name in CRITERIA if name != "apoz"])
def test_the_module_given_is_never_changed(criterion: str) -> None:
    module = TwoHeads().train()
    module.body.weight.requires_grad_(False)
    before, grads = state(module), [p.requires_grad for p in module.parameters()]
    small = prune_neurons(module, X, CLASSES, layer="body", n_keep=2, criterion=criterion)
    neuron_importance(module, X, CLASSES, layer="body", criterion=criterion)
    assert same_state(module, before) and [p.requires_grad for p in module.parameters()] == grads
    assert module.training and not any(part._forward_pre_hooks for part in module.modules())
    assert all(p.grad is None for p in module.parameters())
    assert not small.body.weight.requires_grad and small.two.weight.requires_grad
    assert not any(part._forward_pre_hooks for part in small.modules())


@pytest.mark.parametrize("criterion", ["obs", "taylor_2019", "ablation"])
def test_the_feed_forward_part_of_a_transformer_is_two_linear_layers_like_others(criterion: str) -> None:
    module, name = Encoder(), "blocks.layers.1.linear1"
    sequences = torch.as_tensor(rows(150, 8)).reshape(30, 5, 8)
    scores = neuron_importance(module, sequences, CLASSES[:30], layer=name, criterion=criterion)
    assert len(np.unique(scores)) > 12
    small = prune_neurons(module, sequences, CLASSES[:30], layer=name, n_keep=12, criterion=criterion)
    bare = prune_neurons(module, sequences, layer=name, n_keep=12, criterion="random", compensate="none")
    assert small.blocks.layers[1].linear1.out_features == small.blocks.layers[1].linear2.in_features == 12
    errors = [(m.eval()(sequences) - module.eval()(sequences)).square().mean() for m in (small, bare)]
    assert errors[0] < errors[1] / 2


def test_linear_layers_after_convolutions_are_pruned_as_any() -> None:
    images = torch.as_tensor(rows(30, 64)).reshape(30, 1, 8, 8)
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), *stack(72, 20, 3))
    small = prune_neurons(module.double(), images, layer="3", n_keep=7)
    assert (small[3].in_features, small[3].out_features, small[5].in_features) == (72, 7, 7)


def test_a_module_that_returns_a_dict_is_pruned_by_what_needs_no_loss() -> None:
    assert prune_neurons(Answers(), X, layer="body", n_keep=2).last.in_features == 2
    with pytest.raises(TypeError, match="the loss of a module that returns dict is not known: choose a criterion"):
        prune_neurons(Answers(), X, CLASSES, layer="body", n_keep=2, criterion="ablation")


def test_tokens_stay_whole_numbers_and_pixels_do_not() -> None:
    tokens = np.random.default_rng(0).integers(7, size=(30, 5))
    small = prune_neurons(Words(), tokens, CLASSES[:30] % 2, layer="body", n_keep=3, criterion="taylor_2017")
    assert small(torch.as_tensor(tokens)).shape == (30, 2)
    pixels = np.random.default_rng(0).integers(16, size=(30, 4))
    module = stack(4, 9, 3)
    floats = prune_neurons(module, pixels.astype(float), layer="0", n_keep=3)
    assert same_state(prune_neurons(module, pixels, layer="0", n_keep=3), state(floats))


def test_data_frames_and_lists_are_rows_too() -> None:
    module = stack(4, 9, 3)
    small = prune_neurons(module, X, CLASSES, layer="0", n_keep=3, criterion="taylor_2019")
    for inputs, labels in ((pd.DataFrame(X), pd.Series(CLASSES)), (X.tolist(), CLASSES.tolist()), (INPUTS, CLASSES)):
        again = prune_neurons(module, inputs, labels, layer="0", n_keep=3, criterion="taylor_2019")
        assert (again(INPUTS) - small(INPUTS)).abs().max() < 1e-12


def test_a_pruned_module_is_copied_reloads_and_trains() -> None:
    small = prune_neurons(stack(4, 9, 3), X, layer="0", n_keep=5)
    fresh = stack(4, 5, 3, seed=1)
    fresh.load_state_dict(small.state_dict())
    assert torch.equal(fresh(INPUTS), small(INPUTS)) and torch.equal(copy.deepcopy(small)(INPUTS), small(INPUTS))
    tuned = fine_tune(small, X, CLASSES, epochs=20)
    loss = nn.functional.cross_entropy
    assert loss(tuned(INPUTS), torch.as_tensor(CLASSES)) < loss(small(INPUTS), torch.as_tensor(CLASSES))


@pytest.mark.parametrize("device", DEVICES)
def test_device_and_precision_stay(device: str) -> None:
    module = stack(4, 9, 3).to(device).float()
    small = prune_neurons(module, X, CLASSES, layer="0", n_keep=5, criterion="taylor_2019")
    assert {(value.device.type, value.dtype) for value in small.parameters()} == {(device, torch.float32)}


# ---- criteria --------------------------------------------------------------------------------------------------------


def test_group_magnitude_equals_torch_prunings() -> None:
    module = stack(4, 9, 7, 3)
    rule = torch_pruning.importance.GroupMagnitudeImportance(p=2, group_reduction="sum", normalizer=None)
    for layer in ("0", "2"):
        ours = neuron_importance(module, X, layer=layer, criterion="group_magnitude")
        assert ours == pytest.approx(rule(group_of(module, layer)).numpy(), rel=SINGLE)


def test_group_taylor_equals_torch_prunings() -> None:
    module = stack(4, 9, 7, 3)
    rule = torch_pruning.importance.GroupTaylorImportance(group_reduction="sum", normalizer=None)
    nn.functional.cross_entropy(module(INPUTS), torch.as_tensor(CLASSES)).backward()
    for layer in ("0", "2"):
        theirs = rule(group_of(module, layer)).detach().numpy()
        ours = neuron_importance(module, X, CLASSES, layer=layer, criterion="group_taylor")
        assert ours == pytest.approx(theirs, rel=SINGLE)


def group_of(module: nn.Module, layer: str):
    graph = torch_pruning.DependencyGraph().build_dependency(module, INPUTS[:2])
    part = module.get_submodule(layer)
    return graph.get_pruning_group(part, torch_pruning.prune_linear_out_channels, idxs=list(range(part.out_features)))


@pytest.mark.parametrize("layer", ["0", "2"])
def test_skeletonization_equals_finite_differences_of_the_loss_by_a_gate_on_each_neuron(layer: str) -> None:
    module, step = stack(4, 6, 5, 3, activation=nn.Tanh), 1e-5
    reader = str(int(layer) + 2)

    def loss_at(neuron: int, gate: float) -> float:
        gated = copy.deepcopy(module)
        with torch.no_grad():
            gated.get_submodule(reader).weight[:, neuron] *= gate
            return nn.functional.cross_entropy(gated(INPUTS), torch.as_tensor(CLASSES)).item()

    n = module.get_submodule(layer).out_features
    slopes = [(loss_at(j, 1 + step) - loss_at(j, 1 - step)) / (2 * step) for j in range(n)]
    assert neuron_importance(module, X, CLASSES, layer=layer, criterion="skeletonization") == pytest.approx(
        -np.array(slopes), abs=1e-8
    )


@pytest.mark.parametrize("targets", [CLASSES, "numbers"])
def test_obd_is_half_the_second_derivative_of_the_loss_by_a_gate(targets: object) -> None:
    module, step = stack(4, 6, 3, activation=nn.Tanh), 1e-3
    y = np.random.default_rng(0).normal(size=(len(X), 3)) if isinstance(targets, str) else CLASSES
    wanted = torch.as_tensor(y)

    def loss_at(neuron: int, gate: float) -> float:
        gated = copy.deepcopy(module)
        with torch.no_grad():
            gated[2].weight[:, neuron] *= gate
            output = gated(INPUTS)
            if wanted.is_floating_point():
                return ((output - wanted) ** 2).sum().item() / 2 / len(X)
            return nn.functional.cross_entropy(output, wanted).item()

    second = [(loss_at(j, 1 + step) - 2 * loss_at(j, 1) + loss_at(j, 1 - step)) / step**2 for j in range(6)]
    ours = neuron_importance(module, X, y, layer="0", criterion="obd")
    assert ours == pytest.approx(np.array(second) / 2, rel=1e-5, abs=1e-8)


def test_taylor_criteria_look_at_the_gradient_of_each_row_alone() -> None:
    module, changes = stack(4, 6, 3), []
    for row, label in zip(INPUTS, CLASSES, strict=True):
        sent = module[1](module[0](row[None])).detach().requires_grad_(True)
        nn.functional.cross_entropy(module[2](sent), torch.tensor([label])).backward()
        changes.append((sent * sent.grad).detach().numpy()[0])
    changes = np.array(changes)
    for criterion, expected in (("taylor_2017", np.abs(changes).mean(0)), ("taylor_2019", (changes**2).mean(0))):
        assert neuron_importance(module, X, CLASSES, layer="0", criterion=criterion) == pytest.approx(
            expected, rel=1e-10
        )


@pytest.mark.parametrize("module", [stack(4, 6, 3), TwoHeads()], ids=["stack", "two heads"])
def test_ablation_is_the_rise_of_the_mean_loss_when_a_neuron_is_not_listened_to(module: nn.Module) -> None:
    module, targets = module.eval(), torch.as_tensor(CLASSES)
    layer, readers = ("0", ["2"]) if isinstance(module, nn.Sequential) else ("body", ["one", "two"])
    before, rises = nn.functional.cross_entropy(module(INPUTS), targets), []
    for j in range(module.get_submodule(layer).out_features):
        deaf = copy.deepcopy(module)
        with torch.no_grad():
            for reader in readers:
                deaf.get_submodule(reader).weight[:, j] = 0
        rises.append((nn.functional.cross_entropy(deaf(INPUTS), targets) - before).item())
    ours = neuron_importance(module, X, CLASSES, layer=layer, criterion="ablation")
    assert ours == pytest.approx(np.array(rises), abs=1e-14)


def test_apoz_counts_rows_that_wake_a_neuron_and_needs_zeros_to_count() -> None:
    module = stack(4, 6, 3)
    awake = (module[0](INPUTS) > 0).double().mean(dim=0).numpy()
    assert neuron_importance(module, X, layer="0", criterion="apoz") == pytest.approx(awake)
    for other in (nn.Tanh, nn.Sigmoid):
        with pytest.raises(ValueError, match=f"apoz counts zeros, which are meaningless here.*{other.__name__}"):
            neuron_importance(stack(4, 6, 3, activation=other), X, layer="0", criterion="apoz")


def test_more_rows_than_go_through_at_once_give_what_one_batch_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    module, names = stack(4, 6, 3), ("activations", "gradients", "incoming_slope", "outgoing_slope")
    whole = seen_of(module, "0")
    monkeypatch.setattr("treeprune.adapters.torch.observation.ROWS_AT_ONCE", 7)
    parts = seen_of(module, "0")
    for name in names:
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-14)


def test_simple_norms_equal_torchs_and_numpys() -> None:
    module = stack(4, 6, 3)
    W_in, b, W_out = (v.detach().numpy() for v in (module[0].weight, module[0].bias, module[2].weight))
    sent = module[:2](INPUTS).detach().numpy()
    expected = {
        "l1": np.abs(W_in).sum(1),
        "l2": module[0].weight.norm(dim=1).detach().numpy(),
        "magnitude": np.linalg.norm(np.c_[W_in, b], axis=1) * np.linalg.norm(W_out, axis=0),
        "activation_variance": sent.var(0) * (W_out**2).sum(0),
    }
    for criterion, scores in expected.items():
        assert neuron_importance(module, X, layer="0", criterion=criterion) == pytest.approx(scores, rel=1e-12)


def test_random_repeats_itself_and_differs_by_seed() -> None:
    once, again, other = (
        neuron_importance(stack(4, 6, 3), X, layer="0", criterion="random", random_state=seed) for seed in (0, 0, 1)
    )
    assert (once == again).all() and (once != other).all()


# ---- repair ----------------------------------------------------------------------------------------------------------


def penalised_error(seen, weights: np.ndarray) -> float:
    """Mean squared error of the next layer, plus the ridge times the squared change of the weights."""
    change = weights - seen.outgoing
    return float(np.trace(change.T @ penalised_gram(seen.activations) @ change))


def test_obs_is_the_least_penalised_error_that_a_removal_can_cost() -> None:
    module = stack(4, 8, 3, activation=nn.Tanh)
    seen = seen_of(module, "0")
    for j, predicted in enumerate(neuron_importance(module, X, layer="0", criterion="obs")):
        weights, _ = REPAIRS["least_squares"](seen, np.arange(8) != j, np.zeros(3))
        assert penalised_error(seen, weights) == pytest.approx(predicted, rel=1e-10)


def test_the_repair_equals_least_squares_when_the_ridge_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treeprune.neural.criteria.penalised_gram", partial(penalised_gram, ridge=1e-13))
    module = stack(4, 8, 3, activation=nn.Tanh)
    small = prune_neurons(module, X, layer="0", n_keep=4, criterion="magnitude")
    sent, wanted = small[:2](INPUTS).detach().numpy(), module(INPUTS).detach().numpy()
    solved = np.linalg.lstsq(np.c_[sent, np.ones(60)], wanted, rcond=None)[0]
    assert np.abs(small[2].weight.detach().numpy().T - solved[:-1]).max() < 1e-8
    assert np.abs(small[2].bias.detach().numpy() - solved[-1]).max() < 1e-8


def test_obs_in_closed_form_chooses_what_a_loop_of_refits_chooses() -> None:
    module = stack(4, 7, 3, activation=nn.Tanh)
    seen, left, order = seen_of(module, "0"), np.ones(7, dtype=bool), []
    while left.sum() > 1:
        errors = {}
        for j in np.flatnonzero(left):
            without = left & (np.arange(7) != j)
            errors[j] = penalised_error(seen, REPAIRS["least_squares"](seen, without, np.zeros(3))[0])
        order.append(min(errors, key=errors.get))
        left[order[-1]] = False
    for n_keep in range(1, 7):
        small = prune_neurons(module, X, layer="0", n_keep=n_keep)
        assert kept_neurons(small[0], module[0]) == sorted(set(range(7)) - set(order[: 7 - n_keep]))


def test_repairs_keep_the_mean_of_what_the_next_layer_receives() -> None:
    module = stack(4, 9, 3)
    for compensate in ("mean", "least_squares"):
        small = prune_neurons(module, X, layer="0", n_keep=4, criterion="l1", compensate=compensate)
        assert torch.allclose(small(INPUTS).mean(dim=0), module(INPUTS).mean(dim=0), atol=1e-12)


def test_dead_constant_and_twin_neurons_go_first_and_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treeprune.neural.criteria.penalised_gram", partial(penalised_gram, ridge=1e-10))
    module = stack(4, 8, 3)
    with torch.no_grad():
        module[0].weight[1], module[0].bias[1] = 0, -1  # dead
        module[0].weight[4], module[0].bias[4] = 0, 2  # constant
        module[0].weight[6], module[0].bias[6] = module[0].weight[2], module[0].bias[2]  # twins
    small = prune_neurons(module, X, layer="0", n_keep=5)
    weights = small[0].weight.detach()
    assert not (weights == 0).all(dim=1).any() and len(weights.unique(dim=0)) == 5
    assert (small(INPUTS) - module(INPUTS)).abs().max() < 1e-8


def test_a_layer_that_is_dead_altogether_can_be_pruned() -> None:
    module = stack(4, 5, 3)
    with torch.no_grad():
        module[0].weight.zero_(), module[0].bias.fill_(-1)
    assert torch.allclose(prune_neurons(module, X, layer="0", n_keep=1)(INPUTS), module(INPUTS))


# ---- curve -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ["obs", "taylor_2019", "random"])
def test_the_curve_holds_the_scores_of_the_pruned_modules(criterion: str) -> None:
    module, X_test, y_test = stack(4, 6, 3), rows(40, 4, seed=9), np.random.default_rng(8).integers(3, size=40)
    curve = neuron_curve(module, X, CLASSES, X_test, y_test, layer="0", criterion=criterion)
    assert curve.price.tolist() == [6, 5, 4, 3, 2, 1]
    for n_keep, train, test in zip(curve.n_leaves, curve.train, curve.test, strict=True):
        small = prune_neurons(module, X, CLASSES, layer="0", n_keep=int(n_keep), criterion=criterion)
        for inputs, labels, accuracy in ((X, CLASSES, train), (X_test, y_test, test)):
            assert (small(torch.as_tensor(inputs)).argmax(1).numpy() == labels).mean() == pytest.approx(accuracy)


def test_the_curve_takes_a_score_of_the_users_and_knows_r2() -> None:
    module, y = stack(4, 6, 3), rows(60, 3, seed=3)

    def negative_error(model: nn.Module, X: np.ndarray, y: np.ndarray) -> float:
        return -(model(torch.as_tensor(X)) - torch.as_tensor(y)).abs().mean().item()

    curve = neuron_curve(module, X, y, X, y, layer="0", score=negative_error)
    assert curve.train[0] == negative_error(module, X, y) and "negative_error" in repr(curve)
    r2 = neuron_curve(module, X, y, X, y, layer="0").train[0]
    error = ((module(INPUTS).detach().numpy() - y) ** 2).sum()
    assert r2 == pytest.approx(1 - error / ((y - y.mean(0)) ** 2).sum())


def test_on_digits_a_quarter_of_the_neurons_is_enough_when_the_next_layer_is_repaired() -> None:
    data = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(data.data / 16, data.target, test_size=0.3, random_state=0)
    module = fine_tune(stack(64, 100, 10).float(), X_train, y_train, epochs=40)

    def accuracy(**how: str) -> float:
        small = prune_neurons(module, X_train, y_train, layer="0", n_keep=25, **how)
        return (small(torch.as_tensor(X_test).float()).argmax(1).numpy() == y_test).mean()

    assert accuracy() >= 0.94
    assert accuracy() > accuracy(criterion="magnitude", compensate="none") + 0.05
    assert accuracy(criterion="random") > accuracy(criterion="random", compensate="none") + 0.1


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"n_keep": 0}, "n_keep must be a whole number from 1 to the 5 neurons of '0', got 0"),
        ({"n_keep": 2.5}, "n_keep must be a whole number from 1 to the 5 neurons of '0', got 2.5"),
        ({"y": CLASSES[:9]}, "X has 60 rows and y has 9"),
        ({"n_keep": 6}, "n_keep must be a whole number from 1 to the 5 neurons of '0', got 6"),
        ({"layer": "7"}, r"no Linear layer named '7': choose from \['0', '2'\]"),
        ({"layer": "2"}, "the neurons of '2' also meet 'OutputOp'|the outputs of a module cannot be pruned"),
        ({"criterion": "hessian"}, r"no criterion 'hessian': choose from \['obs'"),
        ({"compensate": "all"}, r"compensate must be one of \['least_squares', 'mean', 'none'\], got 'all'"),
        ({"criterion": "taylor_2017", "y": None}, "'taylor_2017' looks at the loss: give y"),
        ({"X": np.full((60, 4), np.nan)}, "X holds NaN or infinite values: drop those rows"),
        ({"X": np.empty((0, 4)), "y": []}, r"X has shape \(0, 4\): one row at least is needed"),
        ({"n_keep": 2.0}, r"n_keep must be a whole number from 1 to the \d neurons of '0', got 2.0"),
        ({"n_keep": True}, r"n_keep must be a whole number from 1 to the \d neurons of '0', got True"),
    ],
)
def test_what_cannot_be_done_is_said(how: dict, words: str) -> None:
    given = {"X": X, "y": CLASSES, "layer": "0", "n_keep": 2} | how
    with pytest.raises(ValueError, match=words):
        prune_neurons(stack(4, 5, 3), **given)


def test_a_masked_module_is_refused() -> None:
    masked = apply_masks(stack(4, 5, 3), {"0": np.ones((5, 4), dtype=bool)})
    with pytest.raises(ValueError, match="bake the masks in with finalize"):
        prune_neurons(masked, X, layer="0", n_keep=2)


@pytest.mark.parametrize(
    ("module", "layer"),
    [
        (Skip("layer"), "inner"),
        (Skip("input"), "inner"),
        (Branches(), "body"),
        (Twice(), "body"),
        (Again(), "body"),
        (nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 3)).double(), "0"),
    ],
    ids=[
        "added to a layer",
        "added to the input",
        "two functions",
        "shared by two layers",
        "read twice",
        "normalised together",
    ],
)
def test_neurons_that_meet_others_are_refused(module: nn.Module, layer: str) -> None:
    with pytest.raises(
        ValueError, match=r"also meet|meet more than Linear layers|through different functions|used more than once"
    ):
        prune_neurons(module, X, layer=layer, n_keep=2)


def test_the_default_of_each_function_is_obs_with_least_squares() -> None:
    for function in (prune_neurons, neuron_curve):
        defaults = {name: p.default for name, p in inspect.signature(function).parameters.items()}
        assert (defaults["criterion"], defaults["compensate"]) == ("obs", "least_squares")


class Tied(nn.Module):
    """Two layers of one matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)
        self.b.weight = self.a.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c(torch.relu(self.b(torch.relu(self.a(x)))))


@pytest.mark.parametrize("layer", ["a", "b"])
def test_layers_that_share_their_weights_are_refused(layer: str) -> None:
    with pytest.raises(ValueError, match=r"'a.weight' and 'b.weight' are one parameter"):
        prune_neurons(Tied(), X, layer=layer, n_keep=2)


def test_weights_that_are_no_numbers_are_refused() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 3))
    module[0].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match="activations of '0' are not finite: look for NaN"):
        neuron_importance(module, X, layer="0")
