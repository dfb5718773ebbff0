"""What is read out of a fitted LightGBM or XGBoost model: its trees, and how they add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from scipy.special import expit

from treeprune.tree.cuts import check_cut, covering
from treeprune.tree.structure import TreeStructure

Floats = NDArray[np.float64]
Cut = NDArray[np.bool_]

NUMBERS = ("regression", "reg:squarederror")
ADDS_UP = 1e-4  # LightGBM gives six digits, and G may be a small rest of large numbers
TWO_CLASSES = ("binary", "binary:logistic")


@dataclass(frozen=True, eq=False)
class BoosterTree:
    """One tree of a LightGBM or XGBoost model.

    Attributes
    ----------
    structure : TreeStructure
        With tests that `TreeStructure.route` answers as the library does, for rows of float64 or float32.
    value : ndarray of float, shape (n_nodes,)
        What each node adds to the raw score as a leaf. At inner nodes it is the value that the library gave the
        node while it was a leaf, times the learning rate, as at leaves.
    cover : ndarray of float, shape (n_nodes,)
        Sum of hessians of the growing rows, for squared error their number; NaN where it was not stored.
    gain : ndarray of float, shape (n_nodes,)
        What the split won, in the unit of XGBoost's ``gamma`` and LightGBM's ``min_split_gain``; 0 at leaves.
    output : int
        Which raw score it adds to: 0, or the class of several.
    """

    structure: TreeStructure
    value: Floats
    cover: Floats
    gain: Floats
    output: int = 0

    @property
    def grown(self) -> Cut:
        """The cut that prunes nothing."""
        return self.structure.is_leaf

    def adds_up(self, penalty: float, started: bool) -> bool:
        """Tell whether every inner node has the value that follows from its children.

        Without other limits a value is b - G / (H + penalty), of sums G over the rows. So value (H + penalty) of a
        node, less that of its two children, is -b penalty: 0, or, if the start b is in the values, the same everywhere.

        Parameters
        ----------
        penalty : float
            L2, on the values.
        started : bool
            Whether the values may hold a start.
        """
        structure, t = self.structure, self.structure.inner
        if not len(t):
            return True
        mass = self.value * (self.cover + penalty)
        left, right = mass[structure.children_left[t]], mass[structure.children_right[t]]
        rest, size = mass[t] - left - right, np.abs(left) + np.abs(right)
        common = np.median(rest) if started and penalty else 0.0
        return bool((np.abs(rest - common) <= ADDS_UP * (size + size.mean())).all())


@dataclass(frozen=True, eq=False)
class Boosted:
    """The trees of one model and how they make its raw scores.

    Attributes
    ----------
    trees : tuple of BoosterTree
    base : ndarray of float, shape (n_outputs,)
        The raw scores without any tree.
    n_rounds : int
        Rounds of boosting: what was fitted to what others had left over.
    n_features : int
    objective : str
        As the library names it.
    names : tuple of str, default=()
        Of the features, where the model was fitted on a table with names.
    averaged : bool, default=False
        Whether raw scores are means over the trees of an output, not sums.
    slope : float, default=1
        LightGBM's ``sigmoid``: what the raw score is multiplied by before it becomes a probability.
    """

    trees: tuple[BoosterTree, ...]
    base: Floats
    n_rounds: int
    n_features: int
    objective: str
    names: tuple[str, ...] = ()
    averaged: bool = False
    slope: float = 1.0

    @property
    def is_forest(self) -> bool:
        """Whether no tree was fitted to what others had left over."""
        return self.averaged or self.n_rounds == 1

    def rows(self, X: Any) -> Floats:
        """Return X as numbers, or say what is wrong with it."""
        if issparse(X):
            raise TypeError("X is sparse: the libraries disagree on what is missing there, give X.toarray()")
        rows = np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.n_features:
            raise ValueError(f"X has shape {rows.shape}: the model was fitted with {self.n_features} columns")
        if not len(rows):
            raise ValueError("X has no rows: give one at least")
        given = [_as_lightgbm_has_it(column) for column in getattr(X, "columns", ())]
        if given and self.names and given != [_as_lightgbm_has_it(name) for name in self.names]:
            raise ValueError(f"X has the columns {given[:9]}, the model was fitted with {list(self.names)[:9]}")
        return rows

    def check_cuts(self, cuts: Sequence[Any]) -> list[Cut]:
        """Return one cut a tree, or say what is wrong."""
        if len(cuts) != len(self.trees):
            raise ValueError(f"got {len(cuts)} cuts for {len(self.trees)} trees: give one a tree, in their order")
        return [check_cut(tree.structure, cut) for tree, cut in zip(self.trees, cuts, strict=True)]

    def raw(self, X: Any, cuts: Sequence[Any] | None = None) -> Floats:
        """Return the raw scores of the trees cut so, shape (n_rows, n_outputs)."""
        rows = self.rows(X)
        cuts = [tree.grown for tree in self.trees] if cuts is None else self.check_cuts(cuts)
        total = np.zeros((len(rows), len(self.base)))
        for tree, cut in zip(self.trees, cuts, strict=True):
            leaf = covering(tree.structure, cut)[tree.structure.route(rows)]
            total[:, tree.output] += tree.value[leaf]
        return self.base + (total / self.n_rounds if self.averaged else total)

    def alone(self, tree: BoosterTree) -> Floats:
        """Return what each node of a tree would predict if its tree were the model, shape (n_nodes,).

        A mean or a sum over the trees of a forest is that of one tree if all are this one.
        """
        n_like_it = 1 if self.averaged else len(self.trees)
        raw = self.base[tree.output] + n_like_it * tree.value
        return expit(self.slope * raw) if self.is_classifier else raw

    @property
    def is_classifier(self) -> bool:
        """Whether probabilities of two classes are predicted; an error if it is neither that nor a number."""
        if self.objective not in NUMBERS + TWO_CLASSES:
            raise ValueError(
                f"the model's objective is {self.objective!r}: held-out rows judge a tree by squared error, for "
                f"{' and '.join(map(repr, NUMBERS + TWO_CLASSES))}; without rows there are the methods "
                "'cost_complexity' and 'max_depth', for every objective"
            )
        return self.objective in TWO_CLASSES


def _as_lightgbm_has_it(name: Any) -> str:
    return str(name).replace(" ", "_")
