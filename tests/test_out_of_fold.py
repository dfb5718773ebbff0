"""Out-of-fold losses as change points, against the table of rows by levels that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold, PredefinedSplit, RepeatedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.evidence import RowEvidence
from treeprune.out_of_fold import OutOfFoldLoss, changes_in_table, join_folds
from treeprune.tree.fitted import find_tree
from treeprune.tree.row_loss import loss_changes


def expand(losses: OutOfFoldLoss) -> np.ndarray:
    """Write every unit's loss at every level out, one change after the other."""
    table = np.repeat(losses.base[:, None], losses.n_levels, axis=1)
    changes = zip(losses.unit, losses.level, losses.before, losses.after, strict=True)
    for unit, level, before, after in sorted(changes, key=lambda change: change[1]):
        np.testing.assert_allclose(table[unit, level], before, atol=1e-9)
        table[unit, level:] = after
    return table


def from_table(table: np.ndarray, row: Any = None, fold: Any = None) -> OutOfFoldLoss:
    n = len(table)
    row = np.arange(n) if row is None else np.asarray(row)
    fold = np.zeros(n, dtype=np.intp) if fold is None else np.asarray(fold)
    return OutOfFoldLoss(row, fold, table[:, 0], *changes_in_table(table), table.shape[1])


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """Losses of a few rows at a few levels."""
    n_rows, n_levels = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    numbers = st.lists(st.integers(-3, 3), min_size=n_levels, max_size=n_levels)
    return np.array(draw(st.lists(numbers, min_size=n_rows, max_size=n_rows)), dtype=float)


weights = st.lists(st.integers(1, 4), min_size=6, max_size=6)


@given(tables())
def test_changes_give_the_table_back(table: np.ndarray) -> None:
    losses = from_table(table)
    np.testing.assert_array_equal(expand(losses), table)
    for level in range(table.shape[1]):
        np.testing.assert_array_equal(losses.at_level(level), table[:, level])


@given(tables(), weights)
def test_means_and_standard_errors_are_those_of_the_repeated_rows(table: np.ndarray, weight: list[int]) -> None:
    losses, times = from_table(table), np.array(weight[: len(table)])
    repeated = np.repeat(table, times, axis=0)  # weights are frequencies
    w, n = times.astype(float), len(repeated)
    np.testing.assert_allclose(losses.mean(w), repeated.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(losses.standard_error(w), repeated.std(axis=0) / np.sqrt(n), atol=1e-7)
    for reference in range(table.shape[1]):
        gaps = repeated - repeated[:, [reference]]
        expected = gaps.std(axis=0) / np.sqrt(n)
        np.testing.assert_allclose(losses.less_reference(reference).standard_error(w), expected, atol=1e-7)


@given(tables(), weights, st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_fold_means_are_the_means_of_the_rows_of_each_fold(
    table: np.ndarray, weight: list[int], fold: list[int]
) -> None:
    fold_of, w = np.array(fold[: len(table)]), np.array(weight[: len(table)], dtype=float)
    means = from_table(table, fold=fold_of).fold_means(w)
    for k in range(fold_of.max() + 1):
        mine = fold_of == k
        if not mine.any():
            assert np.isnan(means[k]).all()
        else:
            np.testing.assert_allclose(means[k], np.average(table[mine], axis=0, weights=w[mine]), atol=1e-12)


@given(tables(), st.lists(st.integers(10, 12), min_size=6, max_size=6))
def test_repeats_of_a_row_are_averaged(table: np.ndarray, row: list[int]) -> None:
    row_of = np.array(row[: len(table)])
    averaged = from_table(table, row=row_of).by_row()
    expected = [table[row_of == r].mean(axis=0) for r in np.unique(row_of)]
    np.testing.assert_array_equal(averaged.row, np.unique(row_of))
    np.testing.assert_allclose(expand(averaged), expected, atol=1e-12)
    np.testing.assert_allclose(
        averaged.standard_error(np.ones(len(expected))), np.std(expected, axis=0) / np.sqrt(len(expected)), atol=1e-7
    )


def test_rows_held_out_once_are_put_in_order() -> None:
    losses = from_table(np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), row=[4, 2, 7]).by_row()
    np.testing.assert_array_equal(losses.row, [2, 4, 7])
    np.testing.assert_array_equal(expand(losses), [[1, 0], [0, 1], [2, 2]])


def test_folds_are_joined_and_changes_past_the_last_level_never_happen() -> None:
    first, second = np.array([[0.0, 1, 1], [2, 2, 5]]), np.array([[3.0, 3, 4]])
    joined = join_folds(
        [
            (np.array([7, 1]), first[:, 0], changes_in_table(first)),
            (np.array([4]), second[:, 0], changes_in_table(second)),
        ],
        n_levels=2,
    )
    np.testing.assert_array_equal(joined.row, [7, 1, 4])
    np.testing.assert_array_equal(joined.fold, [0, 0, 1])
    np.testing.assert_array_equal(expand(joined), [[0, 1], [2, 2], [3, 3]])


def data(n_classes: int = 0, n: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)).round(1)
    y = X[:, 0] + (X[:, 1] > 0) * X[:, 2] + rng.normal(scale=0.7, size=n)
    return X, np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes)) if n_classes else y


def representative_alphas(alphas: np.ndarray) -> list[float]:
    """Geometric means between the levels of the full tree, as the book has them.

    -1 marks a level of no extent: the grown tree above splits that gain nothing.
    """
    found = []
    for low, high in pairwise(alphas):
        found.append(-1.0 if high == low else high / 2 if low == 0 else float(np.sqrt(low * high)))
    return [*found, np.inf]


def at_alpha(model: Any, alpha: float) -> Any:
    """Grow nothing: prune a fitted tree as a new fit with this ccp_alpha would."""
    return model if alpha < 0 else tp.prune(model, "cost_complexity", alpha=alpha)


def table_of(search: Any, tree: Any, X: Any, y: Any, loss: Callable[..., np.ndarray]) -> np.ndarray:
    """Rows by levels: every row predicted by its materialised fold tree at the representative alphas."""
    table = np.full((len(y), search.path_.n_levels), np.nan)
    for growing, held_out in search.cv.split(X, y):
        fold_tree = tree.fit(X[growing], y[growing])
        for k, alpha in enumerate(representative_alphas(search.path_.price)):
            table[held_out, k] = loss(at_alpha(fold_tree, alpha), X[held_out], y[held_out])
    return table


def wrong(model: Any, X: Any, y: Any) -> np.ndarray:
    different = model.predict(X) != y
    return different if different.ndim == 1 else different.mean(axis=1)


def probability(model: Any, X: Any, y: Any) -> np.ndarray:
    return (model.predict_proba(X) * (y[:, None] == model.classes_)).sum(axis=1)


def log_loss(model: Any, X: Any, y: Any) -> np.ndarray:
    eps = np.finfo(float).eps
    return -np.log(np.clip(probability(model, X, y), eps, 1 - eps))


def brier(model: Any, X: Any, y: Any) -> np.ndarray:
    squares = ((model.predict_proba(X) - (y[:, None] == model.classes_)) ** 2).sum(axis=1)
    return squares / 2 if len(model.classes_) == 2 else squares


def squared(model: Any, X: Any, y: Any) -> np.ndarray:
    squares = (model.predict(X) - y) ** 2
    return squares if squares.ndim == 1 else squares.mean(axis=1)


CASES = [
    ("accuracy", 2, wrong),
    ("accuracy", 4, wrong),
    ("neg_log_loss", 2, log_loss),
    ("neg_log_loss", 3, log_loss),
    ("neg_brier_score", 2, brier),
    ("neg_brier_score", 3, brier),
    ("neg_mean_squared_error", 0, squared),
]


@pytest.mark.parametrize(("scoring", "n_classes", "loss"), CASES)
def test_the_evidence_is_what_the_materialised_fold_trees_predict(
    scoring: str, n_classes: int, loss: Callable[..., np.ndarray]
) -> None:
    X, y = data(n_classes)
    tree = (DecisionTreeClassifier if n_classes else DecisionTreeRegressor)(min_samples_leaf=3, random_state=0)
    search = tp.PrunerCV(tp.CostComplexityPruner(tree), cv=KFold(4), scoring=scoring).fit(X, y)
    table, losses = table_of(search, tree, X, y, loss), search.evidence_.rows
    np.testing.assert_array_equal(np.sort(losses.row), np.arange(len(y)))
    np.testing.assert_allclose(expand(losses)[np.argsort(losses.row)], table, atol=1e-12)
    perfect = 1 if scoring == "accuracy" else 0
    np.testing.assert_allclose(search.scores_.test, perfect - table.mean(axis=0))
    np.testing.assert_allclose(search.scores_.standard_error, table.std(axis=0) / np.sqrt(len(y)))
    folds = [table[held_out].mean(axis=0) for _, held_out in search.cv.split(X)]
    np.testing.assert_allclose(perfect - search.evidence_.fold_scores(np.ones(len(y))), folds, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "n_classes", "loss"),
    [
        (DecisionTreeClassifier, 3, wrong),
        (DecisionTreeRegressor, 0, squared),
    ],
)
def test_losses_of_several_outputs_are_averaged(kind: type, n_classes: int, loss: Callable[..., np.ndarray]) -> None:
    X, y = data(n_classes)
    y = np.column_stack([y, data(2, seed=1)[1]])
    tree = kind(min_samples_leaf=4, random_state=0)
    search = tp.PrunerCV(tp.CostComplexityPruner(tree), cv=KFold(3)).fit(X, y)
    table = table_of(search, tree, X, y, loss)
    np.testing.assert_allclose(expand(search.evidence_.rows), table, atol=1e-12)


def test_weights_find_their_rows_when_folds_are_shuffled() -> None:
    X, y = data(3)
    weight = np.random.default_rng(4).integers(1, 4, len(y)).astype(float)
    cv = KFold(3, shuffle=True, random_state=0)
    search = tp.PrunerCV(cv=cv).fit(X, y, sample_weight=weight)
    tree, alphas = DecisionTreeClassifier(random_state=0), representative_alphas(search.path_.price)
    table = np.full((len(y), len(alphas)), np.nan)
    for growing, held_out in cv.split(X):
        fold_tree = tree.fit(X[growing], y[growing], sample_weight=weight[growing])
        for k, alpha in enumerate(alphas):
            table[held_out, k] = wrong(at_alpha(fold_tree, alpha), X[held_out], y[held_out])
    np.testing.assert_allclose(expand(search.evidence_.rows), table)
    np.testing.assert_allclose(search.scores_.test, 1 - np.average(table, axis=0, weights=weight))
    folds = [1 - np.average(table[rows], axis=0, weights=weight[rows]) for _, rows in cv.split(X)]
    np.testing.assert_allclose(search.curve_.test.reshape(3, -1), folds)


def test_repeats_and_weights_in_the_evidence_are_those_of_the_tables() -> None:
    X, y = data(3)
    weight = np.random.default_rng(4).integers(1, 4, len(y)).astype(float)
    tree = DecisionTreeClassifier(min_samples_leaf=2, random_state=0)
    cv = RepeatedKFold(n_splits=3, n_repeats=4, random_state=0)
    search = tp.PrunerCV(tp.CostComplexityPruner(tree), cv=cv).fit(X, y, sample_weight=weight)
    alphas, by_repeat = representative_alphas(search.path_.price), []
    for i, (growing, held_out) in enumerate(cv.split(X)):
        if i % 3 == 0:
            by_repeat.append(np.full((len(y), len(alphas)), np.nan))
        fold_tree = tree.fit(X[growing], y[growing], sample_weight=weight[growing])
        for k, alpha in enumerate(alphas):
            by_repeat[-1][held_out, k] = wrong(at_alpha(fold_tree, alpha), X[held_out], y[held_out])
    table = np.mean(by_repeat, axis=0)
    np.testing.assert_allclose(expand(search.evidence_.rows), table, atol=1e-12)
    frequencies = np.repeat(table, weight.astype(int), axis=0)
    np.testing.assert_allclose(search.scores_.test, 1 - frequencies.mean(axis=0))
    np.testing.assert_allclose(search.scores_.standard_error, frequencies.std(axis=0) / np.sqrt(weight.sum()))


@pytest.mark.parametrize(
    ("scoring", "loss"), [("accuracy", 1.0), ("neg_log_loss", -np.log(np.finfo(float).eps)), ("neg_brier_score", None)]
)
def test_a_row_of_a_class_that_its_tree_never_saw_counts_as_wrong(scoring: str, loss: float | None) -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    y = np.array(["a", "b", "a", "b", "c", "a"])
    tree = DecisionTreeClassifier(random_state=0)
    cv = PredefinedSplit([-1, -1, -1, -1, 0, 0])
    search = tp.PrunerCV(tp.CostComplexityPruner(tree), cv=cv, scoring=scoring, selection="minimum").fit(X, y)
    grown = tree.fit(X[:4], y[:4])
    c = expand(search.evidence_.rows)[list(search.evidence_.rows.row).index(4)]
    if loss is None:  # squared distance to (p, q, 0) from (0, 0, 1), halved as for two classes
        loss = (1 + (grown.predict_proba(X[4:5]) ** 2).sum()) / 2
    np.testing.assert_allclose(c[0], loss)


def test_a_loss_that_returns_on_the_way_to_the_root_is_two_changes() -> None:
    # the leaf of the second group says 1, the node above 0, the root 1 again
    X = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [5, 3, 4, 4], axis=0)
    y = np.repeat([0, 1, 1, 1], [5, 3, 4, 4])
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    path = tp.pruning_path(tree, "max_depth")
    fitted = find_tree(tree)
    base, (row, level, before, after) = loss_changes(fitted, path, "accuracy", fitted.apply(X), fitted.encode(y))
    models = [tp.prune(tree, "max_depth", max_depth=int(depth)) for depth in path.price]
    expected = np.column_stack([model.predict(X) != y for model in models]).astype(float)
    losses = OutOfFoldLoss(np.arange(16), np.zeros(16, dtype=int), base, row, level, before, after, path.n_levels)
    np.testing.assert_array_equal(expand(losses), expected)
    np.testing.assert_array_equal(expected[5], [0, 1, 0])
    np.testing.assert_array_equal(np.bincount(row, minlength=16), [1] * 5 + [2] * 3 + [0] * 8)


@pytest.mark.parametrize("method", ["cost_complexity", "critical_value", "max_depth", "max_leaf_nodes"])
def test_changes_along_any_path_are_those_of_its_materialised_levels(method: str) -> None:
    for n_classes, scoring, loss in ((4, "accuracy", wrong), (3, "neg_log_loss", log_loss), (0, None, squared)):
        X, y = data(n_classes, n=150, seed=5)
        tree = (DecisionTreeClassifier if n_classes else DecisionTreeRegressor)(random_state=0).fit(X[:75], y[:75])
        path, fitted = tp.pruning_path(tree, method), find_tree(tree)
        X, y = X[75:], y[75:]
        name = scoring or "neg_mean_squared_error"
        changes = loss_changes(fitted, path, name, fitted.apply(X), fitted.encode_known(y))
        losses = OutOfFoldLoss(np.arange(75), np.zeros(75, dtype=int), changes[0], *changes[1], path.n_levels)
        curve = tp.pruning_curve(tree, path, X, y, X, y, name)
        np.testing.assert_allclose(losses.mean(np.ones(75)), (n_classes == 4) - curve.test, atol=1e-12)
        structure = fitted.structure
        nodes = [tp.cut_at(structure, path.removed_at, level) for level in range(path.n_levels)]
        assert (np.diff(losses.unit) >= 0).all()
        table = np.column_stack([loss(_model(tree, cut), X, y) for cut in nodes])
        np.testing.assert_allclose(expand(losses), table, atol=1e-12)


def _model(tree: Any, cut: np.ndarray) -> Any:
    return tp.prune(tree, nodes=np.flatnonzero(cut))


def test_evidence_can_be_weighed_again() -> None:
    X, y = data(2)
    search = tp.PrunerCV(cv=KFold(5), standard_error="paired").fit(X, y)
    evidence = search.evidence_
    assert isinstance(evidence, RowEvidence)
    times = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    table = np.repeat(expand(evidence.rows), times.astype(int), axis=0)
    score, error, gap = evidence.estimate(times)
    best = int(table.mean(axis=0).argmin())
    np.testing.assert_allclose(score, 1 - table.mean(axis=0))
    np.testing.assert_allclose(error, table.std(axis=0) / np.sqrt(len(table)))
    np.testing.assert_allclose(gap, (table - table[:, [best]]).std(axis=0) / np.sqrt(len(table)), atol=1e-12)
    for level in range(table.shape[1]):
        np.testing.assert_allclose(evidence.score_at(level, times), 1 - table[:, level].mean())


@given(tables(), weights, st.integers(0, 99))
def test_the_standard_error_over_groups_is_that_of_the_sums_of_each_group(
    table: np.ndarray, weight: list[int], seed: int
) -> None:
    losses, w = from_table(table), np.array(weight[: len(table)], dtype=float)
    group = np.unique(np.random.default_rng(seed).integers(0, 3, len(table)), return_inverse=True)[1].reshape(-1)
    off = w[:, None] * (table - w @ table / w.sum())
    sums = np.array([off[group == g].sum(axis=0) for g in range(group.max() + 1)])
    expected = np.sqrt((sums**2).sum(axis=0)) / w.sum()
    np.testing.assert_allclose(losses.clustered_standard_error(w, group), expected, atol=1e-6)
    alone = losses.clustered_standard_error(np.ones(len(table)), np.arange(len(table)))
    np.testing.assert_allclose(alone, losses.standard_error(np.ones(len(table))), atol=1e-6)
