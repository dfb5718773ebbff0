"""The estimator that grows a tree and prunes it: fit, prune, predict.

A method is a subclass of `BasePruner` that says which cut it takes, or of `PathPruner` if its
cuts are nested.  Everything else is here, once, for classification and regression.
"""

from __future__ import annotations

from abc import abstractmethod
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted, column_or_1d

from treeprune.checks import check_count
from treeprune.path import PruningPath
from treeprune.tree.cuts import cut_at
from treeprune.tree.family import TreeFamily, with_models
from treeprune.tree.fitted import (
    FittedTree,
    NodeStatistics,
    check_weight,
    find_tree,
    replace_tree,
)
from treeprune.tree.predictor import PrunedPredictor
from treeprune.tree.rebuild import materialise
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure
from treeprune.tree.trace import explanation, levels_as_text, trace_as_text, trace_table
from treeprune.wrapped import is_frozen, thaw

if TYPE_CHECKING:
    from pandas import DataFrame

GROWING_PARAMETERS = ("estimator", "validation_fraction", "random_state")  # these change the grown tree


class BasePruner(MetaEstimatorMixin, PrunedPredictor):
    """Grow a tree, prune it, predict with what is left.

    Attributes
    ----------
    grown_ : estimator
        The tree before pruning; `prune` starts from it and never changes it.
    estimator_ : estimator
        The pruned tree, an ordinary scikit-learn estimator. Note that ``clone`` (and so
        ``cross_val_score``) makes of it an estimator that grows a full tree: give those the
        pruner itself.
    cut_ : ndarray of bool, shape (n_nodes of the grown tree,)
        The nodes that became leaves.
    n_leaves_ : int
        Leaves after pruning.
    """

    method: ClassVar[str]
    one_class_variable: ClassVar[bool] = False  # whether regression and several outputs are refused

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raise ValueError for a parameter out of range, before any work."""

    @abstractmethod
    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        """Return the cut that the method takes; statistics None: of the growing rows, off the tree."""

    @abstractmethod
    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        """Return what the method compares at each node."""

    def _needs_counts(self) -> bool:
        """Whether the method must count the growing rows, or finds all it reads in the grown tree."""
        return True

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Grow the tree on the rows, then prune it by what they say.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : array-like, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like, shape (n_rows,), optional
            Frequencies: a row of weight 2 counts as two rows.

        Notes
        -----
        If ``estimator`` is a ``FrozenEstimator`` (or a Pipeline that ends in one), nothing is
        grown: the rows only prune.
        """
        self._check_parameters()
        y = _flat(y) if self.one_class_variable else y
        if is_frozen(self.estimator):
            return self._prune_grown(thaw(self.estimator), X, y, sample_weight)
        return self._prune_growing(grow(self._to_grow(), X, y, sample_weight), X, y, sample_weight)

    def prune(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        statistics: NodeStatistics | None = None,
    ) -> Self:
        """Prune the grown tree again: with other rows, or after ``set_params``. Never regrows.

        Parameters
        ----------
        X, y : array-like, optional
            Pruning rows; without them the statistics of the last call serve again.
        sample_weight : array-like, shape (n_rows,), optional
        statistics : NodeStatistics, optional
            Instead of rows: their sums in ``grown_``, from `chunk_statistics` or `dask_statistics`.
        """
        check_is_fitted(self)
        self._check_parameters()
        if all(given is None for given in (X, y, sample_weight, statistics)):
            return self._take(self.grown_, find_tree(self.grown_), self._statistics, self._growing)
        return self._prune_grown(self.grown_, X, y, sample_weight, self._growing, statistics)

    def trace(self) -> DataFrame:
        """Table why each split of the grown tree was kept or went.

        Returns
        -------
        DataFrame
            One row for each inner node of ``grown_``, in the order in which the method asked them: node, depth,
            rows, left and right (both sides of the comparison; ``attrs`` say what they are), tie, decision ("kept",
            "pruned", "gone" with a node above), pruned_by (the node that became the leaf, -1 if kept).

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from treeprune import PessimisticErrorPruner
        >>> pruner = PessimisticErrorPruner().fit(*load_iris(return_X_y=True))
        >>> table = pruner.trace()
        >>> table.attrs["left"], table.attrs["right"]
        ('errors as a leaf + 1/2', 'errors of its branch + leaves/2 + z SE')
        >>> table[["node", "left", "right", "decision"]].head(3).round(2).values.tolist()
        [[0, 100.5, 6.59, 'kept'], [2, 50.5, 5.96, 'kept'], [3, 5.5, 4.04, 'kept']]
        """
        tree, sides, counted = self._compared()
        level = self.path_.removed_at if hasattr(self, "path_") else None
        return trace_table(tree.structure, sides, self.cut_, tree.rows(counted), level)

    def trace_text(self, max_rows: int = 60) -> str:
        """Write `trace` as aligned text; for nested methods under a table of the levels, as rpart's printcp has it.

        Parameters
        ----------
        max_rows : int, default=60
            Rows of each table at most; a line says how many are left out.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from treeprune import MaxDepthPruner
        >>> print(MaxDepthPruner(max_depth=1).fit(*load_iris(return_X_y=True)).trace_text(max_rows=3))
         level  max_depth  n_leaves  rel error
             5          0         1          1
             4          1         2        0.5 chosen
             3          2         3       0.06
        ... and 3 more levels
        <BLANKLINE>
        left: limit on depth
        right: depth of the node
        asked weakest first, ties go
         node  depth  rows  left  right tie decision pruned_by
            9      4     3     1      4         gone         2
           13      3     3     1      3         gone         2
            7      3     6     1      3         gone         2
        ... and 5 more nodes
        """
        check_count("max_rows", max_rows, low=1)
        return "\n\n".join([*self._levels_text(max_rows), trace_as_text(self.trace(), max_rows)])

    def explain(self, node: int) -> str:
        """Say in a sentence why a node of the grown tree was kept, pruned, or went with another.

        Parameters
        ----------
        node : int
            Its number in ``grown_``, 0 the root.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from treeprune import MaxDepthPruner
        >>> MaxDepthPruner(max_depth=1).fit(*load_iris(return_X_y=True)).explain(2)
        'Node 2 was pruned: limit on depth 1 equals depth of the node 1 (ties go).'
        """
        tree, sides, _ = self._compared()
        return explanation(tree.structure, sides, self.cut_, check_node(tree.structure, node))

    def _compared(self) -> tuple[FittedTree, Sides, NodeStatistics | None]:
        """The grown tree, what was compared, and the statistics it was compared by."""
        self._check_settings()
        tree, counted = self._counted()
        return tree, self._sides(tree, counted), counted

    def _counted(self) -> tuple[FittedTree, NodeStatistics | None]:
        """The grown tree, and the statistics it is pruned by."""
        counted = self._growing if self._statistics is None and self._needs_counts() else self._statistics
        return find_tree(self.grown_), counted

    def _settings(self) -> dict[str, Any]:
        """Parameters of the pruning itself."""
        return {k: v for k, v in self.get_params(deep=False).items() if k not in GROWING_PARAMETERS}

    def _check_settings(self) -> None:
        """Raise ValueError if the tree was pruned by other parameters than there are now."""
        check_is_fitted(self)
        now = self._settings()
        changed = [k for k, v in self._pruned_by.items() if not (v is now[k] or (np.ndim(v) == 0 and v == now[k]))]
        if changed:
            raise ValueError(
                f"{', '.join(changed)} was set after the tree was pruned, whose comparisons were others: call prune() "
                "first"
            )

    def _levels_text(self, max_rows: int) -> list[str]:
        """Table the levels, if the method has any."""
        return []

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.one_class_variable and tags.classifier_tags is not None:
            tags.target_tags.multi_output = tags.classifier_tags.multi_label = False
        return tags

    def _again(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Prune anew by the rows of the last fit, whose statistics are kept."""
        return self.prune()

    def _family_of_one(self, model: Any) -> TreeFamily:
        """Take a pruned model for a family of one level, to score it by."""
        return TreeFamily.of_one(model)

    def _to_grow(self) -> Any:
        # a fixed seed, so that two runs of the same lines give the same numbers
        return DecisionTreeClassifier(random_state=0) if self.estimator is None else self.estimator

    def _prune_fitted(
        self,
        fitted: Any,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        statistics: NodeStatistics | None = None,
    ) -> Self:
        """Prune a model that was grown elsewhere; without rows, by what its tree remembers."""
        if all(given is None for given in (X, y, sample_weight, statistics)):
            return self._take(fitted, find_tree(fitted), None)
        return self._prune_grown(fitted, X, y, sample_weight, statistics=statistics)

    def _prune_growing(self, grown: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Prune a model by the rows that it was just grown on."""
        tree = find_tree(grown)
        # what the tree does not remember, `prune` may need when the parameters are others
        counted = self._needs_counts() or not tree.remembers_rows
        return self._take(grown, tree, None, self._count(tree, X, y, sample_weight) if counted else None)

    def _prune_grown(
        self,
        grown: Any,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        growing: NodeStatistics | None = None,
        statistics: NodeStatistics | None = None,
    ) -> Self:
        tree = find_tree(grown)
        return self._take(grown, tree, self._statistics_of(tree, X, y, sample_weight, statistics), growing)

    def _statistics_of(
        self, tree: FittedTree, X: Any, y: Any, weight: Any, given: NodeStatistics | None
    ) -> NodeStatistics:
        """Count pruning rows, or check what was counted before."""
        return statistics_of(tree, X, y, weight, given)

    def _statistics_if_given(
        self, tree: FittedTree, X: Any, y: Any, weight: Any, given: NodeStatistics | None
    ) -> NodeStatistics | None:
        """Do as `_statistics_of`; None where neither rows nor statistics are given."""
        if all(part is None for part in (X, y, weight, given)):
            return None
        return self._statistics_of(tree, X, y, weight, given)

    def _count(self, tree: FittedTree, X: Any, y: Any, sample_weight: Any) -> NodeStatistics:
        """Sum rows; most methods count them as the tree was grown, with its class weights."""
        return tree.count(X, y, sample_weight)

    def _take(
        self,
        grown: Any,
        tree: FittedTree,
        statistics: NodeStatistics | None,
        growing: NodeStatistics | None = None,
    ) -> Self:
        """Set the results, all at once: an error before leaves the pruner as it was.

        Without statistics of pruning rows those of the growing rows serve, where the method needs counts.
        """
        tree.check_values()
        found = self._find(tree, growing if statistics is None and self._needs_counts() else statistics)
        fields = self._new_fields(tree, statistics, growing)
        found["estimator_"] = replace_tree(grown, materialise(tree.estimator, tree.structure, found["cut_"], **fields))
        if "path_" in found:
            found["path_"] = with_models(found["path_"], grown, tree)
        found.update(grown_=grown, n_leaves_=int(found["cut_"].sum()), _statistics=statistics, _growing=growing)
        found["_pruned_by"] = self._settings()
        self.__dict__.update(found)
        return self

    def _find(self, tree: FittedTree, statistics: NodeStatistics | None) -> dict[str, Any]:
        """Return what the method finds, as fitted attributes; ``cut_`` among them."""
        return {"cut_": self._find_cut(tree, statistics)}

    def _new_fields(
        self, tree: FittedTree, statistics: NodeStatistics | None, growing: NodeStatistics | None
    ) -> dict[str, NDArray[Any]]:
        """Return node fields of the grown tree to change in the pruned one; most methods change none."""
        return {}


class PathPruner(BasePruner):
    """A pruner whose cuts are nested in one parameter, its strength.

    Attributes
    ----------
    path_ : PruningPath
        All levels of the family.
    """

    strength: ClassVar[str]

    @abstractmethod
    def _find_path(self, tree: FittedTree, statistics: NodeStatistics | None) -> PruningPath:
        """Return the family of all prunings."""

    def _family(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> TreeFamily:
        """Grow a tree on the rows, and find all prunings of it."""
        grown = grow(self._to_grow(), X, y, sample_weight)
        tree = find_tree(grown)
        statistics = self._count(tree, X, y, sample_weight) if self._needs_counts() else None
        return TreeFamily(grown, tree, self._find_path(tree, statistics), statistics)

    def _levels_text(self, max_rows: int) -> list[str]:
        tree, _, counted = self._compared()
        counted = self._growing if counted is None else counted  # of trees that do not remember their rows
        return [levels_as_text(tree.structure, self.path_, tree.error(counted), self.n_leaves_, max_rows)]

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        return self._find(tree, statistics)["cut_"]

    def _strength_for(self, tree: FittedTree) -> float:
        """Return the strength in the unit of the path's prices."""
        return getattr(self, self.strength)

    def _find(self, tree: FittedTree, statistics: NodeStatistics | None) -> dict[str, Any]:
        path = self._find_path(tree, statistics)
        level = int(path.levels_at(self._strength_for(tree)))
        return {"path_": path, "cut_": cut_at(tree.structure, path.removed_at, level)}


def check_node(structure: TreeStructure, node: Any) -> int:
    """Return the number of a node, or say which there are."""
    n_nodes = structure.n_nodes
    if isinstance(node, bool) or not isinstance(node, Integral) or not 0 <= int(node) < n_nodes:
        raise ValueError(f"node={node!r}: a node of the grown tree is expected, 0 to {n_nodes - 1}")
    return int(node)


def grow(estimator: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> Any:
    """Fit a clone of the estimator; weights go through a Pipeline to its last step."""
    if sample_weight is None:
        return clone(estimator).fit(X, y)
    weight = np.asarray(sample_weight)
    check_weight(weight, len(np.atleast_1d(weight)))  # scikit-learn would grow by negative weights
    return clone(estimator).fit(X, y, **{_weight_keyword(estimator): weight})


def statistics_of(
    tree: FittedTree,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    statistics: NodeStatistics | None = None,
) -> NodeStatistics:
    """Count pruning rows, of which there must be two at least, or check what was counted before."""
    if statistics is not None:
        if not (X is None and y is None and sample_weight is None):
            raise ValueError("statistics are the sums of rows: give either them or the rows (X, y, sample_weight)")
        return check_statistics(tree, statistics)
    check_pruning_rows(X, y)
    return tree.count(X, y, sample_weight)


def check_pruning_rows(X: Any, y: Any) -> None:
    """Raise ValueError unless there are two rows at least, with their targets."""
    if X is None or y is None:
        raise ValueError(f"{'X' if X is None else 'y'} is missing: pruning rows need both X and y")
    n_rows = len(np.atleast_1d(np.asarray(y)))
    if n_rows < 2:
        raise ValueError(f"got n_samples={n_rows} pruning rows: at least two are needed to prune by")


def check_statistics(tree: FittedTree, statistics: Any) -> NodeStatistics:
    """Return statistics that were counted in this tree, or say why they cannot have been."""
    if not isinstance(statistics, NodeStatistics):
        raise TypeError(
            f"statistics is a {type(statistics).__name__}: give what tp.chunk_statistics or tp.dask_statistics returned"
        )
    sums, rows, wanted = np.shape(statistics.sums), np.shape(statistics.leaf_rows), tree.no_rows.sums.shape
    if sums != wanted or rows != wanted[:1]:
        raise ValueError(
            f"statistics have sums of shape {sums} and leaf_rows of shape {rows}, this tree has {wanted} and "
            f"{wanted[:1]}: they are of another tree; count the rows in the tree that is to be pruned"
        )
    if statistics.leaf_rows[~tree.structure.is_leaf].any():
        raise ValueError(
            "statistics have rows that end at inner nodes of this tree: they are of another tree, or of a pruned "
            "one; count the rows in the tree that is to be pruned"
        )
    at_root, below = statistics.sums[0], statistics.sums[tree.structure.is_leaf].sum(axis=0)
    counts = statistics.sums if tree.is_classifier else statistics.sums[..., 0]
    if not np.allclose(at_root, below, rtol=1e-6, atol=1e-6 * np.abs(statistics.sums).max()) or (counts < 0).any():
        raise ValueError(
            "statistics are no sums of rows: those of the leaves do not add up to the root's, or some are negative"
        )
    if (n_rows := int(statistics.leaf_rows.sum())) < 2:
        raise ValueError(f"statistics of n_samples={n_rows} pruning rows: at least two are needed to prune by")
    return statistics


def _flat(y: Any) -> Any:
    """Flatten a single column, with scikit-learn's warning; leave all else to the checks of the tree."""
    return column_or_1d(y, warn=True) if np.asarray(y).shape[1:] == (1,) else y


def _weight_keyword(estimator: Any) -> str:
    steps = getattr(estimator, "steps", None)
    if get_config()["enable_metadata_routing"]:
        return "sample_weight"  # a Pipeline then asks its steps which of them want it
    return f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"
