"""The compiled training step of a configuration, printed: its phases, and for each operation what it does and where that is written.

The operations are those that npae/compiled makes of the model's layers for this data and batch size; nothing is
compiled for being looked at. Raises InputError where the step is not covered, with the reason.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from npae.compiled.plan import Plan
from npae.kernels.step.codes import ACTIVATIONS, LIKELIHOODS


@dataclass(frozen=True)
class Operation:
    """One operation of a step: its phase, its kind, what it makes and how wide, what that means, and the place of its function."""

    phase: int
    items: int
    kind: str
    makes: str
    width: str
    says: str
    place: str


def operations(plan: Plan) -> list[Operation]:
    """Every operation, in order."""
    from npae.kernels.step.perform import HANDLERS

    listed = []
    for number, phase in enumerate(plan.phases):
        items = int(plan.bounds[number + 1] - plan.bounds[number])
        for makes, operation in [named for work in phase for named in work.operations]:
            function = HANDLERS[type(operation)].function
            place = f"{function.__module__.replace('.', '/')}.py:{inspect.getsourcelines(function)[1]}"
            says = " ".join((type(operation).__doc__ or "").partition("\n\n")[0].split())
            listed.append(Operation(number, items, type(operation).__name__, makes, _width(operation), says, place))
    return listed


def _width(operation: Any) -> str:
    """Columns in and out, the activation f, and the loss by its name in codes.py, as far as the operation has them."""
    fields = operation._asdict()
    sizes = [fields[name] for name in ("features", "n_in", "n_out", "columns", "latent", "d", "n") if name in fields]
    if type(operation).__name__ == "Back":
        sizes.reverse()
    f = [f"f = {ACTIVATIONS[fields['activation']]}"] if fields.get("activation") else []
    loss = [f"loss = {LIKELIHOODS[fields['likelihood']]}"] if "likelihood" in fields else []
    return ", ".join([" -> ".join(map(str, sizes)), *f, *loss])
