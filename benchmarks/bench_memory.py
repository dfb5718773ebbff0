"""How much memory do path and curve take beside the rows that they score?

The peer is the table X itself. An array of rows by nodes would be thousands of times as large.
"""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import numpy as np
from pairs import Report, options
from sklearn.datasets import make_classification
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp


def main() -> int:
    chosen = options(__doc__)
    report = Report(__doc__)
    X, y = make_classification(200_000, 10, n_informative=5, flip_y=0.2, random_state=0)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    rows_by_nodes = len(X) * tree.tree_.node_count / X.nbytes
    report.heading(
        f"peak over bytes of X; 200,000 rows, {tree.tree_.node_count:,} nodes; rows x nodes is {rows_by_nodes:,.0f}"
    )
    report.at_most("path and curve", np.array([peak(lambda: path_and_curve(tree, X, y)) / X.nbytes]), 5)
    search = tp.PrunerCV(tp.CostComplexityPruner(DecisionTreeClassifier(random_state=0)), cv=3)
    report.at_most("PrunerCV, three folds", np.array([peak(lambda: search.fit(X[::8], y[::8])) / X[::8].nbytes]), 25)
    return report.exit_code(chosen.check)


def path_and_curve(tree: Any, X: Any, y: Any) -> Any:
    return tp.pruning_curve(tree, tp.pruning_path(tree, "cost_complexity"), X, y, X, y)


def peak(work: Any) -> int:
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


if __name__ == "__main__":
    sys.exit(main())
