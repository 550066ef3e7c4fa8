"""scikit-learn's rbf_kernel and euclidean_distances, SciPy's cdist; what they do not offer is NumPy's (numpy_forms.py)."""

from __future__ import annotations

from collections.abc import Callable

from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel

from bench.peers_of_kernels.numpy_forms import Result, gradient, imq, mean_difference, partitioned, rbf
from bench.peers_of_kernels.problem import Problem
from npae.kernels.kernel import Array


def mmd_scikit_learn(problem: Problem) -> Callable[[], Result]:
    """Distances for the bandwidth, then the three kernel matrices."""
    _, z, w = problem

    def call() -> Result:
        of_zw, of_zz = problem.ranks
        picked = (
            partitioned(euclidean_distances(z, w, squared=True), of_zw),
            partitioned(euclidean_distances(z, squared=True), of_zz),
        )
        rate = 0.5 / sum(picked)
        zz, ww, zw = rbf_kernel(z, gamma=rate), rbf_kernel(w, gamma=rate), rbf_kernel(z, w, gamma=rate)
        return mean_difference(zz, ww, zw), picked, rate * gradient(z, w, zz, zw)

    return call


def _three(problem: Problem) -> tuple[Array, Array, Array]:
    _, z, w = problem
    return cdist(z, z, "sqeuclidean"), cdist(w, w, "sqeuclidean"), cdist(z, w, "sqeuclidean")


def mmd_scipy(problem: Problem) -> Callable[[], Result]:
    """cdist, then NumPy in place."""

    def call() -> Result:
        zz, ww, zw = _three(problem)
        of_zw, of_zz = problem.ranks
        picked = partitioned(zw, of_zw), partitioned(zz, of_zz)
        return rbf(problem.z, problem.w, (zz, ww, zw), picked, sum(picked))

    return call


def mmd_imq_scipy(problem: Problem) -> Callable[[], Result]:
    """cdist, then NumPy."""
    return lambda: imq(problem.z, problem.w, _three(problem), problem.scales)


def pairwise_scikit_learn(problem: Problem) -> Callable[[], Array]:
    """euclidean_distances."""
    _, z, w = problem
    return lambda: euclidean_distances(z, w, squared=True)


def pairwise_scipy(problem: Problem) -> Callable[[], Array]:
    """cdist."""
    _, z, w = problem
    return lambda: cdist(z, w, "sqeuclidean")
