"""KeOps on a GPU: the sums of keops_forms.py on PyTorch's tensors there, compiled from the formula by NVRTC.

It has no order statistic, so sigma2 is given to it also where others have to find it, and it does less than they do.
"""

from __future__ import annotations

from typing import Any

import torch
from pykeops.torch import LazyTensor
from torch import Tensor

from bench.peers_of_kernels.on_gpu import OnGpu
from bench.peers_of_kernels.problem import Problem
from bench.peers_of_kernels.torch_cuda_forms import DEVICE, TorchClock
from npae.kernels.registry import resolve


def mmd(problem: Problem) -> OnGpu:
    """For the bandwidth of the problem's ranks."""
    statistic = resolve("distance_order_statistic", "cpu")
    return _value_and_gradient(
        problem, statistic(problem.z, problem.w, problem.ranks[0]) + statistic(problem.z, problem.z, problem.ranks[1])
    )


def mmd_given(problem: Problem) -> OnGpu:
    """For the given bandwidth."""
    return _value_and_gradient(problem, problem.sigma2)


def _value_and_gradient(problem: Problem, sigma2: float) -> OnGpu:
    n, m, d, rate = len(problem.z), len(problem.w), problem.z.shape[1], 0.5 / sigma2
    z, w = torch.as_tensor(problem.z, device=DEVICE), torch.as_tensor(problem.w, device=DEVICE)

    def kernel(x: Tensor, y: Tensor) -> Any:
        difference = LazyTensor(rate**0.5 * x[:, None, :]) - LazyTensor(rate**0.5 * y[None, :, :])
        return (-(difference**2).sum(-1)).exp()

    def with_ones(x: Tensor) -> Tensor:
        return torch.cat([x, torch.ones_like(x[:, :1])], 1)

    def call() -> Any:
        zz, zw, ww = kernel(z, z) @ with_ones(z), kernel(z, w) @ with_ones(w), kernel(w, w).sum(dim=1)
        value = (zz[:, d].sum() - n) / (n * (n - 1)) + (ww.sum() - m) / (m * (m - 1)) - 2 * zw[:, d].sum() / (n * m)
        between, within = zw[:, d:] * z - zw[:, :d], zz[:, d:] * z - zz[:, :d]
        return value, 4 * rate / (n * m) * between - 4 * rate / (n * (n - 1)) * within

    def read(given: tuple[Tensor, Tensor]) -> tuple[float, tuple[float, ...], Any]:
        return float(given[0]), (), given[1].cpu().numpy()

    return OnGpu(call, read, TorchClock())
