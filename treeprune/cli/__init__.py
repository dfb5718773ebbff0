"""The command line: words in, an exit code out. The work is done elsewhere in the package."""

import typer

from treeprune.cli.explorer import explore
from treeprune.cli.stores import compare, export
from treeprune.cli.studies import study
from treeprune.cli.tables import curve, prune

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
for command in (study, explore, prune, curve, compare, export):
    app.command()(command)


@app.callback()
def treeprune() -> None:
    """Prune decision trees, and see where they stop generalising."""
