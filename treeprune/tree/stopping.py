"""All prunings of a tree at once: how likely each node is a leaf, the likeliest cut, the average over all cuts.

A cut is drawn from the root down: a node that may be split stops with one probability, and its rows are as likely as
a model of one node says.  Willems, Shtarkov & Tjalkens (1995), *The context-tree weighting method: basic properties*,
IEEE Trans. Inf. Theory 41:653-664; Buntine (1992), *Learning classification trees*, Stat. Comput. 2:63-73; Helmbold &
Schapire (1997), *Predicting nearly as well as the best pruning of a decision tree*, Mach. Learn. 27:51-68.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from treeprune.checks import check_number
from treeprune.tree.cuts import check_counts, node_numbers, optimal_cut
from treeprune.tree.structure import TreeStructure

Floats = NDArray[np.float64]


def class_evidence(class_counts: ArrayLike, beta: float = 0.5, n_classes: ArrayLike | None = None) -> Floats:
    """Return the log probability of the classes at each node, whatever its class probabilities are.

    With a Dirichlet prior of beta for each of K classes, the Krichevsky-Trofimov estimate where beta is 1/2:

        log Gamma(K beta) - log Gamma(n + K beta) + sum over c of (log Gamma(n_c + beta) - log Gamma(beta)).

    Parameters
    ----------
    class_counts : array-like of float, shape (n_nodes, n_classes) or (n_nodes, n_outputs, n_classes)
        Fractions are allowed. Outputs are independent of each other at a node: theirs add up.
    beta : float, default=0.5
        Above 0, in rows a class.
    n_classes : array-like of int, shape (n_outputs,), optional
        K, where the columns of an output are more than its classes; all columns by default.

    References
    ----------
    Willems, Shtarkov & Tjalkens (1995), section II; Buntine (1992), section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune import class_evidence
    >>> np.exp(class_evidence([[2, 0], [1, 1], [0, 0]]))  # one row after another: 1/2 3/4, 1/2 1/4, nothing
    array([0.375, 0.125, 1.   ])
    """
    check_beta(beta)
    counts = check_counts(class_counts, "class_counts", (2, 3))
    whole = (counts.shape[-1] if n_classes is None else np.asarray(n_classes)) * float(beta)
    drawn = (gammaln(counts + beta) - gammaln(beta)).sum(axis=-1)
    evidence = gammaln(whole) - gammaln(counts.sum(axis=-1) + whole) + drawn
    return evidence if evidence.ndim == 1 else evidence.sum(axis=1)


def normal_evidence(moments: ArrayLike, prior_rows: float = 1.0) -> Floats:
    """Return the log density of the target at each node, whatever its mean and variance are.

    A node's rows are normal with a variance sigma^2 of its own, whose prior is inverse gamma (a/2, a v/2), and with a
    mean of its own, whose prior is normal (m, sigma^2 / a). m and v are mean and variance of all rows, a is
    ``prior_rows``. With S the sum of squares about the node's mean, n rows add to the log density

        - n/2 log pi + a/2 log(a v) + 1/2 log(a / (n + a)) + log Gamma((n + a)/2) - log Gamma(a/2)
        - (n + a)/2 log(S + n a / (n + a) (mean - m)^2 + a v).

    Parameters
    ----------
    moments : array-like of float, shape (n_nodes, 3) or (n_nodes, n_outputs, 3)
        As `target_moments` gives them: sums of w, w d and w d^2, d the target less one number for all nodes. Outputs
        are independent of each other at a node: theirs add up.
    prior_rows : float, default=1.0
        Above 0: how many rows the prior is worth. It is centred on the data themselves, so it is no prior in the strict
        sense, and at one row a weak one: other units of the target change all cuts alike.

    References
    ----------
    Chipman, George & McCulloch (1998), *Bayesian CART model search*, JASA 93:935-948, section 4.1, the mean-variance
    shift model, with a = nu. One row: Kass & Wasserman (1995), JASA 90:928-934.

    Examples
    --------
    >>> from treeprune import TreeStructure, normal_evidence, target_moments
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> root, *leaves = normal_evidence(target_moments(stump, [1, 1, 2, 2], [0.0, 0.1, 5.0, 5.2], center=2.5))
    >>> bool(root < sum(leaves))
    True
    """
    check_number("prior_rows", prior_rows, low=0, open_ends=True)
    sums = np.asarray(moments, dtype=np.float64)
    if sums.ndim not in (2, 3) or sums.shape[-1] != 3:
        raise ValueError(f"moments has shape {sums.shape}: (n_nodes, 3) or (n_nodes, n_outputs, 3) is expected")
    check_counts(sums[..., [0, 2]], "moments", (2, 3))
    n, first, second = np.moveaxis(sums, -1, 0)
    if not (n[0] > 0).all():
        raise ValueError("moments hold no rows at the root: there is nothing to centre the prior on")
    a, mean = float(prior_rows), np.divide(first, n, out=np.zeros_like(n), where=n > 0)
    variance = np.maximum(second[0] / n[0] - mean[0] ** 2, 0)
    scale = a * np.where(variance > 0, variance, 1.0)  # of targets all equal: any scale, cuts do not differ by it
    squares = np.maximum(second - n * mean**2, 0) + n * a / (n + a) * (mean - mean[0]) ** 2
    volume = a / 2 * np.log(scale) - (n + a) / 2 * np.log(squares + scale) - n / 2 * np.log(np.pi)
    evidence = volume + np.log(a / (n + a)) / 2 + gammaln((n + a) / 2) - gammaln(a / 2)
    return evidence if evidence.ndim == 1 else evidence.sum(axis=1)


def mixture_evidence(structure: TreeStructure, log_evidence: ArrayLike, stop_prior: float = 0.5) -> Floats:
    """Return the log probability of the rows at each node, averaged over all cuts of its branch.

    P_w = P_e at a leaf of the grown tree; s P_e + (1 - s) P_w(left) P_w(right) elsewhere, in logs.

    Parameters
    ----------
    structure : TreeStructure
    log_evidence : array-like of float, shape (n_nodes,)
        log P_e: of the rows at each node if it is a leaf. See `class_evidence` and `normal_evidence`.
    stop_prior : float, default=0.5
        s, between 0 and 1: how likely a node that is reached, and may be split, is a leaf before any rows are seen.

    References
    ----------
    Willems, Shtarkov & Tjalkens (1995), equation 6.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune import TreeStructure, mixture_evidence
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> np.exp(mixture_evidence(stump, np.log([0.1, 0.5, 0.4])))  # the root: half of 0.1, half of 0.5 * 0.4
    array([0.15, 0.5 , 0.4 ])
    """
    check_stop_prior(stop_prior)
    mixed = node_numbers(structure, log_evidence, "log_evidence")
    stop, go = np.log(float(stop_prior)), np.log1p(-float(stop_prior))
    for t, left, right in structure.upward():
        mixed[t] = np.logaddexp(stop + mixed[t], go + mixed[left] + mixed[right])
    return mixed


def stopping_posterior(structure: TreeStructure, log_evidence: ArrayLike, stop_prior: float = 0.5) -> Floats:
    """Return how likely each node is a leaf, given the rows and that none above it is: s P_e / P_w.

    Parameters
    ----------
    structure, log_evidence, stop_prior
        As in `mixture_evidence`.

    Returns
    -------
    ndarray of float, shape (n_nodes,)
        1 at leaves of the grown tree.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune import TreeStructure, stopping_posterior
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> stopping_posterior(stump, np.log([0.1, 0.5, 0.4])).round(3)  # 0.05 of 0.15
    array([0.333, 1.   , 1.   ])
    """
    check_stop_prior(stop_prior)
    own = node_numbers(structure, log_evidence, "log_evidence")
    share = np.exp(np.minimum(np.log(float(stop_prior)) + own - mixture_evidence(structure, own, stop_prior), 0.0))
    return np.where(structure.is_leaf, 1.0, share)


def map_cut(structure: TreeStructure, log_evidence: ArrayLike, stop_prior: float = 0.5) -> NDArray[np.bool_]:
    """Find the likeliest cut given the rows, the smallest one where several are.

    Parameters
    ----------
    structure, log_evidence, stop_prior
        As in `mixture_evidence`.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune import TreeStructure, map_cut
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> map_cut(stump, np.log([0.1, 0.5, 0.4]))
    array([False,  True,  True])
    >>> map_cut(stump, np.log([0.2, 0.5, 0.4]))  # a tie
    array([ True, False, False])
    """
    return optimal_cut(structure, *stopping_costs(structure, log_evidence, stop_prior))


def stopping_costs(structure: TreeStructure, log_evidence: ArrayLike, stop_prior: float) -> tuple[Floats, float]:
    """Return the costs whose least sum `map_cut` looks for: of each node as a leaf, and of each split."""
    check_stop_prior(stop_prior)
    own = node_numbers(structure, log_evidence, "log_evidence")
    return -own - np.where(structure.is_leaf, 0.0, np.log(stop_prior)), float(-np.log1p(-stop_prior))


def averaged_values(structure: TreeStructure, stopping: ArrayLike, value: ArrayLike) -> NDArray[np.float64]:
    """Average what the nodes on the way to each node say, by how likely each of them is the leaf there.

    Parameters
    ----------
    structure : TreeStructure
    stopping : array-like of float, shape (n_nodes,)
        How likely each node is a leaf if it is reached; at leaves of the grown tree 1, whatever stands there.
    value : array-like of float, shape (n_nodes, ...)
        What each node says as a leaf: shares of classes, or means.

    Returns
    -------
    ndarray of float, shape (n_nodes, ...)
        At grown leaves the average over all cuts; at an inner node that over the cuts which go no deeper there.

    References
    ----------
    Buntine (1992), section 5; Helmbold & Schapire (1997), section 3.

    Examples
    --------
    >>> from treeprune import TreeStructure, averaged_values
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> averaged_values(stump, [0.25, 1, 1], [0.5, 0.1, 0.9])  # a quarter the root's, three quarters their own
    array([0.5, 0.2, 0.8])
    """
    stop = node_numbers(structure, stopping, "stopping", low=0)
    if (stop > 1 + 1e-9).any():
        raise ValueError(f"stopping is {stop.max()} at node {stop.argmax()}: probabilities are at most 1")
    given = np.asarray(value, dtype=np.float64)
    own = node_numbers(structure, given.reshape(structure.n_nodes, -1), "value", ndims=(2,))
    mixed, reached = own.copy(), np.ones(structure.n_nodes)
    for t, left, right in structure.downward():
        for child in (left, right):
            reached[child] = reached[t] * (1 - stop[t])
            # what was on the parent's own account beyond its share of stopping there goes over to the child's
            mixed[child] = mixed[t] + reached[child][..., None] * (own[child] - own[t])
    return mixed.reshape(given.shape)


def node_means(structure: TreeStructure, total: ArrayLike, size: ArrayLike) -> NDArray[np.float64]:
    """Divide sums by sizes at every node; one of no size says what its parent says."""
    total, size = np.broadcast_arrays(np.asarray(total, dtype=np.float64), size)
    mean = np.divide(total, size, out=np.zeros(total.shape), where=size > 0)
    for t, left, right in structure.downward():
        for child in (left, right):
            mean[child] = np.where(size[child] > 0, mean[child], mean[t])
    return mean


def check_beta(beta: Any) -> None:
    """Raise ValueError unless it is a finite number above 0."""
    check_number("beta", beta, low=0, open_ends=True)


def check_stop_prior(stop_prior: Any) -> None:
    """Raise ValueError unless it is a probability other than 0 and 1, which leave nothing to the rows."""
    check_number("stop_prior", stop_prior, low=0, high=1, open_ends=True)
