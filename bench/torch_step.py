"""PyTorch's training step as a worker: eager, fused Adam.        python -m bench.torch_step FOLDER MODEL

Written as a PyTorch user would write it who cares about speed: Linear modules, functional losses, Adam(fused=True), distances by a matrix
product, and `kthvalue` for the order statistics, which takes a tenth of the time of `sort`. A term comes with its weight in the objective.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu, mse_loss

from bench.peer import Clock, Peer
from bench.problem import BATCHES
from bench.workers import serve
from npae.backend import Array

Objective: TypeAlias = Callable[[nn.ModuleDict, Tensor, Mapping[str, Tensor]], dict[str, tuple[Tensor, float]]]


def network(parameters: Mapping[str, Array]) -> nn.ModuleDict:
    """A Linear for each of npae's Dense layers, with its weights; "encoder.2.mu" is called encoder_2_mu."""
    layers = nn.ModuleDict()
    for name, W in parameters.items():
        if name.endswith(".W"):
            layer = nn.Linear(*W.shape)
            layer.weight.data.copy_(torch.from_numpy(W).T)
            layer.bias.data.copy_(torch.from_numpy(parameters[name.removesuffix("W") + "b"]))
            layers[name.removesuffix(".W").replace(".", "_")] = layer
    return layers


def ae(layers: nn.ModuleDict, x: Tensor, noise: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, float]]:
    """Squared error, the mean over all elements."""
    z = leaky_relu(layers["encoder_2"](leaky_relu(layers["encoder_0"](x))))
    y = layers["decoder_2"](leaky_relu(layers["decoder_0"](z)))
    return {"reconstruction": (mse_loss(y, x), 1.0)}


def _gaussian(layers: nn.ModuleDict, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """mu, log sigma, z, y"""
    h = leaky_relu(layers["encoder_0"](x))
    mu, s = layers["encoder_2_mu"](h), layers["encoder_2_s"](h)
    z = mu + eps * s.exp()
    return mu, s, z, layers["decoder_2"](leaky_relu(layers["decoder_0"](z)))


def vae(layers: nn.ModuleDict, x: Tensor, noise: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, float]]:
    """Bernoulli likelihood, KL, the decoder's squared parameters."""
    mu, s, _, logits = _gaussian(layers, x, noise["eps"])
    nll = binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    kl = 0.5 * ((2 * s).exp() + mu * mu - 1 - 2 * s).sum() / len(x)
    decoder = [p for name, layer in layers.items() if name.startswith("decoder") for p in layer.parameters()]
    return {"nll": (nll, 1.0), "kl": (kl, 1.0), "l2": (torch.stack([(p * p).sum() for p in decoder]).sum(), 0.005)}


def wae(layers: nn.ModuleDict, x: Tensor, noise: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, float]]:
    """Squared error per image, and MMD^2 of the codes from the prior."""
    _, _, z, y = _gaussian(layers, x, noise["eps"])
    return {"reconstruction": (((x - y) ** 2).sum(1).mean(), 1.0), "mmd": (_mmd(z, noise["prior"]), 10.0)}


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T


def _mmd(z: Tensor, w: Tensor) -> Tensor:
    """Unbiased, RBF kernel, bandwidth by the flux rule."""
    n = len(z)
    pairs, zz, ww, zw = n * n - n, _distances(z, z), _distances(w, w), _distances(z, w)
    with torch.no_grad():
        sigma2 = torch.kthvalue(zw.flatten(), pairs // 2).values + torch.kthvalue(zz.flatten(), pairs // 2).values
        c = -1 / (2 * sigma2)
    return ((zz * c).exp().sum() + (ww * c).exp().sum() - 2 * n) / pairs - 2 * (zw * c).exp().sum() / n**2


OBJECTIVES: dict[str, Objective] = {"ae": ae, "vae": vae, "wae": wae}


class TorchStep(Peer):
    """Gather, draw, forward, autograd, Adam."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = int(os.environ["OMP_NUM_THREADS"])
        torch.set_num_threads(self.threads)
        self.objective = OBJECTIVES[self.model]
        self.x, self.order = torch.from_numpy(self.problem.data), torch.from_numpy(self.problem.order)
        self.start()

    def start(self) -> None:
        """From the problem's parameters."""
        self.layers = network(self.problem.parameters)
        rate, epsilon = self.problem.learning_rate, self.problem.epsilon
        self.adam = torch.optim.Adam(self.layers.parameters(), lr=rate, eps=epsilon, fused=True)

    def step(self, x: Tensor, noise: Mapping[str, Tensor]) -> tuple[dict[str, tuple[Tensor, float]], Tensor]:
        """The terms, and the total."""
        terms = self.objective(self.layers, x, noise)
        total = torch.stack([weight * value for value, weight in terms.values()]).sum()
        self.adam.zero_grad()
        torch.autograd.backward(total)
        self.adam.step()
        return terms, total.detach()

    def steps(self, count: int) -> dict[str, float]:
        """The loss is read once, at the end."""
        total, clock = torch.zeros(()), Clock()
        for rows in itertools.islice(self.endless, count):
            x = self.x[torch.from_numpy(rows)]
            total += self.step(x, {name: torch.randn(array.shape[1:]) for name, array in self.problem.noise.items()})[1]
        return clock.stop(count, float(total))

    def agree(self) -> dict[str, Any]:
        """Leaves a fresh start behind."""
        self.start()
        first: dict[str, float] = {}
        for k in range(BATCHES):
            noise = {name: torch.from_numpy(array[k]) for name, array in self.problem.noise.items()}
            terms, total = self.step(torch.from_numpy(self.problem.x[k]), noise)
            first = first or {name: float(value) for name, (value, _) in terms.items()} | {"total": float(total)}
        self.start()
        return {"terms": first, "later": float(total)}

    def library(self) -> str:
        """It is built in."""
        mkl = "Math Kernel Library" in torch.__config__.parallel_info()
        return f"{'MKL' if mkl else 'BLAS'} inside torch ({torch.get_num_threads()} threads)"


if __name__ == "__main__":
    serve(TorchStep)
