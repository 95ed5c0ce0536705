"""What kernels call beside Python's own words: loads and stores of four numbers, and the results that a thread keeps in registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

__all__ = ["PAD", "TILES", "ld4", "multiply_add", "register_tile", "st4", "store_row"]

#: Entries between the terms of a tile.
PAD: Final = 4


def ld4(array: Any, index: Any, inside: Any = True) -> tuple[Any, Any, Any, Any]:
    """Four neighbours of an array by one load, zeros where they are not inside.

    The index, whose last axis they lie along, must be a multiple of 4.
    """
    if not inside:
        zero = array.dtype.type(0)
        return zero, zero, zero, zero
    array.aligned(index)
    if isinstance(index, tuple):
        *rest, i = index
        return array[index], array[(*rest, i + 1)], array[(*rest, i + 2)], array[(*rest, i + 3)]
    return array[index], array[index + 1], array[index + 2], array[index + 3]


def st4(array: Any, index: Any, values: tuple[Any, Any, Any, Any], step: int = 1) -> None:
    """Four entries of an array, ``step`` from one to the next along the last axis; by one store if it is 1.

    The index must be a multiple of 4 then.
    """
    if step == 1:
        array.aligned(index)
    *rest, i = index if isinstance(index, tuple) else (index,)
    for k, value in enumerate(values):
        array[(*rest, i + k * step) if rest else i + k * step] = value


def register_tile(rows: int, columns: int, value: Any) -> Any:
    """The results that a thread keeps in registers; never changed in place."""
    return np.full((rows, columns), value, type(value))


def multiply_add(sums: Any, tiles: Any, left: int, right: int, rows: int, columns: int, depth: int) -> Any:
    """``sums[i, j] + Σ_k left[k, i] right[k, j]`` for two tiles in shared memory, the terms added in order."""
    high, wide = sums.shape
    for _ in range(depth):
        u = [value for first in range(0, high, 4) for value in ld4(tiles, left + first * rows // high)]
        v = [value for first in range(0, wide, 4) for value in ld4(tiles, right + first * columns // wide)]
        sums = sums + np.multiply.outer(np.array(u, sums.dtype), np.array(v, sums.dtype))
        left, right = left + rows + PAD, right + columns + PAD
    return sums


def store_row(sums: Any, row: int, array: Any, index: int, columns: int) -> None:
    """One row of a thread's results, in fours as far apart as in a tile of so many columns."""
    wide = sums.shape[1]
    for first in range(0, wide, 4):
        st4(array, index + first * columns // wide, tuple(sums[row, first : first + 4]))


#: By the name under which a kernel calls them.
TILES: Final[dict[str, Callable[..., Any]]] = {"register_tile": register_tile, "multiply_add": multiply_add, "store_row": store_row}
