"""The look of every figure, in one place, and the one way to write a figure to disk.

The colours are the eight of Okabe and Ito ("Color Universal Design", 2008), and a brown and a violet that were searched to be at least 28
away from all others, so that there are ten. Any two are at least 16 apart in CIELAB, with normal vision and with each of the three colour
deficiencies as Machado, Oliveira and Fernandes (2009) simulate them at full severity; matplotlib's own ten fall to 5.

`save` writes the same bytes for the same figure: no date, no version number, fixed SVG ids.
Raises InputError for a suffix that is neither .png nor .svg, and for a folder that does not exist.
"""

from __future__ import annotations

import io
import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from npae.errors import InputError

CLASS_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#f0e442", "#cc79a7", "#7818f0", "#603000", "#000000")
BLUE, VERMILION = CLASS_COLOURS[0], CLASS_COLOURS[3]
INK = "#333333"  # text and axes
FAINT = "#8a8a8a"  # what should be there, but not be seen first

WIDTH = 8.5  # inches: at the 900 pixels of a README, 9 points of text are 13 pixels high
DPI = 150

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is everywhere the same
    "font.size": 9.0,
    "text.parse_math": False,  # a class may be called "$5 to $10"
    "text.color": INK,
    "axes.titlesize": 9.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.0,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "figure.facecolor": "white",
    "figure.dpi": DPI,
    "savefig.facecolor": "auto",
    "savefig.bbox": None,
    "svg.fonttype": "path",  # letters as outlines: the reader's fonts do not matter
    "svg.hashsalt": "npae",  # ids in an SVG come from its content, not from a random number
}


class _Plain(LogFormatter):
    """Plain numbers where matplotlib writes powers: house_style reads no formulas."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:,.10g}" if super().__call__(x, pos) else ""


def plain_numbers(axis: Axis) -> None:
    """On a logarithmic axis: at the powers of ten, and between them where it shows few of these."""
    axis.set_major_formatter(_Plain())
    axis.set_minor_formatter(_Plain())


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save inside this; the caller's own matplotlib settings are back afterwards."""
    with matplotlib.rc_context(_RC):
        yield


def number(value: float, form: str) -> str:
    """`value` written as matplotlib writes its ticks: with a true minus sign, and never as -0."""
    return format(value, f"z{form}").replace("-", "−")


def unit_name(unit: int) -> str:
    """z₁ for latent unit 0, z₁₂ for unit 11: a reader counts from one."""
    return "z" + str(unit + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def new_figure(width: float, height: float, note: str = "") -> Figure:
    """An empty figure, in inches, laid out so that no part covers another; `note` is wrapped under it and adds its own height."""
    width = max(width, 3.5) if note else width
    lines = textwrap.wrap(note, int(width / 0.07))  # a letter of 8 points is about 0.07 inches wide
    figure = Figure(figsize=(width, height + 0.16 * len(lines)), layout="constrained")
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=8.0, color=INK)
    return figure


def encoded(figure: Figure, form: str) -> bytes:
    """The file that `save` writes, `form` being png or svg."""
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[form]
    buffer = io.BytesIO()
    with house_style():
        if figure.get_layout_engine() is not None:
            for _ in range(3):  # each pass starts from the last: one leaves parts a few pixels off, and none ever stands quite still
                figure.draw_without_rendering()
            figure.set_layout_engine("none")
        figure.savefig(buffer, format=form, dpi=DPI, metadata=metadata)
    return buffer.getvalue()


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write `figure` as PNG (150 dpi) or SVG, by the suffix of `path`, and return the path. From the first time on its layout is fixed."""
    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in ("png", "svg"):
        raise InputError(f"figure path {str(path)!r}: suffix {path.suffix!r} is not .png or .svg; end the name in one of them")
    if not path.parent.is_dir():
        raise InputError(f"figure path {str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        temporary.write_bytes(encoded(figure, form))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
