"""The drawing, as a Vega 5 specification: tree, curve, and the controls that both follow.

Every number and word stands in ``data``; what follows the controls is Vega's own signals and transforms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from treeprune.explorer.families import LEAF, Family

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#7a828c")
TREE = {"width": 660, "height": 470}
IN_NOTEBOOK = 460  # width of the tree, where the page has a list of files beside it
CURVE = {"width": 360, "height": 300, "right_of_tree": 80, "y": 40}
CURVE_X = f"tree_width + {CURVE['right_of_tree']}"
MOST_IN_LEGEND = 9
READABLE = 24  # leaves up to which nodes have words beside them
TITLES = {
    "cost_complexity": "cost-complexity",
    "critical_value": "critical-value",
    "max_depth": "max depth",
    "max_leaf_nodes": "max leaf nodes",
    "error_based": "error-based",
    "minimum_error": "minimum-error",
    "pessimistic_error": "pessimistic-error",
    "averaging": "averaging, likeliest",
    "optimal": "optimal by size",
    "significance": "significance",
    "kearns_mansour": "Kearns–Mansour",
    "min_impurity_decrease": "min impurity decrease",
    "min_samples_split": "min samples split",
}

Spec = dict[str, Any]


def draw(
    nodes: list[dict[str, Any]],
    families: Sequence[Family],
    class_names: Sequence[str] | None,
    score: str,
    tree_width: int = TREE["width"],
) -> Spec:
    """Return the specification.

    Parameters
    ----------
    nodes : list of dict
        From `describe_nodes`.
    families : sequence of Family
        The first is shown at the start.
    class_names : sequence of str, or None for a regression
    score : str
        What the curve shows.
    tree_width : int
        In pixels.
    """
    return {
        "$schema": "https://vega.github.io/schema/vega/v5.json",
        "description": "A decision tree beside its train and test score at every prune level.",
        "width": tree_width + CURVE["right_of_tree"] + CURVE["width"] + 20,
        "height": TREE["height"] + 20,
        "padding": 10,
        "background": "white",
        "autosize": "pad",
        "config": {"axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "gridOpacity": 0.5}},
        "signals": [{"name": "tree_width", "value": tree_width}, *_signals(families)],
        "data": _data(nodes, families, class_names),
        "scales": [_colours(nodes, class_names)],
        "marks": [_tree_group(), _curve_group(score)],
        "legends": [_legend(class_names)],
    }


def _signals(families: Sequence[Family]) -> list[Spec]:
    first = families[0]
    start = first.chosen if first.chosen is not None else 0
    at_start = 100 * start / max(first.n_levels - 1, 1)
    return [
        {
            "name": "method",
            "value": first.method,
            "bind": {
                "input": "select",
                "name": "method ",
                "options": [family.method for family in families],
                "labels": [TITLES[family.method] for family in families],
            },
        },
        {
            "name": "pruned",
            "value": round(at_start, 1),
            "bind": {"input": "range", "name": "pruned, % of the levels ", "min": 0, "max": 100, "step": 0.1},
        },
        {"name": "family", "update": "data('families')[indexof(pluck(data('families'), 'method'), method)]"},
        {"name": "level", "update": "round(pruned / 100 * (family.levels - 1))"},
        {"name": "now", "update": "data('shown_curve')[level]"},
        {"name": "leaves", "update": "now ? now.leaves : 1"},
        {"name": "few", "update": f"leaves <= {READABLE}"},
        {
            "name": "headline",
            "update": "'level ' + level + ' of ' + (family.levels - 1) + ': ' + leaves + (leaves == 1 ? ' leaf, ' : "
            "' leaves, ') + family.parameter + ' = ' + format(now ? now.price : 0, '.4~g') + (level == family.chosen ? "
            "'  (chosen by cross-validation)' : '')",
        },
        {
            "name": "remark",
            "update": "(family.nested ? 'Nested: a node that is gone stays gone.' : "
            "'Not nested: nodes that are gone may return.') + family.remark",
        },
    ]


def _data(nodes: list[Spec], families: Sequence[Family], class_names: Sequence[str] | None) -> list[Spec]:
    levels = [
        {
            "method": family.method,
            "level": k,
            "price": float(family.price[k]),
            "leaves": int(family.n_leaves[k]),
            "train": float(family.train[k]),
            "test": float(family.test[k]),
            "within": bool(family.within[k]),
        }
        for family in families
        for k in range(family.n_levels)
    ]
    about = [
        {
            "method": family.method,
            "parameter": family.parameter,
            "nested": family.nested,
            "levels": family.n_levels,
            "chosen": -1 if family.chosen is None else family.chosen,
            "left_says": family.sides[0].left_says,
            "right_says": family.sides[0].right_says,
            "remark": f" {family.left_out} larger trees are not drawn." if family.left_out else "",
        }
        for family in families
    ]
    return [
        {"name": "families", "values": about},
        {"name": "curve", "values": levels},
        {
            "name": "shown_curve",
            "source": "curve",
            "transform": [{"type": "filter", "expr": "datum.method == method"}],
        },
        {
            "name": "near",
            "source": "shown_curve",
            "transform": [
                {"type": "filter", "expr": "datum.within"},
                {"type": "aggregate", "ops": ["min", "max"], "fields": ["leaves", "leaves"], "as": ["low", "high"]},
                {"type": "filter", "expr": "isValid(datum.low)"},
            ],
        },
        {
            "name": "chosen",
            "source": "shown_curve",
            "transform": [{"type": "filter", "expr": "datum.level == family.chosen"}],
        },
        {"name": "here", "source": "shown_curve", "transform": [{"type": "filter", "expr": "datum.level == level"}]},
        {"name": "states", "values": _states(families)},
        {
            "name": "states_now",
            "source": "states",
            "transform": [
                {"type": "filter", "expr": "datum.method == method && datum.level == level"},
                {"type": "flatten", "fields": ["id", "leaf", "left", "right"]},
            ],
        },
        {"name": "classes", "values": [{"name": name} for name in class_names or ()]},
        {"name": "nodes", "values": nodes},
        {
            "name": "tree",
            "source": "nodes",
            "transform": [
                {"type": "lookup", "from": "states_now", "key": "id", "fields": ["id"], "as": ["now"]},
                {"type": "filter", "expr": "isValid(datum.now)"},
                {"type": "stratify", "key": "id", "parentKey": "parent"},
                {
                    "type": "tree",
                    "method": "tidy",
                    "size": [{"signal": "tree_width"}, TREE["height"] - 60],
                    "as": ["x", "y", "depth", "children"],
                },
                {"type": "formula", "as": "leaf", "expr": "datum.now.leaf"},
            ],
        },
        {
            "name": "links",
            "source": "tree",
            "transform": [
                {"type": "treelinks"},
                {"type": "formula", "as": "side", "expr": "datum.target.side"},
                {"type": "formula", "as": "middle_x", "expr": "(datum.source.x + datum.target.x) / 2"},
                {"type": "formula", "as": "middle_y", "expr": "(datum.source.y + datum.target.y) / 2 + 20"},
                {"type": "formula", "as": "share", "expr": "datum.target.share"},
                {"type": "linkpath", "orient": "vertical", "shape": "line"},
            ],
        },
    ]


def _states(families: Sequence[Family]) -> list[Spec]:
    """One entry a method and level: the nodes that are there, which are leaves, both sides of their comparisons."""
    entries = []
    for family in families:
        for k, (state, sides) in enumerate(zip(family.state, family.sides, strict=True)):
            there = state.nonzero()[0]
            entries.append(
                {
                    "method": family.method,
                    "level": k,
                    "id": there.tolist(),
                    "leaf": (state[there] == LEAF).tolist(),
                    "left": [_rounded(value) for value in sides.left[there]],
                    "right": [_rounded(value) for value in sides.right[there]],
                }
            )
    return entries


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _colours(nodes: list[Spec], class_names: Sequence[str] | None) -> Spec:
    if class_names is None:
        values = [node["colour"] for node in nodes]
        return {
            "name": "colour",
            "type": "linear",
            "domain": [min(values), max(values)],
            "range": {"scheme": "viridis"},
        }
    n = len(class_names)
    return {
        "name": "colour",
        "type": "ordinal",
        "domain": list(range(n)),
        "range": [COLOURS[c % len(COLOURS)] for c in range(n)],
    }


def _legend(class_names: Sequence[str] | None) -> Spec:
    place = {"orient": "none", "legendX": {"signal": CURVE_X}, "legendY": CURVE["y"] + CURVE["height"] + 70}
    if class_names is None:
        ramp = {"type": "gradient", "direction": "horizontal", "gradientLength": 200}
        return {"fill": "colour", "title": "prediction", **ramp, **place}
    shown = min(len(class_names), MOST_IN_LEGEND)
    return {
        "fill": "colour",
        **place,
        "direction": "horizontal",
        "columns": 3,
        "values": list(range(shown)),
        "symbolType": "circle",
        "labelLimit": 110,
        "title": "prediction" if shown == len(class_names) else f"prediction ({shown} of {len(class_names)} classes)",
        "encode": {"labels": {"update": {"text": {"signal": "data('classes')[datum.value].name"}}}},
    }


def _tree_group() -> Spec:
    return {
        "type": "group",
        "name": "tree_box",
        "encode": {
            "enter": {"y": {"value": 40}, "width": {"signal": "tree_width"}, "height": {"value": TREE["height"]}}
        },
        "marks": [
            _text("headline", y=-22, size=14, weight="bold"),
            _text("remark", y=-5, size=11, weight="normal"),
            {
                "type": "path",
                "name": "link_marks",
                "from": {"data": "links"},
                "encode": {
                    "update": {
                        "path": {"field": "path"},
                        "y": {"value": 20},
                        "stroke": {"value": "#9aa1a9"},
                        "strokeWidth": {"signal": "1 + 5 * sqrt(datum.share)"},
                    }
                },
            },
            _answers(),
            _nodes(),
            _words(
                "datum.leaf ? datum.says : datum.rule", "datum.leaf ? 'top' : 'bottom'", "datum.leaf ? 13 : -12", 10
            ),
            _words("datum.leaf ? datum.rows : ''", "'top'", "25", 9),
        ],
    }


def _nodes() -> Spec:
    says = {
        "rule": "datum.leaf ? 'leaf' : datum.rule",
        "rows": "datum.rows + ' (' + format(datum.share, '.1%') + ' of all)'",
        "counts": "datum.counts",
        "predicts": "datum.says",
    }
    plain = ", ".join(f"'{name}': {text}" for name, text in says.items())
    return {
        "type": "symbol",
        "name": "node_marks",
        "from": {"data": "tree"},
        "encode": {
            "update": {
                "x": {"field": "x"},
                "y": {"field": "y", "offset": 20},
                "size": {"signal": "few ? 90 + 500 * datum.share : 30 + 220 * datum.share"},
                "shape": {"signal": "datum.leaf ? 'square' : 'circle'"},
                "fill": {"scale": "colour", "field": "colour"},
                "fillOpacity": {"signal": "0.25 + 0.75 * datum.purity"},
                "stroke": {"value": "#333"},
                "strokeWidth": {"signal": "datum.leaf ? 1.6 : 0.6"},
                "tooltip": {"signal": f"{{'node': datum.id, {plain}, 'comparison': {_comparison()}}}"},
            }
        },
    }


def _comparison() -> str:
    """Vega's expression for both sides, and what follows from them."""
    number = "(isValid(datum.now.{0}) ? format(datum.now.{0}, '.4~g') : '–')"
    left, right = number.format("left"), number.format("right")
    return (
        "datum.end ? 'none: it was never split' : "
        f"family.left_says + ' ' + {left} + "
        "(datum.leaf && datum.now.left <= datum.now.right ? ' ≤ ' : ' against ') + "
        f"family.right_says + ' ' + {right} + (datum.leaf ? ': pruned' : ': kept')"
    )


def _answers() -> Spec:
    """Which way rows go that the rule holds for."""
    return {
        "type": "text",
        "from": {"data": "links"},
        "encode": {
            "update": {
                "x": {"field": "middle_x"},
                "y": {"field": "middle_y"},
                "dx": {"signal": "datum.side == 'yes' ? -11 : 11"},
                "text": {"field": "side"},
                "align": {"value": "center"},
                "fontSize": {"value": 9},
                "fill": {"value": "#6b7280"},
                "opacity": {"signal": "leaves <= 12 ? 1 : 0"},
            }
        },
    }


def _words(text: str, baseline: str, dy: str, size: int) -> Spec:
    return {
        "type": "text",
        "from": {"data": "tree"},
        "interactive": False,
        "encode": {
            "update": {
                "x": {"field": "x"},
                "y": {"field": "y", "offset": 20},
                "dy": {"signal": dy},
                "text": {"signal": text},
                "align": {"value": "center"},
                "baseline": {"signal": baseline},
                "limit": {"signal": "max(46, tree_width / max(leaves, 1) * (datum.leaf ? 1 : 1.7))"},
                "fontSize": {"value": size},
                "fill": {"value": "#1b1f24"},
                "opacity": {"signal": "few ? 1 : 0"},
            }
        },
    }


def _text(signal: str, y: int, size: int, weight: str) -> Spec:
    return {
        "type": "text",
        "name": signal,
        "encode": {
            "update": {
                "x": {"value": 0},
                "y": {"value": y},
                "text": {"signal": signal},
                "fontSize": {"value": size},
                "fontWeight": {"value": weight},
                "fill": {"value": "#1b1f24"},
            }
        },
    }


def _curve_group(score: str) -> Spec:
    return {
        "type": "group",
        "name": "curve_box",
        "encode": {
            "enter": {
                "x": {"signal": CURVE_X},
                "y": {"value": CURVE["y"]},
                "width": {"value": CURVE["width"]},
                "height": {"value": CURVE["height"]},
            }
        },
        "scales": [
            {
                "name": "x",
                "type": "log",
                "base": 2,
                "domain": {"data": "shown_curve", "field": "leaves"},
                "range": [0, CURVE["width"]],
                "nice": False,
            },
            {
                "name": "y",
                "type": "linear",
                "domain": {"fields": [{"data": "shown_curve", "field": f} for f in ("train", "test")]},
                "range": [CURVE["height"], 0],
                "nice": True,
                "zero": False,
            },
        ],
        "axes": [
            {"orient": "bottom", "scale": "x", "title": "leaves (log scale)", "format": "~d", "tickCount": 7},
            {"orient": "left", "scale": "y", "title": score, "grid": True},
        ],
        "marks": [
            _band(),
            _line("train", "#E69F00", [6, 4]),
            _line("test", "#0072B2", [1, 0]),
            _marker("chosen", "diamond", 120, "transparent", "#1b1f24"),
            _rule(),
            _dot("train", "#E69F00"),
            _dot("test", "#0072B2"),
            *(_label(what, c, 8, w) for what, c in (("train", "#9a6a00"), ("test", "#0072B2")) for w in (4, 0)),
        ],
    }


def _band() -> Spec:
    return {
        "type": "rect",
        "name": "within",
        "from": {"data": "near"},
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "low", "offset": -3},
                "x2": {"scale": "x", "field": "high", "offset": 3},
                "y": {"value": 0},
                "y2": {"value": CURVE["height"]},
                "fill": {"value": "#0072B2"},
                "fillOpacity": {"value": 0.1},
                "tooltip": {"value": "within one standard error of the best, by cross-validation on the training rows"},
            }
        },
    }


def _line(what: str, colour: str, dash: list[int]) -> Spec:
    return {
        "type": "line",
        "from": {"data": "shown_curve"},
        "sort": {"field": "datum.leaves"},  # so that a size in between has the score of the next smaller tree
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "leaves"},
                "y": {"scale": "y", "field": what},
                "interpolate": {"value": "step-after"},
                "stroke": {"value": colour},
                "strokeDash": {"value": dash},
                "strokeWidth": {"value": 2},
            }
        },
    }


def _marker(data: str, shape: str, size: int, fill: str, stroke: str) -> Spec:
    return {
        "type": "symbol",
        "name": f"{data}_marker",
        "from": {"data": data},
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "leaves"},
                "y": {"scale": "y", "field": "test"},
                "shape": {"value": shape},
                "size": {"value": size},
                "fill": {"value": fill},
                "stroke": {"value": stroke},
                "strokeWidth": {"value": 2},
                "tooltip": {"signal": "'chosen by cross-validation: ' + datum.leaves + ' leaves'"},
            }
        },
    }


def _rule() -> Spec:
    return {
        "type": "rule",
        "name": "marker",
        "from": {"data": "here"},
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "leaves"},
                "y": {"value": 0},
                "y2": {"value": CURVE["height"]},
                "stroke": {"value": "#1b1f24"},
                "strokeDash": {"value": [2, 2]},
            }
        },
    }


def _dot(what: str, colour: str) -> Spec:
    return {
        "type": "symbol",
        "from": {"data": "here"},
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "leaves"},
                "y": {"scale": "y", "field": what},
                "size": {"value": 60},
                "fill": {"value": colour},
            }
        },
    }


def _label(what: str, colour: str, dx: int, halo: int) -> Spec:
    """A number at the marker; with a halo, the white ground that the next one stands on, over the curves."""
    return {
        "type": "text",
        "from": {"data": "here"},
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "leaves"},
                "y": {"scale": "y", "field": what},
                "dx": {"signal": f"scale('x', datum.leaves) > {CURVE['width'] - 90} ? -{dx} : {dx}"},
                "dy": {"value": -8 if what == "train" else 14},
                "align": {"signal": f"scale('x', datum.leaves) > {CURVE['width'] - 90} ? 'right' : 'left'"},
                "text": {"signal": f"'{what} ' + format(datum.{what}, '.3f')"},
                "fontSize": {"value": 12},
                "fontWeight": {"value": "bold"},
                "fill": {"value": "#ffffff" if halo else colour},
                "stroke": {"value": "#ffffff" if halo else "transparent"},
                "strokeWidth": {"value": halo},
            }
        },
    }
