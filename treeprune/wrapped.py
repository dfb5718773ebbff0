"""Models inside others: the last step of a Pipeline, the best of a fitted search, what a FrozenEstimator keeps.

Trees and networks share this file, so it knows neither: a kind of estimator is looked for.
"""

from __future__ import annotations

import copy
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

Kind = type | tuple[type, ...]


def unwrap(model: Any, kind: Kind) -> tuple[Any, tuple[Any, ...]]:
    """Find the one estimator of a kind inside a model.

    Parameters
    ----------
    model : estimator
    kind : type or tuple of types

    Returns
    -------
    inner : estimator or None
        None if there is no such estimator.
    steps : tuple of transformers
        What rows go through before they reach it.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune.wrapped import unwrap
    >>> unwrap(make_pipeline(StandardScaler(), DecisionTreeClassifier()), DecisionTreeClassifier)
    (DecisionTreeClassifier(), (StandardScaler(),))
    """
    steps: tuple[Any, ...] = ()
    while model is not None and not isinstance(model, kind):
        steps += tuple(step for _, step in _own_steps(model)[:-1] if step not in (None, "passthrough"))
        model = _inner(model)
    return model, steps if model is not None else ()


def rewrap(model: Any, kind: Kind, new: Any) -> Any:
    """Return the model with another estimator in the place of the one that `unwrap` finds.

    A search becomes its best estimator and a FrozenEstimator what it keeps; a Pipeline is copied
    with its steps.
    """
    if isinstance(model, kind):
        return new
    replaced = rewrap(_inner(model), kind, new)
    if not _own_steps(model):
        return replaced
    pipeline = copy.copy(model)
    pipeline.steps = [*copy.deepcopy(model.steps[:-1]), (model.steps[-1][0], replaced)]
    return pipeline


def through(steps: tuple[Any, ...], X: Any) -> Any:
    """Send rows through fitted transformers."""
    for step in steps:
        X = step.transform(X)
    return X


def thaw(model: Any) -> Any:
    """Return the estimator inside a FrozenEstimator, at any depth of freezing."""
    return thaw(model.estimator) if isinstance(model, FrozenEstimator) else model


def is_frozen(model: Any) -> bool:
    """Whether the model, or the last step of a Pipeline, is not to be fitted again."""
    if isinstance(model, FrozenEstimator):
        return True
    steps = _own_steps(model)
    return bool(steps) and is_frozen(steps[-1][1])


def not_found(model: Any, wanted: str) -> TypeError:
    """Say what came, at the innermost, where an estimator of a kind was wanted."""
    if (inner := _inner(model)) is not None:
        return not_found(inner, wanted)
    name = type(model).__name__
    wanted = f"{wanted} is wanted, alone, as the last step of a Pipeline, in a fitted search or in a FrozenEstimator"
    if isinstance(model, type):
        return TypeError(f"got the class {model.__name__}, not an instance: {wanted}")
    if hasattr(model, "grown_"):
        return TypeError(f"got {name}, a fitted pruner: give its grown_, to prune that, or its estimator_; {wanted}")
    if hasattr(model, "estimators_"):
        return TypeError(f"got {name}, an ensemble: {wanted}; of a forest, prune its members in estimators_")
    if isinstance(model, BaseEstimator) and (hasattr(model, "param_grid") or hasattr(model, "param_distributions")):
        return TypeError(f"this {name} has no best_estimator_ (fit it, with refit=True): {wanted}")
    return TypeError(f"got {name}: {wanted}")


def _inner(model: Any) -> Any:
    """One layer down: the last step, the best or the frozen estimator; None if there is no such layer."""
    if isinstance(model, FrozenEstimator):
        return model.estimator
    if steps := _own_steps(model):
        return steps[-1][1]
    return getattr(model, "best_estimator_", None)


def _own_steps(model: Any) -> list[tuple[str, Any]]:
    """Steps of a Pipeline; a FrozenEstimator shows those of the model inside, which would count twice."""
    steps = getattr(model, "__dict__", {}).get("steps")
    return steps if isinstance(steps, list) else []
