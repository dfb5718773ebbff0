"""Neurons of a module ranked, removed for real, and every size of a layer scored.

Nothing here looks at what kind of module it is: a Linear layer is named, and what reads it is
found in the module's graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.torch.modules import copied, import_torch, rows_and_targets
from treeprune.adapters.torch.observation import curvature, look_at, rise_without
from treeprune.adapters.torch.surgery import HiddenLayer, hidden_layer, rewrite_readers, without_neurons
from treeprune.curve import GeneralizationCurve
from treeprune.neural.criteria import CRITERIA, OF_THE_LOSS, REPAIRS, Evidence, removal_order

Compensate = Literal["least_squares", "mean", "none"]
Floats = NDArray[np.float64]


def neuron_importance(
    module: Any, X: Any, y: Any = None, *, layer: str, criterion: str = "obs", random_state: int = 0
) -> Floats:
    """Score the neurons of a layer.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed.
    X : array-like or tensor, shape (n_rows, ...)
        Training rows.
    y : array-like or tensor, optional
        For criteria of the loss. Whole numbers are classes and the loss is cross-entropy of the
        module's output; for other numbers it is half the squared error.
    layer : str
        Name of a Linear layer, as in ``module.named_modules()``.
    criterion : str
        ``"obs"`` (the rise of the next layer's error after repair), ``"magnitude"``, ``"l1"``,
        ``"l2"``, ``"group_magnitude"``, ``"group_taylor"``, ``"taylor_2017"``, ``"taylor_2019"``,
        ``"skeletonization"``, ``"obd"``, ``"ablation"`` (one pass over the rows for each neuron), ``"apoz"``,
        ``"activation_variance"`` or ``"random"``.
    random_state : int
        For ``"random"``.

    Returns
    -------
    ndarray of shape (n_neurons,)
        The lowest goes first.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import neuron_importance
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> _ = torch.nn.init.eye_(module[0].weight), torch.nn.init.ones_(module[2].weight)
    >>> neuron_importance(module, torch.eye(2), layer="0", criterion="l1")
    array([1., 1.])
    """
    _, seen = _look(module, X, y, layer, criterion, random_state)
    return CRITERIA[criterion](seen)


def prune_neurons(
    module: Any,
    X: Any,
    y: Any = None,
    *,
    layer: str,
    n_keep: int,
    criterion: str = "obs",
    compensate: Compensate = "least_squares",
    random_state: int = 0,
) -> Any:
    """Return a module with fewer neurons in one layer.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed. Between the layer and the Linear layers that read it there may be activation
        functions, dropout and batch normalisation.
    X, y : array-like or tensor
        Training rows, see `neuron_importance`. What the next layer receives on these rows is
        what the repair keeps.
    layer : str
        Name of a Linear layer.
    n_keep : int
        Neurons to keep, at least 1.
    criterion : str
        See `neuron_importance`. ``"obs"`` chooses one neuron at a time, each after the repair of
        those before; the others rank once.
    compensate : {"least_squares", "mean", "none"}
        What readers do about the loss: refit the weights of the neurons kept and the bias; the
        bias only; nothing. A reader without a bias gets one where the repair needs it.
    random_state : int
        For ``"random"``.

    Returns
    -------
    torch.nn.Module
        Of the same kind, smaller and faster, its neurons in their old order.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import prune_neurons
    >>> _ = torch.manual_seed(0)
    >>> module = torch.nn.Sequential(torch.nn.Linear(4, 50), torch.nn.Tanh(), torch.nn.Linear(50, 1))
    >>> X = torch.randn(200, 4)
    >>> small = prune_neurons(module, X, layer="0", n_keep=10)
    >>> small[0].out_features, small[2].in_features
    (10, 10)
    >>> bool((small(X) - module(X)).abs().mean() < 0.02)
    True
    """
    hidden, seen = _look(module, X, y, layer, criterion, random_state)
    if isinstance(n_keep, bool) or not isinstance(n_keep, Integral) or not 1 <= n_keep <= hidden.n_neurons:
        raise ValueError(
            f"n_keep must be a whole number from 1 to the {hidden.n_neurons} neurons of {layer!r}, got {n_keep!r}"
        )
    kept = _last(removal_order(criterion, seen), n_keep)
    return without_neurons(module, hidden, X, kept, *_repair(compensate)(seen, kept, hidden.outgoing_bias))


def neuron_curve(
    module: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    layer: str,
    criterion: str = "obs",
    compensate: Compensate = "least_squares",
    score: Callable[[Any, Any, Any], float] | None = None,
    random_state: int = 0,
) -> GeneralizationCurve:
    """Score every size of a layer on training and test rows, without training any again.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed.
    X_train, y_train : array-like or tensor
        Rows that rank, repair and give the training score.
    X_test, y_test : array-like or tensor
        Rows that nothing is chosen by.
    layer, criterion, compensate, random_state : str, str, str, int
        As in `prune_neurons`; ``n_keep`` of that function and the curve's ``price`` are the same.
    score : callable, optional
        ``score(module, X, y)``, greater is better. By default accuracy of classes, and R² of other
        targets (over all outputs together).

    Returns
    -------
    GeneralizationCurve
        One level per number of neurons, from all down to one: ``price``, and also ``n_leaves``,
        is the number kept.

    Examples
    --------
    >>> import torch
    >>> from treeprune.adapters.torch import neuron_curve
    >>> _ = torch.manual_seed(0)
    >>> module = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    >>> X = torch.randn(200, 4)
    >>> curve = neuron_curve(module, X, module(X).detach(), X, module(X).detach(), layer="0")
    >>> curve.price, curve.test.round(2)[:2]
    (array([5., 4., 3., 2., 1.]), array([1., 1.]))
    """
    hidden, seen = _look(module, X_train, y_train, layer, criterion, random_state)
    order, repair, score_of = removal_order(criterion, seen), _repair(compensate), score or _score
    sizes, scores = np.arange(hidden.n_neurons, 0, -1), []
    at_zero = copied(module).eval()
    for n_keep in sizes.tolist():
        rewrite_readers(at_zero, hidden, *repair(seen, _last(order, n_keep), hidden.outgoing_bias))
        scores.append([score_of(at_zero, X_train, y_train), score_of(at_zero, X_test, y_test)])
    train, test = np.array(scores, dtype=np.float64).T
    levels = np.arange(len(sizes))
    return GeneralizationCurve(
        method="neuron",
        parameter="n_keep",
        scoring="score" if score is None else getattr(score, "__name__", "score"),
        nested=True,
        computed_from="predictions",
        holds="up_to",
        repeat=np.zeros_like(levels),
        level=levels,
        price=sizes.astype(np.float64),
        n_leaves=sizes,
        train=train,
        test=test,
        unit="neurons",
    )


def _look(module: Any, X: Any, y: Any, layer: str, criterion: str, random_state: int) -> tuple[HiddenLayer, Evidence]:
    if criterion not in CRITERIA:
        raise ValueError(f"no criterion {criterion!r}: choose from {list(CRITERIA)}")
    if y is None and criterion in OF_THE_LOSS:
        raise ValueError(f"criterion {criterion!r} looks at the loss: give y")
    if y is not None:
        rows_and_targets(module, X, y)  # says what is wrong with them, for criteria that look at X alone as well
    hidden = hidden_layer(module, layer, X)
    seen = look_at(module, hidden, X, y if criterion in OF_THE_LOSS else None, np.random.default_rng(random_state))
    if criterion == "ablation":
        seen = replace(seen, rise=rise_without(module, hidden, X, y))
    if criterion == "obd":
        seen = replace(seen, curvature=curvature(module, hidden, X, y))
    if not np.isfinite(seen.activations).all():
        raise ValueError(f"the activations of {layer!r} are not finite: look for NaN in X or in the weights")
    if criterion == "apoz":
        _check_rest(module, layer, seen.activations)
    return hidden, seen


def _check_rest(module: Any, layer: str, activations: Floats) -> None:
    """Raise unless neurons look like those of a ReLU, never below zero and sometimes there: a module may name none."""
    if (activations < 0).any() or (activations > 0).all():
        functions = {type(part).__name__ for part in module.modules() if not any(True for _ in part.parameters())}
        raise ValueError(
            f"apoz counts zeros, which are meaningless here: neurons of {layer!r} do not rest at zero as a ReLU's do "
            f"(functions of this module: {', '.join(sorted(functions)) or 'none by name'}); choose another criterion"
        )


def _repair(compensate: str) -> Callable[[Evidence, NDArray[np.bool_], Floats], tuple[Floats, Floats]]:
    if compensate not in REPAIRS:
        raise ValueError(f"compensate must be one of {list(REPAIRS)}, got {compensate!r}")
    return REPAIRS[compensate]


def _last(order: NDArray[np.intp], n_keep: int) -> NDArray[np.bool_]:
    kept = np.zeros(len(order), dtype=bool)
    kept[order[len(order) - n_keep :]] = True
    return kept


def _score(module: Any, X: Any, y: Any) -> float:
    rows, targets = rows_and_targets(module, X, y)
    with import_torch().no_grad():
        output = module(rows)
    if not targets.is_floating_point():
        if output.shape[1] < 2:
            raise ValueError(
                "y holds whole numbers, which are classes, and the module has one output: give y as floats"
            )
        return (output.argmax(dim=1) == targets.reshape(-1)).double().mean().item()
    if targets.numel() != output.numel():
        raise ValueError(f"y has shape {tuple(targets.shape)}, and the module returns {tuple(output.shape)}")
    targets = targets.reshape(output.shape)  # (n,) against (n, 1) would be every row against every other
    return 1 - ((output - targets) ** 2).sum().item() / ((targets - targets.mean(dim=0)) ** 2).sum().item()
