"""Train a model or a preset, and leave a run folder.

  npae train vae                                   scikit-learn's digits, no network
  npae train wae --data mnist --lambda 10 --latent 8 --epochs 5
  npae train ae --data faces.npy --hidden 512,128 --set activation=elu --set dropout=0.1
  npae train --resume runs/vae-digits              continue, bit for bit

Values come from: default < the model's own < preset < --config FILE < flags; the run's config.toml says which. Ctrl-C saves, and so does
SIGTERM; the exit status is then 130. A loss or gradient that is not finite ends the training with the node, the tensor and the rows where
it began: see --set guard=skip or halve, and npae replay-step.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from npae.cli.progress import progress_for
from npae.cli.settings import add_settings, given_flags
from npae.errors import InputError
from npae.models import MODELS
from npae.presets import preset_names
from npae.training.checkpoint import has_checkpoint, restore_checkpoint, save_checkpoint
from npae.training.configuration import Configuration, absolute_data, check_fits, resolve, stored
from npae.training.lock import locked
from npae.training.loop import Trainer
from npae.training.run import Run, check_same_data, describe, make_folder, new_folder, prepare

CHANGEABLE = ("epochs", "patience", "backend")  # what --resume may change without making it another run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags from the table of options, and the few that are not settings."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help=f"a model: {', '.join(MODELS)}; or a preset: {', '.join(preset_names())}")
    add_settings(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="the run folder (default: runs/MODEL-DATA, numbered)")
    parser.add_argument("--resume", type=Path, metavar="RUN", help="continue a run where it stopped")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, progress on standard error")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--no-figures", action="store_true", help="draw no pictures at the end; npae figure draws them later")


def run(arguments: argparse.Namespace) -> int:
    """Train; returns the exit status."""
    flags = given_flags(arguments)
    configuration, folder = _configuration(arguments, flags)
    training = prepare(configuration)
    make_folder(folder)
    with locked(folder):
        if arguments.resume:
            go_on(training, folder)
        describe(training, folder)
        save_checkpoint(training.trainer, folder)  # from its first moment on, a run can be resumed
        status = train_run(training, folder, quiet=arguments.quiet, figures=not arguments.no_figures)
    _report(training, folder, as_json=arguments.json, interrupted=status == 130)
    return status


def _configuration(arguments: argparse.Namespace, flags: dict[str, Any]) -> tuple[Configuration, Path]:
    if not arguments.resume:
        configuration = resolve(arguments.model, file=arguments.config, flags=flags)
        return configuration, new_folder(configuration, arguments.out)
    if arguments.config or arguments.out:
        raise InputError("--resume continues a run with its own configuration, in its own folder: leave out --config and --out")
    before = stored(arguments.resume)
    if arguments.model not in (None, before.name, before.model):
        raise InputError(f"--resume {arguments.resume} is a run of {before.name}, not of {arguments.model}")
    if "data" in flags:
        flags["data"] = absolute_data(flags["data"])
    for key, value in flags.items():
        check_fits(key, before.model)
        if key not in CHANGEABLE and before[key] != value:
            raise InputError(
                f"--resume {arguments.resume} was made with {key} = {before[key]}, not {value}; start a new run for another {key}"
            )
    if flags.get("epochs", before["epochs"]) != before["epochs"] and before["schedule"] != "constant":
        raise InputError(
            f"--resume {arguments.resume}: its learning rate follows a {before['schedule']} schedule over {before['epochs']} epochs, which"
            f" --epochs {flags['epochs']} would bend; start a new run"
        )
    changed = {key: value for key, value in flags.items() if key in CHANGEABLE}
    origins = before.origins | dict.fromkeys(changed, "flag")
    return Configuration(before.name, before.model, before.values | changed, origins), arguments.resume


def go_on(training: Run, folder: Path) -> None:
    """Put the training where the run's last whole checkpoint is; a run that was killed before its first one begins."""
    check_same_data(training, folder)
    if has_checkpoint(folder) and (line := restore_checkpoint(training.trainer, folder)):
        print(f"npae: {line}", file=sys.stderr)


def train_run(training: Run, folder: Path, *, quiet: bool, figures: bool = True) -> int:
    """Train what is left, save, draw; 0, or 130 after Ctrl-C. The model is left with the best weights, where some were kept."""
    try:
        return _train_run(training, folder, quiet=quiet, figures=figures)
    except OSError as error:
        raise InputError(
            f"{error.filename or folder}: {error.strerror or error}; what was stored before is whole: make room, or make it writable, and"
            f" go on with npae train --resume {folder}"
        ) from None


def _train_run(training: Run, folder: Path, *, quiet: bool, figures: bool) -> int:
    trainer = training.trainer
    trainer.guarded.folder = folder / "guard"
    trainer.history.write(folder / "history.jsonl")
    with progress_for(trainer, folder, quiet=quiet) as progress:

        def on_epoch(trainer: Trainer) -> None:
            shape, model = training.dataset.image_shape, trainer.model
            if trainer.watch and shape and model.has_encoder and model.companion != "targets":
                from npae.figures.watched import draw_watched

                draw_watched(trainer, shape, folder / "figures" / "epochs")  # before the checkpoint: what is stored as done has its picture
            progress.on_epoch(trainer)

        try:
            trainer.run(on_epoch=on_epoch, on_batch=progress.on_batch, every_batch=False)
        except KeyboardInterrupt:
            save_checkpoint(trainer, folder)
            return 130
    save_checkpoint(trainer, folder)
    if trainer.best.epoch:
        trainer.use_best()
    if trainer.history and figures:
        from npae.figures.run_figures import draw_run

        draw_run(training, folder / "figures")
    return 0


def _report(training: Run, folder: Path, *, as_json: bool, interrupted: bool) -> None:
    from npae.cli.published import in_the_documents_unit, published_lines  # loaded while a run starts, they would delay its first step

    trainer = training.trainer
    last = trainer.history[-1] if trainer.history else None
    document = in_the_documents_unit(training.configuration, trainer.history)
    if as_json:
        summary = {
            "run": str(folder),
            "finished": not interrupted,
            "epochs": trainer.epoch,
            "best_epoch": trainer.best.epoch or None,
            "last": last,
            "caveat": training.model.caveat,
            "document": document,
        }
        print(json.dumps(summary, indent=1))
        return
    if interrupted:
        print(f"stopped in epoch {trainer.epoch + 1}, saved; go on with:  npae train --resume {folder}")
        return
    kept = f", weights of epoch {trainer.best.epoch} kept (best validation loss {trainer.best.loss:.4f})" if trainer.best.epoch else ""
    early = f", stopped early after {trainer.epoch}" if trainer.stopped_early else ""
    print(f"{folder}: {trainer.epoch} epochs{early}{kept}")
    for line in [*([training.model.caveat] if training.model.caveat else []), *(published_lines(document) if document else [])]:
        print(f"  {line}")
    for figure in sorted((folder / "figures").glob("*.png")):
        print(f"  {figure}")
    verbs = ["evaluate", "generate", "reconstruct"] if training.model.has_encoder else ["evaluate", "generate"]
    if training.model.companion == "targets":
        verbs = ["evaluate", "translate"] if training.dataset.text else ["evaluate"]
    print("next:  " + "    ".join(f"npae {verb} {folder}" for verb in verbs), file=sys.stdout)
