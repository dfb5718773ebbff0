"""Statistics of studies, against scipy, baycomp, published numbers and the formulas by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from treeprune.study import statistics
from treeprune.study.balance import pruning_balance
from treeprune.study.design import Study
from treeprune.study.methods import METHODS
from treeprune.study.report import build_page, write_report
from treeprune.study.report_statistics import statistics_tables
from treeprune.study.runner import run_study
from treeprune.study.statistics import (
    CriticalDifferenceDisplay,
    compare_by_set,
    compare_to_control,
    conclude,
    corrected_resampled_t,
    critical_difference,
    standing,
)

pytestmark = pytest.mark.filterwarnings("ignore:Exact p-value")  # of scipy before 1.13, of its own accord

# Demsar (2006), table 6: AUC of C4.5 and of it with -m, with -cf and with both, on 14 data sets
DEMSAR = pd.DataFrame(
    {
        "C4.5": [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972, 0.957],
        "+m": [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981, 0.978],
        "+cf": [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.000, 0.965, 0.614, 0.9751, 0.946],
        "+m+cf": [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.000, 0.962, 0.669, 0.975, 0.970],
    }
)


@pytest.fixture(scope="module")
def results():
    names = ["error_based", "cost_complexity", "reduced_error"]
    return run_study(Study(data=["glass", "wine", "heart_cleveland", "cpu", "led:200"], methods=names, repeats=6))


def test_ranks_and_friedman_are_those_of_demsars_example():
    found = critical_difference(DEMSAR)
    assert found.ranks.round(3).tolist() == [3.143, 2.000, 2.893, 1.964]
    assert found.n_sets == 14
    # he gives 9.28 without correcting for ties; with scipy's correction it is a little more
    n, k = 14, 4
    plain = 12 * n / (k * (k + 1)) * ((found.ranks**2).sum() - k * (k + 1) ** 2 / 4)
    assert plain == pytest.approx(9.28, abs=0.01)
    assert found.friedman > plain
    assert found.friedman == pytest.approx(stats.friedmanchisquare(*DEMSAR.to_numpy().T).statistic)


@pytest.mark.parametrize(
    ("k", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)
def test_the_critical_difference_has_demsars_constants(k, q):
    rng = np.random.default_rng(k)
    n = 30
    if k == 2:
        with pytest.raises(ValueError, match="3 methods, or more, are needed"):
            critical_difference(pd.DataFrame(rng.normal(size=(n, k))))
        return
    found = critical_difference(pd.DataFrame(rng.normal(size=(n, k))))
    assert found.distance / np.sqrt(k * (k + 1) / (6 * n)) == pytest.approx(q, abs=0.0011)


def test_the_diagram_shows_every_method_and_its_critical_difference():
    import matplotlib.pyplot as plt

    display = CriticalDifferenceDisplay(critical_difference(DEMSAR), {"+m": "with m"}).plot()
    texts = [text.get_text() for text in display.ax_.texts]
    assert "critical difference 1.25" in texts
    assert any("with m (2.0)" in text for text in texts)
    assert sum(any(f"({r})" in t for r in ("2.0", "2.9", "3.1")) for t in texts) == 4
    plt.close(display.figure_)


def test_wilcoxon_and_holm_are_scipys_and_the_formula():
    found = compare_to_control(DEMSAR, "C4.5", rope=0.01).set_index("method")
    expected = {
        name: stats.wilcoxon((DEMSAR[name] - DEMSAR["C4.5"]).round(12), zero_method="zsplit").pvalue
        for name in ("+m", "+cf", "+m+cf")
    }
    assert found["p"].to_dict() == pytest.approx(expected)
    assert found.loc["+m", "p"] < 0.02  # Demsar: z = -2.5, p < .05, by the same ranks
    ordered = sorted(expected.values())
    holm = np.maximum.accumulate([min(1.0, p * (3 - i)) for i, p in enumerate(ordered)])
    assert sorted(found["p_holm"]) == pytest.approx(list(holm))
    assert found.loc["+m", "difference"] == pytest.approx((DEMSAR["+m"] - DEMSAR["C4.5"]).mean())
    assert found.loc["+m", "difference_sd"] == pytest.approx((DEMSAR["+m"] - DEMSAR["C4.5"]).std())


def test_the_bayesian_probabilities_are_baycomps_and_turn_when_the_two_are_swapped():
    import baycomp

    found = compare_to_control(DEMSAR[["C4.5", "+m"]], "C4.5", rope=0.005).iloc[0]
    there = baycomp.two_on_multiple(DEMSAR["C4.5"].to_numpy(), DEMSAR["+m"].to_numpy(), 0.005)
    mine = found[["p_worse", "p_equivalent", "p_better"]].to_numpy(float)
    np.testing.assert_allclose(mine, there, atol=0.02)
    assert mine.sum() == pytest.approx(1)
    back = compare_to_control(DEMSAR[["C4.5", "+m"]], "+m", rope=0.005).iloc[0]
    np.testing.assert_allclose(mine, back[["p_better", "p_equivalent", "p_worse"]].to_numpy(float), atol=0.02)
    assert back["difference"] == pytest.approx(-found["difference"])
    assert back["p"] == pytest.approx(found["p"])
    without = compare_to_control(DEMSAR[["C4.5", "+m"]], "C4.5", rope=0).iloc[0]
    assert without["p_equivalent"] == 0
    assert without["p_better"] > 0.9


def test_order_of_sets_and_methods_and_a_shift_of_a_set_change_nothing():
    base = compare_to_control(DEMSAR, "C4.5", rope=0.01).set_index("method")
    shifted = DEMSAR.add(np.linspace(-0.2, 0.2, 14), axis=0)
    turned = shifted.iloc[::-1][["+m+cf", "C4.5", "+cf", "+m"]]
    other = compare_to_control(turned, "C4.5", rope=0.01).set_index("method").loc[base.index]
    np.testing.assert_allclose(other["p_holm"], base["p_holm"])
    np.testing.assert_allclose(other["p_equivalent"], base["p_equivalent"], atol=0.02)
    assert critical_difference(turned).ranks.to_dict() == pytest.approx(critical_difference(DEMSAR).ranks.to_dict())


def test_few_sets_have_no_p_and_the_conclusion_says_so():
    few = compare_to_control(DEMSAR.iloc[:5], "C4.5", rope=0.01)
    assert few["p"].isna().all()
    assert few["p_holm"].isna().all()
    (said,) = conclude(few, "C4.5", 0.01, {})
    assert said.startswith("With 5 data sets no test over sets can tell anything: 6 are needed.")
    missing = DEMSAR.copy()
    missing.loc[:2, "+m"] = np.nan
    assert compare_to_control(missing, "C4.5", rope=0.01).set_index("method")["n"].to_dict() == {
        "+m": 11,
        "+cf": 14,
        "+m+cf": 14,
    }


def test_conclusions_name_what_is_shown_and_what_is_open():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.6, 0.9, 20)
    scores = pd.DataFrame(
        {
            "c": base,
            "up": base + rng.uniform(0.02, 0.04, 20),
            "down": base - rng.uniform(0.02, 0.04, 20),
            "same": base + rng.uniform(-0.001, 0.001, 20),
            "open": base + rng.normal(0, 0.03, 20),
        }
    )
    text = " ".join(conclude(compare_to_control(scores, "c", rope=0.01), "c", 0.01, {"up": "Upper", "c": "Control"}))
    assert "Upper is more accurate than Control." in text
    assert "down is less accurate than Control." in text
    assert "same is practically equivalent to Control (within 0.01, with probability 0.95 or more)." in text
    assert "Of open these 20 sets show neither a difference to Control nor that there is none" in text


def test_the_corrected_t_is_nadeau_and_bengios_formula():
    rng = np.random.default_rng(1)
    d = rng.normal(0.01, 0.02, 15)
    found = corrected_resampled_t(d, test_share=0.3 / 0.7)
    error = np.sqrt((1 / 15 + 0.3 / 0.7) * d.var(ddof=1))
    assert found["t"] == pytest.approx(d.mean() / error)
    assert found["p"] == pytest.approx(2 * stats.t.sf(abs(d.mean() / error), 14))
    low, high = stats.t.interval(0.95, 14, loc=d.mean(), scale=error)
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    uncorrected = stats.ttest_1samp(d, 0)
    assert corrected_resampled_t(d, test_share=0.0)["t"] == pytest.approx(uncorrected.statistic)
    for nothing in ([0.1], [0.0, 0.0, 0.0]):
        assert np.isnan(corrected_resampled_t(nothing, 0.5)["p"])


def test_within_a_set_methods_are_paired_by_split(results):
    table = compare_by_set(results.rows, "error_based").set_index(["data", "method"])
    glass = results.rows[results.rows["data"] == "glass"].pivot(index="repeat", columns="method", values="test")
    found = table.loc[("glass", "reduced_error")]
    expected = corrected_resampled_t(glass["reduced_error"] - glass["error_based"], 65 / 149)
    assert found[list(expected)].to_dict() == pytest.approx(expected)
    assert "cpu" not in table.index.get_level_values("data")  # error-based pruning is not defined there


def test_balance_is_the_size_against_the_best_cut(results):
    table = pruning_balance(results.rows).set_index(["data", "method"])
    rows = results.rows.query("data == 'glass' and method == 'unpruned'")
    ratios = np.log2(rows["leaves"] / rows["ceiling_leaves"])
    found = table.loc[("glass", "unpruned")]
    assert found["index"] == pytest.approx(ratios.mean())
    assert found["index_sd"] == pytest.approx(ratios.std())
    assert found["index_crossed"] == pytest.approx(np.log2(rows["leaves"] / rows["crossed_leaves"]).mean())
    assert (found["larger"], found["smaller"], found["verdict"]) == (6, 0, "under")
    assert np.isnan(found["index_population"])
    led = results.rows.query("data == 'led:200' and method == 'error_based'")
    judged = np.log2(led["leaves"] / led["population_leaves"])
    assert table.loc[("led:200", "error_based"), "larger"] == (judged > 0).sum()
    swapped = results.rows.assign(leaves=results.rows["ceiling_leaves"], ceiling_leaves=results.rows["leaves"])
    turned = pruning_balance(swapped).set_index(["data", "method"]).loc[("glass", "unpruned")]
    assert (turned["verdict"], turned["index"]) == ("over", pytest.approx(-found["index"]))


def test_minimum_and_one_standard_error_stand_side_by_side(results):
    pair = {"cc": ("cost_complexity_minimum", "cost_complexity_one_standard_error")}
    table = standing(results.rows, pair).set_index("data")
    means = results.rows.groupby(["data", "method"])[["test", "leaves"]].mean()
    for column, method in zip(("minimum", "one_se"), pair["cc"], strict=True):
        for what in ("test", "leaves"):
            assert table.loc["glass", f"{what}_{column}"] == pytest.approx(means.loc[("glass", method), what])
    assert table.loc["glass", "difference"] == pytest.approx(
        table.loc["glass", "test_one_se"] - table.loc["glass", "test_minimum"]
    )


def test_the_page_and_the_files_show_them(results, tmp_path):
    folder = write_report(results, tmp_path / "out").parent
    page = (folder / "report.html").read_text()
    tables = statistics_tables(results)
    for name, table in tables.items():
        saved = pd.read_csv(folder / f"{name}.csv")
        assert len(saved) == len(table) > 0
    for words in (
        "Against unpruned",
        "critical difference",
        "one standard error",
        "under / neither / over",
        "on fresh rows",
    ):
        assert words in page
    assert "With 4 data sets no test over sets can tell anything" in page


def test_without_the_extra_the_page_names_it_and_the_functions_do(results, monkeypatch):
    monkeypatch.setattr(statistics, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'treeprune\[stats\]'"):
        compare_to_control(DEMSAR, "C4.5", rope=0.01)
    page = build_page(results)
    assert "pip install &#39;treeprune[stats]&#39;" in page or "pip install 'treeprune[stats]'" in page
    assert set(METHODS) >= set(results.study.methods)
