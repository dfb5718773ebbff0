"""What neurons do on rows: what they send, and what the loss says about it.

All in evaluation mode, on a copy, by hooks on the layers that read the neurons.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.torch.modules import as_array, copied, import_torch, rows_and_targets, rows_of, summed_loss
from treeprune.adapters.torch.surgery import HiddenLayer
from treeprune.neural.criteria import Evidence, gate_curvature

Floats = NDArray[np.float64]
ROWS_AT_ONCE = 1024


def look_at(module: Any, hidden: HiddenLayer, X: Any, y: Any, rng: np.random.Generator) -> Evidence:
    """Gather what criteria look at.

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
    rows, targets = (rows_of(module, X), None) if y is None else rows_and_targets(module, X, y)
    batches = rows.split(ROWS_AT_ONCE)
    wanted = [None] * len(batches) if targets is None else targets.split(ROWS_AT_ONCE)
    seen = [_look(module, inputs, weights, *batch) for batch in zip(batches, wanted, strict=True)]
    sent, slopes = (np.concatenate([batch[k].reshape(-1, hidden.n_neurons) for batch in seen]) for k in (0, 1))
    by_weights = [sum(parts) / len(X) for parts in zip(*(batch[2] for batch in seen), strict=True)]
    incoming, outgoing = by_weights[0].T, np.hstack([part.T for part in by_weights[1:]])
    share = np.full(len(sent), 1 / len(sent))
    return Evidence(hidden.incoming, hidden.bias, hidden.outgoing, sent, slopes, incoming, outgoing, share, rng)


def curvature(module: Any, hidden: HiddenLayer, X: Any, y: Any) -> Floats:
    """Return the second derivative of the mean loss by a gate on each neuron, one pass backwards for each output.

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
    module, (rows, targets) = copied(module).eval().requires_grad_(True), rows_and_targets(module, X, y)
    inputs = _inputs_of(module, hidden.readers)
    output = module(rows)
    summed_loss(output, targets)  # says what is wrong with them, if anything is
    received = list({id(sent): sent for sent in inputs.values()}.values())
    if output.ndim != 2 or received[0].ndim != 2:
        raise ValueError(f"criterion 'obd' is for outputs of shape (n_rows, n_outputs), got {tuple(output.shape)}")
    slopes = [sum(torch.autograd.grad(output[:, k].sum(), received, retain_graph=True)) for k in range(output.shape[1])]
    links = "identity" if targets.is_floating_point() else "softmax"
    predicted, share = as_array(torch.softmax(output, 1)), np.full(len(rows), 1 / len(rows))
    return gate_curvature(links, predicted, np.array([as_array(s) for s in slopes]), as_array(received[0]), share)


def rise_without(module: Any, hidden: HiddenLayer, X: Any, y: Any) -> Floats:
    """Return how much the mean loss rises as each neuron alone is switched off.

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
    module, (rows, targets) = copied(module).eval(), rows_and_targets(module, X, y)
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
