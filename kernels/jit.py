"""The one way to compile: Numba with a cache of our own (code_cache.py), and none of anybody else's settings touched.

    @jit(FAST)              sums may be reordered and multiply-adds fused, so that loops vectorise; NaN and infinity keep their meaning
    @jit(STRICT)            every operation is rounded as written: where two forms must agree bit for bit
    @compiled_form_of(f)    what calls of f become inside compiled code, chosen by the argument's type; multiply-adds may be fused (FUSED)
    @entry_point(FAST)      is compiled alone, to be called at an address, and calls the C library only: see entry.py

Compilation is lazy, at the first call with new types; kernels are single-threaded (a thread pool of ours would fight the one of BLAS) and
release the interpreter lock. One thread compiles at a time; a fork waits for it, or the child would wait for ever at its first kernel.

The code of a function is closed: it holds its own copy of all that it calls. Numba leaves such copies open to the linker, which takes the
first of that name in the process; a copy is optimised once more with its caller, so its sums may have another order, and code that was
compiled here gave other last bits than the same code loaded from the cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import llvmlite.binding
import numba
from llvmlite.binding import Linkage
from numba.core.ccallback import CFunc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import overload

from npae.kernels import blas_check
from npae.kernels.code_cache import CodeCache

blas_check.answer_it()

Function = TypeVar("Function", bound=Callable[..., Any])

FAST = frozenset({"contract", "reassoc", "nsz", "arcp"})  # never nnan or ninf: a loss that is NaN must be seen to be NaN
FUSED = frozenset({"contract"})
STRICT: frozenset[str] = frozenset()

types: Any = numba.types  # the types of compiled code; their own annotations say too little
_llvm: Any = llvmlite.binding
_lock: Any = global_compiler_lock
_entry_points: dict[Callable[..., Any], frozenset[str]] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class _Closed(JITCodeLibrary):
    """The code of a function, with its own copy of all that it calls, and of nothing else."""

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if function.linkage == Linkage.linkonce_odr:
                function.linkage = Linkage.internal
        super()._optimize_final_module()  # type: ignore[no-untyped-call]
        passes = _llvm.create_new_module_pass_manager()
        passes.add_global_dead_code_eliminate_pass()  # Numba adds what frees an array, also where there is none
        passes.run(self._final_module, self._codegen._pass_builder())  # type: ignore[no-untyped-call]


class _Compiler(Compiler):
    """Numba's, for such code."""

    def compile_extra(self, function: Callable[..., Any]) -> Any:
        """What it makes of the function."""
        self.state.library = _Closed(self.state.targetctx.codegen(), function.__qualname__)  # type: ignore[no-untyped-call]
        self.state.library.enable_object_caching()
        return super().compile_extra(function)  # type: ignore[no-untyped-call]


def _options(fastmath: frozenset[str]) -> Any:
    return {"error_model": "numpy", "fastmath": set(fastmath)}  # Python's error model tests each division for zero, and does not vectorise


def jit(fastmath: frozenset[str]) -> Callable[[Function], Function]:
    """Compiles the function below it."""

    def decorate(function: Function) -> Function:
        compiled: Any = numba.njit(nogil=True, pipeline_class=_Compiler, **_options(fastmath))(function)
        compiled._cache = CodeCache(function)
        kept: Function = compiled
        return kept

    return decorate


def compiled_form_of(function: Callable[..., Any], fastmath: frozenset[str] = FUSED) -> Callable[[Function], Function]:
    """The decorated function receives Numba types and returns the Python function to compile for them."""
    decorate: Callable[[Function], Function] = overload(function, jit_options=_options(fastmath))
    return decorate


def entry_point(fastmath: frozenset[str]) -> Callable[[Function], Function]:
    """Notes how the function below it is to be compiled."""

    def decorate(function: Function) -> Function:
        _entry_points[function] = fastmath
        return function

    return decorate


def machine_code(function: Callable[..., Any], dtype: str, count: int) -> tuple[str, list[str], bytes]:
    """f(kind, count whole numbers) -> None compiled: its name in an object file, the functions that it calls, and that file."""
    signature = types.void(getattr(types, dtype), *[types.int64] * count)
    options = {"nopython": True, **_options(_entry_points[function])}
    with _lock:
        callback: Any = CFunc(function, (signature.args, signature.return_type), {}, options, _Compiler)
        compiled = callback._compile_uncached()
        compiled.library._ensure_finalized()
        needs = [f.name for f in compiled.library._final_module.functions if f.is_declaration and not f.name.startswith("llvm.")]
        return compiled.fndesc.llvm_cfunc_wrapper_name, needs, compiled.library._get_compiled_object()
