"""A figure of a grown tree with the parts that were pruned faded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from treeprune.tree.fitted import find_tree
from treeprune.tree.structure import TreeStructure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEPT, GONE, LEAF = "#1b1f24", "#c9ccd1", "#0072B2"
READABLE = 16  # leaves up to which the rules of the splits stand beside them


class CutDisplay:
    """A grown tree, what is left of it, and what went.

    Parameters
    ----------
    structure : TreeStructure
        Of the grown tree.
    cut : ndarray of bool, shape (n_nodes,)
        The nodes that became leaves.
    rules : sequence of str, optional
        What to write beside the splits that are left; nothing by default.
    title : str, default=""
    left : ndarray of bool, shape (n_nodes,), optional
        The nodes that are left. By default those on and above the cut; after subtree raising there may be gaps.

    Attributes
    ----------
    ax_, figure_
        What was drawn on, after `plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import CutDisplay, ErrorBasedPruner
    >>> pruner = ErrorBasedPruner(confidence=0.1).fit(*load_breast_cancer(return_X_y=True))
    >>> display = CutDisplay.from_pruner(pruner)
    >>> display.ax_.get_title(loc="left")
    'error_based: 13 of 22 leaves'
    """

    def __init__(
        self,
        structure: TreeStructure,
        cut: NDArray[np.bool_],
        rules: Any = None,
        title: str = "",
        left: NDArray[np.bool_] | None = None,
    ) -> None:
        self.structure = structure
        self.cut = cut
        self.rules = rules
        self.title = title
        self.left = left

    @classmethod
    def from_pruner(cls, pruner: Any, *, feature_names: Any = None, ax: Axes | None = None) -> Self:
        """Draw what a fitted pruner did.

        Parameters
        ----------
        pruner : fitted pruner
            Any, with subtree raising too.
        feature_names : sequence of str, optional
            Those that the tree knows by default.
        ax : matplotlib Axes, optional
        """
        from sklearn.utils.validation import check_is_fitted

        if not hasattr(pruner, "trace"):
            raise TypeError(
                f"pruner is a {type(pruner).__name__}: a fitted pruner of treeprune is expected, which knows the tree "
                "that it pruned. For a tree and a cut of your own, CutDisplay(structure, cut).plot()"
            )
        check_is_fitted(pruner)
        tree = find_tree(pruner.grown_)
        names = getattr(tree.estimator, "feature_names_in_", None) if feature_names is None else feature_names
        names = [f"x[{j}]" for j in range(tree.estimator.n_features_in_)] if names is None else list(names)
        if len(names) != tree.estimator.n_features_in_:
            raise ValueError(f"feature_names are {len(names)}, and the tree has {tree.estimator.n_features_in_}")
        fitted = tree.estimator.tree_
        rules = [
            "" if f < 0 else f"{names[f]} ≤ {t:.3g}" for f, t in zip(fitted.feature, fitted.threshold, strict=True)
        ]
        title = f"{pruner.method}: {pruner.n_leaves_} of {tree.structure.n_leaves} leaves"
        raised = getattr(pruner, "raised_", None)
        if raised is None:
            return cls(tree.structure, pruner.cut_, rules, title).plot(ax)
        cut, left = np.zeros((2, tree.structure.n_nodes), dtype=bool)
        left[raised.origin], cut[raised.origin[raised.children_left < 0]] = True, True
        return cls(tree.structure, cut, rules, f"{title}, with raising", left).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw: what is left dark, what went pale, leaves of the pruned tree as squares.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default, as wide as the tree needs.
        """
        x, y = places(self.structure)
        if ax is None:
            import matplotlib.pyplot as plt

            size = min(18.0, 3.0 + 0.34 * self.structure.n_leaves), 1.6 + 0.62 * float(-y.min())
            ax = plt.subplots(figsize=size, layout="constrained")[1]
        left = _left(self.structure, self.cut) if self.left is None else self.left
        self._draw_links(ax, x, y, left)
        looks: list[tuple[Any, dict[str, Any]]] = [
            (left & ~self.cut, {"color": KEPT, "marker": "o", "s": 26, "zorder": 3, "label": "split"}),
            (self.cut, {"color": LEAF, "marker": "s", "s": 34, "zorder": 3, "label": "leaf"}),
            (~left, {"color": GONE, "marker": "o", "s": 12, "zorder": 2, "label": "gone"}),
        ]
        for nodes, style in looks:
            if nodes.any():
                ax.scatter(x[nodes], y[nodes], **style)
        self._write_rules(ax, x, y, left)
        self._label(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_links(self, ax: Axes, x: Any, y: Any, left: NDArray[np.bool_]) -> None:
        from matplotlib.collections import LineCollection

        child = np.arange(1, self.structure.n_nodes) if self.structure.n_nodes > 1 else np.zeros(0, dtype=np.intp)
        child = child[self.structure.parent[child] >= 0]
        parent = self.structure.parent[child]
        dark = left[child] & left[parent]
        for which, color, width in ((~dark, GONE, 0.8), (dark, KEPT, 1.4)):
            ends = [((x[p], y[p]), (x[c], y[c])) for p, c in zip(parent[which], child[which], strict=True)]
            ax.add_collection(LineCollection(ends, colors=color, linewidths=width, zorder=1))

    def _write_rules(self, ax: Axes, x: Any, y: Any, left: NDArray[np.bool_]) -> None:
        if self.rules is None or self.cut.sum() > READABLE:
            return
        for t in np.flatnonzero(left & ~self.cut):
            # neighbours of one depth stand at different heights, so that their rules do not meet
            peers = np.flatnonzero(left & ~self.cut & (y == y[t]))
            up = 6 + 9 * (np.searchsorted(np.sort(x[peers]), x[t]) % 3)
            box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
            look: dict[str, Any] = {"ha": "center", "fontsize": 8, "bbox": box, "parse_math": False}  # names have $
            ax.annotate(self.rules[t], (x[t], y[t]), (0, up), textcoords="offset points", **look)

    def _label(self, ax: Axes) -> None:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8, handletextpad=0.1)
        ax.set_title(self.title, loc="left", fontsize=10, parse_math=False)
        ax.set_ylabel("depth")
        deepest = int(self.structure.depth.max())
        step = max(1, deepest // 8)
        ax.set_yticks([-d for d in range(0, deepest + 1, step)], [str(d) for d in range(0, deepest + 1, step)])
        ax.set_xticks([])
        ax.spines[["top", "right", "bottom"]].set_visible(False)
        ax.margins(x=0.03, y=0.08)


def places(structure: TreeStructure) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where to draw each node: leaves side by side, the others above the middle of their children."""
    x = np.zeros(structure.n_nodes)
    width = structure.sum_up(structure.is_leaf).astype(np.float64)
    start = np.zeros(structure.n_nodes)
    for t, left, right in structure.downward():
        start[left], start[right] = start[t], start[t] + width[left]
    x[structure.is_leaf] = start[structure.is_leaf]
    for t, left, right in structure.upward():
        x[t] = (x[left] + x[right]) / 2
    return x, -structure.depth.astype(np.float64)


def _left(structure: TreeStructure, cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Nodes of the pruned tree."""
    left = np.zeros(structure.n_nodes, dtype=bool)
    left[0] = True
    for t, a, b in structure.downward():
        left[a] = left[b] = left[t] & ~cut[t]
    return left
