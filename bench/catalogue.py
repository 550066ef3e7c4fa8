"""What `bench step` can measure, by name: every registered preset, and networks that are no preset.

    short names       ae, vae, wae for flux-ae, flux-vae, flux-wae
    iwae-network      the network that Burda et al. 2016 train on MNIST (784-200-200-50, tanh, batches of 20), as a VAE
    relu-ae           flux-ae's network with ReLU throughout: a plain autoencoder that scikit-learn's MLPRegressor can express
    flux-ae@512       any of them with 512 units in each hidden layer (what `bench scale` grows)

Each is measured with its own batch size, optimiser, activations, dropout and likelihood. The precision is the bench's: a clip of
probabilities that the precision would round away gives way to npae's default, and the result says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from npae.losses.bernoulli import CLIP
from npae.presets import preset_names
from npae.training.configuration import Configuration, resolve

SHORT = {"ae": "flux-ae", "vae": "flux-vae", "wae": "flux-wae"}
DEFAULT = ("flux-ae", "flux-vae", "flux-wae", "torch-ae", "keras-ae", "iwae-network", "adcme-vae")
NETWORKS: dict[str, tuple[str, Mapping[str, Any]]] = {  # name -> a model or preset, and what is set otherwise
    "iwae-network": (
        "vae",
        {
            "hidden": [200, 200], "latent": 50, "activation": ["tanh", "tanh"], "batch_size": 20, "learning_rate": 1e-3, "epsilon": 1e-4,
            "initialiser": "keras",
        },
    ),
    "relu-ae": ("flux-ae", {"activation": "relu", "code_activation": "relu", "learning_rate": 1e-3}),
}  # fmt: skip


def known() -> tuple[str, ...]:
    """Every name that `--models` takes."""
    return (*preset_names(), *NETWORKS, *SHORT)


def settings_of(name: str, backend: str, dtype: str = "float32", *, fitting: str | None = None) -> Configuration:
    """The settings of that name, computed in `dtype`; a clip that is lost in `fitting` (if not given: in dtype) gives way."""
    name, _, width = name.partition("@")
    base, flags = NETWORKS.get(name, (SHORT.get(name, name), {}))
    flags = {**flags, "backend": backend, "dtype": dtype}
    if width:
        flags["hidden"] = [int(width)] * len(resolve(base, flags=flags)["hidden"])
    settings = resolve(base, flags=flags)
    return resolve(base, flags={**flags, "clip": CLIP}) if _clip_is_lost(settings, fitting or dtype) else settings


def _clip_is_lost(settings: Configuration, dtype: str) -> bool:
    """Whether probabilities are clipped, and 1 - clip is 1 in that precision."""
    return settings.values.get("reconstruction") == "bernoulli_probabilities" and bool(np.dtype(dtype).type(1 - settings["clip"]) == 1)


def note(name: str, dtype: str) -> str:
    """What is computed otherwise than published because of the precision, or nothing."""
    published, measured = settings_of(name, "numpy", "float64"), settings_of(name, "numpy", dtype)
    if published.values.get("clip") == measured.values.get("clip"):
        return ""
    return f"clip {measured['clip']:g}, since {dtype} rounds 1 - {published['clip']:g} to 1"
