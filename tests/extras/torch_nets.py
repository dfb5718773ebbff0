"""Small modules of PyTorch, with rows they can be asked about."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn


def stack(*sizes: int, activation: type[nn.Module] = nn.ReLU, seed: int = 0) -> nn.Sequential:
    """Return Linear layers of these sizes with an activation between them, in double precision."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1]).double()


def rows(n: int, n_features: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, n_features))


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same_state(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    now = module.state_dict()
    return now.keys() == before.keys() and all(torch.equal(now[name], before[name]) for name in now)


DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
