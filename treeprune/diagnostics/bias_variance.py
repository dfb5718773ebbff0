"""How do bias and variance trade as a tree is pruned?

Trees are grown on bootstrap samples of the rows; at equal alphas their predictions for test rows are averaged.
Squared error and Brier score split exactly into the distance of that mean from the truth and the spread about
it; the share of wrong rows does not, and is shown as Domingos (2000) has it, the error of the main prediction and
what the spread adds to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from treeprune.checks import check_choice, check_count
from treeprune.diagnostics.answer import Answer
from treeprune.dispatch import pruning_path
from treeprune.rows import take_rows
from treeprune.tree.cuts import covering, cut_at
from treeprune.tree.fitted import FittedTree, find_tree

Floats = NDArray[np.float64]
LOSSES = ("squared_error", "brier", "zero_one")


def bias_variance(
    estimator: Any,
    X: Any,
    y: Any,
    X_test: Any,
    y_test: Any,
    *,
    loss: str | None = None,
    truth: ArrayLike | None = None,
    draws: int = 50,
    n_alphas: int = 20,
    random_state: int = 0,
) -> Answer:
    """Split the expected test error at every prune level into bias and variance.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or another tree with one output
        What to grow.
    X, y, X_test, y_test : array-like
    loss : {"squared_error", "brier", "zero_one"}, optional
        Squared error for regression, and for classes the Brier score by default.
    truth : array-like, shape (n_test,) or (n_test, n_classes), optional
        Conditional mean of each test row (class probabilities), where it is known: on generators. Without
        it, bias squared and noise are one part.
    draws : int, default=50
        Bootstrap samples.
    n_alphas : int, default=20
        Prune levels: alphas of the cost-complexity path of all rows, evenly over its sizes.
    random_state : int, default=0

    Returns
    -------
    Answer
        Columns alpha, n_leaves (mean over draws), the parts (bias_squared and noise, or
        bias_squared_and_noise; variance), and error, their sum. For ``"zero_one"`` bias (error of the
        main prediction), net_variance (what the spread adds, which may be less than 0) and error.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from treeprune.diagnostics import bias_variance
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = DecisionTreeRegressor(random_state=0)
    >>> table = bias_variance(tree, X[:300], y[:300], X[300:], y[300:], draws=10, n_alphas=5).table
    >>> bool(table["variance"].iloc[0] > 3 * table["variance"].iloc[-2])
    True
    """
    from pandas import DataFrame

    check_count("draws", draws, low=2)
    check_count("n_alphas", n_alphas, low=2)
    whole = clone(estimator).fit(X, y)
    tree = find_tree(whole)
    loss = loss or ("brier" if tree.is_classifier else "squared_error")
    _check(tree, loss)
    alphas, target = _spread_alphas(whole, n_alphas), tree.encode(y_test)[:, 0]
    predictions, sizes, n_rows = [], [], len(np.asarray(y))
    rng = np.random.default_rng(random_state)
    for _ in range(draws):
        rows = np.sort(rng.integers(n_rows, size=n_rows))
        drawn = clone(estimator).fit(*take_rows(rows, X, y))
        values, n_leaves = _at_alphas(drawn, tree, alphas, X_test)
        predictions.append(values)
        sizes.append(n_leaves)
    table = DataFrame({"alpha": alphas, "n_leaves": np.mean(sizes, axis=0)})
    parts = _zero_one(predictions, target) if loss == "zero_one" else _squares(predictions, target, truth)
    shown = tuple(name for name in parts if name != "error")
    question = "How do bias and variance trade as the tree is pruned?"
    return Answer(question, table.assign(**parts), "n_leaves", shown, stacked=loss != "zero_one")


def _check(tree: FittedTree, loss: str) -> None:
    check_choice("loss", loss, LOSSES)
    if tree.value.shape[1] > 1:
        raise ValueError(f"the tree has {tree.value.shape[1]} outputs: one is expected")
    if tree.is_classifier == (loss == "squared_error"):
        kind = "classification" if tree.is_classifier else "regression"
        raise ValueError(f"loss={loss!r} does not fit a {kind} tree")


def _spread_alphas(whole: Any, n_alphas: int) -> Floats:
    """Alphas inside levels of the path, at sizes that fall in about equal ratios; 0 first."""
    path = pruning_path(whole)
    inside = path.representative_prices()
    wanted = np.geomspace(path.n_leaves[0], 1, n_alphas)
    levels = np.unique(np.searchsorted(-path.n_leaves, -wanted))
    alphas = np.unique(np.maximum(inside[levels], 0.0))
    return np.where(np.isinf(alphas), path.price[-1] * 2 if path.n_levels > 1 else 1.0, alphas)


def _at_alphas(drawn: Any, reference: FittedTree, alphas: Floats, X: Any) -> tuple[Floats, NDArray[np.intp]]:
    """What one tree predicts at every alpha, shape (n_alphas, n_rows, n_numbers), and its sizes."""
    tree, path = find_tree(drawn), pruning_path(drawn)
    leaf, levels = tree.apply(X), path.levels_at(alphas)
    value = _in_classes_of(reference, tree)
    at = [value[covering(tree.structure, cut_at(tree.structure, path.removed_at, int(k)))[leaf]] for k in levels]
    return np.array(at), path.n_leaves[levels]


def _in_classes_of(reference: FittedTree, tree: FittedTree) -> Floats:
    """Node values in the classes of the tree of all rows: a bootstrap sample may lack one."""
    if not tree.is_classifier:
        return tree.value
    value = np.zeros((len(tree.value), len(reference.classes[0])))
    value[:, np.searchsorted(reference.classes[0], tree.classes[0])] = tree.value[:, 0]
    return value


def _squares(predictions: list[Floats], target: NDArray[Any], truth: ArrayLike | None) -> dict[str, Floats]:
    """Exact parts of squared error, summed over the classes where there are several."""
    at = np.array(predictions)  # draw, level, row, number
    wanted = np.eye(at.shape[3])[target] if at.shape[3] > 1 else target[:, None].astype(np.float64)
    mean = at.mean(axis=0)
    variance = ((at - mean) ** 2).sum(axis=3).mean(axis=(0, 2))
    error = ((at - wanted) ** 2).sum(axis=3).mean(axis=(0, 2))
    if truth is None:
        return {"bias_squared_and_noise": error - variance, "variance": variance, "error": error}
    known = np.asarray(truth, dtype=np.float64)
    known = known[:, None] if known.ndim == 1 else known
    if known.shape != wanted.shape:
        raise ValueError(f"truth has shape {known.shape}: {wanted.shape} is expected, one mean for each test row")
    noise = np.full(len(error), ((wanted - known) ** 2).sum(axis=1).mean())
    bias = ((mean - known) ** 2).sum(axis=2).mean(axis=1)
    return {"noise": noise, "bias_squared": bias, "variance": variance, "error": noise + bias + variance}


def _zero_one(predictions: list[Floats], target: NDArray[Any]) -> dict[str, Floats]:
    """Domingos's parts: the error of the most frequent prediction, and what the others add."""
    label = np.array(predictions).argmax(axis=3)  # draw, level, row
    n_classes = int(max(label.max(), target.max())) + 1
    votes = np.array([(label == c).sum(axis=0) for c in range(n_classes)])
    bias = (votes.argmax(axis=0) != target).mean(axis=1)
    error = (label != target).mean(axis=(0, 2))
    return {"bias": bias, "net_variance": error - bias, "error": error}
