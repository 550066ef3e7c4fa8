"""Claim: one inference network does what gradient steps for every single row would do, and costs far less."""

from __future__ import annotations

from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trainings, some_of
from npae.evaluation.amortisation import amortisation_gap

ROWS = 500
MODELS = {"Idea 1": "em-vae", "semi-amortised": "semi-amortised-vae", "Idea 2": "vae"}
NATS = 5.0


def measure(trainings: Trainings, seed: int) -> Seen:
    """ELBO with each model's own inference, the gap to each row's best posterior, and the time of an epoch."""
    numbers: dict[str, float] = {}
    for name, kind in MODELS.items():
        trained = trainings(kind, seed, latent=8, hidden=[128], epochs=5, learning_rate=2e-3)
        x, _ = some_of(trained.test, ROWS, seed)
        found = amortisation_gap(trained.model, x, rows=len(x), seed=seed)
        seconds = trained.history.column("seconds")
        numbers |= {f"{name}: ELBO": found["elbo"], f"{name}: gap": found["gap"], f"{name}: s an epoch": sum(seconds) / len(seconds)}
    close = numbers["Idea 1: ELBO"] - numbers["Idea 2: ELBO"] < NATS
    return Seen(numbers, close and numbers["Idea 2: s an epoch"] < numbers["Idea 1: s an epoch"])


CLAIM = Claim(
    name="ideas",
    statement="An inference network (Idea 2) replaces many gradient steps for every row (Idea 1)",
    source="lecture notes, 'Idea 1' and 'Idea 2'",
    how=f"784-128-8, 5 epochs: ELBO of {ROWS} test rows with each model's own inference, in nats; the amortisation gap to posteriors that "
    f"are optimised for each row; seconds an epoch; holds where Idea 2's ELBO is at most {NATS:g} nats below Idea 1's and its epochs "
    "are shorter",
    measure=measure,
)
