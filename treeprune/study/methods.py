"""The methods a study compares, and how each is fitted: an explicit table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from treeprune.checks import check_count, check_number
from treeprune.cv import PrunerCV
from treeprune.tables import TASKS
from treeprune.tree.methods.averaging import AveragingPruner, TreeAverager
from treeprune.tree.methods.cost_complexity import CostComplexityPruner
from treeprune.tree.methods.critical_value import CriticalValuePruner
from treeprune.tree.methods.description_length import DescriptionLengthPruner
from treeprune.tree.methods.error_based import ErrorBasedPruner
from treeprune.tree.methods.growth_limits import MinImpurityDecreasePruner, MinSamplesSplitPruner
from treeprune.tree.methods.kearns_mansour import KearnsMansourPruner
from treeprune.tree.methods.max_depth import MaxDepthPruner
from treeprune.tree.methods.max_leaf_nodes import MaxLeafNodesPruner
from treeprune.tree.methods.minimum_error import MinimumErrorPruner
from treeprune.tree.methods.optimal import OptimalPruner
from treeprune.tree.methods.pessimistic_error import PessimisticErrorPruner
from treeprune.tree.methods.reduced_error import ReducedErrorPruner
from treeprune.tree.methods.significance import SignificancePruner
from treeprune.tree.shrinkage import HierarchicalShrinker

M_GRID = (0.5, 2, 8, 32, 128)
C_GRID = (0, 0.02, 0.05, 0.1, 0.2, 0.4)
SIZE_GRID = (2, 4, 8, 16, 32, 64, 128, 256)
SHRINKAGE_GRID = (0, 0.1, 1, 10, 25, 50, 100, 500)  # as Agarwal et al. (2022) have it, and none


@dataclass(frozen=True)
class Means:
    """What one unit gives every method to work with.

    Attributes
    ----------
    grower : estimator
        What to grow.
    cv : splitter
        The folds, the same for all methods.
    validation_fraction : float
        Share of the training rows that holdout methods prune with.
    seed : int
    grids : mapping
        Candidates of methods that are not to take their own.
    """

    grower: Any
    cv: Any
    validation_fraction: float
    seed: int
    grids: Mapping[str, Any]


@dataclass(frozen=True)
class StudyMethod:
    """One row of the tables.

    Attributes
    ----------
    name : str
        In the files and on the command line.
    family : str
        Name of the pruning method; ``--method`` takes it for all of its variants.
    title : str
        On the page.
    pruned_with : str
        What decides how far to prune: "nothing", "growing rows", "held-out rows" or
        "cross-validation".
    make : callable
        From `Means` to an estimator with ``fit``, and then ``estimator_`` and ``grown_``.
    tasks : tuple of str
    grid : tuple
        Candidates that cross-validation chooses from; empty for a path, which needs none.
    check_candidate : callable
        Raises ValueError for a candidate that will not do.
    by_default : bool
        Whether it is run unless it is named.
    """

    name: str
    family: str
    title: str
    pruned_with: str
    make: Callable[[Means], Any]
    tasks: tuple[str, ...] = TASKS
    grid: tuple[Any, ...] = ()
    check_candidate: Callable[[Any], None] = lambda _: None
    by_default: bool = True


def _by_cv(pruner: type, selection: str = "minimum") -> Callable[[Means], Any]:
    return lambda means: PrunerCV(pruner(means.grower), cv=means.cv, selection=selection)


def _over_grid(name: str, pruner: type, parameter: str) -> Callable[[Means], Any]:
    return lambda means: PrunerCV(
        pruner(means.grower), {parameter: means.grids.get(name, METHODS[name].grid)}, cv=means.cv, selection="minimum"
    )


def _by_rows_held_out(pruner: type, selection: str = "minimum", refit: Any = "none") -> Callable[[Means], Any]:
    """Choose among the levels of the tree of the other rows, which is kept: Esposito, Malerba & Semeraro (1997)."""
    return lambda means: PrunerCV(
        pruner(means.grower),
        cv=means.validation_fraction,
        selection=selection,
        refit=refit,
        random_state=means.seed,
    )


def _by_holdout(refit_leaves: bool) -> Callable[[Means], Any]:
    return lambda means: ReducedErrorPruner(
        means.grower,
        validation_fraction=means.validation_fraction,
        refit_leaves=refit_leaves,
        random_state=means.seed,
    )


_FOLDS, _HELD_OUT, _OWN, _CLASSES = "cross-validation", "held-out rows", "growing rows", ("classification",)

METHODS: dict[str, StudyMethod] = {
    method.name: method
    for method in (
        StudyMethod("unpruned", "unpruned", "unpruned", "nothing", lambda means: means.grower),
        StudyMethod(
            "cost_complexity_minimum",
            "cost_complexity",
            "cost-complexity, minimum",
            _FOLDS,
            _by_cv(CostComplexityPruner),
        ),
        StudyMethod(
            "cost_complexity_one_standard_error",
            "cost_complexity",
            "cost-complexity, one SE",
            _FOLDS,
            _by_cv(CostComplexityPruner, "one_standard_error"),
        ),
        StudyMethod("reduced_error", "reduced_error", "reduced-error", _HELD_OUT, _by_holdout(False)),
        StudyMethod("reduced_error_refit", "reduced_error", "reduced-error, refitted", _HELD_OUT, _by_holdout(True)),
        StudyMethod(
            "minimum_error",
            "minimum_error",
            "minimum-error, m = 2",
            _OWN,
            lambda means: MinimumErrorPruner(means.grower),
        ),
        StudyMethod(
            "minimum_error_cv",
            "minimum_error",
            "minimum-error, m by CV",
            _FOLDS,
            _over_grid("minimum_error_cv", MinimumErrorPruner, "m"),
            grid=M_GRID,
            check_candidate=lambda m: check_number("m", m, low=0),
        ),
        StudyMethod(
            "pessimistic_error",
            "pessimistic_error",
            "pessimistic-error",
            _OWN,
            lambda means: PessimisticErrorPruner(means.grower),
            _CLASSES,
        ),
        StudyMethod(
            "error_based",
            "error_based",
            "error-based, CF = .25",
            _OWN,
            lambda means: ErrorBasedPruner(means.grower),
            _CLASSES,
        ),
        StudyMethod("critical_value", "critical_value", "critical-value", _FOLDS, _by_cv(CriticalValuePruner)),
        StudyMethod(
            "significance",
            "significance",
            "significance, p < .05",
            _OWN,
            lambda means: SignificancePruner(means.grower),
        ),
        StudyMethod(
            "description_length",
            "description_length",
            "description length",
            _OWN,
            lambda means: DescriptionLengthPruner(means.grower),
            _CLASSES,
        ),
        StudyMethod(
            "kearns_mansour",
            "kearns_mansour",
            "Kearns–Mansour, c by CV",
            _FOLDS,
            _over_grid("kearns_mansour", KearnsMansourPruner, "c"),
            _CLASSES,
            grid=C_GRID,
            check_candidate=lambda c: check_number("c", c, low=0),
        ),
        StudyMethod(
            "averaging",
            "averaging",
            "averaging, likeliest pruning",
            _OWN,
            lambda means: AveragingPruner(means.grower),
        ),
        StudyMethod(
            "averaging_soft",
            "averaging",
            "averaging, all prunings",
            _OWN,
            lambda means: TreeAverager(means.grower),
            by_default=False,
        ),
        StudyMethod(
            "optimal",
            "optimal",
            "optimal by size",
            _FOLDS,
            _over_grid("optimal", OptimalPruner, "max_leaf_nodes"),
            grid=SIZE_GRID,
            check_candidate=lambda size: check_count("max_leaf_nodes", size, low=1),
        ),
        StudyMethod("max_depth", "max_depth", "max depth", _FOLDS, _by_cv(MaxDepthPruner)),
        StudyMethod("max_leaf_nodes", "max_leaf_nodes", "max leaf nodes", _FOLDS, _by_cv(MaxLeafNodesPruner)),
        StudyMethod(
            "cost_complexity_held_out_minimum",
            "cost_complexity",
            "cost-complexity, held-out minimum",
            _HELD_OUT,
            _by_rows_held_out(CostComplexityPruner),
            by_default=False,
        ),
        StudyMethod(
            "min_impurity_decrease",
            "min_impurity_decrease",
            "min impurity decrease",
            _FOLDS,
            _by_cv(MinImpurityDecreasePruner),
        ),
        StudyMethod(
            "min_samples_split",
            "min_samples_split",
            "min samples split",
            _FOLDS,
            _by_cv(MinSamplesSplitPruner),
        ),
        StudyMethod(
            "cost_complexity_held_out_one_standard_error",
            "cost_complexity",
            "cost-complexity, held-out one SE",
            _HELD_OUT,
            _by_rows_held_out(CostComplexityPruner, "one_standard_error"),
            by_default=False,
        ),
        StudyMethod(
            "critical_value_held_out",
            "critical_value",
            "critical-value, held-out",
            _HELD_OUT,
            _by_rows_held_out(CriticalValuePruner),
            by_default=False,
        ),
        StudyMethod(
            "cost_complexity_held_out_minimum_refit",
            "cost_complexity",
            "cost-complexity, held-out minimum, refitted",
            _HELD_OUT,
            _by_rows_held_out(CostComplexityPruner, refit="leaves"),
            by_default=False,
        ),
        StudyMethod(
            "cost_complexity_held_out_one_standard_error_refit",
            "cost_complexity",
            "cost-complexity, held-out one SE, refitted",
            _HELD_OUT,
            _by_rows_held_out(CostComplexityPruner, "one_standard_error", "leaves"),
            by_default=False,
        ),
        StudyMethod(
            "critical_value_held_out_refit",
            "critical_value",
            "critical-value, held-out, refitted",
            _HELD_OUT,
            _by_rows_held_out(CriticalValuePruner, refit="leaves"),
            by_default=False,
        ),
        StudyMethod(
            "error_based_raised",
            "error_based",
            "error-based, subtrees raised",
            _OWN,
            lambda means: ErrorBasedPruner(means.grower, subtree_raising=True, collapse=True),
            _CLASSES,
            by_default=False,
        ),
        StudyMethod(
            "hierarchical_shrinkage",
            "hierarchical_shrinkage",
            "hierarchical shrinkage by CV",
            _FOLDS,
            _over_grid("hierarchical_shrinkage", HierarchicalShrinker, "shrinkage"),
            grid=SHRINKAGE_GRID,
            check_candidate=lambda shrinkage: check_number("shrinkage", shrinkage, low=0),
            by_default=False,
        ),
    )
}
