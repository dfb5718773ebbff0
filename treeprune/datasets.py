"""Which tables there are, and what is in one.

Real tables from the repository's ``datasets`` folder, scikit-learn's own by the same call, and
(from `treeprune.generators`) random ones whose Bayes error is known. What is known about a table
stands in ``datasets/catalogue.toml``; every load checks the file against its checksum there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import Bunch

from treeprune.generators import (
    led_bayes_error,
    make_led,
    make_noisy_xor,
    make_waveform,
    noisy_xor_bayes_error,
    waveform_bayes_error,
)
from treeprune.tables import TASKS, describe, parse_table, read_table, suggestion

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "led_bayes_error",
    "list_datasets",
    "load_dataset",
    "make_led",
    "make_noisy_xor",
    "make_waveform",
    "noisy_xor_bayes_error",
    "read_table",
    "waveform_bayes_error",
]

# In a wheel the tables lie inside the package; an editable install reads the repository's folder.
_FOLDERS = (Path(__file__).parent / "_datasets", Path(__file__).parent.parent / "datasets")

_LISTED = ("name", "task", "rows", "columns", "classes", "missing", "licence", "source")


def load_dataset(name: str) -> Bunch:
    """Load a table by its name.

    Parameters
    ----------
    name : str
        A name from `list_datasets`.

    Returns
    -------
    Bunch
        As from `read_table`, and beside it ``creators`` and ``url``. ``data`` is a numeric
        DataFrame (float64; categories as codes in sorted order, booleans as 0 and 1, missing cells
        NaN). ``target`` holds labels for a classification (whole numbers or text) and float64 for
        a regression; for linnerud it has three columns and ``target_name`` is the list of their
        names.

    Raises
    ------
    ValueError
        There is no table of that name, or its file is not the one of the catalogue.
    FileNotFoundError
        The tables were not installed with the package.

    Examples
    --------
    >>> penguins = load_dataset("penguins")
    >>> penguins.data.shape, penguins.n_missing, penguins.classes.tolist()
    ((344, 6), 19, ['Adelie', 'Chinstrap', 'Gentoo'])
    >>> penguins.categories["island"]
    ['Biscoe', 'Dream', 'Torgersen']
    >>> penguins.licence
    'CC0'
    """
    entries = {entry["name"]: entry for entry in _catalogue()}
    if not isinstance(name, str) or name not in entries:
        raise ValueError(
            f"there is no table named {name!r}{suggestion(name, entries)}; "
            "list_datasets() shows all names, read_table(path, target) reads a CSV of your own"
        )
    entry = entries[name]
    table = _from_file(entry) if "file" in entry else _from_sklearn(entry)
    table.update({key: entry[key] for key in ("name", "title", "creators", "source", "licence")})
    table.url = entry.get("url", "")
    table.notes = [*table.notes, *([entry["notes"]] if "notes" in entry else [])]
    table.DESCR = describe(table)
    return table


def list_datasets(task: str | None = None) -> pd.DataFrame:
    """List the tables that `load_dataset` knows, one row each.

    Parameters
    ----------
    task : {"classification", "regression"}, optional
        Only the tables of this task.

    Returns
    -------
    DataFrame
        Columns name, task, rows, columns (features only), classes (<NA> for a regression),
        missing (cells), licence, source; sorted by name.

    Raises
    ------
    ValueError
        `task` is neither of the two.

    Examples
    --------
    >>> list_datasets("regression")[["name", "rows", "columns", "licence"]].head(3)
           name  rows  columns    licence
    0  carseats   400       10        BSD
    1  concrete  1030        8  CC BY 4.0
    2       cpu   209        6  CC BY 4.0
    """
    import pandas as pd

    if task is not None and task not in TASKS:
        raise ValueError(f"task must be one of {TASKS} or None (all tables), got {task!r}")
    entries = [entry for entry in _catalogue() if task in (None, entry["task"])]
    listed = pd.DataFrame(entries).reindex(columns=list(_LISTED)).astype({"classes": "Int64"})
    return listed.sort_values("name", ignore_index=True)


def _catalogue() -> list[dict[str, Any]]:
    import tomllib

    text = (_folder() / "catalogue.toml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = tomllib.loads(text)["table"]
    return entries


def _folder() -> Path:
    for folder in _FOLDERS:
        if (folder / "catalogue.toml").is_file():
            return folder
    raise FileNotFoundError(
        f"the tables of treeprune are in none of {', '.join(map(str, _FOLDERS))}; "
        "install treeprune again, or run it from a complete checkout"
    )


def _from_file(entry: dict[str, Any]) -> Bunch:
    path = _folder() / entry["file"]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is in the catalogue but not there; install treeprune again")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != entry["sha256"]:
        raise ValueError(
            f"{path} is not the file of the catalogue: sha256 {found} instead of "
            f"{entry['sha256']}. It was edited or its line endings were changed; restore it"
        )
    return parse_table(content.decode("utf-8"), entry["target"], entry["task"], missing=("",), origin=str(path))


def _from_sklearn(entry: dict[str, Any]) -> Bunch:
    import sklearn.datasets

    raw = getattr(sklearn.datasets, entry["loader"])(as_frame=True)
    classified = entry["task"] == "classification"
    # Class names say more than codes; the names of digits are the digits.
    target = np.asarray(raw.target_names)[raw.target] if classified else raw.target.to_numpy(float)
    return Bunch(
        data=raw.data.astype(np.float64),
        target=target,
        feature_names=list(raw.data.columns),
        target_name=entry["target"],
        categories={},
        dropped=[],
        task=entry["task"],
        task_guessed=False,
        classes=np.unique(target) if classified else None,
        n_rows=raw.data.shape[0],
        n_columns=raw.data.shape[1],
        n_missing=int(raw.data.isna().to_numpy().sum()),
        notes=[],
    )
