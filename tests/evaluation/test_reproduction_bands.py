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
from npae.evaluation.band import PROBABILITY, Judged, Overlap, band_factor
from npae.evaluation.reproduction import MINIMUM_SEEDS, Reproduction, reproduce, seeds_of
from npae.evaluation.seed_run import SeedRun
from npae.presets import Number, Preset, Published, preset, preset_names
from npae.training.configuration import resolve
from npae.training.run import prepare

Publish = Callable[..., Preset]
X = Number("x", 0.0, 0.0)


def test_the_band_of_five_numbers_worked_by_hand() -> None:
    """Median 10; distances from it 2 1 0 1 4, their median 1; so the band is 10 +- c(5)."""
    low, high = Judged(X, [8, 9, 10, 11, 14]).band
    assert (low, high) == (10 - band_factor(5), 10 + band_factor(5))


def test_one_seed_that_jumps_does_not_widen_the_band() -> None:
    assert Judged(X, [8, 9, 10, 11, 14]).band == Judged(X, [8, 9, 10, 11, 1400]).band


def test_the_band_moves_and_stretches_with_the_numbers() -> None:
    low, high = Judged(X, [8, 9, 10, 11, 14]).band
    assert list(Judged(X, [108, 109, 110, 111, 114]).band) == pytest.approx([low + 100, high + 100])
    assert list(Judged(X, [24, 27, 30, 33, 42]).band) == pytest.approx([3 * low, 3 * high])


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
    assert Judged(Number("x", 10 + places * band_factor(5), 0.0), [8, 9, 10, 11, 14]).in_band is inside


@pytest.mark.parametrize(("rounding", "inside"), [(0.0, False), (0.9, False), (1.1, True)])
def test_what_was_rounded_when_it_was_printed_may_lie_beside_the_band_by_that_much(rounding: float, inside: bool) -> None:
    low, high = Judged(X, [8, 9, 10, 11, 14]).band
    for value in (low - 1, high + 1):
        assert Judged(Number("x", value, rounding), [8, 9, 10, 11, 14]).in_band is inside


def test_the_rounding_is_half_a_unit_of_the_last_printed_digit(publish: Publish) -> None:
    printed = {"initial": "0.09", "epoch 1": "0.024", "epoch 2": "79640.5", "steps": "3000", "epoch 2 kl": "1.50"}
    numbers = {number.name: (number.value, number.rounding) for number in publish(printed).published.numbers}
    expected = {"initial": (0.09, 0.005), "epoch 1": (0.024, 0.0005), "epoch 2": (79640.5, 0.05), "steps": (3000, 0.5)}
    assert numbers == {name: pytest.approx(pair) for name, pair in (expected | {"epoch 2 kl": (1.5, 0.005)}).items()}


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


def seeds(**totals: list[float]) -> list[SeedRun]:
    """Three seeds that measured those totals."""
    per_seed = zip(*totals.values(), strict=True)
    return [
        SeedRun(
            seed,
            6,
            32.0,
            [1.0, 1.1, 1.2],
            [{"train": {"total": one}} for one in values],
            [{"train": {"kl": 2.0}}] * len(values),
            [],
            "",
            0.1,
        )
        for seed, values in enumerate(per_seed)
    ]


def preset_of(numbers: dict[str, float], not_judged: list[str], independent: dict[str, tuple[float, float]]) -> Preset:
    """A preset with those published numbers."""
    told = tuple(Number(name, value, 0.0, name not in not_judged) for name, value in numbers.items())
    return Preset("tiny", "title", "source", 1.0, {}, Published("u", "sum", "p", told, independent))


BOTH = {"initial": 1.1, "epoch 1": 10.0, "epoch 2": 5.0}


@pytest.mark.parametrize(
    ("numbers", "not_judged", "independent", "passed"),
    [
        (BOTH, [], {}, True),
        (BOTH | {"epoch 1": 1000.0}, [], {}, False),
        (BOTH | {"epoch 1": 1000.0}, ["epoch 1"], {}, True),  # what is not judged does not count
        (BOTH | {"initial": 9.0}, [], {}, False),
        (BOTH | {"steps": 6}, [], {}, True),
        (BOTH | {"steps": 7}, [], {}, False),
        (BOTH | {"compression": 24.5}, [], {}, False),
        ({"epoch 1": 10.0}, [], {"epoch 2": (4.0, 4.9)}, True),
        ({"epoch 1": 10.0}, [], {"epoch 2": (4.0, 4.1)}, False),
        ({"epoch 1": 10.0}, [], {"epoch 1 kl": (1.9, 2.1)}, True),
        ({"epoch 1": 10.0}, [], {"epoch 1 kl": (2.1, 2.2)}, False),
        (BOTH, list(BOTH), {}, False),  # nothing judged of what was published is nothing reproduced
        ({}, [], {}, True),  # nothing published is nothing to fail
    ],
)
def test_the_verdict(numbers: Any, not_judged: list[str], independent: Any, passed: bool) -> None:
    runs = seeds(one=[9.9, 10.0, 10.1], two=[4.8, 5.0, 5.2])
    assert Reproduction(preset_of(numbers, not_judged, independent), runs).passed is passed


def test_a_name_that_is_no_number_of_the_run_is_refused() -> None:
    (run, *_) = seeds(one=[9.9, 10.0, 10.1])
    with pytest.raises(InputError, match="'epoch 1 validation' is no number of a run whose validation terms are none"):
        run.measured("epoch 1 validation")


@pytest.mark.parametrize("seeds", [MINIMUM_SEEDS - 1, 2, 1, 0, -1])
def test_too_few_seeds_for_a_band_are_refused(seeds: int) -> None:
    with pytest.raises(InputError, match=f"--seeds {seeds}: .*at least {MINIMUM_SEEDS}"):
        reproduce(preset("flux-ae"), seeds)


def test_one_seed_is_enough_where_nothing_was_published_and_twenty_are_the_default_elsewhere() -> None:
    assert {name: seeds_of(preset(name)) for name in preset_names()} == {
        "adcme-vae": 1,
        "flux-ae": 20,
        "flux-vae": 20,
        "flux-wae": 20,
        "keras-ae": 20,
        "keras-vae": 1,
        "keras-vae-exact": 1,
        "torch-ae": 20,
    }
    with pytest.raises(InputError, match="--seeds 0: a run needs at least 1"):
        seeds_of(preset("keras-vae"), 0)


def test_the_numbers_of_a_seed_are_those_of_its_training(publish: Publish) -> None:
    found = reproduce(publish(), MINIMUM_SEEDS)
    for seed, run in enumerate(found.runs):
        trained = prepare(resolve("tiny", flags={"seed": seed}))
        sums: list[float] = [0.0, 0.0]

        def on_batch(trainer: Any, terms: Any, sums: list[float] = sums) -> None:
            sums[trainer.epoch] += terms.total

        trained.trainer.run(on_batch=on_batch)
        assert [epoch["train"]["total"] for epoch in run.epochs] == pytest.approx(sums, rel=1e-9)
        assert [run.measured("epoch 1"), run.measured("epoch 2")] == [[epoch["train"]["total"]] for epoch in run.epochs]
        assert (run.steps, run.compression) == (6, 32)
        history = trained.trainer.history
        assert [one["train"]["reconstruction"] for one in run.per_image] == pytest.approx(history.column("train.reconstruction"), rel=1e-12)
    assert found.runs[0].epochs != found.runs[1].epochs


def test_each_term_stands_there_with_its_weight(publish: Publish) -> None:
    found = reproduce(publish(model="vae", more="beta = 0.5\nl2 = 0.01"), MINIMUM_SEEDS)
    trainer = prepare(resolve("tiny", flags={"seed": 2})).trainer
    trainer.run()
    run, row = found.runs[2], trainer.history[1]["train"]
    assert run.per_image[1]["train"] == pytest.approx({"nll": row["nll"], "kl": 0.5 * row["kl"], "l2": 0.01 * row["l2"]}, rel=1e-12)
    for epoch in run.epochs:
        assert sum(value for name, value in epoch["train"].items() if name != "total") == pytest.approx(epoch["train"]["total"], rel=1e-9)


def test_a_mean_over_the_epoch_and_the_rows_that_were_held_out_or_watched_are_given_as_they_are(publish: Publish) -> None:
    run = reproduce(publish(model="vae", log="mean", validation="auto", more="watch = 9"), MINIMUM_SEEDS).runs[1]
    trainer = prepare(resolve("tiny", flags={"seed": 1})).trainer
    trainer.run()
    for epoch, row in zip(run.epochs, trainer.history, strict=True):
        assert epoch == {part: row[part] for part in ("train", "validation", "watched")}
    row = trainer.history[1]
    assert run.measured("epoch 2 validation") == [row["validation"]["total"]]
    assert run.measured("epoch 2 watched kl") == [row["watched"]["kl"]]


def test_a_term_that_is_not_minimised_is_shown_as_it_is_and_said_to_be_so(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    run = reproduce(publish({}, model="vae", log="mean", more='kl = "keras"\nnoise_scale = 0.1'), 1).runs[0]
    terms = run.per_image[1]["train"]
    assert run.only_shown == ["kl"]
    assert terms["nll"] + terms["kl_keras"] == pytest.approx(run.measured("epoch 2")[0])
    assert terms["kl"] > 0
    assert main(["reproduce", "tiny"]) == 0
    shown = capsys.readouterr().out
    assert "kl (not minimised)" in shown
    assert "tiny is not a bound: " in shown
    assert "nothing published; terms reported" in shown


def test_a_mean_over_features_is_given_per_image_too(publish: Publish) -> None:
    run = reproduce(publish(more='reconstruction = "mean_squared_error"'), MINIMUM_SEEDS).runs[0]
    image, document = run.per_image[0]["train"], run.epochs[0]["train"]
    assert image["reconstruction"] == pytest.approx(64 * document["reconstruction"] / 3, rel=1e-12)


def test_the_initial_losses_are_those_of_batches_before_any_step(publish: Publish) -> None:
    run = reproduce(publish(), MINIMUM_SEEDS).runs[1]
    fresh = prepare(resolve("tiny", flags={"seed": 1}))
    batches = batch_indices(1500, 500, seed=1, epoch=0, shuffle=True, drop_last=False)
    expected = [np.square(fresh.model.reconstruct(fresh.trainer.x[rows]) - fresh.trainer.x[rows]).sum() / 500 for rows in batches]
    assert run.initial == pytest.approx(expected, rel=1e-5)


def measured_of(publish: Publish) -> dict[str, float | str]:
    """What five seeds of the small preset measure: medians."""
    return {row.published.name: float(np.median(row.measured)) for row in reproduce(publish(), MINIMUM_SEEDS).rows}


def test_a_preset_in_band_ends_with_status_0_and_prints_both(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    numbers: Any = measured_of(publish)
    publish(numbers, independent={"epoch 2": [numbers["epoch 2"] - 1, numbers["epoch 2"] + 1]})
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
    assert f"{numbers['epoch 2']:.3f}" in shown


@pytest.mark.parametrize("moved", ["initial", "epoch 1", "epoch 2"])
def test_a_published_value_outside_its_band_ends_with_status_1(moved: str, publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = measured_of(publish)
    rows = {row.published.name: row for row in reproduce(publish(), MINIMUM_SEEDS).rows}
    low, high = rows[moved].band
    publish(numbers | {moved: high + 0.1 * (high - low)})
    assert main(["reproduce", "tiny", "--seeds", str(MINIMUM_SEEDS)]) == 1
    shown = capsys.readouterr().out
    assert "OUT OF BAND" in shown
    assert next(line for line in shown.splitlines() if line.startswith(moved)).rstrip().endswith("OUT")


def test_a_range_that_is_missed_ends_with_status_1(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    numbers: Any = measured_of(publish)
    publish(numbers, independent={"epoch 1": [numbers["epoch 1"] * 2, numbers["epoch 1"] * 3]})
    assert main(["reproduce", "tiny", "--seeds", str(MINIMUM_SEEDS)]) == 1
    assert "APART" in capsys.readouterr().out


def test_json_holds_every_number_and_nothing_else_is_on_stdout(publish: Publish, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = measured_of(publish)
    publish(numbers)
    assert main(["reproduce", "tiny", "--seeds", str(MINIMUM_SEEDS), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    assert found["preset"] == "tiny"
    assert [row["name"] for row in found["rows"]] == ["initial", "epoch 1", "epoch 2"]
    assert [row["published"] for row in found["rows"]] == list(numbers.values())
    assert len(found["seeds"]) == MINIMUM_SEEDS
    for row in found["rows"]:
        assert row["min"] <= row["median"] <= row["max"]
        assert row["band"][0] <= row["median"] <= row["band"][1]
