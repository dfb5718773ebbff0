"""PyTorch: any module with Linear layers, by the criteria and the repair of `treeprune.neural`.

Needs the extra: ``pip install 'treeprune[torch]'``.  Every function leaves the module it is given
as it was and returns a new one, on the device and in the precision of the old.
"""

from treeprune.adapters.torch.masks import apply_masks, finalize, masks_of
from treeprune.adapters.torch.neurons import neuron_curve, neuron_importance, prune_neurons
from treeprune.adapters.torch.training import fine_tune
from treeprune.adapters.torch.weights import weight_masks

__all__ = [
    "apply_masks",
    "finalize",
    "fine_tune",
    "masks_of",
    "neuron_curve",
    "neuron_importance",
    "prune_neurons",
    "weight_masks",
]
