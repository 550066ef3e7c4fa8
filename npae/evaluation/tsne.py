"""A map of codes in two dimensions by t-SNE: neighbours stay neighbours, distances between groups mean nothing.

    tsne(codes (N, Z), seed) -> (N, 2)        scikit-learn's Barnes-Hut t-SNE, begun at the first two principal components

The same codes and seed give the same map. Cost: N log N, about 10 s for 2,000 codes.
Raises InputError for codes of fewer than 2 numbers, and where there are not more points than the perplexity.

Source: van der Maaten & Hinton 2008, "Visualizing data using t-SNE"; Barnes-Hut: van der Maaten 2014.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from npae.backend import Array
from npae.errors import InputError
from npae.kernels.validation import points

PERPLEXITY = 30.0  # about how many neighbours each point keeps


def tsne(codes: ArrayLike, seed: int = 0, *, perplexity: float = PERPLEXITY) -> Array:
    """The place of each code on the map."""
    from sklearn.manifold import TSNE

    z = points("codes", codes)
    if z.shape[1] < 2:
        raise InputError(f"t-SNE of codes of {z.shape[1]} number: expected at least 2; draw them as they are")
    if not 0 < perplexity < len(z):
        raise InputError(
            f"t-SNE of {len(z)} points with perplexity {perplexity:g}: expected more points than that, or a smaller perplexity"
        )
    return np.asarray(TSNE(perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed % 2**32).fit_transform(z))
