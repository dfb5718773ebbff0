"""Why each split of a grown tree was kept or went, as a table and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.path import PruningPath
from treeprune.tree.cuts import covering, path_sums
from treeprune.tree.sides import Sides
from treeprune.tree.structure import TreeStructure

if TYPE_CHECKING:
    from pandas import DataFrame

KEPT, PRUNED, GONE = "kept", "pruned", "gone"
REPLACED, MOVED = "replaced", "moved"  # by subtree raising
GLOBALLY = "globally"  # pruned in the global phase of C5.0


def trace_table(
    structure: TreeStructure, sides: Sides, cut: NDArray[np.bool_], n_rows: NDArray[Any], level: Any = None
) -> DataFrame:
    """Table the inner nodes of a grown tree in the order in which they were asked.

    Parameters
    ----------
    structure : TreeStructure
    sides : Sides
    cut : ndarray of bool, shape (n_nodes,)
    n_rows : ndarray, shape (n_nodes,)
    level : ndarray of int, shape (n_nodes,), optional
        Of a path: the level at which each node goes, for ``order="weakest first"``.

    Returns
    -------
    DataFrame
        node, depth, rows, left, right (what was compared, in ``attrs`` what it is), tie, decision ("kept",
        "pruned", or "gone" with a node above), pruned_by (the node that became the leaf; -1 if kept).
    """
    from pandas import DataFrame

    inner = _asked(structure, sides, level)
    above = _above(structure, cut)
    decision = np.where(above, KEPT, np.where(cut, PRUNED, GONE))[inner]
    by = covering(structure, cut)
    table = DataFrame(
        {
            "node": inner,
            "depth": structure.depth[inner],
            "rows": n_rows[inner],
            "left": sides.left[inner],
            "right": sides.right[inner],
            "tie": sides.tied()[inner],
            "decision": decision,
            "pruned_by": np.where(above[inner], -1, by[inner]),
        }
    )
    table.attrs.update(left=sides.left_says, right=sides.right_says, ties=sides.ties, order=sides.order)
    return table


def trace_as_text(table: DataFrame, max_rows: int) -> str:
    """Write a trace as aligned text, under the words of both sides, the order and what ties do.

    Parameters
    ----------
    table : DataFrame
        Of `trace_table`, or of subtree raising.
    max_rows : int
        A last line says how many more there are.
    """
    ties = "go" if table.attrs["ties"] == "prune" else "stay"
    says = [
        f"left: {table.attrs['left']}",
        f"right: {table.attrs['right']}",
        f"asked {table.attrs['order']}, ties {ties}",
    ]
    marked = table.assign(
        tie=np.where(table["tie"], "tie", ""),
        pruned_by=np.where(table["pruned_by"] < 0, "", table["pruned_by"].astype(str)),
    )
    return "\n".join([*says, *_lines(marked, max_rows, "nodes")])


def levels_as_text(
    structure: TreeStructure, path: PruningPath, errors: NDArray[np.float64], n_leaves: int, max_rows: int
) -> str:
    """Write the levels of a path as aligned text, from the root to the grown tree, as rpart's printcp does.

    Parameters
    ----------
    structure : TreeStructure
    path : PruningPath
    errors : ndarray of float, shape (n_nodes,)
        What each node would miss as a leaf; shown relative to the root's.
    n_leaves : int
        Size of the level chosen, which is marked: no two levels have the same.
    max_rows : int
        The level chosen is shown in any case; a last line says how many more there are.
    """
    from pandas import DataFrame

    # a root without errors has nothing to be relative to
    relative = path_sums(structure, path.removed_at, errors) / (errors[0] if errors[0] > 0 else 1.0)
    columns = {
        "level": np.arange(path.n_levels),
        path.parameter: path.price,
        "n_leaves": path.n_leaves,
        "rel error": relative,
        "": np.where(path.n_leaves == n_leaves, "chosen", ""),
    }
    table = DataFrame(columns)[::-1]
    return "\n".join(_lines(table, max_rows, "levels", always=table[""].to_numpy() != ""))


def _lines(table: DataFrame, max_rows: int, what: str, always: Any = False) -> list[str]:
    """Lines of a table, cut off after so many rows but for those that are always shown."""
    shown = table[(np.arange(len(table)) < max_rows) | always]
    text = shown.to_string(index=False, float_format="{:.6g}".format)
    lines = [line.rstrip() for line in text.splitlines()] if len(table) else [f"no {what}"]
    left_out = len(table) - len(shown)
    return [*lines, f"... and {left_out} more {what}"] if left_out > 0 else lines


def explanation(structure: TreeStructure, sides: Sides, cut: NDArray[np.bool_], node: int) -> str:
    """Say in a sentence why a node of the grown tree was kept, pruned, or went with another."""
    if structure.is_leaf[node]:
        where = "is still one" if cut[node] else f"went with node {_by(structure, cut, node)}, which became a leaf"
        return f"Node {node} was a leaf of the grown tree and {where}."
    if _above(structure, cut)[node]:
        return f"Node {node} was kept: {_why_kept(sides, node)}."
    if cut[node]:
        return f"Node {node} was pruned: {_compared(sides, node)}."
    top = _by(structure, cut, node)
    return f"Node {node} went with node {top}, which was pruned: {_compared(sides, top)}."


def _why_kept(sides: Sides, node: int) -> str:
    if sides.says_prune()[node]:  # the comparison is not all there is to it
        return f"{_compared(sides, node)}, but a split below it stayed, or the size was to be reached otherwise"
    return _compared(sides, node)


def _compared(sides: Sides, node: int) -> str:
    left, right = sides.left[node], sides.right[node]
    sign = "equals" if sides.tied()[node] else "is below" if left < right else "is above"
    ties = f" (ties {'go' if sides.ties == 'prune' else 'stay'})" if sides.tied()[node] else ""
    return f"{sides.left_says} {left:.6g} {sign} {sides.right_says} {right:.6g}{ties}"


def _asked(structure: TreeStructure, sides: Sides, level: Any) -> NDArray[np.intp]:
    """Inner nodes in the order in which the method asks them."""
    steps = structure.downward() if sides.order == "top-down" else structure.upward()
    asked = [np.atleast_1d(t) for t, _, _ in steps]
    inner = np.concatenate(asked) if asked else np.zeros(0, dtype=np.intp)
    if sides.order == "weakest first" and level is not None:
        inner = inner[np.argsort(level[inner], kind="stable")]
    return inner.astype(np.intp)


def _above(structure: TreeStructure, cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Nodes that are still split."""
    above = np.zeros(structure.n_nodes, dtype=bool)
    above[0] = not cut[0]
    for t, left, right in structure.downward():
        above[left], above[right] = above[t] & ~cut[left], above[t] & ~cut[right]
    return above & ~structure.is_leaf


def _by(structure: TreeStructure, cut: NDArray[np.bool_], node: int) -> int:
    return int(covering(structure, cut)[node])
