"""What reviews of studies found: each test failed before it was mended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from typer.testing import CliRunner

import treeprune as tp
from treeprune.cli import app
from treeprune.diagnostics import error_budget, learning_curve
from treeprune.explorer.families import _chosen
from treeprune.generators import make_led
from treeprune.study.balance import _balance
from treeprune.study.compare_stores import compare_stores
from treeprune.study.design import DesignError, Study
from treeprune.study.results import forget_failures, read_store
from treeprune.study.runner import run_study
from treeprune.study.statistics import compare_to_control, conclude, corrected_resampled_t

FEW = {"data": ["glass"], "methods": ["error_based"], "repeats": 2, "networks": "none"}


def test_no_direction_is_claimed_where_ranks_and_mean_disagree():
    base = np.full(12, 0.7)
    table = pd.DataFrame({"a": base, "b": base + np.r_[np.linspace(0.01, 0.02, 11), -0.5]})
    said = conclude(compare_to_control(table, "a", 0.005), "a", 0.005, {})[0]
    assert "less accurate" not in said
    assert "different from a, most sets one way and the mean" in said


def test_the_verdict_on_size_leans_where_the_ranks_lean():
    trials = pd.DataFrame({"leaves": [5] * 9 + [1], "ceiling_leaves": [4] * 9 + [512]})
    trials = trials.assign(crossed_leaves=trials.ceiling_leaves, population_leaves=np.nan)
    found = _balance(pd.concat([trials] * 2, ignore_index=True))
    assert found["larger"] > found["smaller"]
    assert found["verdict"] == "under"


def test_of_several_designs_in_one_store_the_latest_is_compared(tmp_path):
    one, two = Study(**FEW), Study(**FEW, growers={"tree": {"min_samples_leaf": 20}})
    for study in (one, two):
        run_study(study, store=tmp_path / "both.sqlite")
    run_study(two, store=tmp_path / "alone.sqlite")
    found = compare_stores(*(read_store(tmp_path / f"{name}.sqlite")["results"] for name in ("both", "alone")))
    assert (found.by_method["difference"] == 0).all()
    assert any("4 rows of the first store are of earlier designs" in remark for remark in found.remarks)


def test_repeats_add_to_what_is_there_with_several_seeds_too(tmp_path):
    fields = {**FEW, "data": ["iris"], "seed": [0, 1]}
    run_study(Study(**{**fields, "repeats": 2}), store=tmp_path / "s.sqlite")
    run_study(Study(**{**fields, "repeats": 3}), store=tmp_path / "s.sqlite")
    rows = read_store(tmp_path / "s.sqlite")["results"]
    assert len(rows) == 2 * 6
    assert not rows.duplicated(["seed", "method"]).any()


def test_methods_that_failed_are_tried_again_too(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tp.ErrorBasedPruner, "_find_cut", lambda *_: (_ for _ in ()).throw(ValueError("no")))
        assert len(run_study(Study(**FEW), store=tmp_path / "s.sqlite").failures) == 2
    assert forget_failures(tmp_path / "s.sqlite") == 2
    assert run_study(Study(**FEW), store=tmp_path / "s.sqlite").failures.empty


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"splits": "cross_validation", "test_folds": 1000}, "test_folds=1000: glass has 214 rows"),
        ({"training_rows": ["all", 100000]}, "training_rows=100000: glass has 149 rows to train on"),
        ({"validation_fraction": 0.0001}, "leaves none to hold out or grow on"),
        ({"test_size": 0.9999}, "test_size=0.9999 of 214 rows of glass leaves none"),
        ({"methods": [["error_based"]]}, "methods holds \\['error_based'\\]: names are expected"),
        ({"development": [{"name": "glass"}]}, "development holds .*: names are expected"),
        ({"rope": float("inf")}, "rope=inf"),
    ],
)
def test_a_design_that_cannot_be_filled_fails_before_any_work(fields, words):
    with pytest.raises(DesignError, match=words):
        Study(**{**FEW, **fields}).load()


def test_two_sets_of_one_generator_have_names_of_their_own():
    led = {"generator": "led", "rows": 200}
    tables = Study(**{**FEW, "data": [{**led, "noise": 0.0}, {**led, "noise": 0.3}]}).load()
    assert list(tables) == ["led:200", "led:200,noise=0.3"]


def test_a_design_of_paths_and_numbers_of_numpy_is_written_as_plain_types():
    study = Study(**FEW, base=Path(), growers={"tree": {"max_depth": np.int64(3)}})
    assert json.loads(json.dumps(study.as_dict()))["growers"] == {"tree": {"max_depth": 3}}


@pytest.mark.slow
def test_a_protocol_without_its_methods_compares_no_conclusions_and_says_so(tmp_path):
    words = ["study", "islp-carseats-lottery", "--method", "error_based", "--quick", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "Its conclusions are not compared" in (tmp_path / "out" / "report.html").read_text()


def test_an_empty_file_is_no_store_and_stays_empty(tmp_path):
    (tmp_path / "e.db").touch()
    with pytest.raises(ValueError, match="is empty, and no store"):
        read_store(tmp_path / "e.db")
    assert (tmp_path / "e.db").stat().st_size == 0


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    run_study(Study(**FEW), store=tmp_path / "s.sqlite")
    store = str(tmp_path / "s.sqlite")
    result = CliRunner().invoke(app, ["compare", store, store, "--out", str(tmp_path / "no" / "x.csv")])
    assert result.exit_code == 2
    assert not result.exception or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("name", ["cost_complexity_held_out_minimum", "critical_value_held_out"])
def test_held_out_methods_are_run_as_published_and_refitted(name):
    rows = run_study(Study(**{**FEW, "methods": [name, f"{name}_refit"]})).rows
    assert (rows["error"] == "").all()
    sizes = rows.pivot_table(index="repeat", columns="method", values="leaves")
    assert (sizes[name] == sizes[f"{name}_refit"]).all()


def test_a_budget_of_errors_counts_classes_that_were_not_grown_with_as_missed():
    found = error_budget(tp.CostComplexityPruner(), make_led, 0.26, n_train=12, repeats=2, n_population=2000)
    parts = found.table
    assert parts["error"].to_numpy() == pytest.approx(
        (parts["bayes"] + parts["growth"] + parts["selection"]).to_numpy()
    )


def test_shares_of_rows_are_above_zero_and_counted_once():
    X, y = np.arange(60.0)[:, None], np.arange(60) % 2
    tree = DecisionTreeClassifier(random_state=0)
    for shares in ([0.0, 1.0], []):
        with pytest.raises(ValueError, match=r"shares=0: a share in|shares is empty"):
            learning_curve(tree, X, y, shares=shares, repeats=1)
    assert len(learning_curve(tree, X, y, shares=[0.5, 0.5], repeats=2).table) == 2


@pytest.mark.slow
def test_gains_are_of_the_splits_on_which_both_were_scored():
    few_rows = {"data": ["penguins"], "repeats": 12, "training_rows": 10, "folds": 5}
    results = run_study(Study(**{**FEW, **few_rows, "methods": ["cost_complexity"]}))
    wide = results.rows[results.rows["error"] == ""].pivot_table(index="repeat", columns="method", values="test")
    assert wide.isna().any(axis=None)
    gains = results.by_set().set_index("method")["gain"]
    for name in wide:
        assert gains[name] == pytest.approx((wide[name] - wide["unpruned"]).mean())


def test_equal_differences_have_no_spread_to_test_by():
    assert np.isnan(corrected_resampled_t([0.01, 0.01], 0.4)["p"])


@pytest.mark.slow
def test_labels_of_networks_are_as_noisy_as_those_of_trees():
    fields = {"data": ["iris"], "methods": ["error_based"], "repeats": 1, "networks": "all"}
    clean, noisy = (run_study(Study(**fields, label_noise=noise)).networks for noise in (0.0, 0.4))
    assert (clean["train_score"].to_numpy() != noisy["train_score"].to_numpy()).any()


def test_the_explorer_does_not_depend_on_the_order_of_the_rows():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(300, 2))
    y = 3 * X[:, 0] + X[:, 1] ** 2 + rng.normal(0, 0.3, 300)
    order = np.argsort(y)
    tree = DecisionTreeRegressor(random_state=0).fit(X[order], y[order])
    path = tp.pruning_path(tree)
    level, _ = _chosen(tree, "cost_complexity", path, (X[order], y[order], X, y), 5)
    cv = KFold(5, shuffle=True, random_state=0)
    search = tp.PrunerCV(tp.CostComplexityPruner(DecisionTreeRegressor(random_state=0)), cv=cv).fit(X[order], y[order])
    assert path.n_leaves[level] == search.n_leaves_


def test_an_exported_table_holds_each_split_once(tmp_path):
    for folds in (10, 3):
        run_study(Study(**{**FEW, "methods": ["cost_complexity"]}, folds=folds), store=tmp_path / "s.sqlite")
    result = CliRunner().invoke(app, ["export", str(tmp_path / "s.sqlite"), str(tmp_path / "s.csv")])
    assert "6 rows of earlier designs" in " ".join(result.output.split())
    written = pd.read_csv(tmp_path / "s.csv")
    assert len(written) == 6
    assert not written.duplicated(["repeat", "method"]).any()


def test_weights_of_the_classes_of_a_table_are_parameters_of_a_grower():
    weights = {"class_weight": {"Adelie": 2.0, "Gentoo": 1.0, "Chinstrap": 1.0}}
    study = Study(**{**FEW, "data": ["penguins"]}, growers={"w": weights})
    assert run_study(study).failures.empty
