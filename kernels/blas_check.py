"""Numba without SciPy's linear algebra, until somebody's compiled code multiplies matrices.

Before the first function is compiled, or loaded, Numba imports scipy.linalg to learn whether there is a BLAS: 0.15 s of every start, and no
kernel here calls it. SciPy is always there (scikit-learn needs it), so the answer is known. Numba looks again, and then loads it, when
`np.dot` and its like are compiled.
"""

from __future__ import annotations

from typing import Any


def answer_it() -> None:
    """Import the module that asks, with the answer at hand; where it has asked already, or does not ask, nothing happens."""
    import numba.np.linalg as asked

    module: Any = asked
    look = getattr(module, "ensure_blas", None)  # no public name: another release of Numba may do without
    if look is None:
        return
    module.ensure_blas = lambda: None
    try:
        import numba.np.arraymath  # noqa: F401  (asks while it is imported)
    finally:
        module.ensure_blas = look
