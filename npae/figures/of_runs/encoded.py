"""Figures from the codes of rows: where they lie, what they carry, and whether they look like the prior."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npae.backend import Array
from npae.evaluation.latent import ACTIVE_VARIANCE, posterior_draws
from npae.evaluation.subset import some_indices
from npae.evaluation.tsne import tsne as place
from npae.figures.aggregated_posterior import aggregated_posterior
from npae.figures.embedding_map import embedding_map
from npae.figures.kl_per_unit import kl_per_unit
from npae.figures.of_runs.subject import Choices, Subject
from npae.figures.scatter import scatter

SCATTERED, MAPPED = 5000, 2000


def codes(run: Subject, choices: Choices) -> Figure:
    """Two-dimensional codes by label."""
    x, y, labels = _some(run, choices, SCATTERED)
    return scatter(run.model.encode(x, y), labels, run.dataset.label_names, prior=run.model.has_prior)


def tsne(run: Subject, choices: Choices) -> Figure:
    """Codes on a t-SNE map by label."""
    x, y, labels = _some(run, choices, MAPPED)
    return embedding_map(place(run.model.encode(x, y), choices.seed or 0), labels, run.dataset.label_names)


def kl(run: Subject, choices: Choices) -> Figure:
    """KL(q(z_j|x) || N(0, 1)) = (mu^2 + sigma^2 - 1) / 2 - log sigma of each unit, mean over the rows."""
    mu, sigma = (part.astype(np.float64) for part in run.model.posterior(run.seen.rows, run.companion(run.seen)))
    each = 0.5 * (mu**2 + sigma**2 - 1) - np.log(sigma)
    return kl_per_unit(each.mean(axis=0), mu.var(axis=0) > ACTIVE_VARIANCE)


def posterior(run: Subject, choices: Choices) -> Figure:
    """Histograms of drawn codes beside the prior."""
    return aggregated_posterior(posterior_draws(run.model, run.seen.rows, run.companion(run.seen), seed=choices.seed or 0))


def _some(run: Subject, choices: Choices, count: int) -> tuple[Array, Array | None, Array | None]:
    """Rows picked by the seed, what the model reads beside them, and their labels."""
    indices = some_indices(len(run.seen.rows), run.some(run.seen, count, asked=choices.rows), choices.seed or 0)
    labels = run.seen.labels
    return (*run.rows(run.seen, indices), None if labels is None else labels[indices])
