"""The variational autoencoder: minimise the negative evidence lower bound.

    L = E_q(z|x)[ -log p(x|z) ] + beta KL(q(z|x) || p(z)) + l2 sum p^2

    q(z|x) = N(mu(x), sigma(x)^2)    p(z) = N(0, I)    z = mu + sigma eps, one draw a row    x (B, F)   mu s eps z (B, Z)

    forward    (mu, s) = encoder(x),  z = reparameterise(mu, s, eps),  y = decoder(z),  nll = likelihood(y, x),  kl = KL(mu, s)
    backward   dy = dnll,  dz = decoder'(dy),  (dmu, ds) = beta dKL + reparameterise'(dz),  encoder'(dmu, ds)

beta = 1 and l2 = 0 is the bound itself, in nats per image: -L <= log p(x). KL warm-up lets beta grow linearly over the first steps.
l2 weighs the squared parameters of the decoder (the Flux document's regulariser). noise_scale is the standard deviation of eps: a factor of
sigma. kl "keras" minimises what the Keras document calls KL, -1/2 sum (1 + s - mu^2 - exp(s)), as the term kl_keras: it takes for a
log-variance the s that the sampler takes for a log-std, and knows nothing of noise_scale, so L is NOT a bound; the divergence of the
posterior that is sampled stands beside it as kl.
`beside` and `join` say what need not wait for what in a step on a GPU (npae/captured/batch.py); on a CPU they do nothing.
Source: Kingma & Welling 2014; beta: Higgins et al. 2017; warm-up: Bowman et al. 2016, Sonderby et al. 2016; free bits: Kingma et al. 2016.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError, nearest
from npae.layers import Reparameterise
from npae.losses import L2, GaussianKL, make_reconstruction
from npae.losses.bernoulli import CLIP
from npae.models import networks
from npae.models.checks import check_steps, check_weight
from npae.models.model import Model
from npae.models.terms import Terms
from npae.noise import Noise
from npae.parameters import PENALTY_LINE

KLS = ("exact", "keras")
CAVEAT = (
    "not a bound: kl_keras is not the divergence of the posterior that is sampled (it reads s as a log-variance, the sampler as a log-std,"
    " and it ignores noise_scale); kl is the exact one, shown beside it and not minimised"
)


def check_kl(kl: str, posterior: str, free_bits: float, kl_epsilon: float) -> str:
    """The name, if there is such a KL term and it goes with the other options."""
    if kl not in KLS:
        raise InputError(f"kl '{kl}' is not known{nearest(kl, KLS)}")
    if kl == "keras" and posterior != "log_std":
        raise InputError(f"kl 'keras' is the term of a sampler with posterior log_std, not {posterior}; take --set kl=exact")
    if kl == "keras" and (free_bits or kl_epsilon):
        name, value = ("free_bits", free_bits) if free_bits else ("kl_epsilon", kl_epsilon)
        raise InputError(f"{name} {value} belongs to kl=exact, and kl is keras; leave {name} at 0, or take --set kl=exact")
    return kl


class VAE(Model):
    """Gaussian encoder, one draw, decoder; reconstruction and KL."""

    kind = "vae"
    summary = "variational autoencoder"
    reconstruction_term = "nll"
    told = 0  # numbers that encoder and decoder read beside x and z: a conditional model's label

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        beta: float = 1.0,
        kl_warmup: int = 0,
        free_bits: float = 0.0,
        kl: str = "exact",
        kl_epsilon: float = 0.0,
        l2: float = 0.0,
        posterior: str = "log_std",
        noise_scale: float = 1.0,
        heads: str = "apart",
        reconstruction: str = "bernoulli",
        eta: float = 1.0,
        clip: float = CLIP,
        activation: str | Sequence[str] = "leaky_relu",
        output: str | None = None,
        dropout: float = 0.0,
        initialiser: str = "flux",
        dtype: str = "float32",
        backend: str | None = None,
        seed: int = 0,
    ) -> None:
        widths = networks.check_widths(features, hidden, latent)
        style: dict[str, Any] = {"activation_name": activation, "dropout": dropout, "initialiser": initialiser}
        self.features, self.latent = features, latent
        self.beta, self.l2_weight = check_weight("beta", beta), check_weight("l2", l2)
        self.kl_warmup = check_steps("kl_warmup", kl_warmup)
        self.likelihood, output = make_reconstruction(reconstruction, eta, output, clip=clip)
        self.encoder = networks.gaussian_encoder((features + self.told, *widths), latent, form=posterior, heads=heads, **style)
        self.reparameterise = Reparameterise(posterior, noise_scale)
        self.decoder = networks.decoder((latent + self.told, *widths[::-1], features), output=output, **style)
        self.kl = GaussianKL(posterior, free_bits, noise_scale=noise_scale, epsilon=kl_epsilon)
        self.kl_keras = GaussianKL("log_variance") if check_kl(kl, posterior, free_bits, kl_epsilon) == "keras" else None
        self.kl.recording = self.kl_keras is None  # watched only: no backward will come
        self.caveat = CAVEAT if self.kl_keras else ""
        self.l2 = L2()
        self.build(seed=seed, dtype=dtype, backend_name=backend)
        self.l2.attach(self.parameters, "decoder")

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """eps (B, Z), and what dropout needs"""
        return {"eps": (streams.POSTERIOR, "normal", self.latent)} | super().noise_columns()

    def beta_at(self, step: int | None) -> float:
        """beta min(1, (step + 1) / kl_warmup); all of it where no step is given"""
        if step is None or not self.kl_warmup:
            return self.beta
        share: float = self.backend.xp.minimum(1.0, (step + 1) / self.kl_warmup)
        return self.beta * share

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """x -> (mu, s) -> z -> y -> nll;  (mu, s) -> kl"""
        encoder_masks, decoder_masks = self.masks(noise)
        mu, s = self.encoder.forward(x, encoder_masks)
        z = self.reparameterise.forward(mu, s, noise.eps)
        values, weights = self.regularisers(mu, s, step)
        y = self.decoder.forward(z, decoder_masks)
        return Terms({"nll": self.likelihood.forward(y, x)} | values, weights)

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        if self.l2_weight:
            with self.backend.beside(PENALTY_LINE):
                self.l2.backward(self.l2_weight)
        with self.backend.beside("terms"):
            pull = (self.kl_keras or self.kl).backward(self.beta_now)
        dy = self.likelihood.backward()
        dz = self.decoder.backward(dy)
        self.backend.join("terms")
        self.encoder.backward(self.reparameterise.backward(dz, onto=pull))

    def regularisers(self, mu: Array, s: Array, step: int | None) -> tuple[dict[str, float], dict[str, float]]:
        """kl, with what is minimised in its place or beside it, and their weights"""
        self.beta_now = self.beta_at(step)
        with self.backend.beside("terms"):
            values, weights = {"kl": self.kl.forward(mu, s)}, {"kl": self.beta_now}
            if self.kl.free_bits:  # the term that is minimised, and beside it the divergence itself
                values = {"kl": self.kl.exact, "kl_free_bits": values["kl"]}
                weights = {"kl": 0.0, "kl_free_bits": self.beta_now}
            if self.kl_keras:
                values["kl_keras"] = self.kl_keras.forward(mu, s)
                weights = {"kl": 0.0, "kl_keras": self.beta_now}
            if self.l2_weight:
                values["l2"], weights["l2"] = self.l2.forward(), self.l2_weight
        return values, weights

    @property
    def has_posterior(self) -> bool:
        """The encoder returns a Gaussian."""
        return True

    def posterior(self, x: Array, y: Array | None = None) -> tuple[Array, Array]:
        """Mean and standard deviation of q(z|x): two (N, Z) arrays."""
        return self.gaussian_posterior(self.reparameterise, x, y)

    def _code(self, encoded: Any) -> Array:
        mu: Array = encoded[0]
        return mu
