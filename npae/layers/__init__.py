"""Layers: each a node with forward and backward on one page."""

from npae.layers.activations import ELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh, activation
from npae.layers.chain import Chain
from npae.layers.condition import Condition
from npae.layers.dense import Dense
from npae.layers.dropout import Dropout
from npae.layers.node import CallOrderError, Node, differentiated, forget, frozen, inference
from npae.layers.parallel import Parallel
from npae.layers.reparameterise import FORMS, Reparameterise

__all__ = [
    "ELU",
    "FORMS",
    "CallOrderError",
    "Chain",
    "Condition",
    "Dense",
    "Dropout",
    "LeakyReLU",
    "Node",
    "Parallel",
    "ReLU",
    "Reparameterise",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "activation",
    "differentiated",
    "forget",
    "frozen",
    "inference",
]
