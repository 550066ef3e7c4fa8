"""What a detector of strange rows is measured beside: scikit-learn's one-class SVM and isolation forest, on the rows themselves.

    one-class SVM       RBF kernel, gamma = 1 / (F Var x), nu = 0.1; fitted to at most 2,000 seeded rows: its cost grows with their square
    isolation forest    100 trees of 256 rows

A high score is strange: minus scikit-learn's score_samples. Both see normal rows only, as the models do.

Sources: Scholkopf et al. 2001, "Estimating the support of a high-dimensional distribution"; Liu, Ting & Zhou 2008, "Isolation forest".
"""

from __future__ import annotations

import numpy as np

from npae.backend import Array
from npae.evaluation.subset import some_rows

SVM_ROWS = 2000
NU = 0.1


def one_class_svm(train: Array, x: Array, *, seed: int = 0) -> Array:
    """The score of each row of x (N, F), fitted to normal rows (M, F)."""
    from sklearn.svm import OneClassSVM

    return -np.asarray(OneClassSVM(nu=NU, gamma="scale").fit(some_rows(train, SVM_ROWS, seed)).score_samples(x))


def isolation_forest(train: Array, x: Array, *, seed: int = 0) -> Array:
    """The score of each row of x (N, F), fitted to normal rows (M, F)."""
    from sklearn.ensemble import IsolationForest

    return -np.asarray(IsolationForest(random_state=seed % 2**32).fit(train).score_samples(x))


BASELINES = {"one_class_svm": one_class_svm, "isolation_forest": isolation_forest}
