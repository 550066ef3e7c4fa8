"""Which handler performs which operation.

addresses(dtype, kinds) -> (len(KINDS),) int64        those kinds' handlers, loaded or compiled; 0 for the others
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from npae.kernels.entry import Entry
from npae.kernels.kernel import Array
from npae.kernels.step import operations
from npae.kernels.step.handler import handler
from npae.kernels.step.operations import KINDS

_GATHER, _ROWS = "npae.kernels.step.gather", "npae.kernels.step.rows"
_LATENT, _TILES = "npae.kernels.step.latent", "npae.kernels.step.tiles"

HANDLERS: dict[type, Entry] = {
    operations.Gather: handler(f"{_GATHER}:gather"),
    operations.GatherSparse: handler(f"{_GATHER}:gather_sparse"),
    operations.Draw: handler(f"{_ROWS}:draw"),
    operations.Dense: handler(f"{_ROWS}:dense"),
    operations.SparseDense: handler(f"{_ROWS}:sparse_dense"),
    operations.Decode: handler(f"{_ROWS}:decode"),
    operations.Drop: handler(f"{_ROWS}:drop"),
    operations.Back: handler(f"{_ROWS}:back"),
    operations.Join: handler(f"{_ROWS}:join"),
    operations.Norm: handler(f"{_ROWS}:norm"),
    operations.Sample: handler(f"{_LATENT}:draw_code"),
    operations.BySample: handler(f"{_LATENT}:by_code"),
    operations.Turn: handler(f"{_LATENT}:turn"),
    operations.Distances: handler(f"{_LATENT}:measure"),
    operations.Rank: handler(f"{_LATENT}:rank"),
    operations.ByDiscrepancy: handler(f"{_LATENT}:discrepancy"),
    operations.Weights: handler(f"{_TILES}:weights"),
    operations.SparseWeights: handler(f"{_TILES}:sparse_weights_of_block"),
    operations.Bias: handler(f"{_TILES}:bias"),
}


def addresses(dtype: str, kinds: Collection[type]) -> Array:
    """Where compiled code finds the handler of each kind of operation, by its code."""
    return np.array([HANDLERS[kind].address(dtype) if kind in kinds else 0 for kind in KINDS], np.int64)
