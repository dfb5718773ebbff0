"""What does it cost to score all prune levels on train and test rows?

Two peers: the recipe that refits once for every alpha and scores each tree, and the two calls of
``predict`` without which no score can be had.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from pairs import Ratios, Report, Timer, clocked, in_turns, options
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp

ALPHAS_TIMED = 12  # of the refit recipe, spread over the path; its time is scaled to all of them


def main() -> int:
    chosen = options(__doc__, full="time the refits of all alphas")
    report = Report(__doc__)
    report.heading("times faster than refitting at every alpha, path and curve together")
    for name, load, bar in (("breast_cancer", load_breast_cancer, 100), ("digits", load_digits, 1000)):
        X, y = load(return_X_y=True)
        report.times_faster(name, against_refits(X, y, None if chosen.full else ALPHAS_TIMED), bar)
    report.heading("the curve of a given path over the two predict calls")
    for n_rows in (5_000, 20_000, 100_000):
        X, y = make_classification(2 * n_rows, 10, n_informative=5, flip_y=0.1, random_state=0)
        report.at_most(f"{n_rows:,} rows each", against_predict(X, y), 3)
    return report.exit_code(chosen.check)


def against_refits(X: Any, y: Any, n_timed: int | None) -> Ratios:
    rows = X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    tree = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)
    alphas = DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(X_train, y_train).ccp_alphas
    at = np.unique(np.linspace(0, len(alphas) - 1, n_timed or len(alphas)).astype(int))
    recipe = refits(rows, alphas[at].clip(0), len(alphas) / len(at))

    def curve() -> Any:
        path = tp.pruning_path(tree, "cost_complexity")
        return tp.pruning_curve(tree, path, X_train, y_train, X_test, y_test)

    return in_turns(clocked(curve), recipe, 5 if n_timed else 1)


def refits(rows: Any, alphas: Any, times: float) -> Timer:
    X_train, X_test, y_train, y_test = rows

    def measure() -> float:
        start = time.process_time()
        for alpha in alphas:
            tree = DecisionTreeClassifier(random_state=0, ccp_alpha=alpha).fit(X_train, y_train)
            tree.score(X_train, y_train), tree.score(X_test, y_test)
        return times * (time.process_time() - start)

    return measure


def against_predict(X: Any, y: Any) -> Ratios:
    tree = DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2])
    path, rows = tp.pruning_path(tree, "cost_complexity"), (X[::2].copy(), y[::2], X[1::2].copy(), y[1::2])
    return in_turns(
        clocked(lambda: tp.pruning_curve(tree, path, *rows)),
        clocked(lambda: (tree.predict(rows[0]), tree.predict(rows[2]))),
        pairs=15,
    )


if __name__ == "__main__":
    sys.exit(main())
