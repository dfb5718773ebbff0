"""Models and curves of a table of one's own, from the command line and as functions."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeRegressor
from typer.testing import CliRunner

import treeprune as tp
from treeprune.cli import app
from treeprune.datasets import load_dataset, read_table
from treeprune.dispatch import METHODS
from treeprune.table_model import curve_of_table, frame_with_words, is_searched, prune_table, standard_error
from treeprune.tables import MISSING


def load(path):
    """Read a model, of which only scikit-learn's own types need trust."""
    types = skops.io.get_untrusted_types(file=path)
    assert all(name.startswith("sklearn.") for name in types)
    return skops.io.load(path, trusted=types)


@pytest.fixture
def own(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    for i in range(240):
        age, colour = rng.integers(18, 80), rng.choice(["red", "green", "<b>"])
        label = "yes" if (age > 40) ^ (colour == "red") ^ (rng.random() < 0.1) else "no"
        lines.append(
            f"{'?' if i % 17 == 0 else age},{'' if i % 23 == 0 else colour},{['true', 'false'][i % 2]},{label}"
        )
    path = tmp_path / "own.csv"
    path.write_text("age,colour,flag,y\n" + "\n".join(lines) + "\n")
    return path


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def said(result):
    return " ".join(result.output.split())


@pytest.mark.parametrize("method", METHODS)
def test_a_model_of_any_method_is_saved_and_predicts_from_the_words_of_the_file(own, method):
    out = own.parent / "model.skops"
    folds = ("--folds", 3) if is_searched(method, {}) else ()
    result = run("prune", own, "--target", "y", "--method", method, "--out", out, *folds)
    assert result.exit_code == 0, result.output
    model = load(out)
    raw = pd.read_csv(own, na_values=list(MISSING), keep_default_na=False)
    table = read_table(own, "y")
    again = prune_table(table, method, {}, folds=3)
    by_codes = again.model[-1].predict(table.data)
    assert (model.predict(raw.drop(columns="y")) == by_codes).all()
    assert model[-1].get_n_leaves() == again.n_leaves
    if method != "kearns_mansour":  # which leaves the root of so few rows, as published
        assert (by_codes == raw["y"]).mean() > 0.75
    assert f"has {again.n_leaves} leaves" in said(result) or (again.n_leaves == 1 and "has one leaf" in said(result))


def test_the_scores_are_those_of_the_same_procedure_without_the_test_rows():
    table = load_dataset("heart_cleveland")
    found = prune_table(table, "reduced_error", {"validation_fraction": 0.4}, seed=3)
    from treeprune.tree.holdout import holdout_split

    tree = tp.ReducedErrorPruner(validation_fraction=0.4, random_state=3)
    tree.set_params(estimator=found.model[-1].__class__(random_state=3))
    training, test = holdout_split(0.3, found.model[-1], table.data, table.target, None, 3)
    fitted = tree.fit(table.data.iloc[training], table.target[training])
    assert found.scores[1]["test"] == fitted.score(table.data.iloc[test], table.target[test])
    assert found.scores[1]["leaves"] == fitted.n_leaves_
    assert found.scores[0]["leaves"] == fitted.grown_.get_n_leaves()


def test_parameters_of_the_method_are_used_and_others_refused(own):
    out = own.parent / "model.skops"
    words = ("prune", own, "--target", "y", "--out", out)
    assert run(*words, "--set", "alpha=0.02", "--set", "risk=error").exit_code == 0
    model = load(out)
    table = read_table(own, "y")
    expected = tp.CostComplexityPruner(model[-1].__class__(random_state=0), alpha=0.02, risk="error")
    assert model[-1].get_n_leaves() == expected.fit(table.data, table.target).n_leaves_
    before = out.read_bytes()
    for given, message in (
        ("alfa=1", "did you mean 'alpha'? cost_complexity has alpha, risk"),
        ("alpha", "NAME=VALUE"),
    ):
        refused = run(*words, "--force", "--set", given)
        assert refused.exit_code == 2
        assert message in said(refused)
    assert run(*words, "--force", "--set", "alpha=much").exit_code == 2
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "reduced_eror"], "did you mean 'reduced_error'"),
        (["--target", "z"], "has no column 'z'"),
        (["--out", "model.pickle"], "a file ending in .skops is expected"),
        (["--selection", "best"], "selection='best': one of"),
        (["--folds", "1"], "folds=1"),
        (["--seed", "-1"], "seed=-1"),
        (["--test-size", "1"], "test_size=1"),
        (["--out", "no/such/folder/model.skops"], "a file in a folder that is there"),
    ],
)
def test_words_that_will_not_do_are_one_line_and_leave_nothing(own, monkeypatch, words, message):
    monkeypatch.chdir(own.parent)
    result = run("prune", own, "--target", "y", *words)
    assert result.exit_code == 2
    assert message in said(result)
    assert [path.name for path in own.parent.iterdir()] == ["own.csv"]


def test_a_file_that_is_there_is_replaced_with_force_only(own):
    out = own.parent / "model.skops"
    out.write_text("mine")
    words = ("prune", own, "--target", "y", "--method", "error_based", "--out", out)
    assert run(*words).exit_code == 2
    assert out.read_text() == "mine"
    assert run(*words, "--force").exit_code == 0
    assert out.read_bytes()[:2] == b"PK"


def test_a_regression_has_a_model_and_a_curve(tmp_path):
    table = load_dataset("cpu")
    table.data.assign(performance=table.target).to_csv(tmp_path / "cpu.csv", index=False)
    done = run("prune", tmp_path / "cpu.csv", "--target", "performance", "--out", tmp_path / "m.skops")
    assert done.exit_code == 0, done.output
    assert "R²" in done.output
    assert "nan" not in done.output
    drawn = run("curve", tmp_path / "cpu.csv", "--target", "performance", "--out", tmp_path / "c.csv")
    assert drawn.exit_code == 0, drawn.output
    assert "neg_mean_squared_error at prune levels" in said(drawn)
    assert set(pd.read_csv(tmp_path / "c.csv").columns) >= {"price", "n_leaves", "train", "test"}


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "csv"])
def test_a_curve_is_a_picture_or_numbers_by_its_ending(own, ending):
    out = own.parent / f"curve.{ending}"
    result = run("curve", own, "--target", "y", "--out", out, "--folds", 3)
    assert result.exit_code == 0, result.output
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "csv": b"repeat"}[ending]
    assert out.read_bytes().startswith(start)
    assert "chosen" in result.output


def test_the_curve_is_that_of_pruner_cv(own):
    table = read_table(own, "y")
    found = curve_of_table(table, "critical_value", "minimum", 4, 7)
    tree = found.grown_.__class__(random_state=7)
    cv = StratifiedKFold(4, shuffle=True, random_state=7)
    expected = tp.PrunerCV(tp.CriticalValuePruner(tree), cv=cv, selection="minimum").fit(table.data, table.target)
    np.testing.assert_array_equal(found.scores_.test, expected.scores_.test)
    assert found.best_level_ == expected.best_level_


def test_a_method_without_a_strength_has_no_curve(own):
    result = run("curve", own, "--target", "y", "--method", "reduced_error", "--out", own.parent / "c.png")
    assert result.exit_code == 2
    assert "reduced_error has no strength to draw a curve over: one of cost_complexity" in said(result)


def test_words_come_back_from_their_codes():
    table = load_dataset("penguins")
    words = frame_with_words(table)
    assert words["island"].unique().tolist() == ["Torgersen", "Biscoe", "Dream"]
    assert words["sex"].isna().sum() == table.data["sex"].isna().sum() > 0


def test_the_spread_of_r_squared_is_that_of_many_test_sets():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(300, 1))
    tree = DecisionTreeRegressor(max_leaf_nodes=4).fit(X, X[:, 0] + rng.normal(0, 0.1, 300))
    scores, errors = [], []
    for _ in range(300):
        X = rng.uniform(size=(200, 1))
        y = X[:, 0] + rng.normal(0, 0.1, 200)
        scores.append(tree.score(X, y))
        errors.append(standard_error(tree, scores[-1], X, y, classifies=False))
    # the spread of the target, which is taken as known, makes the scores vary a little as well
    assert np.mean(errors) == pytest.approx(np.std(scores), rel=0.25)


def test_words_for_one_leaf_are_of_one(tmp_path):
    lines = "\n".join(f"{k % 7},{'a' if k % 9 else 'b'}" for k in range(90))
    (tmp_path / "t.csv").write_text(f"x,y\n{lines}\n")
    done = run("prune", tmp_path / "t.csv", "--target", "y", "--method", "max_depth", "--set", "max_depth=0",
               "--out", tmp_path / "m.skops")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "has one leaf." in said(done)


def test_a_column_of_words_may_hold_numbers_only_in_another_file(tmp_path):
    lines = [f"{['1', '2', 'x', ''][i % 4]},{i % 7},{'yes' if i % 4 == 1 else 'no'}" for i in range(120)]
    (tmp_path / "own.csv").write_text("code,n,y\n" + "\n".join(lines) + "\n")
    assert run("prune", tmp_path / "own.csv", "--target", "y", "--out", tmp_path / "m.skops").exit_code == 0
    model = load(tmp_path / "m.skops")
    words = pd.DataFrame({"code": ["1", "2", "2"], "n": [0, 1, 2]})
    assert model.predict(words).tolist() == ["no", "yes", "yes"]
    assert model.predict(words.astype({"code": "int64"})).tolist() == ["no", "yes", "yes"]


def test_words_about_cross_validation_are_refused_where_nothing_is_chosen_by_it(own):
    words = ("prune", own, "--target", "y", "--out", own.parent / "m.skops")
    for more, why in (
        (("--method", "minimum_error", "--folds", 5), "minimum_error has no path of prunings to choose from"),
        (("--set", "alpha=0.01", "--selection", "minimum"), "cost_complexity has parameters by --set"),
    ):
        result = run(*words, *more)
        assert result.exit_code == 2
        assert why in said(result)
    assert not (own.parent / "m.skops").exists()
    assert run(*words, "--folds", 4, "--selection", "minimum").exit_code == 0


@pytest.mark.parametrize("command", ["curve", "prune", "explore"])
def test_a_class_rarer_than_the_folds_is_a_remark_not_a_warning(tmp_path, command):
    lines = [f"{i},{i % 5},{'abc'[min(i % 40, 2)] if i > 6 else 'rare'}" for i in range(90)]
    (tmp_path / "own.csv").write_text("m,n,y\n" + "\n".join(lines) + "\n")
    ending = {"curve": "csv", "prune": "skops", "explore": "html"}[command]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = run(command, tmp_path / "own.csv", "--target", "y", "--out", tmp_path / f"x.{ending}", "--folds", 8)
    assert result.exit_code == 0, result.output
    assert "The least populated class in y has only" in said(result)
