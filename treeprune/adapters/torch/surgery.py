"""Neurons taken out of a module for real: who reads them, what they send, and a module without them.

torch-pruning follows the module's graph, so batch normalisation, dropout and reshaping between two
Linear layers are none of our business.  What is refused is what the repair of the next layer could
not answer for: neurons that are added to others (skip connections), normalised together, or sent
to something else than Linear layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.torch.criteria import Evidence
from treeprune.adapters.torch.modules import (
    as_array,
    copied,
    import_torch,
    import_torch_pruning,
    is_masked,
    linear_layer,
    linear_layers,
    rows_of,
    summed_loss,
    targets_of,
)

Floats = NDArray[np.float64]
ROWS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class HiddenLayer:
    """A Linear layer whose neurons may go, and the Linear layers that read them.

    Attributes
    ----------
    name : str
    readers : tuple of str
        Their inputs are the neurons' activations, and nothing else.
    incoming : ndarray of shape (n_inputs, n_neurons)
    bias : ndarray of shape (n_neurons,)
        Zero where the layer has none.
    outgoing : ndarray of shape (n_neurons, n_outputs)
        Of all readers side by side.
    outgoing_bias : ndarray of shape (n_outputs,)
    """

    name: str
    readers: tuple[str, ...]
    incoming: Floats
    bias: Floats
    outgoing: Floats
    outgoing_bias: Floats

    @property
    def n_neurons(self) -> int:
        """Number of neurons there are."""
        return len(self.bias)


def hidden_layer(module: Any, name: str, X: Any) -> HiddenLayer:
    """Read a hidden layer out of a module.

    Parameters
    ----------
    module : torch.nn.Module
    name : str
        Of a Linear layer, as in ``named_modules``.
    X : tensor
        Rows to follow the module's graph with.

    Raises
    ------
    ValueError
        For a layer that does not exist, a masked module, and neurons that are not read by
        Linear layers alone.
    """
    layer = linear_layer(module, name)
    if any(is_masked(part) for part in linear_layers(module).values()):
        raise ValueError("the module is masked: bake the masks in with finalize before removing neurons")
    readers = _readers(module, name, X)
    nexts = [module.get_submodule(reader) for reader in readers]
    return HiddenLayer(
        name,
        readers,
        as_array(layer.weight).T,
        _bias(layer),
        np.hstack([as_array(reader.weight).T for reader in nexts]),
        np.concatenate([_bias(reader) for reader in nexts]),
    )


def _bias(layer: Any) -> Floats:
    return np.zeros(layer.out_features) if layer.bias is None else as_array(layer.bias)


def _readers(module: Any, name: str, X: Any) -> tuple[str, ...]:
    """Follow the first neuron through a copy: tracing switches a module to evaluation."""
    torch, pruning = import_torch(), import_torch_pruning()
    module = copied(module)
    names = {part: key for key, part in module.named_modules()}
    own, readers = module.get_submodule(name), []
    passing = (pruning.ops._ElementWiseOp, pruning.ops._ReshapeOp, torch.nn.BatchNorm1d)
    for dependency, neurons in _group(module, own, X, [0]):
        part, handler = dependency.target.module, dependency.handler
        reads = isinstance(part, torch.nn.Linear) and handler == pruning.prune_linear_in_channels
        if reads and list(neurons) == [0]:
            readers.append(names[part])
        elif part is not own and not isinstance(part, passing):
            other = names.get(part, type(part).__name__.strip("_"))
            raise ValueError(
                f"the neurons of {name!r} also meet {other!r}, which is no Linear layer that reads them alone: "
                "choose a layer whose neurons go to Linear layers only"
            )
    if not readers:
        raise ValueError(f"no Linear layer reads the neurons of {name!r}: the outputs of a module cannot be pruned")
    return tuple(readers)


def _group(module: Any, layer: Any, X: Any, neurons: list[int]) -> Any:
    """Return what has to go together with these neurons, as torch-pruning sees it."""
    pruning = import_torch_pruning()
    for parameter in module.parameters():
        parameter.requires_grad_(True)  # the graph is read off gradients
    graph = pruning.DependencyGraph().build_dependency(module, rows_of(module, X)[:2])
    return graph.get_pruning_group(layer, pruning.prune_linear_out_channels, idxs=neurons)


def look_at(module: Any, hidden: HiddenLayer, X: Any, y: Any, rng: np.random.Generator) -> Evidence:
    """Gather what criteria look at, in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
    hidden : HiddenLayer
    X : array-like or tensor, shape (n_rows, ...)
        In sequences each position counts as a row.
    y : array-like, tensor or None
        The loss is that of `fine_tune`; without y all gradients are NaN.
        The rise without a neuron is left to `rise_without`.
    rng : numpy.random.Generator
    """
    module = copied(module).eval().requires_grad_(True)
    inputs = _inputs_of(module, hidden.readers)
    weights = [module.get_submodule(name).weight for name in (hidden.name, *hidden.readers)]
    rows = rows_of(module, X).split(ROWS_AT_ONCE)
    targets = [None] * len(rows) if y is None else targets_of(module, y).split(ROWS_AT_ONCE)
    seen = [_look(module, inputs, weights, *batch) for batch in zip(rows, targets, strict=True)]
    sent, slopes = (np.concatenate([batch[k].reshape(-1, hidden.n_neurons) for batch in seen]) for k in (0, 1))
    by_weights = [sum(parts) / len(X) for parts in zip(*(batch[2] for batch in seen), strict=True)]
    incoming, outgoing = by_weights[0].T, np.hstack([part.T for part in by_weights[1:]])
    rise = np.full(hidden.n_neurons, np.nan)
    return Evidence(hidden.incoming, hidden.bias, hidden.outgoing, sent, slopes, incoming, outgoing, rise, rng)


def _inputs_of(module: Any, readers: tuple[str, ...]) -> dict[str, Any]:
    """Return a dict that holds, after each forward pass, what each reader received."""
    inputs: dict[str, Any] = {}

    def note(name: str, received: Any) -> None:
        if name in inputs:
            raise ValueError(f"layer {name!r} is used more than once in a forward pass: prune another layer")
        inputs[name] = received[0]

    for name in readers:
        module.get_submodule(name).register_forward_pre_hook(lambda part, received, name=name: note(name, received))
    return inputs


def _look(module: Any, inputs: dict[str, Any], weights: list[Any], rows: Any, targets: Any) -> Any:
    """Return activations, gradients by them and by the weights, of some rows."""
    torch = import_torch()
    inputs.clear()
    output = module(rows)
    received = list({id(sent): sent for sent in inputs.values()}.values())
    if any(not torch.equal(received[0], other) for other in received[1:]):
        raise ValueError(
            f"the layers {list(inputs)} see the same neurons through different functions: prune another layer"
        )
    if targets is None:
        unknown = np.full(received[0].shape, np.nan)
        return as_array(received[0]), unknown, [np.full(weight.shape, np.nan) for weight in weights]
    slopes = torch.autograd.grad(summed_loss(output, targets), [*received, *weights])
    by_neurons = sum(slopes[: len(received)])
    return as_array(received[0]), as_array(by_neurons), [as_array(slope) for slope in slopes[len(received) :]]


def rise_without(module: Any, hidden: HiddenLayer, X: Any, y: Any) -> Floats:
    """Return how much the mean loss rises as each neuron alone is switched off, in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
    hidden : HiddenLayer
    X, y : array-like or tensor

    Returns
    -------
    ndarray of shape (n_neurons,)
    """
    torch = import_torch()
    module, rows, targets = copied(module).eval(), rows_of(module, X), targets_of(module, y)
    gates = torch.ones(hidden.n_neurons, dtype=next(module.parameters()).dtype, device=rows.device)
    for name in hidden.readers:
        module.get_submodule(name).register_forward_pre_hook(lambda part, received: (received[0] * gates,))

    def loss() -> float:
        parts = zip(rows.split(ROWS_AT_ONCE), targets.split(ROWS_AT_ONCE), strict=True)
        return sum(summed_loss(module(some), wanted).item() for some, wanted in parts) / len(rows)

    with torch.no_grad():
        before, losses = loss(), []
        for j in range(hidden.n_neurons):
            gates[j] = 0
            losses.append(loss())
            gates[j] = 1
    return np.array(losses) - before


def without_neurons(
    module: Any, hidden: HiddenLayer, X: Any, kept: NDArray[np.bool_], outgoing: Floats, outgoing_bias: Floats
) -> Any:
    """Return a module that has only the neurons kept, and reads them by the weights given.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed.
    hidden : HiddenLayer
    X : tensor
        Rows to follow the module's graph with.
    kept : ndarray of bool, shape (n_neurons,)
    outgoing : ndarray of shape (n_neurons, n_outputs)
        Weights of all readers side by side; rows of neurons that go are not looked at.
    outgoing_bias : ndarray of shape (n_outputs,)
        A reader without a bias gets one where this is not zero.

    Returns
    -------
    torch.nn.Module
        Smaller: an ordinary module of the same kind, in the same mode.
    """
    zeroed = copied(module)
    rewrite_readers(zeroed, hidden, np.where(kept[:, None], outgoing, 0.0), outgoing_bias)
    trained = {name: parameter.requires_grad for name, parameter in zeroed.named_parameters()}
    small = copied(zeroed)
    _group(small, small.get_submodule(hidden.name), X, np.flatnonzero(~kept).tolist()).prune()
    for name, parameter in small.named_parameters():
        parameter.requires_grad_(trained[name])
        parameter.grad = None
    _check_equal(small, zeroed, X, hidden.name)
    for part, before in zip(small.modules(), module.modules(), strict=True):
        part.training = before.training
    return small


def _check_equal(small: Any, zeroed: Any, X: Any, name: str) -> None:
    """Hold the smaller module to what it stands for: torch-pruning cannot see sums with inputs of the module."""
    torch = import_torch()
    rows = rows_of(zeroed, X)[:2]
    with torch.no_grad():
        expected = zeroed.eval()(rows)
        try:
            torch.testing.assert_close(small.eval()(rows), expected)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"without neurons of {name!r} the module does not compute what it does with them at zero: "
                "they meet more than Linear layers, choose another layer"
            ) from error


def rewrite_readers(module: Any, hidden: HiddenLayer, outgoing: Floats, outgoing_bias: Floats) -> None:
    """Give the readers these weights, in place.

    Parameters
    ----------
    module : torch.nn.Module
    hidden : HiddenLayer
    outgoing, outgoing_bias : ndarray
        As in `without_neurons`.
    """
    torch = import_torch()
    readers = [module.get_submodule(name) for name in hidden.readers]
    ends = np.cumsum([reader.out_features for reader in readers])[:-1]
    parts = zip(readers, np.split(outgoing, ends, axis=1), np.split(outgoing_bias, ends), strict=True)
    for reader, weights, bias in parts:
        with torch.no_grad():
            reader.weight.copy_(torch.as_tensor(weights.T.copy()))
            if reader.bias is None and bias.any():
                reader.bias = torch.nn.Parameter(reader.weight.new_zeros(len(bias)))
            if reader.bias is not None:
                reader.bias.copy_(torch.as_tensor(bias))
