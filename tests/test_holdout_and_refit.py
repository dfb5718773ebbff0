"""Rows held out from growing, and values that all rows set after pruning."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from models import classes, grown, inner_shape, numbers, rows_of, stem, ways, weights
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupShuffleSplit, KFold, PredefinedSplit, TimeSeriesSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import treeprune as tp
from treeprune.rows import take_rows
from treeprune.tree.fitted import find_tree
from treeprune.tree.holdout import holdout_split
from treeprune.tree.refit import refitted_fields

TREE = stem("classes")


def split(y: Any, fraction: Any = 0.25, estimator: Any = TREE, groups: Any = None, seed: Any = 0) -> Any:
    return holdout_split(fraction, estimator, np.zeros((len(y), 1)), y, groups, seed)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.75, np.float64(0.3)])
@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_each_row_is_grown_on_or_held_out(task: str, fraction: float) -> None:
    y = rows_of(task, 97)[1]
    growing, held_out = split(y, fraction, stem(task))
    np.testing.assert_array_equal(np.sort(np.append(growing, held_out)), np.arange(97))
    assert len(held_out) == np.ceil(97 * fraction)
    assert (np.diff(growing) > 0).all()
    assert (np.diff(held_out) > 0).all()


def test_classes_are_stratified() -> None:
    y = np.repeat([0, 1, 2], [100, 40, 8])
    for seed in range(5):
        np.testing.assert_array_equal(np.bincount(y[split(y, seed=seed)[1]]), [25, 10, 2])
    shuffled = train_test_split(np.arange(148), test_size=0.25, random_state=0, stratify=y)[1]
    np.testing.assert_array_equal(split(y)[1], np.sort(shuffled))
    np.testing.assert_array_equal(split(y.reshape(-1, 1))[1], np.sort(shuffled))


def test_numbers_are_not_stratified() -> None:
    y = np.repeat([0, 1, 2], [100, 40, 8])
    plain = train_test_split(np.arange(148), test_size=0.25, random_state=0)[1]
    np.testing.assert_array_equal(split(y, estimator=stem("numbers"))[1], np.sort(plain))


@pytest.mark.parametrize("seed", range(10))
def test_the_only_row_of_its_class_is_grown_on(seed: int) -> None:
    y = np.array(["a", "b"] * 10 + ["rare"])
    growing, held_out = split(y, 0.5, seed=seed)
    assert 20 in growing
    np.testing.assert_array_equal(np.sort(np.append(growing, held_out)), np.arange(21))


@pytest.mark.parametrize("seed", range(10))
def test_more_classes_than_held_out_rows_are_no_error(seed: int) -> None:
    y = np.repeat(np.arange(10), 2)
    growing, held_out = split(y, 0.25, seed=seed)
    assert set(y[held_out]) <= set(y[growing])
    assert len(growing) + len(held_out) == 20
    X = np.arange(20.0).reshape(-1, 1)
    assert tp.ReducedErrorPruner(random_state=seed).fit(X, y).n_leaves_ >= 1


def test_a_splitter_keeps_groups_together() -> None:
    X, y = classes()
    groups = np.arange(len(y)) // 12
    fitted = tp.ReducedErrorPruner(TREE, validation_fraction=GroupShuffleSplit(1, test_size=0.3, random_state=1))
    held_out = fitted.fit(X, y, groups=groups).validation_index_
    expected = next(GroupShuffleSplit(1, test_size=0.3, random_state=1).split(X, y, groups))[1]
    np.testing.assert_array_equal(held_out, np.sort(expected))
    assert not set(groups[held_out]) & set(np.delete(groups, held_out))


@pytest.mark.parametrize(
    "splitter", [KFold(3, shuffle=True, random_state=0), TimeSeriesSplit(4), PredefinedSplit([0, -1, -1] * 80)]
)
def test_the_first_split_of_a_splitter_is_taken(splitter: Any) -> None:
    X, y = classes()
    growing, held_out = next(iter(splitter.split(X, y)))
    fitted = tp.ReducedErrorPruner(TREE, validation_fraction=splitter).fit(X, y)
    np.testing.assert_array_equal(fitted.validation_index_, np.sort(held_out))
    assert inner_shape(fitted.grown_) == inner_shape(clone(TREE).fit(X[growing], y[growing]))


def test_a_split_that_takes_a_class_away_is_an_error_that_names_it() -> None:
    X, y = classes()
    splitter = PredefinedSplit(np.where(y == 2, 0, -1))
    with pytest.raises(ValueError, match=r"y holds \[2\], classes that the tree was not grown with"):
        tp.ReducedErrorPruner(TREE, validation_fraction=splitter).fit(X, y)


def test_errors_of_the_holdout_say_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"groups are used by a splitter only.*GroupShuffleSplit"):
        split(np.arange(9), groups=np.arange(9))
    with pytest.raises(ValueError, match="requires y to be passed"):
        holdout_split(0.25, TREE, None, None, None, 0)
    with pytest.raises(ValueError, match="n_samples=1 pruning rows: at least two"):
        tp.ReducedErrorPruner(TREE, validation_fraction=0.01, random_state=0).fit([[0.0], [1.0], [2.0]], [0, 0, 0])


def test_rows_are_taken_of_every_kind_of_table() -> None:
    rows, table = np.array([2, 0]), np.arange(6.0).reshape(3, 2)
    array, frame, series, thin, listed, nothing = take_rows(
        rows,
        table,
        pd.DataFrame(table, index=[7, 8, 9]),
        pd.Series([5, 6, 7], index=[1, 1, 1]),
        sparse.csr_array(table),
        ["x", "y", "z"],
        None,
    )
    np.testing.assert_array_equal(array, table[rows])
    np.testing.assert_array_equal(frame.to_numpy(), table[rows])
    np.testing.assert_array_equal(thin.toarray(), table[rows])
    assert list(series) == [7, 5]
    assert list(listed) == ["z", "x"]
    assert nothing is None


def test_the_holdout_prunes_what_the_others_grew() -> None:
    X, y = classes()
    fitted = tp.ReducedErrorPruner(TREE, validation_fraction=0.4, random_state=3).fit(X, y, weights())
    held_out = fitted.validation_index_
    growing = np.delete(np.arange(len(y)), held_out)
    tree = clone(TREE).fit(X[growing], y[growing], weights()[growing])
    small = tp.prune(tree, "reduced_error", X[held_out], y[held_out], sample_weight=weights()[held_out])
    assert inner_shape(fitted.grown_) == inner_shape(tree)
    assert inner_shape(fitted.estimator_) == inner_shape(small)
    listed = clone(fitted).fit(X.tolist(), y.tolist(), weights().tolist())
    np.testing.assert_array_equal(listed.cut_, fitted.cut_)
    framed = clone(fitted).fit(pd.DataFrame(X, columns=list("abcd")), pd.Series(y), pd.Series(weights()))
    np.testing.assert_array_equal(framed.cut_, fitted.cut_)


def refitted(tree: Any, X: Any, y: Any, weight: Any = None, **more: Any) -> Any:
    return tp.ReducedErrorPruner(tree, refit_leaves=True, random_state=0, **more).fit(X, y, weight)


def rows_at(tree: Any, X: NDArray[Any]) -> NDArray[np.bool_]:
    return ways(tree, X).T


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weights"])
@pytest.mark.parametrize("criterion", ["gini", "entropy", "log_loss"])
def test_refitted_leaves_hold_the_class_frequencies_of_all_rows(criterion: str, weight: Any) -> None:
    X, y = classes()
    small = refitted(stem("classes", criterion=criterion), X, y, weight).estimator_
    w = np.ones(len(y)) if weight is None else weight
    assert small.get_n_leaves() > 1
    for t, passes in enumerate(rows_at(small, X)):
        share = np.bincount(y[passes], w[passes], minlength=3) / w[passes].sum()
        np.testing.assert_allclose(small.tree_.value[t, 0], share)
        assert small.tree_.n_node_samples[t] == passes.sum()
        assert small.tree_.weighted_n_node_samples[t] == pytest.approx(w[passes].sum())
        some = share[share > 0]
        impurity = 1 - (share**2).sum() if criterion == "gini" else -(some * np.log2(some)).sum()
        assert small.tree_.impurity[t] == pytest.approx(impurity, abs=1e-12)


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weights"])
def test_refitted_leaves_hold_the_means_of_all_rows(weight: Any) -> None:
    X, y = numbers()
    small = refitted(stem("numbers"), X, y, weight).estimator_
    w = np.ones(len(y)) if weight is None else weight
    assert small.get_n_leaves() > 1
    for t, passes in enumerate(rows_at(small, X)):
        mean = np.average(y[passes], weights=w[passes])
        assert small.tree_.value[t, 0, 0] == pytest.approx(mean)
        assert small.tree_.impurity[t] == pytest.approx(np.average((y[passes] - mean) ** 2, weights=w[passes]))
        assert small.tree_.n_node_samples[t] == passes.sum()


@pytest.mark.parametrize("task", ["classes", "numbers"])
@pytest.mark.parametrize("weight", [None, weights(), np.arange(240) % 3 * 1.0], ids=["plain", "weights", "with zeros"])
def test_refitting_stores_what_scikit_learn_would_have_stored(task: str, weight: Any) -> None:
    X, y = rows_of(task)
    y = y > 0 if task == "classes" else y  # one split is worth keeping
    fitted = refitted(stem(task, max_depth=1), X, y, weight)
    stump = fitted.estimator_.tree_
    left = X[:, stump.feature[0]] <= stump.threshold[0]
    whole = stem(task, max_depth=1).fit(left.reshape(-1, 1), y, weight).tree_  # the same split, grown on all rows
    order = [0, 2, 1]  # there, the rows on the left have the larger value
    for field in ("impurity", "n_node_samples", "weighted_n_node_samples", "value"):
        np.testing.assert_allclose(getattr(stump, field), getattr(whole, field)[order], err_msg=field)


@pytest.mark.parametrize("kind", ["several classes", "several numbers"])
def test_several_outputs_are_refitted(kind: str) -> None:
    case = grown(kind)
    small = refitted(clone(case.tree), case.X, case.y).estimator_
    for t, passes in enumerate(rows_at(small, case.X)):
        for j in range(2):
            known = small.classes_[j] if is_classifier(small) else None
            column = case.y[passes, j]
            expected = [column.mean()] if known is None else [(column == label).mean() for label in known]
            np.testing.assert_allclose(small.tree_.value[t, j, : len(expected)], expected)


def test_growing_rows_that_the_tree_cannot_remember_are_kept_for_pruning_again() -> None:
    case = grown("several numbers")
    fitted = refitted(clone(case.tree), case.X, case.y)
    before = fitted.estimator_.tree_.value
    np.testing.assert_array_equal(fitted.prune().estimator_.tree_.value, before)


def test_class_weights_count_in_refitting() -> None:
    X, y = classes()
    fitted = refitted(stem("classes", class_weight={0: 4.0}), X, y)
    expected = np.bincount(y) * [4, 1, 1]
    np.testing.assert_allclose(fitted.estimator_.tree_.value[0, 0], expected / expected.sum())


def test_a_pipeline_is_refitted_too() -> None:
    X, y = classes()
    small = refitted(make_pipeline(StandardScaler(), TREE), X, y).estimator_
    np.testing.assert_allclose(small[-1].tree_.value[0, 0], np.bincount(y) / len(y))


def test_refitting_changes_no_split_and_not_the_grown_tree() -> None:
    X, y = classes()
    plain, backfitted = tp.ReducedErrorPruner(TREE, random_state=0).fit(X, y), refitted(TREE, X, y)
    np.testing.assert_array_equal(plain.cut_, backfitted.cut_)
    assert inner_shape(plain.estimator_) == inner_shape(backfitted.estimator_)
    assert pickle.dumps(plain.grown_) == pickle.dumps(backfitted.grown_)
    assert not np.array_equal(plain.estimator_.tree_.value, backfitted.estimator_.tree_.value)


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weights"])
@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_fitted_tree_is_refitted_by_what_it_remembers(task: str, weight: Any) -> None:
    (X, y), (X_new, y_new) = rows_of(task), rows_of(task, 150, seed=1)
    tree = stem(task).fit(X, y, weight)
    small = tp.prune(tree, "reduced_error", X_new, y_new, refit_leaves=True)
    w = np.append(np.ones(len(y)) if weight is None else weight, np.ones(150))
    everything, target = np.vstack([X, X_new]), np.append(y, y_new)
    for t, passes in enumerate(rows_at(small, everything)):
        if task == "classes":
            share = np.bincount(target[passes], w[passes], minlength=3) / w[passes].sum()
            np.testing.assert_allclose(small.tree_.value[t, 0], share)
        else:
            assert small.tree_.value[t, 0, 0] == pytest.approx(np.average(target[passes], weights=w[passes]))
        assert small.tree_.n_node_samples[t] == passes.sum()


def test_pruning_again_adds_the_new_rows_to_the_growing_rows() -> None:
    (X, y), (X_new, y_new) = classes(), classes(150, seed=1)
    fitted = refitted(TREE, X, y)
    growing = np.delete(np.arange(len(y)), fitted.validation_index_)
    again = fitted.prune(X_new, y_new).estimator_
    expected = np.bincount(y[growing]) + np.bincount(y_new)
    np.testing.assert_allclose(again.tree_.value[0, 0], expected / expected.sum())
    off = fitted.set_params(refit_leaves=False).prune().estimator_
    np.testing.assert_array_equal(off.tree_.value[0], fitted.grown_.tree_.value[0])
    on = fitted.set_params(refit_leaves=True).prune().estimator_
    np.testing.assert_allclose(on.tree_.value[0, 0], expected / expected.sum())


def test_leaves_can_be_refitted_after_a_fit_that_did_not_ask_for_it() -> None:
    X, y = classes()
    late = tp.ReducedErrorPruner(TREE, random_state=0).fit(X, y).set_params(refit_leaves=True).prune()
    np.testing.assert_allclose(late.estimator_.tree_.value, refitted(TREE, X, y).estimator_.tree_.value)


def test_a_frozen_tree_is_refitted_by_what_it_remembers() -> None:
    (X, y), (X_new, y_new) = classes(), classes(150, seed=1)
    tree = clone(TREE).fit(X, y)
    small = refitted(FrozenEstimator(tree), X_new, y_new).estimator_
    expected = np.bincount(y) + np.bincount(y_new)
    np.testing.assert_allclose(small.tree_.value[0, 0], expected / expected.sum())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("DecisionTreeRegressor absolute_error", "criterion='absolute_error'"),
        ("DecisionTreeRegressor poisson", "criterion='poisson'"),
        ("monotone classes", "monotone constraints"),
        ("monotone numbers", "monotone constraints"),
    ],
)
def test_leaves_that_are_no_means_are_not_refitted(name: str, why: str) -> None:
    case = grown(name)
    with pytest.raises(ValueError, match=f"cannot be refitted.*{why}: use refit_leaves=False"):
        refitted(clone(case.tree), case.X, case.y)
    with pytest.raises(ValueError, match=f"cannot be refitted.*{why}: use refit_leaves=False"):
        tp.prune(case.tree, "reduced_error", case.X, case.y, refit_leaves=True)


def test_a_refit_that_fails_leaves_the_pruner_as_it_was() -> None:
    X, y = numbers()
    fitted = refitted(stem("numbers"), X, y)
    before = pickle.dumps(vars(fitted) | {"estimator": None})
    fitted.set_params(estimator=stem("numbers", criterion="poisson"))
    with pytest.raises(ValueError, match="cannot be refitted"):
        fitted.fit(X, y)
    assert pickle.dumps(vars(fitted) | {"estimator": None}) == before


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_node_that_no_row_reaches_keeps_its_value(task: str) -> None:
    X, y = rows_of(task)
    estimator = stem(task).fit(X, y)
    tree = find_tree(estimator)
    one = tree.count(X[:1], y[:1])
    fields = refitted_fields(tree, one, one)  # as where growing rows with gaps went another way
    reached = tree.rows(one) > 0
    assert 0 < reached.sum() < tree.structure.n_nodes
    value = fields["value"].reshape(estimator.tree_.value.shape)
    np.testing.assert_array_equal(value[~reached], estimator.tree_.value[~reached])
    expected = y[0] if task == "numbers" else 1.0
    np.testing.assert_allclose(value[reached].max(axis=(1, 2)), expected)
    assert (fields["impurity"][~reached] == 0).all()
