"""By name: what may be pruned, what comes back, the families of prunings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from models import PARAMETERS, TASKS, inner_shape, rows_of, stem, ways
from sklearn.base import is_classifier
from sklearn.datasets import load_iris
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.dispatch import FAMILIES, METHODS
from treeprune.tree.fitted import find_tree

NESTED = (
    *("cost_complexity", "critical_value", "max_depth", "max_leaf_nodes"),
    *("min_impurity_decrease", "min_samples_split"),
)
STRENGTHS: dict[str, list[float]] = {
    "cost_complexity": [0.0, 0.003, 0.02, 1.0],
    "critical_value": [0.0, 0.1, 0.3, 1.0],
    "max_depth": [0, 1, 3, 100],
    "max_leaf_nodes": [1, 2, 7, 1000],
    "min_impurity_decrease": [0.0, 0.003, 0.02, 1.0],
    "min_samples_split": [2, 10, 60, 1000],
}


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_the_last_step_of_a_pipeline_is_pruned(name: str, task: str) -> None:
    (X, y), (X_new, y_new) = rows_of(task), rows_of(task, 150, seed=1)
    piped = make_pipeline(StandardScaler(), stem(task)).fit(X, y)
    before = piped.predict(X)
    small = tp.prune(piped, name, X_new, y_new, **PARAMETERS[name])
    scale = piped[0].transform
    direct = tp.prune(piped[-1], name, scale(X_new), y_new, **PARAMETERS[name])
    assert isinstance(small, Pipeline)
    assert [key for key, _ in small.steps] == [key for key, _ in piped.steps]
    assert inner_shape(small[-1]) == inner_shape(direct)
    np.testing.assert_array_equal(small.predict(X_new), direct.predict(scale(X_new)))
    np.testing.assert_array_equal(piped.predict(X), before)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("piped", [False, True])
def test_the_best_estimator_of_a_search_is_pruned(piped: bool, frozen: bool) -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 150, seed=1)
    estimator = make_pipeline(StandardScaler(), stem("classes")) if piped else stem("classes")
    key = "decisiontreeclassifier__min_samples_leaf" if piped else "min_samples_leaf"
    search = GridSearchCV(estimator, {key: [1, 3]}, cv=3).fit(X, y)
    best = search.best_estimator_
    small = tp.prune(FrozenEstimator(search) if frozen else search, "reduced_error", X_new, y_new)
    assert type(small) is type(best)
    np.testing.assert_array_equal(small.predict(X_new), tp.prune(best, "reduced_error", X_new, y_new).predict(X_new))
    assert search.best_estimator_ is best


def test_a_frozen_pipeline_scales_its_rows_once() -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 150, seed=1)
    X, X_new = 5 + 3 * X, 5 + 3 * X_new
    piped = make_pipeline(StandardScaler(), stem("classes")).fit(X, y)
    thawed, frozen = (tp.prune(m, "reduced_error", X_new, y_new) for m in (piped, FrozenEstimator(piped)))
    assert isinstance(frozen, Pipeline)
    assert inner_shape(frozen[-1]) == inner_shape(thawed[-1])


@pytest.mark.parametrize(
    "forest", [RandomForestClassifier, ExtraTreesClassifier, RandomForestRegressor, ExtraTreesRegressor]
)
def test_members_of_forests_are_pruned_with_codes(forest: Any) -> None:
    task = "classes" if is_classifier(forest()) else "numbers"
    (X, y), (X_new, y_new) = rows_of(task), rows_of(task, 150, seed=1)
    words = np.array(["z", "m", "a"])
    grown = forest(5, random_state=0).fit(X, words[y] if task == "classes" else y)
    codes = np.searchsorted(grown.classes_, words[y_new]) if task == "classes" else y_new
    for member in grown.estimators_:
        for name in (case[0] for case in TASKS if case[1] == task):
            small = tp.prune(member, name, X_new, codes, **PARAMETERS[name])
            assert type(small) is type(member)
            assert small.get_n_leaves() < member.get_n_leaves()
    grown.estimators_ = [tp.prune(member, "reduced_error", X_new, codes) for member in grown.estimators_]
    assert np.isfinite(grown.score(X_new, words[y_new] if task == "classes" else y_new))


@pytest.mark.parametrize("name", list(METHODS))
def test_data_frames_keep_their_names_without_a_warning(name: str) -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 150, seed=1)
    frame, new = (pd.DataFrame(rows, columns=list("abcd")) for rows in (X, X_new))
    labels = pd.Series(np.array(["x", "y", "z"])[y_new], index=new.index + 1000)
    tree = stem("classes").fit(frame, np.array(["x", "y", "z"])[y])
    small = tp.prune(tree, name, new, labels, sample_weight=pd.Series(np.ones(150)), **PARAMETERS[name])
    assert list(small.feature_names_in_) == list("abcd")
    assert inner_shape(small) == inner_shape(
        tp.prune(stem("classes").fit(X, y), name, X_new, y_new, **PARAMETERS[name])
    )
    fitted = METHODS[name](stem("classes"), **PARAMETERS[name]).fit(frame, pd.Series(np.array(["x", "y", "z"])[y]))
    assert set(fitted.predict(new)) <= {"x", "y", "z"}


def test_nodes_become_leaves() -> None:
    tree = stem("classes").fit(*rows_of("classes"))
    left, right = int(tree.tree_.children_left[0]), int(tree.tree_.children_right[0])
    below = int(tree.tree_.children_left[left])
    small = tp.prune(tree, nodes=[left, below])  # the upper one counts
    assert small.tree_.children_left[1] < 0
    np.testing.assert_array_equal(small.tree_.value[1], tree.tree_.value[left])
    assert small.get_n_leaves() == 1 + tp.prune(tree, nodes=[]).get_n_leaves() - _leaves(tree, left)
    assert tp.prune(tree, nodes=(t for t in (np.int64(left), right))).get_n_leaves() == 2
    assert tp.prune(tree, nodes={0}).get_n_leaves() == 1
    piped = make_pipeline(StandardScaler(), stem("classes")).fit(*rows_of("classes"))
    assert tp.prune(piped, nodes=[0])[-1].get_n_leaves() == 1


def _leaves(tree: Any, t: int) -> int:
    X, _ = rows_of("classes")
    way = ways(tree, X)
    return len(np.unique(tree.apply(X)[way[:, t]]))


@pytest.mark.parametrize(("name", "task"), [case for case in TASKS if case[0] in NESTED])
@pytest.mark.parametrize("rows", [False, True])
def test_a_path_holds_the_trees_of_all_strengths(name: str, task: str, rows: bool) -> None:
    tree = stem(task).fit(*rows_of(task))
    given = rows_of(task, 150, seed=1) if rows else ()
    path = tp.pruning_path(tree, name, *given)
    assert path.method == name
    assert path.n_leaves[0] == tree.get_n_leaves()
    assert path.n_leaves[-1] == 1
    structure = tp.TreeStructure.from_arrays(tree.tree_.children_left, tree.tree_.children_right)
    for strength in STRENGTHS[name]:
        parameter = {next(iter(PARAMETERS[name])): strength}
        pruner = METHODS[name](**parameter)._prune_fitted(tree, *(given or (None, None)), None)
        cut = tp.cut_at(structure, path.removed_at, int(path.levels_at(strength)))
        np.testing.assert_array_equal(pruner.cut_, cut)
        if not rows:
            np.testing.assert_array_equal(pruner._find_cut(find_tree(tree), None), cut)
        np.testing.assert_array_equal(pruner.path_.price, path.price)


def test_a_path_may_be_asked_of_a_pruner_and_with_its_options() -> None:
    X, y = rows_of("classes")
    tree = stem("classes").fit(X, y)
    by_name = tp.pruning_path(tree, "cost_complexity", X, y, sample_weight=np.ones(len(y)), risk="error")
    by_pruner = tp.pruning_path(tree, tp.CostComplexityPruner(risk="error"))
    np.testing.assert_array_equal(by_name.removed_at, by_pruner.removed_at)
    assert tp.pruning_path(tree).n_levels != by_name.n_levels


@pytest.mark.parametrize(("name", "task"), [case for case in TASKS if case[0] in FAMILIES])
def test_cuts_are_those_of_each_value(name: str, task: str) -> None:
    tree = stem(task).fit(*rows_of(task))
    X, y = rows_of(task, 150, seed=1)
    for cuts in (tp.pruning_cuts(tree, name, X, y), tp.pruning_cuts(tree, name)):
        assert (cuts.method, cuts.parameter) == (name, FAMILIES[name][0])
        np.testing.assert_array_equal(cuts.price, FAMILIES[name][1])
        assert cuts.n_levels == len(cuts.cuts) == len(cuts.n_leaves)
    with_rows = tp.pruning_cuts(tree, name, X, y)
    for value, cut in zip(with_rows.price, with_rows.cuts, strict=True):
        pruner = METHODS[name](**{with_rows.parameter: value})._prune_fitted(tree, X, y, None)
        np.testing.assert_array_equal(cut, pruner.cut_)


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_cuts_of_every_size_are_optimal(task: str) -> None:
    tree = stem(task).fit(*rows_of(task))
    X, y = rows_of(task, 150, seed=1)
    cuts = tp.pruning_cuts(tree, "optimal", X, y)
    np.testing.assert_array_equal(cuts.n_leaves, np.arange(tree.get_n_leaves(), 0, -1))
    score = {size: tp.prune(tree, "optimal", X, y, max_leaf_nodes=size).score(X, y) for size in (1, 2, 5, 20)}
    for size, best in score.items():
        exact = tp.prune(tree, nodes=np.flatnonzero(cuts.cuts[-size]))
        assert exact.score(X, y) <= best + 1e-12  # smaller ones are allowed there
    np.testing.assert_array_equal(tp.pruning_cuts(tree, "optimal", X, y, max_leaf_nodes=4).price, [4, 3, 2, 1])


def test_values_of_a_family_may_be_given() -> None:
    tree = stem("classes").fit(*rows_of("classes"))
    np.testing.assert_array_equal(tp.pruning_cuts(tree, "minimum_error", m=[0, 5]).price, [0, 5])
    np.testing.assert_array_equal(tp.pruning_cuts(tree, "minimum_error", m=5).price, [5])
    np.testing.assert_array_equal(tp.pruning_cuts(tree, "minimum_error", m=np.array([1.5])).price, [1.5])
    weka = tp.pruning_cuts(tree, "error_based", confidence=(0.25,), limit="weka")
    assert weka.n_leaves[0] == tp.prune(tree, "error_based", limit="weka").get_n_leaves()


def test_the_pruner_given_is_not_changed() -> None:
    tree = stem("classes").fit(*rows_of("classes"))
    pruner = tp.MinimumErrorPruner(DecisionTreeClassifier(), m=4)
    before = dict(vars(pruner))
    tp.prune(tree, pruner)
    assert vars(pruner) == before


@pytest.mark.parametrize("method", ["cost_complexity", "critical_value"])
def test_a_strength_left_at_a_default_that_prunes_nothing_is_said(method: str) -> None:
    X, y = load_iris(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match=f"{method} pruned nothing: .* is 0.0 unless it is given"):
        tp.prune(tree, method)
    tp.prune(tree, method, **{"alpha" if method == "cost_complexity" else method: 0.0})  # asked for: no word
