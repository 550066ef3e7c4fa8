"""Vectors of 64 bytes, or fewer, in compiled code: the few instructions that a training step needs and that Numba does not write by itself.

    load, store      a vector at an address; `masked` forms touch its first `count` lanes only
    load_fours       one of four numbers each from several places
    spread           a number in all lanes
    fma              x y + z, rounded once
    root             square roots
    fetch_line       begin to bring a cache line nearer

Everything here takes and gives LLVM values, for the intrinsics of this folder. A vector of 64 bytes is 16 numbers of 32 bits or 8 of 64,
whatever the processor has: LLVM makes two or four registers of it where they are narrower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic

from npae.kernels.step.registers import BYTES

types: Any = numba.types  # the types of compiled code; their own annotations say too little
INT = ir.IntType(64)
_POINTER = ir.PointerType()
_LANE = ir.IntType(32)


def instruction(function: Callable[..., Any]) -> Callable[..., Any]:
    """What calls of the function below become inside compiled code: it gives Numba their types and the LLVM values they are made of."""
    made: Callable[..., Any] = intrinsic(function)
    return made


def fetch_line(builder: Any, address: Any) -> None:
    """Without waiting for it."""
    whole = ir.IntType(32)
    name, types_of = "llvm.prefetch.p0", ir.FunctionType(ir.VoidType(), [_POINTER, whole, whole, whole])
    function = builder.module.globals.get(name) or ir.Function(builder.module, types_of, name)
    builder.call(function, [builder.inttoptr(address, _POINTER), *(whole(number) for number in (0, 3, 1))])  # read, keep, data


class Vectors:
    """The vectors of one element type, `width` bytes each, in one function that is being built."""

    def __init__(self, builder: Any, element: Any, width: int = BYTES) -> None:
        self.builder = builder
        self.element = ir.FloatType() if element == types.float32 else ir.DoubleType()
        self.size = 4 if element == types.float32 else 8
        self.width, self.lanes = width, width // self.size
        self.type = ir.VectorType(self.element, self.lanes)
        self.zero = ir.Constant(self.type, [0.0] * self.lanes)
        self.name = f"v{self.lanes}f{8 * self.size}"

    def all(self, number: Any) -> Any:
        """A number that is known now, in all lanes."""
        return ir.Constant(self.type, [float(number)] * self.lanes)

    def bytes(self, count: Any) -> Any:
        """So many elements in bytes."""
        return self.builder.mul(count, INT(self.size))

    def pointer(self, address: Any, offset: Any) -> Any:
        """address + offset, in bytes"""
        return self.builder.inttoptr(self.builder.add(address, offset), _POINTER)

    def spread(self, address: Any, offset: Any) -> Any:
        """The number there, in all lanes."""
        number = self.builder.load(self.pointer(address, offset), typ=self.element, align=self.size)
        undefined = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(undefined, number, _LANE(0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_LANE, self.lanes), [0] * self.lanes))

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """x y + z"""
        return self.builder.call(self._function(f"llvm.fma.{self.name}", self.type, [self.type] * 3), [x, y, z])

    def root(self, x: Any) -> Any:
        """sqrt(x)"""
        return self.builder.call(self._function(f"llvm.sqrt.{self.name}", self.type, [self.type]), [x])

    def load(self, address: Any, offset: Any, mask: Any = None) -> Any:
        """The vector there, zero where masked out."""
        pointer = self.pointer(address, offset)
        if mask is None:
            return self.builder.load(pointer, typ=self.type, align=self.size)
        function = self._function(f"llvm.masked.load.{self.name}.p0", self.type, [_POINTER, _LANE, mask.type, self.type])
        return self.builder.call(function, [pointer, _LANE(self.size), mask, self.zero])

    def load_fours(self, address: Any, offsets: list[Any]) -> Any:
        """Four numbers from each of these places, side by side."""
        parts = [self.builder.load(self.pointer(address, o), typ=ir.VectorType(self.element, 4), align=self.size) for o in offsets]
        while len(parts) > 1:
            lanes = ir.Constant(ir.VectorType(_LANE, 2 * parts[0].type.count), list(range(2 * parts[0].type.count)))
            parts = [self.builder.shuffle_vector(x, y, lanes) for x, y in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    def store(self, vector: Any, address: Any, offset: Any, mask: Any = None) -> None:
        """Write the vector there, where it is not masked out."""
        pointer = self.pointer(address, offset)
        if mask is None:
            self.builder.store(vector, pointer, align=self.size)
            return
        function = self._function(f"llvm.masked.store.{self.name}.p0", ir.VoidType(), [self.type, _POINTER, _LANE, mask.type])
        self.builder.call(function, [vector, pointer, _LANE(self.size), mask])

    def first(self, count: Any) -> Any:
        """The mask of the first `count` lanes."""
        lanes = ir.VectorType(INT, self.lanes)
        counts = self.builder.insert_element(ir.Constant(lanes, ir.Undefined), count, _LANE(0))
        every = ir.Constant(ir.VectorType(_LANE, self.lanes), [0] * self.lanes)
        counts = self.builder.shuffle_vector(counts, ir.Constant(lanes, ir.Undefined), every)
        return self.builder.icmp_signed("<", ir.Constant(lanes, list(range(self.lanes))), counts)

    def shuffle(self, x: Any, y: Any, lanes: list[int]) -> Any:
        """Those lanes of x followed by y."""
        return self.builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(_LANE, self.lanes), lanes))

    def _function(self, name: str, result: Any, arguments: list[Any]) -> Any:
        found = self.builder.module.globals.get(name)
        return found or ir.Function(self.builder.module, ir.FunctionType(result, arguments), name)
