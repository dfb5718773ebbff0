"""The command line: words in, an exit code out. The work is in `treeprune.study`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from treeprune.datasets import list_datasets
from treeprune.study import networks as small_networks
from treeprune.study.design import DEFAULT_DATA, SCORING, Study, quick_study
from treeprune.study.methods import METHODS
from treeprune.study.report import check_folder, write_report
from treeprune.study.results import StudyResults
from treeprune.study.runner import run_study
from treeprune.tables import TASKS

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
FAILED = 1
WRONG = 2  # exit code for what the user can mend
STOPPED = 130


@app.callback()
def treeprune() -> None:
    """Prune decision trees, and see where they stop generalising."""


@app.command()
def study(
    data: Annotated[
        list[str] | None, typer.Option(help="A data set by name, or the path of a CSV file; may be repeated.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column of the CSV to predict.")] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="Column of the CSV to leave out, an identifier; may be repeated.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression; of a CSV it is guessed.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="A pruning method; may be repeated. Default: all.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Random splits a data set. Default: 10, with --quick 2.")] = None,
    test_size: Annotated[float, typer.Option(help="Share of the rows to test on.")] = 0.3,
    jobs: Annotated[int, typer.Option(help="Processes; -1 is one a core.")] = -1,
    seed: Annotated[int, typer.Option(help="Of all random numbers.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("study-report"),
    force: Annotated[bool, typer.Option("--force", help="Replace the files of an earlier report.")] = False,
    networks: Annotated[
        str, typer.Option(help="Prune small networks too: some (digits, breast_cancer, diabetes), all or none.")
    ] = "some",
    quick: Annotated[bool, typer.Option("--quick", help="Few data sets and splits: seconds.")] = False,
) -> None:
    """Compare pruning methods on real data, and leave a report."""
    try:
        given: dict[str, Any] = {
            "target": target,
            "task": task,
            "test_size": test_size,
            "seed": seed,
            "networks": networks,
        }
        given["drop"] = tuple(drop or ())
        design = Study(**given, **_chosen(data, task, method, repeats, quick))
        _check_jobs(jobs)
        check_folder(out, force)
        tables = design.load()  # what is wrong with a table is said before any work
    except (ValueError, OSError) as error:
        _stop(str(error), WRONG)
    _say_what_was_decided(tables)
    for method_left in design.idle_methods(tables):
        note = f"{method_left.title}: left out, it is defined for {' and '.join(method_left.tasks)} only"
        Console(stderr=True).print(Text(note, "yellow"), soft_wrap=True)
    try:
        results = _run_with_progress(design, jobs)
        page = write_report(results, out, _command(), force)
    except KeyboardInterrupt:
        _stop("stopped; no report was written", STOPPED)
    except OSError as error:
        _stop(f"the report could not be written: {error}", WRONG)
    _show(results, page)
    if len(results.failures) == len(results.rows):
        _stop(f"every fit failed, the first with {results.failures['error'].iloc[0]}", FAILED)


def _chosen(
    data: list[str] | None, task: str | None, method: list[str] | None, repeats: int | None, quick: bool
) -> dict[str, Any]:
    """Fields of the design that have defaults of their own."""
    fields: dict[str, Any] = quick_study() if quick else {}
    if data:
        fields["data"] = tuple(data)
    elif task in TASKS:
        mine = set(list_datasets(task)["name"])
        fields["data"] = tuple(name for name in fields.get("data", DEFAULT_DATA) if name in mine)
    if method:
        fields["methods"] = tuple(method)
    if repeats is not None:
        fields["repeats"] = repeats
    return fields


def _check_jobs(jobs: int) -> None:
    if jobs != -1 and jobs < 1:
        raise ValueError(f"jobs={jobs}: a number of processes, 1 or more, is expected, or -1 for one a core")


def _run_with_progress(design: Study, jobs: int) -> StudyResults:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("growing and pruning", total=None)
        return run_study(design, jobs, lambda done, total, _name: progress.update(bar, completed=done, total=total))


def _say_what_was_decided(tables: dict[str, Any]) -> None:
    """Print what was guessed or looks odd in the tables that are the user's own."""
    console = Console(stderr=True)
    for table in tables.values():
        if table.task_guessed:
            console.print(
                Text(f"{table.title}: {table.n_rows} rows, {table.task} of {table.target_name}"), soft_wrap=True
            )
        for note in table.notes if "url" not in table else ():  # a bundled table's are on the page
            console.print(Text(f"{table.title}: {note}", "yellow"), soft_wrap=True)


def _show(results: StudyResults, page: Path) -> None:
    console = Console()
    by_method = results.by_method()
    for task, rows in by_method.groupby("task"):
        console.print(_table(str(task), rows))
    if len(results.failures):
        console.print(
            Text(f"{len(results.failures)} of {len(results.rows)} fits failed; the report lists them", "yellow")
        )
    console.print(*_network_lines(results), sep="\n", soft_wrap=True)
    console.print(
        f"{len(results.rows)} fits in {results.seconds:.0f} s. Report:", Text(str(page), "bold"), soft_wrap=True
    )


def _table(task: str, rows: Any) -> Table:
    percent, decimals = (100, 1) if task == "classification" else (1, 3)
    n_sets = rows["sets"].max()
    over = f"means over {n_sets} data sets" if n_sets > 1 else "one data set"
    table = Table(title=f"{task}, test {SCORING[task]}, {over}", title_justify="left")
    for name in ("method", "test", "gain", "rank", "leaves", "pruning"):
        table.add_column(name, justify="left" if name == "method" else "right", no_wrap=True)
    for row in rows.sort_values("rank", kind="stable").to_dict("records"):
        table.add_row(
            METHODS[row["method"]].title,
            f"{percent * row['test']:.{decimals}f}",
            f"{percent * row['gain'] + 0.0:+.{decimals}f}".replace(f"-{0:.{decimals}f}", f"+{0:.{decimals}f}"),
            f"{row['rank']:.1f}",
            f"{100 * row['relative_leaves']:.0f} %",
            f"{1000 * row['prune_seconds']:.0f} ms",
        )
    return table


def _network_lines(results: StudyResults) -> list[Text]:
    """One line for each data set with networks: what is left at a quarter of the neurons."""
    lines = []
    for data in results.networks["data"].unique():
        scores = results.networks_of(data).groupby(["method", "n_neurons"])["test_score"].mean()
        if len(scores):
            hidden, kept = small_networks.HIDDEN, small_networks.SIZES[1]
            dense, small = scores["dense"].iloc[0], scores["obs", kept]
            lines.append(Text(f"network, {data}: {dense:.3f} with {hidden} neurons, {small:.3f} with {kept} by OBS"))
    return lines


def _command() -> str:
    return shlex.join(["treeprune", *sys.argv[1:]])


def _stop(message: str, code: int) -> None:
    Console(stderr=True).print(Text(f"treeprune: {message}", "red"), soft_wrap=True)
    raise typer.Exit(code)
