"""Traces: every decision of every method follows from the two sides that are shown."""

from __future__ import annotations

import numpy as np
import pytest
from models import PARAMETERS, TASKS, rows_of, stem
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier
from trees import random_tree

import treeprune as tp
from treeprune.dispatch import METHODS
from treeprune.tree.fitted import find_tree
from treeprune.tree.sides import Sides, best_branch


def fitted(name, task):
    more = {"random_state": 0} if name == "reduced_error" else {}
    return METHODS[name](stem(task), **PARAMETERS[name], **more).fit(*rows_of(task))


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_every_inner_node_of_the_grown_tree_has_one_row_whose_decision_is_the_cuts(name, task):
    found = fitted(name, task)
    table, structure = found.trace(), find_tree(found.grown_).structure
    assert sorted(table["node"]) == structure.inner.tolist()
    for row in table.itertuples():
        ways = [row.node]
        while ways[-1]:
            ways.append(int(structure.parent[ways[-1]]))
        cut = [t for t in ways if found.cut_[t]]
        expected = "kept" if not cut else "pruned" if cut == [row.node] else "gone"
        assert row.decision == expected
        assert row.pruned_by == (cut[0] if cut else -1)
    assert (table["decision"] == "kept").sum() == found.n_leaves_ - 1


@pytest.mark.parametrize(("name", "task"), [case for case in TASKS if case[0] not in ("optimal", "significance")])
def test_what_is_kept_and_pruned_follows_from_both_sides(name, task):
    found = fitted(name, task)
    table = found.trace()
    goes = table["tie"] if table.attrs["ties"] == "prune" else False
    goes = goes | ((table["left"] < table["right"]) & ~table["tie"])
    assert goes[table["decision"] == "pruned"].all()
    assert not goes[table["decision"] == "kept"].any()
    assert "kept" in set(table["decision"])
    assert "pruned" in set(table["decision"]) or name == "critical_value"  # at its strength for other trees


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(("ties", "tie_goes"), [("prune", True), ("keep", False)])
def test_sides_that_differ_by_rounding_only_are_a_tie_whichever_is_the_larger(ties, tie_goes, unit):
    left = np.array([1, 1 - 1e-15, 1 + 1e-15, 1 - 1e-9, 1 + 1e-9, 1, np.inf, 0]) * unit
    right = np.array([1, 1, 1, 1, 1, np.inf, 1, 0]) * unit
    sides = Sides("one", left, "other", right, ties)
    assert sides.tied().tolist() == [True, True, True, False, False, False, False, True]
    assert sides.says_prune().tolist() == [tie_goes, tie_goes, tie_goes, True, False, True, False, tie_goes]


def test_a_split_that_is_not_significant_stays_only_above_one_that_is():
    found = fitted("significance", "classes")
    table = found.trace().set_index("node")
    structure = find_tree(found.grown_).structure
    weak = table[(table["decision"] == "kept") & (table["right"] > table["left"])].index
    assert len(weak)
    for t in weak:
        children = (structure.children_left[t], structure.children_right[t])
        assert any(table["decision"].get(child) == "kept" for child in children)
        assert "a split below it stayed" in found.explain(int(t))


@pytest.mark.parametrize("name", METHODS)
def test_nodes_are_asked_in_the_order_of_the_method(name):
    found = fitted(name, "classes")
    table, structure = found.trace(), find_tree(found.grown_).structure
    place = dict(zip(table["node"], range(len(table)), strict=True))
    below = [(place[t], place[int(structure.parent[t])]) for t in table["node"] if t]
    if table.attrs["order"] == "top-down":
        assert all(child > parent for child, parent in below)
    else:
        assert all(child < parent for child, parent in below)


@pytest.mark.parametrize("name", METHODS)
def test_every_node_has_a_sentence(name):
    found = fitted(name, "classes")
    table = found.trace().set_index("node")
    for node in range(len(found.cut_)):
        said = found.explain(node)
        assert said.startswith(f"Node {node} ")
        if node in table.index:
            word = {"kept": "was kept", "pruned": "was pruned", "gone": "went with node"}[table.loc[node, "decision"]]
            assert word in said


@pytest.mark.parametrize("wrong", [-1, 10_000, 1.0, True, "0", None])
def test_a_node_that_is_none_is_said(wrong):
    with pytest.raises(ValueError, match="a node of the grown tree is expected"):
        fitted("max_depth", "classes").explain(wrong)


def test_a_pruner_that_was_not_fitted_has_no_trace():
    with pytest.raises(NotFittedError):
        tp.ErrorBasedPruner().trace()


def test_the_numbers_are_those_of_the_book():
    X, y = load_breast_cancer(return_X_y=True)
    found = tp.CostComplexityPruner(alpha=0.01).fit(X, y)
    tree, table = find_tree(found.grown_), found.trace().set_index("node")
    risk = tree.impurity(None) / len(y)
    leaves = np.flatnonzero(found.cut_)
    assert table.loc[0, "left"] == pytest.approx(risk[0] + 0.01)
    assert table.loc[0, "right"] == pytest.approx(risk[leaves].sum() + 0.01 * len(leaves))
    pessimistic = tp.PessimisticErrorPruner(z=1.0).fit(X, y)
    root = pessimistic.trace().set_index("node").loc[0]
    grown = tree.structure.n_leaves / 2  # a tree without training errors
    assert root["left"] == min(y.sum(), len(y) - y.sum()) + 0.5
    assert root["right"] == pytest.approx(grown + np.sqrt(grown * (len(y) - grown) / len(y)))


def test_held_out_rows_are_what_reduced_error_pruning_is_traced_by():
    X, y = load_iris(return_X_y=True)
    found = tp.ReducedErrorPruner(DecisionTreeClassifier(random_state=0), random_state=0).fit(X[::2], y[::2])
    found.prune(X[1::2], y[1::2])
    root = found.trace().set_index("node").loc[0]
    label = found.grown_.tree_.value[0, 0].argmax()
    assert root["left"] == (y[1::2] != label).sum()
    assert root["right"] == (y[1::2] != found.predict(X[1::2])).sum()
    assert root["rows"] == len(y[1::2])


def test_a_size_is_traced_by_the_errors_of_each_node_and_of_its_grown_branch():
    X, y = load_breast_cancer(return_X_y=True)
    found = tp.OptimalPruner(max_leaf_nodes=3, risk="error").fit(X[::2], y[::2]).prune(X[1::2], y[1::2])
    way, wrong = found.grown_.decision_path(X[1::2]).toarray(), found.grown_.predict(X[1::2]) != y[1::2]
    label = found.grown_.tree_.value[:, 0].argmax(axis=1)
    assert wrong.any()
    for row in found.trace().itertuples():
        here = way[:, row.node] > 0
        assert row.left == (y[1::2][here] != label[row.node]).sum()
        assert row.right == wrong[here].sum()


@pytest.mark.parametrize("seed", range(20))
def test_the_best_branch_is_what_optimal_cut_weighs(seed):
    rng = np.random.default_rng(seed)
    structure = random_tree(rng, 12)
    cost, split = (
        rng.integers(0, 6, structure.n_nodes).astype(float),
        rng.integers(0, 2, structure.n_nodes).astype(float),
    )
    branch = best_branch(structure, cost, split, slack=0.5)
    collapsed = structure.is_leaf | (cost <= branch)
    np.testing.assert_array_equal(tp.topmost(structure, collapsed), tp.optimal_cut(structure, cost, split, slack=0.5))


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_the_text_has_a_line_for_each_node_under_the_words_of_both_sides(name, task):
    found = fitted(name, task)
    table, lines = found.trace(), found.trace_text(max_rows=1000).splitlines()
    start = lines.index(f"left: {table.attrs['left']}")
    assert lines[start + 1] == f"right: {table.attrs['right']}"
    assert table.attrs["order"] in lines[start + 2]
    nodes = lines[start + 4 :]
    assert [int(line.split()[0]) for line in nodes] == table["node"].tolist()
    assert all(what in line for line, what in zip(nodes, table["decision"], strict=True))
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_nested_methods_show_their_levels_from_the_root_down_and_mark_the_chosen_one(name, task):
    found = fitted(name, task)
    levels = found.trace_text(max_rows=1000).split("\n\n")[0].splitlines()
    if not hasattr(found, "path_"):
        assert levels[0].startswith("left: ")
        return
    assert [int(line.split()[2]) for line in levels[1:]] == found.path_.n_leaves[::-1].tolist()
    assert float(levels[1].split()[3]) == 1
    [chosen] = [line.split() for line in levels if line.endswith("chosen")]
    assert int(chosen[2]) == found.n_leaves_


@pytest.mark.parametrize("name", METHODS)
def test_a_line_says_how_many_nodes_are_left_out(name):
    found = fitted(name, "classes")
    last = found.trace_text(max_rows=2).splitlines()[-1]
    assert last == f"... and {len(found.trace()) - 2} more nodes"
    with pytest.raises(ValueError, match="max_rows=0"):
        found.trace_text(max_rows=0)


def test_the_text_of_subtree_raising_has_both_of_its_branches():
    text = tp.ErrorBasedPruner(subtree_raising=True).fit(*load_iris(return_X_y=True)).trace_text()
    assert "larger_branch" in text
    assert "kept" in text
    assert "pruned" in text


def test_a_tree_without_splits_has_a_text_too():
    found = tp.CostComplexityPruner().fit([[0.0], [1.0]], [1, 1])
    assert "no nodes" in found.trace_text()


def test_the_level_chosen_is_written_however_few_rows_there_are():
    from sklearn.datasets import load_breast_cancer

    pruner = tp.CostComplexityPruner(alpha=0.003).fit(*load_breast_cancer(return_X_y=True))
    text = pruner.trace_text(max_rows=1).split("\n\n")[0]
    assert "chosen" in text
    assert f"... and {pruner.path_.n_levels - 2} more levels" in text
