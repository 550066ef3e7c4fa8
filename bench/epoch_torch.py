"""A published run as a PyTorch user would write it who cares about speed.        python -m bench.epoch_torch PRESET FILE EPOCHS

Eager, Adam(fused=True), the images kept as bytes and scaled batch by batch, `kthvalue` for the order statistics; the loss is read once an
epoch. It shares no code with npae. With 0 epochs it stops where the first step would begin.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from bench.epoch_rows import arguments, rows, say


def glorot(*layers: nn.Linear) -> None:
    """Uniform weights as in Flux, no biases."""
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


class FluxAE(nn.Module):
    """784-128-8-128-784, leaky ReLU on every layer but the last; the squared error's mean over all elements."""

    batch, rate = 100, 0.01

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = nn.Linear(784, 128), nn.Linear(128, 8), nn.Linear(8, 128), nn.Linear(128, 784)
        glorot(a, b, c, d)
        self.layers = nn.Sequential(a, nn.LeakyReLU(), b, nn.LeakyReLU(), c, nn.LeakyReLU(), d)

    def forward(self, x: Tensor) -> Tensor:
        """The loss."""
        return mse_loss(self.layers(x), x)


class TorchAE(nn.Module):
    """784-256-16-256-784, linear code, sigmoid output; the squared error's mean over all elements."""

    batch, rate = 32, 1e-3

    def __init__(self) -> None:
        super().__init__()
        encoder = (nn.Linear(784, 256), nn.LeakyReLU(), nn.Linear(256, 16))
        self.layers = nn.Sequential(*encoder, nn.Linear(16, 256), nn.LeakyReLU(), nn.Linear(256, 784), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """The loss."""
        return mse_loss(self.layers(x), x)


class FluxVAE(nn.Module):
    """784-128-8-128-784; Bernoulli likelihood, KL, the decoder's squared parameters."""

    batch, rate = 100, 0.01

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.mu, self.s = nn.Linear(784, 128), nn.Linear(128, 8), nn.Linear(128, 8)
        c, d = nn.Linear(8, 128), nn.Linear(128, 784)
        glorot(self.hidden, self.mu, self.s, c, d)
        self.decoder = nn.Sequential(c, nn.LeakyReLU(), d)

    def codes(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """mu, log sigma, z"""
        h = nn.functional.leaky_relu(self.hidden(x))
        mu, s = self.mu(h), self.s(h)
        return mu, s, mu + torch.randn_like(s) * s.exp()

    def forward(self, x: Tensor) -> Tensor:
        """The loss."""
        mu, s, z = self.codes(x)
        nll = binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum") / len(x)
        kl = 0.5 * ((2 * s).exp() + mu * mu - 1 - 2 * s).sum() / len(x)
        return nll + kl + 0.005 * torch.stack([(p * p).sum() for p in self.decoder.parameters()]).sum()


class FluxWAE(FluxVAE):
    """The same networks; squared error per image, and ten times the squared MMD of the codes from the prior."""

    def forward(self, x: Tensor) -> Tensor:
        """The loss."""
        z = self.codes(x)[2]
        y: Tensor = self.decoder(z)
        return ((y - x) ** 2).sum(1).mean() + 10 * mmd(z, torch.randn_like(z))


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Squared, of all pairs."""
    return (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T


def mmd(z: Tensor, w: Tensor) -> Tensor:
    """Unbiased, RBF kernel, bandwidth from two order statistics."""
    n = len(z)
    pairs, zz, ww, zw = n * n - n, distances(z, z), distances(w, w), distances(z, w)
    with torch.no_grad():
        c = -1 / (2 * (torch.kthvalue(zw.flatten(), pairs // 2).values + torch.kthvalue(zz.flatten(), pairs // 2).values))
    return ((zz * c).exp().sum() + (ww * c).exp().sum() - 2 * n) / pairs - 2 * (zw * c).exp().sum() / n**2


MODELS: dict[str, Any] = {"flux-ae": FluxAE, "flux-vae": FluxVAE, "flux-wae": FluxWAE, "torch-ae": TorchAE}


def main() -> None:
    """Read, train, tell."""
    preset, path, epochs = arguments()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    data, model = torch.from_numpy(rows(path).copy()), MODELS[preset]()
    adam = torch.optim.Adam(model.parameters(), lr=model.rate, eps=1e-8, fused=True)
    for epoch in range(epochs):
        total, steps = torch.zeros(()), 0
        for chosen in torch.split(torch.randperm(len(data)), model.batch):
            loss = model(data[chosen].float() / 255)
            adam.zero_grad()
            loss.backward()
            adam.step()
            total, steps = total + loss.detach(), steps + 1
        say(epoch, float(total) / steps)


if __name__ == "__main__":
    main()
