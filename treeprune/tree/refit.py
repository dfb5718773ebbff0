"""Node values after more rows have been counted.

A holdout method grows its tree on some of the rows.  Once it has pruned, all rows may say what
the nodes that are left predict (backfitting, as Weka's REPTree does).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.tree.fitted import SQUARED_ERROR_CRITERIA, FittedTree, NodeStatistics

SUMMABLE_CRITERIA = (*SQUARED_ERROR_CRITERIA, "gini", "entropy", "log_loss")


def refitted_fields(
    tree: FittedTree, growing: NodeStatistics | None, held_out: NodeStatistics
) -> dict[str, NDArray[Any]]:
    """Return value, impurity and sample counts of every node as these rows have them.

    Parameters
    ----------
    tree : FittedTree
    growing : NodeStatistics or None
        Of the growing rows; None: as the fitted tree remembers them.
    held_out : NodeStatistics
        Of the rows that come in addition.

    Returns
    -------
    dict of ndarray, each of shape (n_nodes, ...)
        Fields for `materialise`.

    Raises
    ------
    ValueError
        For criteria whose values are no means of sums, and under monotone constraints, which
        new means could break.
    """
    criterion, constrained = tree.estimator.criterion, getattr(tree.estimator, "monotonic_cst", None)
    if criterion not in SUMMABLE_CRITERIA or constrained is not None:
        why = "monotone constraints" if constrained is not None else f"criterion={criterion!r}"
        raise ValueError(
            f"leaf values cannot be refitted from sums of rows under {why}: use refit_leaves=False (refit='none')"
        )
    statistics = (tree.own_statistics if growing is None else growing) + held_out
    weight = tree.rows(statistics)
    return {
        "value": _means(tree, statistics, weight),
        "impurity": np.divide(tree.impurity(statistics), weight, out=np.zeros(len(weight)), where=weight > 0),
        "n_node_samples": tree.structure.sum_up(statistics.leaf_rows),
        "weighted_n_node_samples": weight,
    }


def _means(tree: FittedTree, statistics: NodeStatistics, weight: NDArray[Any]) -> NDArray[np.float64]:
    """Means of the rows at each node; a node that none of them reaches keeps its value.

    Before scikit-learn 1.8 rows with missing values may have taken another way as the tree grew.
    """
    sums = statistics.sums if tree.is_classifier else tree.value[0] * weight[:, None] + statistics.sums[:, :, 1]
    weight = weight.reshape(-1, *[1] * (sums.ndim - 1))
    return np.divide(sums, weight, out=tree.value.astype(np.float64), where=np.broadcast_to(weight > 0, sums.shape))
