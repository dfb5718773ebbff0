"""Random problems whose Bayes error is known.

No classifier does better than the Bayes error on average, so on these problems an accuracy can be
judged by itself, and what a pruning gains or loses is measured against the best there is.

LED and waveform are those of Breiman, Friedman, Olshen and Stone, *Classification and Regression
Trees* (1984), section 2.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.utils import check_random_state

from treeprune.checks import check_count, check_number

__all__ = [
    "led_bayes_error",
    "make_led",
    "make_noisy_xor",
    "make_waveform",
    "noisy_xor_bayes_error",
    "waveform_bayes_error",
]

RandomState = int | np.random.RandomState | None

# Rows are the digits 0 to 9; columns the segments top, upper left, upper right, middle,
# lower left, lower right, bottom.
_SEGMENTS = np.array(
    [
        [1, 1, 1, 0, 1, 1, 1],
        [0, 0, 1, 0, 0, 1, 0],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 0, 1, 1],
        [0, 1, 1, 1, 0, 1, 0],
        [1, 1, 0, 1, 0, 1, 1],
        [1, 1, 0, 1, 1, 1, 1],
        [1, 0, 1, 0, 0, 1, 0],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 0, 1, 1],
    ]
)

# Three triangles over the places 1 to 21, of height 6 at the places 11, 15 and 7.
_WAVES = np.maximum(6.0 - np.abs(np.arange(1, 22) - np.array([[11], [15], [7]])), 0.0)

# Class k mixes the two waves of row k.
_MIXED = np.array([[0, 1], [0, 2], [1, 2]])


def make_led(
    n_samples: int,
    noise: float = 0.1,
    n_irrelevant: int = 0,
    random_state: RandomState = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw digits on a seven-segment display whose segments fail at random.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    noise : float, default 0.1
        Probability that a segment shows the opposite of what it should, in [0, 0.5].
    n_irrelevant : int, default 0
        Further columns of fair coins; 17 of them give the 24 columns of Breiman et al. (1984).
    random_state : int, RandomState or None
        As everywhere in scikit-learn.

    Returns
    -------
    X : array of shape (n_samples, 7 + n_irrelevant)
        Zeros and ones.
    y : array of shape (n_samples,)
        Digits 0 to 9, all equally likely.

    See Also
    --------
    led_bayes_error : The least error there is, for any `n_irrelevant`.

    Examples
    --------
    >>> X, y = make_led(1, noise=0, random_state=0)
    >>> y, X
    (array([5]), array([[1., 1., 0., 1., 0., 1., 1.]]))
    """
    check_count("n_samples", n_samples, low=1)
    check_count("n_irrelevant", n_irrelevant, low=0)
    check_number("noise", noise, low=0, high=0.5)
    rng = check_random_state(random_state)
    y = rng.randint(10, size=n_samples)
    failed = rng.uniform(size=(n_samples, 7)) < noise
    coins = rng.randint(2, size=(n_samples, n_irrelevant))
    X = np.hstack([_SEGMENTS[y] ^ failed, coins]).astype(np.float64)
    return X, y.astype(np.int64)


def led_bayes_error(noise: float = 0.1) -> float:
    """Bayes error of `make_led`, exact: all 128 displays are enumerated.

    Parameters
    ----------
    noise : float, default 0.1
        As in `make_led`.

    Returns
    -------
    float
        Error of the best classifier; 0 without noise, 0.9 at noise 0.5.

    Examples
    --------
    >>> round(led_bayes_error(0.1), 4)
    0.26
    """
    check_number("noise", noise, low=0, high=0.5)
    displays = (np.arange(128)[:, None] >> np.arange(7)) & 1
    n_failed = (displays[:, None, :] != _SEGMENTS).sum(axis=2)
    likelihood = float(noise) ** n_failed * (1.0 - noise) ** (7 - n_failed)
    return float(1.0 - likelihood.max(axis=1).sum() / 10)


def make_waveform(
    n_samples: int, n_noise: int = 0, random_state: RandomState = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw random mixtures of two of three triangular waves, with noise of variance 1.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    n_noise : int, default 0
        Further columns of standard normal noise; 19 of them give the well-known 40 columns.
    random_state : int, RandomState or None
        As everywhere in scikit-learn.

    Returns
    -------
    X : array of shape (n_samples, 21 + n_noise)
        The wave at 21 places, then the noise columns.
    y : array of shape (n_samples,)
        Classes 0, 1 and 2, all equally likely.

    See Also
    --------
    waveform_bayes_error : The least error there is, for any `n_noise`.

    Examples
    --------
    >>> X, y = make_waveform(5, n_noise=19, random_state=0)
    >>> X.shape, y
    ((5, 40), array([0, 1, 0, 1, 1]))
    """
    check_count("n_samples", n_samples, low=1)
    check_count("n_noise", n_noise, low=0)
    rng = check_random_state(random_state)
    y = rng.randint(3, size=n_samples)
    u = rng.uniform(size=(n_samples, 1))
    first, second = _WAVES[_MIXED[y].T]
    X = rng.normal(size=(n_samples, 21 + n_noise))
    X[:, :21] += u * first + (1 - u) * second
    return X, y.astype(np.int64)


def waveform_bayes_error() -> float:
    """Bayes error of `make_waveform`, by quadrature.

    The three waves span a plane, and what stands at right angles to that plane is the same noise
    for every class. So the best classifier sees two coordinates only. There, a class is a segment
    between two waves, blurred by a standard normal; its density has a closed form, and the largest
    of the three is summed over a grid. Halving the step changes the result by less than 1e-7.

    Returns
    -------
    float
        Error of the best classifier. Breiman et al. (1984) give 0.14, counted on 5,000 test rows,
        which has a standard error of 0.005.

    Examples
    --------
    >>> round(waveform_bayes_error(), 5)
    0.13293
    """
    return _waveform_error(step=0.04)


def make_noisy_xor(
    n_samples: int,
    noise: float = 0.1,
    n_irrelevant: int = 2,
    random_state: RandomState = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw points of a square labelled by the exclusive or of two signs, some labels flipped.

    No single split of the square gains anything, so a tree stopped early learns nothing; one that
    is grown and then pruned can find the four quarters.

    Parameters
    ----------
    n_samples : int
        Number of rows, at least 1.
    noise : float, default 0.1
        Probability that a label is flipped, in [0, 0.5].
    n_irrelevant : int, default 2
        Further columns that say nothing.
    random_state : int, RandomState or None
        As everywhere in scikit-learn.

    Returns
    -------
    X : array of shape (n_samples, 2 + n_irrelevant)
        Uniform on [-1, 1).
    y : array of shape (n_samples,)
        Classes 0 and 1; 1 where the first two columns differ in sign, before the flips.

    Examples
    --------
    >>> X, y = make_noisy_xor(4, noise=0, n_irrelevant=0, random_state=0)
    >>> X.round(1)
    array([[ 0.1,  0.4],
           [ 0.2,  0.1],
           [-0.2,  0.3],
           [-0.1,  0.8]])
    >>> y
    array([0, 0, 1, 1])
    """
    check_count("n_samples", n_samples, low=1)
    check_count("n_irrelevant", n_irrelevant, low=0)
    check_number("noise", noise, low=0, high=0.5)
    rng = check_random_state(random_state)
    X = rng.uniform(-1, 1, size=(n_samples, 2 + n_irrelevant))
    flipped = rng.uniform(size=n_samples) < noise
    y = (X[:, 0] > 0) ^ (X[:, 1] > 0) ^ flipped
    return X, y.astype(np.int64)


def noisy_xor_bayes_error(noise: float = 0.1) -> float:
    """Bayes error of `make_noisy_xor`: the flipped labels, so `noise` itself.

    Parameters
    ----------
    noise : float, default 0.1
        As in `make_noisy_xor`.

    Returns
    -------
    float
        Error of the best classifier.

    Examples
    --------
    >>> noisy_xor_bayes_error(0.2)
    0.2
    """
    check_number("noise", noise, low=0, high=0.5)
    return float(noise)


def _waveform_error(step: float, reach: float = 7.0) -> float:
    """1 - the integral of the largest class density / 3, over cells of `step` x `step`."""
    corners = _wave_corners()
    low, high = corners.min(axis=0) - reach, corners.max(axis=0) + reach
    across, upward = (np.arange(a + step / 2, b, step) for a, b in zip(low, high, strict=True))
    # Row by row, so that a fine step needs no more memory than one line of the grid.
    rows = (_segment_densities(across, y, corners).max(axis=0).sum() for y in upward)
    return float(1.0 - sum(rows) * step**2 / 3)


def _wave_corners() -> NDArray[np.float64]:
    """Coordinates of the three waves in the plane through them, shape (3, 2)."""
    offsets = _WAVES - _WAVES[0]
    basis = np.linalg.qr(offsets[1:].T)[0]
    return np.asarray(offsets @ basis)


def _segment_densities(across: NDArray[np.float64], upward: float, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density of each class, shape (3, len(across)): its segment, blurred by a normal."""
    densities = []
    for start, end in corners[_MIXED]:
        length = np.hypot(*(end - start))
        direction = (end - start) / length
        x, y = across - start[0], upward - start[1]
        along = x * direction[0] + y * direction[1]
        beside = y * direction[0] - x * direction[1]
        blurred = (ndtr(along) - ndtr(along - length)) / length
        densities.append(blurred * np.exp(-(beside**2) / 2) / np.sqrt(2 * np.pi))
    return np.array(densities)
