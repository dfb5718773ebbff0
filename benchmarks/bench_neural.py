"""What do networks gain by losing neurons, and what does it cost to choose them?"""

from __future__ import annotations

import sys
import warnings
from copy import deepcopy
from typing import Any

import numpy as np
from pairs import Report, clocked, in_turns, options
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from treeprune.neural import neuron_importance, neuron_path, prune_lossless

N_NEURONS, SHARE_REMOVED = 2_048, 0.8
EPOCHS = 10


def main() -> int:
    chosen = options(__doc__)
    report = Report(__doc__)
    X, y = load_digits(return_X_y=True)
    removal_against_zeros(report, X, y)
    path_against_epochs(report, X / 16, y)
    ablation_against_loop(report, X / 16, y)
    return report.exit_code(chosen.check)


def removal_against_zeros(report: Report, X: Any, y: Any) -> None:
    dense = MLPClassifier(N_NEURONS, random_state=0).partial_fit(X, y, classes=np.unique(y))
    masked = deepcopy(dense)
    gone = np.random.default_rng(0).permutation(N_NEURONS)[: int(SHARE_REMOVED * N_NEURONS)]
    masked.coefs_[0][:, gone], masked.intercepts_[0][gone], masked.coefs_[1][gone] = 0, 0, 0
    small = prune_lossless(masked)
    report.heading(f"times faster than the dense network at predict; {SHARE_REMOVED:.0%} of {N_NEURONS:,} neurons go")
    peer = clocked(lambda: dense.predict(X))
    report.times_faster("neurons removed", in_turns(clocked(lambda: small.predict(X)), peer), 3)
    report.only("neurons set to zero, ours / peer", in_turns(clocked(lambda: masked.predict(X)), peer))


def path_against_epochs(report: Report, X: Any, y: Any) -> None:
    """The whole path 100 -> 1 by OBS, choice and repair, every network made."""
    mlp = MLPClassifier(100, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        dense = clone(mlp).fit(X, y)
        report.heading(f"share of {EPOCHS} epochs of the fit; digits, 100 neurons")
        fit = clocked(lambda: clone(mlp).fit(X, y))
        report.at_most("the OBS path 100 -> 1", in_turns(clocked(lambda: neuron_path(dense, X)), fit), 1)
        made = clocked(lambda: list(neuron_path(dense, X).networks(dense)))
        report.only("the path, and the 100 networks of it made", in_turns(made, fit))


def ablation_against_loop(report: Report, X: Any, y: Any) -> None:
    dense = MLPClassifier(100, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        dense.fit(X, y)

    def loop() -> list[float]:
        losses = []
        for j in range(100):
            without = deepcopy(dense)
            without.coefs_[1][j] = 0
            losses.append(log_loss(y, without.predict_proba(X)))
        return losses

    report.heading("times faster than a loop of copy, zero and predict_proba; ablation of 100 neurons, digits")
    ours = clocked(lambda: neuron_importance(dense, X, y, criterion="ablation"))
    report.times_faster("ablation in one pass", in_turns(ours, clocked(loop)), 10)


if __name__ == "__main__":
    sys.exit(main())
