"""Every barrier of the CUDA sources is needed: without it a call gives other numbers, or hangs, in some order of the threads on the CPU.

So a barrier that somebody forgets is seen by the tests of parity, which run in the same orders. Those whose loss cannot be seen are listed
with the reason: another barrier happens to stand between, or only blocks that run at the same time would meet.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("compiler")

UNSEEN = {
    "npae.cuh: last_block #1": "what it keeps back from the ticket is read by another block, and blocks run one after another here",
}


@functools.cache
def missed() -> dict[str, str | None]:
    """For every barrier the call that misses it."""
    script = Path(__file__).with_name("without_barrier.py")
    done = subprocess.run([sys.executable, str(script)], env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_every_barrier_is_reached_by_a_call() -> None:
    assert [barrier for barrier, call in missed().items() if call == "never reached"] == []


def test_every_barrier_is_missed_when_it_is_gone() -> None:
    unseen = {barrier for barrier, call in missed().items() if call is None}
    assert unseen == set(UNSEEN), "left: not missed and not listed, or listed and missed"


def test_the_list_gives_a_reason_for_each() -> None:
    assert all(len(reason) > 20 for reason in UNSEEN.values())


DIVERGED = """
import ctypes, shim
text = 'extern "C" __global__ void diverged() { if (threadIdx.x < 16) __syncwarp(); else __syncthreads(); }'
size = (ctypes.c_uint * 3)(32, 1, 1)
shim.loaded(text, "float").enter_diverged((ctypes.c_uint * 3)(1, 1, 1), size, ctypes.c_size_t(0), 0, 0, None)
"""


def test_threads_that_wait_at_different_barriers_are_aborted_with_their_block() -> None:
    done = subprocess.run([sys.executable, "-c", DIVERGED], cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.returncode == -signal.SIGABRT
    assert done.stderr.startswith("cuda_on_cpu: threads of block (0, 0, 0) wait at different barriers")
