"""`npae test --calibrate`: level and power of the two-sample test, as a table, as JSON and as a picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from npae.cli.screen import show, table_of
from npae.errors import InputError
from npae.evaluation.calibration import (
    ALPHA,
    BANDWIDTHS,
    LEVEL_SIZES,
    PERMUTATIONS,
    POWER_SIZES,
    SIDE,
    SPACING,
    STRETCHES,
    Rate,
    level,
    power,
)
from npae.noise import check_seed

Power = dict[str, dict[int, list[Rate]]]


def calibrate(runs: int, *, seed: int, picture: Path | None, as_json: bool) -> None:
    """Measure with `runs` tests for the level and a tenth for each power; print, draw."""
    if runs < 10:
        raise InputError(f"--runs {runs}: at least 10 are needed, 1000 for an interval of about 0.03")
    check_seed(seed)
    of_level, of_power = _measured(runs, seed)
    if picture:
        _draw(picture, of_power, runs // 10)
    if as_json:
        print(json.dumps(_as_dict(of_level, of_power, seed) | ({"picture": str(picture)} if picture else {}), indent=1))
        return
    _show(of_level, of_power)
    if picture:
        show(f"  {picture}")


def _measured(runs: int, seed: int) -> tuple[dict[str, Rate], Power]:
    """Both, with a bar on a terminal."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}/{task.total:,} tests"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("level", total=runs * len(BANDWIDTHS))
        of_level = level(runs, seed, lambda: bar.advance(task))
        task = bar.add_task("power", total=runs // 10 * len(BANDWIDTHS) * len(POWER_SIZES) * len(STRETCHES))
        return of_level, power(runs // 10, seed, lambda: bar.advance(task))


def _text(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.value:.3f}  ({low:.3f} .. {high:.3f})"


def _show(of_level: dict[str, Rate], of_power: Power) -> None:
    n, m = LEVEL_SIZES
    runs = next(iter(of_level.values())).runs
    table = table_of(
        "bandwidth",
        f"rejected of {runs:,}",
        "share, 95 % interval",
        f"{ALPHA:g} in it",
        right=(1,),
    )
    for name, rate in of_level.items():
        low, high = rate.interval
        table.add_row(name, str(rate.rejected), _text(rate), "yes" if low <= ALPHA <= high else "NO")
    show(f"level: both samples of one distribution, n = {n}, m = {m}, p <= {ALPHA:g}, {PERMUTATIONS} permutations", table)
    runs = next(iter(next(iter(of_power.values())).values()))[0].runs
    table = table_of("bandwidth", "n = m", *(f"{e:g}" for e in STRETCHES), right=tuple(range(1, 2 + len(STRETCHES))))
    for name, curves in of_power.items():
        for place, (n, rates) in enumerate(curves.items()):
            table.add_row(name if place == 0 else "", f"{n:,}", *(f"{rate.value:.2f}" for rate in rates))
    show(f"\npower: share of {runs:,} tests that reject, by the ratio of the eigenvalues of B's blobs", table)
    show(f"Blobs: {SIDE} x {SIDE} Gaussians of variance 1, {SPACING:g} apart; those of B are stretched along the diagonal")


def _as_dict(of_level: dict[str, Rate], of_power: Power, seed: int) -> dict[str, Any]:
    def one(rate: Rate) -> dict[str, Any]:
        return {"rejected": rate.rejected, "runs": rate.runs, "share": rate.value, "interval": list(rate.interval)}

    return {
        "problem": {"side": SIDE, "spacing": SPACING, "ratios": list(STRETCHES)},
        "alpha": ALPHA,
        "permutations": PERMUTATIONS,
        "seed": seed,
        "level": {name: one(rate) | {"n": LEVEL_SIZES[0], "m": LEVEL_SIZES[1]} for name, rate in of_level.items()},
        "power": {name: {str(n): [one(rate) for rate in rates] for n, rates in curves.items()} for name, curves in of_power.items()},
    }


def _draw(path: Path, of_power: Power, runs: int) -> None:
    from npae.figures.power import power as drawn
    from npae.figures.style import save

    shares = {
        name: {n: [(rate.value, *rate.interval) for rate in rates] for n, rates in curves.items()} for name, curves in of_power.items()
    }
    note = f"Blobs: {SIDE} x {SIDE} Gaussians, {SPACING:g} apart, stretched in one of the samples; {runs:,} tests a point, bars: 95 %"
    save(drawn(shares, STRETCHES, level=ALPHA, note=note), path)
