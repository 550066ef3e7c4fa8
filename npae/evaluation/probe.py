"""What simple methods can do with the codes of a model: is the class in them, and do they fall into groups by themselves?

    logistic     accuracy on the test codes of a multinomial logistic regression fitted to the training codes (columns standardised)
    neighbours   accuracy of the majority among the 5 nearest training codes
    nmi, ari     k-means on the training codes, as many centres as classes; how the centres nearest to the test codes agree with the labels:
                 normalised mutual information, and the Rand index adjusted for chance; 0: not at all, 1: the same groups

Neighbours and k-means measure distances in the codes as they are: to standardise them would let a unit that says nothing count as much as
the others. Of more than 10,000 training or test rows a seeded sample is taken, so that raw MNIST pixels take less than a minute.
Raises InputError for labels that do not fit the codes, or of a single class.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from npae.backend import Array
from npae.errors import InputError
from npae.evaluation.subset import some_rows

ROWS = 10_000
NEIGHBOURS = 5
STARTS = 10  # of k-means
ITERATIONS = 1000  # of the logistic regression


@dataclass(frozen=True)
class Probe:
    """Four numbers, each at most 1."""

    logistic: float
    neighbours: float
    nmi: float
    ari: float

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def probe(train: Array, train_labels: Array, test: Array, test_labels: Array, *, seed: int = 0) -> Probe:
    """Fit to train (N, Z) with its labels (N,), judge on test (M, Z)."""
    for what, codes, labels in (("training", train, train_labels), ("test", test, test_labels)):
        if len(codes) != len(labels):
            raise InputError(f"{len(labels)} labels for {len(codes)} {what} codes: expected one label a code")
    if len(np.unique(train_labels)) < 2:
        raise InputError(f"all training labels are {train_labels[0]}: a probe needs at least 2 classes")
    train, train_labels = (some_rows(part, ROWS, seed) for part in (train.astype(np.float64), train_labels))
    test, test_labels = (some_rows(part, ROWS, seed) for part in (test.astype(np.float64), test_labels))
    logistic, neighbours = (method(train, train_labels, test, test_labels) for method in (logistic_accuracy, neighbour_accuracy))
    return Probe(logistic, neighbours, *cluster_agreement(train, len(np.unique(train_labels)), test, test_labels, seed))


def logistic_accuracy(train: Array, train_labels: Array, test: Array, test_labels: Array) -> float:
    """The share of test rows that a logistic regression on standardised columns classifies right."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=ITERATIONS))
    return float(classifier.fit(train, train_labels).score(test, test_labels))


def neighbour_accuracy(train: Array, train_labels: Array, test: Array, test_labels: Array) -> float:
    """The share of test rows whose nearest training rows have mostly their label."""
    from sklearn.neighbors import KNeighborsClassifier

    return float(KNeighborsClassifier(min(NEIGHBOURS, len(train))).fit(train, train_labels).score(test, test_labels))


def cluster_agreement(train: Array, clusters: int, test: Array, test_labels: Array, seed: int = 0) -> tuple[float, float]:
    """NMI and ARI of k-means groups and labels."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    groups = KMeans(clusters, n_init=STARTS, random_state=seed % 2**32).fit(train).predict(test)
    return float(normalized_mutual_info_score(test_labels, groups)), float(adjusted_rand_score(test_labels, groups))
