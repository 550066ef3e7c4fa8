"""log p(x|z) of every row, where a reconstruction loss gives only the mean over the batch.      y x (B, F) -> (B,), float64, nats

    bernoulli                  sum_F [ x l - log(1 + e^l) ]                          l = y, logits
    bernoulli_probabilities    sum_F [ x log q + (1 - x) log(1 - q) ]                q = clip(y)
    gaussian                   -||y - x||^2 / (2 eta) - (F/2) log(2 pi eta)          also with a learned eta

Elements are computed in the dtype of y, sums in float64: rows that are to be exact are given in float64.
Importance weighting is what needs them: the samples of one row are compared with each other (models/iwae.py, evaluation/likelihood.py).
Raises InputError for a squared error, which is no likelihood.
"""

from __future__ import annotations

import math

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.losses.bernoulli import BernoulliLogits, BernoulliProbabilities
from npae.losses.gaussian import Gaussian
from npae.losses.gaussian_learned import GaussianLearned
from npae.losses.reconstruction import Reconstruction

LOG_2PI = math.log(2 * math.pi)


def log_likelihood_rows(likelihood: Reconstruction, y: Array, x: Array) -> Array:
    """log p(x|z) of every row, from the decoder's output y.    x y (B, F) -> (B,), float64"""
    if isinstance(likelihood, BernoulliLogits):
        return _sum(x * y) - _sum(_softplus(y))
    if isinstance(likelihood, BernoulliProbabilities):
        q = np.clip(y, likelihood.clip, 1 - likelihood.clip)
        return _sum(x * np.log(q)) + _sum((1 - x) * np.log1p(-q))
    if isinstance(likelihood, Gaussian | GaussianLearned):
        return -_sum((y - x) ** 2) / (2 * likelihood.eta) - 0.5 * x.shape[1] * (LOG_2PI + math.log(likelihood.eta))
    raise InputError("a squared error is not a likelihood: train with reconstruction=bernoulli or gaussian for a log-likelihood")


def _softplus(y: Array) -> Array:
    """log(1 + e^y) = max(y, 0) + log(1 + e^-|y|), in one array: np.logaddexp takes five times as long"""
    out = np.abs(y)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    out += np.maximum(y, 0)
    return out


def _sum(terms: Array) -> Array:
    total: Array = terms.sum(axis=1, dtype=np.float64)
    return total
