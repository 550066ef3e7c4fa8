"""What stops a benchmark with exit status 1. (Bad input is npae.errors.InputError, status 2.)"""

from __future__ import annotations


class BenchError(RuntimeError):
    """No result, because one would mean nothing."""


class Disagreement(BenchError):
    """Two that should compute the same do not."""


class WorkerError(BenchError):
    """A peer that was started does not run."""
