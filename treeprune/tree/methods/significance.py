"""Significance pruning.

Quinlan (1986), *Induction of decision trees*, Machine Learning 1:81-106, tested a split for
independence of class before it was made; Frank & Witten (1998), *Using a permutation test for
attribute selection in decision trees*, ICML 15:152-160, and Jensen & Schmill (1997), *Adjusting for
multiple comparisons in decision tree pruning*, KDD 3:195-198, prune by it, from the leaves up.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import f as f_distribution
from scipy.stats import hypergeom

from treeprune.checks import check_choice, check_number
from treeprune.tree.cuts import bottom_up, node_numbers
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import BasePruner
from treeprune.tree.sides import Sides
from treeprune.tree.structure import Nodes, TreeStructure

Floats = NDArray[np.float64]
TESTS = ("chi2", "g2", "fisher", "f")


def significance_cut(structure: TreeStructure, p_value: ArrayLike, significance: float = 0.05) -> NDArray[np.bool_]:
    """Take splits away, from the leaves up, whose p-value is above the level.

    A split is asked only when both its children are leaves, as grown or pruned: one that is not
    significant stays if a split below it is.

    Parameters
    ----------
    structure : TreeStructure
    p_value : array-like of float, shape (n_nodes,)
        Of the split of each inner node; leaves are not read. See `split_p_values`.
    significance : float in [0, 1], default=0.05
        Splits with a larger p-value go; one with just this p-value stays.

    References
    ----------
    Frank & Witten (1998), section 2.

    Examples
    --------
    >>> from treeprune import TreeStructure, significance_cut
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> significance_cut(tree, [0.6, 1, 0.01, 1, 1])  # the lower split holds the upper one
    array([False,  True, False,  True,  True])
    >>> significance_cut(tree, [0.6, 1, 0.2, 1, 1])
    array([ True, False, False, False, False])
    """
    check_number("significance", significance, low=0, high=1)
    p = node_numbers(structure, p_value, "p_value", at=~structure.is_leaf)
    leaf = structure.is_leaf.copy()

    def decide(t: Nodes, left: Nodes, right: Nodes) -> Any:
        leaf[t] = leaf[left] & leaf[right] & (p[t] > significance)
        return leaf[t]

    return bottom_up(structure, decide)


def split_p_values(
    structure: TreeStructure, class_counts: ArrayLike, test: Literal["chi2", "g2", "fisher"] = "chi2"
) -> Floats:
    """Test each split for independence of children and classes.

    Parameters
    ----------
    structure : TreeStructure
    class_counts : array-like of float, shape (n_nodes, n_classes)
        Rows of each class at each node.
    test : {"chi2", "g2", "fisher"}, default="chi2"
        Pearson's chi-square; the likelihood ratio, both with as many degrees of freedom as classes are there
        less one; or Fisher's exact test, two-sided, of two classes.

    Returns
    -------
    ndarray of float, shape (n_nodes,)
        1 at leaves, and at splits of one class.

    Examples
    --------
    >>> from treeprune import TreeStructure, split_p_values
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> split_p_values(stump, [[8, 8], [7, 2], [1, 6]]).round(4)
    array([0.0117, 1.    , 1.    ])
    >>> split_p_values(stump, [[8, 8], [7, 2], [1, 6]], "fisher").round(4)
    array([0.0406, 1.    , 1.    ])
    """
    check_choice("test", test, ("chi2", "g2", "fisher"))
    counts = node_numbers(structure, class_counts, "class_counts", ndims=(2,), low=0)
    t, (left, right) = structure.inner, (structure.children_left, structure.children_right)
    p = np.ones(structure.n_nodes)
    table = np.stack([counts[left[t]], counts[right[t]]], axis=1)  # split, child, class
    p[t] = _fisher(table) if test == "fisher" else _by_chi2(table, test)
    return p


def variance_p_values(structure: TreeStructure, squared_error: ArrayLike, n_rows: ArrayLike) -> Floats:
    """Test each split for a difference of the means of its children: the F-test of a regression tree.

    Parameters
    ----------
    structure : TreeStructure
    squared_error : array-like of float, shape (n_nodes,)
        Sum of squares at each node about its mean.
    n_rows : array-like of float, shape (n_nodes,)

    Returns
    -------
    ndarray of float, shape (n_nodes,)
        1 at leaves, and where two rows or fewer leave no degree of freedom.

    Examples
    --------
    >>> from treeprune import TreeStructure, variance_p_values
    >>> stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    >>> variance_p_values(stump, [10, 2, 2], [10, 5, 5]).round(4)
    array([0.0085, 1.    , 1.    ])
    """
    total = node_numbers(structure, squared_error, "squared_error", low=0)
    n = node_numbers(structure, n_rows, "n_rows", low=0)
    t = structure.inner
    within = total[structure.children_left[t]] + total[structure.children_right[t]]
    between, freedom = np.maximum(total[t] - within, 0), n[t] - 2
    # rounding leaves a little where a split is perfect, and there is then no doubt
    nothing = within <= 1e-14 * np.maximum(total[t], total[0])
    ratio = np.divide(between * freedom, within, out=np.full(len(t), np.inf), where=~nothing)
    ratio[nothing & (between <= 1e-14 * total[0])] = 0.0
    p = np.ones(structure.n_nodes)
    p[t] = np.where(freedom > 0, f_distribution.sf(ratio, 1, np.maximum(freedom, 1e-9)), 1.0)
    return p


class SignificancePruner(BasePruner):
    """Prune splits that chance explains, from the leaves up.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    significance : float in [0, 1], default=0.05
        Splits with a larger p-value go. Smaller prunes more.
    test : {"chi2", "g2", "fisher", "f"}, default=None
        Of children and classes for classification trees, ``"chi2"`` by default, of several outputs the least
        p-value; ``"f"`` for regression trees, of the squared error, a mean over outputs.
    correction : {"none", "bonferroni"}, default="none"
        The split was the best of many, so its p-value is too small: ``"bonferroni"`` multiplies it by the
        number of splits there were to choose from at most, features times rows less one.

    References
    ----------
    Quinlan (1986); Frank & Witten (1998); for the correction Jensen & Schmill (1997).

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import SignificancePruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = SignificancePruner(significance=0.01).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 19)
    """

    method = "significance"

    def __init__(
        self,
        estimator: Any = None,
        *,
        significance: float = 0.05,
        test: Literal["chi2", "g2", "fisher", "f"] | None = None,
        correction: Literal["none", "bonferroni"] = "none",
    ) -> None:
        super().__init__(estimator)
        self.significance = significance
        self.test = test
        self.correction = correction

    def _check_parameters(self) -> None:
        check_number("significance", self.significance, low=0, high=1)
        if self.test is not None:
            check_choice("test", self.test, TESTS)
        check_choice("correction", self.correction, ("none", "bonferroni"))

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        return significance_cut(tree.structure, self._p_values(tree, statistics), self.significance)

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        p = self._p_values(tree, statistics)
        level = np.full(len(p), float(self.significance))
        return Sides("level, asked where both children are leaves", level, "p-value of its split", p, "keep")

    def _p_values(self, tree: FittedTree, statistics: NodeStatistics | None) -> Floats:
        p = self._p_values_of_one(tree, statistics)
        if self.correction == "none":
            return p
        choices = tree.estimator.n_features_in_ * np.maximum(tree.rows(statistics) - 1, 1)
        return np.minimum(p * choices, 1.0)

    def _p_values_of_one(self, tree: FittedTree, statistics: NodeStatistics | None) -> Floats:
        """P-values as if each split had been the only one there was."""
        if (self.test == "f") if tree.is_classifier else (self.test not in (None, "f")):
            kind = "classification" if tree.is_classifier else "regression"
            raise ValueError(f"test={self.test!r} is not for {kind} trees: leave it at None")
        if not tree.is_classifier:
            return variance_p_values(tree.structure, tree.error(statistics), tree.rows(statistics))
        test: Any = self.test or "chi2"
        outputs = np.moveaxis(tree.counts(statistics), 1, 0)
        # a split that says something of one output is worth keeping
        return np.min([split_p_values(tree.structure, counts, test) for counts in outputs], axis=0)


def _by_chi2(table: Floats, test: str) -> Floats:
    """P-values of tables children x classes; classes and children that are not there do not count."""
    rows, columns = table.sum(axis=2, keepdims=True), table.sum(axis=1, keepdims=True)
    n = rows.sum(axis=1, keepdims=True)
    expected = np.divide(rows * columns, n, out=np.zeros_like(table), where=n > 0)
    there = expected > 0
    if test == "chi2":
        part = np.divide((table - expected) ** 2, expected, out=np.zeros_like(table), where=there)
    else:
        ratio = np.divide(table, expected, out=np.ones_like(table), where=there)
        part = 2 * xlogy(table, ratio)
    freedom = ((columns > 0).sum(axis=2)[:, 0] - 1) * (rows > 0).all(axis=1)[:, 0]
    statistic = part.sum(axis=(1, 2))
    return np.where(freedom > 0, chi2_distribution.sf(statistic, np.maximum(freedom, 1)), 1.0)


def _fisher(table: Floats) -> Floats:
    present = (table.sum(axis=1) > 0).sum(axis=1)
    if (present > 2).any():
        raise ValueError("test='fisher' is exact for two classes: use 'chi2' or 'g2' where a split parts more")
    if not np.allclose(table, np.rint(table)):
        raise ValueError("test='fisher' counts rows: weights that are no whole numbers need 'chi2' or 'g2'")
    # the two classes that are there, whichever they are
    order = np.argsort(-table.sum(axis=1), axis=1, kind="stable")[:, :2]
    pairs = np.rint(np.take_along_axis(table, order[:, None, :], axis=2)).astype(np.int64)
    return np.array([_fisher_of(*pair.ravel()) for pair in pairs])


def _fisher_of(a: int, b: int, c: int, d: int) -> float:
    """Sum of the probabilities of all tables with these margins that are no likelier than this one."""
    n, left, first = a + b + c + d, a + b, a + c
    if n == 0:
        return 1.0
    values = np.arange(max(0, left + first - n), min(left, first) + 1)
    chance = hypergeom.pmf(values, n, first, left)
    return float(min(1.0, chance[chance <= hypergeom.pmf(a, n, first, left) * (1 + 1e-7)].sum()))
