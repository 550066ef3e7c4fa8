"""The vector registers of this processor, as far as the layout of a step's data follows them."""

from __future__ import annotations

from typing import Any

import llvmlite.binding

_llvm: Any = llvmlite.binding  # untyped in llvmlite

BYTES = 64  # of a vector: LLVM makes two or four registers of it where they are narrower
HAS_WIDE_REGISTERS = bool(_llvm.get_host_cpu_features().get("avx512f", False))
WIDE = 4 if HAS_WIDE_REGISTERS else 1  # vectors in a row of a whole tile, and so in a row of a panel
SUMMED = 4  # vectors that are summed at a time from nonzeros, and so in a row of a panel that nonzeros are multiplied with
