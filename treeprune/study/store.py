"""The file that a study's rows are kept in: what is there is never computed again.

SQLite, written by the parent process only.  A unit of work comes in whole, with all of its rows, in
one transaction, or not at all; so a study may be killed at any moment, and two studies may write to
one file.  A unit is known by the hash of all that decides what it finds.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

PATIENCE = 60.0  # seconds to wait for another process that is writing
TRIES = 100
MARK = 0x74707275  # "tpru", in the header of the file: SQLite's application_id

Row = Mapping[str, Any]


class Store:
    """Rows of units of work, table by table, in one SQLite file.

    Parameters
    ----------
    path : path
        Made if it is not there. ``":memory:"`` keeps everything in memory.
    columns : mapping from table to sequence of str
        Names of the tables and of their columns.

    Raises
    ------
    ValueError
        If the file is no store, or of other columns.

    Examples
    --------
    >>> from treeprune.study.store import Store
    >>> with Store(":memory:", {"results": ("method", "test")}) as store:
    ...     first = store.add("1f", {"seed": 0}, {"results": [{"method": "unpruned", "test": 0.5}]})
    ...     again = store.add("1f", {"seed": 0}, {"results": [{"method": "unpruned", "test": 0.5}]})
    ...     first, again, store.frame("results", ["1f"]).to_dict("records")
    (True, False, [{'method': 'unpruned', 'test': 0.5}])
    """

    def __init__(self, path: str | Path, columns: Mapping[str, Sequence[str]]) -> None:
        self.path, self.columns = path, columns
        try:
            self._connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise ValueError(f"{path} cannot be opened or made: {error}") from None
        try:
            self._make_tables()
        except (sqlite3.DatabaseError, ValueError) as error:
            self._connection.close()
            raise ValueError(f"{path} is no store of this version of treeprune's studies: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, key: str, configuration: Row, tables: Mapping[str, Iterable[Row]], error: str = "") -> bool:
        """Write a unit with all of its rows, or nothing.

        Parameters
        ----------
        key : str
        configuration : mapping
            What the key is the hash of.
        tables : mapping from table to rows
        error : str, default=""
            Why the unit failed as a whole.

        Returns
        -------
        bool
            False if the unit is there already; it then stays as it is.
        """
        with _Transaction(self._connection) as connection:
            entry = (key, json.dumps(configuration, sort_keys=True, default=str), error)
            added = connection.execute("INSERT OR IGNORE INTO units VALUES (?, ?, ?)", entry).rowcount == 1
            if added:
                for table, rows in tables.items():
                    self._insert(table, key, rows)
        return added

    def declare(self, design: Row) -> None:
        """Write down the design that goes on with the store now."""
        with _Transaction(self._connection) as connection:  # what is there already becomes the latest again
            connection.execute("INSERT OR REPLACE INTO designs VALUES (?)", (json.dumps(design, default=str),))

    def declared(self) -> dict[str, Any]:
        """Return the design that was declared last; nothing if none was."""
        found = self._connection.execute("SELECT design FROM designs ORDER BY rowid DESC LIMIT 1").fetchone()
        return json.loads(found[0]) if found else {}

    def keys(self) -> set[str]:
        """Return the keys of all units that are there, failed ones too."""
        return {key for (key,) in self._connection.execute("SELECT key FROM units")}

    def forget_failures(self) -> int:
        """Remove the units that failed, whole or in one method, so that they are done again; return how many."""
        with _Transaction(self._connection) as connection:
            with_errors = [name for name, columns in self.columns.items() if "error" in columns]
            rows = [f"SELECT unit FROM {name} WHERE error != ''" for name in with_errors]
            failed = " UNION ".join(["SELECT key FROM units WHERE error != ''", *rows])
            keys = connection.execute(failed).fetchall()
            for table in self.columns:
                connection.executemany(f"DELETE FROM {table} WHERE unit = ?", keys)
            connection.executemany("DELETE FROM units WHERE key = ?", keys)
            return len(keys)

    def frame(self, table: str, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of units, in the order of the keys given; of all units, as they came in, if none are.

        Returns
        -------
        DataFrame
            A missing number is NaN, a missing word None.
        """
        import pandas as pd

        if keys is None:
            keys = [key for (key,) in self._connection.execute("SELECT key FROM units ORDER BY rowid")]
        names = ", ".join(map(_quoted, self.columns[table]))
        found = self._connection.execute(f"SELECT unit, {names} FROM {table} ORDER BY unit, place").fetchall()
        order = {key: place for place, key in enumerate(keys)}
        rows = sorted((row for row in found if row[0] in order), key=lambda row: order[row[0]])
        return pd.DataFrame([row[1:] for row in rows], columns=list(self.columns[table])).infer_objects()

    def _make_tables(self) -> None:
        with _Transaction(self._connection) as connection:  # another process may be at it too
            mark = connection.execute("PRAGMA application_id").fetchone()[0]
            if mark != MARK and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise ValueError("it is some other program's")
            connection.execute(f"PRAGMA application_id={MARK}")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS units (key TEXT PRIMARY KEY, configuration TEXT, error TEXT)"
            )
            connection.execute("CREATE TABLE IF NOT EXISTS designs (design TEXT PRIMARY KEY)")
            for table, columns in self.columns.items():
                self._make_table(table, columns)
        self._write_ahead()

    def _make_table(self, table: str, columns: Sequence[str]) -> None:
        names = ", ".join(map(_quoted, columns))
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {table} "
            f"(unit TEXT REFERENCES units (key), place INTEGER, {names}, PRIMARY KEY (unit, place))"
        )
        there = [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")][2:]
        if there != list(columns):
            raise ValueError(f"its table {table} has the columns {', '.join(there)}")

    def _write_ahead(self) -> None:
        """Log before writing; to turn that on SQLite wants the file to itself, and does not wait for it."""
        for _ in range(TRIES):
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                break
            except sqlite3.OperationalError:  # whoever holds it turns it on too
                time.sleep(0.05)
        self._connection.execute("PRAGMA synchronous=NORMAL")  # under WAL a crash loses the last units at most

    def _insert(self, table: str, key: str, rows: Iterable[Row]) -> None:
        columns = self.columns[table]
        marks = ", ".join("?" * (len(columns) + 2))
        entries = [(key, place, *(_plain(row.get(column)) for column in columns)) for place, row in enumerate(rows)]
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", entries)


class _Transaction:
    """All or nothing; it takes the right to write at once, so that two processes wait for each other."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self.connection.execute("BEGIN IMMEDIATE")
        return self.connection

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _plain(value: Any) -> Any:
    """Return what SQLite can hold; NaN becomes NULL there by itself."""
    return value.item() if isinstance(value, np.generic) else value
