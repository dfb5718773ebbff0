"""The notebooks run from top to bottom, each .ipynb is what its source makes, and students get no solutions."""

from __future__ import annotations

import ast
import runpy
import shutil
from pathlib import Path
from typing import Any

import jupytext
import pytest
from jupytext.cli import jupytext as run_jupytext
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
SOURCES = sorted(FOLDER.glob("[0-9]*.py"))
COURSE = [source for source in SOURCES if not source.name.startswith("00")]
SECONDS = 60  # for one cell
STUDENTS = runpy.run_path(str(FOLDER / "make_student_copies.py"))

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
    shown = [output.get("data", {}) for output in outputs]
    assert any("image/png" in data for data in shown)
    assert [
        data for data in shown if data.get("text/plain", "").startswith("<Figure") and "image/png" not in data
    ] == []


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


def solutions(source: Path) -> list[str]:
    """The text between the markers, read without the pattern that the student copies are made by."""
    blocks = source.read_text(encoding="utf-8").split("### BEGIN SOLUTION\n")[1:]
    return [block.split("### END SOLUTION")[0] for block in blocks]


def code_of(notebook: Path) -> list[str]:
    return [cell.source for cell in jupytext.read(notebook).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("source", COURSE, ids=lambda source: source.stem)
def test_a_notebook_of_the_course_has_three_exercises_with_a_solution_and_a_check_that_gives_a_hint(
    source: Path,
) -> None:
    assert len(solutions(source)) == 3
    exercises = source.read_text(encoding="utf-8").split("# ## Exercise ")[1:]
    assert len(exercises) == 3
    for exercise in exercises:
        assert "### BEGIN SOLUTION" in exercise
        checks = [node for node in ast.walk(ast.parse(exercise.partition("# %%\n")[2])) if isinstance(node, ast.Assert)]
        assert checks
        assert all(check.msg is not None for check in checks)


def test_student_copies_hold_no_solution_and_parse(tmp_path: Path) -> None:
    copies = STUDENTS["write_student_copies"](tmp_path / "new")
    assert [copy.stem for copy in copies] == [source.stem for source in SOURCES]
    for source, copy in zip(SOURCES, copies, strict=True):
        cells, removed = code_of(copy), solutions(source)
        for cell in cells:
            ast.parse(cell)
        text = "\n".join(cells)
        assert "SOLUTION" not in text
        assert text.count("raise NotImplementedError") == len(removed)
        lines = {line.strip() for block in removed for line in block.splitlines() if line.strip()}
        assert not lines & {line.strip() for line in text.splitlines()}
        assert len(cells) == len(code_of(source))


def test_a_student_copy_differs_by_its_solutions_only() -> None:
    source = "before\n    ### BEGIN SOLUTION\n    x = 1\n\n    # why\n    ### END SOLUTION\nafter\n"
    first, middle, last = STUDENTS["without_solutions"](source).splitlines()
    assert (first, last) == ("before", "after")
    assert middle.startswith("    raise NotImplementedError(")


@pytest.mark.parametrize("marker", ["### BEGIN SOLUTION", "### END SOLUTION"])
def test_a_marker_without_its_partner_is_refused(marker: str) -> None:
    with pytest.raises(ValueError, match="has no partner"):
        STUDENTS["without_solutions"](f"x = 1\n{marker}\ny = 2\n")
