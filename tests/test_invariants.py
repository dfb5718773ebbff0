"""What must not change the pruning, whatever the method."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import (
    NO_ABSOLUTE_N,
    ONE_CLASS_VARIABLE,
    PARAMETERS,
    TASKS,
    grown,
    inner_shape,
    rows_of,
    stem,
    ways,
    weights,
)
from sklearn.base import is_classifier

import treeprune as tp
from treeprune.dispatch import METHODS

ROWS_ALONE = [case for case in TASKS if case[0] in NO_ABSOLUTE_N]
COPIES_ARE_EVIDENCE = "averaging"  # outputs are independent at a node: two that agree say it twice
COUNT_ROWS = ("significance", "min_samples_split")  # class weights change no number of rows
CLASSES = [name for name, task in TASKS if task == "classes"]


def prune(tree: Any, name: str, X: Any, y: Any, weight: Any = None) -> Any:
    return tp.prune(tree, name, X, y, sample_weight=weight, **PARAMETERS[name])


def same(one: Any, other: Any) -> bool:
    return inner_shape(one) == inner_shape(other)


def is_pruning(small: Any, tree: Any) -> bool:
    """Walk both trees together: the small one may stop, and may not differ."""
    waiting = [(0, 0)]
    while waiting:
        s, t = waiting.pop()
        if not np.array_equal(small.tree_.value[s], tree.tree_.value[t]):
            return False
        if small.tree_.children_left[s] < 0:
            continue
        if (small.tree_.feature[s], small.tree_.threshold[s]) != (tree.tree_.feature[t], tree.tree_.threshold[t]):
            return False
        for side in ("children_left", "children_right"):
            waiting.append((getattr(small.tree_, side)[s], getattr(tree.tree_, side)[t]))
    return True


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_the_result_is_the_grown_tree_with_branches_gone(name: str, task: str) -> None:
    tree = stem(task).fit(*rows_of(task))
    before = pickle.dumps(tree)
    small = prune(tree, name, *rows_of(task, 150, seed=1))
    assert small is not tree
    assert is_pruning(small, tree)
    assert not is_pruning(tree, small)  # something went
    assert pickle.dumps(tree) == before


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_a_row_of_weight_two_is_two_rows(name: str, task: str) -> None:
    tree = stem(task).fit(*rows_of(task))
    X, y = rows_of(task, 150, seed=1)
    times = np.random.default_rng(0).integers(0, 4, len(y))
    repeated = prune(tree, name, np.repeat(X, times, axis=0), np.repeat(y, times))
    assert same(prune(tree, name, X, y, times), repeated)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_the_order_of_the_rows_does_not_matter(name: str, task: str) -> None:
    tree = stem(task).fit(*rows_of(task))
    X, y = rows_of(task, 150, seed=1)
    order = np.random.default_rng(0).permutation(len(y))
    assert same(prune(tree, name, X, y), prune(tree, name, X[order], y[order]))


@pytest.mark.parametrize(("name", "task"), ROWS_ALONE)
def test_all_weights_times_three_change_nothing_where_no_absolute_number_is_known(name: str, task: str) -> None:
    tree = stem(task).fit(*rows_of(task))
    X, y = rows_of(task, 150, seed=1)
    assert same(prune(tree, name, X, y, weights(150)), prune(tree, name, X, y, 3 * weights(150)))
    assert same(prune(tree, name, X, y), prune(tree, name, X, y, np.full(150, 3)))


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in NO_ABSOLUTE_N])
def test_where_rows_are_evidence_more_of_the_same_prune_less(name: str) -> None:
    X, y = rows_of("classes")
    tree = stem("classes").fit(X, y)
    once, often = (prune(tree, name, X, y, np.full(len(y), times)) for times in (1, 50))
    assert often.get_n_leaves() > once.get_n_leaves()


@pytest.mark.parametrize("name", CLASSES)
def test_names_of_classes_do_not_matter(name: str) -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 150, seed=1)
    tree = stem("classes").fit(X, y, weights())  # unequal weights leave no labels tied
    small = prune(tree, name, X_new, y_new, weights(150))
    for renamed in (np.array([2, 0, 1]), np.array(["b", "c", "a"]), np.array([10, -3, 7])):
        other = stem("classes").fit(X, renamed[y], weights())
        assert same(tree, other)
        pruned = prune(other, name, X_new, renamed[y_new], weights(150))
        assert same(pruned, small)
        np.testing.assert_array_equal(pruned.predict(X_new), renamed[small.predict(X_new)])


@pytest.mark.parametrize("name", CLASSES)
def test_string_labels_are_pruned_as_their_codes_are(name: str) -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 150, seed=1)
    words = np.array(["a", "b", "c"])
    codes, strings = stem("classes").fit(X, y), stem("classes").fit(X, words[y])
    assert same(prune(codes, name, X_new, y_new), prune(strings, name, X_new, words[y_new]))
    assert set(prune(strings, name, X_new, words[y_new].tolist()).predict(X)) <= set("abc")


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_may_be_absent_from_the_pruning_rows(name: str) -> None:
    tree = stem("classes").fit(*rows_of("classes"))
    X, y = rows_of("classes", 150, seed=1)
    small = prune(tree, name, X[y != 1], y[y != 1])
    assert is_pruning(small, tree)
    np.testing.assert_array_equal(small.classes_, tree.classes_)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_a_single_leaf_stays_as_it_is(name: str, task: str) -> None:
    X, y = rows_of(task)
    leaf = stem(task).fit(X, np.full_like(y, 1))
    small = prune(leaf, name, X, np.full_like(y, 1))
    assert small.tree_.node_count == 1
    np.testing.assert_array_equal(small.predict(X), leaf.predict(X))


LOSSLESS: dict[str, dict[str, Any]] = {
    "cost_complexity": {"alpha": 0.0},
    "reduced_error": {},
    "minimum_error": {"m": 0.0},
    "critical_value": {"critical_value": 0.0},
    "optimal": {"max_leaf_nodes": 1000},
    "max_depth": {"max_depth": 1000},
    "max_leaf_nodes": {"max_leaf_nodes": 1000},
    "significance": {"significance": 1.0},
    "min_impurity_decrease": {"min_impurity_decrease": 0.0},
    "min_samples_split": {"min_samples_split": 2},
}


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_at_no_strength_a_pure_tree_still_fits_its_rows(name: str, task: str) -> None:
    X, y = rows_of(task)
    tree = stem(task).fit(X, y)
    assert tree.score(X, y) == 1
    small = tp.prune(tree, name, X, y, **LOSSLESS[name])
    assert small.score(X, y) == pytest.approx(1, abs=1e-12)


STRONGEST: dict[str, dict[str, Any]] = {
    "cost_complexity": {"alpha": np.inf},
    "minimum_error": {"m": np.inf},
    "critical_value": {"critical_value": np.inf},
    "optimal": {"max_leaf_nodes": 1},
    "max_depth": {"max_depth": 0},
    "max_leaf_nodes": {"max_leaf_nodes": 1},
    "significance": {"significance": 0.0},
    "kearns_mansour": {"c": 1e9},
    "averaging": {"stop_prior": 1 - 1e-15},
    "min_impurity_decrease": {"min_impurity_decrease": np.inf},
    "min_samples_split": {"min_samples_split": 1e9},
    "pessimistic_error": {"z": 1e9},
}


@pytest.mark.parametrize("name", STRONGEST)
def test_at_full_strength_the_root_is_left(name: str) -> None:
    X, y = rows_of("classes")
    assert tp.prune(stem("classes").fit(X, y), name, X, y, **STRONGEST[name]).get_n_leaves() == 1


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("kind", ["several classes", "several numbers"])
def test_several_outputs_are_pruned_or_refused(name: str, kind: str) -> None:
    case = grown(kind)
    if name in ONE_CLASS_VARIABLE:
        given = "2 outputs" if kind == "several classes" else r"a numeric target \(regression\)"
        with pytest.raises(ValueError, match=f"classification with one output; this tree has {given}"):
            prune(case.tree, name, case.X, case.y)
        return
    small = prune(case.tree, name, case.X, case.y)
    assert is_pruning(small, case.tree)
    assert small.predict(case.X).shape == case.y.shape


@pytest.mark.parametrize("name", [n for n in METHODS if n not in (*ONE_CLASS_VARIABLE, COPIES_ARE_EVIDENCE)])
@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_an_output_given_twice_is_pruned_as_it_is_once(name: str, task: str) -> None:
    (X, y), (X_new, y_new) = rows_of(task), rows_of(task, 150, seed=1)
    once, twice = stem(task).fit(X, y), stem(task).fit(X, np.column_stack([y, y]))
    assert same(once, twice)
    assert same(prune(once, name, X_new, y_new), prune(twice, name, X_new, np.column_stack([y_new, y_new])))


@pytest.mark.parametrize("goodness", ["gain_ratio", "chi2"])
def test_split_measures_of_one_class_variable_refuse_several(goodness: str) -> None:
    case = grown("several classes")
    with pytest.raises(ValueError, match=f"goodness='{goodness}' is defined for classification with one output"):
        tp.prune(case.tree, "critical_value", case.X, case.y, critical_value=1, goodness=goodness)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_missing_values_go_where_the_tree_sends_them(name: str, task: str) -> None:
    case = grown("missing values" if task == "classes" else "missing numbers")
    small = prune(case.tree, name, case.X, case.y)
    assert is_pruning(small, case.tree)
    way = ways(case.tree, case.X)
    pruner = METHODS[name](**PARAMETERS[name])._prune_fitted(case.tree, case.X, case.y, None)
    covering = (way & pruner.cut_).argmax(axis=1)
    np.testing.assert_array_equal(small.tree_.value[small.apply(case.X)], case.tree.tree_.value[covering])


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in COUNT_ROWS])
def test_class_weights_prune_as_row_weights_do(name: str) -> None:
    X, y = rows_of("classes")
    by_class = {0: 2.0, 1: 1.0, 2: 3.0}
    weight = np.array([by_class[c] for c in y])
    one, other = stem("classes", class_weight=by_class).fit(X, y), stem("classes").fit(X, y, weight)
    assert same(one, other)
    assert same(prune(one, name, X, y), prune(other, name, X, y, weight))


@settings(max_examples=15)
@given(st.data())
@pytest.mark.parametrize("name", list(METHODS))
def test_any_small_table_is_pruned_to_a_subtree(name: str, data: st.DataObject) -> None:
    n_rows = data.draw(st.integers(2, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    X = rng.integers(0, data.draw(st.integers(1, 6)), (n_rows, 2)).astype(float)
    y = rng.integers(0, data.draw(st.integers(1, 4)), n_rows)
    task = "classes" if name in ONE_CLASS_VARIABLE else data.draw(st.sampled_from(["classes", "numbers"]))
    weight = rng.choice([0.0, 0.5, 1.0, 2.0], n_rows) if data.draw(st.booleans()) else None
    if weight is not None:
        weight[0] = 1.0
    tree = stem(task).fit(X, y, weight)
    known = np.isin(y, tree.classes_) if is_classifier(tree) else np.ones(n_rows, bool)
    if known.sum() < 2:
        return
    small = prune(tree, name, X[known], y[known], None if weight is None else weight[known])
    assert is_pruning(small, tree)
    assert 1 <= small.get_n_leaves() <= tree.get_n_leaves()
