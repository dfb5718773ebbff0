"""One file, one method: the rule on arrays, the estimator, the reference."""
