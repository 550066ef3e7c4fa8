"""The sums over groups against a loop over pairs; equal groups and any number of threads give the same bits; and memory."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.errors import InputError
from npae.kernels import relabelled_sums
from npae.kernels.relabelled import cpu

Array = np.ndarray[Any, Any]
FORMS = ["reference", "cpu"]
SIGMA2 = 2.5


def points(n: int, dtype: str = "float64", d: int = 3) -> Array:
    return (np.random.default_rng(n).standard_normal((n, d)) + 5).astype(dtype)


def groups(count: int, n: int) -> Array:
    return np.random.default_rng(count).integers(2, size=(count, n), dtype=np.int8)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n", [2, 5, 70])
def test_the_sums_run_over_the_pairs_inside_a_group_of_a_group_and_all(form: str, n: int) -> None:
    x, labels = points(n), groups(3, n)
    sums, total = relabelled_sums(x, labels, SIGMA2, form=form)
    k = [[math.exp(-sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) / (2 * SIGMA2)) for q in x] for p in x]
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    assert total == pytest.approx(math.fsum(k[i][j] for i, j in pairs), rel=1e-13)
    for c, label in enumerate(labels):
        assert sums[0, c] == pytest.approx(math.fsum(k[i][j] for i, j in pairs if label[i] and label[j]), rel=1e-13)
        assert sums[1, c] == pytest.approx(math.fsum(k[i][j] for i, j in pairs if label[i]), rel=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [64, 130])
def test_a_group_has_the_same_bits_wherever_it_stands(dtype: str, n: int) -> None:
    x, one, others = points(n, dtype), groups(1, n), groups(90, n)
    want, _ = relabelled_sums(x, one, SIGMA2)
    for place in (0, 1, 31, 32, 63, 90):
        found, _ = relabelled_sums(x, np.concatenate([others[:place], one, others[place:]]), SIGMA2)
        assert np.array_equal(found[:, place], want[:, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    x, labels = points(1200, dtype), groups(50, 1200)
    results = []
    for threads in (1, 2, 3, 7):
        monkeypatch.setattr(cpu, "threads_for", lambda work, threads=threads: threads)
        results.append(relabelled_sums(x, labels, SIGMA2))
    for sums, total in results[1:]:
        assert np.array_equal(sums, results[0][0])
        assert total == results[0][1]


def test_float32_keeps_its_digits_over_many_points() -> None:
    x, labels = points(3000, "float32", d=8), groups(40, 3000)
    labels[0] = 0
    labels[0, :2] = 1
    sums, total = relabelled_sums(x, labels, 8.0)
    want, truth = relabelled_sums(x.astype(np.float64), labels, 8.0)
    assert np.abs(sums / want - 1).max() < 3e-7
    assert abs(total / truth - 1) < 1e-7


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.ones(4), r"labels have shape \(4,\); expected \(groups, 4\)"),
        (np.ones((2, 5)), r"labels have shape \(2, 5\)"),
        (np.ones((0, 4)), "with at least one group"),
        (-np.ones((2, 4)), "neither 0 nor 1"),
        (np.full((2, 4), 257), "neither 0 nor 1"),
    ],
)
def test_labels_that_mark_no_group_are_refused(labels: Array, message: str) -> None:
    with pytest.raises(InputError, match=message):
        relabelled_sums(points(4), labels, SIGMA2)


NEEDS = """
import sys, numpy as np
from pathlib import Path
from npae.kernels.registry import resolve
def call(n):
    x = np.random.default_rng(0).standard_normal((n, 4)).astype("float32")
    labels = np.ones((10, n), np.int8)
    resolve("relabelled_sums", sys.argv[1])(x, 2.0, labels, np.empty((2, 10)))
def peak():  # getrusage would begin with the parent's
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
call(200)
before = peak()
call(6000)
print((peak() - before) / 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this system does not say how much memory a process has held")
def test_no_matrix_of_all_pairs_is_ever_stored() -> None:
    """6000 points: a matrix of all pairs takes 137 MiB in float32, and the reference more than one."""

    def megabytes(form: str) -> float:
        done = subprocess.run([sys.executable, "-c", NEEDS, form], capture_output=True, text=True, check=True)
        return float(done.stdout)

    assert megabytes("cpu") < 24
    assert megabytes("reference") > 137
