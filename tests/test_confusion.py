"""Scores of the confusion matrices of all levels, held to scikit-learn's scorers on the same rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp

RATIOS = [f"{r}_{a}" for r in ("f1", "precision", "recall", "jaccard") for a in ("macro", "micro", "weighted")]
MANY = [*RATIOS, "balanced_accuracy", "matthews_corrcoef"]
BINARY = [*MANY, "f1", "precision", "recall", "jaccard"]


def expected(model: Any, name: str, X: Any, y: Any, weight: Any) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true", UserWarning)
        warnings.filterwarnings("ignore", "A single label was found", UserWarning)
        return get_scorer(name)(model, X, y, sample_weight=weight)


def check_all_levels(n_classes: int, seed: int, name: str, held_out: slice, zero: float) -> None:
    X, y = make_classification(150, n_informative=6, n_classes=n_classes, flip_y=0.3, random_state=seed)
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.1, 3, 150)
    weight[rng.random(150) < zero] = 0
    tree = DecisionTreeClassifier(random_state=0).fit(X[:100], y[:100])
    path = tp.pruning_path(tree)
    rows = X[held_out], y[held_out]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        curve = tp.pruning_curve(tree, path, *rows, *rows, name, sample_weight_test=weight[held_out])
    assert curve.computed_from == "statistics"
    for scores, of in ((curve.train, None), (curve.test, weight[held_out])):
        for level in range(path.n_levels):
            alpha = path.price[level]
            if int(path.levels_at(alpha)) != level:
                continue
            small = tp.prune(tree, "cost_complexity", alpha=alpha)
            assert scores[level] == pytest.approx(expected(small, name, *rows, of), abs=1e-12)


@pytest.mark.parametrize("zero", [0.0, 0.25])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", MANY)
def test_scores_of_many_classes_equal_those_of_scikit_learn(name: str, seed: int, zero: float) -> None:
    check_all_levels(3, seed, name, slice(100, 150), zero)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", BINARY)
def test_scores_of_two_classes_equal_those_of_scikit_learn(name: str, seed: int) -> None:
    check_all_levels(2, seed, name, slice(100, 150), 0.0)


@pytest.mark.parametrize("name", MANY)
def test_classes_absent_from_the_rows_are_treated_as_scikit_learn_treats_them(name: str) -> None:
    check_all_levels(4, 1, name, slice(100, 104), 0.0)


def test_crumbs_of_float_weights_do_not_count_as_rows() -> None:
    """The running sum of .1, .2, .3 ... leaves 1e-17 in cells without a row."""
    for seed in range(40):
        check_all_levels(3, seed, "precision_macro", slice(60, 100), 0.0)


@pytest.mark.parametrize("seed", range(16, 20))
def test_crumbs_do_not_count_as_the_weight_of_rows_that_have_none(seed: int) -> None:
    """A class that only rows without weight are taken for has the precision 0, not crumb over crumb."""
    check_all_levels(3, seed, "precision_macro", slice(60, 100), 0.5)
