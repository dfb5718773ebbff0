"""Which library a model is of, its trees, and a new model of the same kind with its trees cut."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from treeprune.adapters.boosters import lightgbm_text, xgboost_json
from treeprune.adapters.boosters.boosted import Boosted, BoosterTree, Cut, Floats

LIBRARIES = {"lightgbm": lightgbm_text, "xgboost": xgboost_json}


def read_trees(model: Any) -> list[BoosterTree]:
    """Read the trees of a fitted LightGBM or XGBoost model.

    Parameters
    ----------
    model : LGBMClassifier, LGBMRegressor, XGBClassifier, XGBRegressor, XGBRF*, or a Booster of either library
        Single trees, forests and boosted trees of constants. Of a model that stopped early, the trees that it
        predicts with; of an XGBoost Booster, all.

    Returns
    -------
    list of BoosterTree
        In the library's order: round by round, within a round class by class.

    Raises
    ------
    ValueError
        For categorical splits, linear leaves, dart, several targets, and what sets leaves anew after growing
        (absolute error, quantiles, ``refit``), for then the values of inner nodes are of another kind; for an XGBoost
        model read from a file, unless its learning rate fits its inner nodes.

    Notes
    -----
    The value of an inner node is what the library stores for it. Checked for both libraries, with several
    penalties, learning rates, objectives and ways to grow: the same fit with fewer leaves gives the leaf this value.
    LightGBM stores it with the learning rate in it, and in the first round with the start, to 6 digits; XGBoost
    (``base_weights``) without the rate, which is put in here, divided by the number of parallel trees, as
    its own pruning by ``gamma`` does. Values of inner nodes that do not fit the leaves below them, as after ``refit``
    of LightGBM, are refused; with an L1 penalty, ``max_delta_step``, monotone constraints, smoothing of paths or
    quantised gradients there is no way to tell.

    Examples
    --------
    >>> from lightgbm import LGBMRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LGBMRegressor(n_estimators=1, num_leaves=3, learning_rate=1, verbose=-1).fit(X, y)
    >>> tree = read_trees(model)[0]
    >>> tree.value.round(1)  # two inner nodes, then the leaves
    array([152.1, 195.2, 112.4, 166. , 229.9])
    """
    return list(read(model).trees)


def prune_booster(model: Any, cuts: Sequence[Any]) -> Any:
    """Write a model whose trees end at the cuts given.

    Parameters
    ----------
    model : fitted model of LightGBM or XGBoost
        As for `read_trees`. Never changed.
    cuts : sequence of ndarray of bool, one a tree, shape (n_nodes,)
        True at the nodes that shall be leaves, ``tree.grown`` to leave a tree as it is.

    Returns
    -------
    estimator or Booster, as given
        What it predicts are the sums of `raw_scores` with these cuts. An estimator keeps its parameters; what it
        remembers of fitting, such as the scores of an evaluation set, is still that of the model given.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from xgboost import XGBRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = XGBRegressor(n_estimators=5, max_depth=4).fit(X, y)
    >>> stumps = prune_booster(model, [tree.structure.depth == 1 for tree in read_trees(model)])
    >>> [tree.structure.n_leaves for tree in read_trees(stumps)]
    [2, 2, 2, 2, 2]
    """
    boosted = read(model)
    return written(model, boosted, boosted.check_cuts(cuts))


def raw_scores(model: Any, X: Any, cuts: Sequence[Any] | None = None) -> Floats:
    """Add up what the trees of a model say, cut or as they are, without the library.

    Parameters
    ----------
    model : fitted model of LightGBM or XGBoost
    X : array-like of float, shape (n_rows, n_features)
        In the order of the columns of fitting; NaN is a missing value.
    cuts : sequence of ndarray of bool, one a tree, optional
        None: the trees as they are.

    Returns
    -------
    ndarray, shape (n_rows, n_outputs)
        XGBoost's ``output_margin=True``, which adds in float32; LightGBM's ``raw_score=True``, of a forest divided by
        the number of trees, as LightGBM itself does before it predicts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from xgboost import XGBRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = XGBRegressor(n_estimators=5).fit(X, y)
    >>> np.allclose(raw_scores(model, X)[:, 0], model.predict(X))
    True
    """
    return read(model).raw(X, cuts)


def read(model: Any) -> Boosted:
    """Read a model by the means of its library."""
    return LIBRARIES[library_of(model)].read(model)


def written(model: Any, boosted: Boosted, cuts: Sequence[Cut]) -> Any:
    """Return a model of the kind given whose trees are cut."""
    library = LIBRARIES[library_of(model)]
    booster = library.write(model, boosted.trees, cuts)
    if model is library.booster_of(model):
        return booster
    pruned = copy.copy(model)
    pruned._Booster = booster  # both libraries keep it under this name, and neither has a public way to set it
    return pruned


def library_of(model: Any) -> str:
    """Name the library that a model's class, or a class it derives from, is of."""
    tops = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    for library in LIBRARIES:
        if library in tops:
            return library
    if not any(map(find_spec, LIBRARIES)):
        raise ImportError(
            "neither lightgbm nor xgboost is installed: install both with pip install 'treeprune[boosters]'"
        )
    raise TypeError(
        f"got {type(model).__name__}: a fitted model of LightGBM or XGBoost is expected, an estimator or a Booster; "
        "of a Pipeline give the last step, with the rows transformed; trees of scikit-learn are for treeprune.prune"
    )
