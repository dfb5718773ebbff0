"""LightGBM and XGBoost: fitted trees read out, cut, and written back as models of the same kind.

Needs the extra: ``pip install 'treeprune[boosters]'``, or one of the two libraries.  No function
changes the model it is given.
"""

from treeprune.adapters.boosters.boosted import BoosterTree
from treeprune.adapters.boosters.models import prune_booster, raw_scores, read_trees
from treeprune.adapters.boosters.pruning import booster_curve, gain_path, prune_trees

__all__ = ["BoosterTree", "booster_curve", "gain_path", "prune_booster", "prune_trees", "raw_scores", "read_trees"]
