"""z = mu + sigma eps, and its gradient, each in one launch.        all arrays (B, Z)"""

from __future__ import annotations

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import THREADS, blocks
from npae.kernels.kernel import Array

SOURCE, PACK_BYTES = "reparameterise/reparameterise.cu", 16  # that a thread takes of each array


def reparameterise(mu: Array, s: Array, eps: Array, exponent: float, scale: float, deviation: Array, z: Array) -> None:
    """deviation = sigma eps        z = mu + deviation        sigma = scale exp(exponent s), or scale s where exponent is 0"""
    arguments = (mu, s, eps, float(exponent), float(scale), deviation, z, mu.size)
    current().launch(SOURCE, "reparameterise", mu.dtype, _grid(mu), THREADS, arguments)


def reparameterise_gradient(dz: Array, by: Array, factor: float, accumulate: bool, dmu: Array, ds: Array) -> None:
    """dmu (+)= dz        ds (+)= factor dz by"""
    arguments = (dz, by, float(factor), accumulate, dmu, ds, dz.size)
    current().launch(SOURCE, "reparameterise_gradient", dz.dtype, _grid(dz), THREADS, arguments)


def _grid(array: Array) -> int:
    return blocks(array.size, THREADS * PACK_BYTES // array.itemsize)
