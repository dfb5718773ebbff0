"""NeuronPruner: an estimator of scikit-learn that trains, prunes and predicts."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import treeprune as tp
from treeprune.neural import prune_neurons
from treeprune.neural.neuron_pruner import NeuronPruner

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def small_net(kind: Any = MLPClassifier, **parameters: Any) -> Any:
    return kind(hidden_layer_sizes=(8,), **{"max_iter": 60, "random_state": 0, "solver": "lbfgs", **parameters})


@parametrize_with_checks([NeuronPruner(small_net(), n_keep=6), NeuronPruner(small_net(MLPRegressor), n_keep=6)])
def test_it_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    name = getattr(check, "func", check).__name__
    if name in ("check_array_api_input", "check_classifiers_multilabel_output_format_decision_function"):
        return  # scikit-learn itself skips them here
    if "sample_weight" in name and "sample_weight" not in signature(MLPClassifier.fit).parameters:
        return  # before scikit-learn 1.7
    check(estimator)


def test_it_removes_what_the_function_removes_and_keeps_what_was_trained() -> None:
    X, y = load_iris(return_X_y=True)
    pruner = NeuronPruner(small_net(), n_keep=3).fit(X, y)
    dense = small_net().fit(X, y)
    np.testing.assert_array_equal(pruner.grown_.coefs_[0], dense.coefs_[0])
    np.testing.assert_array_equal(pruner.predict(X), prune_neurons(dense, X, n_keep=3).predict(X))
    assert pruner.n_neurons_ == 3
    assert pruner.set_params(n_keep=5).prune(X).n_neurons_ == 5
    assert pruner.grown_.hidden_layer_sizes == (8,)


def test_tp_prune_knows_networks() -> None:
    X, y = load_iris(return_X_y=True)
    dense = small_net().fit(X, y)
    small = tp.prune(dense, "neuron", X, y, n_keep=4, criterion="ablation")
    np.testing.assert_array_equal(
        small.predict(X), prune_neurons(dense, X, y, n_keep=4, criterion="ablation").predict(X)
    )
    with pytest.raises(ValueError, match="X is missing"):
        tp.prune(dense, "neuron", n_keep=4)
    with pytest.raises(TypeError, match="MLPClassifier or MLPRegressor"):
        tp.prune(tp.prune, "neuron", X, y, n_keep=4)


def test_further_training_helps_a_network_cut_short() -> None:
    X, y = load_digits(return_X_y=True)
    X = X / 16
    net = MLPClassifier((40,), max_iter=30, random_state=0, early_stopping=True)
    cut, trained = (
        NeuronPruner(net, n_keep=8, compensate="none", criterion="random", fine_tune_epochs=n, random_state=0)
        .fit(X[:900], y[:900])
        .score(X[900:], y[900:])
        for n in (0, 40)
    )
    assert trained > cut + 0.1


def test_it_works_in_searches_and_pipelines() -> None:
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), NeuronPruner(small_net())), {"neuronpruner__n_keep": [2, 5]}, cv=3
    ).fit(X, y)
    assert search.best_estimator_[-1].n_neurons_ in (2, 5)
    assert search.best_score_ > 0.8


def test_epochs_of_lbfgs_and_missing_targets_are_refused_and_leave_the_pruner_as_it_was() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="lbfgs knows no epochs"):
        NeuronPruner(small_net(), fine_tune_epochs=2).fit(X, y)
    pruner = NeuronPruner(small_net(solver="adam"), n_keep=3, fine_tune_epochs=2).fit(X, y)
    before = pruner.estimator_
    with pytest.raises(ValueError, match="y is missing"):
        pruner.prune(X)
    with pytest.raises(ValueError, match="n_keep=99"):
        pruner.set_params(n_keep=99).prune(X, y)
    assert pruner.estimator_ is before
