"""By name: prune a fitted model, get the family of its prunings.

An explicit table of methods, nothing more.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from treeprune.network_dispatch import (
    by_network_pruner,
    find_neuron_path,
    holds_a_network,
    prunes_networks,
    refuse_statistics,
    without_neurons,
    without_weights,
)
from treeprune.path import PruningCuts, PruningPath
from treeprune.tree.cuts import topmost
from treeprune.tree.family import with_models
from treeprune.tree.fitted import FittedTree, NodeStatistics, find_tree, replace_tree
from treeprune.tree.methods.averaging import AveragingPruner
from treeprune.tree.methods.cost_complexity import CostComplexityPruner
from treeprune.tree.methods.critical_value import CriticalValuePruner
from treeprune.tree.methods.description_length import DescriptionLengthPruner
from treeprune.tree.methods.error_based import ErrorBasedPruner
from treeprune.tree.methods.growth_limits import MinImpurityDecreasePruner, MinSamplesSplitPruner
from treeprune.tree.methods.kearns_mansour import KearnsMansourPruner
from treeprune.tree.methods.max_depth import MaxDepthPruner
from treeprune.tree.methods.max_leaf_nodes import MaxLeafNodesPruner
from treeprune.tree.methods.minimum_error import MinimumErrorPruner
from treeprune.tree.methods.optimal import OptimalPruner
from treeprune.tree.methods.pessimistic_error import PessimisticErrorPruner
from treeprune.tree.methods.reduced_error import ReducedErrorPruner
from treeprune.tree.methods.significance import SignificancePruner
from treeprune.tree.pruner import GROWING_PARAMETERS, BasePruner, PathPruner
from treeprune.tree.rebuild import materialise

METHODS: dict[str, type[BasePruner]] = {
    pruner.method: pruner
    for pruner in (
        CostComplexityPruner,
        ReducedErrorPruner,
        MinimumErrorPruner,
        PessimisticErrorPruner,
        ErrorBasedPruner,
        CriticalValuePruner,
        SignificancePruner,
        DescriptionLengthPruner,
        KearnsMansourPruner,
        AveragingPruner,
        OptimalPruner,
        MaxDepthPruner,
        MaxLeafNodesPruner,
        MinImpurityDecreasePruner,
        MinSamplesSplitPruner,
    )
}

# for families that are not nested: the parameter that runs, and where it runs by default
FAMILIES: dict[str, tuple[str, tuple[float, ...]]] = {
    "minimum_error": ("m", (0, 0.5, 1, 2, 3, 4, 8, 12, 16, 32, 64, 128, 256, 512, 1024)),
    "pessimistic_error": ("z", (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4)),
    "significance": ("significance", (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001, 1e-4, 1e-5, 1e-6, 0.0)),
    "kearns_mansour": ("c", (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)),
    "averaging": ("stop_prior", (1e-6, 1e-4, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1 - 1e-6, 1 - 1e-9)),
    "error_based": ("confidence", (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001)),
}

NO_DEFAULT = ("max_depth", "max_leaf_nodes")  # strengths that prune must be given and a path does without


def prune(
    fitted: Any,
    method: Any = None,
    X: Any = None,
    y: Any = None,
    *,
    sample_weight: ArrayLike | None = None,
    statistics: NodeStatistics | None = None,
    nodes: Iterable[int] | None = None,
    **parameters: Any,
) -> Any:
    """Prune a fitted tree; the result is a new estimator, the input stays as it is.

    Parameters
    ----------
    fitted : fitted estimator
        DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier or ExtraTreeRegressor;
        a Pipeline that ends in one; a fitted search over those (its ``best_estimator_`` is
        pruned); a FrozenEstimator around any of them; a member tree of a forest (its classes are
        codes). An MLPClassifier or MLPRegressor for ``"neuron"`` and ``"weight"``.
    method : str or pruner, optional
        A name (``"reduced_error"``, ...) or a pruner with its parameters set. ``"neuron"`` takes
        the parameters of `treeprune.neural.prune_neurons`, ``n_keep=25``, and ``"weight"`` those of
        `treeprune.neural.prune_weights`, ``amount=0.8``.
    X, y : array-like, optional
        The rows whose statistics the method reads. Reduced-error pruning needs rows that the tree
        has not seen; the others read the growing rows off the tree if none are given.
    sample_weight : array-like, shape (n_rows,), optional
        Frequencies of these rows.
    statistics : NodeStatistics, optional
        Instead of rows: their sums in this tree, from `chunk_statistics` or `dask_statistics`.
    nodes : iterable of int, optional
        Instead of a method: the nodes to make leaves.
    **parameters
        Of the pruner, if a name was given: ``alpha=0.01``.

    Returns
    -------
    estimator
        Of the class of the input (of its best estimator, for a search).

    Raises
    ------
    TypeError
        If there is no tree to prune.
    ValueError
        For an unknown method, a parameter out of range, or rows that do not fit the tree.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[:400], y[:400])
    >>> small = tp.prune(tree, "reduced_error", X[400:], y[400:])
    >>> int(tree.get_n_leaves()), int(small.get_n_leaves())
    (18, 7)
    """
    if prunes_networks(method) or (isinstance(method, str) and method in ("neuron", "weight")):
        refuse_statistics(statistics)
    if prunes_networks(method):
        return by_network_pruner(fitted, method, X, y, nodes, sample_weight, parameters)
    if method == "neuron":
        return without_neurons(fitted, X, y, nodes, sample_weight, parameters)
    if method == "weight":
        return without_weights(fitted, X, y, nodes, sample_weight, parameters)
    if nodes is None and holds_a_network(fitted):
        close = difflib.get_close_matches(str(method), ("neuron", "weight"), n=1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"method={method!r}{hint} A network is pruned by 'neuron', 'weight', a NeuronPruner or a WeightPruner; "
            "treeprune.neural.prune_layer removes a layer"
        )
    tree = find_tree(fitted)
    if nodes is not None:
        if parameters or any(given is not None for given in (method, X, y, sample_weight, statistics)):
            raise ValueError("nodes= says which nodes become leaves: give it alone, without a method or rows")
        tree.check_values()
        cut = _cut_below(tree, nodes)
    else:
        pruner = _pruner(method, parameters)
        pruner._prune_fitted(fitted, X, y, sample_weight, statistics)
        _warn_of_nothing(pruner, method, parameters, tree)
        return pruner.estimator_
    return replace_tree(fitted, materialise(tree.estimator, tree.structure, cut))


def pruning_path(
    fitted: Any,
    method: str | BasePruner = "cost_complexity",
    X: Any = None,
    y: Any = None,
    *,
    sample_weight: ArrayLike | None = None,
    statistics: NodeStatistics | None = None,
    **parameters: Any,
) -> PruningPath:
    """Return all prunings of a fitted tree by a method whose prunings are nested.

    Parameters
    ----------
    fitted, X, y, sample_weight, statistics
        As in `prune`.
    method : str or pruner, default="cost_complexity"
        ``"cost_complexity"``, ``"critical_value"``, or a limit on growth, ``"max_depth"``, ``"max_leaf_nodes"``,
        ``"min_impurity_decrease"``, ``"min_samples_split"``; or
        ``"neuron"`` for a network, with its training rows, see `treeprune.neural.neuron_path`.
    **parameters
        Of the pruner, except its strength: ``risk="error"``.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier(random_state=0).fit(*load_iris(return_X_y=True))
    >>> tp.pruning_path(tree, "cost_complexity").n_leaves
    array([9, 7, 5, 4, 3, 2, 1])
    """
    if method == "neuron" or getattr(method, "method", "") == "neuron":
        refuse_statistics(statistics)
        return find_neuron_path(fitted, method, X, y, sample_weight, parameters)
    if method == "weight" or getattr(method, "method", "") == "weight":
        raise ValueError(
            "weights have no path: which go depends on how many go at once. Choose among shares with PrunerCV and "
            "param_grid={'amount': [0.5, 0.8, 0.9]}, or prune by each with tp.prune"
        )
    pruner = _pruner(method, parameters, strength_needed=False)
    if not isinstance(pruner, PathPruner):
        _refuse_single(pruner.method)
        raise ValueError(
            f"the prunings of method={pruner.method!r} are not nested, so there is no path: use pruning_cuts, "
            f"or one of {', '.join(_nested())}"
        )
    if pruner.strength in parameters:
        name, value = pruner.strength, parameters[pruner.strength]
        raise ValueError(
            f"{name}={value!r}: a path holds the prunings of every {name}, so it takes none; "
            f"path.levels_at({value!r}) says which level holds there"
        )
    tree = find_tree(fitted)
    counted = pruner._statistics_if_given(tree, X, y, sample_weight, statistics)
    return with_models(pruner._find_path(tree, counted), fitted, tree)


def pruning_cuts(
    fitted: Any,
    method: str = "optimal",
    X: Any = None,
    y: Any = None,
    *,
    sample_weight: ArrayLike | None = None,
    statistics: NodeStatistics | None = None,
    **parameters: Any,
) -> PruningCuts:
    """Return the prunings of a fitted tree for a run of parameter values, nested or not.

    Parameters
    ----------
    fitted, X, y, sample_weight, statistics
        As in `prune`.
    method : {"optimal", "minimum_error", "pessimistic_error", "error_based", "averaging", ...}, default="optimal"
        ``"optimal"`` runs over sizes (up to ``max_leaf_nodes``), the others over m, z, confidence,
        stop_prior, ...
    **parameters
        Of the pruner; the one that runs may be a list: ``m=[0, 2, 8]``.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier(random_state=0).fit(*load_iris(return_X_y=True))
    >>> tp.pruning_cuts(tree, "minimum_error", m=[0, 2, 50]).n_leaves
    array([9, 7, 3])
    """
    tree, rows = find_tree(fitted), (X, y, sample_weight, statistics)
    if method == "optimal":
        pruner = _pruner(method, parameters, strength_needed=False)
        assert isinstance(pruner, OptimalPruner)
        return with_models(pruner._find_cuts(tree, pruner._statistics_if_given(tree, *rows)), fitted, tree)
    if not isinstance(method, str) or method not in FAMILIES:
        if isinstance(method, str):
            _method(method)  # an unknown name is the clearer error
            _refuse_single(method)
        raise ValueError(
            f"method={method!r} has no family of separate cuts: use one of optimal, {', '.join(FAMILIES)}; "
            "nested methods have a pruning_path"
        )
    running, usual = FAMILIES[method]
    given = parameters.pop(running, usual)
    values = list(given) if np.iterable(given) and not isinstance(given, str) else [given]
    if not values:
        raise ValueError(f"{running} is empty: one value at least is needed")
    pruners = [_pruner(method, {**parameters, running: value}) for value in values]
    counted = pruners[0]._statistics_if_given(tree, *rows)
    cuts = np.array([pruner._find_cut(tree, counted) for pruner in pruners])
    return with_models(PruningCuts(method, running, np.array(values, dtype=np.float64), cuts), fitted, tree)


def _pruner(method: Any, parameters: Mapping[str, Any], strength_needed: bool = True) -> BasePruner:
    """Return a pruner of the caller's own: made from a name, or cloned."""
    if isinstance(method, BasePruner):
        if parameters:
            raise ValueError(
                f"{', '.join(parameters)}: set parameters on the pruner itself, or give the method by name"
            )
        pruner = clone(method)
    else:
        kind = _method(method)
        allowed = [name for name in kind._get_param_names() if name not in GROWING_PARAMETERS] if parameters else []
        unknown = [name for name in parameters if name not in allowed]
        if unknown:
            raise ValueError(f"{method} has no parameter {unknown[0]!r}: it takes {', '.join(allowed)}")
        pruner = kind(**parameters)
    missing = [] if strength_needed else [name for name in NO_DEFAULT if getattr(pruner, name, 1) is None]
    checked = clone(pruner).set_params(**dict.fromkeys(missing, 1)) if missing else pruner
    checked._check_parameters()
    return pruner


def _warn_of_nothing(pruner: BasePruner, method: Any, parameters: Mapping[str, Any], tree: FittedTree) -> None:
    """Say so if a strength was left at its default, which prunes nothing here."""
    strength = getattr(pruner, "strength", None)
    at_default = isinstance(method, str) and strength and strength not in parameters
    if at_default and pruner.n_leaves_ == tree.structure.n_leaves > 1:
        warnings.warn(
            f"{method} pruned nothing: {strength} is {getattr(pruner, str(strength))} unless it is given; "
            f"tp.pruning_path(fitted, {method!r}) shows what larger ones do, PrunerCV chooses one",
            UserWarning,
            stacklevel=3,
        )


def _method(name: Any) -> type[BasePruner]:
    if name is None:
        raise ValueError(f"method is missing: give a pruner, or one of {', '.join(METHODS)}")
    if isinstance(name, str) and name in METHODS:
        return METHODS[name]
    if hasattr(name, "fit") and not isinstance(name, type):
        raise ValueError(
            f"method is a {type(name).__name__}, which is no pruner of fitted trees: give a pruner, or let it grow its "
            "own tree with fit"
        )
    close = difflib.get_close_matches(str(name), METHODS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"method={name!r} is unknown: use a pruner or one of {', '.join(METHODS)}.{hint}")


def _nested() -> list[str]:
    return [name for name, kind in METHODS.items() if issubclass(kind, PathPruner)]


def _refuse_single(method: str) -> None:
    """Raise ValueError for a method whose pruning has no degree."""
    families = ["optimal", *FAMILIES, *_nested()]
    if method in METHODS and method not in families:
        raise ValueError(
            f"method={method!r} prunes a tree in one way, by the rows it is given, so there is neither a path nor a "
            f"family of cuts: use tp.prune for it, and for a curve one of {', '.join(families)}"
        )


def _cut_below(tree: FittedTree, nodes: Iterable[int]) -> NDArray[np.bool_]:
    n_nodes, given = tree.structure.n_nodes, list(nodes) if np.iterable(nodes) else nodes
    try:
        ids = np.asarray(given)
    except ValueError:  # lists in it
        raise ValueError(f"nodes={given!r}: ids of the tree's nodes are expected, 0 to {n_nodes - 1}") from None
    if ids.dtype == bool:
        raise ValueError(
            f"nodes= holds booleans: ids of the tree's nodes are expected, 0 to {n_nodes - 1}, np.flatnonzero of a mask"
        )
    if ids.ndim != 1 or (len(ids) and (ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= n_nodes)):
        raise ValueError(f"nodes={ids.tolist()}: ids of the tree's nodes are expected, 0 to {n_nodes - 1}")
    collapsed = np.zeros(n_nodes, dtype=bool)
    collapsed[ids.astype(np.intp)] = True
    return topmost(tree.structure, collapsed)
