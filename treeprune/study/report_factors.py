"""The parts of the page about factors, published protocols and development sets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from treeprune.study import figures
from treeprune.study.methods import METHODS
from treeprune.study.protocols import PROTOCOLS
from treeprune.study.results import StudyResults

if TYPE_CHECKING:
    import pandas as pd

FACTOR_TITLES = {
    "grower": "how the tree is grown",
    "label_noise": "share of training rows with a wrong class",
    "training_rows": "training rows",
    "validation_fraction": "share of training rows held out to prune with",
}


def factor_sections(results: StudyResults) -> list[dict[str, Any]]:
    """Return for each factor and task the means at its levels, all other factors at their reference."""
    table = results.by_method()
    sections = []
    for factor in results.factors:
        others = {name: level for name, level in results.reference.items() if name != factor}
        mine = table
        for name, level in others.items():
            mine = mine[mine[name] == level]
        for task in mine["task"].unique():
            sections.append(_factor_section(results, mine[mine["task"] == task], factor, str(task)))
    return sections


def protocol_section(results: StudyResults) -> dict[str, Any] | None:
    """Return what the authors of a protocol concluded, and what is found here."""
    if results.study.protocol not in PROTOCOLS:
        return None
    protocol = PROTOCOLS[results.study.protocol]
    named = protocol.fields(None)["methods"]
    published = {m.name for m in METHODS.values() if m.name in named or (m.family in named and m.by_default)}
    found = set(results.rows.loc[results.rows["error"] == "", "method"])
    return {
        "name": results.study.protocol,
        "title": protocol.title,
        "reference": protocol.reference,
        "differs": protocol.differs,
        "claims": protocol.claims(results) if published <= found else [],
        "changed": sorted(METHODS[name].title for name in published - found),
        "figure": figures.sizes_chosen(results) if results.study.splits == "same_rows" else "",
        "repeats": results.study.n_splits,
    }


def _factor_section(results: StudyResults, table: pd.DataFrame, factor: str, task: str) -> dict[str, Any]:
    levels = list(results.study.levels(factor if factor != "grower" else "growers"))
    if factor == "training_rows":
        levels = sorted(
            levels, key=lambda level: (level == "all", isinstance(level, int), 1.0 if level == "all" else level)
        )
    elif factor != "grower":
        levels = sorted(levels)
    rows = []
    for name in (name for name in METHODS if name in set(table["method"])):
        mine = table[table["method"] == name].set_index(factor)[["test", "test_sd"]].reindex(levels)
        cells = [{"mean": _number(mean, task), "sd": _number(sd, task)} for mean, sd in mine.to_numpy(float)]
        rows.append({"title": METHODS[name].title, "cells": cells})
    return {
        "factor": FACTOR_TITLES[factor],
        "task": task,
        "score": "accuracy" if task == "classification" else "R²",
        "levels": _level_heads(table, factor, levels),
        "rows": rows,
        "figure": figures.over_factor(table, results, factor, levels, task, _axis_title(results, factor)),
        "n_sets": int(table["sets"].max()),
    }


def _level_heads(table: pd.DataFrame, factor: str, levels: list[Any]) -> list[str]:
    """What to call the levels, with the sets that each has where they are not all the same."""
    titles = [level_title(factor, level) for level in levels]
    n_sets = table.groupby(factor, observed=True)["sets"].max().reindex(levels).fillna(0).astype(int).tolist()
    if len(set(n_sets)) == 1:
        return titles
    return [f"{title} ({n} set{'s' if n != 1 else ''})" for title, n in zip(titles, n_sets, strict=True)]


def _number(value: float, task: str) -> str:
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f}" if task == "classification" else f"{value:.3f}"


def _axis_title(results: StudyResults, factor: str) -> str:
    shares = factor == "training_rows" and results.numeric_level(factor, "all") is not None
    return "share of the training rows" if shares else FACTOR_TITLES[factor]


def level_title(factor: str, level: Any) -> str:
    """Return what to call a level of a factor."""
    if factor == "grower" or level == "all":
        return str(level)
    is_share = factor in ("label_noise", "validation_fraction") or isinstance(level, float)
    return f"{100 * level:g} %" if is_share else f"{level:,} rows"
