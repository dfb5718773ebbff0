"""What all commands say alike: remarks, progress, and why they stop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

FAILED = 1
WRONG = 2  # exit code for what the user can mend
STOPPED = 130


def note(text: str, style: str = "yellow") -> None:
    """Print a remark beside the result."""
    Console(stderr=True).print(Text(text, style), soft_wrap=True)


def stop(message: str, code: int) -> NoReturn:
    """End the command with one line."""
    Console(stderr=True).print(Text(f"treeprune: {message}", "red"), soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print what is warned of inside as remarks, each once."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in found):
        note(text)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show how much is done and how long the rest takes; yields what is to be told of it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(title, total=None)
        yield lambda done, total, _name: progress.update(bar, completed=done, total=total)
