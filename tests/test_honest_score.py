"""The score of the selection: the bootstrap by its letter, and what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit, RepeatedStratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.honest import N_BOOTSTRAPS


def noise(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Labels that no column says anything about, half of each class."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 5)), rng.permutation(np.arange(n) % 2)


def search_of(seed: int = 0, **parameters: Any) -> tp.PrunerCV:
    pruner = tp.CostComplexityPruner(DecisionTreeClassifier(max_leaf_nodes=20, random_state=seed))
    return tp.PrunerCV(pruner, **{"cv": 5, "selection": "minimum", **parameters})


def losses(search: tp.PrunerCV) -> np.ndarray:
    """Rows by levels, with the repeats of a row averaged."""
    rows = search.evidence_.rows
    return np.column_stack([rows.at_level(level) for level in range(rows.n_levels)])


def test_the_best_score_on_noise_is_optimistic_and_the_honest_score_is_not() -> None:
    best, honest = [], []
    for seed in range(30):
        search = search_of(seed).fit(*noise(seed, 100))
        best.append(search.scores_.test[search.best_level_])
        honest.append(search.honest_score_)
    error = np.std(honest, ddof=1) / np.sqrt(len(honest))
    assert np.mean(best) > 0.53
    assert abs(np.mean(honest) - 0.5) < 0.02
    assert np.mean(best) - np.mean(honest) > 3 * error


def test_on_signal_the_honest_score_is_that_of_new_rows() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4400, 3))
    y = (X[:, 0] > 0) ^ (rng.random(4400) < 0.2)
    differences = []
    for rows in np.arange(2000).reshape(8, 250):
        search = search_of(selection="one_standard_error").fit(X[rows], y[rows])
        differences.append(search.honest_score_ - search.score(X[2000:], y[2000:]))
    assert abs(np.mean(differences)) < 0.02


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
def test_it_is_the_bootstrap_of_the_rows(scoring: str, weighted: bool) -> None:
    X, y = noise(1)
    weight = np.random.default_rng(5).integers(1, 4, len(y)).astype(float) if weighted else np.ones(len(y))
    search = search_of(scoring=scoring, random_state=7, cv=KFold(4, shuffle=True, random_state=0))
    search.fit(X, y, sample_weight=weight if weighted else None)
    table, leaves = losses(search), search.path_.n_leaves
    rng, n, scores = np.random.default_rng(7), len(y), []
    for _ in range(N_BOOTSTRAPS):
        drawn = rng.integers(n, size=n)
        left_out = np.setdiff1d(np.arange(n), drawn)
        mean = np.average(table[drawn], axis=0, weights=weight[drawn])
        best = np.flatnonzero(np.isclose(mean, mean.min(), rtol=0, atol=1e-12))
        chosen = best[leaves[best].argmin()]
        scores.append((scoring == "accuracy") - np.average(table[left_out, chosen], weights=weight[left_out]))
    np.testing.assert_allclose(search.honest_score_, np.mean(scores))
    np.testing.assert_allclose(search.honest_interval_, np.quantile(scores, [0.025, 0.975]))


def test_one_standard_error_is_applied_within_every_resample() -> None:
    X, y = noise(2)
    search = search_of(selection="one_standard_error").fit(X, y)
    table, leaves = losses(search), search.path_.n_leaves
    rng, n, scores = np.random.default_rng(0), len(y), []
    for _ in range(N_BOOTSTRAPS):
        drawn = rng.integers(n, size=n)
        left_out = np.setdiff1d(np.arange(n), drawn)
        mean, error = table[drawn].mean(axis=0), table[drawn].std(axis=0) / np.sqrt(n)
        best = np.flatnonzero(np.isclose(mean, mean.min(), rtol=0, atol=1e-12))
        limit = mean.min() + error[best[leaves[best].argmin()]]
        near = np.flatnonzero(mean <= limit + 1e-12)
        scores.append(1 - table[left_out, near[leaves[near].argmin()]].mean())
    np.testing.assert_allclose(search.honest_score_, np.mean(scores))


@pytest.mark.parametrize("selection", ["minimum", "one_standard_error"])
def test_scores_of_folds_are_resampled_by_fold(selection: str) -> None:
    X, y = noise(3)
    search = search_of(scoring="roc_auc", cv=6, selection=selection).fit(X, y)
    folds, leaves = search.curve_.test.reshape(6, -1), search.path_.n_leaves
    rng, scores = np.random.default_rng(0), []
    for _ in range(N_BOOTSTRAPS):
        drawn = rng.integers(6, size=6)
        left_out = np.setdiff1d(np.arange(6), drawn)
        if not len(left_out) or len(set(drawn)) == 1:
            continue
        mean, error = folds[drawn].mean(axis=0), folds[drawn].std(axis=0, ddof=1) / np.sqrt(6)
        best = np.flatnonzero(np.isclose(mean, mean.max(), rtol=0, atol=1e-12))
        limit = mean.max() - (0 if selection == "minimum" else error[best[leaves[best].argmin()]])
        near = np.flatnonzero(mean >= limit - 1e-12)
        scores.append(folds[left_out, near[leaves[near].argmin()]].mean())
    np.testing.assert_allclose(search.honest_score_, np.mean(scores))


def test_errors_of_folds_and_of_pairs_are_resampled_too() -> None:
    X, y = noise(4)
    by_pair, by_fold = (
        search_of(selection="one_standard_error", standard_error=kind).fit(X, y).honest_score_
        for kind in ("paired", "fold")
    )
    assert 0.3 < by_pair < 0.7
    assert 0.3 < by_fold < 0.7


def test_a_holdout_is_resampled_by_its_rows() -> None:
    X, y = noise(5)
    cv = PredefinedSplit(np.where(np.arange(80) % 2, -1, 0))
    search = search_of(cv=cv).fit(X, y)
    low, high = search.honest_interval_
    assert low < search.honest_score_ < high


def test_regression_has_an_honest_score_below_the_best() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    pruner = tp.CostComplexityPruner(DecisionTreeRegressor(min_samples_leaf=5, random_state=0))
    search = tp.PrunerCV(pruner, cv=5, selection="minimum").fit(X, y)
    assert search.honest_score_ < search.scores_.test.max()
    assert search.honest_interval_[0] < search.honest_score_ < search.honest_interval_[1]


def test_a_grid_has_an_honest_score_too() -> None:
    X, y = noise(6)
    pruner = tp.MinimumErrorPruner(DecisionTreeClassifier(random_state=0))
    search = tp.PrunerCV(pruner, {"m": [0, 1, 5, 50]}, cv=5, selection="minimum").fit(X, y)
    assert search.honest_interval_[0] <= search.honest_score_ <= search.honest_interval_[1]


def test_it_is_computed_once_and_is_the_same_for_everyone() -> None:
    X, y = noise(7)
    search = search_of().fit(X, y)
    first = search.honest_score_, *search.honest_interval_
    assert first == (search.honest_score_, *search.honest_interval_)
    assert search_of().fit(X, y).honest_score_ == first[0]
    assert search_of(random_state=0).fit(X, y).honest_score_ == first[0]
    assert search_of(random_state=1).fit(X, y).honest_score_ != first[0]


def test_fitting_again_forgets_it() -> None:
    search = search_of().fit(*noise(8))
    before = search.honest_score_
    X = noise(8)[0]
    after = search.fit(X, (X[:, 0] > 0).astype(int)).honest_score_
    assert before < 0.7 < after


def test_a_single_fold_score_cannot_be_resampled() -> None:
    X, y = noise(9)
    search = search_of(cv=0.5, random_state=0, scoring="roc_auc").fit(X, y)
    for name in ("honest_score_", "honest_interval_"):
        with pytest.raises(ValueError, match="a single fold, or group, cannot be resampled"):
            getattr(search, name)


def test_rows_of_a_group_given_twice_do_not_narrow_the_honest_interval() -> None:
    """Each row three times, its copies in one group: the interval is that of the rows, not narrower."""
    X, y = make_classification(120, flip_y=0.3, random_state=0)
    group = np.repeat(np.arange(120), 3)
    tripled = tp.PrunerCV(cv=GroupKFold(5)).fit(np.repeat(X, 3, axis=0), np.repeat(y, 3), groups=group)
    blind = tp.PrunerCV(cv=list(GroupKFold(5).split(group, groups=group))).fit(np.repeat(X, 3, axis=0), np.repeat(y, 3))
    width = np.ptp(tripled.honest_interval_)
    assert width > 1.4 * np.ptp(blind.honest_interval_)  # sqrt(3) if the same levels were chosen


def test_repeats_do_not_narrow_the_honest_interval_of_fold_scores() -> None:
    X, y = make_classification(200, flip_y=0.3, random_state=0)
    once, often = (
        tp.PrunerCV(cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=n, random_state=0), scoring="roc_auc").fit(X, y)
        for n in (1, 6)
    )
    assert np.ptp(often.honest_interval_) > 0.8 * np.ptp(once.honest_interval_)


def test_rows_without_weight_change_no_honest_score() -> None:
    X, y = make_classification(90, flip_y=0.3, random_state=0)
    folds = [(np.flatnonzero(np.arange(90) % 3 != k), np.flatnonzero(np.arange(90) % 3 == k)) for k in range(3)]
    weight = np.ones(93)
    weight[90:] = 0
    more = np.vstack([X, X[:3]]), np.append(y, 1 - y[:3])
    with_weightless = [(grow, np.append(held, 90 + k)) for k, (grow, held) in enumerate(folds)]
    search = tp.PrunerCV(cv=with_weightless).fit(*more, sample_weight=weight)
    assert np.isfinite(search.honest_score_)
    np.testing.assert_allclose(search.honest_score_, tp.PrunerCV(cv=folds).fit(X, y).honest_score_)


def test_a_generator_draws_as_its_state_says_and_is_not_moved_on() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    rng = np.random.RandomState(1)
    before = rng.get_state()[1].copy()
    seeds = (rng, np.random.RandomState(2), rng, None, 0)
    scores = [tp.PrunerCV(cv=3, random_state=seed).fit(X, y).honest_score_ for seed in seeds]
    assert scores[0] == scores[2] != scores[1]
    assert scores[3] == scores[4]
    np.testing.assert_array_equal(rng.get_state()[1], before)
