"""What rows say about nodes: counts, moments and losses, against sums over the rows themselves."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import mean_squared_error
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from trees import leaves_below, random_tree

from treeprune import TreeStructure, class_counts, target_moments
from treeprune.tree import loss


def _case(seed=0, n_rows=200, n_leaves=25, n_outputs=None):
    """Rows at the leaves of a random tree, and for each node which rows reach it."""
    rng = np.random.default_rng(seed)
    structure = random_tree(rng, n_leaves)
    leaf = rng.choice(np.flatnonzero(structure.is_leaf), n_rows)
    shape = n_rows if n_outputs is None else (n_rows, n_outputs)
    reaches = [np.isin(leaf, leaves_below(structure, t)) for t in range(structure.n_nodes)]
    return rng, structure, leaf, shape, reaches


def test_class_counts_are_the_rows_of_each_class_that_reach_each_node():
    rng, structure, leaf, shape, reaches = _case()
    codes = rng.integers(0, 3, shape)
    counts = class_counts(structure, leaf, codes, 4)  # the fourth class is absent
    assert counts.dtype.kind == "i"
    assert counts.tolist() == [[int((codes[rows] == c).sum()) for c in range(4)] for rows in reaches]
    assert not counts[:, 3].any()


def test_weights_are_summed_and_each_output_has_its_own_counts():
    rng, structure, leaf, shape, reaches = _case(1, n_outputs=2)
    codes, weight = rng.integers(0, 3, shape), rng.integers(0, 9, len(leaf)) / 8
    counts = class_counts(structure, leaf, codes, 3, weight)
    assert counts.shape == (structure.n_nodes, 2, 3)
    for t, rows in enumerate(reaches):
        for output in range(2):
            expected = [weight[rows & (codes[:, output] == c)].sum() for c in range(3)]
            assert counts[t, output].tolist() == expected  # eighths are exact in binary


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_moments_are_sums_over_the_rows_that_reach_each_node(n_outputs):
    rng, structure, leaf, shape, reaches = _case(2, n_outputs=n_outputs)
    y, weight = rng.integers(-40, 40, shape) / 4, rng.integers(0, 5, len(leaf)).astype(float)
    moments = target_moments(structure, leaf, y, center=0.25, sample_weight=weight)
    assert moments.shape == (structure.n_nodes, *y.shape[1:], 3)
    for t, rows in enumerate(reaches):
        w = weight[rows] if n_outputs is None else weight[rows, None]
        for k in range(3):
            assert np.array_equal(moments[t, ..., k], (w * (y[rows] - 0.25) ** k).sum(axis=0))


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_a_row_of_weight_two_is_two_rows(n_outputs):
    rng, structure, leaf, shape, _ = _case(3, n_outputs=n_outputs)
    weight = rng.integers(0, 4, len(leaf))
    codes, y = rng.integers(0, 3, shape), rng.integers(-9, 9, shape)
    again = np.repeat(np.arange(len(leaf)), weight)
    assert np.array_equal(
        class_counts(structure, leaf, codes, 3, weight), class_counts(structure, leaf[again], codes[again], 3)
    )
    assert np.array_equal(
        target_moments(structure, leaf, y, 1.0, weight), target_moments(structure, leaf[again], y[again], 1.0)
    )


@pytest.mark.parametrize("cuts", [[70], [0, 199], [50, 50, 120]])  # an empty chunk is a chunk
def test_statistics_of_chunks_add_up_to_those_of_all_rows(cuts):
    rng, structure, leaf, shape, _ = _case(4)
    codes, y = rng.integers(0, 3, shape), rng.integers(-9, 9, shape)
    parts = np.split(np.arange(len(leaf)), cuts)
    assert np.array_equal(
        sum(class_counts(structure, leaf[p], codes[p], 3) for p in parts), class_counts(structure, leaf, codes, 3)
    )
    assert np.array_equal(
        sum(target_moments(structure, leaf[p], y[p]) for p in parts), target_moments(structure, leaf, y)
    )


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_impurities_are_those_of_the_tree_that_scikit_learn_grew(criterion, weighted):
    rng = np.random.default_rng(5)
    X, codes = rng.random((300, 4)), rng.integers(0, 3, 300)
    weight = rng.random(300) if weighted else None
    model = DecisionTreeClassifier(criterion=criterion, random_state=0).fit(X, codes, sample_weight=weight)
    tree = model.tree_
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    counts = class_counts(structure, model.apply(X), codes, 3, weight)
    assert np.allclose(getattr(loss, criterion)(counts), tree.impurity * tree.weighted_n_node_samples, atol=1e-9)
    assert np.allclose(counts / counts.sum(axis=1, keepdims=True), tree.value[:, 0], atol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
def test_sums_of_squares_about_the_mean_do_not_feel_an_offset_of_the_target(offset):
    rng, structure, leaf, shape, reaches = _case(6)
    y = rng.integers(-100, 100, shape) / 16 + offset
    # the centre need only be near: the mean of the root rounded to a sixteenth, so that all is exact
    moments = target_moments(structure, leaf, y, center=np.round(y.mean() * 16) / 16)
    exact = []
    for rows in reaches:
        values = [Fraction(v) for v in y[rows].tolist()]
        mean = sum(values) / len(values) if values else 0
        exact.append(float(sum((v - mean) ** 2 for v in values)))
    assert np.allclose(loss.variance(moments), exact, rtol=1e-13, atol=1e-10)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
def test_squared_error_on_new_rows_is_exact_however_far_the_target_lies_from_zero(offset):
    rng, structure, leaf, shape, reaches = _case(7)
    y = rng.integers(-100, 100, shape) / 16 + offset
    value = rng.integers(-100, 100, structure.n_nodes) / 16 + offset  # what each node predicts
    moments = target_moments(structure, leaf, y, center=value[0])
    exact = [float(sum((Fraction(v) - Fraction(value[t])) ** 2 for v in y[rows])) for t, rows in enumerate(reaches)]
    assert loss.squared_error(moments, value - value[0]).tolist() == exact


def test_moments_about_zero_would_be_wrong_there():
    y = np.array([0.0, 0.25, 0.5]) + 1e9
    single = TreeStructure.from_arrays([-1], [-1])
    about_zero = loss.variance(target_moments(single, [0, 0, 0], y))
    about_mean = loss.variance(target_moments(single, [0, 0, 0], y, center=1e9))
    assert about_mean.tolist() == [0.125]
    assert abs(about_zero[0] - 0.125) > 0.1


def test_squared_error_is_never_negative():
    moments = target_moments(TreeStructure.from_arrays([-1], [-1]), [0, 0, 0], [0.1, 0.1, 0.1])
    assert loss.squared_error(moments, np.array([0.1]))[0] >= 0
    assert loss.variance(moments)[0] >= 0


def test_nodes_without_rows_cost_nothing():
    assert loss.misclassified(np.zeros((1, 3)), np.array([1])).tolist() == [0]
    assert loss.brier(np.zeros((1, 2)), np.array([[0.3, 0.7]])).tolist() == [0]
    assert loss.log_loss(np.zeros((1, 2)), np.array([[0.0, 1.0]])).tolist() == [0]
    for impurity in (loss.gini, loss.entropy):
        assert impurity(np.zeros((1, 3))).tolist() == [0]
    assert loss.variance(np.zeros((1, 3))).tolist() == [0]
    assert loss.squared_error(np.zeros((1, 3)), np.array([2.0])).tolist() == [0]


def test_losses_of_a_node_are_those_scikit_learn_measures_on_its_rows():
    rng, structure, leaf, shape, reaches = _case(8)
    codes, weight = rng.integers(0, 3, shape), rng.integers(1, 5, len(leaf))
    probability = rng.dirichlet(np.ones(3), structure.n_nodes)
    counts = class_counts(structure, leaf, codes, 3, weight)
    wrong = loss.misclassified(counts, probability.argmax(axis=1))
    brier, log = loss.brier(counts, probability), loss.log_loss(counts, probability)
    for t, rows in enumerate(reaches):
        w, p = weight[rows], np.tile(probability[t], (rows.sum(), 1))
        assert wrong[t] == w[codes[rows] != probability[t].argmax()].sum()
        assert brier[t] == pytest.approx((w * ((np.eye(3)[codes[rows]] - p) ** 2).sum(axis=1)).sum())
        if rows.any():
            expected = sklearn_log_loss(codes[rows], p, sample_weight=w, labels=[0, 1, 2], normalize=False)
            assert log[t] == pytest.approx(expected)


def test_a_class_of_probability_zero_costs_the_log_of_one_float_step():
    counts, certain = np.array([[2, 1]]), np.array([[1.0, 0.0]])
    expected = sklearn_log_loss([0, 0, 1], np.tile(certain, (3, 1)), normalize=False)
    assert loss.log_loss(counts, certain)[0] == pytest.approx(expected)


def test_several_outputs_are_averaged():
    rng, structure, leaf, shape, reaches = _case(9, n_outputs=2)
    y, codes = rng.random(shape), rng.integers(0, 3, shape)
    value, label = rng.random((structure.n_nodes, 2)), rng.integers(0, 3, (structure.n_nodes, 2))
    squared = loss.squared_error(target_moments(structure, leaf, y, value[0]), value - value[0])
    wrong = loss.misclassified(class_counts(structure, leaf, codes, 3), label)
    for t, rows in enumerate(reaches):
        assert wrong[t] == (codes[rows] != label[t]).sum() / 2
        if rows.any():
            mse = mean_squared_error(y[rows], np.tile(value[t], (rows.sum(), 1)))
            assert squared[t] == pytest.approx(rows.sum() * mse)


def test_sums_of_squares_are_those_of_the_tree_that_scikit_learn_grew():
    rng = np.random.default_rng(10)
    X, y, weight = rng.random((300, 4)), rng.normal(1e6, 1, (300, 2)), rng.random(300)
    model = DecisionTreeRegressor(min_samples_leaf=3, random_state=0).fit(X, y, sample_weight=weight)
    tree = model.tree_
    structure = TreeStructure.from_arrays(tree.children_left, tree.children_right)
    moments = target_moments(structure, model.apply(X), y, tree.value[0, :, 0], weight)
    # scikit-learn's own impurities have lost digits to the offset (about 1e-4 here); the rows have not
    for t in (0, int(tree.children_left[0])):
        rows = np.isin(model.apply(X), leaves_below(structure, t))
        mean = np.average(y[rows], axis=0, weights=weight[rows])
        exact = (weight[rows, None] * (y[rows] - mean) ** 2).sum(axis=0).mean()
        assert loss.variance(moments)[t] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    ("leaf", "codes", "message"),
    [
        ([1, 2], [0, 3], r"codes must be whole numbers from 0 to 2, the n_classes classes; got int64 from 0 to 3"),
        ([1, 2], [-1, 0], "codes must be whole numbers"),
        ([1, 2], [0.0, 1.0], "codes must be whole numbers"),
        ([1, 2], ["a", "b"], "codes must be whole numbers from 0 to 2, .* got .*'a'"),
        ([1, 3], [0, 1], r"leaf must be whole numbers from 0 to 2, the nodes of the tree; got int64 from 1 to 3"),
    ],
)
def test_codes_that_are_no_classes_are_refused_and_not_counted_elsewhere(leaf, codes, message):
    stump = TreeStructure.from_arrays([1, -1, -1], [2, -1, -1])
    with pytest.raises(ValueError, match=message):
        class_counts(stump, leaf, codes, 3)
    if leaf[1] == 3:
        with pytest.raises(ValueError, match=message):
            target_moments(stump, leaf, codes)
