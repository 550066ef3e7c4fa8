"""Models: each an objective on one page. `MODELS` is the registry that the command line, checkpoints and gradient checks read."""

from __future__ import annotations

from npae.errors import InputError, nearest
from npae.models.ae import AE
from npae.models.contractive import ContractiveAE
from npae.models.cvae import CVAE
from npae.models.denoising_ae import DenoisingAE
from npae.models.denoising_vae import DenoisingVAE
from npae.models.em_vae import EMVAE
from npae.models.gan import GAN
from npae.models.infovae import InfoVAE
from npae.models.iwae import IWAE
from npae.models.linear import LinearAE
from npae.models.model import Model
from npae.models.paired import Paired
from npae.models.semi_amortised import SemiAmortisedVAE
from npae.models.sparse import SparseAE
from npae.models.terms import Terms
from npae.models.vae import VAE
from npae.models.wae import WAE
from npae.models.wae_gan import WAEGAN

MODELS: dict[str, type[Model]] = {
    model.kind: model
    for model in (
        AE,
        VAE,
        WAE,
        CVAE,
        Paired,
        SparseAE,
        DenoisingAE,
        DenoisingVAE,
        ContractiveAE,
        LinearAE,
        InfoVAE,
        IWAE,
        EMVAE,
        SemiAmortisedVAE,
        WAEGAN,
        GAN,
    )
}


def model_class(kind: str) -> type[Model]:
    """The model of that name."""
    if kind not in MODELS:
        raise InputError(f"model '{kind}' is not known{nearest(kind, MODELS)}")
    return MODELS[kind]


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
    "ContractiveAE",
    "DenoisingAE",
    "DenoisingVAE",
    "InfoVAE",
    "LinearAE",
    "Model",
    "Paired",
    "SemiAmortisedVAE",
    "SparseAE",
    "Terms",
    "model_class",
]
