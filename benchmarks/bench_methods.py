"""What share of the time it took to grow a tree does pruning it take?

``tp.prune`` with rows given: the growing rows, and for reduced-error pruning a third as many that
the tree has not seen, as a holdout of a quarter leaves them.  The trees are grown out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from pairs import Report, clocked, in_turns, options
from sklearn.base import clone
from sklearn.datasets import make_classification, make_friedman1
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

import treeprune as tp

ONE_PASS: dict[str, dict[str, Any]] = {
    "reduced_error": {},
    "minimum_error": {},
    "pessimistic_error": {},
    "error_based": {},
    "critical_value": {"critical_value": 0.05},
    "significance": {},
    "description_length": {},
    "kearns_mansour": {"c": 0.1},
    "averaging": {},
    "min_impurity_decrease": {"min_impurity_decrease": 1e-3},
    "min_samples_split": {"min_samples_split": 20},
    "max_depth": {"max_depth": 8},
    "max_leaf_nodes": {"max_leaf_nodes": 50},
}
CLASSIFICATION_ONLY = ("pessimistic_error", "error_based", "description_length", "kearns_mansour")
N_FEATURES = 20
PAIRS = {5_000: 9, 20_000: 5, 100_000: 3}


def main() -> int:
    chosen = options(__doc__, full="nine pairs at every size, many minutes")
    report = Report(__doc__)
    for n_rows, pairs in PAIRS.items():
        for title, trees, rows, held_out in problems(n_rows):
            for tree in trees:
                one_tree(report, title, tree, rows, held_out, 9 if chosen.full else pairs)
    return report.exit_code(chosen.check)


def one_tree(report: Report, title: str, tree: Any, rows: Any, held_out: Any, pairs: int) -> None:
    tree.fit(*rows)
    report.heading(f"share of the fit, {title}, {type(tree).__name__}, {tree.tree_.node_count:,} nodes")
    # ExtraTree grows by random thresholds, too fast for the bars: they are of DecisionTree
    bars = type(tree) in (DecisionTreeClassifier, DecisionTreeRegressor)
    for label, work, bar in tasks(tree, rows, held_out):
        ratios = in_turns(clocked(work), clocked(lambda: clone(tree).fit(*rows)), pairs)
        if bars and bar is not None:
            report.at_most(label, ratios, bar)
        else:
            report.only(label, ratios)


def tasks(tree: Any, rows: Any, held_out: Any) -> Iterator[tuple[str, Any, float | None]]:
    """Yield label, work, and the share of the fit allowed."""
    for method, parameters in ONE_PASS.items():
        if method in CLASSIFICATION_ONLY and not hasattr(tree, "classes_"):
            continue
        given = held_out if method == "reduced_error" else rows
        yield method, prune_call(tree, method, given, parameters), 0.05
    yield "cost_complexity, its path", lambda: tp.pruning_path(tree, "cost_complexity"), 0.15
    yield "cost_complexity, path and pruned tree", prune_call(tree, "cost_complexity", (), {"alpha": 1e-3}), 0.15
    if hasattr(tree, "classes_"):
        yield "error_based, with subtree raising", prune_call(tree, "error_based", rows, {"subtree_raising": True}), 2.0
    if tree.tree_.node_count < 10_000:
        yield "optimal (dynamic program)", prune_call(tree, "optimal", rows, {"max_leaf_nodes": 50}), None


def prune_call(tree: Any, method: str, rows: Any, parameters: dict[str, Any]) -> Any:
    return lambda: tp.prune(tree, method, *rows, **parameters)


def problems(n_rows: int) -> Iterator[tuple[str, Any, Any, Any]]:
    total = n_rows + n_rows // 3
    classifiers = DecisionTreeClassifier(random_state=0), ExtraTreeClassifier(random_state=0)
    for flipped in (0.05, 0.3):
        X, y = make_classification(total, N_FEATURES, n_informative=8, flip_y=flipped, random_state=0)
        title = f"{n_rows:,} rows, {flipped:.0%} of the labels drawn anew"
        yield title, classifiers, (X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])
    X, y = make_friedman1(total, N_FEATURES, noise=1, random_state=0)
    regressors = DecisionTreeRegressor(random_state=0), ExtraTreeRegressor(random_state=0)
    yield f"{n_rows:,} rows, numbers", regressors, (X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])


if __name__ == "__main__":
    sys.exit(main())
