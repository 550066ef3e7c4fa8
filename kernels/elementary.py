"""exp, 2^-x, e^-x, log, log1p of compiled kernels: in float32 polynomials that vectorise, no branch, no table; in float64 the C library's.

    exp(x)         any x          relative error 1.2e-7 for -87.3 < x < 88.3; below that it falls to 0, above it is infinite
    exp2_minus(x)  0 <= x <= 126  2^-x, relative error 1e-7, with half the operations of exp; a NaN gives any number
    exp_minus(x)   x >= 0         e^-x by exp2_minus: relative error 1e-7 (1 + x), from 87.3 on 1.2e-38; a NaN gives any number
    log(x)         x >= 0         relative error 1.3e-7; log(0) = -inf; below the smallest normal number, 1.2e-38, it is not accurate
    log1p(x)       0 <= x <= 1    relative error 1.7e-7

Else NaN gives NaN, and so does log of a negative number. A kernel written with these computes in the dtype of its arrays. Called from plain
Python they are the float64 forms. Vectorised in float32 they cost 0.2 to 0.4 ns, where calls of the C library cost 4 to 10.

Source: the expf and logf of Cephes (Moshier 1992), with other splittings; log1p(x) / x on [0, 1] is the polynomial of degree 8 whose
largest relative error is least, 3e-8 before rounding (weighted least squares until all errors are equal: Lawson 1961); 2^-x on [-1/2, 1/2]
is 1 + x times that of degree 5, 2e-9 before rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from npae.kernels.jit import compiled_form_of

_F, _I = np.float32, np.int32
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)
_INFINITY, _NAN = _F(np.inf), _F(np.nan)

ROUND = _F(1.5 * 2**23)  # adding it rounds to a whole number n, and leaves n in the lowest bits of the sum
LOG2_E, LN2_HIGH, LN2_LOW = _F(1.44269504088896341), _F(0.693359375), _F(-2.12194440e-4)
_E0, _E1, _E2, _E3, _E4, _E5 = map(
    _F, (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
)

EXP2_MINUS = 1.535336195406e-4, -1.339887441445e-3, 9.618437357495e-3, -5.550332471133e-2, 2.402264791363e-1, -6.931472028551e-1
_T0, _T1, _T2, _T3, _T4, _T5 = map(_F, EXP2_MINUS)

SQRT_HALF_BITS = _I(0x3F3504F3)
_LOG_HIGH = 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1
LOG = *_LOG_HIGH, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1
_G0, _G1, _G2, _G3, _G4, _G5, _G6, _G7, _G8 = map(_F, LOG)

_L0, _L1, _L2, _L3, _L4 = map(_F, (5.232690683797e-3, -2.950522886855e-2, 7.822594425080e-2, -1.366324603717e-1, 1.910600742405e-1))
_L5, _L6, _L7, _L8 = map(_F, (-2.484298258569e-1, 3.331909689687e-1, -4.999949314926e-1, 9.999999698820e-1))


def exp(x: float) -> float:
    """e to the power x."""
    return math.exp(x)


def exp2_minus(x: float) -> float:
    """2 to the power -x."""
    return math.exp2(-x)


def exp_minus(x: float) -> float:
    """e to the power -x."""
    return math.exp(-x)


def log(x: float) -> float:
    """The natural logarithm of x >= 0."""
    return math.log(x)


def log1p(x: float) -> float:
    """log(1 + x) for 0 <= x <= 1."""
    return math.log1p(x)


def _exp32(x: Any) -> Any:
    """2^n e^r, n whole, |r| <= log(2)/2."""
    x = _F(89) if x > _F(89) else x  # here n = 128, and 2^n is infinite
    x = _F(-88) if x < _F(-88) else x  # here n = -127, and 2^n is 0
    shifted = _F(x * LOG2_E + ROUND)
    n = shifted - ROUND
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = ((((_E0 * r + _E1) * r + _E2) * r + _E3) * r + _E4) * r + _E5
    two_to_n = _I((shifted.view(_I) + _I(127)) << _I(23)).view(_F)
    return (p * (r * r) + (r + _ONE)) * two_to_n


def _exp2_minus_32(x: Any) -> Any:
    """2^n 2^-r, n = r - x whole, |r| <= 1/2: n is added to the exponent of 2^-r, whose bits are those from 23 on."""
    shifted = _F(ROUND - x)
    r = x + (shifted - ROUND)
    p = _F((((((_T0 * r + _T1) * r + _T2) * r + _T3) * r + _T4) * r + _T5) * r + _ONE)
    return _I(p.view(_I) + _I(shifted.view(_I) << _I(23))).view(_F)


def _exp_minus_32(x: Any) -> Any:
    """2 to the power -x / log(2)"""
    power = _F(x * LOG2_E)
    bounded: Any = power if power < _F(126) else _F(126)
    return exp2_minus(bounded)


def _log32(x: Any) -> Any:
    """e log(2) + log(1 + f), x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2)."""
    bits = _F(x).view(_I)
    exponent = _I(bits - SQRT_HALF_BITS) >> _I(23)
    e, f = _F(exponent), _I(bits - _I(exponent << _I(23))).view(_F) - _ONE
    p = (((((((_G0 * f + _G1) * f + _G2) * f + _G3) * f + _G4) * f + _G5) * f + _G6) * f + _G7) * f + _G8
    y = (f * f * f) * p + e * LN2_LOW - _HALF * (f * f)
    y = (f + y) + e * LN2_HIGH
    y = y if x < _INFINITY else x  # infinity and NaN
    y = y if x != _ZERO else -_INFINITY
    return _NAN if x < _ZERO else y


def _log1p32(x: Any) -> Any:
    """x P(x)"""
    return ((((((((_L0 * x + _L1) * x + _L2) * x + _L3) * x + _L4) * x + _L5) * x + _L6) * x + _L7) * x + _L8) * x


def _exp64(x: Any) -> Any:
    return math.exp(x)


def _exp2_minus_64(x: Any) -> Any:
    return np.exp2(-x)


def _exp_minus_64(x: Any) -> Any:
    return math.exp(-x)


def _log64(x: Any) -> Any:
    return math.log(x)


def _log1p64(x: Any) -> Any:
    return math.log1p(x)


@compiled_form_of(exp)
def _compiled_exp(x: Any) -> Callable[[Any], Any]:
    return _exp32 if x == types.float32 else _exp64


@compiled_form_of(exp2_minus)
def _compiled_exp2_minus(x: Any) -> Callable[[Any], Any]:
    return _exp2_minus_32 if x == types.float32 else _exp2_minus_64


@compiled_form_of(exp_minus)
def _compiled_exp_minus(x: Any) -> Callable[[Any], Any]:
    return _exp_minus_32 if x == types.float32 else _exp_minus_64


@compiled_form_of(log)
def _compiled_log(x: Any) -> Callable[[Any], Any]:
    return _log32 if x == types.float32 else _log64


@compiled_form_of(log1p)
def _compiled_log1p(x: Any) -> Callable[[Any], Any]:
    return _log1p32 if x == types.float32 else _log1p64
