"""What a study is to do, checked in full before any work."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from treeprune.checks import check_choice, check_count, check_number
from treeprune.datasets import list_datasets, load_dataset, read_table
from treeprune.study.methods import METHODS, StudyMethod
from treeprune.tables import TASKS, suggestion

DEFAULT_DATA = (
    "breast_cancer",
    "breast_cancer_ljubljana",
    "digits",
    "german_credit",
    "glass",
    "heart_cleveland",
    "house_votes",
    "ionosphere",
    "penguins",
    "pima",
    "segment",
    "sonar",
    "soybean",
    "vehicle",
    "vowel",
    "wine",
    "carseats",
    "concrete",
    "cpu",
    "diabetes",
)
QUICK_DATA = ("breast_cancer", "glass", "heart_cleveland", "pima", "cpu")
QUICK_REPEATS = 2
NETWORK_DATA = ("digits", "breast_cancer", "diabetes")
SEVERAL_TARGETS = ("linnerud",)
FEWEST_ROWS = 10  # to split three times over: test, held-out, folds
SCORING = {"classification": "accuracy", "regression": "r2"}


@dataclass(frozen=True)
class Unit:
    """The unit of work: one split of one data set, and the tree grown on it.

    Attributes
    ----------
    data, task : str
    repeat : int
    seed : int
        All randomness of the unit comes from it.
    """

    data: str
    task: str
    repeat: int
    seed: int


@dataclass(frozen=True)
class Study:
    """Data sets x repeated splits x methods.

    Parameters
    ----------
    data : sequence of str
        Names of `list_datasets`, or paths of CSV files.
    target : str, optional
        Target column of the CSV files.
    task : {"classification", "regression"}, optional
        Of the CSV files; guessed from the target if left out. Named data sets must be of it.
    methods : sequence of str
        Keys of `METHODS`, or pruning methods for all of their variants. The unpruned tree is
        always there: the others are compared with it.
    repeats : int, default=10
        Random splits into training and test rows, stratified by class.
    test_size : float in (0, 1), default=0.3
    validation_fraction : float in (0, 1), default=0.3
        Share of the training rows that holdout methods prune with.
    folds : int, default=10
        For methods tuned by cross-validation on the training rows.
    seed : int, default=0
    networks : {"some", "all", "none"}, default="some"
        Whether small networks are pruned too: on those of `NETWORK_DATA` that are among the data, on
        every data set, or not at all.
    drop : sequence of str
        Columns of the CSV files to leave out.

    Raises
    ------
    ValueError
        For a name or number that will not do, saying what would.

    Examples
    --------
    >>> from treeprune.study.design import Study
    >>> Study(data=["glass"], methods=["cost_complexity"], repeats=2).methods
    ('unpruned', 'cost_complexity_minimum', 'cost_complexity_one_standard_error')
    >>> Study(data=["glas"])
    Traceback (most recent call last):
    ...
    ValueError: there is no data set named 'glas', did you mean 'glass'? ...
    """

    data: tuple[str, ...] = DEFAULT_DATA
    target: str | None = None
    task: str | None = None
    methods: tuple[str, ...] = field(default_factory=lambda: tuple(METHODS))
    repeats: int = 10
    test_size: float = 0.3
    validation_fraction: float = 0.3
    folds: int = 10
    seed: int = 0
    networks: str = "some"
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_count("repeats", self.repeats, low=1)
        check_count("folds", self.folds, low=2)
        check_count("seed", self.seed, low=0)
        check_number("test_size", self.test_size, low=0, high=1, open_ends=True)
        check_number("validation_fraction", self.validation_fraction, low=0, high=1, open_ends=True)
        if self.task is not None:
            check_choice("task", self.task, TASKS)
        check_choice("networks", self.networks, ("some", "all", "none"))
        object.__setattr__(self, "methods", _method_names(self.methods))
        object.__setattr__(self, "drop", tuple(self.drop))
        object.__setattr__(self, "data", self._data_names())

    def methods_for(self, task: str) -> list[StudyMethod]:
        """Return the methods that are defined for the task."""
        return [METHODS[name] for name in self.methods if task in METHODS[name].tasks]

    def load(self) -> dict[str, Any]:
        """Read all tables, by name.

        Returns
        -------
        dict of Bunch

        Raises
        ------
        ValueError, FileNotFoundError
            For a table that cannot be studied, before any work is done.
        """
        tables: dict[str, Any] = {}
        for given in self.data:
            table = (
                load_dataset(given)
                if given in _known()
                else read_table(given, str(self.target), self.task, drop=self.drop)
            )
            _check_table(table, self.task)
            if table.name in tables:
                raise ValueError(f"two tables are called {table.name!r}: rename one of the files")
            tables[table.name] = table
        self._check_methods(tables)
        return tables

    def idle_methods(self, tables: dict[str, Any]) -> list[StudyMethod]:
        """Return the methods that are defined for none of the tables."""
        tasks = {table.task for table in tables.values()}
        return [METHODS[name] for name in self.methods if not tasks & set(METHODS[name].tasks)]

    def _check_methods(self, tables: dict[str, Any]) -> None:
        idle = self.idle_methods(tables)
        if idle and len(idle) == len(self.methods) - 1:  # only the unpruned tree is left
            names = ", ".join(method.name for method in idle)
            raise ValueError(f"{names}: defined for {' and '.join(idle[0].tasks)} only, and the data are none")

    def network_data(self, tables: Iterable[str]) -> list[str]:
        """Names of the data sets on which networks are pruned."""
        wanted = {"some": NETWORK_DATA, "all": tuple(tables), "none": ()}[self.networks]
        return [name for name in tables if name in wanted]

    def units(self, tables: dict[str, Any]) -> list[Unit]:
        """List the units of work, data set by data set."""
        return [
            Unit(name, table.task, repeat, _seed(self.seed, name, repeat))
            for name, table in tables.items()
            for repeat in range(self.repeats)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the design in plain types, for a file."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}

    def _data_names(self) -> tuple[str, ...]:
        names = _listed(self.data, "data")
        known = _known()
        paths = [name for name in names if name not in known]
        for name in paths:
            if name in SEVERAL_TARGETS and not Path(name).exists():
                raise ValueError(f"{name} has several targets, and a study is of one: name another data set")
            if not Path(name).exists():
                what = "file" if _looks_like_path(name) else "data set named"
                raise ValueError(
                    f"there is no {what} {name!r}{suggestion(name, known) or '.'} "
                    f"Known: {', '.join(known)}; or the path of a CSV file"
                )
        if paths and self.target is None:
            raise ValueError(f"{paths[0]} is a file of your own: say which column to predict, with target (--target)")
        if self.target is not None and not paths:
            raise ValueError(f"target={self.target!r} is for a CSV file, and data names none: {', '.join(names)}")
        if self.drop and not paths:
            raise ValueError(f"drop={list(self.drop)} is for a CSV file, and data names none: {', '.join(names)}")
        return names


def quick_study() -> dict[str, Any]:
    """Return the fields of a study of a few seconds."""
    return {"data": QUICK_DATA, "repeats": QUICK_REPEATS}


def _known() -> list[str]:
    """Names of the data sets; without those that have several targets."""
    return [name for name in list_datasets()["name"] if name not in SEVERAL_TARGETS]


def _looks_like_path(name: str) -> bool:
    return Path(name).suffix != "" or len(Path(name).parts) > 1


def _listed(given: str | Iterable[str], what: str) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ValueError(f"{what}={given!r}: a list of names is expected, [{given!r}]")
    names = tuple(dict.fromkeys(str(name) for name in given))  # each once, in the order given
    if not names:
        raise ValueError(f"{what} is empty: one name at least is needed")
    return names


def _method_names(given: Iterable[str]) -> tuple[str, ...]:
    wanted = _listed(given, "methods")
    families = dict.fromkeys(method.family for method in METHODS.values())
    for name in wanted:
        if name not in METHODS and name not in families:
            allowed = dict.fromkeys([*families, *METHODS])
            raise ValueError(
                f"there is no method named {name!r}{suggestion(name, allowed) or '.'} Known: {', '.join(allowed)}"
            )
    return tuple(m.name for m in METHODS.values() if m.name in (*wanted, "unpruned") or m.family in wanted)


def _check_table(table: Any, task: str | None) -> None:
    if task is not None and table.task != task:
        raise ValueError(f"{table.name} is a {table.task}, and the study is to be of task={task!r}: leave it out")
    if table.n_rows < FEWEST_ROWS:
        raise ValueError(f"{table.name} has {table.n_rows} rows: {FEWEST_ROWS} are needed to split it into parts")


def _seed(study_seed: int, name: str, repeat: int) -> int:
    sequence = np.random.SeedSequence((study_seed, zlib.crc32(name.encode()), repeat))
    return int(sequence.generate_state(1)[0])
