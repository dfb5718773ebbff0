"""Do the work of a study.

The unit of work is one split of one data set: one tree is grown on the training rows, every
method prunes it (or, where it must hold rows out, a tree grown on the rest), and all rows of the
tables come back together.  Which process does a unit, and when, changes nothing but the seconds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.parallel import Parallel, delayed

from treeprune.cv import PrunerCV
from treeprune.dispatch import pruning_path
from treeprune.study.design import SCORING, Study, Unit
from treeprune.study.growth import Grown, GrowOnce
from treeprune.study.hindsight import Hindsight, best_cut_in_hindsight
from treeprune.study.methods import Means, StudyMethod
from treeprune.study.networks import NetworkResult, collect_networks, network_units, run_network
from treeprune.study.results import StudyResults
from treeprune.tree.curve import pruning_curve
from treeprune.tree.fitted import FittedTree, find_tree
from treeprune.tree.holdout import holdout_split
from treeprune.tree.rebuild import materialise
from treeprune.tree.refit import refitted_fields

Progress = Callable[[int, int, str], None]
Row = dict[str, Any]

# What data can do to a method. A study notes it and goes on; anything else is a mistake in the program.
FAILURES = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class UnitResult:
    """All that one unit of work found.

    Attributes
    ----------
    rows : list of dict
        One a method; with an ``error`` in place of numbers where it failed.
    curve : list of dict
        Train and test score at every level of the cost-complexity path; empty if the unit failed.
    """

    rows: list[Row]
    curve: list[Row]


def run_study(study: Study, jobs: int = 1, progress: Progress | None = None) -> StudyResults:
    """Do all units of a study.

    Parameters
    ----------
    study : Study
    jobs : int, default=1
        Units at a time, -1 for one a core. Only the seconds depend on it.
    progress : callable, optional
        Called as ``progress(units_done, units, data_set)`` after every unit.

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
    units = study.units(tables)
    arrays = {name: (table.data.to_numpy(np.float32), table.target) for name, table in tables.items()}
    networks = network_units(study, tables)
    # the longest work first, so that no process is left with it alone in the end
    tasks = [(run_network, unit) for unit in networks] + [(run_unit, unit) for unit in units]
    work = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(run)(study, unit, *arrays[unit.data]) for run, unit in tasks
    )
    trees: dict[Unit, UnitResult] = {}
    nets: dict[Unit, NetworkResult] = {}
    for done, (unit, result) in enumerate(work, start=1):
        if isinstance(result, UnitResult):
            trees[unit] = result
        else:
            nets[unit] = result
        if progress is not None:
            progress(done, len(tasks), unit.data)
    tables_of_networks = collect_networks([nets[unit] for unit in networks])
    found = [trees[unit] for unit in units]
    return StudyResults.collect(study, tables, found, tables_of_networks, perf_counter() - begin)


def run_unit(study: Study, unit: Unit, X: NDArray[Any], y: NDArray[Any]) -> tuple[Unit, UnitResult]:
    """Do one unit of work; what goes wrong in it is an entry of its rows.

    Parameters
    ----------
    study : Study
    unit : Unit
    X : ndarray, shape (n_rows, n_features)
    y : ndarray, shape (n_rows,)
    """
    methods = study.methods_for(unit.task)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # a class rarer than the folds
        try:
            bench = _Bench.set_up(study, unit, X, y)
            curve = bench.curve()
        except FAILURES as error:
            return unit, UnitResult([_failed(unit, method, error) for method in methods], [])
        return unit, UnitResult([_row(bench, method) for method in methods], curve)


@dataclass(frozen=True, eq=False)
class _Bench:
    """One unit, ready for the methods to try themselves."""

    unit: Unit
    X: NDArray[Any]
    y: NDArray[Any]
    training: NDArray[np.intp]
    test: NDArray[np.intp]
    means: Means
    grown: Grown
    hindsights: dict[tuple[int, bool], Hindsight]

    @classmethod
    def set_up(cls, study: Study, unit: Unit, X: NDArray[Any], y: NDArray[Any]) -> _Bench:
        kind = DecisionTreeClassifier if unit.task == "classification" else DecisionTreeRegressor
        tree = kind(random_state=unit.seed)
        training, test = holdout_split(study.test_size, tree, X, y, None, unit.seed)
        grown = Grown()
        means = Means(GrowOnce(tree, grown), _folds(study, unit), study.validation_fraction, unit.seed)
        bench = cls(unit, X, y, training, test, means, grown, {})
        means.grower.fit(*bench.training_rows)  # the tree that all methods start from
        return bench

    @property
    def training_rows(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.X[self.training], self.y[self.training]

    @property
    def test_rows(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.X[self.test], self.y[self.test]

    def curve(self) -> list[Row]:
        tree = self.means.grower.best_estimator_
        path = pruning_path(tree, "cost_complexity")
        scores = pruning_curve(tree, path, *self.training_rows, *self.test_rows, scoring=SCORING[self.unit.task])
        columns = ("level", "price", "n_leaves", "train", "test")
        entries = zip(*(getattr(scores, name).tolist() for name in columns), strict=True)
        return [
            {"data": self.unit.data, "repeat": self.unit.repeat, **dict(zip(columns, entry, strict=True))}
            for entry in entries
        ]

    def hindsight(self, fitted: Any) -> Hindsight:
        """The best cut of the tree that this method pruned; methods that share a tree share it."""
        grown = find_tree(fitted.grown_)
        refits = getattr(fitted, "refit_leaves", False)
        key = id(grown.estimator), refits  # the tree stays in memory, so its id is its own
        if key not in self.hindsights:
            tree = self._with_refitted_values(grown, fitted.validation_index_) if refits else grown
            self.hindsights[key] = best_cut_in_hindsight(tree, *self.test_rows, self.unit.seed)
        return self.hindsights[key]

    def _with_refitted_values(self, tree: FittedTree, held_out: NDArray[np.intp]) -> FittedTree:
        X, y = self.training_rows
        fields = refitted_fields(tree, None, tree.count(X[held_out], y[held_out]))
        return FittedTree(materialise(tree.estimator, tree.structure, tree.structure.is_leaf, **fields))


def _folds(study: Study, unit: Unit) -> Any:
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if unit.task == "classification" else KFold
    return kind(study.folds, shuffle=True, random_state=unit.seed)


def _row(bench: _Bench, method: StudyMethod) -> Row:
    try:
        return _identity(bench.unit, method) | _measured(bench, method) | {"error": ""}
    except FAILURES as error:
        return _failed(bench.unit, method, error)


def _measured(bench: _Bench, method: StudyMethod) -> Row:
    bench.grown.restart()
    begin = perf_counter()
    fitted = method.make(bench.means).fit(*bench.training_rows)
    seconds = perf_counter() - begin
    asked, spent = bench.grown.asked_seconds, bench.grown.spent_seconds
    model, held_out = fitted.estimator_, getattr(fitted, "validation_index_", ())
    n_training = len(bench.training)
    return {
        "rows_training": n_training,
        "rows_grown_on": n_training - len(held_out),
        "rows_pruned_with": {"nothing": 0, "held-out rows": len(held_out)}.get(method.pruned_with, n_training),
        "rows_test": len(bench.test),
        "strength": _strength(fitted),
        "leaves_grown": int(find_tree(fitted.grown_).structure.n_leaves),
        "leaves": int(model.get_n_leaves()),
        "train": float(model.score(*bench.training_rows)),
        "test": float(model.score(*bench.test_rows)),
        **asdict(bench.hindsight(fitted)),
        "grow_seconds": asked,
        "prune_seconds": max(seconds - spent, 0.0),
    }


def _strength(fitted: Any) -> float:
    """The parameter that was chosen by cross-validation; NaN where none was."""
    if not isinstance(fitted, PrunerCV):
        return float("nan")
    if hasattr(fitted, "best_price_"):
        return float(fitted.best_price_)
    return float(next(iter(fitted.best_params_.values())))


def _identity(unit: Unit, method: StudyMethod) -> Row:
    return {
        "data": unit.data,
        "task": unit.task,
        "scoring": SCORING[unit.task],
        "repeat": unit.repeat,
        "seed": unit.seed,
        "method": method.name,
        "pruned_with": method.pruned_with,
    }


def _failed(unit: Unit, method: StudyMethod, error: BaseException) -> Row:
    return _identity(unit, method) | {"error": f"{type(error).__name__}: {error}"}
