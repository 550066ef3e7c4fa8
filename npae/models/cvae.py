"""The class-conditional variational autoencoder: encoder and decoder are told the label, so that the code need not carry it.

    L = beta KL(q(z|x,y) || p(z)) - E_q(z|x,y)[ log p(x|y,z) ] + l2 sum p^2

    q(z|x,y) = N(mu(x,y), sigma(x,y)^2)    p(z) = N(0, I)    x (B, F)   y (B,) labels, e_y one-hot (B, C)   mu s eps z (B, Z)

    forward    (mu, s) = encoder([x, e_y]),  z = reparameterise(mu, s, eps),  l = decoder([z, e_y]),  nll = likelihood(l, x),
               kl = KL(mu, s)
    backward   dl = dnll,  [dz, .] = decoder'(dl),  (dmu, ds) = reparameterise'(dz) + beta dKL,  encoder'(dmu, ds)

beta = 1 and l2 = 0 is the bound, in nats per image: -L <= log p(x|y); the options of the KL are the VAE's. A new row of class y is
decoder([z, e_y]) with z ~ N(0, I): z is drawn from the same prior whatever y is. The lecture notes print this loss with both signs turned,
and the divergence to p(z|x,y); it is as above.
Source: Sohn, Lee & Yan 2015, "Learning structured output representation using deep conditional generative models", with a prior that does
not depend on y; Kingma, Rezende, Mohamed & Welling 2014, "Semi-supervised learning with deep generative models" (M2, all labels known).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from npae.backend import Array
from npae.layers import Condition
from npae.losses.bernoulli import CLIP
from npae.models.terms import Terms
from npae.models.vae import VAE
from npae.noise import Noise
from npae.parameters import PENALTY_LINE


class CVAE(VAE):
    """A VAE whose encoder and decoder read the label; `classes` is how many labels there are."""

    kind = "cvae"
    summary = "class-conditional variational autoencoder"
    companion = "labels"

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (128,),
        latent: int = 8,
        *,
        classes: int,
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
        self.x_and_label, self.z_and_label = Condition(classes), Condition(classes)
        self.x_and_label.recording = False  # x and y are given: nobody asks for a gradient
        self.told = classes
        super().__init__(**{name: value for name, value in self.spec.items() if name != "classes"})

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """[x, e_y] -> (mu, s) -> z;  [z, e_y] -> l -> nll;  (mu, s) -> kl"""
        (y,) = given
        encoder_masks, decoder_masks = self.masks(noise)
        mu, s = self.encoder.forward(self.x_and_label.forward(x, y), encoder_masks)
        z = self.reparameterise.forward(mu, s, noise.eps)
        values, weights = self.regularisers(mu, s, step)
        logits = self.decoder.forward(self.z_and_label.forward(z, y), decoder_masks)
        return Terms({"nll": self.likelihood.forward(logits, x)} | values, weights)

    def backward(self) -> None:
        """the forward pass, bottom-up"""
        if self.l2_weight:
            with self.backend.beside(PENALTY_LINE):
                self.l2.backward(self.l2_weight)
        with self.backend.beside("terms"):
            pull = (self.kl_keras or self.kl).backward(self.beta_now)
        dlogits = self.likelihood.backward()
        dz = self.z_and_label.backward(self.decoder.backward(dlogits))
        self.backend.join("terms")
        self.encoder.backward(self.reparameterise.backward(dz, onto=pull))

    def encoded(self, x: Array, *given: Array) -> Any:
        """(mu, s) of rows x with labels y"""
        return self.encoder.forward(self.x_and_label.forward(x, *given))

    def decoded(self, z: Array, *given: Array) -> Array:
        """The decoder's output for codes z and labels y"""
        logits: Array = self.decoder.forward(self.z_and_label.forward(z, *given))
        return logits

    def pulled_back(self, dy: Array) -> Array:
        """dz from dy: the label's part is dropped"""
        return self.z_and_label.backward(self.decoder.backward(dy))
