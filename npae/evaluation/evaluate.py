"""Everything `npae evaluate` says about a model: its objective, its reconstruction beside PCA's, its likelihood, its codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.backend import Array
from npae.evaluation.latent import latent_summary
from npae.evaluation.likelihood import bounds
from npae.evaluation.pca import fit_pca
from npae.evaluation.subset import some_rows
from npae.losses import SquaredError
from npae.models import VAE, WAE, Model
from npae.training.averages import evaluate_terms


def evaluate(model: Model, x: Array, train: Array, *, batch_size: int, seed: int, samples: int, likelihood_rows: int) -> dict[str, Any]:
    """A table of numbers as a dictionary.    x (N, F): rows to judge by; train: what PCA is fitted to."""
    averages = evaluate_terms(model, x, batch_size=batch_size, seed=seed)
    terms = averages.mean()
    found: dict[str, Any] = {
        "rows": len(x),
        "objective": terms,
        "weights": averages.weights,
        "reconstruction_per_image": model.per_image(terms)[model.reconstruction_term],
        "squared_error_per_feature": squared_error(x, model.reconstruct(x)),
    }
    components = min(model.latent, x.shape[1])
    pca = fit_pca(train, components)
    found["pca_squared_error_per_feature"] = squared_error(x, pca.reconstruct(x))
    found["pca_components"] = components
    if isinstance(model, VAE | WAE):
        found["codes"] = latent_summary(model, x, seed=seed)
    if isinstance(model, VAE) and not isinstance(model.likelihood, SquaredError):
        found["log_likelihood"] = bounds(model, some_rows(x, likelihood_rows, seed), samples=samples, seed=seed)
    return found


def squared_error(x: Array, y: Array) -> float:
    """Mean of (y - x)^2 over rows and features."""
    return float(np.mean((y.astype(np.float64) - x) ** 2))
