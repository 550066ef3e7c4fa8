"""A Chain read as what a compiled step can do: Dense layers, each with the activation and the dropout that follow it.

    read(chain, "encoder") -> [Layer, ...], [Layer, ...]        the body, and the heads of a Parallel at its end (none: [])

Raises NotCovered, which names the node, for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

from npae.kernels.step.codes import ACTIVATIONS
from npae.layers import ELU, Chain, Dense, Dropout, LeakyReLU, Node, Parallel, ReLU, Sigmoid, Softplus, Tanh

_NAMES: dict[type[Node], str] = {
    LeakyReLU: "leaky_relu",
    ReLU: "relu",
    Sigmoid: "sigmoid",
    Tanh: "tanh",
    ELU: "elu",
    Softplus: "softplus",
}


class NotCovered(Exception):
    """What a compiled step cannot do; the ordinary step can."""


@dataclass
class Layer:
    """y = dropout(f(x W + b))"""

    name: str
    dense: Dense
    activation: str = "linear"
    parameter: float = 0.0
    dropout: Dropout | None = None

    def name_of(self, first: int, width: int) -> str:
        """decoder.2, or decoder.2[:, 192:384] of some of its columns."""
        return self.name if width == self.dense.n_out else f"{self.name}[:, {first}:{first + width}]"

    @property
    def code(self) -> int:
        """The activation as compiled code knows it."""
        return ACTIVATIONS.index(self.activation)


def read(chain: Node, name: str) -> tuple[list[Layer], list[Layer]]:
    """Body and heads."""
    layers: list[Layer] = []
    for place, node in enumerate(chain.layers if isinstance(chain, Chain) else [chain]):
        where = f"{name}.{place}" if isinstance(chain, Chain) else name
        if type(node) is Parallel:
            return layers, [_head(head, f"{where}.{key}") for key, head in node.heads.items()]
        if type(node) is Dense:
            layers.append(Layer(where, node))
        elif type(node) is Dropout and layers and not layers[-1].dropout:
            layers[-1].dropout = node
        elif type(node) in _NAMES and layers and layers[-1].activation == "linear" and not layers[-1].dropout:
            layers[-1].activation, layers[-1].parameter = _NAMES[type(node)], _parameter(node, where)
        else:
            raise NotCovered(f"{where} ({type(node).__name__})")
    return layers, []


def _head(head: Node, name: str) -> Layer:
    body, heads = read(head, name)
    if len(body) != 1 or heads or body[0].dropout:
        raise NotCovered(f"{name}, a head of several layers")
    return body[0]


def _parameter(node: Node, name: str) -> float:
    if isinstance(node, LeakyReLU):
        if node.slope == 0:  # its kink cannot be told from its output
            raise NotCovered(f"{name} (LeakyReLU with slope 0)")
        return node.slope
    return node.floor if isinstance(node, Softplus) else 0.0
