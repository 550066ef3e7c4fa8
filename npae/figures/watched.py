"""Nine reconstructions of the watched training rows, three by three, one picture an epoch: epoch-001.png, epoch-002.png, ...

Source: ADCME's example, which saves such a grid after each epoch. The rows are always the first ones, so one can leaf through the pictures.
"""

from __future__ import annotations

from pathlib import Path

from npae.figures.images import ImageShape
from npae.figures.samples import samples
from npae.figures.style import save
from npae.training.loop import Trainer

SIDE = 3


def draw_watched(trainer: Trainer, image_shape: ImageShape, folder: Path) -> Path:
    """Draw them as the last epoch left the model."""
    x, y = trainer.watched
    shown, shown_y = x[: SIDE * SIDE], None if y is None else y[: SIDE * SIDE]
    folder.mkdir(parents=True, exist_ok=True)
    return save(samples(trainer.model.reconstruct(shown, shown_y), image_shape, columns=SIDE), folder / f"epoch-{trainer.epoch:03d}.png")
