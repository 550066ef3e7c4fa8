"""call(address, kind, op, number, lo, hi, now)        from compiled code: the handler at that address (handler.py)."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from npae.kernels.step.handler import ARGUMENTS
from npae.kernels.step.vectors import instruction, types


@instruction
def call(context: Any, address: Any, kind: Any, op: Any, number: Any, lo: Any, hi: Any, now: Any) -> Any:
    """The handler there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, *given = arguments
        function = ir.FunctionType(ir.VoidType(), [one.type for one in given])
        builder.call(builder.inttoptr(target, function.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(types.int64, kind, *[types.int64] * ARGUMENTS), generate
