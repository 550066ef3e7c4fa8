"""The same seed gives the same bytes, another seed does not, and how the rows are shared out follows from the seed too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npae
from npae.backend import Array
from npae.data import Dataset
from npae.errors import InputError
from npae.training.loop import Trainer
from npae.training.split import split

Make = Callable[..., Trainer]
State = Callable[[Trainer], dict[str, Any]]

FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "ae": ("ae", {}),
    "vae": ("vae", {"dropout": 0.2, "binarise": "dynamic"}),
    "wae": ("wae", {"validation": 0.2}),
}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", FORMS)
def test_the_same_seed_gives_the_same_bytes(name: str, backend: str, train_as: Make, state_of: State) -> None:
    kind, settings = FORMS[name]
    ends = []
    for _ in range(2):
        trainer = train_as(kind, epochs=2, backend=backend, **settings)
        trainer.run()
        ends.append(state_of(trainer))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("name", FORMS)
def test_another_seed_gives_other_weights_and_other_losses(name: str, train_as: Make) -> None:
    kind, settings = FORMS[name]
    one, other = (train_as(kind, epochs=1, seed=seed, **settings) for seed in (0, 1))
    assert one.model.parameters.value.tobytes() != other.model.parameters.value.tobytes()
    assert one.run()[0]["train"] != other.run()[0]["train"]


def test_the_seed_of_training_alone_changes_the_order_and_the_noise(rows: Array) -> None:
    ends = []
    for seed in (0, 0, 1):
        model = npae.VAE(64, (8,), 2, backend="numpy", seed=5)
        npae.fit(model, rows, epochs=1, batch_size=24, seed=seed)
        ends.append(model.parameters.value.tobytes())
    assert ends[0] == ends[1] != ends[2]


def dataset(n: int, *, test: int = 0, validation: int = 0) -> Dataset:
    """Rows that are their own number, labels that are ten times it."""

    def numbered(count: int, start: int) -> Array | None:
        return np.arange(start, start + count, dtype=np.float32)[:, None] if count else None

    train = numbered(n, 0)
    assert train is not None
    return Dataset(
        name="numbered",
        source="here",
        train=train,
        train_labels=np.arange(n) * 10,
        test=numbered(test, 1000),
        test_labels=np.arange(test) if test else None,
        validation=numbered(validation, 2000),
        image_shape=None,
        scaling={"kind": "none"},
        label_names=None,
        fingerprint="",
    )


def test_a_share_is_split_off_without_losing_or_repeating_a_row() -> None:
    parts = split(dataset(50), 0.3, seed=7)
    assert parts.validation is not None
    train, held = parts.train.rows[:, 0], parts.validation.rows[:, 0]
    assert (len(train), len(held)) == (35, 15)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, held])), np.arange(50))
    assert not np.array_equal(held, np.arange(15))
    for part in (parts.train, parts.validation):
        assert part.labels is not None
        np.testing.assert_array_equal(part.labels, part.rows[:, 0] * 10)
    assert parts.seen is parts.validation


def test_the_share_follows_from_the_seed_alone() -> None:
    picked = [split(dataset(50), 0.3, seed).seen.rows[:, 0].tolist() for seed in (7, 7, 8)]
    assert picked[0] == picked[1] != picked[2]


@pytest.mark.parametrize(
    ("data", "held", "trains", "validates"),
    [
        (dataset(20, test=5, validation=4), "auto", 20, 2000),
        (dataset(20, test=5), "auto", 20, 1000),
        (dataset(20), "none", 20, None),
        (dataset(20, test=5), "none", 20, None),
        (dataset(20, test=5, validation=4), "test", 20, 1000),
        (dataset(20, test=5, validation=4), 0.5, 10, None),
    ],
)
def test_validation_rows_come_from_where_the_setting_says(data: Dataset, held: str | float, trains: int, validates: int | None) -> None:
    parts = split(data, held, seed=0)
    assert len(parts.train.rows) == trains
    if validates is not None:
        assert parts.validation is not None
        assert parts.validation.rows[0, 0] == validates
    elif held == "none":
        assert parts.validation is None
        assert parts.seen is parts.train


def test_auto_without_other_rows_is_a_tenth() -> None:
    parts = split(dataset(20), "auto", seed=0)
    assert parts.validation is not None
    assert (len(parts.train.rows), len(parts.validation.rows)) == (18, 2)


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_a_share_that_leaves_nothing_on_one_side_is_refused_with_both_counts(share: float) -> None:
    with pytest.raises(InputError, match=f"validation {share} of 10 rows leaves (0|10) to validate and (0|10) to train"):
        split(dataset(10), share, seed=0)


def test_test_rows_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match=r"validation 'test': .*no test rows; give a share"):
        split(dataset(10), "test", seed=0)


def batches_seen(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> list[Array]:
    """Every batch that a training step gets, in order."""
    seen: list[Array] = []
    step = trainer.take_step

    def noting(x: Array) -> Any:
        seen.append(x.copy())
        return step(x)

    monkeypatch.setattr(trainer, "take_step", noting)
    trainer.run()
    return seen


@pytest.mark.parametrize("binarise", ["fixed", "dynamic"])
def test_binarised_training_sees_zeros_and_ones_only(binarise: str, train_as: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = train_as("vae", epochs=1, binarise=binarise, validation=0.2)
    seen = batches_seen(trainer, monkeypatch)
    assert set(np.unique(np.concatenate(seen))) == {0.0, 1.0}
    assert trainer.validation is not None
    assert set(np.unique(trainer.validation)) == {0.0, 1.0}


@pytest.mark.parametrize(("binarise", "differs"), [("dynamic", True), ("fixed", False)])
def test_only_dynamic_binarisation_is_drawn_anew_each_epoch(
    binarise: str, differs: bool, train_as: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = batches_seen(train_as("vae", epochs=2, binarise=binarise, shuffle=False, batch_size=120), monkeypatch)
    assert np.array_equal(first, second) is not differs


@pytest.mark.parametrize("binarise", ["fixed", "dynamic"])
def test_fit_binarises_as_it_is_told(binarise: str, rows: Array) -> None:
    ends = []
    for how in (binarise, "none"):
        model = npae.VAE(64, (8,), 2, backend="numpy")
        history = npae.fit(model, rows, epochs=1, binarise=how, validation=rows[:40])
        ends.append(history[0]["validation"]["nll"])
    assert ends[0] != ends[1]


def test_fit_refuses_an_unknown_binarisation_by_name(rows: Array) -> None:
    with pytest.raises(InputError, match="binarise 'dinamic'"):
        npae.fit(npae.VAE(64, (8,), 2, backend="numpy"), rows, epochs=1, binarise="dinamic")
