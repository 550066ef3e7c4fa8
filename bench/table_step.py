"""A training step's results on the screen: a table a model, the verdict in one line, and who could not take part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.gpu.table import show_gpu
from bench.interleave import QUIET
from bench.peers import ON_GPU
from bench.ratios import quartiles
from bench.table import show_machine, spread
from npae.cli.screen import show, table_of


def show_step(result: Mapping[str, Any]) -> None:
    """Everything."""
    show_machine(result)
    rates = result["rates"]
    gemm, exponentials, copy = (rates[name] / 1e9 for name in ("gemm_flops", "exponentials", "copy_bytes"))
    show(f"data      {result['data']}, computed in {result['dtype']}")
    show(f"floors    {gemm:.0f} GFLOP/s (sgemm), {exponentials:.1f} G exp/s, {copy:.0f} GB/s (copy), as measured in this run")
    if "gpu" in result:
        show_gpu(result["gpu"], result["gpu_rates"], result["uploads"])
    timed = [row for row in result["rows"] if "milliseconds" in row]
    for model, about in result["models"].items():
        rows = [row for row in timed if row["model"] == model]
        if rows:
            show("", _table(model, about, rows), *map(escape, (*_lines(about), *_chains(rows, result.get("gpu_rates")))))
        for row in result["rows"]:
            if row.get("model") == model and "cannot" in row:
                show(escape(f"{row['name']} cannot: {row['cannot']}"))
    _show_part([*map(escape, _missing(result))])
    disturbed = [f"{row['name']} on {row['model']}" for row in timed if quartiles(row["others"]).median > QUIET]
    if disturbed:
        show(f"disturbed by other processes, do not rely on: {', '.join(disturbed)}; give more --patience, or --threads 1")
    _show_part([*verdicts(result)])
    _show_part([*{f"{row['name']:<13} {row['blas']}": None for row in timed}])


def _show_part(lines: Sequence[str]) -> None:
    """An empty line and these, where there are any."""
    if lines:
        show("", *lines)


def verdicts(result: Mapping[str, Any]) -> Iterator[str]:
    """A line a model: npae's fastest over the fastest peer."""
    for model, about in result["models"].items():
        for verdict in (about["verdict"], about.get("verdict_cuda")):
            if verdict:
                yield f"{model:<16} {verdict['npae']} / {verdict['peer']} {spread(verdict['ratio'], '.2f')}"


def _table(model: str, about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Table:
    base = rows[0]["base"]
    headings = (f"{base} / this", "/ floor", "first start s", "next start s", "memory MB", "difference", "others")
    table = table_of(f"{model}, batch {about['batch']}", "ms a step", *headings, right=tuple(range(1, 9)))
    for row in rows:
        starts = f"{row['start_seconds']['first']:.1f}", spread(row["start_seconds"]["next"], ".1f")
        ratio = "1" if row["name"] == base else spread(row["base_over_this"], ".3f")
        floor = about["gpu_floor" if row["name"] in ON_GPU else "floor"]
        over = f"{row['milliseconds']['median'] / floor['milliseconds']:.1f}" if floor else "-"
        rest = f"{row['peak_bytes'] / 1e6:.0f}", f"{row['difference']:.0e}", f"{quartiles(row['others']).median:.2f}"
        table.add_row(row["name"], spread(row["milliseconds"], ".4f" if row["name"] in ON_GPU else ".3f"), ratio, over, *starts, *rest)
    return table


def _lines(about: Mapping[str, Any]) -> Iterator[str]:
    """The floor, and what is computed otherwise than published."""
    floor = about["floor"]
    if floor:
        parts = floor["milliseconds_of"]
        said = (
            f"products {parts['gemm_flops']:.3f} + exponentials {parts['exponentials']:.3f}, beside Adam's memory {parts['copy_bytes']:.3f}"
        )
        sparse = f"{floor['sparse_milliseconds']:.3f} where the first layer skips the {1 - floor['nonzero']:.0%} zero pixels"
        yield f"floor {floor['milliseconds']:.3f} ms ({said}); {sparse}"
    if there := about.get("gpu_floor"):
        parts = there["milliseconds_of"]
        yield (
            f"floor on the GPU {there['milliseconds']:.4f} ms: the longest of products {parts['gemm_flops']:.4f} + exponentials"
            f" {parts['exponentials']:.4f}, Adam's memory {parts['copy_bytes']:.4f}, one launch {there['launch_milliseconds']:.4f}"
        )
    if about["note"]:
        yield about["note"]


def _chains(rows: Sequence[Mapping[str, Any]], rates: Mapping[str, float] | None) -> Iterator[str]:
    """How long the graph of a step would take if its kernels did nothing."""
    for row in rows:
        if rates and "chain" in row:
            launches, longest = row["chain"]
            least = 1e3 * longest * rates["graph_launch"]
            over = row["milliseconds"]["median"] / least if longest else float("nan")
            said = f"{least:.4f} ms if they did nothing, and it takes {over:.1f} times that"
            yield f"{row['name']}: {launches} launches, {longest} of them one after another: {said}"


def _missing(result: Mapping[str, Any]) -> Iterator[str]:
    """Who is not on this machine, and which model is for nobody."""
    for row in result["rows"]:
        if "absent" in row:
            yield f"{row['name']} is absent: {row['absent']}"
        elif "cannot" in row and row["model"] not in result["models"]:
            yield f"{row['name']} cannot on {row['model']}: {row['cannot']}"
