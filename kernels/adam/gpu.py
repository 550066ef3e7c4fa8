"""One step of Adam in one launch, which reads nothing back: 28 bytes moved for a float32 parameter.        theta, grad, m, v (P,)"""

from __future__ import annotations

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import THREADS, blocks
from npae.kernels.kernel import Array

PACK_BYTES = 16  # that a thread takes of each array


def adam(
    theta: Array,
    grad: Array,
    m: Array,
    v: Array,
    alpha: float | Array,
    beta1: float,
    beta2: float,
    root_scale: float | Array,
    epsilon: float,
    gradient_scale: float | Array,
) -> None:
    """Updates theta, m and v in place; alpha, root_scale and gradient_scale may be numbers on the device."""
    gpu, pack = current(), PACK_BYTES // theta.itemsize
    grid = blocks(theta.size + pack - 1, THREADS * pack)  # the first pack may hold one element only
    numbers = (*gpu.scalar(alpha), *gpu.scalar(root_scale), *gpu.scalar(gradient_scale))
    arguments = (theta, grad, m, v, theta.size, beta1, beta2, epsilon, *numbers)
    gpu.launch("adam/adam.cu", "adam", theta.dtype, grid, THREADS, arguments)
