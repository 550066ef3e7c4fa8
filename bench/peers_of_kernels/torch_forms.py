"""PyTorch, eager.

`mmd_kthvalue` is the best form known: no autograd, arrays overwritten in place, `kthvalue`. `mmd_autograd` is what a user would write:
sort, and autograd. Both take distances from a matrix product.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bench.peers_of_kernels.numpy_forms import Result
from bench.peers_of_kernels.problem import Problem
from npae.kernels.kernel import Array


def _samples(problem: Problem) -> tuple[Tensor, Tensor]:
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return torch.from_numpy(problem.z), torch.from_numpy(problem.w)


def squared(x: Tensor, y: Tensor) -> Tensor:
    """By a matrix product."""
    return (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T


def squared_in_place(x: Tensor, y: Tensor) -> Tensor:
    """The same in the product's own memory."""
    return (x @ y.T).mul_(-2).add_((x * x).sum(1)[:, None]).add_((y * y).sum(1))


def mean_difference(zz: Tensor, ww: Tensor, zw: Tensor) -> Tensor:
    """MMD^2_u of three kernel matrices."""
    n, m = zw.shape
    return (zz.sum() - zz.trace()) / (n * (n - 1)) + (ww.sum() - ww.trace()) / (m * (m - 1)) - 2 * zw.mean()


def by_hand(z: Tensor, w: Tensor, distances: tuple[Tensor, Tensor, Tensor], rate: Any) -> tuple[Tensor, Tensor]:
    """Value and gradient from the squared distances zz, ww, zw, which it overwrites; rate = 1 / (2 sigma2)."""
    for d2 in distances:
        d2.mul_(-rate).exp_()
    (zz, ww, zw), n, m = distances, len(z), len(w)
    between, within = zw.sum(1, keepdim=True) * z - zw @ w, zz.sum(1, keepdim=True) * z - zz @ z
    return mean_difference(zz, ww, zw), 4 * rate / (n * m) * between - 4 * rate / (n * (n - 1)) * within


def mmd_kthvalue(problem: Problem) -> Callable[[], Result]:
    """The gradient by hand."""
    z, w = _samples(problem)
    of_zw, of_zz = problem.ranks

    @torch.no_grad()
    def call() -> Result:
        zz, ww, zw = squared_in_place(z, z), squared_in_place(w, w), squared_in_place(z, w)
        picked = float(zw.flatten().kthvalue(of_zw + 1).values), float(zz.flatten().kthvalue(of_zz + 1).values)
        value, dz = by_hand(z, w, (zz, ww, zw), 0.5 / sum(picked))
        return float(value), picked, dz.numpy()

    return call


def mmd_given(problem: Problem) -> Callable[[], Result]:
    """The gradient by hand."""
    z, w = _samples(problem)

    @torch.no_grad()
    def call() -> Result:
        distances = squared_in_place(z, z), squared_in_place(w, w), squared_in_place(z, w)
        value, dz = by_hand(z, w, distances, 0.5 / problem.sigma2)
        return float(value), (), dz.numpy()

    return call


def _by_autograd(z: Tensor, value: Tensor, picked: tuple[float, ...]) -> Result:
    (dz,) = torch.autograd.grad(value, z)
    return float(value.detach()), picked, dz.numpy()


def mmd_autograd(problem: Problem) -> Callable[[], Result]:
    """Sort, exp, backward."""
    z, w = _samples(problem)
    of_zw, of_zz = problem.ranks
    z.requires_grad_()

    def call() -> Result:
        zz, ww, zw = squared(z, z), squared(w, w), squared(z, w)
        with torch.no_grad():
            picked = float(zw.flatten().sort().values[of_zw]), float(zz.flatten().sort().values[of_zz])
        value = mean_difference(*((d2 / (-2 * sum(picked))).exp() for d2 in (zz, ww, zw)))
        return _by_autograd(z, value, picked)

    return call


def mmd_imq(problem: Problem) -> Callable[[], Result]:
    """The sum of kernels, backward."""
    z, w = _samples(problem)
    z.requires_grad_()

    def kernel(d2: Tensor) -> Any:
        return sum(c / (c + d2) for c in problem.scales.tolist())

    def call() -> Result:
        return _by_autograd(z, mean_difference(*map(kernel, (squared(z, z), squared(w, w), squared(z, w)))), ())

    return call


def pairwise(problem: Problem) -> Callable[[], Array]:
    """torch.cdist, which gives the root."""
    z, w = _samples(problem)
    return lambda: torch.cdist(z, w).square_().numpy()
