"""Some hundred spoiled files for every reader; the fuzzer notices each kind of failure; bombs by hand. Longer: python -m tests.fuzz."""

from __future__ import annotations

import os
import pickle
import signal
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from npae.data import load
from npae.errors import LONGEST, InputError
from npae.models import VAE
from npae.training.model_file import load as load_model
from npae.training.model_file import model_bytes
from tests.fuzz import campaign
from tests.fuzz.containers import BOMB, chunk, lying_zip, npy
from tests.fuzz.reader import Reader
from tests.fuzz.readers import READERS

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
    os.kill(os.getpid(), signal.SIGKILL)


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
    "a crash": (_crash, "SIGKILL"),
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


class _First:
    """Dice that always take what is first."""

    def choice(self, options: tuple[int, ...]) -> int:
        """The first."""
        return options[0]


BOMBS: dict[str, Callable[[], bytes]] = {
    "rows.npz": lambda: lying_zip(npy(np.eye(100)), _First()),  # type: ignore[arg-type]
    "train-images-idx3-ubyte.gz": lambda: _zeros_behind(struct.pack(">4B3I", 0, 0, 8, 3, 2, 4, 4), 31),
    "a.png": lambda: PNG + _picture(30_000, 30_000, zlib.compress(bytes(100))),
    "b.png": lambda: PNG + _picture(4, 4, _zeros_behind(b"", 15)),
}
PNG = b"\x89PNG\r\n\x1a\n"


def _zeros_behind(start: bytes, wbits: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=wbits)
    return squeeze.compress(start) + b"".join(squeeze.compress(bytes(2**20)) for _ in range(BOMB // 2**20)) + squeeze.flush()


def _picture(width: int, height: int, packed: bytes) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more than 256 MB cannot be had: what unpacks to 600 MB is refused, or read as far as its header says."""
    bomb = BOMBS[name]()
    assert len(bomb) < 10**6
    whole = {"rows.npz": READERS["npz"], "train-images-idx3-ubyte.gz": READERS["idx-gz"]}.get(name, READERS["png"])
    reader = Reader("bomb", lambda: whole.examples()[:1], whole.read)
    monkeypatch.setitem(campaign.READERS, "bomb", reader)
    monkeypatch.setattr(campaign, "files_of", lambda reader, seed: {name: bomb})
    outcome = campaign.campaign("bomb", 0, 1, tmp_path)
    assert not outcome.failures
    assert outcome.read + outcome.refused == 1
    assert outcome.grown < 64 * 2**20


def test_a_model_file_whose_description_asks_for_more_than_it_holds_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    content = model_bytes(VAE(5, hidden=(4,), latent=2, backend="numpy"))
    length = int.from_bytes(content[:8], "little")
    text = content[8 : 8 + length].replace(b'\\"hidden\\": [4]', b'\\"hidden\\": [99999999]')
    assert len(text) > length
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    with pytest.raises(InputError, match=r"parameters are described, and 81 numbers are there for them"):
        load_model(path)


def test_a_member_packed_in_a_way_that_has_no_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", npy(np.eye(3)))
    with pytest.raises(InputError, match=r"packed in a way that np.savez does not use"):
        load(str(path))
