"""The training step on a GPU: its launches recorded once as a CUDA graph, then replayed; the host waits once for many steps.

    batch.py     one step for batches of one size, as launches that read nothing back
    steps.py     many steps in one call: replayed, or launched one by one (`--eager`), with the same numbers to the last bit

The page of the model is the one that every backend runs. What is different lies below it: numbers stay on the device (npae/backend.py),
layers run together with what stands around them (npae/layers/fused.py), and what changes from step to step is read from tables there
(npae/kernels/graph).
"""

from npae.captured.steps import CapturedSteps

__all__ = ["CapturedSteps"]
