"""Training a model in one call, from Python: npae.fit(model, x, epochs=20)."""

from __future__ import annotations

from npae.backend import Array
from npae.data.batches import batch_count
from npae.models import Model
from npae.optim import Adam, Schedule
from npae.training.history import History
from npae.training.loop import OnEpoch, Trainer


def fit(
    model: Model,
    x: Array,
    y: Array | None = None,
    *,
    epochs: int = 20,
    batch_size: int = 100,
    learning_rate: float | None = None,
    validation: Array | None = None,
    validation_y: Array | None = None,
    patience: int = 0,
    seed: int = 0,
    shuffle: bool = True,
    drop_last: bool = False,
    binarise: str = "none",
    optimizer: Adam | None = None,
    schedule: str = "constant",
    clip_norm: float | None = None,
    step: str = "ordinary",
    guard: str = "stop",
    on_epoch: OnEpoch | None = None,
) -> History:
    """Train `model` on x (N, F), with its labels or targets y where the model reads them, with Adam; returns the history, a row an epoch.

    With `validation` (M, F) and `patience` > 0 training stops after `patience` epochs without a lower validation loss, and the model is
    left with the best epoch's weights. `optimizer` replaces the Adam made from learning_rate (None: the model's own, or 1e-3), schedule and
    clip_norm. `step` is compiled, ordinary, or auto (training/step.py); `guard` says what is done about a step that is not finite: stop,
    skip or halve (training/guard.py).
    Raises InputError for data of the wrong shape or range, NonFiniteError for a loss that is not finite.
    """
    if optimizer is None:
        total = epochs * batch_count(len(x), batch_size, drop_last)
        own = model.training_defaults
        optimizer = Adam(
            model.parameters,
            own.get("learning_rate", 1e-3) if learning_rate is None else learning_rate,
            beta1=own.get("beta1", 0.9),
            clip_norm=clip_norm,
            schedule=Schedule(schedule, total),
        )
    trainer = Trainer(
        model,
        optimizer,
        x,
        epochs,
        batch_size,
        seed,
        shuffle,
        drop_last,
        binarise,
        validation=validation,
        y=y,
        validation_y=validation_y,
        patience=patience,
        step=step,
        guard=guard,
    )
    history = trainer.run(on_epoch=on_epoch)
    if patience:
        trainer.use_best()
    return history
