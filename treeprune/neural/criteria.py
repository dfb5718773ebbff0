"""Which neurons go first, and what the next layer does without them: arrays in, arrays out.

Every criterion is a function of what was seen of a hidden layer, in whatever library the network
lives; a low score goes first.

Repair beats ranking: whichever neurons go, the weights that read the rest are refitted by least
squares, towards the weights they had, so that the next layer receives what it received before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from treeprune.repair import one_by_one, penalised_gram, refitted

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a criterion may look at.

    Attributes
    ----------
    incoming : ndarray of shape (n_inputs, n_neurons)
    bias : ndarray of shape (n_neurons,)
    outgoing : ndarray of shape (n_neurons, n_outputs)
    activations, gradients : ndarray of shape (n_rows, n_neurons)
        Gradients of each row's own loss.
    incoming_slope, outgoing_slope : ndarray
        Gradient of the mean loss by the weights.
    share : ndarray of shape (n_rows,)
        Weight of each row, 1 in all.
    rng : numpy.random.Generator
    rise : ndarray of shape (n_neurons,)
        Of the mean loss when nothing of a neuron is read any more.
    curvature : ndarray of shape (n_neurons,)
        Second derivative of the mean loss by a gate on what each neuron sends.
    """

    incoming: Floats
    bias: Floats
    outgoing: Floats
    activations: Floats
    gradients: Floats
    incoming_slope: Floats
    outgoing_slope: Floats
    share: Floats
    rng: np.random.Generator
    rise: Floats | None = None
    curvature: Floats | None = None

    @cached_property
    def means(self) -> Floats:
        """Mean of what each neuron sends, shape (n_neurons,)."""
        return self.mean(self.activations)

    @cached_property
    def gram(self) -> Floats:
        """Penalised covariance of what the neurons send."""
        return penalised_gram(self.activations, self.share)

    def mean(self, values: Floats) -> Floats:
        """Weighted mean over rows."""
        return self.share @ values


def obs(seen: Evidence) -> Floats:
    """Least possible increase of the next layer's mean squared error (Hassibi & Stork 1993)."""
    inverse = np.linalg.inv(seen.gram)
    return (seen.outgoing**2).sum(axis=1) / np.diag(inverse)


def magnitude(seen: Evidence) -> Floats:
    """Norm of what comes in times norm of what goes out: the same however a ReLU is rescaled."""
    return np.hypot(np.linalg.norm(seen.incoming, axis=0), seen.bias) * np.linalg.norm(seen.outgoing, axis=1)


def l1(seen: Evidence) -> Floats:
    """Sum of absolute incoming weights (Li et al. 2017)."""
    return np.abs(seen.incoming).sum(axis=0)


def l2(seen: Evidence) -> Floats:
    """Norm of the incoming weights."""
    return np.linalg.norm(seen.incoming, axis=0)


def group_magnitude(seen: Evidence) -> Floats:
    """Sum of squares of all weights that would go (Fang et al. 2023)."""
    return (seen.incoming**2).sum(axis=0) + (seen.outgoing**2).sum(axis=1)


def group_taylor(seen: Evidence) -> Floats:
    """Sum of absolute weight times gradient over all weights that would go."""
    incoming, outgoing = seen.incoming * seen.incoming_slope, seen.outgoing * seen.outgoing_slope
    return np.abs(incoming).sum(axis=0) + np.abs(outgoing).sum(axis=1)


def taylor_2017(seen: Evidence) -> Floats:
    """Mean absolute first-order change of a row's loss (Molchanov et al. 2017)."""
    return seen.mean(np.abs(seen.activations * seen.gradients))


def taylor_2019(seen: Evidence) -> Floats:
    """Mean squared first-order change of a row's loss (Molchanov et al. 2019)."""
    return seen.mean((seen.activations * seen.gradients) ** 2)


def skeletonization(seen: Evidence) -> Floats:
    """First-order rise of the mean loss as the neuron is switched off (Mozer & Smolensky 1989)."""
    return -seen.mean(seen.activations * seen.gradients)


def ablation(seen: Evidence) -> Floats:
    """Rise of the mean loss without the neuron, by trying."""
    assert seen.rise is not None, "observed for this criterion"
    return seen.rise


def obd(seen: Evidence) -> Floats:
    """Second-order rise of the mean loss as the neuron is switched off (LeCun et al. 1990, of a gate)."""
    assert seen.curvature is not None, "observed for this criterion"
    return seen.curvature / 2


def apoz(seen: Evidence) -> Floats:
    """Share of rows that wake the neuron (Hu et al. 2016): for functions like ReLU that rest at zero."""
    return seen.mean(seen.activations != 0)


def activation_variance(seen: Evidence) -> Floats:
    """Squared error of the next layer if a mean took the neuron's place (Sietsma & Dow 1991)."""
    return seen.mean((seen.activations - seen.means) ** 2) * (seen.outgoing**2).sum(axis=1)


def random(seen: Evidence) -> Floats:
    """Any order: the baseline to beat."""
    return seen.rng.random(len(seen.bias))


def gate_curvature(links: str, predicted: Floats, slopes: Floats, activations: Floats, share: Floats) -> Floats:
    """Gauss-Newton second derivative of the mean loss by a gate on each neuron, shape (n_neurons,).

    Exact where the outputs are linear in the neurons, as for the last hidden layer.

    Parameters
    ----------
    links : {"softmax", "logistic", "identity", "exp"}
        Of the outputs, each with its own loss.
    predicted : ndarray of shape (n_rows, n_outputs)
    slopes : ndarray of shape (n_outputs, n_rows, n_neurons)
        Derivative of each output, before its link, by what each neuron sends.
    activations : ndarray of shape (n_rows, n_neurons)
    share : ndarray of shape (n_rows,)
    """
    return share @ (activations**2 * output_curvature(links, predicted, slopes))


def output_curvature(links: str, predicted: Floats, slopes: Floats) -> Floats:
    """Gauss-Newton second derivative of each row's loss by each of some numbers inside, shape (n_rows, n_numbers).

    Parameters
    ----------
    links, predicted
        As in `gate_curvature`.
    slopes : ndarray of shape (n_outputs, n_rows, n_numbers)
        Derivative of each output, before its link, by them.
    """
    p = predicted.T[:, :, None]
    if links == "identity":
        return (slopes**2).sum(axis=0)
    if links == "logistic":
        return (p * (1 - p) * slopes**2).sum(axis=0)
    if links == "exp":
        return (p * slopes**2).sum(axis=0)
    return (p * slopes**2).sum(axis=0) - (p * slopes).sum(axis=0) ** 2


CRITERIA: dict[str, Callable[[Evidence], Floats]] = {
    rule.__name__: rule
    for rule in (
        obs,
        magnitude,
        l1,
        l2,
        group_magnitude,
        group_taylor,
        taylor_2017,
        taylor_2019,
        skeletonization,
        obd,
        ablation,
        apoz,
        activation_variance,
        random,
    )
}
OF_THE_LOSS = ("group_taylor", "taylor_2017", "taylor_2019", "skeletonization", "obd", "ablation")


def removal_order(criterion: str, seen: Evidence) -> NDArray[np.intp]:
    """Return the neurons in the order they go; for OBS each is the best after those before it."""
    if criterion == "obs":
        return np.array([j for j, _, _ in one_by_one(seen.gram, seen.outgoing)], dtype=np.intp)
    return np.argsort(CRITERIA[criterion](seen), kind="stable")


def keep_weights(seen: Evidence, kept: NDArray[np.bool_], bias: Floats) -> tuple[Floats, Floats]:
    """Return outgoing weights with those of removed neurons at zero, and the bias as it was."""
    return np.where(kept[:, None], seen.outgoing, 0.0), bias


def absorb_means(seen: Evidence, kept: NDArray[np.bool_], bias: Floats) -> tuple[Floats, Floats]:
    """Let the bias send the mean of what removed neurons sent."""
    weights, _ = keep_weights(seen, kept, bias)
    return weights, bias + seen.means @ (seen.outgoing - weights)


def refit(seen: Evidence, kept: NDArray[np.bool_], bias: Floats) -> tuple[Floats, Floats]:
    """Refit the weights of the rest by least squares, penalised towards what they were."""
    weights = refitted(seen.gram, seen.outgoing, kept)
    return weights, bias + seen.means @ (seen.outgoing - weights)


REPAIRS = {"least_squares": refit, "mean": absorb_means, "none": keep_weights}
