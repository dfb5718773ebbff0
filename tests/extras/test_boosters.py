"""Trees of LightGBM and XGBoost, held to what the libraries themselves predict, dump and grow."""

from __future__ import annotations

import doctest
import importlib
import itertools
import json
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import get_scorer
from sklearn.tree import DecisionTreeRegressor

import treeprune as tp
import treeprune.adapters.boosters as adapter
from treeprune.adapters.boosters import booster_curve, gain_path, prune_booster, prune_trees, raw_scores, read_trees
from treeprune.adapters.boosters.lightgbm_text import pruned_text
from treeprune.adapters.boosters.models import library_of
from treeprune.tree.cuts import covering, cut_at, topmost

lgb = pytest.importorskip("lightgbm")
xgb = pytest.importorskip("xgboost")
pytestmark = [
    pytest.mark.extras,
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
    pytest.mark.filterwarnings("ignore::lightgbm.basic.LGBMDeprecationWarning"),
]

MODULES = [f"{adapter.__name__}.{found.name}" for found in pkgutil.iter_modules(adapter.__path__)]
NUMBERS, CANCER, IRIS = (load(return_X_y=True) for load in (load_diabetes, load_breast_cancer, load_iris))
QUIET = {"verbose": -1, "n_jobs": 1, "deterministic": True, "random_state": 0}
BAGGED = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, **QUIET}


def with_gaps(X: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)


GAPS = with_gaps(NUMBERS[0]), NUMBERS[1]


def lgbm(rows: Any, **parameters: Any) -> Any:
    kind = lgb.LGBMRegressor if rows[1].dtype.kind == "f" else lgb.LGBMClassifier
    return kind(**{"n_estimators": 7, "num_leaves": 9, **QUIET, **parameters}).fit(*rows)


def boosted(rows: Any, **parameters: Any) -> Any:
    kind = xgb.XGBRegressor if rows[1].dtype.kind == "f" else xgb.XGBClassifier
    return kind(**{"n_estimators": 7, "max_depth": 4, "n_jobs": 1, **parameters}).fit(*rows)


MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "lightgbm, numbers": lambda: (lgbm(NUMBERS), NUMBERS),
    "lightgbm, gaps": lambda: (lgbm(GAPS), GAPS),
    "lightgbm, two classes": lambda: (lgbm(CANCER), CANCER),
    "lightgbm, three classes": lambda: (lgbm(IRIS), IRIS),
    "lightgbm, L1 and L2": lambda: (lgbm(NUMBERS, reg_alpha=50, reg_lambda=9), NUMBERS),
    "lightgbm, counts": lambda: (lgbm(NUMBERS, objective="poisson"), NUMBERS),
    "lightgbm, one tree": lambda: (lgbm(NUMBERS, n_estimators=1, learning_rate=1), NUMBERS),
    "lightgbm, forest of numbers": lambda: (lgbm(GAPS, **BAGGED), GAPS),
    "lightgbm, forest of classes": lambda: (lgbm(CANCER, **BAGGED), CANCER),
    "lightgbm, forest of three classes": lambda: (lgbm(IRIS, **BAGGED), IRIS),
    "lightgbm, a leaf alone": lambda: (lgbm(NUMBERS, min_child_samples=400), NUMBERS),
    "lightgbm, Booster": lambda: (lgbm(CANCER).booster_, CANCER),
    "xgboost, numbers": lambda: (boosted(NUMBERS), NUMBERS),
    "xgboost, gaps": lambda: (boosted(GAPS), GAPS),
    "xgboost, two classes": lambda: (boosted(CANCER), CANCER),
    "xgboost, three classes": lambda: (boosted(IRIS), IRIS),
    "xgboost, L1 and L2": lambda: (boosted(NUMBERS, reg_alpha=50, reg_lambda=9), NUMBERS),
    "xgboost, counts": lambda: (boosted(NUMBERS, objective="count:poisson"), NUMBERS),
    "xgboost, one tree": lambda: (boosted(NUMBERS, n_estimators=1, learning_rate=1), NUMBERS),
    "xgboost, nodes deleted": lambda: (boosted(NUMBERS, tree_method="exact", gamma=20000), NUMBERS),
    "xgboost, by leaves": lambda: (boosted(NUMBERS, grow_policy="lossguide", max_leaves=9, max_depth=0), NUMBERS),
    "xgboost, forest of numbers": lambda: (xgb.XGBRFRegressor(n_estimators=7, max_depth=4, n_jobs=1).fit(*GAPS), GAPS),
    "xgboost, forest of classes": lambda: (
        xgb.XGBRFClassifier(n_estimators=7, max_depth=4, n_jobs=1).fit(*CANCER),
        CANCER,
    ),
    "xgboost, forest of three classes": lambda: (
        xgb.XGBRFClassifier(n_estimators=7, max_depth=4, n_jobs=1).fit(*IRIS),
        IRIS,
    ),
    "xgboost, rounds of forests": lambda: (boosted(IRIS, n_estimators=3, num_parallel_tree=2), IRIS),
    "xgboost, Booster": lambda: (boosted(CANCER).get_booster(), CANCER),
}
models = pytest.mark.parametrize("name", MODELS)


def library_raw(model: Any, X: np.ndarray) -> np.ndarray:
    """Raw scores by the library's own predict."""
    if library_of(model) == "lightgbm":
        raw = model.predict(X, raw_score=True)
        if "[boosting: rf]" in dumped(model):  # adds where it predicts means
            raw = raw / getattr(model, "booster_", model).current_iteration()
    elif isinstance(model, xgb.Booster):
        raw = model.predict(xgb.DMatrix(X), output_margin=True)
    else:
        raw = model.predict(X, output_margin=True)
    return np.asarray(raw, dtype=float).reshape(len(X), -1)


def dumped(model: Any) -> str:
    """All of a model that its library would save."""
    if library_of(model) == "lightgbm":
        return getattr(model, "booster_", model).model_to_string()
    return (model if isinstance(model, xgb.Booster) else model.get_booster()).save_raw("json").decode()


def random_cuts(model: Any, seed: int = 0, share: float = 0.3) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [topmost(tree.structure, rng.random(tree.structure.n_nodes) < share) for tree in read_trees(model)]


def all_cuts(structure: tp.TreeStructure, t: int = 0) -> Iterator[frozenset[int]]:
    yield frozenset([t])
    if structure.children_left[t] >= 0:
        below = (list(all_cuts(structure, side[t])) for side in (structure.children_left, structure.children_right))
        yield from (one | other for one, other in itertools.product(*below))


def as_cut(structure: tp.TreeStructure, nodes: frozenset[int]) -> np.ndarray:
    return np.isin(np.arange(structure.n_nodes), list(nodes))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0


# ---- reading ---------------------------------------------------------------------------------------------------------


@models
def test_the_trees_add_up_to_what_the_library_predicts(name: str) -> None:
    model, (X, _) = MODELS[name]()
    for rows in (X, with_gaps(X)):  # missing values where growth saw none, too
        np.testing.assert_allclose(raw_scores(model, rows), library_raw(model, rows), rtol=2e-6, atol=2e-6)


@models
def test_rows_reach_the_leaves_that_the_library_names(name: str) -> None:
    model, (X, _) = MODELS[name]()
    X = with_gaps(X)
    booster = getattr(model, "booster_", model) if library_of(model) == "lightgbm" else None
    if booster is None:
        booster = model if isinstance(model, xgb.Booster) else model.get_booster()
        theirs = booster.predict(xgb.DMatrix(X), pred_leaf=True)
    else:
        theirs = booster.predict(X, pred_leaf=True)
    for tree, named in zip(read_trees(model), np.asarray(theirs, dtype=int).reshape(len(X), -1).T, strict=True):
        mine, first = tree.structure.route(X), 0
        if library_of(model) == "lightgbm":
            first = tree.structure.n_nodes - tree.structure.n_leaves  # leaves are numbered apart
        if name == "xgboost, nodes deleted":  # ids shift, rows keep together
            assert len({*zip(mine, named, strict=True)}) == len({*mine}) == len({*named})
        else:
            np.testing.assert_array_equal(mine, named + first)


def test_rows_on_a_threshold_and_doubles_beside_it_go_where_xgboost_sends_them() -> None:
    model = boosted(NUMBERS, n_estimators=3)
    for document in json.loads(dumped(model))["learner"]["gradient_booster"]["model"]["trees"]:
        for t in np.flatnonzero(np.array(document["left_children"]) >= 0):
            split = np.float32(document["split_conditions"][t])
            ends = [np.float64(np.nextafter(split, np.float32(end))) for end in (-np.inf, np.inf)]
            half = [(end + np.float64(split)) / 2 for end in ends]
            values = [split, *ends, *half, *(np.nextafter(h, to) for h in half for to in (-np.inf, np.inf))]
            X = np.repeat(NUMBERS[0][:1], len(values), axis=0)
            X[:, document["split_indices"][t]] = values
            theirs = model.get_booster().predict(xgb.DMatrix(X), pred_leaf=True)
            mine = np.column_stack([tree.structure.route(X) for tree in read_trees(model)])
            np.testing.assert_array_equal(mine, theirs)


@models
def test_covers_and_gains_are_those_of_the_librarys_own_table(name: str) -> None:
    model, _ = MODELS[name]()
    trees = read_trees(model)
    if name == "lightgbm, a leaf alone":
        assert np.isnan(trees[0].cover).all()
        return
    if library_of(model) == "lightgbm":
        table = getattr(model, "booster_", model).trees_to_dataframe()
        gain, cover, by = "split_gain", "weight", "tree_index"
        table = table[table["left_child"].notna()]
    else:
        table = (model if isinstance(model, xgb.Booster) else model.get_booster()).trees_to_dataframe()
        gain, cover, by = "Gain", "Cover", "Tree"
        table = table[table["Feature"] != "Leaf"]
    for k, tree in enumerate(trees):
        theirs, inner = table[table[by] == k], ~tree.grown
        np.testing.assert_allclose(np.sort(theirs[gain]), np.sort(tree.gain[inner]), rtol=1e-6)
        np.testing.assert_allclose(np.sort(theirs[cover]), np.sort(tree.cover[inner]), rtol=1e-6)
        assert (tree.gain[tree.grown] == 0).all()


WAYS = (
    {"learning_rate": 1.0},
    {"learning_rate": 0.1},
    {"learning_rate": 0.1, "reg_lambda": 7.0},
    {"learning_rate": 0.3, "reg_alpha": 90.0},
    {"learning_rate": 0.3, "max_delta_step": 3.0},
    {"learning_rate": 0.3, "subsample": 0.7},
)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("rows", [NUMBERS, CANCER], ids=["numbers", "classes"])
def test_an_inner_node_has_the_value_that_lightgbm_gives_it_as_a_leaf(rows: Any, way: dict[str, float]) -> None:
    same = {"n_estimators": 1, **way, **({"subsample_freq": 1} if "subsample" in way else {})}
    large, stump = (read_trees(lgbm(rows, num_leaves=n, **same))[0] for n in (8, 2))
    assert large.structure.n_leaves > 3
    left, right = large.structure.children_left[0], large.structure.children_right[0]
    np.testing.assert_allclose(large.value[[0, left, right]], stump.value, rtol=6e-6)


@pytest.mark.parametrize("grow", ["hist", "exact", "approx"])
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("rows", [NUMBERS, CANCER], ids=["numbers", "classes"])
def test_a_tree_cut_at_a_depth_is_the_tree_that_xgboost_grows_to_that_depth(rows: Any, way: Any, grow: str) -> None:
    large, small = (boosted(rows, n_estimators=1, max_depth=d, tree_method=grow, **way) for d in (5, 2))
    cut = prune_trees(large, method="max_depth", max_depth=2)
    np.testing.assert_allclose(library_raw(cut, rows[0]), library_raw(small, rows[0]), rtol=1e-6)
    assert read_trees(cut)[0].structure.n_leaves == read_trees(small)[0].structure.n_leaves < 5


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_a_pruned_model_keeps_to_monotone_constraints(library: str) -> None:
    way = {"monotone_constraints": [1] * 10} if library == "lightgbm" else {"monotone_constraints": (1,) * 10}
    model = (lgbm if library == "lightgbm" else boosted)(NUMBERS, **way)
    steps = np.repeat(NUMBERS[0][:40, None], 50, axis=1)
    for j in (2, 8):
        steps[:, :, j] = np.linspace(-0.1, 0.2, 50)
        for seed in range(3):
            says = raw_scores(model, steps.reshape(-1, 10), random_cuts(model, seed)).reshape(40, 50)
            assert (np.diff(says, axis=1) >= -1e-4).all()  # the sixth digit of LightGBM's values


@pytest.mark.parametrize("kind", [xgb.XGBRFRegressor, xgb.XGBRFClassifier])
def test_forests_of_xgboost_cut_at_a_depth_are_those_it_grows_to_that_depth(kind: Any) -> None:
    rows = NUMBERS if kind is xgb.XGBRFRegressor else CANCER
    # columns drawn by node are drawn anew in a tree of another depth
    large, small = (kind(n_estimators=5, max_depth=d, colsample_bynode=1.0, random_state=3).fit(*rows) for d in (5, 2))
    cut = prune_trees(large, method="max_depth", max_depth=2)
    np.testing.assert_allclose(library_raw(cut, rows[0]), library_raw(small, rows[0]), rtol=2e-6)


def test_later_rounds_of_boosting_have_values_on_the_scale_of_their_own_leaves() -> None:
    # the second tree grown on a first that is the same stump: only then do both fits see the same rest
    first = boosted(NUMBERS, n_estimators=1, max_depth=1, learning_rate=0.2)
    large, small = (
        xgb.XGBRegressor(n_estimators=1, max_depth=d, learning_rate=0.2, n_jobs=1).fit(
            *NUMBERS, xgb_model=first.get_booster()
        )
        for d in (4, 2)
    )
    np.testing.assert_allclose(
        prune_trees(large, method="max_depth", max_depth=2).predict(NUMBERS[0]), small.predict(NUMBERS[0]), rtol=1e-6
    )


# ---- writing ---------------------------------------------------------------------------------------------------------


@models
@pytest.mark.parametrize("seed", range(3))
def test_a_model_written_back_predicts_what_the_cuts_say_and_the_model_given_stays(name: str, seed: int) -> None:
    model, (X, _) = MODELS[name]()
    before, cuts = dumped(model), random_cuts(model, seed)
    pruned = prune_booster(model, cuts)
    assert type(pruned) is type(model)
    for rows in (X, with_gaps(X)):
        np.testing.assert_allclose(library_raw(pruned, rows), raw_scores(model, rows, cuts), rtol=2e-6, atol=2e-6)
    assert dumped(model) == before
    assert [tree.structure.n_leaves for tree in read_trees(pruned)] == [int(cut.sum()) for cut in cuts]


@models
def test_a_model_written_back_reads_as_the_cut_trees_and_can_be_cut_again(name: str) -> None:
    model, (X, _) = MODELS[name]()
    once = prune_booster(model, random_cuts(model, seed=1, share=0.1))
    cuts = random_cuts(once, seed=2)
    np.testing.assert_allclose(raw_scores(once, X), library_raw(once, X), rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(
        library_raw(prune_booster(once, cuts), X), raw_scores(once, X, cuts), rtol=2e-6, atol=2e-6
    )


@models
def test_cutting_nothing_changes_no_digit(name: str) -> None:
    model, (X, _) = MODELS[name]()
    trees = read_trees(model)
    grown = [tree.grown for tree in trees]
    if library_of(model) == "lightgbm":
        assert pruned_text(dumped(model), trees, grown) == dumped(model)
    elif name != "xgboost, nodes deleted":
        old, new = (json.loads(dumped(m)) for m in (model, prune_booster(model, grown)))
        new["learner"]["attributes"] = old["learner"]["attributes"]
        assert new == old
    np.testing.assert_array_equal(library_raw(prune_booster(model, grown), X), library_raw(model, X))


def test_a_pruned_model_can_be_saved_loaded_and_explained(tmp_path: Any) -> None:
    X = NUMBERS[0]
    model = prune_trees(lgbm(NUMBERS), method="max_depth", max_depth=2)
    model.booster_.save_model(tmp_path / "model.txt")
    np.testing.assert_array_equal(lgb.Booster(model_file=tmp_path / "model.txt").predict(X), model.predict(X))
    assert model.feature_importances_.sum() == sum(tree.structure.n_leaves - 1 for tree in read_trees(model))
    parts = model.predict(X, pred_contrib=True)
    np.testing.assert_allclose(parts.sum(axis=1), model.predict(X), rtol=1e-5)
    model = prune_trees(boosted(NUMBERS), method="max_depth", max_depth=2)
    model.get_booster().save_model(tmp_path / "model.json")
    np.testing.assert_array_equal(xgb.Booster(model_file=tmp_path / "model.json").inplace_predict(X), model.predict(X))
    parts = model.get_booster().predict(xgb.DMatrix(X), pred_contribs=True)
    np.testing.assert_allclose(parts.sum(axis=1), model.predict(X), rtol=1e-4)


def test_labels_survive_in_estimators_that_are_pruned() -> None:
    X, y = CANCER[0], np.array(["m", "b"])[CANCER[1]]
    model = lgb.LGBMClassifier(n_estimators=1, num_leaves=9, learning_rate=1, **QUIET).fit(X[:300], y[:300])
    pruned = prune_trees(model, X[300:], y[300:])
    assert {*pruned.predict(X)} == {"b", "m"}
    assert pruned.booster_.num_trees() == 1


def test_a_model_that_stopped_early_is_cut_where_it_predicts() -> None:
    X, y = NUMBERS
    halves = (X[::2], y[::2]), (X[1::2], y[1::2])
    model = xgb.XGBRegressor(n_estimators=99, early_stopping_rounds=4, n_jobs=1)
    model.fit(*halves[0], eval_set=[halves[1]], verbose=False)
    assert len(read_trees(model)) == model.best_iteration + 1 < len(read_trees(model.get_booster()))
    cuts = random_cuts(model)
    np.testing.assert_allclose(prune_booster(model, cuts).predict(X), raw_scores(model, X, cuts)[:, 0], rtol=2e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lgb.LGBMRegressor(n_estimators=99, **QUIET).fit(
            *halves[0], eval_set=[halves[1]], callbacks=[lgb.early_stopping(4, verbose=False)]
        )
    assert len(read_trees(model)) == model.best_iteration_ < 99
    cuts = random_cuts(model)
    np.testing.assert_allclose(prune_booster(model, cuts).predict(X), raw_scores(model, X, cuts)[:, 0], rtol=2e-6)


# ---- pruning ---------------------------------------------------------------------------------------------------------


def one_tree(library: str, rows: Any) -> Any:
    if library == "lightgbm":
        return lgbm(rows, n_estimators=1, num_leaves=7, learning_rate=1)
    return boosted(rows, n_estimators=1, max_depth=3, learning_rate=1)


def library_loss(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    predicted = model.predict_proba(X)[:, 1] if hasattr(model, "classes_") else model.predict(X)
    return float(((y - predicted) ** 2).sum())


@pytest.mark.parametrize("rows", [NUMBERS, CANCER], ids=["numbers", "classes"])
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_no_pruning_of_a_tree_serves_the_held_out_rows_better(library: str, rows: Any) -> None:
    (X, y), held_out = rows, slice(1, None, 3)
    grown = np.ones(len(y), dtype=bool)
    grown[held_out] = False
    model = one_tree(library, rows).fit(X[grown], y[grown])
    structure = read_trees(model)[0].structure
    best = min(
        library_loss(prune_booster(model, [as_cut(structure, nodes)]), X[held_out], y[held_out])
        for nodes in all_cuts(structure)
    )
    pruned = prune_trees(model, X[held_out], y[held_out])
    assert library_loss(pruned, X[held_out], y[held_out]) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("name", ["forest of numbers", "forest of classes"])
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_no_pruning_of_a_tree_of_a_forest_would_serve_better_if_it_were_the_whole(library: str, name: str) -> None:
    model, (X, y) = MODELS[f"{library}, {name}"]()
    X, y = X[::3], y[::3]  # whether the rows are new makes no difference to this
    trees = read_trees(model)
    like_it, base = (1, 0.0) if library == "lightgbm" else (len(trees), base_margin(model))

    def own_loss(tree: Any, nodes: np.ndarray) -> float:
        raw = base + like_it * tree.value[covering(tree.structure, nodes)[tree.structure.route(X)]]
        return float(((y - (expit(raw) if "classes" in name else raw)) ** 2).sum())

    pruned = read_trees(prune_trees(model, X, y))
    for tree, small in zip(trees, pruned, strict=True):
        best = min(own_loss(tree, as_cut(tree.structure, nodes)) for nodes in all_cuts(tree.structure))
        assert own_loss(small, small.grown) == pytest.approx(best, rel=1e-6)
    assert sum(small.structure.n_leaves for small in pruned) < sum(tree.structure.n_leaves for tree in trees)


def base_margin(model: Any) -> float:
    """What XGBoost predicts before its trees: the margin of a row less its leaves."""
    X = NUMBERS[0][:1] if "Regressor" in type(model).__name__ else CANCER[0][:1]
    leaves = sum(tree.value[tree.structure.route(X)][0] for tree in read_trees(model))
    return float(library_raw(model, X)[0, 0] - leaves)


def test_levels_and_alphas_of_a_squared_error_tree_are_those_of_scikit_learn() -> None:
    X, y = NUMBERS[0].astype(np.float32), NUMBERS[1]
    theirs = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y)
    exact = {"tree_method": "exact", "reg_lambda": 0, "learning_rate": 1, "base_score": float(y.mean())}
    mine = boosted((X, y), n_estimators=1, max_depth=4, min_child_weight=0, **exact)
    path, known = gain_path(read_trees(mine)[0]), tp.pruning_path(theirs)
    np.testing.assert_array_equal(path.n_leaves, known.n_leaves)
    np.testing.assert_allclose(path.price / len(y), known.price, rtol=1e-5)
    for alpha, level in zip(known.representative_prices()[1:-1], range(1, path.n_levels), strict=False):
        pruned = prune_trees(mine, method="cost_complexity", alpha=alpha * len(y))
        assert read_trees(pruned)[0].structure.n_leaves == path.n_leaves[level]
        same = DecisionTreeRegressor(max_depth=4, random_state=0, ccp_alpha=alpha).fit(X, y)
        np.testing.assert_allclose(pruned.predict(X), same.predict(X), rtol=1e-5)


def test_the_gains_of_lightgbm_are_what_the_splits_take_off_the_squared_error() -> None:
    X, y = NUMBERS
    tree = read_trees(one_tree("lightgbm", NUMBERS))[0]
    predicted = tree.value[tree.structure.route(X)]
    assert tree.gain.sum() == pytest.approx(((y - y.mean()) ** 2).sum() - ((y - predicted) ** 2).sum(), rel=1e-5)
    assert gain_path(tree).price[-1] == pytest.approx(tree.gain[0], rel=1e-6)


@pytest.mark.parametrize("name", ["numbers", "three classes"])
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosted_trees_are_pruned_by_gain_one_by_one(library: str, name: str) -> None:
    model, (X, _) = MODELS[f"{library}, {name}"]()
    trees = read_trees(model)
    alpha = float(np.median(np.concatenate([tree.gain[~tree.grown] for tree in trees])))
    pruned = prune_trees(model, method="cost_complexity", alpha=alpha)
    for tree, small in zip(trees, read_trees(pruned), strict=True):
        worth = {nodes: _gain_above(tree, as_cut(tree.structure, nodes)) for nodes in all_cuts(tree.structure)}
        best = max(gain - alpha * len(nodes) for nodes, gain in worth.items())
        assert small.gain.sum() - alpha * small.structure.n_leaves == pytest.approx(best, rel=1e-6)
    everything = prune_trees(model, method="cost_complexity", alpha=1e12)
    assert np.ptp(library_raw(everything, X), axis=0) == pytest.approx(0, abs=1e-5)


def _gain_above(tree: Any, nodes: np.ndarray) -> float:
    return float(tree.gain[covering(tree.structure, nodes) < 0].sum())


SCORES = (
    ("numbers", None),
    ("numbers", "r2"),
    ("numbers", "neg_mean_absolute_error"),
    ("classes", None),
    ("classes", "neg_log_loss"),
    ("classes", "neg_brier_score"),
    ("classes", "roc_auc"),
    ("classes", "f1"),
    ("classes", "average_precision"),
)


@pytest.mark.parametrize(("task", "scoring"), SCORES)
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_every_level_of_the_curve_scores_as_the_librarys_model_written_back(
    library: str, task: str, scoring: str | None
) -> None:
    X, y = NUMBERS if task == "numbers" else CANCER
    model = one_tree(library, (X[::2], y[::2]))
    curve = booster_curve(model, X[::2], y[::2], X[1::2], y[1::2], scoring=scoring)
    assert isinstance(curve, tp.GeneralizationCurve)
    assert curve.n_leaves[-1] == 1
    scorer = get_scorer(scoring or ("accuracy" if task == "classes" else "neg_mean_squared_error"))
    tree = read_trees(model)[0]
    path = gain_path(tree)
    for level in range(path.n_levels):
        pruned = prune_booster(model, [cut_at(tree.structure, path.removed_at, level)])
        assert curve.train[level] == pytest.approx(scorer(pruned, X[::2], y[::2]), rel=1e-5, abs=1e-6)
        assert curve.test[level] == pytest.approx(scorer(pruned, X[1::2], y[1::2]), rel=1e-5, abs=1e-6)


def test_the_curve_of_a_booster_is_that_of_its_estimator_and_can_be_drawn() -> None:
    import matplotlib

    matplotlib.use("Agg")
    rows = *(part[::2] for part in CANCER), *(part[1::2] for part in CANCER)
    model = one_tree("xgboost", CANCER)
    for scoring in ("neg_log_loss", "average_precision"):
        curve, same = (booster_curve(m, *rows, scoring=scoring) for m in (model, model.get_booster()))
        np.testing.assert_array_equal(curve.test, same.test)
    tp.PruningCurveDisplay(curve).plot()


# ---- refusals --------------------------------------------------------------------------------------------------------


def categorical(library: str) -> Any:
    import pandas as pd

    X = pd.DataFrame({"size": NUMBERS[0][:, 2], "colour": pd.Categorical(np.arange(442) % 5)})
    y = (np.arange(442) % 5 == 2) * 9.0
    if library == "lightgbm":
        return lgb.LGBMRegressor(n_estimators=1, **QUIET).fit(X, y)
    return xgb.XGBRegressor(n_estimators=1, enable_categorical=True, max_cat_to_onehot=1).fit(X, y)


def saved_and_loaded() -> Any:
    model = boosted(NUMBERS, learning_rate=0.1)
    return xgb.Booster(model_file=bytearray(model.get_booster().save_raw("json")))


REFUSED: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: lgbm(NUMBERS, boosting_type="dart"), "boosting_type='dart'"),
    (lambda: lgbm(NUMBERS, use_quantized_grad=True, quant_train_renew_leaf=True), "quant_train_renew_leaf=True"),
    (
        lambda: lgbm(NUMBERS, monotone_constraints=[1] * 10, monotone_constraints_method="intermediate"),
        "monotone_constraints_method='basic'",
    ),
    (lambda: lgbm(NUMBERS, linear_tree=True), "linear_tree=False"),
    (lambda: lgbm(NUMBERS, zero_as_missing=True), "zero_as_missing=False"),
    (lambda: lgbm(NUMBERS, objective="l1"), "objective 'regression_l1' sets the values of leaves anew"),
    (lambda: lgbm(NUMBERS, objective="quantile"), "objective 'quantile'"),
    (lambda: lgbm(NUMBERS, objective="mape"), "objective 'mape'"),
    (lambda: lgbm(NUMBERS).booster_.refit(NUMBERS[0], -NUMBERS[1]), "do not fit those of their leaves"),
    (lambda: lgbm(NUMBERS, reg_lambda=3).booster_.set_leaf_output(2, 1, 99.0), "do not fit those of their leaves"),
    (lambda: categorical("lightgbm"), "'colour' is split as categorical"),
    (lambda: categorical("xgboost"), "'colour' is split as categorical"),
    (lambda: boosted(NUMBERS, booster="dart"), "booster='dart'"),
    (lambda: boosted(NUMBERS, booster="gblinear", max_depth=None), "booster='gblinear'"),
    (lambda: boosted((NUMBERS[0], np.c_[NUMBERS[1], NUMBERS[1]])), "several targets"),
    (lambda: boosted((NUMBERS[0], np.c_[NUMBERS[1], NUMBERS[1]]), multi_strategy="multi_output_tree"), "targets"),
    (lambda: boosted(NUMBERS, objective="reg:absoluteerror"), "objective 'reg:absoluteerror'"),
    (lambda: boosted(NUMBERS, objective="reg:quantileerror", quantile_alpha=0.5), "objective 'reg:quantileerror'"),
    (lambda: boosted(NUMBERS, missing=0.0), "missing=0.0"),
    (saved_and_loaded, "do not fit learning_rate=0.3 and reg_lambda=1"),
)


@pytest.mark.parametrize(("model", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_models_whose_inner_nodes_say_nothing_are_refused(model: Callable[[], Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_trees(model())


def test_a_loaded_model_is_read_once_it_is_told_what_it_was_trained_with() -> None:
    booster = saved_and_loaded()
    booster.set_param({"learning_rate": 0.1})
    for mine, theirs in zip(read_trees(booster), read_trees(boosted(NUMBERS, learning_rate=0.1)), strict=True):
        np.testing.assert_array_equal(mine.value, theirs.value)


def test_a_rate_that_changed_while_training_is_noticed() -> None:
    rates = xgb.callback.LearningRateScheduler([0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1])
    with pytest.raises(ValueError, match="changed from round to round"):
        read_trees(boosted(NUMBERS, callbacks=[rates]))


@pytest.mark.parametrize("model", [None, DecisionTreeRegressor(), "model.txt"])
def test_other_models_are_refused_with_what_is_expected(model: Any) -> None:
    with pytest.raises(TypeError, match="a fitted model of LightGBM or XGBoost is expected"):
        read_trees(model)


@pytest.mark.parametrize("name", ["lightgbm, numbers", "xgboost, numbers", "lightgbm, three classes"])
def test_rows_do_not_judge_a_tree_that_means_nothing_alone(name: str) -> None:
    model, (X, y) = MODELS[name]()
    what = "3 classes" if "classes" in name else "7 rounds of boosting"
    with pytest.raises(ValueError, match=f"the model has {what}"):
        prune_trees(model, X, y)


def test_what_is_missing_or_odd_in_a_call_is_named() -> None:
    (X, y), model = NUMBERS, one_tree("xgboost", NUMBERS)
    for call, says in (
        (lambda: prune_trees(model), "needs rows that the model was not fitted on"),
        (lambda: prune_trees(model, X, y, "max_depth", max_depth=2), "leave X and y out"),
        (lambda: prune_trees(model, method="max_depth"), "max_depth must be given"),
        (lambda: prune_trees(model, method="cost_complexity", alpha=-1), "alpha=-1"),
        (lambda: prune_trees(model, method="error_based"), "'reduced_error', 'cost_complexity', 'max_depth'"),
        (lambda: prune_trees(model, X[:, :4], y), "fitted with 10 columns"),
        (lambda: prune_trees(model, X[:0], y[:0]), "X has no rows"),
        (lambda: prune_trees(model, X[:9], y), "X has 9 rows, y 442"),
        (lambda: prune_booster(model, []), "got 0 cuts for 1 trees"),
        (lambda: prune_booster(model, [np.zeros(15, dtype=bool)]), "not a cut"),
        (lambda: booster_curve(boosted(NUMBERS), X, y, X, y), "the model has 7 trees"),
        (lambda: prune_trees(boosted(NUMBERS, n_estimators=1, objective="count:poisson"), X, y), "'count:poisson'"),
    ):
        with pytest.raises(ValueError, match=says):
            call()
    with pytest.raises(TypeError, match="X is sparse"):
        prune_trees(model, csr_array(X), y)
    with pytest.raises(ValueError, match="classes that the tree was not grown with"):
        prune_trees(one_tree("lightgbm", CANCER), CANCER[0], CANCER[1] + 1)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_a_table_whose_columns_stand_in_another_order_is_refused(library: str) -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X = X.rename(columns={"bmi": "body mass"})
    model = one_tree(library, (X, y))
    np.testing.assert_allclose(raw_scores(model, X)[:, 0], model.predict(X), rtol=1e-6)
    assert read_trees(prune_trees(model, X, y))[0].structure.n_leaves > 1
    with pytest.raises(ValueError, match="the model was fitted with"):
        prune_trees(model, X[X.columns[::-1]], y)
