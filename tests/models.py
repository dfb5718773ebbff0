"""Fitted trees of every kind that scikit-learn grows, small enough to test each pruning of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from sklearn.utils.fixes import parse_version

from treeprune.dispatch import METHODS

# every method with a strength that prunes the trees below somewhat
PARAMETERS: dict[str, dict[str, Any]] = {
    "cost_complexity": {"alpha": 0.01},
    "reduced_error": {},
    "minimum_error": {"m": 6.0},
    "pessimistic_error": {"z": 0.5},
    "error_based": {"confidence": 0.3},
    "critical_value": {"critical_value": 0.15},
    "significance": {"significance": 0.005},
    "description_length": {"code": "exact"},
    "kearns_mansour": {"c": 0.1},
    "averaging": {"stop_prior": 0.5},
    "optimal": {"max_leaf_nodes": 9},
    "max_depth": {"max_depth": 4},
    "max_leaf_nodes": {"max_leaf_nodes": 9},
    "min_impurity_decrease": {"min_impurity_decrease": 0.01},
    "min_samples_split": {"min_samples_split": 30},
}
ONE_CLASS_VARIABLE = ("pessimistic_error", "error_based", "description_length", "kearns_mansour")
NO_ABSOLUTE_N = (
    *("cost_complexity", "reduced_error", "critical_value", "optimal", "max_depth", "max_leaf_nodes"),
    *("min_impurity_decrease", "min_samples_split"),
)
ALL = [(name, task) for name in METHODS for task in ("classes", "numbers")]
TASKS = [(name, task) for name, task in ALL if task == "classes" or name not in ONE_CLASS_VARIABLE]


@dataclass(frozen=True, eq=False)
class Grown:
    """A fitted tree and the rows it grew on."""

    tree: Any
    X: Any
    y: Any
    sample_weight: NDArray[np.float64] | None = None

    @property
    def rows(self) -> dict[str, Any]:
        return {"X": self.X, "y": self.y, "sample_weight": self.sample_weight}


def classes(n_rows: int = 240, seed: int = 0, n_classes: int = 3) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw rows of noisy classes; features of few values, so that branches tie."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4)).round(1)
    y = (
        np.digitize(X[:, 0] + X[:, 1], [-0.7, 0.7]) + rng.integers(0, 2, n_rows) * (rng.random(n_rows) < 0.3)
    ) % n_classes
    return X, y


def numbers(n_rows: int = 240, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw rows with a noisy positive target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4)).round(1)
    return X, np.exp(X[:, 0]) + np.abs(X[:, 1]) + rng.gamma(2.0, 0.5, n_rows)


def rows_of(task: str, n_rows: int = 240, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw rows of a task, ``"classes"`` or ``"numbers"``."""
    return (classes if task == "classes" else numbers)(n_rows, seed)


def stem(task: str, **parameters: Any) -> Any:
    """Return a tree to grow."""
    kind = DecisionTreeClassifier if task == "classes" else DecisionTreeRegressor
    return kind(random_state=0, **parameters)


def weights(n_rows: int = 240, seed: int = 7) -> NDArray[np.float64]:
    """Draw weights that leave no sums tied."""
    return np.random.default_rng(seed).uniform(0.2, 3.0, n_rows)


CLASSIFIERS = {
    f"{kind.__name__} {name}": (kind, parameters)
    for kind in (DecisionTreeClassifier, ExtraTreeClassifier)
    for name, parameters in {
        "gini": {},
        "entropy": {"criterion": "entropy"},
        "log_loss": {"criterion": "log_loss"},
        "other splitter": {"splitter": "random" if kind is DecisionTreeClassifier else "best"},
        "best first": {"max_leaf_nodes": 25},
        "pruned before": {"ccp_alpha": 0.004},
        "class weights": {"class_weight": {0: 3.0, 2: 0.5}},
        "balanced": {"class_weight": "balanced"},
    }.items()
}
release = parse_version(sklearn.__version__)
FRIEDMAN = ("friedman_mse",) if release < parse_version("1.11") else ()
REGRESSORS = {
    f"{kind.__name__} {name}": (kind, parameters)
    for kind in (DecisionTreeRegressor, ExtraTreeRegressor)
    for name, parameters in {
        **{
            criterion: {"criterion": criterion}
            for criterion in ("squared_error", "absolute_error", "poisson", *FRIEDMAN)
        },
        "other splitter": {"splitter": "random" if kind is DecisionTreeRegressor else "best"},
        "best first": {"max_leaf_nodes": 25},
        "pruned before": {"ccp_alpha": 0.01},
    }.items()
}
SPECIAL = (
    "weighted classes",
    "weighted numbers",
    "string labels",
    "missing values",
    "missing numbers",
    "sparse rows",
    "monotone classes",
    "monotone numbers",
    "several classes",
    "several numbers",
    "single leaf",
)
NAMES = (*CLASSIFIERS, *REGRESSORS, *SPECIAL)
# before 1.8, growing sent missing values elsewhere than apply does (scikit-learn pull request 32351)
APPLIED_AS_GROWN = tuple(n for n in NAMES if release >= parse_version("1.8") or not n.startswith("missing"))


@cache
def grown(name: str) -> Grown:
    """Grow the tree of this name; never to be changed."""
    if name in SPECIAL:
        return _special(name)
    kind, parameters = (CLASSIFIERS | REGRESSORS)[name]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*friedman_mse", FutureWarning)  # deprecated, not gone
        return _fit(kind(random_state=0, **parameters), *(classes() if name in CLASSIFIERS else numbers()))


def _special(name: str) -> Grown:
    (X, y), (_, target) = classes(), numbers()
    holes = np.where(np.random.default_rng(5).random(X.shape) < 0.15, np.nan, X)
    clf, reg = stem("classes"), stem("numbers")
    monotone = {"monotonic_cst": [1, 0, -1, 0]}
    cases: dict[str, tuple[Any, ...]] = {
        "weighted classes": (clf, X, y, weights()),
        "weighted numbers": (reg, X, target, weights()),
        "string labels": (clf, X, np.array(["x", "a", "long name"])[y]),
        "missing values": (clf, holes, y),
        "missing numbers": (reg, holes, target),
        "sparse rows": (clf, csr_array(np.maximum(X, 0)), y),
        "monotone classes": (stem("classes", **monotone), X, (y > 0).astype(int)),
        "monotone numbers": (stem("numbers", **monotone), X, target),
        "several classes": (clf, X, np.column_stack([np.array(["u", "v", "w"])[y], np.where(X[:, 2] > 0, "p", "q")])),
        "several numbers": (reg, X, np.column_stack([target, X[:, 2] + target])),
        "single leaf": (clf, X, np.zeros(len(X), dtype=int)),
    }
    return _fit(*cases[name])


def _fit(tree: Any, X: Any, y: Any, sample_weight: Any = None) -> Grown:
    return Grown(tree.fit(X, y, sample_weight), X, y, sample_weight)


def random_cut(tree: Any, rng: np.random.Generator, share: float = 0.25) -> NDArray[np.bool_]:
    """Walk down from the root and stop at any other node with this chance."""
    cut = np.zeros(tree.tree_.node_count, dtype=bool)
    waiting = [0]
    while waiting:
        t = waiting.pop()
        left, right = int(tree.tree_.children_left[t]), int(tree.tree_.children_right[t])
        if left < 0 or (t > 0 and rng.random() < share):
            cut[t] = True
        else:
            waiting += [left, right]
    return cut


def ways(tree: Any, X: Any) -> NDArray[np.bool_]:
    """Mark the nodes that each row passes; ``decision_path`` lost missing values in old releases."""
    passes = np.eye(tree.tree_.node_count, dtype=bool)  # from each leaf, up
    for t in range(tree.tree_.node_count):
        for child in (tree.tree_.children_left[t], tree.tree_.children_right[t]):
            if child >= 0:
                passes[child] |= passes[t]  # ids of children are larger
    return passes[tree.apply(X)]


def inner_shape(estimator: Any) -> list[tuple[int, float]]:
    """List feature and threshold of the splits in preorder, -2 at leaves: equal for equal trees."""
    tree, shape, waiting = estimator.tree_, [], [0]
    while waiting:
        t = waiting.pop()
        shape.append((int(tree.feature[t]), float(tree.threshold[t])))
        if tree.children_left[t] >= 0:
            waiting += [int(tree.children_right[t]), int(tree.children_left[t])]
    return shape
