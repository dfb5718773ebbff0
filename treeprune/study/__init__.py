"""Studies: which pruning generalises, on which data, at which size.

`design` says what is to be done, `methods` how each method is fitted, `runner` does it, `results`
makes tables of means, `figures` and `report` the page.
"""
