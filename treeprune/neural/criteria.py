"""Which neurons go first, and what the next layer does without them: arrays in, arrays out.

Every criterion is a function of what was seen of a hidden layer, in whatever library the network
lives; a low score goes first.

Repair beats ranking: whichever neurons go, the weights that read the rest are refitted by least
squares, towards the weights they had, so that the next layer receives what it received before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE = 1e-3  # of the mean variance of the neurons: keeps the inverse of the Gram matrix small and tame


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
    rise : ndarray of shape (n_neurons,)
        Of the mean loss when nothing of a neuron is read any more.
    rng : numpy.random.Generator
    """

    incoming: Floats
    bias: Floats
    outgoing: Floats
    activations: Floats
    gradients: Floats
    incoming_slope: Floats
    outgoing_slope: Floats
    rise: Floats
    rng: np.random.Generator


def obs(seen: Evidence) -> Floats:
    """Least possible increase of the next layer's mean squared error (Hassibi & Stork 1993)."""
    inverse = np.linalg.inv(penalised_gram(seen.activations))
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
    return np.abs(seen.activations * seen.gradients).mean(axis=0)


def taylor_2019(seen: Evidence) -> Floats:
    """Mean squared first-order change of a row's loss (Molchanov et al. 2019)."""
    return ((seen.activations * seen.gradients) ** 2).mean(axis=0)


def skeletonization(seen: Evidence) -> Floats:
    """First-order rise of the mean loss as the neuron is switched off (Mozer & Smolensky 1989)."""
    return -(seen.activations * seen.gradients).mean(axis=0)


def ablation(seen: Evidence) -> Floats:
    """Rise of the mean loss without the neuron, by trying."""
    return seen.rise


def apoz(seen: Evidence) -> Floats:
    """Share of rows that wake the neuron (Hu et al. 2016): for functions like ReLU that know zero."""
    awake = (seen.activations != 0).mean(axis=0)
    if (awake == 1).all():
        raise ValueError("apoz counts zeros, and no neuron here is ever zero: choose another criterion")
    return awake


def activation_variance(seen: Evidence) -> Floats:
    """Squared error of the next layer if a mean took the neuron's place (Sietsma & Dow 1991)."""
    return seen.activations.var(axis=0) * (seen.outgoing**2).sum(axis=1)


def random(seen: Evidence) -> Floats:
    """Any order: the baseline to beat."""
    return seen.rng.random(len(seen.bias))


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
        ablation,
        apoz,
        activation_variance,
        random,
    )
}
OF_THE_LOSS = ("group_taylor", "taylor_2017", "taylor_2019", "skeletonization", "ablation")


def removal_order(criterion: str, seen: Evidence) -> NDArray[np.intp]:
    """Return the neurons in the order they go; for OBS each is the best after those before it."""
    if criterion == "obs":
        return _surgeons_order(seen.activations, seen.outgoing)
    return np.argsort(CRITERIA[criterion](seen), kind="stable")


def _surgeons_order(activations: Floats, outgoing: Floats) -> NDArray[np.intp]:
    """Remove, repair, update the inverse, and again: all of it in closed form."""
    inverse, weights = np.linalg.inv(penalised_gram(activations)), outgoing.copy()
    left, order = np.ones(len(weights), dtype=bool), []
    for _ in range(len(weights)):
        rise = np.full(len(weights), np.inf)
        rise[left] = (weights[left] ** 2).sum(axis=1) / np.diag(inverse)[left]
        j = int(rise.argmin())
        column = inverse[:, j] / inverse[j, j]
        weights -= np.outer(column, weights[j])
        inverse -= np.outer(column, inverse[j])
        left[j] = False
        order.append(j)
    return np.array(order, dtype=np.intp)


def penalised_gram(activations: Floats) -> Floats:
    """Return the covariance of the neurons with a ridge, positive definite even where neurons are dead."""
    centred = activations - activations.mean(axis=0)
    gram = centred.T @ centred / len(activations)
    mean_variance = np.trace(gram) / len(gram)
    return gram + RIDGE * (mean_variance or 1.0) * np.eye(len(gram))


def keep_weights(seen: Evidence, kept: NDArray[np.bool_], bias: Floats) -> tuple[Floats, Floats]:
    """Return outgoing weights with those of removed neurons at zero, and the bias as it was."""
    return np.where(kept[:, None], seen.outgoing, 0.0), bias


def absorb_means(seen: Evidence, kept: NDArray[np.bool_], bias: Floats) -> tuple[Floats, Floats]:
    """Let the bias send the mean of what removed neurons sent."""
    weights, _ = keep_weights(seen, kept, bias)
    return weights, bias + seen.activations.mean(axis=0) @ (seen.outgoing - weights)


def refit(seen: Evidence, kept: NDArray[np.bool_], bias: Floats) -> tuple[Floats, Floats]:
    """Refit the weights of the rest by least squares, penalised towards what they were."""
    gram = penalised_gram(seen.activations)
    weights = np.zeros_like(seen.outgoing)
    weights[kept] = np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept] @ seen.outgoing)
    return weights, bias + seen.activations.mean(axis=0) @ (seen.outgoing - weights)


REPAIRS = {"least_squares": refit, "mean": absorb_means, "none": keep_weights}
