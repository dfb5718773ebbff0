"""Published protocols as named designs, with what their authors concluded beside what is found here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from treeprune.study.balance import pruning_balance
from treeprune.study.design import Study
from treeprune.study.methods import METHODS
from treeprune.tables import suggestion

if TYPE_CHECKING:
    import pandas as pd

    from treeprune.study.results import StudyResults

PLATEAU = 0.01  # of accuracy: within it of the accuracy on all rows, more rows are said to help no longer
CLEARLY_MORE = 1.1  # leaves


@dataclass(frozen=True)
class Claim:
    """A published conclusion, and what was found here.

    Attributes
    ----------
    published, found : str
    agrees : bool or None
        None where there is too little to say.
    """

    published: str
    found: str
    agrees: bool | None


@dataclass(frozen=True)
class Protocol:
    """A published experiment.

    Attributes
    ----------
    title, reference : str
    differs : str
        In what the design here is not that of the authors.
    fields : callable
        From the folder that the user named (or None) to fields of `Study`.
    claims : callable
        From `StudyResults` to claims.
    """

    title: str
    reference: str
    differs: str
    fields: Callable[[Path | None], dict[str, Any]]
    claims: Callable[[StudyResults], list[Claim]]


def read_protocol(name: str, folder: str | Path | None = None, overrides: Mapping[str, Any] | None = None) -> Study:
    """Return the design of a published experiment.

    Parameters
    ----------
    name : str
        A key of `PROTOCOLS`.
    folder : path, optional
        Where the data sets lie that may not be shipped, as CSV files whose last column, or whose column
        ``class``, is the class.
    overrides : mapping, optional
        Fields of `Study` that are to have another value.

    Examples
    --------
    >>> from treeprune.study.protocols import read_protocol
    >>> design = read_protocol("islp-carseats-lottery")
    >>> design.repeats, design.splits, design.methods
    (100, 'same_rows', ('unpruned', 'cost_complexity_minimum', 'cost_complexity_one_standard_error'))
    """
    if name not in PROTOCOLS:
        raise ValueError(
            f"there is no protocol {name!r}{suggestion(name, PROTOCOLS) or '.'} Known: {', '.join(PROTOCOLS)}"
        )
    fields = PROTOCOLS[name].fields(None if folder is None else Path(folder))
    return Study(**{**fields, "protocol": name, **(overrides or {})})  # it knows how to judge its own results


# Esposito, Malerba & Semeraro (1997) ---------------------------------------------------------------------------------

ESPOSITO_SETS = (
    *("iris", "glass", "led1000", "hypothyroid", "hepatitis", "blocks", "p_gene"),
    *("cleveland", "hungary", "switzerland", "long_beach", "heart", "pima", "australian"),
)
BUNDLED: dict[str, Any] = {
    "iris": "iris",
    "glass": "glass",
    "pima": "pima",
    "cleveland": "heart_cleveland",
    "led1000": {"generator": "led", "rows": 1000, "noise": 0.1, "seed": 1000},
}
UNDER = ("error_based", "minimum_error", "critical_value_held_out")
OVER = ("reduced_error", "cost_complexity_held_out_one_standard_error")


def _esposito(folder: Path | None) -> dict[str, Any]:
    return {
        "data": tuple(BUNDLED.values()) if folder is None else _esposito_files(folder),
        "methods": (
            *("cost_complexity_minimum", "cost_complexity_one_standard_error"),
            *("cost_complexity_held_out_minimum", "cost_complexity_held_out_one_standard_error"),
            *("reduced_error", "reduced_error_refit", "critical_value_held_out"),
            *("minimum_error", "pessimistic_error", "error_based"),
        ),
        "repeats": 25,
        "test_size": 0.3,
        "validation_fraction": 0.3,
        "networks": "none",
        "control": "reduced_error",
    }


def _esposito_files(folder: Path) -> tuple[dict[str, Any], ...]:
    if not folder.is_dir():
        raise ValueError(
            f"there is no folder {str(folder)!r}: name the one that holds {ESPOSITO_SETS[0]}.csv and so on"
        )
    missing = [name for name in ESPOSITO_SETS if not (folder / f"{name}.csv").is_file()]
    if missing:
        listed = ", ".join(f"{name}.csv" for name in missing)
        raise ValueError(f"{folder} lacks {listed}: the protocol has {len(ESPOSITO_SETS)} sets, or leave --folder out")
    return tuple(
        {"csv": str((folder / f"{name}.csv").absolute()), "target": "class", "task": "classification"}
        for name in ESPOSITO_SETS
    )


def _esposito_claims(results: StudyResults) -> list[Claim]:
    balance = pruning_balance(results.rows).groupby("method")["verdict"].value_counts().unstack(fill_value=0)
    claims = [_tendency(balance, name, "under", "over") for name in UNDER]
    claims += [_tendency(balance, name, "over", "under") for name in OVER]
    by_method = results.by_method().set_index("method")["test"].drop("unpruned")
    best = list(by_method.sort_values(ascending=False).index[:3])
    mine = ("error_based", "pessimistic_error")
    ranks = by_method.rank(ascending=False)
    found = (
        f"{' and '.join(METHODS[m].title for m in mine)} are in places {ranks[mine[0]]:.0f} and {ranks[mine[1]]:.0f}"
    )
    found += f" of {len(by_method)} by mean accuracy; the first three are {', '.join(METHODS[m].title for m in best)}"
    return [
        *claims,
        Claim("error-based and pessimistic-error pruning are the most accurate overall", found, set(mine) <= set(best)),
    ]


def _tendency(balance: pd.DataFrame, name: str, expected: str, other: str) -> Claim:
    row: Any = balance.loc[name]
    counts = {str(verdict): int(n) for verdict, n in row.items()}
    n_expected, n_other = counts.get(expected, 0), counts.get(other, 0)
    n_sets = sum(counts.values())
    found = f"{expected}-prunes significantly on {n_expected} of {n_sets} sets, {other}-prunes on {n_other}"
    agrees = None if n_expected == n_other else n_expected > n_other
    return Claim(f"{METHODS[name].title} tends to {expected}-prune", found, agrees)


# Oates & Jensen (1997) -----------------------------------------------------------------------------------------------

SHARES = (1.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # the reference, all rows, first


def _oates_jensen(folder: Path | None) -> dict[str, Any]:
    _refuse_folder(folder)
    return {
        "data": (
            *("breast_cancer", "breast_cancer_ljubljana", "german_credit", "heart_cleveland", "house_votes"),
            *("ionosphere", "pima", "segment", "soybean", "vehicle", "vowel", "led:1000", "waveform:1000"),
        ),
        "methods": (
            "error_based",
            "reduced_error",
            "cost_complexity_minimum",
            "cost_complexity_one_standard_error",
        ),
        "repeats": 10,
        "training_rows": SHARES,
        "networks": "none",
        "control": "error_based",
    }


def _oates_jensen_claims(results: StudyResults) -> list[Claim]:
    return [_growth_after_plateau(results.by_set(), name) for name in results.study.methods]


def _growth_after_plateau(by_set: pd.DataFrame, method: str) -> Claim:
    """How much the tree still grows where the accuracy no longer does, set by set."""
    growth = []
    for _, rows in by_set[by_set["method"] == method].groupby("data"):
        rows = rows.assign(share=rows["training_rows"].astype(float)).sort_values("share")
        test, leaves = rows["test"].to_numpy(), rows["leaves"].to_numpy()
        start = int(np.argmax(test >= test[-1] - PLATEAU))
        if rows["share"].iloc[start] <= 0.8:  # there are rows left to grow with
            growth.append(leaves[-1] / leaves[start])
    n, more = len(growth), int(np.sum(np.array(growth) > CLEARLY_MORE))
    found = (
        f"of {n} sets whose accuracy is within {PLATEAU:.0%} of its last value at 80 % of the rows or fewer, "
        f"{more} have trees that grow by more than 10 % from there on; median factor {np.median(growth):.2f}"
        if n
        else "no set reaches its accuracy before all of its rows"
    )
    title = METHODS[method].title
    return Claim(
        f"{title}: trees go on growing with the rows when the accuracy no longer does",
        found,
        more > n / 2 if n else None,
    )


# James, Witten, Hastie, Tibshirani & Taylor (2023), the laboratory of chapter 8 --------------------------------------


def _islp(folder: Path | None) -> dict[str, Any]:
    _refuse_folder(folder)
    return {
        "data": ({"name": "carseats", "above": 8},),
        "methods": ("cost_complexity",),
        "splits": "same_rows",
        "test_size": 0.5,
        "repeats": 100,
        "networks": "none",
        "control": "cost_complexity_one_standard_error",
    }


def _islp_claims(results: StudyResults) -> list[Claim]:
    return [_lottery(results, name) for name in ("cost_complexity_minimum", "cost_complexity_one_standard_error")]


def _lottery(results: StudyResults, method: str) -> Claim:
    sizes = results.rows.loc[results.rows["method"] == method, "leaves"].dropna().astype(int)
    counts = sizes.value_counts()
    low, high = np.percentile(sizes, [5, 95])
    found = (
        f"{len(counts)} different sizes over {len(sizes)} draws of the folds, from {sizes.min()} to {sizes.max()} "
        f"leaves (90 % of them from {low:.0f} to {high:.0f}); the most frequent, {counts.index[0]}, in "
        f"{counts.iloc[0] / len(sizes):.0%}"
    )
    title = METHODS[method].title
    return Claim(
        f"{title}: the textbook reports the one size that its folds happened to choose", found, len(counts) == 1
    )


def _refuse_folder(folder: Path | None) -> None:
    if folder is not None:
        raise ValueError("--folder is for esposito-1997: all data of this protocol are bundled")


PROTOCOLS = {
    "esposito-1997": Protocol(
        "A comparative analysis of methods for pruning decision trees",
        "Esposito, Malerba & Semeraro (1997), IEEE PAMI 19:476-491",
        "Trees are grown by scikit-learn (Gini index, binary splits, missing values of their own branch), not by C4.5 "
        "with gain ratio; methods that need no pruning set use all training rows, as published. Without the folder of "
        "the sets that may not be shipped, five sets are used in place of fourteen.",
        _esposito,
        _esposito_claims,
    ),
    "oates-jensen-1997": Protocol(
        "The effects of training set size on decision tree complexity",
        "Oates & Jensen (1997), ICML 14:254-262",
        "Thirteen sets in place of nineteen, ten shares of the training rows in place of twenty, trees by scikit-learn "
        "in place of C4.5.",
        _oates_jensen,
        _oates_jensen_claims,
    ),
    "islp-carseats-lottery": Protocol(
        "How many leaves does a textbook's cross-validation choose?",
        "James, Witten, Hastie, Tibshirani & Taylor (2023), An Introduction to Statistical Learning with "
        "Applications in Python, chapter 8, laboratory",
        "Repeated with 100 draws of the ten folds (and of the tree's ties), on one split in two halves; all levels "
        "between neighbouring alphas are candidates, at their geometric means.",
        _islp,
        _islp_claims,
    ),
}
