"""Where a loss that is not finite comes from: the data, a parameter, or a term; and whose loss it is, where there are players."""

from __future__ import annotations

import math
from collections.abc import Sequence

from npae.backend import Array
from npae.models.terms import Terms
from npae.parameters import Parameters


def why_not_finite(x: Array, terms: Terms, players: Sequence[str], parameters: Parameters) -> str:
    """One line for a batch x (B, F) whose terms are these, of a model with these parameters."""
    xp, loss, value = parameters.backend.xp, "loss", terms.total
    for player in players:
        if math.isfinite(value) and not math.isfinite(terms[player]):
            loss, value = f"the loss of the {player}", terms[player]
    if not xp.isfinite(x).all():
        row = int(xp.argwhere(~xp.isfinite(x))[0][0])
        return f"{loss} is {value}: row {row} of the batch holds a value that is not finite"
    for name in parameters.names():
        if not xp.isfinite(parameters[name].value).all():
            return f"{loss} is {value}: parameter {name} is no longer finite; lower the learning rate or --set clip_norm=1"
    bad = [name for name, value in terms.items() if not math.isfinite(value)]
    return f"{loss} is {value}: term {', '.join(bad)} overflowed; lower the learning rate or --set clip_norm=1"
