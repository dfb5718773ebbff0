"""Figures of the report, as SVG to stand inside a page.

Colours are those of Okabe & Ito, and every kind of method has a marker of its own besides.  Ink
is the page's own text colour, so that figures follow it into the dark.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from treeprune.display import PruningCurveDisplay
from treeprune.neural.figures import CostCurveDisplay, QuantizationDisplay
from treeprune.study.methods import METHODS
from treeprune.study.results import StudyResults
from treeprune.study.statistics import CriticalDifference, CriticalDifferenceDisplay

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1f24"
LOOK: dict[str, dict[str, Any]] = {
    "nothing": {"color": "#7a828c", "marker": "o"},
    "growing rows": {"color": "#009E73", "marker": "s"},
    "held-out rows": {"color": "#D55E00", "marker": "^"},
    "cross-validation": {"color": "#0072B2", "marker": "D"},
}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7a828c", "#8c564b")
WIDTH = 5.2  # inches: text stays readable where the page is as narrow as a phone


def accuracy_against_size(by_method: pd.DataFrame, task: str) -> str:
    """Draw each method's mean gain over its relative size, with the Pareto front."""
    rows = by_method[by_method["task"] == task].sort_values("relative_leaves")
    size, gain = 100 * rows["relative_leaves"].to_numpy(), _unit(task) * rows["gain"].to_numpy()
    figure, ax = _axes(4.3)
    front = rows["front"].to_numpy()
    ax.step(size[front], gain[front], where="post", color=INK, linewidth=0.8, alpha=0.5, zorder=1)
    ax.axhline(0, color=INK, linewidth=0.6, alpha=0.4, linestyle=(0, (4, 3)))
    for x, y, name in zip(size, gain, rows["method"], strict=True):
        ax.plot(x, y, linestyle="none", markersize=6.5, markeredgecolor="none", **LOOK[METHODS[name].pruned_with])
    _log_percent_axis(ax, size)
    _labels_beside(ax, size, gain, [METHODS[name].title for name in rows["method"]])
    ax.set_xlabel("leaves, % of the unpruned tree (log scale)")
    ax.set_ylabel(f"{_score_name(task)}, difference to unpruned")
    _legend_of_kinds(ax, rows["method"])
    return _svg(figure, f"size-{task}")


def gains_by_set(by_set: pd.DataFrame, by_method: pd.DataFrame, task: str) -> str:
    """Draw for each method the difference to the unpruned tree: a dot a data set, a bar for the mean."""
    means = by_method[(by_method["task"] == task) & (by_method["method"] != "unpruned")].sort_values("gain")
    figure, ax = _axes(0.9 + 0.29 * len(means))
    for place, name in enumerate(means["method"]):
        gains = _unit(task) * by_set.loc[(by_set["task"] == task) & (by_set["method"] == name), "gain"].to_numpy()
        shift = np.linspace(-0.22, 0.22, len(gains)) if len(gains) > 1 else np.zeros(1)
        color = LOOK[METHODS[name].pruned_with]["color"]
        ax.plot(gains, place + shift, "o", markersize=3.6, color=color, alpha=0.55, markeredgecolor="none")
        ax.plot([gains.mean()] * 2, [place - 0.36, place + 0.36], color=color, linewidth=2.6, solid_capstyle="butt")
    ax.axvline(0, color=INK, linewidth=0.6, alpha=0.4, linestyle=(0, (4, 3)))
    ax.set_yticks(range(len(means)), [METHODS[name].title for name in means["method"]])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"{_score_name(task)}, difference to the unpruned tree")
    return _svg(figure, f"gains-{task}")


def generalization_curve(results: StudyResults, data: str, by_set: pd.DataFrame) -> str:
    """Draw train and test score over the leaves, repeats averaged, with the sizes that were chosen."""
    figure, ax = _axes(3.8, layout=None)  # to constrain it takes longer than to draw it
    figure.subplots_adjust(left=0.125, right=0.985, bottom=0.235, top=0.875)
    quiet = {"marker": None}
    PruningCurveDisplay(results.drawn_curve(data)).plot(ax, train_kw=quiet, test_kw=quiet)
    chosen = by_set[by_set["data"] == data].set_index("method")
    for name, marker in (("cost_complexity_minimum", "D"), ("cost_complexity_one_standard_error", "v")):
        if name in chosen.index:
            point = chosen.loc[name]
            title = METHODS[name].title.replace("cost-complexity, ", "chosen by CV: ")
            label = f"{title} ({point['leaves']:.3g} leaves)"
            ax.plot(point["leaves"], point["test"], marker, color=INK, markersize=6.5, label=label, linestyle="none")
    ax.set_title("", loc="left")
    ax.set_ylabel("accuracy" if results.tables[data].task == "classification" else "R²")
    _zoom(ax, results, data)
    below: dict[str, Any] = {
        "loc": "upper center",
        "bbox_to_anchor": (0.46, -0.155),
    }  # inside it would hide one curve or another
    ax.legend(**below, ncols=3, fontsize=7.5, frameon=False, handletextpad=0.4, columnspacing=1.2)
    return _svg(figure, f"curve-{data}")


def critical_difference(found: CriticalDifference, titles: dict[str, str], task: str) -> str:
    """Draw mean ranks, those that do not differ joined."""
    figure = _figure(1.2 + 0.13 * len(found.ranks), width=2 * WIDTH)
    CriticalDifferenceDisplay(found, titles).plot(figure.add_subplot())
    return _svg(figure, f"ranks-{task}")


def over_factor(
    table: pd.DataFrame, results: StudyResults, factor: str, levels: list[Any], task: str, title: str
) -> str:
    """Draw each method's mean test score, and its leaves below, over the levels of a factor."""
    from matplotlib.ticker import LogLocator, NullLocator, ScalarFormatter

    figure = _figure(3.9, width=2 * WIDTH)
    left, right = figure.subplots(1, 2, sharex=True)
    _style(left, right)
    numbers = [results.numeric_level(factor, level) for level in levels]
    place = numbers if None not in numbers else list(range(len(levels)))
    for i, name in enumerate(name for name in METHODS if name in set(table["method"])):
        mine = table[table["method"] == name].set_index(factor).reindex(levels)
        look = {"color": COLOURS[i % 8], "marker": "osD^v<>PX*"[i % 10], "markersize": 4.5, "linewidth": 1.2}
        left.plot(place, _unit(task) * mine["test"].to_numpy(float), label=METHODS[name].title, **look)
        right.plot(place, mine["leaves"].to_numpy(float), **look)
    right.set_yscale("log")
    right.yaxis.set_major_formatter(ScalarFormatter())
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_minor_locator(NullLocator())
    left.set_ylabel("test accuracy in %" if task == "classification" else "test R²")
    right.set_ylabel("leaves, mean over sets (log scale)")
    for ax in (left, right):
        ax.set_xlabel(title)
        if None in numbers:
            ax.set_xticks(place, [str(level) for level in levels], parse_math=False)  # a grower's name may have $
    figure.legend(loc="outside upper left", ncols=4, fontsize=8, frameon=False, columnspacing=1.2)
    return _svg(figure, f"factor-{factor}-{task}")


def sizes_chosen(results: StudyResults) -> str:
    """Draw how often each size was chosen, a panel for each tuned method."""
    rows = results.rows
    tuned = [name for name in results.study.methods if METHODS[name].pruned_with == "cross-validation"]
    figure = _figure(0.8 + 1.4 * len(tuned), width=2 * WIDTH)
    panels = np.atleast_1d(figure.subplots(len(tuned), 1, sharex=True))
    _style(*panels)
    for ax, name in zip(panels, tuned, strict=True):
        sizes, counts = np.unique(rows.loc[rows["method"] == name, "leaves"].dropna(), return_counts=True)
        ax.bar(sizes, counts, width=0.8, color=LOOK["cross-validation"]["color"])
        ax.set_title(METHODS[name].title, loc="left", fontsize=9)
        ax.set_ylabel("draws")
    panels[-1].set_xlabel("leaves chosen")
    return _svg(figure, "sizes")


def networks(rows: pd.DataFrame, data: str, task: str) -> str:
    """Draw the test score of pruned networks, and of what they must beat, over the compression ratio."""
    figure, ax = _axes(4.3)
    CostCurveDisplay(rows, size="compression_ratio").plot(ax)
    ax.set_ylabel(f"test {'accuracy' if task == 'classification' else 'R²'} (mean ± 1 SD)")
    _zoom_network(ax, task)
    ax.legend(loc="lower left", fontsize=7.5, frameon=False)
    return _svg(figure, f"networks-{data}")


def quantization(grid: pd.DataFrame, data: str, task: str) -> str:
    """Draw the test score over the neurons left, a line for each precision of the weights."""
    figure, ax = _axes(4.3)
    QuantizationDisplay(grid).plot(ax)
    ax.set_ylabel(f"test {'accuracy' if task == 'classification' else 'R²'}")
    _zoom_network(ax, task)
    return _svg(figure, f"quantization-{data}")


def _zoom_network(ax: Axes, task: str) -> None:
    if task == "regression":
        ax.set_ylim(bottom=max(-0.6, ax.get_ylim()[0]))


def _axes(height: float, layout: Literal["constrained"] | None = "constrained") -> tuple[Figure, Axes]:
    import matplotlib

    with matplotlib.rc_context(STYLE):  # axes read most of it when they are made
        figure = _figure(height, layout)
        return figure, figure.add_subplot()


def _figure(height: float, layout: Literal["constrained"] | None = "constrained", width: float = WIDTH) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)


def _style(*panels: Axes) -> None:
    for ax in panels:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)


def _unit(task: str) -> float:
    return 100.0 if task == "classification" else 1.0


def _score_name(task: str) -> str:
    return "test accuracy in points" if task == "classification" else "test R²"


def _zoom(ax: Axes, results: StudyResults, data: str) -> None:
    """Leave the root's score out where it would press all others together: a regression below 0."""
    if results.tables[data].task == "regression":
        ax.set_ylim(max(-0.6, ax.get_ylim()[0]), 1.04)


def _log_percent_axis(ax: Axes, size: NDArray[Any]) -> None:
    from matplotlib.ticker import NullLocator

    low, high = size.min() / 1.25, max(size.max(), 100.0) * 1.25
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if low <= t <= high]
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.xaxis.set_minor_locator(NullLocator())


def _labels_beside(ax: Axes, x: NDArray[Any], y: NDArray[Any], names: list[str]) -> None:
    """Write the names in a column at the right, apart from each other, each tied to its point."""
    low, high = min(y.min(), 0.0), max(y.max(), 0.0)
    margin = 0.08 * (high - low or 1.0)
    ax.set_ylim(low - margin, high + margin)
    order = np.argsort(y)
    at = np.empty(len(y))
    at[order] = _apart((y[order] - low + margin) / (high - low + 2 * margin), 0.068)
    for i, name in enumerate(names):
        ax.annotate(
            name,
            (x[i], y[i]),
            (1.03, at[i]),
            textcoords="axes fraction",
            va="center",
            ha="left",
            fontsize=8.5,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.4, "alpha": 0.45, "shrinkA": 1, "shrinkB": 4},
        )


def _apart(places: NDArray[Any], least: float) -> NDArray[Any]:
    """Move ascending places so that neighbours are at least so far apart, and their mean stays."""
    moved = places.copy()
    for _ in range(200):
        gap = np.diff(moved)
        lack = np.maximum(least - gap, 0)
        if lack.max(initial=0) < 1e-6:
            break
        moved[:-1] -= lack / 2
        moved[1:] += lack / 2
    overhang = max(moved[-1] - 1.02, 0) + min(moved[0] + 0.02, 0)
    return moved - overhang


def _legend_of_kinds(ax: Axes, methods: Any) -> None:
    kinds = {METHODS[name].pruned_with for name in methods}
    titles = {
        "nothing": "not pruned",
        "growing rows": "pruned with the growing rows",
        "held-out rows": "with held-out rows",
        "cross-validation": "by cross-validation",
    }
    for kind, title in titles.items():
        if kind in kinds:
            ax.plot([], [], linestyle="none", markersize=6, markeredgecolor="none", label=title, **LOOK[kind])
    ax.figure.legend(loc="outside upper left", ncols=2, fontsize=8, handletextpad=0.2, columnspacing=1.2, frameon=False)


def _svg(figure: Figure, name: str) -> str:
    """Return the figure as an ``<svg>`` element whose ids no other figure of the page has."""
    import matplotlib

    target = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(target, format="svg", transparent=True, metadata={"Date": None})
    svg = target.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    prefix = re.sub(r"[^\w-]", "_", name)
    svg = re.sub(r'\bid="([^"]*)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", svg)
    svg = re.sub(r"font: ([^;\"]*?px) [^;\"]*", r"font: \1 var(--sans)", svg)
    for ink in (INK, "#000000"):
        svg = svg.replace(ink, "currentColor")
    for grey in ("#404040", "#595959"):
        svg = svg.replace(grey, "var(--quiet)")
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'aria-hidden="true" focusable="false"', svg, count=1)
