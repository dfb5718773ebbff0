"""XGBoost: trees read from the JSON of a model and written back into it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treeprune.adapters.boosters.boosted import Boosted, BoosterTree, Cut
from treeprune.tree.cuts import covering
from treeprune.tree.structure import TreeStructure

Json = dict[str, Any]
Singles = NDArray[np.float32]

ADAPTIVE = ("reg:absoluteerror", "reg:quantileerror")  # leaves are set anew after growing, inner nodes are not


def booster_of(model: Any) -> Any:
    """Return the Booster, be it given alone or in an estimator."""
    import xgboost

    return model if isinstance(model, xgboost.Booster) else model.get_booster()


def read(model: Any) -> Boosted:
    """Read all that a model's JSON says of its trees."""
    booster = booster_of(model)
    learner = _json(model)["learner"]
    _refuse(model, learner)
    forest = learner["gradient_booster"]["model"]
    training = json.loads(booster.save_config())["learner"]["gradient_booster"]["tree_train_param"]
    # as in XGBoost, which divides in float32
    scale = np.float32(training["eta"]) / np.float32(forest["gbtree_model_param"]["num_parallel_tree"])
    n_outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    n_features = int(learner["learner_model_param"]["num_feature"])
    trees = tuple(_tree(tree, scale, k) for tree, k in zip(forest["trees"], forest["tree_info"], strict=True))
    _check_values(trees, training)
    return Boosted(
        trees,
        _base(model, n_features).reshape(n_outputs),
        n_rounds=len(forest["iteration_indptr"]) - 1,
        n_features=n_features,
        objective=learner["objective"]["name"],
        names=tuple(learner["feature_names"]),
    )


def write(model: Any, trees: Sequence[BoosterTree], cuts: Sequence[Cut]) -> Any:
    """Return a new Booster whose trees are cut."""
    document = _json(model)
    forest = document["learner"]["gradient_booster"]["model"]
    forest["trees"] = [_pruned(old, tree, cut) for old, tree, cut in zip(forest["trees"], trees, cuts, strict=True)]
    booster = _booster(document)
    # a model's JSON does not hold the learning rate, by which inner nodes are read
    config = json.loads(booster_of(model).save_config())
    config["learner"]["gradient_booster"]["gbtree_model_param"] = forest["gbtree_model_param"]
    booster.load_config(json.dumps(config))
    return booster


def _booster(document: Json) -> Any:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(json.dumps(document).encode()))
    return booster


def _json(model: Any) -> Json:
    """Return the model as JSON; of an estimator that stopped early, what it predicts with."""
    booster = booster_of(model)
    document = json.loads(booster.save_raw("json"))
    best = booster.attr("best_iteration")
    if model is not booster and best is not None:
        _keep_rounds(document, int(best) + 1)
    return document


def _keep_rounds(document: Json, n_rounds: int) -> None:
    """Drop later rounds, in place."""
    forest = document["learner"]["gradient_booster"]["model"]
    forest["iteration_indptr"] = forest["iteration_indptr"][: n_rounds + 1]
    n_trees = forest["iteration_indptr"][-1]
    forest["trees"], forest["tree_info"] = forest["trees"][:n_trees], forest["tree_info"][:n_trees]
    forest["gbtree_model_param"]["num_trees"] = str(n_trees)


def _base(model: Any, n_features: int) -> NDArray[np.float64]:
    """Let XGBoost itself say what it predicts if all leaves are 0: base_score goes through the objective's link."""
    import xgboost

    document = _json(model)
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        tree["split_conditions"] = [0.0] * len(tree["split_conditions"])
    row = xgboost.DMatrix(np.zeros((1, n_features)))
    margin = _booster(document).predict(row, output_margin=True, validate_features=False)
    return np.asarray(margin, dtype=np.float64)


def _refuse(model: Any, learner: Json) -> None:
    """Raise ValueError for models whose trees are not sums of constants, or whose inner values mean nothing."""
    kind, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if kind != "gbtree":
        raise ValueError(f"booster={kind!r} is no sum of trees with one weight: fit with booster='gbtree'")
    if int(learner["learner_model_param"].get("num_target", "1")) > 1:
        raise ValueError("the model has several targets: fit one model a target")
    if objective in ADAPTIVE:
        raise ValueError(
            f"objective {objective!r} sets the values of leaves anew after growing, and XGBoost does not store what "
            "inner nodes would get: give a model with objective 'reg:squarederror' or another that does not"
        )
    missing = getattr(model, "missing", None)
    if missing is not None and not np.isnan(missing):
        raise ValueError(f"missing={missing!r}: put NaN for what is missing, and fit with missing=np.nan")
    for tree in learner["gradient_booster"]["model"]["trees"]:
        categorical = np.flatnonzero(tree["split_type"])
        if len(categorical):
            index = tree["split_indices"][categorical[0]]
            name = learner["feature_names"][index] if learner["feature_names"] else index
            raise ValueError(f"feature {name!r} is split as categorical: code it as numbers and fit again")


def _check_values(trees: Sequence[BoosterTree], training: Json) -> None:
    """Hold the learning rate, by which inner nodes are read, to the leaves, which have it in them.

    XGBoost forgets the parameters of training when a model is saved to a file, and shows its defaults instead.
    """
    limited = any(float(training[name]) for name in ("alpha", "max_delta_step"))
    if limited or training["monotone_constraints"].strip("() ,0"):
        return  # values follow from no sum then; a model that forgot would show none of these
    rate, penalty = float(training["eta"]), float(training["lambda"])
    if not all(tree.adds_up(penalty, started=False) for tree in trees):
        raise ValueError(
            f"the values of inner nodes do not fit learning_rate={rate:.6g} and reg_lambda={penalty:.6g}, which the "
            "model shows. XGBoost does not keep these in a file: set what it was trained with, "
            "booster.set_param({'learning_rate': ..., 'reg_lambda': ...}); a rate that changed from round to round "
            "cannot be told"
        )


def _tree(tree: Json, scale: np.float32, output: int) -> BoosterTree:
    """Read the nodes that the root leads to, in their order; XGBoost leaves deleted ones in the arrays."""
    ids, left, right = _reached(tree)
    is_leaf = left < 0
    split = np.array(tree["split_conditions"], dtype=np.float32)[ids]
    weight = np.array(tree["base_weights"], dtype=np.float32)[ids]
    structure = TreeStructure.from_arrays(
        left,
        right,
        np.where(is_leaf, 0, np.array(tree["split_indices"])[ids]),
        np.where(is_leaf, 0.0, last_below(split)),
        np.array(tree["default_left"])[ids].astype(bool),
    )
    return BoosterTree(
        structure,
        np.where(is_leaf, split, scale * weight).astype(np.float64),
        np.array(tree["sum_hessian"], dtype=np.float64)[ids],
        np.where(is_leaf, 0.0, np.array(tree["loss_changes"], dtype=np.float64)[ids]),
        output,
    )


def last_below(split: Singles) -> NDArray[np.float64]:
    """Return the largest double that XGBoost sends left of a split.

    It rounds a value to float32 and asks whether that is below the split: so is all that rounds to the float32
    before it, up to half way, and half way too if that is where a tie goes, to the even one of both.
    """
    before = np.nextafter(split, np.float32(-np.inf))
    half_way = (before.astype(np.float64) + split) / 2
    return np.where(half_way.astype(np.float32) == before, half_way, np.nextafter(half_way, -np.inf))


def _reached(tree: Json) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Ids of the nodes below the root, and their children among these."""
    left, right = (np.array(tree[side], dtype=np.intp) for side in ("left_children", "right_children"))
    reached = np.zeros(len(left), dtype=bool)
    layer = np.zeros(1, dtype=np.intp)
    while len(layer):
        reached[layer] = True
        layer = np.concatenate([left[layer], right[layer]])
        layer = layer[layer >= 0]
    ids = np.flatnonzero(reached)
    new_id = np.append(np.cumsum(reached) - 1, -1)  # the last entry is what -1 reads
    return ids, new_id[left[ids]], new_id[right[ids]]


def _pruned(old: Json, tree: BoosterTree, cut: Cut) -> Json:
    """Rewrite one tree without the nodes below the cut and those that XGBoost had deleted."""
    ids, _, _ = _reached(old)
    structure, cover = tree.structure, covering(tree.structure, cut)
    kept = np.flatnonzero((cover < 0) | cut)
    new_id = np.full(structure.n_nodes + 1, -1)
    new_id[kept] = np.arange(len(kept))
    is_leaf = cut[kept]
    new = {key: _taken(value, ids[kept]) if _is_by_node(key, value, old) else value for key, value in old.items()}
    new["left_children"] = np.where(is_leaf, -1, new_id[structure.children_left[kept]]).tolist()
    new["right_children"] = np.where(is_leaf, -1, new_id[structure.children_right[kept]]).tolist()
    new["parents"] = [old["parents"][0], *new_id[structure.parent[kept[1:]]].tolist()]
    new["split_conditions"] = np.where(is_leaf, tree.value[kept], new["split_conditions"]).tolist()
    for name in ("split_indices", "default_left", "loss_changes"):
        new[name] = [type(number)(0) if leaf else number for leaf, number in zip(is_leaf, new[name], strict=True)]
    new["tree_param"] = old["tree_param"] | {"num_nodes": str(len(kept)), "num_deleted": "0"}
    return new


def _is_by_node(key: str, value: Any, old: Json) -> bool:
    return isinstance(value, list) and not key.startswith("categories") and len(value) == len(old["left_children"])


def _taken(values: list[Any], ids: NDArray[np.intp]) -> list[Any]:
    return [values[t] for t in ids]
