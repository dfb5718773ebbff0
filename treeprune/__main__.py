"""``python -m treeprune``: the command line, if what it needs is installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line."""
    missing = [name for name in ("typer", "rich", "jinja2") if find_spec(name) is None]
    if missing:
        raise SystemExit(f"the command line of treeprune needs {', '.join(missing)}: pip install 'treeprune[cli]'")
    try:
        from treeprune.cli import app
    except KeyboardInterrupt:  # the commands say themselves where they were stopped
        print("treeprune: stopped", file=sys.stderr)
        raise SystemExit(130) from None

    app(prog_name="treeprune")


if __name__ == "__main__":
    main()
