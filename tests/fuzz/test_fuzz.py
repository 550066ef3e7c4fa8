"""Some hundred spoiled files for every reader; the fuzzer notices each kind of failure; bombs by hand. Longer: python -m tests.fuzz."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.fuzz import campaign
from tests.fuzz.containers import npy, spoiled_zip
from tests.fuzz.reader import Reader
from tests.fuzz.readers import READERS

from npae.data import load
from npae.errors import LONGEST, InputError
from npae.models import VAE
from npae.training.model_file import load as load_model
from npae.training.model_file import model_bytes

ROOT = Path(__file__).resolve().parents[2]


def fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    """python -m tests.fuzz, as a person would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NPAE_")}
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_every_reader_reads_or_refuses_whatever_it_is_given() -> None:
    done = fuzz("all", "--cases", "100", "--seed", "1000000")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(READERS)
    assert all(" 0 failed" in line for line in lines)


def test_a_seed_says_the_whole_case() -> None:
    for reader in READERS.values():
        assert campaign.files_of(reader, 7) == campaign.files_of(reader, 7)
    assert len({str(campaign.files_of(READERS["csv"], seed)) for seed in range(50)}) > 40


def _hang(folder: Path) -> None:
    while True:
        pass


def _warn(folder: Path) -> None:
    warnings.warn("it looks damaged", UserWarning, stacklevel=2)


def _crash(folder: Path) -> None:
    os.abort()


def _escape(folder: Path) -> None:
    (folder / "../outside").open().close()


def _refuse(message: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        raise InputError(message)

    return read


DEFECTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "another exception": (lambda folder: [][1], "IndexError: list index out of range"),
    "a bomb": (lambda folder: np.ones(10**9), "MemoryError"),
    "a hang": (_hang, "took more than"),
    "a crash": (_crash, "SIGABRT"),
    "a warning": (_warn, "it looks damaged"),
    "a path that leads out": (_escape, "open"),
    "a pickle": (lambda folder: pickle.loads(pickle.dumps(Path)), "pickle.find_class"),
    "an execution": (lambda folder: eval("1 + 1"), "exec"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_fuzzer_notices(defect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the second of three cases; the others go well, and its files are kept."""
    read, says = DEFECTS[defect]
    reader = Reader("broken", lambda: [{"a": b"whole"}], lambda folder: read(folder) if (folder / "a").read_bytes() == b"2" else None)
    monkeypatch.setitem(campaign.READERS, "broken", reader)
    monkeypatch.setattr(campaign, "files_of", lambda reader, seed: {"a": str(seed).encode()})
    monkeypatch.setattr(campaign, "CPU_SECONDS", 0.5)
    (tmp_path / "outside").write_text("")
    outcome = campaign.campaign("broken", 1, 3, tmp_path)
    assert list(outcome.failures) == [2]
    assert says in outcome.failures[2]
    assert (outcome.read, outcome.refused) == (2, 0)
    assert (tmp_path / "broken-2" / "a").read_bytes() == b"2"


def test_a_refusal_is_one_line_that_a_terminal_can_show() -> None:
    shown = str(InputError("cell '\x1b[2J\x00\ud800' of " + "x" * 10**6 + "\nend: fix it"))
    assert shown.startswith("cell '\\x1b[2J\\x00\\ud800' of xxx")
    assert shown.endswith("xxx end: fix it")
    assert shown.isprintable()
    assert len(shown) < 2 * LONGEST


def test_a_zip_that_unpacks_to_more_than_it_says_is_unpacked_no_further(tmp_path: Path) -> None:
    """In a process that may not have the memory: the zeros behind the array are 600 MB."""
    from tests.fuzz.containers import _lying_zip

    class First:
        def choice(self, options: tuple[int, ...]) -> int:
            return options[0]

    path = tmp_path / "bomb.npz"
    path.write_bytes(_lying_zip(npy(np.eye(100)), First()))  # type: ignore[arg-type]
    assert path.stat().st_size < 10**6
    outcome = _read_in_little_memory(path, tmp_path)
    assert (outcome.read, outcome.refused, outcome.failures) in [(1, 0, {}), (0, 1, {})]
    assert outcome.grown < 50 * 2**20


def _read_in_little_memory(path: Path, folder: Path) -> campaign.Outcome:
    reader = Reader("one", lambda: [{path.name: npy(np.eye(3))}], lambda where: load(str(where / path.name), scale="none") if path.stat else None)
    return _campaign_of(reader, {path.name: path.read_bytes()}, folder)


def test_a_member_packed_in_a_way_that_has_no_limit_is_refused(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", npy(np.eye(3)))
    with pytest.raises(InputError, match="packed in a way that np.savez does not use"):
        load(str(path))
