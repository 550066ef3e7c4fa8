"""What the forms of dense products check, and what they call things.

layouts(a, b, out) -> (a by columns, b by columns)      TypeError unless matmul can read and write these arrays
by_address(out, *others)                                TypeError unless all are C-contiguous and of out's dtype
code(activation) -> its place in ACTIVATIONS            InputError for an unknown name
derivative(activation, parameter) -> the same           InputError too where the output does not tell the derivative
"""

from __future__ import annotations

from npae.errors import InputError, nearest
from npae.kernels.kernel import Array
from npae.kernels.step.codes import ACTIVATIONS


def layouts(a: Array, b: Array, out: Array) -> tuple[bool, bool]:
    """Whether a and b are the transposed views of C-contiguous arrays."""
    if not (out.flags.c_contiguous and a.dtype == b.dtype == out.dtype):
        wanted = "one dtype is needed, and a C-contiguous out (gemm would fill a copy)"
        raise TypeError(f"matmul {a.dtype} x {b.dtype} -> {out.dtype}: {wanted}")
    for name, array in (("a", a), ("b", b)):
        if not (array.flags.c_contiguous or array.flags.f_contiguous):
            raise TypeError(f"matmul: {name} of shape {array.shape} is neither C-contiguous nor the transposed view of such an array")
    return not a.flags.c_contiguous, not b.flags.c_contiguous


def by_address(out: Array, *others: Array) -> None:
    """What is read and written by address alone must lie there as the kernel takes it."""
    for array in (out, *others):
        if array.dtype != out.dtype or not array.flags.c_contiguous:
            raise TypeError(f"a dense layer's array of shape {array.shape}, {array.dtype}: a C-contiguous one of {out.dtype} is needed")


def code(activation: str) -> int:
    """The activation as compiled code knows it."""
    if activation not in ACTIVATIONS:
        raise InputError(f"activation '{activation}' is not known{nearest(activation, ACTIVATIONS)}")
    return ACTIVATIONS.index(activation)


def derivative(activation: str, parameter: float) -> int:
    """The activation whose derivative is computed from its output."""
    if activation == "leaky_relu" and parameter == 0:
        raise InputError("leaky_relu with slope 0: its output does not tell its derivative; expected a slope above 0, or use relu")
    return code(activation)
