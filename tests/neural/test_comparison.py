"""Pruned networks and their baselines in one table, each row what a user would get by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale

from treeprune.neural import (
    CostCurveDisplay,
    compare_neurons,
    cost_table,
    fine_tune,
    honest_checklist,
    prune_neurons,
    scratch_baselines,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X = X / 16
ROWS = X[:400], Y[:400], X[600:900], Y[600:900]
MLP = MLPClassifier((24,))
MEANS: dict[str, Any] = {"n_keep": [12, 6, 1], "seeds": [0, 1, 2], "epochs": 12}


def test_every_row_is_the_network_made_by_hand() -> None:
    table = compare_neurons(MLP, *ROWS, **MEANS, criteria=["obs", "ablation"], fine_tune_epochs=2)
    for seed in MEANS["seeds"]:
        dense = clone(MLP).set_params(random_state=seed, max_iter=12, n_iter_no_change=13).fit(*ROWS[:2])
        mine = table[table["seed"] == seed].set_index(["method", "requested"])
        for method, criterion, repair in (
            ("obs", "obs", "least_squares"),
            ("ablation", "ablation", "least_squares"),
            ("random", "random", "least_squares"),
            ("magnitude", "magnitude", "least_squares"),
            ("magnitude_no_repair", "magnitude", "none"),
        ):
            how: Any = {"criterion": criterion, "compensate": repair, "random_state": seed}
            small = fine_tune(prune_neurons(dense, *ROWS[:2], n_keep=6, **how), *ROWS[:2], 2, random_state=seed)
            row = mine.loc[method, 6]
            assert row["test_score"] == pytest.approx(small.score(*ROWS[2:]))
            assert (row["compensation"], row["granularity"], row["timing"]) == (repair, "neuron", "after")
            assert row["macs_trained"] == 12 * (64 * 24 + 24 * 10) + 2 * (64 * 6 + 6 * 10)
            expected = cost_table({"dense": dense, "small": small}, *ROWS).iloc[1]
            for name in ("compression_ratio", "theoretical_speedup", "reconstruction_mse", "file_bytes_zip"):
                assert row[name] == pytest.approx(expected[name], rel=0.02)


@pytest.mark.slow
def test_the_baselines_are_those_of_their_own_function_and_nothing_is_missing_from_the_checklist() -> None:
    table = compare_neurons(MLP, *ROWS, **MEANS)
    alone = scratch_baselines(MLP, *ROWS, **MEANS)
    mine = table[table["method"].isin(alone["method"])].reset_index(drop=True)
    assert mine["method"].tolist() == alone["method"].tolist()
    np.testing.assert_array_equal(mine["test_score"], alone["test_score"])
    np.testing.assert_array_equal(mine["macs_trained"], alone["macs_trained"])
    checklist = honest_checklist(table).set_index("item")["passed"]
    assert checklist.all(), checklist
    assert CostCurveDisplay(table).plot().ax_.get_ylabel() == "test score (mean ± 1 SD)"


def test_rows_for_validation_and_regression_have_their_columns() -> None:
    rows, y = load_diabetes(return_X_y=True)
    rows, y = scale(rows), scale(y)
    table = compare_neurons(
        MLPRegressor(hidden_layer_sizes=(8,)),
        *(rows[:200], y[:200], rows[300:], y[300:]),
        n_keep=[4],
        seeds=[0],
        epochs=5,
        X_valid=rows[200:300],
        y_valid=y[200:300],
        compensate="none",
        latency_rows=10,
    )
    assert {"valid_score", "latency_us_p50", "latency_us_p95"} <= set(table)
    assert "magnitude_no_repair" not in set(table["method"])
    assert not table["valid_score"].equals(table["test_score"])


@pytest.mark.parametrize(
    ("estimator", "more", "message"),
    [
        (MLPClassifier((8, 4)), {}, "one hidden layer is expected"),
        (MLPClassifier((8,), solver="lbfgs"), {}, "lbfgs' knows no epochs"),
        (MLPClassifier((8,)), {"n_keep": [9]}, "n_keep=9: the network has 8 hidden neurons only"),
        (MLPClassifier((8,)), {"criteria": ["best"]}, "criteria='best'"),
    ],
)
def test_what_cannot_be_compared_is_refused(estimator: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare_neurons(estimator, *ROWS, **{"n_keep": [2], "seeds": [0], "epochs": 2, **more})
