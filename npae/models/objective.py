"""The objective of a model: its terms, their gradient, and the random numbers of one step.

    model.draw(seed, step, rows) -> noise            every random number of one step
    model.loss_and_grad(x, noise=noise) -> terms     the objective's terms; the gradient is in model.parameters.grad
    model.loss(x, noise=noise) -> terms              the same without the gradient

A model's own file holds its objective: `forward` (x, noise -> terms) and `backward`, which reads it bottom-up.
x is (B, F) in data space: finite, and in [0, 1] where the likelihood is a Bernoulli. Otherwise InputError.
Where each row comes with something besides x (`companion`: a label, a target), it is the second argument y of every call.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from npae import noise as streams
from npae.backend import Array
from npae.errors import InputError, NonFiniteError
from npae.layers import Chain, Node, forget, inference
from npae.losses import GaussianLearned, Reconstruction
from npae.models.checks import check_labels, check_noise, check_rows, check_targets
from npae.models.not_finite import why_not_finite
from npae.models.terms import Terms
from npae.noise import Noise
from npae.parameters import Parameters


class Objective(Node):
    """Terms over an encoder and a decoder, and their gradient."""

    kind: ClassVar[str]
    reconstruction_term: ClassVar[str] = "reconstruction"
    companion: ClassVar[str | None] = None  # "labels" (B,) or "targets" (B, T): what each row comes with besides x
    players: ClassVar[tuple[str, ...]] = ()  # tensors "p.*" of a player p minimise terms[p], all others the total

    features: int
    encoder: Chain
    decoder: Chain
    likelihood: Reconstruction
    parameters: Parameters
    spec: dict[str, Any]

    # ---- noise

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """What one step draws: name -> (stream, "normal" or "uniform", columns)."""
        dropouts = self.encoder.dropouts() + self.decoder.dropouts()
        return {f"dropout{k}": (streams.DROPOUT + k, "uniform", layer.features) for k, layer in enumerate(dropouts)}

    def draw(self, seed: int, step: int, rows: int | range | Array, *, out: Noise | None = None, dropout: bool = True) -> Noise:
        """The random numbers of one step for those rows of its batch; into the arrays of `out` if given.

        Without `dropout` those that `loss` needs, which drops nothing.
        """
        numbers, step = streams.row_numbers(rows), streams.check_step(step)
        return self.fill(self.room_for_noise(len(numbers), dropout) if out is None else out, streams.check_seed(seed), step, numbers)

    def room_for_noise(self, rows: int, dropout: bool = True) -> Noise:
        """Arrays for the random numbers of that many rows, not drawn yet."""
        every = self._columns(dropout).items()
        return Noise(**{name: self.backend.xp.empty((rows, columns), self.dtype) for name, (_, _, columns) in every})

    def fill(self, noise: Noise, seed: int, step: int | Array, rows: Array) -> Noise:
        """Draw into those arrays, each on a line of its own; seed, step and rows have been checked, on a GPU the step may lie there."""
        for name, (stream, distribution, _) in self.noise_columns().items():
            if name in noise:
                with self.backend.beside(f"draw of {name}"):
                    (streams.normal if distribution == "normal" else streams.uniform)(self.backend, seed, stream, step, rows, noise[name])
        return noise

    def masks(self, noise: Noise) -> tuple[list[Array], list[Array]]:
        """The dropout numbers of the encoder's layers and of the decoder's."""
        n_encoder, n_decoder = len(self.encoder.dropouts()), len(self.decoder.dropouts())
        every = [noise[f"dropout{k}"] for k in range(n_encoder + n_decoder)] if self.recording else []
        return every[:n_encoder], every[n_encoder:]

    def _columns(self, dropout: bool) -> dict[str, tuple[int, str, int]]:
        return {name: drawn for name, drawn in self.noise_columns().items() if dropout or not name.startswith("dropout")}

    # ---- the model's own page

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """The model's own page: forward. `given` is the companion, where there is one."""
        raise NotImplementedError(f"{type(self).__name__} has no objective")

    def backward(self) -> None:
        """The model's own page: backward."""
        raise NotImplementedError(f"{type(self).__name__} has no gradient")

    def held_constant(self, x: Array, noise: Noise, *given: Array) -> dict[str, Any]:
        """What backward treats as a constant although it depends on the parameters (a stopped bandwidth)."""
        return {}

    def surrogates(self, x: Array, noise: Noise, held: Mapping[str, Any], *given: Array) -> dict[str, float]:
        """part -> what its tensors "part.*" descend, where an estimator of its own takes the place of the total's gradient."""
        return {}

    # ---- the calls

    def loss_and_grad(
        self,
        x: Array,
        y: Array | None = None,
        *,
        noise: Noise | None = None,
        step: int | None = None,
        held: Mapping[str, Any] | None = None,
    ) -> Terms:
        """The terms of the objective; the gradient of terms.total is left in model.parameters.grad.

        x (B, F); y its companion, if the model has one; noise from model.draw; step only matters to a schedule inside the objective (KL
        warm-up), None means after it; held replaces what held_constant returns.
        Raises InputError for x of the wrong shape or range, NonFiniteError for a loss that is not finite.
        """
        x = self.check_data(x)
        given = self.check_companion(y, len(x))
        return self.forward_backward(x, self._checked_noise(noise, len(x)), step, held, *given)

    def forward_backward(
        self, x: Array, noise: Noise, step: int | None = None, held: Mapping[str, Any] | None = None, *given: Array
    ) -> Terms:
        """loss_and_grad for a batch that has been checked already: the training step."""
        self.parameters.zero_grad()
        try:
            with np.errstate(all="ignore"):  # what overflows shows in the total
                terms = self.terms_of(x, noise, step, held or {}, *given).on_host(self.backend)
                if not all(math.isfinite(value) for value in (terms.total, *(terms[player] for player in self.players))):
                    raise NonFiniteError(why_not_finite(x, terms, self.players, self.parameters))
                self.backward()
        except BaseException:
            forget(self)
            raise
        return terms

    def loss(
        self,
        x: Array,
        y: Array | None = None,
        *,
        noise: Noise | None = None,
        step: int | None = None,
        held: Mapping[str, Any] | None = None,
    ) -> Terms:
        """The terms of the objective, dropout off, no gradient."""
        x = self.check_data(x)
        given = self.check_companion(y, len(x))
        noise = self._checked_noise(noise, len(x), dropout=False)
        with inference(self), np.errstate(all="ignore"):
            return self.terms_of(x, noise, step, held or {}, *given).on_host(self.backend)

    def terms_of(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """The terms of a batch that has been checked, and beside them a variance that is learned; on a GPU they are still there."""
        terms = self.forward(x, noise, step, held, *given)
        if isinstance(self.likelihood, GaussianLearned):
            terms.watch(eta=self.likelihood.eta)
        return terms

    def per_image(self, terms: Mapping[str, float]) -> dict[str, float]:
        """The terms with the reconstruction as a sum over features per image (nats, where the loss is a likelihood)."""
        factor = self.likelihood.per_image(self.outputs)
        return {name: value * (factor if name == self.reconstruction_term else 1.0) for name, value in terms.items()}

    # ---- what the calls are given

    @property
    def outputs(self) -> int:
        """The numbers in a decoded row: as many as in x, unless the target is something else."""
        return self.features

    def check_data(self, x: Array) -> Array:
        """x as a C-contiguous (B, F) array of the model's dtype, where the backend computes, or one line: what is wrong with it."""
        return self.backend.from_host(self.checked_rows(self.backend.to_host(x)))

    def checked_rows(self, x: Array) -> Array:
        """The same on the host."""
        return check_rows(x, kind=self.kind, features=self.features, dtype=self.dtype, unit_interval=self.likelihood.unit_interval)

    def check_companion(self, y: Array | None, rows: int) -> tuple[Array, ...]:
        """(y,) as the model reads it, or () for a model whose rows come alone."""
        if self.companion == "labels":
            return (self.backend.from_host(check_labels(self.backend.to_host(y), rows, kind=self.kind, classes=self.spec["classes"])),)
        if self.companion == "targets":
            return (
                self.backend.from_host(
                    check_targets(self.backend.to_host(y), rows, kind=self.kind, features=self.outputs, dtype=self.dtype)
                ),
            )
        if y is not None:
            raise InputError(
                f"y was given, but this {self.kind} takes rows x alone: leave y out, or take a model that reads it (cvae, paired)"
            )
        return ()

    def _checked_noise(self, noise: Noise | None, rows: int, *, dropout: bool = True) -> Noise:
        check_noise({name: (rows, columns) for name, (_, _, columns) in self._columns(dropout).items()}, noise, rows)
        return noise if noise is not None else Noise()
