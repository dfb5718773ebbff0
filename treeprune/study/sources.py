"""Where the rows of a study come from: a table by name, a CSV, OpenML, or a generator.

An entry of a design is a word ("glass", "mine.csv", "openml:61", "led:1000") or a mapping that says more
(``{"csv": "mine.csv", "target": "y", "drop": ["id"]}``). `read_source` checks it before anything is
read, `Source.load` reads it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from treeprune.checks import check_choice, check_count, check_number
from treeprune.datasets import list_datasets, load_dataset, read_table
from treeprune.generators import (
    led_bayes_error,
    make_led,
    make_noisy_xor,
    make_waveform,
    noisy_xor_bayes_error,
    waveform_bayes_error,
)
from treeprune.tables import MISSING, TASKS, describe, parse_table, suggestion

SEVERAL_TARGETS = ("linnerud",)
GENERATED_ROWS = 500


@dataclass(frozen=True)
class Generator:
    """A problem whose rows can be drawn at will.

    Attributes
    ----------
    draw : callable
        From ``(n_samples, random_state=…, **options)`` to X and y.
    bayes_error : callable
        From the options it shares with `draw` to the least error there is.
    options, bayes_options : tuple of str
    title : str
    """

    draw: Callable[..., Any]
    bayes_error: Callable[..., float]
    options: tuple[str, ...]
    bayes_options: tuple[str, ...]
    title: str


GENERATORS = {
    "led": Generator(make_led, led_bayes_error, ("noise", "n_irrelevant"), ("noise",), "Digits on a failing display"),
    "waveform": Generator(make_waveform, waveform_bayes_error, ("n_noise",), (), "Mixtures of triangular waves"),
    "noisy_xor": Generator(
        make_noisy_xor, noisy_xor_bayes_error, ("noise", "n_irrelevant"), ("noise",), "Exclusive or, labels flipped"
    ),
}

# What a mapping may say, by the key that says which kind it is.
OPTIONS: dict[str, tuple[str, ...]] = {
    "name": ("above",),
    "csv": ("target", "task", "drop", "above"),
    "openml": ("target", "task", "drop", "above"),
    "generator": ("rows", "seed", *dict.fromkeys(o for g in GENERATORS.values() for o in g.options)),
}


@dataclass(frozen=True)
class Source:
    """One data set of a design, checked but not read.

    Attributes
    ----------
    kind : {"name", "csv", "openml", "generator"}
    what : str
        Name, path, number or generator.
    options : dict
    """

    kind: str
    what: str
    options: Mapping[str, Any]

    def load(self) -> Bunch:
        """Read or draw the table; ``draw`` is there for generators and makes fresh rows."""
        if self.kind == "generator":
            return _generated(self.what, self.options)
        table = _tables[self.kind](self.what, self.options)
        table.draw = None
        if "above" in self.options:
            _split_in_two(table, self.options["above"])
        return table


def known_names() -> list[str]:
    """Names of the data sets; without those that have several targets."""
    return [name for name in list_datasets()["name"] if name not in SEVERAL_TARGETS]


def read_source(entry: Any, base: Path, defaults: Mapping[str, Any]) -> Source:
    """Check one entry of a design.

    Parameters
    ----------
    entry : str or mapping
    base : Path
        Folder that relative paths start from.
    defaults : mapping
        ``target``, ``task`` and ``drop`` of CSV files that do not say their own.

    Raises
    ------
    ValueError
        With what is allowed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from treeprune.study.sources import read_source
    >>> read_source("led:200", Path("."), {})
    Source(kind='generator', what='led', options={'rows': 200})
    >>> read_source({"generator": "led", "nose": 0.2}, Path("."), {})
    Traceback (most recent call last):
    ...
    ValueError: 'nose' is no option of generator 'led', did you mean 'noise'? Known: rows, seed, noise, n_irrelevant
    """
    if isinstance(entry, str):
        return _from_word(entry, base, defaults)
    if not isinstance(entry, Mapping):
        raise ValueError(f"data holds {entry!r}: names, or tables such as {{csv = 'mine.csv', target = 'y'}}")
    kinds = [kind for kind in OPTIONS if kind in entry]
    if len(kinds) != 1:
        raise ValueError(f"{dict(entry)!r}: one of {', '.join(OPTIONS)} is expected in it")
    return _from_mapping(kinds[0], {**entry}, base, defaults)


def _from_word(word: str, base: Path, defaults: Mapping[str, Any]) -> Source:
    head, _, tail = word.partition(":")
    if word in known_names():
        return Source("name", word, {})
    if head in GENERATORS and not (base / word).exists():
        rows = {"rows": _whole(tail, word)} if tail else {}
        return _from_mapping("generator", {"generator": head, **rows}, base, defaults)
    if head == "openml" and tail:
        return _from_mapping("openml", {"openml": _whole(tail, word)}, base, defaults)
    return _from_mapping("csv", {"csv": word}, base, defaults)


def _from_mapping(kind: str, entry: dict[str, Any], base: Path, defaults: Mapping[str, Any]) -> Source:
    what = entry.pop(kind)
    allowed = OPTIONS[kind]
    if kind == "generator":
        check_choice("generator", what, tuple(GENERATORS))
        allowed = ("rows", "seed", *GENERATORS[what].options)
    for option in entry:
        if option not in allowed:
            hint = suggestion(option, allowed) or "."
            raise ValueError(f"{option!r} is no option of {kind} {what!r}{hint} Known: {', '.join(allowed)}")
    _check_options(entry)
    if kind == "csv":
        entry = {**{k: v for k, v in defaults.items() if v not in (None, ())}, **entry}
        what = _path(what, base, entry)
    elif kind == "name" and what not in known_names():
        raise ValueError(_unknown(str(what)))
    elif kind == "openml":
        check_count("openml", what, low=1)
    return Source(kind, str(what), entry)


def _check_options(entry: Mapping[str, Any]) -> None:
    for option, value in entry.items():
        if option in ("rows", "seed", "n_irrelevant", "n_noise"):
            check_count(option, value, low=1 if option == "rows" else 0)
        elif option == "noise":
            check_number(option, value, low=0, high=0.5)
        elif option == "above":
            check_number(option, value)
        elif option == "task":
            check_choice(option, value, TASKS)


def _path(what: Any, base: Path, entry: Mapping[str, Any]) -> str:
    path = base / str(what)
    if not path.exists():
        raise ValueError(_unknown(str(what)))
    if "target" not in entry:
        raise ValueError(f"{what} is a file of your own: say which column to predict, with target (--target)")
    return str(path)


def _unknown(name: str) -> str:
    if name in SEVERAL_TARGETS:
        return f"{name} has several targets, and a study is of one: name another data set"
    what = "file" if Path(name).suffix != "" or len(Path(name).parts) > 1 else "data set named"
    known = [*known_names(), *GENERATORS]
    return (
        f"there is no {what} {name!r}{suggestion(name, known) or '.'} "
        f"Known: {', '.join(known)}; or openml:NUMBER, or the path of a CSV file"
    )


def _whole(text: str, word: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{word!r}: a whole number is expected after the colon")
    return int(text)


def _from_csv(path: str, options: Mapping[str, Any]) -> Bunch:
    # a file whose quantity is to be cut in two is read as a quantity
    task = "regression" if "above" in options else options.get("task")
    return read_table(path, str(options["target"]), task, drop=options.get("drop", ()))


def _from_openml(number: str, options: Mapping[str, Any]) -> Bunch:
    from sklearn.datasets import fetch_openml

    found = fetch_openml(data_id=int(number), as_frame=True, parser="auto")
    target = str(options.get("target", found.target_names[0] if found.target_names else ""))
    text = io.StringIO()
    found.frame.to_csv(text, index=False)
    task = "regression" if "above" in options else options.get("task")
    origin = f"openml:{number}"
    table = parse_table(text.getvalue(), target, task, missing=MISSING, origin=origin, drop=options.get("drop", ()))
    title = str(found.details.get("name", origin))
    licence = str(found.details.get("licence", "not stated"))
    table.update(name=origin, title=title, source=f"OpenML, data set {number}", licence=licence)
    table.DESCR = describe(table)
    return table


def _distinct_name(name: str, options: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    """Two sets of one generator are told apart by what they were drawn with."""
    given = [str(options["rows"])] if "rows" in options else []
    return ":".join([name, ",".join(given + [f"{k}={v}" for k, v in chosen.items()])]).rstrip(":")


def _generated(name: str, options: Mapping[str, Any]) -> Bunch:
    import pandas as pd

    generator = GENERATORS[name]
    chosen = {option: options[option] for option in generator.options if option in options}
    draw = partial(generator.draw, **chosen)
    rows = options.get("rows", GENERATED_ROWS)
    X, y = draw(rows, random_state=options.get("seed", 0))
    names = [f"x{j}" for j in range(X.shape[1])]
    least = generator.bayes_error(**{o: chosen[o] for o in generator.bayes_options if o in chosen})
    about = ", ".join(f"{k} = {v}" for k, v in chosen.items())
    return Bunch(
        data=pd.DataFrame(X, columns=names),
        target=y,
        feature_names=names,
        target_name="class",
        categories={},
        dropped=[],
        task="classification",
        task_guessed=False,
        classes=np.unique(y),
        n_rows=rows,
        n_columns=X.shape[1],
        n_missing=0,
        name=f"{name}:{rows}" if "rows" in options else name,
        distinct_name=_distinct_name(name, options, chosen),
        title=generator.title,
        source=f"drawn by treeprune.datasets.{generator.draw.__name__}{f' ({about})' if about else ''}",
        licence="none needed",
        notes=[f"The best any model can do is an accuracy of {100 * (1 - least):.1f} %"],
        draw=draw,
    )


def _split_in_two(table: Bunch, above: float) -> None:
    """Turn a quantity into a class: above the number, or not."""
    if table.task != "regression":
        raise ValueError(f"above={above}: the target of {table.name} is a class already, and no quantity to cut in two")
    table.target = np.where(table.target > above, "yes", "no")
    table.classes = np.unique(table.target)
    if len(table.classes) < 2:
        raise ValueError(f"above={above}: all values of {table.target_name} lie on one side of it")
    table.task, table.task_guessed = "classification", False
    table.target_name = f"{table.target_name} > {above:g}"
    table.name = f"{table.name}>{above:g}"


_tables: dict[str, Callable[[str, Mapping[str, Any]], Bunch]] = {
    "name": lambda name, _: load_dataset(name),
    "csv": _from_csv,
    "openml": _from_openml,
}
