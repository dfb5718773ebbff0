"""``treeprune study``: a design in, a folder with the page, the tables and the store out."""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from treeprune.cli.say import FAILED, STOPPED, WRONG, note, progress_bar, stop
from treeprune.datasets import list_datasets
from treeprune.study import networks as small_networks
from treeprune.study.declaration import declaration_lines
from treeprune.study.design import DEFAULT_DATA, SCORING, Study, quick_study
from treeprune.study.design_file import load_tables, read_design
from treeprune.study.engine import dask_cluster
from treeprune.study.methods import METHODS
from treeprune.study.protocols import PROTOCOLS, read_protocol
from treeprune.study.report import begin_folder, check_folder, write_report
from treeprune.study.results import StudyResults, forget_failures
from treeprune.study.runner import run_study
from treeprune.tables import TASKS

QUICK_SETS = 3  # of a design that is somebody's own


def study(
    design: Annotated[
        str | None,
        typer.Argument(help=f"A design: a TOML file, or a published protocol ({', '.join(PROTOCOLS)})."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A data set by name, a CSV file, openml:NUMBER, or a generator (led, waveform, noisy_xor); "
            "may be repeated."
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Column of the CSV to predict.")] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="Column of the CSV to leave out, an identifier; may be repeated.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression; of a CSV it is guessed.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="A pruning method; may be repeated. Default: all.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Random splits a data set. Default: 10, with --quick 2.")] = None,
    test_size: Annotated[float | None, typer.Option(help="Share of the rows to test on. Default: 0.3.")] = None,
    control: Annotated[str | None, typer.Option(help="Method that the others are compared with.")] = None,
    rope: Annotated[float | None, typer.Option(help="Differences up to here do not matter. Default: 0.01.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes; -1 is one a core.")] = -1,
    seed: Annotated[int | None, typer.Option(help="Of all random numbers. Default: 0.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("study-report"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the study in that folder.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --resume: do what failed as a whole again.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the files of an earlier report.")] = False,
    networks: Annotated[
        str | None, typer.Option(help="Prune small networks too: some (digits, breast_cancer, diabetes), all or none.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Of a protocol: where the data sets lie that may not be shipped.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(help="Address of the scheduler of a Dask cluster that does the work.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few data sets and splits: seconds.")] = False,
) -> None:
    """Compare pruning methods on real data, and leave a report."""
    given = {
        "target": target,
        "task": task,
        "test_size": test_size,
        "seed": seed,
        "networks": networks,
        "control": control,
        "rope": rope,
        "repeats": repeats,
        "drop": tuple(drop) if drop else None,
        "data": tuple(data) if data else None,
        "methods": tuple(method) if method else None,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    try:
        _check_words(jobs, resume, force, retry_failed)
        chosen = _design(design, folder, fields, quick)
        check_folder(out, force, resume)
        tables = load_tables(chosen, design if design and design not in PROTOCOLS else None, fields)
    except (ValueError, OSError) as error:  # what is wrong with a design or a table is said before any work
        stop(str(error), WRONG)
    _say_what_was_decided(tables)
    for line in declaration_lines(chosen):
        note(line, "dim")
    for method_left in chosen.idle_methods(tables):
        note(f"{method_left.title}: left out, it is defined for {' and '.join(method_left.tasks)} only")
    results, page = _run(chosen, jobs, dask, out, resume, retry_failed, force)
    _show(results, page)
    if len(results.failures) == len(results.rows):
        stop(f"every fit failed, the first with {results.failures['error'].iloc[0]}", FAILED)


def _design(design: str | None, folder: Path | None, fields: dict[str, Any], quick: bool) -> Study:
    """The design that the words on the command line mean."""
    if design is None:
        if folder is not None:
            raise ValueError(f"--folder is for a protocol: {', '.join(PROTOCOLS)}")
        return Study(**_defaults(fields, quick))
    if design in PROTOCOLS:
        return read_protocol(design, folder, {**fields, **({"repeats": 2} if quick else {})})
    if not Path(design).exists():
        raise ValueError(f"there is no file {design!r}, and no protocol of that name. Known: {', '.join(PROTOCOLS)}")
    if folder is not None:
        raise ValueError(f"--folder is for a protocol: {', '.join(PROTOCOLS)}")
    if "data" in fields:
        fields["data"] = tuple(map(_from_here, fields["data"]))
    whole = read_design(design, fields)
    if not quick:
        return whole
    counted = [entry for entry in whole.data if entry not in whole.development] or list(whole.data)
    few = {"data": counted[:QUICK_SETS], "development": (), "repeats": min(whole.repeats, 2), "networks": "none"}
    return read_design(design, {**few, **fields})


def _from_here(word: str) -> str:
    """A file is looked for where the command is given, also where a design lies in another folder."""
    return str(Path(word).absolute()) if Path(word).suffix and Path(word).is_file() else word


def _defaults(fields: dict[str, Any], quick: bool) -> dict[str, Any]:
    """Fields of the default study, with what was given in their place."""
    whole: dict[str, Any] = {"data": DEFAULT_DATA, **(quick_study() if quick else {}), **fields}
    if "data" not in fields and fields.get("task") in TASKS:
        mine = set(list_datasets(fields["task"])["name"])
        whole["data"] = tuple(name for name in whole["data"] if name in mine)
    return whole


def _check_words(jobs: int, resume: bool, force: bool, retry_failed: bool) -> None:
    if jobs != -1 and jobs < 1:
        raise ValueError(f"jobs={jobs}: a number of processes, 1 or more, is expected, or -1 for one a core")
    if resume and force:
        raise ValueError("--resume goes on with the study in the folder, --force begins anew: give one of them")
    if retry_failed and not resume:
        raise ValueError("--retry-failed is for --resume")


def _run(
    chosen: Study, jobs: int, dask: str | None, out: Path, resume: bool, retry_failed: bool, force: bool
) -> tuple[StudyResults, Path]:
    """Do the work, and write the report; what stops it is a line that says how to go on."""
    store = None
    try:
        with dask_cluster(dask) if dask else nullcontext():
            store = begin_folder(chosen, out, _command(), force)
            if retry_failed:
                forget_failures(store)
            with progress_bar("growing and pruning") as tell:
                results = run_study(chosen, None if dask else jobs, tell, store)
        return results, write_report(results, out, _command(), force, resume=True)
    except KeyboardInterrupt:
        stop(f"stopped; what is done is kept in {store or out}. To go on: {_command(resume=True)}", STOPPED)
    except OSError as error:
        stop(f"the report could not be written: {error}", WRONG)
    except (ValueError, ImportError, RuntimeError) as error:
        stop(str(error), WRONG)


def _say_what_was_decided(tables: dict[str, Any]) -> None:
    """Print what was guessed or looks odd in the tables that are the user's own."""
    for table in tables.values():
        if table.task_guessed:
            note(f"{table.title}: {table.n_rows} rows, {table.task} of {table.target_name}", "")
        # a bundled table's are on the page, and a generator's is no warning
        for remark in table.notes if "url" not in table and table.draw is None else ():
            note(f"{table.title}: {remark}")


def _show(results: StudyResults, page: Path) -> None:
    console = Console()
    by_method = results.at_reference(results.by_method())
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


def _command(resume: bool = False) -> str:
    words = [word for word in sys.argv[1:] if not (resume and word in ("--force", "--resume"))]
    return shlex.join(["treeprune", *words, *(["--resume"] if resume else [])])
