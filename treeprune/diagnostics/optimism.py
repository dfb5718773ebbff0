"""By how much does the score on the training rows promise too much?"""

from __future__ import annotations

from treeprune.curve import GeneralizationCurve
from treeprune.diagnostics.answer import Answer


def optimism(curve: GeneralizationCurve) -> Answer:
    """Take the test score from the training score at every prune level.

    Parameters
    ----------
    curve : GeneralizationCurve
        Of one tree, or of several splits.

    Returns
    -------
    Answer
        The columns of ``curve.frame()`` and optimism, train - test. Repeats are averaged at equal sizes.

    References
    ----------
    Hastie, Tibshirani & Friedman (2009), *The Elements of Statistical Learning*, section 7.4.

    Examples
    --------
    >>> import treeprune as tp
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from treeprune.diagnostics import optimism
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2])
    >>> curve = tp.pruning_curve(tree, tp.pruning_path(tree), X[::2], y[::2], X[1::2], y[1::2])
    >>> table = optimism(curve).table
    >>> bool(table["optimism"].iloc[0] > 0.05), bool(abs(table["optimism"].iloc[-1]) < 0.2)
    (True, True)
    """
    table = curve.frame()
    table["optimism"] = table["train"] - table["test"]
    return Answer("By how much does the training score promise too much?", table, "n_leaves", ("optimism",))
