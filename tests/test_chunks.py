"""Rows in chunks, Parquet files and Dask collections, against the same rows as one table in memory."""

from __future__ import annotations

import sys
from copy import deepcopy
from importlib import metadata
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import NAMES, PARAMETERS, TASKS, classes, grown, inner_shape, rows_of, stem, weights
from sklearn.compose import make_column_transformer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.dispatch import FAMILIES, METHODS
from treeprune.tree.fitted import NodeStatistics, find_tree

ADDING = [name for name in NAMES if "balanced" not in name]  # balance is of all rows at once
DASK = (
    *("DecisionTreeClassifier gini", "DecisionTreeClassifier class weights", "DecisionTreeRegressor poisson"),
    *("weighted classes", "weighted numbers", "missing values", "string labels", "several classes", "several numbers"),
)
UNEVEN = {"one": [], "uneven": [1, 7, 100, 101], "with empty ones": [0, 0, 90, 90, 240], "row by row": range(1, 240)}
WORDS = np.array(["x", "a", "long name"])


def split(cuts: Any, *tables: Any) -> list[tuple[Any, ...]]:
    """Cut tables before these rows; None stays None."""
    n_rows = tables[0].shape[0]
    edges = [0, *cuts, n_rows]
    parts = [slice(a, b) for a, b in pairwise(edges)]
    return [tuple(None if t is None else _rows(t, part) for t in tables) for part in parts]


def _rows(table: Any, part: slice) -> Any:
    return table.iloc[part] if hasattr(table, "iloc") else table[part]


def assert_same_bits(one: NodeStatistics, other: NodeStatistics) -> None:
    assert one.sums.dtype == other.sums.dtype
    np.testing.assert_array_equal(one.sums, other.sums)
    np.testing.assert_array_equal(one.leaf_rows, other.leaf_rows)


def assert_sums_agree(one: NodeStatistics, other: NodeStatistics) -> None:
    """Counts to the last bit, floats to 1e-12 of the largest sum of their kind."""
    if other.sums.dtype.kind == "i":
        return assert_same_bits(one, other)
    np.testing.assert_array_equal(one.leaf_rows, other.leaf_rows)
    largest = np.abs(other.sums).max(axis=0)
    assert (np.abs(one.sums - other.sums) <= 1e-12 * largest).all()
    return None


# ---- chunks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cuts", UNEVEN.values(), ids=UNEVEN)
@pytest.mark.parametrize("name", ADDING)
def test_chunks_have_the_sums_of_the_table_to_the_last_bit(name: str, cuts: Any) -> None:
    case = grown(name)
    chunks = split(cuts, case.X, case.y, case.sample_weight)
    whole = find_tree(case.tree).count(**case.rows)
    assert_same_bits(tp.chunk_statistics(case.tree, chunks), whole)


@given(st.integers(0, 50), st.lists(st.integers(0, 150), max_size=8).map(sorted), st.booleans(), st.sampled_from(TASKS))
def test_any_method_prunes_random_trees_by_chunks_as_by_the_table(
    seed: int, cuts: list[int], weighted: bool, case: tuple[str, str]
) -> None:
    (name, task), rows = case, rows_of(case[1], 150, seed=seed + 1000)
    tree = stem(task, min_samples_leaf=1 + seed % 3).fit(*rows_of(task, 120 + seed, seed=seed))
    weight = weights(150, seed) if weighted else None
    chunks = split(cuts, *rows, weight)
    pruner, by_chunks = (METHODS[name](**PARAMETERS[name]) for _ in range(2))
    pruner._prune_fitted(tree, *rows, weight)
    by_chunks._prune_fitted(tree, None, None, None, tp.chunk_statistics(tree, chunks))
    np.testing.assert_array_equal(by_chunks.cut_, pruner.cut_)
    np.testing.assert_array_equal(by_chunks.estimator_.tree_.value, pruner.estimator_.tree_.value)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "task"), TASKS)
def test_by_name_and_as_a_pruner_statistics_do_what_their_rows_do(name: str, task: str, weighted: bool) -> None:
    (X, y), weight = rows_of(task, 300, seed=1), weights(300) if weighted else None
    tree = stem(task).fit(*rows_of(task))
    statistics = tp.chunk_statistics(tree, split([13, 200], X, y, weight))
    by_rows = tp.prune(tree, name, X, y, sample_weight=weight, **PARAMETERS[name])
    by_statistics = tp.prune(tree, name, statistics=statistics, **PARAMETERS[name])
    assert inner_shape(by_rows) == inner_shape(by_statistics)
    np.testing.assert_array_equal(by_statistics.tree_.value, by_rows.tree_.value)
    rows = METHODS[name](stem(task), **PARAMETERS[name]).fit(*rows_of(task))
    sums = deepcopy(rows)
    counted = tp.chunk_statistics(sums.grown_, split([13, 200], X, y, weight))
    assert sums.prune(statistics=counted) is sums
    np.testing.assert_array_equal(rows.prune(X, y, weight).cut_, sums.cut_)
    pd.testing.assert_frame_equal(rows.trace(), sums.trace())
    assert sums.prune().n_leaves_ == rows.n_leaves_  # they serve again


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["cost_complexity", "critical_value", "max_depth", "optimal", *FAMILIES])
def test_paths_and_families_of_cuts_take_statistics_too(name: str, weighted: bool) -> None:
    (X, y), weight = rows_of("classes", 300, seed=1), weights(300) if weighted else None
    tree = stem("classes").fit(*rows_of("classes"))
    statistics = tp.chunk_statistics(tree, split([150], X, y, weight))
    family = tp.pruning_path if name in ("cost_complexity", "critical_value", "max_depth") else tp.pruning_cuts
    np.testing.assert_array_equal(
        family(tree, name, statistics=statistics).n_leaves, family(tree, name, X, y, sample_weight=weight).n_leaves
    )


def test_leaves_are_refitted_by_held_out_statistics_as_by_their_rows() -> None:
    (X, y), (X_new, y_new) = rows_of("classes"), rows_of("classes", 150, seed=1)
    tree = stem("classes").fit(X, y)
    by_rows = tp.prune(tree, "reduced_error", X_new, y_new, refit_leaves=True)
    statistics = tp.chunk_statistics(tree, split([10, 99], X_new, y_new))
    by_statistics = tp.prune(tree, "reduced_error", statistics=statistics, refit_leaves=True)
    np.testing.assert_array_equal(by_statistics.tree_.value, by_rows.tree_.value)
    np.testing.assert_array_equal(by_statistics.tree_.n_node_samples, by_rows.tree_.n_node_samples)


def test_chunks_with_and_without_weights_mix_as_weights_of_one() -> None:
    for task in ("classes", "numbers"):
        (X, y), weight = rows_of(task), weights()
        tree = stem(task).fit(X, y)
        mixed = [(X[:50], y[:50], weight[:50]), (X[50:90], y[50:90]), (X[90:], y[90:], None)]
        weight = np.where(np.arange(240) < 50, weight, 1.0)
        assert_same_bits(tp.chunk_statistics(tree, mixed), find_tree(tree).count(X, y, weight))


def test_a_chunk_may_have_no_weight_above_zero_if_another_has() -> None:
    (X, y), weight = classes(), np.where(np.arange(240) < 50, 0.0, 2.0)
    tree = stem("classes").fit(X, y)
    whole = find_tree(tree).count(X, y, weight)
    assert_same_bits(tp.chunk_statistics(tree, split([50], X, y, weight)), whole)
    with pytest.raises(ValueError, match=r"there are no rows, or none of weight above 0"):
        tp.chunk_statistics(tree, [(X, y, np.zeros(240))])


def test_rows_go_through_a_pipeline_and_chunks_are_read_once_one_after_the_other() -> None:
    X, y = classes()
    piped = make_pipeline(StandardScaler(), stem("classes")).fit(X, y)
    alive = []

    def one_at_a_time() -> Any:
        for k in range(6):
            alive.append(k)
            assert alive == list(range(k + 1))
            yield X[40 * k : 40 * k + 40], y[40 * k : 40 * k + 40]

    statistics = tp.chunk_statistics(piped, one_at_a_time())
    assert_same_bits(statistics, find_tree(piped).count(X, y))
    small, expected = tp.prune(piped, "reduced_error", statistics=statistics), tp.prune(piped, "reduced_error", X, y)
    np.testing.assert_array_equal(small.predict(X), expected.predict(X))


def test_lists_are_chunks_and_empty_lists_too() -> None:
    X, y = classes()
    tree = stem("classes").fit(X, y)
    chunks = [[X[:9].tolist(), y[:9].tolist()], ([], []), (X[9:].tolist(), y[9:].tolist())]
    assert_same_bits(tp.chunk_statistics(tree, chunks), find_tree(tree).count(X, y))


@pytest.mark.parametrize("dtype", ["category", "string", object, None])
def test_words_of_pandas_count_as_words_of_numpy(dtype: Any) -> None:
    X, y = classes()
    for labels in (WORDS, np.array([3, 5, 8])):
        tree, given = stem("classes").fit(X, labels[y]), pd.Series(labels[y])
        if dtype != "string" or labels is WORDS:
            given = given if dtype is None else given.astype(dtype)
        assert_same_bits(tp.chunk_statistics(tree, split([9], X, given)), find_tree(tree).count(X, labels[y]))
    strange = pd.Series(["x", "b", None], dtype=dtype)
    with pytest.raises(ValueError, match=r"y holds \['b', .*\], classes that the tree was not grown with"):
        tp.chunk_statistics(stem("classes").fit(X, WORDS[y]), [(X[:3], strange)])


@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8", "f8"])
def test_codes_of_any_type_count_alike_and_others_are_named(dtype: str) -> None:
    X, y = classes()
    tree = stem("classes").fit(X, y)
    assert_same_bits(
        tp.chunk_statistics(tree, split([9], X, y.astype(dtype))), find_tree(tree).count(X, y.astype(object))
    )
    for strange in (3, 100, *([] if dtype[0] == "u" else [-1])):
        with pytest.raises(ValueError, match=rf"y holds \[{strange}(\.0)?\], classes that"):
            tp.chunk_statistics(tree, [(X[:2], np.array([0, strange], dtype))])


def test_statistics_of_two_machines_add() -> None:
    X, y = classes()
    tree = stem("classes").fit(X, y)
    here, there = (tp.chunk_statistics(tree, [part]) for part in split([77], X, y))
    assert_same_bits(here + there, find_tree(tree).count(X, y))


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_an_error_in_a_chunk_says_which() -> None:
    X, y = classes()
    tree = stem("classes").fit(X, y)
    with pytest.raises(ValueError, match=r"y holds \[9\], classes that the tree") as caught:
        tp.chunk_statistics(tree, [(X[:5], y[:5]), (X[5:7], [0, 9])])
    assert caught.value.__notes__ == ["in chunk 1, counted from 0"]
    for wrong, said in {
        "y shorter": ((X[:5], y[:4]), "X has 5 rows, y 4"),
        "y missing": ((X[:5], None), "y is None"),
        "negative weight": ((X[:5], y[:5], -np.ones(5)), r"sample_weight holds -1\.0"),
        "weights of others": ((X[:5], y[:5], np.ones(4)), r"sample_weight has shape \(4,\)"),
    }.values():
        with pytest.raises(ValueError, match=said):
            tp.chunk_statistics(tree, [wrong])


@pytest.mark.parametrize(
    ("chunks", "said"),
    [((classes()[0], classes()[1]), "a chunk is a ndarray"), ([(classes()[0],)], "a chunk is a tuple of 1")],
)
def test_what_is_no_chunk_is_named(chunks: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said + r": a tuple \(X, y\) or \(X, y, sample_weight\) is expected"):
        tp.chunk_statistics(stem("classes").fit(*classes()), chunks)


@pytest.mark.parametrize("chunks", [[], [(np.zeros((0, 4)), np.zeros(0))]])
def test_no_rows_at_all_are_an_error(chunks: Any) -> None:
    with pytest.raises(ValueError, match="there are no rows"):
        tp.chunk_statistics(stem("classes").fit(*classes()), chunks)


def test_balanced_weights_need_all_rows_at_once() -> None:
    tree = grown("DecisionTreeClassifier balanced").tree
    with pytest.raises(ValueError, match=r"class_weight='balanced' balances all rows at once.*grow the tree with"):
        tp.chunk_statistics(tree, [classes()])


def test_rows_and_statistics_together_are_refused() -> None:
    X, y = classes()
    tree, pruner = stem("classes").fit(X, y), tp.ReducedErrorPruner(random_state=0).fit(X, y)
    statistics = tp.chunk_statistics(tree, [(X, y)])
    for rows in ({"X": X, "y": y}, {"y": y}, {"sample_weight": np.ones(240)}):
        with pytest.raises(ValueError, match="give either them or the rows"):
            tp.prune(tree, "reduced_error", statistics=statistics, **rows)
        with pytest.raises(ValueError, match="give either them or the rows"):
            pruner.prune(statistics=statistics, **rows)
    with pytest.raises(ValueError, match="nodes= says which nodes become leaves: give it alone"):
        tp.prune(tree, nodes=[0], statistics=statistics)


def test_statistics_of_another_tree_are_refused_and_the_pruner_stays_as_it_was() -> None:
    X, y = classes()
    tree, pruner = stem("classes").fit(X, y), tp.ReducedErrorPruner(stem("classes"), random_state=0).fit(X, y)
    before = pruner.n_leaves_
    for other in (stem("classes", max_depth=3).fit(X, y), stem("classes").fit(X, y > 0), stem("numbers").fit(X, y)):
        statistics = tp.chunk_statistics(other, [(X, y > 0 if len(getattr(other, "classes_", "")) == 2 else y)])
        with pytest.raises(ValueError, match="they are of another tree; count the rows in the tree that is to be"):
            tp.prune(tree, "reduced_error", statistics=statistics)
        with pytest.raises(ValueError, match="they are of another tree"):
            pruner.prune(statistics=statistics)
    assert pruner.n_leaves_ == before


def test_statistics_of_a_tree_of_the_same_size_and_another_shape_are_refused() -> None:
    X, y = classes()
    one, other = (stem("classes", max_leaf_nodes=12, splitter=how).fit(X, y) for how in ("best", "random"))
    assert one.tree_.node_count == other.tree_.node_count
    with pytest.raises(ValueError, match="rows that end at inner nodes of this tree"):
        tp.prune(one, "reduced_error", statistics=tp.chunk_statistics(other, [(X, y)]))


@pytest.mark.parametrize("wrong", [(np.ones(3), np.ones(3)), {}, 5, pd.DataFrame()])
def test_what_are_no_statistics_are_named(wrong: Any) -> None:
    tree = stem("classes").fit(*classes())
    with pytest.raises(TypeError, match=f"statistics is a {type(wrong).__name__}: give what tp.chunk_statistics"):
        tp.prune(tree, "reduced_error", statistics=wrong)


def test_one_row_is_too_few_to_prune_by_however_it_came() -> None:
    X, y = classes()
    tree = stem("classes").fit(X, y)
    with pytest.raises(ValueError, match="n_samples=1 pruning rows: at least two"):
        tp.prune(tree, "reduced_error", statistics=tp.chunk_statistics(tree, [(X[:1], y[:1])]))
    two, apart = (tp.chunk_statistics(tree, rows) for rows in ([(X[:2], y[:2])], [(X[:1], y[:1]), (X[1:2], y[1:2])]))
    expected = tp.prune(tree, "reduced_error", X[:2], y[:2]).get_n_leaves()
    assert {tp.prune(tree, "reduced_error", statistics=given).get_n_leaves() for given in (two, apart)} == {expected}


@pytest.mark.parametrize("method", ["neuron", "weight", tp.NeuronPruner(n_keep=2), tp.WeightPruner(amount=0.5)])
def test_networks_are_pruned_by_the_rows_themselves(method: Any) -> None:
    X, y = classes()
    statistics = tp.chunk_statistics(stem("classes").fit(X, y), [(X, y)])
    with pytest.raises(ValueError, match="networks are pruned by the rows themselves, give X and y"):
        tp.prune(MLPClassifier(), method, statistics=statistics)
    if getattr(method, "method", method) == "neuron":
        with pytest.raises(ValueError, match="networks are pruned by the rows themselves"):
            tp.pruning_path(MLPClassifier(), method, statistics=statistics)


def test_impurities_that_are_no_sums_are_refused_of_statistics_as_of_rows() -> None:
    tree = grown("DecisionTreeRegressor absolute_error").tree
    case = grown("DecisionTreeRegressor absolute_error")
    statistics = tp.chunk_statistics(tree, [(case.X, case.y)])
    with pytest.raises(ValueError, match=r"criterion='absolute_error'.*or use risk='error'"):
        tp.prune(tree, "cost_complexity", statistics=statistics, alpha=0.1)


# ---- Parquet ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def parquet(tmp_path: Any) -> Any:
    """Two files of 150 and 90 rows with a target of words, gaps, weights and a column that nobody needs."""
    pytest.importorskip("pyarrow", exc_type=ImportError)
    case = grown("missing values")
    frame = pd.DataFrame(case.X, columns=list("dbca"))
    frame.insert(1, "label", WORDS[case.y])
    frame = frame.assign(number=case.y + 0.25, weight=weights(), unused="?")
    paths = [tmp_path / "one.parquet", str(tmp_path / "two.parquet")]
    frame[:150].to_parquet(paths[0])
    frame[150:][list(frame.columns[::-1])].to_parquet(paths[1], index=False)
    return paths, frame


@pytest.mark.parametrize("batch_size", [7, 100, 10_000])
@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize(("task", "target"), [("classes", "label"), ("numbers", "number")])
def test_parquet_files_have_the_sums_of_their_table(
    parquet: Any, batch_size: int, weight: str | None, task: str, target: str
) -> None:
    paths, frame = parquet
    names = ["a", "b", "c", "d"]  # in another order than in the files
    tree = stem(task).fit(frame[names], frame[target])
    chunks = tp.parquet_chunks(paths, target, fitted=tree, weight=weight, batch_size=batch_size)
    whole = find_tree(tree).count(frame[names], frame[target], None if weight is None else frame[weight])
    assert_same_bits(tp.chunk_statistics(tree, chunks), whole)


def test_a_tree_grown_on_arrays_gets_arrays_from_parquet(parquet: Any) -> None:
    paths, frame = parquet
    frame = frame[["d", "label", "b", "c", "a"]]
    frame.to_parquet(paths[0], index=False)
    X = frame[list("dbca")].to_numpy()
    tree = stem("classes").fit(X, frame["label"])
    chunks = tp.parquet_chunks(paths[0], "label", fitted=tree, batch_size=50)
    assert_same_bits(tp.chunk_statistics(tree, chunks), find_tree(tree).count(X, frame["label"]))


def test_a_pipeline_reads_its_own_columns_of_words_from_parquet(parquet: Any) -> None:
    paths, frame = parquet
    words = make_column_transformer((OneHotEncoder(), ["label"]), remainder="passthrough")
    features = ["c", "label", "a"]
    piped = make_pipeline(words, stem("numbers")).fit(frame[features], frame["number"])
    chunks = tp.parquet_chunks(paths, "number", fitted=piped, batch_size=64)
    assert_same_bits(tp.chunk_statistics(piped, chunks), find_tree(piped).count(frame[features], frame["number"]))


def test_without_a_model_all_other_columns_are_read_and_several_targets_are_a_frame(parquet: Any) -> None:
    paths, frame = parquet
    X, y, weight = next(tp.parquet_chunks(paths, ["number", "a"], weight="weight", batch_size=20))
    others = ["d", "label", "b", "c", "unused"]
    pd.testing.assert_frame_equal(X, frame[others][:20])
    pd.testing.assert_frame_equal(y, frame[["number", "a"]][:20])
    pd.testing.assert_series_equal(weight, frame["weight"][:20])


def test_a_column_that_a_file_lacks_is_named_with_the_file(parquet: Any) -> None:
    paths, frame = parquet
    tree = stem("classes").fit(frame[["a", "number"]].rename(columns={"a": "gone"}), frame["label"])
    with pytest.raises(ValueError, match=r"one\.parquet has no column 'gone': its columns are d, label, b"):
        tp.chunk_statistics(tree, tp.parquet_chunks(paths, "label", fitted=tree))
    with pytest.raises(ValueError, match="has no column 'lable'"):
        next(tp.parquet_chunks(paths, "lable"))


def test_without_paths_or_rows_parquet_says_so_at_once() -> None:
    with pytest.raises(ValueError, match="batch_size=0: a whole number, 1 or more"):
        tp.parquet_chunks("rows.parquet", "y", batch_size=0)
    pytest.importorskip("pyarrow", exc_type=ImportError)
    with pytest.raises(ValueError, match="paths is empty: one Parquet file at least"):
        tp.parquet_chunks([], "y")


def test_without_pyarrow_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"pip install 'treeprune\[parquet\]'"):
        tp.parquet_chunks("rows.parquet", "y")


# ---- Dask ------------------------------------------------------------------------------------------------------------

dask_warnings = pytest.mark.filterwarnings("ignore")  # of dask's and tornado's own


@pytest.fixture(scope="module")
def client() -> Any:
    distributed = pytest.importorskip("distributed")
    pytest.importorskip("dask.array", exc_type=ImportError)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


def in_dask(table: Any, rows: tuple[int, ...]) -> Any:
    import dask.array as da

    return None if table is None else da.from_array(table, chunks=(rows, *[2] * (table.ndim - 1)))


@dask_warnings
@pytest.mark.parametrize("name", DASK)
def test_a_dask_array_has_the_sums_of_its_table(client: Any, name: str) -> None:
    case = grown(name)
    given = [in_dask(table, (100, 3, 0, 137)) for table in (case.X, case.y, case.sample_weight)]
    assert_sums_agree(tp.dask_statistics(case.tree, *given), find_tree(case.tree).count(**case.rows))


@dask_warnings
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("task", ["classes", "numbers"])
@pytest.mark.slow
def test_any_method_prunes_by_a_dask_array_as_by_its_table(client: Any, task: str, weighted: bool) -> None:
    (X, y), weight = rows_of(task, 300, seed=1), weights(300) if weighted else None
    tree = stem(task).fit(*rows_of(task))
    statistics = tp.dask_statistics(tree, *(in_dask(table, (20,) * 15) for table in (X, y, weight)))
    for name in (method for method, known in TASKS if known == task):
        pruner, by_dask = (METHODS[name](**PARAMETERS[name]) for _ in range(2))
        pruner._prune_fitted(tree, X, y, weight)
        by_dask._prune_fitted(tree, None, None, None, statistics)
        np.testing.assert_array_equal(by_dask.cut_, pruner.cut_, err_msg=name)


@dask_warnings
@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize(("task", "target"), [("classes", "label"), ("numbers", "number")])
def test_a_dask_data_frame_with_gaps_and_words_has_the_sums_of_its_table(
    client: Any, parquet: Any, weight: str | None, task: str, target: str
) -> None:
    dd = pytest.importorskip("dask.dataframe", exc_type=ImportError)
    _, frame = parquet
    there, names = dd.from_pandas(frame, npartitions=5), ["a", "b", "c", "d"]
    tree = stem(task).fit(frame[names], frame[target])
    whole = find_tree(tree).count(frame[names], frame[target], None if weight is None else frame[weight])
    found = tp.dask_statistics(tree, there[names], there[target], None if weight is None else there[weight])
    assert_sums_agree(found, whole)


@dask_warnings
@pytest.mark.slow
def test_the_order_in_which_workers_finish_changes_no_bit(client: Any) -> None:
    (X, y), weight = rows_of("numbers", 300, seed=1), weights(300)
    tree = stem("numbers").fit(*rows_of("numbers"))
    given = [in_dask(table, (15,) * 20) for table in (X, y, weight)]
    first = tp.dask_statistics(tree, *given)
    for _ in range(2):
        assert_same_bits(tp.dask_statistics(tree, *given), first)


@dask_warnings
def test_an_error_of_a_partition_comes_back_whole(client: Any) -> None:
    X, y = classes()
    tree = stem("classes").fit(X, y)
    with pytest.raises(ValueError, match=r"y holds \[9\], classes that the tree was not grown with") as caught:
        tp.dask_statistics(tree, in_dask(X, (200, 40)), in_dask(np.where(np.arange(240) == 230, 9, y), (200, 40)))
    assert "in partition 1, counted from 0" in caught.value.__notes__
    with pytest.raises(ValueError, match=r"X has \d+ rows, y \d+: they must agree"):
        tp.dask_statistics(tree, in_dask(X, (200, 40)), in_dask(y, (100, 140)))


@dask_warnings
def test_workers_with_other_versions_are_refused_before_any_work(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = classes()
    tree, asked = stem("classes").fit(X, y), metadata.version("numpy")
    monkeypatch.setattr(client, "run", lambda ask: {"tcp://there:1": {**ask(), "numpy": "1.0"}})
    monkeypatch.setattr(client, "compute", lambda *_, **__: pytest.fail("work was sent"))
    with pytest.raises(RuntimeError, match=f"worker tcp://there:1 has numpy 1.0, here {asked}: install the same"):
        tp.dask_statistics(tree, in_dask(X, (240,)), in_dask(y, (240,)))


@dask_warnings
def test_without_a_client_dask_works_on_this_machine() -> None:
    pytest.importorskip("dask.array", exc_type=ImportError)
    import dask

    X, y = classes()
    tree = stem("classes").fit(X, y)
    with dask.config.set(scheduler="synchronous"):
        found = tp.dask_statistics(tree, in_dask(X, (100, 140)), in_dask(y, (100, 140)))
    assert_same_bits(found, find_tree(tree).count(X, y))


@dask_warnings
def test_what_is_not_of_dask_or_split_otherwise_is_named() -> None:
    pytest.importorskip("dask.array", exc_type=ImportError)
    X, y = classes()
    tree = stem("classes").fit(X, y)
    with pytest.raises(TypeError, match="y is a ndarray: a Dask DataFrame, Series or array is expected"):
        tp.dask_statistics(tree, in_dask(X, (240,)), y)
    with pytest.raises(ValueError, match="the partitions are not alike, X has 1, y has 2"):
        tp.dask_statistics(tree, in_dask(X, (240,)), in_dask(y, (100, 140)))
    with pytest.raises(ValueError, match="balances all rows at once"):
        tp.dask_statistics(grown("DecisionTreeClassifier balanced").tree, X, y)


def test_without_dask_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask.delayed", None)
    with pytest.raises(ImportError, match=r"pip install 'treeprune\[dask\]'"):
        tp.dask_statistics(stem("classes").fit(*classes()), None, None)


def test_parquet_files_whose_columns_stand_in_another_order_are_read_in_that_of_the_first(tmp_path):
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    table["y"] = (table["a"] > 0).astype(int)
    tree = DecisionTreeClassifier(random_state=0).fit(table[["a", "b"]].to_numpy(), table["y"])
    paths = [tmp_path / f"{k}.parquet" for k in range(3)]
    table[:100].to_parquet(paths[0])
    table.loc[100:, ["b", "y", "a"]].to_parquet(paths[1])
    counted = tp.chunk_statistics(tree, tp.parquet_chunks(paths[:2], "y", fitted=tree))
    at_once = find_tree(tree).count(table[["a", "b"]].to_numpy(), table["y"])
    np.testing.assert_array_equal(counted.sums, at_once.sums)
    table.rename(columns={"b": "c"}).to_parquet(paths[2])
    with pytest.raises(ValueError, match=r"2\.parquet has the columns \['a', 'c'\], and the files before it"):
        tp.chunk_statistics(tree, tp.parquet_chunks([paths[0], paths[2]], "y", fitted=tree))
