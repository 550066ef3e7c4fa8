"""`npae reproduce all`: every preset in one table, finished seeds stored and found again; and a preset's own unit after a training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from npae.cli import main
from npae.evaluation import reproduction
from npae.evaluation.reproduction import SEEDS
from npae.evaluation.stored_seeds import seed_file
from npae.figures import run_figures
from npae.presets import Preset
from npae.training.configuration import resolve

Publish = Callable[..., Preset]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The presets lie in tmp_path; runs/ beside them."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds that are really trained."""
    seeds: list[int] = []
    before = reproduction.run_seed

    def run_seed(preset: Preset, configuration: Any, *more: Any) -> Any:
        seeds.append(configuration["seed"])
        return before(preset, configuration, *more)

    monkeypatch.setattr(reproduction, "run_seed", run_seed)
    return seeds


def test_a_second_call_trains_nothing_and_says_the_same(publish: Publish, trained: list[int], capsys: Captured) -> None:
    publish({"epoch 1": 0.0})
    assert main(["reproduce", "all"]) == 1
    first = capsys.readouterr()
    assert trained == list(range(SEEDS))
    assert len(list(Path("runs/reproduce").glob("tiny-seed-*.json"))) == SEEDS
    assert main(["reproduce", "all"]) == 1
    second = capsys.readouterr()
    assert second.out == first.out
    assert len(trained) == SEEDS
    assert "tiny seed 0: trained in" in first.err
    assert "tiny seed 0: found" in second.err
    assert "about 0 min left" in second.err


def test_more_seeds_train_only_those_that_are_new_and_fresh_trains_all(publish: Publish, trained: list[int], capsys: Captured) -> None:
    publish({})
    assert main(["reproduce", "all"]) == 0
    assert main(["reproduce", "all", "--seeds", "3"]) == 0
    assert trained == [0, 1, 2]
    assert main(["reproduce", "all", "--seeds", "2", "--fresh"]) == 0
    assert trained == [0, 1, 2, 0, 1]
    assert main(["reproduce", "tiny", "--seeds", "2"]) == 0  # stores nothing, looks for nothing
    assert trained == [0, 1, 2, 0, 1, 0, 1]


def test_a_seed_of_other_settings_is_another_seed(publish: Publish, trained: list[int]) -> None:
    publish({}, more="beta1 = 0.8")
    first = seed_file(Path("."), resolve("tiny"))
    publish({}, more="beta1 = 0.9")
    assert seed_file(Path("."), resolve("tiny")) != first
    assert seed_file(Path("."), resolve("tiny", flags={"seed": 1})) != seed_file(Path("."), resolve("tiny"))


def test_the_table_holds_every_number_and_the_terms_where_none_was_published(publish: Publish, capsys: Captured) -> None:
    publish({"steps": "6", "epoch 2": "0.5"}, independent={"epoch 2": [1, 2]})
    assert main(["reproduce", "all"]) == 1
    shown = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in shown.splitlines()}
    assert "tiny (20)" in shown
    assert shown.rstrip().endswith("tiny: OUT OF BAND: epoch 2; APART from the independent implementation: epoch 2")
    assert any("steps" in line and line.rstrip().endswith("in") for line in lines.values())
    assert any("epoch 2" in line and "0.5" in line and line.rstrip().endswith("OUT") for line in shown.splitlines())
    assert "independent implementation: APART" in shown
    publish({}, log="mean", validation="auto")
    assert main(["reproduce", "all"]) == 0
    shown = capsys.readouterr().out
    for label in ("epoch 2 total", "epoch 2 reconstruction", "epoch 2 validation total", "nothing published", "all in band"):
        assert label in shown


def test_all_as_json_is_every_preset(publish: Publish, capsys: Captured) -> None:
    publish({})
    assert main(["reproduce", "all", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["passed"], [one["preset"] for one in found["presets"]]) == (True, ["tiny"])
    assert found["presets"][0]["verdict"] == "nothing published; terms reported"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("reproduce all --presets tiny,tony", "preset 'tony' is not known; did you mean 'tiny'?"),
        ("reproduce tiny --presets tiny", "--presets tiny chooses among all: npae reproduce all --presets tiny"),
        ("reproduce tiny --fresh", "--fresh: nothing is stored without --out FOLDER"),
        ("reproduce all --seeds 0", "--seeds 0: a run needs at least 1"),
        ("reproduce all --out tiny.toml", "--out tiny.toml: cannot be created (File exists)"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(command: str, message: str, publish: Publish, capsys: Captured) -> None:
    publish({})
    assert main(command.split()) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_a_damaged_seed_is_named_with_the_way_out(publish: Publish, capsys: Captured) -> None:
    publish({})
    assert main(["reproduce", "all"]) == 0
    (path,) = Path("runs/reproduce").glob("*.json")
    for damage in ("{", "{}", '{"run": {"seed": 0}}'):
        path.write_text(damage)
        capsys.readouterr()
        assert main(["reproduce", "all"]) == 2
        assert f"{path} is damaged" in (said := capsys.readouterr().err)
        assert "delete it, and its seed is trained again" in said


def test_a_training_of_a_preset_ends_with_its_own_unit_beside_what_was_published(
    publish: Publish, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_figures, "draw_run", lambda run, folder: [])
    publish({"epoch 1": "1.50"})
    assert main(["train", "tiny", "--quiet", "--seed", "1"]) == 0
    shown = capsys.readouterr().out
    (line,) = (line for line in shown.splitlines() if "epoch 1:" in line)
    assert line.endswith(", published 1.50")
    value = float(line.split(":")[1].split(",")[0])
    assert main(["train", "tiny", "--quiet", "--seed", "1", "--json", "--latent", "3"]) == 0
    document = json.loads(capsys.readouterr().out)["document"]
    assert (document["unit"], document["changed"]) == ("sum of the 3 batch losses", ["latent"])
    assert [(one["name"], one["published"]) for one in document["losses"]] == [("epoch 1", "1.50"), ("epoch 2", None)]
    history = [json.loads(row) for row in Path("runs/tiny-digits/history.jsonl").read_text().splitlines()]
    assert value == pytest.approx(3 * history[0]["train"]["total"], rel=1e-6)
