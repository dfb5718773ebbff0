"""What a study is to do, checked in full before any work."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from treeprune.checks import check_choice, check_count, check_number
from treeprune.study.growers import check_grower, make_grower
from treeprune.study.methods import METHODS, StudyMethod
from treeprune.study.sources import Source, read_source
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
FEWEST_ROWS = 10  # to split three times over: test, held-out, folds
SCORING = {"classification": "accuracy", "regression": "r2"}
SPLITS = ("holdout", "cross_validation", "same_rows")
PROTOCOL_NAMES = ("esposito-1997", "oates-jensen-1997", "islp-carseats-lottery")
FACTORS = ("growers", "label_noise", "training_rows", "validation_fraction")


class DesignError(ValueError):
    """A study cannot be done as it is designed.

    Attributes
    ----------
    field : str
        The field of `Study` that will not do.
    entry : object
        The entry of it, where it has several; None otherwise.
    """

    def __init__(self, message: str, field: str = "", entry: Any = None) -> None:
        super().__init__(message)
        self.field, self.entry = field, entry


@dataclass(frozen=True)
class Study:
    """Data sets x factors x repeated splits x methods.

    All of it is declared before any work: what is compared with what (`control`), which difference
    is too small to matter (`rope`), and, by `methods`, what rows each method may use.

    Parameters
    ----------
    data : sequence of str or mapping
        Names of `list_datasets`; paths of CSV files; ``"openml:61"``; generators whose Bayes error is
        known, ``"led"``, ``"waveform"`` and ``"noisy_xor"``, with a number of rows (``"led:1000"``). A mapping says
        more: ``{"csv": "mine.csv", "target": "y", "task": ..., "drop": [...], "above": 8}``,
        ``{"openml": 61, "target": ...}``, ``{"generator": "led", "rows": 1000, "noise": 0.2}``,
        ``{"name": "carseats", "above": 8}``; ``above`` makes two classes of a quantity.
    target : str, optional
        Target column of the CSV files that do not say their own.
    task : {"classification", "regression"}, optional
        Of the CSV files; guessed from the target if left out. All data sets must be of it.
    methods : sequence of str
        Keys of `METHODS`, or pruning methods for all of their variants. The unpruned tree is
        always there, and so is the control.
    repeats : int, default=10
        How often the rows are split.
    test_size : float in (0, 1), default=0.3
        Share of the rows to test on, of a holdout.
    validation_fraction : float in (0, 1), or sequence of them, default=0.3
        Share of the training rows that holdout methods prune with. Several are a factor.
    folds : int, default=10
        For methods tuned by cross-validation on the training rows.
    seed : int, or sequence of them, default=0
        Each does all the repeats anew.
    networks : {"some", "all", "none"}, default="some"
        Whether small networks are pruned too: on those of `NETWORK_DATA` that are among the data, on
        every data set, or not at all.
    drop : sequence of str
        Columns of the CSV files to leave out.
    splits : {"holdout", "cross_validation", "same_rows"}, default="holdout"
        Random splits; all folds of a cross-validation as test rows in turn (stratified by class, as is
        a holdout), so that tuned methods are nested; or one holdout for all repeats, which then
        differ in their folds and trees only.
    test_folds : int, default=10
        Of ``splits="cross_validation"``.
    development : sequence of str
        Data sets by which defaults were chosen: reported apart, and in no mean or test.
    growers : mapping from names to parameters
        Of a DecisionTree, with ``kind="extra_tree"`` of an ExtraTree, or with ``kind="optimal_tree"`` of an
        `OptimalTreeClassifier`, which needs the extra ``optimal``. Several are a factor.
    grids : mapping from names to sequences
        Candidates of methods that are tuned over a grid: ``{"minimum_error_cv": [1, 4, 16]}``.
    label_noise : float in [0, 1), or sequence of them, default=0
        Share of the training rows whose class is drawn anew among the others. Several are a factor.
    training_rows : "all", int, float in (0, 1], or sequence of them, default="all"
        Rows, or share, of the training rows to use; the smaller are among the larger. A factor.
    control : str, default="unpruned"
        The method that all others are compared with.
    rope : float, default=0.01
        Region of practical equivalence: differences of the score up to here do not matter.
    protocol : str, optional
        Name of the published protocol that this is, so that its conclusions stand beside what is found.
    base : str, default="."
        Folder that relative paths of CSV files start from.

    Raises
    ------
    DesignError
        For a name or number that will not do, saying what would. It is a ValueError.

    Examples
    --------
    >>> from treeprune.study.design import Study
    >>> Study(data=["glass"], methods=["cost_complexity"], repeats=2).methods
    ('unpruned', 'cost_complexity_minimum', 'cost_complexity_one_standard_error')
    >>> Study(data=["glas"])
    Traceback (most recent call last):
    ...
    treeprune.study.design.DesignError: there is no data set named 'glas', did you mean 'glass'? ...
    """

    data: tuple[Any, ...] = DEFAULT_DATA
    target: str | None = None
    task: str | None = None
    methods: tuple[str, ...] = field(default_factory=lambda: tuple(m.name for m in METHODS.values() if m.by_default))
    repeats: int = 10
    test_size: float = 0.3
    validation_fraction: Any = 0.3
    folds: int = 10
    seed: Any = 0
    networks: str = "some"
    drop: tuple[str, ...] = ()
    splits: str = "holdout"
    test_folds: int = 10
    development: tuple[str, ...] = ()
    growers: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"tree": {}})
    grids: Mapping[str, Any] = field(default_factory=dict)
    label_noise: Any = 0.0
    training_rows: Any = "all"
    control: str = "unpruned"
    rope: float = 0.01
    protocol: str | None = None
    base: str = "."

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_factors()
        with _field("drop"):
            self._set("drop", _listed(self.drop, "drop") if self.drop else ())
        self._set("data", tuple(_listed(self.data, "data")))
        self._set("methods", self._method_names())
        self._set("grids", self._checked_grids())
        sources = self.sources
        self._check_defaults_are_used(sources)
        self._check_all_is_read()
        self._set("development", _named(self.development, "development") if self.development else ())

    @property
    def sources(self) -> list[Source]:
        """Where the data come from, in order."""
        found = []
        defaults = {"target": self.target, "task": self.task, "drop": self.drop}
        for entry in self.data:
            with _field("data", entry):
                found.append(read_source(entry, Path(self.base), defaults))
        return found

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, one or several."""
        return _several(self.seed)

    @property
    def n_splits(self) -> int:
        """Splits of every data set, under every condition."""
        folds = self.test_folds if self.splits == "cross_validation" else 1
        return self.repeats * len(self.seeds) * folds

    @property
    def unread(self) -> tuple[str, ...]:
        """Fields that are not at their defaults, and that no split or method of the design reads."""
        by_folds = self.splits == "cross_validation"
        uses = {METHODS[name].pruned_with for name in self.methods}
        is_read = {
            "test_size": not by_folds,
            "test_folds": by_folds,
            "validation_fraction": "held-out rows" in uses,
            "folds": "cross-validation" in uses,
        }
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        return tuple(name for name, used in is_read.items() if not used and getattr(self, name) != defaults[name])

    def levels(self, factor: str) -> tuple[Any, ...]:
        """Return the levels of one of `FACTORS`; the first is the reference."""
        return tuple(self.growers) if factor == "growers" else _several(getattr(self, factor))

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
        DesignError, ValueError, FileNotFoundError
            For a table that cannot be studied, before any work is done.
        """
        tables: dict[str, Any] = {}
        for entry, source in zip(self.data, self.sources, strict=True):
            with _field("data", entry):
                table = source.load()
                self._check_table(table)
                if table.name in tables and "distinct_name" in table:
                    table.name = table.distinct_name  # another set of the same generator
                if table.name in tables:
                    raise ValueError(f"two tables are called {table.name!r}: rename one of the files")
            tables[table.name] = table
        self._check_against(tables)
        return tables

    def idle_methods(self, tables: dict[str, Any]) -> list[StudyMethod]:
        """Return the methods that are defined for none of the tables."""
        tasks = {table.task for table in tables.values()}
        return [METHODS[name] for name in self.methods if not tasks & set(METHODS[name].tasks)]

    def network_data(self, tables: Iterable[str]) -> list[str]:
        """Names of the data sets on which networks are pruned."""
        wanted = {"some": NETWORK_DATA, "all": tuple(tables), "none": ()}[self.networks]
        return [name for name in tables if name in wanted]

    def as_dict(self) -> dict[str, Any]:
        """Return the design in plain types, for a file."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_numbers(self) -> None:
        for name, low in (("repeats", 1), ("folds", 2), ("test_folds", 2)):
            with _field(name):
                check_count(name, getattr(self, name), low=low)
        with _field("test_size"):
            check_number("test_size", self.test_size, low=0, high=1, open_ends=True)
        with _field("rope"):
            check_number("rope", self.rope, low=0, high=1e300)
        choices = {"networks": ("some", "all", "none"), "splits": SPLITS, "task": TASKS, "protocol": PROTOCOL_NAMES}
        for name, allowed in choices.items():
            if name in ("networks", "splits") or getattr(self, name) is not None:
                with _field(name):
                    check_choice(name, getattr(self, name), allowed)

    def _check_factors(self) -> None:
        for name, check in _FACTOR_CHECKS.items():
            levels = _several(getattr(self, name))
            for level in levels:
                with _field(name, level if len(levels) > 1 else None):
                    check(name, level)
            if not levels or len(set(levels)) < len(levels):
                raise DesignError(f"{name}={list(levels)}: one or several different values are expected", name)
            self._set(name, levels if len(levels) > 1 else levels[0])
        if not isinstance(self.growers, Mapping) or not self.growers:
            raise DesignError(f"growers={self.growers!r}: names and their parameters are expected", "growers")
        for name, parameters in self.growers.items():
            with _field("growers", name):
                check_grower(name, parameters)

    def _method_names(self) -> tuple[str, ...]:
        wanted = _named(self.methods, "methods")
        families = dict.fromkeys(method.family for method in METHODS.values())
        for name, field_name in (*((name, "methods") for name in wanted), (str(self.control), "control")):
            allowed = METHODS if field_name == "control" else dict.fromkeys([*families, *METHODS])
            if name not in allowed:
                hint = suggestion(name, allowed) or "."
                message = f"there is no method named {name!r}{hint} Known: {', '.join(allowed)}"
                raise DesignError(message, field_name, name if field_name == "methods" else None)
        named = {*wanted, "unpruned", self.control}
        return tuple(m.name for m in METHODS.values() if m.name in named or (m.family in wanted and m.by_default))

    def _checked_grids(self) -> dict[str, tuple[Any, ...]]:
        if not isinstance(self.grids, Mapping):
            raise DesignError(f"grids={self.grids!r}: methods and their candidates are expected", "grids")
        grids = {name: tuple(_several(values)) for name, values in self.grids.items()}
        tuned = {m.name: m.grid for m in METHODS.values() if m.grid}
        for name, values in grids.items():
            if name not in tuned:
                hint = suggestion(name, tuned) or "."
                message = f"grids.{name}: no method of that name is tuned over a grid{hint} Known: {', '.join(tuned)}"
                raise DesignError(message, "grids", name)
            if not values:
                raise DesignError(f"grids.{name} is empty: one candidate at least is needed", "grids", name)
            for value in values:
                with _field("grids", name):
                    METHODS[name].check_candidate(value)
        return grids

    def _check_defaults_are_used(self, sources: list[Source]) -> None:
        """Refuse a target or columns to drop that no CSV file of the design takes."""
        if any(source.kind == "csv" for source in sources):
            return
        for name, value in (("target", self.target), ("drop", list(self.drop) or None)):
            if value is not None:
                listed = ", ".join(map(str, self.data))
                raise DesignError(f"{name}={value!r} is for a CSV file, and data names none: {listed}", name)

    def _check_all_is_read(self) -> None:
        """Refuse what no split or method of the design reads: levels that would all be the same, for one."""
        for name, other in (("test_size", "test_folds"), ("test_folds", "test_size")):
            if name in self.unread:
                why = f"splits={self.splits!r} has {other}"
                raise DesignError(f"{name}={getattr(self, name)} is read by nothing: {why}", name)
        if "validation_fraction" in self.unread and len(self.levels("validation_fraction")) > 1:
            message = f"validation_fraction={list(self.validation_fraction)}: no method of the design holds rows out"
            raise DesignError(message, "validation_fraction")
        for name in self.grids:
            if name not in self.methods:
                message = f"grids.{name} is read by nothing: the methods of the design are {', '.join(self.methods)}"
                raise DesignError(message, "grids", name)

    def _check_table(self, table: Any) -> None:
        if self.task is not None and table.task != self.task:
            raise ValueError(
                f"{table.name} is a {table.task}, and the study is to be of task={self.task!r}: leave it out"
            )
        if table.n_rows < FEWEST_ROWS:
            raise ValueError(f"{table.name} has {table.n_rows} rows: {FEWEST_ROWS} are needed to split it into parts")
        if table.task == "regression" and any(self.levels("label_noise")):
            raise ValueError(f"label_noise draws other classes, and {table.name} is a regression: leave it out")

    def _check_enough(self, table: Any) -> None:
        """Refuse parts and folds that so few rows cannot fill."""
        by_folds = self.splits == "cross_validation"
        share = 1 - 1 / self.test_folds if by_folds else 1 - self.test_size
        training = math.floor(share * table.n_rows)
        if by_folds and self.test_folds > table.n_rows:
            raise DesignError(f"test_folds={self.test_folds}: {table.name} has {table.n_rows} rows", "test_folds")
        if table.n_rows - training < 1 or training < 2:
            message = (
                f"test_size={self.test_size} of {table.n_rows} rows of {table.name} leaves none to test or to grow on"
            )
            raise DesignError(message, "test_size")
        for level in self.levels("training_rows"):
            rows = training if level == "all" else round(level * training) if isinstance(level, float) else level
            if not 2 <= rows <= training:
                message = f"training_rows={level!r}: {table.name} has {training} rows to train on"
                raise DesignError(message, "training_rows", level)
            self._check_held_out(table, rows)

    def _check_held_out(self, table: Any, rows: int) -> None:
        for level in self.levels("validation_fraction"):
            if not 1 <= round(level * rows) < rows:
                message = (
                    f"validation_fraction={level!r} of {rows} rows of {table.name} leaves none to hold out or grow on"
                )
                raise DesignError(message, "validation_fraction", level)

    def _check_against(self, tables: dict[str, Any]) -> None:
        """Check what can be checked only when the tables are known."""
        for name in self.development:
            if name not in tables:
                hint = suggestion(name, tables) or "."
                message = f"development names {name!r}, and data does not{hint} It names {', '.join(tables)}"
                raise DesignError(message, "development", name)
        if set(self.development) == set(tables):
            raise DesignError("development names all the data: none is left to report", "development")
        tasks = {table.task for table in tables.values()}
        for name, parameters in self.growers.items():
            for task in tasks:
                table = next(table for table in tables.values() if table.task == task)
                first = np.sort(np.unique(table.target, return_index=True)[1]) if task == "classification" else slice(9)
                with _field("growers", name):
                    make_grower(parameters, task, 0).fit(table.data.iloc[first].fillna(0), table.target[first])
        self._check_methods(tables)
        too_few = [error for table in tables.values() if (error := self._not_enough(table))]
        if len(too_few) == len(tables):  # sets that can be split go on without those that cannot
            raise too_few[0]

    def _not_enough(self, table: Any) -> DesignError | None:
        try:
            self._check_enough(table)
        except DesignError as error:
            return error
        return None

    def _check_methods(self, tables: dict[str, Any]) -> None:
        idle = self.idle_methods(tables)
        if idle and len(idle) == len(self.methods) - 1:  # only the unpruned tree is left
            names = ", ".join(method.name for method in idle)
            message = f"{names}: defined for {' and '.join(idle[0].tasks)} only, and the data are none"
            raise DesignError(message, "methods")
        if self.control in {method.name for method in idle}:
            raise DesignError(f"control={self.control!r} is defined for none of the data", "control")


def quick_study() -> dict[str, Any]:
    """Return the fields of a study of a few seconds."""
    return {"data": QUICK_DATA, "repeats": QUICK_REPEATS}


def _check_training_rows(name: str, level: Any) -> None:
    if isinstance(level, float):
        check_number(name, level, low=0, high=1)
    if level == 0 or (isinstance(level, str) and level != "all"):
        raise ValueError(f"{name}={level!r}: 'all', a number of rows, or a share in (0, 1] is expected")
    if not isinstance(level, str | float):
        check_count(name, level, low=FEWEST_ROWS)


def _check_noise(name: str, level: Any) -> None:
    check_number(name, level, low=0, high=1)
    if level == 1:
        raise ValueError(f"{name}={level!r}: a share in [0, 1) is expected")


_FACTOR_CHECKS: dict[str, Any] = {
    "validation_fraction": lambda name, level: check_number(name, level, low=0, high=1, open_ends=True),
    "seed": lambda name, level: check_count(name, level, low=0),
    "label_noise": _check_noise,
    "training_rows": _check_training_rows,
}


@contextmanager
def _field(name: str, entry: Any = None) -> Iterator[None]:
    """Say of which field an error is; errors of files that are not there stay what they are."""
    try:
        yield
    except DesignError:
        raise
    except (ValueError, TypeError, ImportError) as error:
        raise DesignError(str(error), name, entry) from error


def _several(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def _named(given: Any, what: str) -> tuple[str, ...]:
    """A list of words."""
    names = _listed(given, what)
    for name in names:
        if not isinstance(name, str):
            raise DesignError(f"{what} holds {name!r}: names are expected, words in quotes", what)
    return names


def _listed(given: Any, what: str) -> tuple[Any, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise DesignError(f"{what}={given!r}: a list of names is expected, [{given!r}]", what)
    names = list(given)
    if not names:
        raise DesignError(f"{what} is empty: one name at least is needed", what)
    return tuple(entry for i, entry in enumerate(names) if entry not in names[:i])  # each once, in the order given


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, PurePath) else value
