"""Python's search for circles of garbage, less often while much is made that stays."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects from one search to the next, and searches among the young from one among the older ones to the next.
_SELDOM = (100_000, 20, 50)
_LOCK = threading.Lock()
_before: list[tuple[int, int, int]] = []
_inside = 0


@contextmanager
def seldom_searched() -> Iterator[None]:
    """Run the block with few searches for garbage; the setting of before is put back when the last such block ends.

    A derivation and what a compiler makes of it are some million objects, nearly all of which are still in use when the usual
    searches go through them, again and again.
    """
    global _inside
    with _LOCK:
        _inside += 1
        if _inside == 1 and 0 < gc.get_threshold()[0] < _SELDOM[0]:
            _before.append(gc.get_threshold())
            gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        with _LOCK:
            _inside -= 1
            if _inside == 0 and _before:
                known = _before.pop()
                # Who has set it meanwhile has a reason.
                if gc.get_threshold() == _SELDOM:
                    gc.set_threshold(*known)


__all__ = ["seldom_searched"]
