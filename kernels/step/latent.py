"""What the operations on a batch's codes do: each handler reads its fields in the order of operations.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.jit import FAST, compiled_form_of, entry_point
from npae.kernels.step.activation import by_slope
from npae.kernels.step.codes import BATCH, KL_WEIGHT, MOMENT, RATES
from npae.kernels.step.discrepancy import by_discrepancy, distances, order_statistic, turn_rows
from npae.kernels.step.memory import array_at, size_of
from npae.kernels.step.posterior import by_sample, sample
from npae.kernels.step.table import FLOATS, INTS
from npae.kernels.step.vectors import types


def bits_of(kind: Any) -> Any:
    """A whole number of kind's size."""
    return np.int64(0)


def _int32(kind: Any) -> Any:
    return np.int32(0)


def _int64(kind: Any) -> Any:
    return np.int64(0)


@compiled_form_of(bits_of)
def _compiled_bits_of(kind: Any) -> Any:
    return _int32 if kind == types.float32 else _int64


@entry_point(FAST)
def draw_code(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """z = mu + sigma eps, and the KL of each row"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    form, divergence, heads, eps, sigma, z, latent, totals, keras_totals = f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]
    sample(kind, form, divergence, numbers[0], numbers[1], heads, eps, sigma, z, latent, totals, keras_totals, lo, hi)


@entry_point(FAST)
def by_code(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """dmu and ds from dz and the KL, and through the activation of the second head"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    form, divergence, heads, dheads, eps, sigma, dz, latent, code = f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]
    c, epsilon, parameter = numbers[0], numbers[1], numbers[2]
    weight = numbers[3] * array_at(0.0, array_at(0, now, MOMENT)[RATES], KL_WEIGHT + 1)[KL_WEIGHT]
    by_sample(kind, form, divergence, c, epsilon, weight, heads, dheads, eps, sigma, dz, latent, lo, hi)
    if code:
        second = size_of(kind) * latent
        by_slope(kind, code, parameter, heads + second, 2 * latent, dheads + second, 2 * latent, lo, hi, latent)


@entry_point(FAST)
def turn(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """turned (d, B) = x (B, d)"""
    f = array_at(0, op, INTS)
    turn_rows(kind, f[1], f[2], array_at(0, now, MOMENT)[BATCH], f[3], lo, hi)


@entry_point(FAST)
def measure(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """the distances of some rows from all"""
    f = array_at(0, op, INTS)
    distances(kind, f[1], f[2], f[3], array_at(0, now, MOMENT)[BATCH], f[4], lo, hi)


@entry_point(FAST)
def rank(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """one order statistic of all distances"""
    f = array_at(0, op, INTS)
    batch = array_at(0, now, MOMENT)[BATCH]
    bits = array_at(bits_of(kind), f[1], batch * batch)
    array_at(bits_of(kind), f[3], 1)[0] = order_statistic(bits, f[2])


@entry_point(FAST)
def discrepancy(kind: Any, op: int, number: int, lo: int, hi: int, now: int) -> None:
    """each row's share of MMD^2, and its gradient"""
    f = array_at(0, op, INTS)
    numbers = array_at(0.0, number, FLOATS)
    z, w, z_turned, w_turned, zz, zw, g, dz, d, totals = f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10]
    first, second, weight, sigma2 = f[11], f[12], numbers[0], numbers[1]
    if first:
        sigma2 = np.float64(array_at(kind, first, 1)[0]) + np.float64(array_at(kind, second, 1)[0])
    by_discrepancy(kind, weight, sigma2, z, w, z_turned, w_turned, zz, zw, g, dz, array_at(0, now, MOMENT)[BATCH], d, totals, lo, hi)
