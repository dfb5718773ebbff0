"""What does a CSV say: text in, numeric frame and target out.

Trees of scikit-learn take numbers only, so every column becomes float64 here, and nothing about
that is hidden: the codes of categories are returned, a column that holds nothing is named, and a
table that cannot be learned from is refused with what to do about it. Cells are read as text and
judged column by column, because a reader that guesses types cell by cell pads short lines and
renames double columns without a word.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING", "TASKS", "describe", "parse_table", "read_table", "suggestion"]

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "NULL", "null")
"""Cells that `read_table` takes as missing unless told otherwise."""

TASKS = ("classification", "regression")

# A numeric target with more distinct values than this is guessed to be a quantity.
_MOST_GUESSED_CLASSES = 20

# Narrower than float(), which also takes "nan", "inf" and "1_000".
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_table(
    path: str | PathLike[str],
    target: str,
    task: str | None = None,
    *,
    missing: Iterable[str] = MISSING,
    drop: Iterable[str] = (),
) -> Bunch:
    r"""Read a CSV file of your own into the shape of `load_dataset`.

    The file is UTF-8 with commas and a header row; blanks around a cell are dropped. A column all
    of whose cells are numbers is numeric, one of true and false only is 0 and 1, any other is
    categorical: codes 0 to k - 1 in the sorted order of the text.

    Parameters
    ----------
    path : str or path-like
        The CSV file.
    target : str
        Name of the column to predict.
    task : {"classification", "regression"}, optional
        When left out it is guessed, and the result says so: a numeric target with more than 20
        distinct values is a regression, any other a classification.
    missing : iterable of str, optional
        Cells that mean "not known"; an empty cell always does. The default is `MISSING`.
    drop : iterable of str, optional
        Columns to leave out: identifiers, say.

    Returns
    -------
    Bunch
        ``data`` (DataFrame, rows x features, float64, NaN where missing), ``target`` (array of
        rows: int64 labels where all are whole numbers, text labels otherwise, float64 for
        regression), ``feature_names``, ``target_name``, ``categories`` (column -> list of
        categories, code order), ``dropped`` (columns without a single value), ``task``,
        ``task_guessed``, ``classes`` (sorted labels, or None), ``n_rows``, ``n_columns``,
        ``n_missing``, ``name``, ``title``, ``licence``, ``source``, ``notes`` (what was decided on
        the way) and ``DESCR``.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    ValueError
        The file is no such table (a folder, not UTF-8, empty, no rows, ragged lines, columns
        without a name or of the same name) or cannot be learned from (no such target, target with
        missing cells, a single class, no features).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "fruit.csv"
    >>> _ = path.write_text("weight,colour,kind\n150,red,apple\n,yellow,lemon\n")
    >>> fruit = read_table(path, target="kind")
    >>> fruit.data
       weight  colour
    0   150.0     0.0
    1     NaN     1.0
    >>> fruit.categories, fruit.target.tolist(), fruit.task, fruit.task_guessed
    ({'colour': ['red', 'yellow']}, ['apple', 'lemon'], 'classification', True)
    >>> folder.cleanup()
    """
    if task is not None and task not in TASKS:
        raise ValueError(f"task must be one of {TASKS} or None (guess), got {task!r}")
    if isinstance(missing, str):
        raise ValueError(f"missing must be a list of cells such as [{missing!r}], got {missing!r}")
    path = Path(path)
    table = parse_table(_text(path), target, task, missing=missing, origin=str(path), drop=drop)
    table.update(name=path.stem, title=path.name, source=str(path), licence="not stated")
    table.notes += _cautions(table)
    table.DESCR = describe(table)
    return table


def parse_table(
    text: str, target: str, task: str | None, *, missing: Iterable[str], origin: str, drop: Iterable[str] = ()
) -> Bunch:
    """Encode the text of a CSV; `origin` names it in errors. See `read_table` for the rest."""
    columns = _columns(text, frozenset(missing) | {""}, origin)
    if target not in columns:
        raise ValueError(
            f"{origin} has no column {target!r}{suggestion(target, columns) or '.'} "
            f"Its columns: {_listed(columns)}.{_separator_hint(columns)}"
        )
    for name in (drop := [drop] if isinstance(drop, str) else list(drop)):
        if name == target or name not in columns:
            what = "the target" if name == target else f"no column of {origin}{suggestion(name, columns) or '.'}"
            raise ValueError(f"drop={name!r} is {what} Its columns: {_listed(columns)}.")
        del columns[name]
    where = f"target column {target!r} of {origin}"
    _refuse_missing(columns[target], where)
    chosen = task or _guessed_task(columns[target])
    labels = _quantities if chosen == "regression" else _labels
    y = labels(columns.pop(target), where)
    dropped = [name for name, cells in columns.items() if not any(cells)]
    kept = {name: cells for name, cells in columns.items() if name not in dropped}
    if not kept:
        raise ValueError(f"{origin} has no feature with a value beside {target!r}: nothing to split")
    table = _encoded(kept, origin)
    table.update(
        target=y,
        target_name=target,
        task=chosen,
        task_guessed=task is None,
        classes=np.unique(y) if chosen == "classification" else None,
        dropped=dropped,
    )
    table.notes = _notes(table, kept)
    return table


def describe(table: Mapping[str, Any]) -> str:
    """Say in a few lines what a table holds and where it comes from."""
    lines = [
        f"{table['title']} ({table['name']})",
        f"{table['n_rows']} rows, {table['n_columns']} features, {table['n_missing']} missing cells",
        f"task: {table['task']} of {table['target_name']}",
    ]
    if table["classes"] is not None:
        names, counts = np.unique(table["target"], return_counts=True)
        pairs = (f"{name}: {count}" for name, count in zip(names, counts, strict=True))
        lines.append(f"rows per class: {_listed(pairs)}")
    if table["categories"]:
        lines.append("categorical columns (code 0, 1, ...):")
        lines += [f"  {name}: {_listed(found)}" for name, found in table["categories"].items()]
    lines += [f"note: {note}" for note in table["notes"]]
    lines += [f"source: {table['source']}", f"licence: {table['licence']}"]
    return "\n".join(lines) + "\n"


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return ", did you mean ...?" for the nearest known words, or nothing."""
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower(), lowered, n=3)
    return f", did you mean {' or '.join(repr(lowered[name]) for name in close)}?" if close else ""


def _text(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}; check the spelling and the folder")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the path of one CSV file")
    try:
        # utf-8-sig: spreadsheets put a byte-order mark in front of the first column's name.
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text (byte {error.start}); save it as a CSV in UTF-8") from error


def _columns(text: str, missing: frozenset[str], origin: str) -> dict[str, list[str]]:
    """Column name -> cells, blanks stripped, every missing marker turned into ''."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"{origin}, line {reader.line_num}: not a CSV ({error})") from error
    if not numbered:
        raise ValueError(f"{origin} is empty; a header row and at least one row are needed")
    header = numbered[0][1]
    _check_header(header, origin)
    if len(numbered) == 1:
        raise ValueError(f"{origin} has a header ({_listed(header)}) but no rows")
    for line, row in numbered[1:]:
        if len(row) != len(header):
            raise ValueError(
                f"{origin}, line {line}: {len(row)} cells where the header has {len(header)}; "
                "mend the line (a cell that holds a comma needs double quotes)"
            )
    cells = zip(*(row for _, row in numbered[1:]), strict=True)
    return {
        name: ["" if cell in missing else cell for cell in column] for name, column in zip(header, cells, strict=True)
    }


def _check_header(header: Sequence[str], origin: str) -> None:
    nameless = [str(place) for place, name in enumerate(header, start=1) if not name]
    if nameless:
        raise ValueError(
            f"{origin}: column {', '.join(nameless)} has no name; name it or leave it out "
            "(pandas writes its row numbers as such a column: use to_csv(..., index=False))"
        )
    double = sorted({name for name in header if header.count(name) > 1})
    if double:
        raise ValueError(f"{origin} has more than one column named {_listed(double)}; rename them")


def _separator_hint(columns: Iterable[str]) -> str:
    names = list(columns)
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        return " It has a single column: the separator must be a comma."
    return ""


def _refuse_missing(cells: Sequence[str], where: str) -> None:
    n_missing = sum(not cell for cell in cells)
    if n_missing:
        raise ValueError(
            f"{n_missing} of {len(cells)} cells are missing in the {where}; a row without a "
            "target teaches nothing: drop those rows first"
        )


def _guessed_task(cells: Sequence[str]) -> str:
    numbers = _numbers(cells)
    many = numbers is not None and len(np.unique(numbers)) > _MOST_GUESSED_CLASSES
    return "regression" if many else "classification"


def _quantities(cells: Sequence[str], where: str) -> NDArray[np.float64]:
    numbers = _numbers(cells)
    if numbers is None:
        stray = next(cell for cell in cells if not _NUMBER.fullmatch(cell))
        raise ValueError(
            f'regression needs numbers, but the {where} holds {stray!r}; mend the cell or use task="classification"'
        )
    if not np.isfinite(numbers).all():
        raise ValueError(f"the {where} holds a number beyond float64; rescale it")
    if np.ptp(numbers) == 0:
        raise ValueError(f"the {where} is {numbers[0]:g} in every row: nothing to predict")
    return numbers


def _labels(cells: Sequence[str], where: str) -> NDArray[Any]:
    """Whole numbers as int64 (1.0 and 1 are one class), anything else as it is written."""
    numbers = _numbers(cells)
    # Beyond 2^53 neighbouring labels would fall together in float64.
    whole = numbers is not None and bool(((numbers == np.trunc(numbers)) & (np.abs(numbers) < 2**53)).all())
    labels = numbers.astype(np.int64) if whole and numbers is not None else np.array(cells, str)
    n_classes = len(np.unique(labels))
    if n_classes == 1:
        raise ValueError(
            f"the {where} holds one class only ({labels[0]}) in all {len(labels)} rows; at least two are needed"
        )
    if n_classes == len(labels) > _MOST_GUESSED_CLASSES:
        raise ValueError(
            f"the {where} holds a class of its own for each of {len(labels)} rows; "
            'name another target, or use task="regression" if it is a quantity'
        )
    return labels


def _numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Parse the cells as float64 with NaN for '', or None if a cell is not a number."""
    distinct = set(cells) - {""}
    if not all(_NUMBER.fullmatch(cell) for cell in distinct):
        return None
    value = {cell: float(cell) for cell in distinct} | {"": math.nan}
    return np.array([value[cell] for cell in cells])


def _encoded(columns: Mapping[str, list[str]], origin: str) -> Bunch:
    import pandas as pd

    _refuse_infinite(columns, origin)
    coded = {name: _column_codes(cells) for name, cells in columns.items()}
    data = pd.DataFrame({name: values for name, (values, _) in coded.items()})
    _refuse_beyond_float32(data, origin)
    return Bunch(
        data=data,
        feature_names=list(data.columns),
        categories={name: found for name, (_, found) in coded.items() if found is not None},
        n_rows=data.shape[0],
        n_columns=data.shape[1],
        n_missing=int(data.isna().to_numpy().sum()),
    )


def _refuse_infinite(columns: Mapping[str, list[str]], origin: str) -> None:
    """A word for infinity would make categories of a column of numbers."""
    for name, cells in columns.items():
        words = {cell for cell in cells if cell and not _NUMBER.fullmatch(cell)}
        if words and all(_INFINITE.fullmatch(word) for word in words) and len(set(cells) - words - {""}) > 0:
            raise ValueError(
                f"{origin}: column {name} holds {sorted(words)[0]!r} among numbers, which trees of scikit-learn do not "
                "take; leave the cell empty if the value is missing, or write a number"
            )


def _column_codes(cells: Sequence[str]) -> tuple[NDArray[np.float64], list[str] | None]:
    """Values of one column, and its categories if it is categorical."""
    numbers = _numbers(cells)
    if numbers is not None:
        return numbers, None
    truth = {"": math.nan, "false": 0.0, "true": 1.0}
    if all(cell.lower() in truth for cell in cells):
        return np.array([truth[cell.lower()] for cell in cells]), None
    found = sorted(set(cells) - {""})
    code = {category: float(place) for place, category in enumerate(found)} | {"": math.nan}
    return np.array([code[cell] for cell in cells]), found


def _refuse_beyond_float32(data: pd.DataFrame, origin: str) -> None:
    # scikit-learn's trees hold features as float32 and would fail on these much later.
    beyond = (data.abs() > np.finfo(np.float32).max).any()
    if beyond.any():
        raise ValueError(
            f"{origin}: column {_listed(data.columns[beyond.to_numpy()])} holds a number beyond "
            "float32, which is what trees of scikit-learn split on; rescale it"
        )


def _notes(table: Bunch, columns: Mapping[str, list[str]]) -> list[str]:
    notes = [f"column {name} has no value at all and was dropped" for name in table.dropped]
    if table.task_guessed:
        notes.append(f"the task ({table.task}) was guessed from the target column")
    for name in table.categories:
        present = [cell for cell in columns[name] if cell]
        stray = [cell for cell in present if not _NUMBER.fullmatch(cell)]
        # Most likely a numeric column with a slip in it; said, since the codes lose the order.
        if len(stray) < len(present) / 2:
            notes.append(
                f"column {name} is read as categories, though all but {len(stray)} of its "
                f"{len(present)} cells are numbers: {_listed(sorted(set(stray)))}"
            )
    return notes


def _cautions(table: Bunch) -> list[str]:
    """What a file of one's own may not have been meant to say."""
    notes = [f"column {name} has {len(found)} categories, as codes" for name, found in table.categories.items()]
    notes += [
        f"column {name} has another value in every row, as an identifier has: leave it out (--drop) if it is one"
        for name in table.feature_names
        if _like_identifier(table.data[name].to_numpy(), name in table.categories)
    ]
    if table.task == "classification":
        labels, n_rows = np.unique(table.target, return_counts=True)
        notes += [
            f"class {label} has one row only: it cannot be both learned and tested" for label in labels[n_rows == 1]
        ]
    return notes


def _like_identifier(values: NDArray[np.float64], categorical: bool) -> bool:
    """Whether all values differ and are text, or whole numbers without a gap; a quantity has gaps."""
    if len(values) <= _MOST_GUESSED_CLASSES or np.isnan(values).any() or len(np.unique(values)) < len(values):
        return False
    return categorical or bool((values == np.trunc(values)).all() and np.ptp(values) == len(values) - 1)


def _listed(words: Iterable[object], most: int = 30) -> str:
    names = [str(word) for word in words]
    more = f", ... ({len(names) - most} more)" if len(names) > most else ""
    return ", ".join(names[:most]) + more
