"""Tables, the CSV reader behind them, and the random problems with a known Bayes error.

References: the CSV read again by the csv module, class counts as the UCI pages print them, and for
the generators the Bayes rule written out a second way in the full space of the features.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import pickle
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from numpy.polynomial.legendre import leggauss
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from treeprune import datasets
from treeprune.datasets import (
    led_bayes_error,
    list_datasets,
    load_dataset,
    make_led,
    make_noisy_xor,
    make_waveform,
    noisy_xor_bayes_error,
    read_table,
    waveform_bayes_error,
)

FOLDER = Path(__file__).parent.parent / "datasets"
ENTRIES = tomllib.loads((FOLDER / "catalogue.toml").read_text(encoding="utf-8"))["table"]
FILES = [entry for entry in ENTRIES if "file" in entry]
BUNDLED = [entry for entry in ENTRIES if "loader" in entry]


# Loaded once: several tests look at the same table, and none changes it.
load_once = functools.cache(load_dataset)


def by_name(entry):
    return entry["name"]


def raw_cells(entry):
    with (FOLDER / entry["file"]).open(newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


# --- the catalogue


def test_the_catalogue_and_the_folder_name_the_same_files():
    assert {entry["file"] for entry in FILES} == {path.name for path in FOLDER.glob("*.csv")}
    assert len({entry["name"] for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", FILES, ids=by_name)
def test_a_file_has_the_checksum_of_the_catalogue(entry):
    content = (FOLDER / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_an_entry_states_terms_source_and_task(entry):
    allowed = ("CC BY 4.0", "CC0", "public domain", "BSD")
    assert entry["licence"].startswith(allowed)
    assert entry["creators"] and entry["source"] and entry["title"]
    assert entry["task"] in ("classification", "regression")
    assert ("classes" in entry) == (entry["task"] == "classification")


def test_the_listing_holds_the_catalogue():
    listed = list_datasets()
    assert list(listed.name) == sorted(entry["name"] for entry in ENTRIES)
    for entry in ENTRIES:
        row = listed.set_index("name").loc[entry["name"]]
        assert (row["rows"], row["columns"]) == (entry["rows"], entry["columns"])
    both = pd.concat([list_datasets("classification"), list_datasets("regression")])
    assert set(both.name) == set(listed.name)
    assert list_datasets("regression").classes.isna().all()


def test_an_unknown_task_is_refused_by_the_listing():
    with pytest.raises(ValueError, match="'ranking'"):
        list_datasets("ranking")


# --- loading


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_a_table_is_as_large_as_its_entry_says(entry):
    table = load_once(entry["name"])
    assert table.data.shape == (entry["rows"], entry["columns"])
    assert (table.n_rows, table.n_columns) == table.data.shape
    assert len(table.target) == entry["rows"]
    assert table.n_missing == entry["missing"] == int(table.data.isna().sum().sum())
    assert (table.data.dtypes == np.float64).all()
    assert table.feature_names == list(table.data.columns)
    assert (table.name, table.task, table.licence) == (
        entry["name"],
        entry["task"],
        entry["licence"],
    )
    assert table.task_guessed is False and table.dropped == []


@pytest.mark.parametrize("entry", ENTRIES, ids=by_name)
def test_a_target_is_of_the_kind_of_its_task(entry):
    table = load_once(entry["name"])
    if entry["task"] == "classification":
        assert len(table.classes) == entry["classes"] == len(np.unique(table.target))
        assert table.target.dtype.kind in "iU"
    else:
        assert table.classes is None and table.target.dtype == np.float64


@pytest.mark.parametrize("entry", FILES, ids=by_name)
def test_every_cell_can_be_traced_back_to_the_file(entry):
    table, cells = load_once(entry["name"]), raw_cells(entry)
    assert [*table.feature_names, table.target_name] == [
        *(name for name in cells if name != entry["target"]),
        entry["target"],
    ]
    for name in table.feature_names:
        values = table.data[name].to_numpy()
        for value, cell in zip(values, cells[name], strict=True):
            if cell == "":
                assert np.isnan(value)
            elif name in table.categories:
                assert table.categories[name][int(value)] == cell
            elif cell in ("TRUE", "FALSE"):
                assert value == (cell == "TRUE")
            else:
                assert value == float(cell)
    for value, cell in zip(table.target, cells[entry["target"]], strict=True):
        assert (str(value) if entry["task"] == "classification" else value) == (
            cell if entry["task"] == "classification" else float(cell)
        )


@pytest.mark.parametrize("entry", FILES, ids=by_name)
def test_categories_are_sorted_and_only_of_columns_that_hold_no_numbers(entry):
    table, cells = load_once(entry["name"]), raw_cells(entry)
    for name in table.feature_names:
        present = set(cells[name]) - {""}
        numeric = all(is_number(cell) for cell in present) or present <= {"TRUE", "FALSE"}
        assert (name in table.categories) == (not numeric)
        if name in table.categories:
            assert table.categories[name] == sorted(present)


def test_class_counts_are_those_the_sources_print():
    def counts(name):
        labels, rows = np.unique(load_dataset(name).target, return_counts=True)
        return dict(zip(labels.tolist(), rows.tolist(), strict=True))

    assert counts("glass") == {1: 70, 2: 76, 3: 17, 5: 13, 6: 9, 7: 29}
    assert counts("pima") == {"neg": 500, "pos": 268}
    assert counts("house_votes") == {"democrat": 267, "republican": 168}
    assert counts("penguins") == {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}
    assert counts("heart_cleveland") == {0: 164, 1: 139}
    assert counts("promoters") == {"+": 53, "-": 53}
    assert counts("spam") == {"nonspam": 2788, "spam": 1813}


def test_impossible_zeros_of_pima_are_missing():
    data = load_dataset("pima").data
    assert data.isna().sum()[lambda n: n > 0].to_dict() == {
        "glucose": 5,
        "pressure": 35,
        "triceps": 227,
        "insulin": 374,
        "mass": 11,
    }


@pytest.mark.parametrize("entry", BUNDLED, ids=by_name)
def test_a_table_of_scikit_learn_is_the_same_by_our_call(entry):
    theirs = getattr(sklearn.datasets, entry["loader"])()
    ours = load_once(entry["name"])
    np.testing.assert_array_equal(ours.data.to_numpy(), theirs.data)
    expected = theirs.target
    if entry["name"] in ("iris", "wine", "breast_cancer"):
        expected = theirs.target_names[theirs.target]
    np.testing.assert_array_equal(ours.target, expected)


def test_linnerud_has_three_targets_with_names():
    table = load_dataset("linnerud")
    assert table.target.shape == (20, 3)
    assert table.target_name == ["Weight", "Waist", "Pulse"]
    assert "Waist" in table.DESCR


def test_every_kind_of_table_grows_a_tree():
    for name, kind in (("labor", DecisionTreeClassifier), ("linnerud", DecisionTreeRegressor)):
        table = load_dataset(name)
        assert kind(random_state=0).fit(table.data, table.target).get_n_leaves() > 1


def test_the_description_says_what_a_reader_must_know():
    text = load_dataset("house_votes").DESCR
    for part in ("435 rows", "392 missing", "democrat: 267", "V1: n, y", "CC BY 4.0", "yea"):
        assert part in text


def test_a_loaded_table_survives_pickling():
    table = load_dataset("zoo")
    again = pickle.loads(pickle.dumps(table))
    pd.testing.assert_frame_equal(again.data, table.data)


def test_an_unknown_name_brings_the_nearest_ones():
    with pytest.raises(ValueError, match=r"'Glas', did you mean 'glass'.*list_datasets\(\)"):
        load_dataset("Glas")
    with pytest.raises(ValueError, match=r"no table named \['glass'\]"):
        load_dataset(["glass"])


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    for name in ("catalogue.toml", "zoo.csv"):
        shutil.copy(FOLDER / name, tmp_path / name)
    monkeypatch.setattr(datasets, "_FOLDERS", (tmp_path / "absent", tmp_path))
    return tmp_path


def test_the_second_folder_serves_where_the_first_is_absent(own_folder):
    assert load_dataset("zoo").n_rows == 101


def test_a_changed_file_fails_its_checksum(own_folder):
    path = own_folder / "zoo.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(ValueError, match=r"zoo\.csv is not the file of the catalogue: sha256"):
        load_dataset("zoo")


def test_a_lost_file_and_a_lost_folder_are_named(own_folder):
    with pytest.raises(FileNotFoundError, match=r"glass\.csv"):
        load_dataset("glass")
    (own_folder / "catalogue.toml").unlink()
    with pytest.raises(FileNotFoundError, match=r"absent.*install treeprune again"):
        load_dataset("zoo")


# --- a CSV of one's own


@pytest.fixture
def written(tmp_path):
    def write(content, name="own.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("entry", FILES, ids=by_name)
def test_a_bundled_file_read_as_ones_own_gives_the_same_table(entry):
    table = load_once(entry["name"])
    own = read_table(FOLDER / entry["file"], entry["target"], entry["task"])
    pd.testing.assert_frame_equal(own.data, table.data)
    np.testing.assert_array_equal(own.target, table.target)
    assert own.categories == table.categories
    assert set(table) - set(own) == {"creators", "url"} and set(own) <= set(table)
    guessed = read_table(FOLDER / entry["file"], entry["target"])
    assert guessed.task_guessed is True
    # letter has 26 classes, but they are no numbers
    assert guessed.task == entry["task"]


def test_kinds_of_columns_are_told_apart(written):
    path = written("number,truth,text,mixed,y\n1e3,True, b ,1,p\n-.5,FALSE,a,2,q\n?,NA,,3,q\n+2,true,b,4+,p\n")
    table = read_table(path, "y")
    np.testing.assert_array_equal(table.data["number"], [1000, -0.5, np.nan, 2])
    np.testing.assert_array_equal(table.data["truth"], [1, 0, np.nan, 1])
    np.testing.assert_array_equal(table.data["text"], [1, 0, np.nan, 1])
    assert table.categories == {"text": ["a", "b"], "mixed": ["1", "2", "3", "4+"]}
    assert any("mixed" in note and "4+" in note for note in table.notes)
    assert table.n_missing == 3


@pytest.mark.parametrize("cell", ["infinite", "1_000", "0x10", "1,5"])
def test_what_only_looks_like_a_number_makes_a_category(written, cell):
    table = read_table(written(f'x,y\n1,a\n"{cell}",b\n'), "y")
    assert cell in table.categories["x"]


def test_the_missing_markers_can_be_chosen(written):
    path = written("land,y\nNA,a\nDE,b\n,b\n-,a\n")
    assert read_table(path, "y", missing=["-"]).categories == {"land": ["DE", "NA"]}
    assert read_table(path, "y", missing=["-"]).n_missing == 2
    assert read_table(path, "y").categories == {"land": ["-", "DE"]}
    with pytest.raises(ValueError, match=r"\['-'\]"):
        read_table(path, "y", missing="-")


def test_a_column_without_a_value_is_dropped_and_said(written):
    table = read_table(written("x,void,y\n1,,a\n2,NA,b\n"), "y")
    assert table.feature_names == ["x"] and table.dropped == ["void"]
    assert "void has no value" in table.DESCR


def test_a_numeric_target_of_many_values_is_guessed_a_regression(written):
    def guessed(labels):
        rows = "".join(f"{row},{label}\n" for row, label in enumerate(labels))
        return read_table(written(f"x,y\n{rows}"), "y")

    assert guessed(list(range(20)) * 2).task == "classification"
    assert guessed(list(range(21)) * 2).task == "regression"
    assert guessed([f"c{k}" for k in range(21)] * 2).task == "classification"
    assert "guessed" in guessed([1, 2]).DESCR


def test_whole_numbers_are_int_labels_and_others_stay_text(written):
    assert read_table(written("x,y\n1,1\n2,2.0\n3,1.0\n"), "y").target.tolist() == [1, 2, 1]
    assert read_table(written("x,y\n1,0.5\n2,1\n"), "y").target.tolist() == ["0.5", "1"]
    large = read_table(written(f"x,y\n1,{2**53}\n2,{2**53 + 1}\n"), "y")
    assert large.target.tolist() == [str(2**53), str(2**53 + 1)]


def test_a_byte_order_mark_and_blank_lines_do_no_harm(written):
    table = read_table(written(b"\xef\xbb\xbfx,y\r\n1,a\r\n\r\n2,b\r\n"), "y")
    assert table.feature_names == ["x"] and table.n_rows == 2


BAD = {
    "empty": ("", "is empty"),
    "blank": ("\n\n", "is empty"),
    "no rows": ("x,y\n", r"a header \(x, y\) but no rows"),
    "ragged short": ("x,y\n1,a\n2\n", "line 3: 1 cells where the header has 2"),
    "ragged long": ("x,y\n1,a,b\n", "line 2: 3 cells where the header has 2"),
    "double names": ("x,x,y\n1,2,a\n", "more than one column named x"),
    "nameless": (",x,y\n0,1,a\n", r"column 1 has no name.*index=False"),
    "open quote": ('x,y\n"1,a\n', "line 2: not a CSV"),
    "not utf-8": ("x,y\n1,\xe4\n".encode("latin-1"), r"not UTF-8 text \(byte 6\)"),
    "no such target": ("x,Y1\n1,a\n", "no column 'y'.*Its columns: x, Y1"),
    "separator": ("x;y\n1;a\n", "separator must be a comma"),
    "missing target": ("x,y\n1,a\n2,\n3,NA\n", "2 of 3 cells are missing.*drop those rows"),
    "one class": ("x,y\n1,a\n2,a\n", r"one class only \(a\) in all 2 rows"),
    "no features": ("y\na\nb\n", "no feature"),
    "void features": ("x,y\n,a\n,b\n", "no feature"),
    "too large": ("x,y\n1e39,a\n1,b\n", "column x holds a number beyond float32"),
    "infinite": ("x,y\n1,a\n-inf,b\n2,b\n", "column x holds '-inf' among numbers.*leave the cell empty"),
    "identifier": (
        "x,y\n" + "".join(f"1,id{k}\n" for k in range(30)),
        "class of its own for each of 30 rows",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_the_reason(written, case):
    content, reason = BAD[case]
    path = written(content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_table(path, "y")
    assert "own.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("x,y\n1,2\n2,low\n", "regression needs numbers.*'low'"),
        ("x,y\n1,2\n2,2.0\n", "is 2 in every row"),
        ("x,y\n1,2\n2,1e999\n", "beyond float64"),
    ],
)
def test_a_target_that_is_no_quantity_is_refused_for_regression(written, content, reason):
    with pytest.raises(ValueError, match=reason):
        read_table(written(content), "y", task="regression")


def test_a_near_miss_of_the_target_is_suggested(written):
    with pytest.raises(ValueError, match=r"no column 'species', did you mean 'Species'\?"):
        read_table(written("x,Species\n1,a\n2,b\n"), "species")


def test_an_unknown_task_is_refused_by_the_reader(written):
    with pytest.raises(ValueError, match="got 'ranking'"):
        read_table(written("x,y\n1,a\n2,b\n"), "y", task="ranking")


def test_a_path_to_nothing_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing\.csv"):
        read_table(tmp_path / "nothing.csv", "y")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(str(tmp_path), "y")


# --- random problems


def within_four_standard_errors(wrong, stated):
    return abs(wrong.mean() - stated) <= 4 * wrong.std() / np.sqrt(len(wrong))


def test_led_without_noise_lights_the_segments_of_a_display():
    X, y = make_led(2_000, noise=0, random_state=0)
    lit = {digit: set(X[y == digit].sum(axis=1)) for digit in range(10)}
    assert lit == dict(enumerate([{6}, {2}, {5}, {5}, {4}, {5}, {6}, {3}, {7}, {6}]))
    assert len(np.unique(X, axis=0)) == 10
    # a nine is an eight without its lower left segment, a zero one without its middle
    eight, nine, zero = (X[y == digit][0] for digit in (8, 9, 0))
    assert np.flatnonzero(eight - nine).tolist() == [4]
    assert np.flatnonzero(eight - zero).tolist() == [3]


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.3])
def test_the_led_bayes_rule_errs_as_often_as_stated(noise):
    clean, digits = make_led(500, noise=0, random_state=1)
    shape = np.array([clean[digits == digit][0] for digit in range(10)])
    X, y = make_led(100_000, noise=noise, random_state=0)
    # with equal priors and equal noise the nearest display is the most likely one
    guess = np.abs(X[:, None, :] - shape).sum(axis=2).argmin(axis=1)
    assert within_four_standard_errors(guess != y, led_bayes_error(noise))


def test_the_led_bayes_error_at_a_tenth_is_the_published_one():
    assert led_bayes_error(0.1) == pytest.approx(0.26, abs=0.005)  # Breiman et al., 1984
    assert led_bayes_error(0) == pytest.approx(0)
    assert led_bayes_error(0.5) == pytest.approx(0.9)


def test_segments_fail_at_the_stated_rate_and_irrelevant_columns_are_coins():
    clean, digits = make_led(500, noise=0, random_state=1)
    shape = np.array([clean[digits == digit][0] for digit in range(10)])
    X, y = make_led(50_000, noise=0.2, n_irrelevant=17, random_state=0)
    assert X.shape == (50_000, 24) and set(np.unique(X)) == {0.0, 1.0}
    np.testing.assert_allclose((X[:, :7] != shape[y]).mean(axis=0), 0.2, atol=0.01)
    np.testing.assert_allclose(X[:, 7:].mean(axis=0), 0.5, atol=0.015)
    np.testing.assert_allclose(np.bincount(y) / len(y), 0.1, atol=0.01)


def waveform_posterior(X):
    """Class densities in all 21 columns: the integral over the mixing weight by Gauss-Legendre."""
    node, weight = leggauss(40)
    u = (node[:, None] + 1) / 2
    waves = [np.maximum(6 - np.abs(np.arange(1, 22) - centre), 0) for centre in (11, 15, 7)]
    density = []
    for first, second in ((0, 1), (0, 2), (1, 2)):
        mean = u * waves[first] + (1 - u) * waves[second]
        density.append(np.exp(X @ mean.T - (mean**2).sum(axis=1) / 2) @ weight)
    return np.array(density).T


def test_the_waveform_bayes_rule_errs_as_often_as_stated():
    X, y = make_waveform(100_000, n_noise=2, random_state=0)
    wrong = waveform_posterior(X[:, :21]).argmax(axis=1) != y
    assert within_four_standard_errors(wrong, waveform_bayes_error())


def test_the_waveform_bayes_error_is_near_the_published_one():
    published, test_rows = 0.14, 5_000  # Breiman et al., 1984
    standard_error = np.sqrt(published * (1 - published) / test_rows)
    assert abs(waveform_bayes_error() - published) < 4 * standard_error


def test_waveform_means_are_half_way_between_two_waves():
    X, y = make_waveform(60_000, n_noise=19, random_state=0)
    assert X.shape == (60_000, 40)
    place = np.arange(1, 22)
    wave = {centre: np.maximum(6 - np.abs(place - centre), 0) for centre in (7, 11, 15)}
    for label, (first, second) in enumerate([(11, 15), (11, 7), (15, 7)]):
        mean = X[y == label].mean(axis=0)
        np.testing.assert_allclose(mean[:21], (wave[first] + wave[second]) / 2, atol=0.06)
        np.testing.assert_allclose(mean[21:], 0, atol=0.04)
    np.testing.assert_allclose(X[:, 21:].var(axis=0), 1, atol=0.04)
    np.testing.assert_allclose(np.bincount(y) / len(y), 1 / 3, atol=0.01)


@pytest.mark.parametrize("noise", [0.1, 0.25])
def test_the_xor_bayes_rule_errs_as_often_as_stated(noise):
    X, y = make_noisy_xor(100_000, noise=noise, random_state=0)
    wrong = (X[:, 0] * X[:, 1] < 0) != y
    assert within_four_standard_errors(wrong, noisy_xor_bayes_error(noise))
    assert X.shape == (100_000, 4)
    # neither sign alone says anything
    assert abs(np.corrcoef(X[:, 0] > 0, y)[0, 1]) < 0.015


MAKERS = [make_led, make_waveform, make_noisy_xor]


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_gives_the_same_rows_and_another_seed_others(make):
    (X, y), (X2, y2), (X3, _) = (make(50, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(X, X2)
    np.testing.assert_array_equal(y, y2)
    assert not np.array_equal(X, X3)
    assert X.dtype == np.float64 and y.dtype == np.int64


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("n_samples", [0, -1, 2.5, "9", True])
def test_a_senseless_number_of_rows_is_refused(make, n_samples):
    with pytest.raises(ValueError, match=f"n_samples={n_samples!r}: a whole number, 1 or more".replace(".", r"\.")):
        make(n_samples)


@pytest.mark.parametrize("noise", [-0.1, 0.51, float("nan"), "0.1", True])
def test_a_noise_that_is_no_probability_up_to_a_half_is_refused(noise):
    for call in (
        lambda: make_led(5, noise=noise),
        lambda: make_noisy_xor(5, noise=noise),
        lambda: led_bayes_error(noise),
        lambda: noisy_xor_bayes_error(noise),
    ):
        with pytest.raises(ValueError, match=r"noise=.*a number in \[0, 0\.5\]"):
            call()


@pytest.mark.parametrize(
    ("make", "name"),
    [(make_led, "n_irrelevant"), (make_waveform, "n_noise"), (make_noisy_xor, "n_irrelevant")],
)
def test_a_negative_number_of_further_columns_is_refused(make, name):
    with pytest.raises(ValueError, match=f"{name}=-1: a whole number, 0 or more"):
        make(5, **{name: -1})


def test_columns_that_are_dropped_are_not_there_and_must_be_columns(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id,x,y\n" + "".join(f"{i},{i % 5},{'ab'[i % 2]}\n" for i in range(30)))
    assert read_table(path, "y", drop=["id"]).feature_names == ["x"]
    assert read_table(path, "y", drop="id").feature_names == ["x"]
    for drop, message in ((["ix"], "drop='ix' is no column of"), (["y"], "drop='y' is the target")):
        with pytest.raises(ValueError, match=message):
            read_table(path, "y", drop=drop)
