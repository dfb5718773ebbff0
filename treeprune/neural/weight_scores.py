"""Which weights go first: arrays in, arrays out, in whatever library the network lives.

Every criterion is a function of what was seen of one layer; a low score goes first.  Whether
scores are compared within a layer, within what one neuron receives, or across layers is for
`weight_masks` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treeprune.repair import one_by_one, penalised_gram

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ROUNDS = 100


@dataclass(frozen=True, eq=False)
class WeightEvidence:
    """What a criterion may look at, of one layer.

    Attributes
    ----------
    weight : ndarray of shape (n_in, n_out)
    rng : numpy.random.Generator
    slope : ndarray of shape (n_in, n_out)
        Gradient of the mean loss.
    squared_slope : ndarray of shape (n_in, n_out)
        Mean over rows of the squared gradient of a row's own loss.
    curvature : ndarray of shape (n_in, n_out)
        Diagonal of the Gauss-Newton matrix of the mean loss.
    received : ndarray of shape (n_rows, n_in)
        What the layer receives on each row.
    share : ndarray of shape (n_rows,)
        Weight of each row, 1 in all.
    """

    weight: Floats
    rng: np.random.Generator
    slope: Floats | None = None
    squared_slope: Floats | None = None
    curvature: Floats | None = None
    received: Floats | None = None
    share: Floats | None = None


def magnitude(seen: WeightEvidence) -> Floats:
    """Absolute weight."""
    return np.abs(seen.weight)


def lamp(seen: WeightEvidence) -> Floats:
    """Square of a weight over the sum of squares of those in its layer not below it (Lee et al. 2021)."""
    squares = seen.weight.ravel() ** 2
    upwards = np.argsort(squares, kind="stable")
    at_least = np.cumsum(squares[upwards][::-1])[::-1]
    scores = np.empty_like(squares)
    scores[upwards] = squares[upwards] / np.where(at_least > 0, at_least, 1.0)
    return scores.reshape(seen.weight.shape)


def snip(seen: WeightEvidence) -> Floats:
    """Absolute weight times gradient of the mean loss; before training, Lee et al. (2019)."""
    return np.abs(seen.weight * _known(seen.slope))


def fisher(seen: WeightEvidence) -> Floats:
    """Mean squared first-order change of a row's loss: weight times gradient (Molchanov et al. 2019)."""
    return seen.weight**2 * _known(seen.squared_slope)


def obd(seen: WeightEvidence) -> Floats:
    """Second-order rise of the loss, the curvature taken for diagonal (LeCun et al. 1990)."""
    return seen.weight**2 * _known(seen.curvature) / 2


def wanda(seen: WeightEvidence) -> Floats:
    """Absolute weight times the norm of what it weighs (Sun et al. 2024, who compare within ``scope="neuron"``)."""
    return np.abs(seen.weight) * np.sqrt(_known(seen.share) @ _known(seen.received) ** 2)[:, None]


def obs_layer(seen: WeightEvidence) -> Floats:
    """Rise of the squared error of what a neuron receives, weight after weight, the others refitted each time.

    The optimal brain surgeon for each neuron by itself (Frantar & Alistarh 2022). The scores rise in the order
    the weights go. A neuron of n weights costs n^3 steps: minutes for layers that receive many hundreds.
    """
    gram = penalised_gram(_known(seen.received), _known(seen.share))
    scores = np.zeros(seen.weight.shape)
    for j, column in enumerate(seen.weight.T):
        on, highest = np.flatnonzero(column), 0.0  # weights that are off cannot be refitted
        for i, rise, _ in one_by_one(gram[np.ix_(on, on)], column[on, None]):
            highest = max(rise, np.nextafter(highest, np.inf))
            scores[on[i], j] = highest
    return scores


def random(seen: WeightEvidence) -> Floats:
    """Any order: the baseline to beat."""
    return seen.rng.random(seen.weight.shape)


WEIGHT_CRITERIA: dict[str, Callable[[WeightEvidence], Floats]] = {
    rule.__name__: rule for rule in (magnitude, lamp, snip, fisher, obd, wanda, obs_layer, random)
}


def synflow(weights: Sequence[Floats]) -> list[Floats]:
    """Each weight's share in R, the sum over all paths through the network of the product of absolute weights.

    Parameters
    ----------
    weights : sequence of ndarray, shapes (n_in, n_out)
        Of all layers; needs no rows.

    Returns
    -------
    list of ndarray
        ``|w| dR/d|w|``. Sums to R in every layer, and what comes into a neuron equals what goes out.

    References
    ----------
    Tanaka et al. (2020), *Pruning neural networks without any data by iteratively conserving
    synaptic flow*.
    """
    absolute = [np.abs(w) for w in weights]
    before, after = [np.ones(len(absolute[0]))], [np.ones(absolute[-1].shape[1])]
    for w in absolute[:-1]:
        before.append(before[-1] @ w)
    for w in absolute[:0:-1]:
        after.append(w @ after[-1])
    return [b[:, None] * w * a for b, w, a in zip(before, absolute, after[::-1], strict=True)]


def count_of(amount: float, n_left: int) -> int:
    """Return how many weights ``amount`` means, as torch counts: a share of those left, half to even, or a number."""
    if isinstance(amount, int | np.integer) and not isinstance(amount, bool) and 0 <= amount <= n_left:
        return int(amount)
    if isinstance(amount, float | np.floating) and 0 <= amount <= 1:
        return round(float(amount) * n_left)
    raise ValueError(
        f"amount must be a share from 0.0 to 1.0 or a number up to the {n_left} weights left, got {amount!r}"
    )


def lowest_off(masks: Sequence[Bools], scores: Sequence[Floats], amount: float) -> list[Bools]:
    """Switch off the lowest of all weights still on in these layers; of equal scores the first go."""
    on = np.concatenate([mask.ravel() for mask in masks])
    left = np.flatnonzero(on)
    values = np.concatenate([score.ravel() for score in scores])[left]
    on[left[np.argsort(values, kind="stable")[: count_of(amount, len(left))]]] = False
    ends = np.cumsum([mask.size for mask in masks])[:-1]
    return [part.reshape(mask.shape) for mask, part in zip(masks, np.split(on, ends), strict=True)]


def lowest_off_in_rounds(
    masks: Sequence[Bools], scores: Callable[[list[Bools]], list[Floats]], amount: float
) -> list[Bools]:
    """Switch weights off in a hundred rounds, scored anew before each, what is left falling by a constant factor.

    At once the lowest scores would empty whole layers; as weights go, the flow through those left rises.
    """
    n_left = sum(int(mask.sum()) for mask in masks)
    n_keep, on = n_left - count_of(amount, n_left), list(masks)
    if not n_left:
        return on
    for k in range(1, ROUNDS + 1):
        wanted = round(n_left * (n_keep / n_left) ** (k / ROUNDS))
        on = lowest_off(on, scores(on), sum(int(mask.sum()) for mask in on) - wanted)
    return on


def _known(values: Floats | None) -> Floats:
    assert values is not None, "gathered for the criteria that need it"
    return values
