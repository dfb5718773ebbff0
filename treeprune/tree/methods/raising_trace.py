"""What subtree raising did to each split of a grown tree, as a table and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.tree.methods.subtree_raising import RaisedTree
from treeprune.tree.structure import TreeStructure
from treeprune.tree.trace import GLOBALLY, GONE, KEPT, MOVED, PRUNED, REPLACED

if TYPE_CHECKING:
    from pandas import DataFrame

AS_LEAF = "errors expected as a leaf"
WENT_GLOBALLY = (
    "was pruned in the global phase: it was among the weakest links, and all extra training errors fit in one "
    "standard error"
)
AS_BRANCHES = "errors expected of its branch, or of its larger branch with all rows, + {:.6g}"


def raised_trace_table(structure: TreeStructure, raised: RaisedTree, slack: float, n_rows: NDArray[Any]) -> DataFrame:
    """Table the inner nodes of a grown tree after subtree raising, in the order in which places were asked.

    Returns
    -------
    DataFrame
        As `trace_table` does, with the two numbers of which the smaller one is on the right: of the subtree and of
        its larger branch. Decisions are also "replaced" (the larger branch took the node's place) and "moved" (the
        node's test is at the place ``pruned_by``). What is compared is what was asked of the test last.
    """
    from pandas import DataFrame

    inner = np.concatenate([np.atleast_1d(t) for t, _, _ in structure.upward()] or [np.zeros(0)]).astype(np.intp)
    decision, by = _after_raising(structure, raised)
    right = np.fmin(raised.as_tree, raised.as_branch) + slack
    table = DataFrame(
        {
            "node": inner,
            "depth": structure.depth[inner],
            "rows": n_rows[inner],
            "left": raised.as_leaf[inner],
            "right": right[inner],
            "branch": raised.as_tree[inner],
            "larger_branch": raised.as_branch[inner],
            "tie": np.isclose(raised.as_leaf, right, rtol=1e-12, atol=0)[inner],
            "decision": decision[inner],
            "pruned_by": by[inner],
        }
    )
    table.attrs.update(left=AS_LEAF, right=AS_BRANCHES.format(slack), ties="prune", order="bottom-up")
    return table


def raised_explanation(structure: TreeStructure, raised: RaisedTree, slack: float, node: int) -> str:
    """Say in a sentence what subtree raising did to a node of the grown tree."""
    decision, by = _after_raising(structure, raised)
    what, place = decision[node], by[node]
    if structure.is_leaf[node]:
        where = "is still one" if node in raised.place else f"went with node {place}"
        return f"Node {node} was a leaf of the grown tree and {where}."
    if what == GLOBALLY:
        return f"Node {node} {WENT_GLOBALLY}."
    leaf, tree, branch = raised.as_leaf[node], raised.as_tree[node], raised.as_branch[node]
    if what == GONE:
        return f"Node {node} went with node {place}, which was {decision[place]}."
    if what == REPLACED:
        return (
            f"Node {node} was replaced by its larger branch: errors expected of that with all rows {branch:.6g} are "
            f"not above those of both branches {tree:.6g} + {slack:.6g}, and as a leaf they would be {leaf:.6g}."
        )
    moved = f" at the place of node {place}" if what == MOVED else ""
    sign = "is above" if what != PRUNED else "is not above"
    return (
        f"Node {node} was {PRUNED if what == PRUNED else KEPT}{moved}: {AS_LEAF} {leaf:.6g} {sign} the smaller one of "
        f"its branch {tree:.6g} and its larger branch with all rows {branch:.6g} + {slack:.6g}."
    )


def _after_raising(structure: TreeStructure, raised: RaisedTree) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """What became of each node, and of which place that is: its own, where its test is, or what it went with."""
    is_left = np.zeros(structure.n_nodes, dtype=bool)
    is_left[raised.place] = True
    split = raised.children_left >= 0
    now_at = np.full(structure.n_nodes, -1)
    now_at[raised.origin[split]] = raised.place[split]
    nearest = np.where(is_left, np.arange(structure.n_nodes), -1)
    for t, left, right in structure.downward():
        for child in (left, right):
            nearest[child] = np.where(is_left[child], nearest[child], nearest[t])
    itself = np.arange(structure.n_nodes)
    decided_here = is_left & (raised.asked_at == itself)
    leaf_now = np.zeros(structure.n_nodes, dtype=bool)  # tests that went last, at whatever place they were
    leaf_now[raised.origin[~split]] = True
    globally = leaf_now & (raised.verdict == GLOBALLY)
    decided = globally | (decided_here & ~np.isin(raised.verdict, (KEPT, GLOBALLY)))
    decision = np.select([now_at == itself, now_at >= 0, decided], [KEPT, MOVED, raised.verdict], GONE)
    return decision, np.where(decision == KEPT, -1, np.where(decision == MOVED, now_at, nearest))
