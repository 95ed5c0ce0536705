"""Memory that starts where a line of the cache does, so that no vector of a kernel lies across two of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: Bytes of a line.
LINE = 64


def zeros(size: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of zeros with one axis."""
    real = np.dtype(dtype)
    whole = np.zeros(size * real.itemsize + LINE, np.uint8)
    start = -whole.ctypes.data % LINE
    return whole[start : start + size * real.itemsize].view(real)


__all__ = ["LINE", "zeros"]
