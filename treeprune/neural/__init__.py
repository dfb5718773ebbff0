"""Fitted networks of scikit-learn, made smaller for real."""

from treeprune.neural.baselines import scratch_baselines
from treeprune.neural.checklist import honest_checklist
from treeprune.neural.cost import cost_table
from treeprune.neural.deployment import finalize
from treeprune.neural.figures import CostCurveDisplay, QuantizationDisplay
from treeprune.neural.layers import prune_layer
from treeprune.neural.lossless import prune_lossless
from treeprune.neural.neurons import neuron_importance, prune_neurons
from treeprune.neural.path import NeuronPath, neuron_path
from treeprune.neural.quantise import quantization_grid, quantize_weights

__all__ = [
    "CostCurveDisplay",
    "NeuronPath",
    "QuantizationDisplay",
    "cost_table",
    "finalize",
    "honest_checklist",
    "neuron_importance",
    "neuron_path",
    "prune_layer",
    "prune_lossless",
    "prune_neurons",
    "quantization_grid",
    "quantize_weights",
    "scratch_baselines",
]
