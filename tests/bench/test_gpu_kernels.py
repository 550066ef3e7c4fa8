"""`python -m bench kernels --device cuda` on a stand-in: parity first, rotated copies, floors, crossovers, and what is asked of an H100."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_gpu import ABOUT, FakeGpu

from bench.__main__ import main
from bench.devices import devices_of
from bench.errors import Disagreement
from bench.gpu import device, kernels, results
from bench.gpu.device import driver_version
from bench.gpu.kernel_work import ARITHMETIC, work
from bench.gpu.kernels import check, copies_of, crossover, timed
from bench.gpu.rates import floor_seconds
from bench.gpu.table import crossover_lines
from bench.gpu.targets import FIGURES, Asked, asked
from npae.errors import InputError
from npae.kernels.cuda.device import current
from npae.kernels.registry import KERNELS, resolve

QUICK = ["--rounds", "2", "--seconds", "0.0001", "--patience", "0"]


@pytest.mark.parametrize("command", ["step", "epoch", "kernels", "scale"])
@pytest.mark.parametrize("devices", ["cuda", "cpu,cuda"])
def test_without_a_gpu_one_line_says_what_is_missing(
    command: str, devices: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_gpu() -> None:
        raise InputError("backend 'cupy': CuPy is not installed; pip install -e '.[gpu]', or use --backend numba")

    monkeypatch.setattr(device, "Gpu", no_gpu)
    device.the_gpu.cache_clear()
    assert main([command, "--device", devices]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "bench: error: backend 'cupy': CuPy is not installed; pip install -e '.[gpu]', or use --backend numba"


@pytest.mark.parametrize(("text", "message"), [("gpu", "--device 'gpu' is not known"), ("none", "--device none: nothing to measure on")])
def test_a_device_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        devices_of(text)


def test_kernels_are_measured_kept_and_drawn(
    gpu: FakeGpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(kernels, "FIRST", 3)
    monkeypatch.setattr(kernels, "MOST_BYTES", 300)
    monkeypatch.setattr(kernels, "LARGE", {"adam": (40,)})
    assert main(["kernels", "--device", "cuda", "--kernels", "adam,squared_error", *QUICK]) == 0
    shown = capsys.readouterr().out
    assert "gpu       NVIDIA H100 80GB HBM3, sm 9.0, 132 multiprocessors" in shown
    assert "driver 550.54.15 (CUDA 12.4)" in shown
    assert "in no other number here" in shown
    assert "adam over 1e8 parameters, of the copy bandwidth" in shown
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "kernels-nvidia-h100-80gb-hbm3-registered.png",
        "kernels-nvidia-h100-80gb-hbm3.json",
    ]
    content = json.loads((tmp_path / "results" / "kernels-nvidia-h100-80gb-hbm3.json").read_text())
    found = content["on_gpu"]
    assert [(row["kernel"], row["size"]) for row in found["rows"]] == [
        ("adam", 3),
        ("adam", 12),
        ("adam", 48),
        ("squared_error", 3),
        ("squared_error", 12),
    ]
    assert found["machine"]["gpu"] == ABOUT
    for row in found["rows"]:
        assert all(len(row[form]["rounds"]) == 2 for form in ("graph", "launched", "cpu"))
        assert row["floor_microseconds"] > 0
        assert (
            row["rotated_bytes"] == pytest.approx(2 * FakeGpu.cache, abs=row["bytes"])
            or row["rotated_bytes"] == kernels.COPIES * row["bytes"]
        )
    assert {figure["verdict"] for figure in content["asked"]} == {"not measured"}


@pytest.mark.parametrize("kernel", ["squared_error", "philox_bits", "distance_order_statistic"])
def test_a_gpu_form_that_differs_is_refused_before_it_is_timed(gpu: FakeGpu, kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = KERNELS[kernel]
    arguments = chosen.examples(np.random.default_rng(0), 32, "float32")
    assert check(chosen, 32, arguments) <= 2 * chosen.tolerances["float32"][0]

    def off(name: str, form: str) -> Callable[..., Any]:
        def wrong(*given: Any) -> Any:
            returned = resolve(name, form)(*given)
            if form == "gpu" and chosen.outputs:
                out = given[chosen.outputs[0]].view(np.ndarray).reshape(-1)
                out[3] += out.dtype.type(max(1, abs(out[3]) // 100))
            return returned * 1.001 if form == "gpu" and not chosen.outputs else returned

        return wrong

    monkeypatch.setattr(kernels, "resolve", off)
    with pytest.raises(Disagreement, match=f"{kernel} at size 32: gpu differs from cpu by"):
        check(chosen, 32, arguments)


def test_a_kernel_that_is_refused_leaves_the_others_measured_and_ends_with_status_1(
    gpu: FakeGpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(kernel: Any, size: int, arguments: Any) -> float:
        if kernel.name == "adam":
            raise Disagreement("adam at size 3: gpu differs from cpu by 1")
        return 0.0

    monkeypatch.setattr(kernels, "check", refuses)
    monkeypatch.setattr(kernels, "FIRST", 3)
    monkeypatch.setattr(kernels, "MOST_BYTES", 1)
    result = tmp_path / "r.json"
    words = ["--kernels", "adam,squared_error", "--json", str(result), "--plot", str(tmp_path / "r.svg")]
    assert main(["kernels", "--device", "cuda", *words, *QUICK]) == 1
    out, err = capsys.readouterr()
    assert "not timed: adam at size 3: gpu differs from cpu by 1" in out
    assert err.endswith("bench: adam at size 3: gpu differs from cpu by 1\n")
    found = json.loads(result.read_text())["on_gpu"]
    assert [row["kernel"] for row in found["rows"]] == ["squared_error"]


def test_copies_fill_the_cache_twice_and_a_large_array_has_one(gpu: FakeGpu) -> None:
    small, large = np.zeros(100, np.float32), np.zeros(4000, np.float32)
    assert len(copies_of((small, 1.0), gpu)) == 20
    assert len(copies_of((large,), gpu)) == 1
    (a, _), (b, _), *_ = copies_of((small, 1.0), gpu)
    assert not np.shares_memory(a.view(np.ndarray), b.view(np.ndarray))
    assert len(copies_of((np.zeros(1, np.float32),), gpu)) == kernels.COPIES


def test_a_measurement_makes_whole_rounds_of_the_copies_and_counts_their_calls(gpu: FakeGpu) -> None:
    made: list[int] = []
    gpu.clock = iter([10.0, 12.5]).__next__
    sample = timed(gpu, current().lane(), lambda: made.append(1), each=4)(10)
    assert (sample.done, sample.seconds, len(made)) == (12, 2.5, 3)


def rows_with(*ratios: tuple[int, float]) -> list[dict[str, Any]]:
    return [{"size": size, "graph_over_cpu": {"median": ratio}} for size, ratio in ratios]


def test_the_crossover_lies_where_the_ratio_is_one_on_logarithms() -> None:
    assert crossover(rows_with((100, 4.0), (400, 2.0), (1600, 0.5)), "graph") == pytest.approx(800)
    assert crossover(rows_with((100, 0.9), (400, 0.5)), "graph") == 0
    assert crossover(rows_with((100, 0.5), (400, 1.5)), "graph") is None
    assert crossover(rows_with((100, 0.5), (400, 2.0), (1600, 0.5)), "graph") == pytest.approx(800)
    (line,) = crossover_lines({"adam": {"graph": 0.0, "launched": None}})
    assert line.endswith("faster than one core at every size measured in a graph, at no size measured launched by itself")


RATES = {"copy_bytes": 2e12, "gemm_flops": 5e13, "exponentials": 1e12, "graph_launch": 1e-6}


def test_a_floor_is_traffic_or_arithmetic_or_one_launch() -> None:
    assert floor_seconds({"copy_bytes": 2e10, "gemm_flops": 5e9, "exponentials": 1e9}, RATES) == pytest.approx(1e-2)
    assert floor_seconds({"copy_bytes": 1.0, "gemm_flops": 5e11, "exponentials": 1e10}, RATES) == pytest.approx(2e-2)
    assert floor_seconds({"copy_bytes": 100.0}, RATES) == 1e-6


def test_the_work_of_a_call_is_counted_from_its_arguments() -> None:
    assert set(ARITHMETIC) <= set(KERNELS)
    z, w, dz = np.zeros((40, 8), np.float32), np.zeros((30, 8), np.float32), np.full((40, 8), np.nan, np.float32)
    done = work(KERNELS["mmd_rbf"], (z, w, 1.0, dz))
    pairs = 40 * 30 + (40 * 40 + 30 * 30) / 2
    assert done == {"copy_bytes": z.nbytes + w.nbytes + dz.nbytes, "gemm_flops": 16 * (pairs + 1600 + 1200), "exponentials": pairs}
    adam = KERNELS["adam"].examples(np.random.default_rng(0), 1000, "float32")
    assert work(KERNELS["adam"], adam) == {"copy_bytes": 28_000.0, "gemm_flops": 0.0, "exponentials": 0.0}
    a, b, out = np.zeros((3, 5), np.float32), np.zeros((5, 7), np.float32), np.zeros((3, 7), np.float32)
    assert work(KERNELS["matmul"], (a, b, out, False))["gemm_flops"] == 2 * 3 * 5 * 7
    b2, bias, bias2, out2 = np.zeros((5, 2), np.float32), np.zeros(7, np.float32), np.zeros(2, np.float32), np.zeros((3, 2), np.float32)
    assert work(KERNELS["heads"], (a, b, bias, out, b2, bias2, out2))["gemm_flops"] == 2 * 3 * 5 * (7 + 2)
    assert work(KERNELS["heads_data_gradient"], (out, b, out2, b2, "tanh", 0.0, a, a))["gemm_flops"] == 2 * 3 * 5 * (7 + 2)


@pytest.mark.parametrize(
    ("limit", "at_least", "measured", "verdict"),
    [
        (20, False, 19.0, "met"),
        (20, False, 21.0, "missed"),
        (3, True, 3.0, "met"),
        (3, True, 2.9, "missed"),
        (3, True, None, "not measured"),
    ],
)
def test_a_figure_is_met_missed_or_not_measured(limit: float, at_least: bool, measured: float | None, verdict: str) -> None:
    assert Asked("a step", limit, "us", at_least, measured).verdict == verdict


def test_the_figures_are_read_out_of_the_results() -> None:
    def figures(command: str, result: dict[str, Any]) -> dict[str, float | None]:
        return {one.what: one.measured for one in asked(command, result)}

    row = {"model": "flux-ae", "name": "captured", "milliseconds": {"median": 0.018}}
    about = {"batch": 100, "verdict_cuda": {"ratio": {"median": 0.25}}}
    found = figures("step", {"rows": [row], "models": {"flux-ae": about}})
    assert found["flux-ae, a step, batch 100"] == pytest.approx(18)
    assert found["flux-ae, as fast as the best of PyTorch and JAX"] == pytest.approx(4)
    assert found["flux-vae, a step, batch 100"] is None
    assert figures("step", {"rows": [row], "models": {"flux-ae": about | {"batch": 20}}})["flux-ae, a step, batch 100"] is None
    epochs = [{"preset": "flux-ae", "name": "npae-cuda", "epoch_seconds": {"median": 0.011}}]
    assert figures("epoch", {"rows": epochs})["flux-ae, five epochs of MNIST"] == pytest.approx(55)
    rows = [
        {"name": "npae-cuda", "milliseconds": {"median": 30.0}, "extra_bytes": 40e6},
        {"name": "torch-cuda-cdist", "milliseconds": {"median": 9.0}, "npae_over_this": {"median": 0.1}},
    ]
    groups = [{"comparison": "mmd", "size": size, "rows": rows} for size in ("10000x8", "60000x8")]
    registered = {"rows": [{"kernel": "adam", "size": 100_000_000, "copy_share": 0.9}]}
    found = figures("kernels", {"on_gpu": registered, "compared": {"groups": groups}})
    assert list(found.values()) == pytest.approx([90, 30, 40, 10])
    assert set(FIGURES) == {"step", "epoch", "kernels", "scale"}


def test_the_driver_is_read_from_what_the_kernel_module_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "version"
    monkeypatch.setattr(device, "DRIVER", said)
    assert driver_version() is None
    said.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: 12.2.0\n")
    assert driver_version() == "550.54.15"
    said.write_text("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (root)\n")
    assert driver_version() == "580.95.05"


@pytest.mark.parametrize("architecture", [75, 90, 120])
def test_what_rates_are_measured_with_compiles(architecture: int) -> None:
    from nvrtc import WHEEL, compiled, library

    if library() is None:
        pytest.skip(f"needs NVIDIA's run-time compiler: pip install {WHEEL} (Linux)")
    made = compiled(device.SOURCE.read_text(), "rates.cu", architecture)
    assert set(made.kernels) == {"exponentials", "nothing"}
    assert made.parameters["exponentials"] == ("b64", "b32")
    assert not made.warnings
