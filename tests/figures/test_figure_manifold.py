"""The decoded plane: which codes are asked for, and where their pictures lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from npae.errors import InputError, NonFiniteError
from npae.figures.manifold import manifold

Codes = NDArray[np.float64]


def sigmoid_of_codes(z: Codes) -> Codes:
    """A picture of 2 by 3: the first row shows z1, the second z2."""
    return 1 / (1 + np.exp(-np.repeat(z, 3, axis=1)))


def codes_asked(**options: Any) -> Codes:
    """What `decode` receives, as a square with the rows of the picture."""
    asked: list[Codes] = []

    def decode(z: Codes) -> Codes:
        asked.append(z)
        return sigmoid_of_codes(z)

    manifold(decode, (2, 3), **options)
    assert len(asked) == 1
    grid = options.get("grid", 15)
    assert asked[0].shape == (grid * grid, 2)
    return asked[0].reshape(grid, grid, 2)


@pytest.mark.parametrize("grid", [2, 15, 20])
def test_the_corners_are_quantiles_of_the_prior(grid: int) -> None:
    z = codes_asked(grid=grid)
    low, high = norm.ppf([0.5 / grid, 1 - 0.5 / grid])
    np.testing.assert_allclose([z[0, 0], z[0, -1], z[-1, 0], z[-1, -1]], [[low, high], [high, high], [low, low], [high, low]], atol=1e-12)
    np.testing.assert_allclose(z[0, :, 0], norm.ppf((np.arange(grid) + 0.5) / grid), atol=1e-12)


def test_linspace_reaches_the_extent_in_equal_steps() -> None:
    z = codes_asked(grid=5, kind="linspace", extent=8)
    np.testing.assert_allclose(z[0, :, 0], [-8, -4, 0, 4, 8])
    np.testing.assert_allclose(z[:, 0, 1], [8, 4, 0, -4, -8])
    assert codes_asked(kind="linspace").max() == 15


def test_each_picture_lies_at_its_code_with_z1_to_the_right_and_z2_upwards() -> None:
    axes = manifold(sigmoid_of_codes, (2, 3), grid=4, kind="linspace", extent=3).axes[0]
    page = np.asarray(axes.get_images()[0].get_array())
    for x, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        for y, other in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
            z = [float(text.get_text().replace("−", "-")) for text in (label, other)]
            picture = page[int(y - 0.5) : int(y - 0.5) + 2, int(x - 1) : int(x - 1) + 3, 0]
            np.testing.assert_allclose(picture, sigmoid_of_codes(np.array([z])).reshape(2, 3), atol=1e-12)
    assert len(axes.get_xticks()) == len(axes.get_yticks()) == 4
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z₁", "z₂")


def test_colour_pictures_keep_their_channels() -> None:
    page = manifold(lambda z: np.tile([0.1, 0.5, 0.9], (len(z), 4)), (2, 2, 3), grid=2).axes[0].get_images()[0].get_array()
    np.testing.assert_allclose(np.asarray(page)[0, 0], [0.1, 0.5, 0.9])


def test_the_middle_of_an_odd_grid_is_written_without_a_sign() -> None:
    for kind in ("quantiles", "linspace"):
        axes = manifold(sigmoid_of_codes, (2, 3), grid=7, kind=kind).axes[0]
        assert axes.get_xticklabels()[3].get_text() == "0.00"


@pytest.mark.parametrize("shape", [(7, 7), (2, 8), (8, 2), (1, 30)])
@pytest.mark.parametrize("grid", [2, 40])
def test_ticks_do_not_collide_whatever_the_form_of_the_pictures(
    shape: tuple[int, int], grid: int, overlapping_texts: Callable[[Figure], object]
) -> None:
    figure = manifold(lambda z: np.full((len(z), shape[0] * shape[1]), 2.0), shape, grid=grid, kind="linspace")
    assert overlapping_texts(figure) == []


def test_clamped_values_are_said(texts: Callable[[Figure], list[str]]) -> None:
    said = " ".join(texts(manifold(lambda z: 2 * sigmoid_of_codes(z), (2, 3))))
    assert "drawn clamped" in said
    assert not any("clamped" in text for text in texts(manifold(sigmoid_of_codes, (2, 3))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": 1}, "grid: 1, expected an integer of at least 2"),
        ({"grid": 2.0}, r"grid: 2\.0, expected an integer"),
        ({"kind": "random"}, "kind: 'random', expected 'quantiles' or 'linspace'"),
        ({"kind": "linspace", "extent": 0.0}, r"extent: 0\.0, expected a positive number"),
        ({"kind": "linspace", "extent": float("nan")}, "extent: nan, expected a positive number"),
    ],
)
def test_settings_that_make_no_grid_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        manifold(sigmoid_of_codes, (2, 3), **options)


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (lambda z: sigmoid_of_codes(z)[1:], r"decode\(codes\): 224 rows for 225 codes"),
        (lambda z: np.zeros((len(z), 7)), r"image_shape: \(2, 3\) has 6 values, but each row of decode\(codes\) has 7"),
        (lambda z: np.zeros((len(z), 2, 3)), r"decode\(codes\): shape \(225, 2, 3\)"),
    ],
)
def test_an_answer_of_another_shape_is_refused(decode: Callable[[Codes], Codes], message: str) -> None:
    with pytest.raises(InputError, match=message):
        manifold(decode, (2, 3))


def test_an_answer_that_is_not_finite_is_refused() -> None:
    with pytest.raises(NonFiniteError, match=r"decode\(codes\): nan in row 0"):
        manifold(lambda z: np.full((len(z), 6), np.nan), (2, 3))
