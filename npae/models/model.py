"""What every model shares: one flat parameter vector, noise by name, and the calls a user makes.

    model.draw(seed, step, rows) -> noise            every random number of one step
    model.loss_and_grad(x, noise=noise) -> terms     the objective's terms; the gradient is in model.parameters.grad
    model.loss(x, noise=noise) -> terms              the same without the gradient
    model.encode / decode / reconstruct / sample     what the model is for

A model's own file holds its objective: `forward` (x, noise -> terms) and `backward`, which reads it bottom-up.
x is (B, F) in data space: finite, and in [0, 1] where the likelihood is a Bernoulli. Otherwise InputError.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from npae import noise as streams
from npae.backend import Array, Backend, backend
from npae.errors import InputError, NonFiniteError
from npae.layers import Chain, Node, Reparameterise, forget, inference
from npae.losses import Reconstruction
from npae.models.terms import Terms
from npae.noise import Noise
from npae.parameters import Parameters

CHUNK = 1000  # rows at a time when encoding, decoding or evaluating a whole data set


class Model(Node):
    """An objective over an encoder and a decoder."""

    kind: ClassVar[str]
    summary: ClassVar[str]
    reconstruction_term: ClassVar[str] = "reconstruction"
    minimum_rows: ClassVar[int] = 1  # in a batch

    features: int
    latent: int
    encoder: Chain
    decoder: Chain
    likelihood: Reconstruction
    spec: dict[str, Any]

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

    # ---- noise

    def noise_columns(self) -> dict[str, tuple[int, str, int]]:
        """What one step draws: name -> (stream, "normal" or "uniform", columns)."""
        dropouts = self.encoder.dropouts() + self.decoder.dropouts()
        return {f"dropout{k}": (streams.DROPOUT + k, "uniform", layer.features) for k, layer in enumerate(dropouts)}

    def draw(self, seed: int, step: int, rows: int | range | Array, *, out: Noise | None = None) -> Noise:
        """The random numbers of one step for those rows of its batch; into the arrays of `out` if given."""
        numbers, step = streams.row_numbers(rows), streams.check_step(step)
        xp, arrays = self.backend.xp, {}
        for name, (stream, distribution, columns) in self.noise_columns().items():
            array = xp.empty((len(numbers), columns), self.dtype) if out is None else out[name]
            fill = streams.normal if distribution == "normal" else streams.uniform
            arrays[name] = fill(self.backend, streams.check_seed(seed), stream, step, numbers, array)
        return Noise(**arrays) if out is None else out

    def masks(self, noise: Noise) -> tuple[list[Array], list[Array]]:
        """The dropout numbers of the encoder's layers and of the decoder's."""
        n_encoder, n_decoder = len(self.encoder.dropouts()), len(self.decoder.dropouts())
        every = [noise[f"dropout{k}"] for k in range(n_encoder + n_decoder)] if self.recording else []
        return every[:n_encoder], every[n_encoder:]

    # ---- the objective

    def forward(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, float]) -> Terms:
        """The model's own page: forward."""
        raise NotImplementedError(f"{type(self).__name__} has no objective")

    def backward(self) -> None:
        """The model's own page: backward."""
        raise NotImplementedError(f"{type(self).__name__} has no gradient")

    def held_constant(self, x: Array, noise: Noise) -> dict[str, float]:
        """What backward treats as a constant although it depends on the parameters (a stopped bandwidth)."""
        return {}

    def loss_and_grad(
        self, x: Array, *, noise: Noise | None = None, step: int | None = None, held: Mapping[str, float] | None = None
    ) -> Terms:
        """The terms of the objective; the gradient of terms.total is left in model.parameters.grad.

        x (B, F); noise from model.draw; step only matters to a schedule inside the objective (KL warm-up), None means after it.
        Raises InputError for x of the wrong shape or range, NonFiniteError for a loss that is not finite.
        """
        return self.forward_backward(self.check_data(x), self._check_noise(noise, len(x)), step, held or {})

    def forward_backward(self, x: Array, noise: Noise, step: int | None = None, held: Mapping[str, float] | None = None) -> Terms:
        """loss_and_grad for a batch that has been checked already: the training step."""
        self.parameters.zero_grad()
        try:
            with np.errstate(all="ignore"):  # what overflows shows in the total
                terms = self.forward(x, noise, step, held or {})
                if not math.isfinite(terms.total):
                    raise NonFiniteError(self._why_not_finite(x, terms))
                self.backward()
        except BaseException:
            forget(self)
            raise
        return terms

    def loss(self, x: Array, *, noise: Noise | None = None, step: int | None = None, held: Mapping[str, float] | None = None) -> Terms:
        """The terms of the objective, dropout off, no gradient."""
        x, noise = self.check_data(x), self._check_noise(noise, len(x), dropout=False)
        with inference(self), np.errstate(all="ignore"):
            return self.forward(x, noise, step, held or {})

    def per_image(self, terms: Mapping[str, float]) -> dict[str, float]:
        """The terms with the reconstruction as a sum over features per image (nats, where the loss is a likelihood)."""
        factor = self.likelihood.per_image(self.features)
        return {name: value * (factor if name == self.reconstruction_term else 1.0) for name, value in terms.items()}

    # ---- what a model is for

    def encode(self, x: Array) -> Array:
        """The code of each row: (N, Z); the posterior's mean where the encoder is Gaussian."""
        return self._in_chunks(lambda rows: self._code(self.encoder.forward(rows)), self.check_data(x), self.latent)

    def decode(self, z: Array) -> Array:
        """Data space from codes: (N, F); probabilities for a Bernoulli."""
        z = np.asarray(z)
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise InputError(f"codes of shape {z.shape}: decode expects (N, {self.latent})")
        if z.dtype.kind not in "fiub":
            raise InputError(f"codes of dtype {z.dtype}: decode expects numbers, such as {self.dtype}")
        if not np.isfinite(z).all():
            raise NonFiniteError(f"codes: row {int(np.argwhere(~np.isfinite(z))[0][0])} holds a value that is not finite")
        z = np.ascontiguousarray(z, self.dtype)
        return self._in_chunks(lambda rows: self.likelihood.mean(self.decoder.forward(rows)), z, self.features)

    def reconstruct(self, x: Array) -> Array:
        """decode(encode(x)): (N, F), deterministic."""
        return self.decode(self.encode(x))

    def sample(self, rows: int, *, seed: int = 0) -> Array:
        """New data from the prior: z ~ N(0, I), decoded. (rows, F)"""
        return self.decode(self.prior(rows, seed))

    def prior(self, rows: int, seed: int, stream: int = streams.SAMPLE) -> Array:
        """z ~ N(0, I), (rows, Z)"""
        if rows < 1:
            raise InputError(f"{rows} samples: at least 1 is needed")
        numbers = streams.row_numbers(rows)
        out = self.backend.xp.empty((rows, self.latent), self.dtype)
        return self.backend.to_host(streams.normal(self.backend, streams.check_seed(seed), stream, 0, numbers, out))

    def _code(self, encoded: Any) -> Array:
        """The point code among what the encoder returns."""
        code: Array = encoded
        return code

    def gaussian_posterior(self, reparameterise: Reparameterise, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of q(z|x) for every row, from an encoder with the two heads (mu, s)."""

        def both(rows: Array) -> Array:
            mu, s = self.encoder.forward(rows)
            side_by_side: Array = self.backend.xp.concatenate([mu, reparameterise.sigma(s)], axis=1)
            return side_by_side

        mu_sigma = self._in_chunks(both, self.check_data(x), 2 * self.latent)
        return mu_sigma[:, : self.latent].copy(), mu_sigma[:, self.latent :].copy()

    def _in_chunks(self, function: Callable[[Array], Array], x: Array, columns: int) -> Array:
        out = np.empty((len(x), columns), self.dtype)
        with inference(self):
            for start in range(0, len(x), CHUNK):
                chunk = slice(start, start + CHUNK)
                out[chunk] = self.backend.to_host(function(self.backend.from_host(x[chunk])))
        return out

    # ---- checks

    def check_data(self, x: Array) -> Array:
        """x as a C-contiguous (B, F) array of the model's dtype, or one line that says what is wrong with it."""
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.features or not len(x):
            hint = "; flatten images with x.reshape(len(x), -1)" if x.ndim > 2 else ""
            raise InputError(f"x of shape {x.shape}: this {self.kind} expects (rows, {self.features}) with at least one row{hint}")
        if x.dtype.kind not in "fiub":
            raise InputError(f"x of dtype {x.dtype}: numbers are expected, such as {self.dtype}")
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is named below
            x = np.ascontiguousarray(x, self.dtype)
        low, high = float(x.min()), float(x.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            row, column = np.argwhere(~np.isfinite(x))[0]
            raise NonFiniteError(f"x[{row}, {column}] is {x[row, column]}: every value must be finite; remove or fill that row")
        if self.likelihood.unit_interval and (low < 0 or high > 1):
            raise InputError(
                f"x ranges over [{low:.4g}, {high:.4g}]: a Bernoulli likelihood needs values in [0, 1];"
                " scale them (--set scale=minmax), or take another likelihood (--set reconstruction=gaussian)"
            )
        return self.backend.from_host(x)

    def _check_noise(self, noise: Noise | None, rows: int, *, dropout: bool = True) -> Noise:
        names = {name: columns for name, (_, _, columns) in self.noise_columns().items() if dropout or not name.startswith("dropout")}
        wanted = {name: (rows, columns) for name, columns in names.items()}
        given = {name: array.shape for name, array in (noise or {}).items()}
        for name, shape in wanted.items():
            if given.get(name) != shape:
                found = f"of shape {given[name]}" if name in given else "missing"
                raise InputError(f"noise '{name}' is {found}, expected {shape}: pass noise=model.draw(seed, step, {rows})")
        return noise if noise is not None else Noise()

    def _why_not_finite(self, x: Array, terms: Terms) -> str:
        """Where a loss that is not finite comes from: the data, a parameter, or a term."""
        if not self.backend.xp.isfinite(x).all():
            row = int(np.argwhere(~np.isfinite(self.backend.to_host(x)))[0][0])
            return f"loss is {terms.total}: row {row} of the batch holds a value that is not finite"
        for name in self.parameters.names():
            if not self.backend.xp.isfinite(self.parameters[name].value).all():
                return f"loss is {terms.total}: parameter {name} is no longer finite; lower the learning rate or --set clip_norm=1"
        bad = [name for name, value in terms.items() if not math.isfinite(value)]
        return f"loss is {terms.total}: term {', '.join(bad)} overflowed; lower the learning rate or --set clip_norm=1"


def check_weight(name: str, value: float) -> float:
    """The weight of a term: a finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value) or value < 0:
        raise InputError(f"{name} {value!r} is not a weight: it must be a finite number of at least 0")
    return float(value)


def check_steps(name: str, value: int) -> int:
    """A number of steps: a whole number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise InputError(f"{name} {value!r} is not a number of steps: it must be a whole number of at least 0")
    return int(value)
