"""A tree that no other of its size fits better, found by GOSDT, as a real tree of scikit-learn.

To compare what pruning leaves of a greedy tree with what could have been grown.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from treeprune.tree.loss import gini
from treeprune.tree.rebuild import UNDEFINED, rebuild
from treeprune.tree.statistics import class_counts
from treeprune.tree.structure import LEAF, TreeStructure


class OptimalTreeClassifier(DecisionTreeClassifier):
    """Grow the tree of least errors plus a price for every leaf, over thresholds that boosted stumps find.

    Parameters
    ----------
    regularization : float, default=0.02
        Price of a leaf, as a share of the rows.
    depth_budget : int, default=5
        Levels, the leaves included.
    n_stumps : int, default=40
        Boosted stumps, whose thresholds are those that the search knows.
    time_limit : int, default=60
        Seconds; the best tree so far is taken when they are over.
    random_state : int, default=None
        Of the stumps.

    References
    ----------
    Lin, Zhong, Hu, Rudin & Seltzer (2020), ICML 37:6150; McTavish et al. (2022), AAAI 36:9604, for the thresholds.
    """

    def __init__(
        self,
        *,
        regularization: float = 0.02,
        depth_budget: int = 5,
        n_stumps: int = 40,
        time_limit: int = 60,
        random_state: Any = None,
    ) -> None:
        super().__init__(random_state=random_state)
        self.regularization = regularization
        self.depth_budget = depth_budget
        self.n_stumps = n_stumps
        self.time_limit = time_limit

    def fit(self, X: Any, y: Any) -> Self:
        """Search; what scikit-learn checks and remembers of the rows is as for its own trees."""
        super().fit(X, y)
        rows = np.asarray(X, dtype=np.float32)
        codes = np.searchsorted(self.classes_, np.asarray(y))
        structure = self._search(rows, codes)
        counts = class_counts(structure, structure.route(rows), codes, len(self.classes_))[:, None]  # of one output
        self.tree_ = _as_tree(self, structure, counts).tree_
        return self

    def _search(self, X: Any, codes: Any) -> TreeStructure:
        try:
            from gosdt import GOSDTClassifier, ThresholdGuessBinarizer
        except ImportError:
            raise ImportError("optimal trees need gosdt: pip install 'treeprune[optimal]'") from None
        stumps = ThresholdGuessBinarizer(n_estimators=self.n_stumps, max_depth=1, random_state=self.random_state or 0)
        answers = stumps.fit_transform(X.astype(np.float64), codes)
        search = GOSDTClassifier(
            regularization=self.regularization,
            depth_budget=self.depth_budget,
            time_limit=self.time_limit,
            allow_small_reg=True,
        ).fit(np.asarray(answers), codes)
        return _structure(search.trees_[0].tree, stumps.thresholds_)


def _structure(root: Any, thresholds: list[tuple[int, float]]) -> TreeStructure:
    """The tree as arrays, nodes in the order of scikit-learn's: depth first, left before right."""
    nodes: list[list[Any]] = []

    def visit(node: Any) -> int:
        place = len(nodes)
        nodes.append([LEAF, LEAF, UNDEFINED, float(UNDEFINED)])
        if hasattr(node, "left_child"):
            nodes[place][2:] = thresholds[node.feature]
            nodes[place][0] = visit(node.left_child)  # where the answer is yes: at most the threshold
            nodes[place][1] = visit(node.right_child)
        return place

    visit(root)
    left, right, feature, threshold = zip(*nodes, strict=True)
    return TreeStructure.from_arrays(left, right, feature=feature, threshold=threshold)


def _as_tree(estimator: Any, structure: TreeStructure, counts: Any) -> Any:
    n_rows = counts[:, 0].sum(axis=-1)
    assert structure.feature is not None  # given to it
    assert structure.threshold is not None
    return rebuild(
        estimator,
        np.zeros(structure.n_nodes, dtype=np.intp),
        structure.children_left,
        structure.children_right,
        int(structure.depth.max()),
        feature=structure.feature,
        threshold=structure.threshold,
        impurity=gini(counts) / n_rows,
        n_node_samples=n_rows,
        weighted_n_node_samples=n_rows,
        value=counts / n_rows[:, None, None],
    )
