"""The score of a selection, not of what it selected.

The best of many cross-validated scores is best partly by luck.  Resampling the rows (their
out-of-fold losses; nothing is fitted again), selecting on the resample and scoring what was
selected on the rows left out of it shows what the selection earns.

Tsamardinos, Greasidou & Borboudakis (2018), *Bootstrapping the out-of-sample predictions for
efficient and accurate cross-validation*, Machine Learning 107:1895-1922.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from treeprune.evidence import Estimate, FoldEvidence, RowEvidence

N_BOOTSTRAPS = 500


def honest_scores(
    evidence: RowEvidence | FoldEvidence, select: Callable[[Estimate], int], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Bootstrap the selection.

    Parameters
    ----------
    evidence : RowEvidence or FoldEvidence
    select : callable
        From the estimate of every level to the level selected.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float, shape (n_bootstraps,)
        Scores, on what each resample left out, of the level selected on it. Resamples that
        leave nothing out are passed over.
    """
    scores = []
    for _ in range(N_BOOTSTRAPS):
        times, left_out = evidence.draw(rng)
        if left_out.any() and (times > 0).sum() > 1:
            scores.append(evidence.score_at(select(evidence.estimate(times)), left_out))
    if not scores:
        raise ValueError(
            "a single fold, or group, cannot be resampled: honest_score_ of this scoring needs several that share "
            "no rows"
        )
    return np.array(scores)
