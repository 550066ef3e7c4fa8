"""PyTorch's training step as a worker, compiled: objective and gradient, fused Adam.      python -m bench.torch_compile_step FOLDER MODEL

Forward and backward are compiled by inductor into C++; gathering, drawing and Adam are as in torch_step.py (a compiled Adam is slower than
the fused one). What is compiled is kept in the bench's folder, so that the second start finds it.
"""

from __future__ import annotations

import torch

from bench.torch_step import TorchStep
from bench.workers import serve


class CompiledTorchStep(TorchStep):
    """One compiled function for the terms, and its compiled derivative."""

    def __init__(self) -> None:
        super().__init__()
        self.total = torch.compile(self.total, dynamic=False)  # type: ignore[method-assign]


if __name__ == "__main__":
    serve(CompiledTorchStep)
