"""Arrays at addresses, and what threads need to wait for each other, in compiled code.

    array_at(kind, address, count)     the `count` numbers there as an array of kind's type
    size_of(kind)                      bytes of one of them
    copied(kind, source, target, n)    n numbers of kind's type from one address to another
    fetch(address, size)               begin to bring so many bytes nearer, without waiting for them
    take(address)                      the number of type int64 there, which is then one more; no two threads get the same
    arrive(address, target)            one more thread has come here; go on when `target` have

A thread that waits spins for some microseconds, then offers its core to others for a tenth of a millisecond, then sleeps in short naps:
where another program keeps a core busy, the thread that is waited for is often one that has no core.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba.core import cgutils

from npae.kernels.jit import STRICT, jit
from npae.kernels.kernel import Array
from npae.kernels.step.registers import BYTES
from npae.kernels.step.vectors import INT, fetch_line, instruction, types

_numba: Any = numba
SPINS, YIELDS, NAP_MICROSECONDS = 300, 200, 20

_POINTER = ir.PointerType()
_PAUSE = "llvm.x86.sse2.pause" if llvmlite.binding.get_process_triple().startswith("x86_64") else ""
_carray: Any = _numba.carray
_raw_memcpy: Any = cgutils.raw_memcpy
_usleep = types.ExternalFunction("usleep", types.int32(types.uint32))
_sched_yield = types.ExternalFunction("sched_yield", types.int32())


@instruction
def _pointer(context: Any, kind: Any, address: Any) -> Any:
    """The address as a pointer to numbers of that kind."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[1], _POINTER)

    return types.CPointer(kind)(kind, types.int64), generate


@instruction
def size_of(context: Any, kind: Any) -> Any:
    """Bytes of a number of that kind."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return INT(kind.bitwidth // 8)

    return types.int64(kind), generate


@jit(STRICT)
def array_at(kind: Any, address: int, count: int) -> Array:
    """A view of memory that somebody else keeps alive."""
    numbers: Array = _carray(_pointer(kind, address), count)
    return numbers


@jit(STRICT)
def matrix_at(kind: Any, address: int, rows: int, columns: int) -> Array:
    """The same with rows."""
    numbers: Array = _carray(_pointer(kind, address), (rows, columns))
    return numbers


@instruction
def _copied(context: Any, source: Any, target: Any, size: Any) -> Any:
    """So many bytes, which do not overlap."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, to, count = arguments
        _raw_memcpy(builder, builder.inttoptr(to, _POINTER), builder.inttoptr(start, _POINTER), count, 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@jit(STRICT)
def copied(kind: Any, source: int, target: int, count: int) -> None:
    """target = source"""
    _copied(source, target, size_of(kind) * count)


@instruction
def _prefetch(context: Any, address: Any) -> Any:
    """The cache line there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fetch_line(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@jit(STRICT)
def fetch(address: int, size: int) -> None:
    """The cache lines of `size` bytes."""
    for offset in range(0, size, BYTES):
        _prefetch(address + offset)


@instruction
def take(context: Any, address: Any) -> Any:
    """The number there before one is added to it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", builder.inttoptr(arguments[0], _POINTER), INT(1), "seq_cst")

    return types.int64(types.int64), generate


@instruction
def _look(context: Any, address: Any) -> Any:
    """The number there, as the other threads have left it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(arguments[0], _POINTER), "acquire", 8, typ=INT)

    return types.int64(types.int64), generate


@instruction
def put(context: Any, address: Any, number: Any) -> Any:
    """Write the number there, for the other threads to see."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.atomic_rmw("xchg", builder.inttoptr(arguments[0], _POINTER), arguments[1], "seq_cst")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@instruction
def _pause(context: Any) -> Any:
    """A moment in which the other thread of this core, if it has one, may have all of it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if _PAUSE:
            function = builder.module.globals.get(_PAUSE) or ir.Function(builder.module, ir.FunctionType(ir.VoidType(), []), _PAUSE)
            builder.call(function, [])
        return context.get_dummy_value()

    return types.void(), generate


@jit(STRICT)
def arrive(address: int, target: int) -> None:
    """Wait until `target` arrivals are counted there, this one among them."""
    take(address)
    spins = 0
    while _look(address) < target:
        spins += 1
        _pause()
        if spins > SPINS + YIELDS:
            _usleep(NAP_MICROSECONDS)
        elif spins > SPINS:
            _sched_yield()
