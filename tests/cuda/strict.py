"""A GPU's manners on a CPU: arrays that remember that they lie on a device, and a device that may forbid reading them.

    device = StrictDevice()
    with using(device): ...                  backend "cupy" computes with DeviceArrays; kernels run on the CPU (shim.py)
    with device.recording(): ...             reading a number back (float, int, bool, tolist, to_host) or copying from the host raises

NumPy functions on a DeviceArray give DeviceArrays, as CuPy's do; a plain NumPy array as an operand raises, as in CuPy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
from shim import OnCpu

from npae.kernels.cuda.lane import Lane

_recording = False


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


class DeviceArray(np.ndarray):
    """NumPy memory that is taken for a GPU's."""

    def __array_ufunc__(self, ufunc: np.ufunc, how: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        operands = (*inputs, *(out or ()), *([options["where"]] if "where" in options else []))
        for operand in operands:
            if type(operand) is np.ndarray and operand.ndim:
                raise TypeError(f"{ufunc.__name__} of an array on the device and one on the host, of shape {operand.shape}")
        plain = [a.view(np.ndarray) if isinstance(a, DeviceArray) else a for a in inputs]
        options = {k: v.view(np.ndarray) if isinstance(v, DeviceArray) else v for k, v in options.items()}
        if out:
            options["out"] = tuple(a.view(np.ndarray) if isinstance(a, DeviceArray) else a for a in out)
        result = getattr(ufunc, how)(*plain, **options)
        return out[0] if out else device_array(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        result = super().__array_function__(function, types, arguments, options)
        return device_array(result) if isinstance(result, np.ndarray | np.generic) else result

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, DeviceArray):
            key = key.view(np.ndarray)
        return device_array(self.view(np.ndarray)[key if isinstance(key, tuple) and Ellipsis in key else (*np.index_exp[key], Ellipsis)])

    def sum(self, *arguments: Any, **options: Any) -> Any:
        return device_array(self.view(np.ndarray).sum(*arguments, **_plain(options)))

    def mean(self, *arguments: Any, **options: Any) -> Any:
        return device_array(self.view(np.ndarray).mean(*arguments, **_plain(options)))

    def max(self, *arguments: Any, **options: Any) -> Any:
        return device_array(self.view(np.ndarray).max(*arguments, **_plain(options)))

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
    return np.asarray(value).view(DeviceArray)


class StrictNumpy(ModuleType):
    """NumPy as CuPy would answer."""

    ndarray = DeviceArray

    def __getattr__(self, name: str) -> Any:
        plain = getattr(np, name)
        if isinstance(plain, type) or not callable(plain):
            return plain

        def function(*arguments: Any, **options: Any) -> Any:
            result = plain(*arguments, **options)
            return device_array(result) if isinstance(result, np.ndarray | np.generic) else result

        return function

    def asarray(self, value: Any, dtype: Any = None) -> DeviceArray:
        """A copy on the device; of an array that is there already, itself."""
        if isinstance(value, DeviceArray):
            return device_array(np.asarray(value.view(np.ndarray), dtype))
        _may_read("a copy from the host")
        return device_array(np.array(value, dtype))

    def array(self, value: Any, dtype: Any = None) -> DeviceArray:
        """A copy on the device."""
        return device_array(np.array(value, dtype))

    def asnumpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A copy on the host."""
        _may_read("a copy to the host")
        return np.array(value)


class LaneOnCpu(Lane):
    """Replays by calling again."""

    def __init__(self) -> None:
        pass

    def __enter__(self) -> LaneOnCpu:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def record(self, launches: Callable[[], object]) -> Callable[[], None]:
        """The launches, which may read nothing."""

        def replay() -> None:
            with recording():
                launches()

        return replay

    def wait(self) -> None:
        """Nothing is under way."""

    def allocated(self) -> int:
        """Nothing is counted."""
        return 0


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """Inside, nothing may be read."""
    global _recording
    _recording = True
    try:
        yield
    finally:
        _recording = False


class StrictDevice(OnCpu):
    """Kernels on the CPU, arrays as on a GPU."""

    def __init__(self, order: int = 0, seed: int = 0) -> None:
        super().__init__(order, seed)
        self.xp = StrictNumpy("strict")

    def lane(self) -> Lane:
        """Where launches are recorded."""
        return LaneOnCpu()
