"""A Gaussian encoder's heads, its sample and its KL, in operations.        mu and s lie side by side: (B, 2 Z)"""

from __future__ import annotations

from npae.compiled.layers import Layer, NotCovered
from npae.compiled.lowering import Lowering
from npae.compiled.notes import Matrix
from npae.kernels.step.codes import DIVERGENCES, FORMS
from npae.kernels.step.operations import BySample, Sample
from npae.models import VAE, WAE


class Posterior:
    """forward: x -> heads -> z;  backward: dz -> heads -> the encoder's body."""

    def __init__(self, lowering: Lowering, divergence: str, noise_scale: float, epsilon: float) -> None:
        model, self.lowering = lowering.model, lowering
        assert isinstance(model, VAE | WAE)
        self.latent, self.c, self.epsilon = model.latent, noise_scale, epsilon
        self.form, self.divergence = FORMS.index(model.reparameterise.form), DIVERGENCES.index(divergence)
        self.totals = lowering.buffers.totals("kl", lowering.batch)
        self.keras_totals = lowering.buffers.totals("kl_keras", lowering.batch)

    def forward(self, encoder: list[Layer], heads: list[Layer], x: Matrix, dropouts: list[int]) -> Matrix:
        """The heads, and z."""
        lowering, latent = self.lowering, self.latent
        if len(heads) != 2 or heads[0].code or any(head.dense.n_out != latent for head in heads):
            raise NotCovered("heads other than mu and s")
        self.eps = lowering.draw("eps")
        self.body = lowering.forward(encoder, x, dropouts)
        below = self.body[-1].output if self.body else x
        self.both = lowering.matrix("mu | s", 2 * latent)
        self.heads = [lowering.dense(head, below, self._half(k)) for k, head in enumerate(heads)]
        self.sigma, z = lowering.matrix("sigma", latent).at, lowering.matrix("z", latent)
        totals = (self.totals, self.keras_totals)
        sample = Sample(self.form, self.divergence, self.both.at, self.eps, self.sigma, z.at, latent, *totals, self.c, self.epsilon)
        lowering.do("z", sample)
        return z

    def backward(self, dz: Matrix) -> None:
        """dz -> dmu, ds -> the body"""
        lowering, s = self.lowering, self.heads[1].layer
        both = self.both
        self.both = lowering.matrix("d mu | s", 2 * self.latent)
        lowering.do(
            "d mu | s",
            BySample(
                self.form, self.divergence, both.at, self.both.at, self.eps, self.sigma, dz.at, self.latent, s.code, self.c, self.epsilon,
                s.parameter, 1 / lowering.batch,
            ),
        )  # fmt: skip
        if self.body:
            dy = lowering.back(self.heads, self.both, self.body[-1])
        for k, head in enumerate(self.heads):
            lowering.moved.append((head, self._half(k), 0.0))
        if self.body:
            lowering.backward(self.body, dy)

    def _half(self, k: int) -> Matrix:
        return self.lowering.columns(self.both, k * self.latent, self.latent)
