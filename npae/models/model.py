"""What every model shares: one flat parameter vector, noise by name, and the calls a user makes.

    model.draw(seed, step, rows) -> noise            every random number of one step
    model.loss_and_grad(x, noise=noise) -> terms     the objective's terms; the gradient is in model.parameters.grad
    model.loss(x, noise=noise) -> terms              the same without the gradient
    model.encode / decode / reconstruct / sample     what the model is for

A model's own file holds its objective: `forward` (x, noise -> terms) and `backward`, which reads it bottom-up.
x is (B, F) in data space: finite, and in [0, 1] where the likelihood is a Bernoulli. Otherwise InputError.
Where each row comes with something besides x (`companion`: a label, a target), it is the second argument y of every call.
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
from npae.losses import GaussianLearned, Reconstruction
from npae.models.checks import check_codes, check_labels, check_noise, check_rows, check_targets
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
    companion: ClassVar[str | None] = None  # "labels" (B,) or "targets" (B, T): what each row comes with besides x
    players: ClassVar[tuple[str, ...]] = ()  # tensors "p.*" of a player p minimise terms[p], all others the total
    has_encoder: ClassVar[bool] = True
    has_prior: ClassVar[bool] = True
    comparable: ClassVar[bool] = True  # whether the loss of two epochs can be compared; not so in a game of two players
    training_defaults: ClassVar[Mapping[str, Any]] = {}  # settings of the training that this kind starts from, by option key
    caveat: str = ""  # what has to be said wherever the terms are shown, such as "not a bound: ..."

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

    @property
    def has_posterior(self) -> bool:
        """Whether the encoder returns a Gaussian: then `posterior` works."""
        return False

    @property
    def outputs(self) -> int:
        """The numbers in a decoded row: as many as in x, unless the target is something else."""
        return self.features

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
                terms = self._terms(x, noise, step, held or {}, *given)
                if not all(math.isfinite(value) for value in (terms.total, *(terms[player] for player in self.players))):
                    raise NonFiniteError(self._why_not_finite(x, terms))
                self.backward()
        except BaseException:
            forget(self)
            raise
        return terms

    def _terms(self, x: Array, noise: Noise, step: int | None, held: Mapping[str, Any], *given: Array) -> Terms:
        """The terms, and beside them a variance that is learned."""
        terms = self.forward(x, noise, step, held, *given)
        if isinstance(self.likelihood, GaussianLearned):
            terms.watch(eta=self.likelihood.eta)
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
            return self._terms(x, noise, step, held or {}, *given)

    def per_image(self, terms: Mapping[str, float]) -> dict[str, float]:
        """The terms with the reconstruction as a sum over features per image (nats, where the loss is a likelihood)."""
        factor = self.likelihood.per_image(self.outputs)
        return {name: value * (factor if name == self.reconstruction_term else 1.0) for name, value in terms.items()}

    # ---- what a model is for; y is the label of each row, where the model has labels

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
        return self.backend.to_host(streams.normal(self.backend, streams.check_seed(seed), stream, 0, numbers, out))

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

    # ---- checks

    def check_data(self, x: Array) -> Array:
        """x as a C-contiguous (B, F) array of the model's dtype, or one line that says what is wrong with it."""
        unit_interval = self.likelihood.unit_interval
        return self.backend.from_host(check_rows(x, kind=self.kind, features=self.features, dtype=self.dtype, unit_interval=unit_interval))

    def check_companion(self, y: Array | None, rows: int) -> tuple[Array, ...]:
        """(y,) as the model reads it, or () for a model whose rows come alone."""
        if self.companion == "labels":
            return (self.backend.from_host(check_labels(y, rows, kind=self.kind, classes=self.spec["classes"])),)
        if self.companion == "targets":
            return (self.backend.from_host(check_targets(y, rows, kind=self.kind, features=self.outputs, dtype=self.dtype)),)
        if y is not None:
            raise InputError(
                f"y was given, but this {self.kind} takes rows x alone: leave y out, or take a model that reads it (cvae, paired)"
            )
        return ()

    def _condition(self, y: Array | None, rows: int) -> tuple[Array, ...]:
        """The label that encoder and decoder read; a target is read by the loss alone."""
        return () if self.companion == "targets" else self.check_companion(y, rows)

    def _need_encoder(self) -> None:
        if not self.has_encoder:
            raise InputError(f"a {self.kind} has no encoder: it draws new rows (sample, decode), and has no code for a given one")

    def _checked_noise(self, noise: Noise | None, rows: int, *, dropout: bool = True) -> Noise:
        names = {name: columns for name, (_, _, columns) in self.noise_columns().items() if dropout or not name.startswith("dropout")}
        check_noise({name: (rows, columns) for name, columns in names.items()}, noise, rows)
        return noise if noise is not None else Noise()

    def _why_not_finite(self, x: Array, terms: Terms) -> str:
        """Where a loss that is not finite comes from: the data, a parameter, or a term; whose loss it is, where there are players."""
        loss, value = "loss", terms.total
        for player in self.players:
            if math.isfinite(value) and not math.isfinite(terms[player]):
                loss, value = f"the loss of the {player}", terms[player]
        if not self.backend.xp.isfinite(x).all():
            row = int(np.argwhere(~np.isfinite(self.backend.to_host(x)))[0][0])
            return f"{loss} is {value}: row {row} of the batch holds a value that is not finite"
        for name in self.parameters.names():
            if not self.backend.xp.isfinite(self.parameters[name].value).all():
                return f"{loss} is {value}: parameter {name} is no longer finite; lower the learning rate or --set clip_norm=1"
        bad = [name for name, value in terms.items() if not math.isfinite(value)]
        return f"{loss} is {value}: term {', '.join(bad)} overflowed; lower the learning rate or --set clip_norm=1"
