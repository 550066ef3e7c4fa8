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
    from npae.evaluation.two_sample import two_sample_test
    from npae.inspection.gradcheck import gradcheck
    from npae.models import (
        AE,
        CVAE,
        EMVAE,
        GAN,
        IWAE,
        MODELS,
        VAE,
        WAE,
        WAEGAN,
        ContractiveAE,
        DenoisingAE,
        DenoisingVAE,
        InfoVAE,
        LinearAE,
        Paired,
        SemiAmortisedVAE,
        SparseAE,
        Terms,
    )
    from npae.noise import Noise
    from npae.optim import Adam
    from npae.training.fit import fit
    from npae.training.history import History
    from npae.training.model_file import load, save

__version__ = "0.1.0"

_WHERE = {
    "AE": "npae.models",
    "CVAE": "npae.models",
    "ContractiveAE": "npae.models",
    "DenoisingAE": "npae.models",
    "DenoisingVAE": "npae.models",
    "EMVAE": "npae.models",
    "GAN": "npae.models",
    "IWAE": "npae.models",
    "InfoVAE": "npae.models",
    "LinearAE": "npae.models",
    "MODELS": "npae.models",
    "Paired": "npae.models",
    "SemiAmortisedVAE": "npae.models",
    "SparseAE": "npae.models",
    "Terms": "npae.models",
    "VAE": "npae.models",
    "WAE": "npae.models",
    "WAEGAN": "npae.models",
    "Noise": "npae.noise",
    "Adam": "npae.optim",
    "History": "npae.training.history",
    "fit": "npae.training.fit",
    "save": "npae.training.model_file",
    "load": "npae.training.model_file",
    "load_data": "npae.data",
    "gradcheck": "npae.inspection.gradcheck",
    "two_sample_test": "npae.evaluation.two_sample",
    "InputError": "npae.errors",
    "NonFiniteError": "npae.errors",
}

__all__ = [
    "AE",
    "CVAE",
    "EMVAE",
    "GAN",
    "IWAE",
    "MODELS",
    "VAE",
    "WAE",
    "WAEGAN",
    "Adam",
    "ContractiveAE",
    "DenoisingAE",
    "DenoisingVAE",
    "History",
    "InfoVAE",
    "InputError",
    "LinearAE",
    "Noise",
    "NonFiniteError",
    "Paired",
    "SemiAmortisedVAE",
    "SparseAE",
    "Terms",
    "fit",
    "gradcheck",
    "kernels",
    "load",
    "load_data",
    "save",
    "two_sample_test",
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
