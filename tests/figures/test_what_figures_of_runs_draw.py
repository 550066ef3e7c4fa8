"""Figures of runs: which rows and codes they draw, and what they say of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from test_figures_of_runs import CLASSES, LABELS, RNG, SIDE, N, subject_of

from npae.figures.of_runs import decoded, encoded, rebuilt, several
from npae.figures.of_runs.drawings import draw
from npae.figures.of_runs.new_rows import random_codes
from npae.figures.of_runs.subject import Choices
from npae.training.split import Part


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[tuple[Any, ...]]]:
    """drawn(module, function): what that drawing function was given, instead of a drawing."""

    def patch(module: Any, name: str) -> list[tuple[Any, ...]]:
        calls: list[tuple[Any, ...]] = []

        def note(*given: Any, **options: Any) -> Figure:
            calls.append((*given, options))
            return Figure()

        monkeypatch.setattr(module, name, note)
        return calls

    return patch


def test_held_out_rows_stand_over_what_the_model_makes_of_them(drawn: Any) -> None:
    calls, run = drawn(rebuilt, "draw_reconstructions"), subject_of("vae")
    draw("reconstructions", [run], Choices(rows=4))
    draw("reconstructions", [run], Choices(indices=(7, 3)))
    for (x, y, shape, _), rows in zip(calls, (run.seen.rows[:4], run.seen.rows[[7, 3]]), strict=True):
        np.testing.assert_array_equal(x, rows)
        np.testing.assert_array_equal(y, run.model.reconstruct(rows))
        assert shape == (SIDE, SIDE)


def test_the_five_rows_are_the_training_rows_of_those_numbers(drawn: Any) -> None:
    calls, many = drawn(rebuilt, "draw_reconstructions"), RNG.random((14235, SIDE * SIDE)).astype(np.float32)
    draw("five", [replace(subject_of("ae"), trained=Part(many, None, None, "training rows"))], Choices())
    np.testing.assert_array_equal(calls[0][0], many[[100, 14234, 6906, 300, 349]])


def test_a_batch_is_rebuilt_from_drawn_codes_where_the_model_draws_them(drawn: Any) -> None:
    calls = drawn(rebuilt, "draw_reconstructions")
    for kind, draws in (("vae", True), ("ae", False)):
        run = subject_of(kind)
        draw("batch", [run], Choices())
        x, y, _, options = calls.pop()
        assert len(x) == 7
        assert all(any((row == one).all() for one in run.trained.rows) for row in x)
        assert np.array_equal(y, run.model.reconstruct(x)) != draws
        assert ("drawn from the posterior" in options.get("note", "")) == draws


def test_a_conditional_model_reads_the_label_of_each_row(drawn: Any) -> None:
    calls, run = drawn(rebuilt, "draw_reconstructions"), subject_of("cvae")
    draw("reconstructions", [run], Choices(rows=6))
    np.testing.assert_array_equal(calls[0][1], run.model.reconstruct(run.seen.rows[:6], LABELS[:6]))


def test_noise_is_the_models_own_unless_chosen(drawn: Any) -> None:
    calls = drawn(rebuilt, "labelled_rows")
    run = subject_of("denoising", corruption="masking", level=1.0)
    draw("denoised", [run], Choices(rows=3))
    draw("denoised", [run], Choices(rows=3, corrupt=("gaussian", 0.0)))
    draw("denoised", [subject_of("vae")], Choices(rows=3))
    masked, clean, usual = calls
    assert (masked[0]["noisy"] == 0).all()
    np.testing.assert_array_equal(masked[0]["denoised"], run.model.reconstruct(np.zeros_like(run.seen.rows[:3])))
    np.testing.assert_array_equal(clean[0]["noisy"], clean[0]["clean"])
    assert usual[2]["note"] == "noise: clipped_gaussian 0.5; my-vae was not trained to denoise"


def test_the_units_that_are_traversed_are_those_that_the_decoder_listens_to(drawn: Any) -> None:
    run = subject_of("vae", latent=4)
    run.model.parameters["decoder.0.W"].value[[0, 2]] = 0
    calls = drawn(decoded, "draw_traverse")
    decoded.traverse(run, Choices())
    assert calls[0][-1]["units"] == (1, 3)


def test_the_label_varies_along_a_row_and_the_code_along_a_column(drawn: Any) -> None:
    calls, run = drawn(decoded, "labelled_rows"), subject_of("cvae")
    draw("vary-label", [run], Choices(rows=2, seed=3))
    named, _, options = calls[0]
    z = run.model.prior(2, 3)
    for row, images in enumerate(named.values()):
        for label in range(CLASSES):
            np.testing.assert_allclose(images[label], run.model.decode(z[row : row + 1], np.array([label]))[0], rtol=1e-5)
    assert options["headings"] == ["a", "b", "c"]


def test_a_plane_is_decoded_with_the_chosen_label_and_says_it(drawn: Any) -> None:
    calls, run = drawn(decoded, "draw_manifold"), subject_of("cvae")
    draw("manifold", [run], Choices(label=2))
    draw("manifold-linspace", [run], Choices(extent=4.0, grid=3))
    (decode, _, first), (_, _, second) = calls
    z = np.ones((4, 2))
    np.testing.assert_array_equal(decode(z), run.model.decode(z, np.full(4, 2)))
    assert (first["kind"], first["note"]) == ("quantiles", "label c")
    assert (second["kind"], second["extent"], second["grid"], second["note"]) == ("linspace", 4.0, 3, "label a")


def test_a_way_goes_from_one_row_to_the_first_of_another_label_unless_chosen(drawn: Any) -> None:
    calls, run = drawn(decoded, "draw_interpolation"), subject_of("vae")
    draw("interpolation", [run], Choices())
    draw("interpolation", [run], Choices(indices=(5, 1)))
    codes = run.model.encode(run.seen.rows)
    for (_, a, b, *_), (i, j) in zip(calls, [(0, 2), (5, 1)], strict=True):
        np.testing.assert_allclose(a, codes[i], rtol=1e-5)
        np.testing.assert_allclose(b, codes[j], rtol=1e-5)


def test_the_divergence_of_a_unit_is_that_of_two_gaussians(drawn: Any) -> None:
    calls, run = drawn(encoded, "kl_per_unit"), subject_of("vae", latent=3)
    draw("kl", [run], Choices())
    mu, sigma = (part.astype(float) for part in run.model.posterior(run.seen.rows))
    t = np.linspace(-12, 12, 4001)
    for unit in range(3):
        total = 0.0
        for m, s in zip(mu[:, unit], sigma[:, unit], strict=True):
            log_q = -0.5 * ((t - m) / s) ** 2 - np.log(s)
            total += float(np.trapezoid(np.exp(log_q) / np.sqrt(2 * np.pi) * (log_q + 0.5 * t**2), t))
        assert calls[0][0][unit] == pytest.approx(total / N, rel=1e-6)
    np.testing.assert_array_equal(calls[0][1], mu.var(axis=0) > 0.01)


def test_codes_keep_their_labels_and_colours_tell_the_prior(drawn: Any) -> None:
    calls, run = drawn(encoded, "scatter"), subject_of("ae")
    draw("codes", [run], Choices(rows=11, seed=4))
    codes, labels, names, options = calls[0]
    every = run.model.encode(run.seen.rows)
    places = [int(np.flatnonzero((np.abs(every - code) < 1e-6).all(axis=1))[0]) for code in codes]
    assert len(set(places)) == 11
    np.testing.assert_array_equal(labels, LABELS[places])
    assert names == ["a", "b", "c"]
    assert options == {"prior": False}


def test_random_codes_of_a_model_without_prior_have_the_spread_of_its_codes_but_not_their_dependence() -> None:
    run = subject_of("ae")
    codes = run.model.encode(run.trained.rows)
    z = random_codes(run.model, 20_000, seed=0, like=run.trained.rows)
    np.testing.assert_allclose(z.mean(axis=0), codes.mean(axis=0), atol=4 * codes.std() / 20_000**0.5)
    np.testing.assert_allclose(z.std(axis=0), codes.std(axis=0), rtol=0.03)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.03
    vae = subject_of("vae")
    np.testing.assert_allclose(random_codes(vae.model, 20_000, seed=0, like=vae.trained.rows).std(axis=0), 1, rtol=0.03)


def test_codes_that_are_not_from_the_prior_are_said_to_be(drawn: Any) -> None:
    calls = drawn(several, "draw_beside")
    draw("beside", [subject_of("vae"), subject_of("gan")], Choices())
    draw("beside", [subject_of("vae"), subject_of("ae")], Choices())
    assert [bool(options["note"]) for *_, options in calls] == [False, True]
