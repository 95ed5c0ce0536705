"""Emitted text as a program: executed as written, compiled or as plain Python, without the package around it."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba
import numpy as np

from symbackprop.emit.environment import environment

RUNTIME = "numba_cpu/kernels_cpu.py.jinja"


def executed(text: str, *, compiled: bool = False, name: str = "written") -> dict[str, Any]:
    """Return the namespace of a module's text; unless ``compiled``, its jitted functions are plain Python ones.

    The runtime file that a module may import is executed the same way.
    """
    hidden = {}
    known = Path(RUNTIME).name.removesuffix(".py.jinja")
    if f"from .{known} import" in text:
        module = ModuleType(known)
        runtime = executed(_runtime(), compiled=compiled, name=known)
        if not compiled:
            runtime["fma"] = partial(fused, runtime["fma"])
        module.__dict__.update(runtime)
        hidden[known] = sys.modules.get(known)
        sys.modules[known] = module
    before = numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = not compiled
    # A cache needs a file, which text in memory is not.
    text = text.replace("cache=True", "cache=False")
    namespace: dict[str, Any] = {"__name__": name}
    try:
        with warnings.catch_warnings():
            # A module that stands alone has no package to import its runtime file from.
            warnings.simplefilter("ignore", ImportWarning)
            exec(_code(text, name), namespace)
    finally:
        numba.config.DISABLE_JIT = before
        for known, module in hidden.items():
            if module is None:
                del sys.modules[known]
            else:
                sys.modules[known] = module
    return namespace


_libm = ctypes.CDLL(ctypes.util.find_library("m"))
_libm.fma.restype, _libm.fma.argtypes = ctypes.c_double, (ctypes.c_double,) * 3


def fused(written: Callable[[Any, Any, Any], Any], a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, rounded once, by the C library; the runtime file's own way through fractions is exact, too, but slow."""
    return np.float64(_libm.fma(a, b, c)) if type(a) is np.float64 else written(a, b, c)


@lru_cache
def _runtime() -> str:
    return environment().get_template(RUNTIME).render()


@lru_cache(maxsize=64)
def _code(text: str, name: str) -> CodeType:
    return compile(text, f"<{name}>", "exec")


class Bounded(np.ndarray):
    """An array that refuses negative positions, as compiled code would read them from somewhere else."""

    def __getitem__(self, where: Any) -> Any:
        self.look(where)
        found = super().__getitem__(where)
        return np.float64(found) if np.ndim(found) == 0 and self.dtype.kind == "f" else found

    def __setitem__(self, where: Any, value: Any) -> None:
        self.look(where)
        super().__setitem__(where, value)

    def look(self, where: Any) -> None:
        for part in where if isinstance(where, tuple) else (where,):
            if isinstance(part, int | np.integer) and part < 0:
                raise IndexError(f"position {where} of an array of shape {self.shape}")


Program = Callable[..., tuple[float, dict[str, Any]]]


def callable_of(namespace: dict[str, Any], inputs: tuple[str, ...], *, with_inputs: bool = True) -> Program:
    """Return ``f(params, inputs, target) -> (loss, gradients by name)`` for a module's namespace; masks are among the inputs."""
    layout = namespace["PARAMETERS"]
    dtype = np.dtype(namespace["DTYPE"])
    size = sum(int(np.prod(shape)) for _, _, shape in layout)

    def value_and_grad(params: dict[str, Any], given: dict[str, Any], target: Any) -> tuple[float, dict[str, Any]]:
        flat = np.zeros(size, dtype)
        for name, offset, shape in layout:
            count = int(np.prod(shape))
            flat[offset : offset + count] = np.asarray(params[name], dtype).ravel()
        arrays = [np.ascontiguousarray(given[name], np.int64 if np.asarray(given[name]).dtype.kind in "iu" else dtype) for name in inputs]
        masks = [np.ascontiguousarray(given[name], dtype) for name, _, _ in namespace.get("MASKS", ())]
        y = np.ascontiguousarray(target, np.int64 if np.asarray(target).dtype.kind in "iu" else dtype)
        work = np.full(namespace["workspace"](len(arrays[0])), np.nan, dtype)
        grads = np.full(size, np.nan, dtype)
        loss = namespace["value_and_grad"](flat, *arrays, *masks, y, grads, work)
        found = {name: grads[offset : offset + int(np.prod(shape))].reshape(shape) for name, offset, shape in layout}
        if with_inputs:
            real = [name for name, a in zip(inputs, arrays, strict=True) if a.dtype.kind == "f"]
            slots = [np.full_like(a, np.nan) for a in arrays if a.dtype.kind == "f"]
            work[:] = np.nan
            again = namespace["input_gradients"](flat, *arrays, *masks, y, *slots, work) if slots else loss
            assert again == loss
            found |= dict(zip(real, slots, strict=True))
        return float(loss), found

    return value_and_grad
