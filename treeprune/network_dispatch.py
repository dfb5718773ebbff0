"""What `treeprune.prune` and `treeprune.pruning_path` do with networks, which are imported only when asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from inspect import signature
from typing import Any

from sklearn.base import clone

from treeprune.path import PruningPath
from treeprune.wrapped import unwrap


def refuse_statistics(statistics: Any) -> None:
    """Raise ValueError for statistics of nodes, which networks have none of."""
    if statistics is not None:
        raise ValueError("statistics are of trees: networks are pruned by the rows themselves, give X and y")


def prunes_networks(method: Any) -> bool:
    """Whether it is a NeuronPruner or a WeightPruner, which need not be imported to be known."""
    return not isinstance(method, str | type) and getattr(method, "method", "") in ("neuron", "weight")


def holds_a_network(model: Any) -> bool:
    """Whether it is a network, or a Pipeline or search with one inside."""
    networks = sys.modules.get("sklearn.neural_network")  # not loaded: then it is none
    kinds = () if networks is None else (networks.MLPClassifier, networks.MLPRegressor)
    return bool(kinds) and not isinstance(model, type) and unwrap(model, kinds)[0] is not None


def by_network_pruner(
    fitted: Any, pruner: Any, X: Any, y: Any, nodes: Any, sample_weight: Any, parameters: Mapping[str, Any]
) -> Any:
    """Prune a network by a pruner of the caller's, which stays as it is."""
    if nodes is not None or parameters:
        raise ValueError("nodes= is for trees, and parameters are set on the pruner itself")
    if getattr(pruner, "timing", "after") != "after":
        raise ValueError(f"timing={pruner.timing!r} prunes as it trains, and this network is trained: fit the pruner")
    own = clone(pruner)
    own._check_parameters()
    return own._prune_grown(fitted, X, y, sample_weight).estimator_


def without_neurons(fitted: Any, X: Any, y: Any, nodes: Any, sample_weight: Any, parameters: Mapping[str, Any]) -> Any:
    """What ``tp.prune(mlp, "neuron", ...)`` does."""
    from treeprune.neural.neurons import prune_neurons  # scikit-learn's networks take long to import

    if X is None:
        raise ValueError("X is missing: neurons are ranked, and what is left repaired, by training rows")
    if nodes is not None:
        raise ValueError("nodes= is for trees: neurons are chosen by n_keep")
    _check_names("neuron", prune_neurons, parameters)
    if "n_keep" not in parameters:
        raise ValueError("n_keep must be given: how many neurons stay, 1 or more")
    return prune_neurons(fitted, X, y, sample_weight=sample_weight, **parameters)


def without_weights(fitted: Any, X: Any, y: Any, nodes: Any, sample_weight: Any, parameters: Mapping[str, Any]) -> Any:
    """What ``tp.prune(mlp, "weight", ...)`` does."""
    from treeprune.neural.masks import prune_weights

    if nodes is not None:
        raise ValueError("nodes= is for trees: weights are chosen by amount")
    _check_names("weight", prune_weights, parameters)
    if "amount" not in parameters:
        raise ValueError("amount must be given: the share of the weights to switch off, or their number")
    return prune_weights(fitted, X, y, sample_weight=sample_weight, **parameters)


def find_neuron_path(
    fitted: Any, method: Any, X: Any, y: Any, sample_weight: Any, parameters: Mapping[str, Any]
) -> PruningPath:
    """What ``tp.pruning_path(mlp, "neuron", ...)`` does, or with a `NeuronPruner` in place of the name."""
    from treeprune.neural.path import neuron_path

    if X is None:
        raise ValueError("X is missing: neurons are ranked, and what is left repaired, by training rows")
    if method != "neuron":
        if parameters:
            raise ValueError(f"{', '.join(parameters)}: set parameters on the pruner itself")
        method._check_parameters()
        return method._find_path(fitted, X, y, sample_weight)
    if "n_keep" in parameters:
        raise ValueError(f"n_keep={parameters['n_keep']!r}: a path holds the networks of every size, so it takes none")
    _check_names("neuron", neuron_path, parameters)
    return neuron_path(fitted, X, y, sample_weight=sample_weight, **parameters)


def _check_names(method: str, function: Any, parameters: Mapping[str, Any]) -> None:
    allowed = [name for name, p in signature(function).parameters.items() if p.kind is p.KEYWORD_ONLY]
    unknown = [name for name in parameters if name not in allowed]
    if unknown:
        raise ValueError(f"{method} has no parameter {unknown[0]!r}: it takes {', '.join(allowed)}")
