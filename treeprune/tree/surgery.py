"""A fitted tree with fewer nodes that says the same."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treeprune.checks import check_choice
from treeprune.tree.cuts import topmost
from treeprune.tree.fitted import FittedTree, find_tree, replace_tree
from treeprune.tree.rebuild import materialise
from treeprune.tree.structure import TreeStructure

SAME = 1e-12  # relative difference of two values up to which they are one


def simplify(fitted: Any, preserve: Literal["predict", "proba"] = "predict") -> Any:
    """Return a fitted tree without the splits that change nothing it says.

    A split both of whose branches say one thing throughout becomes a leaf: on clean data a grown tree has
    many, since a split may part classes in shares and leave the larger one the same on either side.

    Parameters
    ----------
    fitted : tree, or Pipeline or search that ends in one
        Is not changed.
    preserve : {"predict", "proba"}, default="predict"
        What must stay the same, for every row there could be: ``predict``, or for classification
        ``predict_proba`` too. For regression both are the predicted numbers.

    Returns
    -------
    estimator
        Of the class of the input (of its best estimator, for a search).

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    >>> small = tp.simplify(tree)
    >>> int(tree.get_n_leaves()), int(small.get_n_leaves()), bool((small.predict(X) == tree.predict(X)).all())
    (5, 4, True)
    """
    check_choice("preserve", preserve, ("predict", "proba"))
    tree = find_tree(fitted)
    said = _said(tree, preserve)
    leaf = _first_leaf(tree.structure)
    cut = topmost(tree.structure, _says_one_thing(tree.structure, said, leaf))
    # a grown node says what its leaves say; one of a soft tree, or of boosting, need not
    differs = (said != said[leaf]).any(axis=1) & cut
    value = tree.estimator.tree_.value
    new = {"value": np.where(differs[:, None, None], value[leaf], value)} if differs.any() else {}
    return replace_tree(fitted, materialise(tree.estimator, tree.structure, cut, **new))


def _said(tree: FittedTree, preserve: str) -> NDArray[Any]:
    """What each node says, a row of numbers each."""
    if tree.is_classifier and preserve == "predict":
        return tree.label
    return tree.value.reshape(tree.structure.n_nodes, -1)


def _first_leaf(structure: TreeStructure) -> NDArray[np.intp]:
    """Return the leftmost leaf below each node."""
    leaf = np.arange(structure.n_nodes)
    for t, left, _ in structure.upward():
        leaf[t] = leaf[left]
    return leaf


def _says_one_thing(structure: TreeStructure, said: NDArray[Any], leaf: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Nodes below which all leaves say the same, as the first of them does."""
    same = structure.is_leaf.copy()
    for t, left, right in structure.upward():
        one, other = said[leaf[left]], said[leaf[right]]
        apart = np.abs(one - other) > SAME * np.maximum(np.abs(one), np.abs(other))
        same[t] = same[left] & same[right] & ~apart.any(axis=-1)
    return same
