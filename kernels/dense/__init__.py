"""Matrix products, and those of a dense layer with what stands around each of them.

    matmul(a (M, K), b (K, N), out (M, N), accumulate)                          out = a b, or out += a b
    affine(x (B, I), W (I, O), b (O,), activation, parameter, y (B, O))         y = f(x W + b)
    heads(x (B, I), W (I, O), b (O,), y (B, O), W2 (I, P), b2 (P,), y2 (B, P))  y = x W + b        y2 = x W2 + b2
    affine_data_gradient(dy (B, O), W (I, O), activation, parameter, y (B, I), dx (B, I), accumulate)
                                                             dx = (dy W^T) o f', or (dx + dy W^T) o f'        y = f(...), the layer's input
    heads_data_gradient(dy (B, O), W (I, O), dy2 (B, P), W2 (I, P), activation, parameter, y (B, I), dx (B, I))
                                                             dx = (dy W^T + dy2 W2^T) o f'
    activation_gradient(dy (B, I), activation, parameter, y (B, I), dx (B, I))  dx = dy o f'
    affine_weight_gradient(x (B, I), dy (B, O), dW (I, O), db (O,))             dW += x^T dy        db += sum_B dy

f is named: linear, leaky_relu, relu, tanh, sigmoid, elu, softplus; formulas and kinks: npae/layers/activations.py. `parameter` is
leaky_relu's slope or softplus's floor, else not read. In the gradients dx f belongs to the layer BELOW, and f' is computed from its
output y: 1 for linear (y is not read then: any array may stand there), and

    leaky_relu  1 if y >= 0 else slope        relu  1 if y > 0 else 0        tanh  1 - y^2        sigmoid  y (1 - y)
    elu         1 if y > 0 else y + 1         softplus  1 - e^(floor - y)

All arrays are of one dtype, float32 or float64, no dimension is 0, and no output overlaps another array. matmul's a and b are C-contiguous
or views x.T of such an array; every other array is C-contiguous. Sums are taken in the dtype. A NaN stays a NaN, in y, dx, dW and db.
Accuracy in float32: 1e-5 of the largest element of an output; the derivative of softplus 1e-7 floor besides.

GPU: one launch each (of heads two, where outputs are large), no memory, and sums in a fixed order. db is dW's row of one more input, which
is always 1.

Raises TypeError for other dtypes or layouts; InputError for an activation that does not exist, and for the derivative of leaky_relu with
slope 0, whose output does not tell on which side of the kink its input was.

Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npae.kernels.kernel import Array, Kernel, unwritten
from npae.kernels.step.codes import ACTIVATIONS

_PARAMETERS = {"leaky_relu": 0.1, "softplus": 0.01}
_SIZES = (1, 2, 3, 31, 32, 33, 100, 257, 1000)
_TOLERANCES = {"float32": (1e-5, 0.0), "float64": (1e-13, 0.0)}


def _layer(size: int) -> tuple[int, int, int, str, float]:
    """B, I, O and an activation: each size another one, and other remainders of B and O."""
    activation = ACTIVATIONS[size % len(ACTIVATIONS)]
    return 1 + size % 97, size, 1 + size % 34, activation, _PARAMETERS.get(activation, 0.0)


def _matmul_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    m, k, n, _, _ = _layer(size)
    a, b, out = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n), (m, n)))
    return _turned(a, size % 2), _turned(b, size % 3), out, size % 4 > 0


def _turned(a: Array, other: int) -> Array:
    """The same matrix, row by row or column by column in memory."""
    return a if not other else np.asfortranarray(a)


def _affine_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    rows, n_in, n_out, activation, parameter = _layer(size)
    x, W, b = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, n_in), (n_in, n_out), (n_out,)))
    W /= np.sqrt(n_in).astype(dtype)
    return x, W, b, activation, parameter, unwritten((rows, n_out), dtype)


def _heads_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    x, W, b, _, _, y = _affine_examples(rng, size, dtype)
    other = 1 + 2 * len(b) // 3  # outputs of the second head: as a rule fewer
    W2, b2 = (rng.standard_normal(shape).astype(dtype) for shape in ((size, other), (other,)))
    return x, W, b, y, (W2 / np.sqrt(size)).astype(dtype), b2, unwritten((len(x), other), dtype)


def _data_gradient_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    rows, n_in, n_out, activation, parameter = _layer(size)
    dy, W, y = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, n_out), (n_in, n_out), (rows, n_in)))
    dx = rng.standard_normal((rows, n_in)).astype(dtype) if size % 4 else unwritten((rows, n_in), dtype)
    return dy, W, activation, parameter, abs(y) + parameter if activation == "softplus" else y, dx, size % 4 > 0


def _heads_gradient_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    dy, W, activation, parameter, y, dx, _ = _data_gradient_examples(rng, size, dtype)
    other = 1 + 2 * dy.shape[1] // 3
    dy2, W2 = (rng.standard_normal((len(array), other)).astype(dtype) for array in (dy, W))
    return dy, W, dy2, W2, activation, parameter, y, unwritten(dx.shape, dtype)


def _activation_gradient_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    _, _, activation, parameter, y, dx, _ = _data_gradient_examples(rng, size, dtype)
    return rng.standard_normal(y.shape).astype(dtype), activation, parameter, y, unwritten(dx.shape, dtype)


def _weight_gradient_examples(rng: np.random.Generator, size: int, dtype: str) -> tuple[Any, ...]:
    rows, n_in, n_out, _, _ = _layer(size)
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in ((rows, n_in), (rows, n_out), (n_in, n_out), (n_out,)))


KERNELS = tuple(
    Kernel(
        name=name,
        reference=f"npae.kernels.dense.reference:{name}",
        implementations={form: f"npae.kernels.dense.{form}:{name}" for form in ("cpu", "gpu")},
        examples=examples,
        outputs=outputs,
        sizes=_SIZES,
        tolerances=_TOLERANCES,
    )
    for name, examples, outputs in (
        ("matmul", _matmul_examples, (2,)),
        ("affine", _affine_examples, (5,)),
        ("heads", _heads_examples, (3, 6)),
        ("affine_data_gradient", _data_gradient_examples, (5,)),
        ("heads_data_gradient", _heads_gradient_examples, (7,)),
        ("activation_gradient", _activation_gradient_examples, (4,)),
        ("affine_weight_gradient", _weight_gradient_examples, (2, 3)),
    )
)
