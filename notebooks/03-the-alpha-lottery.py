# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 · How do I choose alpha without fooling myself?
#
# Cost-complexity pruning needs a price for a leaf, alpha, and the usual advice is: take the alpha that is
# best in cross-validation. This notebook follows a well-known textbook in that, and then asks two questions
# that the textbook leaves open. Would other folds have chosen another tree? And is the best score in
# cross-validation what the tree will earn on new rows?
#
# There are three exercises. Each ends with an `assert`: if it fails, it gives a hint. No network is needed;
# all cells together take about half a minute.

# %%
import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.tree import DecisionTreeClassifier

import treeprune as tp
from treeprune.datasets import load_dataset
from treeprune.diagnostics import Answer, level_stability
from treeprune.selection import minimum, one_standard_error

# %% [markdown]
# ## The textbook's tree
#
# The data are *Carseats*: 400 (simulated) shops, and whether a shop sells more than 8 (thousand) child car
# seats. The book is James, Witten, Hastie, Tibshirani & Taylor, *An Introduction to Statistical Learning
# with Applications in Python*, laboratory of chapter 8. It codes the shelf location as two columns, trains on
# half of the rows, and splits by entropy.

# %%
carseats = load_dataset("carseats")
shops = carseats.data
shelf = shops.pop("ShelveLoc")
for place, quality in [(5, "Good"), (6, "Medium")]:
    shops.insert(place, quality, (shelf == carseats.categories["ShelveLoc"].index(quality)).astype(float))
X, y = shops.to_numpy(), np.where(carseats.target > 8, "Yes", "No")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

tree = DecisionTreeClassifier(criterion="entropy", random_state=0)
full = tree.fit(X_train, y_train)
accuracy = full.score(X_test, y_test)
print(f"{np.mean(y_test == 'No'):.1%} of the test rows are No: always saying No would be right that often")
print(f"full tree: {full.get_n_leaves()} leaves, test accuracy {accuracy:.3f}")
print(f"standard error of a test accuracy: about {np.sqrt(accuracy * (1 - accuracy) / len(y_test)):.3f}")

# %% [markdown]
# ## Exercise 1: predict, then run
#
# The book takes all alphas of scikit-learn's path, scores each by 10-fold cross-validation, and keeps the
# best. `book_tree` does the same; the book draws its folds with `random_state=1`. It finds a tree with 30
# leaves and concludes that "CV has not helped us much here".
#
# *Only the folds* change if you give another seed: the training rows, the full tree and the alphas stay.
# How many leaves will the chosen tree have for the seeds 2, 3 and 4? Write your guesses down first. Then
# run the book's search for them, and collect the numbers of leaves in the list `leaves`.


# %%
def book_tree(seed):
    """Return the search of the book, with folds drawn by this seed."""
    alphas = tree.cost_complexity_pruning_path(X_train, y_train).ccp_alphas
    folds = KFold(10, shuffle=True, random_state=seed)
    return GridSearchCV(tree, {"ccp_alpha": np.maximum(alphas, 0)}, cv=folds).fit(X_train, y_train)


book = book_tree(seed=1)
print(f"seed 1: {book.best_estimator_.get_n_leaves()} leaves, accuracy {book.best_score_:.3f} in cross-validation")
print(f"and {book.score(X_test, y_test):.3f} on the test rows")

# %%
my_guess = [30, 30, 30]
### BEGIN SOLUTION
leaves = [book_tree(seed).best_estimator_.get_n_leaves() for seed in (2, 3, 4)]
### END SOLUTION
print("guessed:", *my_guess)
print("chosen: ", *leaves)
assert len(leaves) == 3, "One number of leaves for each of the seeds 2, 3 and 4 is expected."
assert len(set(leaves)) > 1, "The seed must reach the folds: is it book_tree(seed) that you call, with each seed?"

# %% [markdown]
# The choice is a lottery, and the book drew one ticket.
#
# ## The lottery
#
# A hundred tickets, then. `level_stability` repeats the search with folds drawn by 100 seeds (stratified by
# class, and with alphas between those of the path). Beside the best score (`minimum`: the least
# error) it follows the rule of *one standard error*: take the smallest tree whose score is within one
# standard error of the best. And it does both with the mean of *3 repeats*, 30 folds in all.
#
# A search needs one fit a fold, because treeprune scores all prunings of a tree at once. The
# book's search needs one fit for each fold *and* alpha. The cell takes about 10 seconds.

# %%
pruner = tp.CostComplexityPruner(tree)
lottery = level_stability(pruner, X_train, y_train, repeats=3, seeds=range(100))
lottery.plot()
lottery

# %% [markdown]
# Each dot is one seed.
#
# * **The minimum** takes nearly anything, from two or three leaves to the full tree.
# * **One standard error** takes smaller trees, and they are less far apart. It is still a lottery.
# * **Repeats** narrow the choice of one standard error. They do not help the minimum, although the mean of 30
#   folds is steadier than the mean of 10. And they take out the luck of the folds only: which 200 shops
#   are in the training rows is luck as well, and no repeat can change that.
#
# Why is the minimum beyond help? Look at the curve whose highest point it looks for.

# %%
folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
repeated = tp.PrunerCV(pruner, cv=folds, selection="minimum").fit(X_train, y_train)
tp.PruningCurveDisplay.from_cv(repeated)

flat = repeated.scores_.test[repeated.path_.n_leaves >= 3]
print(f"from 3 leaves to {full.get_n_leaves()}, the mean of 100 folds runs from {flat.min():.3f} to {flat.max():.3f}")

# %% [markdown]
# The test line (here "test" means the folds held out) is as good as flat from three leaves on: it rises and falls
# by about one standard error of an accuracy. The training line tells nothing of this. On a plain like that the highest point is anywhere, and more folds will not
# build a mountain.
#
# What does a seed win in this lottery? The next cell measures every tree that was chosen on the test rows.

# %%
path = tp.pruning_path(full)
on_test_rows = tp.pruning_curve(full, path, X_train, y_train, X_test, y_test)
drawn = lottery.table.assign(test=on_test_rows.test[lottery.table["level"]])
drawn.groupby("rule", sort=False)[["leaves", "cv_score", "test"]].agg(["mean", "std"]).round(3)

# %% [markdown]
# The sizes are far apart, and the test accuracies are not: compare their standard deviations with the
# standard error of a test accuracy, printed at the top. So do not quote the number of leaves as if
# it were a finding about shops. Compare the means with the full tree, too: no rule gains accuracy here. What
# pruning has bought is a tree that can be read. If that is what you want, take one standard error, repeat the
# cross-validation, and say so.
#
# ## What the best score is worth
#
# The best of many scores is best partly by luck, so it promises too much. Three numbers for one choice:
#
# * the **best score**: accuracy in cross-validation of the level that was chosen;
# * **`honest_score_`** of `PrunerCV`: choose on a bootstrap sample of the rows, score what was chosen on the
#   rows that are not in it, 500 times (no tree is grown again);
# * **nested** cross-validation: hold a fold out, do the *whole* search on the others, score its tree on
#   the fold. It costs ten searches.
#
# The truth, or nearly: the accuracy on **new rows**, the other half. One half of 200 shops is a noisy witness, so
# the cell draws 20 random halves.


# %%
def promises(seed):
    X_train, X_new, y_train, y_new = train_test_split(X, y, test_size=0.5, random_state=seed)
    folds = StratifiedKFold(10, shuffle=True, random_state=seed)
    search = tp.PrunerCV(pruner, cv=folds, selection="minimum").fit(X_train, y_train)
    return {
        "best score": search.scores_.test[search.best_level_],
        "honest score": search.honest_score_,
        "nested": cross_val_score(search, X_train, y_train, cv=folds).mean(),
        "new rows": search.score(X_new, y_new),
    }


table = pd.DataFrame([promises(seed) for seed in range(20)])
worth = Answer(
    "What is the best score worth?", table.melt(var_name="score", value_name="accuracy"), "score", ("accuracy",)
)
worth.plot()

too_much = table["best score"] - table["nested"]
error = too_much.std() / np.sqrt(len(table))
print(f"the best score promises {too_much.mean():.3f} more than nested cross-validation (standard error {error:.3f})")
table.agg(["mean", "std"]).round(3)

# %% [markdown]
# On average the best score is the highest of the four: that is its optimism. The other three are closer to
# each other than we can tell apart with 20 halves. Report an honest one.
#
# ## Exercise 2: change one thing
#
# On many web pages alpha is chosen by the accuracy on the *test* rows, and that same accuracy is then
# reported. What does that promise too much? We cut the 200 test rows in two, `rows_seen` and `rows_fresh`,
# a hundred times. `curve(rows)` gives the accuracy of all prunings of the full tree on such rows.
#
# The cell chooses with the training rows: on those the full tree is perfect, and it is always chosen. Change
# it so that the level is chosen on `rows_seen`. What does the tree then seem to be worth, and what is it
# worth on rows that had no part in the choice?


# %%
def curve(rows):
    """Return the accuracy of every pruning of the full tree on some of the test rows."""
    return tp.pruning_curve(full, path, X_train, y_train, X_test[rows], y_test[rows])


seen, fresh = [], []
for seed in range(100):
    rows_seen, rows_fresh = train_test_split(np.arange(len(y_test)), test_size=0.5, random_state=seed)
    level = np.argmax(on_test_rows.train)
    ### BEGIN SOLUTION
    level = minimum(curve(rows_seen))
    ### END SOLUTION
    seen.append(curve(rows_seen).test[level])
    fresh.append(curve(rows_fresh).test[level])

leak = np.mean(seen) - np.mean(fresh)
print(f"on the rows that chose: {np.mean(seen):.3f}; on fresh rows: {np.mean(fresh):.3f}; the leak: {leak:.3f}")
assert leak > 0.01, (
    "The rows seen and the fresh ones score the same, so the rows seen had no part in the choice. Take the level "
    "with the best test accuracy of curve(rows_seen); minimum(...) finds it."
)

# %% [markdown]
# Nothing was fitted to the test rows, only one number was chosen with them. That is enough. Test rows that
# help to choose are training rows.
#
# ## Exercise 3: explain
#
# Write the rule of one standard error yourself. `my_rule` gets scores with, for every level from the full tree to
# the single leaf, `scores.n_leaves`, `scores.test` (mean accuracy in cross-validation) and
# `scores.standard_error` (of that mean). Return the position of the level with the *fewest* leaves whose score
# is at least the best one minus the standard error *of the best one*.
#
# The cell checks the rule against treeprune's for 20 draws of the folds. Then explain: this rule gives
# accuracy away, on purpose. When is that wise, and when is it not? "It protects from overfitting" is not
# enough: compare the test accuracies in the table below the lottery.


# %%
def my_rule(scores):
    ### BEGIN SOLUTION
    best = np.argmax(scores.test)
    good = scores.test >= scores.test[best] - scores.standard_error[best]
    return np.flatnonzero(good)[-1]  # levels run from many leaves to few
    # The rule takes the smallest of the trees that the data cannot tell from the best one. That is wise if a
    # small tree is worth something in itself: it can be read, and the folds change it less. It is a preference
    # and no protection: on these rows the smaller trees are, on average, slightly less accurate.
    ### END SOLUTION


for seed in range(20):
    folds = StratifiedKFold(10, shuffle=True, random_state=seed)
    scores = tp.PrunerCV(pruner, cv=folds).fit(X_train, y_train).scores_
    mine, theirs = my_rule(scores), one_standard_error(scores)
    assert mine is not None, "The rule must return a level: a position in scores.test."
    assert mine == theirs, (
        f"seed {seed}: your rule takes level {mine} ({scores.n_leaves[mine]:.0f} leaves), treeprune's level {theirs} "
        f"({scores.n_leaves[theirs]:.0f} leaves). Which of several good levels do you return, and is it the standard "
        "error of the best level that you subtract?"
    )
print("the same level for 20 draws of the folds")

mine = tp.PrunerCV(pruner, selection=my_rule).fit(X_train, y_train)
print(f"PrunerCV takes rules of your own: {mine.n_leaves_} leaves, test accuracy {mine.score(X_test, y_test):.3f}")
