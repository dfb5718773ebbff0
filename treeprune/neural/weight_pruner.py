"""The estimator that trains a network and switches weights off: before, during or after training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MetaEstimatorMixin
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import check_is_fitted

from treeprune.checks import check_choice, check_count
from treeprune.neural.deployment import NETWORKS, check_takes_weights
from treeprune.neural.family import NetworkFamily
from treeprune.neural.masks import ALL_CRITERIA, achieved, prune_weights, weight_masks, with_masks
from treeprune.neural.removal import checked_rows
from treeprune.neural.rewinding import ITSELF, initial_network, rewind
from treeprune.neural.schedules import PolynomialDecay
from treeprune.neural.training import BATCH, fine_tune, fit_masked
from treeprune.neural.weight_scores import count_of
from treeprune.tree.predictor import PrunedPredictor
from treeprune.tree.pruner import grow
from treeprune.wrapped import is_frozen, thaw

BEFORE = ("snip", "synflow", "random", "magnitude")  # mean something at weights that were not trained


class WeightPruner(MetaEstimatorMixin, PrunedPredictor):
    """Train a network of scikit-learn with weights switched off, and keep them off.

    The result is as large and as slow as before: zeros make the zipped file small, and show what a
    network can do without. `NeuronPruner` makes it smaller and faster. To train on by hand:
    ``fine_tune(pruner.estimator_, X, y, epochs, masks=pruner.masks_)``.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor, default=None
        What to train; None means ``MLPClassifier(random_state=0)``.
    amount : float or int, default=0.5
        A float is the share of all weights to switch off, an int their number.
    criterion, scope, compensate
        As in `treeprune.neural.prune_weights`. During training the smallest weights of all go.
    timing : {"after", "before", "during"}, default="after"
        Switch weights off when training is done; or those of the initial network, and train the rest
        (snip, synflow, random, magnitude); or more and more as it trains, by ``schedule``.
    schedule : callable, default=None
        For ``timing="during"``: from steps (mini-batches) to the share of weights that is off, whatever
        ``amount`` is. By default `PolynomialDecay` to ``amount`` at three quarters of the training.
    rewind : bool, default=False
        After pruning train the rest anew from its initial weights (the lottery ticket).
    fine_tune_epochs : int, default=0
        Epochs of further training under the masks (sgd and adam).
    random_state : int, default=0
        Draws the random criterion, and the order of rows in further training.

    Attributes
    ----------
    grown_ : estimator
        The network that weights were chosen from: trained, or initial for ``timing="before"`` and ``"during"``.
    estimator_ : estimator
        With the weights at zero.
    masks_ : list of ndarray of bool, shapes (n_in, n_out)
        True where a weight is on.
    n_nonzero_ : int
        Weights that are on.
    achieved_ : float
        Share of the weights that is off, beside ``amount``, which was requested.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune import WeightPruner
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0)
    >>> pruner = WeightPruner(mlp, amount=0.5).fit(X, y)
    >>> pruner.n_nonzero_, pruner.achieved_
    (28, 0.5)
    """

    method = "weight"

    def __init__(
        self,
        estimator: Any = None,
        *,
        amount: float = 0.5,
        criterion: str = "magnitude",
        scope: Literal["global", "layer", "neuron"] = "global",
        compensate: Literal["least_squares", "none"] | None = None,
        timing: Literal["after", "before", "during"] = "after",
        schedule: Callable[[int], float] | None = None,
        rewind: bool = False,
        fine_tune_epochs: int = 0,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.amount = amount
        self.criterion = criterion
        self.scope = scope
        self.compensate = compensate
        self.timing = timing
        self.schedule = schedule
        self.rewind = rewind
        self.fine_tune_epochs = fine_tune_epochs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train and prune, in the order that ``timing`` says.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : array-like, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like, shape (n_rows,), optional
            Frequencies, with scikit-learn 1.7 or newer.
        """
        self._check_parameters()
        check_takes_weights(None if is_frozen(self.estimator) else sample_weight)
        if self.timing == "after":
            frozen = is_frozen(self.estimator)
            grown = thaw(self.estimator) if frozen else grow(self._to_grow(), X, y, sample_weight)
            return self._prune_grown(grown, X, y, sample_weight)
        # scikit-learn's own checks of rows, and what it remembers of them, come with the first network
        start = initial_network(self._to_grow(), X, y)
        rows = checked_rows(start, X, y, sample_weight, True, True)[1]
        X, y = X if hasattr(X, "columns") else rows.X, np.asarray(y)
        if self.timing == "before":
            masks = weight_masks(start, X, y, sample_weight=sample_weight, **self._means())
            return self._take(start, fit_masked(start, X, y, masks, sample_weight), masks, X, y, sample_weight)
        trained = fine_tune(
            start,
            X,
            y,
            start.max_iter,
            schedule=self.schedule or self._usual_schedule(start, len(y)),
            sample_weight=sample_weight,
            random_state=self.random_state,
        )
        return self._take(start, trained, [w != 0 for w in trained.coefs_], X, y, sample_weight)

    def prune(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Prune the trained network again: with other rows, or after ``set_params``. Trains only what was asked for.

        Parameters
        ----------
        X, y : array-like
            Training rows; none are kept from `fit`.
        sample_weight : array-like, shape (n_rows,), optional
        """
        check_is_fitted(self)
        self._check_parameters()
        if self.timing != "after":
            raise ValueError(f"timing={self.timing!r} prunes as it trains, so there is no trained network: use fit")
        return self._prune_grown(self.grown_, X, y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def _to_grow(self) -> Any:
        return MLPClassifier(random_state=0) if self.estimator is None else self.estimator

    def _again(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Prune anew by the rows of the last fit."""
        return (self.prune if self.timing == "after" else self.fit)(X, y, sample_weight)

    def _family_of_one(self, model: Any) -> NetworkFamily:
        """Take a pruned model for a family of one level, to score it by."""
        return NetworkFamily.of_weights(model)

    def _means(self) -> dict[str, Any]:
        return {
            "amount": self.amount,
            "criterion": self.criterion,
            "scope": self.scope,
            "random_state": self.random_state,
        }

    def _check_parameters(self) -> None:
        check_choice("criterion", self.criterion, ALL_CRITERIA)
        check_choice("timing", self.timing, ("after", "before", "during"))
        check_count("fine_tune_epochs", self.fine_tune_epochs, low=0)
        mlp = thaw(self._to_grow())
        if not isinstance(mlp, NETWORKS):
            raise TypeError(ITSELF.format(type(mlp).__name__))
        if mlp.solver == "lbfgs" and (self.fine_tune_epochs or self.timing == "during"):
            raise ValueError("solver='lbfgs' knows no epochs: use sgd or adam to train during or after pruning")
        if self.timing != "after" and self.rewind:
            raise ValueError(f"rewind=True, timing={self.timing!r}: only a trained network can go back to its start")
        self._check_timing()
        if self.schedule is not None and self.timing != "during":
            raise ValueError(f"schedule is for timing='during', not {self.timing!r}")

    def _check_timing(self) -> None:
        """Refuse what another timing would read and this one would not."""
        if self.compensate is not None:
            check_choice("compensate", self.compensate, ("least_squares", "none"))
            if self.timing != "after" or self.rewind:
                raise ValueError(
                    f"compensate={self.compensate!r} is for weights that go after training: what is trained on needs "
                    "no repair, leave it at None"
                )
        check_choice("scope", self.scope, ("global", "layer", "neuron"))
        if self.timing == "before" and self.criterion not in BEFORE:
            raise ValueError(f"criterion={self.criterion!r}, timing='before': one of {', '.join(BEFORE)} is expected")
        if self.timing == "during" and (self.criterion, self.scope) != ("magnitude", "global"):
            raise ValueError(
                f"criterion={self.criterion!r}, scope={self.scope!r}, timing='during': the smallest weights of all go, "
                "so 'magnitude' and 'global' are expected"
            )

    def _usual_schedule(self, mlp: Any, n_rows: int) -> PolynomialDecay:
        n_weights = sum(w.size for w in mlp.coefs_)
        final = count_of(self.amount, n_weights) / n_weights
        size = min(BATCH, n_rows) if mlp.batch_size == "auto" else min(mlp.batch_size, n_rows)
        return PolynomialDecay(final=final, end=max(1, 3 * mlp.max_iter * -(-n_rows // size) // 4))

    def _prune_grown(self, grown: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        if self.criterion == "obs" and self.compensate is None and not self.rewind:
            small = prune_weights(grown, X, y, sample_weight=sample_weight, **self._means())
            return self._take(grown, small, [w != 0 for w in small.coefs_], X, y, sample_weight)
        masks = weight_masks(grown, X, y, sample_weight=sample_weight, **self._means())
        if self.rewind:
            small = fit_masked(rewind(grown, X, y, masks), X, y, masks, sample_weight)
        else:
            small = with_masks(grown, masks, X, sample_weight=sample_weight, compensate=self.compensate)
        return self._take(grown, small, masks, X, y, sample_weight)

    def _take(self, grown: Any, small: Any, masks: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Train on if asked to, and set the results, all at once: an error before leaves the pruner as it was."""
        if self.fine_tune_epochs:
            means: dict[str, Any] = {"sample_weight": sample_weight, "random_state": self.random_state}
            small = fine_tune(small, X, y, self.fine_tune_epochs, masks=masks, **means)
        n_on = sum(int(mask.sum()) for mask in masks)
        results = {"masks_": masks, "n_nonzero_": n_on, "achieved_": achieved(masks)}
        self.__dict__.update(grown_=grown, estimator_=small, **results)
        return self
