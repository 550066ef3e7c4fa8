"""Dense products on the device beyond the registry's sizes: tiles and their edges, splits of K, activations, NaN, unaligned memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from device_arrays import host
from shim import OnCpu

from npae.kernels.cuda.device import Device, using
from npae.kernels.dense import gpu
from npae.kernels.registry import KERNELS, resolve
from npae.kernels.step.codes import ACTIVATIONS

NAMES = ["matmul", "affine", "heads", "affine_data_gradient", "heads_data_gradient", "affine_weight_gradient"]
WITH_ACTIVATION = ["affine", "affine_data_gradient", "heads_data_gradient", "activation_gradient"]
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}
PARAMETER = 0.25


def example(name: str, batch: int, n_in: int, n_out: int, dtype: str, activation: str = "tanh", shift: float = 0.0) -> tuple[Any, ...]:
    """Arguments of that kernel; in matmul's names M, K, N."""
    rng = np.random.default_rng(batch + n_in + n_out)
    x, W, b, dy = ((shift + rng.standard_normal(shape)).astype(dtype) for shape in ((batch, n_in), (n_in, n_out), n_out, (batch, n_out)))
    dW, db, dx, y = np.ones_like(W), np.ones_like(b), np.full_like(x, np.nan), np.full_like(dy, np.nan)
    below = abs(x) + PARAMETER if activation == "softplus" else x
    half = 1 + n_out // 2  # outputs of a second head
    return {
        "matmul": (x, W, y, False),
        "affine": (x, (W / n_in).astype(dtype), b, activation, PARAMETER, y),
        "heads": (x, (W / n_in).astype(dtype), b, y, (W[:, -half:] / n_in).astype(dtype), b[:half].copy(), y[:, :half].copy()),
        "affine_data_gradient": (dy, W, activation, PARAMETER, below, dx, False),
        "heads_data_gradient": (dy, W, dy[:, :half].copy(), W[:, -half:].copy(), activation, PARAMETER, below, dx),
        "activation_gradient": (x[::-1].copy(), activation, PARAMETER, below, dx),
        "affine_weight_gradient": (x, dy, dW, db),
    }[name]


def on(xp: Any, arguments: tuple[Any, ...]) -> list[Any]:
    return [xp.array(a) if isinstance(a, np.ndarray) else a for a in arguments]


def errors(device: Device, name: str, arguments: tuple[Any, ...]) -> Iterator[float]:
    """Of each output the largest error, over its largest element."""
    ours, theirs = on(device.xp, arguments), [a.astype(np.float64) if isinstance(a, np.ndarray) else a for a in arguments]
    resolve(name, "gpu")(*ours)
    resolve(name, "reference")(*theirs)
    for i in KERNELS[name].outputs:
        yield float(abs(host(ours[i]) - theirs[i]).max() / abs(theirs[i]).max())


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(127, 63, 65), (129, 65, 63), (65, 129, 128), (130, 33, 193)])
def test_large_tiles_are_right_to_their_edges(
    device: Device, monkeypatch: pytest.MonkeyPatch, name: str, dtype: str, shape: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(gpu, "ENOUGH", 1)
    assert max(errors(device, name, example(name, *shape, dtype))) < TOLERANCE[dtype]


@pytest.mark.parametrize("turned", [(True, False), (False, True), (True, True)])
def test_large_tiles_take_operands_by_columns(device: Device, monkeypatch: pytest.MonkeyPatch, turned: tuple[bool, bool]) -> None:
    monkeypatch.setattr(gpu, "ENOUGH", 1)
    a, b, out, _ = example("matmul", 129, 70, 65, "float64")
    operands = (np.asfortranarray(matrix) if by_columns else matrix for matrix, by_columns in zip((a, b), turned, strict=True))
    assert max(errors(device, "matmul", (*operands, out, False))) < 1e-13


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(15, 16, 17), (17, 288, 16), (20, 289, 8), (300, 15, 3), (2, 784, 2)])
def test_small_tiles_are_right_however_the_warps_share_the_sum(device: Device, name: str, dtype: str, shape: tuple[int, int, int]) -> None:
    assert max(errors(device, name, example(name, *shape, dtype))) < TOLERANCE[dtype]


@pytest.mark.parametrize("name", WITH_ACTIVATION)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_the_reference_s(device: Device, name: str, activation: str) -> None:
    assert max(errors(device, name, example(name, 18, 40, 33, "float64", activation))) < 1e-14
    assert max(errors(device, name, example(name, 18, 40, 33, "float32", activation))) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_data_far_from_zero_loses_no_more_than_its_size_says(device: Device, name: str) -> None:
    assert max(errors(device, name, example(name, 33, 100, 17, "float32", "relu", shift=100.0))) < 1e-5


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_nan_stays_a_nan_in_its_row_and_reaches_no_other(device: Device, activation: str) -> None:
    for name, output in (("affine", 5), ("affine_data_gradient", 5), ("heads_data_gradient", 7)):
        arguments = example(name, 20, 37, 18, "float32", activation)
        arguments[0][3, 5] = np.nan
        ours = on(device.xp, arguments)
        resolve(name, "gpu")(*ours)
        assert np.isnan(host(ours[output])).all(1).tolist() == [row == 3 for row in range(20)]
        assert np.isnan(host(ours[output])).any(1).tolist() == [row == 3 for row in range(20)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_through_an_activation_a_nan_stays_where_it_is(device: Device, activation: str) -> None:
    arguments = example("activation_gradient", 20, 37, 1, "float32", activation)
    arguments[0][3, 5] = np.nan
    ours = on(device.xp, arguments)
    gpu.activation_gradient(*ours)
    assert np.argwhere(np.isnan(host(ours[-1]))).tolist() == [[3, 5]]


def test_an_infinite_input_makes_its_weights_gradients_infinite_or_nan_and_leaves_the_biases_alone(device: Device) -> None:
    x, dy, dW, db = on(device.xp, example("affine_weight_gradient", 20, 17, 5, "float32"))
    x[3, 16] = np.inf
    gpu.affine_weight_gradient(x, dy, dW, db)
    assert np.isfinite(host(dW)).all(1).tolist() == [row != 16 for row in range(17)]
    assert np.isfinite(host(db)).all()


def test_a_linear_layer_below_is_not_read(device: Device) -> None:
    dy, W, *_, dx, _ = on(device.xp, example("affine_data_gradient", 20, 37, 18, "float64"))
    gpu.affine_data_gradient(dy, W, "linear", 0.0, dx, dx, False)
    np.testing.assert_allclose(host(dx), host(dy) @ host(W).T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_arrays_may_begin_anywhere_in_a_flat_vector(device: Device, dtype: str) -> None:
    x, dy, dW, db = example("affine_weight_gradient", 19, 17, 5, dtype)
    x_there, dy_there = on(device.xp, (x, dy))
    flat = device.xp.ones(dW.size + db.size + 3, dtype)
    into_W, into_b = flat[1 : 1 + dW.size].reshape(dW.shape), flat[2 + dW.size : -1]
    gpu.affine_weight_gradient(x_there, dy_there, into_W, into_b)
    np.testing.assert_allclose(host(into_W), 1 + x.T @ dy, rtol=0, atol=1e-4)
    np.testing.assert_allclose(host(into_b), 1 + dy.sum(0), rtol=0, atol=1e-4)
    assert host(flat)[[0, 1 + dW.size, -1]].tolist() == [1, 1, 1]


class Asked(Device):
    """Notes what is launched, and runs nothing."""

    def __init__(self) -> None:
        self.xp = np
        self.launches: list[tuple[str, int, int, int]] = []

    def launch(self, name: str, kernel: str, real: Any, grid: Any, block: Any, arguments: Any, shared: int = 0) -> None:
        self.launches.append((kernel, grid, block, shared))


def launched(name: str, batch: int, n_in: int, n_out: int, dtype: str = "float32") -> tuple[str, int, int, int]:
    asked = Asked()
    with using(asked):
        resolve(name, "gpu")(*example(name, batch, n_in, n_out, dtype))
    (launch,) = asked.launches
    return launch


def test_a_small_layer_is_made_of_many_small_tiles_and_a_large_one_of_large_tiles() -> None:
    assert launched("affine", 100, 784, 128)[:3] == ("affine", 7 * 8, 9 * 32)
    assert launched("heads", 100, 128, 24)[:3] == ("heads", 7 * 2 + 7 * 1, 4 * 32)
    assert launched("heads_data_gradient", 100, 128, 8)[:3] == ("heads_data_gradient", 7 * 8, 2 * 32)
    assert launched("heads_data_gradient", 100, 128, 200)[:3] == ("heads_data_gradient", 7 * 8, 2 * 4 * 32)
    assert launched("affine_weight_gradient", 100, 784, 128)[:3] == ("affine_weight_gradient", 50 * 8, 4 * 32)
    assert launched("affine", 100, 128, 8)[:3] == ("affine", 7, 4 * 32)
    assert launched("affine", 20_000, 4, 8)[0] == "affine"  # not 64 columns of which 8 are used
    assert launched("matmul", 2048, 4, 2048)[:3] == ("matmul_large", 16 * 32, 256)
    assert launched("matmul", 2048, 4, 2048, "float64")[:3] == ("matmul_large", 32 * 32, 256)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_no_launch_asks_for_more_shared_memory_than_every_gpu_gives(dtype: str) -> None:
    assert max(launched("affine", 16, n_in, 16, dtype)[3] for n_in in range(1, 700)) <= 48 * 1024
    assert max(launched("heads_data_gradient", 16, 16, n_out, dtype)[3] for n_out in range(1, 700)) <= 48 * 1024
    assert launched("affine", 2000, 8, 1000, dtype)[3] <= 48 * 1024


@pytest.mark.parametrize("enough", [1, gpu.ENOUGH])
def test_without_its_barriers_a_product_is_wrong_in_some_order_of_threads(monkeypatch: pytest.MonkeyPatch, enough: int) -> None:
    monkeypatch.setattr(gpu, "ENOUGH", enough)
    worst: list[float] = []
    for order in (0, 1, 2):
        with (
            using(OnCpu(order, 3, lambda name, text: text.replace("wait_for_group<Tile>();", ""))) as broken,
            np.errstate(invalid="ignore"),
        ):
            worst += errors(broken, "matmul", example("matmul", 70, 40, 70, "float64"))
    assert not max(worst) < 1e-3
