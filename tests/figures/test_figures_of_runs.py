"""Figures of runs by name: what a run needs for each, that each is drawn and follows its seed, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from npae.data import Dataset
from npae.errors import InputError
from npae.figures.of_runs.drawings import DRAWINGS, applicable, draw
from npae.figures.of_runs.subject import Choices, Subject
from npae.models import MODELS, Model
from npae.training.split import Part

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


def test_noise_that_the_model_cannot_read_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"--corrupt gaussian:0.3 leaves \[0, 1\], where my-vae has its data; take --corrupt clipped_gaussian"
    ):
        draw("denoised", [subject_of("vae")], Choices(corrupt=("gaussian", 0.3)))


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
