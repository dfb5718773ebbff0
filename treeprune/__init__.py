"""Prune any fitted scikit-learn tree, and see at every prune level where it stops generalising."""

from importlib import import_module
from typing import Any

from treeprune.chunks import chunk_statistics, dask_statistics, parquet_chunks
from treeprune.curve import GeneralizationCurve, LevelScores, join_curves
from treeprune.cut_display import CutDisplay
from treeprune.cv import PrunerCV
from treeprune.dispatch import prune, pruning_cuts, pruning_path
from treeprune.display import PruningCurveDisplay
from treeprune.path import PruningCuts, PruningPath
from treeprune.strength import strength_curve
from treeprune.systems import preset, presets
from treeprune.tree.curve import pruning_curve
from treeprune.tree.cuts import bottom_up, check_cut, cut_at, optimal_cut, path_sums, topmost
from treeprune.tree.methods.averaging import AveragingPruner, TreeAverager
from treeprune.tree.methods.cost_complexity import CostComplexityPruner, cost_complexity_path
from treeprune.tree.methods.critical_value import CriticalValuePruner, critical_value_path
from treeprune.tree.methods.description_length import (
    DescriptionLengthPruner,
    description_length_cut,
    leaf_bits,
)
from treeprune.tree.methods.error_based import (
    ErrorBasedPruner,
    error_based_cut,
    error_based_raising,
)
from treeprune.tree.methods.error_limits import added_errors
from treeprune.tree.methods.global_phase import global_phase_cut
from treeprune.tree.methods.growth_limits import (
    MinImpurityDecreasePruner,
    MinSamplesSplitPruner,
    growth_limit_path,
)
from treeprune.tree.methods.kearns_mansour import KearnsMansourPruner, kearns_mansour_cut
from treeprune.tree.methods.max_depth import MaxDepthPruner, max_depth_path
from treeprune.tree.methods.max_leaf_nodes import MaxLeafNodesPruner, max_leaf_nodes_path
from treeprune.tree.methods.minimum_error import (
    MinimumErrorPruner,
    minimum_error_cut,
    minimum_squared_error_cut,
)
from treeprune.tree.methods.optimal import OptimalPruner, optimal_cut_of_size, optimal_cuts
from treeprune.tree.methods.pessimistic_error import PessimisticErrorPruner, pessimistic_error_cut
from treeprune.tree.methods.reduced_error import ReducedErrorPruner, reduced_error_cut
from treeprune.tree.methods.significance import (
    SignificancePruner,
    significance_cut,
    split_p_values,
    variance_p_values,
)
from treeprune.tree.risk import MisclassificationCost, prior_weight
from treeprune.tree.shrinkage import HierarchicalShrinker, shrunken_values
from treeprune.tree.statistics import class_counts, target_moments
from treeprune.tree.stopping import (
    averaged_values,
    class_evidence,
    map_cut,
    mixture_evidence,
    normal_evidence,
    stopping_posterior,
)
from treeprune.tree.structure import TreeStructure
from treeprune.tree.surgery import simplify


def __getattr__(name: str) -> Any:
    """Import networks when they are asked for: scikit-learn's take longer to import than its trees."""
    if name == "neural":
        return import_module("treeprune.neural")
    if name in ("NeuronPruner", "WeightPruner"):
        return getattr(import_module(f"treeprune.neural.{name.removesuffix('Pruner').lower()}_pruner"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
