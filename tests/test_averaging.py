"""Averaging over all prunings against the average written out, cut by cut."""

from __future__ import annotations

import warnings
from fractions import Fraction
from math import exp, factorial, prod

import numpy as np
import pytest
from models import TASKS, classes, grown, rows_of, stem, ways, weights
from scipy import integrate, stats
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks
from trees import cut_matrix, leaves_below, literal_sums, random_tree

import treeprune as tp
from treeprune.study.design import Study
from treeprune.tree.fitted import find_tree
from treeprune.tree.stopping import node_means

AVERAGERS = [
    tp.TreeAverager(),
    tp.TreeAverager(DecisionTreeClassifier(random_state=0), estimate="observed", stop_prior=0.3),
    tp.TreeAverager(DecisionTreeRegressor(random_state=0)),
]


@parametrize_with_checks(AVERAGERS)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


# ---- all cuts, written out -------------------------------------------------------------------------------------------


def posterior_of_cuts(structure, evidence, stop):
    """Every cut with prior times evidence, from the definition: a node is a leaf with the stop prior, or is split."""
    cuts = cut_matrix(structure)
    joint = []
    for cut in cuts:
        split = [t for t in structure.inner if not cut[t] and is_above(structure, cut, t)]
        stopped = [t for t in structure.inner if cut[t]]
        joint.append((1 - stop) ** len(split) * stop ** len(stopped) * np.exp(evidence[cut].sum()))
    return cuts, np.array(joint)


def is_above(structure, cut, t):
    """Whether the node is split in the cut: whether none above it is a leaf."""
    while t >= 0:
        if cut[t]:
            return False
        t = structure.parent[t]
    return True


def small_trees(n=40, n_leaves=8):
    """Draw small trees with the counts of three classes, few enough to tie and to leave nodes without rows."""
    for seed in range(n):
        rng = np.random.default_rng(seed)
        structure = random_tree(rng, int(rng.integers(1, n_leaves)))
        at_leaves = rng.integers(0, 4, (structure.n_nodes, 3)) * (rng.random((structure.n_nodes, 1)) < 0.8)
        yield rng, structure, literal_sums(structure, at_leaves)


@pytest.mark.parametrize("stop", [0.5, 0.1, 0.9])
def test_the_mixture_is_the_sum_over_all_cuts_of_prior_and_evidence(stop):
    for _, structure, counts in small_trees():
        evidence = tp.class_evidence(counts)
        _, joint = posterior_of_cuts(structure, evidence, stop)
        assert np.exp(tp.mixture_evidence(structure, evidence, stop)[0]) == pytest.approx(joint.sum(), rel=1e-10)
        _, prior = posterior_of_cuts(structure, np.zeros(structure.n_nodes), stop)
        assert prior.sum() == pytest.approx(1)


@pytest.mark.parametrize("stop", [0.5, 0.1, 0.9])
def test_the_posterior_of_stopping_is_the_share_of_the_cuts_that_stop_of_those_that_come_so_far(stop):
    for _, structure, counts in small_trees():
        evidence = tp.class_evidence(counts)
        cuts, joint = posterior_of_cuts(structure, evidence, stop)
        found = tp.stopping_posterior(structure, evidence, stop)
        for t in range(structure.n_nodes):
            comes = np.array([t == 0 or is_above(structure, cut, structure.parent[t]) for cut in cuts])
            assert found[t] == pytest.approx(joint[cuts[:, t]].sum() / joint[comes].sum(), rel=1e-9)


@pytest.mark.parametrize("stop", [0.5, 0.1, 0.9])
def test_averaged_values_are_the_average_over_all_cuts(stop):
    for rng, structure, counts in small_trees():
        evidence = tp.class_evidence(counts)
        value = rng.random((structure.n_nodes, 2, 3))
        cuts, joint = posterior_of_cuts(structure, evidence, stop)
        mixed = tp.averaged_values(structure, tp.stopping_posterior(structure, evidence, stop), value)
        for leaf in leaves_below(structure, 0):
            way = [leaf]
            while way[-1]:
                way.append(int(structure.parent[way[-1]]))
            says = np.array([value[next(t for t in way if cut[t])] for cut in cuts])
            np.testing.assert_allclose(mixed[leaf], np.average(says, axis=0, weights=joint), rtol=1e-9)


def test_an_inner_node_says_the_average_of_the_cuts_that_go_no_deeper_there():
    for rng, structure, counts in small_trees():
        stopping = tp.stopping_posterior(structure, tp.class_evidence(counts))
        value = rng.random(structure.n_nodes)
        mixed = tp.averaged_values(structure, stopping, value)
        for t in structure.inner:
            ends_there = stopping.copy()
            ends_there[t] = 1.0
            below = tp.averaged_values(structure, ends_there, value)
            assert all(below[leaf] == pytest.approx(mixed[t]) for leaf in leaves_below(structure, t))


@pytest.mark.parametrize("stop", [0.5, 0.1, 0.9])
def test_the_map_cut_is_the_best_of_all_cuts_and_the_smallest_of_those(stop):
    ties = 0
    for rng, structure, counts in small_trees(60):
        for evidence in (tp.class_evidence(counts), np.log(rng.choice([0.25, 0.5, 1.0], structure.n_nodes))):
            cuts, joint = posterior_of_cuts(structure, evidence, stop)
            best = np.flatnonzero(np.isclose(joint, joint.max(), rtol=1e-10, atol=0))
            ties += len(best) > 1
            found = tp.map_cut(structure, evidence, stop)
            assert found.tolist() in cuts[best].tolist()
            assert found.sum() == cuts[best].sum(axis=1).min()
    assert ties > 0 or stop != 0.5


# ---- what a node says of its rows ------------------------------------------------------------------------------------


def test_class_evidence_is_the_product_of_what_is_predicted_row_after_row():
    rng = np.random.default_rng(0)
    for beta in (Fraction(1, 2), Fraction(1), Fraction(3, 10)):
        rows = rng.integers(0, 3, 12)
        seen, chance = [0, 0, 0], Fraction(1)
        for c in rows:
            chance *= (seen[c] + beta) / (sum(seen) + 3 * beta)
            seen[c] += 1
        assert exp(tp.class_evidence([seen], float(beta))[0]) == pytest.approx(float(chance), rel=1e-12)


def test_with_one_row_a_class_every_outcome_of_the_counts_is_as_likely():
    counts = np.array([[3, 2, 1], [6, 0, 0]])
    orders = [factorial(6) / prod(map(factorial, row)) for row in counts.tolist()]
    np.testing.assert_allclose(np.exp(tp.class_evidence(counts, 1.0)) * orders, 1 / 28)  # 8 over 2 possible counts


@pytest.mark.slow
def test_normal_evidence_is_the_integral_over_means_and_variances():
    y, all_rows = np.array([1.0, 1.5, 4.0]), np.array([1.0, 1.5, 4.0, -2.0, 0.3])
    stump = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    m, v, a = all_rows.mean(), all_rows.var(), 1.0

    def joint(mean, log_variance):
        variance = np.exp(log_variance)
        rows = stats.norm.pdf(y, mean, np.sqrt(variance)).prod()
        prior = stats.norm.pdf(mean, m, np.sqrt(variance / a)) * stats.invgamma.pdf(variance, a / 2, scale=a * v / 2)
        return rows * prior * variance

    exact, _ = integrate.dblquad(joint, -8, 12, lambda _: -60, lambda _: 60, epsabs=1e-10)
    for center in (0.0, 3.0):
        moments = tp.target_moments(stump, [1, 1, 1, 2, 2], all_rows, center)
        assert exp(tp.normal_evidence(moments)[1]) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("prior_rows", [0.3, 1.0, 7.0])
def test_normal_evidence_is_the_density_of_a_multivariate_t(prior_rows):
    """Means and variances integrated away, the rows of a node are t with ``prior_rows`` degrees of freedom."""
    y = np.random.default_rng(0).gamma(2.0, size=(9, 2))
    structure = tp.TreeStructure.from_arrays([1, -1, 3, -1, -1], [2, -1, 4, -1, -1])
    rows = [range(9), range(1), range(1, 9), range(1, 5), range(5, 9)]
    moments = tp.target_moments(structure, [1, *[3] * 4, *[4] * 4], y, center=y[2])
    found = tp.normal_evidence(moments, prior_rows)
    one = tp.normal_evidence(moments[:, 0], prior_rows)
    for t, own in enumerate(rows):
        shape = np.eye(len(own)) + 1 / prior_rows
        expected = [
            stats.multivariate_t.logpdf(y[list(own), j], np.full(len(own), m), v * shape, df=prior_rows)
            for j, (m, v) in enumerate(zip(y.mean(axis=0), y.var(axis=0), strict=True))
        ]
        assert found[t] == pytest.approx(sum(expected))
        assert one[t] == pytest.approx(expected[0])


@pytest.mark.parametrize("unit", [1e-4, 1000])
def test_units_of_the_target_do_not_matter(unit):
    X, y = rows_of("numbers")
    tree = find_tree(stem("numbers").fit(X, y))
    leaf, center = tree.apply(X), y.mean() + 1
    plain = tp.normal_evidence(tp.target_moments(tree.structure, leaf, y, center))
    other = tp.normal_evidence(tp.target_moments(tree.structure, leaf, unit * y - 5, unit * center - 5))
    rows = tree.structure.sum_up(np.bincount(leaf, minlength=tree.structure.n_nodes))
    np.testing.assert_allclose(other, plain - rows * np.log(unit), rtol=1e-6)  # a density is in rows per unit
    np.testing.assert_allclose(
        tp.stopping_posterior(tree.structure, other), tp.stopping_posterior(tree.structure, plain), rtol=1e-6
    )


def test_a_node_without_rows_says_nothing_of_itself_and_what_its_parent_says():
    tree = tp.TreeStructure.from_arrays([1, 3, -1, -1, -1], [2, 4, -1, -1, -1])
    counts = np.array([[4, 2], [0, 0], [4, 2], [0, 0], [0, 0]])
    assert tp.class_evidence(counts)[1] == 0
    assert tp.stopping_posterior(tree, tp.class_evidence(counts), 0.3)[1] == pytest.approx(0.3)
    shares = node_means(tree, counts, counts.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(shares, np.full((5, 2), [2 / 3, 1 / 3]))
    moments = np.array([[6.0, 3.0, 9.0], [0, 0, 0], [6.0, 3.0, 9.0], [0, 0, 0], [0, 0, 0]])
    assert tp.normal_evidence(moments)[1] == pytest.approx(0)


def test_a_chain_of_5000_nodes_neither_overflows_nor_vanishes():
    n_inner = 2500
    left = np.full(2 * n_inner + 1, -1)
    right = left.copy()
    left[:-1:2], right[:-1:2] = np.arange(1, 2 * n_inner, 2), np.arange(2, 2 * n_inner + 1, 2)
    chain = tp.TreeStructure.from_arrays(left, right)
    at_leaf = np.zeros((chain.n_nodes, 2), dtype=int)
    at_leaf[chain.is_leaf, np.arange(chain.n_leaves) % 2] = 400
    counts = chain.sum_up(at_leaf)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evidence = tp.class_evidence(counts)
        stopping = tp.stopping_posterior(chain, evidence)
        mixed = tp.averaged_values(chain, stopping, (counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 1))
        cut = tp.map_cut(chain, evidence)
    assert np.isfinite(tp.mixture_evidence(chain, evidence)).all()
    assert stopping.min() >= 0
    assert stopping.max() <= 1
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-10)
    assert cut.sum() == chain.n_leaves  # 400 rows a leaf of one class each
    assert (mixed[chain.is_leaf].argmax(axis=1) == np.arange(chain.n_leaves) % 2).all()


# ---- the estimators --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, np.random.default_rng(0).integers(1, 4, 150)])
@pytest.mark.parametrize("estimate", ["smoothed", "observed"])
def test_each_row_is_told_the_average_along_its_path(estimate, weight):
    X, y = load_iris(return_X_y=True)
    soft = tp.TreeAverager(estimate=estimate, beta=0.7, stop_prior=0.4).fit(X, y, weight)
    tree = soft.grown_.tree_
    n = tree.weighted_n_node_samples[:, None]
    extra = 0.7 if estimate == "smoothed" else 0.0
    says = (tree.value[:, 0] * n + extra) / (n + 3 * extra)
    for row, passed in zip(soft.predict_proba(X), ways(soft.grown_, X), strict=True):
        expected, reached = np.zeros(3), 1.0
        for t in np.flatnonzero(passed):  # ids grow downwards
            expected += reached * soft.stopping_[t] * says[t]
            reached *= 1 - soft.stopping_[t]
        np.testing.assert_allclose(row, expected, atol=1e-12)


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_the_result_is_a_tree_of_scikit_learn_with_the_same_splits(task):
    X, y = rows_of(task)
    soft = tp.TreeAverager(stem(task)).fit(X, y)
    assert type(soft.estimator_) is type(stem(task))
    np.testing.assert_array_equal(soft.estimator_.tree_.threshold, soft.grown_.tree_.threshold)
    assert soft.score(X, y) == soft.estimator_.score(X, y)
    assert soft.n_leaves_ == soft.grown_.get_n_leaves()


def test_pruner_and_averager_are_of_one_posterior():
    for task in ("classes", "numbers"):
        X, y = rows_of(task)
        hard, soft = (kind(stem(task)).fit(X, y, weights()) for kind in (tp.AveragingPruner, tp.TreeAverager))
        np.testing.assert_array_equal(hard.stopping_, soft.stopping_)
        tree = find_tree(hard.grown_)
        counts = tree.count(X, y, weights()).sums
        evidence = tp.class_evidence(counts[:, 0]) if task == "classes" else tp.normal_evidence(counts)
        np.testing.assert_array_equal(tp.map_cut(tree.structure, evidence), hard.cut_)


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_row_of_weight_two_is_two_rows(task):
    X, y = rows_of(task)
    times = np.random.default_rng(1).integers(0, 3, len(y))
    soft = tp.TreeAverager(stem(task, min_samples_leaf=1)).fit(X, y)
    for kind in (tp.TreeAverager, tp.AveragingPruner):
        frozen = kind(FrozenEstimator(soft.grown_))
        weighted, repeated = clone(frozen).fit(X, y, times), clone(frozen).fit(np.repeat(X, times, 0), y.repeat(times))
        np.testing.assert_allclose(weighted.stopping_, repeated.stopping_, rtol=1e-9)
        np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)


def test_words_for_classes_and_an_order_of_rows_change_nothing():
    X, y = classes()
    words = np.array(["b", "a word", "c"])
    codes = tp.TreeAverager(stem("classes")).fit(X, y, weights())
    named = tp.TreeAverager(stem("classes")).fit(X, words[y], weights())
    np.testing.assert_allclose(named.predict_proba(X)[:, [1, 0, 2]], codes.predict_proba(X), rtol=1e-9)
    assert set(named.predict(X)) <= set(words)


def test_a_pure_tree_a_single_leaf_and_a_single_class_are_averaged():
    X = np.arange(40.0)[:, None]
    pure = tp.TreeAverager().fit(X, X[:, 0] > 19)
    assert pure.score(X, X[:, 0] > 19) == 1
    assert 0 < pure.predict_proba(X).min() < 0.05
    leaf = tp.TreeAverager(DecisionTreeClassifier(max_depth=1, min_samples_leaf=30)).fit(X, X[:, 0] > 9)
    np.testing.assert_allclose(leaf.predict_proba(X[:1]), [[10.5 / 41, 30.5 / 41]])
    single = tp.TreeAverager().fit(X, np.ones(40))
    np.testing.assert_array_equal(single.predict_proba(X), np.ones((40, 1)))
    level = tp.TreeAverager(DecisionTreeRegressor()).fit(X, np.full(40, 0.1))
    np.testing.assert_allclose(level.predict(X), 0.1)


@pytest.mark.parametrize("name", ["missing values", "missing numbers", "sparse rows", "several classes", "balanced"])
def test_rows_with_gaps_sparse_rows_several_outputs_and_class_weights_are_averaged(name):
    case = grown(name if name != "balanced" else "DecisionTreeClassifier balanced")
    soft = tp.TreeAverager(case.tree).fit(case.X, case.y)
    assert soft.predict(case.X).shape == np.shape(case.y)
    if name != "missing numbers":
        shares = soft.predict_proba(case.X)
        for of_output in shares if isinstance(shares, list) else [shares]:
            np.testing.assert_allclose(of_output.sum(axis=1), 1)


def test_each_output_of_several_has_its_own_number_of_classes():
    case = grown("several classes")
    soft = tp.TreeAverager(case.tree).fit(case.X, case.y)
    three, two = soft.predict_proba(case.X)
    assert (three.shape[1], two.shape[1]) == (3, 2)
    np.testing.assert_allclose(three.sum(axis=1), 1)
    np.testing.assert_allclose(two.sum(axis=1), 1)
    counts = find_tree(soft.grown_).count(case.X, case.y).sums
    alone = tp.class_evidence(counts[:, 0]) + tp.class_evidence(counts[:, 1, :2])
    np.testing.assert_allclose(tp.class_evidence(counts, n_classes=[3, 2]), alone)


def test_held_out_rows_that_lack_a_class_average_a_frozen_tree():
    (X, y), (X_new, y_new) = classes(), classes(150, seed=1)
    tree = stem("classes").fit(X, y)
    soft = tp.TreeAverager(FrozenEstimator(tree)).fit(X_new[y_new != 1], y_new[y_new != 1])
    assert soft.grown_ is tree
    assert soft.predict_proba(X).shape == (240, 3)
    assert soft.predict_proba(X)[:, 1].max() < 1 / 3 + 1e-12
    with pytest.raises(ValueError, match="two are needed"):
        tp.TreeAverager(FrozenEstimator(tree)).fit(X[:1], y[:1])


def test_searches_and_pipelines_take_it():
    X, y = load_breast_cancer(return_X_y=True)
    grid = {"stop_prior": [0.1, 0.5, 0.9], "estimator__min_samples_leaf": [1, 5]}
    search = GridSearchCV(tp.TreeAverager(DecisionTreeClassifier(random_state=0)), grid, scoring="neg_log_loss", cv=3)
    assert search.fit(X, y).best_score_ > -0.3
    assert cross_val_score(make_pipeline(StandardScaler(), tp.TreeAverager()), X, y, cv=3).mean() > 0.85
    inside = tp.TreeAverager(make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))).fit(X, y)
    assert inside.estimator_[-1].tree_.node_count == inside.grown_[-1].tree_.node_count
    chosen = tp.PrunerCV(tp.AveragingPruner(), {"stop_prior": [0.1, 0.5, 0.99]}, cv=3).fit(X, y)
    assert 1 < chosen.n_leaves_ <= chosen.grown_.get_n_leaves()


def test_the_average_has_a_smaller_loss_on_new_rows_than_the_grown_tree_and_than_the_map_cut():
    for load, kind in ((load_breast_cancer, DecisionTreeClassifier), (load_diabetes, DecisionTreeRegressor)):
        X, y = load(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(y))
        old, new = order[::2], order[1::2]
        fitted = [m(kind(random_state=0)).fit(X[old], y[old]) for m in (tp.TreeAverager, tp.AveragingPruner)]
        fitted.append(kind(random_state=0).fit(X[old], y[old]))
        if kind is DecisionTreeClassifier:
            soft, hard, full = (log_loss(y[new], m.predict_proba(X[new])) for m in fitted)
        else:
            soft, hard, full = (np.mean((y[new] - m.predict(X[new])) ** 2) for m in fitted)
        assert soft < hard
        assert soft < full


def test_both_sides_of_the_comparison_say_the_log_odds_of_the_likeliest_branch():
    X, y = load_breast_cancer(return_X_y=True)
    pruner = tp.AveragingPruner().fit(X, y)
    tree, table = find_tree(pruner.grown_), pruner.trace().set_index("node")
    evidence = tp.class_evidence(tree.own_statistics.sums[:, 0])
    assert table.loc[0, "left"] == pytest.approx(-evidence[0] + np.log(2))
    leaves = np.flatnonzero(pruner.cut_)
    likeliest = evidence[leaves].sum() - (len(leaves) - 1 + (~tree.structure.is_leaf[leaves]).sum()) * np.log(2)
    assert table.loc[0, "right"] == pytest.approx(-likeliest)


def test_a_study_compares_both_by_name():
    study = Study(methods=["averaging", "averaging_soft"])
    assert study.methods == ("unpruned", "averaging", "averaging_soft")


def test_curves_run_over_the_prior():
    X, y = classes()
    tree = stem("classes").fit(X, y)
    cuts = tp.pruning_cuts(tree, "averaging", stop_prior=[0.01, 0.5, 0.999])
    curve = tp.pruning_curve(tree, cuts, X, y, *classes(500, seed=3))
    assert curve.n_leaves.tolist() == cuts.n_leaves.tolist()
    assert ("averaging", "numbers") in TASKS


@pytest.mark.parametrize(
    ("parameter", "wrong"),
    [("beta", [0, -1, "1", None, np.inf]), ("stop_prior", [0, 1, 1.5, None]), ("estimate", ["mean", None])],
)
def test_a_parameter_out_of_range_is_said(parameter, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"{parameter}="):
            tp.TreeAverager(**{parameter: value}).fit(*load_iris(return_X_y=True))


def test_trees_that_hold_to_constraints_and_wrong_arrays_are_refused():
    case = grown("monotone numbers")
    with pytest.raises(ValueError, match="monotone constraints"):
        tp.TreeAverager(clone(case.tree)).fit(case.X, case.y)
    stump = tp.TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    with pytest.raises(ValueError, match="log_evidence is -inf at node 1"):
        tp.map_cut(stump, [0, -np.inf, 0])
    with pytest.raises(ValueError, match="probabilities are at most 1"):
        tp.averaged_values(stump, [1.5, 1, 1], [0, 0, 0])
    with pytest.raises(ValueError, match="no rows at the root"):
        tp.normal_evidence(np.zeros((3, 3)))
