"""How much faster does a network predict once neurons are gone, not only set to zero?"""

from __future__ import annotations

import sys
from copy import deepcopy

import numpy as np
from pairs import Report, clocked, in_turns, options
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from treeprune.neural import prune_lossless

N_NEURONS, SHARE_REMOVED = 2_048, 0.8


def main() -> int:
    chosen = options(__doc__)
    report = Report(__doc__)
    X, y = load_digits(return_X_y=True)
    dense = MLPClassifier(N_NEURONS, random_state=0).partial_fit(X, y, classes=np.unique(y))
    masked = deepcopy(dense)
    gone = np.random.default_rng(0).permutation(N_NEURONS)[: int(SHARE_REMOVED * N_NEURONS)]
    masked.coefs_[0][:, gone], masked.intercepts_[0][gone], masked.coefs_[1][gone] = 0, 0, 0
    small = prune_lossless(masked)
    report.heading(f"times faster than the dense network at predict; {SHARE_REMOVED:.0%} of {N_NEURONS:,} neurons go")
    peer = clocked(lambda: dense.predict(X))
    report.times_faster("neurons removed", in_turns(clocked(lambda: small.predict(X)), peer), 3)
    report.only("neurons set to zero, ours / peer", in_turns(clocked(lambda: masked.predict(X)), peer))
    return report.exit_code(chosen.check)


if __name__ == "__main__":
    sys.exit(main())
