"""A table of one's own, a pruned model of it: grown, pruned, measured, and saved so that it takes the table's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import check_array

from treeprune.checks import check_number
from treeprune.cv import PrunerCV
from treeprune.dispatch import FAMILIES, METHODS
from treeprune.tree.holdout import holdout_split
from treeprune.tree.pruner import PathPruner

if TYPE_CHECKING:
    import pandas as pd

SIZES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclass(frozen=True, eq=False)
class PrunedTable:
    """A model of a table, and what it is worth.

    Attributes
    ----------
    model : Pipeline
        From the table's own columns, words included, to predictions; its last step is the pruned tree.
    n_leaves : int
    title : str
        Method and parameters.
    chosen : str
        What cross-validation chose, as text; empty if nothing was chosen.
    scores : list of dict
        ``tree``, ``leaves``, ``train``, ``test``, ``test_se`` of the unpruned and the pruned tree, both made
        without the test rows. Accuracy, or R² (whose standard error is not known: NaN).
    n_test : int
    """

    model: Pipeline
    n_leaves: int
    title: str
    chosen: str
    scores: list[dict[str, Any]]
    n_test: int


def prune_table(
    table: Any,
    method: str,
    parameters: Mapping[str, Any],
    selection: str = "one_standard_error",
    folds: int = 10,
    test_size: float = 0.3,
    seed: int = 0,
) -> PrunedTable:
    """Grow and prune a tree on all rows of a table; measure the same on rows held out.

    Parameters
    ----------
    table : Bunch
        From `treeprune.datasets.read_table`.
    method : str
    parameters : mapping
        Of the pruner. If there are none, and the method has a strength to choose, `PrunerCV` chooses it.
    selection : str
        Rule of `PrunerCV`.
    folds : int
    test_size : float in (0, 1)
    seed : int

    Examples
    --------
    >>> from treeprune.datasets import load_dataset
    >>> from treeprune.table_model import frame_with_words, prune_table
    >>> penguins = load_dataset("penguins")
    >>> found = prune_table(penguins, "error_based", {"confidence": 0.1})
    >>> found.model.predict(frame_with_words(penguins).iloc[[0, -1]]).tolist()
    ['Adelie', 'Chinstrap']
    """
    check_number("test_size", test_size, low=0, high=1, open_ends=True)
    pruner = _pruner(table, method, parameters, selection, folds, seed)
    training, test = holdout_split(test_size, _tree(table, seed), table.data, table.target, None, seed)
    measured = pruner.fit(table.data.iloc[training], table.target[training])
    scores = [
        _scored(name, tree, table, training, test)
        for name, tree in (("unpruned", measured.grown_), ("pruned", measured.estimator_))
    ]
    fitted = _pruner(table, method, parameters, selection, folds, seed).fit(table.data, table.target)
    model = Pipeline([("columns", _encoder(table)), ("tree", fitted.estimator_)])
    title = ", ".join([method, *(f"{name}={value}" for name, value in parameters.items())])
    return PrunedTable(model, int(fitted.estimator_.get_n_leaves()), title, _chosen(fitted), scores, len(test))


def is_searched(method: str, parameters: Mapping[str, Any]) -> bool:
    """Whether `prune_table` lets cross-validation choose the strength."""
    return not parameters and _is_tuned(method) and method not in FAMILIES


def curve_of_table(table: Any, method: str, selection: str, folds: int, seed: int) -> PrunerCV:
    """Cross-validate a tree of a table at every prune level; return the fitted search."""
    if not _is_tuned(method):
        tuned = [name for name in METHODS if _is_tuned(name)]
        raise ValueError(f"{method} has no strength to draw a curve over: one of {', '.join(tuned)} is expected")
    return _search(table, method, selection, folds, seed).fit(table.data, table.target)


def frame_with_words(table: Any) -> pd.DataFrame:
    """Return the columns of a table with its categories as words, as the model takes them."""
    frame = table.data.copy()
    for name, words in table.categories.items():
        codes = frame[name]
        frame[name] = np.array([*words, None], dtype=object)[codes.fillna(len(words)).astype(int)]
    return frame


def save_model(model: Any, path: str | Path) -> list[str]:
    """Write a model with skops, which can be read without running what is in it.

    Returns
    -------
    list of str
        The types that `skops.io.load` wants to be told to trust: scikit-learn's own, by name.
    """
    try:
        from skops.io import dump, get_untrusted_types
    except ImportError:
        raise ImportError("saving a model needs skops: pip install 'treeprune[skops]'") from None
    dump(model, path)
    return list(get_untrusted_types(file=path))


def _pruner(table: Any, method: str, parameters: Mapping[str, Any], selection: str, folds: int, seed: int) -> Any:
    if is_searched(method, parameters):
        return _search(table, method, selection, folds, seed)
    own = METHODS[method](**parameters)
    given = {"estimator": _tree(table, seed)}
    if "random_state" in own.get_params(deep=False) and "random_state" not in parameters:
        given["random_state"] = seed
    return own.set_params(**given)


def _is_tuned(method: str) -> bool:
    return issubclass(METHODS[method], PathPruner) or method in FAMILIES or method == "optimal"


def _search(table: Any, method: str, selection: str, folds: int, seed: int) -> PrunerCV:
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if table.task == "classification" else KFold
    grid = None
    if method in FAMILIES:
        name, values = FAMILIES[method]
        grid = {name: list(values)}
    elif method == "optimal":
        grid = {"max_leaf_nodes": list(SIZES)}
    cv = kind(folds, shuffle=True, random_state=seed)
    return PrunerCV(METHODS[method](_tree(table, seed)), grid, cv=cv, selection=selection, random_state=seed)


def _tree(table: Any, seed: int) -> Any:
    kind = DecisionTreeClassifier if table.task == "classification" else DecisionTreeRegressor
    return kind(random_state=seed)


def _encoder(table: Any) -> ColumnTransformer:
    """Words to the codes of the table, column by column in its order; an unknown word is a missing one."""
    steps: list[Any] = [
        (name, _words(table.categories[name]) if name in table.categories else "passthrough", [name])
        for name in table.feature_names
    ]
    encoder = ColumnTransformer(steps, verbose_feature_names_out=False)
    return encoder.set_output(transform="pandas").fit(frame_with_words(table))


def _words(words: list[str]) -> Pipeline:
    """Cells as text first: in a file of other rows, all words of the column may be numbers."""
    text = {"dtype": "str", "ensure_all_finite": False}
    as_text = FunctionTransformer(check_array, kw_args=text, feature_names_out="one-to-one")
    codes = [np.array(words, dtype=object)]
    encoder = OrdinalEncoder(categories=codes, handle_unknown="use_encoded_value", unknown_value=np.nan)
    return Pipeline([("text", as_text), ("codes", encoder)])


def _scored(name: str, tree: Any, table: Any, training: Any, test: Any) -> dict[str, Any]:
    train, score = (float(tree.score(table.data.iloc[rows], table.target[rows])) for rows in (training, test))
    se = standard_error(tree, score, table.data.iloc[test], table.target[test], table.task == "classification")
    return {"tree": name, "leaves": int(tree.get_n_leaves()), "train": train, "test": score, "test_se": se}


def standard_error(tree: Any, score: float, X: Any, y: Any, classifies: bool) -> float:
    """Of accuracy; of R2 as rpart has it: over rows, the spread of the target taken as known."""
    if classifies:
        return float(np.sqrt(score * (1 - score) / len(y)))
    squares = (np.asarray(y, dtype=float) - tree.predict(X)) ** 2
    return float(squares.std() / np.sqrt(len(y)) / np.var(y)) if np.var(y) else float("nan")


def _chosen(fitted: Any) -> str:
    if not isinstance(fitted, PrunerCV):
        return ""
    if hasattr(fitted, "best_price_"):
        return f" ({fitted.curve_.parameter} = {fitted.best_price_:.4g}, chosen by cross-validation)"
    named = ", ".join(f"{name} = {value:.4g}" for name, value in fitted.best_params_.items())
    return f" ({named}, chosen by cross-validation)"
