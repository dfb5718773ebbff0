"""The store: whole units or nothing, whatever happens."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial

import numpy as np
import pandas as pd
import pytest

from treeprune.study.design import Study
from treeprune.study.results import TABLES, forget_failures, read_store
from treeprune.study.runner import run_study
from treeprune.study.store import Store

SECONDS = ["grow_seconds", "prune_seconds"]
COLUMNS = {"results": ("method", "test", "leaves"), "curves": ("level",)}
DESIGN = """
data = ["iris", "wine", "led:150", "cpu"]
methods = ["error_based", "cost_complexity_minimum", "reduced_error"]
repeats = 5
folds = 5
networks = "none"
"""


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(DESIGN)
    return path


def rows_of(n):
    return {"results": [{"method": f"m{i}", "test": i / 3, "leaves": i} for i in range(n)], "curves": [{"level": 0}]}


def test_rows_come_back_as_they_went_in_in_the_order_asked_for(tmp_path):
    tricky = [{"method": "'; DROP TABLE units; --", "test": 0.1 + 0.2, "leaves": np.int64(3)}, {"method": "é"}]
    with Store(tmp_path / "a.sqlite", COLUMNS) as store:
        store.add("k2", {"seed": 2}, {"results": tricky})
        store.add("k1", {"seed": 1}, rows_of(2))
    with Store(tmp_path / "a.sqlite", COLUMNS) as store:
        frame = store.frame("results", ["k1", "k2"])
        assert frame["method"].tolist() == ["m0", "m1", "'; DROP TABLE units; --", "é"]
        assert frame["test"].tolist()[:3] == [0.0, 1 / 3, 0.1 + 0.2]
        assert np.isnan(frame["test"].iloc[3])
        assert store.frame("results")["method"].tolist()[:1] == ["'; DROP TABLE units; --"]
        assert store.frame("results", ["k1"]).shape == (2, 3)
        assert store.keys() == {"k1", "k2"}


def test_a_unit_that_is_there_stays_as_it_is(tmp_path):
    with Store(tmp_path / "a.sqlite", COLUMNS) as store:
        assert store.add("k", {}, rows_of(2))
        assert not store.add("k", {}, rows_of(5))
        assert len(store.frame("results")) == 2


def test_a_unit_that_cannot_be_written_whole_is_not_there(tmp_path):
    with Store(tmp_path / "a.sqlite", COLUMNS) as store:
        rows = [{"method": "good", "test": 0.5}, {"method": object(), "test": 0.5}]
        with pytest.raises(sqlite3.Error):
            store.add("k", {}, {"results": rows})
        assert store.keys() == set()
        assert len(store.frame("results")) == 0
        assert store.add("k", {}, rows_of(1))


def test_a_file_of_another_program_is_refused_and_left_as_it_was(tmp_path):
    text, other = tmp_path / "notes.sqlite", tmp_path / "other.sqlite"
    text.write_text("dear diary " * 50)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE letters (text TEXT)")
    connection.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(ValueError, match="no store of this version"):
            Store(path, COLUMNS)
        assert path.read_bytes() == before
    Store(tmp_path / "mine.sqlite", COLUMNS).close()
    with pytest.raises(ValueError, match="its table results has the columns method, test, leaves"):
        Store(tmp_path / "mine.sqlite", {"results": ("method", "score")})
    with pytest.raises(ValueError, match="cannot be opened or made"):
        Store(tmp_path / "no" / "folder.sqlite", COLUMNS)
    with pytest.raises(FileNotFoundError, match="there is no store"):
        read_store(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


def test_a_study_that_is_done_is_read_and_not_done_again(tmp_path, monkeypatch):
    study = Study(data=["wine", "cpu"], methods=["error_based", "max_depth"], repeats=2)
    first = run_study(study, store=tmp_path / "a.sqlite")

    def never(*_):
        raise AssertionError("done again")

    monkeypatch.setattr("treeprune.study.runner.run_unit", never)
    again = run_study(study, store=tmp_path / "a.sqlite")
    for name in ("rows", "curves", "networks", "quantization"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(first, name))


def test_more_repeats_add_to_what_is_there_and_another_design_does_not_mix_with_it(tmp_path):
    path, fields = tmp_path / "a.sqlite", {"data": ["wine"], "methods": ["error_based"]}
    run_study(Study(**fields, repeats=2), store=path)
    seen = []
    more = run_study(Study(**fields, repeats=4), store=path, progress=lambda *what: seen.append(what[:2]))
    assert seen == [(2, 4), (3, 4), (4, 4)]
    fresh = run_study(Study(**fields, repeats=4))
    pd.testing.assert_frame_equal(more.rows.drop(columns=SECONDS), fresh.rows.drop(columns=SECONDS))
    other = run_study(Study(**fields, repeats=2, test_size=0.5), store=path)
    assert (other.rows["rows_test"] == 89).all()
    assert len(read_store(path)["results"]) == 2 * 4 + 2 * 2


def test_changed_rows_of_a_file_are_other_units(tmp_path):
    path = tmp_path / "mine.csv"
    lines = [f"{i},{'ab'[i % 3 == 0]}" for i in range(60)]
    path.write_text("x,y\n" + "\n".join(lines) + "\n")
    study = Study(data=[str(path)], target="y", methods=["unpruned"], repeats=1)
    run_study(study, store=tmp_path / "a.sqlite")
    path.write_text("x,y\n" + "\n".join(reversed(lines)) + "\n")
    run_study(study, store=tmp_path / "a.sqlite")
    assert len(read_store(tmp_path / "a.sqlite")["results"]) == 2


def test_a_unit_that_failed_is_kept_with_its_error_until_it_is_to_be_tried_again(tmp_path, monkeypatch):
    study, path = Study(data=["wine"], methods=["error_based"], repeats=1), tmp_path / "a.sqlite"
    with monkeypatch.context() as patch:
        patch.setattr("treeprune.study.runner.pruning_path", lambda *_: (_ for _ in ()).throw(MemoryError("full")))
        assert run_study(study, store=path).failures["error"].tolist() == ["MemoryError: full"] * 2
    assert len(run_study(study, store=path).failures) == 2
    assert forget_failures(path) == 1
    assert len(run_study(study, store=path).failures) == 0
    assert forget_failures(path) == 0


def start(design, out, *words):
    command = [sys.executable, "-m", "treeprune", "study", str(design), "--jobs", "1", "--out", str(out), "--resume"]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # where the tests run in the background of a shell, Ctrl-C is ignored, and would be by what they start
    heeds_ctrl_c = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([*command, *words], start_new_session=True, preexec_fn=heeds_ctrl_c, **quiet)


def finished_table(out):
    results = pd.read_csv(out / "results.csv").drop(columns=SECONDS)
    assert not results.duplicated(["data", "repeat", "method"]).any()
    return results


def killed_and_resumed(design, out, kills, seed):
    """Kill a study at random moments, then let it finish; the folder's table."""
    rng = random.Random(seed)
    for _ in range(kills):
        process = start(design, out)
        if rng.random() < 0.8:  # most while it works; the rest while it starts
            wait_for_work(process, out)
        time.sleep(rng.uniform(0.0, 1.0))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    finish(design, out)
    return finished_table(out)


def wait_for_work(process, out):
    before = units_in(out)
    while process.poll() is None and units_in(out) <= before:
        time.sleep(0.01)


def units_in(out):
    try:
        with closing(sqlite3.connect(f"file:{out / 'study.sqlite'}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM units").fetchone()[0]
    except sqlite3.OperationalError:  # not there, or just being made
        return -1


def finish(design, out):
    process = start(design, out)
    said = process.communicate()
    assert process.returncode == 0, said


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "design.toml").write_text(DESIGN)
    finish(folder / "design.toml", folder / "out")
    return finished_table(folder / "out")


def test_a_study_killed_five_times_ends_with_the_table_of_one_that_was_not(design, tmp_path, undisturbed):
    killed = killed_and_resumed(design, tmp_path / "killed", kills=5, seed=0)
    pd.testing.assert_frame_equal(killed, undisturbed)


@pytest.mark.slow
def test_a_hundred_kills_lose_no_row_and_double_none(design, tmp_path, undisturbed):
    for round_ in range(20):
        killed = killed_and_resumed(design, tmp_path / f"killed{round_}", kills=5, seed=round_ + 1)
        pd.testing.assert_frame_equal(killed, undisturbed)


@pytest.mark.slow
def test_two_runs_on_one_store_share_it(design, tmp_path, undisturbed):
    both = [start(design, tmp_path / "out") for _ in range(2)]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    pd.testing.assert_frame_equal(finished_table(tmp_path / "out"), undisturbed)
    stored = read_store(tmp_path / "out" / "study.sqlite")["results"]
    assert len(stored) == len(undisturbed)
    assert set(TABLES) == {"results", "curves", "networks", "quantization"}


def interrupted(process):
    """Send the signal of Ctrl-C; again, as a user would, if it fell where Python cannot heed it."""
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("it cannot be stopped")


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(design, tmp_path):
    design.write_text(DESIGN.replace("repeats = 5", "repeats = 60"))  # so long that it cannot end before
    process = start(design, tmp_path / "out")
    wait_for_work(process, tmp_path / "out")
    said = interrupted(process)
    text = " ".join(said.decode().split())
    assert process.returncode == 130, text
    assert "stopped; what is done is kept in" in text
    assert "--resume" in text
    assert "Traceback" not in text
    design.write_text(DESIGN)  # of which the sixty repeats hold the first five
    finish(design, tmp_path / "out")
    assert len(finished_table(tmp_path / "out")) > 0
