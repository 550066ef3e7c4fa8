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
        values |= {"nll": -self.backend.number(log_p.mean()), "kl": -self.backend.number(log_ratio.mean())}
        return Terms(values, {"nll": 0.0, "kl": 0.0})

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        xp, rows = self.backend.xp, len(self.z) // self.samples
        w, scaled = self.buffer("w", (len(self.z), 1)), self.buffer("scaled", (len(self.z), 1))
        xp.negative(self.importance.backward().reshape(-1, 1), out=w, casting="same_kind")  # wt / B, (B K, 1)
        dy = self.likelihood.backward()  # of the mean over B K rows: -dlog p(x|z)/dy / (B K)
        dy *= xp.multiply(w, len(dy), out=scaled)
        dz = self.decoder.backward(dy)
        dz += xp.multiply(w, self._pull(), out=self.buffer("pull", dz.shape))
        if self.estimator == "dreg":
            dz *= xp.multiply(w, rows, out=scaled)
        dmu, ds = (self._summed(name, of_each) for name, of_each in zip(("dmu", "ds"), self.reparameterise.backward(dz), strict=True))
        if self.estimator == "iwae":
            ds -= self._dlog_sigma(self.s[:: self.samples]) / rows
        self.encoder.backward((dmu, ds))

    def held_constant(self, x: Array, noise: Noise, *given: Array) -> dict[str, Any]:
        """dreg: the weights wt (B, K), and mu and sigma (B K, Z) in the density of q."""
        if self.estimator == "iwae":
            return {}
        self.loss(x, noise=noise)
        return {"wt": self.importance.normalised.copy(), "mu": self.mu.copy(), "sigma": self.reparameterise.sigma(self.s).copy()}

    def surrogates(self, x: Array, noise: Noise, held: Mapping[str, Any], *given: Array) -> dict[str, float]:
        """dreg: the encoder descends -(1/B) sum_B sum_K wt^2 log w, with wt and the density of q held constant."""
        if self.estimator == "iwae":
            return {}
        with inference(self):
            log_p, _ = self._log_weight(x, noise)
        eps = (self.z - held["mu"]) / held["sigma"]
        log_w = log_p + (0.5 * (eps**2 - self.z**2) + np.log(held["sigma"])).sum(axis=1)
        return {"encoder": -self.backend.number((held["wt"].reshape(-1) ** 2 * log_w).sum()) / len(x)}

    def _log_weight(self, x: Array, noise: Noise) -> tuple[Array, Array]:
        """log p(x|z) and log p(z) - log q(z|x), each (B K,); they add up to log w"""
        mu, s = self.encoder.forward(x)
        self.mu, self.s, self.eps = self._repeated("mu", mu), self._repeated("s", s), noise.eps.reshape(-1, self.latent)
        self.z = self.reparameterise.forward(self.mu, self.s, self.eps)
        y = self.decoder.forward(self.z)
        x = self._repeated("x", x)
        self.likelihood.forward(y, x)
        room = self.buffer("room", y.shape), self.buffer("more room", y.shape)
        return log_likelihood_rows(self.likelihood, y, x, room), self._log_ratio()

    def _log_ratio(self) -> Array:
        """sum_Z [ -z^2/2 + eps^2/2 + log sigma ], (B K,)"""
        xp, terms, other = self.backend.xp, self.buffer("terms", self.z.shape), self.buffer("other", self.z.shape)
        xp.multiply(self.eps, self.eps, out=terms)
        terms -= xp.multiply(self.z, self.z, out=other)
        terms *= 0.5
        terms += xp.log(self.s, out=other) if self.form == "sigma" else xp.multiply(self.s, EXPONENT[self.form], out=other)
        log_ratio: Array = terms.sum(axis=1, dtype=np.float64)
        return log_ratio

    def _pull(self) -> Array:
        """z, by which log p(z) pulls;  dreg: z - eps / sigma, by which log q(z|x) pulls too"""
        if self.estimator == "iwae":
            return self.z
        xp, pull = self.backend.xp, self.buffer("pull", self.z.shape)
        xp.divide(self.eps, self.reparameterise.sigma(self.s), out=pull)
        xp.subtract(self.z, pull, out=pull)
        return pull

    def _dlog_sigma(self, s: Array) -> Array | float:
        return self.backend.xp.divide(1, s, out=self.buffer("dlog sigma", s.shape)) if self.form == "sigma" else EXPONENT[self.form]

    def _repeated(self, name: str, rows: Array) -> Array:
        """Each row K times: (B, C) -> (B K, C)"""
        b, columns = rows.shape
        repeated = self.buffer(name, (b * self.samples, columns))
        repeated.reshape(b, self.samples, columns)[...] = rows[:, None, :]
        return repeated

    def _summed(self, name: str, of_each: Array) -> Array:
        """The sum over the K draws of each row: (B K, Z) -> (B, Z)"""
        draws = of_each.reshape(-1, self.samples, of_each.shape[1])
        summed = self.buffer(name, draws[:, 0].shape)
        self.backend.xp.sum(draws, axis=1, out=summed)
        return summed
