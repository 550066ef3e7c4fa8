"""The pictures of a run folder: loss curves, reconstructions, samples; for 2-d codes the scatter and the manifold."""

from __future__ import annotations

from pathlib import Path

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
    seen = trainer.x if trainer.validation is None else trainer.validation
    pictures = {
        "loss": loss_curves(trainer.history.rows, unit=model.likelihood.unit, best_epoch=trainer.history.best_epoch),
        "reconstructions": reconstructions(seen[:SHOWN], model.reconstruct(seen[:SHOWN]), shape),
        "samples": samples(draw_samples(model, SAMPLES if shape else SAMPLE_PROFILES, seed=0, like=trainer.x), shape),
    }
    if model.latent == 2:
        labels = run.split.seen.labels
        codes = model.encode(seen[:SCATTERED])
        names = run.dataset.label_names
        pictures["codes"] = scatter(codes, None if labels is None else labels[:SCATTERED], names, prior=not isinstance(model, AE))
        if shape is not None:
            pictures["manifold"] = manifold(model.decode, shape)
    return [save(figure, folder / f"{name}.png") for name, figure in pictures.items()]


def draw_samples(model: Model, rows: int, *, seed: int, like: Array) -> Array:
    """New data: from the prior, or for a plain autoencoder, which has none, from a Gaussian fitted to the codes of `like`."""
    return model.sample(rows, seed=seed, like=like) if isinstance(model, AE) else model.sample(rows, seed=seed)
