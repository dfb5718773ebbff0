"""Trees: structure, statistics, cuts, curves, pruners."""
