"""The pictures that a training leaves in its run folder: of the table of figures, the few that everybody looks at first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from npae.figures.of_runs.drawings import applicable, draw
from npae.figures.of_runs.subject import Choices, Subject
from npae.figures.style import save
from npae.training.run import Run

FIRST = ("loss", "samples", "reconstructions", "codes", "manifold")


def draw_run(run: Run, folder: Path) -> list[Path]:
    """Draw those of them that this run can have; returns the files."""
    trainer, host = run.trainer, run.model.backend.to_host
    trained = seen = replace(run.split.train, rows=host(trainer.x))
    if run.split.validation is not None and trainer.validation is not None:
        seen = replace(run.split.validation, rows=host(trainer.validation))
    subject = Subject(folder.parent.name, run.model, run.dataset, trained, seen, trainer.history.rows, trainer.history.best_epoch)
    return [save(draw(name, [subject], Choices()), folder / f"{name}.png") for name in FIRST if name in applicable(subject)]
