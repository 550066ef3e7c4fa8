"""Clean noisy data with a trained run.

  npae train denoising --data mnist --set corruption=gaussian --set level=0.5
  npae denoise runs/denoising-mnist noisy.npy                       noisy rows of your own
  npae denoise runs/denoising-mnist                                 its test rows, made as noisy as in training
  npae denoise runs/denoising-mnist clean_pngs/ --corrupt salt_and_pepper:0.2

IMAGES is data as --data of npae train takes it: a name, a .npy, .npz or .csv, a folder of PNGs. With --corrupt they are taken to be clean
and made noisy first, so that what is left of the noise can be measured: peak signal-to-noise ratio (PSNR, for images) and signal-to-noise
ratio (SNR, for sounds) before and after. Sounds are rows of samples, such as the data set tones:

  npae train denoising --data tones --hidden 256 --latent 32 --set corruption=clipped_gaussian --set level=0.1
  npae denoise runs/denoising-tones

Any run that rebuilds its rows can be used; one that was not trained on noisy rows may make them worse.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npae.backend import Array
from npae.cli.corruption_text import FORM, corruption_of
from npae.cli.opened import Opened, open_for
from npae.cli.screen import show, table_of
from npae.cli.table_file import check_table_path, write_table
from npae.corruption import CORRUPTIONS, check_corruptible, draw_corrupted
from npae.data.scaling import undo_scaling
from npae.data.tones import RATE
from npae.errors import InputError
from npae.evaluation.decibels import psnr, snr
from npae.figures.labelled_rows import labelled_rows
from npae.figures.style import save
from npae.figures.waveforms import waveforms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN, SHOWN_SOUNDS = 10, 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, the noisy data, or the clean data and the noise."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder made by npae train")
    parser.add_argument("images", nargs="?", metavar="IMAGES", help="noisy data: a name or a path (default: the run's rows, made noisy)")
    parser.add_argument("--corrupt", metavar="KIND:LEVEL", help=f"the data are clean: make them noisy first. {FORM}")
    parser.add_argument("--rows", type=int, help="only the first so many rows")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default: 0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the rows go: .npz or .csv (default: RUN/denoised.npz)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Make noisy where asked, clean, save, measure."""
    if arguments.rows is not None and arguments.rows < 1:
        raise InputError(f"--rows {arguments.rows}: at least 1 is needed")
    path = check_table_path(arguments.out or arguments.run / "denoised.npz")
    opened = open_for(argparse.Namespace(run=arguments.run, data=arguments.images))
    _check_rebuilds(opened)
    noise = _noise(arguments, opened)
    rows, y = opened.rows[: arguments.rows], None if opened.y is None else opened.y[: arguments.rows]
    noisy = rows if noise is None else _corrupted(opened, rows, *noise, seed=arguments.seed)
    parts = {"noisy": noisy, "denoised": opened.model.reconstruct(noisy, y)} | ({} if noise is None else {"clean": rows})
    write_table(path, {name: undo_scaling(values, opened.dataset.scaling) for name, values in parts.items()})
    picture = save(_picture(opened, parts), opened.folder / "figures" / "denoised.png")
    found = {
        "data": opened.which,
        "rows": len(noisy),
        "noise": None if noise is None else {"kind": noise[0], "level": noise[1]},
        "trained_to_denoise": "corruption" in opened.model.spec,
        "decibels": None if noise is None else _measured(parts),
        "arrays": str(path),
        "picture": str(picture),
    }
    print(json.dumps(found, indent=1)) if arguments.json else _print(opened, found)
    return 0


def _check_rebuilds(opened: Opened) -> None:
    model = opened.model
    if not model.has_encoder or model.companion == "targets":
        raise InputError(
            f"{opened.folder}: this {model.kind} does not rebuild its rows, so it cannot clean them; take a run of denoising or ae"
        )


def _noise(arguments: argparse.Namespace, opened: Opened) -> tuple[str, float] | None:
    """The noise to add; None where the rows are noisy already."""
    if arguments.corrupt:
        kind, level = corruption_of(arguments.corrupt)
        if level == 0:
            raise InputError(f"--corrupt {arguments.corrupt} makes no noise; give a level above 0, or leave --corrupt out for noisy rows")
        return kind, level
    if arguments.images:
        return None
    spec = opened.model.spec
    if "corruption" not in spec:
        kind = "clipped_gaussian" if opened.model.likelihood.unit_interval else "gaussian"
        raise InputError(
            f"{opened.folder} was not trained on noisy rows, so there is no noise to take: name noisy data, or give --corrupt {kind}:0.3"
        )
    return spec["corruption"], spec["level"]


def _corrupted(opened: Opened, rows: Array, kind: str, level: float, *, seed: int) -> Array:
    if opened.model.likelihood.unit_interval and not CORRUPTIONS[kind].keeps_unit_interval:
        raise InputError(f"--corrupt {kind}:{level:g} leaves [0, 1], where this run has its data; take --corrupt clipped_{kind}:{level:g}")
    return draw_corrupted(kind, level, check_corruptible(kind, rows), seed=seed)


def _measured(parts: dict[str, Array]) -> dict[str, Any]:
    return {
        name: {"before": measure(parts["noisy"], parts["clean"]), "after": measure(parts["denoised"], parts["clean"])}
        for name, measure in (("psnr", psnr), ("snr", snr))
    }


def _picture(opened: Opened, parts: dict[str, Array]) -> Figure:
    """Rows of pictures, or sounds."""
    shape = opened.dataset.image_shape
    if shape:
        return labelled_rows({name: values[:SHOWN] for name, values in parts.items()}, shape)
    noisy, denoised, clean = (parts[name][:SHOWN_SOUNDS] if name in parts else None for name in ("noisy", "denoised", "clean"))
    assert noisy is not None
    assert denoised is not None
    return waveforms(noisy, denoised, clean, rate=RATE if opened.configuration["data"] == "tones" else None)


def _print(opened: Opened, found: dict[str, Any]) -> None:
    noise = found["noise"]
    made = f", made noisy: {noise['kind']} {noise['level']:g}" if noise else ""
    show(f"{opened.folder}: {opened.configuration.name}, {found['rows']} rows of {found['data']}{made}")
    if not found["trained_to_denoise"]:
        show(f"  this {opened.model.kind} run was not trained to denoise: it rebuilds what it knows, and may lose detail")
    if found["decibels"]:
        table = table_of("", "noisy", "denoised", "gained", right=(1, 2, 3))
        for name, one in found["decibels"].items():
            table.add_row(name.upper(), *(f"{value:.2f} dB" for value in (one["before"], one["after"], one["after"] - one["before"])))
        show(table)
    show(f"  {found['arrays']}   {', '.join(('noisy', 'denoised', 'clean') if noise else ('noisy', 'denoised'))}\n  {found['picture']}")
