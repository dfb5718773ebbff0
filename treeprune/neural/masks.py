"""Weights of a fitted MLP switched off: which ones, and the network without them.

A mask is one boolean a weight, True where it stays.  Zeros among the weights make a network neither
smaller nor faster: they are for training under masks, for the zipped file, and for comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_choice
from treeprune.neural.deployment import NETWORKS, with_weights
from treeprune.neural.lossless import ACTIVATIONS
from treeprune.neural.observation import activations, weight_curvature, weight_slopes
from treeprune.neural.removal import Rows, checked_rows
from treeprune.neural.surgeon import surgery
from treeprune.neural.weight_scores import WEIGHT_CRITERIA, WeightEvidence, lowest_off, lowest_off_in_rounds, synflow
from treeprune.repair import refitted_towards
from treeprune.wrapped import rewrap

Floats = NDArray[np.float64]
Masks = list[NDArray[np.bool_]]
Scope = Literal["global", "layer", "neuron"]

OF_THE_LOSS = ("snip", "fisher")
OF_ROWS = ("obd", "wanda", "obs_layer", "obs")
ALL_CRITERIA = (*WEIGHT_CRITERIA, "synflow", "obs")


def weight_masks(
    mlp: Any,
    X: Any = None,
    y: Any = None,
    *,
    amount: float,
    criterion: str = "magnitude",
    scope: Scope = "global",
    masks: Sequence[ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: Any = 0,
) -> Masks:
    """Say which weights of a network to switch off; `prune_weights` does it.

    Parameters
    ----------
    mlp : fitted MLPClassifier or MLPRegressor
        Or a Pipeline, search or FrozenEstimator with one inside. Not changed. Biases are no
        weights.
    X, y : array-like, optional
        Training rows: for snip and fisher both, for obd, wanda, obs_layer and obs X.
    amount : float or int
        As in torch: a float is a share of the weights still on, rounded half to even; an int is
        a number of weights. ``1`` is one weight, ``1.0`` is all of them.
    criterion : str, default="magnitude"
        A key of `treeprune.neural.weight_scores.WEIGHT_CRITERIA` (magnitude, lamp, snip, fisher, obd,
        wanda, obs_layer, random); ``"synflow"``, in 100 rounds; ``"obs"``, the optimal brain surgeon
        with the Gauss-Newton matrix of all weights, for networks of up to 3,000. The lowest go.
    scope : {"global", "layer", "neuron"}
        What ``amount`` counts: the weights of all layers together, of each layer, or of what each
        neuron receives.
    masks : sequence of array-like of bool, optional
        Weights already off, which stay off and are not counted; by default those at zero.
    sample_weight : array-like, shape (n_rows,), optional
        Frequencies.
    random_state : int or Generator, default=0
        For ``"random"``.

    Returns
    -------
    list of ndarray of bool, shapes (n_in, n_out)
        For each layer: True where the weight stays. Of equal scores the first go.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import weight_masks
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> [int(mask.sum()) for mask in weight_masks(mlp, amount=0.5, scope="layer")]
    [16, 12]
    """
    check_choice("criterion", criterion, ALL_CRITERIA)
    check_choice("scope", scope, ("global", "layer", "neuron"))
    network, rows = checked_rows(mlp, X, y, sample_weight, criterion in OF_THE_LOSS, criterion in OF_ROWS + OF_THE_LOSS)
    masks = checked_masks(network, masks)
    if criterion in ("synflow", "obs"):
        if scope != "global":
            raise ValueError(f"criterion={criterion!r} compares all weights, so scope is 'global', not {scope!r}")
        if criterion == "synflow":
            return _by_flow(network, masks, amount)
        return surgery(network, rows, masks, amount)[1]
    seen = weight_evidence(network, rows, masks, criterion, np.random.default_rng(random_state))
    scores = [WEIGHT_CRITERIA[criterion](layer) for layer in seen]
    if scope == "global":
        return lowest_off(masks, scores, amount)
    if scope == "layer":
        return [lowest_off([mask], [score], amount)[0] for mask, score in zip(masks, scores, strict=True)]
    return [_within_neurons(mask, score, amount) for mask, score in zip(masks, scores, strict=True)]


def prune_weights(
    mlp: Any,
    X: Any = None,
    y: Any = None,
    *,
    amount: float,
    criterion: str = "magnitude",
    scope: Scope = "global",
    compensate: Literal["least_squares", "none"] | None = None,
    masks: Sequence[ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: Any = 0,
) -> Any:
    """Return a network with weights at zero, and the others refitted.

    Parameters
    ----------
    mlp, X, y, amount, criterion, scope, masks, sample_weight, random_state
        As in `weight_masks`.
    compensate : {"least_squares", "none"}, optional
        Refit what every neuron weighs the rest with, and its bias, so that it computes what it did;
        or not. By default least squares where rows are given; for ``criterion="obs"`` the surgeon's
        own, which moves all weights to keep the loss low.

    Returns
    -------
    MLPClassifier or MLPRegressor, or a Pipeline that ends in one
        Of the same size. Training it on moves the zeros: `fine_tune` with masks does not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import prune_weights
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> small = prune_weights(mlp, X, amount=0.5)
    >>> sum(int((w != 0).sum()) for w in small.coefs_), bool(small.score(X, y) > 0.9)
    (28, True)
    """
    if criterion == "obs" and compensate is None:
        check_choice("scope", scope, ("global",))
        network, rows = checked_rows(mlp, X, y, sample_weight, False, True)
        return rewrap(mlp, NETWORKS, surgery(network, rows, checked_masks(network, masks), amount)[0])
    chosen = weight_masks(
        mlp,
        X,
        y,
        amount=amount,
        criterion=criterion,
        scope=scope,
        masks=masks,
        sample_weight=sample_weight,
        random_state=random_state,
    )
    return with_masks(mlp, chosen, X, sample_weight=sample_weight, compensate=compensate)


def with_masks(
    mlp: Any,
    masks: Sequence[ArrayLike],
    X: Any = None,
    *,
    sample_weight: ArrayLike | None = None,
    compensate: str | None = None,
) -> Any:
    """Return a network with the weights off that the masks say; see `prune_weights`."""
    compensate = compensate or ("none" if X is None else "least_squares")
    check_choice("compensate", compensate, ("least_squares", "none"))
    network, rows = checked_rows(mlp, X, None, sample_weight, False, compensate == "least_squares")
    masks = checked_masks(network, masks)
    coefs = [w * mask for w, mask in zip(network.coefs_, masks, strict=True)]
    intercepts = network.intercepts_
    if compensate == "least_squares":
        coefs, intercepts = _refitted(network, rows, masks)
    return rewrap(mlp, NETWORKS, with_weights(network, coefs, intercepts))


def achieved(masks: Sequence[NDArray[np.bool_]]) -> float:
    """Share of all weights that the masks switch off."""
    return 1 - sum(int(mask.sum()) for mask in masks) / sum(mask.size for mask in masks)


def weight_evidence(
    mlp: Any, rows: Rows, masks: Masks, criterion: str, rng: np.random.Generator
) -> list[WeightEvidence]:
    """Gather what a criterion looks at, layer by layer; weights that are off are zero."""
    off = with_weights(mlp, [w * mask for w, mask in zip(mlp.coefs_, masks, strict=True)], mlp.intercepts_)
    weights, n_layers = [np.asarray(w, dtype=np.float64) for w in off.coefs_], len(masks)
    nothing: Any = [None] * n_layers
    slopes = squares = curvatures = nothing
    received = activations(off, rows.X)[:n_layers] if len(rows.X) else nothing
    if criterion in OF_THE_LOSS:
        assert rows.target is not None  # asked for
        slopes, squares = weight_slopes(off, rows.X, rows.target, rows.share)
    if criterion == "obd":
        curvatures = weight_curvature(off, rows.X, rows.share)
    layers = zip(weights, slopes, squares, curvatures, received, strict=True)
    return [WeightEvidence(w, rng, g, g2, h, a, rows.share) for w, g, g2, h, a in layers]


def _by_flow(mlp: Any, masks: Masks, amount: float) -> Masks:
    def scores(on: Masks) -> list[Floats]:
        return synflow([w * mask for w, mask in zip(mlp.coefs_, on, strict=True)])

    return lowest_off_in_rounds(masks, scores, amount)


def _within_neurons(mask: NDArray[np.bool_], score: Floats, amount: float) -> NDArray[np.bool_]:
    columns = (lowest_off([m], [s], amount)[0] for m, s in zip(mask.T, score.T, strict=True))
    return np.column_stack(list(columns))


def _refitted(mlp: Any, rows: Rows, masks: Masks) -> tuple[list[Any], list[Any]]:
    """Refit layer by layer: each neuron is to compute what it did, from what the layers before it send now."""
    coefs, intercepts = [], []
    before, now = activations(mlp, rows.X), rows.X
    for k, (w, b, mask) in enumerate(zip(mlp.coefs_, mlp.intercepts_, masks, strict=True)):
        new, bias = refitted_towards(now, before[k] @ w + b, w, mask, rows.share)
        coefs.append(new.astype(w.dtype))
        intercepts.append(bias.astype(b.dtype))
        now = ACTIVATIONS[mlp.activation](now @ new + bias)
    return coefs, intercepts


def checked_masks(mlp: Any, masks: Sequence[ArrayLike] | None) -> Masks:
    """Return masks as arrays that fit the network; where none are given, weights at zero are off."""
    if masks is None:
        return [w != 0 for w in mlp.coefs_]
    arrays = [np.asarray(mask) for mask in masks]
    shapes = [w.shape for w in mlp.coefs_]
    if [a.shape for a in arrays] != shapes or any(a.dtype != bool for a in arrays):
        raise ValueError(f"masks must be bool of the shapes {shapes}, got {[f'{a.dtype} {a.shape}' for a in arrays]}")
    return arrays
