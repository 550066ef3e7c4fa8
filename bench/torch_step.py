"""PyTorch's training step as a worker: eager, fused Adam.        python -m bench.torch_step FOLDER MODEL

Written as a PyTorch user would write it who cares about speed: functional layers and losses, mu and s from one layer, Adam(fused=True),
distances by a matrix product, and `kthvalue` for the order statistics, which takes a tenth of the time of `sort`.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.network import EXPONENT, KL, MMD, Layer, Likelihood, Sampling
from bench.peer import Clock, Peer
from bench.problem import BATCHES
from bench.workers import serve

Terms: TypeAlias = dict[str, tuple[Tensor, float]]

ACTIVATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "linear": lambda x, parameter: x,
    "leaky_relu": F.leaky_relu,
    "relu": lambda x, parameter: F.relu(x),
    "sigmoid": lambda x, parameter: torch.sigmoid(x),
    "tanh": lambda x, parameter: torch.tanh(x),
    "elu": lambda x, parameter: F.elu(x),
    "softplus": lambda x, parameter: F.softplus(x) + parameter,
}


def likelihood(loss: Likelihood, y: Tensor, x: Tensor) -> Tensor:
    """The reconstruction's term."""
    if loss.name == "squared_error":
        value = F.mse_loss(y, x, reduction="sum")
    elif loss.name == "bernoulli_logits":
        value = F.binary_cross_entropy_with_logits(y, x, reduction="sum")
    else:
        value = F.binary_cross_entropy(y.clamp(loss.clip, 1 - loss.clip), x, reduction="sum")
    return value * (loss.factor / len(x)) + loss.constant


def sigma(form: str, noise_scale: float, s: Tensor) -> Tensor:
    """The standard deviation that s stands for."""
    deviation = s if form == "sigma" else torch.exp(s if EXPONENT[form] == 1 else EXPONENT[form] * s)
    return deviation if noise_scale == 1 else noise_scale * deviation


def kl(term: KL, mu: Tensor, s: Tensor) -> Tensor:
    """1/(2 B) sum (v + mu^2 - 1 - log(epsilon + v))"""
    if term.form == "sigma" or term.epsilon:
        v = sigma(term.form, term.noise_scale, s) ** 2
        log_v = torch.log(v + term.epsilon)
    else:
        log_v = 2 * EXPONENT[term.form] * s + 2 * math.log(term.noise_scale)
        v = torch.exp(log_v)
    return 0.5 / len(mu) * (v + mu * mu - 1 - log_v).sum()


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T


def _ranked(d2: Tensor, rank: int) -> Tensor:
    return torch.kthvalue(d2.flatten(), rank + 1).values


def mmd(term: MMD, z: Tensor, w: Tensor) -> Tensor:
    """Unbiased, RBF kernel, the bandwidth held constant."""
    n = len(z)
    zz, ww, zw = _distances(z, z), _distances(w, w), _distances(z, w)
    with torch.no_grad():
        sigma2: Any = _ranked(zw, term.ranks[0]) + _ranked(zz, term.ranks[1]) if term.ranks else term.sigma2
        c = -0.5 / sigma2
    value: Tensor = ((zz * c).exp().sum() + (ww * c).exp().sum() - 2 * n) / (n * n - n) - 2 * (zw * c).exp().sum() / n**2
    return value


class TorchStep(Peer):
    """Gather, draw, forward, autograd, Adam."""

    device = "cpu"
    of_adam: Mapping[str, bool] = {"fused": True}

    def __init__(self) -> None:
        super().__init__()
        self.threads = int(os.environ["OMP_NUM_THREADS"])
        torch.set_num_threads(self.threads)
        self.network = self.problem.network
        self.x, self.order = self.tensor(self.problem.data), self.tensor(self.problem.order)
        self.start()

    def tensor(self, array: Any) -> Tensor:
        """The array where this step computes."""
        return torch.as_tensor(array, device=self.device)

    def start(self) -> None:
        """From the problem's parameters: W (O, I) as in nn.Linear."""
        given, network = self.problem.parameters, self.network
        self.parameters = {
            layer.name: [self.tensor(given[f"{layer.name}.W"].T.copy()), self.tensor(given[f"{layer.name}.b"].copy())]
            for layer in (*network.encoder, *network.decoder)
        }
        if network.heads:
            both = ([given[f"{head.name}.{key}"] for head in network.heads] for key in "Wb")
            self.parameters["heads"] = [torch.cat([self.tensor(one.T) for one in ones]).contiguous() for ones in both]
        self.adam = torch.optim.Adam(
            [tensor.requires_grad_() for pair in self.parameters.values() for tensor in pair],
            lr=network.adam.rate,
            betas=(network.adam.beta1, network.adam.beta2),
            eps=network.adam.epsilon,
            **self.of_adam,
        )
        self.taken = 0

    def through(self, layers: Iterable[Layer], x: Tensor, masks: Mapping[str, Tensor]) -> Tensor:
        """x -> the last layer's output"""
        for layer in layers:
            x = ACTIVATIONS[layer.activation](F.linear(x, *self.parameters[layer.name]), layer.parameter)
            x = x * masks[layer.name] if layer.dropout else x
        return x

    def objective(self, x: Tensor, noise: Mapping[str, Tensor]) -> Terms:
        """The terms with their weights; noise holds eps, prior, and each dropout's mask times 1 / (1 - rate)."""
        network = self.network
        dropping = [layer.name for layer in (*network.encoder, *network.decoder) if layer.dropout]
        masks = {name: noise[f"dropout{k}"] for k, name in enumerate(dropping)}
        h, divergences = self.through(network.encoder, x, masks), Terms()
        if network.sampling:
            mu, s = self.posterior(h)
            divergences = {term.term: (kl(term, mu, s), term.weight) for term in network.kl}
            h = self.sampled(network.sampling, mu, s, noise["eps"])
        terms = {network.likelihood.term: (likelihood(network.likelihood, self.through(network.decoder, h, masks), x), 1.0)}
        terms |= divergences
        if network.mmd:
            terms["mmd"] = mmd(network.mmd, h, noise["prior"]), network.mmd.weight
        if network.l2:
            squares = [(p * p).sum() for layer in network.decoder for p in self.parameters[layer.name]]
            terms["l2"] = torch.stack(squares).sum(), network.l2
        return terms

    def posterior(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """mu, s"""
        mu, s = F.linear(h, *self.parameters["heads"]).chunk(2, 1)
        last = self.network.heads[1]
        return mu, ACTIVATIONS[last.activation](s, last.parameter)

    def sampled(self, how: Sampling, mu: Tensor, s: Tensor, eps: Tensor) -> Tensor:
        """z"""
        return mu + eps * sigma(how.form, how.noise_scale, s)

    def total(self, x: Tensor, noise: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """Each term, and what is minimised."""
        terms = self.objective(x, noise)
        weighted = [value if weight == 1 else weight * value for value, weight in terms.values() if weight]
        return {name: value for name, (value, _) in terms.items()}, sum(weighted[1:], start=weighted[0])

    def step(self, x: Tensor, noise: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """The terms, and the total."""
        self.taken += 1
        if self.network.adam.placement == "uncorrected":  # torch.optim.Adam divides sqrt(v) by this root before it adds eps
            self.adam.param_groups[0]["eps"] = self.network.adam.epsilon / math.sqrt(1 - self.network.adam.beta2**self.taken)
        terms, total = self.total(x, noise)
        self.adam.zero_grad()
        torch.autograd.backward(total)
        self.adam.step()
        return terms, total.detach()

    def draw(self) -> dict[str, Tensor]:
        """The random numbers of one step."""
        shapes = {name: array.shape[1:] for name, array in self.problem.noise.items()}
        dropped = self.network.rates_of_dropout
        like: dict[str, Any] = {"dtype": self.x.dtype, "device": self.device}
        noise = {name: torch.randn(shape, **like) for name, shape in shapes.items() if name not in dropped}
        for name, (_, rate) in dropped.items():
            noise[name] = torch.empty(shapes[name], **like).bernoulli_(1 - rate).div_(1 - rate)
        return noise

    def steps(self, count: int) -> dict[str, float]:
        """The loss is read once, at the end."""
        total, clock = torch.zeros((), dtype=self.x.dtype), Clock()
        for rows in itertools.islice(self.endless, count):
            total += self.step(self.x[torch.from_numpy(rows)], self.draw())[1]
        return clock.stop(count, float(total))

    def agree(self) -> dict[str, Any]:
        """Leaves a fresh start behind."""
        self.start()
        first: dict[str, float] = {}
        for k in range(BATCHES):
            noise = {name: self.tensor(array[k]) for name, array in self.given_noise().items()}
            terms, total = self.step(self.tensor(self.problem.x[k]), noise)
            first = first or {name: value.item() for name, value in terms.items()} | {"total": total.item()}
        self.start()
        return {"terms": first, "later": float(total)}

    def library(self) -> str:
        """It is built in."""
        mkl = "Math Kernel Library" in torch.__config__.parallel_info()
        return f"{'MKL' if mkl else 'BLAS'} inside torch ({torch.get_num_threads()} threads)"


if __name__ == "__main__":
    serve(TorchStep)
