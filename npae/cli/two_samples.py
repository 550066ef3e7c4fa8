"""The two samples that `npae test A B` compares, each from a word: rows of data or what a trained run draws, in the units of the data.

    RUN FOLDER               `rows` samples, codes from where npae generate takes them; the classes in turn for a model that reads labels
    DATA, as --data has it   `rows` of its test rows, or of all its rows where it has no test rows, picked by the seed

B has a seed of its own, so that two runs draw independent codes, and two files that belong together row by row not the same rows. The
same data twice is dealt into two halves, since a row must not be compared with itself.
Raises InputError for widths that differ, fewer than 2 rows, and whatever a reader of data or runs refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from npae.backend import Array
from npae.cli.code_sampler import draw, origin_of, own_sampler
from npae.data import Dataset, load
from npae.data.binarise import binarise_held_out
from npae.data.catalogue import CATALOGUE
from npae.data.raw import ImageShape
from npae.data.scaling import apply_scaling, fit_scaling, undo_scaling
from npae.errors import InputError, nearest
from npae.evaluation.subset import some_indices
from npae.noise import evaluation_seed
from npae.training.run import load_dataset, open_run, split_of

SCALES = ("none", "minmax", "standard")


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows (N, F); which of its source they are, where they are from in words, and the shape of an image where they are images."""

    name: str
    rows: Array
    numbers: Array
    origin: str
    image_shape: ImageShape | None


def two_samples(a: str, b: str, *, rows: int, seed: int, scale: str) -> tuple[Sample, Sample]:
    """A and B, ready to be compared; `scale` is fitted to both together, so that it does not know whose a row is."""
    if a == b and not _is_run(a):
        first, second = _halves(a, rows, seed)
    else:
        first, second = _sample("A", a, rows, seed), _sample("B", b, rows, evaluation_seed(seed))
    for name, sample in (("A", first), ("B", second)):
        if len(sample.rows) < 2:
            raise InputError(f"{name}, {sample.name}: {len(sample.rows)} row is no sample; at least 2 are needed, hundreds to see anything")
    if first.rows.shape[1] != second.rows.shape[1]:
        widths = " and ".join(f"{name}, {one.name}, has {_width(one)}" for name, one in (("A", first), ("B", second)))
        raise InputError(f"{widths}; expected rows of one width: compare data of the same kind")
    if scale == "none":
        return first, second
    pooled = np.concatenate([first.rows, second.rows])
    scaled = apply_scaling(pooled, fit_scaling(pooled, scale, None, "A and B"), "float32")
    n = len(first.rows)
    return replace(first, rows=scaled[:n]), replace(second, rows=scaled[n:])


def _width(sample: Sample) -> str:
    shape = f" ({'x'.join(map(str, sample.image_shape))})" if sample.image_shape else ""
    return f"rows of {sample.rows.shape[1]} numbers{shape}"


def _is_run(word: str) -> bool:
    """A folder that npae train made."""
    return (Path(word) / "config.toml").is_file()


def _sample(name: str, word: str, rows: int, seed: int) -> Sample:
    if _is_run(word):
        return _drawn(word, rows, seed)
    x, which, dataset = _rows_of(name, word)
    numbers = some_indices(len(x), rows, seed)
    some = f"{len(numbers)} of {len(x)}" if len(numbers) < len(x) else str(len(x))
    return Sample(word, x[numbers], numbers, f"{some} {which}", dataset.image_shape)


def _halves(word: str, rows: int, seed: int) -> tuple[Sample, Sample]:
    """The same data twice: other rows in A than in B."""
    x, which, dataset = _rows_of("A", word)
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(x))
    count = min(rows, len(x) // 2)
    halves = (np.sort(order[:count]), np.sort(order[count : 2 * count]))
    return (
        Sample(word, x[halves[0]], halves[0], f"{count} of {len(x)} {which}", dataset.image_shape),
        Sample(word, x[halves[1]], halves[1], f"{count} others", dataset.image_shape),
    )


def _rows_of(name: str, word: str) -> tuple[Array, str, Dataset]:
    """The rows of data that nobody trained on, as they were read."""
    if not word or (word not in CATALOGUE and not Path(word).expanduser().exists()):
        hint = nearest(word, CATALOGUE)
        close = hint if "did you mean" in hint else ""
        raise InputError(f"{name} '{word}': no run folder, no file or folder of data, and none of {', '.join(CATALOGUE)}{close}")
    dataset = load(word, scale="none")
    return (dataset.train, "rows", dataset) if dataset.test is None else (dataset.test, "test rows", dataset)


def _drawn(word: str, rows: int, seed: int) -> Sample:
    """New data from a trained run."""
    configuration, model = open_run(Path(word))
    dataset = load_dataset(configuration)
    train = split_of(configuration, dataset).train
    like = binarise_held_out(train.rows, configuration["binarise"], configuration["seed"])
    y = np.arange(rows) % model.spec["classes"] if model.companion == "labels" else None
    sampler = own_sampler(model)
    x = draw(model, sampler, rows, seed=seed, y=y, like=like, like_y=train.companion(type(model), dataset.name), components=1)
    origin = f"{rows} samples of this {model.kind}, codes from {origin_of(sampler, 1)}"
    return Sample(word, undo_scaling(x, dataset.scaling).astype(np.float32), np.arange(rows), origin, dataset.image_shape)
