"""The prune level by cross-validation, from one fit a fold."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import assert_all_finite, check_random_state, indexable
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from treeprune.checks import check_choice, check_number
from treeprune.curve import GeneralizationCurve, LevelScores
from treeprune.evidence import ErrorKind, Estimate, FoldEvidence, RowEvidence, independent_folds, repeats_of
from treeprune.folds import Fold, fit_in_groups, grid_fold, path_fold
from treeprune.honest import honest_scores
from treeprune.out_of_fold import join_folds
from treeprune.path import UNITS, Holds, PruningPath, levels_in_force
from treeprune.rows import take_rows
from treeprune.selection import RULES
from treeprune.tree.curve import Scoring, scoring_name
from treeprune.tree.family import with_models
from treeprune.tree.fitted import check_weight
from treeprune.tree.holdout import holdout_split
from treeprune.tree.methods.cost_complexity import CostComplexityPruner
from treeprune.tree.predictor import PrunedPredictor
from treeprune.tree.pruner import GROWING_PARAMETERS
from treeprune.wrapped import is_frozen

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
SIZES = ("n_leaves_", "n_neurons_", "n_nonzero_")  # of trees, of networks without neurons and without weights
Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


class Levels(NamedTuple):
    """What the levels of a search are: those of the path of all rows, or the candidates of a grid."""

    parameter: str
    price: Floats
    n_leaves: Floats
    holds: Holds
    nested: bool
    unit: str = "leaves"


class PrunerCV(MetaEstimatorMixin, PrunedPredictor):
    """Choose how hard to prune by cross-validation, then prune a tree grown on all rows.

    A pruner whose prunings are nested needs no grid: every fold grows one tree, and all its
    levels are scored from it. The fold trees are compared with the tree of all rows at the
    geometric means of the prices between its levels.

    Parameters
    ----------
    pruner : pruner, default=None
        `CostComplexityPruner` by default. Its strength is what is chosen; its ``estimator`` is
        grown. A `NeuronPruner` too: each fold trains one network, and every size is scored.
    param_grid : dict or list of dicts, default=None
        Candidates, as for GridSearchCV. Needed for pruners whose prunings are not nested; each
        fold still grows one tree for all candidates that only prune differently.
    cv : int, splitter, iterable of splits, or float in (0, 1), default=10
        Folds, as scikit-learn takes them (stratified for classifiers); a float holds that share
        of the rows out, once.
    scoring : str or callable, default=None
        A scorer name of scikit-learn, or ``scorer(estimator, X, y)``, which gets ``sample_weight``
        too if `fit` does. None means accuracy, or
        ``"neg_mean_squared_error"`` for regression.
    selection : str or callable, default="one_standard_error"
        ``"minimum"``, ``"one_standard_error"``, ``"within_tolerance"``, or a function from
        `LevelScores` to a level: ``functools.partial(fixed_size, n_leaves=8)``. One standard
        error is a preference for small trees; where pruning hurts it prunes all the same.
    standard_error : {"case", "fold", "paired"}, default=None
        Over rows, as rpart computes it; SD over folds / sqrt(folds); or of the difference to the
        best level, row by row. None means by case, or by fold where the score is no mean over
        rows. Repeats of cross-validation average a row's loss, they are not counted as new rows.
    refit : {"tree", "leaves", "none"}, default="tree"
        Prune a tree grown on all rows. With a single split (a holdout) the tree that was grown on
        its growing part may be kept instead: ``"leaves"`` lets all rows set its values, ``"none"``
        leaves them.
    n_jobs : int, default=None
        Folds at a time.
    random_state : int, RandomState instance or None, default=None
        Draws the rows of a holdout, and the bootstrap of `honest_score_` (seed 0 if None).

    Attributes
    ----------
    estimator_ : estimator
        The pruned tree.
    grown_ : estimator
        The same tree before pruning.
    path_ : PruningPath
        Its levels (nested pruners without a grid only).
    curve_ : GeneralizationCurve
        One repeat for each fold, at the levels of `path_` (or for each candidate).
    scores_ : LevelScores
        Mean score and standard error of every level.
    best_level_, best_price_ : int, float
        What was chosen. With a grid ``best_params_`` in place of the price. Given to the pruner as
        its strength, the price prunes `grown_` to the same tree (and to one as good where splits
        without gain make two levels of price 0).
    n_leaves_ : int
        Or ``n_neurons_`` or ``n_nonzero_``, for networks.
    cp_table_ : DataFrame
        Rpart's table, from the root to the grown tree: of cost-complexity pruning. The level chosen is
        the row ``len(cp_table_) - 1 - best_level_``.
    honest_score_, honest_interval_ : float, (float, float)
        Score of the selection itself, in the unit of ``scoring``; `score` is accuracy or R², as of the tree.
    evidence_ : RowEvidence or FoldEvidence
        Out-of-fold losses of rows, kept as the points of the path where they change; or scores of folds.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), section 3.4; Tsamardinos et al. (2018) for
    `honest_score_`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from treeprune import CostComplexityPruner, PrunerCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> search = PrunerCV(CostComplexityPruner(), cv=5).fit(X, y)
    >>> int(search.grown_.get_n_leaves()), search.n_leaves_
    (22, 3)
    """

    def __init__(
        self,
        pruner: Any = None,
        param_grid: Any = None,
        cv: Any = 10,
        scoring: Scoring = None,
        selection: str | Callable[[LevelScores], int] = "one_standard_error",
        *,
        standard_error: ErrorKind | None = None,
        refit: Literal["tree", "leaves", "none"] = "tree",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.pruner = pruner
        self.param_grid = param_grid
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.standard_error = standard_error
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self:
        """Score every level by cross-validation, choose one, and prune a tree at it.

        Parameters
        ----------
        X : array-like, shape (n_rows, n_features)
        y : array-like, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : array-like, shape (n_rows,), optional
            Frequencies: used to grow, to prune and to score.
        groups : array-like, shape (n_rows,), optional
            For splitters that keep groups together, those of a holdout inside `pruner` too.
        """
        pruner = self._check_parameters()
        X, y, sample_weight, groups = indexable(X, y, sample_weight, groups)
        splits = self._splits(pruner, X, y, groups)
        data = X, y, check_weight(sample_weight, len(y))
        found = (
            self._along_path(pruner, splits, data, groups)
            if self.param_grid is None
            else self._over_grid(pruner, splits, data, groups)
        )
        for name in ("path_", "best_price_", "best_params_", *SIZES, "_honest"):
            self.__dict__.pop(name, None)
        # the honest score is of the rule that chose, whatever set_params says later
        self._rule, self._seed = self.selection, _seed_of(self.random_state)
        self.__dict__.update(found)
        return self

    @property
    def honest_score_(self) -> float:
        """Score of the selection itself, by bootstrap (BBC-CV); the score of the level chosen is optimistic."""
        return float(self._honest_scores().mean())

    @property
    def honest_interval_(self) -> tuple[float, float]:
        """The middle 95 % of the bootstrap of `honest_score_`."""
        low, high = np.quantile(self._honest_scores(), [0.025, 0.975])
        return float(low), float(high)

    @property
    def cp_table_(self) -> pd.DataFrame:
        """Rpart's table: CP, nsplit, rel error, xerror, xstd; from the root to the grown tree.

        Errors are relative to the root's, on all rows; CP is alpha over the root's risk. Of
        cost-complexity pruning only, with a score that is a mean over rows.
        """
        check_is_fitted(self)
        if not isinstance(self.evidence_, RowEvidence) or self._root_risk is None:
            raise AttributeError(
                "cp_table_ is of cost-complexity pruning scored by accuracy, neg_mean_squared_error, neg_log_loss or "
                f"neg_brier_score; this is {self.curve_.method} scored by {self.curve_.scoring}"
            )
        if callable(getattr(self.pruner, "risk", None)):
            raise AttributeError(
                "cp_table_ is in one unit, and here the pruning adds up a risk of its own while the score is "
                f"{self.curve_.scoring}: see scores_ and path_"
            )
        import pandas as pd

        evidence = self.evidence_
        root_error = evidence.perfect - self._training_scores[-1]
        if root_error <= 0:
            raise ValueError("cp_table_ holds errors relative to the root's, and the root makes none: y is constant")
        columns = {
            "CP": self.path_.price / self._root_risk,
            "nsplit": self.path_.n_leaves - 1,
            "rel error": (evidence.perfect - self._training_scores) / root_error,
            "xerror": (evidence.perfect - self.scores_.test) / root_error,
            "xstd": evidence.rows.standard_error(evidence.weight) / root_error,
        }
        return pd.DataFrame(columns)[::-1].reset_index(drop=True)

    def _check_parameters(self) -> Any:
        """Return a pruner of our own, after a look at every parameter."""
        pruner = CostComplexityPruner() if self.pruner is None else self.pruner
        if not _is_pruner(pruner):
            raise TypeError(f"pruner={pruner!r}: a pruner of treeprune is expected, CostComplexityPruner(tree), say")
        _refuse_frozen(pruner)
        check_choice("refit", self.refit, ("tree", "leaves", "none"))
        if self.standard_error is not None:
            check_choice("standard_error", self.standard_error, ("case", "fold", "paired"))
        if not callable(self.selection):
            if self.selection == "fixed_size":
                raise ValueError(
                    "selection='fixed_size' does not say which size: give functools.partial(fixed_size, n_leaves=8), "
                    "with fixed_size from treeprune.selection"
                )
            check_choice("selection", self.selection, tuple(RULES))
        pruner = clone(pruner)
        if self.param_grid is None:
            if not hasattr(pruner, "strength"):
                raise ValueError(
                    f"the prunings of {type(pruner).__name__} are not nested, so there is no path to choose from: give "
                    f"param_grid, over {_names_of(pruner)}"
                )
            pruner.set_params(**{pruner.strength: 1})  # any will do: all of them are scored
            pruner._check_parameters()
        return pruner

    def _splits(self, pruner: Any, X: Any, y: Any, groups: Any) -> Splits:
        from sklearn.model_selection import check_cv  # heavy, and not needed to prune

        if y is None:
            raise ValueError("PrunerCV requires y to be passed, but the target y is None")
        assert_all_finite(y, input_name="y")
        if self.pruner is None and type_of_target(y, raise_unknown=True).startswith("continuous"):
            raise ValueError(
                "Unknown label type: continuous. pruner=None grows classification trees: give "
                "CostComplexityPruner(DecisionTreeRegressor()), say"
            )
        estimator, rows = pruner._to_grow(), np.arange(len(y))
        if isinstance(self.cv, Real) and not isinstance(self.cv, Integral):
            check_number("cv", self.cv, low=0, high=1, open_ends=True)
            if groups is not None:
                raise ValueError(f"cv={self.cv} cannot keep groups together: give cv=GroupShuffleSplit(1), say")
            splits = [holdout_split(self.cv, estimator, X, y, None, self.random_state)]
        else:
            given = check_cv(self.cv, y, classifier=is_classifier(estimator)).split(X, y, groups)
            splits = [(rows[growing], rows[held_out]) for growing, held_out in given]  # masks become row numbers
        if not splits:
            raise ValueError(f"cv={self.cv!r} gives no splits: an iterator that was used before is empty")
        if self.refit != "tree" and len(splits) > 1:
            raise ValueError(
                f"refit={self.refit!r} keeps the tree of a single split, there are {len(splits)}: use refit='tree', "
                "or hold rows out once (cv=0.25, say)"
            )
        return splits

    def _along_path(self, pruner: Any, splits: Splits, data: tuple[Any, Any, Any], groups: Any) -> dict[str, Any]:
        """Score all levels of the path, and prune at the one selected."""
        keep = self.refit != "tree"
        folds: list[Fold] = Parallel(n_jobs=self.n_jobs)(
            delayed(path_fold)(pruner, data, growing, held_out, self.scoring, keep) for growing, held_out in splits
        )
        grown_on: Any
        grown_on, held_out = (take_rows(rows, *data) for rows in splits[0]) if keep else (data, None)
        family: Any = folds[0].family if keep else pruner._family(*data)
        path = family.levels
        at = [np.arange(path.n_levels)] if keep else _levels_of_folds(folds, path)
        levels = Levels(path.parameter, path.price, path.n_leaves.astype(float), path.holds, True, path.unit)
        found = self._scored(pruner, folds, at, data, groups, levels)
        best, root_risk = found["best_level_"], None
        if isinstance(pruner, CostComplexityPruner):
            root_risk = pruner._risk(family.tree, family.statistics)[0]
        return found | {
            "grown_": family.grown,
            "estimator_": family.pruned_at(best, (grown_on, held_out) if self.refit == "leaves" else None),
            "path_": path if path.model_at else with_models(path, family.grown, family.tree),
            "best_price_": path.price_inside(best),
            f"n_{path.unit}_": int(path.n_leaves[best]),
            "_root_risk": root_risk,
            "_training_scores": family.training_scores(*grown_on, self.scoring),
        }

    def _over_grid(self, pruner: Any, splits: Splits, data: tuple[Any, Any, Any], groups: Any) -> dict[str, Any]:
        """Score all candidates, and fit the one selected on all rows."""
        from sklearn.model_selection import ParameterGrid

        if self.refit != "tree":
            raise ValueError(f"refit={self.refit!r} is for a path; with param_grid the tree is grown again: use 'tree'")
        candidates = list(ParameterGrid(self.param_grid))
        if not candidates:
            raise ValueError(f"param_grid={self.param_grid!r} holds no candidates: give {{'name': [values]}}")
        for candidate in candidates:
            _refuse_frozen(clone(pruner).set_params(**candidate))
        folds: list[Fold] = Parallel(n_jobs=self.n_jobs)(
            delayed(grid_fold)(pruner, candidates, data, growing, held_out, self.scoring, groups)
            for growing, held_out in splits
        )
        at = [np.arange(len(candidates))] * len(folds)
        n_leaves = np.mean([fold.n_leaves for fold in folds], axis=0)
        unit = UNITS.get(pruner.method, "leaves")
        levels = Levels(*_priced(candidates), n_leaves, "up_to", False, unit)
        found = self._scored(pruner, folds, at, data, groups, levels)
        best = candidates[found["best_level_"]]
        fitted = fit_in_groups(pruner.set_params(**best), data, groups)
        return found | {
            "grown_": fitted.grown_,
            "estimator_": fitted.estimator_,
            "best_params_": best,
            "_root_risk": None,
            **{name: getattr(fitted, name) for name in SIZES if hasattr(fitted, name)},
        }

    def _scored(
        self,
        pruner: Any,
        folds: list[Fold],
        at: list[NDArray[Any]],
        data: tuple[Any, Any, Any],
        groups: Any,
        levels: Levels,
    ) -> dict[str, Any]:
        """Evidence, curve, scores and the level selected; ``at`` are the folds' levels at the common ones."""
        name = scoring_name(is_classifier(pruner._to_grow()), self.scoring)
        evidence = _evidence(folds, at, data, self.standard_error, name)
        if groups is not None and isinstance(evidence, RowEvidence):
            evidence = _grouped(evidence, groups)
        estimate = evidence.estimate(np.ones(evidence.n_units))
        test = evidence.fold_scores(np.ones(evidence.n_units))
        train = np.array([fold.train[k] for fold, k in zip(folds, at, strict=True)])
        price, means = levels.price, (train.mean(axis=0), estimate[0])
        scores = LevelScores(price, levels.n_leaves, *means, _spread(train), _spread(test), *estimate[1:])
        curve = GeneralizationCurve(
            method=pruner.method,
            parameter=levels.parameter,
            scoring=name,
            nested=levels.nested,
            computed_from=folds[0].computed_from,
            holds=levels.holds,
            repeat=np.repeat(np.arange(len(folds)), len(price)),
            level=np.tile(np.arange(len(price)), len(folds)),
            price=np.tile(price, len(folds)),
            n_leaves=np.concatenate([f.n_leaves[k] for f, k in zip(folds, at, strict=True)]).astype(np.intp),
            train=train.ravel(),
            test=test.ravel(),
            unit=levels.unit,
            n_independent=independent_folds([fold.held_out for fold in folds]),
        )
        best = _select(self.selection, scores)
        return {"evidence_": evidence, "scores_": scores, "curve_": curve, "best_level_": best}

    def _honest_scores(self) -> Floats:
        check_is_fitted(self)
        if "_honest" not in self.__dict__:
            self._honest = honest_scores(
                self.evidence_,
                lambda estimate: _select(self._rule, _with_estimate(self.scores_, estimate)),
                np.random.default_rng(self._seed),
            )
        return self._honest

    def _to_grow(self) -> Any:
        pruner = CostComplexityPruner() if self.pruner is None else self.pruner
        return pruner._to_grow() if _is_pruner(pruner) else pruner


def _seed_of(random_state: Any) -> int:
    """A number to seed the bootstrap by; a generator given is not moved on."""
    if random_state is None:
        return 0
    drawn = check_random_state(deepcopy(random_state))
    return int(random_state) if isinstance(random_state, Integral) else int(drawn.randint(2**31 - 1))


def _is_pruner(pruner: Any) -> bool:
    """Whether it is a pruner of trees or of networks, an instance and not its class."""
    return isinstance(pruner, PrunedPredictor) and hasattr(pruner, "method")


def _names_of(pruner: Any) -> str:
    """Parameters of a pruner that a grid may be over, for an error."""
    own = sorted(set(pruner.get_params(deep=False)) - set(GROWING_PARAMETERS))
    return " or ".join(own) if own else "estimator__max_leaf_nodes, say: it has no parameter of its own"


def _priced(candidates: list[dict[str, Any]]) -> tuple[str, Floats]:
    """Name of what the candidates differ in and its values, if it is one number; else they are numbered."""
    names = {name for candidate in candidates for name in candidate}
    values = [value for candidate in candidates for value in candidate.values()]
    if len(names) == 1 and all(isinstance(v, Real) and not isinstance(v, bool | np.bool_) for v in values):
        return names.pop(), np.array(values, dtype=np.float64)
    return "candidate", np.arange(len(candidates), dtype=np.float64)


def _refuse_frozen(pruner: Any) -> None:
    if is_frozen(pruner.estimator):
        raise ValueError(
            "a FrozenEstimator has seen the rows of every fold, so its cross-validated score would be that of "
            "training: give the estimator itself, or use curves with rows held out"
        )


def _select(selection: str | Callable[[LevelScores], int], scores: LevelScores) -> int:
    """Return the level that the rule chooses."""
    rule = selection if callable(selection) else RULES[selection]
    level = int(rule(scores))
    if not 0 <= level < len(scores.test):
        raise ValueError(f"selection chose level {level}: a level is a number from 0 to {len(scores.test) - 1}")
    return level


def _grouped(evidence: RowEvidence, groups: ArrayLike) -> RowEvidence:
    """Let rows of a group be drawn together: they are not independent."""
    group = np.unique(np.asarray(groups)[evidence.rows.row], return_inverse=True)[1]
    return replace(evidence, group=group.reshape(-1))


def _levels_of_folds(folds: list[Fold], path: PruningPath) -> list[NDArray[Any]]:
    """For every level of the full tree, the level of each fold's tree at the same price."""
    prices = path.representative_prices()
    return [levels_in_force(fold.price, prices, path.holds) for fold in folds]


def _evidence(
    folds: list[Fold], at: list[NDArray[Any]], data: tuple[Any, Any, Any], error: ErrorKind | None, name: str
) -> RowEvidence | FoldEvidence:
    """Put the folds together at the common levels."""
    held_out = np.concatenate([fold.held_out for fold in folds])
    rows = np.unique(held_out)
    if folds[0].base is None:
        if error in ("case", "paired"):
            raise ValueError(f"standard_error={error!r} is over rows, and {name} is no mean over rows: use 'fold'")
        scores = np.array([fold.test[levels] for fold, levels in zip(folds, at, strict=True) if fold.test is not None])
        sets = [fold.held_out for fold in folds]
        return FoldEvidence(scores, repeats_of(sets), independent_folds(sets))
    losses = join_folds([_at_common_levels(fold, levels) for fold, levels in zip(folds, at, strict=True)], len(at[0]))
    weight = np.ones(len(rows)) if data[2] is None else data[2][rows]
    perfect = 1.0 if name == "accuracy" else 0.0
    return RowEvidence(losses, losses.by_row(), weight, perfect, error or "case", np.arange(len(rows)))


def _at_common_levels(fold: Fold, levels: NDArray[Any]) -> Any:
    """A fold's loss at the common levels: its changes happen at the first that is past them."""
    assert fold.base is not None
    assert fold.changes is not None
    row, level, before, after = fold.changes
    start, first = fold.base.copy(), np.searchsorted(levels, level)
    at_once = first == 0  # the common path begins past them
    np.add.at(start, row[at_once], (after - before)[at_once])
    later = ~at_once
    return fold.held_out, start, (row[later], first[later], before[later], after[later])


def _with_estimate(scores: LevelScores, estimate: Estimate) -> LevelScores:
    return replace(scores, test=estimate[0], standard_error=estimate[1], gap_error=estimate[2])


def _spread(by_fold: Floats) -> Floats:
    return by_fold.std(axis=0, ddof=1) if len(by_fold) > 1 else np.zeros(by_fold.shape[1])
