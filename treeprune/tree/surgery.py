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
    cut = topmost(tree.structure, _says_one_thing(tree.structure, _said(tree, preserve)))
    return replace_tree(fitted, materialise(tree.estimator, tree.structure, cut))


def _said(tree: FittedTree, preserve: str) -> NDArray[Any]:
    """What each node says, a row of numbers each."""
    if tree.is_classifier and preserve == "predict":
        return tree.label
    return tree.value.reshape(tree.structure.n_nodes, -1)


def _says_one_thing(structure: TreeStructure, said: NDArray[Any]) -> NDArray[np.bool_]:
    """Nodes below which all leaves say the same, as the node itself then does."""
    same, scale = structure.is_leaf.copy(), SAME * np.maximum(np.abs(said).max(axis=0), 1e-300)
    word = said.copy()
    for t, left, right in structure.upward():
        equal = (np.abs(word[left] - word[right]) <= scale).all(axis=-1)
        same[t] = same[left] & same[right] & equal
        word[t] = word[left]
    return same
