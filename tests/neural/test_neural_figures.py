"""Figures of networks show the numbers of their tables."""

import matplotlib as mpl
import numpy as np
import pytest
from pandas import DataFrame

from treeprune.neural import CostCurveDisplay, QuantizationDisplay

mpl.use("agg")
GRID = DataFrame(
    [(n, bits, score + shift) for bits, score in ((4, 0.8), (64, 0.9)) for n in (8, 2, 32) for shift in (-0.1, 0.0)],
    columns=["n_neurons", "bits", "test_score"],
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    mpl.pyplot.close("all")


def test_lines_are_means_over_networks_of_one_size_from_most_bits_to_fewest():
    ax = QuantizationDisplay(GRID).plot().ax_
    assert [line.get_label() for line in ax.get_lines()] == ["64 bits", "4 bits"]
    for line, mean in zip(ax.get_lines(), (0.85, 0.75), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [2, 8, 32])
        np.testing.assert_allclose(line.get_ydata(), mean)


def test_bars_reach_one_standard_deviation_up_and_down_and_are_left_out_of_single_networks():
    bars = QuantizationDisplay(GRID).plot().ax_.collections
    np.testing.assert_allclose(bars[0].get_segments()[0][:, 1], [0.8, 0.9])
    assert not QuantizationDisplay(GRID[::2]).plot().ax_.collections


def test_it_draws_on_axes_of_your_own():
    own = mpl.pyplot.subplots()[1]
    display = QuantizationDisplay(GRID).plot(own)
    assert (display.ax_, display.figure_) == (own, own.figure)


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="lacks bits"):
        QuantizationDisplay(GRID.drop(columns="bits")).plot()


METHODS = ("obs", "random", "magnitude", "scratch_equal_epochs", "scratch_equal_macs")
ACROSS = ("early_stopping", "weight_decay")
TABLE = DataFrame(
    [(method, n, seed, n / 100 + seed / 10) for method in METHODS for n in (4, 16) for seed in (0, 1)]
    + [(method, 64, seed, 0.9 + seed / 10) for method in ACROSS for seed in (0, 1)],
    columns=["method", "n_neurons", "seed", "test_score"],
)


def test_every_method_is_its_mean_over_seeds_with_a_band_and_early_stopping_a_line_across():
    ax = CostCurveDisplay(TABLE).plot().ax_
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines) == [name.replace("_", " ") for name in (*METHODS, *ACROSS)]
    np.testing.assert_allclose(lines["obs"].get_ydata(), [0.09, 0.21])
    np.testing.assert_allclose(lines["early stopping"].get_ydata(), 0.95)
    assert len(ax.collections) == len(METHODS)
    np.testing.assert_allclose(ax.collections[0].get_paths()[0].vertices[:, 1].max(), 0.21 + 0.05)
    own = mpl.pyplot.subplots()[1]
    assert CostCurveDisplay(TABLE).plot(own).ax_ is own


@pytest.mark.parametrize("name", [*METHODS[1:], *ACROSS])
def test_a_figure_without_what_must_be_beaten_is_refused(name):
    with pytest.raises(ValueError, match=f"no rows of {name}"):
        CostCurveDisplay(TABLE.query("method != @name")).plot()


def test_the_size_may_be_counted_as_compression_or_as_a_speed_up_and_in_nothing_else():
    table = TABLE.assign(compression_ratio=64 / TABLE["n_neurons"])
    ax = CostCurveDisplay(table, size="compression_ratio").plot().ax_
    np.testing.assert_allclose(ax.get_lines()[0].get_xdata(), [16, 4])
    assert ax.get_xlabel() == "compression ratio"
    for size in ("theoretical_speedup", "seed"):
        with pytest.raises(ValueError, match=f"size='{size}': a column of the table is expected"):
            CostCurveDisplay(table, size=size).plot()
