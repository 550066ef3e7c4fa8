"""The tables that `npae reproduce` prints: one preset with each of its terms, or every published number of all presets."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

from rich.table import Table

from npae.cli.screen import show, table_of
from npae.evaluation.band import PROBABILITY
from npae.evaluation.reproduction import Reproduction

MOST_EPOCHS = 6  # of a preset with more, some are shown: the published ones, powers of ten, the last


def print_one(found: Reproduction) -> None:
    """Everything about one preset."""
    seconds = statistics.median(run.seconds for run in found.runs)
    seeds = f"{len(found.runs)} seed{'s' if len(found.runs) > 1 else ''}"
    parts: list[str | Table] = [f"{found.preset.name}: {found.preset.title}\n{found.preset.source}; {seeds}"]
    if found.rows:
        parts += [f"\n{found.preset.published.unit}", _published_table(found)]
    parts.append(f"\neach term apart, with its weight; median over seeds (min .. max)\nper image: {found.preset.published.per_image}")
    parts.append(_terms_table(found))
    if found.overlaps:
        parts += ["\nranges over seeds (losses: document's unit; terms: per image)", _overlap_table(found)]
    show(*parts, *_caveat(found), f"\n{found.verdict}; {seconds:.1f} s of training a seed (median)")


def print_all(found: list[Reproduction]) -> None:
    """One table of every published number, and the last epoch's terms where there is none."""
    headings = ("preset", "", "published", "median", "min .. max", f"{PROBABILITY:.0%} band, or range", "")
    table = table_of(*headings, title="every published number beside ours, in each document's own unit", right=(2, 3, 4, 5))
    for one in found:
        for place, row in enumerate(_rows_of(one)):
            table.add_row(f"{one.preset.name} ({len(one.runs)})" if place == 0 else "", *row)
    legend = table_of("", "", "", title="\npreset (seeds), its document, its unit")
    for one in found:
        legend.add_row(one.preset.name, one.preset.source, one.preset.published.unit)
    caveats = [text for one in found for text in _caveat(one)]
    failed = [f"{one.preset.name}: {one.verdict}" for one in found if not one.passed]
    show(table, legend, *caveats, "\n" + ("\n".join(failed) or "all in band"))


def _rows_of(found: Reproduction) -> Iterator[tuple[str, ...]]:
    for row in found.rows:
        low, high = row.band
        measured = row.measured
        yield row.published.name, row.published.printed, *_spread(measured), f"{number(low)} .. {number(high)}", row.verdict
    if not found.rows:
        last = len(found.runs[0].epochs)
        for part, terms in found.runs[0].epochs[-1].items():
            for name in terms:
                measured = [run.epochs[-1][part][name] for run in found.runs]
                label = f"epoch {last}{'' if part == 'train' else ' ' + part} {_label(found, name)}"
                yield label, "-", *_spread(measured), "", "nothing published"
    for one in found.overlaps:
        low, high = one.independent
        beside = f"{number(low)} .. {number(high)}"
        yield (
            one.name,
            "",
            *_spread(one.measured),
            beside,
            f"range of an independent implementation: {'overlap' if one.overlaps else 'APART'}",
        )


def _spread(measured: list[float]) -> tuple[str, str]:
    middle = number(statistics.median(measured))
    return middle, f"{number(min(measured))} .. {number(max(measured))}" if len(measured) > 1 else ""


def _published_table(found: Reproduction) -> Table:
    headings = ("", "published", "min", "median", "max", f"{PROBABILITY:.0%} band", "")
    table = table_of(*headings, right=(1, 2, 3, 4, 5))
    for row in found.rows:
        low, high = row.band
        measured = (min(row.measured), statistics.median(row.measured), max(row.measured))
        numbers = (number(value) for value in measured)
        table.add_row(row.published.name, row.published.printed, *numbers, f"{number(low)} .. {number(high)}", row.verdict)
    return table


def _terms_table(found: Reproduction) -> Table:
    table = table_of("epoch", "", "term", "document's unit", "per image", "min .. max", right=(3, 4, 5))
    for epoch in shown_epochs(len(found.runs[0].epochs)):
        for first, (part, terms) in enumerate(found.runs[0].epochs[epoch - 1].items()):
            for place, name in enumerate(terms if len(terms) > 2 else list(terms)[1:]):  # a single term is the total
                document = [run.epochs[epoch - 1][part][name] for run in found.runs]
                image = [run.per_image[epoch - 1][part][name] for run in found.runs if name != "total"]
                leading = (str(epoch) if not first and not place else "", part if not place else "", _label(found, name))
                table.add_row(*leading, number(statistics.median(document)), *(_spread(image) if image else ()))
    return table


def shown_epochs(epochs: int) -> list[int]:
    """All of a few; of many 1, 10, 100, ... , half of them, and the last."""
    if epochs <= MOST_EPOCHS:
        return list(range(1, epochs + 1))
    powers = [10**k for k in range(int(math.log10(epochs)) + 1)]
    return sorted({*powers, epochs // 2, epochs})


def _overlap_table(found: Reproduction) -> Table:
    headings = ("", "independent implementation", "measured", "")
    table = table_of(*headings, right=(1, 2))
    for one in found.overlaps:
        theirs, ours = one.independent, (min(one.measured), max(one.measured))
        spans = (f"{number(low)} .. {number(high)}" for low, high in (theirs, ours))
        table.add_row(one.name, *spans, "overlap" if one.overlaps else "APART")
    return table


def _label(found: Reproduction, term: str) -> str:
    return f"{term} (not minimised)" if term in found.runs[0].only_shown else term


def _caveat(found: Reproduction) -> list[str]:
    caveat = found.runs[0].caveat
    return [f"\n{found.preset.name} is {caveat}"] if caveat else []


def number(value: float) -> str:
    """With as many digits as can be compared."""
    if abs(value) >= 1000:
        return f"{value:.0f}" if value == round(value) else f"{value:.1f}"
    return f"{value:.5f}" if abs(value) < 1 else f"{value:.3f}"
