"""What every question of the laboratory is answered with: a table, its means, a figure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from textwrap import fill
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Okabe & Ito, apart for colour-blind eyes, and markers apart in grey
COLORS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#000000")
MARKERS = "os^Dvp"
N_BINS = 50  # of the heaps of dots, over all kinds


@dataclass(frozen=True, eq=False)
class Answer:
    """A question and the table that answers it.

    Attributes
    ----------
    question : str
    table : DataFrame
        One row for each repeat and condition.
    along : str
        Column of the condition that runs.
    shown : tuple of str
        Columns of numbers.
    by : str or None
        Column that tells lines apart: a method, say.
    stacked : bool
        Whether the numbers shown are parts of one whole.

    Examples
    --------
    >>> from pandas import DataFrame
    >>> from treeprune.diagnostics import Answer
    >>> table = DataFrame({"n": [10, 10, 20, 20], "test": [0.5, 0.7, 0.8, 0.8]})
    >>> Answer("Do more rows help?", table, "n", ("test",))
    Do more rows help?
     n  test mean  test sd  repeats
    10        0.6    0.141        2
    20        0.8    0.000        2
    """

    question: str
    table: pd.DataFrame
    along: str
    shown: tuple[str, ...]
    by: str | None = None
    stacked: bool = False

    def summary(self) -> pd.DataFrame:
        """Return mean and standard deviation over the repeats, and their number, of every condition."""
        keys = [self.along] if self.by is None else [self.by, self.along]
        grouped = self.table.groupby(keys, sort=False)
        columns: dict[str, Any] = {}
        for name in self.shown:
            columns[f"{name} mean"] = grouped[name].mean()
            columns[f"{name} sd"] = grouped[name].std()
        columns["repeats"] = grouped.size()
        import pandas as pd

        return pd.DataFrame(columns).reset_index()

    def joined(self) -> Answer:
        """Return the same with all kinds as one line: the two axes of double descent, one after the other."""
        return replace(self, by=None)

    def plot(self, axes: Any = None) -> AnswerDisplay:
        """Draw the means, with bands of one standard deviation; see `AnswerDisplay`."""
        return AnswerDisplay(self).plot(axes)

    def __repr__(self) -> str:
        return f"{self.question}\n{self.summary().round(3).to_string(index=False)}"


class AnswerDisplay:
    """Means over the condition that runs, one panel for each number, one line for each kind.

    Parameters
    ----------
    answer : Answer

    Attributes
    ----------
    axes_, figure_
        What was drawn on, after `plot`.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def plot(self, axes: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        axes : matplotlib Axes or sequence of them, default=None
            One for each number shown (one in all where they are parts of a whole); a new figure by default.
        """
        panels = 1 if self.answer.stacked else len(self.answer.shown)
        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.subplots(1, panels, figsize=(5.2 * panels, 4.0), layout="constrained", squeeze=False)[1]
        axes = list(np.ravel(axes))
        if len(axes) != panels:
            raise ValueError(
                f"{panels} axes are needed, one for each of {', '.join(self.answer.shown)}; got {len(axes)}"
            )
        runs = self.answer.table[self.answer.along].dtype.kind in "iuf"  # or it names kinds
        if self.answer.stacked:
            (self._draw_parts if runs else self._draw_bars)(axes[0])
        else:
            for ax, name in zip(axes, self.answer.shown, strict=True):
                (self._draw_lines if runs else self._draw_dots)(ax, name)
        axes[0].figure.suptitle(self.answer.question, fontsize="medium", parse_math=False)
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def _draw_lines(self, ax: Axes, name: str) -> None:
        answer, means = self.answer, self.answer.summary()
        kinds = [(None, means)] if answer.by is None else list(means.groupby(answer.by, sort=False))
        for k, (kind, unsorted) in enumerate(kinds):
            rows = unsorted.sort_values(answer.along)
            x, mean, spread = rows[answer.along], rows[f"{name} mean"], rows[f"{name} sd"].fillna(0)
            look: dict[str, Any] = {"color": COLORS[k % 6], "marker": MARKERS[k % 6], "markersize": 4}
            ax.plot(x, mean, label=None if kind is None else str(kind), **look)
            ax.fill_between(x, mean - spread, mean + spread, color=look["color"], alpha=0.15, linewidth=0)
        _label(ax, answer.along, name)
        if answer.by is not None:
            _legend(ax)

    def _draw_parts(self, ax: Axes) -> None:
        answer, means = self.answer, self.answer.summary().sort_values(self.answer.along)
        parts = [means[f"{name} mean"].to_numpy() for name in answer.shown]
        labels = [name.replace("_", " ") for name in answer.shown]
        ax.stackplot(means[answer.along], parts, labels=labels, colors=COLORS[: len(parts)], alpha=0.75)
        _label(ax, answer.along, "error")
        _legend(ax)

    def _draw_bars(self, ax: Axes) -> None:
        """One bar a kind, its parts on top of each other from the bottom; parts below 0 hang under it."""
        answer, means = self.answer, self.answer.summary()
        above, below = np.zeros(len(means)), np.zeros(len(means))
        for k, name in enumerate(answer.shown):
            part = means[f"{name} mean"].to_numpy()
            ax.bar(range(len(means)), part, bottom=np.where(part >= 0, above, below), color=COLORS[k], label=name)
            above, below = above + np.maximum(part, 0), below + np.minimum(part, 0)
        ax.set_xticks(range(len(means)), [str(kind) for kind in means[answer.along]], parse_math=False)
        ax.set_ylabel("error")
        _legend(ax)

    def _draw_dots(self, ax: Axes, name: str) -> None:
        """One row a kind, from the top: a dot for each run, heaped up as a histogram, and a line for the mean."""
        groups = list(self.answer.table.groupby(self.answer.along, sort=False)[name])[::-1]
        heaps = _heaps(self.answer.table[name], [values.index for _, values in groups])
        tallest = max(height.max() for _, height in heaps)
        for place, ((_, values), (at, height)) in enumerate(zip(groups, heaps, strict=True)):
            color = COLORS[(len(groups) - 1 - place) % 6]
            ax.plot(at, place + 0.05 + 0.75 * height / tallest, "o", color=color, markersize=min(4, 90 / tallest))
            ax.plot([values.mean()] * 2, [place, place + 0.85], color="black", linewidth=1.5)
            ax.axhline(place, color="0.7", linewidth=0.8, zorder=0)
        names = [fill(str(kind).replace("_", " "), 18) for kind, _ in groups]
        ax.set_yticks(np.arange(len(groups)) + 0.4, names, parse_math=False)
        ax.set_xlabel(f"{name.replace('_', ' ')} (a dot: one run; a line: the mean)")


def _heaps(numbers: pd.Series[Any], groups: list[Any]) -> list[tuple[NDArray[Any], NDArray[np.intp]]]:
    """For each group of repeats the places of its dots, and how many lie on each other there, from 1."""
    values = numbers.to_numpy(dtype=np.float64)
    step = max(np.ptp(values) / N_BINS, 1.0 if numbers.dtype.kind in "iu" else 1e-12)
    binned = numbers.min() + step * np.round((numbers - numbers.min()) / step)
    heaps = []
    for index in groups:
        at = np.sort(binned.loc[index].to_numpy())
        heaps.append((at, np.arange(len(at)) - np.searchsorted(at, at) + 1))
    return heaps


def _legend(ax: Axes) -> None:
    for text in ax.legend(framealpha=1, edgecolor="none", fontsize="small").get_texts():
        text.set_parse_math(False)  # models have the names that a user gives them, and $ is no formula there


def _label(ax: Axes, along: str, name: str) -> None:
    low, high = ax.get_xlim()
    if along in ("n_leaves", "n_train", "complexity") and high > 0:
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlim(max(low, 0.9), high)
    ax.set_xlabel(along.replace("_", " "))
    ax.set_ylabel(name.replace("_", " "))
