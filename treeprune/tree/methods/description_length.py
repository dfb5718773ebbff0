"""Pruning by description length.

Quinlan & Rivest (1989), *Inferring decision trees using the minimum description length principle*,
Information and Computation 80:227-248; Mehta, Rissanen & Agrawal (1995), *MDL-based decision tree
pruning*, KDD 1:216-221.

The tree is a message: its shape, its tests, and at each leaf the classes of the rows.  The cut with the
shortest message is kept; bits of leaves and tests add up, so it is one `optimal_cut`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlogy

from treeprune.checks import check_choice, check_count
from treeprune.tree.cuts import check_counts, node_numbers, optimal_cut
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import BasePruner
from treeprune.tree.sides import Sides, best_branch
from treeprune.tree.structure import TreeStructure

Floats = NDArray[np.float64]
Code = Literal["exact", "mehta", "quinlan_rivest"]
LN2 = np.log(2)


def description_length_cut(
    structure: TreeStructure, class_counts: ArrayLike, n_features: int, code: Code = "exact"
) -> NDArray[np.bool_]:
    """Find the cut whose message is shortest; of messages of one length the smaller tree.

    Parameters
    ----------
    structure : TreeStructure
    class_counts : array-like of float, shape (n_nodes, n_classes)
        Rows of each class at each node.
    n_features : int
        A test names one of them, and one of the node's thresholds: a row's place among them, less one.
    code : {"exact", "mehta", "quinlan_rivest"}, default="exact"
        How the classes of a leaf are sent; see `leaf_bits`. Each node sends one bit for its kind besides.

    References
    ----------
    Mehta, Rissanen & Agrawal (1995), section 3.

    Examples
    --------
    >>> from treeprune import TreeStructure, description_length_cut
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> description_length_cut(stump, [[20, 20], [20, 0], [0, 20]], n_features=4)
    array([False,  True,  True])
    >>> description_length_cut(stump, [[4, 4], [3, 1], [1, 3]], n_features=4)
    array([ True, False, False])
    """
    check_count("n_features", n_features, low=1)
    counts = node_numbers(structure, class_counts, "class_counts", ndims=(2,), low=0)
    return optimal_cut(structure, leaf_bits(counts, code) + 1, _test_bits(counts, n_features))


def leaf_bits(class_counts: ArrayLike, code: Code = "exact") -> Floats:
    """Return the bits that the classes of the rows at a node take.

    Parameters
    ----------
    class_counts : array-like of float, shape (n_nodes, n_classes)
        Fractions are allowed.
    code : {"exact", "mehta", "quinlan_rivest"}, default="exact"
        ``"exact"``: which of the possible counts, then which of the orders they leave,
        log2 C(n + k - 1, k - 1) + log2(n! / (n_1! ... n_k!)). ``"mehta"``: its asymptotic form,
        sum n_c log2(n / n_c) + (k - 1)/2 log2(n / 2) + log2(pi^(k/2) / Gamma(k/2)), which is negative where rows
        are few and classes many. ``"quinlan_rivest"``: the class of most rows, how many are exceptions,
        which they are, and of which class.

    Examples
    --------
    >>> from treeprune import leaf_bits
    >>> leaf_bits([[4, 0], [2, 2]]).round(3)  # 5 possible counts; then 1 order, or 6
    array([2.322, 4.907])
    """
    check_choice("code", code, tuple(_CODES))
    counts = check_counts(class_counts, "class_counts", (2,))
    return np.where(counts.sum(axis=-1) > 0, _CODES[code](counts), 0.0)


class DescriptionLengthPruner(BasePruner):
    """Keep the cut with the shortest description, for classification trees with one output.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    code : {"exact", "mehta", "quinlan_rivest"}, default="exact"
        How the classes of a leaf are sent; see `leaf_bits`.

    References
    ----------
    Quinlan & Rivest (1989); Mehta, Rissanen & Agrawal (1995).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import DescriptionLengthPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = DescriptionLengthPruner().fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 6)
    """

    method = "description_length"
    one_class_variable = True

    def __init__(self, estimator: Any = None, *, code: Code = "exact") -> None:
        super().__init__(estimator)
        self.code = code

    def _check_parameters(self) -> None:
        check_choice("code", self.code, tuple(_CODES))

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        tree.require_one_class_variable("description-length pruning")
        counts, n_features = tree.counts(statistics)[:, 0], tree.estimator.n_features_in_
        return description_length_cut(tree.structure, counts, n_features, self.code)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        counts, n_features = tree.counts(statistics)[:, 0], tree.estimator.n_features_in_
        bits = leaf_bits(counts, self.code) + 1
        branch = best_branch(tree.structure, bits, _test_bits(counts, n_features))
        return Sides("bits as a leaf", bits, "bits of its test and branch", branch)


def _test_bits(counts: Any, n_features: int) -> Floats:
    """Bits of each node's kind, feature and threshold."""
    return np.log2(n_features) + np.log2(np.maximum(counts.sum(axis=1) - 1, 1)) + 1


def _exact(counts: Floats) -> Floats:
    n, k = counts.sum(axis=-1), counts.shape[-1]
    orders = gammaln(n + 1) - gammaln(counts + 1).sum(axis=-1)
    return (orders + gammaln(n + k) - gammaln(k) - gammaln(n + 1)) / LN2


def _mehta(counts: Floats) -> Floats:
    n, k = counts.sum(axis=-1), counts.shape[-1]
    size = np.where(n > 0, n, 1.0)
    surprise = xlogy(size, size) - xlogy(counts, counts).sum(axis=-1)
    return (surprise + (k - 1) / 2 * np.log(size / 2) + k / 2 * np.log(np.pi) - gammaln(k / 2)) / LN2


def _quinlan_rivest(counts: Floats) -> Floats:
    n, k = counts.sum(axis=-1), counts.shape[-1]
    exceptions = n - counts.max(axis=-1)
    which = gammaln(n + 1) - gammaln(exceptions + 1) - gammaln(n - exceptions + 1)
    how_many = np.log(np.floor(n * (k - 1) / k) + 1)  # the class of most rows has a kth of them at least
    return (np.log(k) + how_many + which + exceptions * np.log(max(k - 1, 1))) / LN2


_CODES: dict[str, Callable[[Floats], Floats]] = {"exact": _exact, "mehta": _mehta, "quinlan_rivest": _quinlan_rivest}
