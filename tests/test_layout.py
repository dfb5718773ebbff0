"""What holds for the package as a whole: who imports whom, what an import costs, what is documented.

The source is read with `ast`, so a rule holds for imports inside functions too.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sklearn.base import BaseEstimator

import treeprune as tp
from treeprune import datasets
from treeprune.selection import RULES, fixed_size

PACKAGE = Path(tp.__file__).parent

# From the top floor to the ground. A module imports from floors below its own, never from beside it or above. A package
# stands for all its modules that have no line of their own; those may import each other, but not in a circle.
FLOORS = (
    ("__main__",),
    ("cli",),
    ("study", "diagnostics", "ship", "adapters", "table_model", "explorer"),
    ("display", "cut_display", "datasets", "systems"),
    ("dispatch", "cv", "strength", "tables", "generators", "chunks"),
    ("folds", "honest", "network_dispatch"),
    ("evidence",),
    ("out_of_fold", "ensemble", "neural.neuron_pruner", "neural.weight_pruner", "tree.methods", "tree.shrinkage"),
    ("tree.soft",),
    ("tree.pruner",),
    ("tree.family",),
    ("tree.curve", "tree.refit", "tree.row_loss", "tree.surgery", "tree.risk"),
    ("tree.fitted", "tree.rebuild", "tree.predictor", "tree.holdout", "tree.trace"),
    ("tree.sides", "tree.stopping"),
    ("tree.cuts", "tree.loss", "tree.confusion", "tree.ranking", "tree.statistics", "neural"),
    ("tree.structure", "selection"),
    ("curve",),
    ("path",),
    ("checks", "wrapped", "repair", "rows", "workers"),
)
COMMAND_LINE = ("__main__", "cli", "cli.say", "cli.studies", "cli.stores", "cli.tables", "cli.explorer")
PACKAGES_WITHOUT_CODE = ("tree", "tree.methods", "study", "ship", "adapters", "ensemble")

EVERYWHERE = {
    "treeprune",
    "numpy",
    "scipy",
    "sklearn",
    "joblib",
    "threadpoolctl",
}  # the last two come with scikit-learn
IN_FUNCTIONS = {"pandas", "matplotlib"}
FOR_STUDIES = {"jinja2", "distributed", "statsmodels", "scikit_posthocs", "baycomp", "gosdt"}
FOR_ADAPTERS = {"torch", "torch_pruning", "lightgbm", "xgboost"}
FOR_THE_COMMAND_LINE = {"typer", "rich", "jinja2", "pyarrow"}
FOR_MODELS = {"skops"}
FOR_CHUNKS = {"dask", "distributed", "pyarrow"}


def name_of(path: Path) -> str:
    """Name a module as in FLOORS: without the package; the package itself is the empty name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
INNER = [name for name in MODULES if name]
PUBLIC = {name: value for name, value in vars(tp).items() if getattr(value, "__module__", "").startswith("treeprune")}
PUBLIC = {name: value for name, value in PUBLIC.items() if not name.startswith("__")}
PUBLIC |= {name: getattr(datasets, name) for name in datasets.__all__}
PUBLIC |= {rule.__name__: rule for rule in (*RULES.values(), fixed_size)}


@cache
def source_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported anywhere in it: ``a.b`` for both ``import a.b`` and ``from a import b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(module: str) -> set[str]:
    """Return modules of the package that a module imports, as named in FLOORS."""
    found = set()
    for name in imported(source_of(module)):
        top, *rest = name.split(".")
        if top == "treeprune":
            known = [".".join(rest[:n]) for n in range(len(rest), -1, -1)]
            found.add(next(candidate for candidate in known if candidate in MODULES))
    return found


def entry_of(module: str) -> str | None:
    """Return the line of FLOORS that a module stands in, the most specific one."""
    parts = module.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    listed = {entry for floor in FLOORS for entry in floor}
    return next((prefix for prefix in prefixes if prefix in listed), None)


def floor_of(module: str) -> int:
    """Return the position in FLOORS, 0 at the top."""
    return next(k for k, floor in enumerate(FLOORS) if entry_of(module) in floor)


# ---- imports ---------------------------------------------------------------------------------------------------------


def test_no_entry_stands_on_two_floors() -> None:
    entries = [entry for floor in FLOORS for entry in floor]
    assert len(entries) == len(set(entries))


@pytest.mark.parametrize("module", INNER)
def test_every_module_has_a_floor(module: str) -> None:
    assert entry_of(module) or module in PACKAGES_WITHOUT_CODE, f"give {module} a line in FLOORS"


@pytest.mark.parametrize("module", [module for module in INNER if entry_of(module)])
def test_imports_go_down_only(module: str) -> None:
    for other in imported_modules(module):
        beside = entry_of(other) == entry_of(module)
        assert beside or floor_of(other) > floor_of(module), f"{module} imports {other}"


def test_nothing_but_the_public_names_is_in_the_top_of_the_package() -> None:
    body = source_of("").body
    assert all(isinstance(node, ast.ImportFrom | ast.Expr) for node in body[:-1])
    assert getattr(body[-1], "name", "") == "__getattr__"  # networks, imported when they are asked for


@pytest.mark.parametrize("module", [module for module in PACKAGES_WITHOUT_CODE if module in MODULES])
def test_a_package_has_a_docstring_and_no_code_of_its_own(module: str) -> None:
    assert ast.get_docstring(source_of(module))
    assert len(source_of(module).body) == 1


def test_no_module_imports_itself_by_way_of_others() -> None:
    waiting = {module: imported_modules(module) - {"", module} for module in INNER}
    while waiting:
        free = [module for module, needed in waiting.items() if not needed & waiting.keys()]
        assert free, f"in a circle: {', '.join(waiting)}"
        for module in free:
            del waiting[module]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_nothing_that_its_part_of_the_package_does_not_promise(module: str) -> None:
    allowed = EVERYWHERE | IN_FUNCTIONS | set(sys.stdlib_module_names)
    allowed |= {
        "study": FOR_STUDIES,
        "cli": FOR_THE_COMMAND_LINE,
        "table_model": FOR_MODELS,
        "explorer": {"vl_convert"},
        "chunks": FOR_CHUNKS,
    }.get(module.split(".")[0], set())
    allowed |= FOR_ADAPTERS if module.startswith("adapters.") else set()
    found = {name.split(".")[0] for name in imported(source_of(module))}
    assert found <= allowed, found - allowed


@pytest.mark.parametrize("module", MODULES)
def test_pandas_matplotlib_and_extras_are_imported_inside_functions(module: str) -> None:
    at_import_time = [node for node in source_of(module).body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    at_import_time = [node for node in at_import_time if not _for_type_checkers(node)]
    found = {name.split(".")[0] for node in at_import_time for name in imported(node)}
    assert not found & (IN_FUNCTIONS | FOR_ADAPTERS | FOR_CHUNKS)


def _for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("module", MODULES)
def test_no_private_part_of_scikit_learn_is_imported(module: str) -> None:
    private = [name for name in imported(source_of(module)) if re.match(r"sklearn\b.*\._", name)]
    assert private == []


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_treeprune_loads_little_more_than_the_trees_of_scikit_learn() -> None:
    more = loaded_by("import treeprune") - loaded_by("import sklearn.tree")
    assert "treeprune" in more
    foreign = {name for name in more if name.split(".")[0] not in {"treeprune", "numpy", *sys.stdlib_module_names}}
    assert foreign <= {"sklearn.frozen", "sklearn.frozen._frozen"}


# ---- names and docstrings --------------------------------------------------------------------------------------------


def test_no_module_bears_the_name_of_a_public_function_or_class() -> None:
    assert {module.split(".")[-1] for module in INNER}.isdisjoint(PUBLIC)


public = pytest.mark.parametrize("name", sorted(PUBLIC))


def section(text: str, title: str) -> str:
    """Return one section of a numpydoc docstring, empty if there is none."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def documented(text: str, title: str) -> list[str]:
    """Return the names that a section describes: ``X, y : array-like`` are two, stars are dropped."""
    lines = [line for line in section(text, title).splitlines() if line and not line[0].isspace()]
    return [name.strip().lstrip("*") for line in lines for name in line.split(" : ")[0].split(",")]


def parameters_of(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def public_methods(kind: type) -> list[tuple[str, Any]]:
    own = [(name, inspect.unwrap(value)) for name, value in inspect.getmembers(kind) if not name.startswith("_")]
    return [(n, f) for n, f in own if inspect.isroutine(f) and getattr(f, "__module__", "").startswith("treeprune")]


@public
def test_every_public_function_and_class_shows_an_example(name: str) -> None:
    value = PUBLIC[name]
    assert ">>> " in section(inspect.getdoc(value) or "", "Examples"), f"{name} has no Examples"


@public
def test_the_parameters_in_a_docstring_are_those_of_the_signature(name: str) -> None:
    value = PUBLIC[name]
    text = inspect.getdoc(value) or ""
    if is_dataclass(value):
        missing = {field.name for field in fields(value)} - set(documented(text, "Attributes"))
        assert not missing
    else:
        assert sorted(documented(text, "Parameters")) == sorted(parameters_of(value))


@public
def test_the_parameters_in_the_docstring_of_a_method_are_those_of_its_signature(name: str) -> None:
    value = PUBLIC[name]
    for method, function in public_methods(value) if inspect.isclass(value) else []:
        text = inspect.getdoc(function)
        assert text, f"{name}.{method} has no docstring"
        if "Parameters\n---" in text:
            assert sorted(documented(text, "Parameters")) == sorted(parameters_of(function)), method


# ---- parameters are used ---------------------------------------------------------------------------------------------


def estimators() -> list[type]:
    """Return every estimator of the package, public or not, that can be made."""
    modules = [importlib.import_module(f"treeprune.{module}") for module in INNER if module not in COMMAND_LINE]
    found = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    mine = [kind for kind in found if issubclass(kind, BaseEstimator) and kind.__module__.startswith("treeprune")]
    return sorted((kind for kind in mine if not inspect.isabstract(kind)), key=lambda kind: kind.__name__)


def read_from_self(kind: type) -> set[str]:
    """Attributes of self that a class or its bases read, other than to store or to check them."""
    found = {kind.strength} if hasattr(kind, "strength") else set()  # read by PathPruner, under that name
    for base in kind.__mro__:
        if not base.__module__.startswith("treeprune"):
            continue
        module = source_of(base.__module__.removeprefix("treeprune").lstrip("."))
        body = next(n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name == base.__name__)
        methods = [node for node in body.body if isinstance(node, ast.FunctionDef)]
        found |= {
            node.attr
            for method in methods
            if method.name not in ("__init__", "_check_parameters")
            for node in ast.walk(method)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and ast.unparse(node.value) == "self"
        }
    return found


@pytest.mark.parametrize("kind", estimators(), ids=lambda kind: kind.__name__)
def test_no_parameter_of_an_estimator_is_stored_and_never_used(kind: type) -> None:
    assert set(inspect.signature(kind).parameters) <= read_from_self(kind)
