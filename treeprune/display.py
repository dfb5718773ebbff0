"""Figures. A Display holds numbers and draws them on axes; it computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from treeprune.curve import GeneralizationCurve, LevelScores
from treeprune.dispatch import FAMILIES, pruning_cuts, pruning_path
from treeprune.selection import minimum
from treeprune.tree.curve import Scoring, pruning_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# blue and vermilion of Okabe & Ito: apart for colour-blind eyes, and dark and light in grey
TEST = {"color": "#0072B2", "linestyle": "-", "marker": "o", "linewidth": 2.0, "markersize": 4}
TRAIN = {"color": "#E69F00", "linestyle": "--", "marker": "s", "linewidth": 1.5, "markersize": 3.5}
MANY_LEVELS = 60  # beyond this, markers hide the line
N_PRICE_TICKS = 7
SIZES = ("n_keep",)  # parameters that are the size itself, which has an axis already


class PruningCurveDisplay:
    """Train and test score over the number of leaves, with the price on a second axis.

    Soft pruning keeps all leaves: its scores are drawn over its parameter.

    Parameters
    ----------
    curve : GeneralizationCurve
        Repeats are drawn as their mean, with a band of one standard deviation.
    level : int, default=None
        The level to mark, a position in ``curve.summary()``.
    chosen_leaves : int, default=None
        Leaves of the tree that was chosen, for the legend, where the curve is a mean of other trees.

    Attributes
    ----------
    ax_, figure_
        What was drawn on, after `plot`.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> import treeprune as tp
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[:400], y[:400])
    >>> display = tp.PruningCurveDisplay.from_estimator(tree, X[:400], y[:400], X[400:], y[400:])
    >>> display.ax_.get_xlabel()
    'leaves'
    """

    def __init__(self, curve: GeneralizationCurve, level: int | None = None, chosen_leaves: int | None = None) -> None:
        self.curve = curve
        self.level = level
        self.chosen_leaves = chosen_leaves

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X_train: Any,
        y_train: Any,
        X_test: Any,
        y_test: Any,
        *,
        method: str = "cost_complexity",
        scoring: Scoring = None,
        ax: Axes | None = None,
        **parameters: Any,
    ) -> Self:
        """Compute the curve of a fitted tree and draw it.

        Parameters
        ----------
        estimator : fitted tree
            Or a Pipeline, search or FrozenEstimator with one in it; a network for ``method="neuron"``.
        X_train, y_train, X_test, y_test : array-like
            Rows to score. The pruning itself reads the growing rows, off the tree.
        method : str, default="cost_complexity"
            A method with a path or a family of cuts.
        scoring : str or callable, default=None
        ax : matplotlib Axes, default=None
        **parameters
            Of the method.

        Notes
        -----
        The level marked is the best on the test rows: good for seeing, too good for reporting.
        """
        cuts = method == "optimal" or method in FAMILIES
        rows = (X_train, y_train) if method == "neuron" else ()  # trees remember theirs
        family = (pruning_cuts if cuts else pruning_path)(estimator, method, *rows, **parameters)
        curve = pruning_curve(estimator, family, X_train, y_train, X_test, y_test, scoring)
        return cls(curve, level=minimum(curve)).plot(ax, level_name="best on test rows")

    @classmethod
    def from_cv(cls, search: Any, *, ax: Axes | None = None) -> Self:
        """Draw the curve of a fitted `PrunerCV`, its folds as repeats, the level it chose marked."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(search)
        names = ("n_leaves_", "n_neurons_", "n_nonzero_")
        size = next(getattr(search, name) for name in names if hasattr(search, name))
        return cls(search.curve_, level=search.best_level_, chosen_leaves=size).plot(ax)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        level_name: str = "chosen",
        train_kw: dict[str, Any] | None = None,
        test_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        level_name : str, default="chosen"
            What the marked level is called.
        train_kw, test_kw : dict, default=None
            For ``Axes.plot``, in place of the lines' own look.
        """
        last = len(self.curve.summary().n_leaves) - 1
        if self.level is not None and not 0 <= self.level <= last:
            raise ValueError(f"level={self.level}: the curve has levels 0 to {last}")
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")[1]
        scores, sign = self.curve.summary(), -1 if self.curve.scoring.startswith("neg_") else 1
        x = scores.price if _is_soft(scores) else scores.n_leaves
        _draw_scores(ax, x, sign * scores.train, scores.train_spread, "train", self._style(TRAIN, train_kw))
        _draw_scores(ax, x, sign * scores.test, scores.test_spread, "test", self._style(TEST, test_kw))
        if self.level is not None:
            _mark(ax, x[self.level], sign * scores.test[self.level], f"{level_name}: {self._name_of(scores)}")
        if _is_soft(scores):
            _strength_axis(ax, scores.price)
            ax.set_xlabel(f"{self.curve.parameter.replace('_', ' ')} ({scores.n_leaves[0]:.3g} {self.curve.unit})")
        else:
            _leaves_axis(ax, scores.n_leaves)
            ax.set_xlabel(self.curve.unit if self.curve.n_repeats == 1 else f"{self.curve.unit} (mean of repeats)")
            if self.curve.parameter not in SIZES:
                _price_axis(ax, scores, self.curve.parameter)
        ax.set_ylabel(self.curve.scoring.removeprefix("neg_").replace("_", " "))
        ax.set_title(self.curve.method.replace("_", "-"), loc="left", fontsize="medium")
        ax.legend(loc="best", framealpha=1, edgecolor="none")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _name_of(self, scores: LevelScores) -> str:
        """The marked level in words: its size, or the strength of soft pruning."""
        if _is_soft(scores):
            return f"{self.curve.parameter.replace('_', ' ')} {scores.price[self.level]:.3g}"
        leaves = scores.n_leaves[self.level] if self.chosen_leaves is None else self.chosen_leaves
        return f"{leaves:.3g} {self.curve.unit}"

    def _style(self, base: dict[str, Any], own: dict[str, Any] | None) -> dict[str, Any]:
        style = {**base, **(own or {})}
        if not self.curve.nested and not _is_soft(self.curve.summary()):
            style["linestyle"] = "none"  # the prunings between two points are no prunings of this family
        elif len(self.curve.price) / self.curve.n_repeats > MANY_LEVELS:
            style["marker"] = None
        return style


def _is_soft(scores: LevelScores) -> bool:
    """Whether the levels differ in their price only: what lies between two of them is of the family too."""
    return len(scores.price) > 1 and not np.ptp(scores.n_leaves)


def _draw_scores(
    ax: Axes, x: NDArray[Any], score: NDArray[Any], spread: NDArray[Any], name: str, style: dict[str, Any]
) -> None:
    order = np.argsort(x, kind="stable")
    filled = name == "test"
    ax.plot(x[order], score[order], label=name, markerfacecolor=style["color"] if filled else "white", **style)
    if not spread.any():
        return
    if style["linestyle"] == "none":
        ax.errorbar(x, score, yerr=spread, fmt="none", ecolor=style["color"], elinewidth=0.8, alpha=0.6)
    else:
        low, high = (score - spread)[order], (score + spread)[order]
        ax.fill_between(x[order], low, high, color=style["color"], alpha=0.18, linewidth=0, label=f"{name} ± 1 SD")


def _mark(ax: Axes, n_leaves: float, score: float, name: str) -> None:
    ax.axvline(n_leaves, color="0.25", linewidth=1, linestyle=":", zorder=1)
    label = f"{name}, {score:.4g}"
    ax.plot([n_leaves], [score], "*", color="black", markersize=12, markeredgecolor="white", zorder=5, label=label)


def _leaves_axis(ax: Axes, n_leaves: NDArray[Any]) -> None:
    from matplotlib.ticker import NullLocator, StrMethodFormatter

    ax.set_xscale("log", base=2)
    ax.set_xlim(0.88 * n_leaves.min(), 1.14 * n_leaves.max())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def _strength_axis(ax: Axes, price: NDArray[Any]) -> None:
    """Probabilities by their odds, other strengths by their logarithm, in which 0 has a place."""
    if ((price > 0) & (price < 1)).all():
        ax.set_xscale("logit")
    else:
        ax.set_xscale("symlog", linthresh=price[price > 0].min(initial=1.0))


def _price_axis(ax: Axes, scores: LevelScores, parameter: str) -> None:
    from matplotlib.ticker import NullLocator

    at = _spaced(np.log2(scores.n_leaves))
    top = ax.twiny()
    top.set_xscale("log", base=2)
    top.set_xlim(ax.get_xlim())
    top.set_xticks(scores.n_leaves[at], [f"{price:.3g}" for price in scores.price[at]])
    top.xaxis.set_minor_locator(NullLocator())
    top.tick_params(labelsize="small", colors="0.35")
    top.set_xlabel(parameter.replace("_", " "), fontsize="small", color="0.35")


def _spaced(x: NDArray[np.float64]) -> list[int]:
    """Positions of levels about evenly spread over the axis, so that their labels do not collide."""
    apart = (x.max() - x.min()) / N_PRICE_TICKS
    chosen: list[int] = []
    for k in np.argsort(x, kind="stable").tolist():
        if not chosen or x[k] - x[chosen[-1]] >= max(apart, 1e-9):
            chosen.append(k)
    return chosen
