"""What does a method cost beside the fit of the tree that it prunes?

The peer is the fit of the same tree. Growing rows are given where a method reads rows, so that
the counting of rows is in the figure; the pruned estimator is built in each run.
"""

from __future__ import annotations

import sys
from typing import Any

from pairs import Report, clocked, in_turns, options
from sklearn.datasets import make_classification, make_regression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

import treeprune as tp

ONE_PASS: dict[str, dict[str, Any]] = {
    "reduced_error": {},
    "minimum_error": {},
    "pessimistic_error": {},
    "error_based": {},
    "critical_value": {"critical_value": 0.1},
    "max_depth": {"max_depth": 5},
    "max_leaf_nodes": {"max_leaf_nodes": 20},
}
CLASSES_ONLY = ("pessimistic_error", "error_based")


def main() -> int:
    chosen = options(__doc__, full="100,000 rows too, and extremely random trees, which are quick to grow")
    report = Report(__doc__)
    for n_rows in (5_000, 20_000, *((100_000,) if chosen.full else ())):
        X, y = make_classification(n_rows, 10, n_informative=5, flip_y=0.1, random_state=0)
        compare(report, f"classification, {n_rows:,} rows", DecisionTreeClassifier(random_state=0), X, y, True)
        if chosen.full:
            name = f"extremely random tree, {n_rows:,} rows"
            compare(report, name, ExtraTreeClassifier(random_state=0), X, y, False)
        X, y = make_regression(n_rows, 10, noise=20, random_state=0)
        tree = DecisionTreeRegressor(random_state=0, min_samples_leaf=3)
        compare(report, f"regression, {n_rows:,} rows", tree, X, y, True)
    return report.exit_code(chosen.check)


def compare(report: Report, name: str, tree: Any, X: Any, y: Any, barred: bool) -> None:
    tree.fit(X, y)
    report.heading(f"{name}, {tree.tree_.node_count:,} nodes: share of the fit")
    classes, fit = hasattr(tree, "classes_"), clocked(lambda: tree.__class__(**tree.get_params()).fit(X, y))
    for method, parameters in ONE_PASS.items():
        if classes or method not in CLASSES_ONLY:
            work = clocked(lambda m=method, p=parameters: tp.prune(tree, m, X, y, **p))  # type: ignore[misc]
            _line(report, method, in_turns(work, fit, 5), 0.05, barred)
    path = clocked(lambda: tp.pruning_path(tree, "cost_complexity"))
    _line(report, "cost_complexity, the whole path", in_turns(path, fit, 5), 0.15, barred)


def _line(report: Report, name: str, ratios: Any, bar: float, barred: bool) -> None:
    report.at_most(name, ratios, bar) if barred else report.only(name, ratios)


if __name__ == "__main__":
    sys.exit(main())
