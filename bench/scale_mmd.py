"""MMD at one number of points or features, for `bench scale`: by npae, and by the libraries of `bench kernels`."""

from __future__ import annotations

import dataclasses

from bench import kernel_peers
from bench.peers_of_kernels.contenders import peers_on
from bench.peers_of_kernels.problem import Size
from bench.scale import Conditions, MeasureSize, Rounds

FEATURES, POINTS = 8, 1000  # where the other one grows
LIMIT = 20.0  # seconds that the calls of one contender at one size may take


def mmd_at(axis: str, at: Conditions) -> MeasureSize:
    """`axis` is n or d. With no peers npae is alone; with any, all that the comparison knows take part."""
    peers = peers_on(at.devices) if at.peers else ()
    variables = {**at.variables, "JAX_ENABLE_X64": "1"}

    def measure(size: int) -> Rounds:
        n, d = (size, FEATURES) if axis == "n" else (POINTS, size)
        plan = dataclasses.replace(at.plan)
        conditions = kernel_peers.Conditions("float32", peers, at.threads, variables, LIMIT, plan, at.folder, at.devices)
        group = kernel_peers.bench_size("mmd", Size(n, n, d), conditions)
        return {row["name"]: [1e-3 * each for each in row["rounds"]] for row in group["rows"] if "rounds" in row}

    return measure
