"""A model in one file: saved and loaded bit for bit; foreign, damaged and missing files are refused; nothing is pickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import npae
from npae.backend import Array
from npae.errors import InputError
from npae.models import MODELS

MAKES: dict[str, dict[str, Any]] = {
    "ae": {"hidden": (9, 7), "code_activation": "tanh", "dropout": 0.1},
    "vae": {"posterior": "sigma", "beta": 0.5, "l2": 0.01, "reconstruction": "gaussian", "eta": 0.3},
    "wae": {"bandwidth": 3.0, "kernel": "rbf", "lambda_": 2.0, "stop_gradient": False},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", MAKES)
def test_a_model_comes_back_bit_for_bit_with_all_its_settings(kind: str, dtype: str, rows: Array, tmp_path: Path) -> None:
    model = MODELS[kind](64, **{"hidden": (9,), "latent": 3, "seed": 4, "dtype": dtype, "backend": "numpy", **MAKES[kind]})
    npae.fit(model, rows, epochs=1)
    path = npae.save(model, tmp_path / "model.safetensors")
    loaded = npae.load(path, backend="numpy")
    assert type(loaded) is type(model)
    assert loaded.parameters.names() == model.parameters.names()
    assert loaded.parameters.value.dtype == np.dtype(dtype)
    assert loaded.parameters.value.tobytes() == model.parameters.value.tobytes()
    assert {key: value for key, value in loaded.spec.items() if key != "hidden"} == {k: v for k, v in model.spec.items() if k != "hidden"}
    assert list(loaded.spec["hidden"]) == list(model.spec["hidden"])
    assert loaded.reconstruct(rows).tobytes() == model.reconstruct(rows).tobytes()
    noise = model.draw(0, 0, len(rows))
    assert loaded.loss_and_grad(rows, noise=noise).total == model.loss_and_grad(rows, noise=noise).total
    assert loaded.parameters.grad.tobytes() == model.parameters.grad.tobytes()


def test_saving_again_gives_the_same_bytes(tmp_path: Path) -> None:
    model = npae.VAE(6, (5,), 2, backend="numpy")
    one = npae.save(model, tmp_path / "one.safetensors")
    two = npae.save(npae.load(one, backend="numpy"), tmp_path / "two.safetensors")
    assert one.read_bytes() == two.read_bytes()


def test_the_file_is_plain_safetensors_with_a_tensor_for_each_parameter(tmp_path: Path) -> None:
    model = npae.VAE(6, (5,), 2, backend="numpy", seed=3)
    with safe_open(npae.save(model, tmp_path / "m.safetensors"), framework="numpy") as file:
        assert set(file.keys()) == set(model.parameters.names())
        for name in model.parameters.names():
            np.testing.assert_array_equal(file.get_tensor(name), model.parameters[name].value)
        header = file.metadata()
    assert header["format"] == "npae 1"
    assert header["kind"] == "vae"
    assert "backend" not in json.loads(header["spec"])


def test_a_path_may_be_text_and_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    assert npae.save(npae.AE(6, (5,), 2, backend="numpy"), str(path)) == path
    assert isinstance(npae.load(str(path), backend="numpy"), npae.AE)


def test_numbers_of_numpy_in_the_settings_can_be_saved(tmp_path: Path) -> None:
    numbers: dict[str, Any] = {"seed": np.int64(3), "lambda_": np.float64(2.0), "bandwidth": np.float64(1.5)}
    model = npae.WAE(6, (5,), 2, **numbers, backend="numpy")
    loaded = npae.load(npae.save(model, tmp_path / "m.safetensors"), backend="numpy")
    assert loaded.parameters.value.tobytes() == model.parameters.value.tobytes()
    assert (loaded.spec["seed"], loaded.spec["lambda_"], loaded.spec["bandwidth"]) == (3, 2.0, 1.5)


SPEC = json.dumps({"features": 6, "hidden": [5], "latent": 2})
FOREIGN: dict[str, dict[str, str] | None] = {
    "no header": None,
    "another program's header": {"format": "pt"},
    "another program's kind": {"kind": "vae", "spec": SPEC},
    "a later version": {"format": "npae 2", "kind": "vae", "spec": SPEC},
    "no kind": {"format": "npae 1", "spec": SPEC},
    "no spec": {"format": "npae 1", "kind": "vae"},
    "an unknown kind": {"format": "npae 1", "kind": "gan", "spec": SPEC},
    "a spec that is not JSON": {"format": "npae 1", "kind": "vae", "spec": "hello"},
    "a spec that is a list": {"format": "npae 1", "kind": "vae", "spec": "[1]"},
    "a spec with an unknown word": {"format": "npae 1", "kind": "vae", "spec": '{"features": 6, "foo": 1}'},
    "a spec without features": {"format": "npae 1", "kind": "vae", "spec": '{"latent": 6}'},
    "a spec of the wrong type": {"format": "npae 1", "kind": "vae", "spec": '{"features": "six"}'},
    "a spec whose hidden is a number": {"format": "npae 1", "kind": "vae", "spec": '{"features": 6, "hidden": 5}'},
    "the tensors of something else": {"format": "npae 1", "kind": "vae", "spec": SPEC},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_safetensors_file_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"a": np.zeros(3)}, path, metadata=FOREIGN[name])
    with pytest.raises(InputError) as refused:
        npae.load(path, backend="numpy")
    assert "foreign.safetensors" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("stated", ["npae 2", "pt", None])
def test_the_format_is_read_before_anything_else(stated: str | None, tmp_path: Path) -> None:
    """All its tensors fit; what they mean in another version nobody knows."""
    model = npae.VAE(6, (5,), 2, backend="numpy")
    tensors = {name: model.parameters[name].value for name in model.parameters.names()}
    header = {"kind": "vae", "spec": SPEC} | ({} if stated is None else {"format": stated})
    save_file(tensors, tmp_path / "other.safetensors", metadata=header)
    with pytest.raises(InputError, match=r"other\.safetensors holds no npae model .*expected 'npae 1'"):
        npae.load(tmp_path / "other.safetensors", backend="numpy")


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "a zip", "a pickle", "its header cut"])
def test_a_damaged_model_file_is_refused_in_one_line(damage: str, tmp_path: Path) -> None:
    path = npae.save(npae.AE(6, (5,), 2, backend="numpy"), tmp_path / "m.safetensors")
    content = path.read_bytes()
    broken = {"truncated": content[:-5], "empty": b"", "text": b"hello, world, this is text", "a zip": b"PK\x03\x04" + content}
    broken |= {"a pickle": b"\x80\x04\x95" + content, "its header cut": content[:40]}
    path.write_bytes(broken[damage])
    with pytest.raises(InputError, match=r"m\.safetensors") as refused:
        npae.load(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.safetensors: no such file"):
        npae.load(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("where", ["no/such/folder/m.safetensors", "."])
def test_a_place_that_cannot_hold_a_file_is_refused_by_name(where: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"):
        npae.save(npae.AE(6, (5,), 2, backend="numpy"), tmp_path / where)


def test_loading_unpickles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError("something was pickled or unpickled")

    for name in ("load", "loads", "dump", "dumps", "Unpickler", "Pickler"):
        monkeypatch.setattr(pickle, name, refuse)
    model = npae.AE(6, (5,), 2, backend="numpy")
    npae.load(npae.save(model, tmp_path / "m.safetensors"), backend="numpy")
