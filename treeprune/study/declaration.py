"""What a study says before it begins: what is compared with what, and what each method may use."""

from __future__ import annotations

from typing import Any

from treeprune.study.design import FACTORS, Study
from treeprune.study.methods import METHODS

MAY_USE = {
    "nothing": "no pruning",
    "growing rows": "the training rows, for growing and pruning",
    "held-out rows": "{held} of the training rows kept from growing, for pruning",
    "cross-validation": "the training rows, the strength chosen by {folds} folds of them",
}
SPLIT = {
    "holdout": "{n} random splits a data set, {test:.0%} of the rows to test on",
    "cross_validation": "{repeats} times {test_folds}-fold cross-validation, tuned methods nested in it",
    "same_rows": "one split a data set, {test:.0%} of the rows to test on; {n} draws of folds and trees",
}


def declare(study: Study) -> dict[str, Any]:
    """Return what is declared, in plain types.

    Returns
    -------
    dict
        ``comparison`` (a sentence), ``splits`` (a sentence), ``factors`` (name to levels), ``methods`` (what
        may be used, to the titles of methods), ``development`` (data sets that do not count), ``unread`` (fields
        that no method of the design reads).

    Examples
    --------
    >>> from treeprune.study.declaration import declare
    >>> from treeprune.study.design import Study
    >>> declare(Study(data=["glass"], methods=["error_based"], rope=0.02))["comparison"]
    'all methods against unpruned; differences of the test score up to 0.02 do not matter'
    """
    held = " or ".join(f"{share:.0%}" for share in study.levels("validation_fraction"))
    uses: dict[str, list[str]] = {}
    for method in (METHODS[name] for name in study.methods):
        uses.setdefault(MAY_USE[method.pruned_with].format(held=held, folds=study.folds), []).append(method.title)
    shape = {
        "n": study.n_splits,
        "test": study.test_size,
        "repeats": study.repeats * len(study.seeds),
        "test_folds": study.test_folds,
    }
    return {
        "comparison": f"all methods against {METHODS[study.control].title}; "
        f"differences of the test score up to {study.rope:g} do not matter",
        "splits": SPLIT[study.splits].format(**shape),
        "factors": {name: list(study.levels(name)) for name in FACTORS if len(study.levels(name)) > 1},
        "methods": uses,
        "development": list(study.development),
        "unread": list(study.unread),
    }


def declaration_lines(study: Study) -> list[str]:
    """Return the same as lines of text."""
    declared = declare(study)
    lines = [f"Declared: {declared['comparison']}.", f"Splits: {declared['splits']}."]
    lines += [f"Factor {name}: {', '.join(map(str, levels))}." for name, levels in declared["factors"].items()]
    lines += [f"May use {use}: {', '.join(titles)}." for use, titles in declared["methods"].items()]
    if declared["development"]:
        lines.append(f"Reported apart, since defaults were chosen by them: {', '.join(declared['development'])}.")
    if declared["unread"]:
        lines.append(f"Read by no method of this design: {', '.join(declared['unread'])}.")
    return lines
