"""A sampler for codes: a mixture of K Gaussians fitted to them, so that a plain autoencoder, which has no prior, can draw new data.

    p(z) = sum_k pi_k N(z; m_k, C_k)        codes (N, Z);  pi (K,)   m (K, Z)   C (K, Z, Z), full covariances

Fitted by expectation maximisation (scikit-learn, begun at k-means); with K = 1 it is the Gaussian of the codes' own mean and covariance.
Of more than 10,000 codes a seeded sample is fitted. The seed of `fit_mixture` decides the fit, that of `sample` the draw.
Raises InputError for a number of components that the codes cannot carry, and for codes that are all equal.

Source: Ghosh et al. 2020, "From variational to deterministic autoencoders", section 4 ("ex-post density estimation"); scikit-learn's
GaussianMixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.subset import some_rows
from npae.kernels.validation import points
from npae.noise import check_seed

ROWS = 10_000
ITERATIONS = 500


@dataclass(frozen=True, eq=False)
class Mixture:
    """weights (K,), means (K, Z), covariances (K, Z, Z)."""

    weights: Array
    means: Array
    covariances: Array

    def sample(self, rows: int, *, seed: int = 0) -> Array:
        """New codes (rows, Z): a component by its weight, then z = m_k + L_k eps with L_k L_k^T = C_k."""
        if rows < 1:
            raise InputError(f"{rows} samples: at least 1 is needed")
        generator = np.random.Generator(np.random.Philox(check_seed(seed)))
        chosen = generator.choice(len(self.weights), size=rows, p=self.weights)
        eps = generator.standard_normal((rows, self.means.shape[1]))
        roots = np.linalg.cholesky(self.covariances)
        return np.asarray(self.means[chosen] + np.einsum("nij,nj->ni", roots[chosen], eps))


def fit_mixture(codes: ArrayLike, components: int = 10, *, seed: int = 0) -> Mixture:
    """The mixture of `components` Gaussians that fits the codes (N, Z)."""
    from sklearn.mixture import GaussianMixture

    z = some_rows(points("codes", codes), ROWS, seed).astype(np.float64)
    if not 1 <= components <= len(z) // 2:
        raise InputError(f"{components} Gaussians fitted to {len(z)} codes: expected 1 to {len(z) // 2}, so that each has at least 2 codes")
    # A small share of the codes' own spread on every diagonal: a unit that is always 0 has no variance to divide by.
    spread = float(z.var(axis=0).mean())
    if spread == 0:
        raise InputError(f"all {len(z)} codes are equal: no mixture fits them; train longer, or take another model")
    floor = 1e-6 * spread
    fitted = GaussianMixture(components, reg_covar=floor, max_iter=ITERATIONS, random_state=seed % 2**32).fit(z)
    return Mixture(fitted.weights_ / fitted.weights_.sum(), fitted.means_, fitted.covariances_)
