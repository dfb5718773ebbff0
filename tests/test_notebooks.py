"""The notebooks run from top to bottom, and each .ipynb is what its source makes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import jupytext
import pytest
from jupytext.cli import jupytext as run_jupytext
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
SECONDS = 60  # for one cell

by_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


@pytest.fixture
def only_this_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take the kernel of the Python that runs the tests, and nothing from the user's own settings."""
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("MPLBACKEND", raising=False)


def test_there_are_notebooks() -> None:
    assert SOURCES
    assert [source.stem for source in SOURCES] == sorted(path.stem for path in FOLDER.glob("*.ipynb"))


@by_source
@pytest.mark.usefixtures("only_this_environment")
def test_a_notebook_runs_without_errors_or_warnings_and_shows_a_figure(source: Path, tmp_path: Path) -> None:
    notebook = jupytext.read(source)
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()  # a cell that fails raises here
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert any("image/png" in output.get("data", {}) for output in outputs)


@by_source
def test_a_notebook_is_what_jupytext_makes_of_its_source(source: Path, tmp_path: Path) -> None:
    committed = source.with_suffix(".ipynb")
    for path in (source, committed):
        shutil.copy(path, tmp_path)
    copy = tmp_path / source.name
    run_jupytext(["--quiet", "--to", "ipynb", "--update", str(copy)])  # --update keeps the ids of cells
    made = copy.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert committed.read_text(encoding="utf-8") == made, f"run: jupytext --to ipynb --update {source.name}"


@by_source
def test_a_notebook_is_kept_without_outputs(source: Path) -> None:
    cells: list[Any] = jupytext.read(source.with_suffix(".ipynb")).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
