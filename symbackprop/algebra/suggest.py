"""The closest known name, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(given: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'relu'?" or nothing."""
    spelled: dict[str, str] = {}
    for name in known:
        spelled.setdefault(name.lower(), name)
    close = difflib.get_close_matches(str(given)[:60].lower(), list(spelled), n=1, cutoff=0.6)
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""


__all__ = ["suggestion"]
