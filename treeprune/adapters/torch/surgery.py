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

from treeprune.adapters.torch.modules import (
    as_array,
    copied,
    import_torch,
    import_torch_pruning,
    is_masked,
    linear_layer,
    linear_layers,
    rows_of,
)

Floats = NDArray[np.float64]


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
    _refuse_shared(module, (name, *readers))
    nexts = [module.get_submodule(reader) for reader in readers]
    return HiddenLayer(
        name,
        readers,
        as_array(layer.weight).T,
        _bias(layer),
        np.hstack([as_array(reader.weight).T for reader in nexts]),
        np.concatenate([_bias(reader) for reader in nexts]),
    )


def _refuse_shared(module: Any, names: tuple[str, ...]) -> None:
    """Raise ValueError if one of these layers has its weights in common with another part."""
    owners: dict[int, list[str]] = {}
    for key, parameter in module.named_parameters(remove_duplicate=False):
        owners.setdefault(id(parameter), []).append(key)
    shared = [keys for keys in owners.values() if len(keys) > 1]
    for keys in shared:
        if any(key.rpartition(".")[0] in names for key in keys):
            raise ValueError(
                f"{' and '.join(map(repr, keys))} are one parameter: without some of its neurons the other use would "
                "change as well, choose another layer or untie them"
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
