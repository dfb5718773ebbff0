"""Input that cannot be right gets an error that names it, and leaves everything as it was."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from models import PARAMETERS, TASKS, grown, rows_of, stem
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.dispatch import METHODS

CLASSES = [name for name, task in TASKS if task == "classes"]
X, Y = rows_of("classes")
TREE = stem("classes").fit(X, Y)


@cache
def fit_once(name: str) -> Any:
    return METHODS[name](stem("classes"), **PARAMETERS[name]).fit(X, Y)


@contextmanager
def unchanged(*models: Any) -> Iterator[None]:
    before = [pickle.dumps(model) for model in models]
    yield
    assert [pickle.dumps(model) for model in models] == before


def row_mistakes() -> dict[str, tuple[dict[str, Any], str]]:
    weight = np.ones(len(Y))
    return {
        "y without X": ({"y": Y}, "X is missing"),
        "X without y": ({"X": X}, "y is missing"),
        "weights alone": ({"sample_weight": weight}, "X is missing"),
        "no rows": ({"X": X[:0], "y": Y[:0]}, "n_samples=0 pruning rows: at least two"),
        "one row": ({"X": X[:1], "y": Y[:1]}, "n_samples=1 pruning rows: at least two"),
        "a bare number": ({"X": X[:1], "y": 1}, "n_samples=1 pruning rows"),
        "too few columns": ({"X": X[:, :2], "y": Y}, "X has 2 features, but .* expecting 4"),
        "a row of X too few": ({"X": X[1:], "y": Y}, "X has 239 rows, y 240"),
        "a row of y too few": ({"X": X, "y": Y[1:]}, "X has 240 rows, y 239"),
        "an unseen class": ({"X": X, "y": Y + 1}, r"y holds \[3\].*it knows \[0, 1, 2\]"),
        "words for numbers": ({"X": X, "y": Y.astype(str)}, r"y holds \['.'.*\].*it knows \[0, 1, 2\]"),
        "two outputs": ({"X": X, "y": np.column_stack([Y, Y])}, r"y has shape \(240, 2\).*1 output"),
        "infinite X": ({"X": np.where(X > 2, np.inf, X), "y": Y}, "infinity"),
        "words in X": ({"X": np.full(X.shape, "a"), "y": Y}, "could not convert string"),
        "negative weights": ({"X": X, "y": Y, "sample_weight": weight - 2}, "sample_weight holds -1.0"),
        "no weight at all": ({"X": X, "y": Y, "sample_weight": 0 * weight}, "sample_weight is zero for every row"),
        "weight NaN": ({"X": X, "y": Y, "sample_weight": weight * np.nan}, "sample_weight holds nan"),
        "weights too few": ({"X": X, "y": Y, "sample_weight": weight[1:]}, r"sample_weight has shape \(239,\)"),
        "weights of words": ({"X": X, "y": Y, "sample_weight": ["a"] * len(Y)}, "could not convert string"),
    }


@pytest.mark.parametrize("mistake", list(row_mistakes()))
@pytest.mark.parametrize("name", CLASSES)
def test_rows_that_cannot_be_are_refused_and_nothing_changes(name: str, mistake: str) -> None:
    rows, message = row_mistakes()[mistake]
    fitted = fit_once(name)
    with unchanged(TREE, fitted):
        with pytest.raises(ValueError, match=message):
            tp.prune(TREE, name, **rows, **PARAMETERS[name])
        with pytest.raises(ValueError, match=message):
            fitted.prune(**rows)


@pytest.mark.parametrize("act", [tp.pruning_path, lambda *given, **rows: tp.pruning_cuts(*given, "optimal", **rows)])
@pytest.mark.parametrize("mistake", ["y without X", "one row", "an unseen class", "negative weights"])
def test_families_refuse_such_rows_too(act: Any, mistake: str) -> None:
    rows, message = row_mistakes()[mistake]
    with unchanged(TREE), pytest.raises(ValueError, match=message):
        act(TREE, **rows)


def test_missing_values_are_refused_where_the_tree_cannot_take_them() -> None:
    holes = X.copy()
    holes[0, 0] = np.nan
    case = grown("ExtraTreeClassifier other splitter")
    with unchanged(case.tree), pytest.raises(ValueError, match="contains NaN"):
        tp.prune(case.tree, "reduced_error", holes, case.y)


def test_targets_of_a_regression_tree_must_be_finite_numbers() -> None:
    case = grown("DecisionTreeRegressor squared_error")
    for y, message in (
        (np.where(case.y > 3, np.nan, case.y), "y holds .nan. in row"),
        (["a"] * 240, "must be numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            tp.prune(case.tree, "reduced_error", case.X, y)


def fit_mistakes() -> dict[str, tuple[dict[str, Any], str]]:
    weight = np.ones(len(Y))
    return {
        "no y": ({"X": X, "y": None}, "requires y to be passed"),
        "lengths differ": ({"X": X, "y": Y[1:]}, "inconsistent numbers of samples|does not match number of samples"),
        "X longer": ({"X": X, "y": Y[:-9]}, "inconsistent numbers of samples|does not match number of samples"),
        "negative weights": ({"X": X, "y": Y, "sample_weight": weight - 2}, "sample_weight holds -1.0"),
        "no weight at all": ({"X": X, "y": Y, "sample_weight": 0 * weight}, "sample_weight is zero for every row"),
        "weights too many": (
            {"X": X, "y": Y, "sample_weight": np.ones(len(Y) + 5)},
            r"inconsistent numbers of samples|sample_weight.shape == \(245,\)",
        ),
        "no rows": ({"X": X[:0], "y": Y[:0]}, "0 sample|n_samples=0"),
    }


@pytest.mark.parametrize("mistake", list(fit_mistakes()))
@pytest.mark.parametrize("name", CLASSES)
def test_a_fit_that_fails_leaves_the_earlier_one(name: str, mistake: str) -> None:
    rows, message = fit_mistakes()[mistake]
    fitted = fit_once(name)
    with unchanged(fitted), pytest.raises(ValueError, match=message):
        fitted.fit(**rows)


NOT_A_NUMBER = [None, "0.1", True, np.True_, np.nan, [0.1], np.array([0.1, 0.2]), 1j, Decimal("0.1")]
OUT_OF_RANGE: list[tuple[str, str, list[Any]]] = [
    ("cost_complexity", "alpha", [-0.1, -1, -np.inf, *NOT_A_NUMBER]),
    ("minimum_error", "m", [-0.1, -1, *NOT_A_NUMBER]),
    ("pessimistic_error", "z", [-0.1, -1, *NOT_A_NUMBER]),
    ("error_based", "confidence", [0, 0.0, 1, 1.0, -0.2, 1.2, np.inf, *NOT_A_NUMBER]),
    ("critical_value", "critical_value", [-0.1, *NOT_A_NUMBER]),
    ("optimal", "max_leaf_nodes", [0, -3, 2.0, 2.5, *NOT_A_NUMBER]),
    ("max_depth", "max_depth", [-1, 2.0, *NOT_A_NUMBER]),
    ("max_leaf_nodes", "max_leaf_nodes", [0, 2.0, *NOT_A_NUMBER]),
    ("significance", "significance", [-0.1, 1.1, *NOT_A_NUMBER]),
    ("kearns_mansour", "c", [-0.1, *NOT_A_NUMBER]),
    ("kearns_mansour", "delta", [0, 1, *NOT_A_NUMBER]),
    ("averaging", "stop_prior", [0, 1, -0.1, 1.1, *NOT_A_NUMBER]),
    ("averaging", "beta", [0, -1, np.inf, *NOT_A_NUMBER]),
    ("min_impurity_decrease", "min_impurity_decrease", [-0.1, *NOT_A_NUMBER]),
    ("min_samples_split", "min_samples_split", [-3, *NOT_A_NUMBER]),
    ("significance", "test", ["t", 1]),
    ("significance", "correction", ["holm", None]),
    ("description_length", "code", ["gzip", None]),
    ("cost_complexity", "risk", ["gini", None, 1]),
    ("optimal", "risk", ["gini"]),
    ("critical_value", "goodness", ["gini"]),
    ("error_based", "limit", ["C4.5", None]),
    ("reduced_error", "ties", ["drop", None, True]),
]


def _id(value: Any) -> str:
    return repr(value)


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [(name, parameter, value) for name, parameter, values in OUT_OF_RANGE for value in values],
    ids=_id,
)
def test_a_parameter_out_of_range_is_named_with_its_value(name: str, parameter: str, value: Any) -> None:
    given = {**PARAMETERS[name], parameter: value}
    with unchanged(TREE), pytest.raises(ValueError, match=f"{parameter}(=| must be given)") as error:
        tp.prune(TREE, name, X, Y, **given)
    assert value is None or repr(value) in str(error.value)
    fitted = copy(fit_once(name))
    before = fitted.predict(X), fitted.cut_, fitted.estimator_
    fitted.set_params(**given)
    for act in (fitted.prune, lambda: fitted.fit(X, Y)):
        with pytest.raises(ValueError, match=parameter):
            act()
    np.testing.assert_array_equal(fitted.predict(X), before[0])
    assert (fitted.cut_ is before[1], fitted.estimator_ is before[2]) == (True, True)


@pytest.mark.parametrize("value", [np.float32(0.01), np.float64(0.01), Fraction(1, 100), 0.01])
def test_every_kind_of_real_number_is_one(value: Any) -> None:
    assert tp.prune(TREE, "cost_complexity", alpha=value).get_n_leaves() == 10
    assert tp.prune(TREE, "max_depth", max_depth=np.int64(1)).get_n_leaves() == 2


@pytest.mark.parametrize("name", ["optimal", "max_depth", "max_leaf_nodes"])
def test_a_strength_without_a_default_must_be_given(name: str) -> None:
    strength = next(iter(PARAMETERS[name]))
    with pytest.raises(ValueError, match=f"{strength} must be given: a whole number"):
        tp.prune(TREE, name)
    with pytest.raises(ValueError, match=f"{strength} must be given"):
        METHODS[name]().fit(X, Y)


def test_holdout_methods_need_rows_of_their_own() -> None:
    with pytest.raises(ValueError, match="needs rows that the tree was not grown on: give them as X and y"):
        tp.prune(TREE, "reduced_error")


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([0.5, 0.5], r"prior=\[0.5, 0.5\]: 3 probabilities"),
        ([0.5, 0.6, 0.1], "sum to 1"),
        ([-0.5, 1.0, 0.5], "sum to 1"),
        ("uniform", "prior='uniform': 3 probabilities"),
        ({"a": 1}, "3 probabilities"),
        ([[0.5], [0.2, 0.3]], "3 probabilities"),
    ],
)
def test_priors_must_be_probabilities_of_the_classes(prior: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tp.prune(TREE, "minimum_error", prior=prior)


@pytest.mark.parametrize(
    ("method", "hint"),
    [
        ("reduced_eror", "Did you mean 'reduced_error'?"),
        ("ReducedError", "use a pruner or one of cost_complexity, reduced_error"),
        ("ccp", "use a pruner or one of"),
        (7, "method=7 is unknown"),
        (["reduced_error"], "is unknown"),
        (tp.CostComplexityPruner, "is unknown: use a pruner"),
    ],
)
def test_an_unknown_method_gets_a_list_and_a_hint(method: Any, hint: str) -> None:
    for act in (tp.prune, tp.pruning_path):
        with pytest.raises(ValueError, match="unknown") as error:
            act(TREE, method)
        assert hint in str(error.value)


def test_an_unknown_parameter_is_named_with_those_there_are() -> None:
    for act in (tp.prune, tp.pruning_path):
        with pytest.raises(ValueError, match="cost_complexity has no parameter 'ccp_alpha': it takes alpha, risk"):
            act(TREE, "cost_complexity", ccp_alpha=0.1)
    with pytest.raises(ValueError, match="has no parameter 'estimator'"):
        tp.prune(TREE, "cost_complexity", estimator=TREE)
    with pytest.raises(ValueError, match="has no parameter 'k': it takes costs, m, prior"):
        tp.pruning_cuts(TREE, "minimum_error", k=2)
    with pytest.raises(ValueError, match="alpha: set parameters on the pruner itself"):
        tp.prune(TREE, tp.CostComplexityPruner(), alpha=0.1)


def test_a_path_checks_what_it_is_given() -> None:
    with pytest.raises(ValueError, match="risk='gini'"):
        tp.pruning_path(TREE, "cost_complexity", risk="gini")
    with pytest.raises(ValueError, match="risk='gini'"):
        tp.pruning_path(TREE, tp.CostComplexityPruner(risk="gini"))
    with pytest.raises(ValueError, match="max_depth=-1"):
        tp.pruning_path(TREE, "max_depth", max_depth=-1)
    with pytest.raises(ValueError, match="risk='gini'"):
        tp.pruning_cuts(TREE, "optimal", risk="gini")


@pytest.mark.parametrize("name", ["optimal", "minimum_error", "error_based", "pessimistic_error"])
def test_methods_whose_prunings_are_not_nested_have_no_path(name: str) -> None:
    with pytest.raises(ValueError, match=f"method='{name}' are not nested.*pruning_cuts, or one of cost_complexity"):
        tp.pruning_path(TREE, name)


@pytest.mark.parametrize("act", [tp.pruning_path, tp.pruning_cuts])
def test_a_method_that_prunes_in_one_way_only_is_not_sent_in_a_circle(act: Any) -> None:
    with pytest.raises(ValueError, match=r"'reduced_error' prunes a tree in one way.*use tp.prune for it"):
        act(TREE, "reduced_error")


def test_a_method_that_is_missing_is_asked_for() -> None:
    for act in (tp.prune, lambda tree: tp.pruning_path(tree, None)):
        with pytest.raises(ValueError, match="method is missing: give a pruner, or one of cost_complexity, reduced_e"):
            act(TREE)


@pytest.mark.parametrize("name", ["cost_complexity", "max_depth", tp.OptimalPruner(max_leaf_nodes=3)])
def test_methods_without_separate_cuts_say_where_to_look(name: Any) -> None:
    with pytest.raises(ValueError, match="has no family of separate cuts: use one of optimal, minimum_error"):
        tp.pruning_cuts(TREE, name)
    with pytest.raises(ValueError, match="Did you mean 'optimal'"):
        tp.pruning_cuts(TREE, "optimum")


@pytest.mark.parametrize(
    ("values", "message"), [([], "m is empty"), ("5", "m='5'"), ([1, -1], "m=-1"), ([[1, 2]], r"m=\[1, 2\]")]
)
def test_values_of_a_family_are_checked_one_by_one(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tp.pruning_cuts(TREE, "minimum_error", m=values)


@pytest.mark.parametrize(
    "nodes", [[-1], [10**6], [1.5], ["a"], [True], np.ones(TREE.tree_.node_count, bool), "12", 3, [[1, 2]]]
)
def test_nodes_must_be_ids(nodes: Any) -> None:
    with unchanged(TREE), pytest.raises(ValueError, match=r"nodes=.*ids of the tree's nodes are expected, 0 to"):
        tp.prune(TREE, nodes=nodes)


@pytest.mark.parametrize("more", [{"method": "optimal"}, {"X": X}, {"y": Y}, {"sample_weight": Y}, {"alpha": 1}])
def test_nodes_are_given_alone(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give it alone"):
        tp.prune(TREE, nodes=[0], **more)


def search(**more: Any) -> GridSearchCV:
    return GridSearchCV(stem("classes"), {"max_depth": [2, 3]}, cv=2, **more)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("tree", "got str"),
        (None, "got NoneType"),
        (DecisionTreeClassifier, "got the class DecisionTreeClassifier, not an instance"),
        (tp.CostComplexityPruner, "got the class CostComplexityPruner"),
        (LinearRegression().fit(X, Y), "got LinearRegression"),
        (HistGradientBoostingClassifier(max_iter=2).fit(X, Y), "got HistGradientBoostingClassifier"),
        (DummyClassifier().fit(X, Y), "got DummyClassifier"),
        (RandomForestClassifier(2).fit(X, Y), "got RandomForestClassifier, an ensemble.*its members in estimators_"),
        (BaggingClassifier(n_estimators=2).fit(X, Y), "got BaggingClassifier, an ensemble"),
        (GradientBoostingRegressor(n_estimators=2).fit(X, Y), "got GradientBoostingRegressor, an ensemble"),
        (make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y), "got LinearRegression"),
        (Pipeline([("scale", StandardScaler()), ("end", "passthrough")]), "got str"),
        (search(), r"no best_estimator_ \(fit it, with refit=True\)"),
        (search(refit=False).fit(X, Y), r"no best_estimator_ \(fit it, with refit=True\)"),
        (RandomizedSearchCV(TREE, {"max_depth": [2]}), "no best_estimator_"),
        (TREE.tree_, "got Tree"),
        ({"steps": 1}, "got dict"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_no_tree_is_named(model: Any, message: str) -> None:
    for act in (tp.prune, tp.pruning_path, tp.pruning_cuts):
        with pytest.raises(TypeError, match=message) as error:
            act(model, "optimal" if act is tp.pruning_cuts else "cost_complexity")
        assert "a fitted DecisionTree* or ExtraTree* of scikit-learn is wanted" in str(error.value)
    with pytest.raises(TypeError, match=message):
        tp.prune(model, nodes=[0])


@pytest.mark.parametrize("model", [stem("classes"), stem("numbers"), make_pipeline(StandardScaler(), stem("classes"))])
def test_a_tree_that_is_not_fitted_says_so(model: Any) -> None:
    for name in METHODS:
        with pytest.raises(NotFittedError, match=r"DecisionTree.* is not fitted yet"):
            tp.prune(model, name, X, Y, **PARAMETERS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_only_trees_are_grown(name: str) -> None:
    for model in (RandomForestClassifier(2), DummyClassifier()):
        with pytest.raises(TypeError, match=f"got {type(model).__name__}"):
            METHODS[name](model, **PARAMETERS[name]).fit(X, Y)


def test_member_trees_want_codes() -> None:
    labels = Y + 5
    forest = RandomForestClassifier(2, random_state=0).fit(X, labels)
    for strange in (labels, np.array(["a", "b", "c"])[Y]):
        with unchanged(forest), pytest.raises(ValueError, match=r"np.searchsorted\(forest.classes_, y\)"):
            tp.prune(forest.estimators_[0], "reduced_error", X, strange)


@pytest.mark.parametrize("fraction", [0, 1, 0.0, 1.0, -0.1, 1.5, True, "0.25", None, np.nan, KFold, [0.2]])
def test_a_fraction_that_is_none_is_named(fraction: Any) -> None:
    fitted = tp.ReducedErrorPruner(stem("classes"), random_state=0).fit(X, Y)
    before = fitted.estimator_, fitted.validation_index_
    with pytest.raises(ValueError, match="validation_fraction="):
        fitted.set_params(validation_fraction=fraction).fit(X, Y)
    assert (fitted.estimator_ is before[0], fitted.validation_index_ is before[1]) == (True, True)


def test_a_confidence_that_weka_cannot_tell_from_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confidence=1e-09 is 0 to limit='weka', which counts in 32 bits"):
        tp.prune(TREE, "error_based", confidence=1e-9, limit="weka")
    for limit, confidence in (("weka", 1e-7), ("c4.5", 1e-9), ("exact", 1e-9)):
        assert tp.prune(TREE, "error_based", confidence=confidence, limit=limit).get_n_leaves() >= 1


def test_numbers_whose_squares_overflow_are_refused_by_what_is_infinite() -> None:
    X, y = rows_of("numbers")
    tree = stem("numbers").fit(X, y)
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match=r"is (inf|nan) at node"):
        tp.prune(tree, "reduced_error", X, y * 1e200)


def test_a_scorer_that_cannot_take_the_weights_is_named() -> None:
    def plain(model: Any, X: Any, y: Any) -> float:
        return 0.0

    path = tp.pruning_path(TREE)
    with pytest.raises(ValueError, match="scoring=plain takes no sample_weight, and there are weights"):
        tp.pruning_curve(TREE, path, X, Y, X, Y, plain, sample_weight_test=np.ones(len(Y)))
    assert not tp.pruning_curve(TREE, path, X, Y, X, Y, plain).test.any()
