"""Every kernel by name, and the one way to get a form of it.

    KERNELS[name]            the Kernel: its forms, example arguments, sizes and tolerances; dispatch, tests and benchmarks read it
    resolve(name, form)      the function; its module is imported at the first call

Importing this module loads no compiler. Raises InputError for a kernel or a form that does not exist.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from npae.errors import InputError, nearest
from npae.kernels import (
    adam,
    bernoulli,
    dense,
    gaussian_kl,
    mmd,
    order_statistic,
    pairwise,
    philox,
    relabelled,
    reparameterise,
    squared_error,
)
from npae.kernels.kernel import Kernel

_FOLDERS = (pairwise, mmd, relabelled, order_statistic, bernoulli, squared_error, gaussian_kl, reparameterise, adam, philox, dense)

KERNELS: dict[str, Kernel] = {kernel.name: kernel for folder in _FOLDERS for kernel in folder.KERNELS}


@functools.cache
def resolve(name: str, form: str) -> Callable[..., Any]:
    """The kernel `name` in that form."""
    if name not in KERNELS:
        raise InputError(f"kernel '{name}' does not exist{nearest(name, KERNELS)}")
    forms = KERNELS[name].forms
    if form not in forms:
        raise InputError(f"kernel '{name}' has no form '{form}'; it has: {', '.join(forms)}")
    module, function = forms[form].split(":")
    resolved: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return resolved
