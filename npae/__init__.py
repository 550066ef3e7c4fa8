"""npae: autoencoders from scratch, every gradient written by hand and checked.

    import npae
    model = npae.VAE(features=64, latent=2)
    history = npae.fit(model, x, epochs=50)
    codes, images = model.encode(x), model.sample(16)

Names are imported when they are first used, so that `npae --help` and `import npae` cost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from npae import kernels as kernels
    from npae.data import load as load_data
    from npae.errors import InputError, NonFiniteError
    from npae.inspection.gradcheck import gradcheck
    from npae.models import AE, MODELS, VAE, WAE, Terms
    from npae.noise import Noise
    from npae.optim import Adam
    from npae.training.history import History
    from npae.training.loop import fit
    from npae.training.model_file import load, save

__version__ = "0.1.0"

_WHERE = {
    "AE": "npae.models",
    "VAE": "npae.models",
    "WAE": "npae.models",
    "MODELS": "npae.models",
    "Terms": "npae.models",
    "Noise": "npae.noise",
    "Adam": "npae.optim",
    "History": "npae.training.history",
    "fit": "npae.training.loop",
    "save": "npae.training.model_file",
    "load": "npae.training.model_file",
    "load_data": "npae.data",
    "gradcheck": "npae.inspection.gradcheck",
    "InputError": "npae.errors",
    "NonFiniteError": "npae.errors",
}

__all__ = [
    "AE",
    "MODELS",
    "VAE",
    "WAE",
    "Adam",
    "History",
    "InputError",
    "Noise",
    "NonFiniteError",
    "Terms",
    "fit",
    "gradcheck",
    "kernels",
    "load",
    "load_data",
    "save",
]


def __getattr__(name: str) -> Any:
    if name == "kernels":
        return importlib.import_module("npae.kernels")
    if name not in _WHERE:
        raise AttributeError(f"module 'npae' has no attribute '{name}'")
    if name == "load_data":
        return importlib.import_module("npae.data").load
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
