"""Do many calls at a time, whatever the workers are and whatever becomes of them.

joblib does the work: processes of this machine, or any backend that a ``joblib.parallel_config`` around the
call names, a Dask cluster for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from joblib import parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.utils.parallel import Parallel, delayed

from treeprune.workers import check_workers

Call = tuple[Any, ...]


class WorkerDied(RuntimeError):
    """The process that did a call is gone: killed, or out of memory."""


def run_calls(function: Callable[..., Any], calls: Sequence[Call], jobs: int | None) -> Iterator[tuple[int, Any]]:
    """Call the function with each of the arguments, and yield place and result as they come.

    Parameters
    ----------
    function : callable
    calls : sequence of tuple
        Arguments; those that take longest first.
    jobs : int or None
        Calls at a time; -1 for one a core, None for what the backend has.

    Yields
    ------
    place : int
        Of the call.
    result : object
        What the function returned; a `WorkerDied` where its process died, alone with it, twice.
    """
    left = dict(enumerate(calls))
    try:
        for place, result in _at_a_time(function, left, jobs):
            del left[place]
            yield place, result
    except TerminatedWorkerError:
        yield from _one_by_one(function, left, jobs)


@contextmanager
def dask_cluster(address: str) -> Iterator[Any]:
    """Let a Dask cluster do the work of what is run inside.

    Parameters
    ----------
    address : str
        Of the scheduler, ``"tcp://host:8786"``.

    Yields
    ------
    distributed.Client

    Raises
    ------
    ImportError
        Without the extra ``dask``.
    RuntimeError
        If no scheduler answers at the address, or a worker has another version of what decides the results, or
        lacks it.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ImportError("a Dask cluster needs dask and distributed: pip install 'treeprune[dask]'") from None
    try:
        client = Client(address)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise RuntimeError(f"no scheduler of a Dask cluster answers at {address!r}: {error}") from None
    with client:
        check_workers(client)
        with parallel_config(backend="dask"):
            yield client


def _at_a_time(function: Callable[..., Any], calls: dict[int, Call], jobs: int | None) -> Iterator[tuple[int, Any]]:
    work = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(_placed)(function, place, *call) for place, call in list(calls.items())
    )
    yield from work


def _placed(function: Callable[..., Any], place: int, *call: Any) -> tuple[int, Any]:
    return place, function(*call)


def _one_by_one(function: Callable[..., Any], calls: dict[int, Call], jobs: int | None) -> Iterator[tuple[int, Any]]:
    """Find the call whose process dies: groups first, and a group that dies one call after the other."""
    places = list(calls)
    size = max(1, 2 * (jobs if jobs and jobs > 0 else 4))
    for start in range(0, len(places), size):
        group = {place: calls[place] for place in places[start : start + size]}
        try:
            for place, result in _at_a_time(function, dict(group), jobs):
                del group[place]
                yield place, result
        except TerminatedWorkerError as error:
            for place, call in group.items():
                yield _alone(function, place, call, error)


def _alone(function: Callable[..., Any], place: int, call: Call, error: BaseException) -> tuple[int, Any]:
    try:
        # two processes of which one is idle: a single one would be this process itself
        return next(iter(_at_a_time(function, {place: call}, 2)))
    except TerminatedWorkerError:
        return place, WorkerDied(f"its process was killed, or ran out of memory ({type(error).__name__})")
