"""The command line: a report for good words, one red line for bad ones."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from treeprune import __main__
from treeprune.cli import app

EVIL = "<script>alert(1)</script>"


def study(*words):
    return CliRunner().invoke(app, ["study", *map(str, words)])


def table(path, rows=60, target="y"):
    lines = [f"{i % 7},{'red' if i % 3 else 'blue'},{'' if i % 11 == 0 else i},{'ab'[i % 7 > 3]}" for i in range(rows)]
    path.write_text(f"one,colour,gappy,{target}\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on a bundled set, and one on a table of one's own with names that are markup."""
    folder = tmp_path_factory.mktemp("reports")
    own = table(folder / "<b>mine.csv", target=EVIL)
    words = ("--data", own, "--target", EVIL, "--data", "cpu", "--repeats", 2, "--jobs", 1, "--out", folder / "out")
    result = study(*words)
    assert result.exit_code == 0, result.output
    return folder / "out", result.output


def test_it_says_what_it_found_and_where_the_report_lies(report):
    folder, output = report
    assert str(folder / "report.html") in output
    for name in ("unpruned", "pessimistic-error", "cost-complexity, one SE"):
        assert name in output


def test_the_tables_of_the_report_hold_the_numbers_of_the_page(report):
    folder, _ = report
    rows, summary = pd.read_csv(folder / "results.csv"), pd.read_csv(folder / "summary.csv")
    sets = rows.groupby(["task", "method", "data"])["test"].mean().groupby(["task", "method"]).mean()
    for entry in summary.itertuples():
        assert entry.test == pytest.approx(sets[entry.task, entry.method])
    assert len(pd.read_csv(folder / "curves.csv")) > 0
    page = (folder / "report.html").read_text()
    cpu = summary[(summary["task"] == "regression") & (summary["method"] == "max_depth")].iloc[0]
    assert f"{cpu['test']:.3f}" in page


def test_study_json_holds_what_is_needed_to_repeat_it(report):
    about = json.loads((report[0] / "study.json").read_text())
    assert about["design"]["repeats"] == 2
    assert about["design"]["seed"] == 0
    assert {"treeprune", "scikit-learn", "python"} <= set(about["versions"])


def test_names_from_the_data_are_text_on_the_page_and_never_markup(report):
    page = (report[0] / "report.html").read_text()
    assert EVIL not in page
    assert "<b>mine" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_asks_for_nothing_from_anywhere_and_labels_the_ceiling(report):
    page = (report[0] / "report.html").read_text()
    assert not re.findall(r'(?:src|href)\s*=\s*"(?!#|data:)', page)
    assert not re.findall(r"url\((?!#|['\"]?#)|@import|<script|<link(?! rel=.icon. href=.data:)|<iframe", page)
    assert "ceiling, fitted to the test rows" in page
    assert len(page) < 3_000_000


def test_an_earlier_report_is_replaced_with_force_only_and_nothing_else_ever(tmp_path):
    words = ("--data", "wine", "--method", "error_based", "--repeats", 1, "--jobs", 1, "--out", tmp_path / "out")
    assert study(*words).exit_code == 0
    before = (tmp_path / "out" / "report.html").read_bytes()
    refused = study(*words, "--seed", 5)
    assert refused.exit_code == 2
    assert "--force" in refused.output
    assert (tmp_path / "out" / "report.html").read_bytes() == before
    (tmp_path / "out" / "mine.txt").write_text("keep me")
    assert study(*words, "--seed", 5, "--force").exit_code == 0
    assert (tmp_path / "out" / "report.html").read_bytes() != before
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep me"


def test_a_folder_that_is_no_report_is_never_written_to(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    result = study("--data", "wine", "--repeats", 1, "--out", tmp_path, "--force")
    assert result.exit_code == 2
    assert "no report of treeprune" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "glas"], "did you mean 'glass'"),
        (["--data", "linnerud"], "linnerud has several targets"),
        (["--method", "reduced_eror"], "did you mean 'reduced_error"),
        (["--repeats", "0"], "repeats=0"),
        (["--test-size", "2"], "test_size=2"),
        (["--jobs", "0"], "jobs=0"),
        (["--task", "clustering"], "clustering"),
        (["--data", "nowhere.csv", "--target", "y"], "no file 'nowhere.csv'"),
    ],
)
def test_words_that_will_not_do_are_one_line_and_leave_nothing(tmp_path, words, message):
    result = study(*words, "--out", tmp_path / "out")
    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a,y\n", "no rows"),
        ("a,b\n1,2\n", "'y'"),
        ("a,y\n" + "1,same\n" * 20, "one class"),
        ("a,y\n1,2,3\n", ""),
    ],
)
def test_a_file_that_will_not_do_is_one_line_and_leaves_nothing(tmp_path, text, message):
    (tmp_path / "mine.csv").write_text(text)
    result = study("--data", tmp_path / "mine.csv", "--target", "y", "--out", tmp_path / "out")
    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert message in result.output
    assert "Traceback" not in result.output


def test_what_was_guessed_or_looks_odd_in_a_file_is_said_in_the_terminal_and_on_the_page(tmp_path):
    lines = [f"{i},{'none yet' if i == 3 else i * i % 17},{'ab'[i % 2] if i else 'rare'}" for i in range(60)]
    (tmp_path / "mine.csv").write_text("number,reading,y\n" + "\n".join(lines) + "\n")
    words = ("--data", tmp_path / "mine.csv", "--target", "y", "--method", "unpruned", "--repeats", 1, "--jobs", 1)
    result = study(*words, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    for note in (
        "classification of y",
        "the task (classification) was guessed",
        "column reading is read as categories, though all but 1 of its 60 cells are numbers: none yet",
        "column number has another value in every row",
        "class rare has one row only",
    ):
        assert note in result.output
        assert note in page or note == "classification of y"


def test_a_bundled_set_is_run_without_remarks(tmp_path):
    words = ("--data", "soybean", "--method", "unpruned", "--repeats", 1, "--jobs", 1)
    assert "column" not in study(*words, "--out", tmp_path / "out").output


def test_stopping_it_is_a_line_that_says_how_to_go_on_and_leaves_no_page(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("treeprune.cli.studies.run_study", interrupted)
    result = study("--data", "wine", "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert "study.sqlite. To go on: treeprune" in " ".join(result.output.split())
    assert "--resume" in result.output
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_report_that_cannot_be_written_is_a_line(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr("treeprune.cli.studies.write_report", full)
    result = study("--data", "wine", "--method", "error_based", "--repeats", 1, "--jobs", 1, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no space left" in result.output


def test_quick_and_task_choose_among_the_bundled_sets(tmp_path):
    result = study("--quick", "--task", "regression", "--jobs", 1, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(tmp_path / "out" / "results.csv")["task"]) == {"regression"}


def test_it_runs_as_a_module():
    words = [sys.executable, "-m", "treeprune", "study", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "--target" in done.stdout


def test_without_the_extra_the_line_that_installs_it_is_given(monkeypatch):
    monkeypatch.setattr(__main__, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install 'treeprune\[cli\]'"):
        __main__.main()


def test_a_column_may_be_left_out(tmp_path):
    (tmp_path / "mine.csv").write_text("id,x,y\n" + "".join(f"{i},{i % 5},{'ab'[i % 2]}\n" for i in range(40)))
    words = ["study", "--data", str(tmp_path / "mine.csv"), "--target", "y", "--drop", "id", "--repeats", "1"]
    outcome = CliRunner().invoke(app, [*words, "--method", "error_based", "--out", str(tmp_path / "out")])
    assert outcome.exit_code == 0
    assert "identifier" not in outcome.output
    assert json.loads((tmp_path / "out" / "study.json").read_text())["design"]["drop"] == ["id"]
    wrong = CliRunner().invoke(app, ["study", "--data", "wine", "--drop", "id", "--out", str(tmp_path / "no")])
    assert "drop=['id'] is for a CSV file" in wrong.output


def test_methods_that_fit_no_table_are_refused_or_named(tmp_path):
    words = ["study", "--data", "cpu", "--repeats", "1", "--networks", "none", "--out", str(tmp_path / "out")]
    refused = CliRunner().invoke(app, [*words, "--method", "error_based", "--method", "pessimistic_error"])
    assert refused.exit_code == 2
    assert "pessimistic_error, error_based: defined for classification only" in " ".join(refused.output.split())
    assert not (tmp_path / "out").exists()
    some = CliRunner().invoke(app, [*words, "--method", "error_based", "--method", "max_depth"])
    assert some.exit_code == 0
    assert "error-based, CF = .25: left out, it is defined for classification only" in some.output


def test_a_stop_while_the_program_is_still_loading_is_one_line(monkeypatch, capsys):
    class Loading:
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "treeprune.cli", Loading())
    with pytest.raises(SystemExit) as stopped:
        __main__.main()
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "treeprune: stopped\n"
