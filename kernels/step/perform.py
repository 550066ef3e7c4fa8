"""Which handler performs which operation.

addresses(dtype, kinds) -> (len(KINDS),) int64        those kinds' handlers, compiled; 0 for the others
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from npae.kernels.kernel import Array
from npae.kernels.step import latent, operations, rows, tiles
from npae.kernels.step.handler import Handler
from npae.kernels.step.operations import KINDS

HANDLERS: dict[type, Handler] = {
    operations.Gather: rows.gather,
    operations.GatherSparse: rows.gather_sparse,
    operations.Draw: rows.draw,
    operations.Dense: rows.dense,
    operations.SparseDense: rows.sparse_dense,
    operations.Decode: rows.decode,
    operations.Drop: rows.drop,
    operations.Back: rows.back,
    operations.Norm: rows.norm,
    operations.Sample: latent.draw_code,
    operations.BySample: latent.by_code,
    operations.Turn: latent.turn,
    operations.Distances: latent.measure,
    operations.Rank: latent.rank,
    operations.ByDiscrepancy: latent.discrepancy,
    operations.Weights: tiles.weights,
    operations.SparseWeights: tiles.sparse_weights_of_block,
    operations.Bias: tiles.bias,
}


def addresses(dtype: str, kinds: Collection[type]) -> Array:
    """Where compiled code finds the handler of each kind of operation, by its code."""
    return np.array([HANDLERS[kind].address(dtype) if kind in kinds else 0 for kind in KINDS], np.int64)
