"""Kept machine code runs without its compiler; what is not whole is compiled anew; an entry calls the C library alone."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import llvmlite
import numpy as np
import pytest

from npae.kernels import entry
from npae.kernels.code_cache import fetched
from npae.kernels.entry import Entry
from npae.kernels.step.entries import ALL, COUNT_NONZEROS, RUN_STEPS
from npae.kernels.step.perform import HANDLERS

OF_PYTHON = ("Py", "_Py", "numba_", "NRT_")
PROGRAM = """
import sys
import numpy as np
from npae.kernels.step.entries import COUNT_NONZEROS
x, counts = np.eye(3, dtype=np.float32), np.zeros(3, np.int64)
COUNT_NONZEROS("float32", x.ctypes.data, 3, counts.ctypes.data, 0, 3)
print(*counts, "numba" in sys.modules)
"""
COMPILED, LOADED = "1 1 1 True", "1 1 1 False"


def run(program: str, **variables: str) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True).stdout.strip()


def kept(folder: Path) -> Path:
    (path,) = folder.rglob("*count_nonzeros-*.code")
    return path


def test_code_that_is_kept_needs_no_numba(tmp_path: Path) -> None:
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) == LOADED


def test_code_that_is_not_whole_is_compiled_anew_and_replaced(tmp_path: Path) -> None:
    run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path))
    content = bytearray(kept(tmp_path).read_bytes())
    content[len(content) // 2] ^= 1
    kept(tmp_path).write_bytes(content)
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) == LOADED


def test_the_whole_file_of_another_type_or_function_in_its_place_is_not_run(tmp_path: Path) -> None:
    run(f"{PROGRAM}COUNT_NONZEROS.address('float64')", NUMBA_CACHE_DIR=str(tmp_path))
    single, double = sorted(tmp_path.rglob("*count_nonzeros-*.code"), key=lambda path: fetched(path) or b"")
    contents = single.read_bytes(), double.read_bytes()
    assert contents[0] != contents[1]
    single.write_bytes(contents[1])
    double.write_bytes(contents[0])
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) == LOADED


@pytest.mark.parametrize(
    ("of", "name", "other"),
    [
        (entry._llvm, "get_host_cpu_name", lambda: "another"),
        (entry._llvm, "get_host_cpu_features", lambda: SimpleNamespace(flatten=lambda: "+another")),
        (entry._llvm, "get_process_triple", lambda: "another-unknown-linux-gnu"),
        (llvmlite, "__version__", "0.0.1"),
        (entry, "_numba", lambda: "another"),
        (sys, "version", "4.0.0"),
    ],
    ids=["processor", "instructions", "system", "llvmlite", "numba", "python"],
)
def test_another_machine_or_compiler_has_files_of_its_own(of: Any, name: str, other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_code_made_by", entry._code_made_by.__wrapped__)
    here = COUNT_NONZEROS.path("float32")
    assert here == COUNT_NONZEROS.path("float32") != COUNT_NONZEROS.path("float64")
    monkeypatch.setattr(of, name, other)
    assert COUNT_NONZEROS.path("float32") != here


def test_what_numba_is_told_about_code_makes_other_code(tmp_path: Path) -> None:
    run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path))
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_OPT="1") == COMPILED
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_NUM_THREADS="2") == LOADED


def test_where_nothing_can_be_written_it_is_compiled_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path / "file" / "below")) == COMPILED
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def needed(one: Entry) -> list[str]:
    """The functions that its kept code says it calls."""
    one.address("float32")
    content = fetched(one.path("float32"))
    assert content is not None
    names: list[str] = json.loads(content.partition(b"\n")[0])["needs"]
    return names


def test_the_functions_of_the_c_library_that_an_entry_calls_are_known() -> None:
    assert "sched_yield" in needed(RUN_STEPS)


@pytest.mark.parametrize("one", [*ALL, *HANDLERS.values()], ids=lambda one: one.name.split(":")[1])
def test_an_entry_calls_the_c_library_alone(one: Entry) -> None:
    assert [name for name in needed(one) if name.startswith(OF_PYTHON)] == []


def test_a_function_that_this_process_does_not_have_is_named_before_llvm_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Entry(COUNT_NONZEROS.name, COUNT_NONZEROS.count)
    content = b'{"symbol": "f", "needs": ["no_such_function"]}\n'
    monkeypatch.setattr(entry, "fetched", lambda path: content)
    with pytest.raises(RuntimeError, match=r"count_nonzeros calls no_such_function, which this process does not have"):
        one.address("float32")


def test_threads_that_ask_at_the_same_moment_load_it_once_into_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    one, engines, make = Entry(COUNT_NONZEROS.name, COUNT_NONZEROS.count), list[Any](), entry._engine.__wrapped__

    def slowly() -> Any:
        time.sleep(0.05)
        engines.append(make())
        return engines[-1]

    monkeypatch.setattr(entry, "_engine", functools.cache(slowly))
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(lambda _: one.address("float64"), range(8)))) == 1
    assert len(engines) == 1
    x, counts = np.array([[0.0, 2.0], [np.nan, 1.0]]), np.zeros(2, np.int64)
    one("float64", x.ctypes.data, 2, counts.ctypes.data, 0, 2)
    assert counts.tolist() == [1, 2]
