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
from treeprune.tree import loss
from treeprune.tree.cuts import TIE, bottom_up, node_numbers
from treeprune.tree.fitted import FittedTree, NodeStatistics
from treeprune.tree.pruner import BasePruner, check_pruning_rows, check_statistics
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
        Splits with a larger p-value go; one with just this p-value, up to rounding, stays.

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
        leaf[t] = leaf[left] & leaf[right] & (p[t] > significance * (1 + TIE))
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
        Both are of the rows themselves: a class weight is no frequency, and does not count.
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

    def _statistics_of(self, tree: FittedTree, X: Any, y: Any, weight: Any, given: NodeStatistics | None) -> Any:
        if given is not None:
            return NodeStatistics(_without_class_weights(tree, check_statistics(tree, given).sums), given.leaf_rows)
        check_pruning_rows(X, y)
        return self._count(tree, X, y, weight)

    def _count(self, tree: FittedTree, X: Any, y: Any, sample_weight: Any) -> NodeStatistics:
        return tree.statistics(X, y, sample_weight)

    def _p_values(self, tree: FittedTree, statistics: NodeStatistics | None) -> Floats:
        if statistics is None:
            own = tree.own_statistics
            statistics = NodeStatistics(_without_class_weights(tree, own.sums), own.leaf_rows)
        p = self._p_values_of_one(tree, statistics)
        if self.correction == "none":
            return p
        choices = tree.estimator.n_features_in_ * np.maximum(tree.rows(statistics) - 1, 1)
        return np.minimum(p * choices, 1.0)

    def _p_values_of_one(self, tree: FittedTree, statistics: NodeStatistics) -> Floats:
        """P-values as if each split had been the only one there was."""
        if (self.test == "f") if tree.is_classifier else (self.test not in (None, "f")):
            kind = "classification" if tree.is_classifier else "regression"
            raise ValueError(f"test={self.test!r} is not for {kind} trees: leave it at None")
        if not tree.is_classifier:
            return variance_p_values(tree.structure, loss.variance(statistics.sums), tree.rows(statistics))
        test: Any = self.test or "chi2"
        outputs = np.moveaxis(statistics.sums, 1, 0)
        # a split that says something of one output is worth keeping
        return np.min([split_p_values(tree.structure, counts, test) for counts in outputs], axis=0)


def _without_class_weights(tree: FittedTree, sums: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of each class, of sums that have them times the class weights of the tree."""
    given = getattr(tree.estimator, "class_weight", None)
    if given is None:
        return sums
    if not isinstance(given, dict) or sums.shape[1] > 1:
        raise ValueError(
            f"class_weight={given!r}: the tree does not remember how many rows of each class it was grown on, which "
            "a test of significance counts: pass the growing rows as X and y"
        )
    weight = np.array([float(given.get(label, 1.0)) for label in tree.classes[0].tolist()])
    if not (weight > 0).all():
        raise ValueError(f"class_weight={given!r}: rows of weight 0 are not remembered: pass the growing rows")
    return sums / weight


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
    return _fisher_two_sided(np.rint(np.take_along_axis(table, order[:, None, :], axis=2)).astype(np.int64))


def _fisher_two_sided(pairs: NDArray[np.int64]) -> Floats:
    """Sum of the probabilities of all tables with the same margins that are no likelier, shape (n_tables,)."""
    n, left, first = pairs.sum(axis=(1, 2)), pairs[:, 0].sum(axis=1), pairs[:, :, 0].sum(axis=1)
    least, most = np.maximum(0, left + first - n), np.minimum(left, first)
    of_table = np.repeat(np.arange(len(pairs)), most - least + 1)
    starts = np.cumsum(most - least + 1) - (most - least + 1)
    values = least[of_table] + np.arange(len(of_table)) - starts[of_table]
    chance = hypergeom.pmf(values, n[of_table], first[of_table], left[of_table])
    found = hypergeom.pmf(pairs[:, 0, 0], n, first, left)
    as_rare = chance <= found[of_table] * (1 + 1e-7)
    total = np.bincount(of_table, np.where(as_rare, chance, 0.0), minlength=len(pairs))
    return np.where(n > 0, np.minimum(total, 1.0), 1.0)
