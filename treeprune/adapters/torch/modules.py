"""What every part of the PyTorch adapter needs: the library, named layers, copies that work.

torch is an extra, so functions import it; its modules and tensors are `Any` to the type checker.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray


def import_torch() -> Any:
    """Return the library, or say how to install it."""
    try:
        import torch
        import torch.nn.utils.prune  # which torch itself does not load
    except ImportError as error:
        raise ImportError("this needs PyTorch: pip install 'treeprune[torch]'") from error
    return torch


def import_torch_pruning() -> Any:
    """Return the library that follows a module's dependencies, or say how to install it."""
    try:
        import torch_pruning
    except ImportError as error:
        raise ImportError("this needs torch-pruning: pip install 'treeprune[torch]'") from error
    return torch_pruning


def linear_layers(module: Any) -> dict[str, Any]:
    """Return the Linear layers of a module by their names, in the order it holds them.

    Parameters
    ----------
    module : torch.nn.Module

    Raises
    ------
    TypeError
        For what is no module.
    ValueError
        For a module without a Linear layer.
    """
    nn = import_torch().nn
    if not isinstance(module, nn.Module):
        raise TypeError(f"expected a torch.nn.Module, got {type(module).__name__}")
    found = {name: part for name, part in module.named_modules() if isinstance(part, nn.Linear)}
    if not found:
        raise ValueError(f"{type(module).__name__} has no Linear layer: there is nothing to prune")
    return found


def linear_layer(module: Any, name: str) -> Any:
    """Return the Linear layer of this name, or list the names there are."""
    layers = linear_layers(module)
    if name not in layers:
        raise ValueError(f"no Linear layer named {name!r}: choose from {list(layers)}")
    return layers[name]


def is_masked(layer: Any) -> bool:
    """Say whether torch holds a mask over the weights of this layer."""
    return hasattr(layer, "weight_mask")


def raw_weight(layer: Any) -> Any:
    """Return the parameter that training moves: torch keeps it beside the mask where there is one."""
    return layer.weight_orig if is_masked(layer) else layer.weight


def copied(module: Any) -> Any:
    """Copy a module, masks and all.

    `copy.deepcopy` alone refuses a masked module: its ``weight`` is computed from ``weight_orig``
    and the mask, and torch does not copy computed tensors. The copy gets the values instead, and
    computes them anew in its next forward pass.

    Parameters
    ----------
    module : torch.nn.Module
    """
    computed = [value for part in module.modules() for value in vars(part).values() if _is_computed(value)]
    return copy.deepcopy(module, {id(value): value.detach().clone() for value in computed})


def _is_computed(value: Any) -> bool:
    return isinstance(value, import_torch().Tensor) and not value.is_leaf


def rows_of(module: Any, X: Any) -> Any:
    """Return rows as a tensor where the module is and in its precision; tokens to be embedded stay whole numbers.

    Raises
    ------
    ValueError
        For no rows, and for values that are not finite.
    """
    nn, rows, parameter = import_torch().nn, as_tensor(X), next(module.parameters())
    if not rows.ndim or not len(rows):
        raise ValueError(f"X has shape {tuple(rows.shape)}: one row at least is needed")
    if not rows.isfinite().all():
        raise ValueError("X holds NaN or infinite values: drop those rows, or fill them in")
    tokens = not rows.is_floating_point() and any(isinstance(part, nn.Embedding) for part in module.modules())
    return rows.to(parameter.device, rows.dtype if tokens else parameter.dtype)


def targets_of(module: Any, y: Any) -> Any:
    """Return targets as a tensor where the module is: whole numbers are classes, others in its precision."""
    targets, parameter = as_tensor(y), next(module.parameters())
    return targets.to(parameter.device, parameter.dtype if targets.is_floating_point() else import_torch().long)


def rows_and_targets(module: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Return both as tensors, one target for each row."""
    rows, targets = rows_of(module, X), targets_of(module, y)
    if len(rows) != len(targets):
        raise ValueError(f"X has {len(rows)} rows and y has {len(targets)}: give one target per row")
    if not targets.isfinite().all():
        raise ValueError("y holds NaN or infinite values: drop those rows")
    return rows, targets


def as_tensor(values: Any) -> Any:
    """Return a tensor as it is, and arrays, lists and data frames as tensors."""
    torch = import_torch()
    return values if isinstance(values, torch.Tensor) else torch.tensor(np.asarray(values))


def summed_loss(output: Any, targets: Any) -> Any:
    """Return the cross-entropy of classes, or half the squared error of other targets, summed over rows."""
    torch = import_torch()
    functional = torch.nn.functional
    if not isinstance(output, torch.Tensor):
        raise TypeError(
            f"the loss of a module that returns {type(output).__name__} is not known: "
            "choose a criterion that needs no loss, such as 'obs', and train by a loop of your own"
        )
    if not targets.is_floating_point():
        return functional.cross_entropy(output, targets, reduction="sum")
    if output.shape != targets.shape:
        raise ValueError(
            f"y that is no class must have the shape of the module's output, {tuple(output.shape)}, "
            f"got {tuple(targets.shape)}: reshape it, or give classes as whole numbers"
        )
    return functional.mse_loss(output, targets, reduction="sum") / 2


def as_array(tensor: Any) -> NDArray[np.float64]:
    """Return a tensor of any device and precision as an array of double precision."""
    return tensor.detach().cpu().double().numpy()
