"""Which weights of a module to switch off, by the criteria of `treeprune.neural`."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.torch.masks import apply_masks, masks_of
from treeprune.adapters.torch.weight_evidence import OF_ROWS, OF_THE_LOSS, flow, weight_evidence
from treeprune.neural.weight_scores import WEIGHT_CRITERIA, lowest_off, lowest_off_in_rounds

Floats = NDArray[np.float64]
Masks = dict[str, NDArray[np.bool_]]
Scope = Literal["global", "layer"]
AVAILABLE = (*WEIGHT_CRITERIA, "synflow")


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
        Training rows, for snip, fisher and obd; for wanda, obs_layer and synflow X alone. The loss is
        that of `fine_tune`.
    amount : float or int
        As in torch: a float is a share of the weights still on, rounded half to even; an int is
        a number of weights.
    criterion : str
        A key of `treeprune.neural.weight_scores.WEIGHT_CRITERIA` (magnitude, lamp, snip, fisher, obd,
        wanda, obs_layer, random), or ``"synflow"``, in 100 rounds. The lowest go.
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
    if criterion not in AVAILABLE:
        raise ValueError(f"no criterion {criterion!r}: choose from {list(AVAILABLE)}")
    if scope not in ("global", "layer"):
        raise ValueError(f"scope must be 'global' or 'layer', got {scope!r}")
    if criterion in OF_THE_LOSS and (X is None or y is None):
        raise ValueError(f"criterion {criterion!r} looks at gradients of the loss: give X and y")
    if criterion in OF_ROWS and X is None:
        raise ValueError(f"criterion {criterion!r} looks at what the layers receive: give X")
    masks = masks_of(module)
    if criterion == "synflow":
        if scope != "global":
            raise ValueError(f"criterion 'synflow' compares all weights, so scope is 'global', not {scope!r}")
        return _by_flow(module, X, masks, amount)
    seen = weight_evidence(module, X, y, criterion, np.random.default_rng(random_state))
    scores = {name: WEIGHT_CRITERIA[criterion](layer).T for name, layer in seen.items()}
    if scope == "global":
        return _lowest_off(masks, scores, amount)
    return {name: _lowest_off({name: masks[name]}, scores, amount)[name] for name in masks}


def _by_flow(module: Any, X: Any, masks: Masks, amount: float) -> Masks:
    def scores(on: list[NDArray[np.bool_]]) -> list[Floats]:
        return list(flow(apply_masks(module, dict(zip(masks, on, strict=True))), X).values())

    return dict(zip(masks, lowest_off_in_rounds(list(masks.values()), scores, amount), strict=True))


def _lowest_off(masks: Masks, scores: dict[str, Floats], amount: float) -> Masks:
    """Switch off the lowest of all weights still on in these layers."""
    on = lowest_off(list(masks.values()), [scores[name] for name in masks], amount)
    return dict(zip(masks, on, strict=True))
