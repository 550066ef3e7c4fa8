"""What a figure may need of a run, as a question and as the words for a run that does not have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from npae.figures.of_runs.subject import Subject


@dataclass(frozen=True)
class Need:
    """`name` finishes the sentence "needs ..."; `lack` says what this run is instead, and what to do."""

    name: str
    met: Callable[[Subject], bool]
    lack: Callable[[Subject], str]


def _kind(run: Subject) -> str:
    return f"{run.name} is a run of model '{run.model.kind}'"


IMAGES = Need(
    "images",
    lambda run: run.dataset.image_shape is not None,
    lambda run: f"the rows of '{run.dataset.name}' are not known to be images; if they are, train with --set image_shape=HEIGHTxWIDTH",
)
SAME_KIND = Need(
    "output of the same kind as its input",
    lambda run: run.model.companion != "targets",
    lambda run: f"{_kind(run)}, which turns a row into another thing",
)
ENCODER = Need(
    "an encoder",
    lambda run: run.model.has_encoder,
    lambda run: f"{_kind(run)}, which has none; take an autoencoder",
)
POSTERIOR = Need(
    "a Gaussian posterior",
    lambda run: run.model.has_encoder and run.model.has_posterior,
    lambda run: f"{_kind(run)}, which has one code for each row, no distribution; take a vae",
)
PRIOR = Need(
    "a prior",
    lambda run: run.model.has_prior,
    lambda run: f"{_kind(run)}, which has none; take a vae or a wae",
)
PLANE = Need(
    "codes of 2 numbers",
    lambda run: run.model.latent == 2,
    lambda run: f"{run.name} has codes of {run.model.latent}; train with --latent 2",
)
TWO_UNITS = Need(
    "codes of at least 2 numbers",
    lambda run: run.model.latent >= 2,
    lambda run: f"{run.name} has codes of {run.model.latent}; train with --latent 2 or more",
)
READS_LABELS = Need(
    "a model that reads labels",
    lambda run: run.model.companion == "labels",
    lambda run: f"{_kind(run)}, which reads none; take a class-conditional one",
)
HISTORY = Need(
    "a finished epoch",
    lambda run: len(run.history) > 0,
    lambda run: f"{run.name} has none yet; go on with npae train --resume",
)


def rows_to_look_at(least: int) -> Need:
    """At least so many rows that are not trained on, or training rows where none were held out."""
    return Need(
        f"{least:,} rows to look at or more",
        lambda run: len(run.seen.rows) >= least,
        lambda run: f"there are {len(run.seen.rows)} {run.seen.which} in '{run.dataset.name}'",
    )


def training_rows(least: int) -> Need:
    """At least so many training rows."""
    return Need(
        f"{least:,} training rows or more",
        lambda run: len(run.trained.rows) >= least,
        lambda run: f"'{run.dataset.name}' has {len(run.trained.rows):,}; figure 'reconstructions' shows others",
    )
