"""How fast are all levels of a fitted tree scored on training and test rows?

Two peers: the recipe that grows a tree anew for every ``ccp_alpha`` and scores each on both sets
of rows; and two plain calls of ``predict``, which is what one level costs by any other way.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from pairs import Report, clocked, in_turns, options
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, make_classification, make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp

SAMPLE = 12  # alphas that stand for all of them where there are many


def main() -> int:
    chosen = options(__doc__, full="refit for every alpha of digits too, not for a sample")
    report = Report(__doc__)
    report.heading("times faster than a refit for each alpha; path and curve together, the tree is fitted")
    for name, load, bar in (("breast_cancer", load_breast_cancer, 100), ("digits", load_digits, 1_000)):
        against_refits(report, name, load(return_X_y=True), bar, chosen.full)
    report.heading("curve of a given path / two calls of predict; a third as many test rows as training rows")
    for n_rows in (5_000, 20_000, 100_000):
        for label, tree, data in problems(n_rows):
            against_predict(report, f"{n_rows:,} rows, {label}", tree, data)
    return report.exit_code(chosen.check)


def against_refits(report: Report, name: str, data: Any, bar: float, full: bool) -> None:
    X, X_test, y, y_test = train_test_split(*data, random_state=0)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    alphas = np.maximum(tree.cost_complexity_pruning_path(X, y).ccp_alphas, 0)
    sampled = alphas if full else alphas[np.linspace(0, len(alphas) - 1, min(SAMPLE, len(alphas))).astype(int)]

    def curve() -> None:
        tp.pruning_curve(tree, tp.pruning_path(tree, "cost_complexity"), X, y, X_test, y_test)

    def refits() -> None:
        for alpha in sampled:
            pruned = clone(tree).set_params(ccp_alpha=alpha).fit(X, y)
            pruned.score(X, y)
            pruned.score(X_test, y_test)

    ratios = in_turns(clocked(curve), clocked(refits, times=len(alphas) / len(sampled)))
    scaled = "" if len(sampled) == len(alphas) else f", {len(sampled)} refitted and scaled"
    report.times_faster(f"{name} ({len(alphas)} alphas{scaled})", ratios, bar)


def problems(n_rows: int) -> list[tuple[str, Any, Any]]:
    """Trees grown out on noisy rows, where there are most levels."""
    n_test = n_rows // 3
    labels = make_classification(n_rows + n_test, 20, n_informative=8, flip_y=0.3, random_state=0)
    numbers = make_friedman1(n_rows + n_test, noise=5, random_state=0)
    kinds = (
        ("classification", DecisionTreeClassifier(random_state=0), labels),
        ("regression", DecisionTreeRegressor(random_state=0), numbers),
    )
    return [
        (label, tree.fit(X[:n_rows], y[:n_rows]), (X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:]))
        for label, tree, (X, y) in kinds
    ]


def against_predict(report: Report, label: str, tree: Any, data: Any) -> None:
    path = tp.pruning_path(tree, "cost_complexity")

    def predict_both() -> None:
        tree.predict(data[0])
        tree.predict(data[2])

    ratios = in_turns(clocked(lambda: tp.pruning_curve(tree, path, *data)), clocked(predict_both))
    report.at_most(f"{label}, {path.n_levels:,} levels", ratios, 3)


if __name__ == "__main__":
    sys.exit(main())
