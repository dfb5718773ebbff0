"""Parameters of the right kind and in range, or an error that says what was expected."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

MOST = 10**300  # beyond it a whole number is no float


def check_number(name: str, value: Any, *, low: float = -np.inf, high: float = np.inf, open_ends: bool = False) -> None:
    """Raise ValueError unless the value is a number between the ends."""
    ends = f"({low}, {high})" if open_ends else f"[{low}, {high}]"
    if not isinstance(value, Real) or isinstance(value, bool) or value != value:
        raise ValueError(f"{name}={value!r}: a number in {ends} is expected")
    if isinstance(value, int) and abs(value) > MOST:
        raise ValueError(f"{name} is a whole number of {len(str(value))} digits: a number in {ends} is expected")
    if not (low < float(value) < high if open_ends else low <= float(value) <= high):
        raise ValueError(f"{name}={value!r} is out of range: a number in {ends} is expected")


def check_count(name: str, value: Any, *, low: int) -> None:
    """Raise ValueError unless the value is a whole number, at least ``low``."""
    if value is None:
        raise ValueError(f"{name} must be given: a whole number, {low} or more")
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < low:
        raise ValueError(f"{name}={value!r}: a whole number, {low} or more, is expected")


def check_choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless the value is one of those allowed."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: one of {', '.join(map(repr, allowed))} is expected")


def check_flag(name: str, value: Any) -> None:
    """Raise ValueError unless the value is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}={value!r}: True or False is expected")


def random_numbers(random_state: Any) -> np.random.RandomState:
    """Return a RandomState, as scikit-learn takes them; of a Generator, one that is seeded by it."""
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(int(random_state.integers(2**32)))
    return check_random_state(random_state)
