"""Two studies side by side: the same set, condition, split and method in both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from treeprune.study.units import CONDITION

if TYPE_CHECKING:
    import pandas as pd

SAME = ["data", "contents", "task", *CONDITION, "repeat", "seed", "method"]


@dataclass(frozen=True, eq=False)
class StoreComparison:
    """What two studies differ in.

    Attributes
    ----------
    by_method : DataFrame
        task, method, the condition, ``sets``, ``splits`` compared, ``test_first``, ``test_second``, ``difference``
        (second less first; mean over sets of means over splits), ``difference_sd`` over sets, ``leaves_ratio``
        (geometric mean). Development sets do not count.
    by_set : DataFrame
        The same for each data set, ``difference_sd`` over splits, and whether it is a ``development`` set.
    remarks : list of str
        What could not be compared.
    """

    by_method: pd.DataFrame
    by_set: pd.DataFrame
    remarks: list[str]


def compare_stores(first: pd.DataFrame, second: pd.DataFrame, development: Collection[str] = ()) -> StoreComparison:
    """Compare the results of two studies.

    Parameters
    ----------
    first, second : DataFrame
        Rows of results, as of `StudyResults.rows`.
    development : collection of str
        Data sets that defaults of either study were chosen by.

    Returns
    -------
    StoreComparison

    Raises
    ------
    ValueError
        If they have no set, split and method in common.

    Examples
    --------
    >>> from treeprune.study.compare_stores import compare_stores
    >>> from treeprune.study.design import Study
    >>> from treeprune.study.runner import run_study
    >>> rows = run_study(Study(data=["wine"], methods=["error_based"], repeats=2)).rows
    >>> compare_stores(rows, rows).by_method[["method", "splits", "difference"]].values.tolist()
    [['unpruned', 2, 0.0], ['error_based', 2, 0.0]]
    """
    columns = [*SAME, "test", "leaves"]
    whole = [rows.loc[rows["error"] == "", columns] for rows in (first, second)]
    good = [rows.drop_duplicates(SAME, keep="last") for rows in whole]  # units of later designs come later
    both = good[0].merge(good[1], on=SAME, suffixes=("_first", "_second"))
    if both.empty:
        apart = "".join(f"; {remark}" for remark in _remarks_on_data(good, both.assign(development=False)))
        raise ValueError(
            f"the two studies have no data set, split and method in common: run both with the same data and seed{apart}"
        )
    both["difference"] = both["test_second"] - both["test_first"]
    both["log_ratio"] = np.log(both["leaves_second"] / both["leaves_first"])
    columns = ["test_first", "test_second", "difference", "log_ratio"]
    by_set = _summary(both, ["task", "method", *CONDITION, "data"], columns, "splits")
    by_set["development"] = by_set["data"].isin(list(development))
    counted = by_set[~by_set["development"]]
    kept = ["task", "method", *CONDITION]  # conditions of one set are no sets of their own
    by_method = _summary(counted, kept, columns, "sets")
    by_method["splits"] = counted.groupby(kept, sort=False, dropna=False)["splits"].sum().to_numpy()
    remarks = _remarks_on_data(good, by_set)
    remarks += [
        f"{len(rows) - len(both)} of {len(rows)} rows of the {name} study are not in the other, and are left out"
        for name, rows in zip(("first", "second"), good, strict=True)
        if len(rows) > len(both)
    ]
    for given, latest, name in zip(whole, good, ("first", "second"), strict=True):
        if len(latest) < len(given):
            remarks.append(
                f"{len(given) - len(latest)} rows of the {name} store are of earlier designs, and are left out: "
                "the latest count"
            )
    failed = sum(int((rows["error"] != "").sum()) for rows in (first, second))
    if failed:
        remarks.append(f"{failed} failures in the two are left out")
    return StoreComparison(_with_ratio(by_method), _with_ratio(by_set), remarks)


def _remarks_on_data(rows: list[pd.DataFrame], by_set: pd.DataFrame) -> list[str]:
    """Say which data sets have other rows in the two studies, and which were used for development."""
    contents = [set(map(tuple, part[["data", "contents"]].to_numpy())) for part in rows]
    names = [{name for name, _ in part} for part in contents]
    apart = sorted((names[0] & names[1]) - {name for name, _ in contents[0] & contents[1]})
    seen = sorted(set(by_set.loc[by_set["development"], "data"]))
    remarks = [f"{name}: the two studies read different rows, so that it is not compared" for name in apart]
    return remarks + [f"{name}: a development set, which counts in no mean" for name in seen]


def _summary(table: pd.DataFrame, keys: list[str], columns: list[str], counted: str) -> pd.DataFrame:
    grouped = table.groupby(keys, sort=False, dropna=False)
    means = grouped[columns].mean()
    return means.assign(difference_sd=grouped["difference"].std(), **{counted: grouped.size()}).reset_index()


def _with_ratio(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(leaves_ratio=np.exp(table["log_ratio"])).drop(columns="log_ratio")
