"""Models: each an objective on one page. `MODELS` is the registry that the command line, checkpoints and gradient checks read."""

from __future__ import annotations

from npae.errors import InputError, nearest
from npae.models.ae import AE
from npae.models.contractive import ContractiveAE
from npae.models.cvae import CVAE
from npae.models.denoising_ae import DenoisingAE
from npae.models.denoising_vae import DenoisingVAE
from npae.models.infovae import InfoVAE
from npae.models.linear import LinearAE
from npae.models.model import Model
from npae.models.sparse import SparseAE
from npae.models.terms import Terms
from npae.models.vae import VAE
from npae.models.wae import WAE

MODELS: dict[str, type[Model]] = {
    model.kind: model for model in (AE, VAE, WAE, CVAE, SparseAE, DenoisingAE, DenoisingVAE, ContractiveAE, LinearAE, InfoVAE)
}


def model_class(kind: str) -> type[Model]:
    """The model of that name."""
    if kind not in MODELS:
        raise InputError(f"model '{kind}' is not known{nearest(kind, MODELS)}")
    return MODELS[kind]


__all__ = [
    "AE",
    "CVAE",
    "MODELS",
    "VAE",
    "WAE",
    "ContractiveAE",
    "DenoisingAE",
    "DenoisingVAE",
    "InfoVAE",
    "LinearAE",
    "Model",
    "SparseAE",
    "Terms",
    "model_class",
]
