"""Everything `npae evaluate` says about a model: its objective, its reconstruction beside PCA's, its likelihood, its codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array
from npae.evaluation.latent import latent_summary
from npae.evaluation.likelihood import bounds, is_likelihood
from npae.evaluation.pca import fit_pca
from npae.evaluation.subset import some_indices
from npae.models import Model
from npae.training.averages import evaluate_terms


def evaluate(
    model: Model, x: Array, train: Array, *, y: Array | None = None, batch_size: int, seed: int, samples: int, likelihood_rows: int
) -> dict[str, Any]:
    """A table of numbers as a dictionary.    x (N, F): rows to judge by; train: what PCA is fitted to."""
    averages = evaluate_terms(model, x, y, batch_size=batch_size, seed=seed)
    terms = averages.mean()
    found: dict[str, Any] = {
        "rows": len(x),
        "objective": terms,
        "weights": averages.weights,
        "caveat": model.caveat,
    }
    if model.has_encoder and model.reconstruction_term in terms:
        found["reconstruction_per_image"] = model.per_image(terms)[model.reconstruction_term]
    if model.has_encoder and model.companion != "targets":
        components = min(model.latent, x.shape[1])
        pca = fit_pca(train, components)
        found["squared_error_per_feature"] = squared_error(x, model.reconstruct(x, y))
        found["pca_squared_error_per_feature"] = squared_error(x, pca.reconstruct(x))
        found["pca_components"] = components
    if model.has_encoder and model.has_prior:
        found["codes"] = latent_summary(model, x, y, seed=seed)
    if model.has_posterior and model.has_prior and is_likelihood(model.likelihood):
        chosen = some_indices(len(x), likelihood_rows, seed)
        found["log_likelihood"] = bounds(model, x[chosen], None if y is None else y[chosen], samples=samples, seed=seed)
    return found


def squared_error(x: Array, y: Array) -> float:
    """Mean of (y - x)^2 over rows and features."""
    return float(np.mean((y.astype(np.float64) - x) ** 2))
