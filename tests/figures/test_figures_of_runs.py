"""Figures of runs by name: what a run needs for each, which rows and codes are drawn, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from numpy.typing import NDArray

from npae.data import Dataset
from npae.errors import InputError
from npae.figures.of_runs import decoded, encoded, rebuilt, several
from npae.figures.of_runs.drawings import DRAWINGS, applicable, draw
from npae.figures.of_runs.new_rows import random_codes
from npae.figures.of_runs.subject import Choices, Subject
from npae.models import MODELS, Model
from npae.training.split import Part

X = NDArray[np.float32]
SIDE, CLASSES, N = 4, 3, 60
RNG = np.random.default_rng(0)
ROWS = RNG.random((N, SIDE * SIDE)).astype(np.float32)
LABELS = np.arange(N) // 2 % CLASSES  # 0 0 1 1 2 2 0 0 ...
HISTORY = [
    {"epoch": e, "step": 5 * e, "weights": {"nll": 1.0}, "train": {"total": 9.0 / e, "nll": 9.0 / e}, "validation": None} for e in (1, 2)
]


def model_of(kind: str, **options: Any) -> Model:
    """A small model with random weights."""
    sizes: dict[str, Any] = {"classes": CLASSES} if MODELS[kind].companion == "labels" else {}
    return MODELS[kind](SIDE * SIDE, **sizes, hidden=(5,), latent=options.pop("latent", 2), backend="numpy", **options)


def subject_of(kind: str, *, shape: tuple[int, int] | None = (SIDE, SIDE), n: int = N, labels: bool = True, **options: Any) -> Subject:
    """A run of it on small pictures."""
    y = LABELS[:n] if labels else None
    train, test = Part(ROWS[:n], y, None, "training rows"), Part(1 - ROWS[:n], y, None, "test rows")
    dataset = Dataset("small", "here", train.rows, y, test.rows, y, None, shape, {"kind": "none"}, ["a", "b", "c"], "")
    return Subject(f"my-{kind}", model_of(kind, **options), dataset, train, test, HISTORY, None)


def test_the_units_that_are_traversed_are_those_that_the_decoder_listens_to(drawn: Callable[[Any, str], list[tuple[Any, ...]]]) -> None:
    from npae.figures.of_runs import decoded

    run = subject_of("vae", latent=4)
    run.model.parameters["decoder.0.W"].value[[0, 2]] = 0
    calls = drawn(decoded, "draw_traverse")
    decoded.traverse(run, Choices())
    assert calls[0][-1]["units"] == (1, 3)


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


VAE_FIGURES = {
    "loss", "shares", "reconstructions", "batch", "grid", "denoised", "samples", "manifold", "manifold-linspace", "traverse",
    "interpolation", "codes", "tsne", "kl", "posterior",
}  # fmt: skip


@pytest.mark.parametrize(
    ("run", "names"),
    [
        (subject_of("vae"), VAE_FIGURES),
        (subject_of("vae", latent=3), VAE_FIGURES - {"manifold", "manifold-linspace", "codes"}),
        (subject_of("vae", latent=1), VAE_FIGURES - {"manifold", "manifold-linspace", "codes", "tsne", "traverse"}),
        (subject_of("vae", shape=None), VAE_FIGURES - {"manifold", "manifold-linspace", "traverse", "interpolation"}),
        (subject_of("vae", labels=False), VAE_FIGURES),
        (subject_of("vae", n=30), VAE_FIGURES - {"tsne"}),
        (replace(subject_of("vae"), history=[]), VAE_FIGURES - {"loss", "shares"}),
        (subject_of("ae"), VAE_FIGURES - {"traverse", "kl", "posterior"}),
        (subject_of("wae"), VAE_FIGURES),
        (subject_of("wae", encoder="deterministic"), VAE_FIGURES - {"kl"}),
        (subject_of("cvae"), VAE_FIGURES | {"vary-label"}),
        (subject_of("gan"), {"loss", "shares", "samples", "manifold", "manifold-linspace", "traverse"}),
    ],
)
def test_a_run_has_the_figures_that_it_can_have(run: Subject, names: set[str]) -> None:
    assert set(applicable(run)) == names


def test_the_five_rows_need_a_training_set_that_has_them() -> None:
    run = subject_of("ae")
    many = np.zeros((14235, SIDE * SIDE), np.float32)
    assert "five" not in applicable(run)
    assert "five" in applicable(replace(run, trained=Part(many, None, None, "training rows")))


@pytest.mark.parametrize(("kind", "shape"), [("ae", None), ("cvae", (SIDE, SIDE)), ("gan", (SIDE, SIDE))])
def test_what_applies_can_be_drawn(kind: str, shape: tuple[int, int] | None) -> None:
    run = subject_of(kind, shape=shape)
    for name in applicable(run):
        assert draw(name, [run], Choices()).axes


@pytest.mark.parametrize("name", [name for name, one in DRAWINGS.items() if one.several])
def test_several_runs_stand_side_by_side_with_their_names(name: str) -> None:
    figure = draw(name, [subject_of("ae"), subject_of("vae"), subject_of("vae"), subject_of("gan")], Choices(rows=4))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["my-ae", "my-vae (2)", "my-vae (3)", "my-gan"]


def test_each_figure_that_takes_a_seed_follows_it() -> None:
    for name, one in DRAWINGS.items():
        if "seed" in one.takes and name != "tsne":  # whose own test follows its seed
            runs = [subject_of("cvae")] * (1 + one.several)
            first, again, other = (
                _drawn(draw(name, runs, Choices(seed=seed, rows=7 if "rows" in one.takes else None))) for seed in (1, 1, 2)
            )
            assert first == again, name
            assert first != other, name


def _drawn(figure: Figure) -> list[bytes]:
    """What the pictures, points and steps of a figure are made of."""
    arrays: list[Any] = []
    for axes in figure.axes:
        arrays += [image.get_array() for image in axes.get_images()]
        arrays += [points.get_offsets() for points in axes.collections]
        arrays += [steps.get_data().values for steps in axes.patches if isinstance(steps, StepPatch)]  # type: ignore[attr-defined]
    return [np.asarray(values).tobytes() for values in arrays]


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


def test_noise_that_the_model_cannot_read_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"--corrupt gaussian:0.3 leaves \[0, 1\], where my-vae has its data; take --corrupt clipped_gaussian"
    ):
        draw("denoised", [subject_of("vae")], Choices(corrupt=("gaussian", 0.3)))


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


@pytest.mark.parametrize(
    ("name", "run", "choices", "message"),
    [
        ("kl", subject_of("ae"), Choices(), "figure 'kl' needs a Gaussian posterior, and my-ae is a run of model 'ae'"),
        ("codes", subject_of("ae", latent=3), Choices(), "needs codes of 2 numbers, and my-ae has codes of 3; train with --latent 2"),
        ("reconstructions", subject_of("gan"), Choices(), "needs an encoder, and my-gan"),
        ("traverse", subject_of("ae"), Choices(), "needs a prior"),
        ("manifold", subject_of("vae", shape=None), Choices(), "needs images, and the rows of 'small' are not known to be images"),
        ("vary-label", subject_of("vae"), Choices(), "needs a model that reads labels"),
        ("loss", replace(subject_of("vae"), history=[]), Choices(), "needs a finished epoch"),
        ("five", subject_of("ae"), Choices(), "needs 14,235 training rows or more, and 'small' has 60"),
        ("tsne", subject_of("ae", n=30), Choices(), "needs 31 rows to look at or more, and there are 30 test rows"),
        ("tsne", subject_of("ae"), Choices(rows=61), "--rows 61: there are only 60 test rows in 'small'"),
        ("tsne", subject_of("ae"), Choices(rows=30), "t-SNE of 30 points with perplexity 30"),
        ("reconstructions", subject_of("ae"), Choices(indices=(2, 60)), "row 60: the test rows of 'small' are numbered 0 to 59"),
        ("interpolation", subject_of("ae"), Choices(indices=(2,)), "--indices 2: expected two rows"),
        ("samples", subject_of("vae"), Choices(label=1), "--label 1: my-vae is a vae, which reads no labels"),
        ("samples", subject_of("cvae"), Choices(label=3), "--label 3: my-cvae knows the labels 0 to 2"),
        ("traverse", subject_of("vae"), Choices(units=(0, 2)), "--units 1,3: my-vae has units 1 to 2"),
        ("samples", subject_of("vae"), Choices(rows=1001), "--rows 1001: at most 1,000 fit in figure 'samples'"),
        ("loss", subject_of("vae"), Choices(seed=1), "--seed means nothing to figure 'loss', which takes no options"),
        ("codes", subject_of("vae"), Choices(label=1), "--label means nothing to figure 'codes', which takes --rows, --seed"),
        ("beside", subject_of("vae"), Choices(), "figure 'beside' of 1 run: expected two or more"),
        ("cods", subject_of("vae"), Choices(), "figure 'cods' is not known; did you mean 'codes'"),
    ],
)
def test_what_a_run_cannot_show_is_refused_in_one_line(name: str, run: Subject, choices: Choices, message: str) -> None:
    with pytest.raises(InputError) as caught:
        draw(name, [run], choices)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_runs_on_pictures_of_other_sizes_are_not_put_side_by_side() -> None:
    other = subject_of("vae", shape=(2, 8))
    with pytest.raises(InputError, match=r"my-vae was trained on images of \(2, 8\), my-ae on \(4, 4\)"):
        draw("beside", [subject_of("ae"), other], Choices())


def test_codes_that_are_not_from_the_prior_are_said_to_be(drawn: Any) -> None:
    calls = drawn(several, "draw_beside")
    draw("beside", [subject_of("vae"), subject_of("gan")], Choices())
    draw("beside", [subject_of("vae"), subject_of("ae")], Choices())
    assert [bool(options["note"]) for *_, options in calls] == [False, True]
