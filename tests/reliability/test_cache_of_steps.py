"""The compiled step's own code: a file cut short changes no number."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from npae.kernels import code_cache

Run = Callable[..., list[str]]
PROGRAM = "import work; print(work.compiled())"


def test_code_of_a_step_that_was_cut_short_is_compiled_anew_and_replaced(run: Run, plain: list[str], tmp_path: Path) -> None:
    kept = code_cache.code_folder()
    assert kept is not None
    shutil.copytree(kept, tmp_path / kept.name)
    whole = {path: path.stat().st_size for path in tmp_path.glob("*/npae.kernels.step.tiles.bias-*.code")}  # one for each dtype in use
    assert whole
    for path, size in whole.items():
        path.write_bytes(path.read_bytes()[: size // 2])
    assert run(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) == plain[:1]
    assert any(path.stat().st_size > size // 2 for path, size in whole.items())
