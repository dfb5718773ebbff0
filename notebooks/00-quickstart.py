# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Quickstart: a tree that is too big, and three ways to make it smaller
#
# A decision tree that may grow without limit learns its training rows by heart. Pruning takes splits
# back, until what is left also holds for rows that the tree has not seen. In this notebook you
#
# 1. grow a full tree, and measure it on training rows and on test rows,
# 2. prune it by three methods, and compare them,
# 3. draw the accuracy at every size between the full tree and a single leaf,
# 4. read the small tree.
#
# It needs no network and takes less than a minute. The three exercises at the end need nothing but the
# cells above them.

# %%
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, export_text, plot_tree

import treeprune as tp
from treeprune.datasets import load_dataset

# %% [markdown]
# ## The data
#
# Each row of *pima* is a woman, with a few measurements and whether she was found to have diabetes
# (`pos`) or not (`neg`). Some measurements are missing; scikit-learn's trees can work with that.
#
# The test rows are put aside now. They are there to measure trees, and must not help to make one.

# %%
pima = load_dataset("pima")
X, y = pima.data, pima.target
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)

print(len(X), "women;", len(X_train), "to train on,", len(X_test), "to test with")
print(f"{np.mean(y == 'neg'):.1%} are neg: always saying neg would be right that often")
X.head()

# %% [markdown]
# ## The full tree
#
# With its default settings a tree splits until every leaf holds rows of one class only.

# %%
full = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)

print("leaves:        ", full.get_n_leaves())
print("train accuracy:", round(full.score(X_train, y_train), 3))
print("test accuracy: ", round(full.score(X_test, y_test), 3))

# %% [markdown]
# Perfect on the rows it was grown on, far from perfect on others. Many of its leaves repeat what
# happened to be true of a woman or two in the training rows.
#
# ## Three ways to prune
#
# Every method has to decide, split by split, whether a split has found something or only followed
# chance. They differ in the evidence they ask for.
#
# **Cost-complexity pruning** charges a price, alpha, for every leaf: a branch stays if its splits are
# worth what its leaves cost. How high should the price be? `PrunerCV` finds out by cross-validation on
# the training rows, and then prunes a tree grown on all of them.

# %%
search = tp.PrunerCV(tp.CostComplexityPruner(DecisionTreeClassifier(random_state=0)), cv=10)
search.fit(X_train, y_train)
by_cost = search.estimator_

print("alpha: ", round(search.best_price_, 4))
print("leaves:", by_cost.get_n_leaves(), "of", search.grown_.get_n_leaves())

# %% [markdown]
# **Reduced-error pruning** keeps some training rows away from growing. A branch goes unless it makes
# fewer errors on those rows than a leaf in its place would. The evidence is plain and honest. Its cost:
# the tree grows on fewer rows.

# %%
X_grow, X_val, y_grow, y_val = train_test_split(
    X_train, y_train, test_size=0.25, random_state=0, stratify=y_train
)
grown = DecisionTreeClassifier(random_state=0).fit(X_grow, y_grow)
by_validation = tp.prune(grown, "reduced_error", X_val, y_val)

print(len(X_grow), "rows to grow,", len(X_val), "rows to prune")
print("leaves:", by_validation.get_n_leaves(), "of", grown.get_n_leaves())

# %% [markdown]
# **Pessimistic-error pruning** looks at the training rows only. They flatter the tree, so half an error
# is added for each leaf, and a branch must still be better than a leaf by more than one standard error.
# Nothing is held out, nothing is repeated, and the tree remembers all that is needed: no rows are given.

# %%
by_pessimism = tp.prune(full, "pessimistic_error")

print("leaves:", by_pessimism.get_n_leaves(), "of", full.get_n_leaves())

# %% [markdown]
# ## The comparison
#
# `tp.prune` returns a new tree and leaves the one it was given as it was, so all four are at hand.

# %%
trees = {
    "full": full,
    "cost-complexity": by_cost,
    "reduced-error": by_validation,
    "pessimistic-error": by_pessimism,
}


def measure(tree, X_train, y_train, X_test, y_test):
    return {
        "leaves": tree.get_n_leaves(),
        "train accuracy": tree.score(X_train, y_train),
        "test accuracy": tree.score(X_test, y_test),
    }


table = pd.DataFrame(
    [measure(tree, X_train, y_train, X_test, y_test) for tree in trees.values()], index=list(trees)
)
p = table["test accuracy"].mean()
print(f"one standard error of a test accuracy: about {np.sqrt(p * (1 - p) / len(y_test)):.3f}")
table.round(3)

# %% [markdown]
# Read the table with the line above it in mind: a test accuracy comes from a few hundred women, and
# other women would have given a slightly different one. What is clear is that most of the leaves can go
# and the accuracy on new rows does not suffer. Which method is best is not clear from one split.
# (Exercise 3 looks at more of them.)
#
# ## From the full tree to a single leaf
#
# As alpha rises, cost-complexity pruning takes splits back in a fixed order. So there is not one pruned
# tree but a whole row of them, each contained in the one before. treeprune scores all of them from the
# one tree that was grown. The star marks the tree that cross-validation has chosen, without a look at
# the test rows.

# %%
curve = tp.pruning_curve(search.grown_, search.path_, X_train, y_train, X_test, y_test)
tp.PruningCurveDisplay(curve, level=search.best_level_).plot()

print(search.path_.n_levels, "trees; the largest, the chosen one and the smallest:")
curve.frame().iloc[[0, search.best_level_, -1]].round(4)

# %% [markdown]
# From left to right the trees grow, and the training accuracy rises all the way: each split pays on
# the rows it was made for. The test accuracy follows only at the beginning. Where the two lines part,
# the tree stops learning about diabetes and starts learning about these women. That is overfitting.
#
# The star need not lie on the highest point of the test line, and if it did, that would be luck. To
# choose the highest point would be to choose by the test rows, and then they could no longer tell us
# how good the choice is.
#
# ## The small tree
#
# A pruned tree is an ordinary scikit-learn tree. All tools for those take it.

# %%
names = list(X.columns)
fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
plot_tree(
    by_cost, feature_names=names, class_names=by_cost.classes_, impurity=False, filled=True, fontsize=9, ax=ax
)
plt.show()

# %%
print(type(by_cost).__name__)
print(export_text(by_cost, feature_names=names))

# %% [markdown]
# Rows for which the first line of a box is true take the left arrow, the others the right one. (Where
# the measurement is missing, the tree has settled while growing which way to go; the picture does not
# show it.) `value` counts the training rows of either class, the colour says which class has the
# majority, and how clearly. The few questions that are left can be followed and argued with. Try that
# with the full tree.
#
# ## Exercises
#
# ### 1. Predict, then run
#
# The next cell gives a share of the training women the wrong label and repeats the first steps. Write
# down your guesses before you run it:
#
# * Will the full tree have more leaves than before, or fewer? What will its training accuracy be?
# * Which test accuracy will suffer more, that of the full tree or that of the pruned one?
#
# Then run it. Where were you wrong, and why?

# %%
wrong = np.random.default_rng(0).random(len(y_train)) < 0.2
y_noisy = np.where(wrong, np.where(y_train == "pos", "neg", "pos"), y_train)

noisy = tp.PrunerCV(tp.CostComplexityPruner(DecisionTreeClassifier(random_state=0)), cv=10)
noisy.fit(X_train, y_noisy)

print(f"{wrong.mean():.1%} of the training labels are wrong")
pd.DataFrame(
    [measure(tree, X_train, y_noisy, X_test, y_test) for tree in (noisy.grown_, noisy.estimator_)],
    index=["full", "cost-complexity"],
).round(3)

# %% [markdown]
# ### 2. Change one thing
#
# `PrunerCV` took the smallest tree whose score in cross-validation was within one standard error of the
# best. Replace `"one_standard_error"` by `"minimum"`, then by `"within_tolerance"`, and run the cell
# each time. What happens to the star, to the leaves, to the test accuracy? Which rule would you take if
# a nurse had to apply the tree by hand, and which if a computer does it?
#
# The figure shows what cross-validation saw: here "test" means the folds that were held out, and the
# bands show how far the folds are apart.

# %%
rule = "one_standard_error"

other = tp.PrunerCV(tp.CostComplexityPruner(DecisionTreeClassifier(random_state=0)), cv=10, selection=rule)
other.fit(X_train, y_train)

tp.PruningCurveDisplay.from_cv(other)
print(f"{rule}: {other.n_leaves_} leaves, test accuracy {other.score(X_test, y_test):.3f}")

# %% [markdown]
# ### 3. Explain
#
# One split of the data is one throw of the dice. This cell throws them again and again, and shows the
# mean and the standard deviation of what comes up.
#
# * Which conclusions from the table further up hold on average, and which do not?
# * The methods are about as accurate as each other, and their sizes are far apart. How can that be?
#   (The curve has the answer.)
# * Which method's size changes most from split to split, compared with its mean? Explain it by the
#   evidence that the method looks at.


# %%
def prune_three_ways(X_train, y_train, seed):
    tree = DecisionTreeClassifier(random_state=0)
    full = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)
    return {
        "full": full,
        "cost-complexity": tp.PrunerCV(tp.CostComplexityPruner(tree)).fit(X_train, y_train).estimator_,
        "reduced-error": tp.ReducedErrorPruner(tree, random_state=seed).fit(X_train, y_train).estimator_,
        "pessimistic-error": tp.prune(full, "pessimistic_error"),
    }


results = []
for seed in range(20):
    parts = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
    rows_train, rows_test, labels_train, labels_test = parts
    for method, tree in prune_three_ways(rows_train, labels_train, seed).items():
        measured = measure(tree, rows_train, labels_train, rows_test, labels_test)
        results.append({"method": method, **measured})

pd.DataFrame(results).groupby("method", sort=False).agg(["mean", "std"]).round(3)
