"""The part of the page that says what may be concluded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from treeprune.study import figures
from treeprune.study.balance import pruning_balance
from treeprune.study.methods import METHODS
from treeprune.study.results import StudyResults
from treeprune.study.statistics import (
    FEWEST_SETS,
    compare_by_set,
    compare_to_control,
    conclude,
    critical_difference,
    require_extra,
    standing,
)

if TYPE_CHECKING:
    import pandas as pd

TITLES = {name: method.title for name, method in METHODS.items()}
PAIRS = {
    "cost-complexity by cross-validation": ("cost_complexity_minimum", "cost_complexity_one_standard_error"),
    "cost-complexity by rows held out": (
        "cost_complexity_held_out_minimum",
        "cost_complexity_held_out_one_standard_error",
    ),
}


def statistics_tables(results: StudyResults) -> dict[str, pd.DataFrame]:
    """Return the statistics of a study as tables, by the names of their files.

    Returns
    -------
    dict of DataFrame
        ``comparison`` (control against each method over sets), ``comparison_by_set`` (within each set), ``balance``
        (over- and under-pruning), all of the reference condition.

    Raises
    ------
    ImportError
        Without the extra ``stats``.
    """
    import pandas as pd

    require_extra()
    rows, control = results.at_reference(results.rows), results.study.control
    by_set = _counted(results)
    tables = []
    for task, mine in by_set.groupby("task", sort=False):
        scores = _scores(mine)
        if control in scores:
            tables.append(compare_to_control(scores, control, results.study.rope).assign(task=task))
    comparison = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["task", "method"])
    return {
        "comparison": comparison,
        "comparison_by_set": compare_by_set(rows, control),
        "balance": pruning_balance(rows),
    }


def statistics_section(results: StudyResults, tables: dict[str, pd.DataFrame], task: str) -> dict[str, Any]:
    """Return what the page says of the statistics of a task."""
    comparison = tables["comparison"]
    comparison = comparison[comparison["task"] == task].sort_values("difference", ascending=False)
    within = tables["comparison_by_set"]
    within = within[within["task"] == task]
    control, rope = results.study.control, results.study.rope
    by_set = _counted(results)
    mine = by_set[by_set["task"] == task]
    return {
        "control": TITLES[control],
        "rope": _number(rope, task),
        "rows": [_comparison_row(row, within, task) for row in comparison.to_dict("records")],
        "conclusions": conclude(comparison, control, rope, TITLES),
        "few": mine["data"].nunique() < FEWEST_SETS,
        "cd": _critical_difference(mine, task),
        "standing": _standing(results, mine, task),
        "balance": _balance_rows(tables["balance"], set(mine["data"])),
    }


def _counted(results: StudyResults) -> pd.DataFrame:
    by_set = results.at_reference(results.by_set())
    return by_set[~by_set["development"]]


def _scores(by_set: pd.DataFrame) -> pd.DataFrame:
    order = [name for name in METHODS if name in set(by_set["method"])]
    return by_set.pivot(index="data", columns="method", values="test")[order]


def _comparison_row(row: dict[Any, Any], within: pd.DataFrame, task: str) -> dict[str, Any]:
    mine = within[within["method"] == row["method"]]
    significant = mine["p"] < 0.05
    return {
        "title": TITLES[row["method"]],
        "pruned_with": METHODS[row["method"]].pruned_with,
        "n": row["n"],
        "difference": _signed(row["difference"], task),
        "difference_sd": _number(row["difference_sd"], task),
        "p": _p(row["p"]),
        "p_holm": _p(row["p_holm"]),
        "bayes": [f"{row[name]:.2f}" for name in ("p_worse", "p_equivalent", "p_better")]
        if not math.isnan(row["p_worse"])
        else ["–"] * 3,
        "better": int((significant & (mine["difference"] > 0)).sum()),
        "worse": int((significant & (mine["difference"] < 0)).sum()),
        "sets": len(mine),
    }


def _critical_difference(by_set: pd.DataFrame, task: str) -> dict[str, Any] | None:
    scores = _scores(by_set)
    try:
        found = critical_difference(scores)
    except ValueError:  # too few sets or methods to rank
        return None
    return {
        "figure": figures.critical_difference(found, TITLES, task),
        "distance": f"{found.distance:.2f}",
        "n_sets": found.n_sets,
        "n_methods": len(found.ranks),
        "friedman": f"{found.friedman:.1f}",
        "p": _p(found.p),
        "alpha": f"{found.alpha:g}",
    }


def _standing(results: StudyResults, by_set: pd.DataFrame, task: str) -> list[dict[str, Any]]:
    there = set(by_set["method"])
    pairs = {name: pair for name, pair in PAIRS.items() if there.issuperset(pair)}
    rows = results.at_reference(results.rows)
    table = standing(rows[rows["data"].isin(by_set["data"]) & (rows["task"] == task)], pairs)
    return [_standing_row(str(name), sets, task) for name, sets in (table.groupby("pair") if len(table) else ())]


def _standing_row(name: str, sets: pd.DataFrame, task: str) -> dict[str, Any]:
    ratio = np.exp(np.log(sets["leaves_one_se"] / sets["leaves_minimum"]).mean())
    return {
        "name": name,
        "n": len(sets),
        "minimum": _number(sets["test_minimum"].mean(), task),
        "one_se": _number(sets["test_one_se"].mean(), task),
        "difference": _signed(sets["difference"].mean(), task),
        "difference_sd": _number(sets["difference"].std(), task),
        "leaves_minimum": f"{sets['leaves_minimum'].mean():.1f}",
        "leaves_one_se": f"{sets['leaves_one_se'].mean():.1f}",
        "ratio": f"{100 * ratio:.0f} %",
    }


def _balance_rows(balance: pd.DataFrame, data: set[str]) -> list[dict[str, Any]]:
    mine = balance[balance["data"].isin(data)]
    rows = []
    for method in (name for name in METHODS if name in set(mine["method"])):
        sets = mine[mine["method"] == method]
        known = sets["index_population"].notna()
        rows.append(
            {
                "title": TITLES[method],
                "pruned_with": METHODS[method].pruned_with,
                "n": len(sets),
                "bracket": _bracket_of_logs(sets[~known]),
                "population": f"{sets.loc[known, 'index_population'].mean():+.1f}" if known.any() else "",
                **{verdict: int((sets["verdict"] == verdict).sum()) for verdict in ("under", "neither", "over")},
            }
        )
    return rows


def _bracket_of_logs(sets: pd.DataFrame) -> str:
    if sets.empty:
        return "–"
    ends = sorted([sets["index"].mean(), sets["index_crossed"].mean()])
    return " … ".join(f"{end:+.1f}".replace("-", "−") for end in ends)


def _p(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _number(value: float, task: str) -> str:
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f}" if task == "classification" else f"{value:.3f}"


def _signed(value: float, task: str) -> str:
    text = _number(value, task)
    if not text.strip("-0."):
        return text.lstrip("-")
    return text.replace("-", "−") if value < 0 or math.isnan(value) else f"+{text}"
