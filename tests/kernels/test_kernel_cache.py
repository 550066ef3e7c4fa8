"""Compiled code is kept between processes, never outlives an edit, and is done without where nothing can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import npae.errors
import npae.kernels
from npae.kernels.jit import STRICT, jit

PROGRAM = """
import numba, numpy as np
before = numba.config.CACHE_DIR
from npae.kernels.registry import resolve
kernel = resolve("bernoulli_logits", "cpu")
x = np.zeros((2, 3))
print(kernel(x, x, 1.0, x.copy()), sum(kernel.stats.cache_hits.values()), numba.config.CACHE_DIR == before)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the kernels alone, importable as npae.kernels, that a test may edit."""
    package = tmp_path / "checkout" / "npae"
    shutil.copytree(Path(npae.kernels.__file__).parent, package / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(npae.errors.__file__, package / "errors.py")
    (package / "__init__.py").touch()
    return package.parent


def run(checkout: Path, **environment: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME")}
    command = [sys.executable, "-B", "-c", PROGRAM]
    done = subprocess.run(command, cwd=checkout, env={**clean, **environment}, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def caches(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*.code"))


def test_the_second_process_loads_what_the_first_compiled_until_a_callee_is_edited(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run(checkout, HOME=str(home)) == [str(6 * 0.6931471805599453), "0", "True"]
    assert run(checkout, HOME=str(home)) == [str(6 * 0.6931471805599453), "1", "True"]
    assert caches(home)[0].parts[:3] == (".cache", "npae", "numba")
    callee = checkout / "npae" / "kernels" / "elementary.py"
    edited = callee.read_text().replace("return math.log1p(x)", "return 2.0 + 0.0 * x")
    callee.write_text(edited)
    assert run(checkout, HOME=str(home)) == ["12.0", "0", "True"]


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "NUMBA_CACHE_DIR"])
def test_the_cache_goes_where_the_environment_says(checkout: Path, tmp_path: Path, variable: str) -> None:
    run(checkout, HOME=str(tmp_path / "home"), **{variable: str(tmp_path / "elsewhere")})
    assert caches(tmp_path / "elsewhere")
    assert not (tmp_path / "home").exists()


def test_without_a_place_to_write_kernels_still_compile_and_leave_nothing(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file, so nothing can be made below it")
    assert run(checkout, HOME=str(home)) == [str(6 * 0.6931471805599453), "0", "True"]
    assert caches(tmp_path) == []


def test_functions_that_differ_by_what_surrounds_them_alone_are_refused_since_they_would_share_a_file() -> None:
    def times(factor: float) -> None:
        @jit(STRICT)
        def scaled(x: float) -> float:
            return factor * x

        assert scaled(1.0) == factor

    with pytest.raises(TypeError, match=r"times.<locals>.scaled reads variables of the function around it"):
        times(2.0)
