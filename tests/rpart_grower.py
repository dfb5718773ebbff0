"""The recursion by which rpart grows a tree of complete numbers, as an outside reference.

Gini and anova without priors, loss matrix or surrogates, after what is recorded of rpart and what its sources
(``gini.c``, ``xval.c``) say; no code is copied.
"""

from __future__ import annotations

import numpy as np
from golden_trees import below
from sklearn.tree import DecisionTreeClassifier

from treeprune import TreeStructure

MAX_DEPTH = 30


class Node:
    """A node by rpart's number (sons 2i, 2i + 1), with its rows; ``sons`` has first the one of x < threshold."""

    def __init__(self, number, rows, value, risk, complexity):
        self.number, self.rows, self.value, self.risk, self.complexity = number, rows, value, risk, complexity
        self.test, self.sons = None, []

    def preorder(self):
        yield self
        for son in self.sons:
            yield from son.preorder()

    def cap(self, above=np.inf):
        """Let no node stand that hangs on one that has gone."""
        self.complexity = min(self.complexity, above)
        for son in self.sons:
            son.cap(self.complexity)


class Grower:
    """Grows trees of some rows; ``alpha`` has the unit of the risk, the rows' weights are not scaled."""

    def __init__(self, X, y, weight, method, minsplit, minbucket):
        self.X, self.y, self.weight, self.minsplit, self.minbucket = X, y, weight, minsplit, minbucket
        self.gains = self.anova if method == "anova" else self.gini
        self.n_classes = int(y.max()) + 1 if method == "class" else None
        self.order = np.argsort(X, axis=0, kind="stable")

    def grow(self, rows, alpha):
        root = self.leaf(1, rows, np.inf)
        self.branch(root, alpha)
        root.cap()
        return root

    def leaf(self, number, rows, complexity):
        y, w = self.y[rows], self.weight[rows]
        if self.n_classes is None:
            mean = (y * w).sum() / w.sum()
            return Node(number, rows, mean, ((y - mean) ** 2 * w).sum(), complexity)
        counts = np.bincount(y, weights=w, minlength=self.n_classes)
        return Node(number, rows, counts.argmax(), counts.sum() - counts.max(), complexity)

    def branch(self, node, alpha):
        """Grow what is below a node; return its risk and its splits as the node above counts them."""
        bound = min(node.risk, node.complexity)  # of the complexity, passed down
        grows = len(node.rows) >= self.minsplit and bound > alpha and node.number < 2**MAX_DEPTH
        found = self.best_split(node) if grows else None
        if found:
            *test, less_is_left = found
            less = self.X[node.rows, test[0]] < test[1]
            rows = (node.rows[less], node.rows[~less])[:: 1 if less_is_left else -1]
            left = self.leaf(2 * node.number, rows[0], bound - alpha)
            risk, splits = self.branch(left, alpha)
            bound = min(node.complexity, max((node.risk - risk) / (splits + 1), node.risk - left.risk))
            right = self.leaf(2 * node.number + 1, rows[1], bound - alpha)
            risk, splits = one_pass(node, (left, risk, splits), (right, *self.branch(right, alpha)))
            node.complexity = (node.risk - risk) / (splits + 1)
            if node.complexity > alpha:  # else all was in vain
                node.test, node.sons = test, [left, right][:: 1 if less_is_left else -1]
                return risk, splits + 1
        node.complexity = alpha
        return node.risk, 0

    def best_split(self, node):
        """Feature, threshold, and whether smaller values go left; a split must be better than those before it."""
        found, most = None, 0.0
        for feature in range(self.X.shape[1]):
            rows = self.sorted_rows(node, feature)
            x, size = self.X[rows, feature], np.arange(1, len(rows))
            allowed = (x[1:] != x[:-1]) & (np.minimum(size, len(rows) - size) >= self.minbucket)
            gains, less_is_left = self.gains(rows)
            gains[~allowed] = 0
            if len(gains) and gains.max() > most:
                k = gains.argmax()
                found, most = (feature, (x[k] + x[k + 1]) / 2, less_is_left[k]), gains[k]
        return found

    def sorted_rows(self, node, feature):
        member = np.zeros(len(self.y), dtype=bool)
        member[node.rows] = True
        order = self.order[:, feature]
        return order[member[order]]

    def anova(self, rows):
        y, w = self.y[rows], self.weight[rows]
        left = ((y - (y * w).sum() / w.sum()) * w).cumsum()[:-1]  # what is right of it sums to the negative
        weight = w.cumsum()[:-1]
        return left**2 / weight + left**2 / (w.sum() - weight), left < 0

    def gini(self, rows):
        counts = (np.eye(self.n_classes)[self.y[rows]] * self.weight[rows, None]).cumsum(axis=0)
        sides = np.stack([counts[:-1], counts[-1] - counts[:-1]], axis=1)
        gains = self.impurity(counts[-1:, None]) - self.impurity(sides)
        mean = sides / sides.sum(axis=2, keepdims=True) @ np.arange(self.n_classes)
        return gains, mean[:, 0] < mean[:, 1]

    def impurity(self, counts):
        """Gini impurity times weight of counts (splits, sides, classes), added up as rpart does: ties hang on it."""
        weight = counts.sum(axis=2, keepdims=True)
        share = counts / weight
        by_class = (weight * (share * (1 - share))).swapaxes(1, 2).reshape(len(counts), -1)
        return by_class.cumsum(axis=1)[:, -1]


def one_pass(node, *branches):
    """Risk and splits of the branches that stand when a node goes: one level is looked at, the weaker son first."""
    branches = sorted(branches, key=lambda branch: (branch[0].complexity, -branch[0].number))
    risk, splits = sum(branch[1] for branch in branches), sum(branch[2] for branch in branches)
    for son, below_it, its_splits in branches:
        if (node.risk - risk) / (splits + 1) <= son.complexity:
            break
        risk, splits = risk - below_it + son.risk, splits - its_splits
    return risk, splits


def structure_of(nodes):
    """Structure of the nodes of a tree, listed in preorder."""
    at = {node.number: t for t, node in enumerate(nodes)}
    links = [[at[node.sons[side].number] if node.sons else -1 for node in nodes] for side in (0, 1)]
    feature, threshold = zip(*[node.test or (-2, 0.0) for node in nodes], strict=True)
    return TreeStructure.from_arrays(*links, feature, below(threshold))


class RpartClassifier(DecisionTreeClassifier):
    """A tree of scikit-learn with the splits of rpart's, which has none that lower no risk."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        grower = Grower(X, y, weight, "class", self.min_samples_split, self.min_samples_leaf)
        nodes = list(grower.grow(np.arange(len(y)), 0.0).preorder())
        counts = np.array([np.bincount(y[node.rows], weight[node.rows], self.n_classes_) for node in nodes])
        structure, total = structure_of(nodes), counts.sum(axis=1)
        tree_class, arguments, state = self.tree_.__reduce__()
        table = np.zeros(len(nodes), dtype=state["nodes"].dtype)
        table["left_child"], table["right_child"] = structure.children_left, structure.children_right
        table["feature"], table["threshold"] = structure.feature, structure.threshold
        table["impurity"] = grower.impurity(counts[:, None]) / total
        table["n_node_samples"] = [len(node.rows) for node in nodes]
        table["weighted_n_node_samples"] = total
        state.update(nodes=table, node_count=len(nodes), max_depth=int(structure.depth.max()))
        state["values"] = np.ascontiguousarray((counts / total[:, None])[:, None])
        self.tree_ = tree_class(*arguments)
        self.tree_.__setstate__(state)
        return self
