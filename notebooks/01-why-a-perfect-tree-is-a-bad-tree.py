# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · Why is a perfect tree a bad tree?
#
# A decision tree that may grow without limit can be right on every training row. This notebook asks what
# that perfection is worth. You will spoil some training labels on purpose, and watch the tree learn the
# spoiled ones as eagerly as the others.
#
# There are three exercises. Each ends with an `assert`: if it fails, it gives a hint. No network is needed,
# and all cells together take less than a minute.

# %%
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.datasets import load_dataset
from treeprune.diagnostics import label_noise, optimism
from treeprune.selection import minimum

# %% [markdown]
# ## Penguins, and a perfect tree
#
# Two measurements of the bill tell three species of penguins apart, almost. Two columns are few enough
# to draw everything that a tree has learned.

# %%
penguins = load_dataset("penguins")
bills = penguins.data[["bill_length_mm", "bill_depth_mm"]]
measured = bills.notna().all(axis=1).to_numpy()
X, y = bills[measured].to_numpy(), penguins.target[measured]
species = np.unique(y)

print(len(y), "penguins:", ", ".join(f"{np.sum(y == name)} {name}" for name in species))

# %% [markdown]
# The next cell says how a share of the labels is spoiled: a wrong label is one of the two other species.
# Only *training* labels are spoiled. The test rows keep the right ones, because they are to tell us how
# much of the truth a tree has found.


# %%
def spoil(labels, share, seed):
    """Give a share of the labels another species."""
    rng = np.random.default_rng(seed)
    wrong = rng.permutation(len(labels)) < round(share * len(labels))
    others = (np.searchsorted(species, labels) + rng.integers(1, 3, size=len(labels))) % 3
    return np.where(wrong, species[others], labels)


def grow(share, seed):
    """Return a full tree, the rows it was grown on, and the test rows."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
    y_train = spoil(y_train, share, seed)
    tree = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)
    return tree, X_train, y_train, X_test, y_test


tree, X_train, y_train, X_test, y_test = grow(share=0.0, seed=0)
print("leaves:        ", tree.get_n_leaves())
print("train accuracy:", round(tree.score(X_train, y_train), 3))
print("test accuracy: ", round(tree.score(X_test, y_test), 3))

# %% [markdown]
# With right labels the perfect tree is a good tree. The *gap*, train minus test accuracy, is small.
#
# ## Exercise 1: predict, then run
#
# Now 30 % of the training labels will be wrong. How large will the gap of the full tree be, train minus
# test accuracy? Think of the two accuracies one after the other. How many of the training rows, right or
# wrong, can the tree fit? And what does it then say about a new penguin that lies next to a spoiled one?
#
# Write your guess into the cell, run it, and go on. The check comes after the figure.

# %%
### BEGIN SOLUTION
guess = 0.35  # it fits nearly all training rows, and a new penguin gets the label of a neighbour: wrong for 3 of 10
### END SOLUTION
assert 0 <= guess <= 1, "The gap is a difference of two accuracies: a number between 0 and 1."

# %% [markdown]
# ## The figure
#
# Each row of the figure is one share of wrong labels. The cell grows a full tree on each of 20 random
# splits; `tp.pruning_curve` scores all prunings of it, from the full tree to a single leaf, and
# `tp.join_curves` puts the 20 trees together.

# %%
shares = (0.0, 0.1, 0.3)
runs = {share: [grow(share, seed) for seed in range(20)] for share in shares}
curves = {
    share: tp.join_curves([tp.pruning_curve(tree, tp.pruning_path(tree), *rows) for tree, *rows in runs[share]])
    for share in shares
}

# %%
colors = ListedColormap(["#E69F00", "#56B4E9", "#CC79A7"])  # a palette for colour-blind eyes


def draw_boundary(ax, tree, X_train, y_train, X_test, y_test):
    """Colour the plane by what the tree says, and the training rows by their labels."""
    (left, bottom), (right, top) = X.min(axis=0) - 1, X.max(axis=0) + 1
    length, depth = np.meshgrid(np.linspace(left, right, 300), np.linspace(bottom, top, 300))
    said = np.searchsorted(species, tree.predict(np.c_[length.ravel(), depth.ravel()])).reshape(length.shape)
    ax.pcolormesh(length, depth, said, cmap=colors, vmin=0, vmax=2, alpha=0.45)
    for k, (name, marker) in enumerate(zip(species, "os^")):
        ax.scatter(*X_train[y_train == name].T, color=colors(k), marker=marker, s=12, edgecolor="black",
                   linewidth=0.4, label=name)  # fmt: skip
    train, test = tree.score(X_train, y_train), tree.score(X_test, y_test)
    ax.set_title(f"{tree.get_n_leaves()} leaves: train {train:.2f}, test {test:.2f}", fontsize="medium")
    ax.set(xlabel="bill length (mm)", ylabel="bill depth (mm)")


fig, axes = plt.subplots(3, 4, figsize=(16, 11.5), layout="constrained", width_ratios=[1.5, 1, 1, 1])
for (share, curve), (left, *panels) in zip(curves.items(), axes):
    means = curve.summary()
    best, too_small = minimum(means), np.argmax(means.n_leaves <= 2)
    tp.PruningCurveDisplay(curve, level=best).plot(left, level_name="best on test rows")
    left.axhline(1 - share, color="black", linewidth=1, linestyle="-.")
    left.set_title(f"{share:.0%} wrong labels; line: share of right ones", loc="left", fontsize="medium")
    tree, *rows = runs[share][0]
    for ax, level in zip(panels, (too_small, best, 0)):
        draw_boundary(ax, tp.prune(tree, "cost_complexity", alpha=means.price[level]), *rows)
axes[0, 1].legend(loc="lower right", fontsize="small", title="label", framealpha=1);

# %%
full_tree = {share: curve.summary() for share, curve in curves.items()}
gap_30 = full_tree[0.3].train[0] - full_tree[0.3].test[0]
print(f"train {full_tree[0.3].train[0]:.3f} - test {full_tree[0.3].test[0]:.3f} = gap {gap_30:.3f}; you guessed {guess}")
assert abs(guess - gap_30) < 0.1, (
    "More than 0.1 off. The training accuracy stays near 1 whatever the labels say; the test accuracy falls "
    "by about the share of wrong labels. What is the difference of the two? Correct the guess."
)

# %% [markdown]
# On the left, the number of leaves runs from a single leaf to the full tree; the bands show how far the
# 20 splits are apart. Then come three trees from one of the splits: too small, the size with the star, and
# full.
#
# * **The training accuracy rises with every split**, to nearly 1 in each row of the figure. (Not quite to
#   1 where two penguins have the same bill and different labels.) It says nothing about which row of the
#   figure we are in: it cannot tell right labels from wrong ones.
# * **The test accuracy can.** With right labels it stays up: the splits that were not needed do no harm
#   here. With wrong labels it rises for the first few splits, rests for a while, and then falls to the end.
# * **The pictures show why.** Around spoiled rows the full tree has put boxes and strips of their wrong
#   colour, and each new penguin that falls into one gets a wrong answer. The tree with the star has no room
#   for such boxes. It is wrong on the spoiled rows, and so it should be.
#
# With 30 % wrong labels, a tree that has understood the penguins is right on about 70 % of the *training*
# labels, the dash-dotted line. Whatever a tree has above that line, it has from learning wrong labels by
# heart. That is why a perfect tree is a bad tree: it is perfect at the wrong thing.
#
# The star was chosen with the test rows, to show where the best size is. To choose one that way for use
# would be cheating; notebook 3 is about that.
#
# ## Exercise 2: change one thing
#
# A *stump* is a tree with a single split. It can name two of the three species, so it is always wrong
# about the third. Is there a share of wrong labels at which even the stump is better on new penguins than
# the full tree?
#
# `label_noise` spoils labels in the same way and makes the whole comparison in one call. Change
# `noise_levels` until you see the lines cross, in steps of 0.05. Then set `stump_wins` to the least
# share at which the stump is better. In the figure `noise` is the share of wrong labels and `test` the
# accuracy on test rows; bands are one standard deviation over ten splits.

# %%
noise_levels = [0.0, 0.1]
stump_wins = None
### BEGIN SOLUTION
noise_levels = np.arange(0, 0.55, 0.05).round(2)
stump_wins = 0.25
### END SOLUTION
models = {
    "stump": DecisionTreeClassifier(max_depth=1),
    "full tree": DecisionTreeClassifier(random_state=0),
    "pruned by cross-validation": tp.PrunerCV(tp.CostComplexityPruner(DecisionTreeClassifier(random_state=0)), cv=5),
}
answer = label_noise(models, X, y, noise=noise_levels, repeats=10)
answer.plot()
test = answer.summary().pivot(index="noise", columns="model", values="test mean")
test.round(3)

# %%
crossed = test.index[test["stump"] > test["full tree"]]
assert len(crossed), "The stump has not won yet: go on to larger shares of wrong labels."
assert np.diff(noise_levels).max() < 0.051, "The steps are too wide to see where the lines cross: take 0.05."
assert stump_wins is not None, "Set stump_wins to the share at which the stump is first better than the full tree."
assert abs(stump_wins - crossed.min()) < 0.051, "Look for the first row of the table whose stump is the better one."

# %% [markdown]
# The stump knows too little, but wrong labels hardly make it less for a long time. The full tree knows
# enough and buries it under what it has learned by heart: look at its leaves. Pruned by cross-validation, it
# keeps most of what it knows until nearly half of the labels are wrong. Then the bands become wide: what
# it finds is a matter of luck.
#
# ## Exercise 3: explain
#
# Compute the gap, train minus test accuracy, at *every* level of the 30 % curve: one line, from
# `curve.train` and `curve.test`. The figure then shows it over the number of leaves.
#
# At the best size the gap is negative: the tree is *more* accurate on rows that it has never seen. How can
# that be? And a single leaf has hardly any gap: why is it not the tree to choose? Write two sentences.

# %%
curve = curves[0.3]
### BEGIN SOLUTION
gap = curve.train - curve.test
# The tree of the best size says what is right, and 30 % of the training labels are not: on those it counts as
# wrong, however right it is. The test labels are all right, so there nothing is held against it.
# The gap compares two accuracies of one tree and says nothing about how high they are.
### END SOLUTION
table = optimism(curve).table
assert np.shape(gap) == np.shape(curve.train), "One number for each level is expected: subtract the two arrays."
assert np.allclose(gap, table["optimism"]), "The gap is train minus test, in this order."

optimism(curve).plot()
plt.axhline(0, color="black", linewidth=1, linestyle="-.")
plt.show()

means = curve.summary()
best = minimum(means)
for name, level in (("best on test rows", best), ("full tree", 0)):
    train, test = means.train[level], means.test[level]
    print(f"{name}: {means.n_leaves[level]:.0f} leaves, train {train:.2f}, test {test:.2f}, gap {train - test:+.2f}")
