"""Published beside measured: the band by hand, the overlap, the verdict, and a small preset that is really trained."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.cli import main
from npae.data import batch_indices
from npae.errors import InputError
from npae.evaluation.reproduction import MINIMUM_SEEDS, PROBABILITY, Judged, Overlap, Reproduction, SeedRun, band_factor, reproduce
from npae.presets import Preset, preset, preset_names
from npae.training.configuration import resolve
from npae.training.run import prepare

Publish = Callable[..., Preset]


def test_the_band_of_five_numbers_worked_by_hand() -> None:
    """Median 10; distances from it 2 1 0 1 4, their median 1; so the band is 10 +- c(5)."""
    low, high = Judged("x", 0.0, [8, 9, 10, 11, 14], True).band
    assert (low, high) == (10 - band_factor(5), 10 + band_factor(5))


def test_one_seed_that_jumps_does_not_widen_the_band() -> None:
    assert Judged("x", 0.0, [8, 9, 10, 11, 14], True).band == Judged("x", 0.0, [8, 9, 10, 11, 1400], True).band


def test_the_band_moves_and_stretches_with_the_numbers() -> None:
    low, high = Judged("x", 0.0, [8, 9, 10, 11, 14], True).band
    assert list(Judged("x", 0.0, [108, 109, 110, 111, 114], True).band) == pytest.approx([low + 100, high + 100])
    assert list(Judged("x", 0.0, [24, 27, 30, 33, 42], True).band) == pytest.approx([3 * low, 3 * high])


@pytest.mark.parametrize("n", [3, 5, 10, 40])
def test_the_band_holds_one_more_run_with_the_stated_probability(n: int) -> None:
    """Simulated here with other numbers: 20,000 sets, so the share is known to 0.0016."""
    rng = np.random.default_rng(n)
    seeds, further = rng.normal(100, 3, (20000, n)), rng.normal(100, 3, 20000)
    middle = np.median(seeds, axis=1)
    half = band_factor(n) * np.median(np.abs(seeds - middle[:, None]), axis=1)
    assert np.mean(np.abs(further - middle) <= half) == pytest.approx(PROBABILITY, abs=0.006)


@pytest.mark.parametrize(("places", "inside"), [(0.0, True), (0.99, True), (-0.99, True), (1.01, False), (-1.01, False), (math.nan, False)])
def test_a_published_number_is_inside_or_not(places: float, inside: bool) -> None:
    assert Judged("x", 10 + places * band_factor(5), [8, 9, 10, 11, 14], True).in_band is inside


@pytest.mark.parametrize(
    ("measured", "overlaps"),
    [
        ([1.0, 2.0], False),
        ([1.0, 3.0], True),  # they touch
        ([3.5, 3.6], True),  # ours lies within theirs
        ([1.0, 9.0], True),  # theirs lies within ours
        ([4.0, 5.0], True),
        ([4.1, 5.0], False),
        ([math.nan, math.nan], False),
    ],
)
def test_two_ranges_overlap_when_they_have_a_number_in_common(measured: list[float], overlaps: bool) -> None:
    assert Overlap("x", (3.0, 4.0), measured).overlaps is overlaps


def seeds_of(**totals: list[float]) -> list[SeedRun]:
    """Three seeds that measured those totals."""
    per_seed = zip(*totals.values(), strict=True)
    return [
        SeedRun(seed, [1.0, 1.1, 1.2], [{"total": one} for one in values], [{"kl": 2.0}] * len(values), 0.1)
        for seed, values in enumerate(per_seed)
    ]


def preset_of(**published: Any) -> Preset:
    """A preset with those published numbers."""
    return Preset("tiny", "title", "source", {}, {"unit": "u", "per_image": "p", "initial": 1.1, **published})


@pytest.mark.parametrize(
    ("published", "passed"),
    [
        ({"epochs": [10.0, 5.0], "judged": ["initial", 1, 2]}, True),
        ({"epochs": [1000.0, 5.0], "judged": ["initial", 1, 2]}, False),
        ({"epochs": [1000.0, 5.0], "judged": ["initial", 2]}, True),  # what is not judged does not count
        ({"epochs": [10.0, 5.0], "judged": ["initial", 1, 2], "initial": 9.0}, False),
        ({"epochs": [10.0, 5.0], "judged": [1, 2], "initial": 9.0}, True),
        ({"epochs": [10.0, 5.0], "judged": [1], "independent": {"epoch 2 total": [4.0, 4.9]}}, True),
        ({"epochs": [10.0, 5.0], "judged": [1], "independent": {"epoch 2 total": [4.0, 4.1]}}, False),
        ({"epochs": [10.0, 5.0], "judged": [1], "independent": {"epoch 1 kl": [1.9, 2.1]}}, True),
        ({"epochs": [10.0, 5.0], "judged": [1], "independent": {"epoch 1 kl": [2.1, 2.2]}}, False),
        ({"epochs": [10.0, 5.0], "judged": []}, False),  # nothing judged is nothing reproduced
    ],
)
def test_the_verdict(published: dict[str, Any], passed: bool) -> None:
    runs = seeds_of(one=[9.9, 10.0, 10.1], two=[4.8, 5.0, 5.2])
    assert Reproduction(preset_of(**published), runs).passed is passed


@pytest.mark.parametrize("seeds", [MINIMUM_SEEDS - 1, 2, 1, 0, -1])
def test_too_few_seeds_are_refused(seeds: int) -> None:
    with pytest.raises(InputError, match=f"--seeds {seeds}: .*at least {MINIMUM_SEEDS}"):
        reproduce(preset("flux-ae"), seeds)


def test_the_numbers_of_a_seed_are_those_of_its_training(publish: Publish) -> None:
    found = reproduce(publish(), MINIMUM_SEEDS)
    for seed, run in enumerate(found.runs):
        trained = prepare(resolve("tiny", flags={"seed": seed}))
        sums: list[float] = [0.0, 0.0]

        def on_batch(trainer: Any, terms: Any, sums: list[float] = sums) -> None:
            sums[trainer.epoch] += terms.total

        trained.trainer.run(on_batch=on_batch)
        assert [epoch["total"] for epoch in run.epochs] == pytest.approx(sums, rel=1e-9)
        history = trained.trainer.history
        assert [one["reconstruction"] for one in run.per_image] == pytest.approx(history.column("train.reconstruction"), rel=1e-12)
    assert found.runs[0].epochs != found.runs[1].epochs


def test_each_term_stands_there_with_its_weight(publish: Publish) -> None:
    found = reproduce(publish(model="vae", more="beta = 0.5\nl2 = 0.01"), MINIMUM_SEEDS)
    trainer = prepare(resolve("tiny", flags={"seed": 2})).trainer
    trainer.run()
    run, row = found.runs[2], trainer.history[1]["train"]
    assert run.per_image[1] == pytest.approx({"nll": row["nll"], "kl": 0.5 * row["kl"], "l2": 0.01 * row["l2"]}, rel=1e-12)
    for epoch in run.epochs:
        assert sum(value for name, value in epoch.items() if name != "total") == pytest.approx(epoch["total"], rel=1e-9)


def test_a_mean_over_features_is_given_per_image_too(publish: Publish) -> None:
    run = reproduce(publish(more='reconstruction = "mean_squared_error"'), MINIMUM_SEEDS).runs[0]
    assert run.per_image[0]["reconstruction"] == pytest.approx(64 * run.epochs[0]["reconstruction"] / 3, rel=1e-12)


def test_the_initial_losses_are_those_of_batches_before_any_step(publish: Publish) -> None:
    run = reproduce(publish(), MINIMUM_SEEDS).runs[1]
    fresh = prepare(resolve("tiny", flags={"seed": 1}))
    batches = batch_indices(1500, 500, seed=1, epoch=0, shuffle=True, drop_last=False)
    expected = [np.square(fresh.model.reconstruct(fresh.trainer.x[rows]) - fresh.trainer.x[rows]).sum() / 500 for rows in batches]
    assert run.initial == pytest.approx(expected, rel=1e-5)


def measured_of(publish: Publish) -> tuple[float, list[float]]:
    """What three seeds of the small preset measure: medians."""
    rows = reproduce(publish(), MINIMUM_SEEDS).rows
    initial, *epochs = (float(np.median(row.measured)) for row in rows)
    return initial, epochs


def test_a_preset_in_band_ends_with_status_0_and_prints_both(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    initial, epochs = measured_of(publish)
    publish(initial=initial, epochs=epochs, independent={"epoch 2 total": [epochs[1] - 1, epochs[1] + 1]})
    assert main(["reproduce", "tiny", "--seeds", str(MINIMUM_SEEDS)]) == 0
    shown = capsys.readouterr().out
    for fragment in (
        "published",
        "min",
        "median",
        "max",
        "epoch 1",
        "epoch 2",
        "initial",
        "in band",
        "overlap",
        f"{MINIMUM_SEEDS} seeds",
        "reconstruction",
    ):
        assert fragment in shown
    assert "OUT" not in shown
    assert f"{epochs[1]:.3f}" in shown


@pytest.mark.parametrize("moved", ["initial", "epoch 1", "epoch 2"])
def test_a_published_value_outside_its_band_ends_with_status_1(moved: str, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    initial, epochs = measured_of(publish)
    rows = {row.name: row for row in reproduce(publish(), MINIMUM_SEEDS).rows}
    low, high = rows[moved].band
    outside = high + 0.1 * (high - low)
    publish(
        initial=outside if moved == "initial" else initial,
        epochs=[outside if moved == f"epoch {place + 1}" else value for place, value in enumerate(epochs)],
    )
    assert main(["reproduce", "tiny", "--seeds", str(MINIMUM_SEEDS)]) == 1
    shown = capsys.readouterr().out
    assert "OUT OF BAND" in shown
    assert next(line for line in shown.splitlines() if line.startswith(moved)).rstrip().endswith("OUT")


def test_a_range_that_is_missed_ends_with_status_1(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    initial, epochs = measured_of(publish)
    publish(initial=initial, epochs=epochs, independent={"epoch 1 total": [epochs[0] * 2, epochs[0] * 3]})
    assert main(["reproduce", "tiny", "--seeds", str(MINIMUM_SEEDS)]) == 1
    assert "APART" in capsys.readouterr().out


def test_json_holds_every_number_and_nothing_else_is_on_stdout(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    initial, epochs = measured_of(publish)
    publish(initial=initial, epochs=epochs)
    assert main(["reproduce", "tiny", "--seeds", str(MINIMUM_SEEDS), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    assert found["preset"] == "tiny"
    assert [row["name"] for row in found["rows"]] == ["initial", "epoch 1", "epoch 2"]
    assert [row["published"] for row in found["rows"]] == [initial, *epochs]
    assert len(found["seeds"]) == MINIMUM_SEEDS
    for row in found["rows"]:
        assert row["min"] <= row["median"] <= row["max"]
        assert row["band"][0] <= row["median"] <= row["band"][1]


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_of_ours_says_what_was_published(name: str) -> None:
    found = preset(name)
    assert name in preset_names()
    published = found.published
    assert len(published["epochs"]) == found.settings["epochs"] == 5
    assert set(published["judged"]) <= {"initial", 1, 2, 3, 4, 5}
    assert {5, "initial"} <= set(published["judged"])
    for key, (low, high) in published["independent"].items():
        word, epoch, _ = key.split()
        assert (word, 1 <= int(epoch) <= 5, low < high) == ("epoch", True, True)


PUBLISHED = {  # the founding document's log, copied here a second time
    "flux-ae": (0.11730117, [26.156715, 19.408918, 18.337896, 17.72952, 17.113337]),
    "flux-vae": (549.64185, [95935.95, 82061.76, 80723.4, 79984.555, 79640.5]),
    "flux-wae": (110.71296, [15915.853, 12841.568, 12501.018, 12185.054, 12037.139]),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_numbers_are_the_documents(name: str) -> None:
    assert (preset(name).published["initial"], preset(name).published["epochs"]) == PUBLISHED[name]


def test_the_settings_of_the_presets_are_the_documents() -> None:
    same = {
        "data": "mnist",
        "epochs": 5,
        "batch_size": 100,
        "learning_rate": 0.01,
        "hidden": [128],
        "latent": 8,
        "activation": "leaky_relu",
    }
    same |= {"initialiser": "flux", "epsilon": 1e-8, "epsilon_placement": "bias_corrected", "validation": "none"}
    own: dict[str, dict[str, Any]] = {
        "flux-ae": {"model": "ae", "reconstruction": "mean_squared_error", "code_activation": "leaky_relu"},
        "flux-vae": {"model": "vae", "reconstruction": "bernoulli", "posterior": "log_std", "l2": 0.005, "beta": 1.0},
        "flux-wae": {"model": "wae", "reconstruction": "squared_error", "posterior": "log_std", "encoder": "gaussian", "lambda": 10.0}
        | {"kernel": "rbf", "bandwidth": "flux", "stop_gradient": True},
    }
    for name, settings in own.items():
        assert preset(name).settings == same | settings


def test_an_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'flux-vae'"):
        preset("flux-vea")
