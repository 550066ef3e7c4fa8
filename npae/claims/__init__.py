"""The claims of the founding documents, each an experiment in a file of its own."""

from __future__ import annotations

from npae.claims import (
    ideas,
    kl_sigma,
    labels_free,
    pca,
    prior_match,
    random_codes,
    sparse_features,
    tsne_purity,
    vae_gan,
    wae_reconstruction,
)
from npae.claims.claim import Claim, Seen, Verdict
from npae.claims.trainings import Trainings
from npae.errors import InputError, nearest

MODULES = (pca, prior_match, wae_reconstruction, sparse_features, random_codes, labels_free, kl_sigma, tsne_purity, vae_gan, ideas)
CLAIMS: dict[str, Claim] = {module.CLAIM.name: module.CLAIM for module in MODULES}


def claim(name: str) -> Claim:
    """The claim of that name."""
    if name not in CLAIMS:
        raise InputError(f"claim '{name}' is not known{nearest(name, CLAIMS)}; npae claim list shows them")
    return CLAIMS[name]


__all__ = ["CLAIMS", "Claim", "Seen", "Trainings", "Verdict", "claim"]
