"""Accuracy of translations: counted by hand on a model whose answers are known, and errors of targets that are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from npae.backend import Array
from npae.data.text import Alphabet, TextFormat
from npae.errors import InputError
from npae.evaluation.translation import target_accuracy, translate
from npae.models import Paired

FORMAT = TextFormat(Alphabet("abc", 2), Alphabet("xyz", 2))
NONE = {"kind": "none"}


def _spelling(reconstruction: str = "categorical", sure: float = 8.0) -> Paired:
    """Says x for a, y for b, z for c, place by place, padding for padding: the identity, scaled."""
    model = Paired(8, (), 8, target_features=8, symbols=4, reconstruction=reconstruction, dtype="float64", backend="numpy")
    model.parameters.value[...] = 0
    model.parameters["encoder.0.W"].value[...] = sure * np.eye(8)
    model.parameters["decoder.0.W"].value[...] = np.eye(8)
    return model


def _rows(given: list[str], wanted: list[str]) -> tuple[Array, Array]:
    return FORMAT.rows.encode(given).astype(float), FORMAT.targets.encode(wanted).astype(float)


def test_texts_are_right_when_every_symbol_is_the_padding_too() -> None:
    x, y = _rows(["ab", "c", "ca", "b"], ["xy", "z", "zy", "yx"])
    found = target_accuracy(_spelling(), x, y, y, FORMAT)
    assert (found["exact"], found["characters"], found["wrong_rows"]) == (0.5, 6 / 8, 2)
    assert found["examples"][0] == {"given": "ab", "said": "xy", "wanted": "xy"}
    assert found["mistakes"] == [{"given": "ca", "said": "zx", "wanted": "zy"}, {"given": "b", "said": "y", "wanted": "yx"}]


def test_strings_are_translated_with_the_probability_of_all_their_places() -> None:
    one, two = translate(_spelling(sure=1.0), ["ab", "c"], FORMAT, NONE)
    p = np.e / (np.e + 3)
    assert (one.given, one.said, two.said) == ("ab", "xy", "z")
    assert one.probability == pytest.approx(p**2, rel=1e-12)


def test_rows_are_scaled_as_the_training_rows_were() -> None:
    (one,) = translate(_spelling(sure=1.0), ["ab"], FORMAT, {"kind": "divide", "by": 0.5})
    assert one.probability == pytest.approx((np.e**2 / (np.e**2 + 3)) ** 2, rel=1e-12)


def test_a_loss_that_gives_no_probability_gives_none() -> None:
    (one,) = translate(_spelling("squared_error"), ["cb"], FORMAT, NONE)
    assert (one.said, one.probability) == ("zy", None)


def test_a_string_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(InputError, match="character 'd'"):
        translate(_spelling(), ["ad"], FORMAT, NONE)


def test_numbers_are_judged_by_their_squared_error_beside_that_of_the_training_mean() -> None:
    rng = np.random.default_rng(0)
    options: dict[str, Any] = {"target_features": 2, "reconstruction": "squared_error", "dtype": "float64", "backend": "numpy"}
    model = Paired(3, (4,), 2, **options)
    x, y, train_y = rng.standard_normal((7, 3)), rng.standard_normal((7, 2)), rng.standard_normal((9, 2)) + 1
    found = target_accuracy(model, x, y, train_y, None)
    assert found["squared_error_per_feature"] == pytest.approx(((model.reconstruct(x) - y) ** 2).sum() / 14, rel=1e-12)
    assert found["mean_squared_error_per_feature"] == pytest.approx(((train_y.mean(axis=0) - y) ** 2).sum() / 14, rel=1e-12)
