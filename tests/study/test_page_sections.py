"""Sections of the page about factors, protocols, development sets and other kinds of splits."""

from __future__ import annotations

import re

import pytest

from treeprune.study.design import Study
from treeprune.study.protocols import Claim, read_protocol
from treeprune.study.report import build_page
from treeprune.study.runner import run_study


def text_of(markup):
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def test_each_factor_has_a_section_with_the_means_at_its_levels():
    study = Study(
        data=["led:200", "iris"],
        methods=["error_based"],
        repeats=2,
        label_noise=[0.0, 0.2],
        training_rows=["all", 50],
        growers={"deep": {}, "wide": {"min_samples_leaf": 8}},
        development=["iris"],
    )
    results = run_study(study)
    page = build_page(results)
    text = text_of(page)
    rows = results.rows.query("data == 'led:200' and method == 'error_based' and grower == 'deep'")
    noisy = rows[(rows["label_noise"] == 0.2) & (rows["training_rows"] == "all")]["test"].mean()
    fewer = rows[(rows["label_noise"] == 0.0) & (rows["training_rows"] == 50)]["test"].mean()
    section = text[text.index("Factors") : text.index("Set by set")]
    assert f"{100 * noisy:.1f}" in section
    assert f"{100 * fewer:.1f}" in section
    assert "how the tree is grown: deep" in text
    for title in ("how the tree is grown", "share of training rows with a wrong class", "training rows"):
        assert f'<h3 class="sub">{title}' in page
    assert text.count("(development: in no mean or test)") == 1
    assert "Reported apart, since defaults were chosen by them, and in no mean or test: iris." in text


def test_the_page_of_a_cross_validation_says_so():
    study = Study(data=["wine"], methods=["error_based"], splits="cross_validation", repeats=2, test_folds=3)
    text = text_of(build_page(run_study(study)))
    assert "3-fold cross-validation, 2 times" in text
    assert "1 data set, 6 splits each" in text


@pytest.mark.slow
def test_a_lottery_counts_the_sizes_that_folds_choose():
    results = run_study(read_protocol("islp-carseats-lottery", overrides={"repeats": 12}))
    rows = results.rows[results.rows["method"] == "cost_complexity_minimum"]
    text = text_of(build_page(results))
    assert f"{rows['leaves'].nunique()} different sizes over 12 draws of the folds" in text
    assert f"from {rows['leaves'].min()} to {rows['leaves'].max()} leaves" in text
    assert rows["rows_test"].unique().tolist() == [200]
    assert "same rows, same test rows" in text
    assert "1 data set, 12 draws each" in text


@pytest.mark.slow
def test_esposito_says_where_it_agrees_and_where_not():
    overrides = {"repeats": 6, "data": ("glass", "heart_cleveland", "pima")}  # of fewer no p is below .10
    results = run_study(read_protocol("esposito-1997", overrides=overrides), jobs=2)
    page = build_page(results)
    text = text_of(page)
    assert "error-based, CF = .25 tends to under-prune under-prunes significantly on 3 of 3 sets" in text
    assert "published conclusion" in text
    assert re.search(r"are in places \d+ and \d+ of 11 by mean accuracy", text)


def test_oates_and_jensens_claim_is_about_growth_after_the_plateau():
    from treeprune.study.protocols import PROTOCOLS

    overrides = {
        "repeats": 2,
        "data": ("led:600",),
        "training_rows": (1.0, 0.2, 0.4, 0.6, 0.8),
        "methods": ("unpruned",),
    }
    results = run_study(read_protocol("oates-jensen-1997", overrides=overrides), jobs=2)
    (claim,) = [c for c in PROTOCOLS["oates-jensen-1997"].claims(results) if c.published.startswith("unpruned")]
    assert isinstance(claim, Claim)
    by_set = results.by_set().query("method == 'unpruned'").sort_values("training_rows")
    assert by_set["leaves"].is_monotonic_increasing
    assert re.match(r"of \d+ sets|no set", claim.found)


@pytest.mark.parametrize("name", ["<b>noise</b>", "a & b"])
def test_names_of_growers_are_text(name):
    page = build_page(
        run_study(Study(data=["iris"], methods=["unpruned"], repeats=1, growers={name: {}, "other": {"max_depth": 2}}))
    )
    assert "<b>noise" not in page
    assert "a & b<" not in page


def test_growers_whose_names_have_dollars_are_drawn_on_the_page():
    growers = {"tree": {}, r"$5 and $\frac": {"min_samples_leaf": 9}}
    study = Study(data=["wine"], methods=["max_depth"], repeats=2, folds=3, networks="none", growers=growers)
    page = build_page(run_study(study))
    assert page.count(r"$5 and $\frac") >= 2  # a label of the figure, and a row of its table
