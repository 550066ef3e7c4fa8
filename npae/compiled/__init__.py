"""The training step compiled from a model's layers: no Python, no allocation and no whole gradient between its kernels.

    layers.py        a Chain read as Dense layers with activation and dropout
    objectives.py    each kind's page, in operations;  gaussian.py, discrepancy.py: its codes;  updates.py: the last phase
    lowering.py      layers and losses -> operations on addresses, phase after phase;  notes.py: what it notes of each layer
    work.py          how a batch is cut into blocks of rows, and a wide layer into shares of columns, one thread's each
    plan.py          operations and their items of work as tables;  Plan.describe() shows them
    steps.py         many steps in one call

What runs is npae/kernels/step: one compiled function for each kind of operation, the same for every network. The ordinary step
(npae/training/step.py) is the specification; both give the same numbers up to rounding, and this one the same to the last bit on any
number of threads.
"""

from npae.compiled.layers import NotCovered
from npae.compiled.steps import CompiledSteps

__all__ = ["CompiledSteps", "NotCovered"]
