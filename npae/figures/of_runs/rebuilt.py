"""Figures from rows and what a run makes of them: reconstructions in the layouts of several publications, and denoising."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npae.backend import Array
from npae.corruption import CORRUPTIONS, check_corruptible, draw_corrupted
from npae.data.batches import batch_indices
from npae.data.tones import RATE
from npae.errors import InputError
from npae.evaluation.latent import posterior_draws
from npae.figures.labelled_rows import labelled_rows
from npae.figures.of_runs.subject import Choices, Subject
from npae.figures.reconstructions import reconstructions as draw_reconstructions
from npae.figures.samples import samples
from npae.figures.waveforms import waveforms
from npae.losses import BernoulliLogits
from npae.training.split import Part

NAMED_ROWS = (100, 14234, 6906, 300, 349)  # the five of the PyTorch document
HELD_OUT, OF_A_BATCH, SIDE, SOUNDS = 10, 7, 3, 5


def reconstructions(run: Subject, choices: Choices) -> Figure:
    """Held-out rows over their reconstructions."""
    if choices.indices is not None:
        return _rebuilt(run, run.seen, run.picked(run.seen, choices.indices))
    return _rebuilt(run, run.seen, np.arange(run.some(run.seen, HELD_OUT, asked=choices.rows)))


def five(run: Subject, choices: Choices) -> Figure:
    """The five training rows of the PyTorch document over their reconstructions."""
    return _rebuilt(run, run.trained, run.picked(run.trained, NAMED_ROWS))


def batch(run: Subject, choices: Choices) -> Figure:
    """Rows of a training batch over reconstructions from drawn codes, as in a step of the training."""
    seed = choices.seed or 0
    count = run.some(run.trained, OF_A_BATCH, asked=choices.rows)
    order = batch_indices(len(run.trained.rows), count, seed=seed, epoch=0, shuffle=True, drop_last=False)[0]
    x, y = run.rows(run.trained, order)
    if not run.model.has_posterior:
        return draw_reconstructions(x, run.model.reconstruct(x, y), run.dataset.image_shape, columns=_one_row(run, count))
    rebuilt = run.model.decode(posterior_draws(run.model, x, y, seed=seed), y)
    said = "codes are drawn from the posterior, as in training" + _sigmoid(run)
    return draw_reconstructions(x, rebuilt, run.dataset.image_shape, columns=_one_row(run, count), note=said)


def grid(run: Subject, choices: Choices) -> Figure:
    """The first nine training rows, reconstructed, three by three."""
    x, y = run.rows(run.trained, np.arange(run.some(run.trained, SIDE * SIDE, asked=None)))
    return samples(run.model.reconstruct(x, y), run.dataset.image_shape, columns=SIDE)


def denoised(run: Subject, choices: Choices) -> Figure:
    """Rows with noise, without it again, and as they were."""
    shape = run.dataset.image_shape
    x, y = run.rows(run.seen, np.arange(run.some(run.seen, HELD_OUT if shape else SOUNDS, asked=choices.rows)))
    kind, level = choices.corrupt or _usual_noise(run, x)
    if run.model.likelihood.unit_interval and not CORRUPTIONS[kind].keeps_unit_interval:
        raise InputError(
            f"--corrupt {kind}:{level:g} leaves [0, 1], where {run.name} has its data; take --corrupt clipped_{kind}:{level:g}"
        )
    noisy = draw_corrupted(kind, level, check_corruptible(kind, x), seed=choices.seed or 0)
    rebuilt = run.model.reconstruct(noisy, y)
    said = f"noise: {kind} {level:g}" + ("" if "corruption" in run.model.spec else f"; {run.name} was not trained to denoise")
    if shape is None:
        return waveforms(noisy, rebuilt, x, rate=RATE if run.dataset.name == "tones" else None, note=said)
    return labelled_rows({"noisy": noisy, "denoised": rebuilt, "clean": x}, shape, note=said)


def _usual_noise(run: Subject, x: Array) -> tuple[str, float]:
    """What the model was trained to remove; else the Keras document's, which is for data in [0, 1], or the same unclipped."""
    if "corruption" in run.model.spec:
        return run.model.spec["corruption"], run.model.spec["level"]
    return ("clipped_gaussian", 0.5) if x.min() >= 0 and x.max() <= 1 else ("gaussian", 0.5)


def _rebuilt(run: Subject, part: Part, indices: Array) -> Figure:
    x, y = run.rows(part, indices)
    return draw_reconstructions(x, run.model.reconstruct(x, y), run.dataset.image_shape)


def _one_row(run: Subject, count: int) -> int | None:
    """As many columns as pictures, up to ten."""
    return min(count, 10) if run.dataset.image_shape else None


def _sigmoid(run: Subject) -> str:
    return "; a picture is the sigmoid of the decoder's logits" if isinstance(run.model.likelihood, BernoulliLogits) else ""
