"""The explorer: its numbers are those of the pruned trees, and its page does what it says."""

from __future__ import annotations

import json
import re
import shutil
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import vl_convert
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from typer.testing import CliRunner

import treeprune as tp
from treeprune.cli import app
from treeprune.datasets import load_dataset
from treeprune.explorer import explore
from treeprune.explorer.families import HIDDEN, INNER, LEAF
from treeprune.explorer.families import SHOWN as METHODS
from treeprune.tree.fitted import find_tree

EVIL = "</script><script>alert(1)</script>"
NOT_BY_A_NODE = ("optimal", "significance")  # the size decides, or what becomes of the children


def split(X, y, **tree):
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
    kind = DecisionTreeClassifier if np.asarray(y).dtype.kind != "f" else DecisionTreeRegressor
    return kind(random_state=0, **tree).fit(X, y), X, y, X_test, y_test


@pytest.fixture(scope="module")
def noisy():
    return split(*make_classification(400, 6, n_classes=3, n_informative=4, flip_y=0.2, random_state=0))


@pytest.fixture(scope="module")
def shown(noisy):
    return explore(*noisy)


def family_of(explorer, method):
    return next(family for family in explorer.families if family.method == method)


@pytest.mark.parametrize("method", METHODS)
def test_every_level_is_the_pruned_tree_its_nodes_and_its_scores(noisy, shown, method):
    tree, X, y, X_test, y_test = noisy
    family = family_of(shown, method)
    for k in range(0, family.n_levels, 3):
        leaves = np.flatnonzero(family.state[k] == LEAF)
        pruned = tp.prune(tree, nodes=[t for t in leaves if tree.tree_.children_left[t] != -1]) if len(leaves) else tree
        assert pruned.get_n_leaves() == family.n_leaves[k] == len(leaves)
        assert pruned.score(X_test, y_test) == pytest.approx(family.test[k])
        assert pruned.score(X, y) == pytest.approx(family.train[k])
        assert (family.state[k] != HIDDEN).sum() == pruned.tree_.node_count


@pytest.mark.parametrize("method", [m for m in METHODS if m not in NOT_BY_A_NODE])
def test_a_split_is_kept_where_the_first_side_is_larger_and_pruned_where_it_is_not(noisy, shown, method):
    tree, family = noisy[0], family_of(shown, method)
    end = tree.tree_.children_left == -1
    n_pruned = 0
    for k in range(1, family.n_levels):
        left, right = family.sides[k].left, family.sides[k].right
        slack = 1e-9 * np.maximum(np.abs(left), np.abs(right)) + 1e-12 * left[0]
        inner, pruned = family.state[k] == INNER, (family.state[k] == LEAF) & ~end
        assert (left[inner] > right[inner] - slack[inner]).all()
        assert (left[pruned] <= right[pruned] + slack[pruned]).all()
        n_pruned += pruned.sum()
    assert n_pruned > 0


def test_nodes_say_their_rule_their_rows_and_their_classes(noisy, shown):
    tree, X, y, *_ = noisy
    leaf = tree.decision_path(X)
    for node in shown.nodes:
        t = node["id"]
        rows = leaf[:, t].toarray().ravel().astype(bool)
        assert node["rows"] == str(rows.sum())
        counts = dict(part.split(": ") for part in node["counts"].split(", "))
        labels, n = np.unique(y[rows], return_counts=True)
        assert counts == {str(label): str(c) for label, c in zip(labels, n, strict=True)}
        if not node["end"]:
            assert node["rule"] == f"x[{tree.tree_.feature[t]}] ≤ {tree.tree_.threshold[t]:.4g}"


def test_the_chosen_level_is_that_of_pruner_cv_and_the_band_one_standard_error(noisy, shown):
    tree, X, y, *_ = noisy
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    search = tp.PrunerCV(tp.CostComplexityPruner(tree), cv=cv, selection="one_standard_error").fit(X, y)
    family = family_of(shown, "cost_complexity")
    assert family.n_leaves[family.chosen] == search.n_leaves_
    best = search.scores_.test.argmax()
    near = search.scores_.test >= search.scores_.test[best] - search.scores_.standard_error[best]
    assert sorted(set(family.n_leaves[family.within])) == sorted(set(search.scores_.n_leaves[near].astype(int)))


def test_rules_name_the_categories_and_missing_values():
    table = load_dataset("penguins")
    tree, *rows = split(table.data, table.target)
    found = explore(tree, *rows, methods=["cost_complexity"], categories=table.categories)
    rules = [node["rule"] for node in found.nodes if node["rule"]]
    assert any(re.match(r"island is (one of )?[A-Z]", rule) for rule in rules)
    assert all(" ≤ " in rule or " is " in rule for rule in rules)
    numeric = tree.tree_.feature[[n["id"] for n in found.nodes if "or is missing" in n["rule"]]]
    assert table.data.iloc[:, numeric].isna().any().all()


def test_a_regression_and_a_pipeline_are_shown_too():
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    pipeline = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_leaf_nodes=20, random_state=0)).fit(X, y)
    found = explore(pipeline, X, y, X_test, y_test)
    assert {family.method for family in found.families} == set(METHODS) - {
        "error_based",
        "pessimistic_error",
        "kearns_mansour",
    }
    assert found.score == "R²"
    family = family_of(found, "cost_complexity")
    assert family.test[0] == pytest.approx(pipeline.score(X_test, y_test))
    assert family.train[0] == pytest.approx(pipeline.score(X, y))
    root = found.nodes[0]
    assert root["counts"] == f"mean {y.mean():.4g}, SD {y.std():.3g}"
    assert vl_convert.vega_to_svg(found.spec).startswith("<svg")


@pytest.mark.parametrize("criterion", ["absolute_error", "poisson"])
def test_trees_of_other_criteria_are_counted_by_their_rows(criterion):
    X, y = load_diabetes(return_X_y=True)
    tree = DecisionTreeRegressor(criterion=criterion, max_leaf_nodes=9, random_state=0).fit(X, y)
    found = explore(tree, X, y, X, y, folds=0)
    assert found.nodes[0]["rows"] == str(len(y))
    assert family_of(found, "cost_complexity").n_leaves[0] == 9


def test_a_large_tree_is_shown_from_a_size_on_and_says_so():
    rng = np.random.default_rng(0)
    tree, *rows = split(rng.normal(size=(1500, 4)), rng.integers(0, 2, 1500))
    found = explore(tree, *rows, methods=["max_leaf_nodes"], folds=0)
    family = found.families[0]
    assert family.n_leaves[0] == 200
    assert family.left_out == tree.get_n_leaves() - 200
    assert f"{family.left_out} larger trees are not drawn" in json.dumps(found.spec)
    assert family.chosen is None


def test_levels_stand_as_a_table_and_as_numbers_on_the_page(shown):
    table = shown.levels()
    assert table.groupby("method")["chosen"].sum().eq(1).all()
    rows = re.findall(r"<tr><td>(.*?)</tr>", shown.page())
    assert len(rows) == len(table)


def test_a_notebook_gets_a_live_drawing_and_a_picture(shown):
    bundle = shown._repr_mimebundle_()
    assert bundle["application/vnd.vega.v5+json"]["$schema"].endswith("v5.json")
    assert bundle["image/png"].startswith("iVBOR")


class Scripts(HTMLParser):
    """Counts elements, as a browser would."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


def test_names_from_the_data_are_text_and_never_markup():
    X, y = load_iris(return_X_y=True)
    tree, *rows = split(X, np.array(["<b>x</b>", EVIL, "&amp;"])[y])
    plain = explore(*split(X, np.array(list("abc"))[y])).page()
    page = explore(tree, *rows, feature_names=[EVIL, "<i>", "b&c", "\u2028"], title=f"{EVIL}.csv").page()
    counted = []
    for text in (plain, page):
        parser = Scripts()
        parser.feed(text)
        counted.append(parser.tags)
    assert counted[0] == counted[1]
    assert EVIL not in page
    assert "<b>x</b>" not in page


def test_the_page_is_small_and_names_nothing_to_fetch(shown):
    page = shown.page()
    assert len(page.encode()) < 2_000_000
    drawn = page.replace(str(vl_convert.javascript_bundle()), "")
    own = re.sub(r"<script.*?</script>", "", drawn, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:)', own)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"methods": ["reduced_error"]}, "has no family of prunings to show"),
        ({"methods": ["cost_complexty"]}, "did you mean 'cost_complexity'"),
        ({"methods": []}, "a list of names is expected"),
        ({"methods": "cost_complexity"}, "a list of names is expected"),
        ({"feature_names": ["a"]}, "feature_names are 1, and the tree has 6"),
        ({"class_names": ["a"]}, "class_names are 1, and the tree has 3"),
    ],
)
def test_what_cannot_be_shown_is_said(noisy, wrong, message):
    with pytest.raises(ValueError, match=message):
        explore(*noisy, **wrong)


def test_methods_of_classes_and_several_outputs_are_refused():
    X, y = load_diabetes(return_X_y=True)
    tree, *rows = split(X, y, max_leaf_nodes=5)
    with pytest.raises(ValueError, match="is for classification only"):
        explore(tree, *rows, methods=["error_based"])
    both = DecisionTreeRegressor(max_depth=2).fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="2 outputs"):
        explore(both, X, y, X, y)


def test_without_the_extra_the_line_that_installs_it_is_given(shown, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ImportError, match=r"pip install 'treeprune\[report\]'"):
        shown.page()
    assert "application/vnd.vega.v5+json" in shown._repr_mimebundle_()


def run(*words):
    return CliRunner().invoke(app, ["explore", *map(str, words)])


def test_the_command_leaves_a_page(tmp_path):
    lines = [f"{i % 9},{'red' if i % 3 else ''},{'ab'[(i % 9 > 4) ^ (i % 7 == 0)]}" for i in range(90)]
    (tmp_path / "mine.csv").write_text("size,colour,kind\n" + "\n".join(lines) + "\n")
    result = run(tmp_path / "mine.csv", "--target", "kind", "--out", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "page.html").read_text()
    assert "mine.csv: a tree for kind, and its prunings" in page
    assert run(tmp_path / "mine.csv", "--target", "kind", "--out", tmp_path / "page.html").exit_code == 2
    assert run("iris", "--out", tmp_path / "iris.html", "--method", "max_depth", "--folds", 0).exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mine.csv"], "say which column to predict, with --target"),
        (["iris", "--target", "kind"], "iris is a data set by name"),
        (["nowhere.csv", "--target", "y"], "nowhere.csv"),
        (["iris", "--out", "page.pdf"], "a file ending in .html is expected"),
        (["iris", "--folds", "1"], "folds=1"),
        (["iris", "--method", "reduced_error"], "has no family of prunings to show"),
        (["iris", "--max-leaves", "1"], "max_leaves=1"),
        (["iris", "--test-size", "0"], "test_size=0"),
    ],
)
def test_words_that_will_not_do_are_one_line_and_leave_nothing(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the browser's driver
def test_in_a_browser_the_slider_prunes_the_tree_and_moves_the_marker(shown, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    path = shown.save(tmp_path / "page.html")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    said, asked = [], []
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no browser: {error}")
        page = browser.new_page(viewport={"width": 1240, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("g.node_marks path")

        def state():
            page.wait_for_timeout(300)
            marker = page.eval_on_selector("g.marker line", "line => line.getAttribute('transform')")
            return len(page.query_selector_all("g.node_marks path")), marker

        def slide(percent):
            page.eval_on_selector(
                "input[type=range]",
                "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')); }",
                str(percent),
            )
            return state()

        whole, pruned, root = slide(0), slide(60), slide(100)
        family = family_of(shown, "cost_complexity")
        assert whole[0] == 2 * family.n_leaves[0] - 1
        assert pruned[0] == 2 * family.n_leaves[round(0.6 * (family.n_levels - 1))] - 1
        assert root[0] == 1
        assert len({whole[1], pruned[1], root[1]}) == 3
        page.select_option("select", "minimum_error")
        assert slide(0)[0] == 2 * family_of(shown, "minimum_error").n_leaves[0] - 1
        assert "nodes that are gone may return" in page.content()
        page.hover("g.node_marks path >> nth=0")
        page.wait_for_selector("#vg-tooltip-element.visible")
        tooltip = page.inner_text("#vg-tooltip-element")
        assert "errors expected as a leaf" in tooltip
        assert "rows" in tooltip
        browser.close()
    assert said == []
    assert asked == [path.as_uri()]


def test_the_tree_as_it_was_given_is_not_changed(noisy):
    tree = noisy[0]
    before = tree.tree_.__getstate__()["nodes"].copy()
    explore(*noisy, methods=["cost_complexity"])
    assert (tree.tree_.__getstate__()["nodes"] == before).all()
    assert find_tree(tree).structure.n_nodes == len(before)


def test_the_drawing_in_a_notebook_is_narrower_and_otherwise_the_same(shown):
    bundle = shown._repr_mimebundle_()
    page, notebook = shown.spec, bundle["application/vnd.vega.v5+json"]
    assert notebook["width"] == page["width"] - 200 <= 940
    (mine,), (theirs,) = ([s for s in spec["signals"] if s["name"] == "tree_width"] for spec in (page, notebook))
    assert mine["value"] - theirs["value"] == 200
    same = {"width": 0, "signals": [s for s in page["signals"] if s["name"] != "tree_width"]}
    others = {"width": 0, "signals": [s for s in notebook["signals"] if s["name"] != "tree_width"]}
    assert {**page, **same} == {**notebook, **others}
