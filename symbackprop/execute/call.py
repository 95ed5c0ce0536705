"""Calls without a look at the arguments: a compiled entry is told one number, where the addresses of its arrays lie."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.execute.garbage import seldom_searched
from symbackprop.execute.load import Loaded
from symbackprop.execute.memory import zeros

Array = npt.NDArray[Any]

#: Programs of several threads may share a module.
_COMPILING = threading.Lock()


def table(batch: int, arrays: Sequence[Array]) -> npt.NDArray[np.int64]:
    """Return the number of samples and the addresses of arrays, as an entry ``…_at`` reads them; the arrays must outlive it."""
    return np.array([batch, *(array.ctypes.data for array in arrays)], np.int64)


def entry(module: ModuleType, name: str) -> Callable[[int], float] | None:
    """Return the entry ``name``_at of a module as a C function of an address; None where there is none."""
    found: Any = getattr(module, f"{name}_at", None)
    if found is None or not hasattr(found, "overloads"):
        return None
    if getattr(module, name).targetoptions.get("parallel"):
        # Numba optimizes an entry with parallel loops by itself, and would do so once more in this one.
        return None
    wanted = (importlib.import_module("numba").int64,)
    if wanted not in found.overloads:
        with seldom_searched():
            found.compile(wanted)
    # What Numba itself calls once it has looked at the types of the arguments; it is not documented, so do without where it is missing.
    known: Callable[[int], float] | None = getattr(found.overloads.get(wanted), "entry_point", None)
    return known if callable(known) else found


def now(module: ModuleType, name: str, batch: int, arguments: tuple[Any, ...]) -> float:
    """Return what an entry returns, called by address where it is compiled: bound calls then find it compiled."""
    compiled = entry(module, name)
    if compiled is None:
        return float(getattr(module, name)(*arguments))
    places = table(batch, arguments)
    return compiled(int(places.ctypes.data))


def workspace(module: ModuleType, batch: int) -> int:
    """Return how many numbers of workspace a batch needs; nothing is compiled for it."""
    return int(getattr(module.workspace, "py_func", module.workspace)(batch))


class Door:
    """The door in compiled form, for one thread: what it does not let through goes to the other door, which says why.

    Parameters and gradients are the objects that the other door let through last. The types of all arrays are those of one call that
    it let through; sizes and memory are tested on every call.
    """

    def __init__(self, loaded: Loaded, batches: range, arrays: Sequence[Array], params: Any, grads: Any) -> None:
        """Compile the door for calls like this one.

        Args:
            loaded: the kernels.
            batches: numbers of samples that may come.
            arrays: params, inputs, y and grads of a call.
            params: the Parameters of that call.
            grads: and those of its gradients.

        Raises:
            TypeError: the kernels are not compiled.
        """
        module = loaded.module
        compiled = entry(module, "value_and_grad")
        if compiled is None or not hasattr(module, "addressed"):
            raise TypeError("these kernels take no addresses")
        self.loaded, self.params, self.grads, self.batches = loaded, params, grads, batches
        self._compiled, self._test, self._checked = compiled, module.addressed, loaded.face.checked
        self._several = len(loaded.face.inputs) > 1
        self._table = np.zeros(len(arrays) + 2, np.int64)
        self._work = zeros(workspace(module, batches[-1]), arrays[0].dtype)
        self._table[-1] = self._work.ctypes.data
        self._address, self._most = int(self._table.ctypes.data), batches[-1]
        numba = importlib.import_module("numba")
        wanted = (*map(numba.typeof, (*arrays, self._table)), numba.int64)
        with _COMPILING:
            # One signature, so that no other type is let in.
            if wanted not in self._test.overloads:
                self._test.compile(wanted)
                self._test.disable_compile()

    def value_and_grad(self, params: Any, x: Any, y: Any, out: Any) -> tuple[float, Any] | None:
        """Return the loss and the gradients, or None for a call that the other door is to look at."""
        if params is not self.params or type(y) is not np.ndarray:
            return None
        if out is None:
            out = params.like(zeros(params.flat.size, params.flat.dtype))
        elif out is not self.grads:
            return None
        if self._several:
            if type(x) is not tuple or any(type(a) is not np.ndarray for a in x) or len(x[0]) not in self.batches:
                return None
        elif type(x) is not np.ndarray or not x.ndim or len(x) not in self.batches:
            return None
        try:
            fits = self._test(params.buffer, *(x if self._several else (x,)), y, out.flat, self._table, self._most)
        except TypeError:
            return None
        if not fits:
            return None
        loss = self._compiled(self._address)
        if loss != loss and self._checked:
            return None
        return loss, out


__all__ = ["Door", "entry", "now", "table", "workspace"]
