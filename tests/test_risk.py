"""What a leaf costs: named losses, matrices of costs, functions of one's own, and class priors."""

from __future__ import annotations

import numpy as np
import pytest
from models import classes, numbers
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import cut_matrix

import treeprune as tp
from treeprune.tree.fitted import find_tree
from treeprune.tree.rebuild import materialise
from treeprune.tree.risk import leaf_risk

X, Y = classes(300)
HELD, HELD_Y = X[200:], Y[200:]
TREE = DecisionTreeClassifier(max_leaf_nodes=9, min_samples_leaf=5, random_state=0).fit(X[:200], Y[:200])
N_CLASSES = len(TREE.classes_)
COSTS = np.array([[0, 1, 4], [2, 0, 1], [9, 3, 0]])[:N_CLASSES, :N_CLASSES].astype(float)


def every_pruning():
    tree = find_tree(TREE)
    return [materialise(TREE, tree.structure, cut) for cut in cut_matrix(tree.structure)]


def paid(model, X, y, weight=None):
    known = np.searchsorted(model.classes_, y), np.searchsorted(model.classes_, model.predict(X))
    return float(np.average(COSTS[known], weights=weight))


SCORES = {
    "error": lambda model: np.mean(model.predict(HELD) != HELD_Y),
    "log_loss": lambda model: log_loss(HELD_Y, model.predict_proba(HELD), labels=model.classes_),
    "brier": lambda model: ((model.predict_proba(HELD) - (HELD_Y[:, None] == model.classes_)) ** 2).sum(axis=1).mean(),
    "costs": lambda model: paid(model, HELD, HELD_Y),
}
RISK = {"costs": tp.MisclassificationCost(COSTS)}


@pytest.mark.parametrize("name", SCORES)
def test_reduced_error_pruning_is_the_best_of_all_prunings_on_the_held_out_rows(name):
    scores = [(SCORES[name](model), model.get_n_leaves()) for model in every_pruning()]
    best = min(score for score, _ in scores)
    smallest = min(size for score, size in scores if score <= best + 1e-9)
    found = tp.prune(TREE, "reduced_error", HELD, HELD_Y, risk=RISK.get(name, name))
    assert SCORES[name](found) == pytest.approx(best)
    assert found.get_n_leaves() == smallest


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("size", [2, 4, 6])
def test_optimal_pruning_is_the_best_of_its_size(name, size):
    best = min(SCORES[name](model) for model in every_pruning() if model.get_n_leaves() <= size)
    found = tp.prune(TREE, "optimal", HELD, HELD_Y, risk=RISK.get(name, name), max_leaf_nodes=size)
    assert SCORES[name](found) == pytest.approx(best)


@pytest.mark.parametrize("name", SCORES)
def test_a_cost_complexity_path_is_the_cheapest_pruning_at_every_alpha(name):
    path = tp.pruning_path(TREE, "cost_complexity", HELD, HELD_Y, risk=RISK.get(name, name))
    models = every_pruning()
    scores, sizes = (np.array([f(m) for m in models]) for f in (SCORES[name], lambda m: m.get_n_leaves()))
    for alpha in np.linspace(0, 1.2 * path.price[-1], 40):
        found = path.at(price=alpha)
        assert SCORES[name](found) + alpha * found.get_n_leaves() == pytest.approx((scores + alpha * sizes).min())


def test_brier_and_log_loss_are_those_of_scikit_learn():
    two = Y < 1
    grown = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X[:200], two[:200])
    tree = find_tree(grown)
    statistics, leaves = tree.statistics(HELD, two[200:]), tree.structure.is_leaf
    probability = grown.predict_proba(HELD)[:, 1]
    total = {risk: leaf_risk(tree, statistics, risk)[leaves].sum() / len(HELD) for risk in ("brier", "log_loss")}
    assert total["brier"] == pytest.approx(2 * brier_score_loss(two[200:], probability))
    assert total["log_loss"] == pytest.approx(log_loss(two[200:], probability))


def test_the_cheapest_label_is_what_rpart_charges():
    tree = find_tree(TREE)
    counts = tree.own_statistics.sums
    charged = leaf_risk(tree, None, tp.MisclassificationCost(COSTS, label="cheapest"))
    by_hand = [min(sum(n[i] * COSTS[i, j] for i in range(N_CLASSES)) for j in range(N_CLASSES)) for n in counts[:, 0]]
    assert charged == pytest.approx(by_hand)
    equal = tp.MisclassificationCost(1 - np.eye(N_CLASSES), label="cheapest")
    assert leaf_risk(tree, None, equal) == pytest.approx(tree.error(None))


@pytest.mark.parametrize("m", [0, 2, 30])
@pytest.mark.parametrize("prior", [None, [0.5, 0.3, 0.2]])
def test_expected_costs_are_those_of_the_m_estimate(m, prior):
    tree = find_tree(TREE)
    counts = tree.own_statistics.sums[:, 0]
    n = counts.sum(axis=1, keepdims=True)
    p = counts[0] / n[0] if prior is None else np.array(prior)
    cost = n[:, 0] * (((counts + m * p) / (n + m)) @ COSTS).min(axis=1)
    found = tp.minimum_error_cut(tree.structure, counts, m, prior, COSTS)
    np.testing.assert_array_equal(found, tp.optimal_cut(tree.structure, cost))
    pruned = tp.prune(TREE, "minimum_error", m=m, prior=prior, costs=COSTS)
    assert pruned.get_n_leaves() == found.sum()


def test_costs_of_one_are_no_costs():
    plain, charged = (tp.MinimumErrorPruner(m=5, costs=c).fit(X, Y) for c in (None, 1 - np.eye(N_CLASSES)))
    np.testing.assert_array_equal(plain.cut_, charged.cut_)


def test_a_function_of_ones_own_is_asked_with_counts_and_values():
    def no_false_zeros(sums, value):
        says_zero = value[:, 0].argmax(axis=1) == 0
        return np.where(says_zero, sums[:, 0, 1:].sum(axis=1) * 100, sums[:, 0, 0])

    pruner = tp.ReducedErrorPruner(TREE, risk=no_false_zeros, random_state=0).fit(X, Y)
    tree, rows = find_tree(pruner.grown_), pruner.validation_index_
    cost = no_false_zeros(tree.statistics(X[rows], Y[rows]).sums, tree.value)
    np.testing.assert_array_equal(pruner.cut_, tp.reduced_error_cut(tree.structure, cost))
    assert pruner.trace().attrs["left"] == "held-out risk as a leaf"


def test_a_function_of_a_regression_gets_moments_and_values_about_the_root():
    rows, target = numbers(240)
    target = target + 1e6

    def squares(sums, value):
        n, first, second = np.moveaxis(sums[:, 0], -1, 0)
        return second - 2 * value[:, 0] * first + value[:, 0] ** 2 * n

    grown = DecisionTreeRegressor(min_samples_leaf=5, random_state=0).fit(rows[:160], target[:160])
    own, named = (tp.prune(grown, "reduced_error", rows[160:], target[160:], risk=risk) for risk in (squares, "error"))
    np.testing.assert_array_equal(own.tree_.feature, named.tree_.feature)


def test_a_search_chooses_among_risks():
    grid = {"risk": ["impurity", "error", tp.MisclassificationCost(COSTS)]}
    search = GridSearchCV(tp.CostComplexityPruner(alpha=0.01), grid, cv=2).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        ("gini", "risk='gini': one of 'error', 'impurity', 'brier', 'log_loss' or a function is expected"),
        (COSTS, "of a matrix of costs make a MisclassificationCost"),
        (tp.MisclassificationCost(COSTS[:2]), "3 x 3 finite numbers are expected"),
        (tp.MisclassificationCost(np.ones((4, 4))), "3 x 3 finite numbers are expected"),
        (tp.MisclassificationCost(np.ones((3, 4))), "3 x 3 finite numbers are expected"),
        (tp.MisclassificationCost(np.ones((3, 3, 1))), "3 x 3 finite numbers are expected"),
        (tp.MisclassificationCost(np.full((3, 3), np.nan)), "3 x 3 finite numbers are expected"),
        (tp.MisclassificationCost("high"), "3 x 3 finite numbers are expected"),
        (tp.MisclassificationCost(COSTS, label="mine"), "label='mine': one of 'predicted', 'cheapest'"),
        (lambda sums, value: [1.0], "what risk returned"),
        (lambda sums, value: np.full(len(sums), np.nan), "what risk returned"),
    ],
)
def test_a_risk_that_is_none_is_refused(risk, words):
    with pytest.raises(ValueError, match=words):
        tp.prune(TREE, "reduced_error", HELD, HELD_Y, risk=risk)


@pytest.mark.parametrize("risk", ["brier", "log_loss"])
def test_losses_of_probabilities_are_not_for_regression(risk):
    with pytest.raises(ValueError, match="is of probabilities, and this is a regression tree"):
        tp.CostComplexityPruner(DecisionTreeRegressor(), risk=risk).fit(*numbers(60))


def test_costs_of_minimum_error_pruning_are_for_one_class_variable():
    with pytest.raises(ValueError, match=r"costs=array\((.|\n)* is for classification trees"):
        tp.MinimumErrorPruner(DecisionTreeRegressor(), costs=COSTS).fit(*numbers(60))
    with pytest.raises(ValueError, match="for one class variable, not for 2"):
        tp.MinimumErrorPruner(costs=COSTS).fit(X, np.column_stack([Y, Y]))


# ---- priors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_priors_become_the_shares_of_the_classes_at_the_root(weighted):
    words, priors = np.array(["no", "yes"])[load_breast_cancer().target], {"no": 0.9, "yes": 0.1}
    weight = np.random.default_rng(0).integers(1, 4, len(words)).astype(float) if weighted else None
    found = tp.prior_weight(words, priors, weight)
    data = load_breast_cancer().data
    tree = DecisionTreeClassifier(max_depth=2).fit(data, words, sample_weight=found)
    assert tree.tree_.value[0, 0] == pytest.approx([0.9, 0.1])
    assert found.sum() == pytest.approx(len(words) if weight is None else weight.sum())


def test_a_loss_under_priors_is_the_mean_of_the_losses_of_the_classes():
    priors = dict(zip(range(N_CLASSES), [0.6, 0.3, 0.1], strict=True))
    weight = tp.prior_weight(HELD_Y, priors)
    best = min(
        sum(p * paid(model, HELD[c == HELD_Y], HELD_Y[c == HELD_Y]) for c, p in priors.items())
        for model in every_pruning()
    )
    given = {"sample_weight": weight, "risk": tp.MisclassificationCost(COSTS)}
    found = tp.prune(TREE, "reduced_error", HELD, HELD_Y, **given)
    assert paid(found, HELD, HELD_Y, weight) == pytest.approx(best)


@pytest.mark.parametrize(
    ("priors", "words"),
    [
        ({0: 1.0}, r"lack the classes \[1, 2\]"),
        ({0: 0.5, 1: 0.4, 2: 0.2}, "1 in all"),
        ({0: 1.5, 1: -0.5, 2: 0.0}, "1 in all"),
        ({0: 0.2, 1: 0.2, 2: 0.2, 3: 0.4}, "1 in all"),
    ],
)
def test_priors_that_are_none_are_refused(priors, words):
    with pytest.raises(ValueError, match=words):
        tp.prior_weight(Y, priors)


def test_a_class_with_a_prior_needs_a_row_of_some_weight():
    with pytest.raises(ValueError, match="no row with a weight above 0"):
        tp.prior_weight([0, 1], {0: 0.5, 1: 0.5}, [0.0, 1.0])
    with pytest.raises(ValueError, match="one class a row is expected"):
        tp.prior_weight([[0], [1]], {0: 0.5, 1: 0.5})


@pytest.mark.parametrize("method", ["cost_complexity", "optimal"])
def test_where_the_root_costs_nothing_it_is_the_smallest_of_the_best(method):
    rng = np.random.default_rng(1)
    X = rng.integers(0, 5, (80, 3)).astype(float)
    y = (rng.random(80) < 0.35).astype(int)  # the root says 0, and only to say 1 may cost anything
    costs = tp.MisclassificationCost([[0, 6], [0, 0]])
    strength = {"alpha": 0.0} if method == "cost_complexity" else {"max_leaf_nodes": 99}
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert tp.prune(tree, method, risk=costs, **strength).get_n_leaves() == 1


def test_a_cost_matrix_scores_searches_by_what_mistakes_cost():
    X, y = load_breast_cancer(return_X_y=True)
    words = np.array(["malignant", "benign"])[y]
    costs = tp.MisclassificationCost([[0, 1], [20, 0]])  # in the order of classes_: benign, malignant
    search = tp.PrunerCV(tp.CostComplexityPruner(risk=costs), cv=5, scoring=costs.score).fit(X, words)
    folds = StratifiedKFold(5)
    by_hand = []
    for k, (growing, held_out) in enumerate(folds.split(X, words)):
        curve = search.curve_.of_repeat(k)
        tree = DecisionTreeClassifier(random_state=0).fit(X[growing], words[growing])
        said = tree.predict(X[held_out])
        cost = np.where(said == words[held_out], 0.0, np.where(words[held_out] == "malignant", 20.0, 1.0))
        by_hand.append((curve["test"][0], -cost.mean()))
    np.testing.assert_allclose(*zip(*by_hand, strict=True))
    with pytest.raises(AttributeError, match="cp_table_ is"):
        _ = search.cp_table_
    by_accuracy = tp.PrunerCV(tp.CostComplexityPruner(risk=costs), cv=5).fit(X, words)
    with pytest.raises(AttributeError, match="in one unit"):
        _ = by_accuracy.cp_table_
    with pytest.raises(ValueError, match="y holds 'other', for which there are no costs"):
        costs.score(search, X[:2], ["benign", "other"])


def test_a_risk_of_ones_own_may_write_into_what_it_is_given():
    X, y = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    before = tree.tree_.value.copy()
    counted = find_tree(tree).count(X, y)
    sums = counted.sums.copy()

    def risk(sums, value):
        value *= 0
        first = sums[:, 0, 0].astype(float)
        sums *= 0
        return first

    tp.prune(tree, "cost_complexity", alpha=0.01, risk=risk)
    tp.prune(tree, "reduced_error", statistics=counted, risk=risk)
    np.testing.assert_array_equal(tree.tree_.value, before)
    np.testing.assert_array_equal(counted.sums, sums)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: tp.prior_weight([0, 1], [0.5, 0.5]), "a probability for each class is expected"),
        (lambda: tp.prior_weight([0, 1], None), "a probability for each class is expected"),
        (lambda: tp.prior_weight([0, 1], {0: 0.5, 1: None}), "a probability for each class is expected"),
        (lambda: tp.prior_weight(["a", None], {"a": 1.0}), "y has gaps"),
        (
            lambda: tp.prune(
                DecisionTreeRegressor().fit([[0.0], [1.0]], [0, 1]),
                "cost_complexity",
                alpha=0.1,
                risk=tp.MisclassificationCost([[0, 1], [1, 0]]),
            ),
            "is of classes, and this is a regression tree",
        ),
    ],
)
def test_priors_and_costs_that_are_none_are_said(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
