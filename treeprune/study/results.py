"""Tables of a study: every row of it, and their means.

Means over data sets are means of the sets' means: a set counts once, however large it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from treeprune.curve import GeneralizationCurve
from treeprune.path import levels_in_force
from treeprune.study.design import SCORING, Study

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("data", "task", "scoring", "repeat", "seed", "method", "pruned_with"),
    *("rows_training", "rows_grown_on", "rows_pruned_with", "rows_test", "strength"),
    *("leaves_grown", "leaves", "train", "test", "ceiling", "crossed", "ceiling_leaves"),
    *("grow_seconds", "prune_seconds", "error"),
)
CURVE_COLUMNS = ("data", "repeat", "level", "price", "n_leaves", "train", "test")
MOST_LEVELS = 80  # of a curve that is drawn


@dataclass(frozen=True, eq=False)
class StudyResults:
    """What a study found.

    Attributes
    ----------
    study : Study
    tables : dict of Bunch
        What is known of each data set.
    rows : DataFrame
        One row a data set, repeat and method. ``test`` and ``train`` are accuracies, or R² for a
        regression; ``ceiling`` is fitted to the test rows, ``crossed`` is the cut chosen on one
        half of them and scored on the other. ``strength`` is what cross-validation chose.
        ``grow_seconds`` is for all trees that the method needs, ``prune_seconds`` for the rest.
        A failure has an ``error`` and no numbers.
    curves : DataFrame
        Cost-complexity path of every grown tree: data, repeat, level, price (alpha), n_leaves,
        train, test.
    networks : DataFrame
        One row a data set, repeat, method and size of the networks that were pruned; see
        `treeprune.neural.compare_neurons`. Empty if there were none.
    quantization : DataFrame
        Test scores of networks pruned to several sizes with their weights rounded to few bits.
    seconds : float
        Wall time.
    """

    study: Study
    tables: Mapping[str, Any]
    rows: pd.DataFrame
    curves: pd.DataFrame
    networks: pd.DataFrame
    quantization: pd.DataFrame
    seconds: float

    @classmethod
    def collect(
        cls, study: Study, tables: Mapping[str, Any], units: Sequence[Any], networks: tuple[Any, Any], seconds: float
    ) -> StudyResults:
        """Put the units together, in their order."""
        import pandas as pd

        rows = pd.DataFrame([row for unit in units for row in unit.rows])
        rows = rows.reindex(columns=list(COLUMNS))
        curves = pd.DataFrame([entry for unit in units for entry in unit.curve], columns=list(CURVE_COLUMNS))
        network_rows, grid = networks
        return cls(study, tables, rows, curves, network_rows, grid, seconds)

    @property
    def failures(self) -> pd.DataFrame:
        """The rows that have an error in place of numbers."""
        return self.rows[self.rows["error"] != ""]

    @property
    def network_failures(self) -> pd.DataFrame:
        """The rows of networks that have an error in place of numbers."""
        return self.networks[self.networks["error"] != ""]

    def networks_of(self, data: str) -> pd.DataFrame:
        """Return the rows of networks of a data set that succeeded."""
        return self.networks[(self.networks["data"] == data) & (self.networks["error"] == "")]

    def by_set(self) -> pd.DataFrame:
        """Return means over the repeats, one row a data set and method.

        Returns
        -------
        DataFrame
            ``n`` repeats that succeeded; ``test_sd`` over repeats; ``gain``, the difference of
            the test score to the unpruned tree's; ``relative_leaves``, mean leaves over those of
            the unpruned tree; ``gap`` and ``gap_crossed``, from the test score up to the best cut
            in hindsight, fitted to the test rows and crossed between their halves; ``rank`` among
            the methods of the set, 1 the best, ties sharing their mean.
        """
        keys = ["data", "task", "method"]
        good = self.rows[self.rows["error"] == ""]
        good = good.assign(gap=good["ceiling"] - good["test"], gap_crossed=good["crossed"] - good["test"])
        columns = ["leaves", "train", "test", "gap", "gap_crossed", "grow_seconds", "prune_seconds"]
        grouped = good.groupby(keys, sort=False, observed=True)
        means = grouped[columns].mean().assign(n=grouped.size(), test_sd=grouped["test"].std())
        table = means.reset_index()
        unpruned = table[table["method"] == "unpruned"].set_index("data")
        table["gain"] = table["test"] - table["data"].map(unpruned["test"])
        table["relative_leaves"] = table["leaves"] / table["data"].map(unpruned["leaves"])
        table["rank"] = table["test"].round(12).groupby(table["data"]).rank(ascending=False)
        return table

    def by_method(self) -> pd.DataFrame:
        """Return means over the data sets of a task, one row a task and method.

        Returns
        -------
        DataFrame
            ``sets`` that have a mean; ``test_sd`` and ``gain_sd`` over sets; ``better`` and
            ``worse``, sets where the mean test score is above or below the unpruned tree's;
            ``relative_leaves``, a geometric mean; ``front``, whether no other method has both as
            high a mean gain and as few leaves.
        """
        grouped = self.by_set().groupby(["task", "method"], sort=False, observed=True)
        table = grouped[["test", "gain", "gap", "gap_crossed", "rank", "grow_seconds", "prune_seconds"]].mean()
        table = table.assign(
            sets=grouped.size(),
            test_sd=grouped["test"].std(),
            gain_sd=grouped["gain"].std(),
            better=grouped["gain"].agg(lambda gain: int((gain > 1e-12).sum())),
            worse=grouped["gain"].agg(lambda gain: int((gain < -1e-12).sum())),
            relative_leaves=grouped["relative_leaves"].agg(lambda share: float(np.exp(np.log(share).mean()))),
        ).reset_index()
        table["front"] = False
        for _, rows in table.groupby("task"):
            table.loc[rows.index, "front"] = pareto_front(rows["gain"].to_numpy(), rows["relative_leaves"].to_numpy())
        return table

    def curve(self, data: str) -> GeneralizationCurve:
        """Return the cost-complexity curve of a data set, one repeat for each split."""
        return _curve(self.curves[self.curves["data"] == data], SCORING[self.tables[data].task])

    def drawn_curve(self, data: str) -> GeneralizationCurve:
        """Return the same at no more than `MOST_LEVELS` prices, common to all repeats."""
        curve = self.curve(data)
        prices = _spread_prices(curve)
        repeats = [curve.of_repeat(r) for r in range(curve.n_repeats)]
        at = [levels_in_force(r["price"], prices, "from") for r in repeats]
        read: dict[str, Any] = {
            name: np.concatenate([r[name][levels] for r, levels in zip(repeats, at, strict=True)])
            for name in ("n_leaves", "train", "test")
        }
        n = curve.n_repeats
        return GeneralizationCurve(
            method=curve.method,
            parameter=curve.parameter,
            scoring=curve.scoring,
            nested=True,
            computed_from=curve.computed_from,
            holds=curve.holds,
            repeat=np.repeat(np.arange(n), len(prices)),
            level=np.tile(np.arange(len(prices)), n),
            price=np.tile(prices, n),
            **read,
        )


def pareto_front(score: Any, size: Any) -> Any:
    """Find the points that no other point beats in one and equals in the other.

    Parameters
    ----------
    score, size : ndarray of float, shape (n_points,)
        The score is better when larger, the size when smaller.

    Examples
    --------
    >>> import numpy as np
    >>> from treeprune.study.results import pareto_front
    >>> pareto_front(np.array([0.0, 1.0, 0.5]), np.array([1.0, 0.4, 0.2]))
    array([False,  True,  True])
    """
    as_good = (score[:, None] >= score) & (size[:, None] <= size)
    better = (score[:, None] > score) | (size[:, None] < size)
    return ~(as_good & better).any(axis=0)


def _curve(entries: pd.DataFrame, scoring: str) -> GeneralizationCurve:
    # repeats that failed leave no entries: those that are there are numbered anew
    repeat = np.unique(entries["repeat"], return_inverse=True)[1]
    columns: dict[str, Any] = {
        name: entries[name].to_numpy() for name in ("level", "price", "n_leaves", "train", "test")
    }
    return GeneralizationCurve(
        method="cost_complexity",
        parameter="alpha",
        scoring=scoring,
        nested=True,
        computed_from="statistics",
        holds="from",
        repeat=repeat,
        **columns,
    )


def _spread_prices(curve: GeneralizationCurve) -> Any:
    """Prices at which the mean number of leaves falls in about equal ratios."""
    scores = curve.summary()
    if len(scores.price) <= MOST_LEVELS:
        return np.unique(scores.price)
    wanted = np.geomspace(scores.n_leaves.max(), scores.n_leaves.min(), MOST_LEVELS)
    at = np.searchsorted(-scores.n_leaves, -wanted)
    return np.unique(scores.price[np.minimum(at, len(scores.price) - 1)])
