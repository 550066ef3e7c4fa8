"""NumPy as CuPy would answer: arrays that remember that they lie on a device, and may not be read while launches are recorded.

    StrictNumpy("strict")                    the module: its functions give DeviceArrays
    with recording(): ...                    reading a number back (float, int, bool, tolist, to_host) or copying from the host raises
    with no_conversion(): ...                so does np.asarray of a DeviceArray
    ORDER                                    what has been launched so far, CuPy's own functions included (races.py)

NumPy functions on a DeviceArray give DeviceArrays, as CuPy's do. As in CuPy, a plain NumPy array as an operand, or as what is assigned to a
part, raises. What is not seen is a DeviceArray assigned to a part of a NumPy array, and isinstance(it, np.ndarray), which is False for
CuPy's.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from races import Order

_recording = False
_inside = 0
ORDER = Order()  # of all launches; that of CuPy's own functions too, each of which is taken for one
_asarray, _array = np.asarray, np.array  # NumPy's own, whatever no_conversion puts in their place
CONVERSIONS = ("asarray", "array", "ascontiguousarray", "asanyarray")


class ReadWhileRecordingError(RuntimeError):
    """A graph would have frozen this number, or CUDA refused."""


def _may_read(what: str) -> None:
    if _recording:
        raise ReadWhileRecordingError(f"{what} while launches are recorded")


def _checked(name: str) -> Callable[..., Any]:
    def method(self: DeviceArray, *arguments: Any) -> Any:
        _may_read(name)
        return getattr(self.view(np.ndarray), name)(*arguments)

    return method


def _reduced(name: str) -> Callable[..., Any]:
    def method(self: DeviceArray, *arguments: Any, **options: Any) -> Any:
        result = device_array(getattr(self.view(np.ndarray), name)(*arguments, **_plain(options)))
        _touch(name, (self,), (result, options.get("out")))
        return result

    return method


@contextlib.contextmanager
def _one_launch() -> Iterator[None]:
    """What NumPy calls inside is part of a launch that is told afterwards."""
    global _inside
    _inside += 1
    try:
        yield
    finally:
        _inside -= 1


def _touch(what: str, reads: Sequence[Any], writes: Sequence[Any]) -> None:
    """Those of them that are arrays."""
    if not _inside:
        ORDER.touch(what, *([a for a in arrays if isinstance(a, np.ndarray) and a.size] for arrays in (reads, writes)))


def _is_view(result: Any, arguments: Sequence[Any]) -> bool:
    inside = [part for a in arguments for part in (a if isinstance(a, list | tuple) else (a,)) if isinstance(part, np.ndarray)]
    return isinstance(result, np.ndarray) and any(np.may_share_memory(a.view(np.ndarray), result.view(np.ndarray)) for a in inside)


def on_host(value: Any) -> bool:
    return type(value) is np.ndarray and value.ndim > 0


def _refuse_mixture(function: str, arguments: Sequence[Any]) -> None:
    """CuPy's functions take no NumPy array, nor a list that holds one."""
    for argument in arguments:
        inside = argument if isinstance(argument, list | tuple) else (argument,)
        if any(on_host(part) for part in inside):
            raise TypeError(f"{function}: Unsupported type <class 'numpy.ndarray'>")


class DeviceArray(np.ndarray):
    """NumPy memory that is taken for a GPU's."""

    def __array_ufunc__(self, ufunc: np.ufunc, how: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        operands = (*inputs, *(out or ()), *([options["where"]] if "where" in options else []))
        for operand in operands:
            if on_host(operand):
                raise TypeError(f"{ufunc.__name__} of an array on the device and one on the host, of shape {operand.shape}")
        plain = [a.view(np.ndarray) if isinstance(a, DeviceArray) else a for a in inputs]
        options = {k: v.view(np.ndarray) if isinstance(v, DeviceArray) else v for k, v in options.items()}
        if out:
            options["out"] = tuple(a.view(np.ndarray) if isinstance(a, DeviceArray) else a for a in out)
        made = getattr(ufunc, how)(*plain, **options)
        result = out[0] if out else device_array(made)
        _touch(ufunc.__name__, operands, (result,))
        return result

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function is not np.copyto:  # NumPy's own way to fill what zeros_like makes
            _refuse_mixture(function.__name__, (*arguments, *options.values()))
        with _one_launch():
            result = super().__array_function__(function, types, arguments, options)
        written = (arguments[0],) if function is np.copyto else (result, options.get("out"))
        _touch(function.__name__, (*arguments, *options.values()), [a for a in written if not _is_view(a, arguments)])
        return device_array(result) if isinstance(result, np.ndarray | np.generic) else result

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, DeviceArray):
            key = key.view(np.ndarray)
        return device_array(self.view(np.ndarray)[key if isinstance(key, tuple) and Ellipsis in key else (*np.index_exp[key], Ellipsis)])

    def __setitem__(self, key: Any, value: Any) -> None:
        keys = key if isinstance(key, tuple) else (key,)
        if on_host(value) and not any(isinstance(one, np.ndarray | list) for one in keys):
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        plain = tuple(one.view(np.ndarray) if isinstance(one, DeviceArray) else one for one in keys)
        _touch("assignment", (value,), (self,))
        self.view(np.ndarray)[plain] = value.view(np.ndarray) if isinstance(value, DeviceArray) else value

    def fill(self, value: Any) -> None:
        _touch("fill", (), (self,))
        self.view(np.ndarray).fill(value)

    sum, mean, max = _reduced("sum"), _reduced("mean"), _reduced("max")

    __float__ = _checked("__float__")
    __int__ = _checked("__int__")
    __index__ = _checked("__index__")
    __bool__ = _checked("__bool__")
    item = _checked("item")
    tolist = _checked("tolist")


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value.view(np.ndarray) if isinstance(value, DeviceArray) else value for name, value in options.items()}


def device_array(value: Any) -> DeviceArray:
    """The same memory, on the device; a number becomes an array of no dimensions."""
    return _asarray(value).view(DeviceArray)


class StrictNumpy(ModuleType):
    """NumPy as CuPy would answer."""

    ndarray = DeviceArray

    def __getattr__(self, name: str) -> Any:
        plain = getattr(np, name)
        if isinstance(plain, type) or not callable(plain):
            return plain

        def function(*arguments: Any, **options: Any) -> Any:
            _refuse_mixture(name, (*arguments, *options.values()))
            result = plain(*arguments, **options)
            return device_array(result) if isinstance(result, np.ndarray | np.generic) else result

        return function

    def asarray(self, value: Any, dtype: Any = None) -> DeviceArray:
        """A copy on the device; of an array that is there already, itself."""
        if isinstance(value, DeviceArray):
            return device_array(_asarray(value.view(np.ndarray), dtype))
        _may_read("a copy from the host")
        return device_array(_array(value, dtype))

    def array(self, value: Any, dtype: Any = None) -> DeviceArray:
        """A copy on the device."""
        return device_array(_array(value, dtype))

    def asnumpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A copy on the host."""
        _may_read("a copy to the host")
        return _array(value.view(np.ndarray)) if isinstance(value, DeviceArray) else _array(value)


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """Inside, nothing may be read."""
    global _recording
    _recording = True
    try:
        yield
    finally:
        _recording = False


@contextlib.contextmanager
def no_conversion() -> Iterator[None]:
    """Inside, np.asarray and its like refuse an array of the device: code has to say to_host."""
    own = {name: getattr(np, name) for name in CONVERSIONS}

    def refusing(name: str) -> Callable[..., Any]:
        def convert(value: Any, *arguments: Any, **options: Any) -> Any:
            asking = sys._getframe(1).f_globals["__name__"]
            if isinstance(value, DeviceArray) and not asking.startswith("numpy"):  # NumPy stands in for CuPy's own functions
                raise TypeError(f"np.{name}: Implicit conversion to a NumPy array is not allowed")
            return own[name](value, *arguments, **options)

        return convert

    for name in CONVERSIONS:
        setattr(np, name, refusing(name))
    try:
        yield
    finally:
        for name, function in own.items():
            setattr(np, name, function)
