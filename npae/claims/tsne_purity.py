"""Claim: a t-SNE map of the codes separates the classes."""

from __future__ import annotations

from npae.claims.claim import Claim, Seen
from npae.claims.trainings import Trainings, some_of
from npae.evaluation.purity import chance_purity, knn_purity
from npae.evaluation.tsne import tsne

ROWS = 2000


def measure(trainings: Trainings, seed: int) -> Seen:
    """Share of neighbours of the same class, on the map of the codes and on a map of the pixels."""
    trained = trainings("torch-ae", seed)
    x, labels = some_of(trained.test, ROWS, seed)
    chance = chance_purity(labels)
    numbers = {
        "t-SNE of the codes": knn_purity(tsne(trained.model.encode(x), seed), labels),
        "t-SNE of the pixels": knn_purity(tsne(x, seed), labels),
        "by chance": chance,
    }
    return Seen(numbers, numbers["t-SNE of the codes"] > (1 + chance) / 2)


CLAIM = Claim(
    name="tsne",
    statement="t-SNE of the codes separates the labels",
    source="PyTorch document, 't-SNE of the codes'",
    how=f"torch-ae as published; t-SNE of the codes of {ROWS} test images; share of the 10 nearest neighbours on the map that have the "
    "same label; holds where it is nearer to 1 than to chance",
    measure=measure,
)
