"""The units of work of a study: what they are, which rows they train on, and the key each is stored by."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from treeprune.study.design import FACTORS, Study
from treeprune.study.methods import METHODS
from treeprune.tree.holdout import holdout_split

CONDITION = ("grower", "label_noise", "training_rows", "validation_fraction")
DECIDE = ("treeprune", "scikit-learn", "numpy")  # another version of these may find something else
NETWORK_REPEATS = 3  # networks are slow; a spread needs three

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Unit:
    """The unit of work: one split of one data set under one condition, and the tree grown on it.

    Attributes
    ----------
    part : {"trees", "networks"}
    data, task : str
    grower, label_noise, training_rows, validation_fraction
        The condition: one level of every factor.
    repeat : int
        Number of the split.
    fold : int
        Which fold of it tests; 0 of a holdout.
    seed, split_seed : int
        Of the split, and of all other randomness. They do not depend on the condition, so that
        conditions are compared on the same splits.
    """

    part: str
    data: str
    task: str
    grower: str
    label_noise: float
    training_rows: Any
    validation_fraction: float
    repeat: int
    fold: int
    seed: int
    split_seed: int


def list_units(study: Study, tables: Mapping[str, Any]) -> list[Unit]:
    """List the units of work, data set by data set: networks first, which take longest."""
    trees = [unit for name, table in tables.items() for unit in _units_of(study, name, table.task)]
    reference = {factor: study.levels(field)[0] for factor, field in zip(CONDITION, FACTORS, strict=True)}
    wanted = set(study.network_data(tables))
    networks = [
        dataclasses.replace(unit, part="networks")
        for unit in trees
        if unit.data in wanted
        and unit.repeat < NETWORK_REPEATS
        and all(getattr(unit, factor) == level for factor, level in reference.items())
    ]
    return networks + trees


def key_of(study: Study, unit: Unit, rows_hash: str) -> str:
    """Return the hash of all that decides what the unit finds.

    Parameters
    ----------
    study : Study
    unit : Unit
    rows_hash : str
        Of the data set's rows, from `hash_rows`.
    """
    text = json.dumps(configuration(study, unit, rows_hash), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def configuration(study: Study, unit: Unit, rows_hash: str) -> dict[str, Any]:
    """Return all that decides what the unit finds, in plain types."""
    decides: dict[str, Any] = {
        **dataclasses.asdict(unit),
        "rows": rows_hash,
        "splits": study.splits,
        "test": study.test_folds if study.splits == "cross_validation" else study.test_size,
        "versions": {name: metadata.version(name) for name in DECIDE},
    }
    if unit.part == "networks":
        return decides
    methods = [method.name for method in study.methods_for(unit.task)]
    grids = {name: study.grids.get(name, METHODS[name].grid) for name in methods if METHODS[name].grid}
    return {**decides, "tree": study.growers[unit.grower], "folds": study.folds, "methods": methods, "grids": grids}


def hash_rows(X: NDArray[Any], y: NDArray[Any]) -> str:
    """Return a hash of the rows of a data set."""
    return str(joblib.hash((X, y)))


def split_rows(study: Study, unit: Unit, tree: Any, X: NDArray[Any], y: NDArray[Any]) -> tuple[Rows, Rows]:
    """Return the training rows of a unit, before any are left out, and its test rows."""
    if study.splits != "cross_validation":
        return holdout_split(study.test_size, tree, X, y, None, unit.split_seed)
    splitter = make_folds(study.test_folds, unit.task, unit.split_seed)
    training, test = next(itertools.islice(splitter.split(X, y), unit.fold, None))
    return np.sort(training), np.sort(test)


def make_folds(n: int, task: str, seed: int) -> Any:
    """Return shuffled folds, stratified by class."""
    from sklearn.model_selection import KFold, StratifiedKFold

    return (StratifiedKFold if task == "classification" else KFold)(n, shuffle=True, random_state=seed)


def growing_rows(unit: Unit, training: Rows) -> Rows:
    """Return the training rows that the unit may use; those of a smaller number are among those of a larger."""
    if unit.training_rows == "all":
        return training
    share = isinstance(unit.training_rows, float)
    wanted = round(unit.training_rows * len(training)) if share else unit.training_rows
    if not 2 <= wanted <= len(training):
        raise ValueError(f"training_rows={unit.training_rows}: {unit.data} has {len(training)} training rows")
    return np.sort(np.random.default_rng(unit.seed).permutation(training)[:wanted])


def noisy_labels(unit: Unit, y: NDArray[Any], classes: NDArray[Any]) -> NDArray[Any]:
    """Give a share of the rows another class; rows wrong at one share are wrong at the larger ones."""
    if not unit.label_noise:
        return y
    rng = np.random.default_rng(unit.seed)
    step = rng.integers(1, len(classes), size=len(y))
    other = classes[(np.searchsorted(classes, y) + step) % len(classes)]
    return np.where(rng.permutation(len(y)) < round(unit.label_noise * len(y)), other, y)


def _units_of(study: Study, name: str, task: str) -> list[Unit]:
    folds = range(study.test_folds) if study.splits == "cross_validation" else range(1)
    conditions = list(itertools.product(*(study.levels(factor) for factor in FACTORS)))
    units = []
    for condition in conditions:
        for place, seed in enumerate(study.seeds):
            for repeat in range(study.repeats):
                own, number = _seed(seed, name, repeat), repeat * len(study.seeds) + place
                split_seed = _seed(seed, name, 0) if study.splits == "same_rows" else own
                units += [
                    Unit(
                        part="trees",
                        data=name,
                        task=task,
                        **dict(zip(CONDITION, condition, strict=True)),
                        repeat=number * len(folds) + fold,
                        fold=fold,
                        seed=own,
                        split_seed=split_seed,
                    )
                    for fold in folds
                ]
    return units


def _seed(study_seed: int, name: str, repeat: int) -> int:
    sequence = np.random.SeedSequence((study_seed, zlib.crc32(name.encode()), repeat))
    return int(sequence.generate_state(1)[0])
