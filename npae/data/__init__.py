"""What a user's data is and where it comes from.

    load(name_or_path)                    a Dataset: rows of numbers in [0, 1] or as the user scaled them, labels, image shape, fingerprint
    list_catalogue()                      the data sets known by name, and where each was found
    apply_scaling(raw, scaling)           the numbers of new rows, made as the training rows were
    batch_indices(n, batch_size, ...)     which rows each step of an epoch takes
    binarise_fixed, binarise_dynamic      grey levels to 0 and 1

`npae.data.fetch.fetch` downloads, `npae.data.find.find` looks for what is already here.
"""

from __future__ import annotations

from npae.data.batches import batch_count, batch_indices
from npae.data.binarise import binarise_dynamic, binarise_fixed
from npae.data.dataset import Dataset, load
from npae.data.find import list_catalogue
from npae.data.scaling import apply_scaling

__all__ = [
    "Dataset",
    "apply_scaling",
    "batch_count",
    "batch_indices",
    "binarise_dynamic",
    "binarise_fixed",
    "list_catalogue",
    "load",
]
