"""PrunerCV against the slow recipe: for every fold and every alpha, fit again."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import treeprune as tp
from treeprune.evidence import FoldEvidence, RowEvidence
from treeprune.selection import fixed_size, minimum

Rows = tuple[np.ndarray, np.ndarray]


def classifier(**parameters: Any) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(random_state=0, **parameters)


def regressor(**parameters: Any) -> DecisionTreeRegressor:
    return DecisionTreeRegressor(random_state=0, **parameters)


def search_of(tree: Any, cv: Any = 5, **parameters: Any) -> tp.PrunerCV:
    return tp.PrunerCV(tp.CostComplexityPruner(tree), cv=cv, **parameters)


def breast_cancer() -> Rows:
    X, y = load_breast_cancer(return_X_y=True)
    return X[:240], y[:240]


def noisy_wine() -> Rows:
    X, y = load_wine(return_X_y=True)
    flip = np.random.default_rng(0).random(len(y)) < 0.25
    return X, np.where(flip, (y + 1) % 3, y)


def iris_names() -> Rows:
    X, y = load_iris(return_X_y=True)
    return X[:, :2], np.array(["setosa", "versicolor", "virginica"])[y]


def splits_without_gain() -> Rows:
    """Few different rows, and among them some that no split tells apart."""
    rng = np.random.default_rng(3)
    X = rng.integers(0, 4, (80, 3)).astype(float)
    y = (X[:, 0] > 1) ^ (rng.random(80) < 0.2)
    blind = np.repeat([[9.0, 0, 0], [9.0, 1, 0], [9.0, 0, 1], [9.0, 1, 1]], 4, axis=0)
    order = rng.permutation(96)
    return np.vstack([X, blind])[order], np.append(y, [0, 0, 1, 1] * 4).astype(int)[order]


def diabetes() -> Rows:
    X, y = load_diabetes(return_X_y=True)
    return X[:150], y[:150]


def numbers_without_gain() -> Rows:
    X, y = splits_without_gain()
    return X, y + X[:, 1] * (X[:, 0] < 9)


CLASSIFICATION = [breast_cancer, noisy_wine, iris_names, splits_without_gain]
REGRESSION = [diabetes, numbers_without_gain]


def between_levels(alphas: Iterable[float]) -> list[float]:
    """One alpha in each interval of the full tree's path; 0 where only the grown tree is meant."""
    found = [0 if high == low else high / 2 if low == 0 else np.sqrt(low * high) for low, high in pairwise(alphas)]
    return [*found, 1e9]


def slowly(
    tree: Any, X: Any, y: Any, splits: Any, alphas: Any, score: Any = "accuracy", weight: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Fit again for every fold and alpha; scores on train and test, shape (n_folds, n_levels)."""
    score = get_scorer(score) if isinstance(score, str) else score
    train, test = [], []
    for growing, held_out in splits:
        w = {} if weight is None else {"sample_weight": weight[growing]}
        v = {} if weight is None else {"sample_weight": weight[held_out]}
        models = [clone(tree).set_params(ccp_alpha=alpha).fit(X[growing], y[growing], **w) for alpha in alphas]
        train.append([score(model, X[growing], y[growing], **w) for model in models])
        test.append([score(model, X[held_out], y[held_out], **v) for model in models])
    return np.array(train), np.array(test)


def check_folds(search: tp.PrunerCV, train: np.ndarray, test: np.ndarray) -> None:
    np.testing.assert_allclose(search.curve_.test.reshape(test.shape), test, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(search.curve_.train.reshape(train.shape), train, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("make", CLASSIFICATION)
def test_classification_equals_the_slow_recipe(make: Callable[[], Rows]) -> None:
    X, y = make()
    search = search_of(classifier()).fit(X, y)
    splits = list(StratifiedKFold(5).split(X, y))
    alphas = between_levels(search.path_.price)
    train, test = slowly(classifier(), X, y, splits, alphas)
    check_folds(search, train, test)
    sizes = np.array([len(held_out) for _, held_out in splits])
    np.testing.assert_allclose(search.scores_.test, sizes @ test / sizes.sum())
    np.testing.assert_allclose(search.scores_.train, train.mean(axis=0))
    np.testing.assert_allclose(search.scores_.test_spread, test.std(axis=0, ddof=1))
    np.testing.assert_allclose(search.scores_.train_spread, train.std(axis=0, ddof=1))
    if make is splits_without_gain:
        assert search.path_.price[0] == search.path_.price[1] == 0


@pytest.mark.parametrize("make", REGRESSION)
def test_regression_equals_the_slow_recipe(make: Callable[[], Rows]) -> None:
    X, y = make()
    search = search_of(regressor(min_samples_leaf=2)).fit(X, y)
    splits = list(KFold(5).split(X))
    alphas = between_levels(search.path_.price)
    train, test = slowly(regressor(min_samples_leaf=2), X, y, splits, alphas, "neg_mean_squared_error")
    check_folds(search, train, test)
    sizes = np.array([len(held_out) for _, held_out in splits])
    np.testing.assert_allclose(search.scores_.test, sizes @ test / sizes.sum())
    if make is numbers_without_gain:
        assert search.path_.price[0] == search.path_.price[1] == 0


@pytest.mark.parametrize("selection", ["minimum", "one_standard_error", "within_tolerance"])
def test_the_tree_is_that_of_a_fit_with_the_alpha_chosen(selection: str) -> None:
    X, y = noisy_wine()
    search = search_of(classifier(), selection=selection).fit(X, y)
    chosen = between_levels(search.path_.price)[search.best_level_]
    expected = classifier(ccp_alpha=chosen).fit(X, y)
    assert search.n_leaves_ == search.estimator_.get_n_leaves() == expected.get_n_leaves()
    assert search.best_price_ == search.path_.price[search.best_level_]
    np.testing.assert_array_equal(search.predict(X), expected.predict(X))
    np.testing.assert_allclose(search.predict_proba(X), expected.predict_proba(X))
    assert search.score(X, y) == expected.score(X, y)
    assert search.grown_.get_n_leaves() == classifier().fit(X, y).get_n_leaves()


def test_scores_are_those_of_a_grid_search_over_the_same_alphas() -> None:
    X, y = iris_names()
    search = search_of(classifier(), selection="minimum").fit(X, y)  # 150 rows: folds of equal size
    alphas = between_levels(search.path_.price)
    grid = GridSearchCV(classifier(), {"ccp_alpha": alphas}, cv=5).fit(X, y)
    np.testing.assert_allclose(search.scores_.test, grid.cv_results_["mean_test_score"])
    folds = np.array([grid.cv_results_[f"split{k}_test_score"] for k in range(5)])
    np.testing.assert_allclose(search.curve_.test.reshape(5, -1), folds)
    best = np.flatnonzero(np.isclose(search.scores_.test, grid.best_score_))
    assert search.best_level_ == best[-1]  # grid search would take the first of those that tie


def test_the_rules_see_the_standard_error_by_case_by_fold_and_of_pairs() -> None:
    X, y = noisy_wine()
    splits = list(StratifiedKFold(5).split(X, y))
    by_case, by_fold, paired = (
        search_of(classifier(), standard_error=kind).fit(X, y) for kind in ("case", "fold", "paired")
    )
    alphas = between_levels(by_case.path_.price)
    right = np.full((len(y), len(alphas)), np.nan)
    for growing, held_out in splits:
        for k, alpha in enumerate(alphas):
            model = classifier(ccp_alpha=alpha).fit(X[growing], y[growing])
            right[held_out, k] = model.predict(X[held_out]) == y[held_out]
    folds = np.array([right[held_out].mean(axis=0) for _, held_out in splits])
    score, n = right.mean(axis=0), len(y)
    best = np.flatnonzero(np.isclose(score, score.max()))[-1]
    case_error, fold_error = right.std(axis=0) / np.sqrt(n), folds.std(axis=0, ddof=1) / np.sqrt(5)
    gap_error = (right - right[:, [score.argmax()]]).std(axis=0) / np.sqrt(n)
    np.testing.assert_allclose(by_case.scores_.standard_error, case_error)
    np.testing.assert_allclose(by_fold.scores_.standard_error, fold_error)
    np.testing.assert_allclose(paired.scores_.gap_error, gap_error, atol=1e-12)
    assert by_case.scores_.gap_error is None
    for search, allowed in ((by_case, case_error[best]), (by_fold, fold_error[best]), (paired, gap_error)):
        assert search.best_level_ == np.flatnonzero(score >= score[best] - allowed - 1e-12)[-1]


def test_the_default_standard_error_is_by_case() -> None:
    X, y = noisy_wine()
    default, by_case = search_of(classifier()).fit(X, y), search_of(classifier(), standard_error="case").fit(X, y)
    np.testing.assert_array_equal(default.scores_.standard_error, by_case.scores_.standard_error)


@pytest.mark.parametrize("risk", ["impurity", "error"])
@pytest.mark.parametrize("make", [noisy_wine, diabetes, splits_without_gain])
def test_the_cp_table_is_rparts_formulas_by_hand(make: Callable[[], Rows], risk: Any) -> None:
    X, y = make()
    tree = regressor(min_samples_leaf=5) if make is diabetes else classifier()
    search = tp.PrunerCV(tp.CostComplexityPruner(tree, risk=risk), cv=KFold(4)).fit(X, y)
    table, path, grown, n = search.cp_table_, search.path_, search.grown_, len(y)

    def losses(model: Any, rows: Any) -> Any:
        error = model.predict(X[rows]) - y[rows]
        return error**2 if make is diabetes else error != 0

    def at(model: Any, alpha: float) -> Any:
        return model if alpha == 0 else tp.prune(model, tp.CostComplexityPruner(alpha=alpha, risk=risk))

    root_error = y.var() if make is diabetes else 1 - np.bincount(y).max() / n
    root_risk = grown.tree_.impurity[0] if risk == "impurity" else root_error
    alphas, everything = between_levels(path.price), np.arange(n)
    out_of_fold = np.full((n, path.n_levels), np.nan)
    for growing, held_out in KFold(4).split(X):
        fold_tree = clone(tree).fit(X[growing], y[growing])
        if risk == "error":  # the growing rows are read off the tree: unweighted counts
            assert fold_tree.tree_.n_node_samples[0] == len(growing)
        for k, alpha in enumerate(alphas):
            out_of_fold[held_out, k] = losses(at(fold_tree, alpha), held_out)
    training = [losses(at(grown, alpha), everything).mean() for alpha in alphas]
    error, square = out_of_fold.sum(axis=0), (out_of_fold**2).sum(axis=0)
    expected = {
        "CP": path.price / root_risk,
        "nsplit": path.n_leaves - 1,
        "rel error": np.array(training) / root_error,
        "xerror": error / n / root_error,
        "xstd": np.sqrt(square - error**2 / n) / n / root_error,
    }
    assert list(table.columns) == list(expected)
    for name, column in expected.items():
        np.testing.assert_allclose(table[name], column[::-1], atol=1e-10)
    assert table["nsplit"].iloc[0] == 0
    np.testing.assert_allclose(table["rel error"].iloc[0], 1)


def test_the_cp_table_counts_weights_as_rows() -> None:
    X, y = noisy_wine()
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    row = np.repeat(np.arange(len(y)), weight)
    fold = np.arange(len(y)) % 4
    tables = [
        search_of(classifier(min_samples_leaf=1), cv=PredefinedSplit(folds))
        .fit(rows, labels, sample_weight=w)
        .cp_table_
        for rows, labels, folds, w in ((X, y, fold, weight), (X[row], y[row], fold[row], None))
    ]
    pd.testing.assert_frame_equal(*tables, check_dtype=False)


@pytest.mark.parametrize(
    "search",
    [
        search_of(classifier(), scoring="f1_macro"),
        tp.PrunerCV(tp.MaxDepthPruner(classifier()), cv=3),
        tp.PrunerCV(tp.MinimumErrorPruner(classifier()), {"m": [1, 4]}, cv=3),
    ],
)
def test_other_methods_and_scores_have_no_cp_table(search: tp.PrunerCV) -> None:
    X, y = noisy_wine()
    with pytest.raises(NotFittedError):
        _ = search.cp_table_
    with pytest.raises(AttributeError, match=r"cp_table_ is of cost-complexity pruning scored by accuracy"):
        _ = search.fit(X, y).cp_table_


@pytest.mark.parametrize("scoring", ["f1_macro", "balanced_accuracy", "roc_auc_ovr", "neg_log_loss", "accuracy"])
def test_classification_scores_of_folds_are_those_of_refits(scoring: str) -> None:
    X, y = noisy_wine()
    search = search_of(classifier(max_leaf_nodes=8), cv=4, scoring=scoring).fit(X, y)
    alphas = between_levels(search.path_.price)
    train, test = slowly(classifier(max_leaf_nodes=8), X, y, StratifiedKFold(4).split(X, y), alphas, scoring)
    check_folds(search, train, test)
    by_rows = scoring in ("neg_log_loss", "accuracy")
    assert isinstance(search.evidence_, RowEvidence if by_rows else FoldEvidence)
    assert search.curve_.computed_from == "statistics"
    if not by_rows:
        np.testing.assert_allclose(search.scores_.test, test.mean(axis=0))
        np.testing.assert_allclose(search.scores_.standard_error, test.std(axis=0, ddof=1) / 2)


@pytest.mark.parametrize("scoring", ["r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"])
def test_regression_scores_of_folds_are_those_of_refits(scoring: str) -> None:
    X, y = diabetes()
    search = search_of(regressor(min_samples_leaf=9), cv=4, scoring=scoring).fit(X, y)
    alphas = between_levels(search.path_.price)
    train, test = slowly(regressor(min_samples_leaf=9), X, y, KFold(4).split(X), alphas, scoring)
    check_folds(search, train, test)
    np.testing.assert_allclose(search.scores_.test, test.mean(axis=0))
    np.testing.assert_allclose(search.scores_.standard_error, test.std(axis=0, ddof=1) / 2)
    assert search.curve_.computed_from == ("predictions" if "absolute" in scoring else "statistics")


def macro_f1(model: Any, X: Any, y: Any) -> float:
    return float(f1_score(y, model.predict(X), average="macro"))


@pytest.mark.parametrize("scoring", [macro_f1, make_scorer(f1_score, average="macro")])
def test_callables_score_folds_like_the_name(scoring: Any) -> None:
    X, y = noisy_wine()
    ours, named = (search_of(classifier(), cv=3, scoring=s).fit(X, y) for s in (scoring, "f1_macro"))
    np.testing.assert_allclose(ours.curve_.test, named.curve_.test)
    assert ours.curve_.computed_from == "predictions"
    assert ours.best_level_ == named.best_level_


@pytest.mark.parametrize("kind", ["case", "paired"])
def test_scores_of_folds_have_no_standard_error_over_rows(kind: Any) -> None:
    X, y = noisy_wine()
    with pytest.raises(ValueError, match=f"standard_error='{kind}' is over rows, and f1_macro is no mean over rows"):
        search_of(classifier(), scoring="f1_macro", standard_error=kind).fit(X, y)


# other paths


def at_depth(depth: float, X: Any, y: Any) -> Any:
    model = DummyRegressor() if depth == 0 else regressor(min_samples_leaf=5, max_depth=int(depth))
    return model.fit(X, y)


def at_leaves(leaves: float, X: Any, y: Any) -> Any:
    model = DummyRegressor() if leaves == 1 else regressor(min_samples_leaf=5, max_leaf_nodes=int(leaves))
    return model.fit(X, y)


@pytest.mark.parametrize(("pruner", "limited"), [(tp.MaxDepthPruner, at_depth), (tp.MaxLeafNodesPruner, at_leaves)])
def test_growth_limits_equal_a_grid_of_refits(pruner: type, limited: Callable[..., Any]) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 4))
    y = X[:, 0] * X[:, 1] + rng.normal(size=200)
    search = tp.PrunerCV(pruner(regressor(min_samples_leaf=5)), cv=4, selection="minimum").fit(X, y)
    score = get_scorer("neg_mean_squared_error")
    test = np.array(
        [
            [score(limited(limit, X[growing], y[growing]), X[held_out], y[held_out]) for limit in search.path_.price]
            for growing, held_out in KFold(4).split(X)
        ]
    )
    np.testing.assert_allclose(search.curve_.test.reshape(test.shape), test)
    assert search.curve_.holds == "up_to"
    assert search.best_price_ == search.path_.price[np.isclose(test.mean(axis=0), test.mean(axis=0).max())][-1]
    refit = limited(search.best_price_, X, y)
    np.testing.assert_allclose(search.predict(X), refit.predict(X))


@pytest.mark.parametrize("goodness", ["impurity_decrease", "gain_ratio"])
def test_critical_values_equal_pruning_every_fold_at_every_value(goodness: Any) -> None:
    X, y = noisy_wine()
    pruner = tp.CriticalValuePruner(classifier(), goodness=goodness)
    search = tp.PrunerCV(pruner, cv=4).fit(X, y)
    values = between_levels(search.path_.price)
    test = [
        [
            clone(pruner).set_params(critical_value=v).fit(X[growing], y[growing]).score(X[held_out], y[held_out])
            for v in values
        ]
        for growing, held_out in StratifiedKFold(4).split(X, y)
    ]
    np.testing.assert_allclose(search.curve_.test.reshape(4, -1), test)
    assert search.curve_.holds == "above"


# splitters


def test_groups_are_kept_together() -> None:
    X, y = noisy_wine()
    groups = np.random.default_rng(0).integers(0, 12, len(y))
    search = search_of(classifier(), cv=GroupKFold(4)).fit(X, y, groups=groups)
    splits = list(GroupKFold(4).split(X, y, groups))
    check_folds(search, *slowly(classifier(), X, y, splits, between_levels(search.path_.price)))
    with pytest.raises(ValueError, match="groups"):
        search_of(classifier(), cv=GroupKFold(4)).fit(X, y)


def test_groups_are_kept_together_in_the_holdout_of_every_fold_too() -> None:
    X, y = noisy_wine()
    groups = np.random.default_rng(0).integers(0, 12, len(y))
    inner = tp.ReducedErrorPruner(classifier(), validation_fraction=GroupShuffleSplit(1, random_state=0))
    grid = {"ties": ["prune", "keep"]}
    search = tp.PrunerCV(inner, grid, cv=GroupKFold(4)).fit(X, y, groups=groups)
    expected = [
        [
            clone(inner)
            .set_params(ties=ties)
            .fit(X[growing], y[growing], groups=groups[growing])
            .score(X[held_out], y[held_out])
            for ties in grid["ties"]
        ]
        for growing, held_out in GroupKFold(4).split(X, y, groups)
    ]
    np.testing.assert_allclose(search.curve_.test.reshape(4, 2), expected)
    refit = clone(inner).set_params(**search.best_params_).fit(X, y, groups=groups)
    np.testing.assert_array_equal(search.predict(X), refit.predict(X))


@pytest.mark.parametrize("scoring", ["f1_macro", "balanced_accuracy", "accuracy", "recall_weighted"])
def test_a_class_that_a_fold_was_not_grown_with_is_scored_as_missed(scoring: str) -> None:
    X, y = noisy_wine()
    X, y = np.vstack([X, X[:1] + 5]), np.append(y, 9)  # one row of a class of its own
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    search = search_of(classifier(max_leaf_nodes=6), cv=splits, scoring=scoring).fit(X, y)
    alphas = between_levels(search.path_.price)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes without predicted rows
        check_folds(search, *slowly(classifier(max_leaf_nodes=6), X, y, splits, alphas, scoring))


def test_a_third_class_in_a_fold_is_no_matter_for_a_score_of_two() -> None:
    X, y = noisy_wine()
    X, y = X[y > 0], y[y > 0] - 1
    X, y = np.vstack([X, X[:1] + 5]), np.append(y, 9)
    splits = [(np.arange(len(y) - 1), np.arange(len(y) - 20, len(y)))]
    with pytest.raises(ValueError, match="Target is multiclass but average='binary'"):
        search_of(classifier(), cv=splits, scoring="f1").fit(X, y)


def test_an_area_in_a_fold_with_a_class_unknown_to_its_tree_is_refused_as_scikit_learn_does() -> None:
    X, y = noisy_wine()
    X, y = np.vstack([X, X[:1] + 5]), np.append(y, 9)
    splits = [(np.arange(len(y) - 1), np.arange(len(y) - 60, len(y)))]
    with pytest.raises(ValueError, match="Number of classes in y_true"):
        search_of(classifier(), cv=splits, scoring="roc_auc_ovr").fit(X, y)


@pytest.mark.parametrize("kind", ["case", "paired"])
def test_rows_copied_within_their_group_are_no_evidence_that_is_new(kind: Any) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    copied = np.repeat(np.arange(len(y)), 4)
    search = search_of(classifier(), cv=GroupKFold(5), standard_error=kind)
    once = clone(search).fit(X, y, groups=np.arange(len(y)))
    again = clone(search).fit(X[copied], y[copied], groups=copied)
    np.testing.assert_allclose(again.scores_.standard_error, once.scores_.standard_error, rtol=1e-9)
    assert again.n_leaves_ == once.n_leaves_


def test_folds_that_overlap_at_random_count_as_many_as_they_hold_different_rows() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    cv = ShuffleSplit(10, test_size=0.1, random_state=0)
    search = search_of(classifier(), cv=cv, standard_error="fold").fit(X, y)
    held_out = np.concatenate([rows for _, rows in cv.split(X)])
    n = 10 * len(np.unique(held_out)) / len(held_out)
    expected = search.curve_.test.reshape(10, -1).std(axis=0, ddof=1) / np.sqrt(n)
    np.testing.assert_allclose(search.scores_.standard_error, expected)
    np.testing.assert_allclose(search.curve_.summary().standard_error, expected)
    areas = search_of(classifier(), cv=cv, scoring="roc_auc").fit(X, y)
    assert areas.scores_.test.min() <= areas.honest_score_ <= areas.scores_.test.max()
    np.testing.assert_allclose(areas.scores_.standard_error, areas.curve_.summary().standard_error)


def test_rows_that_no_fold_holds_out_are_no_evidence() -> None:
    X, y = diabetes()
    cv = TimeSeriesSplit(4)
    search = search_of(regressor(min_samples_leaf=4), cv=cv).fit(X, y)
    splits = list(cv.split(X))
    alphas = between_levels(search.path_.price)
    train, test = slowly(regressor(min_samples_leaf=4), X, y, splits, alphas, "neg_mean_squared_error")
    check_folds(search, train, test)
    np.testing.assert_array_equal(search.evidence_.rows.row, np.concatenate([late for _, late in splits]))
    np.testing.assert_allclose(search.scores_.test, test.mean(axis=0))  # folds of equal size


def test_repeats_do_not_shrink_the_standard_error() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 4)), rng.integers(0, 2, 90)
    errors = {}
    for scoring, n_repeats in product(("accuracy", "f1_macro"), (1, 10)):
        cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=0)
        search = search_of(classifier(max_leaf_nodes=5), cv=cv, scoring=scoring, standard_error="fold").fit(X, y)
        folds = search.curve_.test.reshape(5 * n_repeats, -1)
        np.testing.assert_allclose(search.scores_.standard_error, folds.std(axis=0, ddof=1) / np.sqrt(5))
        errors[scoring, n_repeats] = np.median(search.scores_.standard_error[:-1])
        if scoring == "accuracy":
            assert search.evidence_.n_units == 90
            errors["case", n_repeats] = np.median(search.evidence_.rows.standard_error(np.ones(90))[:-1])
    for kind in ("accuracy", "f1_macro", "case"):
        assert errors[kind, 10] > 0.5 * errors[kind, 1]  # ten times as many independent rows would give 0.32


@pytest.mark.slow
def test_leaving_one_out_is_the_slow_recipe() -> None:
    X, y = noisy_wine()
    X, y = X[::6], y[::6]
    search = search_of(classifier(), cv=LeaveOneOut()).fit(X, y)
    alphas = between_levels(search.path_.price)
    _, test = slowly(classifier(), X, y, LeaveOneOut().split(X), alphas)
    np.testing.assert_allclose(search.scores_.test, test.mean(axis=0))
    np.testing.assert_allclose(search.scores_.standard_error, test.std(axis=0) / np.sqrt(len(y)))


def as_masks(splits: Any, n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.isin(np.arange(n), growing), np.isin(np.arange(n), held_out)) for growing, held_out in splits]


def test_splits_may_be_numbers_lists_masks_or_count_from_the_end() -> None:
    X, y = noisy_wine()
    n, splits = len(y), list(KFold(3, shuffle=True, random_state=1).split(X))
    expected = search_of(classifier(), cv=KFold(3, shuffle=True, random_state=1)).fit(X, y)
    for given in (
        splits,
        iter(splits),
        as_masks(splits, n),
        [(growing.tolist(), held_out.tolist()) for growing, held_out in splits],
        [(growing - n, held_out - n) for growing, held_out in splits],
    ):
        search = search_of(classifier(), cv=given).fit(X, y)
        np.testing.assert_array_equal(search.scores_.test, expected.scores_.test)
        np.testing.assert_array_equal(search.evidence_.rows.row, np.arange(n))


def test_a_predefined_split_is_a_holdout() -> None:
    X, y = noisy_wine()
    cv = PredefinedSplit(np.where(np.arange(len(y)) % 3 == 0, 0, -1))
    search = search_of(classifier(), cv=cv).fit(X, y)
    check_folds(search, *slowly(classifier(), X, y, cv.split(), between_levels(search.path_.price)))


def test_a_share_holds_rows_out_once_and_by_class() -> None:
    X, y = noisy_wine()
    search = search_of(classifier(), cv=0.25, random_state=0).fit(X, y)
    held_out = search.evidence_.rows.row
    assert len(held_out) == 45
    np.testing.assert_allclose(np.bincount(y[held_out]) / 45, np.bincount(y) / len(y), atol=0.03)
    growing = np.setdiff1d(np.arange(len(y)), held_out)
    alphas = between_levels(search.path_.price)
    check_folds(search, *slowly(classifier(), X, y, [(growing, held_out)], alphas))
    again = search_of(classifier(), cv=0.25, random_state=0).fit(X, y)
    np.testing.assert_array_equal(again.evidence_.rows.row, held_out)
    np.testing.assert_array_equal(search.scores_.test_spread, 0)


def test_a_single_split_has_no_standard_error_over_folds() -> None:
    X, y = noisy_wine()
    for parameters in ({"standard_error": "fold"}, {"scoring": "f1_macro"}):
        holdout = {"cv": 0.3, "random_state": 0, **parameters}
        with pytest.raises(ValueError, match=r"one_standard_error needs a standard error, and one repeat"):
            search_of(classifier(), **holdout).fit(X, y)
        search = search_of(classifier(), selection="minimum", **holdout).fit(X, y)
        assert search.scores_.standard_error is None


# what is kept


def test_the_tree_of_a_holdout_may_be_kept_as_it_is() -> None:
    X, y = noisy_wine()
    split = next(ShuffleSplit(1, test_size=0.3, random_state=0).split(X))
    for risk in ("impurity", "error"):
        pruner = tp.CostComplexityPruner(classifier(), risk=risk)
        search = tp.PrunerCV(pruner, cv=[split], refit="none", selection="minimum").fit(X, y)
        grown = classifier().fit(X[split[0]], y[split[0]])
        path = tp.pruning_path(grown, pruner)
        curve = tp.pruning_curve(grown, path, X[split[0]], y[split[0]], X[split[1]], y[split[1]])
        np.testing.assert_allclose(search.scores_.test, curve.test)
        np.testing.assert_allclose(search.scores_.train, curve.train)
        assert search.best_level_ == minimum(curve)
        np.testing.assert_array_equal(search.path_.price, path.price)
        chosen = tp.prune(grown, "cost_complexity", alpha=float(search.best_price_), risk=risk)
        np.testing.assert_allclose(search.predict_proba(X), chosen.predict_proba(X))
        root_error = 1 - np.bincount(y[split[0]]).max() / len(split[0])
        root_risk = root_error if risk == "error" else grown.tree_.impurity[0]
        np.testing.assert_allclose(search.cp_table_["CP"], path.price[::-1] / root_risk)
        np.testing.assert_allclose(search.cp_table_["rel error"], (1 - curve.train[::-1]) / root_error)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("make", [noisy_wine, diabetes, "two outputs"])
def test_all_rows_may_set_the_leaves_of_a_holdout(make: Any, weighted: bool) -> None:
    X, y = diabetes() if isinstance(make, str) else make()
    tree = classifier() if make is noisy_wine else regressor(min_samples_leaf=3)
    y = np.column_stack([y, X[:, 2] - y]) if isinstance(make, str) else y
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else np.ones(len(y))
    split = next(ShuffleSplit(1, test_size=0.3, random_state=0).split(X))
    search = tp.PrunerCV(tp.CostComplexityPruner(tree), cv=[split], refit="leaves").fit(X, y, sample_weight=weight)
    leaf = search.estimator_.apply(X)
    by_class = make is noisy_wine
    for t in np.unique(leaf):
        mine = leaf == t
        values = np.eye(3)[y[mine]] if by_class else y[mine].reshape(mine.sum(), -1)
        expected = np.average(values, axis=0, weights=weight[mine])
        predicted = search.predict_proba(X[mine]) if by_class else search.predict(X[mine]).reshape(mine.sum(), -1)
        np.testing.assert_allclose(predicted, np.tile(expected, (mine.sum(), 1)))
        assert search.estimator_.tree_.n_node_samples[t] == mine.sum()
    kept = clone(search).set_params(refit="none").fit(X, y, sample_weight=weight)
    assert kept.n_leaves_ == search.n_leaves_
    np.testing.assert_array_equal(kept.scores_.test, search.scores_.test)


@pytest.mark.parametrize("refit", ["leaves", "none"])
def test_no_tree_of_many_folds_is_kept(refit: Any) -> None:
    X, y = noisy_wine()
    with pytest.raises(ValueError, match=f"refit='{refit}' keeps the tree of a single split, there are 3"):
        search_of(classifier(), cv=3, refit=refit).fit(X, y)
    with pytest.raises(ValueError, match=f"refit='{refit}' is for a path"):
        tp.PrunerCV(tp.MinimumErrorPruner(), {"m": [1]}, cv=0.3, refit=refit).fit(X, y)


# grids


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    grown: list[int] = []
    original = DecisionTreeClassifier.fit

    def fit(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        grown.append(len(X))
        return original(self, X, *args, **kwargs)

    monkeypatch.setattr(DecisionTreeClassifier, "fit", fit)
    return grown


def slow_grid(pruner: Any, grid: Any, X: Any, y: Any, cv: Any, scoring: Any = None) -> GridSearchCV:
    return GridSearchCV(pruner, grid, cv=cv, scoring=scoring, return_train_score=True).fit(X, y)


def check_grid(search: tp.PrunerCV, grid: GridSearchCV) -> None:
    n_folds = grid.n_splits_
    for part in ("train", "test"):
        expected = [grid.cv_results_[f"split{k}_{part}_score"] for k in range(n_folds)]
        np.testing.assert_allclose(getattr(search.curve_, part).reshape(n_folds, -1), expected)


GRIDS = [
    (tp.MinimumErrorPruner(classifier()), {"m": [0, 2, 8, 32]}, 1),
    (tp.ErrorBasedPruner(classifier()), {"confidence": [0.01, 0.25], "limit": ["c4.5", "exact"]}, 1),
    (tp.ReducedErrorPruner(classifier(), random_state=0), {"ties": ["prune", "keep"]}, 1),
    (tp.PessimisticErrorPruner(classifier()), {"z": [0, 1], "estimator__min_samples_leaf": [1, 3, 9]}, 3),
    (
        tp.ReducedErrorPruner(classifier(), random_state=0),
        {"ties": ["prune", "keep"], "validation_fraction": [0.2, 0.4]},
        2,
    ),
    (tp.CostComplexityPruner(classifier()), {"alpha": [0.0, 0.02], "estimator__max_depth": [2, None]}, 2),
    (tp.CostComplexityPruner(), {"alpha": [0.01], "estimator": [classifier(), classifier(splitter="random")]}, 2),
    (tp.MinimumErrorPruner(classifier()), [{"m": [50.0]}, {"prior": [[0.2, 0.3, 0.5], [0.9, 0.1, 0.0]]}], 1),
]


@pytest.mark.parametrize(("pruner", "grid", "growths"), GRIDS)
def test_a_grid_equals_a_grid_search_with_one_tree_for_each_way_to_grow(
    pruner: Any, grid: Any, growths: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = noisy_wine()
    expected = slow_grid(pruner, grid, X, y, 3)
    grown = counting(monkeypatch)
    search = tp.PrunerCV(pruner, grid, cv=3, selection="minimum").fit(X, y)
    assert len(grown) == 3 * growths + 1  # and the tree of all rows
    check_grid(search, expected)
    scores = search.scores_.test
    assert scores[search.best_level_] == scores.max()
    assert search.best_params_ == expected.cv_results_["params"][search.best_level_]
    fitted = clone(pruner).set_params(**search.best_params_).fit(X, y)
    np.testing.assert_allclose(search.predict_proba(X), fitted.predict_proba(X))
    assert search.n_leaves_ == fitted.n_leaves_
    assert search.grown_.get_n_leaves() == fitted.grown_.get_n_leaves()
    assert search.curve_.computed_from == "predictions"
    assert not search.curve_.nested
    assert not hasattr(search, "path_")
    np.testing.assert_array_equal(search.curve_.summary().n_leaves, search.scores_.n_leaves)


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr", "f1_macro", macro_f1])
def test_a_grid_is_scored_by_anything(scoring: Any) -> None:
    X, y = noisy_wine()
    pruner, grid = tp.MinimumErrorPruner(classifier()), {"m": [1, 10, 100]}
    search = tp.PrunerCV(pruner, grid, cv=3, scoring=scoring).fit(X, y)
    check_grid(search, slow_grid(pruner, grid, X, y, 3, scoring))


def test_a_grid_of_regression_trees_with_weights() -> None:
    X, y = diabetes()
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    pruner, grid = tp.MinimumErrorPruner(regressor()), {"m": [0, 5, 50]}
    search = tp.PrunerCV(pruner, grid, cv=3).fit(X, y, sample_weight=weight)
    score = get_scorer("neg_mean_squared_error")
    for k, (growing, held_out) in enumerate(KFold(3).split(X)):
        for m, ours in zip(grid["m"], search.curve_.of_repeat(k)["test"], strict=True):
            fitted = clone(pruner).set_params(m=m).fit(X[growing], y[growing], sample_weight=weight[growing])
            np.testing.assert_allclose(ours, score(fitted, X[held_out], y[held_out], sample_weight=weight[held_out]))


def test_pipelines_are_grown_and_pruned_whole() -> None:
    X, y = noisy_wine()
    pipeline = make_pipeline(StandardScaler(), classifier())
    search = search_of(pipeline).fit(X, y)
    alphas = between_levels(search.path_.price)
    grid = GridSearchCV(pipeline, {"decisiontreeclassifier__ccp_alpha": alphas}, cv=5).fit(X, y)
    folds = [grid.cv_results_[f"split{k}_test_score"] for k in range(5)]
    np.testing.assert_allclose(search.curve_.test.reshape(5, -1), folds)
    assert type(search.estimator_) is type(pipeline)
    alone = search_of(classifier()).fit(StandardScaler().fit_transform(X), y)
    np.testing.assert_array_equal(search.predict(X), alone.predict(StandardScaler().fit_transform(X)))
    grid = {"m": [1, 30], "estimator__decisiontreeclassifier__max_depth": [2, 5]}
    check_grid(
        tp.PrunerCV(tp.MinimumErrorPruner(pipeline), grid, cv=3).fit(X, y),
        slow_grid(tp.MinimumErrorPruner(pipeline), grid, X, y, 3),
    )


# weights, routing, jobs


@pytest.mark.parametrize("scoring", [None, "f1_macro", "neg_log_loss"])
def test_weight_two_is_a_row_twice(scoring: Any) -> None:
    X, y = noisy_wine()
    weight = np.random.default_rng(2).integers(0, 3, len(y))
    row, fold = np.repeat(np.arange(len(y)), weight), np.arange(len(y)) % 4
    weighted = search_of(classifier(), cv=PredefinedSplit(fold), scoring=scoring).fit(X, y, sample_weight=weight)
    repeated = search_of(classifier(), cv=PredefinedSplit(fold[row]), scoring=scoring).fit(X[row], y[row])
    np.testing.assert_allclose(weighted.path_.price, repeated.path_.price)
    for name in ("train", "test", "n_leaves"):
        np.testing.assert_allclose(getattr(weighted.curve_, name), getattr(repeated.curve_, name))
    np.testing.assert_allclose(weighted.scores_.test, repeated.scores_.test)
    np.testing.assert_allclose(weighted.scores_.standard_error, repeated.scores_.standard_error)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X))


def test_weights_and_groups_are_routed_through_searches() -> None:
    X, y = noisy_wine()
    rng = np.random.default_rng(0)
    weight, groups = rng.integers(1, 4, len(y)).astype(float), rng.integers(0, 15, len(y))
    inner = search_of(classifier(), cv=GroupKFold(3), selection="minimum")
    expected = []
    for growing, held_out in GroupKFold(2).split(X, y, groups):
        fitted = clone(inner).fit(X[growing], y[growing], sample_weight=weight[growing], groups=groups[growing])
        expected.append(fitted.score(X[held_out], y[held_out], sample_weight=weight[held_out]))
    with sklearn.config_context(enable_metadata_routing=True):
        routed = inner.set_fit_request(sample_weight=True, groups=True).set_score_request(sample_weight=True)
        params = {"sample_weight": weight, "groups": groups}
        scored = cross_validate(routed, X, y, cv=GroupKFold(2), params=params)
        np.testing.assert_allclose(scored["test_score"], expected)
        grid = GridSearchCV(routed, {"selection": ["minimum", "one_standard_error"]}, cv=GroupKFold(2))
        grid.fit(X, y, **params)
        folds = [grid.cv_results_[f"split{k}_test_score"][0] for k in range(2)]
        np.testing.assert_allclose(folds, expected)


def same(one: tp.PrunerCV, other: tp.PrunerCV) -> None:
    np.testing.assert_array_equal(one.curve_.test, other.curve_.test)
    np.testing.assert_array_equal(one.scores_.test, other.scores_.test)
    assert one.best_level_ == other.best_level_


def test_two_jobs_find_what_one_finds() -> None:
    X, y = noisy_wine()
    grid = tp.PrunerCV(tp.MinimumErrorPruner(classifier()), {"m": [1, 9]}, cv=4)
    for search in (search_of(classifier()), grid):
        with parallel_config("threading"):
            two = clone(search).set_params(n_jobs=2).fit(X, y)
        same(search.fit(X, y), two)


@pytest.mark.slow
def test_two_processes_find_what_one_finds() -> None:
    X, y = noisy_wine()
    same(search_of(classifier()).fit(X, y), search_of(classifier(), n_jobs=2).fit(X, y))


def test_data_frames_and_lists_are_taken_like_arrays() -> None:
    X, y = iris_names()
    expected = search_of(classifier()).fit(X, y)
    frame = pd.DataFrame(X, columns=["long", "wide"], index=np.arange(len(y))[::-1])
    of_frame = search_of(classifier()).fit(frame, pd.Series(y, index=frame.index))
    same(expected, of_frame)
    same(expected, search_of(classifier()).fit(X.tolist(), y.tolist()))
    assert of_frame.feature_names_in_.tolist() == ["long", "wide"]


def test_several_outputs_are_selected_by_their_mean() -> None:
    X, y = noisy_wine()
    both = np.column_stack([y, X[:, 0] > 13])
    search = search_of(classifier(), cv=KFold(3)).fit(X, both)
    alphas = between_levels(search.path_.price)

    def mean_accuracy(model: Any, X: Any, y: Any) -> float:
        return float((model.predict(X) == y).mean())

    check_folds(search, *slowly(classifier(), X, both, KFold(3).split(X), alphas, mean_accuracy))


# rules and refusals


def test_a_rule_may_be_a_function() -> None:
    X, y = noisy_wine()
    small = search_of(classifier(), selection=partial(fixed_size, n_leaves=4)).fit(X, y)
    assert small.n_leaves_ <= 4
    allowed = small.scores_.n_leaves <= 4
    assert small.scores_.test[small.best_level_] == small.scores_.test[allowed].max()
    grown = search_of(classifier(), selection=lambda scores: 0).fit(X, y)
    assert grown.n_leaves_ == grown.grown_.get_n_leaves()


@pytest.mark.parametrize("level", [-1, 99])
def test_a_rule_must_choose_a_level_that_there_is(level: int) -> None:
    X, y = noisy_wine()
    grid = tp.PrunerCV(tp.MinimumErrorPruner(classifier()), {"m": [1, 9]}, cv=3)
    for search in (search_of(classifier(), cv=3), grid):
        with pytest.raises(ValueError, match=f"selection chose level {level}: a level is a number from 0 to"):
            search.set_params(selection=lambda scores: level).fit(X, y)


def test_errors_relative_to_none_are_no_table() -> None:
    search = search_of(classifier(), cv=3).fit(np.arange(12.0)[:, None], np.zeros(12, dtype=int))
    with pytest.raises(ValueError, match="y is constant"):
        _ = search.cp_table_


def test_a_callable_gets_the_weights_of_fit() -> None:
    X, y = noisy_wine()
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)

    def accuracy(model: Any, X: Any, y: Any, sample_weight: Any) -> float:
        return float(np.average(model.predict(X) == y, weights=sample_weight))

    ours = search_of(classifier(), cv=3, scoring=accuracy).fit(X, y, sample_weight=weight)
    named = search_of(classifier(), cv=3).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.curve_.test, named.curve_.test)


def test_a_grid_over_one_number_has_its_values_on_the_curve() -> None:
    X, y = noisy_wine()
    search = tp.PrunerCV(tp.MinimumErrorPruner(classifier()), {"m": [0, 2, 50]}, cv=3).fit(X, y)
    assert search.curve_.parameter == "m"
    assert search.scores_.price.tolist() == [0, 2, 50]
    assert search.curve_.summary().price.tolist() == [0, 2, 50]
    pruner = tp.ErrorBasedPruner(classifier())
    for grid in ({"confidence": [0.1, 0.2], "limit": ["weka"]}, {"limit": ["c4.5", "weka"]}):
        numbered = tp.PrunerCV(pruner, grid, cv=3).fit(X, y).curve_
        assert numbered.parameter == "candidate"
        assert numbered.of_repeat(0)["price"].tolist() == [0, 1]


def test_repeats_of_the_same_rows_do_not_shrink_the_standard_error_of_the_curve() -> None:
    X, y = noisy_wine()
    cv = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=0)
    curve = search_of(classifier(), cv=cv).fit(X, y).curve_
    scores = curve.summary()
    np.testing.assert_allclose(scores.standard_error, scores.test_spread / 2)
    assert (curve.n_repeats, curve.n_independent) == (12, 4)
    assert tp.join_curves([curve, curve]).n_independent == 8


@pytest.mark.parametrize("rule", ["minimum", "one_standard_error"])
@pytest.mark.parametrize(
    "method", [tp.CostComplexityPruner, tp.CriticalValuePruner, tp.MaxDepthPruner, tp.MaxLeafNodesPruner]
)
def test_the_best_price_put_back_into_the_pruner_gives_the_same_tree(method: Any, rule: str) -> None:
    X, y = noisy_wine()
    search = tp.PrunerCV(method(classifier()), cv=5, selection=rule).fit(X, y)
    again = method(classifier()).set_params(**{method.strength: search.best_price_}).fit(X, y)
    assert again.n_leaves_ == search.n_leaves_
    np.testing.assert_array_equal(again.predict(X), search.predict(X))


def test_a_frozen_tree_among_the_candidates_is_refused() -> None:
    X, y = noisy_wine()
    grid = {"estimator": [classifier(), FrozenEstimator(classifier().fit(X, y))]}
    with pytest.raises(ValueError, match="FrozenEstimator has seen the rows of every fold"):
        tp.PrunerCV(tp.MinimumErrorPruner(classifier()), grid, cv=3).fit(X, y)


def test_the_honest_score_is_of_the_rule_that_chose() -> None:
    X, y = noisy_wine()
    first, second = (tp.PrunerCV(cv=5, selection="minimum").fit(X, y) for _ in range(2))
    second.set_params(selection="one_standard_error", random_state=7)
    assert second.honest_score_ == first.honest_score_


def test_a_default_search_prunes_by_cost_complexity() -> None:
    X, y = noisy_wine()
    default = tp.PrunerCV().fit(X, y)
    same(default, search_of(classifier(), cv=10).fit(X, y))
    assert default.classes_.tolist() == [0, 1, 2]


def test_numbers_for_the_default_search_are_refused_with_a_way_out() -> None:
    X, y = diabetes()
    with pytest.raises(
        ValueError, match=r"Unknown label type: continuous.*CostComplexityPruner\(DecisionTreeRegressor"
    ):
        tp.PrunerCV().fit(X, y + 0.5)


def test_a_tree_of_one_leaf_has_one_level() -> None:
    X, y = np.zeros((12, 1)), np.arange(12) % 2
    search = search_of(classifier(), cv=3).fit(X, y)
    assert search.n_leaves_ == search.path_.n_levels == 1
    np.testing.assert_allclose(search.scores_.test, 0.5)


@pytest.mark.parametrize(
    ("search", "error", "message"),
    [
        (tp.PrunerCV(classifier()), TypeError, "a pruner of treeprune is expected"),
        (tp.PrunerCV(tp.CostComplexityPruner), TypeError, "a pruner of treeprune is expected"),
        (tp.PrunerCV("cost_complexity"), TypeError, "a pruner of treeprune is expected"),
        (search_of(classifier(), refit="all"), ValueError, "refit='all': one of 'tree', 'leaves', 'none'"),
        (search_of(classifier(), standard_error="sd"), ValueError, "standard_error='sd'"),
        (search_of(classifier(), selection="best"), ValueError, "selection='best'"),
        (tp.PrunerCV(tp.MinimumErrorPruner()), ValueError, "MinimumErrorPruner are not nested"),
        (tp.PrunerCV(tp.ReducedErrorPruner()), ValueError, "ReducedErrorPruner are not nested"),
        (tp.PrunerCV(tp.CostComplexityPruner(risk="loss")), ValueError, "risk='loss'"),
        (tp.PrunerCV(tp.MinimumErrorPruner(), {"M": [1]}, cv=3), ValueError, "Invalid parameter 'M'"),
        (tp.PrunerCV(tp.MinimumErrorPruner(), {"m": [-1]}, cv=3), ValueError, "m=-1"),
        (tp.PrunerCV(tp.MinimumErrorPruner(), {"m": []}, cv=3), ValueError, "m"),
        (tp.PrunerCV(tp.MinimumErrorPruner(), [], cv=3), ValueError, r"param_grid=\[\] holds no candidates"),
        (search_of(classifier(), selection="fixed_size"), ValueError, r"which size: give functools.partial\(fixed"),
        (search_of(classifier(), cv=1.5), ValueError, r"cv=1.5 is out of range: a number in \(0, 1\)"),
        (search_of(classifier(), cv=1), ValueError, "at least one train/test split"),
        (search_of(classifier(), cv=[]), ValueError, "gives no splits"),
        (search_of(classifier(), cv=iter([])), ValueError, "gives no splits"),
        (search_of(classifier(), scoring="acuracy"), ValueError, "'acuracy'"),
        (search_of(regressor(), scoring="accuracy", cv=3), ValueError, "continuous is not supported"),
    ],
)
def test_what_makes_no_sense_is_refused(search: tp.PrunerCV, error: type[Exception], message: str) -> None:
    X, y = noisy_wine()
    y = y if search.scoring != "accuracy" else y + 0.5
    with pytest.raises(error, match=message):
        search.fit(X, y)
    assert not hasattr(search, "estimator_")


@pytest.mark.parametrize("wrap", [lambda tree: tree, lambda tree: make_pipeline(StandardScaler(), tree)])
def test_a_frozen_tree_is_refused_since_it_has_seen_every_fold(wrap: Callable[[Any], Any]) -> None:
    X, y = noisy_wine()
    frozen = wrap(FrozenEstimator(classifier().fit(X, y)))
    for search in (search_of(frozen), search_of(FrozenEstimator(frozen))):
        with pytest.raises(ValueError, match="FrozenEstimator has seen the rows of every fold"):
            search.fit(X, y)


def test_rows_that_do_not_go_together_are_refused() -> None:
    X, y = noisy_wine()
    search = search_of(classifier(), cv=3)
    for arguments, message in (
        ((X, None), "y cannot be None|requires y"),
        ((X, y[:-1]), "inconsistent numbers of samples"),
        ((X, y, -np.ones(len(y))), "sample_weight holds -1"),
        ((X, y, np.ones(3)), "inconsistent numbers of samples"),
        ((X, y, np.zeros(len(y))), "sample_weight is zero"),
    ):
        with pytest.raises(ValueError, match=message):
            search.fit(*arguments)
    with pytest.raises(ValueError, match=r"cv=0.3 cannot keep groups together: give cv=GroupShuffleSplit"):
        search_of(classifier(), cv=0.3).fit(X, y, groups=y)
    kept_together = search_of(classifier(), cv=GroupShuffleSplit(1, random_state=0)).fit(X, y, groups=np.arange(len(y)))
    assert kept_together.curve_.n_repeats == 1


def test_a_score_that_a_fold_does_not_have_is_refused() -> None:
    X, y = breast_cancer()
    order = np.argsort(y, kind="stable")
    search = search_of(classifier(), cv=KFold(3), scoring=lambda model, X, y: np.nan)
    with pytest.raises(ValueError, match="test score of level 0 is nan"):
        search.fit(X[order], y[order])


@pytest.mark.parametrize("attribute", ["honest_score_", "honest_interval_", "cp_table_"])
def test_nothing_is_known_before_the_fit(attribute: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(tp.PrunerCV(), attribute)
    with pytest.raises(NotFittedError):
        tp.PrunerCV().predict([[0.0]])


def test_fitting_again_leaves_nothing_behind() -> None:
    X, y = noisy_wine()
    search = search_of(classifier(), cv=3).fit(X, y)
    search.set_params(pruner=tp.MinimumErrorPruner(classifier()), param_grid={"m": [1, 2]}).fit(X, y)
    assert not hasattr(search, "path_")
    assert not hasattr(search, "best_price_")
    search.set_params(pruner=tp.CostComplexityPruner(classifier()), param_grid=None).fit(X, y)
    assert not hasattr(search, "best_params_")
    assert search.cp_table_.shape[1] == 5


def test_the_pruner_given_is_not_changed() -> None:
    X, y = noisy_wine()
    pruner = tp.MaxDepthPruner(classifier())
    tp.PrunerCV(pruner, cv=3).fit(X, y)
    assert pruner.max_depth is None
    assert not hasattr(pruner, "estimator_")
    pruner = tp.MinimumErrorPruner(classifier(), m=7)
    tp.PrunerCV(pruner, {"m": [1, 2]}, cv=3).fit(X, y)
    assert pruner.m == 7


def test_clones_and_pickles_keep_parameters_and_results() -> None:
    X, y = noisy_wine()
    search = search_of(classifier(), cv=3, random_state=3).fit(X, y)
    honest = search.honest_score_
    again = pickle.loads(pickle.dumps(search))
    assert again.honest_score_ == honest
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    fresh = clone(search)
    assert not hasattr(fresh, "estimator_")
    assert fresh.get_params(deep=False).keys() == search.get_params(deep=False).keys()
    assert fresh.get_params()["random_state"] == 3
    assert fresh.set_params(pruner__estimator__max_depth=2).fit(X, y).grown_.get_depth() == 2


SKIPPED_BY_SCIKIT_LEARN = (  # no tree has a decision function; array API needs an environment variable
    "check_classifiers_multilabel_output_format_decision_function",
    "check_array_api_input",
)


def checks() -> list[Any]:
    searches = [search_of(classifier(), cv=3), search_of(regressor(), cv=3)]
    battery = parametrize_with_checks(searches).args[1]
    return [one for one in battery if _name(getattr(one, "values", one)[1]) not in SKIPPED_BY_SCIKIT_LEARN]


def _name(check: Any) -> str:
    return getattr(check, "func", check).__name__


@pytest.mark.parametrize(("search", "check"), checks(), ids=lambda value: _name(value) if callable(value) else None)
def test_the_checks_of_scikit_learn_pass(search: Any, check: Any) -> None:
    check(search)
