"""What a review found in the PyTorch adapter."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.extras


def test_masks_work_in_a_process_that_has_loaded_nothing_else():
    lines = (
        "import torch; from treeprune.adapters.torch import finalize; finalize(torch.nn.Linear(2, 1)); print('fine')"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", lines], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "fine", done.stderr


def test_a_row_of_targets_is_scored_as_a_column():
    from treeprune.adapters.torch import neuron_curve

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)).double()
    X = torch.tensor(np.random.default_rng(0).normal(size=(60, 4)))
    y = module(X).detach()
    flat, column = (neuron_curve(module, X, target, X, target, layer="0") for target in (y.ravel(), y))
    np.testing.assert_allclose(flat.test, column.test)
    assert flat.test[0] == pytest.approx(1)
    assert flat.unit == "neurons"
    with pytest.raises(ValueError, match="give y as floats"):
        neuron_curve(module, X, torch.zeros(60, dtype=torch.long), X, torch.zeros(60, dtype=torch.long), layer="0")
