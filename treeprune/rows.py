"""Some rows of tables of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def take_rows(rows: NDArray[np.intp], *tables: Any) -> list[Any]:
    """Return these rows of each table: arrays, sparse matrices, data frames, lists; None stays None."""
    return [_take(table, rows) for table in tables]


def _take(table: Any, rows: NDArray[np.intp]) -> Any:
    if table is None:
        return None
    if hasattr(table, "iloc"):
        return table.iloc[rows]
    return table[rows] if hasattr(table, "shape") else np.asarray(table)[rows]
