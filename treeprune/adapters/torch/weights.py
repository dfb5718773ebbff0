"""Which weights of a module to switch off: scores of arrays, and how many of the lowest go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.torch.masks import finalize, masks_of
from treeprune.adapters.torch.modules import (
    as_array,
    import_torch,
    linear_layers,
    raw_weight,
    rows_of,
    summed_loss,
    targets_of,
)

Floats = NDArray[np.float64]
Masks = dict[str, NDArray[np.bool_]]
Scope = Literal["global", "layer"]


def magnitude(weight: Floats, slope: Floats, rng: np.random.Generator) -> Floats:
    """Absolute weight."""
    return np.abs(weight)


def lamp(weight: Floats, slope: Floats, rng: np.random.Generator) -> Floats:
    """Square of a weight over the sum of squares of those in its layer not below it (Lee et al. 2021)."""
    squares = weight.ravel() ** 2
    upwards = np.argsort(squares, kind="stable")
    at_least = np.cumsum(squares[upwards][::-1])[::-1]
    scores = np.empty_like(squares)
    scores[upwards] = squares[upwards] / np.where(at_least > 0, at_least, 1.0)
    return scores.reshape(weight.shape)


def snip(weight: Floats, slope: Floats, rng: np.random.Generator) -> Floats:
    """Absolute weight times gradient of the mean loss; before training, Lee et al. (2019)."""
    return np.abs(weight * slope)


def random(weight: Floats, slope: Floats, rng: np.random.Generator) -> Floats:
    """Any order: the baseline to beat."""
    return rng.random(weight.shape)


WEIGHT_CRITERIA: dict[str, Callable[[Floats, Floats, np.random.Generator], Floats]] = {
    rule.__name__: rule for rule in (magnitude, lamp, snip, random)
}


def weight_masks(
    module: Any,
    X: Any = None,
    y: Any = None,
    *,
    amount: float,
    criterion: str = "magnitude",
    scope: Scope = "global",
    random_state: int = 0,
) -> Masks:
    """Say which weights of the Linear layers to switch off; `apply_masks` does it.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed. Weights that its masks have switched off stay off and are not counted.
    X, y : array-like or tensor, optional
        Training rows, for ``"snip"``. The loss is that of `fine_tune`.
    amount : float or int
        As in torch: a float is a share of the weights still on, rounded half to even; an int is
        a number of weights.
    criterion : {"magnitude", "lamp", "snip", "random"}
        The lowest go.
    scope : {"global", "layer"}
        Whether ``amount`` counts the weights of all layers together, or of each layer.
    random_state : int
        For ``"random"``.

    Returns
    -------
    dict of str to ndarray of bool, shape (out_features, in_features)
        For each Linear layer by name: True where the weight stays. Of equal scores the first go.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import apply_masks, weight_masks
    >>> module = torch.nn.Linear(3, 1)
    >>> _ = module.weight.data.copy_(torch.tensor([[0.1, -2.0, 0.5]]))
    >>> masks = weight_masks(module, amount=1)
    >>> masks
    {'': array([[False,  True,  True]])}
    >>> weight_masks(apply_masks(module, masks), amount=0.5)
    {'': array([[False,  True, False]])}
    """
    if criterion not in WEIGHT_CRITERIA:
        raise ValueError(f"no criterion {criterion!r}: choose from {list(WEIGHT_CRITERIA)}")
    if scope not in ("global", "layer"):
        raise ValueError(f"scope must be 'global' or 'layer', got {scope!r}")
    if criterion == "snip" and (X is None or y is None):
        raise ValueError("criterion 'snip' looks at gradients of the loss: give X and y")
    masks = masks_of(module)
    scores = _scores(module, masks, X, y, criterion, np.random.default_rng(random_state))
    if scope == "global":
        return _lowest_off(masks, scores, amount)
    return {name: _lowest_off({name: masks[name]}, scores, amount)[name] for name in masks}


def _scores(module: Any, masks: Masks, X: Any, y: Any, criterion: str, rng: np.random.Generator) -> dict[str, Floats]:
    layers = linear_layers(module)
    weights = {name: as_array(raw_weight(layer)) * masks[name] for name, layer in layers.items()}
    slopes = _slopes(finalize(module), X, y) if criterion == "snip" else weights  # the others do not look at them
    return {name: WEIGHT_CRITERIA[criterion](weights[name], slopes[name], rng) for name in weights}


def _slopes(module: Any, X: Any, y: Any) -> dict[str, Floats]:
    module.eval().requires_grad_(True)
    weights = {name: layer.weight for name, layer in linear_layers(module).items()}
    loss = summed_loss(module(rows_of(module, X)), targets_of(module, y)) / len(X)
    slopes = import_torch().autograd.grad(loss, list(weights.values()))
    return {name: as_array(slope) for name, slope in zip(weights, slopes, strict=True)}


def _lowest_off(masks: Masks, scores: dict[str, Floats], amount: float) -> Masks:
    """Switch off the lowest of all weights still on in these layers."""
    on = np.concatenate([mask.ravel() for mask in masks.values()])
    left = np.flatnonzero(on)
    values = np.concatenate([scores[name].ravel() for name in masks])[left]
    on[left[np.argsort(values, kind="stable")[: _count(amount, len(left))]]] = False
    ends = np.cumsum([mask.size for mask in masks.values()])[:-1]
    parts = zip(masks.items(), np.split(on, ends), strict=True)
    return {name: part.reshape(mask.shape) for (name, mask), part in parts}


def _count(amount: float, n_left: int) -> int:
    """Return how many weights ``amount`` means, as torch counts."""
    if isinstance(amount, int | np.integer) and 0 <= amount <= n_left:
        return int(amount)
    if isinstance(amount, float) and 0 <= amount <= 1:
        return round(amount * n_left)
    raise ValueError(
        f"amount must be a share from 0.0 to 1.0 or a number up to the {n_left} weights left, got {amount!r}"
    )
