"""What the criteria of `treeprune.neural.weight_scores` look at, gathered from any module with Linear layers.

Arrays are turned to the orientation of the criteria, (in_features, out_features).  In sequences each
position counts as a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.torch.masks import finalize
from treeprune.adapters.torch.modules import (
    as_array,
    import_torch,
    linear_layers,
    rows_and_targets,
    rows_of,
    summed_loss,
)
from treeprune.neural.criteria import output_curvature
from treeprune.neural.weight_scores import WeightEvidence

Floats = NDArray[np.float64]
OF_THE_LOSS = ("snip", "fisher", "obd")
OF_ROWS = ("wanda", "obs_layer", "synflow")


def weight_evidence(module: Any, X: Any, y: Any, criterion: str, rng: np.random.Generator) -> dict[str, WeightEvidence]:
    """Gather, for each Linear layer by name, what a criterion needs; weights that are off are zero.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed.
    X, y : array-like or tensor, or None where the criterion does not look at rows
    criterion : str
    rng : numpy.random.Generator
    """
    final = finalize(module).eval().requires_grad_(True)
    weights = {name: as_array(layer.weight).T for name, layer in linear_layers(final).items()}
    if criterion not in OF_THE_LOSS + OF_ROWS:
        return {name: WeightEvidence(w, rng) for name, w in weights.items()}
    rows, targets = (rows_of(final, X), None) if criterion in OF_ROWS else rows_and_targets(final, X, y)
    seen, output = _forward(final, rows)
    received = {name: _flat(came) for name, (came, _) in seen.items()}
    if criterion not in OF_THE_LOSS:
        shares = {name: np.full(len(a), 1 / len(a)) for name, a in received.items()}
        return {n: WeightEvidence(w, rng, received=received[n], share=shares[n]) for n, w in weights.items()}
    sent = [seen[name][1] for name in weights]
    loss = summed_loss(output, targets)
    if criterion == "obd":
        curved = _curvature(output, targets, sent)
        scaled = zip(weights.items(), curved, strict=True)
        return {n: WeightEvidence(w, rng, curvature=(received[n] ** 2).T @ c / len(X)) for (n, w), c in scaled}
    gradients = [_flat(g) for g in import_torch().autograd.grad(loss, sent)]
    by_layer = zip(weights.items(), gradients, strict=True)
    return {
        n: WeightEvidence(w, rng, slope=received[n].T @ g / len(X), squared_slope=(received[n] ** 2).T @ g**2 / len(X))
        for (n, w), g in by_layer
    }


def flow(module: Any, X: Any) -> dict[str, Floats]:
    """Each weight's share in the sum over all paths of products of absolute weights, by layer (Tanaka et al. 2020)."""
    torch = import_torch()
    positive = finalize(module).eval().double().requires_grad_(False)
    for parameter in positive.parameters():
        parameter.abs_()
    layers = linear_layers(positive)
    for layer in layers.values():
        layer.weight.requires_grad_(True)
        if layer.bias is not None:
            layer.bias.zero_()
    output = positive(torch.ones_like(rows_of(positive, X)[:1]))
    slopes = torch.autograd.grad(output.sum(), [layer.weight for layer in layers.values()])
    return {n: as_array(layer.weight * g) for (n, layer), g in zip(layers.items(), slopes, strict=True)}


def _forward(module: Any, rows: Any) -> tuple[dict[str, tuple[Any, Any]], Any]:
    """What each Linear layer received and sent, by name, and the output of the module."""
    seen: dict[str, tuple[Any, Any]] = {}

    def note(name: str, received: Any, sent: Any) -> None:
        if name in seen:
            raise ValueError(f"layer {name!r} is used more than once in a forward pass: its weights have no one score")
        seen[name] = received[0], sent

    layers = linear_layers(module)
    for name, layer in layers.items():
        layer.register_forward_hook(lambda part, received, sent, name=name: note(name, received, sent))
    output = module(rows)
    unused = [name for name in layers if name not in seen]
    if unused:
        raise ValueError(f"layer {unused[0]!r} is not used in a forward pass: use criterion 'magnitude'")
    return seen, output


def _curvature(output: Any, targets: Any, sent: list[Any]) -> list[Floats]:
    """Second derivative of each row's loss by what each layer sends, one pass backwards for each output."""
    torch = import_torch()
    if output.ndim != 2 or any(part.ndim != 2 for part in sent):
        raise ValueError(f"criterion 'obd' is for outputs of shape (n_rows, n_outputs), got {tuple(output.shape)}")
    passes = [torch.autograd.grad(output[:, k].sum(), sent, retain_graph=True) for k in range(output.shape[1])]
    links = "identity" if targets.is_floating_point() else "softmax"
    predicted = as_array(torch.softmax(output, 1))
    return [
        output_curvature(links, predicted, np.array([as_array(slopes[k]) for slopes in passes]))
        for k in range(len(sent))
    ]


def _flat(tensor: Any) -> Floats:
    return as_array(tensor).reshape(-1, tensor.shape[-1])
