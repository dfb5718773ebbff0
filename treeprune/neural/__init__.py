"""Fitted networks of scikit-learn, made smaller for real."""

from treeprune.neural.baselines import scratch_baselines
from treeprune.neural.checklist import honest_checklist
from treeprune.neural.comparison import compare_neurons
from treeprune.neural.cost import cost_table
from treeprune.neural.deployment import finalize
from treeprune.neural.figures import CostCurveDisplay, QuantizationDisplay
from treeprune.neural.layers import prune_layer
from treeprune.neural.lossless import prune_lossless
from treeprune.neural.masks import prune_weights, weight_masks, with_masks
from treeprune.neural.neurons import neuron_importance, prune_neurons
from treeprune.neural.path import NeuronPath, neuron_path
from treeprune.neural.quantise import quantization_grid, quantize_weights
from treeprune.neural.rewinding import initial_network, rewind
from treeprune.neural.schedules import ConstantSparsity, PolynomialDecay
from treeprune.neural.training import fine_tune, fit_masked

__all__ = [
    "ConstantSparsity",
    "CostCurveDisplay",
    "NeuronPath",
    "PolynomialDecay",
    "QuantizationDisplay",
    "compare_neurons",
    "cost_table",
    "finalize",
    "fine_tune",
    "fit_masked",
    "honest_checklist",
    "initial_network",
    "neuron_importance",
    "neuron_path",
    "prune_layer",
    "prune_lossless",
    "prune_neurons",
    "prune_weights",
    "quantization_grid",
    "quantize_weights",
    "rewind",
    "scratch_baselines",
    "weight_masks",
    "with_masks",
]
