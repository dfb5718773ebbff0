"""Numbers printed in books and documentation."""

from fractions import Fraction

import numpy as np
import pytest
from golden_trees import read
from trees import nodes_of, structure_of

from treeprune import (
    TreeStructure,
    added_errors,
    cost_complexity_path,
    cut_at,
    error_based_cut,
    path_sums,
    pessimistic_error_cut,
)

PRINTED = read("textbook.json")


def _rate(n, e, confidence, limit):
    return (e + float(added_errors(n, e, confidence, limit))) / n


@pytest.mark.parametrize("case", PRINTED["quinlan_c45_vote"]["cases"], ids=lambda c: f"{c['E']} of {c['N']}")
def test_quinlans_upper_limits_at_a_quarter(case):
    n, e = case["N"], case["E"]
    assert _rate(n, e, 0.25, "c4.5") == pytest.approx(case["published"], abs=6e-4)
    assert _rate(n, e, 0.25, "exact") == pytest.approx(case["exact_binomial"], rel=1e-9)
    assert _rate(n, e, 0.25, "weka") == pytest.approx(case["weka"], rel=1e-9)


def test_quinlans_congressional_subtree_is_replaced_by_a_leaf():
    book = PRINTED["quinlan_c45_vote"]
    tree = structure_of((None, (None, None)))  # leaves of 6, 9 and 1 rows without an error
    n, e = [16, 6, 10, 9, 1], [1, 0, 1, 0, 0]
    subtree = added_errors([6, 9, 1], [0, 0, 0]).sum()
    leaf = 1 + added_errors(16, 1)
    assert subtree == pytest.approx(book["published_subtree"], abs=1e-3)
    assert leaf == pytest.approx(book["published_leaf"], abs=6e-3)
    for limit in ("c4.5", "weka", "exact"):
        assert nodes_of(error_based_cut(tree, e, n, 0.25, limit)) == [0]
    assert 1 + added_errors(16, 1, 0.25, "exact") == pytest.approx(book["exact_leaf"], rel=1e-9)
    assert 1 + added_errors(16, 1, 0.25, "weka") == pytest.approx(book["weka_leaf"], rel=1e-9)


@pytest.mark.parametrize(("errors", "n"), [(2, 6), (5, 14)])
def test_witten_and_franks_labor_example_is_the_same_limit_without_the_correction(errors, n):
    """The book's formula takes f = E/N where C4.5 takes (E + 1/2)/N: half an error less is given."""
    book = next(case for case in PRINTED["witten_frank_labor"]["cases"] if (case["E"], case["N"]) == (errors, n))
    assert _rate(n, errors - 0.5, 0.25, "weka") == pytest.approx(book["formula_z_exact"], rel=1e-9)
    if errors == 2:
        assert _rate(n, errors - 0.5, 0.25, "weka") == pytest.approx(book["published"], abs=5e-3)


def test_the_weakest_link_of_the_course_notes_is_the_root():
    notes = PRINTED["google_doc_ccp"]
    tree = structure_of(((None, None), None))  # t1 -> t2 (two leaves), a leaf; risks in hundredths
    risk = np.array([25, 21, 2, 3, 1]) / 100
    path = cost_complexity_path(tree, risk)
    first = Fraction(notes["g_t1"])
    assert first < Fraction(notes["g_t2"])
    assert first == Fraction(19, 200)
    assert path.price.tolist() == pytest.approx([0, float(first)], rel=1e-12)
    assert path.n_leaves.tolist() == [3, 1]
    lower = cost_complexity_path(structure_of((None, None)), risk[[1, 2, 3]])  # t2 by itself
    assert lower.price[1] * 2 == pytest.approx(float(Fraction(notes["g_t2"])) * 2, rel=1e-12)


def test_the_published_cp_table_of_the_kyphosis_tree():
    # 17 of 81 rows; Start >= 8.5: 6, then 0 | 6 by Age: 0 | 6 into 2 | 3 errors; Start < 8.5: 8
    tree = structure_of(((None, (None, (None, None))), None))
    path = cost_complexity_path(tree, np.array([17, 6, 0, 6, 0, 6, 2, 3, 8]))
    table = np.array(PRINTED["rpart_published"]["published"]["kyphosis"])
    assert np.allclose(path.price[:0:-1] / 17, table[:-1, 0], atol=5e-9)  # the last cp is where growth stopped
    assert (path.n_leaves[::-1] - 1).tolist() == table[:, 1].tolist()
    relative = path_sums(tree, path.removed_at, np.array([17, 6, 0, 6, 0, 6, 2, 3, 8])) / 17
    assert np.allclose(relative[::-1], table[:, 2], atol=5e-8)


def test_a_chain_with_the_published_risks_of_the_mileage_tree_has_its_cps():
    table = np.array(PRINTED["rpart_published"]["published"]["car_mileage_weight"])
    tree = structure_of((None, (None, (None, None))))
    relative = table[:, 2]
    path = cost_complexity_path(tree, [relative[0], 0, relative[1], 0, relative[2], 0, relative[3]])
    assert np.allclose(path.price[:0:-1], table[:-1, 0], atol=1e-7)


@pytest.fixture
def documented():
    example = PRINTED["sklearn_docs_example"]
    stored = example["tree"]
    structure = TreeStructure.from_arrays(stored["children_left"], stored["children_right"])
    weight = np.array(stored["weighted_n_node_samples"])
    risk = np.array(stored["impurity"]) * weight / weight[0]
    return example, structure, risk, cost_complexity_path(structure, risk)


def test_scikit_learns_documentation_example_has_the_documented_sizes(documented):
    example, structure, _, path = documented
    assert np.allclose(path.price, example["ccp_alphas"], rtol=1e-9)
    assert (2 * path.n_leaves - 1).tolist() == example["node_counts"]
    depths = [structure.depth[cut_at(structure, path.removed_at, k)].max() for k in range(path.n_levels)]
    assert depths == example["depths"]


def test_scikit_learns_documentation_example_has_the_documented_curves(documented):
    example, structure, risk, path = documented
    value, test = np.array(example["tree"]["value"]), np.array(example["tree"]["test_counts"])
    train = value * np.array(example["tree"]["weighted_n_node_samples"])[:, None]
    for counts, name in ((train, "train"), (test, "test")):
        right = np.take_along_axis(counts, value.argmax(axis=1)[:, None], axis=1)[:, 0]
        accuracy = path_sums(structure, path.removed_at, right) / counts[0].sum()
        assert np.allclose(accuracy, example[name], rtol=1e-12)
    assert np.allclose(path_sums(structure, path.removed_at, risk), example["impurities"], atol=1e-12)
    chosen = int(path.levels_at(0.015))
    assert path.n_leaves[chosen] == example["alpha_0_015"]["n_leaves"]


def test_half_an_error_a_leaf_is_quinlans_correction():
    """A branch of 4 leaves without errors counts 2 errors of 20 rows, with SE sqrt(2 * 18 / 20)."""
    tree = structure_of(((None, None), (None, None)))
    n, limit = [20, 10, 5, 5, 10, 5, 5], 2 + np.sqrt(1.8) - 0.5  # 2.84
    assert nodes_of(pessimistic_error_cut(tree, [limit - 0.01, 9, 0, 0, 9, 0, 0], n)) == [0]
    assert nodes_of(pessimistic_error_cut(tree, [limit + 0.01, 9, 0, 0, 9, 0, 0], n)) == [2, 3, 5, 6]
