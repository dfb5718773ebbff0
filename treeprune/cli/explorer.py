"""``treeprune explore``: a table of one's own in, a page out on which its tree can be pruned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from treeprune.checks import check_count, check_number
from treeprune.cli.say import STOPPED, WRONG, note, stop, warnings_as_notes
from treeprune.datasets import load_dataset
from treeprune.explorer import explore as explore_tree
from treeprune.explorer.families import SHOWN
from treeprune.study.sources import known_names
from treeprune.tables import read_table
from treeprune.tree.holdout import holdout_split


def explore(
    data: Annotated[str, typer.Argument(help="A CSV file (numbers, words, missing cells), or a data set by name.")],
    target: Annotated[str | None, typer.Option(help="Column of the CSV to predict.")] = None,
    method: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(SHOWN)}; may be repeated. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File of the page.")] = Path("explore.html"),
    task: Annotated[str | None, typer.Option(help="classification or regression; guessed if left out.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Column to leave out, an identifier; may be repeated.")] = None,
    max_leaves: Annotated[int | None, typer.Option(help="Grow no more leaves than this.")] = None,
    test_size: Annotated[float, typer.Option(help="Share of the rows to test on.")] = 0.3,
    folds: Annotated[int, typer.Option(help="Of the cross-validation that marks a level; 0 for none.")] = 5,
    seed: Annotated[int, typer.Option(help="Of all random numbers.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the page.")] = False,
) -> None:
    """Grow a tree, and leave a page on which a slider prunes it."""
    try:
        _check(out, force, max_leaves, test_size, folds, seed)
        if data in known_names() and not Path(data).exists():
            if target is not None or drop or task is not None:
                raise ValueError(f"--target, --task and --drop are for a CSV file, and {data} is a data set by name")
            table = load_dataset(data)
        elif target is None:
            raise ValueError(f"{data}: say which column to predict, with --target")
        else:
            table = read_table(data, target, task, drop=tuple(drop or ()))
        with warnings_as_notes():
            page = _page(table, method, max_leaves, test_size, folds, seed)
        out.write_text(page, encoding="utf-8")
    except KeyboardInterrupt:
        stop("stopped; no page was written", STOPPED)
    except (ValueError, OSError, ImportError) as error:
        stop(str(error), WRONG)
    for remark in table.notes if "url" not in table else ():
        note(f"{table.title}: {remark}")
    Console().print("Page:", Text(str(out), "bold"), soft_wrap=True)


def _page(table: Any, method: list[str] | None, max_leaves: int | None, test_size: float, folds: int, seed: int) -> str:
    kind = DecisionTreeClassifier if table.task == "classification" else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=max_leaves, random_state=seed)
    training, test = holdout_split(test_size, tree, table.data, table.target, None, seed)
    X, y, X_test, y_test = (rows for part in (training, test) for rows in (table.data.iloc[part], table.target[part]))
    return explore_tree(
        tree.fit(X, y),
        *(X, y, X_test, y_test),
        methods=method,
        folds=folds,
        categories=table.categories,
        title=f"{table.title}: a tree for {table.target_name}, and its prunings",
    ).page()


def _check(out: Path, force: bool, max_leaves: int | None, test_size: float, folds: int, seed: int) -> None:
    check_number("test_size", test_size, low=0, high=1, open_ends=True)
    check_count("folds", folds, low=0)
    check_count("seed", seed, low=0)
    if folds == 1:
        raise ValueError("folds=1: 2 or more are expected, or 0 for no cross-validation")
    if max_leaves is not None:
        check_count("max_leaves", max_leaves, low=2)
    if out.suffix != ".html":
        raise ValueError(f"{out}: a file ending in .html is expected")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ValueError(f"{out} cannot be written: a file in a folder that is there is expected")
    if out.exists() and not force:
        raise ValueError(f"{out} is there already: use --force to replace it, or name another file")
