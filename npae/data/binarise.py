"""Grey levels to 0 and 1, for models with a Bernoulli likelihood.

    binarise_fixed      x' = [x > threshold]                    the same pixels for ever
    binarise_dynamic    x' = [u < x], u uniform on [0, 1)       P(x' = 1) = x: a grey level is a probability, drawn anew each epoch

    x, x' (B, F)    rows (B,): which rows of the data set these are

A draw depends on (seed, stream BINARISE, step = epoch, row, pixel): it is the same for a row whatever batch the row is in.
Source: Salakhutdinov & Murray 2008, "On the quantitative analysis of deep belief networks", section 5 (binary pixels drawn with the grey
levels as probabilities); drawn anew each epoch as in Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders".
Raises InputError for values outside [0, 1].
"""

from __future__ import annotations

from npae import noise
from npae.backend import Array, Backend
from npae.data.raw import blocks
from npae.errors import InputError

WAYS = ("none", "fixed", "dynamic")


def binarise_fixed(x: Array, threshold: float = 0.5) -> Array:
    """x' = [x > threshold], in x's own dtype."""
    _check(x)
    if not 0 <= threshold < 1:
        raise InputError(f"binarisation threshold {threshold} leaves one value only; expected 0 <= threshold < 1, such as 0.5")
    return (x > threshold).astype(x.dtype)


def binarise_dynamic(x: Array, seed: int, epoch: int, rows: Array, backend: Backend | None = None) -> Array:
    """x' = [u < x], in x's own dtype; `backend` is the one that x lives on; without one, NumPy and the reference kernel."""
    _check(x)
    if len(rows) != len(x):
        raise InputError(f"binarisation of {len(x)} rows with {len(rows)} row numbers; expected one row number a row")
    chosen, seed, numbers = backend or Backend(), noise.check_seed(seed), noise.row_numbers(rows)
    binary: Array = chosen.xp.empty(x.shape, x.dtype)
    for start, block in blocks(x):  # a whole data set may come at once, and the reference kernel's temporaries are many times as large
        part = slice(start, start + len(block))
        binary[part] = binarise_batch(block, seed, epoch, chosen.from_host(numbers[part]), chosen)
    return binary


def binarise_batch(x: Array, seed: int, epoch: int | Array, rows: Array, backend: Backend) -> Array:
    """binarise_dynamic of a batch that has been checked; epoch and rows may lie on a GPU, where nothing is then read back."""
    u = noise.uniform(backend, seed, noise.BINARISE, epoch, rows, backend.xp.empty(x.shape, x.dtype))
    binary: Array = backend.xp.less(u, x, out=u)
    return binary


def check_binarise(how: str) -> str:
    """The name, if it is one of the three ways."""
    if how not in WAYS:
        raise InputError(f"binarise '{how}' is not one of {', '.join(WAYS)}")
    return how


def binarise_held_out(x: Array, how: str, seed: int) -> Array:
    """Rows to validate or evaluate on, by name of the way; a dynamic binarisation of them is drawn once, apart from training's."""
    if check_binarise(how) == "fixed":
        return binarise_fixed(x)
    if how == "dynamic":
        return binarise_dynamic(x, noise.evaluation_seed(seed), 0, noise.row_numbers(len(x)))
    return x


def _check(x: Array) -> None:
    if x.dtype.kind != "f" or x.ndim != 2:
        raise InputError(f"binarisation of {x.dtype} {x.shape}; expected float rows (B, F): load the data with scale 'auto'")
    low, high = float(x.min()), float(x.max())
    if not (low >= 0 and high <= 1):
        raise InputError(
            f"binarisation of values from {low:g} to {high:g}; expected probabilities in [0, 1]: load the data with --scale minmax"
        )
