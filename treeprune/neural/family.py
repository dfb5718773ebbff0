"""A trained network and all sizes of one of its layers, as cross-validation and curves see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring

from treeprune.curve import GeneralizationCurve
from treeprune.neural.deployment import find_network
from treeprune.neural.path import NeuronPath
from treeprune.path import PruningPath

Floats = NDArray[np.float64]
Losses = Callable[[Any, Any, NDArray[Any]], Floats]

ROW_LOSSES: dict[str, Losses] = {
    "accuracy": lambda model, X, y: _mismatch(model.predict(X), y),
    "neg_mean_squared_error": lambda model, X, y: ((model.predict(X) - y) ** 2).reshape(len(y), -1).mean(axis=1),
}


@dataclass(frozen=True, eq=False)
class NetworkFamily:
    """A fitted network, perhaps in a Pipeline, and a path of it.

    Attributes
    ----------
    grown : estimator
        The network as it was trained.
    levels : NeuronPath, or PruningPath of the one level that there is
    """

    grown: Any
    levels: PruningPath

    @classmethod
    def of_one(cls, model: Any) -> NetworkFamily:
        """Take a model as it is for a family of one level."""
        n = sum(len(bias) for bias in find_network(model)[0].intercepts_[:-1])
        return cls(
            model, PruningPath("neuron", np.empty(0, dtype=np.intp), np.array([float(n)]), np.array([n]), "up_to")
        )

    @classmethod
    def of_weights(cls, model: Any) -> NetworkFamily:
        """Do as `of_one`, the size counted in weights that are not zero."""
        n = sum(int(np.count_nonzero(w)) for w in find_network(model)[0].coefs_)
        nothing_removed = np.empty(0, dtype=np.intp)
        return cls(model, PruningPath("weight", nothing_removed, np.array([float(n)]), np.array([n]), "up_to"))

    def scores(self, X: Any, y: Any, weight: Any, scoring: Any) -> Floats:
        """Score every level on these rows, shape (n_levels,), by its predictions."""
        scorer = check_scoring(self.grown, scoring=network_scoring(self.grown, scoring))
        weights = {} if weight is None else {"sample_weight": weight}
        return np.array([float(scorer(model, X, y, **weights)) for model in self._models()])

    training_scores = scores

    def row_losses(self, X: Any, y: Any, scoring: Any) -> tuple[Floats, Any] | None:
        """Loss of each row at level 0, and where it changes; None if the score is no mean over rows known here."""
        name = network_scoring(self.grown, scoring)
        if callable(name) or name not in ROW_LOSSES:
            return None
        y = np.asarray(y)
        y = y[:, 0] if y.shape[1:] == (1,) else y  # a column against a row would be every row against every other
        table = np.column_stack([ROW_LOSSES[name](model, X, y) for model in self._models()])
        row, step = np.nonzero(np.diff(table, axis=1))
        return table[:, 0], (row, step + 1, table[row, step], table[row, step + 1])

    def computed_from(self, scoring: Any) -> str:
        """Say how scores come about."""
        return "predictions"

    def pruned_at(self, level: int, refitted: Any = None) -> Any:
        """Return the network at a level."""
        if refitted is not None:
            raise ValueError("refit='leaves' is for trees: use 'tree', or 'none' to keep the network of a single split")
        assert isinstance(self.levels, NeuronPath)
        return self.levels.network_at(self.grown, level)

    def _models(self) -> Any:
        return self.levels.networks(self.grown) if isinstance(self.levels, NeuronPath) else [self.grown]


def neuron_curve(
    model: Any,
    path: PruningPath,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    scoring: Any = None,
    sample_weight_train: Any = None,
    sample_weight_test: Any = None,
) -> GeneralizationCurve:
    """Score every size of a layer on two sets of rows; nothing is trained again. See `treeprune.pruning_curve`."""
    family, name = NetworkFamily(model, path), network_scoring(model, scoring)
    return GeneralizationCurve(
        method=path.method,
        parameter=path.parameter,
        scoring=name if isinstance(name, str) else getattr(name, "__name__", str(name)),
        nested=True,
        computed_from="predictions",
        holds=path.holds,
        repeat=np.zeros(path.n_levels, dtype=np.intp),
        level=np.arange(path.n_levels),
        price=path.price.copy(),
        n_leaves=path.n_leaves.copy(),
        train=family.scores(X_train, y_train, sample_weight_train, scoring),
        test=family.scores(X_test, y_test, sample_weight_test, scoring),
        unit=path.unit,
    )


def network_scoring(model: Any, scoring: Any) -> Any:
    """Return the score, the task's default if none is given."""
    if scoring is not None:
        return scoring
    return "accuracy" if is_classifier(model) else "neg_mean_squared_error"


def _mismatch(predicted: NDArray[Any], y: NDArray[Any]) -> Floats:
    """1 for a row with any output wrong, as accuracy counts several labels."""
    return (predicted != y).reshape(len(y), -1).any(axis=1).astype(np.float64)
