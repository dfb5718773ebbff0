"""Curves: the score at every level is what scikit-learn's scorer says of the materialised tree."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import brier_score_loss, fbeta_score, get_scorer, get_scorer_names, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

import treeprune as tp
from treeprune.curve import GeneralizationCurve
from treeprune.path import PruningCuts, PruningPath
from treeprune.tree.curve import scores_by_level
from treeprune.tree.fitted import find_tree
from treeprune.tree.rebuild import materialise

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
    pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true"),  # scikit-learn says so
]

CONFUSION = ["balanced_accuracy", "matthews_corrcoef"] + [
    f"{score}{average}"
    for score in ("f1", "precision", "recall", "jaccard")
    for average in ("", "_macro", "_micro", "_weighted")
]
SOME_CONFUSION = ["balanced_accuracy", "f1", "f1_macro", "precision_weighted", "recall", "jaccard_micro"]
PROBABILITY = ["neg_log_loss", "neg_brier_score", "roc_auc", "roc_auc_ovr", "average_precision"]
NUMBERS = [
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "r2",
    "neg_mean_absolute_error",
    "neg_median_absolute_error",
    "explained_variance",
    "neg_mean_absolute_percentage_error",
    "neg_max_error",
    "d2_absolute_error_score",
]
SUMS_OF_CLASSES = {"accuracy", "neg_log_loss", "neg_brier_score", *CONFUSION}
RANKINGS_OF_TWO = {"roc_auc", "average_precision"}
SUMS_OF_NUMBERS = {"neg_mean_squared_error", "neg_root_mean_squared_error", "r2"}


class Case:
    """A fitted tree with the rows it was grown on and others, weights and both kinds of family."""

    def __init__(self, tree: Any, X: Any, y: Any, n_train: int = 90, weighted: bool = False) -> None:
        rng = np.random.default_rng(7)
        weight = rng.integers(1, 5, len(y)).astype(float) if weighted else None
        self.train, self.test = (
            (X[rows], y[rows], None if weight is None else weight[rows])
            for rows in (slice(n_train), slice(n_train, None))
        )
        self.tree = tree.fit(self.train[0], self.train[1], sample_weight=self.train[2])

    def path(self) -> PruningPath:
        return tp.pruning_path(self.tree, "cost_complexity")

    def cuts(self) -> PruningCuts:
        return tp.pruning_cuts(self.tree, "optimal", *self.train[:2], sample_weight=self.train[2])

    def curve(self, family: Any, scoring: Any) -> GeneralizationCurve:
        train, test = self.train, self.test
        return tp.pruning_curve(
            self.tree,
            family,
            *train[:2],
            *test[:2],
            scoring,
            sample_weight_train=train[2],
            sample_weight_test=test[2],
        )


def rows(n: int = 160, n_features: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that a few splits explain, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features)).round(2)
    return X, X[:, 0] + (X[:, 1] > 0.3) * X[:, 2] + rng.normal(scale=0.6, size=n)


def classes(n_classes: int, names: Any = None) -> tuple[np.ndarray, np.ndarray]:
    X, target = rows()
    codes = np.digitize(target, np.quantile(target, np.arange(1, n_classes) / n_classes))
    return X, codes if names is None else np.array(names)[codes]


def small(kind: type = DecisionTreeClassifier, **parameters: Any) -> Any:
    return kind(**{"max_leaf_nodes": 7, "random_state": 0, **parameters})


def binary() -> Case:
    return Case(small(), *classes(2))


def binary_weighted() -> Case:
    return Case(small(criterion="entropy", class_weight="balanced"), *classes(2), weighted=True)


def binary_strings() -> Case:
    return Case(small(), *classes(2, ["no", "yes"]))


def multiclass() -> Case:
    return Case(small(), *classes(4))


def multiclass_weighted_strings() -> Case:
    return Case(small(splitter="random"), *classes(3, ["b", "c", "a"]), weighted=True)


def best_first_extra_tree() -> Case:
    return Case(small(ExtraTreeClassifier, max_leaf_nodes=10), *classes(3), weighted=True)


def missing_values() -> Case:
    X, y = classes(3)
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    return Case(small(), X, y)


def class_not_in_test() -> Case:
    X, y = classes(3)
    y[90:][y[90:] == 1] = 2
    return Case(small(), X, y)


def regression() -> Case:
    X, y = rows()
    return Case(small(DecisionTreeRegressor), X, y + 5)


def regression_weighted() -> Case:
    X, y = rows()
    X[np.random.default_rng(2).random(X.shape) < 0.1] = np.nan
    return Case(small(DecisionTreeRegressor), X, y, weighted=True)


def regression_far_from_zero() -> Case:
    X, y = rows()
    return Case(small(ExtraTreeRegressor), X, y + 1e6)


def regression_by_absolute_error() -> Case:
    return Case(small(DecisionTreeRegressor, criterion="absolute_error"), *rows())


def regression_of_two() -> Case:
    X, y = rows()
    return Case(small(DecisionTreeRegressor), X, np.column_stack([y, 3 * X[:, 3] - y]), weighted=True)


CLASSIFICATIONS = [
    binary,
    binary_weighted,
    binary_strings,
    multiclass,
    multiclass_weighted_strings,
    best_first_extra_tree,
    missing_values,
    class_not_in_test,
]
REGRESSIONS = [
    regression,
    regression_weighted,
    regression_far_from_zero,
    regression_by_absolute_error,
    regression_of_two,
]


def models(tree: Any, family: Any) -> Iterator[Any]:
    """Materialise every level; t is a leaf of level k iff removed_at[t] <= k < removed_at[parent]."""
    structure = tp.TreeStructure.from_arrays(tree.tree_.children_left, tree.tree_.children_right)
    for k in range(family.n_levels):
        if isinstance(family, PruningCuts):
            cut = family.cuts[k]
        else:
            above = [np.inf if p < 0 else family.removed_at[p] for p in structure.parent]
            cut = np.array([r <= k < a for r, a in zip(family.removed_at, above, strict=True)])
        yield materialise(tree, structure, cut)


def literally(case: Case, family: Any, score: Callable[..., float]) -> tuple[list[float], list[float]]:
    """Score every materialised level on both sets of rows."""
    train, test = [], []
    for model in models(case.tree, family):
        for scores, (X, y, weight) in ((train, case.train), (test, case.test)):
            scores.append(score(model, X, y, **({} if weight is None else {"sample_weight": weight})))
    return train, test


def with_all_classes(name: str) -> Callable[..., float]:
    """Scikit-learn's metric told the classes, where its scorer must guess them from y."""

    def score(model: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        p, known = model.predict_proba(X), model.classes_
        if name == "neg_log_loss":
            return -log_loss(y, p, labels=known, sample_weight=sample_weight)
        if len(known) == 2:
            return -brier_score_loss(y, p[:, 1], pos_label=known[1], sample_weight=sample_weight)
        squares = ((p - (np.asarray(y)[:, None] == known)) ** 2).sum(axis=1)
        return -np.average(squares, weights=sample_weight)

    return score


def check(case: Case, family: Any, name: str) -> None:
    one_label = isinstance(case.tree, DecisionTreeClassifier) and case.train[1].ndim == 1
    told = one_label and name in ("neg_log_loss", "neg_brier_score")
    try:
        train, test = literally(case, family, with_all_classes(name) if told else get_scorer(name))
    except (ValueError, TypeError, AttributeError) as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        with pytest.raises(type(refused), match=_last_words(refused)):
            case.curve(family, name)
        return
    curve = case.curve(family, name)
    np.testing.assert_allclose(curve.train, train, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(curve.test, test, rtol=1e-9, atol=1e-12)


def _last_words(error: BaseException) -> str:
    return re.escape(str(error)[-25:]) + "$"


@pytest.mark.parametrize("name", ["accuracy", *SOME_CONFUSION, *PROBABILITY])
@pytest.mark.parametrize("make", CLASSIFICATIONS)
def test_classification_scores_are_those_of_the_materialised_trees(make: Callable[[], Case], name: str) -> None:
    case = make()
    assert case.path().n_levels > 4
    check(case, case.path(), name)
    if name in ("accuracy", "f1_macro", *PROBABILITY):
        check(case, case.cuts(), name)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("make", REGRESSIONS)
def test_regression_scores_are_those_of_the_materialised_trees(make: Callable[[], Case], name: str) -> None:
    case = make()
    assert case.path().n_levels > 4
    check(case, case.path(), name)
    check(case, case.cuts(), name)


def names_for(make: Callable[[], Case]) -> list[Any]:
    return [pytest.param(make, name, id=f"{make.__name__}-{name}") for name in get_scorer_names()]


@pytest.mark.parametrize(
    ("make", "name"), [*names_for(binary_weighted), *names_for(multiclass), *names_for(regression)]
)
def test_every_scorer_name_of_scikit_learn_works_or_fails_as_it_does_there(make: Callable[[], Case], name: str) -> None:
    case = make()
    family = PruningPath("max_depth", *_two_levels(case.tree))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # clustering scores warn of many clusters, and so on
        check(case, family, name)


def _two_levels(tree: Any) -> tuple[Any, ...]:
    path = tp.pruning_path(tree, "max_depth")
    return np.minimum(path.removed_at, 1), path.price[[0, -1]], path.n_leaves[[0, -1]], "up_to"


@pytest.mark.parametrize("name", ["top_k_accuracy", "roc_auc_ovo_weighted", "roc_auc_ovr_weighted"])
def test_scores_of_many_classes_are_those_of_the_materialised_trees(name: str) -> None:
    case = multiclass()
    check(case, case.path(), name)


@pytest.mark.parametrize("method", ["critical_value", "max_depth", "max_leaf_nodes"])
def test_every_kind_of_path_is_scored(method: str) -> None:
    for case, name in ((multiclass_weighted_strings(), "f1_macro"), (regression(), "r2")):
        family = tp.pruning_path(case.tree, method)
        check(case, family, name)
        assert case.curve(family, name).holds == family.holds


@pytest.mark.parametrize("method", ["minimum_error", "error_based", "pessimistic_error"])
def test_every_kind_of_separate_cuts_is_scored(method: str) -> None:
    case = multiclass()
    family = tp.pruning_cuts(case.tree, method)
    check(case, family, "balanced_accuracy")
    check(case, family, "roc_auc_ovr")
    assert not case.curve(family, None).nested


def test_binary_f1_of_string_labels_is_refused_in_the_words_of_scikit_learn() -> None:
    case = binary_strings()
    with pytest.raises(ValueError, match="pos_label=1 is not a valid label"):
        case.curve(case.path(), "f1")


def test_binary_scores_of_many_classes_are_refused_in_the_words_of_scikit_learn() -> None:
    case = multiclass()
    with pytest.raises(ValueError, match="Target is multiclass but average='binary'"):
        case.curve(case.path(), "f1")


def two_labels(n_classes: int) -> Case:
    X, y = classes(n_classes)
    return Case(small(), X, np.column_stack([y, (X[:, 2] > 0).astype(int)]))


def test_accuracy_of_several_outputs_is_the_mean_over_outputs() -> None:
    case = two_labels(3)

    def mean_accuracy(model: Any, X: Any, y: Any) -> float:
        return float((model.predict(X) == y).mean())

    for family in (case.path(), case.cuts()):
        train, test = literally(case, family, mean_accuracy)
        curve = case.curve(family, "accuracy")
        np.testing.assert_allclose(curve.train, train)
        np.testing.assert_allclose(curve.test, test)
        assert curve.computed_from == "statistics"


@pytest.mark.filterwarnings("ignore:The y_pr.* values do not sum to one")  # scikit-learn takes labels for classes
@pytest.mark.parametrize("name", ["f1_macro", "f1_samples", "jaccard_micro", "neg_log_loss", "roc_auc"])
def test_scores_of_several_labels_are_left_to_scikit_learn(name: str) -> None:
    case = two_labels(2)
    check(case, case.path(), name)
    assert case.curve(case.path(), name).computed_from == "predictions"


def second_output(model: Any, X: Any, y: Any) -> float:
    return float((model.predict(X)[:, 1] == np.asarray(y)[:, 1]).mean())


def f2(model: Any, X: Any, y: Any) -> float:
    return float(fbeta_score(y, model.predict(X), beta=2))


@pytest.mark.parametrize(
    ("make", "scoring"),
    [
        (binary, f2),
        (binary_weighted, make_scorer(fbeta_score, beta=2)),
        (binary, make_scorer(brier_score_loss, response_method="predict_proba", greater_is_better=False)),
        (lambda: two_labels(3), second_output),
        (regression, lambda model, X, y: -float(np.abs(model.predict(X) - y).max())),
    ],
)
def test_callables_and_scorer_objects_see_the_materialised_trees(make: Callable[[], Case], scoring: Any) -> None:
    case = make()
    for family in (case.path(), case.cuts()):
        curve = case.curve(family, scoring)
        np.testing.assert_allclose([curve.train, curve.test], literally(case, family, scoring))
        assert curve.computed_from == "predictions"


def test_a_score_is_named_after_what_was_given() -> None:
    case = binary()
    assert case.curve(case.path(), f2).scoring == "f2"
    assert "fbeta_score" in case.curve(case.path(), make_scorer(fbeta_score, beta=2)).scoring
    assert case.curve(case.path(), None).scoring == "accuracy"
    assert regression().curve(regression().path(), None).scoring == "neg_mean_squared_error"


def test_a_pipeline_a_search_and_a_frozen_tree_score_like_the_tree_inside() -> None:
    X, y = classes(3)
    pipeline = make_pipeline(StandardScaler(), "passthrough", small()).fit(X[:90], y[:90])
    path = tp.pruning_path(pipeline)
    scaled = pipeline[0].transform(X)
    search = GridSearchCV(small(), {"max_leaf_nodes": [7]}, cv=2).fit(scaled[:90], y[:90])
    expected = tp.pruning_curve(pipeline[-1], path, scaled[:90], y[:90], scaled[90:], y[90:], "f1_macro").test
    for model, table in ((pipeline, X), (FrozenEstimator(pipeline), X), (search, scaled)):
        for scoring in ("f1_macro", make_scorer(fbeta_score, beta=1, average="macro")):
            curve = tp.pruning_curve(model, path, table[:90], y[:90], table[90:], y[90:], scoring)
            np.testing.assert_allclose(curve.test, expected)


def test_a_callable_gets_the_whole_pipeline_and_the_rows_as_they_came() -> None:
    X, y = classes(2)
    pipeline = make_pipeline(StandardScaler(), small()).fit(X[:90], y[:90])
    seen = []

    def score(model: Any, rows: Any, y: Any) -> float:
        seen.append((len(model.steps), rows is X))
        return model.score(rows, y)

    path = tp.pruning_path(pipeline)
    curve = tp.pruning_curve(pipeline, path, X, y, X, y, score)
    assert set(seen) == {(2, True)}
    assert curve.test[0] == pipeline.score(X, y)


@pytest.mark.parametrize("name", ["accuracy", *CONFUSION, *PROBABILITY, "top_k_accuracy", "r2"])
def test_computed_from_says_whether_the_scorer_saw_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = multiclass() if name == "top_k_accuracy" else binary()
    family, asked = case.path(), []
    original = DecisionTreeClassifier.apply
    monkeypatch.setattr(DecisionTreeClassifier, "apply", lambda *a, **k: asked.append(1) or original(*a, **k))
    curve = case.curve(family, name)
    assert curve.computed_from == ("statistics" if name in SUMS_OF_CLASSES | RANKINGS_OF_TWO else "predictions")
    assert len(asked) == 2  # rows are routed once for train and once for test, at any number of levels


@pytest.mark.parametrize("name", NUMBERS)
def test_computed_from_is_said_of_regression_too(name: str) -> None:
    case = regression()
    expected = "statistics" if name in SUMS_OF_NUMBERS else "predictions"
    assert case.curve(case.path(), name).computed_from == expected


def test_r2_of_a_constant_target_is_that_of_scikit_learn() -> None:
    X, y = np.arange(8.0)[:, None], np.array([0.0, 0, 4, 4, 1, 1, 3, 3])  # the root predicts 2
    tree = DecisionTreeRegressor().fit(X, y)
    path = tp.pruning_path(tree)
    for constant in (2.0, 3.25):
        same = np.full(8, constant)
        expected = [get_scorer("r2")(model, X, same) for model in models(tree, path)]
        np.testing.assert_array_equal(tp.pruning_curve(tree, path, X, y, X, same, "r2").test, expected)
        assert expected[-1] == (constant == 2)


def test_r2_of_one_row_is_not_defined() -> None:
    case = regression()
    X, y = case.test[0][:1], case.test[1][:1]
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        expected = get_scorer("r2")(case.tree, X, y)
    curve = tp.pruning_curve(case.tree, case.path(), *case.train[:2], X, y, "r2")
    np.testing.assert_array_equal(curve.test, np.full(case.path().n_levels, expected))
    assert np.isfinite(curve.train).all()


def test_a_path_is_not_read_off_at_no_number() -> None:
    with pytest.raises(ValueError, match="price is NaN"):
        binary().path().levels_at([0.0, np.nan])


def test_the_frame_has_a_row_for_every_repeat_and_level() -> None:
    case = multiclass()
    curve = case.curve(case.path(), "accuracy")
    joined = tp.join_curves([curve, curve]).frame()
    assert list(joined.columns) == ["repeat", "level", "price", "n_leaves", "train", "test"]
    assert len(joined) == 2 * case.path().n_levels
    assert not joined.duplicated(["repeat", "level"]).any()
    np.testing.assert_array_equal(joined["price"], np.tile(case.path().price, 2))
    np.testing.assert_array_equal(joined["n_leaves"], np.tile(case.path().n_leaves, 2))
    assert "2 repeat(s)" in repr(tp.join_curves([curve, curve]))


def curve_of(prices: Any, test: Any, *, holds: Any = "from", nested: bool = True, **other: Any) -> GeneralizationCurve:
    n = len(prices)
    fields: dict[str, Any] = {
        "method": "cost_complexity",
        "parameter": "alpha",
        "scoring": "accuracy",
        "nested": nested,
        "computed_from": "statistics",
        "holds": holds,
        "repeat": np.zeros(n, dtype=np.intp),
        "level": np.arange(n),
        "price": np.asarray(prices, dtype=float),
        "n_leaves": np.arange(n, 0, -1),
        "train": np.asarray(test, dtype=float) + 1,
        "test": np.asarray(test, dtype=float),
    }
    return GeneralizationCurve(**{**fields, **other})


def step_function(prices: Any, values: Any, at: float, holds: str) -> float:
    """Read a step function off by going through its steps one by one."""
    found = values[0]
    for price, value in zip(prices, values, strict=True):
        if (holds == "from" and at >= price) or (holds == "above" and at > price):
            found = value
    if holds == "up_to":
        small_enough = [value for price, value in zip(prices, values, strict=True) if price <= at]
        found = small_enough[0] if small_enough else values[-1]
    return found


@pytest.mark.parametrize("holds", ["from", "above", "up_to"])
def test_repeats_of_unequal_prices_are_averaged_as_step_functions(holds: Any) -> None:
    rng = np.random.default_rng(3)
    repeats = []
    for n in (3, 5, 4):
        rising = np.append(0.0, np.sort(rng.choice(np.arange(1, 9), n - 1, replace=False)))
        repeats.append((rising[::-1] if holds == "up_to" else rising, rng.random(n)))
    summary = tp.join_curves([curve_of(p, t, holds=holds) for p, t in repeats]).summary()
    prices = sorted({price for p, _ in repeats for price in p}, reverse=holds == "up_to")
    table = np.array([[step_function(p, t, at, holds) for at in prices] for p, t in repeats])
    leaves = [[step_function(p, np.arange(len(p), 0, -1), at, holds) for at in prices] for p, _ in repeats]
    np.testing.assert_array_equal(summary.price, prices)
    np.testing.assert_allclose(summary.test, table.mean(axis=0))
    np.testing.assert_allclose(summary.train, table.mean(axis=0) + 1)
    np.testing.assert_allclose(summary.n_leaves, np.mean(leaves, axis=0))
    np.testing.assert_allclose(summary.test_spread, table.std(axis=0, ddof=1))
    np.testing.assert_allclose(summary.train_spread, table.std(axis=0, ddof=1))
    np.testing.assert_allclose(summary.standard_error, table.std(axis=0, ddof=1) / np.sqrt(3))


def test_a_curve_of_one_repeat_is_its_own_summary_without_a_standard_error() -> None:
    summary = curve_of([0, 0, 1], [0.5, 0.6, 0.4]).summary()  # price 0 twice: both levels stay
    np.testing.assert_array_equal(summary.price, [0, 0, 1])
    np.testing.assert_array_equal(summary.test, [0.5, 0.6, 0.4])
    np.testing.assert_array_equal(summary.test_spread, 0)
    assert summary.standard_error is None


def test_separate_cuts_at_the_same_prices_are_averaged_cut_by_cut() -> None:
    a, b = [0.1, 0.7, 0.3], [0.5, 0.1, 0.2]
    summary = tp.join_curves([curve_of([0, 2, 9], t, nested=False) for t in (a, b)]).summary()
    np.testing.assert_allclose(summary.test, np.mean([a, b], axis=0))


def test_separate_cuts_at_different_prices_are_not_averaged() -> None:
    joined = tp.join_curves([curve_of(p, [0.1, 0.2], nested=False) for p in ([0, 1], [0, 2])])
    with pytest.raises(ValueError, match="not nested can be averaged at the same prices only"):
        joined.summary()


def test_joined_curves_keep_their_repeats_apart() -> None:
    two = tp.join_curves([curve_of([0, 1], [0.1, 0.2]), curve_of([0, 2, 3], [0.3, 0.4, 0.5])])
    four = tp.join_curves([two, two])
    np.testing.assert_array_equal(four.repeat, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3])
    np.testing.assert_array_equal(four.of_repeat(3)["test"], [0.3, 0.4, 0.5])


@pytest.mark.parametrize(
    "other",
    [
        {"method": "critical_value"},
        {"parameter": "m"},
        {"scoring": "f1"},
        {"nested": False},
        {"holds": "above"},
    ],
)
def test_curves_of_different_kinds_are_not_joined(other: dict[str, Any]) -> None:
    one = curve_of([0, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match=f"different {next(iter(other))} cannot be joined"):
        tp.join_curves([one, curve_of([0, 1], [0.1, 0.2], **other)])


def test_no_curves_are_not_joined() -> None:
    with pytest.raises(ValueError, match="no curves to join"):
        tp.join_curves([])


def test_a_joined_curve_says_by_prediction_if_any_part_was() -> None:
    one, other = curve_of([0, 1], [0.1, 0.2]), curve_of([0, 1], [0.1, 0.2], computed_from="predictions")
    assert tp.join_curves([one, one]).computed_from == "statistics"
    assert tp.join_curves([one, other]).computed_from == "predictions"


def test_the_family_of_another_tree_is_refused() -> None:
    case = binary()
    X, y = case.train[:2]
    other = small(max_leaf_nodes=4).fit(X, y)
    for family in (tp.pruning_path(other), tp.pruning_cuts(other, "minimum_error")):
        with pytest.raises(ValueError, match=r"a tree with 7 nodes, the tree has 13"):
            case.curve(family, None)


@pytest.mark.parametrize("family", [None, "cost_complexity", np.zeros(3)])
def test_what_is_no_family_is_refused(family: Any) -> None:
    with pytest.raises(TypeError, match=r"a PruningPath .* or PruningCuts .* is expected"):
        binary().curve(family, None)


def test_what_is_no_tree_is_refused() -> None:
    case = binary()
    X, y = case.train[:2]
    with pytest.raises(TypeError, match="an ensemble"):
        tp.pruning_curve(RandomForestClassifier(2).fit(X, y), case.path(), X, y, X, y)


def test_an_unknown_score_is_refused_in_the_words_of_scikit_learn() -> None:
    case = binary()
    with pytest.raises(ValueError, match="'acuracy'"):
        case.curve(case.path(), "acuracy")


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "roc_auc_ovr"])
def test_rows_that_do_not_fit_the_tree_are_refused(name: str) -> None:
    case = multiclass()
    X, y = case.train[:2]
    for wrong, message in (
        ((X, np.where(y == 1, 9, y)), r"y holds \[9\], classes that the tree was not grown with"),
        ((X, y[:-1]), "rows|inconsistent"),
        ((X[:, :2], y), "features"),
        ((X, np.column_stack([y, y])), r"the tree was grown with 1 output"),
    ):
        with pytest.raises(ValueError, match=message):
            tp.pruning_curve(case.tree, case.path(), X, y, *wrong, name)


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "roc_auc_ovr"])
def test_negative_weights_are_refused(name: str) -> None:
    case = multiclass()
    weight = np.ones(70)
    weight[3] = -2
    with pytest.raises(ValueError, match=r"sample_weight holds -2"):
        tp.pruning_curve(case.tree, case.path(), *case.train[:2], *case.test[:2], name, sample_weight_test=weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_of_a_class_that_the_tree_does_not_know_are_missed_at_every_level(weighted: bool) -> None:
    X, y = load_iris(return_X_y=True)
    X = X[:, 1:2]
    tree = DecisionTreeClassifier(random_state=0).fit(X[20:100:2], y[20:100:2])  # of the first two classes
    path = tp.pruning_path(tree)
    weight = np.random.default_rng(0).uniform(0, 3, len(y)) if weighted else None
    found = scores_by_level(find_tree(tree), path, X, y, "accuracy", weight)
    models = [path.at(level=level) for level in range(path.n_levels)]
    expected = [get_scorer("accuracy")(model, X, y, sample_weight=weight) for model in models]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    none = scores_by_level(
        find_tree(tree), path, X[100:], y[100:], "accuracy", None if weight is None else weight[100:]
    )
    assert none.tolist() == [0.0] * path.n_levels


def test_warnings_are_those_of_scikit_learn() -> None:
    case = binary()
    family = case.path()
    warnings.simplefilter("always")
    with pytest.warns(UndefinedMetricWarning, match="Precision is ill-defined"):
        case.curve(family, "precision_macro")


def test_prunings_of_another_tree_with_as_many_nodes_are_refused() -> None:
    case = binary()
    path = case.path()
    mixed = dataclasses.replace(path, removed_at=np.roll(path.removed_at, 1))
    with pytest.raises(ValueError, match="of another tree with as many nodes"):
        case.curve(mixed, "accuracy")


def test_a_path_takes_no_strength() -> None:
    with pytest.raises(ValueError, match=r"path.levels_at\(0.1\) says which level holds"):
        tp.pruning_path(binary().tree, "cost_complexity", alpha=0.1)


def test_every_alpha_of_scikit_learn_finds_its_level() -> None:
    X, y = load_digits(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    path = tp.pruning_path(tree)
    alphas = tree.cost_complexity_pruning_path(X, y).ccp_alphas
    at = path.levels_at(alphas)
    np.testing.assert_allclose(path.price[at], alphas, rtol=1e-9, atol=1e-15)


def test_what_is_no_cut_at_all_or_meets_a_way_twice_is_refused() -> None:
    case = binary()
    family = tp.pruning_cuts(case.tree, "optimal")
    root, leaves = family.cuts[-1], family.cuts[0]
    assert root.sum() == 1
    for wrong in (root | leaves, root & False, leaves & (np.cumsum(leaves) > 1)):
        cuts = dataclasses.replace(family, cuts=np.vstack([family.cuts[:1], wrong]), price=family.price[:2])
        with pytest.raises(ValueError, match="of another tree with as many nodes"):
            case.curve(cuts, "accuracy")


def test_families_are_shown_in_a_line() -> None:
    X, y = load_iris(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert (
        repr(tp.pruning_path(tree)) == "PruningPath(cost_complexity, 7 levels, 9 to 1 leaves, alpha from 0 to 0.3333)"
    )
    cuts = tp.pruning_cuts(tree, "minimum_error", m=[0, 2, 50])
    assert repr(cuts) == "PruningCuts(minimum_error, 3 cuts, 9 to 3 leaves, m from 0 to 50)"


@pytest.mark.parametrize("name", ["roc_auc_ovr", "roc_auc_ovr_weighted", "roc_auc_ovo", "roc_auc_ovo_weighted"])
@pytest.mark.parametrize("weighted", [False, True])
def test_areas_of_several_classes_are_those_of_the_materialised_trees(name: str, weighted: bool) -> None:
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(300, 3)).round(1), rng.integers(0, 4, 300)
    tree = DecisionTreeClassifier(max_leaf_nodes=40, random_state=0).fit(X[:150], y[:150])
    path, weight = tp.pruning_path(tree), rng.random(150) if weighted else None
    if weighted and "ovo" in name:
        with pytest.raises(ValueError, match="sample_weight is not supported for multiclass one-vs-one"):
            tp.pruning_curve(tree, path, X[:150], y[:150], X[150:], y[150:], name, sample_weight_test=weight)
        return
    curve = tp.pruning_curve(tree, path, X[:150], y[:150], X[150:], y[150:], name, sample_weight_test=weight)
    scorer, structure = get_scorer(name), find_tree(tree).structure
    for level in range(path.n_levels):
        small = materialise(tree, structure, tp.cut_at(structure, path.removed_at, level))
        weights = {} if weight is None else {"sample_weight": weight}
        assert curve.test[level] == pytest.approx(scorer(small, X[150:], y[150:], **weights), rel=1e-12)
    assert curve.computed_from == "statistics"


def test_an_area_of_a_class_that_no_row_has_is_what_scikit_learn_says_it_is() -> None:
    case = multiclass()
    X, y = case.test[:2]
    rows = y != y[0]
    with pytest.raises(ValueError, match="Number of classes in y_true"):
        tp.pruning_curve(case.tree, case.path(), *case.train[:2], X[rows], y[rows], "roc_auc_ovr")
