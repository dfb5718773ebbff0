"""Draw the figure of the README: docs/curve.png."""

from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.datasets import load_dataset

data = load_dataset("pima")
X, X_test, y, y_test = train_test_split(data.data, data.target, test_size=0.3, random_state=0)
tree = DecisionTreeClassifier(random_state=0).fit(X, y)
search = tp.PrunerCV(tp.CostComplexityPruner(tree)).fit(X, y)

figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), sharey=True, layout="constrained")
tp.PruningCurveDisplay.from_estimator(tree, X, y, X_test, y_test, ax=left)
left.set_title("one tree, all its cost-complexity prunings", loc="left", fontsize="medium")
tp.PruningCurveDisplay.from_cv(search, ax=right)
right.set_title("ten folds, and the level chosen by one standard error", loc="left", fontsize="medium")
right.set_ylabel("")
figure.savefig(Path(__file__).parent / "curve.png", dpi=110)
