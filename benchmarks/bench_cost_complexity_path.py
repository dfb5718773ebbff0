"""Is the cost-complexity path faster than scikit-learn's own loop, and how does it grow?

The peer is the compiled loop behind ``cost_complexity_pruning_path``, called on the same fitted
tree, without the refit that the public method adds.  Its name is private and used here only.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from pairs import Ratios, Report, clocked, in_turns, options
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.tree._tree import ccp_pruning_path

import treeprune as tp

DEPTH = 5_000
ALLOWED = 0.1  # seconds for a tree of that depth: the one bar that is no ratio by nature


def main() -> int:
    chosen = options(__doc__, full="nine pairs at every size, minutes")
    report = Report(__doc__)
    sizes = ((4_000, 1, 9), (30_000, 10, 5), (120_000, 50, 1))
    kinds = {
        "regression trees grown out on noise": regression_tree,
        "classification trees grown out on labels of which 30 % are wrong": classification_tree,
    }
    for what, grow in kinds.items():
        report.heading(f"times faster than the compiled loop, {what}")
        for n_nodes, bar, pairs in sizes:
            tree = grow(n_nodes)
            ratios = against_compiled_loop(tree, 9 if chosen.full else pairs)
            report.times_faster(f"{tree.tree_.node_count:,} nodes", ratios, bar)
    report.heading("time / (n log n) relative to 4,000 nodes")
    for n_nodes in (8_000, 32_000, 128_000, 250_000):
        report.at_most(f"{n_nodes:,} nodes", growth(regression_tree(4_000), regression_tree(n_nodes)), 2)
    report.heading(f"share of the {ALLOWED} s that a tree of depth {DEPTH:,} may take")
    for label, ratios in deep_trees():
        report.at_most(label, ratios, 1)
    return report.exit_code(chosen.check)


def against_compiled_loop(tree: Any, pairs: int) -> Ratios:
    return in_turns(
        clocked(lambda: tp.pruning_path(tree, "cost_complexity")),
        clocked(lambda: ccp_pruning_path(tree.tree_)),
        pairs,
    )


def growth(small: Any, large: Any) -> Ratios:
    n_small, n_large = small.tree_.node_count, large.tree_.node_count
    expected = n_large * np.log(n_large) / (n_small * np.log(n_small))
    return in_turns(
        clocked(lambda: tp.pruning_path(large, "cost_complexity"), 1 / expected),
        clocked(lambda: tp.pruning_path(small, "cost_complexity")),
        pairs=3,
    )


def deep_trees() -> list[tuple[str, Ratios]]:
    """Chains as arrays, whose gains rise, fall or jump on the way down; and a chain that was grown."""
    rng = np.random.default_rng(0)
    rising = np.linspace(0.1, 1, DEPTH)
    lines = [
        (f"path of a chain as arrays, gains {how}", within_allowed(lambda g=gains: chain_path(g)))
        for how, gains in (("rise", rising), ("fall", rising[::-1]), ("jump", rng.permutation(rising)))
    ]
    tree, X, y = grown_chain()
    lines.append(("path of a grown chain", within_allowed(lambda: tp.pruning_path(tree, "cost_complexity"))))
    for method, strength in STRENGTHS.items():
        lines.append((f"prune a grown chain, {method}", within_allowed(prune_call(tree, method, X, y, strength))))
    return lines


STRENGTHS: dict[str, dict[str, float]] = {
    "cost_complexity": {"alpha": 1e-5},
    "reduced_error": {},
    "minimum_error": {},
    "pessimistic_error": {},
    "error_based": {},
    "critical_value": {"critical_value": 0.1},
    "max_depth": {"max_depth": 2_500},
    "max_leaf_nodes": {"max_leaf_nodes": 2_500},
}


def prune_call(tree: Any, method: str, X: Any, y: Any, strength: dict[str, float]) -> Any:
    return lambda: tp.prune(tree, method, X, y, **strength)


def within_allowed(work: Any) -> Ratios:
    return in_turns(clocked(work), lambda: ALLOWED, pairs=5)


def chain_path(gains: Any) -> tp.PruningPath:
    """Node 2k splits into leaf 2k + 1 and node 2k + 2."""
    left, right = np.full((2, 2 * len(gains) + 1), -1)
    inner = 2 * np.arange(len(gains))
    left[inner], right[inner] = inner + 1, inner + 2
    risk = np.zeros(len(left))
    risk[inner] = np.cumsum(gains[::-1])[::-1]
    return tp.cost_complexity_path(tp.TreeStructure.from_arrays(left, right), risk)


def grown_chain() -> tuple[Any, Any, Any]:
    """Classes in turn along one feature: the best split always takes one row off an end."""
    X, y = np.arange(DEPTH + 1.0)[:, None], np.arange(DEPTH + 1) % 2
    return DecisionTreeClassifier(random_state=0).fit(X, y), X, y


def regression_tree(n_nodes: int) -> Any:
    rng = np.random.default_rng(n_nodes)
    X = rng.random((n_nodes // 2, 5))
    return DecisionTreeRegressor(random_state=0).fit(X, X[:, 0] + rng.normal(size=len(X)))


def classification_tree(n_nodes: int) -> Any:
    rng = np.random.default_rng(n_nodes)
    X = rng.random((int(n_nodes / 0.48), 5))
    y = (X[:, 0] > 0.5) ^ (rng.random(len(X)) < 0.3)
    return DecisionTreeClassifier(random_state=0).fit(X, y)


if __name__ == "__main__":
    sys.exit(main())
