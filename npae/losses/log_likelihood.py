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


def log_likelihood_rows(likelihood: Reconstruction, y: Array, x: Array, room: tuple[Array, Array] | None = None) -> Array:
    """log p(x|z) of every row, from the decoder's output y; computed in `room`, two arrays like y.    x y (B, F) -> (B,), float64"""
    a, b = room or (np.empty_like(y), np.empty_like(y))
    if isinstance(likelihood, BernoulliLogits):
        return _sum(np.multiply(x, y, out=a)) - _sum(_softplus(y, a, b))
    if isinstance(likelihood, BernoulliProbabilities):
        q = np.clip(y, likelihood.clip, 1 - likelihood.clip, out=a)
        ones = _sum(np.multiply(x, np.log(q, out=b), out=b))
        return ones + _sum(np.multiply(np.subtract(1, x, out=b), np.log1p(np.negative(q, out=q), out=q), out=q))
    if isinstance(likelihood, Gaussian | GaussianLearned):
        squares = np.square(np.subtract(y, x, out=a), out=a)
        return -_sum(squares) / (2 * likelihood.eta) - 0.5 * x.shape[1] * (LOG_2PI + np.log(likelihood.eta))
    raise InputError("a squared error is not a likelihood: train with reconstruction=bernoulli or gaussian for a log-likelihood")


def _softplus(y: Array, out: Array, positive: Array) -> Array:
    """log(1 + e^y) = max(y, 0) + log(1 + e^-|y|): np.logaddexp takes five times as long"""
    np.abs(y, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    out += np.maximum(y, 0, out=positive)
    return out


def _sum(terms: Array) -> Array:
    total: Array = terms.sum(axis=1, dtype=np.float64)
    return total
