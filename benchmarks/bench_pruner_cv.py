"""What does PrunerCV cost beside the fits it cannot do without, and beside GridSearchCV?

Peers: ten fold fits and the fit on all rows; and GridSearchCV over all alphas of scikit-learn's
own path.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from pairs import Ratios, Report, Timer, clocked, in_turns, options
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.datasets import load_dataset

TREE = DecisionTreeClassifier(random_state=0)
ALPHAS_TIMED = 6


def main() -> int:
    chosen = options(__doc__, full="give GridSearchCV all alphas, minutes")
    report = Report(__doc__)
    report.heading("ten-fold PrunerCV over its eleven fits")
    for name, (X, y) in tables().items():
        report.at_most(name, against_fits(X, y), 1.15)
    report.heading("times faster than GridSearchCV over all alphas")
    X, y = load_digits(return_X_y=True)
    report.times_faster("digits, ten folds", against_grid_search(X, y, None if chosen.full else ALPHAS_TIMED), 80)
    return report.exit_code(chosen.check)


def tables() -> dict[str, tuple[Any, Any]]:
    spam = load_dataset("spam")
    return {
        "breast_cancer": load_breast_cancer(return_X_y=True),
        "digits": load_digits(return_X_y=True),
        "spam": (spam.data.to_numpy(), spam.target),
        "2,000 x 20": make_classification(2_000, 20, n_informative=5, flip_y=0.1, random_state=0),
        "5,000 x 20": make_classification(5_000, 20, n_informative=5, flip_y=0.1, random_state=0),
    }


def against_fits(X: Any, y: Any) -> Ratios:
    def fits() -> None:
        for growing, _ in StratifiedKFold(10).split(X, y):
            clone(TREE).fit(X[growing], y[growing])
        clone(TREE).fit(X, y)

    return in_turns(clocked(lambda: tp.PrunerCV(tp.CostComplexityPruner(TREE)).fit(X, y)), clocked(fits), 9)


def against_grid_search(X: Any, y: Any, n_timed: int | None) -> Ratios:
    alphas = clone(TREE).cost_complexity_pruning_path(X, y).ccp_alphas.clip(0)
    at = np.unique(np.linspace(0, len(alphas) - 1, n_timed or len(alphas)).astype(int))
    ours = clocked(lambda: tp.PrunerCV(tp.CostComplexityPruner(TREE)).fit(X, y))
    return in_turns(ours, grid_search(X, y, alphas[at], len(alphas) / len(at)), 3 if n_timed else 1)


def grid_search(X: Any, y: Any, alphas: Any, times: float) -> Timer:
    def measure() -> float:
        start = time.process_time()
        GridSearchCV(TREE, {"ccp_alpha": alphas}, cv=10, refit=False).fit(X, y)
        return times * (time.process_time() - start)

    return measure


if __name__ == "__main__":
    sys.exit(main())
