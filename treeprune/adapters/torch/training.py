"""Training that goes on after pruning: the user's loop, or a plain one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from treeprune.adapters.torch.masks import apply_masks, masks_of
from treeprune.adapters.torch.modules import copied, import_torch, linear_layers, rows_and_targets, summed_loss
from treeprune.adapters.torch.weights import weight_masks
from treeprune.checks import check_count

Loop = Callable[[Any, Any, Any, int], Any]
Schedule = Callable[[int], float]


def fine_tune(
    module: Any,
    X: Any,
    y: Any,
    epochs: int,
    loop: Loop | None = None,
    *,
    schedule: Schedule | None = None,
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    random_state: int = 0,
) -> Any:
    """Return a copy of a module, trained further; what its masks switch off stays off.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed.
    X : array-like or tensor, shape (n_rows, ...)
    y : array-like or tensor
        Whole numbers are classes and the loss is cross-entropy; for other numbers it is squared
        error, and ``y`` has the shape of the module's output.
    epochs : int
        Passes over the rows.
    loop : callable, optional
        ``loop(module, X, y, epochs)`` trains the copy in place, in any way, with X and y as
        they were given. By default Adam on shuffled mini-batches.
    schedule : callable, optional
        Prunes while the default loop trains: ``schedule(n_steps)`` is the share of all weights of
        Linear layers to be off after so many mini-batches (the last is
        ``epochs * ceil(n_rows / batch_size)``); the smallest go, and none comes back.
    learning_rate, batch_size : float, int
        Of the default loop.
    random_state : int
        Shuffles the rows of the default loop.

    Returns
    -------
    torch.nn.Module
        In the mode (training or evaluation) of the one given.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import fine_tune
    >>> X = torch.linspace(-1, 1, 64)[:, None]
    >>> line = fine_tune(torch.nn.Linear(1, 1), X, 3 * X, epochs=200, learning_rate=0.05)
    >>> round(line.weight.item(), 2)
    3.0
    """
    check_count("epochs", epochs, low=1)
    check_count("batch_size", batch_size, low=1)
    if loop is not None and schedule is not None:
        raise ValueError("a schedule belongs to the default loop: let your loop prune by apply_masks, or give no loop")
    tuned = (copied(module) if schedule is None else apply_masks(module, _all_on(module))).train()
    if loop is None:
        _adam(tuned, X, y, epochs, schedule, learning_rate, batch_size, random_state)
    else:
        loop(tuned, X, y, epochs)
    _recompute_masked_weights(tuned)
    return tuned.train(module.training)


def _all_on(module: Any) -> dict[str, Any]:
    return {name: np.ones(mask.shape, dtype=bool) for name, mask in masks_of(module).items()}


def _adam(
    module: Any,
    X: Any,
    y: Any,
    epochs: int,
    schedule: Schedule | None,
    learning_rate: float,
    batch_size: int,
    random_state: int,
) -> None:
    torch = import_torch()
    rows, targets = rows_and_targets(module, X, y)
    optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate)
    for n_steps, batch in enumerate(_batches(rows, epochs, batch_size, random_state), start=1):
        optimizer.zero_grad()
        (summed_loss(module(rows[batch]), targets[batch]) / len(batch)).backward()
        optimizer.step()
        if schedule is not None:
            _mask_up_to(module, schedule(n_steps))


def _batches(rows: Any, epochs: int, batch_size: int, random_state: int) -> Iterator[Any]:
    """Shuffle the rows for every epoch; batches of nearly equal size, as batch normalisation fails on a single row."""
    torch = import_torch()
    shuffle = torch.Generator().manual_seed(random_state)
    for _ in range(epochs):
        order = torch.randperm(len(rows), generator=shuffle).to(rows.device)
        yield from order.tensor_split(math.ceil(len(rows) / batch_size))


def _mask_up_to(module: Any, sparsity: float) -> None:
    """Switch off the smallest weights until this share of all is off; in the masks there are, in place."""
    if not 0 <= sparsity <= 1:
        raise ValueError(f"a schedule must return a share from 0 to 1, got {sparsity}")
    masks = masks_of(module).values()
    n_weights, n_on = sum(mask.size for mask in masks), sum(int(mask.sum()) for mask in masks)
    more = round(sparsity * n_weights) - (n_weights - n_on)
    if more > 0:
        layers = linear_layers(module)
        for name, mask in weight_masks(module, amount=more).items():
            layers[name].weight_mask.copy_(import_torch().as_tensor(mask))


def _recompute_masked_weights(module: Any) -> None:
    """Torch computes them before a forward pass only, so after the last step they are a step behind."""
    for part in module.modules():
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, import_torch().nn.utils.prune.BasePruningMethod):
                hook(part, None)
