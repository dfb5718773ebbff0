"""Cost-complexity paths of trees that scikit-learn grew, against its own path and refits."""

from fractions import Fraction

import numpy as np
import pytest
from golden_trees import files, read, table
from trees import nodes_of

from treeprune import TreeStructure, class_counts, cost_complexity_path, cut_at, path_sums, target_moments
from treeprune.tree import loss

FILES = files("sklearn")
EXACT = [name for name in FILES if "gini" in name]


def _path(case):
    tree = case["tree"]
    structure = TreeStructure.from_arrays(
        tree["children_left"], tree["children_right"], tree["feature"], tree["threshold"], tree["missing_go_to_left"]
    )
    weight = np.array(tree["weighted_n_node_samples"])
    risk = np.array(tree["impurity"]) * weight / weight[0]
    return structure, risk, cost_complexity_path(structure, risk)


def _last_of_ties(alphas):
    """Positions in scikit-learn's list at which all links of an alpha have gone; it lists ties one by one."""
    alphas = np.array(alphas)
    ends = np.append(np.diff(alphas) > 1e-9 * alphas[1:], True)
    ends[0] = True  # the grown tree
    return np.flatnonzero(ends)


@pytest.mark.parametrize("name", FILES)
def test_alphas_are_scikit_learns_with_ties_listed_once(name):
    case = read(f"sklearn/{name}")
    _, risk, path = _path(case)
    ends = _last_of_ties(case["ccp_alphas"])
    theirs = np.array(case["ccp_alphas"])[ends]
    ours = path.price
    if path.n_levels > 1 and path.price[1] == 0 and len(theirs) < len(ours):  # zero-gain splits: ours alone go
        ours = ours[1:]
    assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-15 * risk[0])


@pytest.mark.parametrize("name", FILES)
def test_leaves_are_those_of_every_refit(name):
    case = read(f"sklearn/{name}")
    structure, risk, path = _path(case)
    ends = _last_of_ties(case["ccp_alphas"])
    compared = 0
    for k in ends[1:]:
        refit = case["refits"][k]
        level = int(path.levels_at(refit["ccp_alpha"] + 1e-12 * risk[0]))
        assert nodes_of(cut_at(structure, path.removed_at, level)) == sorted(refit["leaves"])
        assert path.n_leaves[level] == refit["n_leaves"]
        compared += 1
    assert compared >= 4
    assert nodes_of(cut_at(structure, path.removed_at, 0)) == sorted(case["refits"][0]["leaves"])


@pytest.mark.parametrize("name", EXACT)
def test_alphas_and_sizes_are_those_of_exact_rational_arithmetic(name):
    case = read(f"sklearn/{name}")
    _, _, path = _path(case)
    exact = [float(Fraction(alpha)) for alpha in case["exact"]["alphas_rational"]]
    assert path.price.tolist() == pytest.approx(exact, rel=1e-11, abs=1e-15)
    assert path.n_leaves.tolist() == case["exact"]["n_leaves"]


@pytest.mark.parametrize("name", FILES)
def test_impurities_of_the_path_are_sums_over_its_leaves(name):
    case = read(f"sklearn/{name}")
    _, risk, path = _path(case)
    total = path_sums(*_path(case)[:1], path.removed_at, risk)
    for k in _last_of_ties(case["ccp_alphas"])[1:]:
        level = int(path.levels_at(case["ccp_alphas"][k] + 1e-12 * risk[0]))
        assert total[level] == pytest.approx(case["impurities"][k], rel=1e-9, abs=1e-12 * risk[0])


@pytest.mark.parametrize("name", FILES)
def test_scores_on_test_rows_come_from_one_pass_over_them(name):
    case = read(f"sklearn/{name}")
    structure, risk, path = _path(case)
    X, y = table(case["dataset"])
    rows = np.array(case["test_index"])
    leaf = structure.route(X[rows].astype(np.float32))
    value = np.array(case["tree"]["value"])
    if "gini" in name:
        wrong = loss.misclassified(class_counts(structure, leaf, y[rows], value.shape[1]), value.argmax(axis=1))
        score = 1 - path_sums(structure, path.removed_at, wrong) / len(rows)
    else:
        value = value.reshape(-1)
        squared = loss.squared_error(target_moments(structure, leaf, y[rows], value[0]), value - value[0])
        score = path_sums(structure, path.removed_at, squared) / len(rows)
    key = "test_acc" if "gini" in name else "test_mse"
    for k in _last_of_ties(case["ccp_alphas"])[1:]:
        level = int(path.levels_at(case["refits"][k]["ccp_alpha"] + 1e-12 * risk[0]))
        assert score[level] == pytest.approx(case["refits"][k][key], rel=1e-9)
