"""The number types of a kernel: int32 that does not wrap in silence, float32 that stays float32, and math functions that keep the type."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from symbackprop.execute.lockstep.errors import IntegerOverflowError, KernelTextError, PrecisionError, place, quote

__all__ = ["MATH", "TYPES", "IntegerType", "kind_of", "type_named"]


class IntegerType:
    """An integer type of a kernel: called, it converts and checks the range; given to ``shared.array``, it is the element type.

    Values are Python integers: exact, and the fastest keys there are. A signed type raises where the hardware would wrap; an
    unsigned one wraps, which is what such types are used for.
    """

    __slots__ = ("dtype", "high", "low", "name", "signed")

    def __init__(self, name: str) -> None:
        self.name = name
        self.dtype = np.dtype(name)
        limits = np.iinfo(name)
        self.low, self.high, self.signed = int(limits.min), int(limits.max), self.dtype.kind == "i"

    def __repr__(self) -> str:
        return self.name

    def __call__(self, value: Any) -> int:
        """The value as this type; floats are cut towards zero.

        Raises:
            IntegerOverflowError: the value does not fit (signed types), or is NaN or infinite.
        """
        try:
            number = int(value)
        except (ValueError, OverflowError):
            raise IntegerOverflowError(f"{place()}: {value} has no value of type {self.name}{quote()}") from None
        if self.low <= number <= self.high:
            return number
        if self.signed:
            raise IntegerOverflowError(f"{place()}: {number} is outside {self.name}{quote()}")
        return number & self.high

    def stored(self, value: Any, name: str, key: object) -> int:
        """The value as an element of array ``name``.

        Raises:
            IntegerOverflowError: it does not fit.
            PrecisionError: it is a float.
        """
        if isinstance(value, (float, np.floating)):
            raise PrecisionError(
                f"{place()}: float {value!s} stored in {self.name} array {name!r} at {key}; write {self.name}(...) to mean it{quote()}"
            )
        number = int(value)
        if self.low <= number <= self.high:
            return number
        raise IntegerOverflowError(f"{place()}: {number} stored in {self.name} array {name!r} at {key}{quote()}")


#: The types by name. Floats are NumPy's own: their arithmetic stays in the type and costs least.
TYPES: Final[dict[str, Any]] = {
    name: IntegerType(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
} | {"float32": np.float32, "float64": np.float64, "boolean": np.bool_}


def type_named(value: object) -> Any:
    """The kernel type that a value of a kernel's namespace stands for (NumPy's or Numba's scalar types), or None."""
    if isinstance(value, IntegerType):
        return value
    if isinstance(value, type) and issubclass(value, np.generic):
        return TYPES.get({"bool": "boolean", "bool_": "boolean"}.get(value.__name__, value.__name__))
    if value is bool:
        return np.bool_
    if type(value).__module__.startswith(("numba.", "numba_cuda.", "numba_cuda_mlir.")):
        return TYPES.get({"bool": "boolean"}.get(str(value), str(value)))
    return None


def _float32(value: Any, name: str, key: object) -> Any:
    if isinstance(value, (float, np.floating)):  # np.float64 is a float
        raise PrecisionError(f"{place()}: float64 value stored in float32 array {name!r} at {key}; write float32(...) to mean it{quote()}")
    return np.float32(value)


def _float64(value: Any, name: str, key: object) -> Any:
    return np.float64(value)


def _boolean(value: Any, name: str, key: object) -> Any:
    return bool(value)


def kind_of(dtype: np.dtype[Any]) -> tuple[object, Callable[[Any, str, object], Any]]:
    """(the Python type that needs no conversion when stored, or None; the conversion of a stored value) of a dtype.

    Raises:
        KernelTextError: the emulator has no such element type.
    """
    if dtype == np.float32:
        return np.float32, _float32
    if dtype == np.float64:
        return np.float64, _float64
    if dtype == np.bool_:
        return bool, _boolean
    if dtype.name in TYPES:
        return None, TYPES[dtype.name].stored
    raise KernelTextError(f"arrays of {dtype} are not emulated; there are {', '.join(TYPES)}")


def _keeping(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that computes in float32 if all arguments are float32, else in float64, as Numba does."""

    def call(*values: Any) -> Any:
        if all(type(v) is np.float32 for v in values):
            return np.float32(function(*values))
        return np.float64(function(*(np.float64(v) for v in values)))

    return call


def _gamma(function: Callable[[float], float]) -> Callable[[Any], float]:
    def call(x: Any) -> float:
        try:
            return function(float(x))
        except OverflowError:
            return math.inf

    return call


class _Math:
    """The stand-in for the module ``math``."""

    pi, e, tau = np.float64(math.pi), np.float64(math.e), np.float64(math.tau)
    inf, nan = np.float64(math.inf), np.float64(math.nan)

    def __init__(self) -> None:
        same = ("exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh fabs hypot copysign fmod exp2 cbrt").split()
        other = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh"}
        sources = {n: n for n in same} | other | {"atanh": "arctanh", "pow": "power"}
        for name, source in sources.items():
            setattr(self, name, _keeping(getattr(np, source)))
        for name in ("erf", "erfc", "gamma", "lgamma"):
            setattr(self, name, _keeping(_gamma(getattr(math, name))))

    def __getattr__(self, name: str) -> Any:
        raise KernelTextError(f"{place()}: math.{name} is not emulated")

    @staticmethod
    def floor(x: float) -> int:
        return math.floor(x)

    @staticmethod
    def ceil(x: float) -> int:
        return math.ceil(x)

    @staticmethod
    def trunc(x: float) -> int:
        return math.trunc(x)

    @staticmethod
    def isnan(x: Any) -> bool:
        return bool(np.isnan(x))

    @staticmethod
    def isinf(x: Any) -> bool:
        return bool(np.isinf(x))

    @staticmethod
    def isfinite(x: Any) -> bool:
        return bool(np.isfinite(x))


MATH: Final = _Math()
