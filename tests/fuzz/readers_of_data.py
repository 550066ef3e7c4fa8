"""The readers of data: IDX plain and packed, .npy, .npz, .csv, folders of PNGs. Each case goes through `load`, its checks and scaling."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from npae.data import load
from npae.data.idx import read_idx
from tests.fuzz.containers import npy, spoiled_gzip, spoiled_png, spoiled_zip
from tests.fuzz.reader import Files, Reader

_dice = np.random.default_rng(0)
GREY = _dice.integers(0, 256, (6, 5, 4), dtype=np.uint8)
ROWS = _dice.random((9, 5))
LABELS = np.arange(6) % 3
IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def _idx(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    big = array.astype(array.dtype.newbyteorder(">"))
    header = bytes([0, 0, IDX_CODES[array.dtype.str[1:]], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + big.tobytes()


def _idx_folders() -> list[Files]:
    folder = {
        "train-images-idx3-ubyte": _idx(GREY), "train-labels-idx1-ubyte": _idx(LABELS.astype(np.uint8)),
        "t10k-images-idx3-ubyte": _idx(GREY[:2]), "t10k-labels-idx1-ubyte": _idx(LABELS[:2].astype(np.uint8)),
    }  # fmt: skip
    others = [ROWS.astype(np.float32), ROWS, GREY[0].astype(np.int32), GREY[0].view(np.int8), GREY.astype(np.int16)]
    return [folder, *({"train-images-idx3-ubyte": _idx(array)} for array in others)]


def _packed(examples: list[Files]) -> list[Files]:
    return [{f"{name}.gz": gzip.compress(content, mtime=0) for name, content in files.items()} for files in examples]


def _npy_files() -> list[Files]:
    arrays = [GREY, ROWS, ROWS.astype(np.float32), np.asfortranarray(ROWS), GREY.astype(np.int64), ROWS > 0.5, ROWS.astype(np.float16),
              np.zeros((3, 2, 2, 3), np.uint8), ROWS.astype(">f4")]  # fmt: skip
    return [{"rows.npy": npy(array)} for array in arrays]


def _npz_files() -> list[Files]:
    members = [
        {"x": GREY, "y": LABELS, "test": GREY[:2], "test_labels": LABELS[:2]},
        {"anything": ROWS},
        {"x": ROWS, "target": ROWS[:, :2], "y": np.arange(9)},
    ]
    files = []
    for arrays in members:
        for save in (np.savez, np.savez_compressed):
            memory = io.BytesIO()
            save(memory, **arrays)  # type: ignore[arg-type]
            files.append({"rows.npz": memory.getvalue()})
    return files


def _csv_files() -> list[Files]:
    plain = "\n".join(",".join(f"{number:.6g}" for number in row) for row in ROWS) + "\n"
    labelled = "a,label,c\n" + "".join(f"{row[0]:.3f},{index % 3},{row[1]:.3e}\n" for index, row in enumerate(ROWS))
    quoted = '\ufeff"one","two, too","three"\r\n' + "1,2,3\r\n-4,5e-3,.6\r\n\r\n7,8,9\r\n"
    return [{"rows.csv": text.encode()} for text in (plain, labelled, quoted)]


def _png(array: np.ndarray, mode: str | None = None) -> bytes:  # type: ignore[type-arg]
    memory = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(memory, format="PNG")
    return memory.getvalue()


def _png_folders() -> list[Files]:
    colour = np.stack([GREY[:2]] * 3, axis=-1)
    return [
        {"a.png": _png(GREY[0]), "b.png": _png(GREY[1])},
        {"cat/a.png": _png(GREY[0]), "cat/b.png": _png(GREY[1]), "dog/a.png": _png(GREY[2])},
        {"a.png": _png(colour[0]), "b.png": _png(colour[1])},
        {"a.png": _png(colour[0], "P")},
        {"a.png": _png(GREY[0], "1")},
    ]


def _load(path: Path) -> None:
    """By every rule of scaling that needs to know nothing of the values."""
    for scale in ("none", "minmax", "standard"):
        data = load(str(path), scale=scale)
        assert data.train.ndim == 2
        assert np.isfinite(data.train).all()


def _load_only_file(folder: Path) -> None:
    (path,) = folder.iterdir()
    _load(path)


def _load_idx(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        read_idx(path)
    _load(folder)


DATA_READERS = (
    Reader("idx", _idx_folders, _load_idx),
    Reader("idx-gz", lambda: _packed(_idx_folders()), _load_idx, (("", spoiled_gzip),)),
    Reader("npy", _npy_files, _load_only_file),
    Reader("npz", _npz_files, _load_only_file, (("", spoiled_zip),)),
    Reader("csv", _csv_files, _load_only_file),
    Reader("png", _png_folders, _load, (("", spoiled_png),)),
)
