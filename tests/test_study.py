"""Studies: every row against the same thing done by hand with scikit-learn and the public API."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.datasets import load_dataset
from treeprune.study import runner
from treeprune.study.design import DEFAULT_DATA, Study
from treeprune.study.growth import Grown, GrowOnce
from treeprune.study.hindsight import best_cut_in_hindsight, best_cut_of_all
from treeprune.study.methods import METHODS, StudyMethod
from treeprune.study.results import pareto_front
from treeprune.study.runner import Data, run_study, run_unit
from treeprune.study.units import list_units
from treeprune.tree.fitted import find_tree

SETS = ["glass", "heart_cleveland", "cpu"]
SECONDS = ["grow_seconds", "prune_seconds"]


@pytest.fixture(scope="module")
def study():
    return Study(data=SETS, repeats=2, folds=5)


@pytest.fixture(scope="module")
def results(study):
    return run_study(study)


@pytest.fixture(scope="module")
def by_hand(study):
    """Data, split and grown tree of the first unit of each set, with scikit-learn alone."""
    units = {}
    for unit in list_units(study, study.load()):
        if unit.repeat == 0:
            table = load_dataset(unit.data)
            X, y = table.data.to_numpy(), table.target
            classes = y if unit.task == "classification" else None
            rows = train_test_split(
                np.arange(len(y)), test_size=study.test_size, random_state=unit.seed, stratify=classes
            )
            kind = DecisionTreeRegressor if classes is None else DecisionTreeClassifier
            folds = KFold if classes is None else StratifiedKFold
            training, test = map(np.sort, rows)
            cv = folds(study.folds, shuffle=True, random_state=unit.seed)
            units[unit.data] = kind(random_state=unit.seed), X[training], y[training], X[test], y[test], cv, unit.seed
    return units


def row_of(results, data, method, repeat=0):
    rows = results.rows.query("data == @data and method == @method and repeat == @repeat")
    assert len(rows) == 1
    return rows.iloc[0]


def test_every_set_repeat_and_method_of_its_task_has_one_row(study, results):
    expected = [
        (name, repeat, method.name)
        for name in SETS
        for repeat in range(2)
        for method in METHODS.values()
        if method.by_default and (name != "cpu" or "regression" in method.tasks)
    ]
    assert list(results.rows[["data", "repeat", "method"]].itertuples(index=False, name=None)) == expected
    assert len(results.failures) == 0


@pytest.mark.parametrize("data", SETS)
def test_the_unpruned_row_is_scikit_learns_own_tree(results, by_hand, data):
    tree, X, y, X_test, y_test, *_ = by_hand[data]
    tree.fit(X, y)
    row = row_of(results, data, "unpruned")
    assert (row.leaves, row.leaves_grown) == (tree.get_n_leaves(), tree.get_n_leaves())
    assert row.test == pytest.approx(tree.score(X_test, y_test), abs=1e-12)
    assert row.train == pytest.approx(tree.score(X, y), abs=1e-12)
    assert (row.rows_training, row.rows_pruned_with, row.rows_test) == (len(X), 0, len(X_test))


@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("method", ["cost_complexity_minimum", "cost_complexity_one_standard_error"])
def test_a_refit_of_scikit_learn_at_the_chosen_alpha_gives_the_same_scores(results, by_hand, data, method):
    tree, X, y, X_test, y_test, *_ = by_hand[data]
    row = row_of(results, data, method)
    # a hair above, since rounding decides what happens exactly at a price
    refitted = tree.set_params(ccp_alpha=row.strength * (1 + 1e-9)).fit(X, y)
    tree.set_params(ccp_alpha=0.0)
    assert row.leaves == refitted.get_n_leaves()
    assert row.test == pytest.approx(refitted.score(X_test, y_test), abs=1e-12)


DIRECT = {
    "minimum_error": lambda tree, cv, seed: tp.MinimumErrorPruner(tree),
    "pessimistic_error": lambda tree, cv, seed: tp.PessimisticErrorPruner(tree),
    "error_based": lambda tree, cv, seed: tp.ErrorBasedPruner(tree),
    "reduced_error": lambda tree, cv, seed: tp.ReducedErrorPruner(tree, validation_fraction=0.3, random_state=seed),
    "reduced_error_refit": lambda tree, cv, seed: tp.ReducedErrorPruner(
        tree, validation_fraction=0.3, refit_leaves=True, random_state=seed
    ),
    "critical_value": lambda tree, cv, seed: tp.PrunerCV(tp.CriticalValuePruner(tree), cv=cv, selection="minimum"),
    "max_depth": lambda tree, cv, seed: tp.PrunerCV(tp.MaxDepthPruner(tree), cv=cv, selection="minimum"),
}


@pytest.mark.parametrize("data", ["heart_cleveland", "cpu"])
@pytest.mark.parametrize("method", DIRECT)
def test_rows_equal_the_same_pruner_without_shared_trees(results, by_hand, data, method):
    if data == "cpu" and "regression" not in METHODS[method].tasks:
        assert method not in set(results.rows.loc[results.rows["data"] == data, "method"])
        return
    tree, X, y, X_test, y_test, cv, seed = by_hand[data]
    fitted = DIRECT[method](tree, cv, seed).fit(X, y)
    row = row_of(results, data, method)
    assert row.leaves == fitted.n_leaves_
    assert row.test == pytest.approx(fitted.score(X_test, y_test), abs=1e-12)
    assert row.train == pytest.approx(fitted.estimator_.score(X, y), abs=1e-12)


def test_holdout_methods_say_on_how_many_rows_they_grew_and_pruned(results):
    row = row_of(results, "heart_cleveland", "reduced_error")
    assert row.rows_grown_on + row.rows_pruned_with == row.rows_training == 212
    assert row.rows_pruned_with == 64
    own = row_of(results, "heart_cleveland", "error_based")
    assert own.rows_grown_on == own.rows_pruned_with == 212


def test_no_method_is_above_the_ceiling_of_the_tree_it_pruned(results):
    assert (results.rows["ceiling"] >= results.rows["test"] - 1e-12).all()
    assert (results.rows["ceiling"] >= results.rows["crossed"] - 1e-12).all()
    shared = results.rows[~results.rows["method"].str.startswith("reduced_error")]
    assert (shared.groupby(["data", "repeat"])["ceiling"].nunique() == 1).all()


def test_the_ceiling_is_the_best_of_all_cuts_and_the_bracket_pays_for_its_choice(by_hand):
    tree, X, y, X_test, y_test, _, seed = by_hand["glass"]
    small = find_tree(tree.set_params(max_leaf_nodes=7).fit(X, y))
    tree.set_params(max_leaf_nodes=None)
    found = best_cut_in_hindsight(small, X_test, y_test, seed)
    cuts = tp.pruning_cuts(small.estimator, "optimal", X_test, y_test)  # the best cut of every size
    scores = tp.pruning_curve(small.estimator, cuts, X, y, X_test, y_test).test
    assert found.ceiling == pytest.approx(scores.max(), abs=1e-12)

    halves = train_test_split(np.arange(len(y_test)), test_size=0.5, random_state=seed, stratify=y_test)
    right = [
        tp.prune(small.estimator, "reduced_error", X_test[a], y_test[a]).predict(X_test[b]) == y_test[b]
        for a, b in (halves, halves[::-1])
    ]
    assert found.crossed == pytest.approx(np.concatenate(right).mean(), abs=1e-12)


def test_the_crossed_score_of_a_regression_is_the_r2_of_its_joint_predictions(by_hand):
    tree, X, y, X_test, y_test, _, seed = by_hand["cpu"]
    grown = tree.fit(X, y)
    predicted = np.empty(len(y_test))
    halves = train_test_split(np.arange(len(y_test)), test_size=0.5, random_state=seed)
    for a, b in (halves, halves[::-1]):
        predicted[b] = tp.prune(grown, "reduced_error", X_test[a], y_test[a]).predict(X_test[b])
    found = best_cut_in_hindsight(find_tree(grown), X_test, y_test, seed)
    assert found.crossed == pytest.approx(r2_score(y_test, predicted), abs=1e-9)
    best = tp.prune(grown, "reduced_error", X_test, y_test)
    assert found.ceiling == pytest.approx(best.score(X_test, y_test), abs=1e-9)
    assert found.ceiling_leaves == best.get_n_leaves()


@pytest.mark.slow
def test_two_processes_find_what_one_finds(study, results):
    again = run_study(study, jobs=2)
    pd.testing.assert_frame_equal(again.rows.drop(columns=SECONDS), results.rows.drop(columns=SECONDS))
    pd.testing.assert_frame_equal(again.curves, results.curves)


def test_a_data_set_alone_gives_the_rows_it_gives_among_others(study, results):
    alone = run_study(replace(study, data=("cpu",), methods=("error_based", "max_depth")))
    expected = results.rows.query("data == 'cpu' and method in ('unpruned', 'max_depth')").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.rows.drop(columns=SECONDS), expected.drop(columns=SECONDS))


def test_another_seed_gives_other_splits(study, results):
    other = run_study(replace(study, data=("glass",), methods=("unpruned",), seed=1))
    assert (
        other.rows["test"].to_numpy() != results.rows.query("data == 'glass' and method == 'unpruned'")["test"]
    ).any()


def test_curves_are_those_of_the_grown_tree(results, by_hand):
    tree, X, y, X_test, y_test, *_ = by_hand["glass"]
    tree.fit(X, y)
    expected = tp.pruning_curve(tree, tp.pruning_path(tree), X, y, X_test, y_test)
    found = results.curve("glass").of_repeat(0)
    for name in ("price", "n_leaves", "train", "test"):
        np.testing.assert_allclose(found[name], getattr(expected, name), atol=1e-12)


def test_the_drawn_curve_reads_off_the_full_one(results):
    full, drawn = results.curve("cpu"), results.drawn_curve("cpu")
    assert len(drawn.of_repeat(0)["price"]) <= 80 < len(full.of_repeat(0)["price"])
    own, read = full.of_repeat(1), drawn.of_repeat(1)
    for k, price in enumerate(read["price"]):
        level = np.flatnonzero(own["price"] <= price)[-1]
        assert (read["n_leaves"][k], read["test"][k]) == (own["n_leaves"][level], own["test"][level])


def test_trees_of_the_same_rows_are_grown_once():
    X, y = np.arange(40.0).reshape(20, 2), np.tile([0, 1], 10)
    grown = Grown()
    grower = GrowOnce(DecisionTreeClassifier(random_state=0), grown)
    first = tp.ErrorBasedPruner(grower).fit(X, y)
    asked = grown.asked_seconds
    second = tp.PessimisticErrorPruner(grower).fit(X.copy(), y.copy())
    assert first.grown_.best_estimator_ is second.grown_.best_estimator_
    assert grown.asked_seconds == 2 * asked > 0  # each method is charged with its tree
    other = tp.PessimisticErrorPruner(grower).fit(X[1:], y[1:])
    assert other.grown_.best_estimator_ is not first.grown_.best_estimator_


def test_folds_that_cannot_be_made_fail_the_methods_that_need_them_and_no_other(tmp_path):
    path = tmp_path / "small.csv"
    path.write_text(
        "a,y\n" + "".join(f"{i},{'uv'[i % 2]}\n" for i in range(12))
    )  # 4 rows a class are too few for 10 folds
    found = run_study(Study(data=[str(path)], target="y", repeats=1))
    failed = set(found.failures["method"])
    assert failed == {m.name for m in METHODS.values() if m.pruned_with == "cross-validation" and m.by_default}
    assert found.failures["error"].str.startswith("ValueError: ").all()
    assert found.failures["error"].str.contains("n_splits=10").all()
    assert found.failures["test"].isna().all()
    assert found.by_set().query("method == 'error_based'")["n"].item() == 1


def test_a_unit_that_fails_is_rows_with_its_error_and_the_study_goes_on(monkeypatch):
    untouched = runner.pruning_path

    def path_of_glass_fails(tree, *args):
        if tree.n_features_in_ == 9:
            raise RuntimeError("the disk is full of glass")
        return untouched(tree, *args)

    monkeypatch.setattr(runner, "pruning_path", path_of_glass_fails)
    found = run_study(Study(data=["glass", "wine"], methods=["error_based"], repeats=1))
    assert found.rows["error"].tolist() == ["RuntimeError: the disk is full of glass"] * 2 + [""] * 2
    assert set(found.by_set()["data"]) == {"wine"}
    assert set(found.curves["data"]) == {"wine"}


def test_a_mistake_in_the_program_is_not_noted_but_raised(monkeypatch):
    def broken(means):
        raise AttributeError("no such thing")

    monkeypatch.setitem(METHODS, "error_based", StudyMethod("error_based", "error_based", "x", "growing rows", broken))
    with pytest.raises(AttributeError, match="no such thing"):
        run_study(Study(data=["wine"], methods=["error_based"], repeats=1))


def test_progress_counts_every_unit():
    seen = []
    run_study(Study(data=["wine", "iris"], methods=["unpruned"], repeats=2), progress=lambda *what: seen.append(what))
    assert [(done, total) for done, total, _ in seen] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name for *_, name in seen} == {"", "wine", "iris"}


def test_one_unit_can_be_done_alone(study, results):
    unit = list_units(study, study.load())[1]
    found = run_unit(study, unit, Data.of(load_dataset(unit.data))).tables["results"]
    assert [row["test"] for row in found] == results.rows.query("data == 'glass' and repeat == 1")["test"].tolist()


def test_means_are_over_repeats_first_and_then_over_sets(results):
    rows = results.rows[results.rows["task"] == "classification"]
    by_set = rows.groupby(["data", "method"])[["test", "leaves"]].mean().unstack("data")
    gain = by_set["test"].sub(by_set["test"].loc["unpruned"])
    share = by_set["leaves"] / by_set["leaves"].loc["unpruned"]
    table = results.by_method().query("task == 'classification'").set_index("method")
    assert table.loc["max_depth", "test"] == pytest.approx(by_set["test"].loc["max_depth"].mean())
    assert table.loc["max_depth", "gain_sd"] == pytest.approx(gain.loc["max_depth"].std())
    assert table.loc["max_depth", "relative_leaves"] == pytest.approx(np.sqrt(share.loc["max_depth"].prod()))
    ranks = by_set["test"].round(12).rank(ascending=False).mean(axis=1)
    pd.testing.assert_series_equal(table["rank"].sort_index(), ranks.sort_index(), check_names=False)
    assert (table["better"] + table["worse"] <= table["sets"]).all()
    assert table.loc["unpruned", ["gain", "better", "worse", "relative_leaves"]].tolist() == [0, 0, 0, 1]


def test_the_pareto_front_is_what_no_other_point_beats():
    rng = np.random.default_rng(0)
    score, size = rng.integers(0, 6, (2, 40)).astype(float)
    expected = [
        not any(
            (s >= score[i] and z <= size[i]) and (s > score[i] or z < size[i]) for s, z in zip(score, size, strict=True)
        )
        for i in range(40)
    ]
    assert pareto_front(score, size).tolist() == expected
    assert 0 < sum(expected) < 40


def test_the_default_study_has_ten_real_sets_of_both_tasks_and_all_methods():
    tables = Study().load()
    assert len(tables) == len(DEFAULT_DATA) >= 10
    assert {table.task for table in tables.values()} == {"classification", "regression"}
    assert {METHODS[name].family for name in Study().methods} == {"unpruned", *tp.dispatch.METHODS}


def test_a_method_by_its_family_is_all_of_its_variants():
    assert Study(methods=["reduced_error"]).methods == ("unpruned", "reduced_error", "reduced_error_refit")
    assert Study(methods=["minimum_error_cv"]).methods == ("unpruned", "minimum_error_cv")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": ["glas"]}, "no data set named 'glas', did you mean 'glass'"),
        ({"data": ["linnerud"]}, "linnerud has several targets"),  # three targets
        ({"data": ["no/such.csv"], "target": "y"}, "no file 'no/such.csv'"),
        ({"data": []}, "data is empty"),
        ({"data": "glass"}, "a list of names is expected"),
        ({"data": ["glass"], "target": "Type"}, "is for a CSV file"),
        ({"methods": ["error_bassed"]}, "did you mean 'error_based'"),
        ({"methods": []}, "methods is empty"),
        ({"repeats": 0}, "repeats=0"),
        ({"repeats": 2.5}, "repeats=2.5"),
        ({"folds": 1}, "folds=1"),
        ({"seed": -1}, "seed=-1"),
        ({"test_size": 1.0}, "test_size=1.0"),
        ({"validation_fraction": 0.0}, "validation_fraction=0.0"),
        ({"task": "ranking"}, "task='ranking'"),
    ],
)
def test_a_design_that_will_not_do_says_why_at_once(fields, message):
    with pytest.raises(ValueError, match=message):
        Study(**fields)


def test_a_file_needs_a_target_and_a_name_of_its_own(tmp_path):
    path = tmp_path / "wine.csv"
    path.write_text("a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    with pytest.raises(ValueError, match="say which column to predict"):
        Study(data=[str(path)])
    with pytest.raises(ValueError, match="two tables are called 'wine'"):
        Study(data=["wine", str(path)], target="y").load()
    path.write_text("a,y\n1,u\n2,v\n3,u\n")
    with pytest.raises(ValueError, match="has 3 rows: 10 are needed"):
        Study(data=[str(path)], target="y").load()
    with pytest.raises(ValueError, match="cpu is a regression"):
        Study(data=["cpu"], task="classification").load()


def test_classes_that_the_tree_was_not_grown_with_are_missed_by_every_cut():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.choice(["a", "b"], 120)
    tree = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0).fit(X[:60], y[:60])
    strange = np.where(np.arange(120) % 4 == 0, "c", y)
    known = strange[60:] != "c"
    found = best_cut_in_hindsight(find_tree(tree), X[60:], strange[60:], 0)
    best = tp.prune(tree, "reduced_error", X[60:][known], strange[60:][known])
    assert found.ceiling == pytest.approx(best.score(X[60:], strange[60:]))
    assert found.ceiling_leaves == best.get_n_leaves()
    assert best_cut_of_all(find_tree(tree), X[60:], strange[60:]) == (
        pytest.approx(found.ceiling),
        found.ceiling_leaves,
    )


@pytest.mark.parametrize("data", ["wine", "cpu"])
def test_soft_pruning_and_raising_are_methods_like_others(data):
    named = ["hierarchical_shrinkage", *(["error_based_raised"] if data == "wine" else [])]
    study = Study(data=[data], methods=named, repeats=2, networks="none", folds=3)
    rows = run_study(study).rows.set_index(["method", "repeat"])
    assert (rows["error"] == "").all()
    soft = rows.loc["hierarchical_shrinkage"]
    assert (soft["leaves"] == soft["leaves_grown"]).all()
    assert soft["strength"].isin([0, 0.1, 1, 10, 25, 50, 100, 500]).all()
    assert "unpruned" in rows.index.get_level_values("method")


def test_a_grid_of_shrinkages_is_ones_own():
    study = Study(data=["wine"], methods=["hierarchical_shrinkage"], repeats=1, networks="none", folds=3,
                  grids={"hierarchical_shrinkage": [7]})  # fmt: skip
    rows = run_study(study).rows.set_index("method")
    assert rows.loc["hierarchical_shrinkage", "strength"] == 7
