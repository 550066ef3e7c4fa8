"""What every model is: one flat parameter vector, an objective, and the calls that turn rows into codes and codes into rows.

    model.loss_and_grad / loss / draw                the objective and its gradient: objective.py
    model.encode / posterior        x -> z           codes of rows
    model.decode / sample           z -> x           rows of codes, rows of the prior
    model.reconstruct               x -> z -> x

x is (N, F) in data space, z (N, Z); whole data sets go through in chunks of CHUNK rows. y is the label of each row, where the model reads
one. Raises InputError for data, codes and labels of the wrong shape or range, and for a call that this model has no answer to.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from npae import noise as streams
from npae.backend import Array, Backend, backend
from npae.errors import InputError
from npae.layers import Reparameterise, inference
from npae.models.checks import check_codes
from npae.models.objective import Objective
from npae.parameters import Parameters

CHUNK = 1000  # rows at a time when encoding, decoding or evaluating a whole data set


class Model(Objective):
    """An objective over an encoder and a decoder, and what they are for once it is learned."""

    summary: ClassVar[str]
    minimum_rows: ClassVar[int] = 1  # in a batch
    has_encoder: ClassVar[bool] = True
    has_prior: ClassVar[bool] = True
    comparable: ClassVar[bool] = True  # whether the loss of two epochs can be compared; not so in a game of two players
    training_defaults: ClassVar[Mapping[str, Any]] = {}  # settings of the training that this kind starts from, by option key
    caveat: str = ""  # what has to be said wherever the terms are shown, such as "not a bound: ..."

    latent: int

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remember the constructor's arguments: they are what a checkpoint stores."""
        model = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind(model, *args, **kwargs)
        bound.apply_defaults()
        model.spec = {name: value for name, value in bound.arguments.items() if name != "self"}
        return model

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same model anew, with its parameters copied."""
        twin = type(self)(**self.spec)
        twin.parameters.value[...] = self.parameters.value
        return twin

    def build(self, *, seed: int, dtype: str, backend_name: str | None) -> None:
        """Bind every node to the backend and lay all parameters into one vector."""
        chosen: Backend = backend(backend_name)
        self.parameters = Parameters(self.named_parameters(), backend=chosen, dtype=dtype, seed=seed)
        self.bind(chosen, self.parameters.dtype)

    @property
    def has_posterior(self) -> bool:
        """Whether the encoder returns a Gaussian: then `posterior` works."""
        return False

    # ---- rows to codes, codes to rows

    def encode(self, x: Array, y: Array | None = None) -> Array:
        """The code of each row: (N, Z); the posterior's mean where the encoder is Gaussian."""
        self._need_encoder()
        x = self.check_data(x)
        return self._in_chunks(lambda rows, *given: self._code(self.encoded(rows, *given)), self.latent, x, *self._condition(y, len(x)))

    def decode(self, z: Array, y: Array | None = None) -> Array:
        """Data space from codes: (N, F); probabilities for a Bernoulli."""
        z = check_codes(z, latent=self.latent, dtype=self.dtype)
        given = self._condition(y, len(z))
        return self._in_chunks(lambda rows, *given: self.likelihood.mean(self.decoded(rows, *given)), self.outputs, z, *given)

    def reconstruct(self, x: Array, y: Array | None = None) -> Array:
        """decode(encode(x)): (N, F), deterministic."""
        return self.decode(self.encode(x, y), y)

    def posterior(self, x: Array, y: Array | None = None) -> tuple[Array, Array]:
        """Mean and standard deviation of q(z|x): two (N, Z) arrays."""
        self._need_encoder()
        raise InputError(f"this {self.kind} has no posterior: its encoder returns one code for each row; use encode")

    def sample(self, rows: int, *, seed: int = 0, y: Array | None = None) -> Array:
        """New data from the prior: z ~ N(0, I), decoded. (rows, F)"""
        return self.decode(self.prior(rows, seed), y)

    def prior(self, rows: int, seed: int, stream: int = streams.SAMPLE) -> Array:
        """z ~ N(0, I), (rows, Z)"""
        if rows < 1:
            raise InputError(f"{rows} samples: at least 1 is needed")
        numbers = streams.row_numbers(rows)
        out = self.backend.xp.empty((rows, self.latent), self.dtype)
        z: Array = self.backend.to_host(streams.normal(self.backend, streams.check_seed(seed), stream, 0, numbers, out))
        return z

    # ---- how rows, codes and labels pass the two networks

    def encoded(self, x: Array, *given: Array) -> Any:
        """What the encoder returns for rows x; a model that reads labels gives them to it here."""
        return self.encoder.forward(x)

    def decoded(self, z: Array, *given: Array) -> Array:
        """What the decoder returns for codes z, before it becomes data."""
        y: Array = self.decoder.forward(z)
        return y

    def pulled_back(self, dy: Array) -> Array:
        """dz from the gradient dy with respect to what `decoded` returned."""
        dz: Array = self.decoder.backward(dy)
        return dz

    def _code(self, encoded: Any) -> Array:
        """The point code among what the encoder returns."""
        code: Array = encoded
        return code

    def gaussian_posterior(self, reparameterise: Reparameterise, x: Array, y: Array | None = None) -> tuple[Array, Array]:
        """Mean and standard deviation of q(z|x) for every row, from an encoder with the two heads (mu, s)."""

        def both(rows: Array, *given: Array) -> Array:
            mu, s = self.encoded(rows, *given)
            side_by_side: Array = self.backend.xp.concatenate([mu, reparameterise.sigma(s)], axis=1)
            return side_by_side

        x = self.check_data(x)
        mu_sigma = self._in_chunks(both, 2 * self.latent, x, *self._condition(y, len(x)))
        return mu_sigma[:, : self.latent].copy(), mu_sigma[:, self.latent :].copy()

    def _in_chunks(self, function: Callable[..., Array], columns: int, *rows: Array) -> Array:
        out = np.empty((len(rows[0]), columns), self.dtype)
        with inference(self):
            for start in range(0, len(out), CHUNK):
                chunk = slice(start, start + CHUNK)
                out[chunk] = self.backend.to_host(function(*(self.backend.from_host(part[chunk]) for part in rows)))
        return out

    def _condition(self, y: Array | None, rows: int) -> tuple[Array, ...]:
        """The label that encoder and decoder read; a target is read by the loss alone."""
        return () if self.companion == "targets" else self.check_companion(y, rows)

    def _need_encoder(self) -> None:
        if not self.has_encoder:
            raise InputError(f"a {self.kind} has no encoder: it draws new rows (sample, decode), and has no code for a given one")
