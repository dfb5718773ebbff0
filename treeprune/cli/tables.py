"""``treeprune prune`` and ``treeprune curve``: a table of one's own in, a model or a curve out."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from treeprune.checks import check_choice, check_count
from treeprune.cli.say import STOPPED, WRONG, note, stop, warnings_as_notes
from treeprune.dispatch import METHODS
from treeprune.selection import RULES
from treeprune.table_model import PrunedTable, curve_of_table, is_searched, prune_table, save_model
from treeprune.tables import read_table, suggestion

PICTURES = (".png", ".svg", ".pdf")
SELECTED, FOLDS = "one_standard_error", 10
SELECTION = f"Where cross-validation chooses: one of {', '.join(RULES)}."
SHOWN = 12  # levels of a curve in the terminal

Target = Annotated[str, typer.Option(help="Column of the CSV to predict.")]
Task = Annotated[str | None, typer.Option(help="classification or regression; guessed if left out.")]
Drop = Annotated[list[str] | None, typer.Option(help="Column to leave out, an identifier; may be repeated.")]
Seed = Annotated[int, typer.Option(help="Of all random numbers.")]
Method = Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file.")]


def prune(
    data: Annotated[Path, typer.Argument(help="A CSV file; numbers, words and missing cells.")],
    target: Target,
    method: Method = "cost_complexity",
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A parameter of the method, alpha=0.01; may be repeated. Without any, cross-validation chooses the "
            "strength of a method that has a path of prunings; the others have their defaults.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="File of the pruned model, for skops.io.load.")] = Path("model.skops"),
    task: Task = None,
    drop: Drop = None,
    selection: Annotated[str | None, typer.Option(help=f"{SELECTION} Default: one_standard_error.")] = None,
    folds: Annotated[int | None, typer.Option(help="Of the cross-validation. Default: 10.")] = None,
    test_size: Annotated[float, typer.Option(help="Share of the rows that scores are measured on.")] = 0.3,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Grow a tree on a CSV, prune it, and save the model."""
    try:
        _check(method, selection or SELECTED, FOLDS if folds is None else folds, seed, out, (".skops",), force)
        parameters = _parameters(method, set)
        _refuse_unread(method, parameters, selection, folds)
        with warnings_as_notes():
            table = read_table(data, target, task, drop=tuple(drop or ()))
            found = prune_table(table, method, parameters, selection or SELECTED, folds or FOLDS, test_size, seed)
        trusted = save_model(found.model, out)
    except KeyboardInterrupt:
        stop("stopped; no model was written", STOPPED)
    except (ValueError, TypeError, OSError, ImportError) as error:
        stop(str(error), WRONG)
    _say_what_was_read(table)
    _show_pruned(found, table, out, trusted)


def curve(
    data: Annotated[Path, typer.Argument(help="A CSV file; numbers, words and missing cells.")],
    target: Target,
    method: Method = "cost_complexity",
    out: Annotated[
        Path, typer.Option(help=f"File of the curve: a picture ({', '.join(PICTURES)}) or numbers (.csv).")
    ] = Path("curve.png"),
    task: Task = None,
    drop: Drop = None,
    selection: Annotated[str, typer.Option(help=SELECTION)] = SELECTED,
    folds: Annotated[int, typer.Option(help="Of the cross-validation.")] = FOLDS,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Show train and test score of a tree at every prune level, by cross-validation."""
    try:
        _check(method, selection, folds, seed, out, (*PICTURES, ".csv"), force)
        with warnings_as_notes():
            table = read_table(data, target, task, drop=tuple(drop or ()))
            search = curve_of_table(table, method, selection, folds, seed)
        _write_curve(search, out)
    except KeyboardInterrupt:
        stop("stopped; no curve was written", STOPPED)
    except (ValueError, TypeError, OSError) as error:
        stop(str(error), WRONG)
    _say_what_was_read(table)
    _show_curve(search, out)


def _check(
    method: str, selection: str, folds: int, seed: int, out: Path, endings: tuple[str, ...], force: bool
) -> None:
    if method not in METHODS:
        hint = suggestion(method, METHODS) or "."
        raise ValueError(f"there is no method {method!r}{hint} Known: {', '.join(METHODS)}")
    check_choice("selection", selection, tuple(RULES))
    check_count("folds", folds, low=2)
    check_count("seed", seed, low=0)
    if out.suffix not in endings:
        raise ValueError(f"{out}: a file ending in {' or '.join(endings)} is expected")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ValueError(f"{out} cannot be written: a file in a folder that is there is expected")
    if out.exists() and not force:
        raise ValueError(f"{out} is there already: use --force to replace it, or name another file")


def _parameters(method: str, given: list[str] | None) -> dict[str, Any]:
    known = [name for name in METHODS[method]().get_params(deep=False) if name != "estimator"]
    parameters: dict[str, Any] = {}
    for word in given or ():
        name, sign, text = word.partition("=")
        if not sign or name not in known:
            hint = suggestion(name, known) or "."
            raise ValueError(f"--set {word}: NAME=VALUE is expected{hint} {method} has {', '.join(known)}")
        try:
            parameters[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            parameters[name] = text  # a word
    return parameters


def _refuse_unread(method: str, parameters: dict[str, Any], selection: str | None, folds: int | None) -> None:
    given = [name for name, value in (("--selection", selection), ("--folds", folds)) if value is not None]
    if given and not is_searched(method, parameters):
        why = f"{method} has parameters by --set" if parameters else f"{method} has no path of prunings to choose from"
        raise ValueError(f"{' and '.join(given)}: nothing is chosen by cross-validation, since {why}")


def _say_what_was_read(table: Any) -> None:
    if table.task_guessed:
        note(f"{table.title}: {table.n_rows} rows, {table.task} of {table.target_name}", "")
    for remark in table.notes:
        note(f"{table.title}: {remark}")


def _show_pruned(found: PrunedTable, table: Any, out: Path, trusted: list[str]) -> None:
    percent, decimals = (100, 1) if table.task == "classification" else (1, 3)
    score = "accuracy, %" if table.task == "classification" else "R²"
    shown = Table(title=f"{found.title}, measured on {found.n_test} rows held out", title_justify="left")
    for name in ("tree", "leaves", f"train {score}", f"test {score}"):
        shown.add_column(name, justify="left" if name == "tree" else "right")
    for row in found.scores:
        shown.add_row(
            row["tree"],
            str(row["leaves"]),
            f"{percent * row['train']:.{decimals}f}",
            f"{percent * row['test']:.{decimals}f} ± {percent * row['test_se']:.{decimals}f}",
        )
    console = Console()
    console.print(shown)
    leaves = "one leaf" if found.n_leaves == 1 else f"{found.n_leaves} leaves"
    console.print(
        f"The model was made the same way from all {table.n_rows} rows, and has {leaves}{found.chosen}. Model:",
        Text(str(out), "bold"),
        soft_wrap=True,
    )
    load = f'skops.io.load("{out.name}", trusted={trusted})'
    console.print(
        Text(f"Read it with {load}; it predicts from the columns of the CSV, words as they are."), soft_wrap=True
    )


def _write_curve(search: Any, out: Path) -> None:
    if out.suffix == ".csv":
        search.curve_.frame().to_csv(out, index=False)
        return
    from matplotlib.figure import Figure

    from treeprune.display import PruningCurveDisplay

    figure = Figure(figsize=(7, 4.6), layout="constrained")
    PruningCurveDisplay.from_cv(search, ax=figure.add_subplot())
    figure.savefig(out, dpi=150)


def _show_curve(search: Any, out: Path) -> None:
    levels = search.scores_
    title = f"{search.curve_.scoring} at prune levels, by cross-validation"
    shown = Table(title=title, title_justify="left")
    for name in ("", "leaves", "train", "test", "± standard error"):
        shown.add_column(name, justify="right")
    n = len(levels.test)
    chosen = int(search.best_level_)
    step = max(1, -(-n // SHOWN))
    wanted = sorted({*range(0, n, step), n - 1, chosen, int(levels.test.argmax())})
    for k in wanted:
        shown.add_row(
            "chosen" if k == chosen else "",
            f"{levels.n_leaves[k]:.0f}",
            f"{levels.train[k]:.3f}",
            f"{levels.test[k]:.3f}",
            f"{levels.standard_error[k]:.3f}",
        )
    console = Console()
    console.print(shown)
    console.print("All levels:", Text(str(out), "bold"), soft_wrap=True)
