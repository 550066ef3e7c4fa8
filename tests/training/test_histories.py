"""The history as an object, as JSON lines, and what its numbers mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npae.data.batches import batch_indices
from npae.errors import InputError
from npae.noise import evaluation_seed
from npae.training.averages import Averages
from npae.training.history import History
from npae.training.loop import Trainer

Make = Callable[..., Trainer]


def test_the_object_and_the_file_agree_and_the_file_reads_back(train_as: Make, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    trainer = train_as("vae", validation=0.2, epochs=3)
    history = trainer.run(on_epoch=lambda trainer: trainer.history.append_to(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == list(history) == History.read(path).rows
    written = tmp_path / "written.jsonl"
    history.write(written)
    assert written.read_bytes() == path.read_bytes()


def test_a_row_says_what_its_documentation_says(train_as: Make) -> None:
    history = train_as("vae", validation=0.2, epochs=2, schedule="linear").run()
    assert [row["epoch"] for row in history] == [1, 2]
    assert [row["step"] for row in history] == [4, 8]
    assert [row["batches"] for row in history] == [4, 4]
    assert [row["learning_rate"] for row in history] == [2e-3, 2e-3 * (1 - 4 / 8)]
    for row in history:
        assert set(row) == {"epoch", "step", "seconds", "learning_rate", "batches", "weights", "train", "validation", "fingerprint"}
        assert set(row["train"]) == set(row["validation"]) == {"total", "nll", "kl"}
        assert next(iter(row["train"])) == "total"
        assert row["seconds"] > 0


@pytest.mark.parametrize("kind", ["ae", "vae", "wae"])
def test_the_training_loss_of_an_epoch_is_the_mean_over_its_rows(kind: str, train_as: Make) -> None:
    trainer = train_as(kind, batch_size=50, epochs=1)  # 50, 50 and 20 rows
    seen: list[tuple[float, int]] = []
    sizes = iter([50, 50, 20])
    trainer.run(on_batch=lambda trainer, terms: seen.append((terms.total, next(sizes))))
    expected = sum(total * rows for total, rows in seen) / 120
    assert trainer.history[0]["train"]["total"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("kind", "settings"), [("vae", {"beta": 0.3, "l2": 0.01}), ("vae", {"free_bits": 0.2}), ("wae", {"lambda": 3.0})])
def test_the_total_is_the_weighted_sum_of_the_other_terms(kind: str, settings: dict[str, Any], train_as: Make) -> None:
    for row in train_as(kind, validation=0.2, epochs=2, **settings).run():
        for part in (row["train"], row["validation"]):
            weighted = sum(row["weights"][name] * value for name, value in part.items() if name != "total")
            assert part["total"] == pytest.approx(weighted, rel=1e-9)


def test_a_loop_written_here_sees_the_same_losses(train_as: Make) -> None:
    trainer = train_as("vae", epochs=2, batch_size=50)
    twin = train_as("vae", epochs=2, batch_size=50)
    history = trainer.run()
    step = 0
    for epoch in range(2):
        sums = 0.0
        for rows in batch_indices(120, 50, seed=0, epoch=epoch, shuffle=True, drop_last=False):
            noise = twin.model.draw(0, step, len(rows))
            sums += twin.model.loss_and_grad(twin.x[rows], noise=noise, step=step).total * len(rows)
            twin.optimizer.update()
            step += 1
        assert history[epoch]["train"]["total"] == pytest.approx(sums / 120, rel=1e-12)
    assert trainer.model.parameters.value.tobytes() == twin.model.parameters.value.tobytes()


def test_columns_are_read_by_dotted_name(train_as: Make) -> None:
    history = train_as("vae", validation=0.2, epochs=2).run()
    assert history.column("epoch") == [1, 2]
    assert history.column("train.kl") == [row["train"]["kl"] for row in history]
    assert history.column("validation.nll") == [row["validation"]["nll"] for row in history]
    assert history[-1] == history.rows[1]
    assert len(history) == 2


@pytest.mark.parametrize("name", ["train.kll", "kl", "validation.kl", "train.kl.x"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(name: str, train_as: Make) -> None:
    history = train_as("vae", epochs=1).run()
    with pytest.raises(InputError, match=r"train\.total, train\.nll, train\.kl") as refused:
        history.column(name)
    assert f"'{name}'" in str(refused.value)


def test_a_history_file_with_a_broken_line_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1, "seconds": 0.5, "train": {"total": 1.0}}\n{"epoch": 2, "tr')
    with pytest.raises(InputError, match=r"history\.jsonl:2 is not JSON"):
        History.read(path)


def test_a_history_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.jsonl"):
        History.read(tmp_path / "nothing.jsonl")


def test_a_new_average_is_empty_and_forgets_nothing_of_the_old() -> None:
    first, second = Averages({"total": 2.0}, 1, 1), Averages()
    assert first.mean() == {"total": 2.0}
    assert second.sums == {}


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_validation_draws_other_numbers_than_training(seed: int) -> None:
    other = evaluation_seed(seed)
    assert other != seed
    assert 0 <= other < 2**64


def test_the_history_prints_its_last_loss() -> None:
    assert repr(History()) == "History(0 epochs, last training loss nan)"
    assert "last training loss 1.5" in repr(History([{"train": {"total": np.float64(1.5)}}]))
