"""Families of prunings: which unit goes at which level, and at what price.

Trees and networks share this file, so it knows neither: a unit is an inner node or a neuron.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_count, check_number

Holds = Literal["from", "above", "up_to"]
ROUNDING = 1e-12  # relative
ModelAt = Callable[[int], Any]  # from a level to the model pruned at it
UNITS = {"neuron": "neurons", "weight": "weights"}  # of trees it is leaves


def levels_in_force(prices: NDArray[np.float64], values: ArrayLike, holds: Holds) -> NDArray[Any]:
    """Return the level that holds at each value of the parameter, given the levels' prices."""
    values = np.asarray(values, dtype=np.float64)
    if np.isnan(values).any():
        raise ValueError("price is NaN: give a number to say which level of the path is meant")
    if holds == "up_to":  # prices fall: the first level that is small enough
        return np.minimum(np.searchsorted(-prices, -values, side="left"), len(prices) - 1)
    side: Literal["left", "right"] = "right" if holds == "from" else "left"
    return np.maximum(np.searchsorted(prices, values, side=side) - 1, 0)


class PruningFamily(ABC):
    """Prunings of one model by their levels; which unit goes when, a path and separate cuts say differently."""

    price: NDArray[np.float64]
    n_leaves: Any
    depth: NDArray[np.intp] | None
    model_at: ModelAt | None

    @property
    def n_levels(self) -> int:
        """Number of prunings, the grown tree and the root included where they are among them."""
        return len(self.price)

    @abstractmethod
    def levels_at(self, price: ArrayLike) -> NDArray[Any]:
        """Return the level for each value of the method's parameter."""

    def at(
        self,
        *,
        level: int | None = None,
        price: float | None = None,
        n_leaves: int | None = None,
        depth: int | None = None,
    ) -> Any:
        """Return the model pruned at one level, a new estimator.

        Parameters
        ----------
        level : int, optional
            From 0, the grown tree, to ``n_levels - 1``. Give this or one of the following.
        price : float, optional
            A value of the method's own parameter, as `levels_at` reads it.
        n_leaves, depth : int, optional
            The largest pruning with at most so many leaves, or at most so deep; of equals the first. A family has
            not every size.

        Raises
        ------
        ValueError
            If not one of them is given, if there is no such level, or if the family is of arrays and not of a model.

        Examples
        --------
        >>> import treeprune as tp
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> tree = DecisionTreeClassifier(random_state=0).fit(*load_iris(return_X_y=True))
        >>> path = tp.pruning_path(tree, "cost_complexity")
        >>> int(path.at(n_leaves=6).get_n_leaves()), int(path.at(depth=2).get_depth())
        (5, 2)
        """
        given = {"level": level, "price": price, "n_leaves": n_leaves, "depth": depth}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            found = ", ".join(given) or "nothing"
            raise ValueError(f"got {found}: one of level, price, n_leaves and depth is expected")
        if self.model_at is None:
            raise ValueError(
                "this family is of arrays, not of a fitted model: tp.pruning_path(fitted, ...) knows its model"
            )
        return self.model_at(self._level_of(*given.popitem()))

    def _level_of(self, name: str, value: Any) -> int:
        if name == "price":
            check_number("price", value)
            return int(self.levels_at(value))
        if name != "level":
            return self._largest_within(name, value)
        check_count("level", value, low=0)
        if value >= self.n_levels:
            raise ValueError(f"level={value}: there are levels from 0 to {self.n_levels - 1}")
        return int(value)

    def _largest_within(self, name: str, limit: int) -> int:
        """The first of the largest prunings whose leaves, or depth, are within the limit."""
        sizes = self.n_leaves if name == "n_leaves" else self.depth
        if sizes is None:
            raise ValueError("networks have no depth to be pruned to: give n_leaves, which counts their units")
        check_count(name, limit, low=int(name == "n_leaves"))
        within = np.flatnonzero(sizes <= limit)
        if not len(within):
            raise ValueError(f"{name}={limit}: the smallest of these prunings has {name}={int(sizes.min())}")
        return int(within[np.argmax(self.n_leaves[within])])


@dataclass(frozen=True, eq=False)
class PruningPath(PruningFamily):
    """A nested family of prunings: one integer per unit describes all of them.

    Attributes
    ----------
    method : str
        Name of the pruning method.
    removed_at : ndarray of int, shape (n_nodes,)
        The first level at which each node's split is gone; 0 at grown leaves. Level 0 is the
        grown tree, the last level the root alone. Node t is a leaf of level k if and only if
        ``removed_at[t] <= k < removed_at[parent of t]``.
    price : ndarray of float, shape (n_levels,)
        The method's own parameter from which each level holds.
    n_leaves : ndarray of int, shape (n_levels,)
        Size at each level.
    holds : {"from", "above", "up_to"}
        How to read the price. ``"from"``: level k holds for parameters >= price[k]
        (cost-complexity); ``"above"``: for parameters > price[k] (critical value); ``"up_to"``:
        for parameters <= price[k], prices falling (depth and number of leaves).
    depth : ndarray of int, shape (n_levels,), optional
        Depth of the tree at each level. Like ``model_at`` it is known to paths of a fitted tree.
    model_at : callable, optional
        From a level to the model pruned at it; see `at`.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier(random_state=0).fit(*load_iris(return_X_y=True))
    >>> path = tp.pruning_path(tree, "max_depth")
    >>> path.price, path.n_leaves
    (array([5., 4., 3., 2., 1., 0.]), array([9, 8, 5, 3, 2, 1]))
    >>> int(path.removed_at[0])  # the split of the root is the last to go
    5
    """

    method: str
    removed_at: NDArray[np.intp]
    price: NDArray[np.float64]
    n_leaves: NDArray[np.intp]
    holds: Holds = "from"
    depth: NDArray[np.intp] | None = field(default=None, kw_only=True)
    model_at: ModelAt | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        sizes = f"{self.n_leaves[0]} to {self.n_leaves[-1]} {self.unit}"
        prices = f"{self.parameter} from {self.price[0]:.4g} to {self.price[-1]:.4g}"
        return f"PruningPath({self.method}, {self.n_levels} levels, {sizes}, {prices})"

    @property
    def parameter(self) -> str:
        """Name of the method's own parameter, which `price` is."""
        return {"cost_complexity": "alpha", "neuron": "n_keep"}.get(self.method, self.method)

    @property
    def unit(self) -> str:
        """What sizes are counted in."""
        return UNITS.get(self.method, "leaves")

    def levels_at(self, price: ArrayLike) -> NDArray[Any]:
        """Return the level that holds at each value of the method's parameter.

        Parameters
        ----------
        price : float or array-like of float
            Below the first price level 0 holds.

        Returns
        -------
        int or ndarray of int
            Of two levels with the same price, the later, smaller one.

        Examples
        --------
        >>> import numpy as np
        >>> from treeprune import PruningPath
        >>> path = PruningPath("cost_complexity", np.array([2, 0, 1, 0, 0]),
        ...                    np.array([0.0, 0.1, 0.4]), np.array([3, 2, 1]))
        >>> path.levels_at([0.0, 0.1, 0.3, 9.0])
        array([0, 1, 1, 2])
        """
        levels = levels_in_force(self.price, price, self.holds)
        if self.holds != "from":
            return levels
        # an alpha that another program added up differently is the same alpha; a price of this path is itself
        near = levels_in_force(self.price, np.asarray(price, dtype=np.float64) * (1 + ROUNDING), self.holds)
        return np.where(self.price[levels] == price, levels, near)[()]

    def price_inside(self, level: int) -> float:
        """Return a value of the method's parameter at which the level holds.

        Parameters
        ----------
        level : int

        Returns
        -------
        float, or int where the parameter is a whole number
            The end of the level's interval if that belongs to it, else the next number inside.
            Of two levels at the price 0 no alpha gives the first.

        Examples
        --------
        >>> import numpy as np
        >>> from treeprune import PruningPath
        >>> path = PruningPath("critical_value", np.array([2, 0, 1, 0, 0]),
        ...                    np.array([0.0, 0.1, 0.4]), np.array([3, 2, 1]), holds="above")
        >>> [path.levels_at(path.price_inside(level)).item() for level in range(3)]
        [0, 1, 2]
        """
        price = float(self.price[level])
        if self.holds == "up_to":
            return int(price)
        return float(np.nextafter(price, np.inf)) if self.holds == "above" and level > 0 else price

    def representative_prices(self) -> NDArray[np.float64]:
        """Return one value of the parameter inside each level, at which to compare with another path.

        The geometric mean of the level's ends, infinity at the last level (Breiman et al. 1984,
        section 3.4.2). The interval that starts at 0 has no geometric mean above 0: half its upper
        end stands in. Whole-number prices (depth, leaves) stand for themselves.
        """
        if self.holds == "up_to":
            return self.price
        lower, upper = self.price[:-1], self.price[1:]
        inside = np.where(lower > 0, np.sqrt(lower) * np.sqrt(upper), upper / 2)
        inside[upper <= lower] = -1.0  # no room: this level holds nowhere, except as "unpruned"
        return np.append(inside, np.inf)


@dataclass(frozen=True, eq=False)
class PruningCuts(PruningFamily):
    """A family of prunings that need not be nested: one cut for each value of a parameter.

    Attributes
    ----------
    method : str
        Name of the pruning method.
    parameter : str
        Name of the parameter that `price` holds.
    price : ndarray of float, shape (n_cuts,)
        Its values, in the order of the cuts.
    cuts : ndarray of bool, shape (n_cuts, n_nodes)
        Row k: which nodes are the leaves of pruning k. A node may go and come back.
    depth : ndarray of int, shape (n_cuts,), optional
        Depth of each pruning; known, like ``model_at``, where the cuts are of a fitted tree.
    model_at : callable, optional
        From the number of a cut to the model pruned by it; see `at`.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier(random_state=0).fit(*load_iris(return_X_y=True))
    >>> family = tp.pruning_cuts(tree, "error_based", confidence=[0.5, 0.25, 0.001])
    >>> family.parameter, family.n_leaves
    ('confidence', array([7, 7, 6]))
    >>> family.cuts.shape == (3, tree.tree_.node_count)
    True
    """

    method: str
    parameter: str
    price: NDArray[np.float64]
    cuts: NDArray[np.bool_]
    depth: NDArray[np.intp] | None = field(default=None, kw_only=True)
    model_at: ModelAt | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        sizes = f"{self.n_leaves.max()} to {self.n_leaves.min()} leaves"
        prices = f"{self.parameter} from {self.price[0]:.4g} to {self.price[-1]:.4g}"
        return f"PruningCuts({self.method}, {self.n_levels} cuts, {sizes}, {prices})"

    @property
    def n_leaves(self) -> NDArray[np.intp]:
        """Size of each pruning, shape (n_cuts,)."""
        return self.cuts.sum(axis=1)

    def levels_at(self, price: ArrayLike) -> NDArray[Any]:
        """Return the number of the cut for each value of the parameter.

        Raises
        ------
        ValueError
            For a value that there is no cut for: prunings between two values are not known.
        """
        wanted = np.asarray(price, dtype=np.float64)
        equal = self.price == wanted[..., None]
        if not equal.any(axis=-1).all():
            raise ValueError(f"{self.parameter}={price!r}: there are cuts for {self.price.tolist()} only")
        return equal.argmax(axis=-1)
