"""MMD^2_u and its gradient in two launches; the numbers stay on the device.        z (n, d)   w (m, d)   dz (n, d)

    value = mean_{i != j} k(z_i, z_j) + mean_{i != j} k(w_i, w_j) - 2 mean_{i, j} k(z_i, w_j)
    dz_i  = 4/(n m) sum_j g(z_i, w_j) (z_i - w_j) - 4/(n (n-1)) sum_j g(z_i, z_j) (z_i - z_j)        g = -dk/d(d2)

A strip of rows meets a slice of the columns in a block; slices are as many as fill a GPU, so few where there are many strips. Each leaves
its pulls on the strip's rows in float64, which the second launch adds up: slices n d numbers, 38 MB at n = m = 60,000 and d = 8.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npae.kernels.cuda.device import Device, current
from npae.kernels.cuda.shapes import MOST_BLOCKS, blocks
from npae.kernels.kernel import Array

SOURCE = "mmd/mmd.cu"


class _Form(NamedTuple):
    """Threads and rows of a block, the blocks that fill a GPU, slices of a sample at most, and what their length is a multiple of."""

    name: str
    threads: int
    rows: int
    wanted: int
    most: int
    step: int


def _form(bytes_of_a_point: int, itemsize: int) -> _Form:
    """Short points stay in registers, two to a thread where they leave room; see mmd.cu."""
    for held in (16, 32, 64):
        if bytes_of_a_point <= held:
            return _Form(f"rows_{held}", 64 if itemsize == 4 and held <= 32 else 128, 128, 2048, 32, 16)
    return _Form("tiles", 256, 64, 512, 8, 64)


def _slices(columns: int, strips: int, form: _Form) -> tuple[int, int]:
    """How many slices the columns are cut into, and their length."""
    reach = blocks(blocks(columns, min(form.most, blocks(form.wanted, strips))), form.step) * form.step
    return blocks(columns, reach), reach


def _unbiased(gpu: Device, shape: str, z: Array, w: Array, bandwidth: tuple[Any, Any, int], dz: Array, shared: int) -> tuple[Array, Array]:
    """MMD^2_u, and the same three means of k d2 / (2 sigma2^2); dz is the gradient."""
    (n, d), m, real = z.shape, len(w), z.dtype
    form = _form(d * real.itemsize, real.itemsize)
    strips = blocks(n, form.rows)
    of_z, of_w = _slices(n, strips, form), _slices(m, strips, form)
    slices = of_z[0] + of_w[0]
    parts = strips * slices + blocks(m, form.rows) * of_w[0]
    pulled, found = gpu.empty((slices, n, d), "float64"), gpu.empty((parts, 2), "float64")
    arguments = (z, w, n, m, d, *bandwidth, *of_z, *of_w, pulled, found)
    gpu.launch(SOURCE, f"{shape}_{form.name}", real, parts, form.threads, arguments, shared)
    value, slope = gpu.number(), gpu.number()
    finish = min(blocks(z.size, 128), MOST_BLOCKS)
    gpu.launch(SOURCE, "mmd_finish", real, finish, 128, (pulled, slices, z.size, dz, found, parts, *bandwidth[:2], value, slope))
    return value, slope


def mmd_rbf(z: Array, w: Array, sigma2: float | Array, dz: Array) -> tuple[Array, Array]:
    """The Gaussian kernel k = exp(-d2 / (2 sigma2)); returns the value and its derivative with respect to sigma2."""
    gpu = current()
    return _unbiased(gpu, "rbf", z, w, (*gpu.scalar(sigma2), 0), dz, 0)


def mmd_imq(z: Array, w: Array, scales: Array, dz: Array) -> Array:
    """The sum of inverse multiquadratic kernels k = sum_s C_s / (C_s + d2); returns the value."""
    return _unbiased(current(), "imq", z, w, (scales, np.float64(0), len(scales)), dz, len(scales) * z.itemsize)[0]
