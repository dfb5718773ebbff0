"""All sizes of a hidden layer at once: the order in which its neurons go, and the network at every size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_choice
from treeprune.neural.criteria import REPAIRS, Evidence
from treeprune.neural.deployment import NETWORKS, find_network, without_neurons
from treeprune.neural.removal import checked, choose, cut_out, one_layer
from treeprune.path import PruningPath
from treeprune.repair import one_by_one
from treeprune.wrapped import rewrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class NeuronPath(PruningPath):
    """A nested family of networks: one neuron of a layer less at every level.

    Attributes
    ----------
    removed_at : ndarray of int, shape (n_neurons,)
        The first level without each neuron; past the last level for the one that stays.
    price : ndarray of float, shape (n_levels,)
        Neurons kept, n_keep.
    n_leaves : ndarray of int, shape (n_levels,)
        The same, under the name that sizes have in curves.
    layer : int
    compensate : str
        As in `prune_neurons`.
    rise : ndarray of float, shape (n_levels,)
        Penalised squared error that the layer's readers see at each level, where the surgeon chose; else NaN.
    seen : Evidence
        What was seen of the layer on the rows the path was found with.
    """

    layer: int = field(kw_only=True)
    compensate: str = field(kw_only=True)
    rise: Floats = field(kw_only=True)
    seen: Evidence = field(kw_only=True)

    @property
    def order(self) -> NDArray[np.intp]:
        """The neurons as they go, shape (n_levels - 1,)."""
        return np.argsort(self.removed_at, kind="stable")[: self.n_levels - 1]

    def network_at(self, model: Any, level: int) -> Any:
        """Return the network at a level, an ordinary one.

        Parameters
        ----------
        model : fitted MLPClassifier or MLPRegressor
            The one that the path is of, or a Pipeline, search or FrozenEstimator with it inside.
        level : int
            From 0, the whole network.
        """
        if not 0 <= level < self.n_levels:
            raise ValueError(f"level {level} does not exist: levels run from 0 to {self.n_levels - 1}")
        mlp = self._own_network(model)
        return rewrap(model, NETWORKS, cut_out(mlp, self.seen, self.removed_at > level, self.compensate, self.layer))

    def networks(self, model: Any) -> Iterator[Any]:
        """Yield the network at every level, the whole one first; together cheaper than one by one."""
        mlp = self._own_network(model)
        for level, (outgoing, bias) in enumerate(self._repairs(mlp.intercepts_[self.layer + 1])):
            small = without_neurons(mlp, self.layer, self.removed_at > level, outgoing, bias)
            yield rewrap(model, NETWORKS, small)

    def _repairs(self, bias: Floats) -> Iterator[tuple[Floats, Floats]]:
        """What the next layer weighs the neurons with at every level, and its bias."""
        outgoing, means = self.seen.outgoing, self.seen.means
        yield outgoing, bias
        if self.compensate != "least_squares":
            for level in range(1, self.n_levels):
                yield REPAIRS[self.compensate](self.seen, self.removed_at > level, bias)
            return
        steps = one_by_one(self.seen.gram, outgoing, self.order)
        for _, _, weights in islice(steps, self.n_levels - 1):
            yield weights, bias + means @ (outgoing - weights)

    def _own_network(self, model: Any) -> Any:
        mlp = find_network(model)[0]
        if self.layer + 1 >= len(mlp.coefs_) or not np.array_equal(mlp.coefs_[self.layer + 1], self.seen.outgoing):
            raise ValueError("this path is of another network: find it with neuron_path for this one")
        return mlp


def neuron_path(
    mlp: Any,
    X: Any,
    y: Any = None,
    *,
    criterion: str = "obs",
    compensate: Literal["least_squares", "mean", "none"] = "least_squares",
    search: Literal["greedy", "one_shot"] = "greedy",
    layer: int | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: Any = 0,
) -> NeuronPath:
    """Find the networks of every size of a hidden layer, from one fitted network.

    Parameters
    ----------
    mlp, X, y, criterion, compensate, search, layer, sample_weight, random_state
        As in `prune_neurons`.

    Returns
    -------
    NeuronPath
        Level k has k neurons less. For OBS in closed form: O(n_neurons^3) in all.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural import neuron_path
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(30, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0).fit(X, y)
    >>> path = neuron_path(mlp, X)
    >>> path
    PruningPath(neuron, 30 levels, 30 to 1 neurons, n_keep from 30 to 1)
    >>> path.network_at(mlp, int(path.levels_at(5))).hidden_layer_sizes
    (5,)
    """
    check_choice("compensate", compensate, tuple(REPAIRS))
    check_choice("search", search, ("greedy", "one_shot"))
    network, rows = checked(mlp, X, y, sample_weight, criterion)
    layer = one_layer(network, layer)
    rng = np.random.default_rng(random_state)
    removal = choose(network, rows, layer, 1, criterion, compensate, search, rng)
    n = len(removal.seen.bias)
    removed_at = np.full(n, n, dtype=np.intp)
    removed_at[removal.order] = np.arange(1, n)
    sizes = np.arange(n, 0, -1)
    rise = np.append(0.0, np.cumsum(removal.rise))
    path = NeuronPath(
        "neuron",
        removed_at,
        sizes.astype(np.float64),
        sizes,
        "up_to",
        layer=layer,
        compensate=compensate,
        rise=rise,
        seen=removal.seen,
    )
    return replace(path, model_at=partial(path.network_at, mlp))
