"""A device for generated CUDA modules that runs their kernels in lock-step: slow, right, checked, and without a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from symbackprop.execute.lockstep.errors import BoundsError, KernelTextError
from symbackprop.execute.lockstep.launch import run
from symbackprop.execute.lockstep.rewrite import kernel as kernel_of

__all__ = ["DeviceArray", "Lockstep"]

Array = npt.NDArray[Any]
Extent = int | tuple[int, ...]


class DeviceArray(np.ndarray[Any, Any]):
    """Memory of the device. NumPy can look into it, but a kernel's results are in a NumPy array only when they were copied there."""


class Lockstep:
    """What the runtime of generated CUDA modules takes for a device: ``use(Lockstep())``.

    Memory that is taken holds NaN (the least integer for integers) until it is written.

    Attributes:
        race: whether accesses of memory that no barrier orders are looked for.
        seed: of the order of threads and blocks.
        launches: how many kernels were started, by name.
    """

    cuda = None

    def __init__(self, race: bool = True, seed: int = 0) -> None:
        self.race, self.seed = race, seed
        self.launches: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Lockstep(race={self.race}, seed={self.seed})"

    def about(self) -> str:
        """Return what this is, in words."""
        return "threads in lock-step, in Python"

    # --- memory ---------------------------------------------------------------------------------------------------------

    def interface(self, array: object) -> dict[str, Any] | None:
        """Return where an array of the device lies and what it holds; None for any other."""
        return dict(array.__array_interface__) if isinstance(array, DeviceArray) else None

    def adopt(self, array: DeviceArray) -> Array:
        """Return an array of the device as kernels take it, which it is already."""
        return array

    def memory(self, size: int, dtype: np.dtype[Any]) -> Array:
        """Return memory for so many numbers, none of which is of any use."""
        return np.full(size, np.nan if dtype.kind == "f" else np.iinfo(dtype).min, dtype).view(DeviceArray)

    room = memory

    def write(self, values: Array, there: Array) -> None:
        """Copy a NumPy array to the device."""
        there[...] = values

    def read(self, there: Array, values: Array) -> None:
        """Copy from the device to a NumPy array."""
        values[...] = there

    def copy(self, there: Array, other: Array) -> None:
        """Copy from one array of the device to another."""
        other[...] = there

    def fill(self, there: Array, value: float) -> None:
        """Write one value everywhere."""
        there.fill(value)

    # --- kernels --------------------------------------------------------------------------------------------------------

    def launch(self, kernel: Any, grid: Extent, block: Extent, arguments: tuple[Any, ...], shared: int, cooperative: bool) -> None:
        """Run a kernel of the runtime.

        Raises:
            LockstepError: its subclass says what is wrong.
        """
        text = kernel.made.get(Lockstep)
        if text is None:
            text = kernel.made[Lockstep] = kernel_of(kernel)
        given = [a.view(np.ndarray) if isinstance(a, DeviceArray) else a for a in arguments]
        for place, value in zip(text.parameters, arguments, strict=False):
            if isinstance(value, np.ndarray) and not isinstance(value, DeviceArray):
                raise KernelTextError(f"{text.name}: argument {place} is a NumPy array; kernels take what lies on the device")
        report = run(text, grid, block, *given, dynamic_shared=shared, race=self.race, seed=self.seed)
        if "sync" in report.passed and not cooperative:
            raise KernelTextError(f"{text.name} waits for all blocks; launch it with cooperative=True")
        self.launches[text.name] = self.launches.get(text.name, 0) + 1

    def matmul(self, arrays: tuple[Array, ...], sizes: Sequence[int], places: Sequence[tuple[int, int, bool, int]], accuracy: str) -> None:
        """Do the products of matrices that a library does on a GPU, in float64; sums are rounded once.

        Args:
            arrays: left, right and result, each with one axis.
            sizes: rows, columns, terms, and how many products there are.
            places: of each array: where the matrix begins, the entries from row to row in memory, whether memory holds the transpose,
                and the entries from one product's matrix to the next.
            accuracy: is always the same here.

        Raises:
            BoundsError: a matrix does not lie in its array.
        """
        rows, columns, terms, count = sizes
        shapes = (rows, terms), (terms, columns), (rows, columns)
        seen: list[Array] = []
        for array, shape, (offset, lead, turned, step) in zip(arrays, shapes, places, strict=True):
            height, width = reversed(shape) if turned else shape
            last = offset + (count - 1) * step + (height - 1) * lead + width - 1
            if offset < 0 or last >= array.size or width > lead:
                raise BoundsError(f"matmul: {count} matrices {height} x {width}, rows {lead} apart, at {offset} of {array.size} entries")
            matrix = as_strided(array.view(np.ndarray)[offset:], (count, height, width), [k * array.itemsize for k in (step, lead, 1)])
            seen.append(matrix.swapaxes(1, 2) if turned else matrix)
        left, right, result = seen
        result[...] = left.astype(np.float64) @ right.astype(np.float64)
        self.launches["matmul"] = self.launches.get("matmul", 0) + 1

    def synchronize(self) -> None:
        """Do nothing: a launch ends before the next begins."""

    def record(self, function: Callable[[], None]) -> tuple[str, Callable[[], None]]:
        """Return the function itself: there is nothing to record launches in."""
        return "plain launches", function
