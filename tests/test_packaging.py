"""The wheel holds the package and its tables, nothing else, and works from where it was unpacked."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGE, TABLES = REPOSITORY / "treeprune", REPOSITORY / "datasets"
WANTED = ("treeprune/py.typed", "treeprune/study/template.html", "treeprune/_datasets/catalogue.toml")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a user would and unpack it."""
    out = tmp_path_factory.mktemp("wheel")
    # without hatchling in this environment pip fetches it, as it did to install the package
    isolation = [] if find_spec("hatchling") is None else ["--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *isolation, "--wheel-dir", str(out)]
    done = subprocess.run([*command, str(REPOSITORY)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [wheel] = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "unpacked")
    return out / "unpacked"


def files_in(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_the_tables_and_nothing_else(unpacked: Path) -> None:
    contents = {name for name in files_in(unpacked) if ".dist-info/" not in name}
    package = {f"treeprune/{name}" for name in files_in(PACKAGE)}
    tables = {f"treeprune/_datasets/{name}" for name in files_in(TABLES)}
    assert contents == package | tables
    assert contents.issuperset(WANTED)


def test_a_wheel_has_only_the_kinds_of_file_that_are_meant_to_travel(unpacked: Path) -> None:
    in_package = {Path(name).suffix for name in files_in(unpacked / "treeprune") if not name.startswith("_datasets/")}
    assert in_package == {".py", ".typed", ".html"}
    in_tables = files_in(unpacked / "treeprune/_datasets")
    entries = tomllib.loads((TABLES / "catalogue.toml").read_text(encoding="utf-8"))["table"]
    assert in_tables == {"README.md", "catalogue.toml", *(entry["file"] for entry in entries if "file" in entry)}


def test_the_command_and_the_licence_travel(unpacked: Path) -> None:
    [information] = unpacked.glob("*.dist-info")
    assert "treeprune = treeprune.__main__:main" in (information / "entry_points.txt").read_text(encoding="utf-8")
    assert (information / "licenses/LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()


@pytest.mark.slow
def test_tables_load_from_an_unpacked_wheel(unpacked: Path, tmp_path: Path) -> None:
    code = "import treeprune.datasets as d; print(d.__file__, len(d.load_dataset('zoo').data), len(d.list_datasets()))"
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    file, n_zoo, n_tables = done.stdout.split()
    assert Path(file).is_relative_to(unpacked)
    entries = tomllib.loads((TABLES / "catalogue.toml").read_text(encoding="utf-8"))["table"]
    assert int(n_tables) == len(entries)
    assert int(n_zoo) == next(entry["rows"] for entry in entries if entry["name"] == "zoo")
