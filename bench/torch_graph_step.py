"""PyTorch's whole training step as one CUDA graph, as a worker.        python -m bench.torch_graph_step FOLDER MODEL

Gathering, drawing, forward, backward and the fused Adam (capturable) are recorded once; which batch comes next is counted on the device, so
a step is one launch of the host's. To agree, a graph of its own takes the problem's batches and noise from arrays that stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from bench.problem import BATCHES
from bench.torch_cuda_step import DeviceClock, TorchCudaStep
from bench.workers import serve

WARM_UP = 3  # calls on a stream of their own before the recording, as PyTorch's documentation asks


def recorded(work: Callable[[], None]) -> Callable[[], None]:
    """The launches of `work` as one graph; `work` runs WARM_UP times."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    replay: Callable[[], None] = graph.replay
    return replay


class TorchGraphStep(TorchCudaStep):
    """One replay a step."""

    of_adam: Mapping[str, bool] = {"fused": True, "capturable": True}

    def __init__(self) -> None:
        super().__init__()
        self.order = self.order[: len(self.order) // self.rows * self.rows].view(-1, self.rows)
        self.place = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.sum = torch.zeros((), dtype=self.x.dtype, device=self.device)
        self.replay = recorded(self._next)

    def _next(self) -> None:
        """The step of the next batch, with nothing that the host would have to know."""
        rows = self.order.index_select(0, self.place).view(-1)
        self.sum += self.step(self.x.index_select(0, rows), self.draw())[1]
        self.place.add_(1).remainder_(len(self.order))

    def steps(self, count: int) -> dict[str, float]:
        """Replays."""
        self.sum.zero_()
        clock = DeviceClock()
        for _ in range(count):
            self.replay()
        return clock.stop(count, self.sum)

    def agree(self) -> dict[str, Any]:
        """By a graph with parameters of its own; a fresh start is left behind."""
        self.start()
        x, noise = self.tensor(self.problem.x[0]).clone(), {name: self.tensor(a[0]).clone() for name, a in self.given_noise().items()}
        shown: dict[str, Tensor] = {}

        def given() -> None:
            terms, total = self.step(x, noise)
            shown.update(terms, total=total)

        replay = recorded(given)
        self._begin_again()
        first: dict[str, float] = {}
        for k in range(BATCHES):
            x.copy_(self.tensor(self.problem.x[k]))
            for name, array in self.given_noise().items():
                noise[name].copy_(self.tensor(array[k]))
            replay()
            first = first or {name: value.item() for name, value in shown.items()}
        later = shown["total"].item()
        self.start()
        self.replay = recorded(self._next)
        return {"terms": first, "later": later}

    def _begin_again(self) -> None:
        """The problem's parameters and an Adam that has made no step, in the places that the graph knows."""
        kept, adam = self.parameters, self.adam
        self.start()
        with torch.no_grad():
            for numbers in adam.state.values():
                for tensor in numbers.values():
                    tensor.zero_()
            for name, pair in kept.items():
                for there, given in zip(pair, self.parameters[name], strict=True):
                    there.copy_(given)
        self.parameters, self.adam = kept, adam


if __name__ == "__main__":
    serve(TorchGraphStep)
