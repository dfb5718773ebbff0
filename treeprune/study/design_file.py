"""A design as a TOML file: its keys are the fields of `Study`, and an error names the line."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from treeprune.study.design import DesignError, Study
from treeprune.study.protocols import PROTOCOLS, read_protocol
from treeprune.tables import suggestion

NOT_IN_FILES = ("base",)  # relative paths start from the folder of the file


def read_design(path: str | Path, overrides: Mapping[str, Any] | None = None) -> Study:
    r"""Read the design of a study.

    Parameters
    ----------
    path : path
        A TOML file whose keys are the parameters of `Study`. Relative paths of CSV files start from its folder.
        With ``protocol`` its keys are in place of those of the published protocol.
    overrides : mapping, optional
        Fields that are to have another value than in the file.

    Returns
    -------
    Study

    Raises
    ------
    FileNotFoundError
    DesignError
        With the file and the line, what is there, and what is allowed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from treeprune.study.design_file import read_design
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "noise.toml"
    >>> _ = path.write_text('data = ["glass", "led:300"]\nlabel_noise = [0.0, 0.2]\nrepeats = 5\n')
    >>> read_design(path).label_noise
    (0.0, 0.2)
    >>> _ = path.write_text('data = ["glass"]\nrepeats = 0\n')
    >>> read_design(path)
    Traceback (most recent call last):
    ...
    treeprune.study.design.DesignError: ...noise.toml, line 2: repeats=0: a whole number, 1 or more, is expected
    >>> folder.cleanup()
    """
    path, mine = Path(path), overrides or {}
    text = _text(path)
    fields = {**_parsed(path, text), **mine}
    with_lines = _Lines(path, text, mine)
    known = [f.name for f in dataclasses.fields(Study) if f.name not in NOT_IN_FILES]
    for name in fields:
        if name not in known:
            hint = suggestion(name, known) or "."
            raise with_lines.error(DesignError(f"there is no key {name!r}{hint} Known: {', '.join(known)}", name))
    try:
        return _study({**fields, "base": str(path.parent)})
    except DesignError as error:
        raise with_lines.error(error) from None


def _study(fields: dict[str, Any]) -> Study:
    protocol = fields.get("protocol")
    return Study(**fields) if protocol not in PROTOCOLS else read_protocol(str(protocol), overrides=fields)


def load_tables(study: Study, path: str | Path | None, overrides: Collection[str] = ()) -> dict[str, Any]:
    """Read the tables of a design; an error names the line of the file that it came from, if it came from one."""
    try:
        return study.load()
    except DesignError as error:
        if path is None:
            raise
        raise _Lines(Path(path), _text(Path(path)), overrides).error(error) from None


def _text(path: Path) -> str:
    if path.is_dir():
        raise DesignError(f"{path} is a folder: name a TOML file")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DesignError(f"{path} is no text in UTF-8: a design is a TOML file") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # says the line itself
        raise DesignError(f"{path}: {error}") from None


class _Lines:
    """Finds the line of a file that an error is about."""

    def __init__(self, path: Path, text: str, overrides: Collection[str]) -> None:
        self.path, self.lines, self.overrides = path, text.splitlines(), overrides

    def error(self, error: DesignError) -> DesignError:
        if error.field in self.overrides:  # it was given beside the file
            return error
        line = self._line_of(error.field, error.entry)
        where = f"{self.path}, line {line}" if line else f"{self.path}"
        return DesignError(f"{where}: {error}", error.field, error.entry)

    def _line_of(self, field: str, entry: Any) -> int | None:
        key = re.compile(rf"\s*(\[\[?\s*)?{re.escape(field)}\s*[=.\]]") if field else re.compile(r"(?!)")
        starts = [number for number, line in enumerate(self.lines, start=1) if key.match(line)]
        if not starts or entry is None:
            return starts[0] if starts else None
        said = [str(v) for v in entry.values()] if isinstance(entry, Mapping) else [str(entry)]
        words = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)") for word in said if not word.startswith("[")]
        for number in range(starts[0], len(self.lines) + 1):
            if all(word.search(self.lines[number - 1]) for word in words):
                return number
        return starts[0]
