"""What does ``import treeprune`` cost beside ``import sklearn.tree``?

Fresh processes in turns; what starting Python costs is measured too, and taken off both.
"""

from __future__ import annotations

import resource
import subprocess
import sys

import numpy as np
from pairs import Report, Timer, in_turns, options


def main() -> int:
    chosen = options(__doc__)
    report = Report(__doc__)
    bare = float(np.median([starting("pass")() for _ in range(9)]))
    report.heading("import treeprune over import sklearn.tree")
    ratios = in_turns(starting("import treeprune", bare), starting("import sklearn.tree", bare), 15)
    report.at_most("fresh process", ratios, 1.2)
    return report.exit_code(chosen.check)


def starting(code: str, bare: float = 0.0) -> Timer:
    """Measure the CPU seconds of a Python that runs the code, less those of one that runs none."""

    def measure() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime - bare

    return measure


if __name__ == "__main__":
    sys.exit(main())
