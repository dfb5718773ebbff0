"""What adapters do where the library they adapt is not installed; with it see tests/extras."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from treeprune.adapters import boosters
from treeprune.adapters import torch as adapter
from treeprune.adapters.torch.modules import import_torch_pruning

CALLS = (
    lambda: adapter.apply_masks(None, {}),
    lambda: adapter.masks_of(None),
    lambda: adapter.finalize(None),
    lambda: adapter.neuron_importance(None, np.zeros((2, 2)), layer="0"),
    import_torch_pruning,
)


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_library_is_an_error_that_says_how_to_install_it(
    call: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(ImportError, match=r"pip install 'treeprune\[torch\]'"):
        call()


@pytest.mark.parametrize("call", [lambda: boosters.read_trees(None), lambda: boosters.prune_trees(None)])
def test_without_lightgbm_and_xgboost_the_error_says_how_to_install_them(
    call: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ImportError, match=r"pip install 'treeprune\[boosters\]'"):
        call()
