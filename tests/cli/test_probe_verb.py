"""`npae probe`: codes beside PCA and the rows, each number that of the probe itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import npae as library
from npae.evaluation.pca import fit_pca
from npae.evaluation.probe import probe


def test_the_table_holds_the_probe_of_codes_of_pca_and_of_the_rows(npae: Any, run_of: Any, few: Any) -> None:
    folder = run_of("ae")
    said = npae("probe", folder, "--data", few, "--json")
    assert (said.status, said.err) == (0, "")
    found = json.loads(said.out)
    assert json.loads((folder / "probe.json").read_text()) == found
    assert [(name, one["numbers"]) for name, one in found["probes"].items()] == [
        ("codes of the ae", 2),
        ("PCA", 2),
        ("rows themselves", 64),
    ]
    npae("embed", folder, "--train", "--out", "train.npz")
    with np.load("train.npz") as train, np.load(few) as data:
        x = data["x"].reshape(120, -1)
        codes = library.load(folder, backend="numpy").encode(x)
        expected = probe(train["code"], train["label"], codes, data["y"])
        rows = x[[int(np.flatnonzero((codes == code).all(axis=1))[0]) for code in train["code"]]]  # the rows that trained
        pca = fit_pca(rows, 2)
        beside = probe(pca.encode(rows), train["label"], pca.encode(x), data["y"])
    assert found["probes"]["codes of the ae"] == {"numbers": 2, **expected.as_dict()}
    assert found["probes"]["PCA"] == {"numbers": 2, **beside.as_dict()}
    assert f"{expected.logistic:.4f}" in npae("probe", folder, "--data", few).out


def test_without_labels_there_is_nothing_to_probe(npae: Any, run_of: Any) -> None:
    np.save("plain.npy", np.random.default_rng(0).random((5, 64)).astype(np.float32))
    said = npae("probe", run_of("ae"), "--data", "plain.npy")
    assert (said.status, said.out) == (2, "")
    assert "a probe needs labels, and 'plain.npy' have none" in said.err
