"""`generate`, `reconstruct` and `evaluate`: what they write, what they print, and that the numbers are the model's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import npae as library

KINDS = ["ae", "vae", "wae"]


def arrays(path: Path) -> dict[str, Any]:
    """A .npz, nothing unpickled."""
    with np.load(path, allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def whole(picture: Path) -> bool:
    """Whether it is a PNG with every byte of it there."""
    with Image.open(picture) as image:
        image.verify()
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_generate_draws_rows_and_says_where_the_codes_are_from(kind: str, npae: Any, run_of: Any) -> None:
    folder = run_of(kind)
    said = npae("generate", folder, "--rows", 5)
    assert (said.status, said.err) == (0, "")
    x = arrays(folder / "generated.npz")["x"]
    assert x.shape == (5, 64)
    assert np.isfinite(x).all()
    assert whole(folder / "figures" / "generated.png")
    assert ("Gaussian fitted" if kind == "ae" else "prior N(0, I)") in said.out
    assert str(folder / "generated.npz") in said.out


def test_generated_rows_are_the_models_samples(npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    npae("generate", folder, "--rows", 5, "--seed", 3)
    np.testing.assert_array_equal(arrays(folder / "generated.npz")["x"], library.load(folder, backend="numpy").sample(5, seed=3))


def test_the_seed_decides_which(npae: Any, run_of: Any) -> None:
    folder, drawn = run_of("ae"), []
    for seed in (0, 0, 1):
        npae("generate", folder, "--rows", 4, "--seed", seed)
        drawn.append(arrays(folder / "generated.npz")["x"].tobytes())
    assert drawn[0] == drawn[1] != drawn[2]


def test_generate_in_json(npae: Any, run_of: Any) -> None:
    folder = run_of("wae")
    found = json.loads(npae("generate", folder, "--rows", 3, "--json").out)
    assert found["rows"] == 3
    assert Path(found["arrays"]).is_file()
    assert Path(found["picture"]).is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_reconstruct_writes_rows_codes_and_errors_that_agree(kind: str, npae: Any, run_of: Any) -> None:
    folder = run_of(kind)
    said = npae("reconstruct", folder, "--json")
    assert (said.status, said.err) == (0, "")
    found, content = json.loads(said.out), arrays(folder / "reconstructed.npz")
    model = library.load(folder, backend="numpy")
    x = content["x"]
    assert (x.shape, content["code"].shape) == ((12, 64), (12, 2))  # the tenth of 120 rows that was held out
    assert found["data"] == "validation rows"
    np.testing.assert_array_equal(content["code"], model.encode(x))
    np.testing.assert_array_equal(content["reconstruction"], model.reconstruct(x))
    np.testing.assert_allclose(content["squared_error"], np.square(content["reconstruction"] - x, dtype=np.float64).mean(axis=1), rtol=1e-6)
    assert found["squared_error_per_feature"] == pytest.approx(content["squared_error"].mean(), rel=1e-6)
    assert found["rows"] == 12
    assert whole(folder / "figures" / "reconstructed.png")


def test_reconstruct_says_the_same_in_words(npae: Any, run_of: Any) -> None:
    folder = run_of("ae")
    found = json.loads(npae("reconstruct", folder, "--json").out)
    said = npae("reconstruct", folder)
    assert f"{found['squared_error_per_feature']:.5f} per feature" in said.out
    assert "12 rows (validation rows)" in said.out


def test_only_the_first_rows_when_told(npae: Any, run_of: Any) -> None:
    folder = run_of("ae")
    npae("reconstruct", folder)
    everything = arrays(folder / "reconstructed.npz")["x"]
    npae("reconstruct", folder, "--rows", 4)
    np.testing.assert_array_equal(arrays(folder / "reconstructed.npz")["x"], everything[:4])


def test_other_data_are_scaled_as_the_training_rows_were(npae: Any, images: Any) -> None:
    grey = (images[0] * 200 + 20).astype(np.uint8)
    np.save("grey.npy", grey)
    np.save("new.npy", grey[:10])
    npae("train", "ae", "--data", "grey.npy", "--epochs", 1, "--hidden", 8, "--backend", "numpy", "--set", "scale=standard", "--out", "run")
    assert npae("reconstruct", "run", "--data", "new.npy").status == 0
    content = arrays(Path("run/reconstructed.npz"))
    np.testing.assert_allclose(content["x"].reshape(10, 8, 8), grey[:10], atol=1e-3)  # in the units of the data
    assert content["reconstruction"].max() > 5


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_stores_what_it_prints(kind: str, npae: Any, run_of: Any) -> None:
    folder = run_of(kind)
    said = npae("evaluate", folder, "--json", "--samples", 3)
    assert (said.status, said.err) == (0, "")
    found = json.loads(said.out)
    assert found == json.loads((folder / "evaluation.json").read_text())
    assert (found["rows"], found["data"], found["pca_components"]) == (12, "validation rows", 2)
    assert ("log_likelihood" in found) == (kind == "vae")
    assert ("codes" in found) == (kind != "ae")
    if kind == "vae":
        bound = found["log_likelihood"]
        assert bound["elbo"] < bound["importance_weighted"]
        assert bound["importance_samples"] == 3
        assert abs(bound["elbo"] + found["objective"]["total"]) < 4 * bound["elbo_standard_error"] + 1


def test_evaluate_gives_the_validation_loss_of_the_best_epoch(npae: Any, run_of: Any) -> None:
    for kind in KINDS:
        folder = run_of(kind)
        best = json.loads((folder / "checkpoint" / "last.json").read_text())["best"]["loss"]
        found = json.loads(npae("evaluate", folder, "--json", "--samples", 1).out)
        assert found["objective"]["total"] == pytest.approx(best, rel=1e-6)


def test_evaluate_says_it_in_words(npae: Any, run_of: Any) -> None:
    said = npae("evaluate", run_of("vae"), "--samples", 2)
    for fragment in (
        "objective",
        "nll",
        "kl",
        "squared error per feature",
        "PCA with 2 components",
        "ELBO",
        "log p(x) is at least",
        "MMD^2",
    ):
        assert fragment in said.out
    assert "nats per image" in said.out
    assert "active units" in said.out


def test_evaluate_on_other_data_says_which(npae: Any, run_of: Any, images: Any) -> None:
    np.save("new.npy", images[0][:30])
    found = json.loads(npae("evaluate", run_of("wae"), "--data", "new.npy", "--json").out)
    assert (found["rows"], found["data"]) == (30, "new.npy")


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_row_can_be_evaluated_or_is_refused_in_one_line(kind: str, npae: Any, run_of: Any, images: Any) -> None:
    np.save("one.npy", images[0][:1])
    said = npae("evaluate", run_of(kind), "--data", "one.npy")
    if kind == "wae":  # its objective itself is a statement about pairs of codes
        assert said.status == 2
        assert said.err.count("\n") == 1
        assert "at least 2" in said.err
        assert "--batch-size" not in said.err  # which evaluate does not have
    else:
        assert (said.status, said.err) == (0, "")


def test_a_run_without_held_out_rows_says_that_it_judges_by_its_training_rows(npae: Any, few: Path) -> None:
    words = ("--epochs", 1, "--hidden", 8, "--backend", "numpy", "--validation", "none")
    npae("train", "ae", "--data", few, *words, "--out", "run")
    assert "training rows" in npae("evaluate", "run").out


def test_a_run_with_test_rows_is_judged_by_them(npae: Any) -> None:
    npae("train", "ae", "--epochs", 1, "--hidden", 8, "--backend", "numpy", "--validation", 0.1, "--out", "run")
    found = json.loads(npae("evaluate", "run", "--json").out)
    assert (found["rows"], found["data"]) == (297, "digits, test rows")


@pytest.mark.parametrize("binarise", ["fixed", "dynamic"])
def test_a_binarised_run_is_judged_on_binarised_rows(binarise: str, npae: Any, few: Path) -> None:
    words = ("--epochs", 1, "--hidden", 8, "--backend", "numpy", "--set", f"binarise={binarise}")
    npae("train", "vae", "--data", few, *words, "--out", "run")
    assert npae("reconstruct", "run").status == 0
    assert set(np.unique(arrays(Path("run/reconstructed.npz"))["x"])) == {0.0, 1.0}
    best = json.loads(Path("run/checkpoint/last.json").read_text())["best"]["loss"]
    found = json.loads(npae("evaluate", "run", "--json", "--samples", 1).out)
    assert found["objective"]["total"] == pytest.approx(best, rel=1e-6)


def test_a_run_made_with_one_backend_is_opened_with_it(npae: Any, run_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPAE_BACKEND", "numba")
    folder = run_of("ae")
    assert npae("evaluate", folder).status == 0


def test_a_verb_that_fails_leaves_what_an_earlier_call_wrote(npae: Any, run_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    folder = run_of("ae")
    npae("generate", folder, "--rows", 3)
    before = (folder / "generated.npz").read_bytes()

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device", str(arguments[1]))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        said = npae("generate", folder, "--rows", 9)
    assert said.status == 2
    assert "No space left" in said.err
    assert (folder / "generated.npz").read_bytes() == before
    assert not list(folder.rglob("*.tmp"))
