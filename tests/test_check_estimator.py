"""Every pruner is a scikit-learn estimator: scikit-learn's own battery of checks."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import treeprune as tp

ROWS_ARE_SPLIT = "rows are held out at random: the split cannot see a weight as a repetition"
SKIPPED_BY_SCIKIT_LEARN = (  # no tree has a decision function; array API needs an environment variable
    "check_classifiers_multilabel_output_format_decision_function",
    "check_array_api_input",
)
STRENGTH: dict[type, dict[str, Any]] = {
    tp.CostComplexityPruner: {"alpha": 0.01},
    tp.ReducedErrorPruner: {"random_state": 0},
    tp.MinimumErrorPruner: {},
    tp.PessimisticErrorPruner: {},
    tp.ErrorBasedPruner: {},
    tp.CriticalValuePruner: {"critical_value": 0.1},
    tp.SignificancePruner: {},
    tp.DescriptionLengthPruner: {},
    tp.KearnsMansourPruner: {"c": 0.1},
    tp.AveragingPruner: {},
    tp.OptimalPruner: {"max_leaf_nodes": 4},
    tp.MaxDepthPruner: {"max_depth": 2},
    tp.MaxLeafNodesPruner: {"max_leaf_nodes": 4},
    tp.MinImpurityDecreasePruner: {"min_impurity_decrease": 0.01},
    tp.MinSamplesSplitPruner: {"min_samples_split": 10},
}
CLASSIFICATION_ONLY = (
    *(tp.PessimisticErrorPruner, tp.ErrorBasedPruner),
    *(tp.DescriptionLengthPruner, tp.KearnsMansourPruner),
)

PRUNERS = [
    kind(tree, **parameters)
    for kind, parameters in STRENGTH.items()
    for tree in (DecisionTreeClassifier(random_state=0), DecisionTreeRegressor(random_state=0))
    if not (isinstance(tree, DecisionTreeRegressor) and kind in CLASSIFICATION_ONLY)
]
PRUNERS += [tp.CostComplexityPruner(), tp.ErrorBasedPruner(subtree_raising=True, collapse=True)]  # on the usual tree


def may_fail(pruner: Any) -> dict[str, str]:
    if not isinstance(pruner, tp.ReducedErrorPruner):
        return {}
    return {
        "check_sample_weight_equivalence_on_dense_data": ROWS_ARE_SPLIT,
        "check_sample_weight_equivalence_on_sparse_data": ROWS_ARE_SPLIT,
    }


def checks() -> list[Any]:
    """List what scikit-learn would run, less what it skips for estimators like these."""
    battery = list(parametrize_with_checks(PRUNERS, expected_failed_checks=may_fail).args[1])
    wanted = [one for one in battery if _name(getattr(one, "values", one)[1]) not in SKIPPED_BY_SCIKIT_LEARN]
    return [_slow(one) if _is_of_numbers(getattr(one, "values", one)[0]) else one for one in wanted]


def _is_of_numbers(pruner: Any) -> bool:
    return isinstance(pruner.estimator, DecisionTreeRegressor)


def _slow(one: Any) -> Any:
    """Run it by make test-all: the code is the same for classes and numbers, and make test has its eight minutes."""
    marks = [*getattr(one, "marks", ()), pytest.mark.slow]
    return pytest.param(*getattr(one, "values", one), marks=marks)


def _name(check: Any) -> str:
    return getattr(check, "func", check).__name__


def _id(value: Any) -> str:
    return _name(value) if callable(value) else repr(value)


@pytest.mark.parametrize(("estimator", "check"), checks(), ids=_id)
def test_pruners_pass_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_every_method_is_checked() -> None:
    from treeprune.dispatch import METHODS

    assert set(METHODS.values()) == set(STRENGTH)
