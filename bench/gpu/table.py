"""Results on the screen: what every table says about the GPU, its registered kernels, and which of the figures asked for were met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from bench.gpu.targets import Asked
from bench.table import show_machine, spread
from npae.cli.screen import show, table_of


def show_gpu(gpu: Mapping[str, Any], rates: Mapping[str, float], uploads: Mapping[str, float]) -> None:
    """The device, and its rates."""
    driver = f"driver {gpu['driver'] or '?'} (CUDA {gpu['cuda_of_driver']})"
    show(
        f"gpu       {gpu['name']}, sm {gpu['compute_capability']}, {gpu['multiprocessors']} multiprocessors,"
        f" {gpu['memory_bytes'] / 1e9:.0f} GB, cache {gpu['cache_bytes'] / 1e6:.0f} MB; {driver}, runtime {gpu['cuda_runtime']},"
        f" NVRTC {gpu['nvrtc']}, CuPy {gpu['cupy']}"
    )
    show(
        f"its rates {rates['copy_bytes'] / 1e9:,.0f} GB/s (copy), {rates['gemm_flops'] / 1e12:.1f} TFLOP/s (float32 product, no TF32),"
        f" {rates['exponentials'] / 1e9:,.0f} G exp/s, a launch {1e6 * rates['graph_launch']:.2f} us in a graph,"
        f" {1e6 * rates['launch']:.2f} us by itself, as measured in this run"
    )
    kinds = ", ".join(f"{rate / 1e9:.1f} GB/s {kind}" for kind, rate in uploads.items())
    show(f"uploads   {kinds}: copies from the host, which are in no other number here: data lie on the device")


def show_kernels_on_gpu(result: Mapping[str, Any]) -> None:
    """A line a kernel and size."""
    show_machine(result)
    show_gpu(result["machine"]["gpu"], result["rates"], result["uploads"])
    show("floor     the longest of bytes / copy, FLOPs / product + exponentials / rate, one launch; of copy: its bandwidth's share")
    show("rotated   each call takes the next of several copies of its arrays; extra MB: what it takes beyond them, as CuPy's pool counts")
    headings = (
        "kernel",
        "size",
        "arrays",
        "us in a graph",
        "us launched",
        "us on one core",
        "graph / cpu",
        "/ floor",
        "of copy",
        "extra MB",
    )
    table = table_of(*headings, "difference", right=(1, *range(3, 11)))
    for row in result["rows"]:
        times = [spread(row[form]["microseconds"], ".2f") for form in ("graph", "launched")] + [spread(row["cpu"]["microseconds"], ".1f")]
        over = row["graph"]["microseconds"]["median"] / row["floor_microseconds"]
        rest = f"{over:.1f}", f"{row['copy_share']:.0%}", f"{row['extra_bytes'] / 1e6:.1f}", f"{row['difference']:.0e}"
        table.add_row(row["kernel"], f"{row['size']:,}", row["arrays"], *times, spread(row["graph_over_cpu"], ".3g"), *rest)
    show("", table, "", *crossover_lines(result["crossovers"]), *(escape(f"not timed: {why}") for why in result["refused"].values()))


def crossover_lines(crossovers: Mapping[str, Mapping[str, float | None]]) -> Iterator[str]:
    """From which size on the GPU is faster than one core."""

    def said(size: float | None) -> str:
        return "at no size measured" if size is None else "at every size measured" if size == 0 else f"from size {size:,.0f} on"

    for kernel, of_form in crossovers.items():
        yield f"{kernel:<26} faster than one core {said(of_form['graph'])} in a graph, {said(of_form['launched'])} launched by itself"


def show_targets(asked: Sequence[Asked]) -> None:
    """Met, missed, not measured."""
    table = table_of("asked of an H100 or H200", "asked", "measured", "", right=(1, 2))
    for one in asked:
        bound = f"{'at least' if one.at_least else 'at most'} {one.limit:g} {one.unit}"
        table.add_row(escape(one.what), bound, "" if one.measured is None else f"{one.measured:.3g} {one.unit}", one.verdict)
    show("", table)
