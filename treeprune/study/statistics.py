"""What may be concluded from the means of a study: tests over data sets, and within one.

The main question is fixed beforehand: one declared control against each other method, over data sets
(Demsar 2006; Benavoli, Corani, Demsar & Zaffalon 2017). Tests within one data set know that its splits share
rows (Nadeau & Bengio 2003).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from treeprune.checks import check_choice, check_number
from treeprune.study.balance import signed_rank_p
from treeprune.study.units import CONDITION

if TYPE_CHECKING:
    import pandas as pd

SAMPLES = 10_000  # of the Bayesian test's posterior: a probability is known to .005
FEWEST_SETS = 6  # two-sided p of Wilcoxon's test cannot come below .03 with 6 sets, nor below .06 with 5
SURE = 0.95
SIGNIFICANT = 0.05


def require_extra() -> None:
    """Raise ImportError unless the extra ``stats`` is installed."""
    for name in ("baycomp", "scikit_posthocs", "statsmodels"):
        if find_spec(name) is None:
            raise ImportError(_EXTRA)


def compare_to_control(scores: pd.DataFrame, control: str, rope: float, random_state: int = 0) -> pd.DataFrame:
    """Compare one method with each other over data sets.

    Parameters
    ----------
    scores : DataFrame, data sets x methods
        Mean test score of each method on each data set; NaN where there is none.
    control : str
        A column of `scores`.
    rope : float
        Differences up to here do not matter.
    random_state : int, default=0
        Of the samples of the Bayesian test.

    Returns
    -------
    DataFrame
        One row a method: ``n`` data sets that have both; ``difference`` (method less control), its mean over
        sets, and ``difference_sd``; ``p`` of Wilcoxon's signed-rank test, two-sided (exact where no
        differences tie or vanish; those of 0 are shared between the sides), NaN with fewer than 6 sets;
        ``p_holm``, adjusted for all comparisons by Holm's method; ``p_worse``, ``p_equivalent``, ``p_better``:
        posterior probabilities of the Bayesian signed-rank test that the method is worse than the control
        by more than the rope, within it, or better by more; NaN with fewer than 6 sets.

    References
    ----------
    Demsar (2006), JMLR 7:1; Benavoli et al. (2014), ICML 31:1026, for the Bayesian test.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from treeprune.study.statistics import compare_to_control
    >>> base = np.linspace(0.6, 0.9, 8)
    >>> scores = pd.DataFrame({"a": base, "b": base + np.linspace(0.01, 0.04, 8)})
    >>> compare_to_control(scores, "a", rope=0.005)[["method", "n", "p_holm", "p_better"]].round(3).values.tolist()
    [['b', 8, 0.008, 1.0]]
    """
    import pandas as pd

    check_choice("control", control, tuple(scores.columns))
    check_number("rope", rope, low=0)
    others = [name for name in scores.columns if name != control]
    rows = [{"method": name, **_compared(scores[[control, name]].dropna(), rope, random_state)} for name in others]
    table = pd.DataFrame(rows, columns=["method", *_COMPARED])
    return table.assign(p_holm=_holm(table["p"].to_numpy(float)))[["method", *_ORDER]]


def compare_by_set(rows: pd.DataFrame, control: str) -> pd.DataFrame:
    """Compare one method with each other on every data set by the corrected resampled t-test.

    Parameters
    ----------
    rows : DataFrame
        Rows of results, of one condition.
    control : str

    Returns
    -------
    DataFrame
        One row a data set and method: ``n`` splits, ``difference`` (method less control), ``difference_sd``
        over splits, ``t``, ``p``, and the 95 % interval ``low`` to ``high``; see `corrected_resampled_t`.

    Examples
    --------
    >>> from treeprune.study.design import Study
    >>> from treeprune.study.runner import run_study
    >>> from treeprune.study.statistics import compare_by_set
    >>> rows = run_study(Study(data=["heart_cleveland"], methods=["error_based"], repeats=5)).rows
    >>> compare_by_set(rows, "unpruned")[["method", "n"]].values.tolist()
    [['error_based', 5]]
    """
    import pandas as pd

    good = rows[rows["error"] == ""]
    keys = [*CONDITION, "data", "repeat"]
    pairs = good.merge(good.loc[good["method"] == control, [*keys, "test"]], on=keys, suffixes=("", "_control"))
    pairs = pairs[pairs["method"] != control]
    entries = []
    for (data, task, method), splits in pairs.groupby(["data", "task", "method"], sort=False, observed=True):
        differences = (splits["test"] - splits["test_control"]).to_numpy()
        ratio = float((splits["rows_test"] / splits["rows_training"]).mean())
        entries.append({"data": data, "task": task, "method": method, **corrected_resampled_t(differences, ratio)})
    return pd.DataFrame(entries, columns=["data", "task", "method", *_WITHIN])


def corrected_resampled_t(differences: ArrayLike, test_share: float) -> dict[str, float]:
    """Test whether differences over resamples of one data set have mean 0.

    Resamples share rows, so the variance of their mean is not s²/n; Nadeau and Bengio put
    (1/n + n_test/n_train) s² in its place.

    Parameters
    ----------
    differences : array-like, shape (n_splits,)
        Of the scores of two methods on the same splits.
    test_share : float
        Test rows over training rows of a split.

    Returns
    -------
    dict
        ``n``, ``difference`` (mean), ``difference_sd``, ``t``, ``p`` (two-sided, n - 1 degrees of freedom), ``low`` and
        ``high`` of the 95 % interval. With one split, or all differences 0, ``t`` and ``p`` are NaN.

    References
    ----------
    Nadeau & Bengio (2003), Machine Learning 52:239, equation 9.

    Examples
    --------
    >>> from treeprune.study.statistics import corrected_resampled_t
    >>> found = corrected_resampled_t([0.02, 0.01, 0.04, 0.01], test_share=0.5)
    >>> round(found["t"], 3), round(found["p"], 3)
    (1.633, 0.201)
    """
    from scipy.stats import t as student

    values = np.asarray(differences, dtype=float)
    n, mean = len(values), float(values.mean())
    sd = float(values.std(ddof=1)) if n > 1 else float("nan")
    error = sd * np.sqrt(1 / n + test_share)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = float(mean / np.float64(error)) if error else float("nan")  # equal differences have no spread to judge by
    half = float(student.ppf(0.975, n - 1) * error) if n > 1 else float("nan")
    p = float(2 * student.sf(abs(t), n - 1)) if n > 1 else float("nan")
    return dict(zip(_WITHIN, (n, mean, sd, t, p, mean - half, mean + half), strict=True))


@dataclass(frozen=True, eq=False)
class CriticalDifference:
    """Mean ranks of methods, and how far apart two must lie.

    Attributes
    ----------
    ranks : Series
        Mean rank of each method over the data sets; 1 is best, ties share.
    distance : float
        Nemenyi's critical difference at the level `alpha`.
    n_sets : int
    friedman, p : float
        Friedman's chi-square, and its p: whether the ranks differ at all.
    alpha : float
    """

    ranks: pd.Series
    distance: float
    n_sets: int
    friedman: float
    p: float
    alpha: float

    def significance(self) -> pd.DataFrame:
        """Return 1 for pairs whose ranks differ by less than the critical difference, and 0 for others."""
        import pandas as pd

        values = self.ranks.to_numpy()
        near = np.abs(values[:, None] - values) < self.distance
        return pd.DataFrame(near.astype(float), index=self.ranks.index, columns=self.ranks.index)


def critical_difference(scores: pd.DataFrame, alpha: float = SIGNIFICANT) -> CriticalDifference:
    """Rank methods over data sets, and compute Nemenyi's critical difference.

    Descriptive: all pairs are compared, which was not the declared question.

    Parameters
    ----------
    scores : DataFrame, data sets x methods
        Data sets that lack a method are left out.
    alpha : float in (0, 1), default=0.05

    Raises
    ------
    ValueError
        With fewer than two data sets or three methods.

    References
    ----------
    Demsar (2006), JMLR 7:1, section 3.2.2: CD = q_alpha sqrt(k (k + 1) / 6N).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from treeprune.study.statistics import critical_difference
    >>> rng = np.random.default_rng(0)
    >>> scores = pd.DataFrame(rng.normal(size=(14, 4)) + [0, 0, 0, 2], columns=list("abcd"))
    >>> found = critical_difference(scores)
    >>> round(found.distance, 3), found.ranks.idxmin()
    (1.254, 'd')
    """
    from scipy.stats import friedmanchisquare, studentized_range

    check_number("alpha", alpha, low=0, high=1, open_ends=True)
    whole = scores.dropna()
    n, k = whole.shape
    if n < 2 or k < 3:
        raise ValueError(f"{n} data sets that have all of {k} methods: 2 sets and 3 methods, or more, are needed")
    ranks = whole.round(12).rank(axis=1, ascending=False).mean()
    q = float(studentized_range.ppf(1 - alpha, k, np.inf)) / np.sqrt(2)
    with np.errstate(invalid="ignore", divide="ignore"):  # all ranks tie
        statistic, p = friedmanchisquare(*whole.round(12).to_numpy().T)
    return CriticalDifference(ranks, float(q * np.sqrt(k * (k + 1) / (6 * n))), n, float(statistic), float(p), alpha)


class CriticalDifferenceDisplay:
    """Mean ranks on a line, methods that do not differ joined by a bar.

    Parameters
    ----------
    result : CriticalDifference
    titles : dict, optional
        What to call the methods.

    Attributes
    ----------
    ax_, figure_
        What was drawn on.
    """

    def __init__(self, result: CriticalDifference, titles: dict[str, str] | None = None) -> None:
        self.result, self.titles = result, titles or {}

    def plot(self, ax: Any = None) -> CriticalDifferenceDisplay:
        """Draw; needs the extra ``stats``."""
        require_extra()
        from scikit_posthocs import critical_difference_diagram

        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(layout="constrained", figsize=(10, 1.2 + 0.13 * len(self.result.ranks)))[1]
        ranks = self.result.ranks.rename(index=self.titles)
        near = self.result.significance().rename(index=self.titles, columns=self.titles)
        critical_difference_diagram(
            ranks,
            near,
            ax=ax,
            alpha=0.5,  # of a matrix that holds 0 and 1
            label_fmt_left="{label} ({rank:.1f})",
            label_fmt_right="({rank:.1f}) {label}",
            label_props={"fontsize": 8.5, "parse_math": False},
            marker_props={"s": 16},
            elbow_props={"linewidth": 0.8},
            crossbar_props={"linewidth": 2.4, "color": "#0072B2"},
            color_palette=["black"] * len(ranks),
        )
        self._draw_scale(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_scale(self, ax: Any) -> None:
        """Leave room for the names at both sides, and show the critical difference above the ranks."""
        from matplotlib.ticker import MaxNLocator

        low, high = float(self.result.ranks.min()), float(self.result.ranks.max())
        span = max(high - low, self.result.distance, 0.5)
        middle = (low + high) / 2
        ax.set_xlim(middle - 0.82 * span, middle + 0.82 * span)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.tick_params(labelsize=8)
        start = middle - self.result.distance / 2
        ax.plot([start, start + self.result.distance], [2.1, 2.1], color="black", linewidth=1.2, marker="|")
        text = f"critical difference {self.result.distance:.2f}"
        ax.text(middle, 2.4, text, ha="center", va="bottom", fontsize=8.5)
        ax.set_ylim(top=3.6)


def conclude(comparison: pd.DataFrame, control: str, rope: float, titles: dict[str, str]) -> list[str]:
    """Say what a comparison with a control shows, and what it does not.

    Parameters
    ----------
    comparison : DataFrame
        From `compare_to_control`.
    control : str
    rope : float
    titles : dict
        What to call the methods.

    Returns
    -------
    list of str
        Sentences.
    """
    n = int(comparison["n"].max()) if len(comparison) else 0
    name = titles.get(control, control)
    if n < FEWEST_SETS:
        return [
            f"With {n} data set{'s' if n != 1 else ''} no test over sets can tell anything: {FEWEST_SETS} are needed. "
            "The differences describe these sets and no others."
        ]
    differs, by_mean = comparison["p_holm"] < SIGNIFICANT, np.sign(comparison["difference"])
    # the tests weigh ranks; where one large difference turns the mean, no direction can be claimed
    by_ranks = np.sign(comparison["p_better"] - comparison["p_worse"])
    torn = differs & (by_ranks * by_mean < 0)
    groups = {
        f"more accurate than {name}": differs & (by_mean > 0) & ~torn,
        f"less accurate than {name}": differs & (by_mean < 0) & ~torn,
        f"different from {name}, most sets one way and the mean, by few large differences, the other": torn,
        f"practically equivalent to {name} (within {rope:g}, with probability {SURE} or more)": (
            comparison["p_equivalent"] >= SURE
        ),
    }
    said = [
        f"On average over sets {_titles(comparison[which], titles)} {'is' if which.sum() == 1 else 'are'} {what}."
        for what, which in groups.items()
        if which.any()
    ]
    open_ = ~np.logical_or.reduce(list(groups.values()))
    if open_.any():
        said.append(
            f"Of {_titles(comparison[open_], titles)} these {n} sets show neither a difference to {name} nor that "
            "there is none: what was not found significant is not thereby equal."
        )
    return said


def standing(rows: pd.DataFrame, pairs: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Set what the minimum and one standard error choose side by side.

    Parameters
    ----------
    rows : DataFrame
        Rows of results, of one condition.
    pairs : dict
        From a name to the methods of minimum and one standard error.

    Returns
    -------
    DataFrame
        One row a data set and pair: ``n`` splits, mean ``test_minimum``, ``test_one_se``, ``leaves_minimum``,
        ``leaves_one_se``, ``difference`` of the test scores (one standard error less minimum) and its SD over splits.
    """
    import pandas as pd

    good = rows[rows["error"] == ""].set_index(["data", "task", "repeat"])
    entries = []
    for name, (least, one) in pairs.items():
        both = good.loc[good["method"] == least, ["test", "leaves"]].join(
            good.loc[good["method"] == one, ["test", "leaves"]].add_suffix("_one_se"), how="inner"
        )
        both = both.rename(columns={"test": "test_minimum", "leaves": "leaves_minimum"})
        both["difference"] = both["test_one_se"] - both["test_minimum"]
        grouped = both.groupby(["data", "task"], sort=False, observed=True)
        table = grouped.mean().assign(difference_sd=grouped["difference"].std(), n=grouped.size(), pair=name)
        entries.append(table.reset_index())
    return pd.concat(entries, ignore_index=True) if entries else pd.DataFrame()


_WITHIN = ("n", "difference", "difference_sd", "t", "p", "low", "high")
_COMPARED = ("n", "difference", "difference_sd", "p", "p_worse", "p_equivalent", "p_better")
_ORDER = ("n", "difference", "difference_sd", "p", "p_holm", "p_worse", "p_equivalent", "p_better")
_EXTRA = "the statistics of studies need scikit-posthocs and baycomp: pip install 'treeprune[stats]'"


def _compared(pair: pd.DataFrame, rope: float, random_state: int) -> dict[str, Any]:
    control, other = pair.to_numpy(float).T
    n, differences = len(pair), other - control
    bayes = _bayesian(control, other, rope, random_state) if n >= FEWEST_SETS else (float("nan"),) * 3
    sd = float(differences.std(ddof=1)) if n > 1 else float("nan")
    mean = float(differences.mean()) if n else float("nan")
    return dict(zip(_COMPARED, (n, mean, sd, _wilcoxon(differences), *bayes), strict=True))


def _wilcoxon(differences: NDArray[np.float64]) -> float:
    return signed_rank_p(differences.round(12)) if len(differences) >= FEWEST_SETS else float("nan")


def _bayesian(control: Any, other: Any, rope: float, random_state: int) -> tuple[float, float, float]:
    """Probabilities that the other is worse, equivalent, better."""
    require_extra()
    from baycomp import SignedRankTest

    if not rope and np.array_equal(control, other):
        return (float("nan"),) * 3  # all differences are zero, and without a rope zero is on neither side
    # its zero is a pseudo-observation that lies within the rope
    found = SignedRankTest.probs(control, other, rope, nsamples=SAMPLES, random_state=random_state)
    worse, equivalent, better = found if rope > 0 else (found[0], 0.0, found[1])
    return float(worse), float(equivalent), float(better)


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(p)
    adjusted = np.full(len(p), np.nan)
    if known.any():
        require_extra()
        from statsmodels.stats.multitest import multipletests

        adjusted[known] = multipletests(p[known], method="holm")[1]
    return adjusted


def _titles(table: pd.DataFrame, titles: dict[str, str]) -> str:
    names = [titles.get(name, name) for name in table["method"]]
    return names[0] if len(names) == 1 else f"{'; '.join(names[:-1])} and {names[-1]}"
