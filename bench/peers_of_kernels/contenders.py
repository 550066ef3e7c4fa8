"""Who takes part in which comparison, and how.

A form is "module:function". The function receives the problem and returns what is then called and timed, without arguments; what has to be
compiled for that problem is compiled before it returns. A call gives for mmd and mmd-imq (value, distances, dz), where the distances are
(q_zw, q_zz), or () where none are computed; for pairwise the (n, m) array.

`matrices` is how many arrays of n x m numbers of `item` bytes (0: of the problem's dtype) a form holds at its peak, rounded to the nearest
half from the measured peak (extra_bytes at n = 1,000 or 2,000): with it, a call that cannot fit is named instead of run.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.peers_of_kernels.problem import Size

OWN = "npae"


@dataclass(frozen=True)
class Contender:
    """One way to compute it; `packages` must be installed; `what` says what it is, in a few words."""

    form: str
    packages: tuple[str, ...]
    what: str
    matrices: float = 0.0
    item: int = 0

    def needs(self, size: Size, itemsize: int) -> float:
        """Bytes of its largest arrays."""
        return self.matrices * max(size.n, size.m) ** 2 * (self.item or itemsize)


def _contender(form: str, packages: str, what: str, matrices: float = 0.0, item: int = 0) -> Contender:
    return Contender(f"bench.peers_of_kernels.{form}", tuple(packages.split()), what, matrices, item)


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

CONTENDERS: dict[str, dict[str, Contender]] = {"mmd": _MMD, "mmd-imq": _IMQ, "pairwise": _PAIRWISE}
PEERS = tuple(dict.fromkeys(name for table in CONTENDERS.values() for name in table if name != OWN))
