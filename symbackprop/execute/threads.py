"""Which threads compiled code runs on, and how many."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

#: Modules of Numba's threading layers, by name.
_LAYERS = {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}
#: What Numba calls sets of layers, as in NUMBA_THREADING_LAYER.
_SETS = {"threadsafe": ("tbb",), "forksafe": ("tbb", "omp", "workqueue"), "safe": ("tbb",)}
#: The layer `workqueue` ends the process when two threads enter it.
_ALONE = threading.RLock()


@cache
def layer() -> str:
    """Return the name of the threading layer that Numba takes, "omp", "tbb" or "workqueue"; no thread is started for that."""
    config = importlib.import_module("numba").config
    chosen = config.THREADING_LAYER
    names = _SETS.get(chosen, (chosen,) if chosen in _LAYERS else tuple(config.THREADING_LAYER_PRIORITY))
    for name in names:
        try:
            importlib.import_module(f"numba.np.ufunc.{_LAYERS[name]}")
        except ImportError:
            continue
        return str(name)
    return "workqueue"


def most(threads: int | None) -> int:
    """Return how many threads there may be: those of the current setting, or so many, but no more than Numba has."""
    numba = importlib.import_module("numba")
    return min(threads or int(numba.get_num_threads()), int(numba.config.NUMBA_NUM_THREADS))


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Run the block with at most so many threads, and with no more than Numba has; the caller's own setting is put back.

    Where Numba has its layer `workqueue` only, which is slow and takes one caller at a time, it is one thread.
    """
    slow = layer() == "workqueue"
    if threads is None and not slow:
        yield
        return
    numba = importlib.import_module("numba")
    before = numba.get_num_threads()
    with _ALONE if slow else threading.Lock():
        numba.set_num_threads(1 if slow else most(threads))
        try:
            yield
        finally:
            numba.set_num_threads(before)


__all__ = ["layer", "limited", "most"]
