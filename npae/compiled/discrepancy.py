"""A WAE's MMD penalty in operations. Rows need each other three times: for the distances, for the bandwidth, and for the gradient."""

from __future__ import annotations

from npae.compiled.layers import NotCovered
from npae.compiled.lowering import Lowering
from npae.compiled.notes import Matrix
from npae.kernels.step.operations import ByDiscrepancy, Distances, Rank, Turn
from npae.losses import RBFMMD
from npae.losses.bandwidth import PICKS
from npae.models import WAE

LARGEST_BATCH = 512  # its distances are stored


class Discrepancy:
    """forward: distances and bandwidth;  backward: value and gradient."""

    def __init__(self, lowering: Lowering) -> None:
        model = lowering.model
        assert isinstance(model, WAE)
        loss, batch, self.d, self.lowering = model.mmd, lowering.batch, model.latent, lowering
        if not isinstance(loss, RBFMMD) or loss.through_bandwidth:
            raise NotCovered("kernel imq" if not isinstance(loss, RBFMMD) else "stop_gradient false")
        self.rule = loss.bandwidth.rule
        if self.rule == "median":
            raise NotCovered("bandwidth median")
        if batch > LARGEST_BATCH:
            raise NotCovered(f"MMD of {batch} rows, more than {LARGEST_BATCH}")
        self.sigma2 = 0.0
        if self.rule not in PICKS:
            self.sigma2 = self.rule if isinstance(self.rule, float) else 2 * self.d * loss.bandwidth.prior_variance
        buffers = lowering.buffers
        self.w = lowering.draw("prior")
        self.z_turned, self.w_turned = (buffers.numbers(f"{name} turned", self.d, batch) for name in ("z", "w"))
        self.zz, self.zw, self.g = (buffers.numbers(name, batch, batch) for name in ("|z - z|", "|z - w|", "k"))
        self.found = [buffers.numbers(f"distance {k}", 1) for k in range(2)] if self.rule in PICKS else [0, 0]
        self.totals = buffers.totals("mmd", batch)

    def forward(self, z: Matrix) -> None:
        """Distances; where the bandwidth is one of them, the two that it is made of."""
        do, lowering = self.lowering.do, self.lowering
        do("z turned", Turn(z.at, self.z_turned, self.d))
        do("w turned", Turn(self.w, self.w_turned, self.d))
        lowering.by_rows()
        do("|z - z|", Distances(z.at, self.z_turned, self.zz, self.d))
        do("|z - w|", Distances(z.at, self.w_turned, self.zw, self.d))
        if self.rule in PICKS:
            lowering.one_by_one(len(self.found))
            for work, (pick, found) in enumerate(zip(PICKS[str(self.rule)](lowering.batch), self.found, strict=True)):
                do("bandwidth", Rank(self.zw if pick.right == "w" else self.zz, pick.rank, found), work)
            lowering.by_rows()

    def backward(self, z: Matrix, dz: Matrix, weight: float) -> None:
        """dz += weight dMMD^2/dz"""
        first, second = self.found
        self.lowering.do(
            "d z += d mmd",
            ByDiscrepancy(
                z.at, self.w, self.z_turned, self.w_turned, self.zz, self.zw, self.g, dz.at, self.d, self.totals, first, second,
                weight, self.sigma2,
            ),
        )  # fmt: skip
