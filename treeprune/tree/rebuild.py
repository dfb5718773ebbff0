"""From a cut to a real scikit-learn tree.

The only file that knows the state of scikit-learn's ``Tree``: four keys, one of them a record
array of nodes, the same in every release since 1.3.  It is read and written through the methods
that pickle uses, so no private name is imported.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.tree.structure import LEAF, TreeStructure

UNDEFINED = -2  # scikit-learn's feature and threshold at leaves


def materialise(estimator: Any, structure: TreeStructure, cut: NDArray[np.bool_], **fields: NDArray[Any]) -> Any:
    """Build the pruned tree of a cut as an estimator of the same class.

    Parameters
    ----------
    estimator : fitted scikit-learn tree
        Not changed, and nothing of it is shared by the result.
    structure : TreeStructure
        Of the same tree.
    cut : ndarray of bool, shape (n_nodes,)
        The nodes that become leaves.
    **fields : ndarray, shape (n_nodes, ...)
        New ``value``, ``impurity``, ``n_node_samples`` or ``weighted_n_node_samples``, over the
        nodes of the grown tree; what is not given is kept.

    Returns
    -------
    estimator
        Compact: only nodes on or above the cut, in the order of their ids.
    """
    kept = _on_or_above(structure, cut)
    new_id = np.cumsum(kept) - 1
    inner = kept & ~cut
    left = np.where(inner, new_id[structure.children_left], LEAF)[kept]
    right = np.where(inner, new_id[structure.children_right], LEAF)[kept]
    depth = int(structure.depth[kept].max())
    return rebuild(estimator, np.flatnonzero(kept), left, right, depth, **{k: v[kept] for k, v in fields.items()})


def rebuild(
    estimator: Any,
    kept: NDArray[np.intp],
    children_left: NDArray[np.intp],
    children_right: NDArray[np.intp],
    max_depth: int,
    **fields: NDArray[Any],
) -> Any:
    """Build an estimator from chosen nodes of a fitted one and new links between them.

    Parameters
    ----------
    estimator : fitted scikit-learn tree
    kept : ndarray of int, shape (n_kept,)
        Ids in the fitted tree, the root first.
    children_left, children_right : ndarray of int, shape (n_kept,)
        Positions in `kept`, -1 at leaves.
    max_depth : int
        Depth of the new tree.
    **fields : ndarray, shape (n_kept, ...)
        As in `materialise`.
    """
    tree_class, arguments, state = estimator.tree_.__reduce__()
    nodes, value = state["nodes"][kept], state["values"][kept]
    nodes["left_child"], nodes["right_child"] = children_left, children_right
    leaf = children_left == LEAF
    nodes["feature"][leaf] = nodes["threshold"][leaf] = UNDEFINED
    nodes["missing_go_to_left"][leaf] = 0
    value = fields.pop("value", value).reshape(value.shape)
    for name, column in fields.items():
        nodes[name] = column
    tree = tree_class(*arguments)
    tree.__setstate__({**state, "max_depth": max_depth, "node_count": len(kept), "nodes": nodes, "values": value})
    rebuilt = copy.copy(estimator)
    rebuilt.__dict__ = {k: tree if k == "tree_" else copy.deepcopy(v) for k, v in vars(estimator).items()}
    return rebuilt


def _on_or_above(structure: TreeStructure, cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    kept = np.zeros(structure.n_nodes, dtype=bool)
    kept[0] = True
    for t, left, right in structure.downward():
        kept[left] = kept[right] = kept[t] & ~cut[t]
    return kept
