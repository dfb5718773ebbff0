"""How much is to be pruned after so many steps of training."""

from __future__ import annotations

from dataclasses import dataclass

from treeprune.checks import check_count, check_number


@dataclass(frozen=True)
class PolynomialDecay:
    """Prune fast at first, then slower and slower.

    ``s(t) = final + (initial - final) (1 - (t - begin) / (end - begin))^power`` between ``begin``
    and ``end``, nothing before and ``final`` after.

    Parameters
    ----------
    final : float in [0, 1]
        Share of the weights that is off in the end.
    end : int
        Step of training, a mini-batch, at which that is reached.
    initial : float in [0, 1], default=0.0
    begin : int, default=0
    power : float, default=3
        3 is the cubic schedule of Zhu & Gupta.

    References
    ----------
    Zhu & Gupta (2017), *To prune, or not to prune*; TensorFlow Model Optimization has the same
    under the same name.

    Examples
    --------
    >>> from treeprune.neural import PolynomialDecay
    >>> schedule = PolynomialDecay(final=0.8, end=100)
    >>> [round(schedule(step), 2) for step in (0, 25, 50, 100, 200)]
    [0.0, 0.46, 0.7, 0.8, 0.8]
    """

    final: float
    end: int
    initial: float = 0.0
    begin: int = 0
    power: float = 3.0

    def __post_init__(self) -> None:
        check_number("initial", self.initial, low=0, high=1)
        check_number("final", self.final, low=self.initial, high=1)
        check_number("power", self.power, low=0)
        check_count("begin", self.begin, low=0)
        check_count("end", self.end, low=self.begin + 1)

    def __call__(self, step: int) -> float:
        """Share of the weights that is off after so many steps."""
        if step < self.begin:
            return 0.0
        left = 1 - min((step - self.begin) / (self.end - self.begin), 1.0)
        return self.final + (self.initial - self.final) * left**self.power


@dataclass(frozen=True)
class ConstantSparsity:
    """Prune once, at a step of training, and hold it.

    Parameters
    ----------
    final : float in [0, 1]
        Share of the weights that is off from then on.
    begin : int, default=0

    Examples
    --------
    >>> from treeprune.neural import ConstantSparsity
    >>> schedule = ConstantSparsity(0.5, begin=10)
    >>> schedule(9), schedule(10)
    (0.0, 0.5)
    """

    final: float
    begin: int = 0

    def __post_init__(self) -> None:
        check_number("final", self.final, low=0, high=1)
        check_count("begin", self.begin, low=0)

    def __call__(self, step: int) -> float:
        """Share of the weights that is off after so many steps."""
        return self.final if step >= self.begin else 0.0
