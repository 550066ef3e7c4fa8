"""The other frameworks that `bench step` can start: where each one's worker is, what it needs, and what it cannot do.

    PEERS[name].absent()            why it cannot run on this machine, or nothing
    PEERS[name].cannot(network)     why it cannot run this network, or nothing

Nothing of a framework is imported here: a worker imports its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from bench.machine import installed
from bench.network import Network

INSTALL = "not installed: pip install -e '.[bench]'"
SKLEARN_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "linear": "identity"}


@dataclass(frozen=True)
class PeerKind:
    """A worker's module under bench, the packages whose versions say what it is, and what it cannot do."""

    module: str
    packages: tuple[str, ...]
    cannot: Callable[[Network], str] = lambda network: ""
    needs_compiler: bool = False

    def absent(self) -> str:
        """Why it cannot run here."""
        if not all(installed(package) for package in self.packages):
            return INSTALL
        if self.needs_compiler and not shutil.which(os.environ.get("CXX", "g++")):
            return "no C++ compiler, which it needs: install g++, or name another in CXX"
        return ""


def sklearn_cannot(network: Network) -> str:
    """What MLPRegressor has no word for."""
    *hidden, last = network.layers
    activations = sorted({layer.activation for layer in hidden})
    if network.sampling or network.mmd:
        return "MLPRegressor has no random code and no term beside the reconstruction"
    if network.likelihood.name != "squared_error" or network.likelihood.constant:
        return f"MLPRegressor has no {network.likelihood.name}"
    if last.activation != "linear":
        return f"MLPRegressor's output has no {last.activation}"
    if len(activations) > 1 or activations[0] not in SKLEARN_ACTIVATIONS:
        return f"MLPRegressor's hidden layers cannot be {' and '.join(activations)}"
    return "MLPRegressor has no dropout" if any(layer.dropout for layer in hidden) else ""


PEERS = {
    "torch": PeerKind("torch_step", ("torch",)),
    "torch-compile": PeerKind("torch_compile_step", ("torch",), needs_compiler=True),
    "jax": PeerKind("jax_step", ("jax", "jaxlib")),
    "naive-numpy": PeerKind("naive_step", ("numpy",)),
    "sklearn": PeerKind("sklearn_step", ("scikit-learn",), sklearn_cannot),
}
