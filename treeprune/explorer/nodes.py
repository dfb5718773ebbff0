"""What is to be said of each node: its rule in the table's own words, its rows, its prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.tree.fitted import FittedTree, NodeStatistics

MOST_WORDS = 4  # of a category list in a rule
MOST_CLASSES = 6  # counted in a tooltip


def describe_nodes(
    tree: FittedTree,
    feature_names: Sequence[str],
    class_names: Sequence[str] | None,
    categories: Mapping[str, Sequence[str]],
    with_gaps: NDArray[np.bool_],
    statistics: NodeStatistics | None,
) -> list[dict[str, Any]]:
    """Return one entry a node.

    Parameters
    ----------
    tree : FittedTree
    feature_names : sequence of str
    class_names : sequence of str, or None for a regression
    categories : mapping
        From the name of a feature to its categories, in the order of their codes.
    with_gaps : ndarray of bool, shape (n_features,)
        Features that have missing values where the tree was grown.
    statistics : NodeStatistics or None
        Of the growing rows, where the tree does not remember them.

    Returns
    -------
    list of dict
        ``id``, ``parent`` (None at the root), ``end`` (a leaf of the grown tree), ``side`` ("yes" or "no": which
        answer of the parent's rule leads here), ``rule``, ``rows``, ``share`` (of all rows), ``counts``, ``says``
        (the prediction), ``colour`` (number of the class, or the value), ``purity`` (share of the rows that have it).
    """
    structure, fitted = tree.structure, tree.estimator.tree_
    rows = tree.rows(statistics)
    entries = []
    for t in range(structure.n_nodes):
        parent = int(structure.parent[t])
        entry = {
            "id": t,
            "parent": None if t == 0 else parent,
            "side": "" if t == 0 else ("yes" if structure.children_left[parent] == t else "no"),
            "end": bool(structure.is_leaf[t]),
            "rule": "" if structure.is_leaf[t] else _rule(fitted, t, feature_names, categories, with_gaps),
            "rows": _number(rows[t]),
            "share": float(rows[t] / rows[0]),
        }
        entries.append(entry | _prediction(tree, t, class_names, statistics))
    return entries


def _rule(
    fitted: Any,
    t: int,
    names: Sequence[str],
    categories: Mapping[str, Sequence[str]],
    with_gaps: NDArray[np.bool_],
) -> str:
    feature, threshold = int(fitted.feature[t]), float(fitted.threshold[t])
    name = names[feature]
    if name in categories:
        words = [word for code, word in enumerate(categories[name]) if code <= threshold]
        listed = ", ".join(words[:MOST_WORDS])
        more = len(words) - MOST_WORDS
        text = f"{name} is {listed}" if len(words) == 1 else f"{name} is one of {listed}"
        text += f" and {more} more" if more > 0 else ""
    else:
        text = f"{name} ≤ {threshold:.4g}"
    return f"{text}, or is missing" if with_gaps[feature] and fitted.missing_go_to_left[t] else text


def _prediction(
    tree: FittedTree, t: int, class_names: Sequence[str] | None, statistics: NodeStatistics | None
) -> dict[str, Any]:
    if class_names is None:
        value = float(tree.value[t, 0])
        spread = float(np.sqrt(max(tree.error(statistics)[t] / max(tree.rows(statistics)[t], 1e-300), 0.0)))
        return {"says": f"{value:.4g}", "colour": value, "purity": 1.0, "counts": f"mean {value:.4g}, SD {spread:.3g}"}
    counts = np.asarray(tree.counts(statistics)[t, 0], dtype=float)
    label = int(tree.label[t, 0])
    order = np.argsort(-counts, kind="stable")
    named = [f"{class_names[c]}: {_number(counts[c])}" for c in order[:MOST_CLASSES] if counts[c] > 0]
    rest = counts[order[MOST_CLASSES:]].sum()
    return {
        "says": class_names[label],
        "colour": label,
        "purity": float(counts[label] / max(counts.sum(), 1e-300)),
        "counts": ", ".join([*named, *([f"others: {_number(rest)}"] if rest > 0 else [])]),
    }


def _number(value: Any) -> str:
    return f"{float(value):.6g}"
