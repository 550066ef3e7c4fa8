"""One flat vector theta and one flat gradient; every parameter is a named view of both.

So Adam is one kernel, a checkpoint one array, an all-reduce one call and a gradient check one loop:

    parameters.value  (P,)    parameters.grad  (P,)    parameters["encoder.0.W"].value  (I, O), a view

Initialisers are named after the framework they match, weights and biases together:

    flux, keras   W ~ U(-a, a), a = sqrt(6 / (I + O)); b = 0        Glorot & Bengio 2010
    pytorch       W and b ~ U(-a, a), a = 1 / sqrt(I)               torch.nn.Linear
    he            W ~ N(0, 2 / I); b = 0                            He et al. 2015

The numbers come from noise.py, stream INITIALISE, one step number per tensor: the same seed gives the same weights on every backend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np

from npae import noise
from npae.backend import Array, Backend, backend, check_dtype
from npae.errors import InputError, nearest
from npae.kernels.cuda import lane

PENALTY_LINE = "penalty"  # where a penalty on parameters adds its gradient, before layers add theirs
GRADIENT_LINES = ("gradients of even layers", "gradients of odd layers")  # where these do, each layer always on the same one

Draw = Callable[[Callable[..., Array]], Array]

_most: ContextVar[int | None] = ContextVar("most", default=None)


@contextmanager
def at_most(numbers: int) -> Iterator[None]:
    """Inside, a model with more parameters is refused before anything is allocated: its description came with so many numbers."""
    token = _most.set(numbers)
    try:
        yield
    finally:
        _most.reset(token)


def _settled(gradient: Array) -> Array:
    """The gradient, with whatever is launched from now on after those who are adding to it."""
    lane.settle(PENALTY_LINE, *GRADIENT_LINES)
    return gradient


@dataclass
class Parameter:
    """A tensor to be learned: its shape, how it starts, and (once bound) its views into the flat vectors.

    Who asks for `grad` comes after the gradients that layers are adding on a line of their own (npae/kernels/cuda/lane.py).
    """

    shape: tuple[int, ...]
    fan_in: int
    fan_out: int
    initialiser: str
    value: Array = field(init=False, repr=False)
    _grad: Array = field(init=False, repr=False)

    @property
    def grad(self) -> Array:
        """The gradient, to be added to."""
        return _settled(self._grad)

    @grad.setter
    def grad(self, array: Array) -> None:
        """Bound to its part of the flat vector."""
        self._grad = array

    @property
    def grad_beside(self) -> Array:
        """The same for a launch beside others, of which its author knows what it comes after."""
        return self._grad

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def is_bias(self) -> bool:
        """A vector is a bias: initialisers treat it apart."""
        return len(self.shape) == 1


def _glorot(parameter: Parameter, seed: int, index: int) -> Array:
    if parameter.is_bias:
        return np.zeros(parameter.shape)
    limit = math.sqrt(6 / (parameter.fan_in + parameter.fan_out))
    return limit * (2 * _uniform(parameter, seed, index) - 1)


def _pytorch(parameter: Parameter, seed: int, index: int) -> Array:
    return (2 * _uniform(parameter, seed, index) - 1) / math.sqrt(parameter.fan_in)


def _he(parameter: Parameter, seed: int, index: int) -> Array:
    if parameter.is_bias:
        return np.zeros(parameter.shape)
    out = np.empty(parameter.shape)
    noise.normal(backend("numpy"), seed, noise.INITIALISE, index, noise.row_numbers(len(out)), out)
    return out * math.sqrt(2 / parameter.fan_in)


def _uniform(parameter: Parameter, seed: int, index: int) -> Array:
    out = np.empty((1, parameter.size) if parameter.is_bias else parameter.shape)
    noise.uniform(backend("numpy"), seed, noise.INITIALISE, index, noise.row_numbers(len(out)), out)
    return out.reshape(parameter.shape)


INITIALISERS: dict[str, Callable[[Parameter, int, int], Array]] = {"flux": _glorot, "keras": _glorot, "pytorch": _pytorch, "he": _he}


def check_initialiser(name: str) -> str:
    """The name, if there is such an initialiser."""
    if name not in INITIALISERS:
        raise InputError(f"initialiser '{name}' is not known{nearest(name, INITIALISERS)}")
    return name


class Parameters:
    """Every parameter of a model, in one flat vector, with its gradient in another.

    value, grad  (P,)   the flat vectors        names()   "encoder.0.W", "encoder.0.b", ...   in the order of the flat vector
    """

    def __init__(self, named: Iterator[tuple[str, Parameter]], *, backend: Backend, dtype: str, seed: int) -> None:
        self._named = dict(named)
        self.backend = backend
        self.dtype = check_dtype(dtype)
        size, most = sum(parameter.size for parameter in self._named.values()), _most.get()
        if most is not None and size > most:
            raise InputError(f"{size:,} parameters are described, and {most:,} numbers are there for them; the description is damaged")
        try:
            self.value: Array = backend.xp.zeros(size, self.dtype)
            self._grad: Array = backend.xp.zeros(size, self.dtype)
        except (MemoryError, ValueError):
            raise InputError(f"{size:,} parameters do not fit into memory; make hidden or latent smaller") from None
        self.slices: dict[str, slice] = {}
        offset = 0
        for name, parameter in self._named.items():
            place = slice(offset, offset + parameter.size)
            self.slices[name] = place
            parameter.value = self.value[place].reshape(parameter.shape)
            parameter.grad = self._grad[place].reshape(parameter.shape)
            offset = place.stop
        self.initialise(seed)

    @property
    def grad(self) -> Array:
        """The gradient of every tensor, in one vector; as Parameter.grad."""
        return _settled(self._grad)

    @grad.setter
    def grad(self, array: Array) -> None:
        """Written into the vector that every tensor has a view of."""
        if array is not self._grad:  # `grad *= 2` has written it already
            self._grad[...] = array

    def initialise(self, seed: int) -> None:
        """Start again from `seed`."""
        seed = noise.check_seed(seed)
        for index, parameter in enumerate(self._named.values()):
            start = INITIALISERS[parameter.initialiser](parameter, seed, index)
            parameter.value[...] = self.backend.from_host(start.astype(self.dtype))

    def names(self) -> list[str]:
        """The tensors' names, in the order of the flat vector."""
        return list(self._named)

    def __getitem__(self, name: str) -> Parameter:
        if name not in self._named:
            raise InputError(f"parameter '{name}' is not in this model{nearest(name, self._named)}")
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self.value)

    def part(self, prefix: str) -> slice:
        """Where the tensors of one part ("decoder") lie in the flat vectors: they are neighbours."""
        places = [place for name, place in self.slices.items() if name.startswith(prefix + ".")]
        return slice(places[0].start, places[-1].stop)

    def zero_grad(self) -> None:
        """Gradients add; this is the once-a-step zero."""
        self.grad.fill(0)
