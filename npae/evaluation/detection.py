"""How strange a model finds each row: what it was not trained on it rebuilds badly, and gives little probability.

    reconstruction_error        mean over features of (y - x)^2, y = decode(encode(x)), the posterior's mean where there is one
    negative_elbo               -E[log w_k] = -ELBO(x), in nats: a model with a posterior, a prior and a likelihood has it
    negative_log_likelihood     -log (1/K) sum_k w_k, its importance-weighted bound (likelihood.py), K samples

A high score is strange. Raises InputError for a model that reads labels or targets, which a row to be judged does not have, and for one
without an encoder.

Sources: An & Cho 2015, "Variational autoencoder based anomaly detection using reconstruction probability"; Ruff et al. 2018, "Deep
one-class classification" (one digit is normal). Likelihood is no safe score: Nalisnick et al. 2019, "Do deep generative models know what
they don't know?".
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.baselines import BASELINES
from npae.evaluation.likelihood import is_likelihood, log_weights
from npae.evaluation.ranking import Ranking, rank
from npae.models import Model


def strangeness(model: Model, x: Array, *, samples: int = 50, seed: int = 0) -> dict[str, Array]:
    """Every score that the model has, (N,) float64, for rows x (N, F)."""
    check_scores(model)
    if samples < 1:
        raise InputError(f"samples {samples}: the importance-weighted score needs at least 1")
    errors = np.square(model.reconstruct(x).astype(np.float64) - x)
    scores = {"reconstruction_error": errors.mean(axis=1)}
    if model.has_posterior and model.has_prior and is_likelihood(model.likelihood):
        log_w = log_weights(model, x, samples=samples, seed=seed)
        scores["negative_elbo"] = -log_w.mean(axis=1)
        scores["negative_log_likelihood"] = math.log(samples) - logsumexp(log_w, axis=1)
    return scores


def check_scores(model: Model | type[Model]) -> None:
    """Refuse a model that cannot score rows which come alone."""
    if not model.has_encoder:
        raise InputError(f"this {model.kind} has no encoder, so it cannot score a given row; take one that has it, such as vae or ae")
    if model.companion is not None:
        raise InputError(f"this {model.kind} reads {model.companion}, which rows to be judged do not have; take one without, such as vae")


def baseline_strangeness(train: Array, x: Array, *, seed: int = 0) -> dict[str, Array]:
    """The scores of the detectors that a model stands beside, fitted to normal rows."""
    return {name: detector(train, x, seed=seed) for name, detector in BASELINES.items()}


def rank_all(scores: dict[str, Array], abnormal: Array, *, seed: int = 0) -> dict[str, Ranking]:
    """AUROC and average precision of every score."""
    return {name: rank(values, abnormal, seed=seed) for name, values in scores.items()}
