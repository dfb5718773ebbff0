"""The page and its files, apart from the command line."""

import json
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from treeprune.cli import app
from treeprune.study import figures, report
from treeprune.study.design import Study
from treeprune.study.report import build_page, check_folder, write_report
from treeprune.study.runner import run_study


@pytest.fixture(scope="module")
def results():
    return run_study(Study(data=["heart_cleveland", "cpu"], repeats=2, folds=3))


@pytest.fixture(scope="module")
def page(results):
    return build_page(results, "treeprune study --data <heart>")


@pytest.fixture(scope="module")
def too_small(tmp_path_factory):
    """Six rows a class: four to train with, too few for ten folds."""
    path = tmp_path_factory.mktemp("data") / "small.csv"
    path.write_text("a,y\n" + "".join(f"{i},{'uv'[i % 2]}\n" for i in range(12)))
    return path


def text_of(markup):
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def test_every_mean_of_the_main_table_is_on_the_page(results, page):
    shown = text_of(page)
    spread = results.by_set().set_index(["task", "method"])["test_sd"]  # one set a task: over its splits
    for row in results.by_method().itertuples():
        decimals, scale = (1, 100) if row.task == "classification" else (3, 1)
        sd = spread[row.task, row.method]
        assert f"{scale * row.test:.{decimals}f} ± {scale * sd:.{decimals}f}" in shown
        assert f"{100 * row.relative_leaves:.0f} %" in shown


def test_every_set_has_a_section_with_n_beside_its_numbers(results, page):
    for name in results.tables:
        section = page[page.index(f'id="set-{name}"') :]
        section = text_of(section[: section.index("</section>")])
        for row in results.by_set().query("data == @name").itertuples():
            decimals, scale = (1, 100) if row.task == "classification" else (3, 1)
            assert f"{row.n} {scale * row.test:.{decimals}f} ± {scale * row.test_sd:.{decimals}f}" in section


def test_the_page_says_what_may_not_be_concluded_how_to_repeat_it_and_what_is_absent(page):
    shown = text_of(page)
    assert "Only the declared comparison is a test" in shown
    assert "treeprune study --data &lt;heart&gt;" in page
    assert "Seed 0" in shown
    assert re.search(r"scikit-learn \d", shown)
    absent = "pessimistic-error; error-based, CF = .25; description length; Kearns–Mansour, c by CV."
    assert f"Defined for classification only, and so absent: {absent}" in shown


def test_no_two_things_on_the_page_have_one_id_and_every_reference_finds_its_own(page):
    ids = Counter(re.findall(r'\bid="([^"]*)"', page))
    assert max(ids.values()) == 1
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', page)) <= set(ids)


def test_the_page_is_the_same_for_the_same_results(results, page):
    assert build_page(results, "treeprune study --data <heart>") == page


def test_the_page_names_no_address(page):
    assert not re.findall(r"https?://|//[a-z]", page)


def test_failures_are_listed_and_the_rest_is_shown(too_small):
    found = run_study(Study(data=[str(too_small)], target="y", repeats=1))
    page = build_page(found)
    assert 0 < len(found.failures) < len(found.rows)
    assert page.count("n_splits=10") == len(found.failures)
    assert "error-based" in page


def test_a_study_of_which_nothing_succeeded_still_has_a_page_and_an_exit_code(too_small, tmp_path, monkeypatch):
    def fails(*_):
        raise RuntimeError("<i>no luck</i>")

    monkeypatch.setattr("treeprune.study.runner.pruning_path", fails)
    words = ["study", "--data", str(too_small), "--target", "y", "--repeats", "1", "--jobs", "1"]
    outcome = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")])
    assert outcome.exit_code == 1
    assert "every fit failed, the first with RuntimeError" in outcome.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert "&lt;i&gt;no luck" in page
    assert pd.read_csv(tmp_path / "out" / "results.csv")["error"].str.contains("no luck").all()


def test_one_set_one_split_and_no_pruning_make_a_page():
    page = build_page(run_study(Study(data=["wine"], methods=["unpruned"], repeats=1)))
    assert "± –" in text_of(page)  # the spread of one is not known, and not nought
    assert "nan" not in text_of(page).lower()


def test_the_files_hold_every_row_and_level(results, tmp_path):
    write_report(results, tmp_path / "deep" / "out", "treeprune study")
    folder = tmp_path / "deep" / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        *("balance.csv", "comparison.csv", "comparison_by_set.csv"),
        *("curves.csv", "networks.csv", "quantization.csv", "report.html"),
        *("results.csv", "sets.csv", "study.json", "summary.csv"),
    ]
    rows = pd.read_csv(folder / "results.csv")
    np.testing.assert_allclose(rows["test"], results.rows["test"], rtol=1e-9)
    assert rows.duplicated(["data", "repeat", "method"]).sum() == 0
    assert len(pd.read_csv(folder / "curves.csv")) == len(results.curves)
    about = json.loads((folder / "study.json").read_text())
    assert Study(**about["design"]) == results.study


def test_a_folder_is_taken_if_it_is_new_empty_or_a_report_and_force_is_given(results, tmp_path):
    assert check_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert check_folder(tmp_path) == tmp_path
    write_report(results, tmp_path / "out")
    with pytest.raises(FileExistsError, match="earlier report: use --resume to go on with it, --force"):
        check_folder(tmp_path / "out")
    assert check_folder(tmp_path / "out", force=True) == tmp_path / "out"


@pytest.mark.parametrize("marker", [None, "not json", '{"made_by": "another"}', "[1]", b"\xff\xfe"])
def test_force_does_not_take_a_folder_of_another_program(tmp_path, marker):
    (tmp_path / "results.csv").write_text("mine")
    if marker is not None:
        (tmp_path / "study.json").write_bytes(marker if isinstance(marker, bytes) else marker.encode())
    with pytest.raises(FileExistsError, match="no report of treeprune"):
        check_folder(tmp_path, force=True)


def test_a_file_in_the_way_is_said_before_any_work(tmp_path):
    (tmp_path / "taken").write_text("")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(FileExistsError, match="taken is a file"):
            check_folder(folder)


@pytest.mark.parametrize("name", report.FILES)
def test_force_never_writes_through_a_link_or_over_a_folder(results, tmp_path, name):
    write_report(results, tmp_path / "out")
    (tmp_path / "out" / report.STORE).write_text("rows")
    outside, inside = tmp_path / "outside", tmp_path / "out" / name
    inside.rename(outside)
    before = outside.read_bytes()
    inside.symlink_to(outside)
    with pytest.raises(FileExistsError, match=f"{re.escape(name)} is a link"):
        write_report(results, tmp_path / "out", force=True)
    assert outside.read_bytes() == before


def test_a_folder_where_a_file_of_the_report_would_be_is_said(results, tmp_path):
    write_report(results, tmp_path)
    (tmp_path / "curves.csv").unlink()
    (tmp_path / "curves.csv").mkdir()
    with pytest.raises(FileExistsError, match=r"curves\.csv is a folder"):
        check_folder(tmp_path, force=True)


def test_a_link_to_nothing_in_the_way_is_said_before_any_work(tmp_path):
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    for folder in (tmp_path / "broken", tmp_path / "broken" / "below"):
        with pytest.raises(FileExistsError, match="broken is a link to nothing"):
            check_folder(folder)


def test_a_folder_that_may_not_be_written_to_is_said_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("treeprune.study.report.os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(PermissionError, match="nothing may be written"):
        check_folder(tmp_path / "out")


def test_labels_of_one_column_stay_apart_and_in_order():
    rng = np.random.default_rng(0)
    for _ in range(50):
        places = np.sort(rng.uniform(0, 1, 12) ** 3)
        moved = figures._apart(places, 0.068)
        assert np.diff(moved).min() > 0.0679
        assert moved.max() <= 1.02 + 1e-9 or moved.min() >= -0.02 - 1e-9


@pytest.mark.parametrize(
    ("value", "task", "text"),
    [
        (0.0123, "classification", "+1.2"),
        (-0.0123, "classification", "−1.2"),
        (-0.0001, "classification", "0.0"),
        (0.0001, "classification", "0.0"),
        (0.0, "regression", "0.000"),
        (-0.5, "regression", "−0.500"),
        (float("nan"), "regression", "–"),
    ],
)
def test_differences_have_a_sign_unless_they_are_nothing(value, task, text):
    assert report._signed(value, task) == text


@pytest.mark.slow
def test_a_real_study_runs_as_a_module_and_gives_the_rows_of_the_library(tmp_path):
    words = ["--data", "glass", "--data", "wine", "--method", "error_based", "--repeats", "2", "--networks", "none"]
    command = [sys.executable, "-m", "treeprune", "study", *words, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    study = Study(data=["glass", "wine"], methods=["error_based"], repeats=2, networks="none")
    found, seconds = run_study(study, jobs=1).rows, ["grow_seconds", "prune_seconds"]
    written = pd.read_csv(tmp_path / "out" / "results.csv", keep_default_na=False).drop(columns=seconds)
    assert len(written) == 8
    for name in ("data", "repeat", "method", "leaves"):
        assert written[name].tolist() == found[name].tolist()
    assert written["test"].tolist() == pytest.approx(found["test"].tolist(), abs=1e-9)
