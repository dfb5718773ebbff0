"""What do design, store and scheduling cost beside the bare loop over the same units?

Peer: a loop that calls `run_unit` for every unit, the tables read beforehand, and keeps the rows in a list.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pairs import Ratios, Report, clocked, in_turns, options

from treeprune.study.design import QUICK_DATA, Study
from treeprune.study.runner import Data, run_study, run_unit
from treeprune.study.units import list_units

PROCESSES = 2


def main() -> int:
    chosen = options(__doc__)
    report = Report(__doc__)
    whole = Study(data=QUICK_DATA, repeats=4, networks="none")
    small = Study(data=("iris", "wine", "cpu"), methods=("error_based",), repeats=40, networks="none")
    report.heading("a study with its store, one process, over the bare loop")
    report.at_most("all methods, 20 units", over_loop(whole, 5), 1.1)
    report.only("one cheap method, 120 units of milliseconds", over_loop(small, 5))
    report.heading("the same with two processes, wall time x 2 over the bare loop")
    report.only("all methods, 20 units, start of processes included", processes_over_loop(whole, 3))
    return report.exit_code(chosen.check)


def over_loop(study: Study, pairs: int) -> Ratios:
    return in_turns(clocked(lambda: stored(study, 1)), clocked(bare_loop(study)), pairs)


def processes_over_loop(study: Study, pairs: int) -> Ratios:
    loop = bare_loop(study)
    return in_turns(lambda: PROCESSES * wall(lambda: stored(study, PROCESSES)), lambda: wall(loop), pairs)


def stored(study: Study, jobs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_study(study, jobs=jobs, store=Path(folder) / "study.sqlite")


def bare_loop(study: Study) -> Any:
    tables = study.load()
    rows = {name: Data.of(table) for name, table in tables.items()}
    units = list_units(study, tables)
    return lambda: [run_unit(study, unit, rows[unit.data]) for unit in units]


def wall(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
