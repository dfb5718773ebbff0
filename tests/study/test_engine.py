"""The engine: workers that die, and workers of a cluster."""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib import metadata

import pandas as pd
import pytest

from treeprune.study.design import Study
from treeprune.study.engine import WorkerDied, dask_cluster, run_calls
from treeprune.study.runner import run_study
from treeprune.workers import MUST_AGREE, check_workers

SECONDS = ["grow_seconds", "prune_seconds"]


def dies_on(victim, number):
    if number == victim:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return 10 * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_call_has_its_result_at_its_place(jobs):
    found = dict(run_calls(dies_on, [(-1, n) for n in range(7)], jobs))
    assert found == {n: 10 * n for n in range(7)}


@pytest.mark.slow  # the next one does the same through a study
@pytest.mark.filterwarnings("ignore:resource_tracker")
def test_a_call_whose_process_dies_is_said_and_all_others_are_done():
    found = dict(run_calls(dies_on, [(5, n) for n in range(12)], 2))
    assert isinstance(found.pop(5), WorkerDied)
    assert found == {n: 10 * n for n in range(12) if n != 5}


@pytest.mark.filterwarnings("ignore:resource_tracker")
def test_a_unit_whose_process_dies_is_rows_with_the_error(monkeypatch):
    study = Study(data=["wine", "iris"], methods=["error_based"], repeats=2, networks="none")
    monkeypatch.setattr("treeprune.study.runner.run_unit", kills_itself_on_wine)
    found = run_study(study, jobs=2)
    wine = found.rows[found.rows["data"] == "wine"]
    assert wine["error"].str.startswith("WorkerDied: its process was killed, or ran out of memory").all()
    assert (found.rows.loc[found.rows["data"] == "iris", "error"] == "").all()
    assert len(wine) == 4


def kills_itself_on_wine(study, unit, data):
    from treeprune.study import runner

    if unit.data == "wine":
        os.kill(os.getpid(), signal.SIGKILL)
    return runner.run_unit(study, unit, data)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as found:
        yield found


pytest_dask = pytest.mark.filterwarnings("ignore")  # of dask's and tornado's own


@pytest_dask
def test_a_dask_cluster_finds_what_this_machine_finds(cluster):
    study = Study(data=["wine", "cpu"], methods=["error_based", "cost_complexity_minimum"], repeats=2, folds=3)
    with dask_cluster(cluster.scheduler_address):
        there = run_study(study, jobs=None)
    here = run_study(study)
    pd.testing.assert_frame_equal(there.rows.drop(columns=SECONDS), here.rows.drop(columns=SECONDS))


@pytest_dask
@pytest.mark.slow
def test_a_worker_of_the_cluster_killed_on_the_way_loses_nothing(cluster):
    study = Study(data=["wine", "glass"], methods=["error_based", "cost_complexity_minimum"], repeats=4, folds=3)
    killed = []

    def kill_one(done, total, _name):
        if done == 2 and not killed:
            pids = client.run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

    with dask_cluster(cluster.scheduler_address) as client:
        there = run_study(study, jobs=None, progress=kill_one)
    assert killed
    here = run_study(study)
    pd.testing.assert_frame_equal(there.rows.drop(columns=SECONDS), here.rows.drop(columns=SECONDS))


class Pretending:
    """A client whose workers have what they are said to have."""

    def __init__(self, *found):
        self.found = {f"tcp://there:{i}": versions for i, versions in enumerate(found)}

    def run(self, ask):
        return self.found


def test_workers_of_other_versions_without_the_package_or_not_there_are_said_before_any_work():
    mine = {name: metadata.version(name) for name in MUST_AGREE}
    check_workers(Pretending(mine, mine))
    with pytest.raises(RuntimeError, match=r"tcp://there:1 has treeprune 9\.9, here .*: install the same versions"):
        check_workers(Pretending(mine, {**mine, "treeprune": "9.9"}))
    with pytest.raises(RuntimeError, match="has numpy None, here"):
        check_workers(Pretending({**mine, "numpy": None}))
    with pytest.raises(RuntimeError, match="the cluster has no workers"):
        check_workers(Pretending())


def test_without_the_extra_the_line_that_installs_it_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'treeprune\[dask\]'"), dask_cluster("tcp://nowhere:1"):
        pass


def test_a_dask_scheduler_that_does_not_answer_is_said_as_that(monkeypatch):
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(RuntimeError, match=r"no scheduler of a Dask cluster answers at 'tcp://127.0.0.1:1'"),
        dask_cluster("tcp://127.0.0.1:1"),
    ):
        pass
