"""How many threads compiled code may use while it runs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Run the block with at most this many of Numba's threads; the caller's own setting is put back."""
    if threads is None:
        yield
        return
    numba = importlib.import_module("numba")
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        numba.set_num_threads(before)


__all__ = ["limited"]
