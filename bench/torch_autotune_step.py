"""PyTorch's training step on a GPU, compiled with mode="max-autotune".        python -m bench.torch_autotune_step FOLDER MODEL FORM

alone      objective and gradient compiled, in the CUDA graphs that this mode makes of them; fused Adam and draws are eager
graph      compiled by max-autotune-no-cudagraphs, and the whole step with Adam and draws recorded as one graph (torch_graph_step.py)
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import torch
from torch import Tensor

from bench.torch_cuda_step import TorchCudaStep
from bench.torch_graph_step import TorchGraphStep
from bench.workers import serve


class AutotunedStep(TorchCudaStep):
    """Graphs as PyTorch makes them."""

    def __init__(self) -> None:
        super().__init__()
        self.total = torch.compile(self.total, mode="max-autotune", dynamic=False)  # type: ignore[method-assign]

    def step(self, x: Tensor, noise: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """What the last step left in the graphs' memory may be overwritten."""
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return super().step(x, noise)


class AutotunedGraphStep(TorchGraphStep):
    """One graph for all of it."""

    def start(self) -> None:
        """As ever, the first time with what is compiled."""
        super().start()
        if "total" not in vars(self):
            self.total = torch.compile(self.total, mode="max-autotune-no-cudagraphs", dynamic=False)  # type: ignore[method-assign]


FORMS = {"alone": AutotunedStep, "graph": AutotunedGraphStep}

if __name__ == "__main__":
    serve(FORMS[sys.argv[3]])
