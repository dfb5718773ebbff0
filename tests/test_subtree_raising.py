"""Error-based pruning with subtree raising, against the recursion of C4.5 and the trees of Weka."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from golden_trees import files, read, same_tree, table, weka_structure
from j48 import Node
from matplotlib import pyplot
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune import TreeStructure, added_errors, error_based_cut, error_based_raising
from treeprune.tree.fitted import find_tree
from treeprune.tree.methods.error_based import collapsed_nodes
from treeprune.tree.methods.subtree_raising import raise_subtrees

CLASSIFICATION = [name for name in files("weka") if name != "cpu.json"]
CONFIDENCE = {"C025": 0.25, "C010": 0.1, "C050": 0.5, "C001": 0.01}


def expected_errors(confidence, limit):
    def cost(counts):
        n, errors = counts.sum(axis=1), counts.sum(axis=1) - counts.max(axis=1)
        return errors + added_errors(n, errors, confidence, limit)

    return cost


# ---- Weka ------------------------------------------------------------------------------------------------------------


def splits_of(nodes):
    return [None if node["leaf"] else (node["feature"], node["threshold"]) for node in nodes]


@pytest.mark.parametrize("name", CLASSIFICATION)
@pytest.mark.parametrize(
    ("before", "after"), [("J48_U", f"J48_{c}") for c in CONFIDENCE] + [("J48_U_nocollapse", "J48_C025_nocollapse")]
)
def test_the_unpruned_j48_becomes_the_pruned_one_node_for_node(name, before, after):
    case = read(f"weka/{name}")
    nodes, wanted = case["trees"][before]["nodes"], case["trees"][after]["nodes"]
    X, y = table(case["dataset"])
    found = error_based_raising(weka_structure(nodes), X, y, CONFIDENCE[after[4:8]], "weka", ties="right")
    left = TreeStructure.from_arrays(found.children_left, found.children_right)
    splits = [splits_of(nodes)[t] if inner else None for t, inner in zip(found.origin, ~left.is_leaf, strict=True)]
    assert same_tree(left, splits, left.is_leaf, weka_structure(wanted), splits_of(wanted))
    assert found.counts.tolist() == [node["class_counts"] for node in wanted]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_the_j48_that_was_not_collapsed_collapses_into_the_other_one(name):
    trees = read(f"weka/{name}")["trees"]
    nodes, wanted = trees["J48_U_nocollapse"]["nodes"], trees["J48_U"]["nodes"]
    structure, errors = weka_structure(nodes), [node["errors"] for node in nodes]
    cut = tp.topmost(structure, collapsed_nodes(structure, errors))
    assert cut.sum() == trees["J48_U"]["leaves"]
    assert same_tree(structure, splits_of(nodes), cut, weka_structure(wanted), splits_of(wanted))


@pytest.mark.parametrize("name", CLASSIFICATION)
@pytest.mark.parametrize(("after", "confidence"), [("J48_C025_noraise", 0.25), ("J48_C010_noraise", 0.1)])
def test_collapsing_and_pruning_are_one_step(name, after, confidence):
    trees = read(f"weka/{name}")["trees"]
    nodes, wanted = trees["J48_U_nocollapse"]["nodes"], trees[after]["nodes"]
    structure = weka_structure(nodes)
    errors, n = [node["errors"] for node in nodes], [node["n"] for node in nodes]
    cut = error_based_cut(structure, errors, n, confidence, "weka", collapse=True)
    assert same_tree(structure, splits_of(nodes), cut, weka_structure(wanted), splits_of(wanted))


def test_some_trees_collapse():
    sizes = [[trees[k]["leaves"] for k in ("J48_U_nocollapse", "J48_U")] for trees in TREES]
    assert sum(after < before for before, after in sizes) >= 2


TREES = [read(f"weka/{name}")["trees"] for name in CLASSIFICATION]


@pytest.mark.parametrize("name", CLASSIFICATION)
@pytest.mark.parametrize("after", ["J48_C025", "J48_C010"])
def test_collapsing_and_raising_are_one_step(name, after):
    case = read(f"weka/{name}")
    nodes, wanted = case["trees"]["J48_U_nocollapse"]["nodes"], case["trees"][after]["nodes"]
    X, y = table(case["dataset"])
    structure = weka_structure(nodes)
    found = error_based_raising(structure, X, y, CONFIDENCE[after[4:]], "weka", ties="right", collapse=True)
    assert found.counts.tolist() == [node["class_counts"] for node in wanted]


# ---- the recursion ---------------------------------------------------------------------------------------------------


def noisy(seed):
    """A table with ties, missing cells in every third, and a tree with random splits in two of three."""
    rng = np.random.default_rng(seed)
    n, p, k = rng.integers(20, 300), rng.integers(1, 5), rng.integers(2, 4)
    X = (rng.integers(0, 8, (n, p)) if seed % 2 else rng.normal(size=(n, p))).astype(np.float32)
    y = ((X.sum(axis=1) > 0) + (rng.random(n) < 0.3) * rng.integers(0, k, n)) % k
    if seed % 3 == 0:
        X[rng.random(X.shape) < 0.1] = np.nan
    splitter = "best" if seed % 3 == 0 else "random"
    return X, y, DecisionTreeClassifier(random_state=seed, splitter=splitter).fit(X, y)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("limit", ["c4.5", "weka", "exact"])
def test_random_trees_come_out_as_the_recursion_has_them(limit, weighted):
    assert sum(is_as_the_recursion_and_raised(seed, limit, weighted) for seed in range(24)) >= 8


def is_as_the_recursion_and_raised(seed, limit, weighted):
    """Compare one tree, and say whether anything was raised in it."""
    X, y, grown = noisy(seed)
    rng = np.random.default_rng(seed)
    confidence, ties = rng.choice([0.1, 0.25, 0.4]), str(rng.choice(["left", "right"]))
    weight = rng.choice([0.5, 1, 3], len(y)) if weighted else np.ones(len(y))
    tree = find_tree(grown)
    codes, cost, k = tree.encode(y)[:, 0], expected_errors(confidence, limit), tree.value.shape[2]

    def counts(rows):
        return np.bincount(codes[rows], weight[rows], k)[None]

    root, raised = Node(tree.structure).distribute(X, np.arange(len(y))), []
    root.prune(X, lambda rows: counts(rows).sum(), lambda rows: cost(counts(rows))[0], 0.1, ties, raised)
    found = raise_subtrees(tree.structure, X, tree.apply(X), codes, k, cost, 0.1, ties, weight)
    assert list(rows_of(found, tree.structure, X)) == list(root.preorder())
    return bool(raised)


def rows_of(found, structure, X, t=0, rows=None):
    """Test and rows of every node of a raised tree, in preorder, its rows sent down from the root."""
    rows = np.arange(len(X)) if rows is None else rows
    assert found.n_rows[t] == len(rows)
    if found.children_left[t] < 0:
        yield None, rows.tolist()
        return
    test = found.origin[t]
    yield (structure.feature[test], structure.threshold[test], structure.missing_go_to_left[test]), rows.tolist()
    value = X[rows, structure.feature[test]]
    left = np.where(np.isnan(value), structure.missing_go_to_left[test], value <= structure.threshold[test])
    yield from rows_of(found, structure, X, found.children_left[t], rows[left])
    yield from rows_of(found, structure, X, found.children_right[t], rows[~left])


# ---- the estimator ---------------------------------------------------------------------------------------------------

X, Y = load_digits(return_X_y=True)
Y = np.where(np.random.default_rng(0).random(len(Y)) < 0.1, (Y + 1) % 10, Y)


@pytest.fixture(scope="module")
def pruner():
    fitted = tp.ErrorBasedPruner(subtree_raising=True, confidence=0.1).fit(X, Y)
    assert (fitted.raised_.origin != fitted.raised_.place).any()
    return fitted


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_every_field_of_the_raised_tree_is_that_of_its_rows(criterion):
    grown = DecisionTreeClassifier(criterion=criterion, random_state=0)
    found = tp.ErrorBasedPruner(grown, subtree_raising=True, confidence=0.1).fit(X, Y)
    tree = found.estimator_.tree_
    below = np.asarray(found.estimator_.decision_path(X).todense(), dtype=bool)
    assert tree.n_leaves == found.n_leaves_ < found.grown_.get_n_leaves()
    assert tree.max_depth == found.estimator_.get_depth() == below.sum(axis=1).max() - 1
    for t in range(tree.node_count):
        share = np.bincount(Y[below[:, t]], minlength=10) / below[:, t].sum()
        some = share[share > 0]
        impurity = 1 - (some**2).sum() if criterion == "gini" else -(some * np.log2(some)).sum()
        assert tree.value[t, 0] == pytest.approx(share, abs=1e-12)
        assert tree.impurity[t] == pytest.approx(impurity, abs=1e-12)
        assert tree.n_node_samples[t] == tree.weighted_n_node_samples[t] == below[:, t].sum()


def test_rows_twice_are_rows_of_weight_two(pruner):
    small = tp.prune(pruner.grown_, "error_based", X, Y, subtree_raising=True, sample_weight=np.full(len(Y), 2.0))
    twice = tp.prune(pruner.grown_, "error_based", np.vstack([X, X]), np.tile(Y, 2), subtree_raising=True)
    for name in ("feature", "threshold", "value", "weighted_n_node_samples"):
        np.testing.assert_array_equal(getattr(small.tree_, name), getattr(twice.tree_, name))


def test_words_pipelines_and_frames_are_raised_alike(pruner):
    words = np.array(list("abcdefghij"))[Y]
    frame = pd.DataFrame(X, columns=[f"pixel {j}" for j in range(64)])
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
    found = tp.ErrorBasedPruner(model, subtree_raising=True, confidence=0.1).fit(frame, words)
    assert (found.predict(frame) == words).mean() > 0.8
    assert found.n_leaves_ == find_tree(found.estimator_).structure.n_leaves
    plain = tp.ErrorBasedPruner(subtree_raising=True, confidence=0.1).fit(X, words)
    assert (plain.predict(X) == np.array(list("abcdefghij"))[pruner.predict(X)]).all()


def test_class_weights_count_as_they_did_for_growing():
    grown = DecisionTreeClassifier(class_weight="balanced", random_state=0)
    found = tp.ErrorBasedPruner(grown, subtree_raising=True, confidence=0.1).fit(X, Y)
    tree = found.estimator_.tree_
    assert tree.weighted_n_node_samples[0] == pytest.approx(len(Y))
    assert tree.value[0, 0] == pytest.approx(np.full(10, 0.1))


def test_nodes_that_no_row_reaches_keep_what_they_say():
    some = Y < 5
    pruner = tp.ErrorBasedPruner().fit(X, Y)
    with pytest.warns(UserWarning, match="gives all nodes new values, of the rows it is given"):
        small = tp.prune(pruner.grown_, "error_based", X[some], Y[some], subtree_raising=True)
    assert np.isfinite(small.tree_.value).all()
    assert small.tree_.value.sum(axis=2) == pytest.approx(1)


def test_raising_again_and_replacing_again_need_no_new_tree(pruner):
    again = tp.ErrorBasedPruner(subtree_raising=True, confidence=0.1).fit(X, Y)
    grown = again.grown_
    again.set_params(subtree_raising=False).prune()
    assert not hasattr(again, "raised_")
    assert again.cut_.sum() == again.n_leaves_
    again.set_params(subtree_raising=True).prune(X, Y)
    assert again.grown_ is grown
    assert not hasattr(again, "cut_")
    assert again.n_leaves_ == pruner.n_leaves_


@pytest.mark.parametrize(
    "call",
    [
        lambda fitted: fitted.prune(),
        lambda fitted: tp.prune(fitted.grown_, "error_based", subtree_raising=True),
        lambda fitted: tp.pruning_cuts(fitted.grown_, "error_based", subtree_raising=True),
        lambda fitted: fitted.prune(statistics=tp.chunk_statistics(fitted.grown_, [(X, Y)])),
    ],
)
def test_without_rows_or_as_a_family_of_cuts_raising_is_refused(pruner, call):
    before = pruner.estimator_
    with pytest.raises(ValueError, match="subtree_raising=True sends rows other ways"):
        call(pruner)
    assert pruner.estimator_ is before


def test_searches_choose_whether_to_raise_and_agree():
    grid = {"subtree_raising": [False, True], "confidence": [0.01, 0.25]}
    search = GridSearchCV(tp.ErrorBasedPruner(), grid, cv=3).fit(X[:600], Y[:600])
    ours = tp.PrunerCV(tp.ErrorBasedPruner(), grid, cv=3, selection="minimum").fit(X[:600], Y[:600])
    np.testing.assert_allclose(np.sort(ours.scores_.test), np.sort(search.cv_results_["mean_test_score"]), atol=1e-12)
    alone = tp.ErrorBasedPruner().set_params(**ours.best_params_).fit(X[:600], Y[:600])
    assert ours.n_leaves_ == alone.n_leaves_


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"subtree_raising": 1}, "subtree_raising=1: True or False is expected"),
        ({"collapse": "yes"}, "collapse='yes': True or False is expected"),
        ({"raising_ties": "both"}, "raising_ties='both': one of 'left', 'right' is expected"),
    ],
)
def test_parameters_of_raising_are_checked(parameters, words):
    with pytest.raises(ValueError, match=words):
        tp.ErrorBasedPruner(**parameters).fit(X, Y)


def test_two_rows_at_least_are_needed(pruner):
    with pytest.raises(ValueError, match="at least two are needed"):
        tp.prune(pruner.grown_, "error_based", X[:1], Y[:1], subtree_raising=True)


def test_a_pure_tree_and_a_stump_are_left_as_they_are():
    one = tp.ErrorBasedPruner(DecisionTreeClassifier(max_depth=1), subtree_raising=True).fit(X, Y)
    assert one.n_leaves_ <= 2
    pure = tp.ErrorBasedPruner(subtree_raising=True, collapse=True).fit(X[:9], np.zeros(9))
    assert pure.n_leaves_ == 1
    assert len(pure.trace()) == 0


# ---- why -------------------------------------------------------------------------------------------------------------


def test_the_trace_says_what_became_of_each_test(pruner):
    trace, raised = pruner.trace(), pruner.raised_
    inner = raised.children_left >= 0
    by = trace.set_index("node")
    stay = by.index[by.decision == "kept"]
    assert set(stay) == set(raised.place[inner & (raised.origin == raised.place)])
    moved = by[by.decision == "moved"]
    assert dict(moved.pruned_by) == {
        int(o): int(p) for o, p in zip(raised.origin[inner], raised.place[inner], strict=True) if o != p
    }
    assert set(moved.pruned_by) <= set(by.index[by.decision == "replaced"])
    leaves = set(raised.place[~inner])
    assert set(by.index[by.decision == "pruned"]) <= leaves
    assert set(by[by.decision == "gone"].pruned_by) <= leaves | set(moved.pruned_by)
    asked = by[by.decision.isin(["kept", "moved"])]
    assert (asked.left > asked.right).all()
    assert (by[by.decision == "pruned"].left <= by[by.decision == "pruned"].right).all()
    replaced = by[by.decision == "replaced"]
    assert (replaced.larger_branch <= replaced.branch + 0.1).all()
    assert (trace.right == np.minimum(trace.branch, trace.larger_branch) + 0.1).all()


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("kept", "was kept: errors expected as a leaf .* is above the smaller one of"),
        ("pruned", "was pruned: errors expected as a leaf .* is not above the smaller one of"),
        ("replaced", "was replaced by its larger branch: errors expected of that with all rows"),
        ("moved", "was kept at the place of node"),
        ("gone", "went with node [0-9]+, which was (pruned|replaced)"),
    ],
)
def test_a_sentence_says_it_for_one_node(pruner, decision, words):
    import re

    trace = pruner.trace()
    for node in trace.node[trace.decision == decision]:
        assert re.search(words, pruner.explain(int(node)))


def test_leaves_have_a_sentence_too_and_nodes_that_are_not_there_none(pruner):
    tree = find_tree(pruner.grown_).structure
    said = {pruner.explain(int(t)).split(" and ")[1][:9] for t in np.flatnonzero(tree.is_leaf)}
    assert said == {"is still ", "went with"}
    with pytest.raises(ValueError, match="a node of the grown tree is expected"):
        pruner.explain(tree.n_nodes)


def test_the_figure_shows_the_tests_that_are_left(pruner):
    display = tp.CutDisplay.from_pruner(pruner)
    assert "with raising" in display.ax_.get_title(loc="left")
    assert display.left.sum() == 2 * pruner.n_leaves_ - 1
    assert display.cut.sum() == pruner.n_leaves_
    pyplot.close("all")


def test_collapsed_nodes_are_not_asked_any_more():
    rng = np.random.default_rng(0)
    stunted = DecisionTreeClassifier(max_depth=5, random_state=0)
    found = tp.ErrorBasedPruner(stunted, collapse=True, confidence=0.9).fit(X[:, :20], rng.random(len(X)) < 0.05)
    tree = find_tree(found.grown_)
    gone = collapsed_nodes(tree.structure, tree.error(None)) & ~tree.structure.is_leaf
    by = found.trace().set_index("node")
    assert gone.any()
    assert not (by.loc[np.flatnonzero(gone), "decision"] == "kept").any()


def test_a_structure_without_tests_has_nothing_to_send_rows_by():
    shape = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    with pytest.raises(ValueError, match="which raising sends rows by"):
        raise_subtrees(
            shape, np.zeros((3, 1)), np.array([1, 1, 2]), np.array([0, 0, 1]), 2, lambda counts: counts[:, 0]
        )
