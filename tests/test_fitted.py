"""What is read from a fitted tree, and what rows say about its nodes, against plain counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from models import APPLIED_AS_GROWN, NAMES, Grown, classes, grown, numbers, stem, ways, weights
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.class_weight import compute_sample_weight

import treeprune as tp
from treeprune.tree.fitted import check_weight, find_tree, replace_tree
from treeprune.wrapped import is_frozen, thaw

WITH_IMPURITY = [name for name in NAMES if not any(c in name for c in ("absolute_error", "poisson"))]
READABLE = [
    n
    for n in WITH_IMPURITY
    if n in APPLIED_AS_GROWN and n not in ("monotone classes", "monotone numbers", "several numbers")
]


def counted_by_hand(case: Grown, weight: NDArray[Any]) -> NDArray[Any]:
    """Class counts node by node, over the rows whose way leads there."""
    tree = case.tree
    way = ways(case.tree, case.X).astype(float)
    y = np.asarray(case.y).reshape(way.shape[0], -1)
    known = tree.classes_ if y.shape[1] > 1 else [tree.classes_]
    counts = np.zeros(tree.tree_.value.shape)
    for j, labels in enumerate(known):
        for c, label in enumerate(labels):
            counts[:, j, c] = way.T @ (weight * (y[:, j] == label))
    return counts


def class_weight_of(case: Grown) -> NDArray[Any]:
    weight = np.ones(case.X.shape[0]) if case.sample_weight is None else case.sample_weight
    balance = getattr(case.tree, "class_weight", None)
    return weight if balance is None else weight * compute_sample_weight(balance, case.y)


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(grown(n).tree, "classes_")])
def test_class_counts_are_those_of_the_rows_that_pass(name: str) -> None:
    case = grown(name)
    counts = find_tree(case.tree).count(**case.rows).sums
    np.testing.assert_allclose(counts, counted_by_hand(case, class_weight_of(case)), atol=1e-9)


@pytest.mark.parametrize("name", APPLIED_AS_GROWN)
def test_counting_the_growing_rows_finds_what_scikit_learn_stored(name: str) -> None:
    case = grown(name)
    tree, statistics = find_tree(case.tree), find_tree(case.tree).count(**case.rows)
    stored = case.tree.tree_
    np.testing.assert_allclose(tree.rows(statistics), stored.weighted_n_node_samples)
    np.testing.assert_array_equal(tree.structure.sum_up(statistics.leaf_rows), stored.n_node_samples)
    if name in WITH_IMPURITY:
        np.testing.assert_allclose(tree.impurity(statistics), tree.impurity(None), atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_errors_are_those_of_each_nodes_value(name: str) -> None:
    case = grown(name)
    way = ways(case.tree, case.X)
    weight, y = class_weight_of(case), np.asarray(case.y).reshape(case.X.shape[0], -1)
    value = case.tree.tree_.value
    expected = np.zeros(len(value))
    for t, passes in enumerate(way.T):
        for j in range(y.shape[1]):
            if hasattr(case.tree, "classes_"):
                known = case.tree.classes_[j] if y.shape[1] > 1 else case.tree.classes_
                loss = y[passes, j] != known[value[t, j, : len(known)].argmax()]
            else:
                loss = (y[passes, j] - value[t, j, 0]) ** 2
            expected[t] += (weight[passes] * loss).sum() / y.shape[1]
    tree = find_tree(case.tree)
    np.testing.assert_allclose(tree.error(tree.count(**case.rows)), expected, atol=1e-9)


@pytest.mark.parametrize("name", READABLE)
def test_the_fitted_tree_remembers_the_statistics_of_its_growing_rows(name: str) -> None:
    case = grown(name)
    tree = find_tree(case.tree)
    np.testing.assert_allclose(tree.own_statistics.sums, tree.count(**case.rows).sums, atol=1e-9)
    np.testing.assert_array_equal(tree.counts(None), tree.own_statistics.sums)
    np.testing.assert_allclose(tree.error(None), tree.error(tree.count(**case.rows)), atol=1e-8)


def test_remembered_counts_of_an_unweighted_tree_are_whole() -> None:
    sums = find_tree(grown("DecisionTreeClassifier gini").tree).own_statistics.sums
    np.testing.assert_array_equal(sums, np.rint(sums))


@pytest.mark.parametrize("name", APPLIED_AS_GROWN)
def test_what_a_tree_remembers_are_the_rows_unless_class_weights_or_its_values_hide_them(name: str) -> None:
    case, hidden = (
        grown(name),
        ("class weights", "balanced", "absolute_error", "poisson", "monotone", "several numbers"),
    )
    tree = find_tree(case.tree)
    assert tree.remembers_rows == (not any(word in name for word in hidden))
    assert tree.is_constrained == name.startswith("monotone")
    if tree.remembers_rows:
        np.testing.assert_allclose(tree.own_statistics.sums, tree.statistics(**case.rows).sums, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("DecisionTreeRegressor absolute_error", "criterion='absolute_error'"),
        ("DecisionTreeRegressor poisson", "criterion='poisson'"),
        ("several numbers", r"2 output\(s\)"),
        ("monotone classes", "monotone constraints"),
        ("monotone numbers", "monotone constraints"),
    ],
)
def test_a_tree_that_does_not_remember_its_rows_says_so(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=why + ".*pass the growing rows"):
        _ = find_tree(grown(name).tree).own_statistics


@pytest.mark.parametrize("criterion", ["absolute_error", "poisson"])
def test_impurities_that_are_no_sums_are_refused_for_new_rows(criterion: str) -> None:
    case = grown(f"DecisionTreeRegressor {criterion}")
    tree = find_tree(case.tree)
    with pytest.raises(ValueError, match=f"criterion='{criterion}'.*leave X and y out"):
        tree.impurity(tree.count(**case.rows))


@pytest.mark.parametrize("name", NAMES)
def test_statistics_of_two_parts_add_up_to_those_of_all_rows(name: str) -> None:
    case = grown(name)
    if getattr(case.tree, "class_weight", None) == "balanced":
        case = grown("DecisionTreeClassifier gini")  # balance is of the rows given, so it does not add
    tree, first = find_tree(case.tree), np.arange(case.X.shape[0]) < 100
    parts = [
        tree.count(case.X[rows], case.y[rows], None if case.sample_weight is None else case.sample_weight[rows])
        for rows in (first, ~first)
    ]
    whole, joined = tree.count(**case.rows), parts[0] + parts[1]
    np.testing.assert_allclose(joined.sums, whole.sums, atol=1e-9)
    np.testing.assert_array_equal(joined.leaf_rows, whole.leaf_rows)


def test_rows_of_no_weight_are_not_counted_as_scikit_learn_does_not() -> None:
    X, y = classes()
    weight = np.where(np.arange(len(y)) % 3, 1.0, 0.0)
    tree = stem("classes").fit(X, y, weight)
    counted = find_tree(tree).count(X, y, weight)
    np.testing.assert_array_equal(find_tree(tree).structure.sum_up(counted.leaf_rows), tree.tree_.n_node_samples)


def test_an_offset_of_a_million_does_not_cost_digits() -> None:
    X, y = numbers()
    far = y + 2.0**20
    tree = stem("numbers", min_samples_leaf=5).fit(X, far)
    way = ways(tree, X)
    by_hand = [
        ((far[passes] - value) ** 2).sum() for passes, value in zip(way.T, tree.tree_.value.ravel(), strict=True)
    ]
    error = find_tree(tree).error(find_tree(tree).count(X, far))
    np.testing.assert_allclose(error, by_hand, rtol=1e-6)


@pytest.mark.parametrize("offset", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("columns", [1, 2])
def test_what_splits_gain_far_from_zero_is_read_off_the_means(offset: float, columns: int) -> None:
    X, y = numbers(300, 3)
    y = offset + np.round(np.column_stack([y, y**2])[:, :columns] * 64) / 64  # the same numbers after the shift
    estimator = DecisionTreeRegressor(min_samples_leaf=4, random_state=0).fit(X, y)
    tree = find_tree(estimator)
    t, left, right = (tree.structure.inner, *(c[tree.structure.inner] for c in _children(tree)))
    counted, read = tree.impurity(tree.count(X, y)), tree.impurity(None)
    gain, expected = (total[t] - total[left] - total[right] for total in (read, counted))
    np.testing.assert_allclose(gain, expected, rtol=1e-12 * offset, atol=1e-15 * offset * counted[0])
    stored = estimator.tree_.impurity * estimator.tree_.weighted_n_node_samples
    lost = np.abs(stored[t] - stored[left] - stored[right] - expected).max()
    assert np.abs(gain - expected).max() <= lost, "scikit-learn's own impurities are nearer"
    assert not tree.remembers_rows


def test_a_path_of_numbers_far_from_zero_has_the_levels_of_the_same_numbers_near_it() -> None:
    X, y = load_diabetes(return_X_y=True)  # whole numbers
    near, far = (DecisionTreeRegressor(random_state=0).fit(X, y + offset) for offset in (0, 1e5))
    for method, how in (
        ("cost_complexity", {}),
        ("cost_complexity", {"risk": "error"}),
        ("critical_value", {}),
        ("max_leaf_nodes", {}),
    ):
        one, other = tp.pruning_path(near, method, **how), tp.pruning_path(far, method, **how)
        np.testing.assert_array_equal(one.n_leaves, other.n_leaves)
        np.testing.assert_allclose(one.price, other.price, rtol=1e-6)


def test_class_weights_for_classes_that_the_rows_lack_are_no_error() -> None:
    X, y = classes()
    tree = DecisionTreeClassifier(class_weight={2: 5.0}, random_state=0).fit(X, y)
    rows = y < 2
    counts = find_tree(tree).count(X[rows], y[rows]).sums[0, 0]
    np.testing.assert_array_equal(counts, [(y == 0).sum(), (y == 1).sum(), 0])


def test_class_weights_of_several_outputs_multiply() -> None:
    X, y = classes()
    both = np.column_stack([y, y > 1])
    class_weight = [{0: 2.0}, {1: 3.0}]
    tree = DecisionTreeClassifier(class_weight=class_weight, random_state=0).fit(X, both)
    rows = find_tree(tree).count(X, both)
    np.testing.assert_allclose(find_tree(tree).rows(rows), tree.tree_.weighted_n_node_samples)


@pytest.mark.parametrize("kind", [int, float, bool, str, object])
def test_labels_are_found_whatever_their_type(kind: type) -> None:
    X, y = classes(n_classes=2)
    labels = np.array(["no", "yes"], dtype=object)[y] if kind is object else y.astype(bool).astype(kind)
    tree = find_tree(stem("classes").fit(X, labels))
    np.testing.assert_array_equal(tree.encode(labels)[:, 0], y)
    np.testing.assert_array_equal(tree.encode(labels.tolist())[:, 0], y)
    np.testing.assert_array_equal(tree.encode(pd.Series(labels, index=np.arange(len(y)) + 5))[:, 0], y)
    np.testing.assert_array_equal(tree.encode(labels.reshape(-1, 1))[:, 0], y)


def test_labels_of_several_outputs_are_found_in_a_data_frame() -> None:
    case = grown("several classes")
    codes = find_tree(case.tree).encode(pd.DataFrame(case.y, columns=["first", "second"]))
    expected = [np.searchsorted(known, case.y[:, j]) for j, known in enumerate(case.tree.classes_)]
    np.testing.assert_array_equal(codes, np.column_stack(expected))


@pytest.mark.parametrize("strange", [5.0, -1.0, 0.5, np.nan])
def test_a_number_that_is_no_class_is_named(strange: float) -> None:
    case = grown("DecisionTreeClassifier gini")
    y = case.y.astype(float)
    y[3] = strange
    with pytest.raises(ValueError, match=rf"y holds \[{strange}\].*it knows \[0, 1, 2\]; a member tree of a forest"):
        find_tree(case.tree).encode(y)


@pytest.mark.parametrize("known", [["b", "d"], ["b", "d", "f"]])
def test_words_that_are_missing_or_no_class_have_the_code_minus_one(known: list[str]) -> None:
    tree = find_tree(DecisionTreeClassifier().fit(np.arange(len(known))[:, None], known))
    y = pd.Series(["b", None, "a", "d", "c", np.nan, "z", "b"], dtype=object)
    expected = np.array([known.index(word) if word in known else -1 for word in y])
    np.testing.assert_array_equal(tree.encode_known(y)[:, 0], expected)
    there = y.notna().to_numpy()
    np.testing.assert_array_equal(tree.encode_known(y[there].to_numpy())[:, 0], expected[there])


def test_a_word_that_is_no_class_is_named_without_talk_of_codes() -> None:
    with pytest.raises(ValueError, match=r"y holds \['b'\].*it knows \['a', 'long name', 'x'\]$"):
        find_tree(grown("string labels").tree).encode(["a", "b", "x", "b"])


@pytest.mark.parametrize(
    ("name", "y", "message"),
    [
        ("DecisionTreeRegressor squared_error", ["1", "two"], "must be numbers.*two"),
        ("DecisionTreeRegressor squared_error", [1.0, None, 2.0], "y holds .*nan.* in row 1"),
        ("DecisionTreeRegressor squared_error", [1.0, 2.0, np.inf], r"y holds \[inf\] in row 2"),
        ("DecisionTreeRegressor squared_error", [[1.0, 2.0]], r"shape \(1, 2\).*1 output"),
        ("several numbers", [1.0, 2.0], r"shape \(2, 1\).*2 output"),
        ("DecisionTreeClassifier gini", np.zeros((2, 1, 1)), r"shape \(2, 1, 1\)"),
        ("DecisionTreeClassifier gini", None, "y is None"),
        ("DecisionTreeRegressor squared_error", [1.0, object()], "must be numbers"),
    ],
)
def test_targets_that_cannot_be_are_refused(name: str, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_tree(grown(name).tree).encode(y)


def test_rows_that_differ_in_number_are_refused() -> None:
    case = grown("DecisionTreeClassifier gini")
    with pytest.raises(ValueError, match="X has 9 rows, y 8"):
        find_tree(case.tree).statistics(case.X[:9], case.y[:8])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\).*3 rows"),
        (np.ones((3, 1)), r"shape \(3, 1\)"),
        ([1.0, -2.0, 1.0], "holds -2.0"),
        ([1.0, np.nan, 1.0], "holds nan"),
        ([1.0, np.inf, 1.0], "holds inf"),
        ([0.0, 0.0, 0.0], "zero for every row"),
    ],
)
def test_weights_that_are_no_frequencies_are_refused(weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_weight(weight, 3)


def test_a_single_number_weighs_every_row() -> None:
    np.testing.assert_array_equal(check_weight(2, 3), [2, 2, 2])
    assert check_weight(None, 3) is None


def rows() -> tuple[NDArray[Any], NDArray[Any]]:
    return grown("DecisionTreeClassifier gini").X, grown("DecisionTreeClassifier gini").y


def pipeline() -> Pipeline:
    return make_pipeline(StandardScaler(), "passthrough", MinMaxScaler(), stem("classes")).fit(*rows())


def search() -> GridSearchCV:
    return GridSearchCV(stem("classes"), {"max_depth": [3, 4]}, cv=2).fit(*rows())


def deep_search() -> RandomizedSearchCV:
    steps = make_pipeline(StandardScaler(), stem("classes"))
    grid = {"decisiontreeclassifier__max_depth": [3, 4]}
    return RandomizedSearchCV(steps, grid, n_iter=2, cv=2, random_state=0).fit(*rows())


def search_in_pipeline() -> Pipeline:
    return make_pipeline(StandardScaler(), GridSearchCV(stem("classes"), {"max_depth": [3, 4]}, cv=2)).fit(*rows())


def pipeline_in_pipeline() -> Pipeline:
    return make_pipeline(StandardScaler(), make_pipeline(MinMaxScaler(), stem("classes"))).fit(*rows())


def frozen() -> FrozenEstimator:
    return FrozenEstimator(FrozenEstimator(pipeline()))


MODELS = [pipeline, search, deep_search, search_in_pipeline, pipeline_in_pipeline, frozen]


@pytest.mark.parametrize("model", MODELS)
def test_rows_reach_the_tree_the_way_they_do_in_predict(model: Any) -> None:
    fitted, (X, y) = model(), rows()
    tree = find_tree(fitted)
    leaf = tree.apply(X)
    labels = tree.estimator.classes_[tree.estimator.tree_.value[leaf, 0].argmax(axis=1)]
    np.testing.assert_array_equal(labels, fitted.predict(X))
    assert tree.count(X, y).sums[0].sum() == len(y)


@pytest.mark.parametrize("model", MODELS)
def test_another_tree_in_the_same_place_predicts_through_the_same_steps(model: Any) -> None:
    fitted, (X, _) = model(), rows()
    before = fitted.predict(X)
    old = find_tree(fitted).estimator
    new = DecisionTreeClassifier(max_depth=1).fit(*rows())
    replaced = replace_tree(fitted, new)
    assert find_tree(replaced).estimator is new
    assert len(find_tree(replaced).steps) == len(find_tree(fitted).steps)
    assert find_tree(fitted).estimator is old
    np.testing.assert_array_equal(fitted.predict(X), before)


def test_thawing_takes_all_ice_off() -> None:
    tree = stem("classes")
    assert thaw(FrozenEstimator(FrozenEstimator(tree))) is tree
    assert thaw(tree) is tree
    assert is_frozen(FrozenEstimator(tree))
    assert is_frozen(make_pipeline(StandardScaler(), FrozenEstimator(tree)))
    assert not is_frozen(make_pipeline(FrozenEstimator(StandardScaler()), tree))
    assert not is_frozen(tree)
    assert not is_frozen(None)


@pytest.mark.parametrize("forest", [RandomForestClassifier(4, random_state=0), ExtraTreesRegressor(4, random_state=0)])
def test_member_trees_of_a_forest_are_counted_by_code(forest: Any) -> None:
    X, y = classes()
    labels = np.array(["x", "a", "m"])[y] if isinstance(forest, RandomForestClassifier) else y
    forest.fit(X, labels)
    codes = np.searchsorted(forest.classes_, labels) if hasattr(forest, "classes_") else labels
    for member in forest.estimators_:
        tree = find_tree(member)
        mistakes = (member.predict(X) - codes) ** 2 if tree.value.ndim == 2 else member.predict(X) != codes
        leaves = tree.structure.is_leaf
        assert tree.error(tree.count(X, codes))[leaves].sum() == pytest.approx(mistakes.sum())


def test_weights_of_a_bootstrap_are_remembered() -> None:
    X, y = classes()
    forest = RandomForestClassifier(2, random_state=0).fit(X, y)
    for member, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        tree = find_tree(member)
        counts = tree.count(X, y, np.bincount(drawn, minlength=len(y))).sums
        np.testing.assert_allclose(tree.own_statistics.sums, counts, atol=1e-9)


def test_unequal_weights_are_remembered() -> None:
    X, y = classes()
    tree = find_tree(stem("classes").fit(X, y, weights()))
    np.testing.assert_allclose(tree.own_statistics.sums, tree.count(X, y, weights()).sums)


def _children(tree: Any) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return tree.structure.children_left, tree.structure.children_right
