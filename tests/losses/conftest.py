"""Both CPU backends, and a loss that stands alone bound to one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from npae.backend import Backend, backend, check_dtype
from npae.layers import Node

Bound = Callable[..., Any]


@pytest.fixture(params=["numpy", "numba"])
def computing(request: pytest.FixtureRequest) -> Backend:
    """The backend a loss computes with: every test that asks for it runs on both."""
    return backend(request.param)


@pytest.fixture
def bound(computing: Backend) -> Bound:
    """bound(loss, dtype="float64"): the loss, with somewhere to compute."""

    def bind(loss: Node, dtype: str = "float64") -> Node:
        loss.bind(computing, check_dtype(dtype))
        return loss

    return bind
