"""An overfitting laboratory: one question a file, one call, one table, one figure."""

from treeprune.diagnostics.answer import Answer, AnswerDisplay
from treeprune.diagnostics.bias_variance import bias_variance
from treeprune.diagnostics.double_descent import double_descent
from treeprune.diagnostics.error_budget import error_budget
from treeprune.diagnostics.frontier import size_frontier
from treeprune.diagnostics.holdout_size import holdout_size
from treeprune.diagnostics.label_noise import label_noise
from treeprune.diagnostics.learning_curve import learning_curve
from treeprune.diagnostics.optimism import optimism
from treeprune.diagnostics.stability import level_stability

__all__ = [
    "Answer",
    "AnswerDisplay",
    "bias_variance",
    "double_descent",
    "error_budget",
    "holdout_size",
    "label_noise",
    "learning_curve",
    "level_stability",
    "optimism",
    "size_frontier",
]
