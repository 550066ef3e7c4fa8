"""Which rows pull hardest on the weights: the norm of each row's gradient at the weights as they are, and the gradient-noise scale.

    norm_i = || dl_i / dtheta ||       per_sample.py          pull of some rows = the sum of their norms / the sum of all

A row that pulls hard is one that the model does not fit yet: rare, mislabelled, or noise. It says how far a step on that row alone would
move the weights, and not what the model would be without it.
Raises InputError for a number of rows below 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.inspection.batches import coming_batches
from npae.inspection.noise_scale import NoiseScale, noise_scale
from npae.inspection.per_sample import left_out, row_gradients
from npae.training.loop import Trainer

COUPLING = ("mmd",)  # terms that look at several rows at once
QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, eq=False)
class Influence:
    """Rows of the training data, the hardest first, and the norms of their gradients; `notes` is what has to be said beside them."""

    about: dict[str, Any]
    rows: Array
    norms: Array
    by_parameter: dict[str, float]
    scale: NoiseScale
    notes: tuple[str, ...]

    def pull(self, share: float) -> float:
        """Of the hardest `share` of the rows, as a share of that of all."""
        count = max(1, round(share * len(self.norms)))
        return float(self.norms[:count].sum() / (self.norms.sum() or 1.0))


def influence(trainer: Trainer, rows: int) -> Influence:
    """Of the next `rows` rows of the training (whole batches; of this epoch)."""
    if rows < 2:
        raise InputError(f"{rows} rows: at least 2 are needed to be compared")
    model, batches = coming_batches(trainer, -(-rows // trainer.batch_size))
    batches = [batch for batch in batches if len(batch.x) >= max(2, model.minimum_rows)]
    found = [row_gradients(model, batch) for batch in batches]
    norms, numbers = np.concatenate([one.norms for one in found]), np.concatenate([batch.rows for batch in batches])
    order = np.argsort(-norms, kind="stable")
    squares = {name: float(np.mean(np.concatenate([one.squares[name] for one in found]))) for name in found[0].squares}
    whole = sum(squares.values()) or 1.0
    notes = []
    if missing := left_out(model, found[0]):
        notes.append(f"not in the norms: {', '.join(missing)}, of no dense layer")
    if any(hasattr(model, term) for term in COUPLING) or model.spec.get("free_bits") or model.spec.get("penalty") == "kl":
        notes.append("a term of this objective looks at the whole batch: a norm is that of the row's share of the gradient")
    about = {
        "model": model.kind,
        "step": trainer.optimizer.steps,
        "rows": len(norms),
        "batches": len(batches),
        "batch_size": len(batches[0].x),
    }
    by_parameter = {name: square / whole for name, square in squares.items()}
    return Influence(about, numbers[order], norms[order], by_parameter, noise_scale(found), tuple(notes))
