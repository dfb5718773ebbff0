"""Do the work of a study.

The unit of work is one split of one data set: one tree is grown on the training rows, every
method prunes it (or, where it must hold rows out, a tree grown on the rest), and all rows of the
tables come back together.  Which process does a unit, and when, changes nothing but the seconds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.dispatch import pruning_path
from treeprune.study.design import SCORING, Study
from treeprune.study.engine import WorkerDied, run_calls
from treeprune.study.growers import make_grower
from treeprune.study.growth import Grown, GrowOnce
from treeprune.study.hindsight import Hindsight, best_cut_in_hindsight, best_cut_of_all
from treeprune.study.methods import Means, StudyMethod
from treeprune.study.networks import failed_network, run_network
from treeprune.study.results import TABLES, StudyResults
from treeprune.study.store import Store
from treeprune.study.units import (
    CONDITION,
    Unit,
    configuration,
    growing_rows,
    hash_rows,
    key_of,
    list_units,
    make_folds,
    noisy_labels,
    split_rows,
)
from treeprune.tree.curve import scores_by_level
from treeprune.tree.fitted import FittedTree, find_tree
from treeprune.tree.rebuild import materialise
from treeprune.tree.refit import refitted_fields

CONTENTS = 12  # digits of the hash of a data set's rows, that tell two files of one name apart
POPULATION = 100_000  # fresh rows of a generator, that stand for all there are

Progress = Callable[[int, int, str], None]
Row = dict[str, Any]

# What data can do to a method. A study notes it and goes on; anything else is a mistake in the program.
FAILURES = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class UnitResult:
    """All that one unit of work found.

    Attributes
    ----------
    tables : dict of list of dict
        Rows by the name of their table. ``results`` has one a method, with an ``error`` in place of numbers
        where it failed; ``curves`` the train and test score at every level of the cost-complexity path.
    error : str
        Why the unit failed as a whole; empty otherwise.
    """

    tables: dict[str, list[Row]]
    error: str = ""


def run_study(
    study: Study, jobs: int | None = 1, progress: Progress | None = None, store: str | Path = ":memory:"
) -> StudyResults:
    """Do all units of a study that are not in the store.

    Parameters
    ----------
    study : Study
    jobs : int or None, default=1
        Units at a time, -1 for one a core, None for what the backend of ``joblib.parallel_config`` has.
        Only the seconds depend on it.
    progress : callable, optional
        Called as ``progress(units_done, units, data_set)`` at the start (with an empty name) and after every unit.
    store : path, default=":memory:"
        A file that every unit is written to when it is done, and that is read first: a study that
        was stopped goes on where it was.

    Returns
    -------
    StudyResults

    Examples
    --------
    >>> from treeprune.study.design import Study
    >>> from treeprune.study.runner import run_study
    >>> results = run_study(Study(data=["wine"], methods=["error_based"], repeats=2))
    >>> results.rows[["data", "repeat", "method"]].values.tolist()
    [['wine', 0, 'unpruned'], ['wine', 0, 'error_based'], ['wine', 1, 'unpruned'], ['wine', 1, 'error_based']]
    """
    begin = perf_counter()
    tables = study.load()
    rows = {name: Data.of(table) for name, table in tables.items()}
    units = {key_of(study, unit, rows[unit.data].hash): unit for unit in list_units(study, tables)}
    with Store(store, TABLES) as kept:
        kept.declare(study.as_dict())
        _do_missing(study, units, rows, kept, jobs, progress)
        frames = {name: kept.frame(name, list(units)) for name in TABLES}
    return StudyResults.collect(study, tables, frames, perf_counter() - begin)


def run_unit(study: Study, unit: Unit, data: Data) -> UnitResult:
    """Do one unit of work; what goes wrong in it is an entry of its rows.

    Parameters
    ----------
    study : Study
    unit : Unit
    data : Data
    """
    if unit.part == "networks":
        return UnitResult(run_network(study, unit, data.X, data.y))
    methods = study.methods_for(unit.task)
    with warnings.catch_warnings():
        for said in ("The least populated class", "The number of unique classes"):  # rarer than folds, few rows
            warnings.filterwarnings("ignore", said, UserWarning)
        try:
            bench = _Bench.set_up(study, unit, data)
            curve = bench.curve()
        except FAILURES as error:
            return failed_unit(study, unit, data, error)
        return UnitResult({"results": [_row(bench, method) for method in methods], "curves": curve})


def failed_unit(study: Study, unit: Unit, data: Data, error: BaseException) -> UnitResult:
    """Return the rows of a unit of which nothing came."""
    said = f"{type(error).__name__}: {error}"
    if unit.part == "networks":
        return UnitResult(failed_network(unit, said), said)
    rows = [_identity(unit, data, method) | {"error": said} for method in study.methods_for(unit.task)]
    return UnitResult({"results": rows}, said)


@dataclass(frozen=True, eq=False)
class Data:
    """The rows of a data set, as they travel to the workers.

    Attributes
    ----------
    X, y : ndarray
    hash : str
    draw : callable or None
        Of a generator: draws fresh rows.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    hash: str
    draw: Any = None

    @classmethod
    def of(cls, table: Any) -> Data:
        """Take them from a table."""
        X, y = table.data.to_numpy(np.float32), table.target
        return cls(X, y, hash_rows(X, y), table.get("draw"))


def _do_missing(
    study: Study,
    units: dict[str, Unit],
    rows: dict[str, Data],
    store: Store,
    jobs: int | None,
    progress: Progress | None,
) -> None:
    tell: Progress = progress or (lambda *_: None)
    there = store.keys()
    missing = [key for key in units if key not in there]
    done = len(units) - len(missing)
    tell(done, len(units), "")
    calls = [(study, units[key], rows[units[key].data]) for key in missing]
    for place, result in run_calls(run_unit, calls, jobs):
        key = missing[place]
        unit = units[key]
        data = rows[unit.data]
        found = failed_unit(study, unit, data, result) if isinstance(result, WorkerDied) else result
        store.add(key, configuration(study, unit, data.hash), found.tables, found.error)
        done += 1
        tell(done, len(units), unit.data)


@dataclass(frozen=True, eq=False)
class _Bench:
    """One unit, ready for the methods to try themselves."""

    unit: Unit
    data: Data
    training: NDArray[np.intp]
    test: NDArray[np.intp]
    labels: NDArray[Any]
    means: Means
    grown: Grown
    hindsights: dict[int, Hindsight] = field(default_factory=dict)
    refitted: dict[int, FittedTree] = field(default_factory=dict)
    populations: dict[int, tuple[float, int]] = field(default_factory=dict)
    fresh: list[Any] = field(default_factory=list)

    @classmethod
    def set_up(cls, study: Study, unit: Unit, data: Data) -> _Bench:
        tree = make_grower(study.growers[unit.grower], unit.task, unit.seed)
        everything, test = split_rows(study, unit, tree, data.X, data.y)
        training = growing_rows(unit, everything)
        labels = noisy_labels(unit, data.y[training], np.unique(data.y)) if unit.label_noise else data.y[training]
        grown = Grown()
        folds = make_folds(study.folds, unit.task, unit.seed)
        means = Means(GrowOnce(tree, grown), folds, unit.validation_fraction, unit.seed, study.grids)
        bench = cls(unit, data, training, test, labels, means, grown)
        means.grower.fit(*bench.training_rows)  # the tree that all methods start from
        return bench

    @property
    def training_rows(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.data.X[self.training], self.labels

    @property
    def test_rows(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.data.X[self.test], self.data.y[self.test]

    def curve(self) -> list[Row]:
        tree = self.means.grower.best_estimator_
        path = pruning_path(tree, "cost_complexity")
        # few growing rows may lack a class of the test rows, which are then missed at every level
        both = (self.training_rows, self.test_rows)
        train, test = (scores_by_level(find_tree(tree), path, *rows, SCORING[self.unit.task]) for rows in both)
        columns = ("level", "price", "n_leaves", "train", "test")
        about = {name: getattr(self.unit, name) for name in ("data", *CONDITION, "repeat")}
        found = range(path.n_levels), path.price, path.n_leaves, train, test
        entries = zip(*(np.asarray(column).tolist() for column in found), strict=True)
        return [{**about, **dict(zip(columns, entry, strict=True))} for entry in entries]

    def hindsight(self, fitted: Any) -> Hindsight:
        """The best cut of the tree that this method pruned; methods that share a tree share it."""
        tree = self._tree_of(fitted)
        key = id(tree.estimator)  # the tree stays in memory, so its id is its own
        if key not in self.hindsights:
            self.hindsights[key] = best_cut_in_hindsight(tree, *self.test_rows, self.unit.seed)
        return self.hindsights[key]

    def population(self, fitted: Any) -> Row:
        """Score of the model, and of the best cut of its tree, on fresh rows of a generator; nothing for real data."""
        if self.data.draw is None:
            return {}
        if not self.fresh:
            self.fresh.extend(self.data.draw(POPULATION, random_state=self.unit.seed))
        tree = self._tree_of(fitted)
        key = id(tree.estimator)
        if key not in self.populations:
            self.populations[key] = best_cut_of_all(tree, *self.fresh)
        best, leaves = self.populations[key]
        score = float(fitted.estimator_.score(*self.fresh))
        return {"test_population": score, "population": best, "population_leaves": leaves}

    def _tree_of(self, fitted: Any) -> FittedTree:
        """The tree that the method pruned, with the values that its leaves have."""
        grown = find_tree(fitted.grown_)
        if not getattr(fitted, "refit_leaves", False):
            return grown
        if id(grown.estimator) not in self.refitted:
            self.refitted[id(grown.estimator)] = self._with_refitted_values(grown, fitted.validation_index_)
        return self.refitted[id(grown.estimator)]

    def _with_refitted_values(self, tree: FittedTree, held_out: NDArray[np.intp]) -> FittedTree:
        X, y = self.training_rows
        fields = refitted_fields(tree, None, tree.count(X[held_out], y[held_out]))
        return FittedTree(materialise(tree.estimator, tree.structure, tree.structure.is_leaf, **fields))


def _row(bench: _Bench, method: StudyMethod) -> Row:
    try:
        return _identity(bench.unit, bench.data, method) | _measured(bench, method) | {"error": ""}
    except FAILURES as error:
        return _identity(bench.unit, bench.data, method) | {"error": f"{type(error).__name__}: {error}"}


def _measured(bench: _Bench, method: StudyMethod) -> Row:
    bench.grown.restart()
    begin = perf_counter()
    fitted = method.make(bench.means).fit(*bench.training_rows)
    seconds = perf_counter() - begin
    asked, spent = bench.grown.asked_seconds, bench.grown.spent_seconds
    model, n_training = fitted.estimator_, len(bench.training)
    n_grown = int(find_tree(fitted.grown_).estimator.tree_.n_node_samples[0])
    held_out = n_training - n_grown
    return {
        "rows_training": n_training,
        "rows_grown_on": n_grown,
        "rows_pruned_with": {"nothing": 0, "held-out rows": held_out}.get(method.pruned_with, n_training),
        "rows_test": len(bench.test),
        "strength": _strength(fitted),
        "leaves_grown": int(find_tree(fitted.grown_).structure.n_leaves),
        "leaves": int(model.get_n_leaves()),
        "train": float(model.score(*bench.training_rows)),
        "test": float(model.score(*bench.test_rows)),
        **asdict(bench.hindsight(fitted)),
        **bench.population(fitted),
        "grow_seconds": asked,
        "prune_seconds": max(seconds - spent, 0.0),
    }


def _strength(fitted: Any) -> float:
    """The parameter that was chosen by cross-validation; NaN where none was."""
    if hasattr(fitted, "best_price_"):
        return float(fitted.best_price_)
    return float(next(iter(getattr(fitted, "best_params_", {"": float("nan")}).values())))


def _identity(unit: Unit, data: Data, method: StudyMethod) -> Row:
    return {
        "data": unit.data,
        "contents": data.hash[:CONTENTS],
        "task": unit.task,
        "scoring": SCORING[unit.task],
        **{factor: getattr(unit, factor) for factor in CONDITION},
        "repeat": unit.repeat,
        "seed": unit.seed,
        "method": method.name,
        "pruned_with": method.pruned_with,
    }
