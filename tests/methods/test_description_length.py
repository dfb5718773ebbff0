"""Description length against codes counted out, and Kearns and Mansour's pruning against its inequality."""

from __future__ import annotations

from itertools import product
from math import comb, factorial, gamma, log2, pi, prod

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.datasets import load_dataset
from treeprune.tree.fitted import find_tree
from treeprune.tree.methods.kearns_mansour import penalty


@pytest.mark.parametrize("counts", [(4, 0), (2, 2), (5, 1, 3), (1, 1, 1, 1), (7,), (0, 3, 0, 2, 2)])
def test_the_exact_code_counts_the_labellings_of_each_composition(counts):
    n, k = sum(counts), len(counts)
    compositions = sum(1 for c in product(range(n + 1), repeat=k) if sum(c) == n)
    orders = factorial(n) // prod(map(factorial, counts))
    assert tp.leaf_bits([counts])[0] == pytest.approx(log2(compositions) + log2(orders), abs=1e-9)


@pytest.mark.parametrize("counts", [(4, 1), (5, 1, 3), (20, 20)])
def test_the_other_codes_are_their_formulas(counts):
    n, k = sum(counts), len(counts)
    mehta = sum(c * log2(n / c) for c in counts) + (k - 1) / 2 * log2(n / 2) + log2(pi ** (k / 2) / gamma(k / 2))
    assert tp.leaf_bits([counts], "mehta")[0] == pytest.approx(mehta)
    e = n - max(counts)
    most = n * (k - 1) // k
    exceptions = log2(k) + log2(most + 1) + log2(comb(n, e)) + e * log2(max(k - 1, 1))
    assert tp.leaf_bits([counts], "quinlan_rivest")[0] == pytest.approx(exceptions)


def test_no_rows_need_no_bits_and_the_asymptotic_form_goes_below_nothing():
    assert tp.leaf_bits([[0, 0, 0]], "exact")[0] == 0
    assert tp.leaf_bits(np.eye(26)[:1], "mehta")[0] == pytest.approx(-19.9, abs=0.1)  # n = 1, k = 26
    assert tp.leaf_bits(np.eye(26)[:1], "exact")[0] == pytest.approx(log2(26))


def cuts_of(structure, t=0):
    yield {t}
    if not structure.is_leaf[t]:
        for left in cuts_of(structure, structure.children_left[t]):
            for right in cuts_of(structure, structure.children_right[t]):
                yield left | right


def inner_of(structure, cut):
    above = set()
    for t in cut:
        while t:
            t = int(structure.parent[t])
            above.add(t)
    return above


@pytest.mark.parametrize("code", ["exact", "mehta", "quinlan_rivest"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_cut_of_a_small_tree_has_a_shorter_message(n_classes, code):
    rng = np.random.default_rng(n_classes)
    close = 0  # trees where a bit more or less for a split would change what is best
    for _ in range(60):
        n = int(rng.integers(12, 60))
        X = rng.normal(size=(n, 3))
        y = np.where(rng.random(n) < rng.uniform(0, 1), rng.integers(0, n_classes, n), (X[:, 0] > 0) + (X[:, 1] > 1))
        tree = find_tree(DecisionTreeClassifier(max_leaf_nodes=7, random_state=0).fit(X, np.minimum(y, n_classes - 1)))
        counts, structure = tree.counts(None)[:, 0], tree.structure
        bits = tp.leaf_bits(counts, code)

        def length(cut, extra=0.0, bits=bits, counts=counts, structure=structure):
            tests = [log2(3) + log2(max(counts[t].sum() - 1, 1)) + 1 + extra for t in inner_of(structure, cut)]
            return bits[sorted(cut)].sum() + len(cut) + sum(tests)

        cuts = list(cuts_of(structure))
        found = set(np.flatnonzero(tp.description_length_cut(structure, counts, 3, code)).tolist())
        assert length(found) == pytest.approx(min(map(length, cuts)), abs=1e-9)
        close += any(length(found, e) > min(length(cut, e) for cut in cuts) + 1e-9 for e in (-1, 1))
    assert close


def test_the_exact_code_prunes_many_classes_where_the_asymptotic_form_hardly_does():
    letter = load_dataset("letter")
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(4000) < 0.3, rng.permutation(letter.target[:4000]), letter.target[:4000])
    tree = DecisionTreeClassifier(random_state=0).fit(letter.data[:4000], noisy)
    leaves = {code: tp.prune(tree, "description_length", code=code).get_n_leaves() for code in ("exact", "mehta")}
    assert leaves["exact"] < 0.2 * tree.get_n_leaves() < 0.8 * tree.get_n_leaves() < leaves["mehta"]


@pytest.mark.parametrize("c", [0.0, 0.02, 0.1, 0.3])
def test_kearns_and_mansour_keep_a_branch_only_above_the_penalty(c):
    X, y = load_breast_cancer(return_X_y=True)
    grown = DecisionTreeClassifier(random_state=0).fit(X, y)
    tree = find_tree(grown)
    errors, n, structure = tree.error(None), tree.rows(None), tree.structure
    tests = 30 * (len(y) - 1)
    cut = tp.kearns_mansour_cut(structure, errors, n, tests, c)
    best, size = {}, {}
    for t in range(structure.n_nodes - 1, -1, -1):  # children have larger ids
        best[t], size[t] = errors[t], 1
        if structure.is_leaf[t]:
            continue
        left, right = structure.children_left[t], structure.children_right[t]
        branch, nodes = best[left] + best[right], size[left] + size[right] + 1
        allowed = c * np.sqrt(((structure.depth[t] + nodes) * np.log(tests) + np.log(len(y) / 0.05)) / n[t])
        if errors[t] / n[t] > branch / n[t] + allowed + 1e-12:
            best[t], size[t] = branch, nodes
    assert 2 * cut.sum() - 1 == size[0]
    assert errors[cut].sum() == best[0]


def test_the_bound_is_reported_and_called_vacuous_where_it_says_nothing():
    X, y = load_breast_cancer(return_X_y=True)
    pruner = tp.KearnsMansourPruner(c=0.1).fit(X, y)
    size = 2 * pruner.n_leaves_ - 1
    expected = 1 - pruner.score(X, y) + penalty(0, size, len(y), len(y), 30 * (len(y) - 1), 0.05)
    assert pruner.bound_ == pytest.approx(expected)
    assert not pruner.vacuous_
    assert tp.KearnsMansourPruner(c=0.0).fit(X[:60], y[:60]).vacuous_
