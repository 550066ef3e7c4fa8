"""`npae embed`: the codes of the model, row by row, in both kinds of file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npae as library


def test_codes_labels_and_spreads_are_the_models(npae: Any, run_of: Any, few: Path) -> None:
    folder = run_of("vae")
    found = json.loads(npae("embed", folder, "--data", few, "--json").out)
    assert (found["rows"], found["file"]) == (120, str(folder / "codes.npz"))
    with np.load(folder / "codes.npz") as codes, np.load(few) as data:
        assert codes.files == ["row", "label", "code", "sigma"]
        mu, sigma = library.load(folder, backend="numpy").posterior(data["x"].reshape(120, -1))
        np.testing.assert_array_equal(codes["code"], mu)
        np.testing.assert_array_equal(codes["sigma"], sigma)
        np.testing.assert_array_equal(codes["label"], data["y"])
        np.testing.assert_array_equal(codes["row"], np.arange(120))


def test_a_csv_holds_the_same_numbers_to_the_last_bit(npae: Any, run_of: Any, few: Path) -> None:
    folder = run_of("ae")
    npae("embed", folder, "--data", few)
    said = npae("embed", folder, "--data", few, "--out", "codes.csv")
    assert (said.status, said.err) == (0, "")
    with Path("codes.csv").open() as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["row", "label", "code1", "code2"]
    with np.load(folder / "codes.npz") as codes:
        read = np.array([[row["code1"], row["code2"]] for row in table], np.float32)
        np.testing.assert_array_equal(read, codes["code"])


def test_training_rows_are_those_that_trained(npae: Any, run_of: Any) -> None:
    folder = run_of("ae")
    said = npae("embed", folder, "--train")
    assert "108 rows" in said.out
    assert "training rows" in said.out
    assert "12 rows (validation rows)" in npae("embed", folder).out


def test_rows_without_labels_have_no_column_of_them(npae: Any, run_of: Any) -> None:
    np.save("plain.npy", np.random.default_rng(0).random((5, 64)).astype(np.float32))
    assert npae("embed", run_of("ae"), "--data", "plain.npy", "--out", "c.npz").status == 0
    with np.load("c.npz") as codes:
        assert codes.files == ["row", "code"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--out", "codes.txt"], "--out codes.txt: expected a name that ends in .npz or .csv"),
        (["--train", "--data", "digits"], "give one of them"),
        (["--out", "nowhere/codes.csv"], "nowhere does not exist"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(words: list[str], part: str, npae: Any, run_of: Any) -> None:
    said = npae("embed", run_of("ae"), *words)
    assert (said.status, said.out) == (2, "")
    assert part in said.err
