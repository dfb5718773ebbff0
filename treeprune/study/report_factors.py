"""The parts of the page about factors, published protocols and development sets."""

from __future__ import annotations

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
    if results.study.protocol is None:
        return None
    protocol = PROTOCOLS[results.study.protocol]
    return {
        "name": results.study.protocol,
        "title": protocol.title,
        "reference": protocol.reference,
        "differs": protocol.differs,
        "claims": protocol.claims(results),
        "figure": figures.sizes_chosen(results) if results.study.splits == "same_rows" else "",
        "repeats": results.study.n_splits,
    }


def _factor_section(results: StudyResults, table: pd.DataFrame, factor: str, task: str) -> dict[str, Any]:
    levels = list(results.study.levels(factor if factor != "grower" else "growers"))
    if factor == "training_rows":
        levels = sorted(levels, key=lambda level: (isinstance(level, int), level) if level != "all" else (False, 1.0))
    elif factor != "grower":
        levels = sorted(levels)
    percent, decimals = (100, 1) if task == "classification" else (1, 3)
    rows = []
    for name in (name for name in METHODS if name in set(table["method"])):
        cells = [table[(table["method"] == name) & (table[factor] == level)] for level in levels]
        texts = [f"{percent * c['test'].iloc[0]:.{decimals}f}" if len(c) else "–" for c in cells]
        rows.append({"title": METHODS[name].title, "cells": texts})
    return {
        "factor": FACTOR_TITLES[factor],
        "task": task,
        "score": "accuracy" if task == "classification" else "R²",
        "levels": [level_title(factor, level) for level in levels],
        "rows": rows,
        "figure": figures.over_factor(table, results, factor, levels, task, FACTOR_TITLES[factor]),
        "n_sets": int(table["sets"].max()),
    }


def level_title(factor: str, level: Any) -> str:
    """Return what to call a level of a factor."""
    if factor == "grower" or level == "all":
        return str(level)
    return f"{100 * level:g} %" if isinstance(level, float) else f"{level:,} rows"
