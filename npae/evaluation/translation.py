"""How well a paired model turns rows into their targets.

text      exact        share of rows whose every symbol is right, the padding too
          characters   share of places whose symbol is right
          examples     what was given, what the model said, what was wanted; and mistakes, where there are any
numbers   squared error per feature of the targets, beside that of the training targets' mean, a guess that never looks at x

`translate` turns strings into strings, each with the probability that a softmax at each place gives to it: prod_L max_A p.
Raises InputError for strings that the alphabet cannot write.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from npae.backend import Array
from npae.data.scaling import Scaling, apply_scaling
from npae.data.text import TextFormat
from npae.evaluation.evaluate import squared_error
from npae.losses import Categorical
from npae.models import Model

EXAMPLES = 5
MISTAKES = 3


class Translation(NamedTuple):
    """A string, what the model makes of it, and how probable it holds that to be (None where its loss gives no probability)."""

    given: str
    said: str
    probability: float | None


def translate(model: Model, strings: Sequence[str], text: TextFormat, scaling: Scaling) -> list[Translation]:
    """Each string in the language of the targets; `scaling` is the training rows' rule."""
    said = model.reconstruct(apply_scaling(text.rows.encode(strings), scaling, str(model.dtype)))
    probabilities: list[float | None] = [None] * len(said)
    if isinstance(model.likelihood, Categorical):
        probabilities = said.reshape(len(said), text.targets.length, -1).max(axis=2).prod(axis=1, dtype=np.float64).tolist()
    return [Translation(*one) for one in zip(strings, text.targets.decode(said), probabilities, strict=True)]


def target_accuracy(model: Model, x: Array, y: Array, train_y: Array, text: TextFormat | None) -> dict[str, Any]:
    """The table above for rows x with targets y."""
    said = model.reconstruct(x)
    if text is None:
        blind = np.broadcast_to(train_y.mean(axis=0, dtype=np.float64), y.shape)
        return {"squared_error_per_feature": squared_error(y, said), "mean_squared_error_per_feature": squared_error(y, blind)}
    right = text.targets.symbols_of(said) == text.targets.symbols_of(y)
    exact = right.all(axis=1)
    wrong = np.flatnonzero(~exact)
    first = np.arange(min(EXAMPLES, len(x)))
    return {
        "exact": float(exact.mean()),
        "characters": float(right.mean()),
        "wrong_rows": len(wrong),
        "examples": _examples(x, said, y, text, first),
        "mistakes": _examples(x, said, y, text, wrong[:MISTAKES]),
    }


def _examples(x: Array, said: Array, y: Array, text: TextFormat, rows: Array) -> list[dict[str, str]]:
    columns = text.rows.decode(x[rows]), text.targets.decode(said[rows]), text.targets.decode(y[rows])
    return [dict(zip(("given", "said", "wanted"), one, strict=True)) for one in zip(*columns, strict=True)]
