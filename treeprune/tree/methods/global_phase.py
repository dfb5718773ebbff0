"""The global phase of C5.0: after error-based pruning the weakest links go, while the tree as a whole hardly errs more.

Error-based pruning looks at one branch at a time.  C5.0 then looks at the tree as a whole: the branches that cost
least, training errors for each leaf saved, are pruned as long as all the extra errors stay within one standard error
of the errors there were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.tree.cuts import TIE, check_cut, covering, cut_at, node_numbers, path_sums
from treeprune.tree.methods.cost_complexity import cost_complexity_path
from treeprune.tree.methods.subtree_raising import RaisedTree
from treeprune.tree.structure import LEAF, TreeStructure
from treeprune.tree.trace import GLOBALLY

Floats = NDArray[np.float64]


def global_phase_cut(
    structure: TreeStructure, errors: ArrayLike, n_rows: ArrayLike, cut: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Prune the weakest links of a pruned tree while the extra training errors fit in one standard error.

    Of E errors on N rows the standard error is ``sqrt(E (1 - E / N))``. Links that are equally weak go together, or,
    where that is too much, stay together.

    Parameters
    ----------
    structure : TreeStructure
    errors : array-like of float, shape (n_nodes,)
        Training errors of each node as a leaf.
    n_rows : array-like of float, shape (n_nodes,)
        Training rows at each node.
    cut : array-like of bool, shape (n_nodes,), optional
        The leaves there are; by default those of the grown tree.

    Returns
    -------
    ndarray of bool, shape (n_nodes,)
        The cut, nowhere below the one given.

    References
    ----------
    Quinlan's C5.0. Its documentation speaks of pruning "globally"; the two steps above are how it is described, its
    code was not compared.

    Examples
    --------
    Ten errors on a hundred rows may become thirteen:

    >>> from treeprune import TreeStructure, global_phase_cut
    >>> tree = TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    >>> global_phase_cut(tree, errors=[30, 5, 7, 2, 3], n_rows=[100, 60, 40, 20, 20])
    array([False,  True,  True, False, False])
    """
    e, n = (node_numbers(structure, *given, low=0) for given in ((errors, "errors"), (n_rows, "n_rows")))
    if (e > n * (1 + 1e-9)).any():
        raise ValueError(f"errors are more than n_rows at node {int(np.argmax(e - n))}: an error is one of the rows")
    before = structure.is_leaf if cut is None else check_cut(structure, cut)
    kept = np.flatnonzero((covering(structure, before) < 0) | before)
    number = np.full(structure.n_nodes, LEAF)
    number[kept] = np.arange(len(kept))
    sides = (np.where(before, LEAF, number[side]) for side in (structure.children_left, structure.children_right))
    small = TreeStructure(*(side[kept] for side in sides))
    path = cost_complexity_path(small, e[kept])
    total = path_sums(small, path.removed_at, e[kept])
    allowed = np.sqrt(max(total[0] * (1 - total[0] / n[0]), 0.0)) if n[0] > 0 else 0.0
    level = int(np.flatnonzero(total - total[0] <= allowed + TIE * max(e[0], 1.0))[-1])
    after = np.zeros(structure.n_nodes, dtype=bool)
    after[kept[cut_at(small, path.removed_at, level)]] = True
    return after


def globally_pruned(raised: RaisedTree) -> RaisedTree:
    """Do as `global_phase_cut` with a tree whose subtrees were raised."""
    structure = TreeStructure(raised.children_left, raised.children_right)
    n = raised.counts.sum(axis=1)
    cut = global_phase_cut(structure, n - raised.counts.max(axis=1), n)
    kept = np.flatnonzero((covering(structure, cut) < 0) | cut)
    number = np.full(len(raised.place), LEAF)
    number[kept] = np.arange(len(kept))
    verdict = raised.verdict.copy()
    verdict[raised.origin[cut & ~structure.is_leaf]] = GLOBALLY
    sides: dict[str, Any] = {
        name: np.where(cut, LEAF, number[getattr(raised, name)])[kept] for name in ("children_left", "children_right")
    }
    for name in ("place", "origin", "counts", "n_rows"):
        sides[name] = getattr(raised, name)[kept]
    return replace(raised, verdict=verdict, **sides)
