"""A tree, its prunings and their scores as one object: a page, a file, a cell of a notebook."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.dispatch import METHODS
from treeprune.explorer.families import SHOWN, Family, find_family
from treeprune.explorer.nodes import describe_nodes
from treeprune.explorer.spec import IN_NOTEBOOK, TITLES, draw
from treeprune.tables import suggestion
from treeprune.tree.fitted import find_tree

if TYPE_CHECKING:
    import pandas as pd

PLACE = {"treeprune": "the drawing goes here"}
EXTRA = "the explorer needs vl-convert-python: pip install 'treeprune[report]'"


def explore(
    fitted: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    *,
    methods: Sequence[str] | None = None,
    folds: int = 5,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    categories: Mapping[str, Sequence[str]] | None = None,
    title: str = "A tree, and its prunings",
) -> Explorer:
    """Show a fitted tree at every prune level, beside its train and test score.

    Parameters
    ----------
    fitted : tree, or Pipeline that ends in one
        With one output. It is not changed.
    X_train, y_train : array-like
        Rows that it was grown on.
    X_test, y_test : array-like
        Other rows.
    methods : sequence of str, optional
        Families of prunings to choose among, the first shown at the start. All that are defined for the
        tree by default.
    folds : int, default=5
        Of the cross-validation on the training rows that marks a level; 0 for none.
    feature_names, class_names : sequence of str, optional
        Those that the tree knows by default.
    categories : mapping, optional
        From the name of a feature to its categories in the order of their codes, as `read_table` returns them.
    title : str

    Returns
    -------
    Explorer

    Raises
    ------
    ValueError
        For a method that is not defined for the tree, or names of another number.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune.explorer import explore
    >>> rows = train_test_split(*load_iris(return_X_y=True), random_state=0)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(rows[0], rows[2])
    >>> explorer = explore(tree, rows[0], rows[2], rows[1], rows[3], methods=["cost_complexity"])
    >>> explorer.levels()[["leaves", "train", "test"]].round(3).iloc[[0, -1]].values.tolist()
    [[7.0, 1.0, 0.974], [1.0, 0.366, 0.237]]
    """
    tree = find_tree(fitted)
    if tree.value.shape[1] > 1:
        raise ValueError(f"the tree has {tree.value.shape[1]} outputs, and one can be shown: give a tree of one output")
    names = _names("feature_names", feature_names, _known_features(tree))
    classes = _names("class_names", class_names, tree.classes[0]) if tree.is_classifier else None
    data = (X_train, y_train, X_test, y_test)
    statistics = None if tree.remembers_rows else tree.count(X_train, y_train)
    families = [find_family(tree, fitted, method, data, folds) for method in _methods(methods, tree)]
    return Explorer(
        nodes=describe_nodes(tree, names, classes, categories or {}, _with_gaps(X_train, len(names)), statistics),
        families=families,
        class_names=classes,
        score="accuracy" if tree.is_classifier else "R²",
        title=title,
        n_train=len(y_train),
        n_test=len(y_test),
    )


@dataclass(frozen=True, eq=False)
class Explorer:
    """What a page shows, as numbers.

    Attributes
    ----------
    nodes : list of dict
        See `treeprune.explorer.nodes.describe_nodes`.
    families : list of Family
    class_names : list of str, or None for a regression
    score, title : str
    n_train, n_test : int
    """

    nodes: list[dict[str, Any]]
    families: list[Family]
    class_names: list[str] | None
    score: str
    title: str
    n_train: int
    n_test: int

    @property
    def spec(self) -> dict[str, Any]:
        """The drawing, as a specification for Vega 5."""
        return draw(self.nodes, self.families, self.class_names, self.score)

    def levels(self) -> pd.DataFrame:
        """Return one row a method and level: method, level, price, leaves, train, test, chosen, within."""
        import pandas as pd

        tables = [
            pd.DataFrame(
                {
                    "method": family.method,
                    "level": np.arange(family.n_levels),
                    "price": family.price,
                    "leaves": family.n_leaves,
                    "train": family.train,
                    "test": family.test,
                    "chosen": np.arange(family.n_levels) == (-1 if family.chosen is None else family.chosen),
                    "within": family.within,
                }
            )
            for family in self.families
        ]
        return pd.concat(tables, ignore_index=True)

    def page(self) -> str:
        """Return the page: one HTML text that asks for nothing from anywhere; needs the extra ``report``."""
        whole = _vl_convert().vega_to_html(PLACE, bundle=True, renderer="svg")
        place = json.dumps(PLACE, separators=(",", ":"))
        if whole.count(place) != 1 or whole.count(_OPTIONS) != 1:
            raise RuntimeError("this version of vl-convert writes its pages otherwise than is known: install 1.9")
        before, body = whole.rsplit("<body>", 1)
        inside, after = body.rsplit("</body>", 1)
        top = f"<body><main><h1>{html.escape(self.title)}</h1>{self._introduction()}"
        head = f"<title>{html.escape(self.title)}</title>{_STYLE}"
        before = before.replace("<html>", '<html lang="en">', 1).replace("<title>Chart</title>", head, 1)
        drawing = _safe_json({**self.spec, "$schema": "https://vega.github.io/schema/vega/v6.json"})
        inside = inside.replace(_OPTIONS, _OWN_OPTIONS).replace(place, drawing)
        return f"{before}{top}{inside}{self._table()}</main></body>{after}"

    def save(self, path: str | Path) -> Path:
        """Write the page to a file."""
        path = Path(path)
        path.write_text(self.page(), encoding="utf-8")
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the drawing in a notebook: live where Vega is known, else as a picture."""
        drawing = draw(self.nodes, self.families, self.class_names, self.score, IN_NOTEBOOK)
        bundle: dict[str, Any] = {"application/vnd.vega.v5+json": drawing, "text/plain": repr(self)}
        try:
            import base64

            bundle["image/png"] = base64.b64encode(_vl_convert().vega_to_png(drawing, scale=1.5)).decode()
        except ImportError:  # the live form needs no converter
            pass
        return bundle

    def __repr__(self) -> str:
        methods = ", ".join(family.method for family in self.families)
        return f"Explorer({len(self.nodes)} nodes, {methods})"

    def _introduction(self) -> str:
        lines = [
            f"Grown on {self.n_train:,} rows, tested on {self.n_test:,} others. Move the slider to prune: the tree "
            "shrinks, and the line on the curve moves with it.",
            "Circles are splits, squares are leaves; the colour is the prediction, the stronger the purer, and the "
            "size the share of the rows. Point at one for its rule, its rows, and both sides of the comparison that "
            "the method makes there.",
        ]
        if any(family.chosen is not None for family in self.families):
            lines.append(
                "The diamond is the level that cross-validation on the training rows takes by the rule of one standard "
                "error; the band holds all levels within one standard error of the best."
            )
        return "".join(f"<p>{html.escape(line)}</p>" for line in lines)

    def _table(self) -> str:
        rows = "".join(_level_row(row) for row in self.levels().to_dict("records"))
        head = "".join(f"<th>{name}</th>" for name in ("method", "level", "parameter", "leaves", "train", "test", ""))
        return f"<details><summary>All levels as numbers</summary><table><tr>{head}</tr>{rows}</table></details>"


def _level_row(row: dict[Any, Any]) -> str:
    mark = "chosen" if row["chosen"] else "within one SE" if row["within"] else ""
    cells = (
        *(TITLES[row["method"]], row["level"], f"{row['price']:.4g}", row["leaves"]),
        *(f"{row['train']:.4f}", f"{row['test']:.4f}", mark),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _methods(wanted: Sequence[str] | None, tree: Any) -> list[str]:
    """Check the names; some methods are of classes."""
    defined = [m for m in SHOWN if tree.is_classifier or not METHODS[m].one_class_variable]
    if wanted is None:
        return defined
    if isinstance(wanted, str) or not len(wanted):
        raise ValueError(f"methods={wanted!r}: a list of names is expected, of {', '.join(defined)}")
    for name in wanted:
        if name not in defined:
            what = "is for classification only" if name in SHOWN else "has no family of prunings to show"
            hint = suggestion(name, defined) or "."
            raise ValueError(f"method {name!r} {what}{hint} Known here: {', '.join(defined)}")
    return list(dict.fromkeys(wanted))


def _known_features(tree: Any) -> list[str]:
    estimator = tree.estimator
    if hasattr(estimator, "feature_names_in_"):
        return [str(name) for name in estimator.feature_names_in_]
    return [f"x[{j}]" for j in range(estimator.n_features_in_)]


def _names(what: str, given: Sequence[str] | None, known: Any) -> list[str]:
    names = [str(name) for name in (known if given is None else given)]
    if len(names) != len(known):
        raise ValueError(f"{what} are {len(names)}, and the tree has {len(known)}")
    return names


def _with_gaps(X: Any, n_features: int) -> NDArray[np.bool_]:
    """Which features have missing values in the rows the tree was grown on."""
    import pandas as pd

    gaps = np.asarray(pd.isna(X if hasattr(X, "columns") else np.asarray(X))).any(axis=0)
    # behind a Pipeline the columns may be others: then any gap may be anywhere
    return gaps if gaps.shape == (n_features,) else np.full(n_features, bool(gaps.any()))


def _vl_convert() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise ImportError(EXTRA) from None
    return vl_convert


def _safe_json(spec: Any) -> str:
    """JSON that may stand within a script: nothing in it can end the script, or begin a comment."""
    text = json.dumps(spec, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


_OPTIONS = 'const opts = {"renderer":"svg"}'
_OWN_OPTIONS = 'const opts = {"renderer":"svg","actions":false}'
_STYLE = """<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>
body { margin: 0; background: #fbfaf7; color: #1b1f24; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font: 600 30px/1.2 Georgia, serif; margin: 0 0 8px; overflow-wrap: anywhere; }
p { max-width: 80ch; margin: 4px 0; color: #5b646e; font-size: 14px; }
#vega-chart { overflow-x: auto; background: white; border: 1px solid #e3e0d8; border-radius: 10px; margin: 16px 0; }
.vega-bindings { padding: 10px 14px; font-size: 14px; display: flex; flex-wrap: wrap; gap: 6px 26px; order: -1; }
#vega-chart.vega-embed { display: flex; flex-direction: column; padding: 4px; }
#vega-chart .vega-bindings { order: -1; }
.vega-bind input[type=range] { width: min(460px, 60vw); vertical-align: middle; accent-color: #0072b2; }
.vega-bind input[type=range] + * { display: none; }
.vega-bind select { font: inherit; padding: 2px 6px; }
#vg-tooltip-element { max-width: 420px; }
details { font-size: 14px; } summary { cursor: pointer; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-top: 8px; }
th, td { text-align: right; padding: 2px 12px; border-bottom: 1px solid #e3e0d8; }
th:first-child, td:first-child { text-align: left; }
</style>"""
