"""`npae doctor` says where compiled code is kept, how much of it there is, and whether more can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from npae.cli import doctor

Run = Callable[..., list[str]]
PROGRAM = "import json; from npae.cli.doctor import _numba_cache; print(json.dumps(_numba_cache()))"


def cache(run: Run, folder: Path) -> Any:
    return json.loads(" ".join(run(PROGRAM, NUMBA_CACHE_DIR=str(folder))))


def test_it_counts_the_code_of_these_sources_and_of_others(run: Run, tmp_path: Path) -> None:
    own = Path(cache(run, tmp_path)["folder"])
    assert own.parent == tmp_path
    (own / "ours.code").write_bytes(bytes(1_500_000))
    (tmp_path / "kernels-0123456789abcdef").mkdir()
    (tmp_path / "kernels-0123456789abcdef" / "theirs.code").write_bytes(bytes(3_000_000))
    (tmp_path / "somebody else's").write_bytes(bytes(9_000_000))
    found = cache(run, tmp_path)
    assert found == {"folder": str(own), "megabytes": 1.5, "megabytes_of_all": 4.5, "writable": True}
    assert doctor._cache_text(found) == f"{own}, 1.5 MB; of other versions beside it 3.0 MB, removed when unused for long"


def test_it_says_where_nothing_can_be_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = cache(run, tmp_path / "file" / "below")
    assert not found["writable"]
    assert "it cannot be written" in doctor._cache_text(found)


def test_without_a_home_folder_it_names_the_variable_that_helps() -> None:
    text = doctor._cache_text({"folder": None, "megabytes": 0.0, "megabytes_of_all": 0.0, "writable": False})
    assert text == "none: there is no home folder; every process compiles anew (NUMBA_CACHE_DIR names a folder to keep code in)"
