"""a^T K a, a^T K 1 and 1^T K 1 in two launches; 1^T K 1 stays on the device.        x (n, d)   labels (c, n)   sums (2, c)

A block takes a strip of rows, some of the tiles of columns before its end, and a panel of relabellings; it leaves 2 c sums in float64.
"""

from __future__ import annotations

from npae.kernels.cuda.device import current
from npae.kernels.cuda.shapes import blocks
from npae.kernels.kernel import Array

SOURCE = "relabelled/relabelled.cu"
TILE, PANEL, THREADS = 64, 512, 256  # rows; bytes of a panel's labels for a point; threads of a block
WANTED, MOST = 1024, 16  # blocks that fill a GPU; slices of a strip


def relabelled_sums(x: Array, sigma2: float | Array, labels: Array, sums: Array) -> Array:
    """See the package; returns 1^T K 1."""
    gpu, total = current(), current().number()
    (n, d), count = x.shape, len(labels)
    strips, panels = blocks(n, TILE), blocks(count, PANEL // x.itemsize)
    slices = min(MOST, strips, blocks(WANTED, strips * panels))
    parts = strips * slices
    found, totals = gpu.empty((parts, 2, count), "float64"), gpu.empty(parts, "float64")
    arguments = (x, n, d, *gpu.scalar(sigma2), labels, count, slices, found, totals)
    gpu.launch(SOURCE, "relabelled_parts", x.dtype, (parts, panels), THREADS, arguments)
    gpu.launch(SOURCE, "relabelled_finish", x.dtype, blocks(2 * count, THREADS), THREADS, (found, totals, parts, count, sums, total))
    return total
