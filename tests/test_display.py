"""Figures hold the numbers of the curve, and show what they must."""

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.datasets import load_dataset

mpl.use("agg")

pima = load_dataset("pima")
X, y = pima.data.to_numpy(), pima.target
TRAIN, TEST = slice(0, None, 2), slice(1, None, 2)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    mpl.pyplot.close("all")


def grown(limit=None):
    return DecisionTreeClassifier(random_state=0, max_leaf_nodes=limit).fit(X[TRAIN], y[TRAIN])


def drawn(method="cost_complexity", limit=None, **parameters):
    return tp.PruningCurveDisplay.from_estimator(
        grown(limit), X[TRAIN], y[TRAIN], X[TEST], y[TEST], method=method, **parameters
    )


def line(display, name):
    return next(each for each in display.ax_.get_lines() if each.get_label() == name)


@pytest.mark.parametrize("name", ["train", "test"])
def test_the_lines_are_the_accuracies_of_the_pruned_trees(name):
    tree, display = grown(), drawn()
    rows = TRAIN if name == "train" else TEST
    path = tp.pruning_path(tree, "cost_complexity")
    pruned = [tp.prune(tree, "cost_complexity", alpha=price) for price in path.price[1:][::-1]]
    shown = line(display, name)
    np.testing.assert_array_equal(shown.get_xdata()[: len(pruned)], [model.get_n_leaves() for model in pruned])
    np.testing.assert_allclose(
        shown.get_ydata()[: len(pruned)], [model.score(X[rows], y[rows]) for model in pruned], rtol=1e-12
    )


def test_the_star_stands_on_the_best_test_score():
    display = drawn()
    star = next(each for each in display.ax_.get_lines() if each.get_marker() == "*")
    assert star.get_ydata()[0] == line(display, "test").get_ydata().max()
    assert "best on test rows" in star.get_label()


def test_the_second_axis_tells_the_price_of_the_leaves_below_it():
    display = drawn()
    top = next(ax for ax in display.figure_.axes if ax is not display.ax_)
    path = tp.pruning_path(grown(), "cost_complexity")
    assert top.get_xlabel() == "alpha"
    assert top.get_xlim() == display.ax_.get_xlim()
    for leaves, label in zip(top.get_xticks(), top.get_xticklabels(), strict=True):
        assert label.get_text() == f"{path.price[path.n_leaves == leaves][-1]:.3g}"


def test_prunings_that_are_not_nested_are_points_without_a_line():
    display = drawn("minimum_error")
    assert line(display, "test").get_linestyle() == "None"
    assert line(drawn(), "test").get_linestyle() == "-"


def test_folds_are_a_mean_with_a_band_of_one_standard_deviation():
    search = tp.PrunerCV(cv=5).fit(X, y)
    display = tp.PruningCurveDisplay.from_cv(search)
    frame = search.curve_.frame().groupby("level")["test"]
    np.testing.assert_allclose(np.sort(line(display, "test").get_ydata()), np.sort(frame.mean()))
    band = next(each for each in display.ax_.collections if each.get_label() == "test ± 1 SD")
    heights = band.get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose(heights.max(), (frame.mean() + frame.std()).max())
    star = next(each for each in display.ax_.get_lines() if each.get_marker() == "*")
    np.testing.assert_allclose(star.get_ydata()[0], frame.mean()[search.best_level_])


def test_the_spread_of_unjoined_points_is_shown_as_bars():
    search = tp.PrunerCV(tp.MinimumErrorPruner(), {"m": [0, 8, 64]}, cv=4).fit(X, y)
    display = tp.PruningCurveDisplay.from_cv(search)
    assert len(display.ax_.collections) == 2  # error bars of train and test
    assert line(display, "test").get_linestyle() == "None"


def test_negated_errors_are_drawn_as_errors():
    Xd, yd = load_diabetes(return_X_y=True)
    tree = DecisionTreeRegressor(max_leaf_nodes=30, random_state=0).fit(Xd[::2], yd[::2])
    display = tp.PruningCurveDisplay.from_estimator(tree, Xd[::2], yd[::2], Xd[1::2], yd[1::2], method="max_depth")
    assert display.ax_.get_ylabel() == "mean squared error"
    assert (line(display, "test").get_ydata() > 0).all()


def test_it_draws_on_given_axes_with_given_looks_and_without_a_mark():
    ax = mpl.pyplot.subplots()[1]
    display = tp.PruningCurveDisplay(drawn().curve).plot(ax, test_kw={"color": "black"}, train_kw={"linewidth": 5})
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert line(display, "test").get_color() == "black"
    assert line(display, "train").get_linewidth() == 5
    assert not [each for each in ax.get_lines() if each.get_marker() == "*"]


def test_a_curve_of_many_levels_has_no_markers_and_one_of_the_root_alone_is_a_point():
    assert line(drawn("max_leaf_nodes"), "test").get_marker() == "None"
    assert line(drawn("max_leaf_nodes", 20), "test").get_marker() == "o"
    stump = DecisionTreeClassifier(max_depth=1, random_state=0).fit(X[:4], [0, 0, 0, 0])
    display = tp.PruningCurveDisplay.from_estimator(stump, X[:4], [0] * 4, X[:4], [0] * 4)
    np.testing.assert_array_equal(line(display, "test").get_xdata(), [1])


def test_train_and_test_differ_in_grey_by_line_marker_and_lightness():
    display = drawn(limit=20)
    train, test = line(display, "train"), line(display, "test")
    assert train.get_linestyle() != test.get_linestyle()
    assert train.get_marker() != test.get_marker()
    grey = [np.dot(mpl.colors.to_rgb(each.get_color()), [0.299, 0.587, 0.114]) for each in (train, test)]
    assert abs(grey[0] - grey[1]) > 0.25


@pytest.mark.parametrize("level", [-1, 10_000])
def test_a_level_that_does_not_exist_is_refused_before_drawing(level):
    with pytest.raises(ValueError, match=f"level={level}: the curve has levels 0 to"):
        tp.PruningCurveDisplay(drawn().curve, level=level).plot()


def test_a_search_that_is_not_fitted_is_said_to_be_so():
    with pytest.raises(NotFittedError, match="PrunerCV"):
        tp.PruningCurveDisplay.from_cv(tp.PrunerCV(tp.CostComplexityPruner()))
