"""What a run loads before its first step, and what it can leave out at its end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from npae.cli import main

AFTER = """
import json, sys
from npae.cli import main
status = main(sys.argv[1:])
print(json.dumps([status, [name for name in ("rich", "matplotlib", "sklearn", "scipy.linalg", "urllib.request") if name in sys.modules]]))
"""


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of few rows."""
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).random((20, 6), np.float32))
    return tmp_path / "rows.npy"


def test_a_run_without_a_terminal_and_pictures_loads_none_of_the_large_libraries(rows: Path, tmp_path: Path) -> None:
    words = ["train", "ae", "--data", str(rows), "--epochs", "2", "--backend", "numpy", "--validation", "none", "--no-figures"]
    words += ["--hidden", "4", "--latent", "2", "--set", "step=ordinary", "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-c", AFTER, *words], capture_output=True, text=True, check=True)
    status, loaded = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert loaded == ["scipy.linalg"]  # whose BLAS the record names, where the steps are not compiled
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["1/2", "2/2"]


def test_without_figures_a_run_is_whole_but_for_its_pictures(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    words = ["train", "ae", "--data", str(rows), "--epochs", "1", "--backend", "numpy", "--quiet", "--out", str(run)]
    assert main([*words, "--no-figures"]) == 0
    assert list((run / "figures").iterdir()) == []
    assert ".png" not in capsys.readouterr().out
    assert main(["figure", "loss", str(run)]) == 0


def test_the_first_product_of_the_numba_backend_loads_its_blas() -> None:
    words = (
        "import sys, numpy as np; from npae.backend import NumbaBackend; backend, out = NumbaBackend(), np.ones((2, 2));"
        " backend.kernel('matmul'); before = 'scipy.linalg' in sys.modules;"
        " backend.matmul(np.eye(2), 2 * np.eye(2), out, accumulate=True); print(before, 'scipy.linalg' in sys.modules, out.tolist())"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout == "False True [[3.0, 1.0], [1.0, 3.0]]\n"
