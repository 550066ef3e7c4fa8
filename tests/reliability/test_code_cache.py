"""The cache of compiled code: files cut short, a full disk, several processes at once and a killed one cost time, never a result."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from npae.kernels import code_cache

Run = Callable[..., list[str]]

KERNEL = """
import numpy as np
from npae.kernels.registry import resolve
kernel = resolve("bernoulli_logits", "cpu")
x = np.zeros((2, 3), {dtype!r})
print(kernel(x, x, 1.0, x.copy()), sum(kernel.stats.cache_hits.values()))
"""
DOUBLE, SINGLE = KERNEL.format(dtype="float64"), KERNEL.format(dtype="float32")
COMPILED, LOADED = [str(6 * 0.6931471805599453), "0"], [str(6 * 0.6931471805599453), "1"]
FULL = (
    "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"  # what is written beyond 1000 bytes fails, as on a full disk
)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.code"))


@pytest.mark.parametrize("kept", [0, 3000])
def test_a_file_cut_short_is_compiled_anew_and_replaced(kept: int, run: Run, tmp_path: Path) -> None:
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED
    for path in files(tmp_path):
        path.write_bytes(path.read_bytes()[:kept])
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == LOADED


def test_a_changed_byte_is_seen(run: Run, tmp_path: Path) -> None:
    run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path))
    for path in files(tmp_path):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED


def test_the_whole_file_of_another_function_or_type_in_a_files_place_is_not_run(run: Run, tmp_path: Path) -> None:
    run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path))
    run(SINGLE, NUMBA_CACHE_DIR=str(tmp_path))
    whole = {path: path.read_bytes() for path in files(tmp_path)}
    assert len(whole) > 1
    for path, other in zip(whole, [*whole][1:] + [*whole][:1], strict=True):
        path.write_bytes(whole[other])
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == LOADED


def test_on_a_full_disk_kernels_compile_and_what_is_kept_already_is_read(run: Run, tmp_path: Path) -> None:
    assert run(f"{FULL}\n{DOUBLE}", NUMBA_CACHE_DIR=str(tmp_path)) == COMPILED
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path))
    assert run(f"{FULL}\n{DOUBLE}", NUMBA_CACHE_DIR=str(tmp_path)) == LOADED


def test_code_that_is_compiled_here_gives_the_bits_of_code_that_is_loaded(run: Run, plain: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    program = "import work; print(work.penalty(), work.penalty())"
    assert run(program, NUMBA_CACHE_DIR=str(tmp_path / "file" / "below")) == [plain[2]] * 2


def test_processes_that_compile_the_same_at_the_same_moment_leave_a_cache_that_works(run: Run, tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
        for program in (DOUBLE, SINGLE, DOUBLE)
    ]
    answers = [process.communicate()[0].split() for process in started]
    assert [round(float(value), 5) for value, _ in answers] == [round(float(LOADED[0]), 5)] * 3
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == LOADED
    assert run(SINGLE, NUMBA_CACHE_DIR=str(tmp_path))[1] == "1"


def test_a_process_killed_while_it_compiles_leaves_a_cache_that_works(run: Run, tmp_path: Path) -> None:
    program = "import numpy as np; from npae.kernels import pairwise_squared; print(pairwise_squared(np.eye(3), np.eye(3)).sum())"
    with subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}) as process:
        while not files(tmp_path):
            time.sleep(0.02)
        process.kill()
    left = len(files(tmp_path))
    assert run(program, NUMBA_CACHE_DIR=str(tmp_path)) == ["12.0"]
    assert len(files(tmp_path)) > left


def folder(parent: Path, number: int, days: float) -> Path:
    made = parent / f"kernels-{number:016x}"
    (made / "below").mkdir(parents=True)
    then = time.time() - days * code_cache.DAY
    os.utime(made, (then, then))
    return made


def test_folders_of_other_sources_go_when_nobody_has_used_them_for_long(tmp_path: Path) -> None:
    recent = [folder(tmp_path, number, 0.1 * number) for number in range(3)]
    days_old = [folder(tmp_path, number, number) for number in range(3, 12)]
    old = folder(tmp_path, 99, 31)
    foreign = tmp_path / "kernels-of-somebody-else"
    foreign.mkdir()
    os.utime(foreign, (0, 0))
    assert set(code_cache.prune(tmp_path)) == {old, *days_old[code_cache.KEPT - len(recent) :]}
    assert set(tmp_path.iterdir()) == {foreign, *recent, *days_old[: code_cache.KEPT - len(recent)]}


def test_folders_that_were_used_today_stay_however_many_they_are(tmp_path: Path) -> None:
    for number in range(3 * code_cache.KEPT):
        folder(tmp_path, number, 0.9)
    assert code_cache.prune(tmp_path) == []


def test_a_process_marks_its_folder_as_used_and_only_a_new_folder_makes_it_look_for_old_ones(run: Run, tmp_path: Path) -> None:
    old = folder(tmp_path, 1, 40)
    run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path))
    assert not old.exists()
    (ours,) = tmp_path.iterdir()
    os.utime(ours, (0, 0))
    old = folder(tmp_path, 1, 40)
    run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path))
    assert old.exists()
    assert time.time() - ours.stat().st_mtime < code_cache.DAY


def test_a_folder_that_vanishes_under_a_process_is_made_again(run: Run, tmp_path: Path) -> None:
    vanish = f"import shutil; shutil.rmtree({str(tmp_path)!r})"
    words = run("\n".join((SINGLE, vanish, DOUBLE)), NUMBA_CACHE_DIR=str(tmp_path))
    assert words[2:] == COMPILED
    assert run(DOUBLE, NUMBA_CACHE_DIR=str(tmp_path)) == LOADED
