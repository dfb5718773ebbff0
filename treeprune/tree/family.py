"""A grown tree with prunings of it, as cross-validation sees them: scored at every level, made real at one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from treeprune.path import PruningCuts, PruningPath
from treeprune.tree.curve import (
    Family,
    Floats,
    Scoring,
    additive_scores,
    from_statistics,
    is_additive,
    scores_by_level,
    scoring_name,
)
from treeprune.tree.cuts import cut_at, level_depths
from treeprune.tree.fitted import FittedTree, NodeStatistics, find_tree, replace_tree
from treeprune.tree.rebuild import materialise
from treeprune.tree.refit import refitted_fields
from treeprune.tree.row_loss import ROW_LOSSES, Changes, loss_at, loss_changes

F = TypeVar("F", PruningPath, PruningCuts)


@dataclass(frozen=True, eq=False)
class TreeFamily:
    """A model with one tree in it, and prunings of that tree.

    Attributes
    ----------
    grown : estimator
        A tree, or a Pipeline with one as its last step.
    tree : FittedTree
        The tree inside.
    levels : PruningPath or PruningCuts
    statistics : NodeStatistics or None
        Of the growing rows, where the method counted them.
    """

    grown: Any
    tree: FittedTree
    levels: Family
    statistics: NodeStatistics | None = None

    @classmethod
    def of_one(cls, model: Any) -> Self:
        """Take a model as it is for a family of one level."""
        tree = find_tree(model)
        return cls(model, tree, PruningCuts("none", "none", np.zeros(1), tree.structure.is_leaf[None]))

    def scores(self, X: Any, y: Any, weight: Any, scoring: Scoring) -> Floats:
        """Score every level on these rows, shape (n_levels,)."""
        return scores_by_level(self.tree, self.levels, X, y, scoring, weight, whole=self.grown)

    def training_scores(self, X: Any, y: Any, weight: Any, scoring: Scoring) -> Floats:
        """Score the growing rows at every level; off the tree, where it remembers enough of them."""
        name = scoring_name(self.tree.is_classifier, scoring)
        if not callable(scoring) and is_additive(self.tree, name) and self.tree.remembers_rows:
            return additive_scores(self.tree, self.levels, self.tree.own_statistics, name)
        return self.scores(X, y, weight, scoring)

    def row_losses(self, X: Any, y: Any, scoring: Scoring) -> tuple[Floats, Changes] | None:
        """Loss of each row at level 0, and where along a path it changes; None if the score is no mean over rows."""
        name = scoring_name(self.tree.is_classifier, scoring)
        if callable(scoring) or name not in ROW_LOSSES or not is_additive(self.tree, name):
            return None
        leaf, target = self.tree.apply(X), self.tree.encode_known(y)
        if isinstance(self.levels, PruningPath):
            return loss_changes(self.tree, self.levels, name, leaf, target)
        none = np.empty(0, dtype=np.intp)
        return loss_at(self.tree, name, leaf, target), (none, none, np.empty(0), np.empty(0))

    def computed_from(self, scoring: Scoring) -> str:
        """Say how scores come about, as `GeneralizationCurve` has it."""
        name = scoring_name(self.tree.is_classifier, scoring)
        return "statistics" if from_statistics(self.tree, name, scoring) else "predictions"

    def pruned_at(self, level: int, refitted: tuple[Any, Any] | None = None) -> Any:
        """Return the model pruned at a level of its path.

        Parameters
        ----------
        level : int
        refitted : pair of row tables (X, y, weight), optional
            The growing rows and those held out, to set all values of the nodes anew.
        """
        assert isinstance(self.levels, PruningPath)
        fields: dict[str, NDArray[Any]] = {}
        if refitted is not None:
            fields = refitted_fields(self.tree, *(self.tree.count(*rows) for rows in refitted))
        cut = cut_at(self.tree.structure, self.levels.removed_at, level)
        return replace_tree(self.grown, materialise(self.tree.estimator, self.tree.structure, cut, **fields))


def with_models(levels: F, model: Any, tree: FittedTree) -> F:
    """Return a path, or cuts, that knows the model it is of, so that ``at`` gives pruned ones."""
    tree.check_values()
    structure = tree.structure
    if isinstance(levels, PruningPath):
        depth = level_depths(structure, levels.removed_at)
    else:
        depth = np.array([structure.depth[cut].max() for cut in levels.cuts], dtype=np.intp)
    return replace(levels, depth=depth, model_at=partial(_pruned_at, model, levels))


def _pruned_at(model: Any, levels: Family, level: int) -> Any:
    tree = find_tree(model)
    cut = levels.cuts[level] if isinstance(levels, PruningCuts) else cut_at(tree.structure, levels.removed_at, level)
    return replace_tree(model, materialise(tree.estimator, tree.structure, cut))
