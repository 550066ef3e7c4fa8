"""Who computes MMD and distances beside npae: forms against the truth, the truth against the reference, why one does not take part."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import Disagreement, WorkerError
from bench.machine import installed
from bench.peers_of_kernels import processes
from bench.peers_of_kernels.agreement import differences, truth_of
from bench.peers_of_kernels.contenders import CONTENDERS, OWN, Contender
from bench.peers_of_kernels.problem import Problem, Size, make, read
from bench.peers_of_kernels.processes import NotRun, ask_within, check
from bench.peers_of_kernels.truth import certify
from npae.errors import InputError
from npae.kernels.registry import resolve

SIZE = Size(60, 50, 3)


def result_of(contender: Contender, problem: Problem) -> dict[str, Any]:
    """What a worker would write."""
    module, function = contender.form.split(":")
    given = getattr(import_module(module), function)(problem)()
    if not isinstance(given, tuple):
        return {"d2": np.asarray(given)}
    value, distances, dz = given
    return {"value": value, "distances": np.array(distances), "dz": np.asarray(dz)}


def truth_for(problem: Problem) -> dict[str, Any]:
    """With the distances that the reference picks, which has nothing to compile."""
    reference = resolve("distance_order_statistic", "reference")
    of_zw, of_zz = problem.ranks
    picked = [reference(problem.z, problem.w, of_zw), reference(problem.z, problem.z, of_zz)]
    return truth_of(problem, {"distances": np.array(picked if problem.comparison == "mmd" else [])})


TABLE = [(comparison, name) for comparison, table in CONTENDERS.items() for name in table]


@pytest.mark.parametrize(("comparison", "name"), TABLE)
def test_every_form_agrees_with_the_truth(monkeypatch: pytest.MonkeyPatch, comparison: str, name: str) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    contender = CONTENDERS[comparison][name]
    if name == "keops" or not all(map(installed, contender.packages)):
        pytest.skip(f"{name} is not installed, or calls a C++ compiler")
    problem = make(comparison, SIZE, "float32")
    assert max(differences(name, SIZE, "float32", result_of(contender, problem), truth_for(problem)).values()) < 1e-5


@pytest.mark.parametrize("comparison", ["mmd", "mmd-given", "mmd-imq"])
def test_the_truth_is_the_reference_kernel_in_float64(comparison: str) -> None:
    problem = make(comparison, SIZE, "float64")
    true = truth_for(problem)
    dz = np.empty_like(problem.z)
    if comparison == "mmd":
        statistic = resolve("distance_order_statistic", "reference")
        sigma2 = statistic(problem.z, problem.w, problem.ranks[0]) + statistic(problem.z, problem.z, problem.ranks[1])
        value, _ = resolve("mmd_rbf", "reference")(problem.z, problem.w, sigma2, dz)
    elif comparison == "mmd-given":
        value, _ = resolve("mmd_rbf", "reference")(problem.z, problem.w, 3.0, dz)
    else:
        value = resolve("mmd_imq", "reference")(problem.z, problem.w, problem.scales, dz)
    assert float(true["value"]) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(true["dz"], dz, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_order_statistic_that_is_one_bit_off_is_not_certified(dtype: str) -> None:
    problem = make("mmd", SIZE, dtype)
    of_zw, of_zz = problem.ranks
    assert (of_zw, of_zz) == ((60 * 50 - 60) // 2 - 1, (60 * 60 - 60) // 2 - 1)
    reference = resolve("distance_order_statistic", "reference")
    q_zw, q_zz = reference(problem.z, problem.w, of_zw), reference(problem.z, problem.z, of_zz)
    certify(problem, (q_zw, q_zz))
    kind = problem.z.dtype.type
    for wrong in (np.nextafter(kind(q_zz), kind(0)), np.nextafter(kind(q_zz), kind(np.inf))):
        with pytest.raises(Disagreement, match=f"q_zz .* not {of_zz}"):
            certify(problem, (q_zw, float(wrong)))


def test_npae_is_held_to_more_than_the_others() -> None:
    true = {"value": np.float64(1.0), "dz": np.array([1.0, 2.0])}
    near = {"value": 1.0 + 1e-4, "dz": np.array([1.0, 2.0])}
    assert differences("jax", SIZE, "float32", near, true) == {"value": pytest.approx(1e-4), "dz": 0.0}
    with pytest.raises(Disagreement, match=r"npae disagrees at 60x50x3: the value differs by 0.0001 of itself, allowed 1e-05"):
        differences(OWN, SIZE, "float32", near, true)
    with pytest.raises(Disagreement, match="jax disagrees"):
        differences("jax", SIZE, "float64", near, true)
    with pytest.raises(Disagreement, match="the gradient differs by nan"):
        differences("jax", SIZE, "float32", near | {"dz": np.array([np.nan, 2.0])}, true)


@pytest.mark.parametrize(("text", "size"), [("100x8", (100, 100, 8)), (" 30x20x1", (30, 20, 1))])
def test_a_size_is_points_times_features(text: str, size: tuple[int, ...]) -> None:
    assert Size.read(text) == size
    assert str(Size.read(text)) == text.strip()


@pytest.mark.parametrize("text", ["", "8", "100x", "1x8", "100x0", "1e4x8", "-5x8", "4x4x4x4", "axb"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^--sizes '.*' is not a size; write points x features"):
        Size.read(text)


def test_a_worker_reads_what_was_written_and_an_offset_moves_all_points(tmp_path: Path) -> None:
    problem = make("mmd-imq", SIZE, "float32", offset=100.0)
    problem.write(tmp_path)
    again = read(tmp_path)
    assert again.comparison == "mmd-imq"
    np.testing.assert_array_equal(again.z, problem.z)
    np.testing.assert_array_equal(again.w, problem.w)
    np.testing.assert_allclose(problem.z - 100, make("mmd-imq", SIZE, "float32").z, atol=1e-5)
    assert len(problem.head(7).z) == 7


def test_who_needs_more_memory_than_there_is_is_named_with_the_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "available_memory", lambda: 2_000_000_000)
    contender = Contender("module:function", ("numpy",), "", matrices=4.0)
    check(contender, Size(10_000, 10_000, 8), 4)
    with pytest.raises(NotRun, match=r"^would need 58 GB of arrays, 2 GB are available$"):
        check(contender, Size(60_000, 10, 8), 4)
    check(Contender("module:function", ("numpy",), ""), Size(60_000, 60_000, 8), 4)


def test_who_is_not_installed_is_named_with_the_command() -> None:
    with pytest.raises(NotRun, match="absent: pip install no-such-package"):
        check(Contender("module:function", ("numpy", "no-such-package"), ""), SIZE, 4)


SLOW = """
import time
class Peer:
    def fast(self): return 1
    def slow(self): time.sleep(60)
    def fail(self): raise MemoryError("no room")
serve(Peer)
"""


def test_who_is_too_slow_is_ended_and_who_fails_is_quoted(script: Any) -> None:
    with script(SLOW) as worker:
        assert ask_within(worker, 60.0, "fast") == 1
        with pytest.raises(NotRun, match=r"^not done within 0.2 s \(--limit\)$"):
            ask_within(worker, 0.2, "slow")
    with script(SLOW) as worker, pytest.raises(NotRun, match="MemoryError: no room"):
        ask_within(worker, 60.0, "fail")


def test_npae_itself_may_not_fail(script: Any) -> None:
    with script(SLOW) as worker:
        worker.name = OWN
        with pytest.raises(WorkerError, match="MemoryError: no room"):
            ask_within(worker, 60.0, "fail")
