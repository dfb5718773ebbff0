"""Weights switched off by masks: torch's own, set, read and baked in.

A mask of torch lives beside the weights it covers (``weight_orig``, ``weight_mask``, and a hook
that multiplies them before each forward pass), so the masked module trains, but is neither
smaller nor loads into an unmasked one.  `finalize` ends that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.adapters.torch.modules import copied, import_torch, is_masked, linear_layer, linear_layers


def apply_masks(module: Any, masks: Mapping[str, ArrayLike]) -> Any:
    """Return a copy of a module with these weights switched off.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed. Masks it has already stay: a weight is on where all masks say so.
    masks : mapping of str to array-like of bool, shape (out_features, in_features)
        For Linear layers by name: True where the weight stays.

    Returns
    -------
    torch.nn.Module
        Masked by `torch.nn.utils.prune.custom_from_mask`.

    Raises
    ------
    ValueError
        For a layer that does not exist, or a mask that is not of its shape.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import apply_masks
    >>> masked = apply_masks(torch.nn.Linear(2, 1), {"": [[True, False]]})
    >>> masked.weight_mask
    tensor([[1., 0.]])
    """
    prune = import_torch().nn.utils.prune
    masked = copied(module)
    for name, mask in masks.items():
        layer = linear_layer(masked, name)
        prune.custom_from_mask(layer, "weight", _checked(name, mask, layer.weight))
    return masked


def _checked(name: str, mask: ArrayLike, weight: Any) -> Any:
    mask = np.asarray(mask)
    if mask.shape != tuple(weight.shape) or mask.dtype != bool:
        raise ValueError(
            f"the mask of layer {name!r} must be bool of shape {tuple(weight.shape)}, got {mask.dtype} of {mask.shape}"
        )
    return import_torch().as_tensor(mask, dtype=weight.dtype, device=weight.device)


def masks_of(module: Any) -> dict[str, NDArray[np.bool_]]:
    """Return the masks in force: True where a weight is on; all True in layers without a mask.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    dict of str to ndarray of bool, shape (out_features, in_features)
        For each Linear layer by name.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import masks_of
    >>> masks_of(torch.nn.Linear(2, 1))
    {'': array([[ True,  True]])}
    """
    return {name: _mask_of(layer) for name, layer in linear_layers(module).items()}


def _mask_of(layer: Any) -> NDArray[np.bool_]:
    if is_masked(layer):
        return layer.weight_mask.cpu().numpy().astype(bool)
    return np.ones(tuple(layer.weight.shape), dtype=bool)


def finalize(module: Any) -> Any:
    """Return a copy with all masks baked into the weights and torch's pruning hooks gone.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed.

    Returns
    -------
    torch.nn.Module
        An ordinary module: `copy.deepcopy` works, and its ``state_dict`` loads into a fresh one.
        Its zeros are ordinary weights too: training moves them, so train first.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import apply_masks, finalize
    >>> masked = apply_masks(torch.nn.Linear(2, 1), {"": [[True, False]]})
    >>> sorted(masked.state_dict()), sorted(finalize(masked).state_dict())
    (['bias', 'weight_mask', 'weight_orig'], ['bias', 'weight'])
    """
    prune = import_torch().nn.utils.prune
    final = copied(module)
    for part in final.modules():
        for name in [
            key.removesuffix("_mask") for key, _ in part.named_buffers(recurse=False) if key.endswith("_mask")
        ]:
            if hasattr(part, f"{name}_orig"):
                prune.remove(part, name)
    return final
