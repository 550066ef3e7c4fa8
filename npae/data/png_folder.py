"""A folder of PNG images, all of one size, read in the order of their names.

    FOLDER/*.png              images without labels
    FOLDER/<class>/*.png      a sub-folder is a class: its name becomes a label name, classes in the order of their names

Grey (1 or 8 bits) gives (N, H, W) uint8, colour (8-bit RGB, or a palette without transparency) gives (N, H, W, 3). Hidden files and other
kinds of file are left alone. Raises InputError for no PNG at all, mixed sizes or kinds, 16 bits, transparency, a damaged or a huge image.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np

from npae.backend import Array
from npae.data.raw import MAX_UNPACKED, Raw
from npae.errors import InputError

MOST_DEFLATED = 1032  # no deflate stream unpacks to more than this many times its size, and a byte is eight pixels at most
MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}  # what an image is read as
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, struct.error, zlib.error)


def read_png_folder(folder: Path) -> Raw:
    """All images of the folder, labelled by sub-folder where it has some."""
    own, classes = _pngs(folder), _classes(folder)
    if own and classes:
        raise InputError(
            f"{folder}: PNG images lie both here ({own[0].name}) and in sub-folders ({classes[0].name}/); expected one or the other"
        )
    if not own and not classes:
        seen = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        found = f"; it has {', '.join(seen[:3])}{', ...' if len(seen) > 3 else ''}" if seen else "; it is empty"
        raise InputError(f"{folder}: no PNG image and no train-images-idx3-ubyte[.gz] in this folder{found}: convert images to .png")
    if own:
        return Raw(str(folder), _read(own))
    members = [_pngs(one) for one in classes]
    for one, pngs in zip(classes, members, strict=True):
        if not pngs:
            raise InputError(f"{one}: no PNG image in this class's folder, while other classes have some; fill it or take it away")
    labels = np.repeat(np.arange(len(classes)), [len(pngs) for pngs in members])
    return Raw(str(folder), _read([png for pngs in members for png in pngs]), labels, label_names=[one.name for one in classes])


def _pngs(folder: Path) -> list[Path]:
    found = (path for path in folder.iterdir() if path.suffix.lower() == ".png" and not path.name.startswith(".") and path.is_file())
    return sorted(found)


def _classes(folder: Path) -> list[Path]:
    """The sub-folders, if any of them holds a PNG."""
    found = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return found if any(_pngs(path) for path in found) else []


def _read(paths: list[Path]) -> Array:
    """The images as one array, which is allocated when the first one shows its shape."""
    first = _pixels(paths[0])
    total = len(paths) * first.nbytes
    if total > MAX_UNPACKED:
        raise InputError(
            f"{paths[0].parent}: {len(paths)} images of {first.shape} are {total} bytes; expected at most {MAX_UNPACKED}: shrink them"
        )
    images = np.empty((len(paths), *first.shape), dtype=np.uint8)
    for index, path in enumerate(paths):
        pixels = _pixels(path)
        if pixels.shape != first.shape:
            have, want = _describe(pixels), _describe(first)
            raise InputError(f"{path} is {have} and {paths[0]} is {want}; expected images of one size and kind: resize or convert them")
        images[index] = pixels
    return images


def _describe(pixels: Array) -> str:
    return f"{pixels.shape[0]} x {pixels.shape[1]} {'colour' if pixels.ndim == 3 else 'grey'}"


def _pixels(path: Path) -> Array:
    """One image as (H, W) or (H, W, 3) uint8."""
    from PIL import Image  # comes with matplotlib; only folders of images need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Pillow's way to say that it leaves out what is damaged
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG"]) as image:
                image.verify()  # every chunk's CRC: reading the pixels alone does not look at them, and uses the image up
            with Image.open(path, formats=["PNG"]) as image:
                if image.mode not in MODES or "transparency" in image.info:
                    kind = "transparency" if image.mode in MODES else f"mode '{image.mode}'"
                    raise InputError(
                        f"{path}: PNG with {kind}; expected 8-bit grey or RGB without transparency: convert it, or save a .npy"
                    )
                width, height = image.size
                most = 8 * MOST_DEFLATED * path.stat().st_size
                if width * height > most:
                    raise InputError(f"{path}: claims {width} x {height} pixels, more than its bytes can unpack to; replace it")
                return np.asarray(image.convert(MODES[image.mode]))
    except InputError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: too large ({error}); expected at most {Image.MAX_IMAGE_PIXELS} pixels: shrink it") from error
    except (*_DAMAGE, UserWarning) as error:
        raise InputError(f"{path}: not a whole PNG image ({error}); replace it or take it away") from error
