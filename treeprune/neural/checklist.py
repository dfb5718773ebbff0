"""Is a comparison of pruned networks reported honestly?  Asked of the table itself.

After the appendix of Blalock et al. (2020), *What is the state of neural network pruning?*, and the
baseline of Liu et al. (2019), *Rethinking the value of network pruning*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame, Series

COLLAPSE = 0.1  # a score that is lower than the dense network's by this share of it counts as collapsed
BASELINES = ("random", "magnitude", "scratch_equal_epochs", "scratch_equal_macs")
NO_REPAIR = "_no_repair"  # what shows the worth of the repair is a baseline too
LINES = ("dense", "early_stopping", "weight_decay")


def honest_checklist(table: DataFrame) -> DataFrame:
    """Check what a table of results holds.

    Parameters
    ----------
    table : DataFrame
        One row per method, size and seed, with columns method, n_neurons, seed and test_score (higher
        is better). Baselines go by the names random, magnitude, scratch_equal_epochs,
        scratch_equal_macs, dense, early_stopping and weight_decay, or end in _no_repair; every other method is a
        claim.

    Returns
    -------
    DataFrame
        Columns item, passed, found. Nothing passes on a word: what the table lacks, fails.

    Examples
    --------
    >>> from pandas import DataFrame
    >>> from treeprune.neural import honest_checklist
    >>> one = DataFrame({"method": ["obs"], "n_neurons": [5], "seed": [0], "test_score": [0.9]})
    >>> bool(honest_checklist(one)["passed"].any())
    False
    """
    from pandas import DataFrame

    if not hasattr(table, "columns"):
        raise TypeError(f"a DataFrame is expected, got {type(table).__name__}")
    missing = {"method", "n_neurons", "seed", "test_score"} - set(table)
    if missing:
        raise ValueError(f"the table lacks {', '.join(sorted(missing))}")
    table = table[table["test_score"].notna()]  # a run without a score shows nothing
    claims = table[~table["method"].isin(BASELINES + LINES) & ~table["method"].astype(str).str.endswith(NO_REPAIR)]
    if not len(table):
        raise ValueError("the table has no row with a test_score: give one row per method, size and seed")
    items = [_baseline(table, claims, name) for name in BASELINES]
    items += [(name, bool((table["method"] == name).any()), "") for name in LINES]
    items += [_several_sizes(claims), _collapse(table, claims), _seeds(table), _both_ratios(table)]
    return DataFrame(items, columns=["item", "passed", "found"])


Item = tuple[str, bool, str]


def _baseline(table: DataFrame, claims: DataFrame, name: str) -> Item:
    sizes: Series = claims["n_neurons"]
    absent = set(sizes) - set(table.loc[table["method"] == name, "n_neurons"])
    found = f"absent at {', '.join(map(str, sorted(absent)))} neurons" if absent else "at every size"
    return f"{name} at every size", bool(len(claims)) and not absent, found


def _several_sizes(claims: DataFrame) -> Item:
    n = claims["n_neurons"].nunique()
    return "three sizes or more", n >= 3, f"{n}"


def _collapse(table: DataFrame, claims: DataFrame) -> Item:
    dense = table.loc[table["method"] == "dense", "test_score"].mean()
    worst = claims.groupby(["method", "n_neurons"])["test_score"].mean().min()
    return (
        "a size at which the score collapses",
        bool(worst < dense - COLLAPSE * abs(dense)),
        f"{worst:.3g} of {dense:.3g}",
    )


def _seeds(table: DataFrame) -> Item:
    fewest = int(table.groupby(["method", "n_neurons"])["seed"].nunique().min())
    return "three seeds or more of everything", fewest >= 3, f"{fewest} at least"


def _both_ratios(table: DataFrame) -> Item:
    ratios = ("compression_ratio", "theoretical_speedup")
    absent = [name for name in ratios if name not in table or not (table[name] > 0).all()]
    return "compression ratio and theoretical speed-up", not absent, f"no {', '.join(absent)}" if absent else "both"
