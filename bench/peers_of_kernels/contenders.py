"""Who takes part in which comparison, and how.

A form is "module:function". The function receives the problem and returns what is then called and timed, without arguments; what has to be
compiled for that problem is compiled before it returns. A call gives for mmd and mmd-imq (value, distances, dz), where the distances are
(q_zw, q_zz), or () where none are computed; for pairwise the (n, m) array.

On a GPU (`CUDA_CONTENDERS`) a form gives a bench/peers_of_kernels/on_gpu.py instead, which keeps apart what is launched and what is read.

`matrices` is how many arrays of n x m numbers of `item` bytes (0: of the problem's dtype) a form holds at its peak, rounded to the nearest
half from the measured peak (extra_bytes at n = 1,000 or 2,000): with it, a call that cannot fit is named instead of run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bench.devices import HIDDEN
from bench.peers import JAX_ON_GPU, JAX_PROBE, TORCH_PROBE, why_no_gpu
from bench.peers_of_kernels.problem import Size

OWN, OWN_ON_GPU = "npae", "npae-cuda"


@dataclass(frozen=True)
class Contender:
    """One way to compute it; `packages` must be installed; `what` says what it is, in a few words.

    `variables` are its process's; `probe` is Python that fails where it finds no GPU.
    """

    form: str
    packages: tuple[str, ...]
    what: str
    matrices: float = 0.0
    item: int = 0
    on_gpu: bool = False
    variables: Mapping[str, str] = field(default_factory=lambda: HIDDEN)
    probe: str = ""

    def no_gpu(self) -> str:
        """Why it finds none, or nothing."""
        return why_no_gpu(self.probe, self.variables) if self.probe else ""

    def needs(self, size: Size, itemsize: int) -> float:
        """Bytes of its largest arrays."""
        return self.matrices * max(size.n, size.m) ** 2 * (self.item or itemsize)


def _contender(form: str, packages: str, what: str, matrices: float = 0.0, item: int = 0) -> Contender:
    return Contender(f"bench.peers_of_kernels.{form}", tuple(packages.split()), what, matrices, item)


def _on_gpu(form: str, packages: str, what: str, matrices: float = 0.0, probe: str = "") -> Contender:
    variables = JAX_ON_GPU if packages.startswith("jax") else {}
    return Contender(f"bench.peers_of_kernels.{form}", tuple(packages.split()), what, matrices, 0, True, variables, probe)


_MMD = {
    OWN: _contender("npae_forms:mmd", "numba", "selection and MMD kernels, tile by tile"),
    "numpy-partition": _contender("numpy_forms:mmd_partition", "numpy", "matrix products, in place, np.partition", 4.0),
    "numpy-sort": _contender("numpy_forms:mmd_sort", "numpy", "as in the founding document: full sort", 7.0),
    "torch-kthvalue": _contender("torch_forms:mmd_kthvalue", "torch", "gradient by hand, kthvalue", 6.0),
    "torch-autograd": _contender("torch_forms:mmd_autograd", "torch", "as written: sort and autograd", 16.5),
    "jax": _contender("jax_forms:mmd", "jax jaxlib", "jit, value_and_grad, sort", 13.0),
    "scikit-learn": _contender("library_forms:mmd_scikit_learn", "scikit-learn", "rbf_kernel, euclidean_distances, np.partition", 6.5),
    "scipy": _contender("library_forms:mmd_scipy", "scipy", "cdist (always float64), np.partition", 4.0, 8),
    "keops": _contender("keops_forms:mmd", "pykeops", "LazyTensor; does no order statistic: sigma2 is given to it"),
}
_GIVEN = {
    OWN: _contender("npae_forms:mmd_given", "numba", "MMD kernel, tile by tile"),
    "numpy": _contender("numpy_forms:mmd_given", "numpy", "matrix products, in place", 4.0),
    "torch": _contender("torch_forms:mmd_given", "torch", "gradient by hand, in place", 4.0),
    "jax": _contender("jax_forms:mmd_given", "jax jaxlib", "jit, value_and_grad", 13.0),
    "keops": _contender("keops_forms:mmd_given", "pykeops", "LazyTensor"),
}
_IMQ = {
    OWN: _contender("npae_forms:mmd_imq", "numba", "MMD kernel, tile by tile"),
    "numpy": _contender("numpy_forms:mmd_imq", "numpy", "matrix products", 10.0),
    "torch-autograd": _contender("torch_forms:mmd_imq", "torch", "autograd", 65.0),
    "jax": _contender("jax_forms:mmd_imq", "jax jaxlib", "jit, value_and_grad", 19.0),
    "scipy": _contender("library_forms:mmd_imq_scipy", "scipy", "cdist (always float64), NumPy", 10.0, 8),
}
_PAIRWISE = {
    OWN: _contender("npae_forms:pairwise", "numba", "differences, exact to the last bit", 1.0),
    "numpy": _contender("numpy_forms:pairwise", "numpy", "matrix product, in place", 1.0),
    "torch": _contender("torch_forms:pairwise", "torch", "torch.cdist, squared in place", 1.0),
    "jax": _contender("jax_forms:pairwise", "jax jaxlib", "jit, matrix product", 1.0),
    "scikit-learn": _contender("library_forms:pairwise_scikit_learn", "scikit-learn", "euclidean_distances(squared=True)", 2.0),
    "scipy": _contender("library_forms:pairwise_scipy", "scipy", "cdist(sqeuclidean), always float64", 1.0, 8),
}

_CUDA_MMD = {
    OWN_ON_GPU: _on_gpu("npae_cuda_forms:mmd", "", "selection and MMD kernels, tile by tile"),
    "torch-cuda-kthvalue": _on_gpu("torch_cuda_forms:mmd_kthvalue", "torch", "gradient by hand, kthvalue", 6.0, TORCH_PROBE),
    "torch-cuda-cdist": _on_gpu("torch_cuda_forms:mmd_cdist", "torch", "cdist, kthvalue, exp, autograd", 13.0, TORCH_PROBE),
    "torch-cuda-sort": _on_gpu("torch_cuda_forms:mmd_sort", "torch", "matrix product, sort, exp, autograd", 16.5, TORCH_PROBE),
    "jax-cuda": _on_gpu("jax_cuda_forms:mmd", "jax jaxlib", "jit, value_and_grad, sort", 13.0, JAX_PROBE),
    "keops-cuda": _on_gpu("keops_cuda_forms:mmd", "torch pykeops", "LazyTensor; sigma2 is given to it", 0.0, TORCH_PROBE),
}
_CUDA_GIVEN = {
    OWN_ON_GPU: _on_gpu("npae_cuda_forms:mmd_given", "", "MMD kernel, tile by tile"),
    "torch-cuda-product": _on_gpu("torch_cuda_forms:mmd_given", "torch", "gradient by hand, in place", 4.0, TORCH_PROBE),
    "keops-cuda": _on_gpu("keops_cuda_forms:mmd_given", "torch pykeops", "LazyTensor", 0.0, TORCH_PROBE),
}
_CUDA_IMQ = {
    OWN_ON_GPU: _on_gpu("npae_cuda_forms:mmd_imq", "", "MMD kernel, tile by tile"),
    "torch-cuda-autograd": _on_gpu("torch_cuda_forms:mmd_imq", "torch", "autograd", 65.0, TORCH_PROBE),
    "jax-cuda": _on_gpu("jax_cuda_forms:mmd_imq", "jax jaxlib", "jit, value_and_grad", 19.0, JAX_PROBE),
}
_CUDA_PAIRWISE = {
    OWN_ON_GPU: _on_gpu("npae_cuda_forms:pairwise", "", "differences, exact to the last bit", 1.0),
    "torch-cuda-cdist": _on_gpu("torch_cuda_forms:pairwise", "torch", "torch.cdist, squared in place", 1.0, TORCH_PROBE),
    "torch-cuda-product": _on_gpu("torch_cuda_forms:pairwise_product", "torch", "matrix product, in place", 1.0, TORCH_PROBE),
    "jax-cuda": _on_gpu("jax_cuda_forms:pairwise", "jax jaxlib", "jit, matrix product", 1.0, JAX_PROBE),
}

Tables = dict[str, dict[str, Contender]]
CONTENDERS: Tables = {"mmd": _MMD, "mmd-given": _GIVEN, "mmd-imq": _IMQ, "pairwise": _PAIRWISE}
CUDA_CONTENDERS: Tables = {"mmd": _CUDA_MMD, "mmd-given": _CUDA_GIVEN, "mmd-imq": _CUDA_IMQ, "pairwise": _CUDA_PAIRWISE}


def _peers(tables: Tables) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for table in tables.values() for name in table if name not in (OWN, OWN_ON_GPU)))


PEERS, CUDA_PEERS = _peers(CONTENDERS), _peers(CUDA_CONTENDERS)


def contenders_on(devices: Iterable[str], comparison: str) -> dict[str, Contender]:
    """Those that compute there, npae's first: with a GPU among the devices its form there is the one that others are compared with."""
    every = {name: one for device in devices for name, one in {"cpu": CONTENDERS, "cuda": CUDA_CONTENDERS}[device][comparison].items()}
    own = {name: every[name] for name in (OWN_ON_GPU, OWN) if name in every}
    return own | every


def peers_on(devices: Iterable[str]) -> tuple[str, ...]:
    """The names of the others."""
    return tuple(name for device in devices for name in {"cpu": PEERS, "cuda": CUDA_PEERS}[device])
