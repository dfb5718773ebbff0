"""Networks that a pruned one must beat are trained as they are named."""

import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from treeprune.neural import scratch_baselines

X, y = load_iris(return_X_y=True)
ROWS = (X[::2], y[::2], X[1::2], y[1::2])


def table(**parameters):
    mlp = MLPClassifier(hidden_layer_sizes=(24,), learning_rate_init=0.01)
    return scratch_baselines(mlp, *ROWS, **{"n_keep": [6, 2], "seeds": [0, 1], "epochs": 10} | parameters)


def test_both_arms_from_scratch_are_there_for_every_size_and_seed():
    found = table().groupby(["method", "n_neurons"])["seed"].apply(list).to_dict()
    arms = {(arm, n) for arm in ("scratch_equal_epochs", "scratch_equal_macs") for n in (6, 2)}
    assert set(found) == arms | {(method, 24) for method in ("dense", "early_stopping", "weight_decay")}
    assert all(seeds == [0, 1] for seeds in found.values())


def test_one_arm_does_the_epochs_of_the_dense_network_and_the_other_its_multiply_adds():
    rows = table().groupby("method")
    assert (rows.get_group("scratch_equal_epochs")["epochs"] == 10).all()
    dense = rows.get_group("dense")["macs_trained"].unique()
    assert dense.tolist() == [10 * (4 * 24 + 24 * 3)]
    assert (rows.get_group("scratch_equal_macs")["macs_trained"] == dense[0]).all()


def test_scores_are_those_of_the_network_fitted_by_hand():
    row = table().query("method == 'weight_decay' and seed == 1").iloc[0]
    mlp = MLPClassifier(24, learning_rate_init=0.01, alpha=1.0, max_iter=10, random_state=1)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        mlp.fit(*ROWS[:2])
    assert (row.train_score, row.test_score) == (mlp.score(*ROWS[:2]), mlp.score(*ROWS[2:]))


def test_early_stopping_stops_early():
    rows = table(seeds=[0], epochs=300, n_keep=[])
    assert rows.set_index("method")["epochs"]["early_stopping"] < 300


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_keep": [0]}, "n_keep=0"),
        ({"n_keep": [25]}, "24 hidden"),
        ({"epochs": 0}, "epochs"),
        ({"weight_decay": -1}, "weight_decay"),
    ],
)
def test_numbers_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        table(**parameters)


def test_estimators_without_epochs_or_with_more_layers_are_refused():
    with pytest.raises(TypeError, match="DecisionTreeClassifier"):
        scratch_baselines(DecisionTreeClassifier(), *ROWS, n_keep=[1])
    with pytest.raises(ValueError, match="lbfgs"):
        scratch_baselines(MLPClassifier(solver="lbfgs"), *ROWS, n_keep=[1])
    with pytest.raises(ValueError, match="one hidden layer"):
        scratch_baselines(MLPClassifier((5, 5)), *ROWS, n_keep=[1])
