"""Every table of the laboratory against the same thing done by hand."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.datasets import make_noisy_xor, make_waveform, noisy_xor_bayes_error, waveform_bayes_error
from treeprune.diagnostics import (
    Answer,
    bias_variance,
    double_descent,
    error_budget,
    holdout_size,
    label_noise,
    learning_curve,
    level_stability,
    optimism,
    size_frontier,
)
from treeprune.diagnostics.answer import COLORS
from treeprune.diagnostics.trials import splits
from treeprune.selection import minimum, one_standard_error

mpl.use("agg")
TREE = DecisionTreeClassifier(random_state=0)
X, Y = load_breast_cancer(return_X_y=True)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


# ---- sweeps ----------------------------------------------------------------------------------------------------------


def test_a_learning_curve_is_fits_to_nested_samples_scored_on_the_same_rows() -> None:
    pruner = tp.ErrorBasedPruner(TREE)
    answer = learning_curve({"grown": TREE, "pruned": pruner}, X, Y, shares=[0.25, 1.0], repeats=2)
    for repeat, seed, training, test in splits(TREE, X, Y, 0.3, 2, 0):
        shuffled = np.random.default_rng(seed).permutation(training)
        assert answer.table["repeat"].max() == 1
        for share in (0.25, 1.0):
            rows = np.sort(shuffled[: round(share * len(training))])
            for name, model in (("grown", TREE), ("pruned", pruner)):
                fitted = clone(model).fit(X[rows], Y[rows])
                row = answer.table.query(f"repeat == {repeat} and n_train == {rows.size} and model == {name!r}").iloc[0]
                assert row["test"] == fitted.score(X[test], Y[test])
                assert row["train"] == fitted.score(X[rows], Y[rows])
                leaves = fitted.n_leaves_ if name == "pruned" else fitted.get_n_leaves()
                assert row["leaves"] == leaves


def test_noise_is_in_so_many_training_labels_and_in_no_test_label() -> None:
    iris, kinds = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])[kinds]
    seen: list[Any] = []

    class Spy(DecisionTreeClassifier):
        def fit(self, rows: Any, y: Any) -> Any:
            seen.append((rows, y))
            return super().fit(rows, y)

    label_noise(Spy(random_state=0), iris, names, noise=[0.0, 0.1, 0.4], repeats=1)
    training = next(splits(TREE, iris, names, 0.3, 1, 0))[2]
    clean, some, many = (y for _, y in seen)
    np.testing.assert_array_equal(clean, names[training])
    assert (some != clean).sum() == round(0.1 * len(training))
    assert (many != clean).sum() == round(0.4 * len(training))
    assert ((some != clean) <= (many != clean)).all(), "rows that are wrong stay wrong"


def test_a_holdout_is_of_the_size_asked_for_as_published_and_refitted() -> None:
    answer = holdout_size(TREE, X, Y, fractions=[0.2, 0.5], repeats=1)
    _, seed, training, test = next(splits(TREE, X, Y, 0.3, 1, 0))
    for refit, name in ((False, "as published"), (True, "refitted")):
        pruner = tp.ReducedErrorPruner(TREE, validation_fraction=0.5, refit_leaves=refit, random_state=seed)
        fitted = pruner.fit(X[training], Y[training])
        row = answer.table.query(f"held_out == 0.5 and model == {name!r}").iloc[0]
        assert (row["test"], row["leaves"]) == (fitted.score(X[test], Y[test]), fitted.n_leaves_)


# ---- bias and variance -----------------------------------------------------------------------------------------------


def drawn_trees(estimator: Any, rows: Any, y: Any, draws: int) -> list[Any]:
    rng, n = np.random.default_rng(0), len(y)
    trees = []
    for _ in range(draws):
        sample = np.sort(rng.integers(n, size=n))
        trees.append(clone(estimator).fit(rows[sample], y[sample]))
    return trees


def test_parts_of_squared_error_add_up_to_that_of_the_pruned_trees() -> None:
    rows, y = load_diabetes(return_X_y=True)
    tree = DecisionTreeRegressor(min_samples_leaf=3, random_state=0)
    given = rows[:250], y[:250], rows[250:], y[250:]
    table = bias_variance(tree, *given, draws=6, n_alphas=5).table
    trees = drawn_trees(tree, rows[:250], y[:250], 6)
    for row in table.itertuples():
        predicted = np.array([tp.prune(t, "cost_complexity", alpha=row.alpha).predict(rows[250:]) for t in trees])
        assert row.error == pytest.approx(((predicted - y[250:]) ** 2).mean())
        assert row.variance == pytest.approx(predicted.var(axis=0).mean(), rel=1e-9, abs=1e-9)
        assert row.bias_squared_and_noise == pytest.approx(((predicted.mean(axis=0) - y[250:]) ** 2).mean())
    assert table["n_leaves"].iloc[-1] == 1


@pytest.mark.parametrize("loss", ["brier", "zero_one"])
def test_parts_of_the_losses_of_classes_are_those_of_the_pruned_trees(loss: str) -> None:
    iris, kinds = load_iris(return_X_y=True)
    names = np.array(["x", "y", "z"])[kinds]
    given = iris[::2], names[::2], iris[1::2], names[1::2]
    table = bias_variance(TREE, *given, loss=loss, draws=5, n_alphas=4).table
    trees, target = drawn_trees(TREE, iris[::2], names[::2], 5), kinds[1::2]
    for row in table.itertuples():
        small = [tp.prune(t, "cost_complexity", alpha=row.alpha) for t in trees]
        probability = np.array([model.predict_proba(iris[1::2]) for model in small])
        if loss == "brier":
            wanted = np.eye(3)[target]
            assert row.error == pytest.approx(((probability - wanted) ** 2).sum(axis=2).mean())
            assert row.variance == pytest.approx(probability.var(axis=0).sum(axis=1).mean(), abs=1e-12)
            continue
        labels = probability.argmax(axis=2)
        main = np.array([np.bincount(column, minlength=3).argmax() for column in labels.T])
        assert row.error == pytest.approx((labels != target).mean())
        assert row.bias == pytest.approx((main != target).mean())
        assert row.bias + row.net_variance == pytest.approx(row.error)


def test_where_the_truth_is_known_noise_stands_apart() -> None:
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, (400, 2))
    truth = np.sin(3 * rows[:, 0])
    y = truth + rng.normal(0, 0.5, 400)
    tree = DecisionTreeRegressor(random_state=0)
    given = rows[:200], y[:200], rows[200:], y[200:]
    table = bias_variance(tree, *given, truth=truth[200:], draws=20, n_alphas=6).table
    np.testing.assert_allclose(table["noise"], ((y[200:] - truth[200:]) ** 2).mean())
    blind = bias_variance(tree, *given, draws=20, n_alphas=6).table
    np.testing.assert_allclose(table["variance"], blind["variance"])
    assert table["error"].to_numpy() == pytest.approx(blind["error"].to_numpy(), rel=0.2)  # up to chance products
    assert table["bias_squared"].iloc[0] < table["bias_squared"].iloc[-1] / 5
    with pytest.raises(ValueError, match=r"truth has shape \(3, 1\): \(200, 1\) is expected"):
        bias_variance(tree, *given, truth=[1, 2, 3], draws=2)


# ---- budgets and choices ---------------------------------------------------------------------------------------------


def test_the_error_budget_adds_up_and_no_pruning_is_better_than_the_best() -> None:
    models = {
        "reduced": tp.ReducedErrorPruner(TREE, random_state=0),
        "cv": tp.PrunerCV(tp.CostComplexityPruner(TREE), cv=5),
    }
    answer = error_budget(models, make_waveform, waveform_bayes_error(), n_train=150, repeats=2, n_population=4000)
    rows, y = make_waveform(4000, random_state=2)
    for row in answer.table.itertuples():
        train = make_waveform(150, random_state=row.repeat)
        fitted = clone(models[row.model]).fit(*train)
        assert row.error == pytest.approx((fitted.predict(rows) != y).mean())
        assert row.bayes + row.growth + row.selection == pytest.approx(row.error)
        path = tp.pruning_path(fitted.grown_)
        curve = tp.pruning_curve(fitted.grown_, path, *train, rows, y)
        assert 1 - curve.test.max() >= row.bayes + row.growth - 1e-12
        assert row.selection >= -1e-12
    assert answer.plot().axes_[0].get_ylabel() == "error"


def test_the_chosen_size_is_that_of_a_search_with_these_folds() -> None:
    answer = level_stability(tp.CostComplexityPruner(TREE), X, Y, folds=5, seeds=[3, 4])
    for seed in (3, 4):
        cv = StratifiedKFold(5, shuffle=True, random_state=seed)
        search = tp.PrunerCV(tp.CostComplexityPruner(TREE), cv=cv).fit(X, Y)
        for rule in (minimum, one_standard_error):
            row = answer.table.query("seed == @seed and rule == @rule.__name__").iloc[0]
            assert row["leaves"] == search.path_.n_leaves[rule(search.scores_)]
    assert [label.get_text() for label in answer.plot().axes_[0].get_yticklabels()] == ["one standard error", "minimum"]


@pytest.mark.parametrize(
    ("tree", "y", "splitter"),
    [(TREE, Y, RepeatedStratifiedKFold), (DecisionTreeRegressor(random_state=0), Y * 2.5, RepeatedKFold)],
)
def test_the_size_of_repeated_folds_is_that_of_a_search_with_all_of_them(tree: Any, y: Any, splitter: Any) -> None:
    pruner = tp.CostComplexityPruner(tree)
    answer = level_stability(pruner, X, y, folds=3, repeats=2, seeds=[7])
    search = tp.PrunerCV(pruner, cv=splitter(n_splits=3, n_repeats=2, random_state=7)).fit(X, y)
    leaves = answer.table.set_index("rule")["leaves"]
    assert leaves["minimum_of_2_repeats"] == search.path_.n_leaves[minimum(search.scores_)]
    assert leaves["one_standard_error_of_2_repeats"] == search.n_leaves_
    once = level_stability(pruner, X, y, folds=3, seeds=[7]).table.set_index("rule")["leaves"]
    assert leaves[once.index].tolist() == once.tolist()


def test_a_line_runs_along_its_condition_in_whatever_order_the_rows_came() -> None:
    table = pd.DataFrame({"n_leaves": [9, 4, 1, 7, 4], "gap": [0.9, 0.4, 0.1, 0.7, 0.6]})
    line = Answer("How far?", table, "n_leaves", ("gap",)).plot().axes_[0].lines[0]
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.1], [4, 0.5], [7, 0.7], [9, 0.9]])


def test_kinds_are_drawn_as_heaps_of_one_dot_a_run_and_their_mean() -> None:
    table = pd.DataFrame({"rule": ["a"] * 5 + ["b"] * 2, "leaves": [3, 9, 3, 9, 9, 4, 5]})
    ax = Answer("Which?", table, "rule", ("leaves",)).plot().axes_[0]
    dots = {line.get_color(): line.get_xydata() for line in ax.lines if line.get_marker() == "o"}
    assert dots[COLORS[0]][:, 0].tolist() == [3, 3, 9, 9, 9]
    assert len(set(map(tuple, dots[COLORS[0]]))) == 5  # none hides another
    assert dots[COLORS[1]][:, 0].tolist() == [4, 5]
    assert (dots[COLORS[0]][:, 1] > 1).all() and (dots[COLORS[1]][:, 1] < 1).all()  # the first kind is on top
    means = [line.get_xdata()[0] for line in ax.lines if line.get_color() == "black"]
    assert means == [4.5, 6.6]


def test_optimism_is_train_less_test() -> None:
    tree = clone(TREE).fit(X[::2], Y[::2])
    curve = tp.pruning_curve(tree, tp.pruning_path(tree), X[::2], Y[::2], X[1::2], Y[1::2])
    np.testing.assert_array_equal(optimism(curve).table["optimism"], curve.train - curve.test)


def test_cost_complexity_is_the_hull_of_the_optimal_sizes() -> None:
    tree = clone(TREE).fit(X[::2], Y[::2])
    table = size_frontier(tree, X[::2], Y[::2], X[1::2], Y[1::2]).table
    best, hull = (
        table[table["family"] == f].set_index("n_leaves")["train_error"] for f in ("optimal by size", "cost-complexity")
    )
    assert best.index.tolist() == list(range(best.index.max(), 0, -1))
    np.testing.assert_allclose(best[hull.index], hull)
    between = np.interp(best.index[::-1], hull.index[::-1], hull.to_numpy()[::-1])[::-1]
    assert (best.to_numpy() >= between - 1e-12).all()


def test_the_axes_of_double_descent_are_trees_and_forests_by_hand() -> None:
    given = X[::2], Y[::2], X[1::2], Y[1::2]
    table = double_descent(*given, leaves=[2, 4, 999], trees=[1, 5], repeats=1).table
    one, many = (table[table["axis"] == a] for a in ("leaves of one tree", "trees of full size"))
    assert one["leaves"].tolist() == [2, 4]
    small = DecisionTreeClassifier(max_leaf_nodes=4, max_features="sqrt", random_state=0).fit(*given[:2])
    assert one["test_error"].iloc[1] == pytest.approx(1 - small.score(*given[2:]))
    forest = RandomForestClassifier(5, bootstrap=False, random_state=0).fit(*given[:2])
    assert many["test_error"].iloc[1] == pytest.approx(1 - forest.score(*given[2:]))
    assert (many["train_error"] == 0).all()
    assert many["complexity"].tolist() == [many["leaves"].iloc[0], 5 * many["leaves"].iloc[0]]
    rows, y = load_diabetes(return_X_y=True)
    both = double_descent(*given, leaves=[2, 4], trees=[1, 5], repeats=2).joined()
    line = both.plot().axes_[1].get_lines()
    assert len(line) == 1  # one line through both axes, by the leaves of all trees
    means = both.table.groupby("complexity")["test_error"].mean()
    np.testing.assert_allclose(np.column_stack(line[0].get_data()), np.column_stack([means.index, means]))
    numbers = double_descent(
        rows[:200], y[:200], rows[200:], y[200:], task="regression", leaves=[2], trees=[1], repeats=1
    )
    assert numbers.table["train_error"].tolist()[1] == pytest.approx(0)


# ---- answers ---------------------------------------------------------------------------------------------------------


def test_a_summary_is_mean_spread_and_number_and_a_figure_shows_them() -> None:
    table = pd.DataFrame({"n": [1, 1, 2, 2] * 2, "kind": ["a"] * 4 + ["b"] * 4, "x": range(8), "y": range(8)})
    answer = Answer("Is it so?", table, "n", ("x", "y"), "kind")
    means = answer.summary()
    assert means["x mean"].tolist() == [0.5, 2.5, 4.5, 6.5]
    np.testing.assert_allclose(means["x sd"], np.sqrt(0.5))
    assert means["repeats"].tolist() == [2] * 4
    assert repr(answer).startswith("Is it so?\n")
    display = answer.plot()
    assert [ax.get_ylabel() for ax in display.axes_] == ["x", "y"]
    np.testing.assert_array_equal(display.axes_[0].get_lines()[1].get_ydata(), [4.5, 6.5])
    with pytest.raises(ValueError, match="2 axes are needed, one for each of x, y; got 1"):
        answer.plot(pyplot.subplots()[1])
    parts = Answer("Of what?", table, "n", ("x", "y"), stacked=True).plot()
    assert len(parts.axes_) == 1
    assert len(parts.axes_[0].collections) == 2


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda: learning_curve({}, X, Y), ValueError, "models is empty"),
        (lambda: learning_curve(DecisionTreeClassifier, X, Y), TypeError, "a tree or a pruner to fit is expected"),
        (lambda: learning_curve(TREE, X, Y, shares=[1.5]), ValueError, "shares=1.5"),
        (lambda: learning_curve(TREE, X, Y, test_size=1.0), ValueError, "test_size=1.0"),
        (lambda: learning_curve(TREE, X, Y, repeats=0), ValueError, "repeats=0"),
        (lambda: label_noise(DecisionTreeRegressor(), X, Y), ValueError, "label noise is of classes"),
        (lambda: label_noise(TREE, X, Y, noise=[-1]), ValueError, "noise=-1"),
        (lambda: label_noise(TREE, X, Y * 0), ValueError, "y holds one class only"),
        (lambda: holdout_size(TREE, X, Y, fractions=[1.0]), ValueError, "validation_fraction=1.0"),
        (
            lambda: bias_variance(TREE, X, Y, X, Y, loss="squared_error"),
            ValueError,
            "does not fit a classification tree",
        ),
        (lambda: bias_variance(TREE, X, Y, X, Y, loss="hinge"), ValueError, "loss='hinge'"),
        (lambda: bias_variance(TREE, X, np.c_[Y, Y], X, np.c_[Y, Y]), ValueError, "the tree has 2 outputs"),
        (lambda: bias_variance(TREE, X, Y, X, Y, draws=1), ValueError, "draws=1"),
        (lambda: error_budget(TREE, make_noisy_xor, 0.1), TypeError, "a pruner or PrunerCV is expected"),
        (lambda: error_budget(tp.ReducedErrorPruner(), make_noisy_xor, 2.0), ValueError, "bayes_error=2.0"),
        (lambda: level_stability(tp.ReducedErrorPruner(), X, Y, seeds=[0]), ValueError, "not nested"),
        (lambda: level_stability(tp.CostComplexityPruner(), X, Y, repeats=0), ValueError, "repeats=0"),
        (lambda: double_descent(X, Y, X, Y, task="ranking"), ValueError, "task='ranking'"),
        (lambda: double_descent(X, Y, X, Y, leaves=[]), ValueError, "leaves is empty"),
        (lambda: double_descent(X, Y, X, Y, trees=[0]), ValueError, "trees=0"),
        (lambda: label_noise(TREE, X, Y, noise=[]), ValueError, "noise is empty"),
        (lambda: label_noise(TREE, X, Y, noise=0.1), ValueError, "noise=0.1: a list"),
        (lambda: holdout_size(TREE, X, Y, fractions=()), ValueError, "fractions is empty"),
        (lambda: learning_curve(TREE, X, Y, shares=[]), ValueError, "shares is empty"),
        (lambda: learning_curve(TREE, X, Y, shares=[0, 0.5]), ValueError, "shares=0"),
        (lambda: level_stability(tp.CostComplexityPruner(), X, Y, seeds=[]), ValueError, "seeds is empty"),
        (lambda: level_stability(tp.CostComplexityPruner(), X, Y, seeds=["a"]), ValueError, "seeds='a'"),
    ],
)
def test_questions_that_make_no_sense_are_refused(ask: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ask()


def test_the_bayes_error_is_the_floor_of_the_budget() -> None:
    pruner = tp.PrunerCV(tp.CostComplexityPruner(TREE), cv=3)
    answer = error_budget(
        pruner, make_noisy_xor, noisy_xor_bayes_error(0.1), n_train=2000, repeats=1, n_population=20_000
    )
    assert answer.table["growth"].iloc[0] > -0.01
    assert answer.table["error"].iloc[0] < 0.2


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("along", ["n", "kind"])
def test_names_with_dollars_are_drawn_as_they_are(along: str, stacked: bool) -> None:
    kinds = ["gross $ \\frac $"] * 4 + ["b"] * 4
    table = pd.DataFrame({"n": [1, 1, 2, 2] * 2, "kind": kinds, "x": range(8), "y": range(8)})
    answer = Answer("Is $it $so?", table, along, ("x", "y"), "kind" if along == "n" and not stacked else None, stacked)
    display = answer.plot()
    display.figure_.canvas.draw()
    said = {text.get_text().replace("\n", " ") for text in display.figure_.findobj(mpl.text.Text)}
    assert "Is $it $so?" in said
    assert stacked or kinds[0] in said
