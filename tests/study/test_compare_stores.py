"""Two studies side by side, and tables out of a store."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from treeprune.cli import app
from treeprune.study.compare_stores import compare_stores
from treeprune.study.design import Study
from treeprune.study.results import read_store
from treeprune.study.runner import run_study

FIELDS = {"data": ["wine", "glass", "cpu"], "repeats": 3, "networks": "none", "folds": 3}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    run_study(Study(**FIELDS, methods=["max_depth"], growers={"tree": {}}), store=folder / "a.sqlite")
    changed = Study(**FIELDS, methods=["max_depth", "error_based"], growers={"tree": {"min_samples_leaf": 8}})
    run_study(changed, store=folder / "b.sqlite")
    return folder


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def test_the_difference_is_that_of_the_same_set_split_and_method(stores):
    a, b = (read_store(stores / name)["results"] for name in ("a.sqlite", "b.sqlite"))
    found = compare_stores(a, b)
    keys = ["data", "repeat", "method"]
    mine, theirs = (rows.set_index(keys)[["test", "leaves"]] for rows in (a, b))
    both = mine.join(theirs.add_suffix("_b"), how="inner")
    assert len(both) == 3 * 3 * 2
    sets = (both["test_b"] - both["test"]).groupby(["data", "method"]).mean()
    row = found.by_method.set_index(["task", "method"]).loc[("classification", "max_depth")]
    expected = sets.loc[["wine", "glass"], "max_depth"]
    assert row["difference"] == pytest.approx(expected.mean())
    assert row["difference_sd"] == pytest.approx(expected.std())
    ratios = np.log(both["leaves_b"] / both["leaves"]).groupby(["data", "method"]).mean()
    assert row["leaves_ratio"] == pytest.approx(np.exp(ratios.loc[["wine", "glass"], "max_depth"].mean()))
    assert (row["sets"], row["splits"]) == (2, 6)
    assert found.remarks == ["6 of 24 rows of the second study are not in the other, and are left out"]


def test_swapping_the_two_turns_the_signs(stores):
    a, b = (read_store(stores / name)["results"] for name in ("a.sqlite", "b.sqlite"))
    there, back = compare_stores(a, b).by_set, compare_stores(b, a).by_set
    keys = ["data", "method"]
    turned = back.set_index(keys).loc[there.set_index(keys).index]
    np.testing.assert_allclose(there["difference"], -turned["difference"], atol=1e-15)
    np.testing.assert_allclose(there["leaves_ratio"], 1 / turned["leaves_ratio"])


def test_the_command_prints_and_writes_it(stores, tmp_path):
    result = run("compare", stores / "a.sqlite", stores / "b.sqlite", "--out", tmp_path / "sets.csv")
    assert result.exit_code == 0, result.output
    assert "max depth" in result.output
    assert "6 of 24 rows of the second study" in " ".join(result.output.split())
    assert len(pd.read_csv(tmp_path / "sets.csv")) == 6
    again = run("compare", stores / "a.sqlite", stores / "b.sqlite", "--out", tmp_path / "sets.csv")
    assert again.exit_code == 2
    assert "--force" in again.output


def test_studies_with_nothing_in_common_and_files_that_are_no_stores_are_said(stores, tmp_path):
    run_study(Study(**{**FIELDS, "seed": 9}, methods=["unpruned"]), store=tmp_path / "c.sqlite")
    other = run("compare", stores / "a.sqlite", tmp_path / "c.sqlite")
    assert other.exit_code == 2
    assert "no data set, split and method in common" in " ".join(other.output.split())
    missing = run("compare", stores / "a.sqlite", tmp_path / "none.sqlite")
    assert missing.exit_code == 2
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("table", ["results", "curves"])
def test_csv_and_parquet_hold_what_the_store_holds(stores, tmp_path, table):
    pytest.importorskip("pyarrow", exc_type=ImportError)
    stored = read_store(stores / "a.sqlite")[table]
    for ending, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        out = tmp_path / f"t.{ending}"
        done = run("export", stores / "a.sqlite", out, "--table", table)
        assert done.exit_code == 0, done.output
        frame = read(out)
        assert list(frame.columns) == list(stored.columns)
        np.testing.assert_allclose(frame["test"], stored["test"], rtol=1e-13)
        assert f"{len(stored)} rows" in done.output


def test_exports_that_will_not_do_are_one_line(stores, tmp_path, monkeypatch):
    store = stores / "a.sqlite"
    for words, message in (
        ((store, tmp_path / "a.xlsx"), ".csv or .parquet is expected"),
        ((store, tmp_path / "a.csv", "--table", "rows"), "one of results, curves, networks, quantization"),
        ((tmp_path / "none", tmp_path / "a.csv"), "there is no store"),
    ):
        result = run("export", *words)
        assert result.exit_code == 2
        assert message in " ".join(result.output.split())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("export", store, tmp_path / "a.parquet")
    assert result.exit_code == 2
    assert "pip install 'treeprune[parquet]'" in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_conditions_of_one_set_are_no_sets_of_their_own(tmp_path):
    fields = {"data": ["wine", "glass"], "repeats": 2, "networks": "none", "methods": ["unpruned"]}
    run_study(Study(**fields, label_noise=[0.0, 0.2], training_rows=["all", 60]), store=tmp_path / "a.sqlite")
    rows = read_store(tmp_path / "a.sqlite")["results"]
    found = compare_stores(rows, rows).by_method
    assert len(found) == 4
    assert (found["sets"] == 2).all()
    assert (found["splits"] == 4).all()
    result = run("compare", tmp_path / "a.sqlite", tmp_path / "a.sqlite")
    text = " ".join(result.output.split())
    assert "label_noise 0.2, training_rows 60" in text
    assert result.output.count("unpruned") == 4


def test_no_number_is_cut_off_on_a_narrow_terminal(stores):
    words = ["compare", str(stores / "a.sqlite"), str(stores / "b.sqlite")]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, words)
    assert result.exit_code == 0
    assert "…" not in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_a_file_whose_rows_have_changed_is_not_compared_with_itself(tmp_path):
    rows = pd.DataFrame({"x": np.arange(60.0), "z": np.tile([0.0, 1.0, 2.0], 20), "y": ["a", "b"] * 30})
    design = {"data": ["wine", str(tmp_path / "mine.csv")], "target": "y", "methods": ["max_depth"]}
    rest = {"repeats": 2, "folds": 3, "networks": "none"}
    for name in ("a", "b"):
        rows.to_csv(tmp_path / "mine.csv", index=False)
        run_study(Study(**design, **rest), store=tmp_path / f"{name}.sqlite")
        rows.loc[:9, "y"] = "a"
    found = compare_stores(*(read_store(tmp_path / f"{name}.sqlite")["results"] for name in ("a", "b")))
    assert set(found.by_set["data"]) == {"wine"}
    assert "mine: the two studies read different rows, so that it is not compared" in found.remarks
    only = {**design, "data": design["data"][1:]}
    run_study(Study(**only, **rest), store=tmp_path / "c.sqlite")
    with pytest.raises(ValueError, match="mine: the two studies read different rows"):
        compare_stores(read_store(tmp_path / "c.sqlite")["results"], read_store(tmp_path / "a.sqlite")["results"])


def test_development_sets_of_the_latest_design_of_either_store_count_in_no_mean(tmp_path):
    design = {**FIELDS, "methods": ["max_depth"]}
    run_study(Study(**design, development=["wine"]), store=tmp_path / "a.sqlite")
    run_study(Study(**design), store=tmp_path / "b.sqlite")
    result = run("compare", tmp_path / "a.sqlite", tmp_path / "b.sqlite", "--out", tmp_path / "sets.csv")
    assert result.exit_code == 0, result.output
    assert "wine: a development set, which counts in no mean" in " ".join(result.output.split())
    by_set = pd.read_csv(tmp_path / "sets.csv").groupby("data")["development"].all()
    assert by_set.to_dict() == {"cpu": False, "glass": False, "wine": True}
    rows = [read_store(tmp_path / f"{name}.sqlite")["results"] for name in ("a", "b")]
    by_method = compare_stores(*rows, {"wine"}).by_method.set_index(["task", "method"])
    assert by_method.loc[("classification", "max_depth"), "sets"] == 1
    run_study(Study(**design), store=tmp_path / "a.sqlite")  # declared anew, and nothing to be done
    again = run("compare", tmp_path / "a.sqlite", tmp_path / "b.sqlite")
    assert "counts in no mean" not in again.output
