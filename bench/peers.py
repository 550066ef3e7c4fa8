"""The other frameworks that `bench step` can start: where each one's worker is, what it needs, and what it cannot do.

    PEERS[name], CUDA_PEERS[name]   on a CPU, on a GPU; peers_on(devices) has those of some devices
    kind.absent()                   why it cannot run on this machine, or nothing
    kind.cannot(network)            why it cannot run this network, or nothing

Nothing of a framework is imported here: a worker imports its own, and so does a process that asks one whether it finds the GPU.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bench.devices import BACKENDS, HIDDEN
from bench.machine import installed
from bench.network import Network

INSTALL = "not installed: pip install -e '.[bench]'"
SKLEARN_ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "linear": "identity"}


@dataclass(frozen=True)
class PeerKind:
    """A worker's module under bench, the packages whose versions say what it is, and what it cannot do.

    `form` is a word more for the worker; `variables` are its process's; `probe` is Python that fails where it finds no GPU.
    """

    module: str
    packages: tuple[str, ...]
    cannot: Callable[[Network], str] = lambda network: ""
    needs_compiler: bool = False
    form: str = ""
    variables: Mapping[str, str] = field(default_factory=lambda: HIDDEN)
    probe: str = ""

    def absent(self) -> str:
        """Why it cannot run here."""
        if not all(installed(package) for package in self.packages):
            return INSTALL
        if self.needs_compiler and not shutil.which(os.environ.get("CXX", "g++")):
            return "no C++ compiler, which it needs: install g++, or name another in CXX"
        return why_no_gpu(self.probe, self.variables) if self.probe else ""


def why_no_gpu(probe: str, variables: Mapping[str, str]) -> str:
    """What a process says that finds no GPU, in its last line; nothing where it finds one. Asked once."""
    return _asked(probe, tuple(variables.items()))


@functools.cache
def _asked(probe: str, variables: tuple[tuple[str, str], ...]) -> str:
    done = subprocess.run([sys.executable, "-c", probe], env={**os.environ, **dict(variables)}, capture_output=True, text=True, check=False)
    return f"finds no GPU: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}" if done.returncode else ""


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


def changing_epsilon(network: Network) -> str:
    """What a graph of PyTorch's fused Adam would freeze."""
    if network.adam.placement == "uncorrected":
        return "its Adam's epsilon changes from step to step, and a graph keeps the number that it was recorded with"
    return ""


TORCH_PROBE = "import torch; assert torch.cuda.is_available(), f'torch {torch.__version__} sees no CUDA device'"
JAX_PROBE = "import jax; jax.devices('cuda')"
JAX_ON_GPU = {"JAX_PLATFORMS": "cuda", "XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_DEFAULT_MATMUL_PRECISION": "highest"}  # no TF32


def _torch(module: str, cannot: Callable[[Network], str] = lambda network: "", form: str = "") -> PeerKind:
    return PeerKind(module, ("torch",), cannot, needs_compiler=bool(form), form=form, variables={}, probe=TORCH_PROBE)


CUDA_PEERS = {
    "torch-cuda": _torch("torch_cuda_step"),
    "torch-cuda-graph": _torch("torch_graph_step", changing_epsilon),
    "torch-cuda-autotune": _torch("torch_autotune_step", form="alone"),
    "torch-cuda-autotune-graph": _torch("torch_autotune_step", changing_epsilon, form="graph"),
    "jax-cuda": PeerKind("jax_step", ("jax", "jaxlib"), variables=JAX_ON_GPU, probe=JAX_PROBE),
}
EVERY_PEER = PEERS | CUDA_PEERS
ON_GPU = {*CUDA_PEERS, *BACKENDS["cuda"]}


def peers_on(devices: Iterable[str]) -> dict[str, PeerKind]:
    """Those that compute on one of the devices."""
    return {name: kind for device in devices for name, kind in {"cpu": PEERS, "cuda": CUDA_PEERS}[device].items()}
