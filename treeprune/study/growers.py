"""What a study grows: an explicit table of kinds, each with the parameters it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from treeprune.checks import check_choice
from treeprune.study.optimal_tree import OptimalTreeClassifier
from treeprune.tables import suggestion

KINDS = {
    "decision_tree": {"classification": DecisionTreeClassifier, "regression": DecisionTreeRegressor},
    "extra_tree": {"classification": ExtraTreeClassifier, "regression": ExtraTreeRegressor},
    "optimal_tree": {"classification": OptimalTreeClassifier},
}


def check_grower(name: str, parameters: Mapping[str, Any]) -> None:
    """Raise ValueError for a kind or a parameter that there is not."""
    if not isinstance(parameters, Mapping):
        raise ValueError(f"growers.{name}={parameters!r}: a table of parameters is expected, {{min_samples_leaf = 5}}")
    check_choice(f"growers.{name}.kind", parameters.get("kind", "decision_tree"), tuple(KINDS))
    known = sorted(KINDS[parameters.get("kind", "decision_tree")]["classification"]().get_params())
    for parameter in parameters:
        if parameter == "random_state":
            raise ValueError(f"growers.{name}.random_state: the study's seed draws it; leave it out")
        if parameter != "kind" and parameter not in known:
            hint = suggestion(parameter, known) or "."
            raise ValueError(f"growers.{name} has no parameter {parameter!r}{hint} Known: kind, {', '.join(known)}")


def make_grower(parameters: Mapping[str, Any], task: str, seed: int) -> Any:
    """Return the unfitted tree of a task."""
    name = parameters.get("kind", "decision_tree")
    if task not in KINDS[name]:
        raise ValueError(f"kind={name!r} is for {' and '.join(KINDS[name])}, and the data hold a {task}")
    kind = KINDS[name][task]
    return kind(**{name: value for name, value in parameters.items() if name != "kind"}, random_state=seed)
