"""Error-based pruning, by replacement of subtrees.

Quinlan (1993), *C4.5: Programs for Machine Learning*, chapter 4.

No rows are held out.  The training errors of a leaf are taken for a sample from a binomial, and
the leaf is charged the upper confidence limit of its error rate.  A branch is replaced by a leaf
if the leaf's limit is not above the sum of the limits of the branch's leaves.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length

from treeprune.checks import check_choice, check_flag, check_number
from treeprune.tree.cuts import node_numbers, optimal_cut, topmost
from treeprune.tree.fitted import FittedTree, NodeStatistics, check_weight, find_tree, replace_tree
from treeprune.tree.methods.error_limits import LIMITS, Limit, added_errors
from treeprune.tree.methods.global_phase import global_phase_cut, globally_pruned
from treeprune.tree.methods.raising_trace import AS_LEAF, WENT_GLOBALLY, raised_explanation, raised_trace_table
from treeprune.tree.methods.subtree_raising import RaisedTree, raise_subtrees
from treeprune.tree.pruner import BasePruner, check_node, check_pruning_rows
from treeprune.tree.rebuild import rebuild
from treeprune.tree.sides import Sides, best_branch
from treeprune.tree.statistics import check_codes, class_counts
from treeprune.tree.structure import LEAF, TreeStructure
from treeprune.tree.trace import GLOBALLY, PRUNED

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

SLACK = {"c4.5": 0.1, "weka": 0.1 + 1e-6, "exact": 0.1}  # Weka counts numbers closer than 1e-6 as equal
NO_CUT = (
    "subtree_raising=True sends rows other ways, so it is no cut of the grown tree and needs the growing rows: give X "
    "and y (a confidence is chosen by PrunerCV with a param_grid, not from pruning_cuts or sums of rows)"
)
COLLAPSED = 1e-3  # errors by which a subtree must beat a leaf in C4.5 and Weka, or it is collapsed


def error_based_cut(
    structure: TreeStructure,
    errors: ArrayLike,
    n_rows: ArrayLike,
    confidence: float = 0.25,
    limit: Limit = "c4.5",
    slack: float | None = None,
    collapse: bool = False,
) -> NDArray[np.bool_]:
    """Replace branches whose pessimistic errors a leaf does not exceed by more than the slack.

    Parameters
    ----------
    structure : TreeStructure
    errors : array-like of float, shape (n_nodes,)
        Training errors of each node as a leaf.
    n_rows : array-like of float, shape (n_nodes,)
        Training rows at each node.
    confidence : float in (0, 1), default=0.25
        The tail beyond the limit. Smaller is more pessimistic and prunes more.
    limit : {"c4.5", "weka", "exact"}, default="c4.5"
        Which upper limit; see `added_errors`.
    slack : float, optional
        Errors by which a leaf may be worse. By default C4.5's 0.1, for ``"weka"`` and 1e-6 more: its
        comparisons take numbers as close as that for equal.
    collapse : bool, default=False
        Make leaves first, as C4.5 and J48 do, of what makes no fewer training errors than a leaf; see
        `collapsed_nodes`.

    Examples
    --------
    Quinlan's example: leaves (6, 0), (9, 0), (1, 0) are replaced by a leaf with (16, 1).

    >>> from treeprune import TreeStructure, error_based_cut
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> error_based_cut(tree, errors=[1, 0, 1, 0, 0], n_rows=[16, 6, 10, 9, 1])
    array([ True, False, False, False, False])
    """
    e, n = node_numbers(structure, errors, "errors"), node_numbers(structure, n_rows, "n_rows")
    cost = e + added_errors(n, e, confidence, limit)
    stays = _never(structure, e, n) if collapse else 0.0
    return optimal_cut(structure, cost, stays, slack=SLACK[limit] if slack is None else slack)


def error_based_raising(
    structure: TreeStructure,
    X: ArrayLike,
    y: ArrayLike,
    confidence: float = 0.25,
    limit: Limit = "c4.5",
    *,
    ties: Literal["left", "right"] = "left",
    slack: float | None = None,
    collapse: bool = False,
    n_classes: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> RaisedTree:
    """Replace branches as `error_based_cut` does, or by the larger branch of a node with all of its rows.

    Parameters
    ----------
    structure : TreeStructure
        With its tests, by which rows are sent down.
    X : array-like of float, shape (n_rows, n_features)
        The growing rows, as the tests see them (scikit-learn's see 32-bit floats).
    y : array-like of int, shape (n_rows,)
        Class codes, from 0.
    confidence, limit, slack, collapse
        As in `error_based_cut`.
    ties : {"left", "right"}, default="left"
        The larger branch where both have equally many rows: C4.5 takes the first, Weka the last.
    n_classes : int, optional
        By default those up to the highest code.
    sample_weight : array-like, shape (n_rows,), optional

    Returns
    -------
    RaisedTree
        Which nodes are left, which test each has now, and what was compared.

    Examples
    --------
    Two of three rows on the right hardly need the test at the root:

    >>> from treeprune import TreeStructure, error_based_raising
    >>> tree = TreeStructure.from_arrays(
    ...     [1, -1, 3, -1, -1], [2, -1, 4, -1, -1], [0, -2, 1, -2, -2], [0.5, -2, 0.5, -2, -2]
    ... )
    >>> X = [[0, 0]] * 2 + [[1, 0]] * 30 + [[1, 1]] * 30
    >>> found = error_based_raising(tree, X, y=[0] * 32 + [1] * 30)
    >>> found.place, found.origin  # the test of node 2 is at the root now
    (array([0, 3, 4]), array([2, 3, 4]))
    """
    check_choice("limit", limit, tuple(LIMITS))
    check_choice("ties", ties, ("left", "right"))
    check_number("slack", SLACK[limit] if slack is None else slack)
    rows = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan")
    check_consistent_length(rows, y, sample_weight)
    codes, k = check_codes(y, n_classes)
    check_weight(sample_weight, len(rows))
    leaf = structure.route(rows)
    if collapse:
        counts = class_counts(structure, leaf, codes, k, sample_weight)
        structure = _collapsed(structure, counts.sum(axis=1) - counts.max(axis=1))
        leaf = structure.route(rows)
    means: dict[str, Any] = {"slack": SLACK[limit] if slack is None else slack, "ties": ties}
    cost = partial(_expected_errors, confidence=confidence, limit=limit)
    return raise_subtrees(structure, rows, leaf, codes, k, cost, sample_weight=sample_weight, **means)


def collapsed_nodes(structure: TreeStructure, errors: ArrayLike) -> NDArray[np.bool_]:
    """Find the nodes whose branches make no fewer training errors than a leaf would, by 0.001 at least.

    Parameters
    ----------
    structure : TreeStructure
    errors : array-like of float, shape (n_nodes,)
        Training errors of each node as a leaf.

    Returns
    -------
    ndarray of bool, shape (n_nodes,)
        Leaves too. What is below such a node goes with it, whatever it says itself.

    Examples
    --------
    >>> from treeprune import TreeStructure
    >>> from treeprune.tree.methods.error_based import collapsed_nodes
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> collapsed_nodes(tree, [4, 1, 2, 1, 1])
    array([False,  True,  True,  True,  True])
    """
    e = node_numbers(structure, errors, "errors")
    return structure.sum_up(e) >= e - COLLAPSED


class ErrorBasedPruner(BasePruner):
    """C4.5's error-based pruning, by subtree replacement, for classification trees with one output.

    Parameters
    ----------
    estimator : tree, or Pipeline that ends in one, default=None
        What to grow; None means ``DecisionTreeClassifier(random_state=0)``.
    confidence : float in (0, 1), default=0.25
        C4.5's CF. Smaller prunes more.
    limit : {"c4.5", "weka", "exact"}, default="c4.5"
        Which upper limit of the error rate; see `added_errors`.
    subtree_raising : bool, default=False
        Whether the larger branch of a node, given all rows of the node, may take its place. Rows then go other
        ways than in the grown tree, so the growing rows are needed: by `fit` in any case, and by ``prune(X, y)``.
    raising_ties : {"left", "right"}, default="left"
        The larger branch where both have equally many rows: C4.5 takes the first, Weka the last.
    collapse : bool, default=False
        Whether branches that make no fewer training errors than a leaf become leaves first, as in C4.5 and J48.
    global_phase : bool, default=False
        Whether, as in C5.0, the weakest links of what is left go too while the extra training errors fit in one
        standard error; see `global_phase_cut`.

    Attributes
    ----------
    raised_ : RaisedTree
        After subtree raising, in place of ``cut_``: which nodes are left, and which took the place of another.

    Notes
    -----
    The prunings are not nested in the confidence. With ``subtree_raising`` they are not even cuts of the grown
    tree; counts, values and impurities of ``estimator_`` are computed anew.

    References
    ----------
    Quinlan (1993), chapter 4.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import ErrorBasedPruner
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pruner = ErrorBasedPruner(confidence=0.1).fit(X, y)
    >>> int(pruner.grown_.get_n_leaves()), pruner.n_leaves_
    (22, 13)
    """

    method = "error_based"
    one_class_variable = True

    def __init__(
        self,
        estimator: Any = None,
        *,
        confidence: float = 0.25,
        limit: Limit = "c4.5",
        subtree_raising: bool = False,
        raising_ties: Literal["left", "right"] = "left",
        collapse: bool = False,
        global_phase: bool = False,
    ) -> None:
        super().__init__(estimator)
        self.confidence = confidence
        self.limit = limit
        self.subtree_raising = subtree_raising
        self.raising_ties = raising_ties
        self.collapse = collapse
        self.global_phase = global_phase

    def _check_parameters(self) -> None:
        check_number("confidence", self.confidence, low=0, high=1, open_ends=True)
        check_choice("limit", self.limit, tuple(LIMITS))
        check_choice("raising_ties", self.raising_ties, ("left", "right"))
        check_flag("subtree_raising", self.subtree_raising)
        check_flag("collapse", self.collapse)
        check_flag("global_phase", self.global_phase)

    def _find_cut(self, tree: FittedTree, statistics: NodeStatistics | None) -> NDArray[np.bool_]:
        tree.require_one_class_variable("error-based pruning")
        if self.subtree_raising:
            raise ValueError(NO_CUT)
        errors, n_rows = tree.error(statistics), tree.rows(statistics)
        cut = error_based_cut(tree.structure, errors, n_rows, self.confidence, self.limit, collapse=self.collapse)
        return global_phase_cut(tree.structure, errors, n_rows, cut) if self.global_phase else cut

    def _sides(self, tree: FittedTree, statistics: NodeStatistics | None) -> Sides:
        errors, n_rows = tree.error(statistics), tree.rows(statistics)
        cost, slack = errors + added_errors(n_rows, errors, self.confidence, self.limit), SLACK[self.limit]
        stays = _never(tree.structure, errors, n_rows) if self.collapse else 0.0
        branch = best_branch(tree.structure, cost, stays, slack)
        if self.collapse:
            branch[collapsed_nodes(tree.structure, errors)] = np.inf  # not asked any more
        return Sides(AS_LEAF, cost, f"errors expected of its branch + {slack:.6g}", branch)

    def _prune_growing(self, grown: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        if self.subtree_raising:
            return self._raise(grown, X, y, sample_weight)
        return super()._prune_growing(grown, X, y, sample_weight)

    def _prune_grown(
        self,
        grown: Any,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        growing: NodeStatistics | None = None,
        statistics: NodeStatistics | None = None,
    ) -> Self:
        if not self.subtree_raising:
            return super()._prune_grown(grown, X, y, sample_weight, growing, statistics)
        if statistics is not None:
            raise ValueError(NO_CUT)
        return self._raise(grown, X, y, sample_weight)

    def _again(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        return self.prune(X, y, sample_weight) if self.subtree_raising else super()._again(X, y, sample_weight)

    def _take(
        self,
        grown: Any,
        tree: FittedTree,
        statistics: NodeStatistics | None,
        growing: NodeStatistics | None = None,
    ) -> Self:
        taken = super()._take(grown, tree, statistics, growing)
        self.__dict__.pop("raised_", None)  # of an earlier call
        return taken

    def _raise(self, grown: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Prune by rows, and set the results, all at once."""
        tree = find_tree(grown)
        tree.require_one_class_variable("error-based pruning")
        check_pruning_rows(X, y)
        rows, target, weight = tree.coded_rows(X, y, sample_weight)
        statistics = tree.statistics_at(tree.leaves_of(X, target), target, weight)
        _warn_of_other_rows(tree, statistics)
        means: dict[str, Any] = {"ties": self.raising_ties, "collapse": self.collapse, "sample_weight": weight}
        given = rows, target[:, 0], self.confidence, self.limit
        raised = error_based_raising(tree.structure, *given, n_classes=tree.value.shape[2], **means)
        raised = globally_pruned(raised) if self.global_phase else raised
        results = {"raised_": raised, "n_leaves_": int((raised.children_left < 0).sum()), "grown_": grown}
        results["estimator_"] = replace_tree(grown, _rebuilt(tree, raised))
        results["_pruned_by"] = self._settings()
        self.__dict__.pop("cut_", None)
        self.__dict__.update(results, _statistics=statistics, _growing=None)
        return self

    def trace(self) -> DataFrame:
        """Table why each split of the grown tree was kept or went; see `BasePruner.trace`.

        After subtree raising with the columns branch and larger_branch, of which the smaller one counts on the
        right, and with the decisions "replaced" (the larger branch took the node's place) and "moved" (the node's
        test is at the place ``pruned_by``).
        """
        self._check_settings()
        if not hasattr(self, "raised_"):
            table = super().trace()
            # what the comparison does not send away, the global phase did
            return table.assign(decision=table["decision"].mask(self._went_globally(table), GLOBALLY))
        tree = find_tree(self.grown_)
        return raised_trace_table(tree.structure, self.raised_, SLACK[self.limit], tree.rows(self._statistics))

    def explain(self, node: int) -> str:
        """Say in a sentence what became of a node of the grown tree; see `BasePruner.explain`."""
        self._check_settings()
        structure = find_tree(self.grown_).structure
        if not hasattr(self, "raised_"):
            table = super().trace().set_index("node", drop=False)
            globally = table.index[self._went_globally(table)]
            went = check_node(structure, node) in globally
            return f"Node {node} {WENT_GLOBALLY}." if went else super().explain(node)
        return raised_explanation(structure, self.raised_, SLACK[self.limit], check_node(structure, node))

    def _went_globally(self, table: DataFrame) -> Any:
        """Nodes of a trace that went though the leaf was expected to err more than its branch."""
        pruned = (table["decision"] == PRUNED) & bool(self.global_phase)
        return pruned & (table["left"] > table["right"]) & ~table["tie"]


def _warn_of_other_rows(tree: FittedTree, statistics: NodeStatistics) -> None:
    """Warn of rows that the tree was not grown on, where it remembers the shares of its classes."""
    if not tree.remembers_rows:
        return
    grown, given = tree.own_statistics.sums[0, 0], statistics.sums[0, 0]
    if not np.allclose(grown / grown.sum(), given / given.sum(), rtol=1e-6):
        warnings.warn(
            "subtree raising gives all nodes new values, of the rows it is given: the tree was grown on "
            f"{grown.tolist()} rows of its classes, and these are {given.tolist()}, so it will say what these rows say",
            UserWarning,
            stacklevel=2,
        )


def _never(structure: TreeStructure, errors: Floats, n_rows: Floats) -> Floats:
    """What it costs to keep a split: nothing, or more than all rows together at collapsed nodes."""
    return np.where(collapsed_nodes(structure, errors), 2 * n_rows[0] + 1, 0.0)


def _expected_errors(counts: Floats, confidence: float, limit: Limit) -> Floats:
    n = counts.sum(axis=1)
    errors = n - counts.max(axis=1)
    return errors + added_errors(n, errors, confidence, limit)


def _collapsed(structure: TreeStructure, errors: Floats) -> TreeStructure:
    """The grown tree with collapsed nodes as its leaves; what is below them hangs in the air."""
    cut = topmost(structure, collapsed_nodes(structure, errors))
    left, right = (np.where(cut, LEAF, side) for side in (structure.children_left, structure.children_right))
    return replace(structure, children_left=left, children_right=right)


def _rebuilt(tree: FittedTree, raised: RaisedTree) -> Any:
    """Return the estimator of a raised tree, its node fields computed anew from its rows."""
    statistics = NodeStatistics(raised.counts[:, None, :], raised.n_rows)
    weight = raised.counts.sum(axis=1)
    some, divisor = weight > 0, np.where(weight > 0, weight, 1)
    fields = {
        "value": np.where(some[:, None], raised.counts / divisor[:, None], tree.value[raised.place, 0]),
        "impurity": tree.impurity(statistics) / divisor,
        "n_node_samples": raised.n_rows,
        "weighted_n_node_samples": weight,
    }
    links = raised.children_left, raised.children_right
    return rebuild(tree.estimator, raised.origin, *links, raised.depth, **fields)
