"""Backends: which one is chosen, which kernels it runs, and that both GEMMs are matrix products in every layout they are called with."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys

import numpy as np
import pytest

from npae.backend import Array, CupyBackend, backend, check_dtype, chosen_name
from npae.errors import InputError
from npae.kernels.registry import KERNELS

CPU = ("numpy", "numba")


def _by_loops(a: Array, b: Array) -> Array:
    """sum_k a_ik b_kj, one number at a time, in float64."""
    out = np.zeros((a.shape[0], b.shape[1]))
    for i, j, k in itertools.product(range(a.shape[0]), range(b.shape[1]), range(a.shape[1])):
        out[i, j] += float(a[i, k]) * float(b[k, j])
    return out


def _laid_out(rng: np.random.Generator, rows: int, columns: int, dtype: str, transposed: bool) -> Array:
    """A matrix as a node holds it: C-contiguous, or the transpose of one that is."""
    if transposed:
        return rng.standard_normal((columns, rows)).astype(dtype).T
    return rng.standard_normal((rows, columns)).astype(dtype)


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CPU)
def test_matmul_is_the_matrix_product_for_every_layout_and_shape(name: str, dtype: str, accumulate: bool) -> None:
    rng = np.random.default_rng(0)
    for shape in [(1, 1, 1), (1, 5, 1), (5, 1, 3), (1, 4, 6), (6, 4, 1), (3, 4, 5), (4, 4, 4)]:
        m, k, n = shape
        for transpose_a, transpose_b in itertools.product((False, True), repeat=2):
            a, b = _laid_out(rng, m, k, dtype, transpose_a), _laid_out(rng, k, n, dtype, transpose_b)
            before = rng.standard_normal((m, n)).astype(dtype)
            out = before.copy()
            returned = backend(name).matmul(a, b, out=out, accumulate=accumulate)
            assert returned is out
            expected = _by_loops(a, b) + (before if accumulate else 0)
            np.testing.assert_allclose(
                out, expected, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13, err_msg=f"{shape} {transpose_a} {transpose_b}"
            )


@pytest.mark.parametrize("name", CPU)
def test_matmul_overwrites_what_the_output_held_before(name: str) -> None:
    out = np.full((2, 2), np.nan)
    backend(name).matmul(np.eye(2), np.eye(2), out=out)
    np.testing.assert_array_equal(out, np.eye(2))


@pytest.mark.parametrize("name", CPU)
def test_matmul_writes_into_a_view_of_the_flat_vector_and_nowhere_else(name: str) -> None:
    flat = np.full(10, 7.0)
    backend(name).matmul(np.ones((2, 3)), np.ones((3, 3)), out=flat[2:8].reshape(2, 3))
    np.testing.assert_array_equal(flat, [7, 7, 3, 3, 3, 3, 3, 3, 7, 7])


def test_the_name_given_wins_over_the_environment_which_wins_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NPAE_BACKEND", raising=False)
    assert chosen_name() == ("numba", "default")
    monkeypatch.setenv("NPAE_BACKEND", "numpy")
    assert chosen_name() == ("numpy", "NPAE_BACKEND")
    assert backend().name == "numpy"
    assert chosen_name("numba") == ("numba", "argument")
    monkeypatch.setenv("NPAE_BACKEND", "")
    assert chosen_name() == ("numba", "default")


def test_an_unknown_backend_is_refused_with_its_origin_and_the_list_of_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"^backend 'numbas' \(argument\) is not one of numpy, numba, cupy; did you mean 'numba'\?$"):
        backend("numbas")
    monkeypatch.setenv("NPAE_BACKEND", "torch")
    with pytest.raises(InputError, match=r"^backend 'torch' \(NPAE_BACKEND\) is not one of numpy, numba, cupy"):
        backend()


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed here")
def test_cupy_where_it_is_not_installed_says_how_to_get_it() -> None:
    with pytest.raises(InputError, match=r"backend 'cupy': CuPy is not installed; pip install -e '\.\[gpu\]', or use --backend numba"):
        backend("cupy")


def test_cupy_without_a_gpu_is_refused_and_nothing_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cuda:
        @staticmethod
        def is_available() -> bool:
            return False

    class Cupy:
        cuda = Cuda

    monkeypatch.setitem(sys.modules, "cupy", Cupy)
    with pytest.raises(InputError, match="CuPy is installed but finds no CUDA GPU or driver; check nvidia-smi"):
        CupyBackend()


def test_the_numpy_backend_runs_every_reference_and_the_numba_backend_every_compiled_form() -> None:
    for name, kernel in KERNELS.items():
        for chosen, form in (("numpy", "reference"), ("numba", "cpu")):
            module, function = kernel.forms[form].split(":")
            assert backend(chosen).kernel(name) is getattr(importlib.import_module(module), function), name


def test_an_unknown_kernel_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="kernel 'mmd_rfb' does not exist; did you mean 'mmd_rbf'"):
        backend("numpy").kernel("mmd_rfb")


def test_asking_twice_for_a_backend_gives_the_same_one() -> None:
    assert backend("numba") is backend("numba")


@pytest.mark.parametrize("name", CPU)
def test_on_a_cpu_host_and_backend_share_the_array(name: str) -> None:
    array = np.arange(3.0)
    assert backend(name).to_host(array) is array
    assert backend(name).from_host(array) is array


@pytest.mark.parametrize("dtype", ["float16", "int32", "float", "f4"])
def test_a_dtype_other_than_float32_and_float64_is_refused(dtype: str) -> None:
    with pytest.raises(InputError, match=f"^dtype '{dtype}' is not one of float32, float64$"):
        check_dtype(dtype)


def test_training_on_the_numpy_backend_loads_neither_numba_nor_matplotlib() -> None:
    program = (
        "import sys, numpy as np; from npae.models import VAE; m = VAE(4, (3,), 2, backend='numpy');"
        "m.loss_and_grad(np.ones((2, 4)), noise=m.draw(0, 0, 2)); print(*{'numba', 'matplotlib', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
