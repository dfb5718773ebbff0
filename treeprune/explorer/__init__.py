"""A page to see a tree being pruned: `explore` makes it.

`families` finds the prunings of a tree by every method, `sides` what each method compares at a node,
`nodes` what is to be said of one, `spec` draws all of it with Vega, `page` puts it in a file.
"""

from treeprune.explorer.page import Explorer, explore

__all__ = ["Explorer", "explore"]
