"""The checklist fails for what a table lacks, and for that alone."""

import pytest
from pandas import DataFrame

from treeprune.neural import honest_checklist

PRUNED = {"obs": 0.0, "random": -0.1, "magnitude": -0.05, "scratch_equal_epochs": 0.0, "scratch_equal_macs": 0.01}
SCORES = {50: 0.95, 10: 0.9, 2: 0.5}
ROWS = [(method, n, seed, SCORES[n] + shift) for method, shift in PRUNED.items() for n in SCORES for seed in range(3)]
ROWS += [(method, 100, seed, 0.97) for method in ("dense", "early_stopping", "weight_decay") for seed in range(3)]
WHOLE = DataFrame(ROWS, columns=["method", "n_neurons", "seed", "test_score"])
WHOLE = WHOLE.assign(compression_ratio=100 / WHOLE.n_neurons, theoretical_speedup=100 / WHOLE.n_neurons)


def failed(table):
    items = honest_checklist(table)
    return items.loc[~items["passed"], "item"].tolist()


def test_a_whole_table_passes():
    assert failed(WHOLE) == []


@pytest.mark.parametrize("name", ["random", "magnitude", "scratch_equal_epochs", "scratch_equal_macs"])
def test_a_baseline_absent_at_one_size_fails(name):
    table = WHOLE.query("not (method == @name and n_neurons == 10)")
    assert failed(table) == [f"{name} at every size"]
    assert "absent at 10 neurons" in honest_checklist(table)["found"].tolist()


@pytest.mark.parametrize("name", ["early_stopping", "weight_decay"])
def test_a_line_that_is_absent_fails(name):
    assert failed(WHOLE.query("method != @name")) == [name]


@pytest.mark.parametrize(
    ("left", "items"),
    [
        ("n_neurons != 2 or method != 'obs'", ["three sizes or more", "a size at which the score collapses"]),
        ("seed != 1 or method != 'random'", ["three seeds or more of everything"]),
        ("method != 'dense'", ["dense", "a size at which the score collapses"]),
    ],
)
def test_sizes_collapse_and_seeds_are_counted(left, items):
    assert failed(WHOLE.query(left)) == items


def test_one_ratio_without_the_other_fails():
    assert failed(WHOLE.drop(columns="theoretical_speedup")) == ["compression ratio and theoretical speed-up"]


def test_a_table_of_baselines_alone_shows_nothing():
    assert "random at every size" in failed(WHOLE.query("method != 'obs'"))


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="lacks seed"):
        honest_checklist(WHOLE.drop(columns="seed"))


def test_scores_and_ratios_that_are_not_there_show_nothing():
    unscored = WHOLE.assign(test_score=WHOLE.test_score.where(WHOLE.method != "random"))
    assert failed(unscored) == ["random at every size"]
    assert failed(WHOLE.assign(compression_ratio=float("nan"))) == ["compression ratio and theoretical speed-up"]


def test_a_table_without_any_score_is_refused():
    with pytest.raises(ValueError, match="no row with a test_score"):
        honest_checklist(WHOLE[:0])
    with pytest.raises(TypeError, match="a DataFrame is expected, got list"):
        honest_checklist([])
