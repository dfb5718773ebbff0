"""The estimator that trains a network and prunes its neurons: fit, prune, predict."""

from __future__ import annotations

from typing import Any, Literal, Self

from numpy.typing import ArrayLike
from sklearn.base import MetaEstimatorMixin
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import check_is_fitted

from treeprune.checks import check_choice, check_count, random_numbers
from treeprune.neural.criteria import CRITERIA, REPAIRS
from treeprune.neural.deployment import NETWORKS, check_takes_weights, find_network
from treeprune.neural.family import NetworkFamily
from treeprune.neural.neurons import prune_neurons
from treeprune.neural.path import NeuronPath, neuron_path
from treeprune.neural.training import fine_tune
from treeprune.tree.predictor import PrunedPredictor
from treeprune.tree.pruner import grow
from treeprune.wrapped import is_frozen, not_found, thaw, unwrap


class NeuronPruner(MetaEstimatorMixin, PrunedPredictor):
    """Train a network of scikit-learn, remove hidden neurons, predict with what is left.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor, or a Pipeline that ends in one, default=None
        What to train; None means ``MLPClassifier(random_state=0)``.
    n_keep : int or sequence of int, default=10
        Neurons to keep in the layer, or in every hidden layer.
    criterion, compensate, search, layer
        As in `treeprune.neural.prune_neurons`.
    fine_tune_epochs : int, default=0
        Epochs of further training after pruning (sgd and adam).
    random_state : int, RandomState, Generator or None, default=None
        Draws the random criterion, and the order of rows in further training.

    Attributes
    ----------
    grown_ : estimator
        The network before pruning; `prune` starts from it and never changes it.
    estimator_ : estimator
        The smaller network, an ordinary one.
    n_neurons_ : int
        Hidden neurons after pruning.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from treeprune.neural.neuron_pruner import NeuronPruner
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(30, solver="lbfgs", tol=0.1, max_iter=5000, random_state=0)
    >>> pruner = NeuronPruner(mlp, n_keep=5).fit(X, y)
    >>> pruner.n_neurons_, pruner.set_params(n_keep=3).prune(X, y).n_neurons_
    (5, 3)
    """

    method = "neuron"
    strength = "n_keep"

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_keep: Any = 10,
        criterion: str = "obs",
        compensate: Literal["least_squares", "mean", "none"] = "least_squares",
        search: Literal["greedy", "one_shot"] = "greedy",
        layer: int | None = None,
        fine_tune_epochs: int = 0,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_keep = n_keep
        self.criterion = criterion
        self.compensate = compensate
        self.search = search
        self.layer = layer
        self.fine_tune_epochs = fine_tune_epochs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network on the rows, then prune it by them.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : array-like, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like, shape (n_rows,), optional
            Frequencies, with scikit-learn 1.7 or newer.

        Notes
        -----
        If ``estimator`` is a ``FrozenEstimator`` (or a Pipeline that ends in one), nothing is
        trained: the rows only prune.
        """
        self._check_parameters()
        return self._prune_grown(self._grow(X, y, sample_weight), X, y, sample_weight)

    def prune(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Prune the trained network again: with other rows, or after ``set_params``. Never trains it anew.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
            Training rows; none are kept from `fit`.
        y : array-like, optional
            Needed by criteria of the loss and by further training.
        sample_weight : array-like, shape (n_rows,), optional
        """
        check_is_fitted(self)
        self._check_parameters()
        return self._prune_grown(self.grown_, X, y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def _to_grow(self) -> Any:
        return MLPClassifier(random_state=0) if self.estimator is None else self.estimator

    def _grow(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Any:
        if is_frozen(self.estimator):
            return thaw(self.estimator)
        check_takes_weights(sample_weight)
        return grow(self._to_grow(), X, y, sample_weight)

    def _again(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Prune anew by the rows of the last fit."""
        return self.prune(X, y, sample_weight)

    def _check_parameters(self) -> None:
        check_choice("criterion", self.criterion, tuple(CRITERIA))
        check_choice("compensate", self.compensate, tuple(REPAIRS))
        check_choice("search", self.search, ("greedy", "one_shot"))
        check_count("fine_tune_epochs", self.fine_tune_epochs, low=0)
        mlp = unwrap(self._to_grow(), NETWORKS)[0]
        if mlp is None:
            raise not_found(self._to_grow(), "an MLPClassifier or MLPRegressor of scikit-learn")
        if self.fine_tune_epochs and mlp.solver == "lbfgs":
            raise ValueError(f"fine_tune_epochs={self.fine_tune_epochs}: lbfgs knows no epochs, use adam or sgd")

    def _prune_grown(self, grown: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> Self:
        """Set the results, all at once: an error before leaves the pruner as it was."""
        if self.fine_tune_epochs and y is None:
            raise ValueError("y is missing: further training needs it, or set fine_tune_epochs=0")
        rng = random_numbers(self.random_state)
        small = prune_neurons(grown, X, y, n_keep=self.n_keep, sample_weight=sample_weight, **self._means(rng))
        if self.fine_tune_epochs:
            means: dict[str, Any] = {"sample_weight": sample_weight, "random_state": rng}
            small = fine_tune(small, X, y, self.fine_tune_epochs, **means)
        n_neurons = sum(len(bias) for bias in find_network(small)[0].intercepts_[:-1])
        self.__dict__.update(grown_=grown, estimator_=small, n_neurons_=n_neurons)
        return self

    def _family(self, X: Any, y: Any, sample_weight: ArrayLike | None) -> NetworkFamily:
        """Train a network on the rows, and find all sizes of the layer."""
        if self.fine_tune_epochs:
            raise ValueError(
                f"fine_tune_epochs={self.fine_tune_epochs} trains every size on, so there is no path that holds all of "
                "them: choose among sizes by param_grid={'n_keep': [5, 10, 20]}, say"
            )
        grown = self._grow(X, y, sample_weight)
        return NetworkFamily(grown, self._find_path(grown, X, y, sample_weight))

    def _find_path(self, grown: Any, X: Any, y: Any, sample_weight: ArrayLike | None) -> NeuronPath:
        means = self._means(random_numbers(self.random_state))
        return neuron_path(grown, X, y, sample_weight=sample_weight, **means)

    def _family_of_one(self, model: Any) -> NetworkFamily:
        """Take a pruned model for a family of one level, to score it by."""
        return NetworkFamily.of_one(model)

    def _means(self, rng: Any) -> dict[str, Any]:
        return {
            "criterion": self.criterion,
            "compensate": self.compensate,
            "search": self.search,
            "layer": self.layer,
            "random_state": rng.randint(2**31),
        }
