"""One compiled function for each kind of operation, called by its address: a network compiles only the kinds that it is made of.

    @handler
    def dense(kind, op, number, lo, hi, now): ...

    dense.address("float32")       compiled at the first call, or loaded from the cache
    call(address, kind, op, ...)   from compiled code

op and number are the addresses of the operation's rows in the two tables of operations.py; lo and hi its range; now that of the MOMENT
(codes.py): the step, and what belongs to the thread. Compiled together, every layer of functions would be optimised anew with all it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir

from npae.kernels.jit import FAST, called_by_address
from npae.kernels.step.vectors import instruction, types

ARGUMENTS = 5  # whole numbers, after `kind`
KINDS = {"float32": types.float32, "float64": types.float64}


class Handler:
    """A function, and what it is compiled to."""

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        self.address = cache(self._address)
        self.__doc__ = function.__doc__

    def _address(self, dtype: str) -> int:
        """Where compiled code finds it."""
        self.compiled = called_by_address(self.function, types.void(KINDS[dtype], *[types.int64] * ARGUMENTS), FAST)
        return int(self.compiled.address)


def handler(function: Callable[..., None]) -> Handler:
    """Makes the function below it one that is called by address."""
    return Handler(function)


@instruction
def call(context: Any, address: Any, kind: Any, op: Any, number: Any, lo: Any, hi: Any, now: Any) -> Any:
    """The handler there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, *given = arguments
        function = ir.FunctionType(ir.VoidType(), [one.type for one in given])
        builder.call(builder.inttoptr(target, function.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(types.int64, kind, *[types.int64] * ARGUMENTS), generate
