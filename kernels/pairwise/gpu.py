"""out_ij = sum_k (x_ik - y_jk)^2        x (n, d)   y (m, d)   out (n, m)        in one launch, a block for each tile of ROWS x COLUMNS."""

from __future__ import annotations

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import THREADS, blocks
from npae.kernels.kernel import Array

ROWS, COLUMNS = 32, 128


def pairwise_squared(x: Array, y: Array, out: Array) -> None:
    """Squared distances; see the package."""
    (n, d), m = x.shape, len(y)
    tiles = blocks(n, ROWS) * blocks(m, COLUMNS)
    current().launch("pairwise/pairwise.cu", "pairwise_squared", x.dtype, tiles, THREADS, (x, n, y, m, d, out))
