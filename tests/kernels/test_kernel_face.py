"""The public functions of npae.kernels: what they accept, what they refuse and with which words, and that their forms agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError, NonFiniteError
from npae.kernels import distance_order_statistic, mmd_imq, mmd_rbf, pairwise_squared

Array = np.ndarray[Any, Any]

CALLS: dict[str, Callable[..., Any]] = {
    "pairwise_squared": pairwise_squared,
    "mmd_rbf": lambda z, w, **form: mmd_rbf(z, w, 3.0, **form),
    "mmd_imq": mmd_imq,
    "distance_order_statistic": lambda z, w, **form: distance_order_statistic(z, w, 5, **form),
}


def flat(result: Any) -> Array:
    return np.concatenate([np.ravel(part) for part in (result if isinstance(result, tuple) else (result,))])


def sample(seed: int, n: int, dtype: str = "float64") -> Array:
    return np.random.default_rng(seed).standard_normal((n, 3)).astype(dtype)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_forms_give_one_answer(name: str, dtype: str) -> None:
    z, w = sample(0, 20, dtype), sample(1, 25, dtype)
    ours, theirs = (flat(CALLS[name](z, w, form=form)) for form in ("cpu", "reference"))
    assert np.abs(ours - theirs).max() <= (1e-5 if dtype == "float32" else 1e-13) * np.abs(theirs).max()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("form", ["cpu", "reference"])
def test_any_memory_layout_gives_the_answer_of_a_contiguous_copy(name: str, form: str) -> None:
    z, w = sample(2, 40), sample(3, 30)
    want = flat(CALLS[name](z[::2].copy(), w[:, ::-1].copy(), form=form))
    frozen = w[:, ::-1].copy()
    frozen.setflags(write=False)
    assert np.array_equal(flat(CALLS[name](z[::2], w[:, ::-1], form=form)), want)
    assert np.array_equal(flat(CALLS[name](np.asfortranarray(z[::2]), frozen, form=form)), want)


@pytest.mark.parametrize("name", CALLS)
def test_whole_numbers_are_taken_as_float64(name: str) -> None:
    z, w = np.arange(12).reshape(4, 3), np.arange(9).reshape(3, 3) + 1
    assert np.array_equal(flat(CALLS[name](z, w)), flat(CALLS[name](z.astype(float), w.astype(float))))
    assert np.array_equal(flat(CALLS[name](z.tolist(), w.tolist())), flat(CALLS[name](z, w)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_come_back_in_the_dtype_of_the_points(dtype: str) -> None:
    z, w = sample(4, 5, dtype), sample(5, 6, dtype)
    assert pairwise_squared(z, w).dtype == mmd_rbf(z, w, 1.0)[1].dtype == mmd_imq(z, w)[1].dtype == np.dtype(dtype)


Z = np.zeros((4, 3))
HOLE = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, np.nan]])
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: pairwise_squared(Z[0], Z), "x has shape (3,); expected (points, features) with at least one of each: use x.reshape(n, d)"),
    (lambda: pairwise_squared(Z, Z[:0]), "y has shape (0, 3); expected (points, features) with at least one of each: use y.reshape(n, d)"),
    (lambda: pairwise_squared(Z, Z[:, :2]), "x has 3 features and y has 2; expected the same number in both"),
    (lambda: pairwise_squared(Z, Z.astype("float32")), "x is float64 and y is float32; expected one dtype: use y.astype('float64')"),
    (
        lambda: pairwise_squared(Z.astype("float16"), Z),
        "x has dtype float16; expected float32, float64 or whole numbers: use x.astype('float32')",
    ),
    (lambda: mmd_rbf(Z[:1], Z, 1.0), "z has 1 point; expected at least 2: the unbiased estimate is a mean over pairs"),
    (lambda: mmd_imq(Z, Z[:1]), "w has 1 point; expected at least 2: the unbiased estimate is a mean over pairs"),
    (lambda: mmd_rbf(Z, Z, 0.0), "sigma2 is 0.0; expected a finite number above 0"),
    (lambda: mmd_rbf(Z, Z, float("nan")), "sigma2 is nan; expected a finite number above 0"),
    (lambda: mmd_rbf(Z, Z, "median"), "sigma2 is 'median'; expected a finite number above 0"),  # type: ignore[arg-type]
    (lambda: mmd_imq(Z, Z, scales=(1.0, -1.0)), "scale is -1.0; expected a finite number above 0"),
    (lambda: mmd_imq(Z, Z, scales=()), "scales is empty; expected at least one finite number above 0"),
    (lambda: mmd_imq(Z, Z, prior_variance=float("inf")), "prior_variance is inf; expected a finite number above 0"),
    (
        lambda: distance_order_statistic(Z, Z, 16),
        "rank is 16; expected a whole number from 0 (smallest) to 15 (largest of 16 distances)",
    ),
    (lambda: pairwise_squared(Z, Z, form="tpu"), "kernel 'pairwise_squared' has no form 'tpu'; it has: reference, cpu, gpu"),
]


@pytest.mark.parametrize(("call", "line"), REFUSED, ids=[line[:40] for _, line in REFUSED])
def test_bad_input_is_refused_in_one_line(call: Callable[[], Any], line: str) -> None:
    with pytest.raises(InputError) as refusal:
        call()
    assert str(refusal.value) == line


@pytest.mark.parametrize("name", CALLS)
def test_a_point_that_is_not_finite_is_named_by_row_and_column(name: str) -> None:
    with pytest.raises(NonFiniteError, match=r"^\w: row 1 holds nan in column 2; expected finite numbers: drop that row$"):
        CALLS[name](Z, HOLE)
