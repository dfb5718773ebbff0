"""One pruning of a family as a model: by level, price, size or depth."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import treeprune as tp
from treeprune.dispatch import FAMILIES, METHODS
from treeprune.tree.pruner import PathPruner

X, Y = load_breast_cancer(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0).fit(X, Y)
NESTED = [name for name, kind in METHODS.items() if issubclass(kind, PathPruner)]


@pytest.mark.parametrize("method", NESTED)
def test_every_level_of_a_path_is_a_tree_of_the_size_and_depth_it_says(method):
    path = tp.pruning_path(TREE, method)
    trees = [path.at(level=k) for k in range(path.n_levels)]
    assert [tree.get_n_leaves() for tree in trees] == path.n_leaves.tolist()
    assert [tree.get_depth() for tree in trees] == path.depth.tolist()
    assert TREE.get_n_leaves() == path.n_leaves[0]


@pytest.mark.parametrize("method", ["optimal", *FAMILIES])
def test_every_cut_of_a_family_is_a_tree_of_the_size_and_depth_it_says(method):
    cuts = tp.pruning_cuts(TREE, method)
    trees = [cuts.at(level=k) for k in range(cuts.n_levels)]
    assert [tree.get_n_leaves() for tree in trees] == cuts.n_leaves.tolist()
    assert [tree.get_depth() for tree in trees] == cuts.depth.tolist()
    assert [cuts.at(price=p).get_n_leaves() for p in cuts.price] == cuts.n_leaves.tolist()


@pytest.mark.parametrize("limit", range(1, 25))
def test_a_limit_on_leaves_or_depth_is_kept_by_the_largest_tree_that_can(limit):
    path = tp.pruning_path(TREE, "cost_complexity")
    assert path.at(n_leaves=limit).get_n_leaves() == max(n for n in path.n_leaves if n <= limit)
    fitting = path.n_leaves[path.depth <= limit - 1]
    small = path.at(depth=limit - 1)
    assert small.get_n_leaves() == fitting.max()
    assert small.get_depth() <= limit - 1


def test_a_price_is_read_as_the_method_reads_it():
    path = tp.pruning_path(TREE, "cost_complexity")
    alpha = float(np.sqrt(path.price[3] * path.price[4]))
    assert path.at(price=alpha).get_n_leaves() == path.n_leaves[3]
    assert tp.prune(TREE, "cost_complexity", alpha=alpha).get_n_leaves() == path.n_leaves[3]


def test_pruners_and_searches_have_such_paths_too():
    pruner = tp.CostComplexityPruner(alpha=0.01).fit(X, Y)
    assert pruner.path_.at(n_leaves=3).get_n_leaves() == 3
    search = tp.PrunerCV(cv=3).fit(X, Y)
    assert search.path_.at(level=search.best_level_).get_n_leaves() == search.n_leaves_
    assert pickle.loads(pickle.dumps(search)).path_.at(n_leaves=2).get_n_leaves() == 2


def test_a_pipeline_comes_back_as_a_pipeline():
    model = make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=0)).fit(*load_diabetes(return_X_y=True))
    small = tp.pruning_path(model).at(n_leaves=5)
    assert small[-1].get_n_leaves() <= 5
    assert model[-1].get_n_leaves() > 100


def test_networks_have_sizes_and_no_depth():
    mlp = MLPClassifier(8, max_iter=2000, random_state=0).fit(X / X.max(axis=0), Y)
    path = tp.pruning_path(mlp, "neuron", X / X.max(axis=0))
    assert path.at(n_leaves=3).hidden_layer_sizes == path.at(price=3).hidden_layer_sizes == (3,)
    with pytest.raises(ValueError, match="networks have no depth"):
        path.at(depth=1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "got nothing: one of level, price, n_leaves and depth"),
        ({"level": 1, "depth": 2}, "got level, depth: one of"),
        ({"level": 99}, "level=99: there are levels from 0 to"),
        ({"level": -1}, "level=-1: a whole number, 0 or more"),
        ({"n_leaves": 0}, "n_leaves=0: a whole number, 1 or more"),
        ({"depth": 1.5}, "depth=1.5: a whole number, 0 or more"),
    ],
)
def test_what_is_no_level_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        tp.pruning_path(TREE).at(**given)


def test_sizes_and_prices_without_a_cut_are_refused():
    cuts = tp.pruning_cuts(TREE, "minimum_error", m=[0, 2])
    with pytest.raises(ValueError, match=r"m=1: there are cuts for \[0.0, 2.0\] only"):
        cuts.at(price=1)
    with pytest.raises(ValueError, match="n_leaves=1: the smallest of these prunings has n_leaves="):
        cuts.at(n_leaves=1)


def test_a_path_of_arrays_has_no_model():
    structure = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    with pytest.raises(ValueError, match="this family is of arrays, not of a fitted model"):
        tp.cost_complexity_path(structure, [1.0, 0.0, 0.0]).at(level=0)
