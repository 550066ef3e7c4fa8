"""What this GPU can do at most, measured in the same run.

    rates() -> {"copy_bytes", "gemm_flops", "exponentials"} a second, {"graph_launch", "launch"} seconds        measured once a process
    uploads() -> {"pageable", "pinned"}        bytes a second from the host's memory: copies are listed here, and in no other number

    copy_bytes       bytes read and bytes written, of a copy of COPIED bytes within the device's memory
    gemm_flops       of a float32 product of two large matrices by cuBLAS, without TF32
    exponentials     __expf of numbers in registers, all multiprocessors
    graph_launch     one kernel that does nothing, of a graph of LAUNCHES of them; `launch`: the same, each launched by CuPy

The best of the calls that fit into SECONDS: a floor is what could be reached.
    floor_seconds(work, rates)        max(bytes / copy_bytes, FLOPs / gemm_flops + exponentials / rate, graph_launch)
Traffic and arithmetic overlap, the two kinds of arithmetic and a launch are each taken to be hidden by what is longest.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping

from bench.gpu.device import Gpu, Work, the_gpu
from npae.kernels.cuda.device import current

SECONDS = 0.2
COPIED, UPLOADED = 1 << 30, 1 << 28  # bytes: many times any cache
LAUNCHES = 1000


def best(gpu: Gpu, work: Work) -> float:
    """The shortest time of a call, among those of so many seconds; the first two do not count."""
    gpu.seconds(work)
    gpu.seconds(work)
    shortest, end = gpu.seconds(work), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        shortest = min(shortest, gpu.seconds(work))
    return shortest


def _launches(gpu: Gpu) -> tuple[float, float]:
    """Seconds of a launch, in a graph and by itself."""
    launch, lane = gpu.launch(), current().lane()

    def many() -> None:
        for _ in range(LAUNCHES):
            launch()

    with lane:
        many()
        replay = lane.record(many)
        return best(gpu, replay) / LAUNCHES, best(gpu, many) / LAUNCHES


@functools.cache
def rates() -> dict[str, float]:
    """Units a second, and seconds of a launch."""
    gpu = the_gpu()
    product, flops = gpu.product()
    exponentials, count = gpu.exponentials()
    graph_launch, launch = _launches(gpu)
    measured = {
        "copy_bytes": 2 * COPIED / best(gpu, gpu.copy(COPIED)),
        "gemm_flops": flops / best(gpu, product),
        "exponentials": count / best(gpu, exponentials),
        "graph_launch": graph_launch,
        "launch": launch,
    }
    del product
    gpu.release()
    return measured


@functools.cache
def uploads() -> dict[str, float]:
    """Bytes a second to the device."""
    gpu = the_gpu()
    return {kind: UPLOADED / best(gpu, gpu.upload(UPLOADED, pinned=kind == "pinned")) for kind in ("pageable", "pinned")}


def floor_seconds(work: Mapping[str, float], measured: Mapping[str, float]) -> float:
    """The least that so much work takes on this device."""
    arithmetic = work.get("gemm_flops", 0.0) / measured["gemm_flops"] + work.get("exponentials", 0.0) / measured["exponentials"]
    return max(work.get("copy_bytes", 0.0) / measured["copy_bytes"], arithmetic, measured["graph_launch"])
