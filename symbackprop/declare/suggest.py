"""The closest known name, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(given: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'relu'?" or nothing."""
    close = difflib.get_close_matches(str(given)[:60].lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


__all__ = ["suggestion"]
