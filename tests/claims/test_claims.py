"""The claims as experiments: each runs, its verdict follows from its numbers, and what cannot be measured is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from npae.claims import CLAIMS, Claim, Seen, Trainings, Verdict, claim
from npae.cli import main
from npae.errors import InputError

QUICK = ["--data", "digits", "--epochs", "1", "--seeds", "1", "--backend", "numpy"]


def verdict_of(*held: bool) -> Verdict:
    """A claim whose seeds say that."""
    return Verdict(Claim("c", "s", "d", "h", lambda trainings, seed: Seen({}, True)), [Seen({"a": float(one)}, one) for one in held])


@pytest.mark.parametrize(
    ("held", "word"), [((True, True), "holds"), ((False, False), "does not hold"), ((True, False), "undecided"), ((True,), "holds")]
)
def test_a_claim_holds_in_every_seed_in_none_or_is_undecided(held: tuple[bool, ...], word: str) -> None:
    assert verdict_of(*held).word == word


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_says_where_it_is_from_and_how_it_is_measured(name: str) -> None:
    one = claim(name)
    assert one.name == name
    assert "holds where" in one.how
    assert one.source
    assert one.statement


@pytest.mark.parametrize("name", [name for name in CLAIMS if name != "tsne"])  # its two maps take ten seconds
def test_every_claim_can_be_measured_and_the_report_holds_its_numbers(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "claims.json"
    assert main(["claim", name, *QUICK, "--json", "--out", str(out)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(out.read_text())
    (found,) = printed["claims"]
    assert found["name"] == name
    assert found["verdict"] == ("holds" if found["held"] == [True] else "does not hold")
    assert all(len(values) == 1 for values in found["numbers"].values())


def test_a_model_that_two_claims_need_is_trained_once() -> None:
    trainings = Trainings(data="digits", epochs=1, backend="numpy")
    first = trainings("ae", 0, latent=2, hidden=[8])
    assert trainings("ae", 0, hidden=[8], latent=2) is first
    assert trainings("ae", 1, latent=2, hidden=[8]) is not first


def test_the_table_names_the_claim_its_numbers_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claim", "kl-sigma", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "median sigma, without" in printed
    assert "of 1 seeds)" in printed
    assert "The VAE's KL term keeps sigma off zero" in printed
    assert "1 epochs instead of each claim's own" in printed


def test_the_list_names_every_claim(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claim", "list"]) == 0
    printed = capsys.readouterr().out
    for name, one in CLAIMS.items():
        assert f"{name}: {one.statement}" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["claim", "pcaa"], "claim 'pcaa' is not known; did you mean 'pca'?"),
        (["claim", "pca", "--seeds", "0"], "--seeds 0: at least 1 is needed"),
        (["claim", "pca", "--epochs", "0"], "--epochs 0: at least 1 is needed"),
    ],
)
def test_a_claim_that_is_not_one_is_refused_in_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


def test_data_without_labels_cannot_settle_a_claim(tmp_path: Path) -> None:
    import numpy as np

    np.save(tmp_path / "x.npy", np.random.default_rng(0).uniform(size=(50, 4)))
    with pytest.raises(InputError, match="claims need training rows and test rows with labels"):
        Trainings(data=str(tmp_path / "x.npy"), epochs=1, backend="numpy")("ae", 0, latent=2)
