"""The part of a study about networks: every number is that of the functions a user has."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from treeprune.cli import app
from treeprune.datasets import load_dataset
from treeprune.neural import compare_neurons, honest_checklist, prune_neurons, quantize_weights
from treeprune.study import networks
from treeprune.study.design import Study
from treeprune.study.report import build_page, write_report
from treeprune.study.runner import run_study
from treeprune.study.units import list_units

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module", autouse=True)
def small():
    """Fewer neurons and epochs: the numbers are compared, not admired."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "HIDDEN", 12)
        patch.setattr(networks, "SIZES", (6, 3))
        patch.setattr(networks, "EPOCHS", 6)
        yield


@pytest.fixture(scope="module")
def study():
    return Study(data=["breast_cancer", "diabetes", "wine"], methods=["unpruned"], repeats=4)


@pytest.fixture(scope="module")
def results(study):
    return run_study(study)


@pytest.mark.parametrize("data", ["breast_cancer", "diabetes"])
def test_every_row_is_the_comparison_made_by_hand(study, results, data):
    table = load_dataset(data)
    unit = next(u for u in list_units(study, {data: table}) if u.repeat == 1)
    X, y = table.data.to_numpy(np.float32), table.target
    classifies = table.task == "classification"
    rows = train_test_split(
        np.arange(len(y)), test_size=0.3, random_state=unit.seed, stratify=y if classifies else None
    )
    training, test = map(np.sort, rows)
    scaler = StandardScaler().fit(X[training])
    y = np.unique(y, return_inverse=True)[1] if classifies else (y - y[training].mean()) / y[training].std()
    seed, kind = unit.seed % 2**31, MLPClassifier if classifies else MLPRegressor
    split = (
        *(scaler.transform(X[training]).astype(float), y[training]),
        *(scaler.transform(X[test]).astype(float), y[test]),
    )
    expected = compare_neurons(kind(hidden_layer_sizes=(12,)), *split, n_keep=(6, 3), seeds=[seed], epochs=6)
    mine = results.networks.query("data == @data and repeat == 1").reset_index(drop=True)
    for name in ("method", "n_neurons", "compression_ratio", "train_score", "test_score", "macs_trained"):
        np.testing.assert_array_equal(mine[name], expected[name])
    dense = kind(hidden_layer_sizes=(12,), max_iter=6, n_iter_no_change=7, random_state=seed).fit(*split[:2])
    grid = results.quantization.query("data == @data and repeat == 1").set_index(["n_neurons", "bits"])["test_score"]
    rounded = quantize_weights(prune_neurons(dense, split[0], n_keep=3), 4)
    assert grid[3, 4] == pytest.approx(rounded.score(*split[2:]))
    assert grid[12, 64] == pytest.approx(dense.score(*split[2:]))


def test_networks_are_on_some_sets_all_or_none_and_no_more_than_three_splits(study, results):
    assert results.networks["data"].unique().tolist() == ["breast_cancer", "diabetes"]
    assert results.networks["repeat"].unique().tolist() == [0, 1, 2]
    tables = dict.fromkeys(["wine", "digits"])
    assert Study(networks="all").network_data(tables) == ["wine", "digits"]
    assert Study(networks="some").network_data(tables) == ["digits"]
    assert Study(networks="none").network_data(tables) == []
    with pytest.raises(ValueError, match="networks='few': one of 'some', 'all', 'none'"):
        Study(networks="few")


def test_the_page_and_the_files_hold_them(results, tmp_path):
    folder = write_report(results, tmp_path / "out").parent
    page = (folder / "report.html").read_text()
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    saved = pd.read_csv(folder / "networks.csv")
    np.testing.assert_allclose(saved["test_score"], results.networks["test_score"], rtol=1e-9)
    assert len(pd.read_csv(folder / "quantization.csv")) == len(results.quantization) == 2 * 3 * 3 * 4
    mean = results.networks_of("breast_cancer").query("method == 'obs' and n_neurons == 6")["test_score"].mean()
    assert f"obs {100 * mean:.1f}" in text
    assert "Small networks Networks of 12 hidden neurons" in text
    assert page.count("<svg") == 2 * 2 + 3
    for item in ("magnitude no repair", "scratch equal macs", "early stopping"):
        assert item in text, item
    passed = honest_checklist(results.networks_of("breast_cancer"))["passed"]
    assert 8 <= passed.sum() < len(passed) == 11  # three sizes or more are asked for, and two are there
    assert f"{passed.sum()} of 11 items pass" in text


@pytest.mark.slow
def test_sets_with_gaps_and_words_have_networks_too(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{rng.normal() if i % 5 else ''},{'ab'[i % 2]},{'<u>' if rng.random() < 0.5 else 'v'}" for i in range(60)]
    (tmp_path / "mine.csv").write_text("x,word,y\n" + "\n".join(rows) + "\n")
    words = ["study", "--data", str(tmp_path / "mine.csv"), "--target", "y", "--repeats", "2", "--jobs", "1"]
    outcome = CliRunner().invoke(app, [*words, "--networks", "all", "--out", str(tmp_path / "out")])
    assert outcome.exit_code == 0, outcome.output
    assert "network, mine" in outcome.output
    table = pd.read_csv(tmp_path / "out" / "networks.csv")
    assert table["error"].isna().all()
    assert set(table["repeat"]) == {0, 1}


def test_a_network_that_fails_is_on_the_page_and_the_rest_goes_on(study, monkeypatch):
    def fails(*given, **named):
        raise ValueError("<b>no rows</b>")

    monkeypatch.setattr("treeprune.neural.compare_neurons", fails)
    broken = run_study(Study(data=["breast_cancer"], methods=["unpruned"], repeats=1))
    assert broken.network_failures["error"].tolist() == ["ValueError: <b>no rows</b>"]
    page = build_page(broken)
    assert "ValueError: &lt;b&gt;no rows&lt;/b&gt;" in page
    assert "<b>no rows" not in page
    assert len(broken.rows) == 1
    assert not len(broken.failures)
