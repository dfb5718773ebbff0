"""LightGBM: trees read from the text of a model and written back into it.

The text holds values of leaves to 17 digits, those of inner nodes, and gains, to 6: a pruned tree predicts the value
that LightGBM would have given its new leaf up to the sixth digit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.boosters.boosted import Boosted, BoosterTree, Cut
from treeprune.tree.cuts import covering
from treeprune.tree.structure import TreeStructure

Fields = dict[str, str]

END = "\nend of trees\n"
INNER = (
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "internal_value",
    "internal_weight",
    "internal_count",
)
LEAVES = {"leaf_value": "internal_value", "leaf_weight": "internal_weight", "leaf_count": "internal_count"}
RENEWED = ("regression_l1", "quantile", "mape")  # leaves are set anew after growing, inner nodes are not
SETTINGS = {
    "[boosting: dart]": "boosting_type='dart' rescales trees after growing: give a 'gbdt' or 'rf' model",
    "[quant_train_renew_leaf: 1]": "quant_train_renew_leaf=True sets the values of leaves anew after growing, and "
    "not those of inner nodes: fit without it",
}
CATEGORICAL, DEFAULT_LEFT, ZERO, NAN = 1, 2, 4, 8  # bits of decision_type


def booster_of(model: Any) -> Any:
    """Return the Booster, be it given alone or in an estimator."""
    import lightgbm

    return model if isinstance(model, lightgbm.Booster) else model.booster_


def read(model: Any) -> Boosted:
    """Read all that a model's text says of its trees."""
    header, blocks, tail = _parts(booster_of(model).model_to_string())
    _refuse(header, blocks, tail)
    n_outputs = int(header["num_tree_per_iteration"])
    trees = tuple(_tree(_fields(block), i % n_outputs) for i, block in enumerate(blocks))
    _check_values(trees, tail)
    names = header["feature_names"].split(" ")
    objective, *options = header.get("objective", "custom").split(" ")
    slope = next((float(option.removeprefix("sigmoid:")) for option in options if option.startswith("sigmoid:")), 1.0)
    return Boosted(
        trees,
        np.zeros(n_outputs),  # the first tree of each output holds the start
        n_rounds=len(blocks) // n_outputs,
        n_features=int(header["max_feature_idx"]) + 1,
        objective=header["objective"] if "sqrt" in options else objective,
        names=() if names == [f"Column_{i}" for i in range(len(names))] else tuple(names),
        averaged="average_output" in header,
        slope=slope,
    )


def write(model: Any, trees: Sequence[BoosterTree], cuts: Sequence[Cut]) -> Any:
    """Return a new Booster whose trees are cut."""
    import lightgbm

    return lightgbm.Booster(model_str=pruned_text(booster_of(model).model_to_string(), trees, cuts))


def pruned_text(text: str, trees: Sequence[BoosterTree], cuts: Sequence[Cut]) -> str:
    """Return the text of the pruned model; of grown trees it is the text itself."""
    start, end = text.index("\nTree=") + 1, text.index(END) + 1
    _, blocks, _ = _parts(text)
    new = [_pruned(block, tree.structure, cut) for block, tree, cut in zip(blocks, trees, cuts, strict=True)]
    sizes = "tree_sizes=" + " ".join(str(len(block.encode())) for block in new)
    return re.sub("^tree_sizes=.*$", sizes, text[:start], flags=re.MULTILINE) + "".join(new) + text[end:]


def _parts(text: str) -> tuple[Fields, list[str], str]:
    """Split a model's text into the fields of its header, one block a tree, and its parameters."""
    if "\nTree=" not in text:
        raise ValueError("the LightGBM model has no trees: give one that is fitted")
    start, end = text.index("\nTree=") + 1, text.index(END) + 1
    return _fields(text[:start]), re.split(r"(?m)(?<=\n)(?=^Tree=)", text[start:end]), text[end:]


def _fields(text: str) -> Fields:
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines())}


def _refuse(header: Fields, blocks: Sequence[str], tail: str) -> None:
    """Raise ValueError for models whose trees are not sums of constants, or whose inner values mean nothing."""
    for text, why in SETTINGS.items():
        if text in tail:
            raise ValueError(why)
    if re.search(r"\[monotone_constraints: [^\]]", tail) and "[monotone_constraints_method: basic]" not in tail:
        raise ValueError(
            "inner nodes keep to monotone constraints by monotone_constraints_method='basic' only: fit with that"
        )
    objective = header.get("objective", "").split(" ")[0]
    if objective in RENEWED:
        raise ValueError(
            f"objective {objective!r} sets the values of leaves anew after growing, and LightGBM does not store what "
            "inner nodes would get: give a model with objective 'regression', 'huber' or another that does not"
        )
    names = header["feature_names"].split(" ")
    for fields in map(_fields, blocks):
        if fields.get("is_linear") == "1":
            raise ValueError("linear_tree=True puts a linear model in every leaf: fit with linear_tree=False")
        kinds, features = _ints(fields["decision_type"]), _ints(fields["split_feature"])
        if (kinds & CATEGORICAL).any():
            name = names[features[(kinds & CATEGORICAL) > 0][0]]
            raise ValueError(f"feature {name!r} is split as categorical: code it as numbers and fit again")
        if (kinds & ZERO).any():
            raise ValueError("zero_as_missing=True sends zeros with the missing: fit with zero_as_missing=False")


def _tree(fields: Fields, output: int) -> BoosterTree:
    """Give inner nodes their own numbers as ids, leaves those that follow."""
    n_leaves = int(fields["num_leaves"])
    leaf = np.zeros(n_leaves)
    threshold = _floats(fields["threshold"])
    kind = _ints(fields["decision_type"])
    # where no value was missing in growth, LightGBM reads a missing one as 0
    missing_left = np.where(kind & NAN, (kind & DEFAULT_LEFT) > 0, threshold >= 0)
    structure = TreeStructure.from_arrays(
        _children(fields["left_child"], n_leaves),
        _children(fields["right_child"], n_leaves),
        np.append(_ints(fields["split_feature"]), leaf.astype(int)),
        np.append(threshold, leaf),
        np.append(missing_left, leaf > 0),
    )
    weight = _floats(fields["leaf_weight"])
    return BoosterTree(
        structure,
        np.append(_floats(fields["internal_value"]), _floats(fields["leaf_value"])),
        np.append(_floats(fields["internal_weight"]), weight if len(weight) == n_leaves else np.nan * leaf),
        np.append(_floats(fields["split_gain"]), leaf),
        output,
    )


def _children(text: str, n_leaves: int) -> NDArray[np.intp]:
    child = _ints(text)
    ids = np.where(child < 0, len(child) + ~child, child)
    return np.append(ids, np.full(n_leaves, -1)).astype(np.intp)


def _check_values(trees: Sequence[BoosterTree], tail: str) -> None:
    """Hold the values of inner nodes to those of their leaves, which `refit` and `set_leaf_output` change alone."""
    penalty = re.search(r"\[lambda_l2: (.*)\]", tail)
    plain = [f"[{name}: 0]" in tail for name in ("lambda_l1", "max_delta_step", "path_smooth", "use_quantized_grad")]
    if penalty is None or not all(plain) or "[monotone_constraints: ]" not in tail:
        return  # values follow from no sum then
    if not all(tree.adds_up(float(penalty[1]), started=True) for tree in trees):
        raise ValueError(
            "the values of inner nodes do not fit those of their leaves: refit or set_leaf_output changed the leaves "
            "alone, give the model as it was trained"
        )


def _floats(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), dtype=np.float64)


def _ints(text: str) -> NDArray[np.intp]:
    return np.array(text.split(), dtype=np.intp)


def _pruned(block: str, structure: TreeStructure, cut: Cut) -> str:
    """Rewrite one block; numbers that stay are copied as text, so that no digit changes."""
    old = _fields(block)
    new_id, inner, leaves = _numbered(structure, cut)
    new = {name: [old[name].split()[t] for t in inner] for name in INNER}
    for side, children in (("left_child", structure.children_left), ("right_child", structure.children_right)):
        new[side] = [str(new_id[children[t]]) for t in inner]
    for name, of_inner in LEAVES.items():
        both = old[of_inner].split() + old[name].split()
        new[name] = [both[t] for t in leaves] if len(both) == structure.n_nodes else old[name].split()
    new["num_leaves"] = [str(len(leaves))]
    lines = (line.partition("=") for line in block.splitlines(keepends=True))
    return "".join(f"{key}={' '.join(new[key])}\n" if key in new else key + sep + rest for key, sep, rest in lines)


def _numbered(structure: TreeStructure, cut: Cut) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Number what is left as LightGBM does: a leaf has the lowest number of the leaves that could grow from it."""
    inner = np.flatnonzero(covering(structure, cut) < 0)
    lowest = np.arange(structure.n_nodes)
    for t, left, right in structure.upward():
        lowest[t] = np.minimum(lowest[left], lowest[right])
    leaves = np.flatnonzero(cut)
    leaves = leaves[np.argsort(lowest[leaves])]
    new_id = np.zeros(structure.n_nodes, dtype=np.intp)
    new_id[inner] = np.arange(len(inner))
    new_id[leaves] = ~np.arange(len(leaves))
    return new_id, inner, leaves
