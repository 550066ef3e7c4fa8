"""The compiled step's code is loaded beside the data, where a step may be compiled, and the thread has ended before anything uses it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from npae.kernels.entry import Entry
from npae.training import preload
from npae.training.configuration import resolve
from npae.training.preload import loading_code


def threads_inside(monkeypatch: pytest.MonkeyPatch, **flags: Any) -> list[tuple[str, bool]]:
    """What threads were started for; they wait for the block's end, and must have ended after it."""
    started: list[tuple[str, bool]] = []
    at_end = threading.Event()

    def load(dtype: str, evaluates: bool) -> None:
        at_end.wait(10)
        started.append((dtype, evaluates))

    monkeypatch.setattr(preload, "_load", load)
    before = threading.active_count()
    with loading_code(resolve("ae", flags=flags)):
        inside = threading.active_count() - before
        at_end.set()
    assert threading.active_count() == before
    assert inside == len(started)
    return started


@pytest.mark.parametrize("step", ["compiled", "auto"])
def test_a_step_that_may_be_compiled_is_loaded_in_its_precision(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flags: dict[str, Any] = {"step": step, "backend": "numba", "dtype": "float64"}
    assert threads_inside(monkeypatch, validation="none", **flags) == [("float64", False)]
    assert threads_inside(monkeypatch, validation=0.1, **flags) == [("float64", True)]
    assert threads_inside(monkeypatch, validation="none", watch=10, **flags) == [("float64", True)]


@pytest.mark.parametrize("flags", [{"step": "ordinary", "backend": "numba"}, {"step": "auto", "backend": "numpy"}])
def test_nothing_is_loaded_where_no_step_can_be_compiled(flags: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert threads_inside(monkeypatch, **flags) == []


def test_an_error_inside_waits_for_the_thread_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preload, "_load", lambda dtype, evaluates: None)
    before = threading.active_count()
    with pytest.raises(KeyError), loading_code(resolve("ae", flags={"step": "compiled", "backend": "numba"})):
        raise KeyError
    assert threading.active_count() == before


def test_what_is_loaded_is_the_code_that_is_kept_of_the_step_and_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(entry: Entry, dtype: str) -> bool:
        loaded.append(entry.name)
        return False  # as if it were not kept

    monkeypatch.setattr(Entry, "load_kept", load)
    monkeypatch.setattr(Entry, "address", None)
    with loading_code(resolve("ae", flags={"step": "compiled", "backend": "numba", "validation": "none"})):
        pass
    assert {"npae.kernels.step.run:run_steps", "npae.kernels.step.tiles:weights"} <= set(loaded)


RUN = """
import sys
from pathlib import Path
from npae.cli import main
flags = ["--epochs", "1", "--set", "step=compiled", "--no-figures", "--quiet"]
main(["train", "ae", "--data", "tones", "--out", sys.argv[1], *flags, "--set", f"validation={sys.argv[2]}"])
print("numba" in sys.modules)
"""


def test_a_run_whose_step_is_kept_and_that_evaluates_nothing_never_loads_numba(tmp_path: Path) -> None:
    said = []
    for number, validation in enumerate(("none", "none", "0.1")):
        command = [sys.executable, "-c", RUN, str(tmp_path / str(number)), validation]
        said.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
    assert said[1:] == ["False", "True"]  # the first may have compiled


LOADED = """
import sys
from npae.training.configuration import resolve
from npae.training.preload import loading_code
validation = float(sys.argv[1]) if sys.argv[1] != "none" else "none"
configuration = resolve("ae", flags={"step": "compiled", "backend": "numba", "validation": validation, "watch": int(sys.argv[2])})
before = [name for name in ("numba", "scipy.linalg.blas") if name in sys.modules]
with loading_code(configuration):
    pass
print(before, *(name for name in ("llvmlite.binding", "numba", "scipy.linalg.blas") if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("validation", "watch", "loaded"),
    [
        ("none", "0", "llvmlite.binding"),
        ("0.1", "0", "llvmlite.binding numba scipy.linalg.blas"),
        ("none", "1", "llvmlite.binding numba scipy.linalg.blas"),
    ],
)
def test_a_run_that_evaluates_has_numba_and_the_products_of_scipy_when_the_data_are_there(validation: str, watch: str, loaded: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, validation, watch], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"[] {loaded}"
