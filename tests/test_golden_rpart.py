"""Cost-complexity paths of trees that rpart grew, against its cp tables.

rpart finds the complexities of all nodes in one pass, looking one level down; where the data are
hard that is not the weakest link.  There its rows are shown to cost more than ours at their own cp,
by as much as was recorded.

For xerror and xstd the trees of the folds are grown as rpart grows them, and pruned both ways.
"""

import csv
from functools import cache

import numpy as np
import pytest
from golden_trees import GOLDEN, files, read, same_tree, table
from rpart_grower import Grower, RpartClassifier, structure_of
from sklearn.model_selection import PredefinedSplit
from sklearn.tree import DecisionTreeClassifier
from trees import nodes_of

from treeprune import CostComplexityPruner, PrunerCV, TreeStructure, cost_complexity_path, cut_at, path_sums, topmost
from treeprune.out_of_fold import changes_in_table, join_folds
from treeprune.tree.cuts import covering
from treeprune.tree.fitted import find_tree

MISSED = {name: read("rpart/_reproduced.json")[name] for name in files("rpart")}
MISSED = {name: row["rpart_rows_suboptimal_by_up_to_root_risk_share"] for name, row in MISSED.items()}
EXACT = [name for name, missed in MISSED.items() if missed == 0]
INEXACT = [name for name, missed in MISSED.items() if missed > 0]
SMALL_EXACT = ["iris", "kyphosis", "car_weight"]

# by how much the exact path of the fold trees moves an xerror; for cpu measured here, for the others recorded too
SHIFT = {
    "cpu__anova__cp0.json": 1.597133702e-4,
    "pima__gini__cp0.01__default.json": 1.119402985e-2,
    "pima__gini__cp0.json": 2.611940299e-2,
    "pima__gini__cp0__weights.json": 2.234636872e-2,
}
# nodes whose split of most gain is one of two that send the same rows the same ways, equal but for rounding
TIED = {"cpu__anova__cp0.json": {64: (5, 15)}}
# files of which a split, of all rows or of a fold, changes when the same sums are added up in another order
HANGS_ON_ROUNDING = ["cpu__anova__cp0.json", "pima__gini__cp0.json", "pima__gini__cp0__weights.json"]


def _structure(ids):
    """Build the structure from rpart's ids: the root is 1, the children of i are 2i and 2i + 1."""
    position = {i: t for t, i in enumerate(ids)}
    children = [[position.get(2 * i + side, -1) for i in ids] for side in (0, 1)]
    return TreeStructure.from_arrays(*children), position


def _case(name):
    case = read(f"rpart/{name}")
    structure, position = _structure([node["id"] for node in case["nodes"]])
    return case, structure, position, np.array([node["dev"] for node in case["nodes"]], dtype=float)


def _small(name):
    with (GOLDEN / "small" / f"{name}_frame.csv").open() as file:
        frame = list(csv.DictReader(file))
    with (GOLDEN / "small" / f"{name}_cptable.csv").open() as file:
        table = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    structure, _ = _structure([int(row["node"]) for row in frame])
    return structure, np.array([float(row["dev"]) for row in frame]), table


def _table(structure, risk):
    """CP, nsplit and rel error from the root to the grown tree."""
    path = cost_complexity_path(structure, risk)
    relative = path_sums(structure, path.removed_at, risk) / risk[0]
    return path, (path.price / risk[0])[::-1], (path.n_leaves - 1)[::-1], relative[::-1]


@pytest.mark.parametrize("name", EXACT)
def test_the_cp_table_is_rparts_where_its_pass_is_exact(name):
    case, structure, _, risk = _case(name)
    rows = case["cptable"]
    _, cp, n_splits, relative = _table(structure, risk)
    # the last row of rpart's table shows the cp at which it stopped growing
    assert cp[:-1].tolist() == pytest.approx([row["CP"] for row in rows[:-1]], rel=1e-12)
    assert cp[-1] == 0
    assert rows[-1]["CP"] == case["cp"]
    assert n_splits.tolist() == [row["nsplit"] for row in rows]
    assert relative.tolist() == pytest.approx([row["rel_error"] for row in rows], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_leaves_are_those_that_rpart_leaves_at_each_cp(name):
    case, structure, position, risk = _case(name)
    path = cost_complexity_path(structure, risk)
    for level, row in zip(range(path.n_levels - 1, -1, -1), case["cptable"], strict=True):
        cut = cut_at(structure, path.removed_at, level)
        assert nodes_of(cut) == sorted(position[i] for i in row["leaves"])


@pytest.mark.parametrize("name", SMALL_EXACT)
def test_small_cp_tables_are_rparts(name):
    structure, risk, rows = _small(name)
    _, cp, n_splits, relative = _table(structure, risk)
    assert cp.tolist() == pytest.approx([row["CP"] for row in rows], rel=1e-9, abs=1e-12)
    assert n_splits.tolist() == [row["nsplit"] for row in rows]
    assert relative.tolist() == pytest.approx([row["rel error"] for row in rows], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", MISSED)
def test_rparts_rows_cost_more_than_the_path_by_what_was_recorded(name):
    case, structure, position, risk = _case(name)
    path = cost_complexity_path(structure, risk)
    total = path_sums(structure, path.removed_at, risk)
    missed = []
    for row in case["cptable"]:
        leaves, alpha = [position[i] for i in row["leaves"]], row["CP"] * risk[0]
        level = int(path.levels_at(alpha * (1 + 1e-9)))
        ours, theirs = total[level] + alpha * path.n_leaves[level], risk[leaves].sum() + alpha * len(leaves)
        missed.append((theirs - ours) / risk[0])
    assert min(missed) >= -1e-9
    assert max(missed) == pytest.approx(MISSED[name], rel=5e-3, abs=1e-9)


@pytest.mark.parametrize("name", INEXACT)
def test_where_rpart_is_not_exact_the_path_still_loses_alpha_for_each_leaf(name):
    _, structure, _, risk = _case(name)
    _, cp, n_splits, relative = _table(structure, risk)
    assert cp[:-1].tolist() == pytest.approx((-np.diff(relative) / np.diff(n_splits)).tolist(), rel=1e-6, abs=1e-12)
    assert (np.diff(cp) < 0).all()


def test_on_exclusive_or_rparts_table_is_not_convex_and_ours_is():
    structure, risk, rows = _small("xor60_rpart_cp_inexact")
    _, cp, n_splits, relative = _table(structure, risk)
    theirs = np.array([[row["CP"], row["nsplit"], row["rel error"]] for row in rows])
    their_slope = -np.diff(theirs[:, 2]) / np.diff(theirs[:, 1])
    assert not np.allclose(their_slope, theirs[:-1, 0], rtol=1e-3)
    assert np.allclose(-np.diff(relative) / np.diff(n_splits), cp[:-1], rtol=1e-9)
    # at no cp of theirs is a row of theirs cheaper than ours
    for alpha, splits, error in theirs:
        assert (relative + alpha * n_splits).min() <= error + alpha * splits + 1e-9


def test_three_of_the_cases_are_weighted_and_one_is_a_regression():
    cases = [read(f"rpart/{name}") for name in MISSED]
    assert sum(case["weights"] is not None for case in cases) == 3
    assert sum(case["method"] == "anova" for case in cases) == 1
    assert len(EXACT) == 6


@cache
def _rows(name):
    """What was recorded, with the rows, their weights and their folds."""
    case = read(f"rpart/{name}")
    X, y = table(case["dataset"])
    weight = np.ones(len(y)) if case["weights"] is None else np.array(case["weights"], dtype=float)
    return case, X, y, weight, np.array(case["folds"])


@cache
def _grown(name, kind=Grower):
    """Trees grown as rpart grows them: of all rows under 0, and without each fold under its number."""
    case, X, y, weight, folds = _rows(name)
    grower = kind(X, y, weight, case["method"], case["minsplit"], case["minbucket"])
    trees = {}
    for fold in range(folds.max() + 1):
        rows = np.flatnonzero(folds != fold)
        alpha = case["cp"] * case["root_dev"] * weight[rows].sum() / weight.sum()
        trees[fold] = list(grower.grow(rows, alpha).preorder())
    return grower, trees


def _numbers(nodes, what):
    return np.array([getattr(node, what) for node in nodes], dtype=float)


def _cuts(nodes, structure, alphas, exactly):
    """Cuts of a fold tree at each alpha, along our path or by rpart's complexities of one pass."""
    if exactly:
        path = cost_complexity_path(structure, _numbers(nodes, "risk"))
        return [cut_at(structure, path.removed_at, int(level)) for level in path.levels_at(alphas)]
    return [topmost(structure, _numbers(nodes, "complexity") <= alpha) for alpha in alphas]


def _cross_validated(name, exactly):
    """Xerror and xstd of each row of the table, from the folds' trees by the library's own means."""
    case, X, y, weight, folds = _rows(name)
    cp = np.array([row["CP"] for row in case["cptable"]])
    alphas = np.append(10 * cp[0], np.sqrt(cp[:-1] * cp[1:])) * case["root_dev"]
    parts = []
    for fold, nodes in _grown(name)[1].items():
        held_out = np.flatnonzero(folds == fold)
        if not fold:
            continue
        structure, share = structure_of(nodes), weight[folds != fold].sum() / weight.sum()
        leaf = structure.route(X[held_out])
        value = [
            _numbers(nodes, "value")[covering(structure, cut)[leaf]]
            for cut in _cuts(nodes, structure, alphas * share, exactly)
        ]
        missed = np.transpose(value) - y[held_out, None]
        loss = missed**2 if case["method"] == "anova" else (missed != 0).astype(float)
        parts.append((held_out, loss[:, 0], changes_in_table(loss)))
    losses, scale = join_folds(parts, len(alphas)).by_row(), weight.sum() / case["root_dev"]
    return losses.mean(weight) * scale, losses.standard_error(weight) * scale


def _recorded(name, *columns):
    return [np.array([row[column] for row in _rows(name)[0]["cptable"]]) for column in columns]


@pytest.mark.parametrize("name", MISSED)
def test_the_grower_of_these_tests_grows_rparts_tree(name):
    case, nodes = _rows(name)[0], {node.number: node for node in _grown(name)[1][0]}
    assert sorted(nodes) == sorted(node["id"] for node in case["nodes"])
    for node in case["nodes"]:
        ours = nodes[node["id"]]
        assert ours.risk == pytest.approx(node["dev"], rel=1e-12)
        assert bool(ours.sons) == (node["feature"] >= 0)
        if ours.sons:
            assert ours.complexity / case["root_dev"] == pytest.approx(node["complexity"], rel=1e-11)
            less = ours.sons[0].number == 2 * ours.number
            assert node["less_goes"] == ("left" if less else "right")
            if node["id"] not in TIED.get(name, {}):
                assert ours.test == pytest.approx([node["feature"], node["threshold"]], rel=1e-12)


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, tied in TIED.items() for number in tied])
def test_a_split_that_is_not_rparts_is_one_of_two_that_send_the_same_rows_the_same_ways(name, number):
    _, X, *_ = _rows(name)
    grower, trees = _grown(name)
    node = next(node for node in trees[0] if node.number == number)
    theirs = TIED[name][number]
    np.testing.assert_array_equal(
        X[node.rows, node.test[0]] < node.test[1],
        X[node.rows, theirs[0]] < theirs[1],
    )
    assert node.test != list(theirs)
    assert abs(_gain(grower, node, node.test) / _gain(grower, node, theirs) - 1) < 1e-15


def _gain(grower, node, test):
    """Gain of a split of a node, as the grower reckons it."""
    rows = grower.sorted_rows(node, test[0])
    return grower.gains(rows)[0][(grower.X[rows, test[0]] < test[1]).sum() - 1]


class _InAnotherOrder(Grower):
    """Adds up the same numbers the other way round."""

    def anova(self, rows):
        gains, less_is_left = super().anova(rows[::-1])
        return gains[::-1].copy(), ~less_is_left[::-1]

    def impurity(self, counts):
        share = counts / counts.sum(axis=2, keepdims=True)
        return (counts * (1 - share)).sum(axis=2).sum(axis=1)


def _ties(name):
    """Relative differences of gain where the order of adding up chose between two splits of a node."""
    grower, trees = _grown(name)
    found = []
    for fold, nodes in _grown(name, _InAnotherOrder)[1].items():
        others = {node.number: node for node in nodes}
        waiting = [trees[fold][0]]
        while waiting:
            node = waiting.pop()
            test = others[node.number].test
            if node.test == test:
                waiting += node.sons
            elif node.test and test:  # one that has none is above the tie: its branch was all in vain
                found.append(abs(_gain(grower, node, test) / _gain(grower, node, node.test) - 1))
            else:
                found.append(np.nan)
    return np.array(found)


@pytest.mark.parametrize("name", MISSED)
@pytest.mark.slow
def test_splits_that_hang_on_the_order_of_adding_up_differ_by_rounding_only(name):
    ties = _ties(name)
    assert bool(len(ties)) == (name in HANGS_ON_ROUNDING)
    assert (ties[~np.isnan(ties)] < 1e-13).all()  # the most is 4.3e-14, of cpu; 8e-16 of pima


@pytest.mark.parametrize("name", MISSED)
def test_xerror_and_xstd_are_rparts_when_folds_are_pruned_by_its_one_pass(name):
    for ours, theirs in zip(_cross_validated(name, exactly=False), _recorded(name, "xerror", "xstd"), strict=True):
        assert ours == pytest.approx(theirs, rel=0, abs=1e-8)


@pytest.mark.parametrize("name", EXACT)
def test_xerror_and_xstd_are_rparts_when_folds_are_pruned_by_our_path(name):
    for ours, theirs in zip(_cross_validated(name, exactly=True), _recorded(name, "xerror", "xstd"), strict=True):
        assert ours == pytest.approx(theirs, rel=0, abs=1e-8)


@pytest.mark.parametrize("name", INEXACT)
def test_where_rparts_pass_is_not_exact_our_path_moves_xerror_by_what_was_recorded(name):
    ours, [theirs] = _cross_validated(name, exactly=True)[0], _recorded(name, "xerror")
    assert abs(ours - theirs).max() == pytest.approx(SHIFT[name], rel=1e-8)
    recorded = read("rpart/_reproduced.json")[name]["max_xerror_shift_if_folds_pruned_exactly"]
    assert recorded is None or recorded == pytest.approx(SHIFT[name], rel=1e-8)


def _assert_the_table_is_rparts(name, estimator):
    """PrunerCV's table has every row of rpart's; further ones are of levels below the cp at which rpart stopped."""
    case, X, y, weight, folds = _rows(name)
    pruner = CostComplexityPruner(estimator, risk="error")
    search = PrunerCV(pruner, cv=PredefinedSplit(folds - 1)).fit(X, y, sample_weight=weight)
    rows = search.cp_table_.iloc[: len(case["cptable"])]
    columns = ["nsplit", "rel error", "xerror", "xstd"]
    for column, theirs in zip(columns, _recorded(name, "nsplit", "rel_error", "xerror", "xstd"), strict=True):
        assert rows[column].to_numpy() == pytest.approx(theirs, rel=0, abs=1e-8)
    # rpart's last CP is where it stopped growing
    assert rows["CP"].to_numpy()[:-1] == pytest.approx(_recorded(name, "CP")[0][:-1], rel=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_the_table_of_pruner_cv_is_rparts_for_an_estimator_that_grows_its_trees(name):
    case = _rows(name)[0]
    kind = RpartClassifier(min_samples_split=case["minsplit"], min_samples_leaf=case["minbucket"], random_state=0)
    _assert_the_table_is_rparts(name, kind)


def _splits(structure):
    # scikit-learn sees 32-bit features
    tests = zip(structure.feature.tolist(), structure.threshold.round(4).tolist(), strict=True)
    return [None if leaf else test for leaf, test in zip(structure.is_leaf, tests, strict=True)]


def _grows_rparts_trees(name, estimator):
    """Whether all eleven trees are rpart's, once splits of less than its cp are pruned."""
    case, X, y, weight, folds = _rows(name)
    pruner = CostComplexityPruner(estimator, alpha=case["cp"] * case["root_dev"] / weight.sum(), risk="error")
    for fold, nodes in _grown(name)[1].items():
        rows, theirs = folds != fold, structure_of(nodes)
        found = pruner.fit(X[rows], y[rows], weight[rows])
        ours = find_tree(found.grown_).structure
        if not same_tree(ours, _splits(ours), found.cut_, theirs, _splits(theirs)):
            return False
    return True


@pytest.mark.parametrize("name", ["iris__gini__cp0.01__default.json", "wine__gini__cp0.01__default.json"])
def test_the_table_of_pruner_cv_is_rparts_where_scikit_learn_grows_the_same_trees(name):
    """With the ties of these two some seed falls as rpart does; of cpu none of twenty, of pima none of six."""
    case = _rows(name)[0]
    limits = {"min_samples_split": case["minsplit"], "min_samples_leaf": case["minbucket"]}
    seeds = (DecisionTreeClassifier(**limits, random_state=seed) for seed in range(30))
    _assert_the_table_is_rparts(name, next(tree for tree in seeds if _grows_rparts_trees(name, tree)))
