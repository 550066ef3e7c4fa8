"""A published run on a GPU as a PyTorch user would write it.        python -m bench.epoch_torch_cuda PRESET FILE EPOCHS eager|graph

The models of epoch_torch.py, fused Adam, the images as bytes on the device, scaled batch by batch; the loss is read once an epoch. `graph`
records a step once as a CUDA graph, which counts on the device which batch comes next. With 0 epochs it stops where the first step would
begin.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from bench.epoch_rows import arguments, form, rows, say
from bench.epoch_torch import MODELS

DEVICE = "cuda"
WARM_UP = 3  # steps on a stream of their own before the recording; they train as every other, on the first batch


class Training:
    """One model with its data."""

    def __init__(self, preset: str, data: Tensor, *, capturable: bool) -> None:
        self.data, self.model = data, MODELS[preset]().to(DEVICE)
        self.adam = torch.optim.Adam(self.model.parameters(), lr=self.model.rate, eps=1e-8, fused=True, capturable=capturable)
        self.batches = len(data) // self.model.batch
        self.order = torch.arange(len(data), device=DEVICE)[: self.batches * self.model.batch].view(self.batches, -1)
        self.place, self.total = torch.zeros(1, dtype=torch.int64, device=DEVICE), torch.zeros((), device=DEVICE)

    def step(self) -> None:
        """On the next batch; nothing is read."""
        chosen = self.order.index_select(0, self.place).view(-1)
        loss = self.model(self.data.index_select(0, chosen).float() / 255)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.total += loss.detach()
        self.place += 1

    def epoch(self, step: Callable[[], None]) -> float:
        """The mean of its losses."""
        self.order.copy_(torch.randperm(len(self.data), device=DEVICE)[: self.order.numel()].view_as(self.order))
        self.place.zero_()
        self.total.zero_()
        for _ in range(self.batches):
            step()
        mean: float = float(self.total) / self.batches
        return mean

    def recorded(self) -> Callable[[], None]:
        """The step as one graph."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.place.zero_()
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        replay: Callable[[], None] = graph.replay
        return replay


def main() -> None:
    """Read, train, tell."""
    preset, path, epochs = arguments()
    graph = form() == "graph"
    torch.manual_seed(0)
    training = Training(preset, torch.from_numpy(rows(path).copy()).to(DEVICE), capturable=graph)
    step = training.recorded() if graph and epochs else training.step
    for epoch in range(epochs):
        started = time.perf_counter()
        loss = training.epoch(step)
        say(epoch, loss, time.perf_counter() - started)


if __name__ == "__main__":
    main()
