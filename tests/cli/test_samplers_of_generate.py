"""`npae generate --sampler`: codes from the prior, from a Gaussian, or from a mixture that was fitted to the codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import npae as library
from npae.evaluation.mixture import fit_mixture


def drawn(folder: Path) -> Any:
    with np.load(folder / "generated.npz") as content:
        return content["x"]


def test_a_mixture_makes_a_plain_autoencoder_generative(npae: Any, run_of: Any) -> None:
    folder = run_of("ae")
    found = json.loads(npae("generate", folder, "--rows", 8, "--sampler", "mixture", "--components", 3, "--json").out)
    assert found["codes_from"] == "a mixture of 3 Gaussians fitted to the training codes"
    npae("embed", folder, "--train", "--out", "codes.npz")
    model = library.load(folder, backend="numpy")
    z = fit_mixture(np.load("codes.npz")["code"], 3).sample(8)
    np.testing.assert_allclose(drawn(folder), model.decode(z), rtol=1e-5, atol=1e-6)


def test_another_sampler_than_the_models_own_is_drawn_beside_it(npae: Any, run_of: Any) -> None:
    folder = run_of("vae")
    npae("generate", folder, "--rows", 6)
    assert not (folder / "figures" / "samplers.png").exists()
    said = npae("generate", folder, "--rows", 6, "--sampler", "mixture")
    assert (said.status, said.err) == (0, "")
    assert str(folder / "figures" / "samplers.png") in said.out
    assert (folder / "figures" / "samplers.png").is_file()


def test_naming_the_models_own_sampler_changes_nothing(npae: Any, run_of: Any) -> None:
    for kind, own in (("vae", "prior"), ("ae", "gaussian")):
        folder, rows = run_of(kind), []
        for words in ((), ("--sampler", own)):
            npae("generate", folder, "--rows", 5, *words)
            rows.append(drawn(folder))
        np.testing.assert_array_equal(*rows)


def test_a_sampler_that_a_model_has_not_is_refused(npae: Any, run_of: Any) -> None:
    said = npae("generate", run_of("ae"), "--sampler", "prior")
    assert (said.status, said.out) == (2, "")
    assert "this ae has no prior; take gaussian or mixture" in said.err
    said = npae("generate", run_of("vae"), "--components", 4)
    assert said.status == 2
    assert "--components 4 is for a mixture; add --sampler mixture" in said.err
    said = npae("generate", run_of("vae"), "--sampler", "mixture", "--components", 400)
    assert said.status == 2
    assert "400 Gaussians fitted to 108 codes: expected 1 to 54" in said.err
