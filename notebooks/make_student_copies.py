"""Write the notebooks without their solutions: ``python notebooks/make_student_copies.py [FOLDER]``.

FOLDER is ``notebooks/student`` if none is given. What stands between ``### BEGIN SOLUTION`` and
``### END SOLUTION`` in a source is replaced by a line that fails; everything else stays as it is.
"""

import re
import sys
from pathlib import Path

import jupytext

HERE = Path(__file__).parent
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^\1### END SOLUTION\n", re.MULTILINE | re.DOTALL)
TO_DO = 'raise NotImplementedError("your solution goes here, in place of this line")'


def without_solutions(source: str) -> str:
    """Return the text of a notebook's source with every solution replaced by one line."""
    copy = SOLUTION.sub(rf"\1{TO_DO}\n", source)
    if "SOLUTION" in copy:
        left = next(line for line in copy.splitlines() if "SOLUTION" in line)
        raise ValueError(f"{left!r} has no partner: BEGIN and END must come in pairs, indented alike")
    return copy


def write_student_copies(folder: Path) -> list[Path]:
    """Write one .ipynb for each notebook and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for source in sorted(HERE.glob("[0-9]*.py")):
        notebook = jupytext.reads(without_solutions(source.read_text(encoding="utf-8")), fmt="py:percent")
        copies.append(folder / f"{source.stem}.ipynb")
        jupytext.write(notebook, copies[-1], fmt="ipynb")
    return copies


if __name__ == "__main__":
    for path in write_student_copies(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "student"):
        print(path)
