"""How near a contender must come to the truth (truth.py, float64) before it is timed.

Value and gradient are compared relative to |value| and to the largest element of the gradient, distances relative to the largest of them.

    everybody    float32 1e-3, which distances by a matrix product need in 64 dimensions; float64 1e-9
    npae         float32 1e-5 for the value and for distances, 1e-4 for the gradient; the order statistics are exact to the last bit

Raises Disagreement with the contender, the size, what differs and by how much.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import Disagreement
from bench.peers_of_kernels.contenders import OWN, OWN_ON_GPU
from bench.peers_of_kernels.problem import Problem, Size
from bench.peers_of_kernels.truth import certify, pairwise_truth, truth

ALLOWED = {"float32": 1e-3, "float64": 1e-9}
PROMISED = {"value": 1e-5, "dz": 1e-4, "d2": 1e-5}
WORDS = {"value": "value", "dz": "gradient", "d2": "distances"}


def load(path: str) -> dict[str, Any]:
    """What a worker's `result` wrote."""
    with np.load(Path(path)) as content:
        return dict(content)


def truth_of(problem: Problem, own: Mapping[str, Any]) -> dict[str, Any]:
    """What must come out, for the distances that npae picked once they are certified."""
    if problem.comparison == "pairwise":
        return {"d2": pairwise_truth(problem)}
    picked = tuple(own["distances"].tolist())
    if picked:
        certify(problem, (picked[0], picked[1]))
    value, dz = truth(problem, picked)
    return {"value": np.float64(value), "dz": dz}


def differences(name: str, size: Size, dtype: str, found: Mapping[str, Any], true: Mapping[str, Any]) -> dict[str, float]:
    """Of each array that is compared; Disagreement where one is too large."""
    relative = {what: float(np.abs(found[what] - array).max() / np.abs(array).max()) for what, array in true.items()}
    for what, difference in relative.items():
        allowed = PROMISED[what] if name in (OWN, OWN_ON_GPU) and dtype == "float32" else ALLOWED[dtype]
        if not difference <= allowed:
            raise Disagreement(f"{name} disagrees at {size}: the {WORDS[what]} differs by {difference:.2g} of itself, allowed {allowed:g}")
    return relative
