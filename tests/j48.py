"""The recursion of C4.5 and J48 with subtree raising, node by node, as an outside reference."""

from __future__ import annotations

import numpy as np


class Node:
    """A node with its rows; ``cost`` says what rows cost as a leaf."""

    def __init__(self, structure, t=0):
        leaf = structure.is_leaf[t]
        self.id = int(t)
        self.test = None if leaf else (structure.feature[t], structure.threshold[t], structure.missing_go_to_left[t])
        children = () if leaf else (structure.children_left[t], structure.children_right[t])
        self.sons = [Node(structure, child) for child in children]

    def split(self, X, rows):
        feature, threshold, missing_left = self.test
        value = X[rows, feature]
        left = np.where(np.isnan(value), missing_left, value <= threshold)
        return rows[left], rows[~left]

    def distribute(self, X, rows):
        self.rows = rows
        for son, part in zip(self.sons, self.split(X, rows) if self.sons else (), strict=True):
            son.distribute(X, part)
        return self

    def cost_with(self, X, rows, cost):
        if not self.sons:
            return cost(rows)
        return sum(son.cost_with(X, part, cost) for son, part in zip(self.sons, self.split(X, rows), strict=True))

    def subtree_cost(self, cost):
        return sum(son.subtree_cost(cost) for son in self.sons) if self.sons else cost(self.rows)

    def prune(self, X, n_rows, cost, slack, ties, raised):
        """Prune in place; note in ``raised`` the tests that went so that a branch came up."""
        if not self.sons:
            return
        for son in self.sons:
            son.prune(X, n_rows, cost, slack, ties, raised)
        left, right = (n_rows(son.rows) for son in self.sons)
        larger = self.sons[int(right > left or (ties == "right" and left == right))]
        branch, leaf, tree = larger.cost_with(X, self.rows, cost), cost(self.rows), self.subtree_cost(cost)
        if leaf <= tree + slack and leaf <= branch + slack:
            self.sons, self.test = [], None
        elif branch <= tree + slack:
            raised.append(self.id)
            self.id, self.sons, self.test = larger.id, larger.sons, larger.test
            self.distribute(X, self.rows)
            self.prune(X, n_rows, cost, slack, ties, raised)

    def preorder(self):
        """Test (None at leaves) and rows of every node."""
        yield self.test, self.rows.tolist()
        for son in self.sons:
            yield from son.preorder()
