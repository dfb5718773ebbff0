"""Tables of a study: every row of it, and their means.

Means over data sets are means of the sets' means: a set counts once, however large it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from treeprune.curve import GeneralizationCurve
from treeprune.path import levels_in_force
from treeprune.study import networks
from treeprune.study.design import FACTORS, SCORING, Study
from treeprune.study.store import Store
from treeprune.study.units import CONDITION

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("data", "contents", "task", "scoring", *CONDITION, "repeat", "seed", "method", "pruned_with"),
    *("rows_training", "rows_grown_on", "rows_pruned_with", "rows_test", "strength"),
    *("leaves_grown", "leaves", "train", "test", "ceiling", "crossed", "ceiling_leaves", "crossed_leaves"),
    *("test_population", "population", "population_leaves"),
    *("grow_seconds", "prune_seconds", "error"),
)
CURVE_COLUMNS = ("data", *CONDITION, "repeat", "level", "price", "n_leaves", "train", "test")
TABLES = {
    "results": COLUMNS,
    "curves": CURVE_COLUMNS,
    "networks": networks.COLUMNS,
    "quantization": networks.GRID_COLUMNS,
}
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
        One row a data set, repeat and method. ``contents`` is the start of a hash of the data set's rows.
        ``test`` and ``train`` are accuracies, or R² for a regression; ``ceiling`` is fitted to the test rows,
        ``crossed`` is the cut chosen on one half of them and scored on the other. ``strength`` is what
        cross-validation chose. ``grow_seconds`` is for all trees that the method needs, ``prune_seconds`` for
        the rest. A failure has an ``error`` and no numbers.
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
        cls, study: Study, tables: Mapping[str, Any], frames: Mapping[str, pd.DataFrame], seconds: float
    ) -> StudyResults:
        """Take the tables that were kept, by their names in `TABLES`."""
        return cls(
            study,
            tables,
            frames["results"],
            frames["curves"],
            frames["networks"],
            frames["quantization"],
            seconds,
        )

    @property
    def reference(self) -> dict[str, Any]:
        """The reference condition: the level of each factor that the design names first."""
        return {name: self.study.levels(factor)[0] for name, factor in zip(CONDITION, FACTORS, strict=True)}

    @property
    def factors(self) -> list[str]:
        """The factors of more than one level."""
        return [name for name, factor in zip(CONDITION, FACTORS, strict=True) if len(self.study.levels(factor)) > 1]

    def numeric_level(self, factor: str, level: Any) -> float | None:
        """Return a level as a number to draw it at; None if the factor has levels that are no numbers alike."""
        levels = self.study.levels(factor if factor != "grower" else "growers")
        if factor == "grower" or len({isinstance(other, int) for other in levels if other != "all"}) > 1:
            return None
        if level == "all":
            return None if any(isinstance(other, int) for other in levels) else 1.0
        return float(level)

    def at_reference(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a table that are of the reference condition."""
        keep = np.ones(len(table), dtype=bool)
        for name, level in self.reference.items():
            keep &= (table[name] == level).to_numpy(bool)
        return table[keep]

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
        """Return means over the repeats, one row a condition, data set and method.

        Returns
        -------
        DataFrame
            ``development``, whether the set is one of those by which defaults were chosen;
            ``n`` repeats that succeeded; ``test_sd`` over repeats; ``gain``, the difference of
            the test score to the unpruned tree's; ``relative_leaves``, mean leaves over those of
            the unpruned tree; ``gap`` and ``gap_crossed``, from the test score up to the best cut
            in hindsight, fitted to the test rows and crossed between their halves; ``gap_population``,
            of generators, from the score on 100,000 fresh rows up to the best cut on them; ``rank`` among
            the methods of the set, 1 the best, ties sharing their mean.
        """
        import pandas as pd

        keys = [*CONDITION, "data", "task", "method"]
        good = self.rows[self.rows["error"] == ""]
        good = good.assign(
            gap=good["ceiling"] - good["test"],
            gap_crossed=good["crossed"] - good["test"],
            gap_population=good["population"] - good["test_population"],
        )
        columns = ["leaves", "train", "test", "gap", "gap_crossed", "gap_population", "grow_seconds", "prune_seconds"]
        grouped = good.groupby(keys, sort=False, observed=True)
        means = grouped[columns].mean().assign(n=grouped.size(), test_sd=grouped["test"].std())
        table = means.reset_index()
        problem = [*CONDITION, "data"]
        table.insert(0, "development", table["data"].isin(self.study.development))
        unpruned = table.loc[table["method"] == "unpruned", [*problem, "test", "leaves"]]
        before = table[problem].merge(unpruned, how="left", on=problem)
        table["gain"] = _paired_gains(good, keys).reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy()
        table["relative_leaves"] = table["leaves"] / before["leaves"]
        rounded = table.assign(test=table["test"].round(12)).groupby(problem, sort=False)["test"]
        table["rank"] = rounded.rank(ascending=False)
        return table

    def by_method(self) -> pd.DataFrame:
        """Return means over the data sets of a task, one row a condition, task and method; without development sets.

        Returns
        -------
        DataFrame
            ``sets`` that have a mean; ``test_sd`` and ``gain_sd`` over sets; ``better`` and
            ``worse``, sets where the mean test score is above or below the unpruned tree's;
            ``relative_leaves``, a geometric mean; ``front``, whether no other method has both as
            high a mean gain and as few leaves.
        """
        by_set = self.by_set()
        keys = [*CONDITION, "task", "method"]
        grouped = by_set[~by_set["development"]].groupby(keys, sort=False, observed=True)
        columns = ["test", "leaves", "gain", "gap", "gap_crossed", "gap_population", "rank"]
        columns += ["grow_seconds", "prune_seconds"]
        table = grouped[columns].mean()
        table["gap_population"] = grouped["gap_population"].agg(lambda gaps: gaps.mean(skipna=False))
        table = table.assign(
            sets=grouped.size(),
            test_sd=grouped["test"].std(),
            gain_sd=grouped["gain"].std(),
            better=grouped["gain"].agg(lambda gain: int((gain > 1e-12).sum())),
            worse=grouped["gain"].agg(lambda gain: int((gain < -1e-12).sum())),
            relative_leaves=grouped["relative_leaves"].agg(lambda share: float(np.exp(np.log(share).mean()))),
        ).reset_index()
        table["front"] = False
        for _, rows in table.groupby([*CONDITION, "task"]):
            table.loc[rows.index, "front"] = pareto_front(rows["gain"].to_numpy(), rows["relative_leaves"].to_numpy())
        return table

    def curve(self, data: str) -> GeneralizationCurve:
        """Return the cost-complexity curve of a data set, one repeat for each split."""
        entries = self.at_reference(self.curves)
        return _curve(entries[entries["data"] == data], SCORING[self.tables[data].task])

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


def _paired_gains(good: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Mean difference to the unpruned tree of the same split; splits on which either failed count for neither."""
    split = [*(key for key in keys if key != "method"), "repeat"]
    unpruned = good.loc[good["method"] == "unpruned", [*split, "test"]]
    both = good.merge(unpruned, on=split, suffixes=("", "_unpruned"))
    gains = both.assign(gain=both["test"] - both["test_unpruned"])
    return gains.groupby(keys, sort=False, observed=True)["gain"].mean()


def read_store(path: str | Path) -> dict[str, pd.DataFrame]:
    """Read all that is in the store of studies.

    Parameters
    ----------
    path : path
        A file that `treeprune.study.runner.run_study` has written.

    Returns
    -------
    dict of DataFrame
        By the names in `TABLES`, unit by unit in the order they came in.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such file, or it is no store.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no store {str(path)!r}: name the study.sqlite of a study's folder")
    if not Path(path).stat().st_size:
        raise ValueError(f"{str(path)!r} is empty, and no store of studies")
    with Store(path, TABLES) as store:
        return {name: store.frame(name) for name in TABLES}


def read_declared(path: str | Path) -> dict[str, Any]:
    """Return the fields of the design that last went on with a store."""
    with Store(path, TABLES) as store:
        return store.declared()


def forget_failures(path: str | Path) -> int:
    """Take the units that failed as a whole out of a store; return how many."""
    with Store(path, TABLES) as store:
        return store.forget_failures()


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
