"""The folder that a study leaves behind: one page, and its numbers as files."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treeprune.neural.checklist import honest_checklist
from treeprune.study import figures, networks
from treeprune.study.declaration import declare
from treeprune.study.design import Study
from treeprune.study.methods import METHODS
from treeprune.study.report_factors import FACTOR_TITLES, factor_sections, level_title, protocol_section
from treeprune.study.report_statistics import statistics_section, statistics_tables
from treeprune.study.results import StudyResults
from treeprune.study.units import CONDITION

if TYPE_CHECKING:
    import pandas as pd

MARKER = "study.json"
STORE = "study.sqlite"
FILES = (
    *(MARKER, STORE, "results.csv", "summary.csv", "sets.csv", "curves.csv", "networks.csv", "quantization.csv"),
    *("comparison.csv", "comparison_by_set.csv", "balance.csv"),
    "report.html",
)
MADE_BY = "treeprune study"
PACKAGES = ("treeprune", "scikit-learn", "numpy", "scipy", "pandas", "matplotlib", "joblib")
NETWORK_LINES = ("dense", "early_stopping", "weight_decay")
COSTS = {  # columns of the table of networks, and how they are written
    "n_params": ",.0f",
    "compression_ratio": ".1f",
    "macs": ",.0f",
    "theoretical_speedup": ".1f",
    "file_bytes": ",.0f",
    "file_bytes_zip": ",.0f",
    "reconstruction_mse": ".2g",
}
TASK_TITLES = {"classification": "Classification", "regression": "Regression"}
MOST_SHADE = 0.10  # of accuracy or R²: differences from here on have the full colour


def check_folder(folder: str | Path, force: bool = False, resume: bool = False) -> Path:
    """Return the folder as a path, or say why a report cannot go there.

    Parameters
    ----------
    folder : path
    force : bool, default=False
        Whether the files of an earlier report may be replaced. Nothing else ever is.
    resume : bool, default=False
        Whether an earlier study may go on.

    Raises
    ------
    FileExistsError
        If there is a file or a broken link of that name, the folder holds something, or one of
        the files to replace is a link or a folder.
    PermissionError
        If it cannot be written to.
    """
    folder = Path(folder)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists() or path.is_symlink())
    if not there.exists():
        raise FileExistsError(f"{there} is a link to nothing: remove it, or name another folder")
    if not there.is_dir():
        raise FileExistsError(f"{there} is a file: name a folder for the report")
    if not os.access(there, os.W_OK):
        raise PermissionError(f"nothing may be written to {there}: name another folder")
    if there != folder:
        return folder
    if not any(folder.iterdir()):
        return folder
    if not _is_report(folder):
        raise FileExistsError(f"{folder} holds files that are no report of treeprune: name another folder")
    if not force and not resume:
        raise FileExistsError(
            f"{folder} holds an earlier report: use --resume to go on with it, --force to replace it, or name another "
            "folder"
        )
    _refuse_what_is_no_file(folder)
    return folder


def begin_folder(study: Study, folder: str | Path, command: str = "", force: bool = False) -> Path:
    """Make the folder ours, and return where the rows are to be kept.

    Parameters
    ----------
    study : Study
    folder : path
        That `check_folder` has let pass.
    command : str
    force : bool
        Whether rows of an earlier study are to be forgotten.

    Returns
    -------
    Path
        Of the store.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / STORE
    if force:
        for ending in ("", "-wal", "-shm"):
            store.with_name(store.name + ending).unlink(missing_ok=True)
    _replace(folder / MARKER, _json({**_about(study, command), "finished": False}))
    return store


def write_report(
    results: StudyResults, folder: str | Path, command: str = "", force: bool = False, resume: bool = False
) -> Path:
    """Write report.html, the tables as CSV, and study.json.

    Parameters
    ----------
    results : StudyResults
    folder : path
        Made if it is not there.
    command : str, default=""
        What was typed, for the page to show.
    force, resume : bool, default=False
        As in `check_folder`.

    Returns
    -------
    Path
        Of the page.
    """
    folder = check_folder(folder, force, resume)
    tables = _statistics(results)
    files = {
        MARKER: _json(describe_study(results, command)),  # first: the folder is ours from here on
        "results.csv": _csv(results.rows),
        "summary.csv": _csv(results.by_method()),
        "sets.csv": _csv(results.by_set()),
        "curves.csv": _csv(results.curves),
        "networks.csv": _csv(results.networks),
        "quantization.csv": _csv(results.quantization),
        **{f"{name}.csv": _csv(table) for name, table in tables.items()},
        "report.html": build_page(results, command, tables),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        _replace(folder / name, text)
    return folder / "report.html"


def describe_study(results: StudyResults, command: str = "") -> dict[str, Any]:
    """Return what is needed to repeat the study: its design, command and versions."""
    return {
        **_about(results.study, command),
        "finished": True,
        "seconds": round(results.seconds, 1),
        "rows": len(results.rows),
        "failed": len(results.failures),
    }


def _about(study: Study, command: str) -> dict[str, Any]:
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {
        "made_by": MADE_BY,
        "design": study.as_dict(),
        "declared": declare(study),
        "command": command,
        "versions": {"python": platform.python_version(), **versions},
        "platform": platform.platform(),
    }


def build_page(results: StudyResults, command: str = "", tables: dict[str, pd.DataFrame] | None = None) -> str:
    """Return the page: one HTML text that asks for nothing from anywhere.

    Parameters
    ----------
    results : StudyResults
    command : str
    tables : dict of DataFrame, optional
        From `statistics_tables`, which makes them if they are not given; an empty one leaves the statistics out.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("treeprune.study", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    by_set, by_method = results.at_reference(results.by_set()), results.at_reference(results.by_method())
    counted = by_set[~by_set["development"]]
    tables = _statistics(results) if tables is None else tables
    failures = results.failures
    return environment.get_template("template.html").render(
        study=results.study,
        about=describe_study(results, command),
        tasks=[
            _task_section(task, counted, by_method)
            | {"statistics": statistics_section(results, tables, task) if tables else None}
            for task in TASK_TITLES
            if (by_method["task"] == task).any()
        ],
        statistics_installed=bool(tables),
        declared=declare(results.study),
        factors=factor_sections(results),
        protocol=protocol_section(results),
        reference={FACTOR_TITLES[f]: level_title(f, results.reference[f]) for f in results.factors},
        sets=[_set_section(results, name, by_set) for name in results.tables],
        networks=[_network_section(results, name) for name in results.networks["data"].unique()],
        network={
            "hidden": networks.HIDDEN,
            "epochs": networks.EPOCHS,
            "sizes": ", ".join(map(str, networks.SIZES)),
        },
        failures=[
            *failures[["data", "repeat", "method", "error"]].to_dict("records"),
            *results.network_failures[["data", "repeat", "error"]].assign(method="networks").to_dict("records"),
        ],
        seconds=results.seconds,
        n_units=int(results.rows.groupby([*CONDITION, "data", "repeat"]).ngroups),
        n_splits=results.study.n_splits,
        splits_word=_splits_word(results.study),
        m_grid=", ".join(map(str, results.study.grids.get("minimum_error_cv", METHODS["minimum_error_cv"].grid))),
        size_grid=", ".join(map(str, results.study.grids.get("optimal", METHODS["optimal"].grid))),
        colors={kind: look["color"] for kind, look in figures.LOOK.items()},
    )


def _splits_word(study: Study) -> str:
    what = "draw" if study.splits == "same_rows" else "split"
    return what if study.n_splits == 1 else f"{what}s"


def _statistics(results: StudyResults) -> dict[str, pd.DataFrame]:
    """The tables of statistics; none where what they need is not installed, which the page then says."""
    try:
        return statistics_tables(results)
    except ImportError:
        return {}


def _task_section(task: str, by_set: pd.DataFrame, by_method: pd.DataFrame) -> dict[str, Any]:
    rows = by_method[by_method["task"] == task].sort_values("rank", kind="stable")
    mine = by_set[by_set["task"] == task]
    several = len(rows) > 1
    if mine["data"].nunique() == 1:  # there is no spread over sets: that over the splits stands in its place
        rows = rows.assign(test_sd=rows["method"].map(mine.set_index("method")["test_sd"]))
    return {
        "task": task,
        "title": TASK_TITLES[task],
        "score": "accuracy" if task == "classification" else "R²",
        "n_sets": mine["data"].nunique(),
        "methods": [_method_row(row, task) for row in rows.to_dict("records")],
        "size_figure": figures.accuracy_against_size(by_method, task) if several else "",
        "gains_figure": figures.gains_by_set(by_set, by_method, task) if several else "",
        "matrix": _matrix(mine, [name for name in rows["method"] if name != "unpruned"], task),
        "absent": [m.title for m in METHODS.values() if task not in m.tasks and m.by_default],
    }


def _method_row(row: dict[Any, Any], task: str) -> dict[str, Any]:
    method = METHODS[row["method"]]
    return {
        "title": method.title,
        "pruned_with": method.pruned_with,
        "reference": method.name == "unpruned",
        "front": row["front"],
        "sets": row["sets"],
        "test": _score(row["test"], task),
        "test_sd": _score(row["test_sd"], task),
        "gain": _signed(row["gain"], task),
        "gain_sd": _score(row["gain_sd"], task),
        "better": row["better"],
        "worse": row["worse"],
        "rank": f"{row['rank']:.1f}",
        "leaves": f"{100 * row['relative_leaves']:.0f} %",
        "gap": _bracket(row, task),
        "grow": _milliseconds(row["grow_seconds"]),
        "prune": _milliseconds(row["prune_seconds"]),
    }


def _matrix(by_set: pd.DataFrame, methods: Sequence[str], task: str) -> dict[str, Any]:
    """Gains of every method on every set, with a shade for each."""
    table = by_set.pivot(index="data", columns="method", values="gain").reindex(columns=list(methods))
    return {
        "titles": [METHODS[name].title for name in methods],
        "rows": [
            {"data": data, "cells": [{"text": _signed(gain, task), "shade": _shade(gain)} for gain in row]}
            for data, row in zip(table.index, table.to_numpy(), strict=True)
        ],
    }


def _set_section(results: StudyResults, name: str, by_set: pd.DataFrame) -> dict[str, Any]:
    table, mine = results.tables[name], by_set[by_set["data"] == name]
    has_curve = (results.curves["data"] == name).any()
    rows = mine.sort_values("rank", kind="stable").to_dict("records")
    return {
        "name": name,
        "title": table.title,
        "task": table.task,
        "development": name in results.study.development,
        "n_rows": table.n_rows,
        "n_columns": table.n_columns,
        "n_missing": table.n_missing,
        "n_classes": None if table.classes is None else len(table.classes),
        "classes": [] if table.classes is None else [str(label) for label in table.classes[:12]],
        "target": table.target_name,
        "source": table.source,
        "licence": table.licence,
        "notes": table.notes,
        "score": "accuracy" if table.task == "classification" else "R²",
        "figure": figures.generalization_curve(results, name, by_set) if has_curve else "",
        "has_marks": mine["method"].str.startswith("cost_complexity").any(),
        "methods": [_set_row(row, table.task) for row in rows],
    }


def _set_row(row: dict[Any, Any], task: str) -> dict[str, Any]:
    method = METHODS[row["method"]]
    return {
        "title": method.title,
        "pruned_with": method.pruned_with,
        "reference": method.name == "unpruned",
        "n": row["n"],
        "test": _score(row["test"], task),
        "test_sd": _score(row["test_sd"], task),
        "leaves": f"{row['leaves']:.1f}",
        "gap": _bracket(row, task),
    }


def _network_section(results: StudyResults, name: str) -> dict[str, Any]:
    """What a data set's networks have to show: scores by size, what the sizes cost, and rounded weights."""
    rows, task = results.networks_of(name), results.tables[name].task
    grid = results.quantization[results.quantization["data"] == name]
    if rows.empty:
        return {"name": name, "title": results.tables[name].title, "failed": True}
    pruned = rows[~rows["method"].isin(NETWORK_LINES)]
    scores = pruned.pivot_table(index="method", columns="n_neurons", values="test_score", sort=False)
    sizes = sorted(scores.columns, reverse=True)
    lines = rows[rows["method"].isin(NETWORK_LINES)].groupby("method", sort=False)["test_score"].agg(["mean", "std"])
    costs = pruned[pruned["method"] == "obs"].groupby("n_neurons")[list(COSTS)].mean().sort_index(ascending=False)
    rounded = grid.pivot_table(index="n_neurons", columns="bits", values="test_score").sort_index(ascending=False)
    return {
        "name": name,
        "title": results.tables[name].title,
        "failed": False,
        "score": "accuracy" if task == "classification" else "R²",
        "percent": task == "classification",
        "n": rows["repeat"].nunique(),
        "figure": figures.networks(rows, name, task),
        "sizes": sizes,
        "methods": [
            {"title": _plain(method), "cells": [_score(row[n], task) for n in sizes]}
            for method, row in scores.iterrows()
        ],
        "lines": [
            {"title": _plain(method), "test": _score(row["mean"], task), "sd": _score(row["std"], task)}
            for method, row in lines.iterrows()
        ],
        "costs": [
            {"n": n, "cells": [f"{row[name]:{form}}" for name, form in COSTS.items()]} for n, row in costs.iterrows()
        ],
        "grid_figure": figures.quantization(grid, name, task),
        "bits": sorted(rounded.columns, reverse=True),
        "grid": [
            {"n": n, "cells": [_score(row[b], task) for b in sorted(row.index, reverse=True)]}
            for n, row in rounded.iterrows()
        ],
        "checklist": honest_checklist(rows).to_dict("records"),
    }


def _plain(name: object) -> str:
    return str(name).replace("_", " ")


def _bracket(row: dict[str, Any], task: str) -> str:
    if not math.isnan(row["gap_population"]):
        return f"{_signed(row['gap_population'], task)} (on fresh rows)"
    return f"{_signed(row['gap_crossed'], task)} … {_signed(row['gap'], task)}"


def _score(value: float, task: str) -> str:
    if math.isnan(value):
        return "–"  # the spread of one
    return f"{100 * value:.1f}" if task == "classification" else f"{value:.3f}"


def _signed(value: float, task: str) -> str:
    text = _score(value, task)
    if value <= 0 or math.isnan(value) or not text.strip("0."):
        return text.lstrip("-") if not text.strip("-0.") else text.replace("-", "−")
    return f"+{text}"


def _shade(gain: float) -> str:
    """CSS colour of a difference: blue for more, vermilion for less."""
    if math.isnan(gain) or gain == 0:
        return "transparent"
    strength = 0.08 + 0.62 * min(abs(gain) / MOST_SHADE, 1.0)
    return f"rgba({'0, 114, 178' if gain > 0 else '213, 94, 0'}, {strength:.2f})"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f}" if seconds < 0.01 else f"{1000 * seconds:.0f}"


def _json(about: dict[str, Any]) -> str:
    return json.dumps(about, indent=2) + "\n"


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")  # two studies may write to one folder
    fresh.write_text(text, encoding="utf-8", newline="\n")
    os.replace(fresh, path)


def _csv(table: pd.DataFrame) -> str:
    text: str = table.to_csv(index=False, lineterminator="\n", float_format="%.10g")
    return text


def _refuse_what_is_no_file(folder: Path) -> None:
    # writing to a link would change a file outside the folder
    for path in (folder / name for name in FILES):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            what = "link" if path.is_symlink() else "folder"
            raise FileExistsError(f"{path} is a {what}, and only files are replaced: remove it, or name another folder")


def _is_report(folder: Path) -> bool:
    marker = folder / MARKER
    if not marker.is_file():
        return False
    try:
        content = json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:  # not JSON, or no text at all: some other program's
        return False
    return isinstance(content, dict) and content.get("made_by") == MADE_BY
