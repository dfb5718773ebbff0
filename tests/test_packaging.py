"""The wheel holds what the package needs at run time, and nothing else."""

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    alone = [] if find_spec("hatchling") else ["--isolated"]
    build = ["--no-build-isolation"] if not alone else []
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *build, "-w", str(folder), str(ROOT)]
    subprocess.run(words, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_tables_types_and_template_travel_and_tests_do_not(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("_datasets/catalogue.toml", "_datasets/zoo.csv", "py.typed", "study/template.html"):
        assert f"treeprune/{needed}" in names
    tops = {name.split("/")[0] for name in names}
    assert len(tops) == 2  # the package and its metadata
    assert all(
        name.endswith((".py", ".csv", ".toml", ".md", ".html", "py.typed")) for name in names if "dist-info" not in name
    )


def test_a_table_loads_from_the_unpacked_wheel(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import treeprune.datasets as d; "
        f"assert d.__file__.startswith({str(tmp_path)!r}); print(d.load_dataset('zoo').data.shape)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "(101, 16)"
