"""``treeprune compare`` and ``treeprune export``: what lies in the stores of studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from treeprune.cli.say import WRONG, note, stop
from treeprune.study.compare_stores import SAME, compare_stores
from treeprune.study.methods import METHODS
from treeprune.study.results import TABLES, read_declared, read_store
from treeprune.study.units import CONDITION

if TYPE_CHECKING:
    import pandas as pd

FORMATS = {".csv": "CSV", ".parquet": "Parquet"}


def compare(
    first: Annotated[Path, typer.Argument(help="Store of a study, study.sqlite.")],
    second: Annotated[Path, typer.Argument(help="Store of another, with the same data sets and splits.")],
    out: Annotated[Path | None, typer.Option(help="CSV file for the comparison set by set.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace that file.")] = False,
) -> None:
    """Compare two studies row by row: same set, split and method."""
    try:
        _check_new(out, force)
        one, other = (read_store(store)["results"] for store in (first, second))
        development = {name for store in (first, second) for name in read_declared(store).get("development", ())}
        found = compare_stores(one, other, development)
        if out is not None:
            found.by_set.to_csv(out, index=False)
    except (ValueError, OSError) as error:
        stop(str(error), WRONG)
    console = Console()
    for (task, *condition), rows in found.by_method.groupby(["task", *CONDITION], sort=False, dropna=False):
        varying = [name for name in CONDITION if found.by_method[name].nunique() > 1]
        levels = dict(zip(CONDITION, condition, strict=True))
        console.print(_table(rows, str(task), {name: levels[name] for name in varying}, first, second))
    for remark in found.remarks:
        note(remark)
    if out is not None:
        console.print("Set by set:", Text(str(out), "bold"), soft_wrap=True)


def export(
    store: Annotated[Path, typer.Argument(help="Store of a study, study.sqlite.")],
    out: Annotated[Path, typer.Argument(help="File to write: its ending, .csv or .parquet, is its format.")],
    table: Annotated[str, typer.Option(help=f"One of {', '.join(TABLES)}.")] = "results",
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a table of a store as CSV or Parquet."""
    try:
        _check_new(out, force)
        if out.suffix not in FORMATS:
            raise ValueError(f"{out}: a file ending in {' or '.join(FORMATS)} is expected")
        if table not in TABLES:
            raise ValueError(f"--table {table}: one of {', '.join(TABLES)} is expected")
        whole = read_store(store)[table]
        # a store may hold earlier designs, which no column tells apart
        frame = whole.drop_duplicates(SAME, keep="last") if table == "results" else whole
        _write(frame, out)
    except (ValueError, OSError, ImportError) as error:
        stop(str(error), WRONG)
    if len(frame) < len(whole):
        note(f"{len(whole) - len(frame)} rows of earlier designs are left out")
    Console().print(f"{len(frame)} rows:", Text(str(out), "bold"), soft_wrap=True)


def _write(frame: Any, out: Path) -> None:
    if out.suffix == ".csv":
        frame.to_csv(out, index=False)
        return
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ImportError("Parquet needs pyarrow: pip install 'treeprune[parquet]'") from None
    mixed = {name: str for name in frame if frame[name].map(type).nunique() > 1 and frame[name].dtype == object}
    frame.astype(mixed).to_parquet(out, index=False)


def _check_new(out: Path | None, force: bool) -> None:
    if out is not None and out.exists() and not force:
        raise ValueError(f"{out} is there already: use --force to replace it, or name another file")


def _table(rows: pd.DataFrame, task: str, condition: dict[str, Any], first: Path, second: Path) -> Table:
    decimals, scale = (2, 100) if task == "classification" else (4, 1)
    at = "".join(f", {name} {value}" for name, value in condition.items())
    title = f"{task}{at}: {second} less {first}, means over sets ± SD"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    for name in ("method", "sets", "splits", "first", "second", "difference", "leaves"):
        table.add_column(name, justify="left" if name == "method" else "right", no_wrap=name != "method")
    for row in rows.to_dict("records"):
        table.add_row(
            METHODS[row["method"]].title if row["method"] in METHODS else str(row["method"]),
            str(row["sets"]),
            str(row["splits"]),
            f"{scale * row['test_first']:.{decimals}f}",
            f"{scale * row['test_second']:.{decimals}f}",
            f"{scale * row['difference']:+.{decimals}f} ± {scale * row['difference_sd']:.{decimals}f}",
            f"× {row['leaves_ratio']:.2f}",
        )
    return table
