"""The pictures of a run folder: loss curves, reconstructions, samples; for 2-d codes the scatter and the manifold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from npae.backend import Array
from npae.figures.loss_curves import loss_curves
from npae.figures.manifold import manifold
from npae.figures.reconstructions import reconstructions
from npae.figures.samples import samples
from npae.figures.scatter import scatter
from npae.figures.style import save
from npae.models import AE, Model
from npae.training.run import Run

SHOWN = 10
SAMPLES, SAMPLE_PROFILES = 60, 12  # images are small, and drawn fast; a line profile is a panel of its own
SCATTERED = 5000


def draw_run(run: Run, folder: Path) -> list[Path]:
    """Draw everything that this run can show; returns the files."""
    model, trainer, shape = run.model, run.trainer, run.dataset.image_shape
    seen, y = (trainer.x, trainer.y) if trainer.validation is None else (trainer.validation, trainer.validation_y)
    pictures = {"loss": loss_curves(trainer.history.rows, unit=model.likelihood.unit, best_epoch=trainer.history.best_epoch)}
    if model.companion == "targets":
        return _saved(pictures, folder)
    pictures["samples"] = samples(draw_samples(model, SAMPLES if shape else SAMPLE_PROFILES, seed=0, like=trainer.x), shape)
    if model.has_encoder:
        shown, shown_y = seen[:SHOWN], None if y is None else y[:SHOWN]
        pictures["reconstructions"] = reconstructions(shown, model.reconstruct(shown, shown_y), shape)
    if model.latent == 2 and model.has_encoder:
        labels = run.split.seen.labels
        codes = model.encode(seen[:SCATTERED], None if y is None else y[:SCATTERED])
        names = run.dataset.label_names
        pictures["codes"] = scatter(codes, None if labels is None else labels[:SCATTERED], names, prior=model.has_prior)
    if model.latent == 2 and shape is not None and model.companion is None:
        pictures["manifold"] = manifold(model.decode, shape)
    return _saved(pictures, folder)


def _saved(pictures: dict[str, Figure], folder: Path) -> list[Path]:
    return [save(figure, folder / f"{name}.png") for name, figure in pictures.items()]


def draw_samples(model: Model, rows: int, *, seed: int, like: Array) -> Array:
    """New data: from the prior, or for a plain autoencoder, which has none, from a Gaussian fitted to the codes of `like`.

    A model that reads labels gets each of them in turn.
    """
    y = np.arange(rows) % model.spec["classes"] if model.companion == "labels" else None
    return model.sample(rows, seed=seed, like=like) if isinstance(model, AE) else model.sample(rows, seed=seed, y=y)
