"""A short name for the weights, bit by bit: BLAKE2b, 128 bits, of the parameters' bytes in the order of the flat vector.

Two trainings whose weights have the same fingerprint after an epoch are the same training up to there; one bit that differs gives another.
Every row of the history holds that of the weights as its epoch left them: npae replay and npae verify compare them.
"""

from __future__ import annotations

import hashlib

import numpy as np

from npae.backend import Array
from npae.models import Model

BYTES = 16


def fingerprint(weights: Array) -> str:
    """32 hexadecimal digits for the flat vector (P,), on the host."""
    return hashlib.blake2b(np.ascontiguousarray(weights).data, digest_size=BYTES).hexdigest()


def fingerprint_of(model: Model) -> str:
    """That of the model's weights as they are now."""
    return fingerprint(model.backend.to_host(model.parameters.value))
