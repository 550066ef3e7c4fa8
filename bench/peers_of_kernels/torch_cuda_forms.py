"""PyTorch on a GPU, eager, float32 without TF32.

`mmd_kthvalue` and `mmd_autograd` are those of torch_forms.py; `mmd_cdist` is what a user would write who knows cdist and kthvalue, with
autograd; `mmd_sort` the same with a full sort in place of kthvalue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bench.peers_of_kernels.on_gpu import OnGpu
from bench.peers_of_kernels.problem import Problem
from bench.peers_of_kernels.torch_forms import by_hand, mean_difference, squared, squared_in_place
from bench.peers_of_kernels.truth import ROWS

DEVICE = "cuda"


class TorchClock:
    """Events in the current stream."""

    def seconds(self, work: Callable[[], object]) -> float:
        """Between two events."""
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        first.record()
        work()
        last.record()
        last.synchronize()
        return 1e-3 * float(first.elapsed_time(last))

    def extra(self, call: Callable[[], Any]) -> tuple[Any, int]:
        """The peak of what its tensors hold."""
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        given = call()
        torch.cuda.synchronize()
        return given, torch.cuda.max_memory_allocated() - before


def _samples(problem: Problem) -> tuple[Tensor, Tensor]:
    return torch.as_tensor(problem.z, device=DEVICE), torch.as_tensor(problem.w, device=DEVICE)


def _read(given: tuple[Tensor, tuple[Tensor, ...], Tensor]) -> tuple[float, tuple[float, ...], Any]:
    value, picked, dz = given
    return float(value), tuple(map(float, picked)), dz.cpu().numpy()


def mmd_kthvalue(problem: Problem) -> OnGpu:
    """The gradient by hand, arrays overwritten in place."""
    z, w = _samples(problem)
    of_zw, of_zz = problem.ranks

    @torch.no_grad()
    def call() -> Any:
        zz, ww, zw = squared_in_place(z, z), squared_in_place(w, w), squared_in_place(z, w)
        picked = zw.flatten().kthvalue(of_zw + 1).values, zz.flatten().kthvalue(of_zz + 1).values
        value, dz = by_hand(z, w, (zz, ww, zw), 0.5 / (picked[0] + picked[1]))
        return value, picked, dz

    return OnGpu(call, _read, TorchClock())


def mmd_given(problem: Problem) -> OnGpu:
    """The gradient by hand, arrays overwritten in place."""
    z, w = _samples(problem)

    @torch.no_grad()
    def call() -> Any:
        distances = squared_in_place(z, z), squared_in_place(w, w), squared_in_place(z, w)
        value, dz = by_hand(z, w, distances, 0.5 / problem.sigma2)
        return value, (), dz

    return OnGpu(call, _read, TorchClock())


def _by_autograd(problem: Problem, distances: Callable[[Tensor, Tensor], Tensor], kth: Callable[[Tensor, int], Tensor]) -> OnGpu:
    z, w = _samples(problem)
    of_zw, of_zz = problem.ranks
    z.requires_grad_()

    def call() -> Any:
        zz, ww, zw = distances(z, z), distances(w, w), distances(z, w)
        with torch.no_grad():
            picked = kth(zw.flatten(), of_zw), kth(zz.flatten(), of_zz)
            rate = -0.5 / (picked[0] + picked[1])
        value = mean_difference(*((d2 * rate).exp() for d2 in (zz, ww, zw)))
        (dz,) = torch.autograd.grad(value, z)
        return value.detach(), picked, dz

    return OnGpu(call, _read, TorchClock())


def _cdist(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y).square()


def mmd_cdist(problem: Problem) -> OnGpu:
    """cdist, kthvalue, exp, backward."""
    return _by_autograd(problem, _cdist, lambda d2, rank: d2.kthvalue(rank + 1).values)


def mmd_sort(problem: Problem) -> OnGpu:
    """Distances by a product, sort, exp, backward."""
    return _by_autograd(problem, squared, lambda d2, rank: d2.sort().values[rank])


def mmd_imq(problem: Problem) -> OnGpu:
    """The sum of kernels, backward."""
    z, w = _samples(problem)
    z.requires_grad_()
    scales = problem.scales.tolist()

    def kernel(d2: Tensor) -> Any:
        return sum(c / (c + d2) for c in scales)

    def call() -> Any:
        value = mean_difference(*map(kernel, (squared(z, z), squared(w, w), squared(z, w))))
        (dz,) = torch.autograd.grad(value, z)
        return value.detach(), (), dz

    return OnGpu(call, _read, TorchClock())


def _rows(given: Tensor) -> Any:
    return given[:ROWS].cpu().numpy()


def pairwise(problem: Problem) -> OnGpu:
    """torch.cdist, which gives the root."""
    z, w = _samples(problem)
    return OnGpu(lambda: torch.cdist(z, w).square_(), _rows, TorchClock())


def pairwise_product(problem: Problem) -> OnGpu:
    """By a matrix product, in place."""
    z, w = _samples(problem)
    return OnGpu(lambda: squared_in_place(z, w), _rows, TorchClock())
