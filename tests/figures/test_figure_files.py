"""Figures as files: the same bytes every time, nothing of the moment in them, and nothing global touched on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from npae.errors import InputError
from npae.figures.aggregated_posterior import aggregated_posterior
from npae.figures.beside import beside
from npae.figures.interpolation import interpolation
from npae.figures.kl_per_unit import kl_per_unit
from npae.figures.loss_curves import loss_curves
from npae.figures.manifold import manifold
from npae.figures.reconstructions import reconstructions
from npae.figures.roc import roc
from npae.figures.samples import samples
from npae.figures.scatter import scatter
from npae.figures.style import CLASS_COLOURS, house_style, save
from npae.figures.term_shares import term_shares

X = np.random.default_rng(0).random((12, 12))
HISTORY: list[dict[str, Any]] = [
    {"epoch": e, "train": {"total": 100 / e, "kl": e - 9.5}, "validation": {"total": 101 / e}} for e in range(1, 20)
]

FIGURES: dict[str, Callable[[], Figure]] = {
    "loss_curves": lambda: loss_curves(HISTORY, best_epoch=4),
    "reconstructions": lambda: reconstructions(X, 2 * X, (4, 3)),
    "reconstructions_as_profiles": lambda: reconstructions(X[:2], 2 * X[:2], None),
    "samples": lambda: samples(X, (4, 3)),
    "scatter": lambda: scatter(X[:, :2], np.arange(12) % 3, prior=True),
    "scatter_as_image": lambda: scatter(np.resize(X, (2500, 2)), np.arange(2500) % 7),
    "manifold": lambda: manifold(lambda z: np.tile(0.5 + z / 9, 6), (4, 3), grid=5),
    "interpolation": lambda: interpolation(lambda z: np.tile(0.5 + z / 9, 6), [1.0, 2.0], [2.0, -1.0], (4, 3), steps=3),
    "beside": lambda: beside({"vae": X, "gan": 1 - X}, (4, 3)),
    "term_shares": lambda: term_shares([row | {"step": 9 * row["epoch"], "weights": {"kl": 0.5}} for row in HISTORY]),
    "kl_per_unit": lambda: kl_per_unit(X[0], X[0] > 0.2),
    "aggregated_posterior": lambda: aggregated_posterior(X[:, :2]),
    "roc": lambda: roc({"ELBO": ([0, 0.2, 1], [0, 0.9, 1])}),
}


def both_files(figure: Figure, folder: Path) -> tuple[bytes, bytes]:
    """What `save` writes as PNG, then as SVG."""
    return save(figure, folder / "a.png").read_bytes(), save(figure, folder / "a.svg").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_the_same_input_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    figure = FIGURES[name]()
    first = both_files(figure, tmp_path)
    assert both_files(figure, tmp_path) == first
    with matplotlib.rc_context({"font.size": 20.0, "svg.hashsalt": None, "savefig.bbox": "tight"}):
        assert both_files(FIGURES[name](), tmp_path) == first


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    script = (
        "import sys; from npae.figures.loss_curves import loss_curves; from npae.figures.style import save\n"
        "figure = loss_curves([{'epoch': e, 'train': {'total': 100 / e}} for e in range(1, 20)])\n"
        "[save(figure, f'{sys.argv[1]}/other.{suffix}') for suffix in ('png', 'svg')]"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    here = both_files(loss_curves([{"epoch": e, "train": {"total": 100 / e}} for e in range(1, 20)]), tmp_path)
    assert ((tmp_path / "other.png").read_bytes(), (tmp_path / "other.svg").read_bytes()) == here


def test_a_file_holds_neither_date_nor_version(tmp_path: Path) -> None:
    png = save(FIGURES["scatter"](), tmp_path / "a.png").read_bytes()
    svg = save(FIGURES["scatter"](), tmp_path / "a.svg").read_bytes()
    assert b"tEXt" not in png
    assert b"tIME" not in png
    for word in (b"dc:date", b"dc:creator", matplotlib.__version__.encode()):
        assert word not in svg


def test_a_png_has_150_pixels_an_inch_and_an_svg_is_an_svg(tmp_path: Path) -> None:
    figure = FIGURES["scatter"]()
    png = save(figure, tmp_path / "a.PNG").read_bytes()
    assert png.startswith(b"\x89PNG")
    size = [int.from_bytes(png[i : i + 4], "big") for i in (16, 20)]
    assert size == [round(150 * inches) for inches in figure.get_size_inches()]
    assert b"<svg " in save(figure, tmp_path / "a.svg").read_bytes()


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.png.gz"])
def test_another_suffix_is_refused_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not \.png or \.svg"):
        save(Figure(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        save(Figure(), tmp_path / "runs" / "a.png")


def test_a_failed_drawing_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", lambda source, target: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(Figure(), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
    assert path.read_bytes() == b"old"


def test_drawing_and_saving_leave_the_settings_of_the_caller(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    for draw in FIGURES.values():
        draw()
    both_files(FIGURES["scatter"](), tmp_path)
    with pytest.raises(ZeroDivisionError), house_style():
        _ = 1 / 0
    assert dict(matplotlib.rcParams) == before


def test_the_package_does_not_import_matplotlib_and_no_figure_imports_pyplot(tmp_path: Path) -> None:
    script = """
import sys
import npae.figures
assert "matplotlib" not in sys.modules
import numpy as np
from npae.figures import loss_curves, manifold, reconstructions, samples, scatter, style
x = np.full((3, 12), 0.5)
figures = (
    loss_curves.loss_curves([{"epoch": 1, "train": {"total": 1.0}}]),
    reconstructions.reconstructions(x, x, (4, 3)),
    samples.samples(x, (4, 3)),
    scatter.scatter(x[:, :2], [0, 1, 2], prior=True),
    manifold.manifold(lambda z: np.full((len(z), 12), 0.5), (4, 3), grid=2),
)
style.save(figures[0], f"{sys.argv[1]}/figure.png")
style.save(figures[0], f"{sys.argv[1]}/figure.svg")
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)


# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency" (2009), severity 1, linear RGB
DEFICIENCIES = {
    "none": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def cielab(colour: str, deficiency: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB (D65) of an sRGB colour as it is seen with a deficiency."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(deficiency @ linear, 0, 1)
    xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]) @ seen
    f = np.array([np.cbrt(t) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz / [0.95047, 1, 1.08883]])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_any_two_classes_can_be_told_apart_with_every_colour_deficiency(deficiency: str) -> None:
    seen = [cielab(colour, DEFICIENCIES[deficiency]) for colour in CLASS_COLOURS]
    assert len(seen) == 10
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 16
