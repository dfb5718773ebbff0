"""Curves over the strength of what has no path, soft pruning above all, against scikit-learn's own fits and scores."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_linnerud
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp

NUMBERS, CLASSES = DecisionTreeRegressor(random_state=0), DecisionTreeClassifier(random_state=0)
SHRINKAGE = {"shrinkage": [0, 1, 10.0, 500]}
STOPPING = {"stop_prior": [0.1, 0.5, 0.999]}
CASES = [
    (tp.HierarchicalShrinker(CLASSES), SHRINKAGE, load_iris, "neg_log_loss"),
    (tp.HierarchicalShrinker(CLASSES), SHRINKAGE, load_breast_cancer, "roc_auc"),
    (tp.HierarchicalShrinker(make_pipeline(StandardScaler(), NUMBERS)), SHRINKAGE, load_diabetes, "r2"),
    (tp.HierarchicalShrinker(NUMBERS), SHRINKAGE, load_linnerud, "neg_mean_squared_error"),
    (tp.TreeAverager(CLASSES), STOPPING, load_iris, "accuracy"),
    (tp.TreeAverager(NUMBERS), STOPPING, load_diabetes, "neg_mean_absolute_error"),
    (tp.ErrorBasedPruner(CLASSES), {"confidence": [0.5, 0.25, 0.001]}, load_breast_cancer, "accuracy"),
    (tp.CostComplexityPruner(CLASSES), {"alpha": [0.0, 0.01, 0.1]}, load_breast_cancer, "f1"),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("pruner", "strengths", "load", "scoring"), CASES)
def test_each_score_is_that_of_the_estimator_fitted_with_that_strength(pruner, strengths, load, scoring, weighted):
    X, y = load(return_X_y=True)
    if weighted and isinstance(getattr(pruner, "estimator", None), type(make_pipeline(NUMBERS))):
        pytest.skip("a Pipeline of scikit-learn scores without weights unless they are routed")
    rng = np.random.default_rng(0)
    weights = [rng.integers(1, 4, len(part)).astype(float) if weighted else None for part in (y[::2], y[1::2])]
    rows = X[::2], y[::2], X[1::2], y[1::2]
    names = dict(zip(("sample_weight_train", "sample_weight_test"), weights, strict=True))
    curve = tp.strength_curve(pruner, strengths, *rows, scoring, **names)
    ((parameter, values),) = strengths.items()
    assert (curve.parameter, curve.method, curve.price.tolist()) == (parameter, pruner.method, list(values))
    for k, value in enumerate(values):
        alone = clone(pruner).set_params(**{parameter: value}).fit(*rows[:2], weights[0])
        scored = [
            get_scorer(scoring)(alone.estimator_, *part, **({} if weight is None else {"sample_weight": weight}))
            for part, weight in zip((rows[:2], rows[2:]), weights, strict=True)
        ]
        np.testing.assert_allclose([curve.train[k], curve.test[k]], scored, rtol=1e-9, atol=1e-12)
        assert curve.n_leaves[k] == alone.n_leaves_


def test_a_frozen_tree_is_not_grown_again():
    X, y = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeClassifier(max_leaf_nodes=7, random_state=3).fit(X[:300], y[:300])
    curve = tp.strength_curve(tp.TreeAverager(FrozenEstimator(tree)), STOPPING, X[:300], y[:300], X[300:], y[300:])
    assert curve.n_leaves.tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("estimator", "grid"), [(tp.HierarchicalShrinker(CLASSES), SHRINKAGE), (tp.TreeAverager(CLASSES), STOPPING)]
)
def test_cross_validation_scores_soft_pruning_as_a_grid_search_does(estimator, grid):
    X, y = load_breast_cancer(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    search = tp.PrunerCV(estimator, grid, cv=folds, scoring="neg_log_loss", selection="minimum").fit(X, y)
    reference = GridSearchCV(estimator, grid, cv=folds, scoring="neg_log_loss").fit(X, y)
    by_fold = [reference.cv_results_[f"split{k}_test_score"] for k in range(5)]
    np.testing.assert_allclose(search.curve_.test.reshape(5, -1), by_fold)
    assert search.best_params_ == reference.best_params_
    np.testing.assert_array_equal(search.predict_proba(X), reference.predict_proba(X))


@pytest.mark.parametrize(("pruner", "strengths", "scale"), [(*CASES[0][:2], "symlog"), (*CASES[4][:2], "logit")])
def test_a_curve_of_equal_sizes_is_a_line_over_the_strength(pruner, strengths, scale):
    X, y = load_iris(return_X_y=True)
    curve = tp.strength_curve(pruner, strengths, X[::2], y[::2], X[1::2], y[1::2], "neg_log_loss")
    display = tp.PruningCurveDisplay(curve, level=1).plot(pyplot.subplots()[1])
    ((parameter, values),) = strengths.items()
    train, test = display.ax_.get_lines()[:2]
    np.testing.assert_array_equal(test.get_xdata(), values)
    np.testing.assert_allclose(test.get_ydata(), -curve.test)
    np.testing.assert_allclose(train.get_ydata(), -curve.train)
    assert test.get_linestyle() == "-"
    assert display.ax_.get_xscale() == scale
    assert display.ax_.get_xlabel() == f"{parameter.replace('_', ' ')} ({curve.n_leaves[0]} leaves)"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert any(label.startswith(f"chosen: {parameter.replace('_', ' ')} {values[1]:.3g}, ") for label in labels)
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("pruner", "strengths", "error", "message"),
    [
        (CLASSES, SHRINKAGE, TypeError, "a pruner, HierarchicalShrinker or TreeAverager is expected"),
        (tp.HierarchicalShrinker, SHRINKAGE, TypeError, "a pruner, HierarchicalShrinker"),
        (tp.HierarchicalShrinker(), [0, 1], ValueError, "one parameter and its values are expected"),
        (tp.HierarchicalShrinker(), {**SHRINKAGE, **STOPPING}, ValueError, "one parameter and its values"),
        (tp.HierarchicalShrinker(), {"lam": [1]}, ValueError, "'lam' is no parameter of the pruning: .* has shrinkage"),
        (tp.ReducedErrorPruner(), {"validation_fraction": [0.1]}, ValueError, "'validation_fraction' is no parameter"),
        (tp.HierarchicalShrinker(), {"shrinkage": []}, ValueError, "one number or several"),
        (tp.HierarchicalShrinker(), {"shrinkage": ["1"]}, ValueError, "one number or several"),
        (tp.HierarchicalShrinker(), {"shrinkage": [1, -1]}, ValueError, "shrinkage=-1 is out of range"),
    ],
)
def test_strengths_that_make_no_curve_are_refused(pruner, strengths, error, message):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(error, match=message):
        tp.strength_curve(pruner, strengths, X, y, X, y)


@pytest.mark.parametrize("soft", [tp.HierarchicalShrinker(shrinkage=50), tp.TreeAverager()])
@pytest.mark.parametrize("method", ["error_based", "minimum_error", "significance", "averaging"])
def test_a_soft_tree_is_pruned_by_rows_not_by_what_it_says_of_them(soft, method):
    X, y = load_breast_cancer(return_X_y=True)
    fitted = clone(soft).fit(X, y)
    by_rows = tp.prune(fitted.estimator_, method, X, y)
    with pytest.raises(ValueError, match=r"has changed the node values of this tree.*pass the growing rows"):
        tp.prune(fitted.estimator_, method)
    assert by_rows.get_n_leaves() <= tp.prune(fitted.grown_, method).get_n_leaves()
    if method in ("significance", "averaging"):  # which read counts only
        assert by_rows.get_n_leaves() == tp.prune(fitted.grown_, method).get_n_leaves()
    with pytest.raises(ValueError, match="has changed the node values"):
        tp.prune(by_rows, method)  # a pruned soft tree is soft


@pytest.mark.parametrize("soft", [tp.HierarchicalShrinker, tp.TreeAverager])
def test_rows_for_a_frozen_tree_are_checked(soft):
    X, y = load_iris(return_X_y=True)
    frozen = FrozenEstimator(DecisionTreeClassifier().fit(X, y))
    with pytest.raises(ValueError, match="weights are frequencies"):
        soft(frozen).fit(X, y, sample_weight=-np.ones(150))
    with pytest.raises(ValueError, match="y holds"):
        soft(frozen).fit(X, y + 7)


def test_averaged_shares_are_never_below_zero():
    for seed in range(60, 90):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(0, 5, (60, 3)).astype(float), rng.integers(0, 3, 60)
        soft = tp.TreeAverager(estimate="observed", stop_prior=0.1).fit(X, y)
        assert soft.predict_proba(X).min() >= 0
