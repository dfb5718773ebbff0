"""Figures of networks. A Display holds numbers and draws them; it computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

# from dark to light as bits become fewer, apart in grey; the marker tells them apart as well
COLORS = ("#000000", "#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7")
MARKERS = "os^DvP"
LINES = {"dense": "-", "early_stopping": "--", "weight_decay": ":"}
ALWAYS_DRAWN = ("random", "scratch_equal_epochs", "scratch_equal_macs")


class QuantizationDisplay:
    """Test score over the number of neurons, one line for each precision of the weights.

    Parameters
    ----------
    grid : DataFrame
        As `quantization_grid` returns it: columns n_neurons, bits, test_score. Where several
        networks are of one size, their mean is drawn, with bars of one standard deviation.

    Attributes
    ----------
    ax_, figure_
        What was drawn on, after `plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import QuantizationDisplay, quantization_grid
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> display = QuantizationDisplay(quantization_grid({"dense": mlp}, X, y)).plot()
    >>> [line.get_label() for line in display.ax_.get_lines()]
    ['64 bits', '8 bits', '4 bits', '2 bits']
    """

    def __init__(self, grid: DataFrame) -> None:
        self.grid = grid

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        """
        missing = {"n_neurons", "bits", "test_score"} - set(self.grid)
        if missing:
            raise ValueError(f"the grid lacks {', '.join(sorted(missing))}: quantization_grid makes one that has them")
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")[1]
        grid = self.grid.sort_values("bits", ascending=False)
        for k, (bits, rows) in enumerate(grid.groupby("bits", sort=False)):
            scores = rows.groupby("n_neurons")["test_score"]
            mean, spread = scores.mean(), scores.std(ddof=0)
            look: dict[str, Any] = {"color": COLORS[k % len(COLORS)], "marker": MARKERS[k % len(MARKERS)]}
            ax.plot(mean.index, mean, label=f"{bits} bits", **look)
            if spread.any():
                ax.vlines(mean.index, mean - spread, mean + spread, color=look["color"], linewidth=0.8)
        _neurons_axis(ax)
        ax.set_ylabel("test score")
        ax.legend(title="weights of", loc="best", framealpha=1, edgecolor="none")
        self.ax_, self.figure_ = ax, ax.figure
        return self


class CostCurveDisplay:
    """Test score over the number of neurons, for methods of pruning and what they must beat.

    Parameters
    ----------
    table : DataFrame
        One row per method, size and seed: method, n_neurons, seed, test_score. The methods random,
        scratch_equal_epochs and scratch_equal_macs must be among them; dense, early_stopping and
        weight_decay are drawn as lines across.

    Attributes
    ----------
    ax_, figure_
        What was drawn on, after `plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from pandas import DataFrame
    >>> from treeprune.neural import CostCurveDisplay
    >>> methods = ["obs", "random", "scratch_equal_epochs", "scratch_equal_macs"]
    >>> table = DataFrame({"method": methods, "n_neurons": 5, "seed": 0, "test_score": [0.9, 0.7, 0.9, 0.9]})
    >>> CostCurveDisplay(table).plot().ax_.get_xlabel()
    'hidden neurons'
    """

    def __init__(self, table: DataFrame) -> None:
        self.table = table

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw means over seeds, with bands of one standard deviation.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        """
        absent = set(ALWAYS_DRAWN) - set(self.table["method"])
        if absent:
            raise ValueError(f"the table has no rows of {', '.join(sorted(absent))}, which every such figure shows")
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")[1]
        for k, (method, rows) in enumerate(self.table.groupby("method", sort=False)):
            scores = rows.groupby("n_neurons")["test_score"]
            mean, spread, color = scores.mean(), scores.std(ddof=0), COLORS[k % len(COLORS)]
            name = str(method).replace("_", " ")
            if method in LINES:
                ax.axhline(mean.iloc[-1], color=color, linestyle=LINES[str(method)], linewidth=1, label=name)
                continue
            ax.plot(mean.index, mean, color=color, marker=MARKERS[k % len(MARKERS)], label=name)
            ax.fill_between(mean.index, mean - spread, mean + spread, color=color, alpha=0.18, linewidth=0)
        _neurons_axis(ax)
        ax.set_ylabel("test score (mean ± 1 SD)")
        ax.legend(loc="best", framealpha=1, edgecolor="none", fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _neurons_axis(ax: Axes) -> None:
    from matplotlib.ticker import NullLocator, StrMethodFormatter

    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("hidden neurons")
