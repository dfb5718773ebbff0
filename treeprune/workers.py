"""Whether the workers of a Dask cluster have the versions of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MUST_AGREE = ("treeprune", "scikit-learn", "numpy", "joblib")


def check_workers(client: Any) -> None:
    """Raise RuntimeError unless every worker has the versions of this process.

    A worker that lacks a package dies when work arrives, another takes its place and dies too, and
    the client waits for ever: so they are asked first.
    """
    ask = _asker(MUST_AGREE)
    mine, there = ask(), client.run(ask)
    if not there:
        raise RuntimeError("the cluster has no workers: start some, dask worker ADDRESS")
    for worker, versions in there.items():
        other = [f"{name} {versions[name]}, here {mine[name]}" for name in mine if versions[name] != mine[name]]
        if other:
            raise RuntimeError(f"worker {worker} has {'; '.join(other)}: install the same versions there")


def _asker(names: Sequence[str]) -> Callable[[], dict[str, str | None]]:
    """Return a function that travels whole, and needs nothing of ours where it arrives."""

    def versions() -> dict[str, str | None]:
        from importlib import metadata as there

        installed = {d.metadata["Name"].lower(): d.version for d in there.distributions() if d.metadata["Name"]}
        return {name: installed.get(name) for name in names}

    return versions
