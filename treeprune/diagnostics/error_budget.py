"""Where does the test error of a pruned tree come from?

On problems whose Bayes error is known it has three parts: what no classifier can avoid; what even the best
pruning of this tree adds, as the tree was grown from few rows (growth); and what was lost by choosing another
pruning than that best one (selection).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone

from treeprune.checks import check_count, check_number
from treeprune.diagnostics.answer import Answer
from treeprune.diagnostics.trials import by_name, require_classifier
from treeprune.tree.fitted import find_tree
from treeprune.tree.methods.reduced_error import reduced_error_cut

PARTS = ("bayes", "growth", "selection")


def error_budget(
    models: Any,
    make: Callable[..., tuple[Any, Any]],
    bayes_error: float,
    *,
    n_train: int = 300,
    repeats: int = 10,
    n_population: int = 100_000,
    random_state: int = 0,
) -> Answer:
    """Split the error of pruned trees into Bayes error, growth and selection.

    Parameters
    ----------
    models : pruner of classification trees, or mapping from names to them
    make : callable
        ``make(n_samples, random_state=seed)`` draws rows: `treeprune.datasets.make_waveform`, say.
    bayes_error : float in [0, 1]
        Of that problem.
    n_train : int, default=300
    repeats : int, default=10
        Fresh training rows each time.
    n_population : int, default=100_000
        Fresh rows that stand for the population: the best pruning of each tree is the best on them.
    random_state : int, default=0

    Returns
    -------
    Answer
        Columns repeat, model, bayes, growth, selection, error (their sum: of the pruned tree on the
        population), leaves, best_leaves.

    Examples
    --------
    >>> from treeprune import ReducedErrorPruner
    >>> from treeprune.datasets import make_noisy_xor, noisy_xor_bayes_error
    >>> from treeprune.diagnostics import error_budget
    >>> pruner = ReducedErrorPruner(random_state=0)
    >>> answer = error_budget(pruner, make_noisy_xor, noisy_xor_bayes_error(0.1), repeats=2, n_population=5000)
    >>> bool((answer.table[["growth", "selection"]] > -0.02).all().all())
    True
    """
    from pandas import DataFrame

    named, rows = by_name(models), []
    check_number("bayes_error", bayes_error, low=0, high=1)
    for name, value in (("n_train", n_train), ("repeats", repeats), ("n_population", n_population)):
        check_count(name, value, low=2 if name != "repeats" else 1)
    for name, model in named.items():
        require_classifier(model, "the error budget")
        if not hasattr(model, "prune") and not hasattr(model, "pruner"):
            raise TypeError(f"models[{name!r}] is {type(model).__name__}: a pruner or PrunerCV is expected")
    X_all, y_all = make(n_population, random_state=random_state + repeats)
    for repeat in range(repeats):
        X, y = make(n_train, random_state=random_state + repeat)
        for name, model in named.items():
            found = _parts(clone(model).fit(X, y), X_all, y_all, bayes_error)
            rows.append({"repeat": repeat, "model": name, **found})
    table = DataFrame(rows)
    return Answer("Where does the error come from?", table, "model", PARTS, stacked=True)


def _parts(fitted: Any, X: Any, y: Any, bayes_error: float) -> dict[str, Any]:
    """Error of the pruned tree on the population, and of the best pruning of the tree it was pruned from."""
    tree = find_tree(fitted.grown_)
    known = (tree.encode_known(y) >= 0).all(axis=1)  # few growing rows may lack a class, which is then missed
    wrong = tree.error(tree.statistics(X[known], y[known]))
    best = reduced_error_cut(tree.structure, wrong)
    least, error = float(wrong[best].sum() + (~known).sum()) / len(y), float(np.mean(fitted.predict(X) != y))
    return {
        "bayes": bayes_error,
        "growth": least - bayes_error,
        "selection": error - least,
        "error": error,
        "leaves": int(find_tree(fitted.estimator_).structure.n_leaves),
        "best_leaves": int(best.sum()),
    }
