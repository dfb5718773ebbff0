"""Training that goes on after pruning: the user's loop, or a plain one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from treeprune.adapters.torch.modules import copied, import_torch, rows_of, summed_loss, targets_of

Loop = Callable[[Any, Any, Any, int], Any]


def fine_tune(
    module: Any,
    X: Any,
    y: Any,
    epochs: int,
    loop: Loop | None = None,
    *,
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
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    tuned = copied(module).train()
    if loop is None:
        _adam(tuned, X, y, epochs, learning_rate, batch_size, random_state)
    else:
        loop(tuned, X, y, epochs)
    _recompute_masked_weights(tuned)
    return tuned.train(module.training)


def _adam(module: Any, X: Any, y: Any, epochs: int, learning_rate: float, batch_size: int, random_state: int) -> None:
    torch = import_torch()
    rows, targets = rows_of(module, X), targets_of(module, y)
    optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate)
    shuffle = torch.Generator().manual_seed(random_state)
    n_batches = math.ceil(len(rows) / batch_size)  # of nearly equal size: batch normalisation fails on a single row
    for _ in range(epochs):
        for batch in torch.randperm(len(rows), generator=shuffle).to(rows.device).tensor_split(n_batches):
            optimizer.zero_grad()
            (summed_loss(module(rows[batch]), targets[batch]) / len(batch)).backward()
            optimizer.step()


def _recompute_masked_weights(module: Any) -> None:
    """Torch computes them before a forward pass only, so after the last step they are a step behind."""
    for part in module.modules():
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, import_torch().nn.utils.prune.BasePruningMethod):
                hook(part, None)
