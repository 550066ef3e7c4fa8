"""Every CUDA source compiles for every architecture, without a warning, and its kernels keep to a budget of registers and local memory."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
from nvrtc import ARCHITECTURES, Compiled, compiled
from shim import KERNEL

from npae.kernels.cuda.source import OPTIONS, REALS, every_source, source

pytestmark = pytest.mark.usefixtures("nvrtc")


class Budget(NamedTuple):
    """At most so many registers a thread, and so many bytes of local memory a thread; why it is not the common budget."""

    registers: int
    stack: int
    why: str


COMMON = Budget(128, 0, "two blocks of 256 threads fit in the 65,536 registers of a multiprocessor; local memory is slow")
PAIRS = Budget(224, 0, "4 x 4 distances and as many products of float64 are 64 registers and more; with one block resident nothing spills")
ALONE = Budget(208, 0, "a tile's numbers in float64 take twice the registers, and a multiprocessor has room for one block of 256 threads")
BUDGETS = {  # (source, kernel, REAL); nothing may spill, whatever its budget
    ("mmd/mmd.cu", "rbf_tiles", "double"): ALONE,
    ("mmd/mmd.cu", "imq_tiles", "double"): ALONE,
    ("relabelled/relabelled.cu", "relabelled_parts", "double"): ALONE,
}


def over_budget(name: str, real: str, made: Compiled) -> list[str]:
    """The kernels of a source that take more than they may."""
    lines = []
    for kernel, used in made.kernels.items():
        budget = BUDGETS.get((name, kernel, real), COMMON)
        if used.registers > budget.registers or used.stack > budget.stack or used.spilled:
            lines.append(f"{name}: {kernel} ({real}): {used}, beyond {budget}, or it spills")
    return lines


@pytest.fixture(scope="module")
def side_by_side() -> None:
    """All compilations at once, on every core; the tests then read what came of each."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name in every_source():
            for real in REALS:
                for architecture in ARCHITECTURES:
                    pool.submit(compiled, source(name), name, architecture, *OPTIONS, f"-DREAL={real}")


@pytest.mark.usefixtures("side_by_side")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("name", every_source())
def test_a_source_compiles_within_its_budget(name: str, real: str, architecture: int) -> None:
    text = source(name)
    made = compiled(text, name, architecture, *OPTIONS, f"-DREAL={real}")
    assert not made.warnings, "\n".join(made.warnings)
    assert set(made.kernels) == set(KERNEL.findall(text)), "the kernels that the tests on the CPU see are not those that the compiler sees"
    assert not over_budget(name, real, made), "\n".join(over_budget(name, real, made))


def test_every_exception_to_the_budget_is_of_a_kernel_and_is_needed() -> None:
    for (name, kernel, real), budget in BUDGETS.items():
        assert budget.why, f"{name}: {kernel}: an exception without a reason"
        used = [compiled(source(name), name, each, *OPTIONS, f"-DREAL={real}").kernels[kernel] for each in ARCHITECTURES]
        assert any(one.registers > COMMON.registers or one.stack > COMMON.stack for one in used), f"{kernel} ({real}) needs none"


GREEDY = """#line 1 "greedy.cu"
extern "C" __global__ void greedy(float* a) {
  float v[64];
  for (int i = 0; i < 64; ++i) v[i] = a[i * 32 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int k = 0; k < 64; ++k) {
    float s = 0;
#pragma unroll
    for (int i = 0; i < 64; ++i) s += v[i] * v[(i + k) % 64];
    a[k * 32 + threadIdx.x] = s;
  }
}
"""


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_kernel_that_spills_is_caught(architecture: int) -> None:
    made = compiled(GREEDY, "greedy.cu", architecture, *OPTIONS, "--maxrregcount=32")
    assert made.kernels["greedy"].registers <= 32
    assert any("spilled to local memory in function 'greedy'" in warning for warning in made.warnings)
    assert over_budget("greedy.cu", "float", made)


def test_a_kernel_that_indexes_its_registers_is_caught() -> None:
    text = GREEDY.replace("v[(i + k) % 64]", "v[int(v[i]) & 63]")
    made = compiled(text, "greedy.cu", 90, *OPTIONS)
    assert made.kernels["greedy"].stack >= 256
    assert over_budget("greedy.cu", "float", made)


def test_a_kernel_that_takes_too_many_registers_is_caught() -> None:
    text = GREEDY.replace("[64]", "[200]").replace("64", "200")
    made = compiled(text, "greedy.cu", 90, *OPTIONS)
    assert made.kernels["greedy"].registers > COMMON.registers
    assert over_budget("greedy.cu", "float", made)


def test_a_warning_of_the_compiler_is_seen_with_its_line() -> None:
    made = compiled(GREEDY.replace("float s = 0;", "float s = 0; int left;"), "greedy.cu", 90, *OPTIONS)
    assert any(re.match(r"greedy\.cu\(7\): warning .*left", warning) for warning in made.warnings)
