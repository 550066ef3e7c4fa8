"""Every registered kernel, in every form, against its reference; a kernel added to the registry is tested here without new code."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError
from npae.kernels.kernel import EXACT, Kernel
from npae.kernels.registry import KERNELS, resolve

FORMS = [(name, form) for name, kernel in KERNELS.items() for form in kernel.implementations if form != "gpu"]  # tests/cuda: those
CASES = [(name, form, dtype, size) for name, form in FORMS for dtype in ("float32", "float64") for size in KERNELS[name].sizes]


def copies(arguments: tuple[Any, ...], in_float64: bool = False) -> list[Any]:
    def copy(argument: Any) -> Any:
        if not isinstance(argument, np.ndarray):
            return argument
        return argument.astype(np.float64) if in_float64 and argument.dtype == np.float32 else argument.copy()

    return [copy(argument) for argument in arguments]


def results(kernel: Kernel, arguments: list[Any], returned: Any) -> list[np.ndarray[Any, Any]]:
    """The arrays that the call wrote, and the number or numbers that it returned."""
    numbers: Any = [] if returned is None else np.atleast_1d(np.asarray(returned))
    return [arguments[i] for i in kernel.outputs] + [np.asarray(number) for number in numbers]


@pytest.mark.parametrize(("name", "form", "dtype", "size"), CASES)
def test_a_form_agrees_with_the_reference(name: str, form: str, dtype: str, size: int) -> None:
    kernel = KERNELS[name]
    arguments = kernel.examples(np.random.default_rng(size), size, dtype)
    exact = kernel.tolerances[dtype] == EXACT
    ours, theirs = copies(arguments), copies(arguments, in_float64=not exact)
    got = results(kernel, ours, resolve(name, form)(*ours))
    want = results(kernel, theirs, resolve(name, "reference")(*theirs))
    assert len(got) == len(want) > 0
    rtol, atol = kernel.tolerances[dtype]
    for x, expected in zip(got, want, strict=True):
        assert np.isfinite(expected).all()
        if exact:
            assert np.array_equal(x, expected)
        else:
            scale = np.abs(expected).max()
            assert np.abs(x - expected).max() <= rtol * scale + atol


@pytest.mark.parametrize(("name", "form"), [(name, form) for name, kernel in KERNELS.items() for form in kernel.forms if form != "gpu"])
def test_only_the_outputs_are_written(name: str, form: str) -> None:
    kernel = KERNELS[name]
    arguments = kernel.examples(np.random.default_rng(0), 33, "float32")
    used = copies(arguments)
    resolve(name, form)(*used)
    for i, (before, after) in enumerate(zip(arguments, used, strict=True)):
        if isinstance(before, np.ndarray):
            unchanged = np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
            assert unchanged == (i not in kernel.outputs), f"argument {i}"


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_a_form_has_the_parameters_of_the_reference(name: str, form: str) -> None:
    def parameters(of: str) -> list[str]:
        return list(inspect.signature(resolve(name, of)).parameters)

    assert parameters(form) == parameters("reference")


def test_an_unknown_kernel_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"^kernel 'mmd_rbv' does not exist; did you mean 'mmd_rbf'\?$"):
        resolve("mmd_rbv", "cpu")


def test_an_unknown_form_is_refused_with_the_forms_that_exist() -> None:
    with pytest.raises(InputError, match=r"^kernel 'adam' has no form 'quantum'; it has: reference, cpu, gpu$"):
        resolve("adam", "quantum")


def test_the_registry_and_the_references_load_no_compiler() -> None:
    program = (
        "import sys, npae.kernels\n"
        "from npae.kernels.registry import KERNELS, resolve\n"
        "for name in KERNELS: resolve(name, 'reference')\n"
        "print('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
