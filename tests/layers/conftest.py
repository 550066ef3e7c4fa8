"""Both CPU backends, and a node that stands alone bound to one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.backend import Backend, backend
from npae.layers import Node
from npae.parameters import Parameters

Bound = Callable[..., Any]


@pytest.fixture(params=["numpy", "numba"])
def computing(request: pytest.FixtureRequest) -> Backend:
    """The backend a layer computes with: every test that asks for it runs on both."""
    return backend(request.param)


@pytest.fixture
def bound(computing: Backend) -> Bound:
    """bound(node, dtype="float64"): the node, with random parameters and somewhere to compute."""

    def bind(node: Node, dtype: str = "float64") -> Node:
        parameters = Parameters(node.named_parameters(), backend=computing, dtype=dtype, seed=0)
        parameters.value[:] = np.random.default_rng(0).standard_normal(len(parameters))
        node.bind(computing, parameters.dtype)
        return node

    return bind
