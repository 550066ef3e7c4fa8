"""The models of the claims, on little data."""

from __future__ import annotations

import pytest

from npae.claims import Trainings


@pytest.fixture(scope="session")
def trainings() -> Trainings:
    """Digits, one epoch each; a model that several tests need is trained once."""
    return Trainings(data="digits", epochs=1, backend="numpy")
