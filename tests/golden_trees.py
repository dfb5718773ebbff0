"""Read the recorded trees in tests/golden as arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from trees import children

from treeprune import TreeStructure

GOLDEN = Path(__file__).parent / "golden"
MANIFEST = json.loads((GOLDEN / "manifest.json").read_text())


def read(path: str) -> Any:
    """Read a JSON file of tests/golden."""
    return json.loads((GOLDEN / path).read_text())


def files(folder: str) -> list[str]:
    """Names of the JSON files of a folder, those that begin with an underscore left out."""
    return sorted(p.name for p in (GOLDEN / folder).glob("*.json") if not p.name.startswith("_"))


def table(name: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Features and target (class codes, or numbers) of a data set."""
    *features, y = np.loadtxt(GOLDEN / "data" / f"{name}.csv", delimiter=",", skiprows=1, unpack=True)
    return np.column_stack(features), y.astype(int) if MANIFEST[name]["task"] == "classification" else y


def below(threshold: Any, dtype: type = np.float64) -> NDArray[np.float64]:
    """Turn ``x < threshold`` into ``x <= ...`` for values of a type."""
    return np.nextafter(np.asarray(threshold, dtype), dtype(-np.inf)).astype(np.float64)


def weka_structure(nodes: list[dict[str, Any]], strict: bool = False) -> TreeStructure:
    """Structure of a Weka tree; ``strict``: rows below the threshold go left, not those at it."""
    threshold = np.array([node.get("threshold", 0.0) for node in nodes], dtype=float)
    return TreeStructure.from_arrays(
        [node.get("left", -1) for node in nodes],
        [node.get("right", -1) for node in nodes],
        [node.get("feature", -2) for node in nodes],
        below(threshold) if strict else threshold,
    )


def ydf_nodes(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """List the nodes of a nested YDF tree in preorder, with the ids of their children."""
    nodes: list[dict[str, Any]] = []

    def add(part: dict[str, Any]) -> int:
        node = dict(part)
        t = len(nodes)
        nodes.append(node)
        if not part["leaf"]:
            node["left"], node["right"] = add(part["neg"]), add(part["pos"])
        return t

    add(tree)
    return nodes


def same_tree(
    structure: TreeStructure,
    tests: list[tuple[Any, Any] | None],
    cut: NDArray[np.bool_],
    other: TreeStructure,
    other_tests: list[tuple[Any, Any] | None],
) -> bool:
    """Whether a tree cut at ``cut`` has the splits of another one, node for node."""
    pairs = [(0, 0)]
    while pairs:
        t, u = pairs.pop()
        theirs = children(other, u)
        if cut[t] or theirs is None:
            if not (cut[t] and theirs is None):
                return False
            continue
        if tests[t] != other_tests[u]:
            return False
        pairs += zip(children(structure, t) or (), theirs, strict=True)
    return True
