"""Designs: every field does something, and what will not do is said before any work, with its line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch
from typer.testing import CliRunner

from treeprune import prune
from treeprune.cli import app
from treeprune.datasets import load_dataset, make_led
from treeprune.study.declaration import declaration_lines
from treeprune.study.design import PROTOCOL_NAMES, DesignError, Study
from treeprune.study.design_file import read_design
from treeprune.study.protocols import PROTOCOLS, read_protocol
from treeprune.study.runner import run_study
from treeprune.study.units import list_units, split_rows

SECONDS = ["grow_seconds", "prune_seconds"]


def written(tmp_path, text):
    path = tmp_path / "design.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('data = ["glass"]\n\nrepeats = 0\n', 3, "repeats=0: a whole number, 1 or more"),
        ('data = [\n  "glass",\n  "glas",\n]\n', 3, "no data set named 'glas', did you mean 'glass'"),
        ('data = ["glass"]\nmethods = ["reduced_eror"]\n', 2, "did you mean 'reduced_error"),
        (
            'data = ["glass"]\nrepeat = 3\n',
            2,
            "there is no key 'repeat', did you mean 'repeats' or 'rope'? Known: data, target",
        ),
        ('data = ["glass"]\nsplits = "holdouts"\n', 2, "one of 'holdout', 'cross_validation', 'same_rows'"),
        ('data = ["glass"]\ncontrol = "reduced"\n', 2, "no method named 'reduced'"),
        ('data = ["glass"]\nlabel_noise = [0.0, 1.5]\n', 2, "label_noise=1.5 is out of range"),
        ('data = ["glass"]\ntraining_rows = ["all", "half"]\n', 2, "'all', a number of rows, or a share in (0, 1]"),
        ('data = ["glass"]\nvalidation_fraction = [0.3, 0.3]\n', 2, "one or several different values"),
        ('data = ["glass"]\nrope = -1\n', 2, "rope=-1 is out of range"),
        ('data = ["glass"]\ngrids = 5\n', 2, "methods and their candidates are expected"),
        ('data = ["glass"]\ncontrol = []\n', 2, "no method named '[]'"),
        ("data = [{name = 3}]\n", 1, "no data set named '3'"),
        ('data = ["glass"]\n[growers.small]\nmin_leaf = 5\n', 2, "no parameter 'min_leaf'"),
        ('data = ["glass"]\n[growers.small]\nkind = "cart"\n', 2, "one of 'decision_tree', 'extra_tree'"),
        ('data = ["glass"]\n[growers.small]\nrandom_state = 5\n', 2, "the study's seed draws it"),
        ('data = ["glass"]\n[grids]\nminimum_error = [1]\n', 3, "did you mean 'minimum_error_cv'"),
        ('data = ["glass"]\n[grids]\noptimal = [0]\n', 3, "max_leaf_nodes=0"),
        ('data = ["glass", "led:ten"]\n', 1, "a whole number is expected after the colon"),
        ('data = [{generator = "led", noise = 0.9}]\n', 1, "noise=0.9 is out of range"),
        ('data = [{generator = "ledd"}]\n', 1, "one of 'led', 'waveform', 'noisy_xor'"),
        ('data = [{csv = "no.csv", target = "y"}]\n', 1, "no file 'no.csv'"),
        ('data = [{path = "no.csv"}]\n', 1, "one of name, csv, openml, generator is expected"),
        ('data = ["glass"]\nseed = [0, -1]\n', 2, "seed=-1"),
        ("data = [\n", 1, "Invalid value"),
    ],
)
def test_what_will_not_do_is_said_with_its_line_and_what_would(tmp_path, text, line, message):
    with pytest.raises(DesignError) as caught:
        read_design(written(tmp_path, text))
    assert message in str(caught.value)
    assert f"line {line}" in str(caught.value) or "at end of document" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('data = ["glass"]\ndevelopment = ["iris"]\n', 2, "development names 'iris', and data does not"),
        ('data = ["glass"]\ndevelopment = ["glass"]\n', 2, "none is left to report"),
        ('data = ["cpu"]\nlabel_noise = 0.1\n', 1, "cpu is a regression"),
        ('data = ["cpu"]\n[growers.g]\ncriterion = "gini"\n', 2, "'criterion' parameter"),
        ('data = ["glass"]\n[growers.g]\nmax_depth = "x"\n', 2, "'max_depth' parameter"),
        ('data = ["cpu"]\nmethods = ["error_based"]\n', 2, "defined for classification only"),
        ('data = ["cpu"]\ncontrol = "error_based"\n', 2, "control='error_based' is defined for none of the data"),
        ('data = [{name = "glass", above = 3}]\n', 1, "is a class already"),
        ('data = [{name = "carseats", above = 300}]\n', 1, "lie on one side"),
    ],
)
def test_what_only_the_tables_show_is_said_before_any_work_too(tmp_path, text, line, message):
    path = written(tmp_path, text)
    result = CliRunner().invoke(app, ["study", str(path), "--out", str(tmp_path / "out")])
    said = " ".join(result.output.split())
    assert result.exit_code == 2
    assert message in said
    assert f"line {line}:" in said
    assert not (tmp_path / "out").exists()


def test_a_design_that_is_no_file_or_no_text_is_said(tmp_path):
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for path, message in (("bytes.toml", "no text in UTF-8"), (".", "is a folder")):
        with pytest.raises(DesignError, match=message):
            read_design(tmp_path / path)
    result = CliRunner().invoke(app, ["study", "esposito-1996", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "Known: esposito-1997, oates-jensen-1997, islp-carseats-lottery" in " ".join(result.output.split())


def test_paths_start_from_the_folder_of_the_file_and_each_file_has_its_own_target(tmp_path):
    for name, target in (("a", "y"), ("b", "z")):
        lines = "\n".join(f"{i},{i % 5},{'uv'[i % 2]}" for i in range(40))
        (tmp_path / f"{name}.csv").write_text(f"id,x,{target}\n{lines}\n")
    text = 'data = [{csv = "a.csv", target = "y", drop = ["id"]}, {csv = "b.csv", target = "z"}]\n'
    tables = read_design(written(tmp_path, text)).load()
    assert list(tables) == ["a", "b"]
    assert tables["a"].feature_names == ["x"]
    assert tables["b"].feature_names == ["id", "x"]


def test_a_design_comes_back_from_its_plain_types():
    study = Study(
        data=["glass", {"generator": "led", "rows": 100}],
        growers={"a": {"min_samples_leaf": 3}, "b": {"kind": "extra_tree"}},
        grids={"optimal": [2, 4]},
        label_noise=[0.0, 0.1],
        training_rows=["all", 50, 0.5],
        seed=[1, 2],
    )
    again = Study(**json.loads(json.dumps(study.as_dict())))
    assert again == study


def test_what_is_declared_names_control_rope_and_what_each_method_may_use():
    study = Study(
        data=["glass", "iris"],
        methods=["reduced_error", "error_based"],
        control="error_based",
        rope=0.02,
        development=["iris"],
        label_noise=[0.0, 0.2],
        splits="cross_validation",
        repeats=2,
        test_folds=5,
    )
    text = "\n".join(declaration_lines(study))
    assert "all methods against error-based, CF = .25; differences of the test score up to 0.02 do not matter" in text
    assert "2 times 5-fold cross-validation, tuned methods nested in it" in text
    assert "30% of the training rows kept from growing, for pruning: reduced-error, reduced-error, refitted" in text
    assert "Factor label_noise: 0.0, 0.2" in text
    assert "Reported apart, since defaults were chosen by them: iris" in text


def test_the_folds_of_a_cross_validation_test_every_row_once_a_repeat():
    study = Study(data=["glass", "cpu"], splits="cross_validation", test_folds=4, repeats=2, methods=["unpruned"])
    tables = study.load()
    for name, kind in (("glass", StratifiedKFold), ("cpu", KFold)):
        X, y = tables[name].data.to_numpy(np.float32), tables[name].target
        units = [unit for unit in list_units(study, tables) if unit.data == name]
        assert [unit.repeat for unit in units] == list(range(8))
        for four in (units[:4], units[4:]):
            tests = [split_rows(study, unit, None, X, y)[1] for unit in four]
            assert np.sort(np.concatenate(tests)).tolist() == list(range(len(y)))
            expected = kind(4, shuffle=True, random_state=four[0].seed).split(X, y)
            for mine, (_, theirs) in zip(tests, expected, strict=True):
                np.testing.assert_array_equal(mine, theirs)
    assert units[0].seed != units[4].seed


def test_same_rows_means_one_split_and_other_folds_each_time():
    study = Study(data=["glass"], splits="same_rows", repeats=8, methods=["cost_complexity"], networks="none")
    rows = run_study(study).rows
    unpruned = rows[rows["method"] == "unpruned"]
    tuned = rows[rows["method"] == "cost_complexity_minimum"]
    assert tuned["leaves"].nunique() > 1
    assert unpruned["seed"].nunique() == 8
    units = list_units(study, study.load())
    assert len({unit.split_seed for unit in units}) == 1


def test_levels_of_a_factor_are_compared_on_the_same_splits_and_do_what_they_say():
    study = Study(
        data=["led:300"], methods=["reduced_error"], label_noise=[0.0, 0.3], training_rows=["all", 0.5, 60], repeats=3
    )
    results = run_study(study)
    rows = results.rows
    assert len(rows) == 2 * 3 * 3 * 3
    assert rows.groupby("repeat")["seed"].nunique().eq(1).all()
    sizes = rows.groupby("training_rows")["rows_training"].unique().map(list).to_dict()
    assert sizes == {"all": [210], 0.5: [105], 60: [60]}
    unpruned = rows[(rows["method"] == "unpruned") & (rows["training_rows"] == "all")]
    population = unpruned.groupby("label_noise")["test_population"].mean()
    assert population[0.3] < population[0.0] - 0.02
    assert (results.at_reference(rows)["label_noise"] == 0).all()
    assert len(results.at_reference(rows)) == 9
    assert results.factors == ["label_noise", "training_rows"]
    alone = run_study(Study(data=["led:300"], methods=["reduced_error"], label_noise=0.3, training_rows=60, repeats=3))
    mine = rows[(rows["label_noise"] == 0.3) & (rows["training_rows"] == 60)].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        alone.rows.drop(columns=[*SECONDS, "training_rows"]), mine.drop(columns=[*SECONDS, "training_rows"])
    )


def test_more_training_rows_than_there_are_fail_and_the_rest_goes_on():
    found = run_study(Study(data=["iris", "wine"], methods=["unpruned"], training_rows=110, repeats=1))
    assert found.rows["error"].tolist() == [
        "ValueError: training_rows=110: iris has 105 training rows",
        "",
    ]


def test_validation_fractions_hold_out_their_share():
    study = Study(data=["heart_cleveland"], methods=["reduced_error"], validation_fraction=[0.2, 0.5], repeats=1)
    rows = run_study(study).rows
    share = rows[rows["method"] == "reduced_error"].set_index("validation_fraction")
    assert share["rows_pruned_with"].tolist() == [43, 106]


def test_growers_grow_what_they_say():
    growers = {"tree": {}, "wide": {"min_samples_leaf": 10}, "extra": {"kind": "extra_tree"}}
    rows = run_study(Study(data=["wine"], methods=["unpruned"], growers=growers, repeats=2, networks="none")).rows
    leaves = rows.groupby("grower")["leaves"].mean()
    assert leaves["wide"] < leaves["tree"] < leaves["extra"]


def test_several_seeds_are_the_studies_of_each():
    fields = {"data": ["wine"], "methods": ["error_based"], "repeats": 2}
    both = run_study(Study(**fields, seed=[3, 5])).rows
    each = [run_study(Study(**fields, seed=seed)).rows for seed in (3, 5)]
    # repeat by repeat, so that more repeats add to what is there
    expected = pd.concat(each).sort_values("repeat", kind="stable")
    both = both.sort_values("repeat", kind="stable")
    assert both["seed"].tolist() == expected["seed"].tolist()
    assert both["test"].tolist() == expected["test"].tolist()
    assert both["repeat"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_grid_of_ones_own_is_what_is_searched():
    fields = {"data": ["glass"], "methods": ["optimal", "minimum_error_cv"], "repeats": 2}
    rows = run_study(Study(**fields, grids={"optimal": [3], "minimum_error_cv": [100, 1000]})).rows
    assert (rows.loc[rows["method"] == "optimal", "leaves"] <= 3).all()
    assert set(rows.loc[rows["method"] == "minimum_error_cv", "strength"]) <= {100, 1000}


def test_on_a_generator_the_best_cut_of_the_population_is_known():
    study = Study(data=["led:200"], methods=["error_based"], repeats=1)
    row = run_study(study).rows.set_index("method").loc["error_based"]
    table = study.load()["led:200"]
    unit = list_units(study, {"led:200": table})[0]
    training, _ = split_rows(study, unit, DecisionTreeClassifier(), table.data.to_numpy(), table.target)
    tree = DecisionTreeClassifier(random_state=unit.seed)
    X, y = make_led(100_000, random_state=unit.seed)
    tree.fit(table.data.to_numpy(np.float32)[training], table.target[training])
    best = prune(tree, "reduced_error", X, y)
    assert row["population"] == pytest.approx(best.score(X, y), abs=1e-12)
    assert row["population_leaves"] == best.get_n_leaves()
    assert row["test_population"] == pytest.approx(prune(tree, "error_based").score(X, y), abs=1e-12)
    assert row["population"] <= 0.74 + 0.005  # no model beats Bayes


def test_a_quantity_cut_in_two_is_a_class():
    table = Study(data=[{"name": "carseats", "above": 8}]).load()["carseats>8"]
    raw = load_dataset("carseats")
    assert (table.target == np.where(raw.target > 8, "yes", "no")).all()
    assert (table.task, table.target_name) == ("classification", "Sales > 8")
    assert int((table.target == "yes").sum()) == 164  # ISLP: 164 of 400 are High


def test_a_set_of_openml_is_read_by_its_number(monkeypatch):
    iris = load_dataset("iris")
    frame = iris.data.assign(kind=iris.target, colour=pd.Categorical(["red", None] * 75))

    def fetched(data_id, as_frame, parser):
        assert (data_id, as_frame) == (61, True)
        return Bunch(frame=frame, target_names=["kind"], details={"name": "iris", "licence": "CC BY"})

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetched)
    table = Study(data=["openml:61"]).load()["openml:61"]
    assert (table.task, table.n_rows, table.licence) == ("classification", 150, "CC BY")
    assert table.categories["colour"] == ["red"]
    assert table.n_missing == 75
    other = Study(data=[{"openml": 61, "target": "petal length (cm)"}]).load()["openml:61"]
    assert other.task == "regression"


def test_development_sets_are_in_no_mean():
    study = Study(data=["glass", "wine"], methods=["error_based"], repeats=2, development=["glass"], networks="none")
    results = run_study(study)
    wine = results.rows.query("data == 'wine' and method == 'error_based'")["test"].mean()
    assert results.by_method().set_index("method").loc["error_based", "test"] == pytest.approx(wine)
    assert results.by_set()["development"].tolist() == [True, True, False, False]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_are_designs_that_load(name):
    study = read_protocol(name)
    assert study.protocol == name
    assert len(study.load()) == len(study.data)


def test_the_protocol_of_esposito_takes_its_sets_from_a_folder_and_says_what_lacks(tmp_path):
    with pytest.raises(ValueError, match=r"lacks iris.csv, glass.csv"):
        read_protocol("esposito-1997", tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        read_protocol("esposito-1997", tmp_path / "none")
    with pytest.raises(ValueError, match="all data of this protocol are bundled"):
        read_protocol("oates-jensen-1997", tmp_path)
    study = read_protocol("esposito-1997")
    assert (study.repeats, study.test_size, study.validation_fraction) == (25, 0.3, 0.3)


def test_held_out_cost_complexity_is_the_best_level_on_the_rows_held_out():
    study = Study(data=["heart_cleveland"], methods=["cost_complexity_held_out_minimum"], repeats=1, networks="none")
    row = run_study(study).rows.set_index("method").loc["cost_complexity_held_out_minimum"]
    table = study.load()["heart_cleveland"]
    X, y = table.data.to_numpy(np.float32), table.target
    unit = list_units(study, {"heart_cleveland": table})[0]
    training, test = split_rows(study, unit, DecisionTreeClassifier(), X, y)
    parts = train_test_split(np.arange(len(training)), test_size=0.3, random_state=unit.seed, stratify=y[training])
    growing, held = (training[np.sort(part)] for part in parts)
    tree = DecisionTreeClassifier(random_state=unit.seed)
    alphas = tree.cost_complexity_pruning_path(X[growing], y[growing]).ccp_alphas
    fits = [clone(tree).set_params(ccp_alpha=max(a, 0) * (1 + 1e-9)).fit(X[growing], y[growing]) for a in alphas]
    best = max(fits, key=lambda fitted: (round(fitted.score(X[held], y[held]), 12), -fitted.get_n_leaves()))
    assert row["leaves"] == best.get_n_leaves()
    assert row["test"] == pytest.approx(best.score(X[test], y[test]))
    assert (row["rows_grown_on"], row["rows_pruned_with"]) == (len(growing), len(held))


def test_the_design_in_the_documentation_loads_and_is_what_it_says(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
    study = read_design(written(tmp_path, text.split("```toml")[1].split("```")[0]))
    tables = study.load()
    assert list(tables) == ["glass", "vehicle", "iris", "led:500", "carseats>8", "noisy_xor:800"]
    assert study.n_splits == 10
    assert len(list_units(study, tables)) == 6 * 10 * 2 * 2 * 2
    for name in PROTOCOLS:
        assert f"`{name}`" in text


def test_a_class_that_few_growing_rows_lack_is_missed_and_no_failure():
    study = Study(data=["led:200"], methods=["unpruned", "error_based"], training_rows=[12], repeats=3, networks="none")
    found = run_study(study)
    assert found.failures.empty
    for repeat, curve in found.curves.groupby("repeat"):
        unpruned = found.rows[(found.rows["repeat"] == repeat) & (found.rows["method"] == "unpruned")]
        assert curve["test"].iloc[0] == pytest.approx(unpruned["test"].item())
        assert curve["train"].iloc[0] == pytest.approx(unpruned["train"].item())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"splits": "cross_validation", "test_size": 0.5}, "test_size=0.5 is read by nothing: .* has test_folds"),
        ({"test_folds": 5}, "test_folds=5 is read by nothing: splits='holdout' has test_size"),
        ({"methods": ["max_depth"], "validation_fraction": [0.2, 0.3]}, "no method of the design holds rows out"),
        ({"methods": ["max_depth"], "grids": {"minimum_error_cv": [1, 4]}}, "grids.minimum_error_cv is read by noth"),
        ({"protocol": "esposito"}, "protocol='esposito': one of 'esposito-1997'"),
    ],
)
def test_what_nothing_in_the_design_reads_is_refused(fields, message):
    with pytest.raises(DesignError, match=message):
        Study(data=["wine"], **fields)


def test_settings_that_no_method_reads_are_declared():
    lines = declaration_lines(Study(data=["wine"], methods=["error_based"], folds=5, validation_fraction=0.2))
    assert lines[-1] == "Read by no method of this design: validation_fraction, folds."
    assert "Read by no" not in "".join(declaration_lines(Study(data=["wine"], folds=5, validation_fraction=0.2)))


def test_the_names_of_protocols_are_those_of_the_designs():
    assert tuple(PROTOCOLS) == PROTOCOL_NAMES


def test_a_file_may_start_from_a_protocol_and_put_its_own_in_place(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('protocol = "oates-jensen-1997"\ndata = ["glass"]\nrepeats = 3\n')
    whole, mine = read_protocol("oates-jensen-1997"), read_design(path)
    assert (mine.data, mine.repeats) == (("glass",), 3)
    assert (mine.methods, mine.training_rows, mine.control) == (whole.methods, whole.training_rows, whole.control)
    assert read_design(path, {"repeats": 2}).repeats == 2
    path.write_text('repeats = 3\nprotocol = "oates"\n')
    with pytest.raises(DesignError, match=r"mine\.toml, line 2: protocol='oates': one of 'esposito-1997', "):
        read_design(path)


def test_what_is_given_beside_a_file_is_looked_for_here_and_is_no_line_of_it(tmp_path, monkeypatch):
    (tmp_path / "designs").mkdir()
    path = tmp_path / "designs" / "d.toml"
    path.write_text('data = ["glass"]\nmethods = ["error_based"]\nrepeats = 2\n')
    wine = load_dataset("wine")
    wine.data.assign(y=wine.target).to_csv(tmp_path / "mine.csv", index=False)
    monkeypatch.chdir(tmp_path)
    out = ["--out", str(tmp_path / "out"), "--jobs", "1"]
    good = CliRunner().invoke(app, ["study", "designs/d.toml", "--data", "mine.csv", "--target", "y", *out])
    assert good.exit_code == 0, good.output
    bad = CliRunner().invoke(app, ["study", "designs/d.toml", "--data", "none.csv", "--target", "y", *out])
    assert bad.exit_code == 2
    assert "there is no file 'none.csv'" in " ".join(bad.output.split())
    assert "line" not in bad.output
    seed = CliRunner().invoke(app, ["study", "designs/d.toml", "--seed", "-1", *out])
    assert "line" not in seed.output
    assert "seed=-1" in seed.output
