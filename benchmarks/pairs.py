"""Two programs timed in turns, and one line that says how they compare.

Seconds say more about a machine than about a program, so nothing here prints any.  Each pair of
timings lies close together and gives one ratio; the middle one of several pairs is the result.
The clock is CPU time of this process, which other programs on the machine do not add to.
"""

from __future__ import annotations

import argparse
import gc
import platform
import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import sklearn
from numpy.typing import NDArray

Ratios = NDArray[np.float64]
Timer = Callable[[], float]

SHORTEST = 0.02  # seconds: a shorter run is repeated, as the clock and the caches ask for


def clocked(work: Callable[[], object], times: float = 1.0) -> Timer:
    """Return a function that measures the CPU seconds of one run, times a given factor."""

    def measure() -> float:
        gc.collect()
        runs, spent, start = 0, 0.0, time.process_time()
        while spent < SHORTEST:
            work()
            runs += 1
            spent = time.process_time() - start
        return times * spent / runs

    return measure


def in_turns(ours: Timer, peer: Timer, pairs: int = 9) -> Ratios:
    """Return ours / peer for each pair; who goes first changes from pair to pair."""
    ratios = np.empty(pairs)
    for k in range(pairs):
        if k % 2:
            second, first = peer(), ours()
        else:
            first, second = ours(), peer()
        ratios[k] = first / second
    return ratios


class Report:
    """Lines of ratios beside their bars; remembers whether one was missed."""

    def __init__(self, doc: str | None) -> None:
        versions = f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}, numpy {np.__version__}"
        print((doc or "").strip().splitlines()[0], f"({versions})", sep="\n", flush=True)
        self.missed = 0

    def heading(self, text: str) -> None:
        """Print what the next lines are."""
        print(f"\n{text}", flush=True)

    def at_most(self, label: str, ratios: Ratios, bar: float) -> None:
        """Print ours / peer, which must not exceed the bar."""
        self._line(label, ratios, f"bar <= {bar:g}", float(np.median(ratios)) <= bar)

    def times_faster(self, label: str, ratios: Ratios, bar: float) -> None:
        """Print peer / ours, which must reach the bar; give the same ours / peer as elsewhere."""
        self._line(label, 1 / ratios, f"bar >= {bar:g}", float(np.median(1 / ratios)) >= bar)

    def only(self, label: str, ratios: Ratios) -> None:
        """Print ours / peer where nothing is asked of it."""
        self._line(label, ratios, "no bar", None)

    def exit_code(self, check: bool) -> int:
        """Return 1 if a bar was missed and that was asked, else 0."""
        return int(check and self.missed > 0)

    def _line(self, label: str, ratios: Ratios, bar: str, met: bool | None) -> None:
        low, middle, high = np.min(ratios), np.median(ratios), np.max(ratios)
        verdict = "" if met is None else "met" if met else "missed"
        spread = f"({low:.3g}..{high:.3g}, {len(ratios)} pair{'s' * (len(ratios) > 1)})"
        print(f"  {label:<46} {middle:8.3g} {spread:<28} {bar:<12} {verdict}".rstrip(), flush=True)
        self.missed += met is False


def options(
    doc: str | None,
    numbers: Mapping[str, tuple[int, str]] | None = None,
    words: Mapping[str, Iterable[str]] | None = None,
    **flags: str,
) -> argparse.Namespace:
    """Read the command line: ``--check``, and the flags of one script with their meanings.

    Numbers have a default and a meaning, words are one of several, or None.
    """
    parser = argparse.ArgumentParser(description=(doc or "").strip().splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    for name, meaning in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    for name, (default, meaning) in (numbers or {}).items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{meaning} ({default:,})")
    for name, allowed in (words or {}).items():
        parser.add_argument(f"--{name}", choices=list(allowed))
    return parser.parse_args()
