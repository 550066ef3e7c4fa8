"""`keep`: training and validation rows of some labels alone, and what is said where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from npae.backend import Array
from npae.data import Dataset, load
from npae.errors import InputError
from npae.training.configuration import resolve, stored
from npae.training.files import write_text
from npae.training.run import prepare
from npae.training.split import split


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """90 rows whose first number is the row's own and whose labels are 0 1 2 0 1 2 ..."""
    x = np.random.default_rng(0).random((90, 4)).astype(np.float32)
    x[:, 0] = np.arange(90) / 100
    np.savez(tmp_path / "rows.npz", x=x, y=np.arange(90) % 3)
    return tmp_path / "rows.npz"


@pytest.fixture
def data(path: Path) -> Dataset:
    return load(str(path))


def numbers(rows: Array) -> set[int]:
    return {round(100 * float(value)) for value in rows[:, 0]}


def test_only_the_rows_of_those_labels_are_left_on_both_sides(data: Dataset) -> None:
    parts = split(data, 0.3, 7, [2, 0])
    assert parts.validation is not None
    for part in (parts.train, parts.validation):
        assert part.labels is not None
        assert set(part.labels.tolist()) == {0, 2}
        assert len(part.rows) == len(part.labels)
        assert all(number % 3 != 1 for number in numbers(part.rows))
    assert numbers(parts.train.rows) | numbers(parts.validation.rows) == {number for number in range(90) if number % 3 != 1}


def test_the_kept_training_rows_are_some_of_the_rows_that_train_without_it(data: Dataset) -> None:
    whole, kept = split(data, 0.3, 7), split(data, 0.3, 7, [1])
    assert numbers(kept.train.rows) <= numbers(whole.train.rows)
    assert not numbers(kept.train.rows) & numbers(whole.seen.rows)


def test_a_run_trains_on_them_and_its_configuration_says_so(path: Path, tmp_path: Path) -> None:
    flags = {"data": str(path), "keep": [1], "validation": "none", "hidden": [3], "latent": 1, "backend": "numpy"}
    configuration = resolve("ae", flags=flags)
    run = prepare(configuration)
    assert numbers(run.trainer.x) == set(range(1, 90, 3))
    write_text(tmp_path / "config.toml", configuration.as_toml())
    assert stored(tmp_path)["keep"] == [1]


def test_a_label_that_no_row_has_is_refused(data: Dataset) -> None:
    with pytest.raises(InputError, match=r"keep 1,7: none of the training rows of 'rows' has label 7; they have \[0, 1, 2\]"):
        split(data, "none", 0, [1, 7])


def test_rows_without_labels_cannot_be_chosen_by_label(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.random.default_rng(0).random((9, 4)))
    with pytest.raises(InputError, match="keep 1: the training rows of 'plain' have no labels"):
        split(load(str(tmp_path / "plain.npy")), "none", 0, [1])


@pytest.mark.parametrize("value", [[], 3, ["3"], [True], "3"])
def test_only_a_list_of_whole_numbers_is_a_list_of_labels(value: object) -> None:
    with pytest.raises(InputError, match="is not a label or a list of labels, such as 3 or 0,1"):
        resolve("ae", flags={"keep": value})
