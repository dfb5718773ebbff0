"""The estimator that grows a tree, keeps all of its splits, and changes what its nodes say."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike
from sklearn.base import MetaEstimatorMixin
from sklearn.tree import DecisionTreeClassifier

from treeprune.tree.family import TreeFamily
from treeprune.tree.fitted import SOFT, FittedTree, NodeStatistics, find_tree, replace_tree
from treeprune.tree.predictor import PrunedPredictor
from treeprune.tree.pruner import grow, statistics_of
from treeprune.tree.rebuild import materialise
from treeprune.wrapped import is_frozen, thaw


class SoftPruner(MetaEstimatorMixin, PrunedPredictor):
    """Grow a tree, then give its nodes other values.

    Attributes
    ----------
    grown_ : estimator
        The tree as it was grown.
    estimator_ : estimator
        An ordinary scikit-learn tree with the same splits and other values.
    n_leaves_ : int
    """

    method: ClassVar[str]
    estimator: Any

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raise ValueError for a parameter out of range, before any work."""

    @abstractmethod
    def _find(self, tree: FittedTree, statistics: NodeStatistics | None) -> dict[str, Any]:
        """Return the nodes' values as ``value``, and other fitted attributes."""

    def _needs_counts(self) -> bool:
        """Whether the method must count rows, or finds all it reads in the grown tree."""
        return True

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Grow the tree, then change its values.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : array-like, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like, shape (n_rows,), optional
            Frequencies: a row of weight 2 counts as two rows.
        """
        self._check_parameters()
        frozen = is_frozen(self.estimator)  # its rows are checked, and read by methods that count
        grown = thaw(self.estimator) if frozen else grow(self._to_grow(), X, y, sample_weight)
        return self._take(grown, self._counted(find_tree(grown), X, y, sample_weight, frozen))

    def _counted(self, tree: FittedTree, X: Any, y: Any, weight: Any, frozen: bool) -> NodeStatistics | None:
        counted = statistics_of(tree, X, y, weight) if frozen else None
        if not self._needs_counts():
            return None
        return tree.count(X, y, weight) if counted is None else counted

    def _take(self, grown: Any, statistics: NodeStatistics | None) -> Self:
        """Set the results, all at once: an error before leaves the estimator as it was."""
        tree = find_tree(grown)
        found = self._find(tree, statistics)
        everything = tree.structure.is_leaf
        soft = materialise(tree.estimator, tree.structure, everything, value=found.pop("value"))
        setattr(soft, SOFT, self.method)  # what it says of its rows is no longer what they are
        found.update(grown_=grown, estimator_=replace_tree(grown, soft), n_leaves_=int(everything.sum()))
        self.__dict__.update(found, _statistics=statistics)
        return self

    def _again(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Do the same with other parameters, by the rows of the last fit, whose statistics are kept."""
        self._check_parameters()
        return self._take(self.grown_, self._statistics)

    def _family_of_one(self, model: Any) -> TreeFamily:
        """Take a tree for a family of one level, to score it by."""
        return TreeFamily.of_one(model)

    def _to_grow(self) -> Any:
        return DecisionTreeClassifier(random_state=0) if self.estimator is None else self.estimator
