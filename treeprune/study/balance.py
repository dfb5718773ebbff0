"""Does a method prune too much or too little? The size of its trees against the best that could be cut."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from treeprune.study.units import CONDITION

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.10  # of the test, as Esposito, Malerba & Semeraro chose it
AGAINST = {"index": "ceiling_leaves", "index_crossed": "crossed_leaves", "index_population": "population_leaves"}


def pruning_balance(rows: pd.DataFrame) -> pd.DataFrame:
    """Table by how much trees are larger or smaller than the smallest optimally pruned tree.

    The optimally pruned tree is the smallest cut of the grown tree that is best on the test rows: it is
    fitted to them. Where the best cut on 100,000 fresh rows is known (generators), the verdict is against that.

    Parameters
    ----------
    rows : DataFrame
        Rows of results, as of `StudyResults.rows`.

    Returns
    -------
    DataFrame
        One row a condition, data set and method: ``n`` splits; ``index``, the mean over splits of log2(leaves /
        leaves of the best cut), ``index_sd`` over splits; the same against the mean of the cuts chosen on
        halves of the test rows (``index_crossed``; between the two lies what the best cut is truly
        worth) and on fresh rows (``index_population``, NaN for real data); splits on which the tree is ``larger`` and
        ``smaller``; ``p`` of the Wilcoxon signed-rank test over splits, two-sided; ``verdict``: "under" (pruned
        too little), "over", or "neither" where p is not below 0.10. Splits share rows, so p is too small.

    References
    ----------
    Esposito, Malerba & Semeraro (1997), IEEE PAMI 19:476, section 5.

    Examples
    --------
    >>> from treeprune.study.balance import pruning_balance
    >>> from treeprune.study.design import Study
    >>> from treeprune.study.runner import run_study
    >>> rows = run_study(Study(data=["heart_cleveland"], methods=["unpruned"], repeats=8)).rows
    >>> pruning_balance(rows)[["method", "n", "larger", "smaller", "verdict"]].values.tolist()
    [['unpruned', 8, 8, 0, 'under']]
    """
    import pandas as pd

    good = rows[rows["error"] == ""]
    keys = [*CONDITION, "data", "task", "method"]
    tables = [
        {**dict(zip(keys, key, strict=True)), **_balance(trials)}
        for key, trials in good.groupby(keys, sort=False, observed=True)
    ]
    return pd.DataFrame(tables)


def _balance(trials: pd.DataFrame) -> dict[str, Any]:
    leaves = trials["leaves"].to_numpy(float)
    ratios = {name: np.log2(leaves / trials[column].to_numpy(float)) for name, column in AGAINST.items()}
    known = ratios["index_population"]
    judged = ratios["index"] if np.isnan(known).any() else known
    p = signed_rank_p(judged)
    verdict = "neither" if not p < LEVEL else "under" if _signed_ranks(judged) > 0 else "over"
    return {
        "n": len(trials),
        "index_sd": float(judged.std(ddof=1)) if len(trials) > 1 else float("nan"),
        **{name: float(ratio.mean()) for name, ratio in ratios.items()},
        "larger": int((judged > 0).sum()),
        "smaller": int((judged < 0).sum()),
        "p": p,
        "verdict": verdict,
    }


def _signed_ranks(differences: NDArray[Any]) -> float:
    """Ranks of positive differences less those of negative ones: to which side the signed-rank test leans."""
    from scipy.stats import rankdata

    return float((np.sign(differences) * rankdata(np.abs(differences))).sum())


def signed_rank_p(differences: NDArray[Any]) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test, differences of 0 shared between both sides.

    Exact for few differences without ties; NaN of fewer than two.
    """
    from scipy.stats import wilcoxon

    if len(differences) < 2:
        return float("nan")
    if not np.any(differences):
        return 1.0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Exact p-value|Sample size too small", UserWarning)  # of older releases
        return float(wilcoxon(differences, zero_method="zsplit").pvalue)
