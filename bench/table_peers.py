"""The comparisons of `bench kernels` on the screen: a table a problem, the best peer in one line, and how the time grows with n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from bench.gpu.table import show_gpu
from bench.interleave import QUIET
from bench.peers_of_kernels.agreement import WORDS
from bench.peers_of_kernels.contenders import OWN, OWN_ON_GPU
from bench.ratios import quartiles
from bench.table import show_machine, spread
from npae.cli.screen import show, table_of


def show_peers(result: Mapping[str, Any]) -> None:
    """Everything."""
    show_machine(result)
    rates = result["rates"]
    gemm, exponentials, copy = (rates[name] / 1e9 for name in ("gemm_flops", "exponentials", "copy_bytes"))
    show(f"floors    {gemm:.0f} GFLOP/s (sgemm), {exponentials:.1f} G exp/s, {copy:.0f} GB/s (copy), as measured in this run")
    if "gpu" in result:
        show_gpu(result["gpu"], result["gpu_rates"], result["uploads"])
    show(f"work      each distance and each exponential once, and the gradient's products; {result['dtype']}")
    for group in result["groups"]:
        show("", _table(group))
        for line in _lines(group):
            show(escape(line))
    show("", *growth(result["groups"]))


def best_peer(group: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The row of the fastest of the others."""
    peers = [row for row in group["rows"] if row["name"] not in (OWN, OWN_ON_GPU) and "milliseconds" in row]
    return min(peers, key=lambda row: row["milliseconds"]["median"], default=None)


def _table(group: Mapping[str, Any]) -> Table:
    title, base = f"{group['comparison']} {group['size']}", group["rows"][0]["name"]
    table = table_of(
        title, "ms", f"{base} / this", "/ floor", "extra MB", "first start s", "next", "differs by", "rounds", right=tuple(range(1, 9))
    )
    for row in group["rows"]:
        if "milliseconds" not in row:
            continue
        extra = "?" if row["extra_bytes"] is None else f"{row['extra_bytes'] / 1e6:.1f}"
        ratio = "1" if row["name"] == base else spread(row["npae_over_this"], ".3f")
        first, following = row["start_seconds"]["first"], row["start_seconds"]["next"]
        starts = "" if first is None else f"{first:.1f}", f"{following:.1f}"
        worst = max(row["differences"].values())
        rest = extra, *starts, f"{worst:.0e}", f"{len(row['rounds'])}"
        table.add_row(row["name"], spread(row["milliseconds"], ".3f"), ratio, f"{row['over_floor']:.1f}", *rest)
    return table


def _lines(group: Mapping[str, Any]) -> Iterator[str]:
    """What the table means."""
    yield from (f"{row['name']} does not take part: {row['not_run']}" for row in group["rows"] if "not_run" in row)
    own = group["rows"][0]
    best = best_peer(group)
    if best is not None:
        yield f"{own['name']} / {best['name']}, the fastest of the others: {spread(best['npae_over_this'], '.3f')}"
    found = ", ".join(f"{WORDS[what]} {difference:.1e}" for what, difference in own["differences"].items())
    if "differences_at_an_offset" in group:
        at_offset = ", ".join(f"{WORDS[what]} {difference:.1e}" for what, difference in group["differences_at_an_offset"].items())
        found += f"; all points {group['offset']:g} further: {at_offset}"
    exact = "; both order statistics exact to the last bit" if group["comparison"] == "mmd" else ""
    yield f"{own['name']} differs from float64 by: {found}{exact}"
    disturbed = [row["name"] for row in group["rows"] if "others" in row and quartiles(row["others"]).median > QUIET]
    if disturbed:
        yield f"disturbed by other processes, do not rely on: {', '.join(disturbed)}; give more --patience"


def growth(groups: list[Any]) -> list[str]:
    """Between sizes with the same features, what n^2 predicts and what was found."""
    lines = []
    for number, group in enumerate(groups):
        alike = [one for one in groups[:number] if (one["comparison"], one["d"]) == (group["comparison"], group["d"])]
        smaller = [one for one in alike if one["n"] < group["n"]]
        if not smaller:
            continue
        before = max(smaller, key=lambda one: one["n"])
        times = [one["rows"][0]["milliseconds"]["median"] for one in (before, group)]
        pairs = [(one["n"] + one["m"]) ** 2 for one in (before, group)]
        ratio = times[1] / times[0] * pairs[0] / pairs[1]
        lines.append(
            f"{group['rows'][0]['name']} {group['comparison']} {group['size']} takes {ratio:.2f} of what n^2 predicts from {before['size']}"
        )
    return lines
