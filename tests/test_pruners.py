"""The pruners as estimators: against scikit-learn's own growth, by name, by array, in compositions."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from models import ONE_CLASS_VARIABLE, PARAMETERS, TASKS, grown, inner_shape, numbers, rows_of, stem, weights
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import estimator_html_repr

import treeprune as tp
from treeprune.dispatch import METHODS

Case = tuple[Any, NDArray[Any], NDArray[Any], NDArray[Any] | None]


def pruner(name: str, task: str = "classes", **more: Any) -> Any:
    return METHODS[name](more.pop("estimator", stem(task)), **PARAMETERS[name], **more)


def refit_cases() -> Iterator[Any]:
    for load in (load_iris, load_wine, load_breast_cancer):
        for criterion in ("gini", "entropy"):
            tree = DecisionTreeClassifier(criterion=criterion, random_state=0)
            yield pytest.param((tree, *load(return_X_y=True), None), id=f"{load.__name__} {criterion}")
    X, y = load_breast_cancer(return_X_y=True)
    yield pytest.param((DecisionTreeClassifier(random_state=0), X, y, weights(len(y))), id="weights")
    balanced = DecisionTreeClassifier(class_weight="balanced", random_state=0)
    yield pytest.param((balanced, *rows_of("classes"), None), id="balanced")
    small = DecisionTreeRegressor(min_samples_leaf=5, random_state=0)
    yield pytest.param((small, *load_diabetes(return_X_y=True), None), id="regression")
    yield pytest.param((small, *numbers(), weights()), id="regression, weights")
    absolute = DecisionTreeRegressor(criterion="absolute_error", min_samples_leaf=5, random_state=0)
    yield pytest.param((absolute, *numbers(), None), id="regression, absolute error")


@pytest.mark.parametrize("case", list(refit_cases()))
def test_cost_complexity_grows_what_scikit_learn_grows_at_the_same_alpha(case: Case) -> None:
    tree, X, y, weight = case
    fitted = tp.CostComplexityPruner(tree).fit(X, y, weight)
    price = fitted.path_.price
    between = [alpha for alpha in np.sqrt(price[:-1] * price[1:]) if alpha > 0]
    for alpha in (price[price > 0][0] / 2, *between, price[-1] * 2):
        refit = clone(tree).set_params(ccp_alpha=alpha).fit(X, y, weight)
        ours = fitted.set_params(alpha=alpha).prune()
        assert ours.n_leaves_ == refit.get_n_leaves()
        assert inner_shape(ours.estimator_) == inner_shape(refit)
        np.testing.assert_array_equal(ours.predict(X), refit.predict(X))


@pytest.mark.parametrize("weight", [None, weights(300)], ids=["plain", "weights"])
@pytest.mark.parametrize("limit", ["max_depth", "max_leaf_nodes"])
def test_growth_limits_after_growing_are_those_while_growing(limit: str, weight: Any) -> None:
    rng = np.random.default_rng(0)  # of no two splits the same worth: ties break by the order of growth
    X = rng.normal(size=(300, 5))
    y = X[:, 0] + np.sin(3 * X[:, 1]) + rng.normal(size=300)
    tree = DecisionTreeRegressor(min_samples_leaf=5, random_state=0).fit(X, y, weight)
    most = tree.get_depth() if limit == "max_depth" else tree.get_n_leaves()
    for value in range(2 if limit == "max_leaf_nodes" else 1, most + 2, 1 if limit == "max_depth" else 4):
        refit = clone(tree).set_params(**{limit: value}).fit(X, y, weight)
        assert inner_shape(tp.prune(tree, limit, **{limit: value})) == inner_shape(refit)


def array_cut(name: str, tree: Any) -> NDArray[np.bool_]:
    """Call the array function on what scikit-learn stored."""
    t = tree.tree_
    structure = tp.TreeStructure.from_arrays(t.children_left, t.children_right)
    n, impurity = t.weighted_n_node_samples, t.impurity * t.weighted_n_node_samples
    counts = np.rint(t.value[:, 0] * n[:, None])
    errors = n - counts.max(axis=1) if is_classifier(tree) else impurity
    inner = np.flatnonzero(t.children_left >= 0)
    gain = np.zeros(t.node_count)
    gain[inner] = impurity[inner] - impurity[t.children_left[inner]] - impurity[t.children_right[inner]]
    given = PARAMETERS[name]
    match name:
        case "cost_complexity":
            path = tp.cost_complexity_path(structure, impurity / n[0])
        case "critical_value":
            path = tp.critical_value_path(structure, gain / n)
        case "max_depth":
            path = tp.max_depth_path(structure)
        case "max_leaf_nodes":
            path = tp.max_leaf_nodes_path(structure, gain)
        case "min_impurity_decrease":
            path = tp.growth_limit_path(structure, gain / n[0], name)
        case "min_samples_split":
            path = tp.growth_limit_path(structure, n, name)
        case "significance" if is_classifier(tree):
            return tp.significance_cut(structure, tp.split_p_values(structure, counts), **given)
        case "significance":
            return tp.significance_cut(structure, tp.variance_p_values(structure, errors, n), **given)
        case "description_length":
            return tp.description_length_cut(structure, counts, t.n_features, **given)
        case "averaging":
            offset = t.value[:, 0, 0] - t.value[0, 0, 0]
            moments = np.stack([n, n * offset, impurity + n * offset**2], axis=-1)
            evidence = tp.class_evidence(counts) if is_classifier(tree) else tp.normal_evidence(moments)
            return tp.map_cut(structure, evidence, **given)
        case "kearns_mansour":
            return tp.kearns_mansour_cut(structure, errors, n, t.n_features * (n[0] - 1), **given)
        case "reduced_error":
            return tp.reduced_error_cut(structure, errors)
        case "minimum_error" if is_classifier(tree):
            return tp.minimum_error_cut(structure, counts, **given)
        case "minimum_error":
            return tp.minimum_squared_error_cut(structure, errors, n, **given)
        case "pessimistic_error":
            return tp.pessimistic_error_cut(structure, errors, n, **given)
        case "error_based":
            return tp.error_based_cut(structure, errors, n, **given)
        case "optimal":
            return tp.optimal_cut_of_size(structure, errors, **given)
    return tp.cut_at(structure, path.removed_at, int(path.levels_at(next(iter(given.values())))))


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_estimator_name_and_array_function_agree(name: str, task: str) -> None:
    X, y = rows_of(task)
    tree = stem(task).fit(X, y)
    frozen = pruner(name, estimator=FrozenEstimator(tree)).fit(X, y)  # the growing rows, as the arrays hold
    np.testing.assert_array_equal(frozen.cut_, array_cut(name, tree))
    assert 1 < frozen.n_leaves_ <= tree.get_n_leaves()
    by_name = tp.prune(tree, name, X, y, **PARAMETERS[name])
    by_object = tp.prune(tree, METHODS[name](**PARAMETERS[name]), X, y)
    assert inner_shape(by_name) == inner_shape(frozen.estimator_) == inner_shape(by_object)
    assert by_name.get_n_leaves() == frozen.n_leaves_


@pytest.mark.parametrize(("name", "task"), [case for case in TASKS if case[0] != "reduced_error"])
@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weights"])
def test_without_rows_the_tree_is_pruned_by_what_it_grew_on(name: str, task: str, weight: Any) -> None:
    X, y = rows_of(task)
    tree = stem(task).fit(X, y, weight)
    with_rows = tp.prune(tree, name, X, y, sample_weight=weight, **PARAMETERS[name])
    assert inner_shape(tp.prune(tree, name, **PARAMETERS[name])) == inner_shape(with_rows)
    fitted = pruner(name, task).fit(X, y, weight)
    assert inner_shape(fitted.estimator_) == inner_shape(with_rows)
    assert inner_shape(fitted.grown_) == inner_shape(tree)


@pytest.mark.parametrize("weight", [None, weights()], ids=["plain", "weights"])
@pytest.mark.parametrize(
    "method",
    [
        tp.CostComplexityPruner(alpha=0.01, risk="error"),
        tp.OptimalPruner(max_leaf_nodes=6, risk="impurity"),
        tp.CriticalValuePruner(critical_value=0.3, goodness="gain_ratio"),
        tp.CriticalValuePruner(critical_value=5.0, goodness="chi2"),
        tp.MinimumErrorPruner(m=3, prior=[0.2, 0.5, 0.3]),
        tp.ErrorBasedPruner(limit="weka"),
        tp.ErrorBasedPruner(limit="exact"),
        tp.SignificancePruner(test="g2", significance=0.3),
        tp.SignificancePruner(correction="bonferroni", significance=0.5),
        tp.DescriptionLengthPruner(code="quinlan_rivest"),
        tp.AveragingPruner(beta=2.0, stop_prior=0.3),
    ],
    ids=repr,
)
def test_the_other_options_agree_with_and_without_rows_too(method: Any, weight: Any) -> None:
    X, y = rows_of("classes")
    tree = stem("classes", min_samples_leaf=3).fit(X, y, weight)
    without, with_rows = tp.prune(tree, method), tp.prune(tree, method, X, y, sample_weight=weight)
    assert inner_shape(without) == inner_shape(with_rows)
    assert 1 < without.get_n_leaves() < tree.get_n_leaves()


OTHER = {
    "cost_complexity": {"alpha": 0.03},
    "reduced_error": {"ties": "keep"},
    "minimum_error": {"m": 30.0},
    "pessimistic_error": {"z": 2.0},
    "error_based": {"confidence": 0.05},
    "critical_value": {"critical_value": 0.25},
    "optimal": {"max_leaf_nodes": 4},
    "max_depth": {"max_depth": 2},
    "max_leaf_nodes": {"max_leaf_nodes": 4},
    "significance": {"significance": 1e-6},
    "description_length": {"code": "quinlan_rivest"},
    "kearns_mansour": {"c": 0.5},
    "averaging": {"stop_prior": 0.99},
    "min_impurity_decrease": {"min_impurity_decrease": 0.03},
    "min_samples_split": {"min_samples_split": 100},
}


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_pruning_after_set_params_is_a_fresh_fit_without_growing(name: str, task: str) -> None:
    X, y = rows_of(task)
    more = {"random_state": 3} if name == "reduced_error" else {}
    fitted = pruner(name, task, **more).fit(X, y)
    grown_before, leaves_before = fitted.grown_, fitted.n_leaves_
    assert fitted.set_params(**OTHER[name]).prune() is fitted
    fresh = clone(fitted).fit(X, y)
    assert fitted.grown_ is grown_before
    assert fitted.n_leaves_ != leaves_before
    np.testing.assert_array_equal(fitted.cut_, fresh.cut_)
    np.testing.assert_array_equal(fitted.predict(X), fresh.predict(X))


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_pruning_with_other_rows_starts_from_the_grown_tree(name: str, task: str) -> None:
    (X, y), (X_new, y_new) = rows_of(task), rows_of(task, 100, seed=9)
    fitted = pruner(name, task, **({"random_state": 0} if name == "reduced_error" else {})).fit(X, y)
    fitted.prune(X_new, y_new, weights(100))
    by_name = tp.prune(fitted.grown_, name, X_new, y_new, sample_weight=weights(100), **PARAMETERS[name])
    assert inner_shape(fitted.estimator_) == inner_shape(by_name)
    again = clone(fitted).set_params(estimator=FrozenEstimator(fitted.grown_)).fit(X_new, y_new, weights(100))
    np.testing.assert_array_equal(again.cut_, fitted.cut_)
    assert again.grown_ is fitted.grown_


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_pruners_speak_for_the_tree_they_hold(name: str, task: str) -> None:
    X, y = rows_of(task)
    frame = pd.DataFrame(X, columns=list("abcd"))
    fitted = pruner(name, task).fit(frame, y)
    tree = fitted.estimator_
    assert is_classifier(fitted) == (task == "classes")
    assert is_regressor(fitted) == (task == "numbers")
    assert fitted.n_features_in_ == 4
    assert list(fitted.feature_names_in_) == list("abcd")
    np.testing.assert_array_equal(fitted.predict(frame), tree.predict(frame))
    assert fitted.score(frame, y) == tree.score(frame, y)
    assert fitted.score(frame, y, weights()) == tree.score(frame, y, weights())
    assert hasattr(fitted, "classes_") == hasattr(fitted, "predict_proba") == (task == "classes")
    if task == "classes":
        np.testing.assert_array_equal(fitted.predict_proba(frame), tree.predict_proba(frame))
        with np.errstate(divide="ignore"):
            np.testing.assert_array_equal(fitted.predict_log_proba(frame), tree.predict_log_proba(frame))


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_pruners_are_cloned_pickled_and_shown(name: str, task: str) -> None:
    X, y = rows_of(task)
    fitted = pruner(name, task).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(again.prune().cut_, fitted.cut_)
    fresh = clone(fitted)
    assert not hasattr(fresh, "estimator_")
    assert {k: v for k, v in fresh.get_params().items() if k != "estimator"} == {
        k: v for k, v in fitted.get_params().items() if k != "estimator"
    }
    assert fitted.get_params()["estimator__random_state"] == 0
    assert fitted.set_params(estimator__max_depth=2).estimator.max_depth == 2
    assert type(fitted).__name__ in repr(fitted)
    assert type(fitted).__name__ in estimator_html_repr(fitted)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_cross_validation_and_searches_take_pruners(name: str, task: str) -> None:
    X, y = rows_of(task)
    assert np.isfinite(cross_val_score(pruner(name, task), X, y, cv=3)).all()
    key = next(iter(OTHER[name]))
    values = [{**PARAMETERS[name], "ties": "prune"}[key], OTHER[name][key]]
    search = GridSearchCV(pruner(name, task), {key: values, "estimator__min_samples_leaf": [1, 5]}, cv=2).fit(X, y)
    assert search.best_params_[key] in values
    piped = make_pipeline(StandardScaler(), pruner(name, task)).fit(X, y)
    assert piped.predict(X).shape == y.shape


@pytest.mark.parametrize("name", list(METHODS))
def test_a_pipeline_is_grown_with_weights_at_its_last_step(name: str) -> None:
    X, y = rows_of("classes")
    piped = pruner(name, estimator=make_pipeline(StandardScaler(), stem("classes"))).fit(X, y, weights())
    assert isinstance(piped.estimator_, Pipeline)
    scaled = StandardScaler().fit_transform(X)
    if name != "reduced_error":  # which holds rows out
        direct = pruner(name).fit(scaled, y, weights())
        np.testing.assert_array_equal(piped.cut_, direct.cut_)
        np.testing.assert_array_equal(piped.predict(X), direct.predict(scaled))
    assert piped.n_features_in_ == 4
    np.testing.assert_array_equal(piped.classes_, [0, 1, 2])


def test_a_frozen_tree_is_not_grown_again() -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 90, seed=4)
    tree = stem("classes").fit(X, y)
    fitted = tp.ReducedErrorPruner(FrozenEstimator(tree)).fit(X_new, y_new)
    assert fitted.grown_ is tree
    assert inner_shape(fitted.estimator_) == inner_shape(tp.prune(tree, "reduced_error", X_new, y_new))
    assert not hasattr(fitted, "validation_index_")


def test_a_frozen_last_step_is_not_grown_again() -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 90, seed=4)
    scaler = StandardScaler().fit(X)
    piped = Pipeline(
        [("scale", FrozenEstimator(scaler)), ("tree", FrozenEstimator(stem("classes").fit(scaler.transform(X), y)))]
    )
    fitted = tp.CostComplexityPruner(piped, alpha=0.02).fit(X_new, y_new)
    expected = tp.prune(piped, "cost_complexity", X_new, y_new, alpha=0.02)
    assert inner_shape(fitted.estimator_[-1]) == inner_shape(expected[-1])
    np.testing.assert_array_equal(fitted.predict(X_new), expected.predict(X_new))


def test_a_frozen_fit_forgets_the_split_of_an_earlier_one() -> None:
    X, y = rows_of("classes")
    fitted = tp.ReducedErrorPruner(stem("classes"), refit_leaves=True, random_state=0).fit(X, y)
    frozen = FrozenEstimator(stem("classes", max_depth=3).fit(X, y))
    fitted.set_params(estimator=frozen).fit(X, y)
    assert not hasattr(fitted, "validation_index_")
    twice = fitted.estimator_.tree_.weighted_n_node_samples[0]  # the tree's own rows, and these
    assert twice == 2 * len(y)


def test_none_grows_a_classification_tree() -> None:
    X, y = rows_of("classes")
    fitted = tp.MaxDepthPruner(max_depth=2).fit(X, y)
    assert isinstance(fitted.estimator_, DecisionTreeClassifier)
    assert inner_shape(fitted.grown_) == inner_shape(DecisionTreeClassifier(random_state=0).fit(X, y))


def test_nothing_is_predicted_before_fit() -> None:
    for method in METHODS.values():
        for act in ("predict", "predict_proba", "prune"):
            with pytest.raises(NotFittedError, match="not fitted"):
                getattr(method(), act)([[0.0]])
    assert not hasattr(tp.CostComplexityPruner(stem("numbers")), "predict_proba")
    assert not hasattr(tp.CostComplexityPruner(), "n_features_in_")


@pytest.mark.parametrize("name", list(METHODS))
def test_weights_are_routed_to_pruners(name: str) -> None:
    X, y = rows_of("classes")
    more = {"random_state": 0} if name == "reduced_error" else {}
    with sklearn.config_context(enable_metadata_routing=True):
        asking = pruner(name, **more).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        grid = {next(iter(OTHER[name])): [next(iter(OTHER[name].values()))]}
        search = GridSearchCV(asking, grid, cv=2).fit(X, y, sample_weight=weights())
        piped = make_pipeline(MinMaxScaler(), asking).fit(X, y, sample_weight=weights())
    direct = pruner(name, **more).set_params(**OTHER[name]).fit(X, y, weights())
    np.testing.assert_array_equal(search.best_estimator_.cut_, direct.cut_)
    scaled = pruner(name, **more).fit(MinMaxScaler().fit_transform(X), y, weights())
    np.testing.assert_array_equal(piped[-1].cut_, scaled.cut_)


def test_with_routing_a_pipeline_inside_must_ask_for_weights() -> None:
    X, y = rows_of("classes")
    with sklearn.config_context(enable_metadata_routing=True):
        asking = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False), stem("classes").set_fit_request(sample_weight=True)
        )
        fitted = tp.MinimumErrorPruner(asking).fit(X, y, weights())
        silent = make_pipeline(StandardScaler(), stem("classes"))
        with pytest.raises(UnsetMetadataPassedError):
            tp.MinimumErrorPruner(silent).fit(X, y, weights())
    direct = tp.MinimumErrorPruner(make_pipeline(StandardScaler(), stem("classes"))).fit(X, y, weights())
    np.testing.assert_array_equal(fitted.cut_, direct.cut_)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_sparse_rows_give_what_dense_ones_give(name: str, task: str) -> None:
    from scipy import sparse

    X, y = rows_of(task)
    X = np.maximum(X, 0)
    more = {"random_state": 0} if name == "reduced_error" else {}
    dense = pruner(name, task, **more).fit(X, y)
    for kind in (sparse.csr_array, sparse.csc_array, sparse.coo_array):
        thin = pruner(name, task, **more).fit(kind(X), y)
        np.testing.assert_allclose(thin.predict(X), dense.predict(X), rtol=1e-12)


@pytest.mark.parametrize("name", list(METHODS))
def test_every_criterion_that_a_method_can_read_is_pruned(name: str) -> None:
    for tree_name in ("DecisionTreeRegressor absolute_error", "DecisionTreeRegressor poisson", "monotone numbers"):
        case = grown(tree_name)
        if name not in ONE_CLASS_VARIABLE:
            fitted = METHODS[name](clone(case.tree), **PARAMETERS[name]).fit(case.X, case.y)
            assert fitted.n_leaves_ <= case.tree.get_n_leaves()


def test_prior_is_for_classes_only() -> None:
    with pytest.raises(ValueError, match=r"prior=\[0.5, 0.5\] is for classification"):
        tp.MinimumErrorPruner(stem("numbers"), prior=[0.5, 0.5]).fit(*rows_of("numbers"))


@pytest.mark.parametrize("criterion", ["absolute_error", "poisson", "squared_error"])
@pytest.mark.parametrize("risks", [("impurity", "error"), ("error", "impurity")])
def test_the_risk_may_change_between_fit_and_prune(criterion: str, risks: tuple[str, str]) -> None:
    X, y = rows_of("numbers")
    grown = DecisionTreeRegressor(criterion=criterion, min_samples_leaf=5, random_state=0)
    changed = tp.CostComplexityPruner(grown, alpha=0.05, risk=risks[0]).fit(X, np.abs(y))
    fresh = tp.CostComplexityPruner(grown, alpha=0.05, risk=risks[1]).fit(X, np.abs(y))
    changed.set_params(risk=risks[1]).prune()
    np.testing.assert_allclose(changed.path_.price, fresh.path_.price, rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(changed.cut_, fresh.cut_)


def test_class_weights_are_not_forgotten_when_the_risk_changes() -> None:
    X, y = rows_of("classes")
    grown = DecisionTreeClassifier(class_weight="balanced", min_samples_leaf=3, random_state=0)
    changed = tp.CostComplexityPruner(grown, alpha=0.01).fit(X, y).set_params(risk="error").prune()
    np.testing.assert_array_equal(changed.cut_, tp.CostComplexityPruner(grown, alpha=0.01, risk="error").fit(X, y).cut_)
