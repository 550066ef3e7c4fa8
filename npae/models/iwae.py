"""The importance-weighted autoencoder: a VAE whose bound of log p(x) is tightened by K draws.

    L = -(1/B) sum_B log (1/K) sum_K w        w_k = p(x|z_k) p(z_k) / q(z_k|x)        z_k = mu + sigma eps_k        -L <= log p(x)

    q(z|x) = N(mu(x), sigma(x)^2)    p(z) = N(0, I)    x (B, F)   mu s (B, Z)   z eps (B K, Z)   log w and wt = softmax_K(log w) (B, K)

    forward    (mu, s) = encoder(x), each row K times,  z = reparameterise(mu, s, eps),  y = decoder(z)
               log w = log p(x|z) + sum_Z [ -z^2/2 + eps^2/2 + log sigma ]        since log q(z|x) = sum_Z [ -eps^2/2 - log sigma ] + const
    backward   dy = -(wt/B) dlog p(x|z)/dy,  dz = decoder'(dy),  then, by the estimator of the encoder's gradient:

    iwae   dz += (wt/B) z                        (dmu, ds) = sum_K reparameterise'(dz),   ds -= (1/B) dlog sigma/ds      (sum_K wt = 1)
    dreg   dz += (wt/B) (z - eps/sigma)          (dmu, ds) = sum_K reparameterise'(wt dz)

iwae differentiates L itself. Its share of signal falls with K: a part of it, the score of q, has mean zero and a variance that stays.
dreg reparameterises that part a second time: each sample counts with wt^2, and q's own mu and sigma inside log w are held constant. Both
have the same mean; the decoder's gradient is the same in both. At K = 1 L is the VAE's loss with its KL by Monte Carlo.
Terms: `iwae` is L; nll and kl are the plain means over the K draws, only watched: nll + kl - iwae is what importance weighting gains.
Source: Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders"; Rainforth et al. 2018, "Tighter variational bounds are not
necessarily better"; Tucker, Lawson, Gu & Maddison 2019, "Doubly reparameterized gradient estimators", equation 8.
Raises InputError for samples below 1, an unknown estimator, and a reconstruction that is no likelihood of each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers import inference
from npae.layers.reparameterise import EXPONENT
from npae.losses.importance import ImportanceWeighted
from npae.losses.log_likelihood import log_likelihood_rows
from npae.models.checks import check_count
from npae.models.terms import Terms
from npae.models.vae import VAE
from npae.noise import Noise

ESTIMATORS = ("iwae", "dreg")
LIKELIHOODS = ("bernoulli", "bernoulli_probabilities", "gaussian")


class IWAE(VAE):
    """Gaussian encoder, K draws, decoder; the log of the mean importance weight."""

    kind = "iwae"
    summary = "importance-weighted autoencoder"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        samples: int = 5,
        estimator: str = "iwae",
        posterior: str = "log_std",
        reconstruction: str = "bernoulli",
        eta: float = 1.0,
        activation: str | Sequence[str] = "leaky_relu",
        output: str | None = None,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        self.samples = check_count("samples", samples)
        if estimator not in ESTIMATORS:
            raise InputError(f"estimator '{estimator}' is not known{nearest(estimator, ESTIMATORS)}")
        self.importance = ImportanceWeighted()
        super().__init__(**{name: value for name, value in self.spec.items() if name not in ("samples", "estimator")})
        if reconstruction not in LIKELIHOODS:
            raise InputError(
                f"reconstruction '{reconstruction}' is no likelihood of a row, which an iwae weighs its draws by;"
                f" take one of {', '.join(LIKELIHOODS)}"
            )
        self.estimator, self.form = estimator, posterior

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """eps (B, K Z): the K draws of a row side by side"""
        return {name: (stream, how, self.samples * columns) for name, (stream, how, columns) in super().noise_columns().items()}

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> (mu, s) -> z -> y -> log w -> L"""
        log_p, log_ratio = self._log_weight(x, noise)
        values = {"iwae": self.importance.forward((log_p + log_ratio).reshape(len(x), self.samples))}
        values |= {"nll": -float(log_p.mean()), "kl": -float(log_ratio.mean())}
        return Terms(values, {"nll": 0.0, "kl": 0.0})

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        rows = len(self.z) // self.samples
        minus_dlog_w = -self.importance.backward().reshape(-1, 1).astype(self.dtype)  # wt / B, (B K, 1)
        dy = self.likelihood.backward()  # of the mean over B K rows: -dlog p(x|z)/dy / (B K)
        dy *= minus_dlog_w * len(dy)
        dz = self.decoder.backward(dy)
        if self.estimator == "iwae":
            dz += minus_dlog_w * self.z
        else:
            dz += minus_dlog_w * (self.z - self.eps / self.reparameterise.sigma(self.s))
            dz *= minus_dlog_w * rows
        dmu, ds = (of_each.reshape(rows, self.samples, -1).sum(axis=1) for of_each in self.reparameterise.backward(dz))
        if self.estimator == "iwae":
            ds -= self._dlog_sigma(self.s[:: self.samples]) / rows
        self.encoder.backward((dmu, ds))

    def held_constant(self, x: Array, noise: Noise, *given: Array) -> dict[str, Any]:
        """dreg: the weights wt (B, K), and mu and sigma (B K, Z) in the density of q."""
        if self.estimator == "iwae":
            return {}
        self.loss(x, noise=noise)
        return {"wt": self.importance.normalised, "mu": self.mu.copy(), "sigma": self.reparameterise.sigma(self.s).copy()}

    def surrogates(self, x: Array, noise: Noise, held: Mapping[str, Any], *given: Array) -> dict[str, float]:
        """dreg: the encoder descends -(1/B) sum_B sum_K wt^2 log w, with wt and the density of q held constant."""
        if self.estimator == "iwae":
            return {}
        with inference(self):
            log_p, _ = self._log_weight(x, noise)
        eps = (self.z - held["mu"]) / held["sigma"]
        log_w = log_p + (0.5 * (eps**2 - self.z**2) + np.log(held["sigma"])).sum(axis=1)
        return {"encoder": -float((held["wt"].reshape(-1) ** 2 * log_w).sum()) / len(x)}

    def _log_weight(self, x: Array, noise: Noise) -> tuple[Array, Array]:
        """log p(x|z) and log p(z) - log q(z|x), each (B K,); they add up to log w"""
        mu, s = self.encoder.forward(x)
        self.mu, self.s, self.eps = self._repeated("mu", mu), self._repeated("s", s), noise.eps.reshape(-1, self.latent)
        self.z = self.reparameterise.forward(self.mu, self.s, self.eps)
        y = self.decoder.forward(self.z)
        x = self._repeated("x", x)
        self.likelihood.forward(y, x)
        log_ratio = (0.5 * (self.eps**2 - self.z**2) + self._log_sigma(self.s)).sum(axis=1, dtype=np.float64)
        return log_likelihood_rows(self.likelihood, y, x), log_ratio

    def _repeated(self, name: str, rows: Array) -> Array:
        """Each row K times: (B, C) -> (B K, C)"""
        b, columns = rows.shape
        repeated = self.buffer(name, (b * self.samples, columns))
        repeated.reshape(b, self.samples, columns)[...] = rows[:, None, :]
        return repeated

    def _log_sigma(self, s: Array) -> Array:
        return np.log(s) if self.form == "sigma" else s * EXPONENT[self.form]

    def _dlog_sigma(self, s: Array) -> Array | float:
        return 1 / s if self.form == "sigma" else EXPONENT[self.form]
