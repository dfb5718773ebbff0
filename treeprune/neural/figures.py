"""Figures of networks. A Display holds numbers and draws them; it computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

# from dark to light as bits become fewer, apart in grey; the marker tells them apart as well
COLORS = ("#000000", "#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7")
MARKERS = "os^DvP"
BESIDE: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5), "edgecolor": "none"}
LINES = {"dense": "-", "early_stopping": "--", "weight_decay": ":"}
ALWAYS_DRAWN = (
    *("random", "magnitude", "scratch_equal_epochs", "scratch_equal_macs"),
    *("early_stopping", "weight_decay"),
)
SIZES = {
    "n_neurons": "hidden neurons",
    "compression_ratio": "compression ratio",
    "theoretical_speedup": "theoretical speed-up, in multiply-adds",
}


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
            look = _look(k)
            ax.plot(mean.index, mean, label=f"{bits} bits", **look)
            if spread.any():
                ax.vlines(mean.index, mean - spread, mean + spread, color=look["color"], linewidth=0.8)
        _neurons_axis(ax)
        ax.set_ylabel("test score")
        ax.legend(title="weights of", **BESIDE)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class CostCurveDisplay:
    """Test score over the size, for methods of pruning and what they must beat.

    Parameters
    ----------
    table : DataFrame
        One row per method, size and seed, as from `compare_neurons`: method, n_neurons, seed, test_score. The
        baselines random, magnitude, scratch_equal_epochs, scratch_equal_macs, early_stopping and
        weight_decay must be among the methods; the last two, and dense, are drawn as lines across.
    size : {"n_neurons", "compression_ratio", "theoretical_speedup"}, default="n_neurons"
        Column along the axis.

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
    >>> from treeprune.neural import CostCurveDisplay, compare_neurons
    >>> X, y = load_iris(return_X_y=True)
    >>> means = {"n_keep": [6, 3], "seeds": [0], "epochs": 5}
    >>> table = compare_neurons(MLPClassifier(12), X[::2], y[::2], X[1::2], y[1::2], **means)
    >>> CostCurveDisplay(table, size="compression_ratio").plot().ax_.get_xlabel()
    'compression ratio'
    """

    def __init__(self, table: DataFrame, size: str = "n_neurons") -> None:
        self.table = table
        self.size = size

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
        if self.size not in SIZES or self.size not in self.table:
            raise ValueError(f"size={self.size!r}: a column of the table is expected, one of {', '.join(SIZES)}")
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")[1]
        across = self.table["method"].isin(list(LINES))
        for k, (method, rows) in enumerate(self.table[~across].groupby("method", sort=False)):
            self._draw_curve(ax, rows, _title(method), _look(k))
        for method, rows in self.table[across].groupby("method", sort=False):
            style: dict[str, Any] = {"color": "0.35", "linestyle": LINES[str(method)], "linewidth": 1}
            ax.axhline(rows["test_score"].mean(), label=_title(method), **style)
        _size_axis(ax, SIZES[self.size])
        ax.set_ylabel("test score (mean ± 1 SD)")
        for text in ax.legend(fontsize="small", **BESIDE).get_texts():
            text.set_parse_math(False)  # a method of one's own may have a $ in its name
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_curve(self, ax: Axes, rows: DataFrame, name: str, look: dict[str, Any]) -> None:
        """One point for each size; other seeds may have sizes that differ a little."""
        sizes = rows.groupby("n_neurons")
        x, mean, spread = sizes[self.size].mean(), sizes["test_score"].mean(), sizes["test_score"].std(ddof=0)
        ax.plot(x, mean, label=name, **look)
        ax.fill_between(x, mean - spread, mean + spread, color=look["color"], alpha=0.15, linewidth=0)


def _look(k: int) -> dict[str, Any]:
    """Colour and marker of the k-th curve: no pair comes twice among 36."""
    n = len(COLORS)
    return {"color": COLORS[k % n], "marker": MARKERS[(k + k // n) % n]}


def _title(method: object) -> str:
    return str(method).replace("_", " ")


def _size_axis(ax: Axes, name: str) -> None:
    _neurons_axis(ax)
    ax.set_xlabel(name)


def _neurons_axis(ax: Axes) -> None:
    from matplotlib.ticker import NullLocator, StrMethodFormatter

    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("hidden neurons")
